//! Uniform random walk: orders, not steps, are drawn alike.

use super::Strategy;
use crate::random::Random;
use crate::schedule::Choice;

/// A thread comes next with a chance in proportion to the steps that it still has before it.
///
/// With known numbers of steps and no waiting, every order is as likely as any other (Zhao and
/// others, ASPLOS 2025). The numbers are the largest ones of the runs so far; a thread that can
/// make a step always has a chance.
#[derive(Clone, Debug)]
pub struct Urw {
    random: Random,
    /// By thread, the clock first: the most steps of a run so far, and those of this one.
    longest: Vec<u32>,
    made: Vec<u32>,
}

impl Urw {
    /// With this seed.
    pub fn new(seed: u64) -> Urw {
        Urw { random: Random::new(seed), longest: Vec::new(), made: Vec::new() }
    }

    fn left(&self, thread: usize) -> usize {
        self.longest[thread].saturating_sub(self.made[thread]).max(1) as usize
    }
}

impl Strategy for Urw {
    fn begin(&mut self, threads: usize) {
        self.longest.resize(threads + 1, 1);
        for (longest, made) in self.longest.iter_mut().zip(&self.made) {
            *longest = (*longest).max(*made);
        }
        self.made.clear();
        self.made.resize(threads + 1, 0);
    }

    fn choose(&mut self, open: &[Choice]) -> Option<usize> {
        let all = open.iter().map(|choice| self.left(choice.thread_or_clock())).sum();
        let mut drawn = self.random.below(all);
        let place = open.iter().position(|choice| {
            let left = self.left(choice.thread_or_clock());
            let here = drawn < left;
            drawn = drawn.saturating_sub(left);
            here
        })?;
        self.made[open[place].thread_or_clock()] += 1;
        Some(place)
    }
}
