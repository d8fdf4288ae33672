//! Every order of the steps of tasks, until one of them fails.
//!
//! A body is run once for each order: it builds a simulation with the schedule that it is handed,
//! and its tasks with [`crate::task`]. A panic in it, a failed assertion or a reported deadlock
//! ends the search, and the order is printed as text that runs it again.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use npfs_host::schedule::{BadTurn, Candidate, Schedule, Strategy, Turns};

use crate::sync::Unseen;

/// How far a search goes.
#[derive(Clone, Debug)]
#[must_use]
pub struct Explore {
    preemptions: Option<u32>,
    most: u64,
}

impl Default for Explore {
    fn default() -> Explore {
        Explore::new()
    }
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// How many orders were run.
    pub runs: u64,
    /// Whether there are no others, within the bound on preemptions.
    pub complete: bool,
    /// The order that failed, if one did.
    pub failure: Option<Failure>,
}

/// An order in which the body fails.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The turns, as [`replay`] takes them: `server*3 client*2 server`.
    pub turns: String,
    /// What the body panicked with.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nschedule: {}", self.message, self.turns)
    }
}

/// One choice of a run: which of how many.
#[derive(Clone, Copy, Debug)]
struct Choice {
    taken: usize,
    open: usize,
}

/// What a run leaves behind.
#[derive(Debug, Default)]
struct Path {
    choices: Vec<Choice>,
    turns: Vec<(String, u32)>,
}

impl Path {
    fn text(&self) -> String {
        let turns = self.turns.iter().map(|(name, count)| match count {
            1 => name.clone(),
            count => format!("{name}*{count}"),
        });
        turns.collect::<Vec<String>>().join(" ")
    }
}

impl Explore {
    /// Up to 2 preemptions, which is where most races are, and 1,000,000 orders.
    pub fn new() -> Explore {
        Explore { preemptions: Some(2), most: 1_000_000 }
    }

    /// At most so many times a task is stopped that could have gone on. `None` for every order.
    pub fn preemptions(mut self, most: Option<u32>) -> Explore {
        self.preemptions = most;
        self
    }

    /// At most so many orders.
    pub fn orders(mut self, most: u64) -> Explore {
        self.most = most;
        self
    }

    /// Runs `body` in each order until one fails: first those without preemptions, then those with
    /// up to one, and so on. `body` must do the same whenever it is handed the same turns.
    pub fn run(&self, body: impl Fn(Box<dyn Strategy>)) -> Found {
        let mut runs = 0;
        let bounds = match self.preemptions {
            Some(most) => 0..=most,
            None => u32::MAX..=u32::MAX,
        };
        for bound in bounds {
            if let Some(found) = self.run_within(bound, &mut runs, &body) {
                return found;
            }
        }
        Found { runs, complete: true, failure: None }
    }

    /// Every order with at most `bound` preemptions; any number for `u32::MAX`. `None` if none fails.
    fn run_within(
        &self,
        bound: u32,
        runs: &mut u64,
        body: impl Fn(Box<dyn Strategy>),
    ) -> Option<Found> {
        let path = Arc::new(Unseen::<Path>::default());
        loop {
            if *runs == self.most {
                return Some(Found { runs: *runs, complete: false, failure: None });
            }
            path.lock().turns.clear();
            let order = Order { path: path.clone(), depth: 0, preemptions: bound };
            let ended = catch_unwind(AssertUnwindSafe(|| body(Box::new(order))));
            *runs += 1;
            let mut path = path.lock();
            if let Err(panic) = ended {
                let failure = Failure { turns: path.text(), message: message(&*panic) };
                return Some(Found { runs: *runs, complete: false, failure: Some(failure) });
            }
            loop {
                let choice = path.choices.pop()?;
                if choice.taken + 1 < choice.open {
                    path.choices.push(Choice { taken: choice.taken + 1, ..choice });
                    break;
                }
            }
        }
    }

    /// As [`Explore::run`]; gives the number of orders.
    ///
    /// # Panics
    /// When an order fails, with that order; when there are more orders than allowed.
    #[track_caller]
    pub fn check(&self, body: impl Fn(Box<dyn Strategy>)) -> u64 {
        let found = self.run(body);
        if let Some(failure) = found.failure {
            panic!("order {} fails: {failure}", found.runs);
        }
        assert!(found.complete, "there are more than {} orders", self.most);
        found.runs
    }
}

/// Runs `body` once, in the order that [`Failure::turns`] says.
///
/// # Errors
/// A word of `turns` that is not `name` or `name*count`.
pub fn replay<T>(turns: &str, body: impl FnOnce(Box<dyn Strategy>) -> T) -> Result<T, BadTurn> {
    let turns: Turns = turns.parse()?;
    Ok(body(Schedule::Replay(turns).strategy()))
}

/// The strategy of one run: first whoever ran last, then the others in order.
#[derive(Debug)]
struct Order {
    path: Arc<Unseen<Path>>,
    depth: usize,
    /// How many are left.
    preemptions: u32,
}

impl Strategy for Order {
    fn choose(&mut self, ready: &[Candidate<'_>], last: Option<usize>) -> usize {
        let mut path = self.path.lock();
        let open = if last.is_some() && self.preemptions == 0 { 1 } else { ready.len() };
        if self.depth == path.choices.len() {
            path.choices.push(Choice { taken: 0, open });
        }
        let choice = path.choices[self.depth];
        self.depth += 1;
        assert_eq!(choice.open, open, "the body does the same in the same order");
        let place = match (last, choice.taken) {
            (None, taken) => taken,
            (Some(last), 0) => last,
            (Some(last), taken) => {
                self.preemptions -= 1;
                if taken <= last { taken - 1 } else { taken }
            }
        };
        let name = ready[place].name.replace([' ', '*'], "_");
        match path.turns.last_mut() {
            Some((of, count)) if *of == name => *count += 1,
            _ => path.turns.push((name, 1)),
        }
        place
    }
}

/// What somebody panicked with.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<String>() {
        return text.clone();
    }
    panic
        .downcast_ref::<&str>()
        .map_or_else(|| "a panic without words".to_owned(), |text| (*text).to_owned())
}
