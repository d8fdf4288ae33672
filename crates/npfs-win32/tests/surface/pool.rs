//! The thread pool: waits, work, and ends of operations.

use crate::common::*;
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::IO::*;
use npfs_win32::Win32::System::Threading::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// What callbacks have seen.
#[derive(Default)]
struct Seen {
    calls: Mutex<Vec<String>>,
    done: AtomicU32,
    event: usize,
}

impl Seen {
    fn new() -> (Box<Seen>, HANDLE) {
        let event = unsafe { CreateEventW(null(), 0, 0, null()) };
        (Box::new(Seen { event: event.addr(), ..Seen::default() }), event)
    }
    fn push(&self, line: String) {
        self.calls.lock().expect("no panic").push(line);
        unsafe { SetEvent(std::ptr::without_provenance_mut(self.event)) };
    }
    fn lines(&self) -> Vec<String> {
        self.calls.lock().expect("no panic").clone()
    }
    fn context(&self) -> *mut c_void {
        (&raw const *self).cast_mut().cast()
    }
}

unsafe fn of<'a>(context: *mut c_void) -> &'a Seen {
    unsafe { &*context.cast_const().cast() }
}

unsafe extern "system" fn waited(context: *mut c_void, over: bool) {
    unsafe { of(context) }.push(format!("waited {over}"));
}

#[test]
fn a_registered_wait_calls_when_signaled_and_when_the_time_is_over() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    process.enter(|| unsafe {
        let (seen, told) = Seen::new();
        let object = CreateEventW(null(), 0, 0, null());
        let mut wait = null_mut();
        let context = seen.context();
        succeeds(RegisterWaitForSingleObject(&mut wait, object, Some(waited), context, 50, 0));
        // The pool has a handle of its own.
        SetEvent(object);
        CloseHandle(object);
        WaitForSingleObject(told, INFINITE);
        WaitForSingleObject(told, INFINITE);
        succeeds(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
        assert_eq!(seen.lines()[..2], ["waited false", "waited true"]);
        fails(UnregisterWait(wait), ERROR_INVALID_HANDLE);
        CloseHandle(told);
    });
    sim.assert_clean();
}

#[test]
fn a_wait_for_once_calls_once() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    process.enter(|| unsafe {
        let (seen, told) = Seen::new();
        let object = event();
        SetEvent(object);
        let (mut wait, context) = (null_mut(), seen.context());
        let flags = WT_EXECUTEONLYONCE;
        succeeds(RegisterWaitForSingleObject(
            &mut wait,
            object,
            Some(waited),
            context,
            INFINITE,
            flags,
        ));
        assert_eq!(WaitForSingleObject(told, INFINITE), WAIT_OBJECT_0);
        assert_eq!(WaitForSingleObject(told, 1000), WAIT_TIMEOUT);
        // It is over, but its handle is to be given back.
        let finished = event();
        succeeds(UnregisterWaitEx(wait, finished));
        assert_eq!(WaitForSingleObject(finished, 0), WAIT_OBJECT_0);
        assert_eq!(seen.lines(), ["waited false"]);
        close([told, object, finished]);
    });
    sim.assert_clean();
}

#[test]
fn bad_registrations_are_refused() {
    inside(|_| unsafe {
        let mut wait = null_mut();
        let none = RegisterWaitForSingleObject(&mut wait, null_mut(), Some(waited), null(), 0, 0);
        fails(none, ERROR_INVALID_HANDLE);
        fails(
            RegisterWaitForSingleObject(&mut wait, event(), None, null(), 0, 0),
            ERROR_INVALID_PARAMETER,
        );
        fails(UnregisterWait(null_mut()), ERROR_INVALID_HANDLE);
        fails(QueueUserWorkItem(None, null(), 0), ERROR_INVALID_PARAMETER);
        let synchronous = server(0);
        assert_eq!(CreateThreadpoolIo(synchronous, Some(told_io), null_mut(), null()), 0);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
    });
}

