//! Partial order sampling: every step has a priority of its own.

use super::Strategy;
use crate::machine::Touch;
use crate::random::Random;
use crate::schedule::Choice;

/// The step with the highest priority comes next. A step is given its priority when it becomes
/// the next one of its thread, and a new one whenever a step is made that conflicts with it
/// (Yuan and others, CAV 2018).
///
/// What a step will touch is taken from the last run that came to it, by thread and number; one
/// that no run has come to conflicts with everything.
#[derive(Clone, Debug)]
pub struct Pos {
    random: Random,
    /// By thread, the clock first.
    threads: Vec<Next>,
}

#[derive(Clone, Debug, Default)]
struct Next {
    priority: u64,
    made: usize,
    /// What its steps touched in the last run that came to them.
    known: Vec<Touch>,
}

impl Pos {
    /// With this seed.
    pub fn new(seed: u64) -> Pos {
        Pos { random: Random::new(seed), threads: Vec::new() }
    }
}

impl Strategy for Pos {
    fn begin(&mut self, threads: usize) {
        self.threads.resize(threads + 1, Next::default());
        for next in &mut self.threads {
            next.made = 0;
            next.priority = self.random.bits();
        }
    }

    fn choose(&mut self, open: &[Choice]) -> Option<usize> {
        let priority = |choice: &Choice| self.threads[choice.thread_or_clock()].priority;
        let best = open.iter().map(priority).max()?;
        let places = || (0..open.len()).filter(|place| priority(&open[*place]) == best);
        // A thread can have several ways to make its step.
        match places().count() {
            1 => places().next(),
            several => places().nth(self.random.below(several)),
        }
    }

    fn looks(&self) -> bool {
        true
    }

    fn made(&mut self, choice: Choice, touch: &Touch) {
        let who = choice.thread_or_clock();
        for (other, next) in self.threads.iter_mut().enumerate() {
            let redrawn = other == who
                || next.known.get(next.made).is_none_or(|known| known.conflicts(touch));
            if redrawn {
                next.priority = self.random.bits();
            }
        }
        let next = &mut self.threads[who];
        match next.known.get_mut(next.made) {
            Some(known) => *known = *touch,
            None => next.known.push(*touch),
        }
        next.made += 1;
    }
}
