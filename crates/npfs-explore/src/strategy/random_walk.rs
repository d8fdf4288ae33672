//! Every step is drawn.

use super::Strategy;
use crate::random::Random;
use crate::schedule::Choice;

/// What comes next is drawn from everything that can.
#[derive(Clone, Debug)]
pub struct RandomWalk(Random);

impl RandomWalk {
    /// With this seed.
    pub fn new(seed: u64) -> RandomWalk {
        RandomWalk(Random::new(seed))
    }
}

impl Strategy for RandomWalk {
    fn begin(&mut self, _threads: usize) {}

    fn choose(&mut self, open: &[Choice]) -> Option<usize> {
        Some(self.0.below(open.len()))
    }
}
