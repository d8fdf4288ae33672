//! Probabilistic concurrency testing: priorities that change a few times.

use super::Strategy;
use crate::random::Random;
use crate::schedule::Choice;

/// The thread with the highest priority makes every step; at `depth - 1` steps that are drawn
/// beforehand, whoever is about to run falls behind all others.
///
/// A defect that needs `depth` ordered steps among n threads and k steps is found by a run with
/// a chance of at least 1/(n·k^(depth−1)) (Burckhardt and others, ASPLOS 2010). k is the length
/// of the longest run so far.
#[derive(Clone, Debug)]
pub struct Pct {
    random: Random,
    depth: usize,
    /// By thread, the clock first: higher goes first.
    priorities: Vec<u64>,
    changes: Vec<usize>,
    step: usize,
    longest: usize,
    lowest: u64,
}

impl Pct {
    /// With this seed and depth, at least 1.
    pub fn new(seed: u64, depth: usize) -> Pct {
        Pct {
            random: Random::new(seed),
            depth: depth.max(1),
            priorities: Vec::new(),
            changes: Vec::new(),
            step: 0,
            longest: 1,
            lowest: 0,
        }
    }
}

impl Strategy for Pct {
    fn begin(&mut self, threads: usize) {
        self.longest = self.longest.max(self.step);
        self.step = 0;
        // Above all that change points hand out.
        let drawn = (0..=threads).map(|_| self.random.bits() | 1 << 63);
        self.priorities = drawn.collect();
        self.changes = (1..self.depth).map(|_| self.random.below(self.longest)).collect();
        self.lowest = self.depth as u64;
    }

    fn choose(&mut self, open: &[Choice]) -> Option<usize> {
        let who = |choice: &Choice| choice.thread_or_clock();
        let changes = self.changes.iter().filter(|at| **at == self.step).count();
        self.step += 1;
        for _ in 0..changes {
            let first = open.iter().map(who).max_by_key(|thread| self.priorities[*thread])?;
            self.priorities[first] = self.lowest;
            self.lowest = self.lowest.saturating_sub(1);
        }
        let best = open.iter().map(who).max_by_key(|thread| self.priorities[*thread])?;
        let places: Vec<usize> =
            (0..open.len()).filter(|place| who(&open[*place]) == best).collect();
        places.get(self.random.below(places.len())).copied()
    }
}
