//! CANCEL: by thread, by OVERLAPPED, and of a thread that sleeps.

use crate::common::*;
use crate::ports::{bind, is_empty, port, take};
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::IO::*;
use npfs_win32::Win32::System::Threading::*;
use std::ptr::{null, null_mut};

#[test]
fn cancel_06_09_12_one_operation_by_its_overlapped_and_only_once() {
    inside(|_| {
        let (server, client) = connected();
        let (mut one, mut other) = (overlapped(), overlapped());
        let (mut first, mut second) = ([0; 4], [0; 4]);
        unsafe {
            let pends = |buffer: *mut u8, at: *mut OVERLAPPED| {
                fails(ReadFile(server, buffer, 4, null_mut(), at), ERROR_IO_PENDING);
            };
            pends(first.as_mut_ptr(), &mut *one);
            pends(second.as_mut_ptr(), &mut *other);
            succeeds(CancelIoEx(server, &*one));
            assert_eq!((one.Internal, one.InternalHigh), (0xC000_0120, 0));
            assert_eq!(other.Internal, 0x103);
            fails(CancelIoEx(server, &*one), ERROR_NOT_FOUND);
            let mut count = 9;
            fails(GetOverlappedResult(server, &*one, &mut count, 1), ERROR_OPERATION_ABORTED);
            assert_eq!(count, 0); // CANCEL-10
            WriteFile(client, b"data".as_ptr(), 4, null_mut(), &mut *overlapped());
            succeeds(GetOverlappedResult(server, &*other, &mut count, 0));
            assert_eq!((count, &second), (4, b"data"));
            assert_eq!(first, [0; 4]);
        }
    });
}

#[test]
fn cancel_08_everything_of_the_process() {
    inside(|_| {
        let (server, _client) = connected();
        let mut blocks = [overlapped(), overlapped()];
        let mut buffer = [0; 4];
        unsafe {
            fails(CancelIoEx(server, null()), ERROR_NOT_FOUND);
            for block in &mut blocks {
                ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), &mut **block);
            }
            succeeds(CancelIoEx(server, null()));
            assert!(blocks.iter().all(|block| block.Internal == 0xC000_0120));
            fails(CancelIoEx(HANDLE::default(), null()), ERROR_INVALID_HANDLE);
            fails(CancelIoEx(null_mut(), &*blocks[0]), ERROR_INVALID_HANDLE);
        }
    });
}

#[test]
fn cancel_07_two_operations_that_share_an_overlapped() {
    inside(|_| {
        let (server, _client) = connected();
        let port = port();
        bind(server, port, 1);
        let mut shared = overlapped();
        let at = &raw mut *shared;
        let mut buffer = [0; 4];
        unsafe {
            ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), at);
            ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), at);
            succeeds(CancelIoEx(server, at));
            assert_eq!(take(port), (0, 0, 1, at));
            assert_eq!(take(port), (0, 0, 1, at));
        }
        assert!(is_empty(port));
    });
}

#[test]
fn cancel_01_03_only_what_the_calling_thread_has_begun() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let (server, _client) = process.enter(connected);
    let number = server.addr();
    let mut buffer = [0; 4];
    let mut read = overlapped();
    process.enter(|| unsafe {
        ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), &mut *read);
    });
    let other = process
        .spawn("other", move || unsafe { CancelIo(std::ptr::without_provenance_mut(number)) });
    // CANCEL-02: it has nothing there, and that is fine.
    assert_eq!(other.join().expect("no panic"), 1);
    assert_eq!(read.Internal, 0x103);
    process.enter(|| unsafe {
        succeeds(CancelIo(server));
    });
    assert_eq!(read.Internal, 0xC000_0120);
}

#[test]
fn cancel_21_23_24_the_call_that_a_thread_sleeps_in() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let (pipe, _client) = process.enter(|| (server(0), client(0)));
    let pipe = pipe.addr();
    let reader = process.spawn("reader", move || unsafe {
        let mut byte = 0;
        let mut count = 5;
        let read =
            ReadFile(std::ptr::without_provenance_mut(pipe), &mut byte, 1, &mut count, null_mut());
        (read, last_error(), count)
    });
    let id = reader.thread().0;
    process.enter(|| unsafe {
        Sleep(1);
        let thread = OpenThread(THREAD_ALL_ACCESS, 0, id);
        fails(CancelSynchronousIo(GetCurrentThread()), ERROR_NOT_FOUND);
        fails(CancelSynchronousIo(null_mut()), ERROR_INVALID_HANDLE);
        succeeds(CancelSynchronousIo(thread));
    });
    assert_eq!(reader.join().expect("no panic"), (0, ERROR_OPERATION_ABORTED, 0));
}
