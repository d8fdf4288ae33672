//! The thread pool: functions of the caller's that are called when something has happened.
//!
//! Each registration has a thread of its own, a thread of the process that registered. Its functions
//! are called one after the other; Windows promises no order and may call several at once.
//! The threads need objects of the kernel, so a registration takes up to three handle values.

use ::core::ffi::c_void;
use ::core::ptr::{with_exposed_provenance_mut, without_provenance_mut};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use npfs_abi::{Call, Handle, Output, Status};
use npfs_host::JoinHandle;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_IO_PENDING, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Threading::{
    LPTHREAD_START_ROUTINE, WAITORTIMERCALLBACK, WORKER_THREAD_FLAGS, WT_EXECUTEONLYONCE,
};
use windows_sys::core::BOOL;

use crate::call::{fail, handle, is_none, timeout, truth};
use crate::memory::{is_bad, put};
use crate::pool_io::Io;
use crate::simulation::{Place, here, pool};

/// What is registered, by the value that the program has for it.
#[derive(Default)]
pub(crate) struct Pool {
    waits: BTreeMap<usize, Arc<Wait>>,
    pub(crate) ios: BTreeMap<usize, Arc<Io>>,
    dealt: usize,
}

/// No handle of the kernel reaches this high.
const FIRST: usize = 0x1000_0000;

impl Pool {
    pub(crate) fn deal(&mut self) -> usize {
        self.dealt += 1;
        FIRST + 16 * self.dealt
    }
}

/// Never held while a call is made, so no model needs to see it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pointer of the caller's that goes to another thread, as the caller wants.
#[derive(Clone, Copy)]
pub(crate) struct Context(usize);

impl Context {
    pub(crate) fn of(pointer: *const c_void) -> Context {
        Context(pointer.expose_provenance())
    }
    pub(crate) fn pointer(self) -> *mut c_void {
        with_exposed_provenance_mut(self.0)
    }
}

impl Place {
    pub(crate) fn close(&self, handle: Handle) {
        self.ask(&Call::CloseHandle { handle });
    }

    pub(crate) fn new_event(&self, manual: bool, signaled: bool) -> Result<Handle, Status> {
        let reply = self.ask(&Call::CreateEvent { manual, signaled });
        match reply.output {
            Output::Handle(event) => Ok(event),
            _ => Err(reply.status),
        }
    }
}

/// `RegisterWaitForSingleObject`
struct Wait {
    place: Place,
    /// Ends the thread's wait.
    stop: Handle,
    state: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// No further call is to be made.
    stopped: bool,
    calling: bool,
    /// The thread needs `stop` no more, and whoever unregisters neither: the later of the two
    /// closes it.
    ended: bool,
    signaled: bool,
    /// Set when the last call is over.
    tell: Option<Handle>,
    thread: Option<JoinHandle<()>>,
}

impl Wait {
    /// The thread's life: waits, and calls `call` with whether the time was over.
    fn run(&self, object: Handle, limit: Option<u32>, once: bool, call: impl Fn(bool)) {
        loop {
            let waited = self.place.ask(&Call::WaitForObjects {
                handles: vec![self.stop, object],
                all: false,
                timeout: limit,
                alertable: false,
            });
            let over = match waited.status {
                Status::TIMEOUT => true,
                status if status == Status::wait(1) => false,
                _ => break,
            };
            {
                let mut state = lock(&self.state);
                if state.stopped {
                    break;
                }
                state.calling = true;
            }
            call(over);
            let (stopped, tell) = {
                let mut state = lock(&self.state);
                state.calling = false;
                (state.stopped, state.tell.take())
            };
            if let Some(event) = tell {
                self.place.ask(&Call::SetEvent { event });
            }
            if once || stopped {
                break;
            }
        }
        self.place.close(object);
        let last = {
            let mut state = lock(&self.state);
            state.ended = true;
            state.signaled
        };
        if last {
            self.place.close(self.stop);
        }
    }
}

pub(crate) unsafe fn RegisterWaitForSingleObject(
    registered: *mut HANDLE,
    object: HANDLE,
    callback: WAITORTIMERCALLBACK,
    context: *const c_void,
    milliseconds: u32,
    flags: WORKER_THREAD_FLAGS,
) -> BOOL {
    let Some(callback) = callback else { return fail(ERROR_INVALID_PARAMETER) };
    if is_bad(registered) {
        return fail(ERROR_INVALID_PARAMETER);
    }
    let place = here();
    // The thread waits by a handle of its own, so that the caller may close its.
    let duplicate = Call::DuplicateHandle {
        handle: handle(object),
        target: None,
        access: None,
        inherit: false,
    };
    let reply = place.ask(&duplicate);
    let Output::Handle(object) = reply.output else { return truth(reply.status) };
    let stop = match place.new_event(true, false) {
        Ok(stop) => stop,
        Err(status) => {
            place.close(object);
            return truth(status);
        }
    };
    let wait = Arc::new(Wait { place: place.clone(), stop, state: Mutex::default() });
    let number = {
        let mut pool = pool();
        let number = pool.deal();
        pool.waits.insert(number, wait.clone());
        number
    };
    // SAFETY: the caller gives a place for a handle.
    unsafe { put(registered, without_provenance_mut(number)) };
    let context = Context::of(context);
    let (limit, once) = (timeout(milliseconds), flags & WT_EXECUTEONLYONCE != 0);
    let worker = wait.clone();
    let thread = place.host.spawn(place.process, "pool wait", move || {
        worker.run(object, limit, once, |over| {
            // SAFETY: the caller gives a function that may be called so from another thread.
            unsafe { callback(context.pointer(), over) };
        });
    });
    lock(&wait.state).thread = Some(thread);
    1
}

pub(crate) unsafe fn UnregisterWait(registered: HANDLE) -> BOOL {
    // SAFETY: nothing is followed.
    unsafe { UnregisterWaitEx(registered, ::core::ptr::null_mut()) }
}

pub(crate) unsafe fn UnregisterWaitEx(registered: HANDLE, completion: HANDLE) -> BOOL {
    let Some(wait) = pool().waits.remove(&registered.addr()) else {
        return fail(ERROR_INVALID_HANDLE);
    };
    let blocks = completion == INVALID_HANDLE_VALUE;
    let event = (!is_none(completion)).then(|| handle(completion));
    let (calling, thread) = {
        let mut state = lock(&wait.state);
        state.stopped = true;
        if state.calling {
            state.tell = event;
        }
        (state.calling, state.thread.take())
    };
    wait.place.ask(&Call::SetEvent { event: wait.stop });
    let last = {
        let mut state = lock(&wait.state);
        state.signaled = true;
        state.ended
    };
    if last {
        wait.place.close(wait.stop);
    }
    if blocks {
        if let Some(thread) = thread {
            // Its panic is reported in its own thread.
            let _ = thread.join();
        }
        return 1;
    }
    match event {
        Some(event) if !calling => truth(wait.place.ask(&Call::SetEvent { event }).status),
        _ if calling => fail(ERROR_IO_PENDING),
        _ => 1,
    }
}

pub(crate) unsafe fn QueueUserWorkItem(
    function: LPTHREAD_START_ROUTINE,
    context: *const c_void,
    _flags: WORKER_THREAD_FLAGS,
) -> BOOL {
    let Some(function) = function else { return fail(ERROR_INVALID_PARAMETER) };
    let place = here();
    let context = Context::of(context);
    place.host.spawn(place.process, "pool work", move || {
        // SAFETY: the caller gives a function that may be called so from another thread.
        unsafe { function(context.pointer()) };
    });
    1
}
