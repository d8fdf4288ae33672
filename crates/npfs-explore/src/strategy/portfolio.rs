//! Several strategies in turn.

use super::{Pct, Pos, RandomWalk, Strategy, Urw};
use crate::machine::Touch;
use crate::schedule::Choice;

/// A random walk, URW, POS, and PCT of the depths 2, 3 and 5, a run each in turn: no single one
/// is best everywhere.
pub struct Portfolio {
    strategies: Vec<Box<dyn Strategy>>,
    next: usize,
}

impl std::fmt::Debug for Portfolio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portfolio").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Portfolio {
    /// With this seed.
    pub fn new(seed: u64) -> Portfolio {
        Portfolio {
            strategies: vec![
                Box::new(RandomWalk::new(seed)),
                Box::new(Urw::new(seed)),
                Box::new(Pos::new(seed)),
                Box::new(Pct::new(seed, 2)),
                Box::new(Pct::new(seed, 3)),
                Box::new(Pct::new(seed, 5)),
            ],
            next: 0,
        }
    }
}

impl Strategy for Portfolio {
    fn begin(&mut self, threads: usize) {
        self.strategies.rotate_left(usize::from(self.next > 0));
        self.next += 1;
        self.strategies[0].begin(threads);
    }

    fn choose(&mut self, open: &[Choice]) -> Option<usize> {
        self.strategies[0].choose(open)
    }

    fn looks(&self) -> bool {
        self.strategies[0].looks()
    }

    fn made(&mut self, choice: Choice, touch: &Touch) {
        self.strategies[0].made(choice, touch);
    }
}
