//! `windows_sys` 0.59 and 0.61, as far as the libraries use it: [`npfs_win32`], with operations
//! watched from their begin until their packet is taken.
#![allow(non_snake_case, clippy::missing_safety_doc, clippy::too_many_arguments)]

/// `windows_sys::Win32`
pub mod Win32 {
    pub use npfs_win32::Win32::*;

    /// Files and drivers.
    pub mod Storage {
        /// Files.
        pub mod FileSystem {
            pub use npfs_win32::Win32::Storage::FileSystem::*;

            use crate::surface::operations;
            use npfs_win32::Win32::Foundation::{GetLastError, HANDLE};
            use npfs_win32::Win32::Storage::FileSystem as real;
            use npfs_win32::Win32::System::IO::OVERLAPPED;

            /// `ReadFile`
            pub unsafe fn ReadFile(
                file: HANDLE,
                buffer: *mut u8,
                length: u32,
                transferred: *mut u32,
                overlapped: *mut OVERLAPPED,
            ) -> i32 {
                // SAFETY: the caller's promise is the one that the function wants.
                unsafe {
                    let result = real::ReadFile(file, buffer, length, transferred, overlapped);
                    operations::begun(overlapped, result, GetLastError());
                    result
                }
            }

            /// `WriteFile`
            pub unsafe fn WriteFile(
                file: HANDLE,
                buffer: *const u8,
                length: u32,
                transferred: *mut u32,
                overlapped: *mut OVERLAPPED,
            ) -> i32 {
                // SAFETY: the caller's promise is the one that the function wants.
                unsafe {
                    let result = real::WriteFile(file, buffer, length, transferred, overlapped);
                    operations::begun(overlapped, result, GetLastError());
                    result
                }
            }
        }
    }

    /// The system.
    pub mod System {
        /// Named pipes.
        pub mod Pipes {
            pub use npfs_win32::Win32::System::Pipes::*;

            use crate::surface::operations;
            use npfs_win32::Win32::Foundation::{GetLastError, HANDLE};
            use npfs_win32::Win32::System::Pipes as real;
            use npfs_win32::Win32::System::IO::OVERLAPPED;

            /// `ConnectNamedPipe`
            pub unsafe fn ConnectNamedPipe(pipe: HANDLE, overlapped: *mut OVERLAPPED) -> i32 {
                // SAFETY: the caller's promise is the one that the function wants.
                unsafe {
                    let result = real::ConnectNamedPipe(pipe, overlapped);
                    operations::begun(overlapped, result, GetLastError());
                    result
                }
            }
        }

        /// Completion ports.
        pub mod IO {
            pub use npfs_win32::Win32::System::IO::*;

            use crate::surface::operations;
            use npfs_win32::Win32::Foundation::HANDLE;
            use npfs_win32::Win32::System::IO as real;

            /// `GetQueuedCompletionStatusEx`
            pub unsafe fn GetQueuedCompletionStatusEx(
                port: HANDLE,
                entries: *mut OVERLAPPED_ENTRY,
                count: u32,
                removed: *mut u32,
                milliseconds: u32,
                alertable: i32,
            ) -> i32 {
                // SAFETY: the caller's promise is the one that the function wants; it has written
                // so many entries.
                unsafe {
                    let result = real::GetQueuedCompletionStatusEx(
                        port,
                        entries,
                        count,
                        removed,
                        milliseconds,
                        alertable,
                    );
                    if result != 0 {
                        for place in 0..*removed as usize {
                            operations::taken((*entries.add(place)).lpOverlapped);
                        }
                    }
                    result
                }
            }
        }
    }
}

/// `windows_sys::Wdk`
pub mod Wdk {
    pub use npfs_win32::Wdk::Storage;

    /// What mio asks of the AFD driver, which does not exist: it is never called, as there are no
    /// sockets to register.
    pub mod System {
        /// Input and output.
        pub mod IO {
            use std::ffi::c_void;

            use npfs_win32::Win32::Foundation::{HANDLE, NTSTATUS, STATUS_NOT_IMPLEMENTED};
            use npfs_win32::Win32::System::IO::IO_STATUS_BLOCK;

            /// `NtDeviceIoControlFile`
            pub unsafe fn NtDeviceIoControlFile(
                _: HANDLE,
                _: HANDLE,
                _: Option<unsafe extern "system" fn()>,
                _: *const c_void,
                _: *mut IO_STATUS_BLOCK,
                _: u32,
                _: *const c_void,
                _: u32,
                _: *mut c_void,
                _: u32,
            ) -> NTSTATUS {
                STATUS_NOT_IMPLEMENTED
            }
        }
    }
}
