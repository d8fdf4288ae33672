//! A bug that AddressSanitizer finds through the surface: the memory of a pending read is freed
//! before its end, and the end writes to it, as on Windows. `.ci/asan` expects the report.

use npfs_win32::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE};
use npfs_win32::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, PIPE_ACCESS_DUPLEX, ReadFile, WriteFile,
};
use npfs_win32::Win32::System::IO::OVERLAPPED;
use npfs_win32::Win32::System::Pipes::CreateNamedPipeW;
use npfs_win32::core::w;
use std::ptr::{null, null_mut};

fn main() {
    let (name, open) = (w!(r"\\.\pipe\dangling"), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED);
    let access = GENERIC_READ | GENERIC_WRITE;
    let mut count = 0;
    // SAFETY: there is none, and that is the point: the boxes go before the operation ends.
    unsafe {
        let pipe = CreateNamedPipeW(name, open, 0, 1, 64, 64, 0, null());
        let file = CreateFileW(name, access, 0, null(), OPEN_EXISTING, 0, null_mut());
        {
            let mut overlapped = Box::new(OVERLAPPED::default());
            let mut buffer = vec![0; 64];
            ReadFile(pipe, buffer.as_mut_ptr(), 64, null_mut(), &mut *overlapped);
        }
        WriteFile(file, b"late".as_ptr(), 4, &mut count, null_mut());
    }
    println!("nobody has seen it");
}
