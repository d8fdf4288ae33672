//! What happens in a simulation, in order, for observers and recordings.

use std::fmt;
use std::sync::Arc;

use npfs_abi::{Call, Completion, Fault, Outcome, ProcessId, Profile, ThreadId, Time};
use npfs_kernel::{Kernel, ProcessSpec};

/// One thing that happened. Everything between two of them was caused by the first.
#[derive(Clone, Debug)]
pub enum Event {
    /// A process was added, or declared for [`Call::CreateProcess`].
    Process {
        /// Its number.
        process: ProcessId,
        /// Its name.
        name: Arc<str>,
        /// How it was made.
        spec: ProcessSpec,
    },
    /// A thread was added to a process.
    Thread {
        /// Its number.
        thread: ThreadId,
        /// Where it lives.
        process: ProcessId,
        /// Its name.
        name: Arc<str>,
    },
    /// A thread made a call of the kernel.
    Call {
        /// Who.
        thread: ThreadId,
        /// What. A Win32 function that is several calls shows as those.
        call: Call,
        /// The answer.
        outcome: Outcome,
        /// What it ended for others, in order.
        caused: Vec<Completion>,
    },
    /// Time passed.
    Advance {
        /// What the clock says now.
        to: Time,
        /// What that ended, in order.
        caused: Vec<Completion>,
    },
}

/// A recorded run: enough to have it again on a fresh kernel.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The behaviour that the run had.
    pub profile: Profile,
    /// The misfortunes that were planned.
    pub faults: Vec<Fault>,
    /// Everything from the start, in the order in which the kernel took it.
    pub events: Vec<Event>,
}

/// A fresh kernel answered otherwise than the recording says.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// Which event, from 0.
    pub at: usize,
    /// The event as a fresh kernel gives it.
    pub replayed: Event,
    /// The event as recorded.
    pub recorded: Event,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Divergence { at, replayed, recorded } = self;
        write!(f, "event {at}: recorded {recorded:?}, a fresh kernel gives {replayed:?}")
    }
}

impl Log {
    /// Has the run again on a fresh kernel and compares every answer; gives that kernel.
    ///
    /// # Errors
    /// The first event that a fresh kernel answers otherwise.
    pub fn replay(&self) -> Result<Kernel, Box<Divergence>> {
        let mut kernel = Kernel::with_profile(self.profile);
        self.faults.iter().for_each(|fault| kernel.add_fault(fault.clone()));
        for (at, recorded) in self.events.iter().enumerate() {
            let replayed = again(&mut kernel, recorded);
            if answers(&replayed) != answers(recorded) {
                let recorded = recorded.clone();
                return Err(Box::new(Divergence { at, replayed, recorded }));
            }
        }
        Ok(kernel)
    }
}

/// What the kernel gave: the number of something new, or an answer and what it caused.
fn answers(event: &Event) -> (u32, Option<&Outcome>, &[Completion]) {
    match event {
        Event::Process { process, .. } => (process.0, None, &[]),
        Event::Thread { thread, .. } => (thread.0, None, &[]),
        Event::Call { outcome, caused, .. } => (0, Some(outcome), caused),
        Event::Advance { caused, .. } => (0, None, caused),
    }
}

fn again(kernel: &mut Kernel, event: &Event) -> Event {
    let mut caused = Vec::new();
    match event {
        Event::Process { name, spec, .. } => Event::Process {
            process: kernel.add_process(spec.clone()),
            name: name.clone(),
            spec: spec.clone(),
        },
        Event::Thread { process, name, .. } => Event::Thread {
            thread: kernel.create_thread(*process),
            process: *process,
            name: name.clone(),
        },
        Event::Call { thread, call, .. } => {
            let outcome = kernel.step(*thread, call, &mut caused);
            Event::Call { thread: *thread, call: call.clone(), outcome, caused }
        }
        Event::Advance { to, .. } => {
            kernel.advance(*to, &mut caused);
            Event::Advance { to: *to, caused }
        }
    }
}
