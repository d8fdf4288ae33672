//! What can be searched: a machine of a scenario, or the run of some code.

use crate::machine::{self, Machine, Touch};
use crate::outcome;
use crate::property;
use crate::schedule::Choice;

/// A system between two steps that can be stepped, undone and hashed.
pub(crate) trait System: Sized {
    /// A point to return to; points are undone in reverse order of their making.
    type Mark: Copy;
    /// Begins to keep what marks and keys need.
    fn track(&mut self);
    fn mark(&mut self) -> Self::Mark;
    fn undo(&mut self, mark: Self::Mark);
    /// A hash of the state.
    fn key(&mut self) -> u64;
    fn step(&mut self, choice: Choice);
    /// What can come next: threads in order, then the clock. None at the end.
    fn choices(&self, list: &mut Vec<Choice>);
    fn thread_count(&self) -> usize;
    fn can_step(&self, place: usize) -> bool;
    fn has_deadline(&self) -> bool;
    fn record(&mut self, recording: bool);
    fn forget_touched(&mut self);
    fn take_touched(&mut self) -> Touch;
    /// Which properties' claims hold, a bit each; `None` without properties. `last` says that
    /// nothing can happen any more.
    fn claims(&self, last: bool) -> Option<u64>;
    /// The hash of what an execution has come to, and that in words.
    fn outcome_key(&self) -> u64;
    fn outcome_lines(&self) -> Vec<String>;
    /// Asserts the invariants.
    fn check(&self);
    /// A copy to compare with; `None` when it cannot be copied.
    fn copy(&self) -> Option<Self>;
    fn same(&self, other: &Self) -> bool;
}

impl System for Machine {
    type Mark = machine::Mark;
    fn track(&mut self) {
        Machine::track(self);
    }
    fn mark(&mut self) -> machine::Mark {
        Machine::mark(self)
    }
    fn undo(&mut self, mark: machine::Mark) {
        Machine::undo(self, mark);
    }
    fn key(&mut self) -> u64 {
        Machine::key(self)
    }
    fn step(&mut self, choice: Choice) {
        Machine::step(self, choice);
    }
    fn choices(&self, list: &mut Vec<Choice>) {
        Machine::choices(self, list);
    }
    fn thread_count(&self) -> usize {
        Machine::thread_count(self)
    }
    fn can_step(&self, place: usize) -> bool {
        Machine::can_step(self, place)
    }
    fn has_deadline(&self) -> bool {
        self.kernel.next_deadline().is_some()
    }
    fn record(&mut self, recording: bool) {
        Machine::record(self, recording);
    }
    fn forget_touched(&mut self) {
        Machine::forget_touched(self);
    }
    fn take_touched(&mut self) -> Touch {
        Machine::take_touched(self)
    }
    fn claims(&self, last: bool) -> Option<u64> {
        (!self.model.properties.is_empty()).then(|| property::claims(self, last))
    }
    fn outcome_key(&self) -> u64 {
        Machine::outcome_key(self)
    }
    fn outcome_lines(&self) -> Vec<String> {
        outcome::lines(self)
    }
    fn check(&self) {
        self.kernel.check();
    }
    fn copy(&self) -> Option<Machine> {
        Some(self.clone())
    }
    fn same(&self, other: &Machine) -> bool {
        Machine::same(self, other)
    }
}
