//! The other end of the pipe: plain blocking calls, as a simple client makes them.

use std::ffi::OsStr;
use std::io;
use std::ptr::{null, null_mut};

use npfs_win32::os::windows::ffi::OsStrExt;
use npfs_win32::Win32::Foundation::{
    CloseHandle, GetLastError, ERROR_PIPE_BUSY, GENERIC_READ, GENERIC_WRITE, HANDLE,
    INVALID_HANDLE_VALUE,
};
use npfs_win32::Win32::Storage::FileSystem::{
    CreateFileW, ReadFile, WriteFile, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED,
    OPEN_EXISTING, PIPE_ACCESS_DUPLEX,
};
use npfs_win32::Win32::System::Pipes::{
    CreateNamedPipeW, WaitNamedPipeW, NMPWAIT_WAIT_FOREVER, PIPE_READMODE_MESSAGE, PIPE_TYPE_BYTE,
    PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES,
};

/// The one pipe of every program.
pub const NAME: &str = r"\\.\pipe\corpus";

fn wide(name: &str) -> Vec<u16> {
    OsStr::new(name).encode_wide().chain([0]).collect()
}

/// An overlapped server's end with so many bytes of quota each way, for libraries that take
/// handles.
pub fn instance(message: bool, quota: u32) -> HANDLE {
    let mode = if message { PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE } else { PIPE_TYPE_BYTE };
    // SAFETY: the name ends with a nought, and null is no security descriptor.
    let handle = unsafe {
        CreateNamedPipeW(
            wide(NAME).as_ptr(),
            PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_OVERLAPPED,
            mode,
            PIPE_UNLIMITED_INSTANCES,
            quota,
            quota,
            0,
            null(),
        )
    };
    assert_ne!(handle, INVALID_HANDLE_VALUE, "{}", io::Error::last_os_error());
    handle
}

/// A connected client.
pub struct Peer(HANDLE);

impl Peer {
    /// Opens the pipe; waits while it is busy.
    pub fn open() -> Peer {
        loop {
            // SAFETY: the name ends with a nought, and null is no security descriptor.
            let handle = unsafe {
                CreateFileW(
                    wide(NAME).as_ptr(),
                    GENERIC_READ | GENERIC_WRITE,
                    0,
                    null(),
                    OPEN_EXISTING,
                    0,
                    null_mut(),
                )
            };
            if handle != INVALID_HANDLE_VALUE {
                return Peer(handle);
            }
            // SAFETY: reads the last error of this thread; the name ends with a nought.
            unsafe {
                assert_eq!(GetLastError(), ERROR_PIPE_BUSY, "{}", io::Error::last_os_error());
                WaitNamedPipeW(wide(NAME).as_ptr(), NMPWAIT_WAIT_FOREVER);
            }
        }
    }

    /// Writes; an error is no matter, as it is the server's end that is looked at.
    pub fn write(&self, bytes: &[u8]) {
        let mut written = 0;
        // SAFETY: the bytes live during the call, which blocks until its end.
        unsafe {
            WriteFile(self.0, bytes.as_ptr(), bytes.len() as u32, &mut written, null_mut());
        }
    }

    /// Waits for a byte or for the end of the pipe.
    pub fn read_byte(&self) {
        let (mut byte, mut read) = (0, 0);
        // SAFETY: the byte lives during the call, which blocks until its end.
        unsafe {
            ReadFile(self.0, &mut byte, 1, &mut read, null_mut());
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SAFETY: nobody else has the handle.
        unsafe {
            CloseHandle(self.0);
        }
    }
}
