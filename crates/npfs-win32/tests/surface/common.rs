//! A helper a state: simulations with a process entered, pipes listening and connected.

use npfs::{Process, Simulation};
use npfs_win32::Win32::Foundation::{CloseHandle, GetLastError, HANDLE, INVALID_HANDLE_VALUE};
use npfs_win32::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_OVERLAPPED, FILE_GENERIC_READ, FILE_GENERIC_WRITE, OPEN_EXISTING,
    PIPE_ACCESS_DUPLEX,
};
use npfs_win32::Win32::System::IO::OVERLAPPED;
use npfs_win32::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_MESSAGE, PIPE_TYPE_MESSAGE,
};
use npfs_win32::Win32::System::Threading::CreateEventW;
use std::ptr::{null, null_mut};

pub const NAME: &str = r"\\.\pipe\test";

/// Runs `work` inside the only process of a fresh simulation.
pub fn inside(work: impl FnOnce(&Process)) {
    let sim = Simulation::new();
    let process = sim.process("process");
    process.enter(|| work(&process));
}

pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A server end: message pipe of two instances, 64 bytes each way.
pub fn server(flags: u32) -> HANDLE {
    let name = wide(NAME);
    let mode = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE;
    let open = PIPE_ACCESS_DUPLEX | flags;
    let pipe = unsafe { CreateNamedPipeW(name.as_ptr(), open, mode, 2, 64, 64, 0, null()) };
    assert_ne!(pipe, INVALID_HANDLE_VALUE, "error {}", last_error());
    pipe
}

pub fn client(flags: u32) -> HANDLE {
    let name = wide(NAME);
    let access = FILE_GENERIC_READ | FILE_GENERIC_WRITE;
    let file =
        unsafe { CreateFileW(name.as_ptr(), access, 0, null(), OPEN_EXISTING, flags, null_mut()) };
    assert_ne!(file, INVALID_HANDLE_VALUE, "error {}", last_error());
    file
}

/// Server end and client end, connected, both overlapped.
pub fn connected() -> (HANDLE, HANDLE) {
    (server(FILE_FLAG_OVERLAPPED), client(FILE_FLAG_OVERLAPPED))
}

pub fn event() -> HANDLE {
    unsafe { CreateEventW(null(), 1, 0, null()) }
}

pub fn last_error() -> u32 {
    unsafe { GetLastError() }
}

pub fn close<const N: usize>(handles: [HANDLE; N]) {
    for handle in handles {
        succeeds(unsafe { CloseHandle(handle) });
    }
}

/// What a failed call left behind.
#[track_caller]
pub fn fails(result: i32, code: u32) {
    assert_eq!((result, last_error()), (0, code));
}

#[track_caller]
pub fn succeeds(result: i32) {
    assert_ne!(result, 0, "error {}", last_error());
}

pub fn overlapped() -> Box<OVERLAPPED> {
    Box::default()
}

/// `hEvent`
pub fn with_event(event: HANDLE) -> Box<OVERLAPPED> {
    Box::new(OVERLAPPED { hEvent: event, ..OVERLAPPED::default() })
}
