//! The functions of `Win32::System::Pipes`.

use crate::common::*;
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::Pipes::*;
use npfs_win32::Win32::System::Threading::*;
use std::ptr::{null, null_mut, without_provenance_mut};

#[test]
fn create_08_a_further_instance_already_exists() {
    inside(|_| unsafe {
        SetLastError(5);
        server(0);
        assert_eq!(last_error(), 0);
        server(0);
        assert_eq!(last_error(), ERROR_ALREADY_EXISTS);
        let name = wide(NAME);
        let third = CreateNamedPipeW(name.as_ptr(), 3, 4, 2, 0, 0, 0, null());
        assert_eq!((third, last_error()), (INVALID_HANDLE_VALUE, ERROR_PIPE_BUSY));
    });
}

#[test]
fn create_01_name_01_refusals() {
    inside(|_| unsafe {
        let name = wide(NAME);
        let none = CreateNamedPipeW(name.as_ptr(), 3, 0, 0, 0, 0, 0, null());
        assert_eq!((none, last_error()), (INVALID_HANDLE_VALUE, ERROR_INVALID_PARAMETER));
        let elsewhere = wide("not a named pipe");
        let none = CreateNamedPipeW(elsewhere.as_ptr(), 3, 0, 1, 0, 0, 0, null());
        assert_eq!((none, last_error()), (INVALID_HANDLE_VALUE, ERROR_INVALID_NAME));
        let none =
            CreateFileA(c"\\\\.\\pipe\\nobody".as_ptr().cast(), 0, 0, null(), 3, 0, null_mut());
        assert_eq!((none, last_error()), (INVALID_HANDLE_VALUE, ERROR_FILE_NOT_FOUND));
        let none = CreateFileW(name.as_ptr(), 0, 0, null(), 9, 0, null_mut());
        assert_eq!((none, last_error()), (INVALID_HANDLE_VALUE, ERROR_INVALID_PARAMETER));
    });
}

#[test]
fn a_and_w_forms_are_the_same_pipe() {
    inside(|_| unsafe {
        let narrow = c"\\\\.\\pipe\\Test".as_ptr().cast();
        let pipe = CreateNamedPipeA(narrow, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, null());
        assert_ne!(pipe, INVALID_HANDLE_VALUE);
        succeeds(WaitNamedPipeA(narrow, 1));
        let client = client(0);
        fails(WaitNamedPipeW(wide(NAME).as_ptr(), 1), ERROR_SEM_TIMEOUT);
        let (mut mode, mut out, mut inn, mut most) = (9, 9, 9, 9);
        succeeds(GetNamedPipeInfo(pipe, &mut mode, &mut out, &mut inn, &mut most));
        assert_eq!((mode, out, inn, most), (PIPE_SERVER_END, 0, 0, 1));
        succeeds(GetNamedPipeInfo(client, &mut mode, null_mut(), null_mut(), null_mut()));
        assert_eq!(mode, 0);
    });
}

#[test]
fn info_29_30_31_modes_and_instances() {
    inside(|_| unsafe {
        let (server, client) = connected();
        let (mut mode, mut instances) = (9, 9);
        let ask = |pipe, mode: *mut u32, instances: *mut u32, collect: *mut u32| {
            GetNamedPipeHandleStateW(pipe, mode, instances, collect, null_mut(), null_mut(), 0)
        };
        succeeds(ask(server, &mut mode, &mut instances, null_mut()));
        assert_eq!((mode, instances), (PIPE_READMODE_MESSAGE, 1));
        succeeds(ask(client, &mut mode, null_mut(), null_mut()));
        assert_eq!(mode, 0);
        let both = PIPE_READMODE_MESSAGE | PIPE_NOWAIT;
        succeeds(SetNamedPipeHandleState(client, &both, null(), null()));
        succeeds(ask(client, &mut mode, null_mut(), null_mut()));
        assert_eq!(mode, both);
        let mut collect = 0;
        fails(ask(server, null_mut(), null_mut(), &mut collect), ERROR_INVALID_PARAMETER);
        succeeds(SetNamedPipeHandleState(client, null(), null(), null()));
    });
}

#[test]
fn info_33_the_clients_user_in_both_forms() {
    inside(|_| unsafe {
        let (server, client) = connected();
        let mut count = 0;
        WriteFile(client, b"x".as_ptr(), 1, &mut count, &mut *overlapped());
        let mut byte = 0;
        ReadFile(server, &mut byte, 1, &mut count, &mut *overlapped());
        let mut name = [0u16; 32];
        let none = null_mut();
        succeeds(GetNamedPipeHandleStateW(server, none, none, none, none, name.as_mut_ptr(), 32));
        let length = name.iter().position(|unit| *unit == 0).expect("an end");
        let wide = String::from_utf16_lossy(&name[..length]);
        let mut name = [0u8; 32];
        succeeds(GetNamedPipeHandleStateA(server, none, none, none, none, name.as_mut_ptr(), 32));
        assert_eq!(&name[..length], wide.as_bytes());
        assert!(length > 0);
        fails(
            GetNamedPipeHandleStateA(server, none, none, none, none, name.as_mut_ptr(), 1),
            ERROR_INSUFFICIENT_BUFFER,
        );
    });
}

