//! `Win32::Foundation`: handles of any kind, and the last error.

use ::core::ffi::c_void;
use ::core::ptr::null_mut;

use npfs_abi::{Access, Call, Output, Status, codes};
use windows_sys::Win32::Foundation::{
    DUPLICATE_CLOSE_SOURCE, DUPLICATE_HANDLE_OPTIONS, DUPLICATE_SAME_ACCESS, ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_NOT_SAME_OBJECT, ERROR_NOT_SUPPORTED, HANDLE,
    HANDLE_FLAG_INHERIT, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAGS, HLOCAL, NTSTATUS,
    WIN32_ERROR,
};
use windows_sys::core::BOOL;

use crate::call::{fail, handle, is_none, number_at, raw, truth};
use crate::error;
use crate::memory::{is_bad, put};
use crate::simulation::{Place, here};
use crate::threads::{process_of, realize};

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
    let handle = handle(source);
    let call = Call::DuplicateHandle { handle, target: None, access: None, inherit: false };
    error::surface(|| {
        let reply = here().ask(&call);
        match reply.output {
            Output::Handle(new) => Ok(raw(new)),
            _ => Err(reply.status.win32()),
        }
    })
}

pub(crate) unsafe fn DuplicateHandle(
    source_process: HANDLE,
    source: HANDLE,
    target_process: HANDLE,
    target: *mut HANDLE,
    access: u32,
    inherit: BOOL,
    options: DUPLICATE_HANDLE_OPTIONS,
) -> BOOL {
    let caller = here();
    let (Some(from), Some(to)) =
        (process_of(&caller, source_process), process_of(&caller, target_process))
    else {
        return fail(ERROR_INVALID_HANDLE);
    };
    // The table of another process is reached as a thread of that process.
    let owner = Place { host: caller.host.clone(), process: from };
    let inherit = inherit != 0;
    let reply = match realize(&owner, source) {
        Some(open) if from == to => {
            let reply = owner.ask(&open);
            if let Output::Handle(handle) = reply.output {
                owner.ask(&Call::SetHandleInformation { handle, inherit });
            }
            reply
        }
        _ => owner.ask(&Call::DuplicateHandle {
            handle: handle(source),
            target: Some(to),
            access: (options & DUPLICATE_SAME_ACCESS == 0).then_some(Access(access)),
            inherit,
        }),
    };
    if options & DUPLICATE_CLOSE_SOURCE != 0 && !is_none(source) {
        owner.ask(&Call::CloseHandle { handle: handle(source) });
    }
    let Output::Handle(new) = reply.output else { return truth(reply.status) };
    // SAFETY: the caller gives a place for a handle, or null.
    unsafe { put(target, raw(new)) };
    1
}

pub(crate) unsafe fn CompareObjectHandles(first: HANDLE, second: HANDLE) -> BOOL {
    let place = here();
    match place.host.same_object(place.process, handle(first), handle(second)) {
        Some(true) => 1,
        Some(false) => fail(ERROR_NOT_SAME_OBJECT),
        None => fail(ERROR_INVALID_HANDLE),
    }
}

pub(crate) unsafe fn GetHandleInformation(object: HANDLE, flags: *mut u32) -> BOOL {
    if is_bad(flags) {
        return fail(ERROR_NOACCESS);
    }
    let class = codes::object_class::BASIC;
    let reply = here().ask(&Call::NtQueryObject { handle: handle(object), class });
    let Output::Data(data) = &reply.output else { return truth(reply.status) };
    // OBJ_INHERIT
    let inherit = number_at(data, 0) & 2 != 0;
    // SAFETY: the caller gives a writable number.
    unsafe { put(flags, if inherit { HANDLE_FLAG_INHERIT } else { 0 }) };
    1
}

pub(crate) unsafe fn SetHandleInformation(object: HANDLE, mask: u32, flags: HANDLE_FLAGS) -> BOOL {
    if mask & !(HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE) != 0 {
        return fail(ERROR_INVALID_PARAMETER);
    }
    if mask & flags & HANDLE_FLAG_PROTECT_FROM_CLOSE != 0 {
        // Every handle of this system can be closed.
        return fail(ERROR_NOT_SUPPORTED);
    }
    let place = here();
    if mask & HANDLE_FLAG_INHERIT == 0 {
        let found = place.host.referent(place.process, handle(object)).is_some();
        return truth(if found { Status::SUCCESS } else { Status::INVALID_HANDLE });
    }
    let inherit = flags & HANDLE_FLAG_INHERIT != 0;
    truth(place.ask(&Call::SetHandleInformation { handle: handle(object), inherit }).status)
}

pub(crate) unsafe fn GetLastError() -> WIN32_ERROR {
    error::last()
}

pub(crate) unsafe fn SetLastError(code: WIN32_ERROR) {
    error::set(code);
}

/// No function of this surface gives memory of the local heap, so whatever is not null is none.
pub(crate) unsafe fn LocalFree(memory: HLOCAL) -> *mut c_void {
    if memory.is_null() {
        return null_mut();
    }
    fail(ERROR_INVALID_HANDLE);
    memory
}

pub(crate) unsafe fn RtlNtStatusToDosError(status: NTSTATUS) -> u32 {
    Status(status as u32).win32()
}
