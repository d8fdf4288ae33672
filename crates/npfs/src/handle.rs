//! Handles that close when they are dropped.

use std::fmt;
use std::time::Duration;

use npfs_abi::{Call, Handle};
use npfs_host::Error;

use crate::Process;

/// A handle of a process. Dropping it closes it (`CloseHandle`).
pub struct OwnedHandle {
    process: Process,
    handle: Handle,
    closes: bool,
}

impl OwnedHandle {
    pub(crate) fn new(process: Process, handle: Handle) -> OwnedHandle {
        OwnedHandle { process, handle, closes: true }
    }

    /// Whose it is.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its value in that process.
    pub fn value(&self) -> Handle {
        self.handle
    }

    /// Gives the value away: nobody closes it any more but the end of the process.
    pub fn into_value(mut self) -> Handle {
        self.closes = false;
        self.handle
    }

    /// `DuplicateHandle` into `target`, with the same access.
    ///
    /// # Errors
    /// 6 when `target` does not run.
    pub fn duplicate_to(&self, target: &Process) -> Result<OwnedHandle, Error> {
        let call = Call::DuplicateHandle {
            handle: self.handle,
            target: Some(target.id()),
            access: None,
            inherit: false,
        };
        let (handle, _) = self.process.handle_from(&call)?;
        Ok(OwnedHandle::new(target.clone(), handle.into_value()))
    }
}

impl fmt::Debug for OwnedHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.handle, self.process.name())
    }
}

impl Drop for OwnedHandle {
    fn drop(&mut self) {
        if !self.closes {
            return;
        }
        // A simulation that has stopped, or a thread that it does not know, closes nothing.
        let _ = self.process.call(&Call::CloseHandle { handle: self.handle });
    }
}

/// What can be waited for: events and ends of pipes.
pub trait Waitable {
    /// The handle to wait on.
    fn wait_handle(&self) -> Handle;
}

/// An event object.
#[derive(Debug)]
pub struct Event(OwnedHandle);

impl Event {
    /// `CreateEvent`, manual reset: stays signaled until it is reset.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn manual(process: &Process) -> Result<Event, Error> {
        Event::create(process, true)
    }

    /// `CreateEvent`, auto reset: one satisfied wait resets it.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn auto(process: &Process) -> Result<Event, Error> {
        Event::create(process, false)
    }

    fn create(process: &Process, manual: bool) -> Result<Event, Error> {
        let call = Call::CreateEvent { manual, signaled: false };
        Ok(Event(process.handle_from(&call)?.0))
    }

    /// `SetEvent`
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn set(&self) -> Result<(), Error> {
        self.0.process().ask(&Call::SetEvent { event: self.0.value() }).map(|_| ())
    }

    /// `ResetEvent`
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn reset(&self) -> Result<(), Error> {
        self.0.process().ask(&Call::ResetEvent { event: self.0.value() }).map(|_| ())
    }

    /// `WaitForSingleObject`, for ever.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn wait(&self) -> Result<(), Error> {
        self.0.process().wait_any(&[self], None).map(|_| ())
    }

    /// `WaitForSingleObject`; `false` when `timeout` is over first.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn wait_for(&self, timeout: Duration) -> Result<bool, Error> {
        Ok(self.0.process().wait_any(&[self], Some(timeout))?.is_some())
    }

    /// Its handle.
    pub fn handle(&self) -> &OwnedHandle {
        &self.0
    }
}

impl Waitable for Event {
    fn wait_handle(&self) -> Handle {
        self.0.value()
    }
}

impl Waitable for OwnedHandle {
    fn wait_handle(&self) -> Handle {
        self.handle
    }
}
