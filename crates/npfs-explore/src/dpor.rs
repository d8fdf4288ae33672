//! One order of each trace: dynamic partial-order reduction without a memory of states.
//!
//! Source sets and sleep sets (Abdulla and others, POPL 2014): executions that differ only in
//! steps which have nothing to do with each other are one trace, and each trace is executed
//! once. It needs memory for one execution only. An execution that sleep sets stop before its
//! end is counted as blocked; whether there are any is a measure of how good the races are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::machine::Touch;
use crate::race::{MOST_CHOICES, State, Step, all, of, races, takes_away};
use crate::schedule::Choice;
use crate::search::Limits;
use crate::system::System;

/// What the search of traces has come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Traces {
    /// Executions that came to their end: one for each trace.
    pub executions: u64,
    /// Executions that were stopped because they repeat others.
    pub blocked: u64,
    /// Steps of all of them.
    pub steps: u64,
    /// The distinct outcomes, in order of their text.
    pub outcomes: Vec<Vec<String>>,
    /// Why it is not complete.
    pub bounds: Vec<String>,
}

struct Frame<M> {
    mark: M,
    open: Vec<Choice>,
    /// Threads that are tried here, those that have been, and those that need not be: what they
    /// would do has been done elsewhere.
    wanted: u64,
    done: u64,
    asleep: Vec<(Choice, Touch)>,
    step: Step,
}

impl<M> State for Frame<M> {
    fn open(&self) -> &[Choice] {
        &self.open
    }
    fn step(&self) -> &Step {
        &self.step
    }
}

/// Executions between two looks at the clock.
const LOOK: u64 = 256;

/// Executes one order of each trace from where the system is, and comes back.
pub(crate) fn search<S: System>(system: &mut S, limits: &Limits) -> (Traces, BTreeSet<u64>) {
    system.track();
    system.record(true);
    let mut search = Search {
        limits,
        frames: Vec::new(),
        traces: Traces::default(),
        outcomes: BTreeMap::new(),
        ends: BTreeSet::new(),
        begun: Instant::now(),
    };
    search.run(system);
    system.record(false);
    let mut traces = search.traces;
    traces.outcomes = search.outcomes.into_values().collect();
    traces.outcomes.sort();
    (traces, search.ends)
}

struct Search<'a, S: System> {
    limits: &'a Limits,
    frames: Vec<Frame<S::Mark>>,
    traces: Traces,
    outcomes: BTreeMap<u64, Vec<String>>,
    ends: BTreeSet<u64>,
    begun: Instant,
}

impl<S: System> Search<'_, S> {
    fn run(&mut self, system: &mut S) {
        let mark = system.mark();
        self.enter(system, mark, Vec::new());
        while let Some(frame) = self.frames.last_mut() {
            let asleep = |choice: &Choice| frame.asleep.iter().any(|(other, _)| other == choice);
            let next = (0..frame.open.len()).find(|place| {
                (frame.wanted & !frame.done) & 1 << place != 0 && !asleep(&frame.open[*place])
            });
            let Some(place) = next else {
                // Everything it would do is done elsewhere.
                if frame.done == 0 && !frame.open.is_empty() {
                    self.traces.blocked += 1;
                }
                let mark = frame.mark;
                self.frames.pop();
                system.undo(mark);
                continue;
            };
            frame.done |= 1 << place;
            let choice = frame.open[place];
            let mark = system.mark();
            system.forget_touched();
            system.step(choice);
            let touch = system.take_touched();
            self.traces.steps += 1;
            self.take(system, choice, touch);
            let Some(frame) = self.frames.last_mut() else { break };
            let stays = frame.asleep.iter().filter(|(other, of)| {
                other.thread_or_clock() != choice.thread_or_clock() && !of.conflicts(&touch)
            });
            let stays: Vec<(Choice, Touch)> = stays.copied().collect();
            frame.asleep.push((choice, touch));
            let deep = self.frames.len() as u64 >= u64::from(self.limits.depth);
            if deep {
                self.bound(format!("{} steps", self.limits.depth));
                system.undo(mark);
                continue;
            }
            self.enter(system, mark, stays);
            let runs = self.traces.executions + self.traces.blocked;
            if runs % LOOK == 0 {
                if let Some(time) = self.limits.time.filter(|time| self.begun.elapsed() > *time) {
                    self.bound(format!("{} ms", time.as_millis()));
                    break;
                }
            }
        }
        while let Some(frame) = self.frames.pop() {
            system.undo(frame.mark);
        }
    }

    fn bound(&mut self, bound: String) {
        if !self.traces.bounds.contains(&bound) {
            self.traces.bounds.push(bound);
        }
    }

    fn enter(&mut self, system: &mut S, mark: S::Mark, asleep: Vec<(Choice, Touch)>) {
        let mut open = Vec::new();
        system.choices(&mut open);
        if open.len() > MOST_CHOICES {
            self.bound(format!("{MOST_CHOICES} choices of a state"));
            open.truncate(MOST_CHOICES);
        }
        if open.is_empty() {
            self.traces.executions += 1;
            self.ends.insert(system.key());
            let key = system.outcome_key();
            self.outcomes.entry(key).or_insert_with(|| system.outcome_lines());
        }
        // Whoever made the last step goes on, if possible: that keeps orders simple.
        let last = self.frames.last().map(|frame| frame.step.who);
        let awake = |choice: &&Choice| !asleep.iter().any(|(other, _)| other == *choice);
        let mut awake = open.iter().filter(awake);
        let first = awake.clone().find(|choice| Some(choice.thread_or_clock()) == last);
        let wanted = match first.or_else(|| awake.next()) {
            None => 0,
            Some(first) => of(&open, first.thread_or_clock()),
        };
        self.frames.push(Frame { mark, open, wanted, done: 0, asleep, step: Step::default() });
    }

    /// A step is taken from the state on top: which steps of the stack does it race with, and who
    /// has to be tried there?
    fn take(&mut self, system: &S, choice: Choice, touch: Touch) {
        let mine = choice.thread_or_clock();
        let threads = system.thread_count() + 1;
        let top = self.frames.len() - 1;
        let (step, races) = races(&self.frames[..top], mine, touch, threads);
        self.frames[top].step = step;
        for at in races {
            self.reverse(at, top);
        }
        let frame = &mut self.frames[top];
        if takes_away(system, &frame.open, mine) {
            frame.wanted = all(&frame.open);
        }
    }

    /// The steps behind `at` that do not depend on it, then that of `top`, could come in its
    /// place: one of those who can begin them is tried there.
    fn reverse(&mut self, at: usize, top: usize) {
        let number = at as u32 + 1;
        let who = self.frames[at].step.who;
        let mut initials = 0_u64;
        let mut met: Vec<usize> = Vec::new();
        let mut begun: Vec<usize> = Vec::new();
        for step in at + 1..=top {
            let frame = &self.frames[step];
            let depends = frame.step.who == who || frame.step.before[who] >= number;
            if depends && step != top {
                continue;
            }
            // The first step of a thread that depends on none of those that come before it here.
            let first = !begun.contains(&frame.step.who)
                && met.iter().all(|earlier| {
                    frame.step.before[self.frames[*earlier].step.who] < *earlier as u32 + 1
                });
            if first {
                initials |= of(&self.frames[at].open, frame.step.who);
            }
            begun.push(frame.step.who);
            met.push(step);
        }
        let frame = &mut self.frames[at];
        if initials == 0 || frame.wanted & initials != 0 {
            return;
        }
        let place = initials.trailing_zeros() as usize;
        frame.wanted |= of(&frame.open, frame.open[place].thread_or_clock());
    }
}
