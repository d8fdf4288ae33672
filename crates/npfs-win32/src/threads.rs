//! `Win32::System::Threading`: threads and processes, as far as they are asked for by handle.

use ::core::ptr::{null_mut, without_provenance_mut};

use npfs_abi::{Call, ProcessId, ThreadId};
use npfs_host::Attached;
use npfs_kernel::Referent;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE, PAPCFUNC,
};
use windows_sys::Win32::System::Threading::{PROCESS_ACCESS_RIGHTS, THREAD_ACCESS_RIGHTS};
use windows_sys::core::BOOL;

use crate::call::{fail, handle, new_handle, truth};
use crate::error;
use crate::simulation::{Place, here};

/// The pseudo handle of the calling process.
const THIS_PROCESS: HANDLE = without_provenance_mut(usize::MAX);
/// The pseudo handle of the calling thread.
const THIS_THREAD: HANDLE = without_provenance_mut(usize::MAX - 1);

/// The calling thread, as the kernel knows it.
fn this_thread(place: &Place) -> Option<ThreadId> {
    match place.host.thread(place.process) {
        Ok(thread) => Some(thread),
        Err(why) => {
            error::stopped(&why);
            None
        }
    }
}

/// The thread behind a handle, the pseudo handle too.
pub(crate) fn thread_of(place: &Place, thread: HANDLE) -> Option<ThreadId> {
    if thread == THIS_THREAD {
        return this_thread(place);
    }
    match place.host.referent(place.process, handle(thread)) {
        Some(Referent::Thread(thread)) => Some(thread),
        _ => None,
    }
}

/// The process behind a handle, the pseudo handle too.
pub(crate) fn process_of(place: &Place, process: HANDLE) -> Option<ProcessId> {
    if process == THIS_PROCESS {
        return Some(place.process);
    }
    match place.host.referent(place.process, handle(process)) {
        Some(Referent::Process(process)) => Some(process),
        _ => None,
    }
}

/// The call that makes a real handle of a pseudo handle.
pub(crate) fn realize(place: &Place, pseudo: HANDLE) -> Option<Call> {
    if pseudo == THIS_PROCESS {
        return Some(Call::OpenProcess { process: place.process });
    }
    if pseudo == THIS_THREAD {
        return this_thread(place).map(|thread| Call::OpenThread { thread });
    }
    None
}

pub(crate) unsafe fn GetCurrentProcess() -> HANDLE {
    THIS_PROCESS
}

pub(crate) unsafe fn GetCurrentProcessId() -> u32 {
    here().process.0
}

pub(crate) unsafe fn GetCurrentThread() -> HANDLE {
    THIS_THREAD
}

pub(crate) unsafe fn GetCurrentThreadId() -> u32 {
    this_thread(&here()).map_or(0, |thread| thread.0)
}

fn open(call: &Call, inherit: BOOL) -> HANDLE {
    let place = here();
    let new = new_handle(&place.ask(call), null_mut());
    if !new.is_null() && inherit != 0 {
        place.ask(&Call::SetHandleInformation { handle: handle(new), inherit: true });
    }
    new
}

pub(crate) unsafe fn OpenThread(
    _access: THREAD_ACCESS_RIGHTS,
    inherit: BOOL,
    thread: u32,
) -> HANDLE {
    open(&Call::OpenThread { thread: ThreadId(thread) }, inherit)
}

pub(crate) unsafe fn OpenProcess(
    _access: PROCESS_ACCESS_RIGHTS,
    inherit: BOOL,
    process: u32,
) -> HANDLE {
    open(&Call::OpenProcess { process: ProcessId(process) }, inherit)
}

pub(crate) unsafe fn QueueUserAPC(routine: PAPCFUNC, thread: HANDLE, data: usize) -> u32 {
    let Some(routine) = routine else { return fail(ERROR_INVALID_PARAMETER) as u32 };
    let place = here();
    let Some(thread) = thread_of(&place, thread) else { return fail(ERROR_INVALID_HANDLE) as u32 };
    let attached = Attached {
        // SAFETY: the caller gives a function that may be called so, in the thread that it names.
        routine: Some(Box::new(move || unsafe { routine(data) })),
        ..Attached::default()
    };
    truth(place.begin(&Call::QueueUserAPC { thread }, attached).status) as u32
}
