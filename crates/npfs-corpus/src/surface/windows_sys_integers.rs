//! `windows_sys` 0.48 and 0.52, whose handles are integers, as far as the libraries use it.
#![allow(non_snake_case, clippy::missing_safety_doc, clippy::too_many_arguments)]

use super::windows_sys as new;
use new::Win32::Foundation::HANDLE as Pointer;
use new::Win32::System::IO::OVERLAPPED;

/// The handle of the newer releases.
fn pointer(handle: isize) -> Pointer {
    std::ptr::without_provenance_mut(handle as usize)
}

/// The handle of these releases.
fn integer(handle: Pointer) -> isize {
    handle.addr() as isize
}

/// The functions that take handles, passed on.
macro_rules! functions {
    ($from:path: $(fn $name:ident($handle:ident; $($parameter:ident: $type:ty),*);)*) => { $(
        /// The function of this name.
        pub unsafe extern "system" fn $name($handle: isize, $($parameter: $type),*) -> i32 {
            use $from as from;
            // SAFETY: the caller's promise is the one that the function wants.
            unsafe { from::$name(pointer($handle), $($parameter),*) }
        }
    )* };
}

/// `windows_sys::Win32`
pub mod Win32 {
    use super::{integer, new, pointer, OVERLAPPED};

    /// Handles and the last error.
    pub mod Foundation {
        use super::{integer, new, pointer};
        pub use new::Win32::Foundation::*;

        /// An integer.
        #[allow(clippy::upper_case_acronyms)]
        pub type HANDLE = isize;
        /// The integer.
        pub const INVALID_HANDLE_VALUE: HANDLE = -1;

        functions! { new::Win32::Foundation:
            fn CloseHandle(handle;);
        }

        /// `DuplicateHandle`
        pub unsafe extern "system" fn DuplicateHandle(
            source_process: isize,
            source: isize,
            target_process: isize,
            target: *mut isize,
            access: u32,
            inherit: i32,
            options: u32,
        ) -> i32 {
            use new::Win32::Foundation as from;
            let mut handle = pointer(0);
            // SAFETY: the caller's promise is the one that the function wants, and it gives a place.
            unsafe {
                let result = from::DuplicateHandle(
                    pointer(source_process),
                    pointer(source),
                    pointer(target_process),
                    &mut handle,
                    access,
                    inherit,
                    options,
                );
                *target = integer(handle);
                result
            }
        }
    }

    pub use new::Win32::Security;

    /// Files and drivers.
    pub mod Storage {
        /// Files.
        pub mod FileSystem {
            use super::super::{integer, new, pointer, OVERLAPPED};
            pub use new::Win32::Storage::FileSystem::*;

            /// `CreateFileW`
            pub unsafe extern "system" fn CreateFileW(
                name: *const u16,
                access: u32,
                share: u32,
                security: *const new::Win32::Security::SECURITY_ATTRIBUTES,
                disposition: u32,
                flags: u32,
                template: isize,
            ) -> isize {
                use new::Win32::Storage::FileSystem as from;
                // SAFETY: the caller's promise is the one that the function wants.
                let handle = unsafe {
                    from::CreateFileW(
                        name,
                        access,
                        share,
                        security,
                        disposition,
                        flags,
                        pointer(template),
                    )
                };
                integer(handle)
            }

            /// `GetFinalPathNameByHandleW`: pipes have no such name here.
            pub unsafe extern "system" fn GetFinalPathNameByHandleW(
                _: isize,
                _: *mut u16,
                _: u32,
                _: u32,
            ) -> u32 {
                0
            }

            functions! { new::Win32::Storage::FileSystem:
                fn FlushFileBuffers(file;);
                fn ReadFile(file; buffer: *mut u8, length: u32, transferred: *mut u32,
                    overlapped: *mut OVERLAPPED);
                fn WriteFile(file; buffer: *const u8, length: u32, transferred: *mut u32,
                    overlapped: *mut OVERLAPPED);
            }
        }
    }

    /// The system.
    pub mod System {
        /// Named pipes.
        pub mod Pipes {
            use super::super::{integer, new, pointer, OVERLAPPED};
            pub use new::Win32::System::Pipes::*;
            use std::ffi::c_void;

            /// `CreatePipe`
            pub unsafe extern "system" fn CreatePipe(
                read: *mut isize,
                write: *mut isize,
                security: *const new::Win32::Security::SECURITY_ATTRIBUTES,
                length: u32,
            ) -> i32 {
                use new::Win32::System::Pipes as from;
                let (mut read_end, mut write_end) = (pointer(0), pointer(0));
                // SAFETY: the caller's promise is the one that the function wants, and it gives
                // places.
                unsafe {
                    let result = from::CreatePipe(&mut read_end, &mut write_end, security, length);
                    *read = integer(read_end);
                    *write = integer(write_end);
                    result
                }
            }

            functions! { new::Win32::System::Pipes:
                fn ConnectNamedPipe(pipe; overlapped: *mut OVERLAPPED);
                fn DisconnectNamedPipe(pipe;);
                fn GetNamedPipeClientProcessId(pipe; process: *mut u32);
                fn GetNamedPipeClientSessionId(pipe; session: *mut u32);
                fn GetNamedPipeServerProcessId(pipe; process: *mut u32);
                fn GetNamedPipeServerSessionId(pipe; session: *mut u32);
                fn ImpersonateNamedPipeClient(pipe;);
                fn GetNamedPipeHandleStateW(pipe; state: *mut u32, instances: *mut u32,
                    collected: *mut u32, timeout: *mut u32, user: *mut u16, length: u32);
                fn SetNamedPipeHandleState(pipe; mode: *const u32, collected: *const u32,
                    timeout: *const u32);
                fn GetNamedPipeInfo(pipe; flags: *mut u32, out_buffer: *mut u32,
                    in_buffer: *mut u32, max_instances: *mut u32);
                fn PeekNamedPipe(pipe; buffer: *mut c_void, length: u32, read: *mut u32,
                    available: *mut u32, left: *mut u32);
            }

            /// `CreateNamedPipeW`
            pub unsafe extern "system" fn CreateNamedPipeW(
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
                        name,
                        open_mode,
                        pipe_mode,
                        max_instances,
                        out_buffer,
                        in_buffer,
                        timeout,
                        security,
                    )
                };
                integer(handle)
            }
        }

        /// Completion ports.
        pub mod IO {
            use super::super::{integer, new, pointer};
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
            pub unsafe extern "system" fn CreateIoCompletionPort(
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
                integer(port)
            }
        }

        /// Processes.
        pub mod Threading {
            /// `GetCurrentProcess`
            pub unsafe extern "system" fn GetCurrentProcess() -> isize {
                -1
            }
        }

        /// What Nt functions mio asks of the AFD driver, which does not exist.
        pub mod WindowsProgramming {
            use std::ffi::c_void;

            pub use super::super::new::Win32::System::IO::{IO_STATUS_BLOCK, IO_STATUS_BLOCK_0};
            use super::super::Foundation::{NTSTATUS, STATUS_NOT_IMPLEMENTED};

            /// `NtDeviceIoControlFile`
            pub unsafe extern "system" fn NtDeviceIoControlFile(
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