unsafe extern "system" fn work(context: *mut c_void) -> u32 {
    unsafe { of(context) }.push("worked".to_owned());
    0
}

#[test]
fn queued_work_is_done_in_the_process() {
    inside(|_| unsafe {
        let (seen, told) = Seen::new();
        succeeds(QueueUserWorkItem(Some(work), seen.context(), 0));
        assert_eq!(WaitForSingleObject(told, INFINITE), WAIT_OBJECT_0);
        assert_eq!(seen.lines(), ["worked"]);
    });
}

unsafe extern "system" fn told_io(
    _: PTP_CALLBACK_INSTANCE,
    context: *mut c_void,
    overlapped: *mut c_void,
    result: u32,
    bytes: usize,
    _: PTP_IO,
) {
    let block = unsafe { &*overlapped.cast::<OVERLAPPED>() };
    let seen = unsafe { of(context) };
    seen.push(format!("{result} {bytes} {}", block.InternalHigh));
    seen.done.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn iocp_25_thread_pool_io_tells_ends_and_cancels() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    process.enter(|| unsafe {
        let (server, client) = connected();
        let (seen, told) = Seen::new();
        let io = CreateThreadpoolIo(server, Some(told_io), seen.context(), null());
        assert_ne!(io, 0);
        let (mut read, mut buffer) = (overlapped(), [0; 4]);
        StartThreadpoolIo(io);
        let at = buffer.as_mut_ptr();
        fails(ReadFile(server, at, 4, null_mut(), &mut *read), ERROR_IO_PENDING);
        WriteFile(client, b"hi".as_ptr(), 2, null_mut(), &mut *overlapped());
        WaitForThreadpoolIoCallbacks(io, 0);
        assert_eq!(seen.lines(), ["0 2 2"]);
        StartThreadpoolIo(io);
        fails(ReadFile(server, at, 4, null_mut(), &mut *read), ERROR_IO_PENDING);
        CancelIoEx(server, null());
        WaitForThreadpoolIoCallbacks(io, 0);
        assert_eq!(seen.lines()[1], "995 0 0");
        // A bad buffer fails at once, and nobody is told.
        StartThreadpoolIo(io);
        fails(ReadFile(server, null_mut(), 4, null_mut(), &mut *read), ERROR_NOACCESS);
        CancelThreadpoolIo(io);
        WaitForThreadpoolIoCallbacks(io, 0);
        // What is not to be told any more is not waited for.
        StartThreadpoolIo(io);
        fails(ReadFile(server, at, 4, null_mut(), &mut *read), ERROR_IO_PENDING);
        WaitForThreadpoolIoCallbacks(io, 1);
        CancelIoEx(server, null());
        CloseThreadpoolIo(io);
        // The pool's thread ends in time that is virtual.
        Sleep(1);
        assert_eq!(seen.done.load(Ordering::Relaxed), 2);
        close([server, client, told]);
    });
    sim.assert_clean();
}

unsafe extern "system" fn bound(code: u32, bytes: u32, overlapped: *mut OVERLAPPED) {
    let event = unsafe { (*overlapped).hEvent };
    unsafe { (*overlapped).InternalHigh = (code + bytes) as usize };
    unsafe { SetEvent(event) };
}

#[test]
fn a_bound_callback_is_told_of_every_operation() {
    inside(|_| unsafe {
        let (server, client) = connected();
        succeeds(BindIoCompletionCallback(server, Some(bound), 0));
        fails(BindIoCompletionCallback(server, Some(bound), 0), ERROR_INVALID_PARAMETER);
        let told = CreateEventW(null(), 0, 0, null());
        let mut read = with_event(told);
        let mut buffer = [0; 4];
        ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), &mut *read);
        WriteFile(client, b"abc".as_ptr(), 3, null_mut(), &mut *overlapped());
        // Once by the system, once by the callback.
        WaitForSingleObject(told, INFINITE);
        WaitForSingleObject(told, INFINITE);
        assert_eq!((&buffer[..3], read.InternalHigh), (&b"abc"[..], 3));
    });
}
