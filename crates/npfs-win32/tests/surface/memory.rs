//! What is written where and when: buffers, status blocks, out parameters, the last error.

use crate::common::*;
use crate::ports::{bind, is_empty, port, take};
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::IO::*;
use npfs_win32::Win32::System::Pipes::*;
use npfs_win32::Win32::System::Threading::*;
use std::ptr::{null, null_mut, without_provenance, without_provenance_mut};

#[test]
fn event_20_21_a_failure_at_once_leaves_the_block_as_the_win32_layer_set_it() {
    inside(|_| {
        let (server, client) = connected();
        unsafe { CloseHandle(client) };
        let mut read =
            Box::new(OVERLAPPED { Internal: 1, InternalHigh: 2, ..OVERLAPPED::default() });
        let mut buffer = [7; 4];
        let mut count = 9;
        let done = unsafe { ReadFile(server, buffer.as_mut_ptr(), 4, &mut count, &mut *read) };
        fails(done, ERROR_BROKEN_PIPE);
        assert_eq!((read.Internal, read.InternalHigh, count, buffer), (0x103, 2, 0, [7; 4]));
    });
}

#[test]
fn event_21_22_the_count_is_final_on_success_and_with_more_data_only_without_overlapped() {
    inside(|_| {
        let (server, client) = connected();
        let synchronous = |data: &[u8]| unsafe {
            let (length, mut write) = (data.len() as u32, overlapped());
            succeeds(WriteFile(client, data.as_ptr(), length, null_mut(), &mut *write));
        };
        let mut buffer = [0; 2];
        let mut count = 9;
        unsafe {
            synchronous(b"long");
            let mut read = overlapped();
            fails(
                ReadFile(server, buffer.as_mut_ptr(), 2, &mut count, &mut *read),
                ERROR_MORE_DATA,
            );
            assert_eq!((count, read.InternalHigh, &buffer), (0, 2, b"lo"));
            succeeds(ReadFile(server, buffer.as_mut_ptr(), 2, &mut count, &mut *read));
            assert_eq!((count, read.Internal, &buffer), (2, 0, b"ng"));
            synchronous(b"more");
            fails(
                ReadFile(server, buffer.as_mut_ptr(), 2, &mut count, null_mut()),
                ERROR_MORE_DATA,
            );
            assert_eq!((count, &buffer), (2, b"mo"));
        }
    });
}

#[test]
fn event_23_24_a_pending_operation_is_incomplete_and_then_has_its_count() {
    inside(|_| {
        let (server, client) = connected();
        let mut read = overlapped();
        let mut buffer = [0; 8];
        let mut count = 9;
        unsafe {
            fails(
                ReadFile(server, buffer.as_mut_ptr(), 8, &mut count, &mut *read),
                ERROR_IO_PENDING,
            );
            assert_eq!((count, read.Internal), (0, 0x103));
            fails(GetOverlappedResult(server, &*read, &mut count, 0), ERROR_IO_INCOMPLETE);
            WriteFile(client, b"abc".as_ptr(), 3, null_mut(), &mut *overlapped());
            // EVENT-08: everything is there before the write returns.
            assert_eq!((read.Internal, read.InternalHigh, &buffer[..3]), (0, 3, &b"abc"[..]));
            succeeds(GetOverlappedResult(server, &*read, &mut count, 0));
            assert_eq!(count, 3);
        }
    });
}

#[test]
fn event_26_27_28_results_with_a_time_out() {
    unsafe extern "system" fn routine(data: usize) {
        unsafe { *with_exposed(data) += 1 };
    }
    fn with_exposed(data: usize) -> *mut u32 {
        std::ptr::with_exposed_provenance_mut(data)
    }
    inside(|_| {
        let (server, _client) = connected();
        let mut read = overlapped();
        let mut buffer = [0; 8];
        let mut count = 0;
        let mut ran = Box::new(0u32);
        unsafe {
            ReadFile(server, buffer.as_mut_ptr(), 8, null_mut(), &mut *read);
            let result =
                |ms, alertable, count| GetOverlappedResultEx(server, &*read, count, ms, alertable);
            let data = (&raw mut *ran).expose_provenance();
            assert_ne!(QueueUserAPC(Some(routine), GetCurrentThread(), data), 0);
            fails(result(0, 1, &mut count), ERROR_IO_INCOMPLETE);
            fails(result(10, 0, &mut count), WAIT_TIMEOUT);
            assert_eq!(*with_exposed(data), 0);
            fails(result(10, 1, &mut count), WAIT_IO_COMPLETION);
            assert_eq!(*with_exposed(data), 1);
            fails(result(10, 1, &mut count), WAIT_TIMEOUT);
        }
    });
}

