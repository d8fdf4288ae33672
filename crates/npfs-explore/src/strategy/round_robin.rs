//! Every thread makes a step in turn.

use super::Strategy;
use crate::schedule::Choice;

/// Every thread makes a step in turn, those that cannot being left out.
#[derive(Clone, Debug, Default)]
pub struct RoundRobin {
    last: Option<usize>,
}

impl Strategy for RoundRobin {
    fn begin(&mut self, _threads: usize) {
        self.last = None;
    }

    fn choose(&mut self, open: &[Choice]) -> Option<usize> {
        let next = open.iter().position(|choice| choice.place() > self.last);
        let place = next.unwrap_or(0);
        self.last = open.get(place)?.place();
        Some(place)
    }
}
