//! `Win32::System::Threading`: events and waits.

use ::core::ptr::null_mut;

use npfs_abi::{Call, Output, Status};
use npfs_kernel::Referent;
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOACCESS,
    ERROR_NOT_SUPPORTED, HANDLE, WAIT_EVENT, WAIT_FAILED,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Threading::{
    CREATE_EVENT, CREATE_EVENT_INITIAL_SET, CREATE_EVENT_MANUAL_RESET,
    SYNCHRONIZATION_ACCESS_RIGHTS,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::call::{fail, handle, new_handle, timeout, truth};
use crate::error;
use crate::memory::is_bad;
use crate::security::inherits;
use crate::simulation::{Place, here};

/// The most objects of one wait: `MAXIMUM_WAIT_OBJECTS`.
const MOST: u32 = 64;

/// Events of this system have no names.
fn create_event(named: bool, manual: bool, signaled: bool, inherit: bool) -> HANDLE {
    if named {
        fail(ERROR_NOT_SUPPORTED);
        return null_mut();
    }
    let place = here();
    let new = new_handle(&place.ask(&Call::CreateEvent { manual, signaled }), null_mut());
    if !new.is_null() {
        if inherit {
            place.ask(&Call::SetHandleInformation { handle: handle(new), inherit });
        }
        error::set(0);
    }
    new
}

pub(crate) unsafe fn CreateEventW(
    security: *const SECURITY_ATTRIBUTES,
    manual: BOOL,
    signaled: BOOL,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: the caller gives null or a whole structure.
    create_event(!name.is_null(), manual != 0, signaled != 0, unsafe { inherits(security) })
}

pub(crate) unsafe fn CreateEventA(
    security: *const SECURITY_ATTRIBUTES,
    manual: BOOL,
    signaled: BOOL,
    name: PCSTR,
) -> HANDLE {
    // SAFETY: as in CreateEventW.
    create_event(!name.is_null(), manual != 0, signaled != 0, unsafe { inherits(security) })
}

pub(crate) unsafe fn CreateEventExW(
    security: *const SECURITY_ATTRIBUTES,
    name: PCWSTR,
    flags: CREATE_EVENT,
    _access: u32,
) -> HANDLE {
    let manual = flags & CREATE_EVENT_MANUAL_RESET != 0;
    let signaled = flags & CREATE_EVENT_INITIAL_SET != 0;
    // SAFETY: as in CreateEventW.
    create_event(!name.is_null(), manual, signaled, unsafe { inherits(security) })
}

pub(crate) unsafe fn CreateEventExA(
    security: *const SECURITY_ATTRIBUTES,
    name: PCSTR,
    flags: CREATE_EVENT,
    _access: u32,
) -> HANDLE {
    let manual = flags & CREATE_EVENT_MANUAL_RESET != 0;
    let signaled = flags & CREATE_EVENT_INITIAL_SET != 0;
    // SAFETY: as in CreateEventW.
    create_event(!name.is_null(), manual, signaled, unsafe { inherits(security) })
}

/// No event has a name, so none is found by one.
fn open_event(named: bool) -> HANDLE {
    fail(if named { ERROR_FILE_NOT_FOUND } else { ERROR_INVALID_PARAMETER });
    null_mut()
}

pub(crate) unsafe fn OpenEventW(
    _access: SYNCHRONIZATION_ACCESS_RIGHTS,
    _inherit: BOOL,
    name: PCWSTR,
) -> HANDLE {
    open_event(!name.is_null())
}

pub(crate) unsafe fn OpenEventA(
    _access: SYNCHRONIZATION_ACCESS_RIGHTS,
    _inherit: BOOL,
    name: PCSTR,
) -> HANDLE {
    open_event(!name.is_null())
}

pub(crate) unsafe fn SetEvent(event: HANDLE) -> BOOL {
    truth(here().ask(&Call::SetEvent { event: handle(event) }).status)
}

pub(crate) unsafe fn ResetEvent(event: HANDLE) -> BOOL {
    truth(here().ask(&Call::ResetEvent { event: handle(event) }).status)
}

/// The result of a wait: an index, 192, 258, or `WAIT_FAILED` and the last error.
fn waited(status: Status) -> WAIT_EVENT {
    if status.is_success() {
        return status.0;
    }
    truth(status);
    WAIT_FAILED
}

fn wait(
    place: &Place,
    objects: &[HANDLE],
    all: bool,
    milliseconds: u32,
    alertable: bool,
) -> WAIT_EVENT {
    let handles = objects.iter().map(|object| handle(*object)).collect();
    let timeout = timeout(milliseconds);
    waited(place.ask(&Call::WaitForObjects { handles, all, timeout, alertable }).status)
}

pub(crate) unsafe fn WaitForSingleObject(object: HANDLE, milliseconds: u32) -> WAIT_EVENT {
    wait(&here(), &[object], false, milliseconds, false)
}

pub(crate) unsafe fn WaitForSingleObjectEx(
    object: HANDLE,
    milliseconds: u32,
    alertable: BOOL,
) -> WAIT_EVENT {
    wait(&here(), &[object], false, milliseconds, alertable != 0)
}

pub(crate) unsafe fn WaitForMultipleObjects(
    count: u32,
    objects: *const HANDLE,
    all: BOOL,
    milliseconds: u32,
) -> WAIT_EVENT {
    // SAFETY: the caller gives so many handles.
    unsafe { WaitForMultipleObjectsEx(count, objects, all, milliseconds, 0) }
}

pub(crate) unsafe fn WaitForMultipleObjectsEx(
    count: u32,
    objects: *const HANDLE,
    all: BOOL,
    milliseconds: u32,
    alertable: BOOL,
) -> WAIT_EVENT {
    if count == 0 || count > MOST {
        fail(ERROR_INVALID_PARAMETER);
        return WAIT_FAILED;
    }
    if is_bad(objects) {
        fail(ERROR_NOACCESS);
        return WAIT_FAILED;
    }
    let objects: Vec<HANDLE> = (0..count as usize)
        // SAFETY: the caller gives so many handles.
        .map(|place| unsafe { objects.add(place).read_unaligned() })
        .collect();
    wait(&here(), &objects, all != 0, milliseconds, alertable != 0)
}

pub(crate) unsafe fn SignalObjectAndWait(
    signal: HANDLE,
    object: HANDLE,
    milliseconds: u32,
    alertable: BOOL,
) -> WAIT_EVENT {
    let place = here();
    // Of the objects there are, only an event can be signaled.
    let status = match place.host.referent(place.process, handle(signal)) {
        Some(Referent::Event) => place.ask(&Call::SetEvent { event: handle(signal) }).status,
        _ => {
            fail(ERROR_INVALID_HANDLE);
            return WAIT_FAILED;
        }
    };
    if status.is_error() {
        return waited(status);
    }
    wait(&place, &[object], false, milliseconds, alertable != 0)
}

fn sleep(milliseconds: u32, alertable: bool) -> u32 {
    let reply = here().ask(&Call::Sleep { timeout: timeout(milliseconds), alertable });
    // A sleep that was not disturbed gives 0.
    if matches!(reply.output, Output::Routines(_)) || reply.status == Status::USER_APC {
        return Status::USER_APC.0;
    }
    0
}

pub(crate) unsafe fn Sleep(milliseconds: u32) {
    sleep(milliseconds, false);
}

pub(crate) unsafe fn SleepEx(milliseconds: u32, alertable: BOOL) -> u32 {
    sleep(milliseconds, alertable != 0)
}