#[test]
fn sync_20_an_overlapped_on_a_synchronous_handle_blocks_and_is_filled() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let (pipe, file) = process.enter(|| (server(0).addr(), client(0).addr()));
    let reader = process.spawn("reader", move || unsafe {
        let event = event();
        let mut read = with_event(event);
        let mut buffer = [0; 8];
        let mut count = 0;
        let pipe = without_provenance_mut(pipe);
        succeeds(ReadFile(pipe, buffer.as_mut_ptr(), 8, &mut count, &mut *read));
        assert_eq!(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        (count, read.Internal, read.InternalHigh, buffer[..2].to_vec())
    });
    process.enter(|| unsafe {
        Sleep(1);
        let mut count = 0;
        succeeds(WriteFile(
            without_provenance_mut(file),
            b"hi".as_ptr(),
            2,
            &mut count,
            null_mut(),
        ));
    });
    assert_eq!(reader.join().expect("no panic"), (2, 0, 2, b"hi".to_vec()));
}

#[test]
fn sync_20_an_end_in_another_thread_is_written_before_its_event_is_seen() {
    // The event's waiter must find the buffer of a blocked call filled, whoever wakes first.
    for _ in 0..50 {
        let sim = npfs::Simulation::new();
        let process = sim.process("process");
        let (pipe, file, event) =
            process.enter(|| (server(0).addr(), client(0).addr(), event().addr()));
        let mut block = with_event(without_provenance_mut(event));
        let mut buffer = Box::new([0u8; 4]);
        let (at, data) =
            ((&raw mut *block).expose_provenance(), buffer.as_mut_ptr().expose_provenance());
        let reader = process.spawn("reader", move || unsafe {
            let (at, data) = (
                std::ptr::with_exposed_provenance_mut(at),
                std::ptr::with_exposed_provenance_mut(data),
            );
            ReadFile(without_provenance_mut(pipe), data, 4, null_mut(), at)
        });
        let watcher = process.spawn("watcher", move || unsafe {
            // The event is reset when the read begins; the write comes after that.
            WaitForSingleObject(without_provenance_mut(event), INFINITE);
            let data: *const u8 = std::ptr::with_exposed_provenance(data);
            data.read_volatile()
        });
        process.enter(|| unsafe {
            Sleep(1);
            WriteFile(without_provenance_mut(file), b"w".as_ptr(), 1, null_mut(), null_mut());
        });
        assert_eq!(watcher.join().expect("no panic"), b'w');
        assert_eq!(reader.join().expect("no panic"), 1);
        drop((block, buffer));
    }
}

#[test]
fn cancel_20_a_block_that_waits_for_its_packet_is_written_when_that_is_taken() {
    let sim = npfs::Simulation::new();
    let (process, other) = (sim.process("process"), sim.process("other"));
    let keeper = other.id().0;
    process.enter(|| unsafe {
        let (server, _client) = connected();
        let port = port();
        bind(server, port, 1);
        let mut read = overlapped();
        let at = &raw mut *read;
        let mut buffer = [0; 4];
        fails(ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), at), ERROR_IO_PENDING);
        let other = OpenProcess(PROCESS_DUP_HANDLE, 0, keeper);
        let mut there = null_mut();
        succeeds(DuplicateHandle(
            GetCurrentProcess(),
            server,
            other,
            &mut there,
            0,
            0,
            DUPLICATE_SAME_ACCESS,
        ));
        succeeds(CloseHandle(server));
        assert_eq!((*at).Internal, 0x103);
        assert_eq!(take(port), (0, 0, 1, at));
        assert_eq!((last_error(), (*at).Internal), (ERROR_OPERATION_ABORTED, 0xC000_0120));
    });
}

