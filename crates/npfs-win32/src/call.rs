//! One call of the calling thread, and its answer as Win32 functions give it.

use npfs_abi::{Call, Handle, Outcome, Reply, Status};
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::core::BOOL;

use crate::error;
use crate::simulation::Place;

impl Place {
    /// One call to its end. A call that a stopped simulation ended was cancelled.
    pub(crate) fn ask(&self, call: &Call) -> Reply {
        match self.host.call(self.process, call) {
            Ok(Outcome::Done(reply)) => reply,
            Ok(Outcome::Pending(_) | Outcome::Blocked(_)) => Reply::status(Status::PENDING),
            Err(why) => Reply::status(error::stopped(&why)),
        }
    }
}

/// The kernel's name of a handle. Values that no process can have find nothing there.
pub(crate) fn handle(handle: HANDLE) -> Handle {
    Handle(u32::try_from(handle.addr()).unwrap_or(0))
}

/// The handle with the kernel's value.
pub(crate) fn raw(handle: Handle) -> HANDLE {
    ::core::ptr::without_provenance_mut(handle.0 as usize)
}

/// Null and `INVALID_HANDLE_VALUE` mean no handle.
pub(crate) fn is_none(handle: HANDLE) -> bool {
    handle.is_null() || handle == INVALID_HANDLE_VALUE
}

/// `BOOL` and last error of a function that has ended so. Warnings are failures (IOCP-15).
pub(crate) fn truth(status: Status) -> BOOL {
    if status.is_success() {
        return 1;
    }
    error::set(status.win32());
    0
}
