//! IOCP: packets, keys, and the caller's pointers.

use crate::common::*;
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::IO::*;
use npfs_win32::Win32::System::Pipes::*;
use npfs_win32::Win32::System::Threading::*;
use std::ptr::{null, null_mut};

pub fn port() -> HANDLE {
    unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 0) }
}

pub fn bind(file: HANDLE, port: HANDLE, key: usize) {
    assert_eq!(unsafe { CreateIoCompletionPort(file, port, key, 0) }, port);
}

/// Result, bytes, key, OVERLAPPED.
pub fn take(port: HANDLE) -> (i32, u32, usize, *mut OVERLAPPED) {
    let (mut bytes, mut key, mut overlapped) = (77, 77, null_mut());
    let done = unsafe { GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, 0) };
    (done, bytes, key, overlapped)
}

pub fn is_empty(port: HANDLE) -> bool {
    let (done, _, _, overlapped) = take(port);
    done == 0 && overlapped.is_null() && last_error() == WAIT_TIMEOUT
}

#[test]
fn iocp_01_13_a_packet_carries_the_callers_overlapped_and_the_event_is_set() {
    inside(|_| {
        let (server, client) = connected();
        let port = port();
        bind(server, port, 7);
        let event = event();
        let mut read = with_event(event);
        let mut buffer = [0; 16];
        let at = &raw mut *read;
        unsafe {
            fails(ReadFile(server, buffer.as_mut_ptr(), 16, null_mut(), at), ERROR_IO_PENDING);
            let mut count = 0;
            succeeds(WriteFile(client, b"hello".as_ptr(), 5, &mut count, &mut *overlapped()));
            assert_eq!(count, 5);
            assert_eq!(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        }
        assert_eq!(take(port), (1, 5, 7, at));
        assert_eq!(&buffer[..5], b"hello");
        assert!(is_empty(port));
    });
}

#[test]
fn iocp_03_04_a_call_that_fails_at_once_sends_no_packet() {
    inside(|_| {
        let (server, client) = connected();
        let port = port();
        bind(server, port, 1);
        unsafe {
            fails(ConnectNamedPipe(server, &mut *overlapped()), ERROR_PIPE_CONNECTED);
            CloseHandle(client);
            let mut buffer = [0; 4];
            let mut read = overlapped();
            fails(
                ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), &mut *read),
                ERROR_BROKEN_PIPE,
            );
        }
        assert!(is_empty(port));
    });
}

#[test]
fn iocp_05_event_29_the_low_bit_of_the_event_keeps_the_packet_away() {
    inside(|_| {
        let (server, client) = connected();
        let port = port();
        bind(server, port, 1);
        let event = event();
        let mut read = with_event(event.map_addr(|address| address | 1));
        let mut buffer = [0; 4];
        unsafe {
            fails(
                ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), &mut *read),
                ERROR_IO_PENDING,
            );
            WriteFile(client, b"x".as_ptr(), 1, null_mut(), &mut *overlapped());
            assert_eq!(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
            let mut count = 0;
            succeeds(GetOverlappedResult(server, &*read, &mut count, 1));
            assert_eq!((count, buffer[0]), (1, b'x'));
        }
        assert!(is_empty(port));
    });
}

#[test]
fn iocp_06_09_packets_of_immediate_successes_can_be_left_out() {
    inside(|_| {
        let (server, client) = connected();
        let port = port();
        bind(server, port, 1);
        unsafe {
            succeeds(SetFileCompletionNotificationModes(server, 1));
            let mut count = 0;
            let mut write = overlapped();
            succeeds(WriteFile(server, b"out".as_ptr(), 3, &mut count, &mut *write));
            assert_eq!((count, write.Internal, write.InternalHigh), (3, 0, 3));
            assert!(is_empty(port));
            let mut buffer = [0; 4];
            let mut read = overlapped();
            let at = &raw mut *read;
            fails(ReadFile(server, buffer.as_mut_ptr(), 4, null_mut(), at), ERROR_IO_PENDING);
            WriteFile(client, b"in".as_ptr(), 2, null_mut(), &mut *overlapped());
            assert_eq!(take(port), (1, 2, 1, at));
        }
    });
}

#[test]
fn iocp_15_a_packet_with_a_warning_or_an_error_is_a_failure_with_bytes() {
    inside(|_| {
        let (server, client) = connected();
        let port = port();
        bind(server, port, 5);
        unsafe {
            let mut buffer = [0; 2];
            let mut read = overlapped();
            let at = &raw mut *read;
            fails(ReadFile(server, buffer.as_mut_ptr(), 2, null_mut(), at), ERROR_IO_PENDING);
            WriteFile(client, b"long".as_ptr(), 4, null_mut(), &mut *overlapped());
            assert_eq!(take(port), (0, 2, 5, at));
            assert_eq!(last_error(), ERROR_MORE_DATA);
            assert_eq!((read.Internal, read.InternalHigh), (0x8000_0005, 2));
            // The rest at once: a warning too long for the buffer sends a packet as well.
            let mut rest = overlapped();
            let at = &raw mut *rest;
            let mut one = [0; 1];
            fails(ReadFile(server, one.as_mut_ptr(), 1, null_mut(), at), ERROR_MORE_DATA);
            assert_eq!(take(port), (0, 1, 5, at));
            let mut last = overlapped();
            let at = &raw mut *last;
            succeeds(ReadFile(server, one.as_mut_ptr(), 1, null_mut(), at));
            assert_eq!(take(port), (1, 1, 5, at));
            fails(ReadFile(server, one.as_mut_ptr(), 1, null_mut(), at), ERROR_IO_PENDING);
            CloseHandle(client);
            assert_eq!(take(port), (0, 0, 5, at));
            assert_eq!(last_error(), ERROR_BROKEN_PIPE);
        }
    });
}

