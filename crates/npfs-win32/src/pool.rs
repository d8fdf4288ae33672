//! The thread pool: functions of the caller's that are called when something has happened.
//!
//! Each registration has a thread of its own, a thread of the process that registered. Its functions
//! are called one after the other; Windows promises no order and may call several at once.
//! The threads need objects of the kernel, so a registration takes up to three handle values.

use ::core::ffi::c_void;
use ::core::ptr::{with_exposed_provenance_mut, without_provenance_mut};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use npfs_abi::{Call, Handle, Output, Packet, Status};
use npfs_host::JoinHandle;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_IO_PENDING, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::IO::LPOVERLAPPED_COMPLETION_ROUTINE;
use windows_sys::Win32::System::Threading::{
    LPTHREAD_START_ROUTINE, PTP_IO, PTP_WIN32_IO_CALLBACK, TP_CALLBACK_ENVIRON_V3,
    WAITORTIMERCALLBACK, WORKER_THREAD_FLAGS, WT_EXECUTEONLYONCE,
};
use windows_sys::core::BOOL;

use crate::call::{fail, handle, is_none, timeout, truth};
use crate::memory::{is_bad, put};
use crate::ports::overlapped_of;
use crate::simulation::{Place, here, pool};

/// What is registered, by the value that the program has for it.
#[derive(Default)]
pub(crate) struct Pool {
    waits: BTreeMap<usize, Arc<Wait>>,
    ios: BTreeMap<usize, Arc<Io>>,
    dealt: usize,
}

/// No handle of the kernel reaches this high.
const FIRST: usize = 0x1000_0000;

impl Pool {
    fn deal(&mut self) -> usize {
        self.dealt += 1;
        FIRST + 16 * self.dealt
    }
}

/// Never held while a call is made, so no model needs to see it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pointer of the caller's that goes to another thread, as the caller wants.
#[derive(Clone, Copy)]
struct Context(usize);

impl Context {
    fn of(pointer: *const c_void) -> Context {
        Context(pointer.expose_provenance())
    }
    fn pointer(self) -> *mut c_void {
        with_exposed_provenance_mut(self.0)
    }
}

impl Place {
    fn close(&self, handle: Handle) {
        self.ask(&Call::CloseHandle { handle });
    }

    fn new_event(&self, manual: bool, signaled: bool) -> Result<Handle, Status> {
        let reply = self.ask(&Call::CreateEvent { manual, signaled });
        match reply.output {
            Output::Handle(event) => Ok(event),
            _ => Err(reply.status),
        }
    }
}

// Waits.

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

// Ends of operations.

/// A port with a thread that tells its packets.
struct Io {
    place: Place,
    port: Handle,
    /// Signaled when nothing that was announced is untold any more.
    idle: Handle,
    state: Mutex<Telling>,
}

#[derive(Default)]
struct Telling {
    /// Announced and not told yet.
    pending: u32,
    /// Announced, and not to be told any more.
    skipped: u32,
    calling: bool,
    closed: bool,
    port_closed: bool,
}

impl Telling {
    fn is_idle(&self) -> bool {
        self.pending == 0 && !self.calling
    }
}

impl Io {
    /// A port that `file` sends its packets to.
    fn bound(file: HANDLE) -> Result<Io, Status> {
        let place = here();
        let call =
            |file, port, key| Call::CreateIoCompletionPort { file, port, key, concurrency: 0 };
        let reply = place.ask(&call(Some(handle(file)), None, 0));
        let Output::Handle(port) = reply.output else { return Err(reply.status) };
        match place.new_event(true, true) {
            Ok(idle) => Ok(Io { place, port, idle, state: Mutex::default() }),
            Err(status) => {
                place.close(port);
                Err(status)
            }
        }
    }

    /// The next packet; `None` when the port is closed or the simulation has stopped.
    fn next(&self) -> Option<Packet> {
        let reply = self.place.ask(&Call::GetQueuedCompletionStatus {
            port: self.port,
            count: 1,
            timeout: None,
            alertable: false,
        });
        match reply.output {
            Output::Packets(mut packets) => packets.pop(),
            _ => None,
        }
    }