#[test]
fn read_43_sync_02_bad_buffers_are_refused_after_handle_and_rights() {
    inside(|_| {
        let (server, _client) = connected();
        let mut read = overlapped();
        unsafe {
            let bad = without_provenance_mut(8);
            fails(ReadFile(server, null_mut(), 4, null_mut(), &mut *read), ERROR_NOACCESS);
            fails(ReadFile(server, bad, 4, null_mut(), &mut *read), ERROR_NOACCESS);
            fails(ReadFile(null_mut(), bad, 4, null_mut(), &mut *read), ERROR_INVALID_HANDLE);
            fails(WriteFile(server, bad, 4, null_mut(), &mut *read), ERROR_NOACCESS);
            let name = wide(NAME);
            let reader = CreateFileW(name.as_ptr(), 0, 0, null(), OPEN_EXISTING, 0, null_mut());
            assert_eq!((reader, last_error()), (INVALID_HANDLE_VALUE, ERROR_PIPE_BUSY));
            let again = self::server(FILE_FLAG_OVERLAPPED);
            let reader = CreateFileW(name.as_ptr(), 0, 0, null(), OPEN_EXISTING, 0, null_mut());
            fails(WriteFile(reader, bad, 4, null_mut(), null_mut()), ERROR_ACCESS_DENIED);
            // Nothing is read or written where there are no bytes.
            let mut count = 9;
            succeeds(PeekNamedPipe(server, null_mut(), 0, &mut count, null_mut(), null_mut()));
            assert_eq!(count, 0);
            CloseHandle(again);
        }
    });
}

#[test]
fn null_pointers_that_windows_refuses_have_its_error() {
    inside(|_| unsafe {
        assert_eq!(CreateNamedPipeW(null(), 3, 0, 1, 0, 0, 0, null()), INVALID_HANDLE_VALUE);
        assert_eq!(last_error(), ERROR_PATH_NOT_FOUND); // NAME-02
        fails(CreatePipe(null_mut(), null_mut(), null(), 0), ERROR_NOACCESS);
        fails(GetNamedPipeClientProcessId(null_mut(), null_mut()), ERROR_INSUFFICIENT_BUFFER); // PID-02
        let port = port();
        let mut removed = 0;
        fails(GetQueuedCompletionStatusEx(port, null_mut(), 1, &mut removed, 0, 0), ERROR_NOACCESS);
        let mut count = 0;
        fails(GetOverlappedResult(port, null(), &mut count, 0), ERROR_NOACCESS);
        assert_eq!(WaitForMultipleObjects(1, null(), 0, 0), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_NOACCESS);
        assert_eq!(WaitForMultipleObjects(0, without_provenance(64), 0, 0), WAIT_FAILED);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
    });
}

#[test]
fn a_late_end_writes_nothing_into_the_buffer_of_a_call_without_overlapped() {
    // EVENT-16: a write signals the file object, so the read without OVERLAPPED returns early; the
    // data that comes later goes nowhere, as the buffer is the caller's again.
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let (server, client) = process.enter(connected);
    let (pipe, file) = (server.addr(), client.addr());
    let mut buffer = Box::new([7u8; 4]);
    let data = buffer.as_mut_ptr().expose_provenance();
    let reader = process.spawn("reader", move || unsafe {
        let data = std::ptr::with_exposed_provenance_mut(data);
        let mut count = 9;
        (ReadFile(without_provenance_mut(pipe), data, 4, &mut count, null_mut()), count)
    });
    process.enter(|| unsafe {
        Sleep(1);
        WriteFile(server, b"a".as_ptr(), 1, null_mut(), &mut *overlapped());
    });
    assert_eq!(reader.join().expect("no panic"), (1, 0));
    process.enter(|| unsafe {
        WriteFile(
            without_provenance_mut(file),
            b"late".as_ptr(),
            4,
            null_mut(),
            &mut *overlapped(),
        );
    });
    assert_eq!(*buffer, [7; 4]);
}

#[test]
fn the_last_error_is_the_threads_own_and_errno() {
    inside(|process| unsafe {
        SetLastError(1234);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(1234));
        let other =
            process.spawn("other", || (last_error(), CloseHandle(null_mut()), last_error()));
        assert_eq!(other.join().expect("no panic"), (0, 0, ERROR_INVALID_HANDLE));
        assert_eq!(last_error(), 1234);
        // A success leaves both.
        let event = event();
        SetLastError(1234);
        succeeds(SetEvent(event));
        assert_eq!(last_error(), 1234);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(1234));
        // A failure sets both.
        CloseHandle(null_mut());
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(6));
        assert!(is_empty(port()));
    });
}