#[test]
fn peek_08_09_10_16_shows_and_takes_nothing() {
    inside(|_| unsafe {
        let (server, client) = connected();
        let mut count = 0;
        WriteFile(client, b"first".as_ptr(), 5, &mut count, &mut *overlapped());
        WriteFile(client, b"second".as_ptr(), 6, &mut count, &mut *overlapped());
        let mut buffer = [0u8; 3];
        let (mut read, mut available, mut left) = (0, 0, 0);
        let at = buffer.as_mut_ptr().cast();
        succeeds(PeekNamedPipe(server, at, 3, &mut read, &mut available, &mut left));
        assert_eq!((&buffer, read, available, left), (b"fir", 3, 11, 2));
        // PEEK-05
        let mut all = [0; 16];
        ReadFile(server, all.as_mut_ptr(), 16, &mut count, &mut *overlapped());
        ReadFile(server, all.as_mut_ptr(), 16, &mut count, &mut *overlapped());
        CloseHandle(client);
        fails(
            PeekNamedPipe(server, at, 3, &mut read, &mut available, &mut left),
            ERROR_BROKEN_PIPE,
        );
        assert_eq!((read, available, left), (3, 11, 2));
    });
}

#[test]
fn transact_and_call_exchange_messages() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let pipe = process.enter(|| server(0).addr());
    let echo = process.spawn("echo", move || unsafe {
        let pipe = without_provenance_mut(pipe);
        for round in 0..2 {
            let mut buffer = [0; 16];
            let mut count = 0;
            if round == 0 {
                succeeds(ConnectNamedPipe(pipe, null_mut()));
            }
            succeeds(ReadFile(pipe, buffer.as_mut_ptr(), 16, &mut count, null_mut()));
            buffer[..count as usize].reverse();
            succeeds(WriteFile(pipe, buffer.as_ptr(), count, &mut count, null_mut()));
            if round == 0 {
                FlushFileBuffers(pipe);
                succeeds(DisconnectNamedPipe(pipe));
                succeeds(ConnectNamedPipe(pipe, null_mut()));
            }
        }
    });
    process.enter(|| unsafe {
        Sleep(1);
        let mut reply = [0u8; 16];
        let mut count = 0;
        let (name, at) = (wide(NAME), reply.as_mut_ptr().cast());
        succeeds(CallNamedPipeW(
            name.as_ptr(),
            b"abc".as_ptr().cast(),
            3,
            at,
            16,
            &mut count,
            1000,
        ));
        assert_eq!(&reply[..count as usize], b"cba");
        Sleep(1);
        let client = client(0);
        let mode = PIPE_READMODE_MESSAGE;
        succeeds(SetNamedPipeHandleState(client, &mode, null(), null()));
        let sent = b"four".as_ptr().cast();
        succeeds(TransactNamedPipe(client, sent, 4, at, 16, &mut count, null_mut()));
        assert_eq!(&reply[..count as usize], b"ruof");
    });
    echo.join().expect("no panic");
}

#[test]
fn pid_01_04_08_ids_of_both_ends() {
    inside(|process| unsafe {
        let (server, client) = connected();
        let id = process.id().0;
        assert_eq!(GetCurrentProcessId(), id);
        let mut seen = 0;
        for end in [server, client] {
            succeeds(GetNamedPipeClientProcessId(end, &mut seen));
            assert_eq!(seen, id);
            succeeds(GetNamedPipeServerProcessId(end, &mut seen));
            assert_eq!(seen, id);
            succeeds(GetNamedPipeClientSessionId(end, &mut seen));
            succeeds(GetNamedPipeServerSessionId(end, &mut seen));
        }
        succeeds(DisconnectNamedPipe(server));
        fails(GetNamedPipeClientProcessId(server, &mut seen), ERROR_NOT_FOUND);
        fails(GetNamedPipeClientProcessId(client, &mut seen), ERROR_PIPE_NOT_CONNECTED);
    });
}

#[test]
fn the_computer_of_a_remote_client() {
    let sim = npfs::Simulation::new();
    let (near, far) = (sim.process("near"), sim.remote_process("far", "ELSEWHERE"));
    let pipe = near.enter(|| server(FILE_FLAG_OVERLAPPED));
    let _client = far.enter(|| unsafe {
        let name = wide(r"\\server\pipe\test");
        CreateFileW(name.as_ptr(), GENERIC_READ, 0, null(), OPEN_EXISTING, 0, null_mut())
    });
    near.enter(|| unsafe {
        let mut name = [0u16; 10];
        succeeds(GetNamedPipeClientComputerNameW(pipe, name.as_mut_ptr(), 20));
        assert_eq!(String::from_utf16_lossy(&name[..9]), "ELSEWHERE");
        fails(GetNamedPipeClientComputerNameW(pipe, name.as_mut_ptr(), 10), ERROR_MORE_DATA);
        let mut name = [0u8; 10];
        succeeds(GetNamedPipeClientComputerNameA(pipe, name.as_mut_ptr(), 10));
        assert_eq!(&name, b"ELSEWHERE\0");
    });
}

#[test]
fn anon_01_05_09_an_anonymous_pipe() {
    inside(|_| unsafe {
        let (mut read, mut write) = (null_mut(), null_mut());
        succeeds(CreatePipe(&mut read, &mut write, null(), 0));
        let (mut flags, mut out) = (9, 9);
        succeeds(GetNamedPipeInfo(read, &mut flags, &mut out, null_mut(), null_mut()));
        assert_eq!((flags, out), (PIPE_SERVER_END, 4096));
        let mut count = 0;
        succeeds(WriteFile(write, b"bytes".as_ptr(), 5, &mut count, null_mut()));
        CloseHandle(write);
        let mut buffer = [0; 8];
        succeeds(ReadFile(read, buffer.as_mut_ptr(), 8, &mut count, null_mut()));
        assert_eq!(&buffer[..count as usize], b"bytes");
        fails(ReadFile(read, buffer.as_mut_ptr(), 8, &mut count, null_mut()), ERROR_BROKEN_PIPE);
        assert_eq!(count, 0);
    });
}
