//! What exploration asks of a kernel: undoing steps, hashing cheaply, places that do not depend on
//! what others did, and what a step touched.

use crate::footprint::Footprint;
use crate::kernel::Kernel;
use crate::store::{Id, Mark};

/// The same of each store, as an array. The order is that of [`Footprint`] and [`Mark`].
macro_rules! of_each_store {
    ($kernel:ident.$method:ident($($argument:expr),*)) => {
        [
            $kernel.processes.$method($($argument),*),
            $kernel.threads.$method($($argument),*),
            $kernel.events.$method($($argument),*),
            $kernel.files.$method($($argument),*),
            $kernel.pipes.$method($($argument),*),
            $kernel.instances.$method($($argument),*),
            $kernel.namespace.$method($($argument),*),
            $kernel.clock.$method($($argument),*),
            $kernel.ports.$method($($argument),*),
            $kernel.faults.$method($($argument),*),
        ]
    };
}

impl Kernel {
    /// Begins to keep an undo log and hashes, for [`Kernel::mark`], [`Kernel::undo`] and a cheap
    /// [`Kernel::fingerprint`]. Without it a step costs nothing extra.
    pub fn track(&mut self) {
        of_each_store!(self.track());
    }

    /// A point to return to. Needs [`Kernel::track`].
    pub fn mark(&mut self) -> Mark {
        Mark(of_each_store!(self.mark()))
    }

    /// Goes back to `mark`. Costs what the steps since then touched. Marks are undone in
    /// reverse order of their making.
    pub fn undo(&mut self, mark: Mark) {
        let [processes, threads, events, files, pipes, instances, namespace, clock, ports, faults] =
            mark.0;
        self.processes.undo(processes);
        self.threads.undo(threads);
        self.events.undo(events);
        self.files.undo(files);
        self.pipes.undo(pipes);
        self.instances.undo(instances);
        self.namespace.undo(namespace);
        self.clock.undo(clock);
        self.ports.undo(ports);
        self.faults.undo(faults);
    }

    /// A hash of the state, equal for equal kernels on every machine. After
    /// [`Kernel::track`] it costs what was touched since the last one.
    pub fn fingerprint(&mut self) -> u64 {
        let parts = of_each_store!(self.fingerprint());
        parts.into_iter().fold(0, |sum: u64, part| sum.rotate_left(7).wrapping_add(part))
    }

    /// From now on the places of new objects and the values of new handles depend on what the
    /// asking thread made before, and not on what others made meanwhile: calls of different
    /// threads that have nothing to do with each other then lead to the same state in either
    /// order. Handles have other values than Windows deals.
    pub fn deal_by_asker(&mut self) {
        let askers = self.threads.len() as u32 + 1;
        self.events.deal_by_asker(askers);
        self.files.deal_by_asker(askers);
        self.pipes.deal_by_asker(askers);
        self.instances.deal_by_asker(askers);
        self.ports.deal_by_asker(askers);
        for process in 0..self.processes.len() as u32 {
            self.processes.edit(Id::fixed(process)).handles.deal_by_asker(askers);
        }
        self.scratch.by_asker = true;
    }

    pub(crate) fn asked_by(&mut self, asker: u32) {
        self.scratch.asker = asker;
        self.events.asked_by(asker);
        self.files.asked_by(asker);
        self.pipes.asked_by(asker);
        self.instances.asked_by(asker);
        self.ports.asked_by(asker);
    }

    /// Begins or ends the record of what steps touch.
    pub fn record(&mut self, recording: bool) {
        of_each_store!(self.set_recording(recording));
    }

    /// What was touched since the last time, or since [`Kernel::record`].
    pub fn footprint(&mut self) -> Footprint {
        Footprint(of_each_store!(self.take_touched()))
    }
}
