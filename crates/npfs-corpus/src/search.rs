//! Every schedule of a program with at most so many interruptions.
//!
//! A thread runs on until it sleeps or ends, unless it is interrupted: another one goes on although
//! it could. Each bug that the corpus knows needs at most two interruptions. Whoever goes on when a
//! thread sleeps or ends is tried in every way and costs nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use npfs_host::schedule::Candidate;
use npfs_host::{Schedule, Strategy, Turns};

use crate::stage::{self, Program, Run, Symptom};

/// What a search gives.
pub struct Search {
    /// The first schedule that shows it.
    pub found: Option<Found>,
    /// How many runs it took; schedules with fewer interruptions are among those with more.
    pub runs: u64,
    /// Whether every schedule within the bound was.
    pub complete: bool,
    /// How many of them showed something else, and what was first.
    pub other: Option<(u64, Symptom)>,
}

/// A schedule and what it shows.
pub struct Found {
    /// The schedule.
    pub turns: Turns,
    /// What it shows.
    pub symptom: Symptom,
    /// How many interruptions it has.
    pub interruptions: u32,
    /// Whether the schedule shows it again.
    pub repeats: bool,
}

/// How far to search.
#[derive(Clone, Copy)]
pub struct Bound {
    /// At most so many interruptions.
    pub interruptions: u32,
    /// At most so many runs.
    pub runs: u64,
}

/// Looks for a run with a symptom that `wanted` knows, those with fewer interruptions first.
pub fn search(program: &Program, bound: Bound, wanted: impl Fn(&Symptom) -> bool) -> Search {
    let (mut runs, mut found, mut other) = (0, None, None);
    let mut complete = true;
    for most in 0..=bound.interruptions {
        every_run(program, most, |run, interruptions| {
            runs += 1;
            match run.symptom {
                Some(symptom) if wanted(&symptom) => {
                    found =
                        Some(Found { turns: run.turns, symptom, interruptions, repeats: false });
                }
                Some(symptom) => other.get_or_insert((0, symptom)).0 += 1,
                None => {}
            }
            complete = runs < bound.runs;
            complete && found.is_none()
        });
        if found.is_some() || !complete {
            break;
        }
    }
    if let Some(found) = &mut found {
        let again = stage::run(program, Schedule::Replay(found.turns.clone()).strategy());
        found.repeats =
            again.turns == found.turns && again.symptom.as_ref() == Some(&found.symptom);
    }
    Search { found, runs, complete, other }
}

/// Runs `program` under every schedule with at most so many interruptions, as long as `visit` says
/// to go on; it is handed each run and the interruptions that it had.
pub fn every_run(program: &Program, interruptions: u32, mut visit: impl FnMut(Run, u32) -> bool) {
    let path = Path { choices: Vec::new(), depth: 0, used: 0, interruptions };
    let path = Arc::new(Mutex::new(path));
    loop {
        look(&path).restart();
        let run = stage::run(program, Box::new(Bounded(path.clone())));
        let used = look(&path).used;
        if !visit(run, used) || !look(&path).advance() {
            return;
        }
    }
}

struct Path {
    /// What was chosen at each turn, of how many.
    choices: Vec<(usize, usize)>,
    depth: usize,
    used: u32,
    interruptions: u32,
}

fn look(path: &Mutex<Path>) -> MutexGuard<'_, Path> {
    path.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Path {
    fn restart(&mut self) {
        self.depth = 0;
        self.used = 0;
    }

    /// On to the next path; `false` when there is none.
    fn advance(&mut self) -> bool {
        // A run that ended early has left choices of an earlier one behind.
        self.choices.truncate(self.depth);
        while let Some((choice, count)) = self.choices.pop() {
            if choice + 1 < count {
                self.choices.push((choice + 1, count));
                return true;
            }
        }
        false
    }

    /// Which of the `ready` threads goes on.
    fn choose(&mut self, ready: usize, last: Option<usize>) -> usize {
        let may_interrupt = self.used < self.interruptions;
        let count = if last.is_some() && !may_interrupt { 1 } else { ready };
        if self.depth == self.choices.len() {
            self.choices.push((0, count));
        }
        let (choice, before) = self.choices[self.depth];
        assert_eq!(before, count, "a run is given by its choices");
        self.depth += 1;
        let Some(last) = last else { return choice };
        self.used += u32::from(choice > 0);
        // The one that ran comes first, the others behind it in order.
        match choice {
            0 => last,
            other if other <= last => other - 1,
            other => other,
        }
    }
}

struct Bounded(Arc<Mutex<Path>>);

impl Strategy for Bounded {
    fn choose(&mut self, ready: &[Candidate<'_>], last: Option<usize>) -> usize {
        look(&self.0).choose(ready.len(), last)
    }
}
