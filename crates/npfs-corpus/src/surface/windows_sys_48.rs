//! `windows_sys` 0.48, whose handles are integers, as far as the libraries use it.
#![allow(non_snake_case, clippy::missing_safety_doc, clippy::too_many_arguments)]

use super::windows_sys as new;
use new::Win32::Foundation::HANDLE as Pointer;
use new::Win32::System::IO::OVERLAPPED;

/// The handle of the newer releases.
fn pointer(handle: isize) -> Pointer {
    std::ptr::without_provenance_mut(handle.cast_unsigned())
}

/// The functions that take handles, passed on.
macro_rules! functions {
    ($from:path: $(fn $name:ident($handle:ident; $($parameter:ident: $type:ty),*);)*) => { $(
        /// The function of this name.
        pub unsafe fn $name($handle: isize, $($parameter: $type),*) -> i32 {
            use $from as from;
            // SAFETY: the caller's promise is the one that the function wants.
            unsafe { from::$name(pointer($handle), $($parameter),*) }
        }
    )* };
}

/// `windows_sys::Win32`
pub mod Win32 {
    use super::{new, pointer, OVERLAPPED};

    /// Handles and the last error.
    pub mod Foundation {
        use super::{new, pointer};
        pub use new::Win32::Foundation::*;

        /// An integer.
        pub type HANDLE = isize;
        /// The integer.
        pub const INVALID_HANDLE_VALUE: HANDLE = -1;

        functions! { new::Win32::Foundation:
            fn CloseHandle(handle;);
        }
    }

    /// Files and drivers.
    pub mod Storage {
        /// Files.
        pub mod FileSystem {
            use super::super::{new, pointer, OVERLAPPED};
            pub use new::Win32::Storage::FileSystem::*;
            use std::ffi::c_void;

            /// `ReadFile`, whose buffer is untyped here.
            pub unsafe fn ReadFile(
                file: isize,
                buffer: *mut c_void,
                length: u32,
                transferred: *mut u32,
                overlapped: *mut OVERLAPPED,
            ) -> i32 {
                use new::Win32::Storage::FileSystem as from;
                // SAFETY: the caller's promise is the one that the function wants.
                unsafe {
                    from::ReadFile(pointer(file), buffer.cast(), length, transferred, overlapped)
                }
            }

            functions! { new::Win32::Storage::FileSystem:
                fn WriteFile(file; buffer: *const u8, length: u32, transferred: *mut u32,
                    overlapped: *mut OVERLAPPED);
            }
        }
    }

    /// The system.
    pub mod System {
        /// Named pipes.
        pub mod Pipes {
            use super::super::{new, pointer, OVERLAPPED};
            pub use new::Win32::System::Pipes::*;

            functions! { new::Win32::System::Pipes:
                fn ConnectNamedPipe(pipe; overlapped: *mut OVERLAPPED);
                fn DisconnectNamedPipe(pipe;);
            }

            /// `CreateNamedPipeW`
            pub unsafe fn CreateNamedPipeW(
                name: *const u16,
                open_mode: u32,
                pipe_mode: u32,
                max_instances: u32,
                out_buffer: u32,
                in_buffer: u32,
                timeout: u32,
                security: *const new::Win32::Security::SECURITY_ATTRIBUTES,
            ) -> isize {
                use new::Win32::System::Pipes as from;
                // SAFETY: the caller's promise is the one that the function wants.
                let handle = unsafe {
                    from::CreateNamedPipeW(
                        name, open_mode, pipe_mode, max_instances, out_buffer, in_buffer, timeout,
                        security,
                    )
                };
                handle.addr().cast_signed()
            }
        }

        /// Completion ports.
        pub mod IO {
            use super::super::{new, pointer};
            pub use new::Win32::System::IO::*;

            functions! { new::Win32::System::IO:
                fn CancelIoEx(file; overlapped: *const OVERLAPPED);
                fn GetOverlappedResult(file; overlapped: *const OVERLAPPED,
                    transferred: *mut u32, wait: i32);
                fn GetQueuedCompletionStatusEx(port; entries: *mut OVERLAPPED_ENTRY, count: u32,
                    removed: *mut u32, milliseconds: u32, alertable: i32);
                fn PostQueuedCompletionStatus(port; transferred: u32, key: usize,
                    overlapped: *const OVERLAPPED);
            }

            /// `CreateIoCompletionPort`
            pub unsafe fn CreateIoCompletionPort(
                file: isize,
                port: isize,
                key: usize,
                threads: u32,
            ) -> isize {
                use new::Win32::System::IO as from;
                // SAFETY: the caller's promise is the one that the function wants.
                let port = unsafe {
                    from::CreateIoCompletionPort(pointer(file), pointer(port), key, threads)
                };
                port.addr().cast_signed()
            }
        }

        /// What Nt functions mio asks of the AFD driver, which does not exist.
        pub mod WindowsProgramming {
            use std::ffi::c_void;

            pub use super::super::new::Win32::System::IO::{IO_STATUS_BLOCK, IO_STATUS_BLOCK_0};
            use super::super::Foundation::{NTSTATUS, STATUS_NOT_IMPLEMENTED};

            /// `NtDeviceIoControlFile`
            pub unsafe fn NtDeviceIoControlFile(
                _: isize,
                _: isize,
                _: Option<unsafe extern "system" fn()>,
                _: *mut c_void,
                _: *mut IO_STATUS_BLOCK,
                _: u32,
                _: *mut c_void,
                _: u32,
                _: *mut c_void,
                _: u32,
            ) -> NTSTATUS {
                STATUS_NOT_IMPLEMENTED
            }
        }
    }
}

/// mio declares this one itself.
#[allow(unsafe_code)]
#[no_mangle]
extern "system" fn NtCancelIoFileEx(
    _: isize,
    _: *mut new::Win32::System::IO::IO_STATUS_BLOCK,
    _: *mut new::Win32::System::IO::IO_STATUS_BLOCK,
) -> i32 {
    new::Win32::Foundation::STATUS_NOT_IMPLEMENTED
}