#[test]
fn iocp_16_a_time_out_leaves_a_null_overlapped() {
    inside(|_| {
        let port = port();
        assert!(is_empty(port));
        let (mut bytes, mut key, mut overlapped) = (0, 0, std::ptr::dangling_mut());
        let done =
            unsafe { GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, 10) };
        fails(done, WAIT_TIMEOUT);
        assert!(overlapped.is_null());
    });
}

#[test]
fn iocp_17_closing_the_own_handle_tells_the_port() {
    inside(|_| {
        let (server, _client) = connected();
        let port = port();
        bind(server, port, 3);
        let mut buffer = [0; 2];
        let mut read = overlapped();
        let at = &raw mut *read;
        unsafe {
            fails(ReadFile(server, buffer.as_mut_ptr(), 2, null_mut(), at), ERROR_IO_PENDING);
            CloseHandle(server);
        }
        assert_eq!(take(port), (0, 0, 3, at));
        assert_eq!(last_error(), ERROR_BROKEN_PIPE);
    });
}

#[test]
fn iocp_19_20_a_file_is_bound_once_and_a_synchronous_one_never() {
    inside(|_| {
        let (server, _client) = connected();
        let (first, second) = (port(), port());
        bind(server, first, 1);
        unsafe {
            assert!(CreateIoCompletionPort(server, second, 1, 0).is_null());
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
            let synchronous = self::server(0);
            assert!(CreateIoCompletionPort(synchronous, first, 1, 0).is_null());
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        }
    });
}

#[test]
fn posted_packets_come_back_as_posted_in_order_and_several_at_once() {
    inside(|_| {
        let port = port();
        let pointer = std::ptr::without_provenance_mut::<OVERLAPPED>(0x1234);
        unsafe {
            succeeds(PostQueuedCompletionStatus(port, 1, 10, pointer));
            succeeds(PostQueuedCompletionStatus(port, 2, 20, null()));
            let mut entries = [OVERLAPPED_ENTRY::default(); 4];
            let mut removed = 9;
            succeeds(GetQueuedCompletionStatusEx(
                port,
                entries.as_mut_ptr(),
                4,
                &mut removed,
                INFINITE,
                0,
            ));
            assert_eq!(removed, 2);
            let seen: Vec<_> = entries[..2]
                .iter()
                .map(|entry| {
                    (entry.lpCompletionKey, entry.dwNumberOfBytesTransferred, entry.lpOverlapped)
                })
                .collect();
            assert_eq!(seen, [(10, 1, pointer), (20, 2, null_mut())]);
            let done =
                GetQueuedCompletionStatusEx(port, entries.as_mut_ptr(), 4, &mut removed, 5, 0);
            fails(done, WAIT_TIMEOUT);
            assert_eq!(removed, 0);
            let none =
                GetQueuedCompletionStatusEx(port, entries.as_mut_ptr(), 0, &mut removed, 0, 0);
            fails(none, ERROR_INVALID_PARAMETER);
        }
    });
}

#[test]
fn many_immediate_operations_keep_their_pointers_apart() {
    // More than the host keeps before it looks for names that no packet will carry.
    inside(|_| {
        let (server, client) = connected();
        let port = port();
        bind(client, port, 9);
        let blocks: Vec<_> = (0..200).map(|_| overlapped()).collect();
        for (number, block) in blocks.iter().enumerate() {
            let byte = number as u8;
            let at = (&raw const **block).cast_mut();
            let mut buffer = [0; 1];
            unsafe {
                succeeds(WriteFile(client, &byte, 1, null_mut(), at));
                succeeds(ReadFile(server, buffer.as_mut_ptr(), 1, null_mut(), &mut *overlapped()));
            }
            assert_eq!(buffer, [byte]);
        }
        for block in &blocks {
            assert_eq!(take(port), (1, 1, 9, (&raw const **block).cast_mut()));
        }
        assert!(is_empty(port));
    });
}

#[test]
fn a_port_that_is_closed_ends_the_waits_on_it() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let port = process.enter(port).addr();
    let waiter = process.spawn("waiter", move || {
        let port = std::ptr::without_provenance_mut(port);
        let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
        let done = unsafe {
            GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, INFINITE)
        };
        (done, last_error())
    });
    process.enter(|| unsafe {
        // The waiter has to be asleep, which virtual time tells.
        Sleep(1);
        succeeds(CloseHandle(std::ptr::without_provenance_mut(port)));
    });
    assert_eq!(waiter.join().expect("no panic"), (0, ERROR_ABANDONED_WAIT_0));
}
