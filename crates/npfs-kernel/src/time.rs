//! The clock, and who sleeps until when.

use alloc::vec::Vec;

use npfs_abi::{ThreadId, Time};

/// Virtual time and the sleepers it may wake.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Clock {
    pub(crate) now: Time,
    /// Deadlines of blocked threads, earliest first, in order of arrival where equal.
    pub(crate) timers: Vec<(Time, ThreadId)>,
    /// Threads in a wait, in order of arrival: the oldest is asked first.
    pub(crate) waiters: Vec<ThreadId>,
}

impl Clock {
    pub(crate) fn arm(&mut self, deadline: Time, thread: ThreadId) {
        let at = self.timers.partition_point(|(other, _)| *other <= deadline);
        self.timers.insert(at, (deadline, thread));
    }

    pub(crate) fn disarm(&mut self, thread: ThreadId) {
        self.timers.retain(|(_, other)| *other != thread);
    }
}
