//! Events, waits, routines, threads; handles of every kind.

use crate::common::*;
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::IO::*;
use npfs_win32::Win32::System::Threading::*;
use std::ptr::{null, null_mut, without_provenance_mut};

#[test]
fn events_of_both_kinds() {
    inside(|_| unsafe {
        let manual = CreateEventExW(null(), null(), CREATE_EVENT_MANUAL_RESET, 0);
        let auto = CreateEventExA(null(), null(), CREATE_EVENT_INITIAL_SET, 0);
        assert_eq!(WaitForSingleObject(auto, 0), WAIT_OBJECT_0);
        assert_eq!(WaitForSingleObject(auto, 0), WAIT_TIMEOUT);
        SetEvent(manual);
        assert_eq!(WaitForSingleObjectEx(manual, 0, 1), WAIT_OBJECT_0);
        assert_eq!(WaitForSingleObject(manual, 0), WAIT_OBJECT_0);
        ResetEvent(manual);
        let both = [manual, auto];
        assert_eq!(WaitForMultipleObjects(2, both.as_ptr(), 0, 5), WAIT_TIMEOUT);
        SetEvent(auto);
        assert_eq!(WaitForMultipleObjects(2, both.as_ptr(), 1, 5), WAIT_TIMEOUT);
        assert_eq!(WaitForMultipleObjects(2, both.as_ptr(), 0, 5), WAIT_OBJECT_0 + 1);
        assert_eq!(SignalObjectAndWait(manual, manual, 0, 0), WAIT_OBJECT_0);
        assert_eq!(SignalObjectAndWait(server(0), manual, 0, 0), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
        assert_eq!(WaitForSingleObject(null_mut(), 0), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
        assert_eq!(SetEvent(null_mut()), 0);
    });
}

#[test]
fn events_have_no_names_and_say_so() {
    inside(|_| unsafe {
        let name = wide("name");
        assert!(CreateEventW(null(), 0, 0, name.as_ptr()).is_null());
        assert_eq!(last_error(), ERROR_NOT_SUPPORTED);
        assert!(OpenEventW(0, 0, name.as_ptr()).is_null());
        assert_eq!(last_error(), ERROR_FILE_NOT_FOUND);
        assert!(OpenEventA(0, 0, null()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
    });
}

/// An OVERLAPPED whose `hEvent` is a counter, as programs do with ReadFileEx (APC-09).
unsafe extern "system" fn count(error: u32, bytes: u32, overlapped: *mut OVERLAPPED) {
    let ran: *mut Vec<(u32, u32)> = unsafe { (*overlapped).hEvent }.cast();
    unsafe { (*ran).push((error, bytes)) };
}

#[test]
fn apc_05_07_08_09_10_11_routines_run_in_alertable_waits_only() {
    inside(|_| unsafe {
        let (server, client) = connected();
        let mut ran: Box<Vec<(u32, u32)>> = Box::default();
        let mut read = with_event((&raw mut *ran).cast());
        let mut write = with_event((&raw mut *ran).cast());
        let mut buffer = [0; 4];
        succeeds(ReadFileEx(server, buffer.as_mut_ptr(), 4, &mut *read, Some(count)));
        // At once for the writer, and nothing runs before an alertable wait.
        succeeds(WriteFileEx(client, b"longer".as_ptr(), 6, &mut *write, Some(count)));
        assert_eq!(WaitForSingleObject(event(), 1), WAIT_TIMEOUT);
        assert!(ran.is_empty());
        assert_eq!(SleepEx(INFINITE, 1), WAIT_IO_COMPLETION);
        ran.sort_unstable();
        assert_eq!(*ran, [(0, 6), (ERROR_MORE_DATA, 4)]);
        assert_eq!(&buffer, b"long");
        assert_eq!(SleepEx(1, 1), 0);
        // An immediate failure queues nothing (APC-03).
        CloseHandle(client);
        ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), &mut *overlapped());
        fails(
            ReadFileEx(server, buffer.as_mut_ptr(), 4, &mut *read, Some(count)),
            ERROR_BROKEN_PIPE,
        );
        assert_eq!(SleepEx(1, 1), 0);
        fails(
            ReadFileEx(server, buffer.as_mut_ptr(), 4, &mut *read, None),
            ERROR_INVALID_PARAMETER,
        );
    });
}

#[test]
fn apc_17_a_routine_is_refused_where_a_port_is_bound() {
    inside(|_| unsafe {
        let (server, _client) = connected();
        crate::ports::bind(server, crate::ports::port(), 1);
        let (mut read, mut buffer) = (overlapped(), [0; 4]);
        let at = buffer.as_mut_ptr();
        fails(ReadFileEx(server, at, 4, &mut *read, Some(count)), ERROR_INVALID_PARAMETER);
    });
}

unsafe extern "system" fn mark(data: usize) {
    unsafe { *std::ptr::with_exposed_provenance_mut::<u32>(data) += 1 };
}

#[test]
fn a_routine_that_a_thread_queues_to_another_runs_there() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let mut ran = Box::new(0u32);
    let data = (&raw mut *ran).expose_provenance();
    let sleeper = process.spawn("sleeper", || unsafe { SleepEx(INFINITE, 1) });
    let id = sleeper.thread().0;
    process.enter(|| unsafe {
        Sleep(1);
        let thread = OpenThread(THREAD_SET_CONTEXT, 0, id);
        assert_ne!(QueueUserAPC(Some(mark), thread, data), 0);
        assert_eq!(QueueUserAPC(Some(mark), null_mut(), data), 0);
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
    });
    assert_eq!(sleeper.join().expect("no panic"), WAIT_IO_COMPLETION);
    assert_eq!(*ran, 1);
}

#[test]
fn a_thread_and_its_pseudo_handle() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let other = process.spawn("other", || unsafe { GetCurrentThreadId() });
    process.enter(|| unsafe {
        let thread = OpenThread(THREAD_ALL_ACCESS, 0, other.thread().0);
        assert_eq!(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        let mut real = null_mut();
        succeeds(DuplicateHandle(
            GetCurrentProcess(),
            GetCurrentThread(),
            GetCurrentProcess(),
            &mut real,
            0,
            0,
            DUPLICATE_SAME_ACCESS,
        ));
        assert_eq!(WaitForSingleObject(real, 0), WAIT_TIMEOUT);
        fails(CompareObjectHandles(real, thread), ERROR_NOT_SAME_OBJECT);
        assert_ne!(GetCurrentThreadId(), other.thread().0);
    });
    assert_eq!(other.thread().0, other.join().expect("no panic"));
}

#[test]
fn handle_01_02_09_duplicates_flags_and_objects() {
    inside(|_| unsafe {
        let (server, client) = connected();
        let this = GetCurrentProcess();
        let mut twin = null_mut();
        let read = FILE_GENERIC_READ;
        succeeds(DuplicateHandle(this, client, this, &mut twin, read, 1, 0));
        succeeds(CompareObjectHandles(client, twin));
        fails(CompareObjectHandles(client, server), ERROR_NOT_SAME_OBJECT);
        fails(CompareObjectHandles(client, null_mut()), ERROR_INVALID_HANDLE);
        let mut flags = 9;
        succeeds(GetHandleInformation(twin, &mut flags));
        assert_eq!(flags, HANDLE_FLAG_INHERIT);
        succeeds(SetHandleInformation(twin, HANDLE_FLAG_INHERIT, 0));
        succeeds(GetHandleInformation(twin, &mut flags));
        assert_eq!(flags, 0);
        let protect = HANDLE_FLAG_PROTECT_FROM_CLOSE;
        fails(SetHandleInformation(twin, protect, protect), ERROR_NOT_SUPPORTED);
        succeeds(SetHandleInformation(twin, protect, 0));
        let mut write = overlapped();
        fails(WriteFile(twin, b"x".as_ptr(), 1, null_mut(), &mut *write), ERROR_ACCESS_DENIED);
        // DUPLICATE_CLOSE_SOURCE moves it; the end stays open.
        let mut moved = null_mut();
        let options = DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE;
        succeeds(DuplicateHandle(this, client, this, &mut moved, 0, 0, options));
        fails(CloseHandle(client), ERROR_INVALID_HANDLE);
        succeeds(WriteFile(moved, b"x".as_ptr(), 1, null_mut(), &mut *write));
        fails(DuplicateHandle(this, null_mut(), this, &mut moved, 0, 0, 2), ERROR_INVALID_HANDLE);
        fails(DuplicateHandle(server, moved, this, &mut moved, 0, 0, 2), ERROR_INVALID_HANDLE);
        assert_eq!(GetFileType(server), FILE_TYPE_PIPE);
        assert_eq!(GetFileType(null_mut()), FILE_TYPE_UNKNOWN);
    });
}

#[test]
fn a_handle_is_fetched_from_another_process() {
    let sim = npfs::Simulation::new();
    let (one, other) = (sim.process("one"), sim.process("other"));
    let there = other.enter(event).addr();
    one.enter(|| unsafe {
        let process = OpenProcess(PROCESS_DUP_HANDLE, 0, other.id().0);
        let mut here = null_mut();
        let there = without_provenance_mut(there);
        let this = GetCurrentProcess();
        let options = DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE;
        succeeds(DuplicateHandle(process, there, this, &mut here, 0, 0, options));
        succeeds(SetEvent(here));
        other.enter(|| fails(CloseHandle(there), ERROR_INVALID_HANDLE));
        close([here, process]);
    });
    sim.assert_clean();
}

#[test]
fn statuses_and_memory() {
    inside(|_| unsafe {
        assert_eq!(RtlNtStatusToDosError(STATUS_PIPE_LISTENING), ERROR_PIPE_LISTENING);
        assert!(LocalFree(null_mut()).is_null());
        let mut none = 0u8;
        let memory = (&raw mut none).cast();
        assert_eq!((LocalFree(memory), last_error()), (memory, ERROR_INVALID_HANDLE));
        let (server, _client) = connected();
        let mut returned = 9;
        let none = null_mut();
        fails(
            DeviceIoControl(server, 0x0011_400C, null(), 0, none, 0, &mut returned, null_mut()),
            ERROR_INVALID_FUNCTION,
        );
        assert_eq!(returned, 0);
    });
}
