//! The clock, and who sleeps until when.

use alloc::vec::Vec;

use npfs_abi::{RequestId, ThreadId, Time};

use crate::npfs::{Instance, Pipe};
use crate::store::Id;

/// Virtual time and the sleepers it may wake.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Clock {
    pub(crate) now: Time,
    /// Deadlines, earliest first, in order of arrival where equal.
    pub(crate) timers: Vec<(Time, Timer)>,
    /// Threads in a wait, in order of arrival: the oldest is asked first.
    pub(crate) waiters: Vec<ThreadId>,
}

/// What happens when a time has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Timer {
    /// A sleeping thread goes on.
    Thread(ThreadId),
    /// A request that waits for an instance of this pipe ends.
    Request(RequestId, Id<Pipe>),
    /// What a remote client has collected is sent.
    Collect(Id<Instance>),
}

impl Clock {
    pub(crate) fn arm(&mut self, deadline: Time, timer: Timer) {
        let at = self.timers.partition_point(|(other, _)| *other <= deadline);
        self.timers.insert(at, (deadline, timer));
    }

    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.timers.retain(|(_, other)| *other != timer);
    }
}
