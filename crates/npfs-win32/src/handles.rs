//! Handles of any kind: closing, duplicating, flags.

use npfs_abi::{Access, Call, Output};
use windows_sys::Win32::Foundation::{
    DUPLICATE_CLOSE_SOURCE, DUPLICATE_HANDLE_OPTIONS, DUPLICATE_SAME_ACCESS, HANDLE,
};
use windows_sys::core::BOOL;

use crate::call::{handle, is_none, raw, truth};
use crate::error;
use crate::simulation::here;

pub(crate) unsafe fn CloseHandle(object: HANDLE) -> BOOL {
    truth(here().ask(&Call::CloseHandle { handle: handle(object) }).status)
}

/// As `CloseHandle`, for an owner that is dropped: the last error stays.
pub(crate) fn close_quietly(object: HANDLE) {
    if !is_none(object) {
        error::surface(|| here().ask(&Call::CloseHandle { handle: handle(object) }));
    }
}

/// A further handle in the same process, or the Win32 error.
pub(crate) fn duplicate_here(source: HANDLE) -> Result<HANDLE, u32> {
    let call = Call::DuplicateHandle {
        handle: handle(source),
        target: None,
        access: None,
        inherit: false,
    };
    error::surface(|| {
        let reply = here().ask(&call);
        match reply.output {
            Output::Handle(new) => Ok(raw(new)),
            _ => Err(reply.status.win32()),
        }
    })
}

pub(crate) unsafe fn DuplicateHandle(
    _source_process: HANDLE,
    source: HANDLE,
    _target_process: HANDLE,
    target: *mut HANDLE,
    access: u32,
    inherit: BOOL,
    options: DUPLICATE_HANDLE_OPTIONS,
) -> BOOL {
    let access = (options & DUPLICATE_SAME_ACCESS == 0).then_some(Access(access));
    let call = Call::DuplicateHandle {
        handle: handle(source),
        target: None,
        access,
        inherit: inherit != 0,
    };
    let place = here();
    let reply = place.ask(&call);
    if options & DUPLICATE_CLOSE_SOURCE != 0 {
        place.ask(&Call::CloseHandle { handle: handle(source) });
    }
    let Output::Handle(new) = reply.output else { return truth(reply.status) };
    if target.is_null() {
        place.ask(&Call::CloseHandle { handle: new });
    } else {
        // SAFETY: the caller gives a place for a handle, or null.
        unsafe { target.write_unaligned(raw(new)) };
    }
    1
}

pub(crate) unsafe fn GetLastError() -> u32 {
    error::last()
}

pub(crate) unsafe fn SetLastError(code: u32) {
    error::set(code);
}
