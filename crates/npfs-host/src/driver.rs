//! A thread of a process that no OS thread is, for facades of completion ports.
//!
//! What a thread of Windows begins is cancelled when the thread ends (APC-18), except on a file
//! with a completion port: there it goes on. A facade that hides the port begins its operations
//! here, so that they outlive whoever called.

use std::task::Waker;

use npfs_abi::{Call, Outcome, ProcessId, ThreadId};

use crate::actor;
use crate::host::{Alarm, Host, leave};
use crate::state::Attached;
use crate::stop::Stopped;

/// The driver of a process: one kernel thread, as which any known thread may call.
#[derive(Clone, Debug)]
pub struct Driver {
    host: Host,
    process: ProcessId,
    thread: ThreadId,
}

impl Host {
    /// The driver of a process; always the same thread.
    pub fn driver(&self, process: ProcessId) -> Driver {
        // As with the seat of an actor: a thread that has made no call is a name.
        let thread = self.shared.quietly(|state| state.driver(process));
        Driver { host: self.clone(), process, thread }
    }
}

impl Driver {
    /// The host below.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whose driver it is.
    pub fn process(&self) -> ProcessId {
        self.process
    }

    /// A call as this thread, which must not be one that sleeps.
    ///
    /// # Errors
    /// Why the simulation stopped. A failing call is not an error here.
    pub fn call(&self, call: &Call) -> Result<Outcome, Stopped> {
        self.enter(call, None)
    }

    /// Begins an operation, with what the caller wants done at its end. If it pends, `waker` is
    /// woken after its end, as soon as the lock of the simulation is free again; also when the
    /// simulation stops, after which nothing ends any more.
    ///
    /// # Errors
    /// As [`Driver::call`].
    pub fn begin(&self, call: &Call, attached: Attached, waker: Waker) -> Result<Outcome, Stopped> {
        self.enter(call, Some((attached, waker)))
    }

    /// Whether the simulation has stopped.
    pub fn is_stopped(&self) -> bool {
        // A stop stays one.
        self.host.shared.quietly(|state| state.stopped.is_some())
    }

    fn enter(&self, call: &Call, operation: Option<(Attached, Waker)>) -> Result<Outcome, Stopped> {
        let shared = &self.host.shared;
        let link = actor::place(shared)?;
        let _alarm = Alarm::new(shared);
        shared.take_turn(&link).map_err(|why| shared.report(why))?;
        let mut state = shared.gate.lock();
        let (attached, waker) = operation.unzip();
        let stepped = state.step(self.thread, call, attached);
        if let (Ok(Outcome::Pending(request)), Some(waker)) = (&stepped, waker) {
            state.wake_at_end(*request, waker);
        }
        leave(state);
        stepped.map_err(|why| shared.report(why))
    }
}
