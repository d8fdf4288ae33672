//! The steps of a schedule.

use super::Strategy;
use crate::schedule::Choice;

/// The steps of a schedule, up to its end or to one that cannot be made.
#[derive(Clone, Debug)]
pub struct Replay {
    schedule: Vec<Choice>,
    next: usize,
}

impl Replay {
    /// These steps.
    pub fn new(schedule: &[Choice]) -> Replay {
        Replay { schedule: schedule.to_vec(), next: 0 }
    }
}

impl Strategy for Replay {
    fn begin(&mut self, _threads: usize) {
        self.next = 0;
    }

    fn choose(&mut self, open: &[Choice]) -> Option<usize> {
        let wanted = self.schedule.get(self.next)?;
        self.next += 1;
        open.iter().position(|choice| choice == wanted)
    }
}
