//! With the feature `export-symbols`, code that knows windows-sys alone is linked to the surface.
#![cfg(all(feature = "export-symbols", not(any(windows, loom, shuttle))))]
#![allow(clippy::undocumented_unsafe_blocks)]

use npfs_win32 as _;
use std::io::Error;
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::*;
use windows_sys::Win32::Storage::FileSystem::*;
use windows_sys::Win32::System::Pipes::*;
use windows_sys::core::w;

#[test]
fn windows_sys_reaches_the_surface() {
    unsafe {
        let name = w!(r"\\.\pipe\exported");
        let pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, 0, 1, 64, 64, 0, null());
        assert_ne!(pipe, INVALID_HANDLE_VALUE);
        let again = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, 0, 1, 64, 64, 0, null());
        assert_eq!(again, INVALID_HANDLE_VALUE);
        assert_eq!(Error::last_os_error().raw_os_error(), Some(ERROR_PIPE_BUSY as i32));
        let file = CreateFileW(
            name,
            GENERIC_READ | GENERIC_WRITE,
            0,
            null(),
            OPEN_EXISTING,
            0,
            null_mut(),
        );
        let mut count = 0;
        assert_eq!(WriteFile(file, b"linked".as_ptr(), 6, &mut count, null_mut()), 1);
        let mut buffer = [0; 8];
        assert_eq!(ReadFile(pipe, buffer.as_mut_ptr(), 8, &mut count, null_mut()), 1);
        assert_eq!(&buffer[..count as usize], b"linked");
        assert_eq!((CloseHandle(file), CloseHandle(pipe)), (1, 1));
        assert_eq!(CloseHandle(pipe), 0);
        assert_eq!(Error::last_os_error().raw_os_error(), Some(ERROR_INVALID_HANDLE as i32));
        // By name and by path it is one simulation.
        assert_eq!(npfs_win32::Win32::Foundation::GetLastError(), GetLastError());
    }
}