    /// The thread's life.
    fn run(&self, call: impl Fn(&Packet)) {
        while let Some(packet) = self.next() {
            let told = {
                let mut state = lock(&self.state);
                let told = state.skipped == 0;
                if told {
                    state.pending = state.pending.saturating_sub(1);
                    state.calling = true;
                } else {
                    state.skipped -= 1;
                }
                told
            };
            if told {
                call(&packet);
                lock(&self.state).calling = false;
            }
            self.settle();
        }
        self.place.close(self.idle);
    }

    /// Whoever waits for the last telling goes on; a closed port ends with it.
    fn settle(&self) {
        let (idle, ends) = {
            let mut state = lock(&self.state);
            let ends = state.closed && state.is_idle() && state.skipped == 0;
            (state.is_idle(), ends && !std::mem::replace(&mut state.port_closed, true))
        };
        if idle {
            self.place.ask(&Call::SetEvent { event: self.idle });
        }
        if ends {
            self.place.close(self.port);
        }
    }
}

fn io(number: PTP_IO) -> Option<Arc<Io>> {
    pool().ios.get(&(number as usize)).cloned()
}

pub(crate) unsafe fn BindIoCompletionCallback(
    file: HANDLE,
    function: LPOVERLAPPED_COMPLETION_ROUTINE,
    flags: u32,
) -> BOOL {
    let Some(function) = function.filter(|_| flags == 0) else {
        return fail(ERROR_INVALID_PARAMETER);
    };
    match Io::bound(file) {
        Ok(io) => {
            let place = io.place.clone();
            place.host.spawn(place.process, "pool io", move || {
                io.run(|packet| {
                    let (code, bytes) = (packet.status.win32(), packet.information);
                    // SAFETY: the caller gives a function that may be called so from another
                    // thread; the OVERLAPPED's operation has ended.
                    unsafe { function(code, bytes, overlapped_of(packet)) };
                });
            });
            1
        }
        Err(status) => truth(status),
    }
}

pub(crate) unsafe fn CreateThreadpoolIo(
    file: HANDLE,
    callback: PTP_WIN32_IO_CALLBACK,
    context: *mut c_void,
    _environment: *const TP_CALLBACK_ENVIRON_V3,
) -> PTP_IO {
    let Some(callback) = callback else { return fail(ERROR_INVALID_PARAMETER) as PTP_IO };
    let io = match Io::bound(file) {
        Ok(io) => Arc::new(io),
        Err(status) => return truth(status) as PTP_IO,
    };
    let number = {
        let mut pool = pool();
        let number = pool.deal();
        pool.ios.insert(number, io.clone());
        number as PTP_IO
    };
    let (context, place) = (Context::of(context), io.place.clone());
    place.host.spawn(place.process, "pool io", move || {
        io.run(|packet| {
            let overlapped = overlapped_of(packet).cast();
            let (code, bytes) = (packet.status.win32(), packet.information as usize);
            // SAFETY: as in BindIoCompletionCallback.
            unsafe { callback(number, context.pointer(), overlapped, code, bytes, number) };
        });
    });
    number
}

pub(crate) unsafe fn StartThreadpoolIo(number: PTP_IO) {
    let Some(io) = io(number) else { return };
    lock(&io.state).pending += 1;
}

pub(crate) unsafe fn CancelThreadpoolIo(number: PTP_IO) {
    let Some(io) = io(number) else { return };
    {
        let mut state = lock(&io.state);
        state.pending = state.pending.saturating_sub(1);
    }
    io.settle();
}

pub(crate) unsafe fn WaitForThreadpoolIoCallbacks(number: PTP_IO, cancel_pending: BOOL) {
    let Some(io) = io(number) else { return };
    if cancel_pending != 0 {
        {
            let mut state = lock(&io.state);
            state.skipped += std::mem::take(&mut state.pending);
        }
        io.settle();
    }
    let is_idle = || lock(&io.state).is_idle();
    while !is_idle() {
        // What is told between this and the wait signals it again.
        io.place.ask(&Call::ResetEvent { event: io.idle });
        if is_idle() {
            break;
        }
        let waited = io.place.ask(&Call::WaitForObjects {
            handles: vec![io.idle],
            all: false,
            timeout: None,
            alertable: false,
        });
        if waited.status.is_error() {
            break;
        }
    }
}

pub(crate) unsafe fn CloseThreadpoolIo(number: PTP_IO) {
    let Some(io) = pool().ios.remove(&(number as usize)) else { return };
    lock(&io.state).closed = true;
    io.settle();
}
