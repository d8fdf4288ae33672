//! Every function of the surface, in the modules of windows-sys: the one table.
//!
//! A row is a signature under the module of ours that does it. It becomes the public function, its
//! twin with the real symbol and the calling convention of windows-sys, a check that windows-sys
//! declares it so, and an entry in a list of names.
//!
//! The public functions have the Rust calling convention, so that a panic in one of them, such as
//! the report of a deadlock, unwinds into the test that made the call; a panic may not pass through
//! a function of the system's calling convention.

/// The functions of one module of windows-sys.
macro_rules! functions {
    ($($real:path =>)? { $($ours:ident { $(
        $(#[$doc:meta])*
        fn $name:ident($($parameter:ident: $type:ty),* $(,)?) $(-> $result:ty)?;
    )* })* }) => {
        $($(
            $(#[$doc])*
            #[allow(clippy::missing_safety_doc, clippy::too_many_arguments)]
            pub unsafe fn $name($($parameter: $type),*) $(-> $result)? {
                // SAFETY: the caller's promise is the one that the function wants.
                crate::error::surface(|| unsafe { crate::$ours::$name($($parameter),*) })
            }
        )*)*
        functions! { @exported $($real)?; $($($name)*)* => $($(
            fn $name($($parameter: $type),*) $(-> $result)?;
        )*)* }
    };
    // One module twice has one list of names and one of those that windows-sys lacks.
    (@exported $real:path; $($names:ident)* => $($functions:tt)*) => {
        /// The same functions as windows-sys declares them.
        #[doc(hidden)]
        pub mod exported {
            use super::*;
            functions! { @symbols $($functions)* }

            /// Their names.
            pub const NAMES: &[&str] = &[$(stringify!($names)),*];

            const _: () = {
                use $real as real;
                // Two functions in one array have one type, so a drift does not build.
                $( let _ = [real::$names, $names]; )*
            };
        }
    };
    (@exported ; $($names:ident)* => $($functions:tt)*) => {
        /// Functions that windows-sys lacks.
        #[doc(hidden)]
        pub mod further {
            use super::*;
            functions! { @symbols $($functions)* }

            /// Their names.
            pub const NAMES: &[&str] = &[$(stringify!($names)),*];
        }
    };
    (@symbols $(fn $name:ident($($parameter:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(
            #[cfg_attr(all(feature = "export-symbols", not(windows)), unsafe(no_mangle))]
            #[allow(clippy::missing_safety_doc, clippy::too_many_arguments)]
            pub unsafe extern "system" fn $name($($parameter: $type),*) $(-> $result)? {
                // SAFETY: as in the function of the same name.
                unsafe { super::$name($($parameter),*) }
            }
        )*
    };
}

/// `windows_sys::Win32`
pub mod Win32 {
    // Modules that are added by features of windows-sys.
    #[allow(unused_imports)]
    pub use windows_sys::Win32::*;

    /// Handles of any kind, and the last error.
    pub mod Foundation {
        pub use windows_sys::Win32::Foundation::*;
        use windows_sys::core::BOOL;

        functions! { windows_sys::Win32::Foundation => {
            handles {
                /// `CloseHandle`: closes a handle.
                fn CloseHandle(hobject: HANDLE) -> BOOL;
                /// `CompareObjectHandles`: whether two handles refer to one object; else 1656.
                fn CompareObjectHandles(
                    hfirstobjecthandle: HANDLE,
                    hsecondobjecthandle: HANDLE,
                ) -> BOOL;
                /// `DuplicateHandle`: a further handle to an object, here or in another process.
                fn DuplicateHandle(
                    hsourceprocesshandle: HANDLE,
                    hsourcehandle: HANDLE,
                    htargetprocesshandle: HANDLE,
                    lptargethandle: *mut HANDLE,
                    dwdesiredaccess: u32,
                    binherithandle: BOOL,
                    dwoptions: DUPLICATE_HANDLE_OPTIONS,
                ) -> BOOL;
                /// `GetHandleInformation`: whether children inherit a handle.
                fn GetHandleInformation(hobject: HANDLE, lpdwflags: *mut u32) -> BOOL;
                /// `SetHandleInformation`: says whether children inherit a handle. Protection from closing is refused with 50.
                fn SetHandleInformation(
                    hobject: HANDLE,
                    dwmask: u32,
                    dwflags: HANDLE_FLAGS,
                ) -> BOOL;
                /// `GetLastError`: the last error of the calling thread.
                fn GetLastError() -> WIN32_ERROR;
                /// `SetLastError`: sets the last error of the calling thread, and `errno`.
                fn SetLastError(dwerrcode: WIN32_ERROR);
                /// `LocalFree`: nothing of this surface is to be freed with it: 6 for anything but null.
                fn LocalFree(hmem: HLOCAL) -> HLOCAL;
                /// `RtlNtStatusToDosError`: the Win32 error of a status.
                fn RtlNtStatusToDosError(status: NTSTATUS) -> u32;
            }
        } }
    }

    /// Acting as oneself again.
    pub mod Security {
        pub use windows_sys::Win32::Security::*;
        use windows_sys::core::BOOL;

        functions! { windows_sys::Win32::Security => {
            security {
                /// `RevertToSelf`: ends an impersonation.
                fn RevertToSelf() -> BOOL;
            }
        } }
    }

    /// `windows_sys::Win32::Storage`
    pub mod Storage {
        // Modules that are added by features of windows-sys.
        #[allow(unused_imports)]
        pub use windows_sys::Win32::Storage::*;

        /// Opening, reading and writing, and what is known of a file.
        pub mod FileSystem {
            use ::core::ffi::c_void;
            use windows_sys::Win32::Foundation::HANDLE;
            use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
            pub use windows_sys::Win32::Storage::FileSystem::*;
            use windows_sys::Win32::System::IO::{LPOVERLAPPED_COMPLETION_ROUTINE, OVERLAPPED};
            use windows_sys::core::{BOOL, PCSTR, PCWSTR, PSTR, PWSTR};

            functions! { windows_sys::Win32::Storage::FileSystem => {
                files {
                    /// `CreateFileW`: opens a client end.
                    fn CreateFileW(
                        lpfilename: PCWSTR,
                        dwdesiredaccess: u32,
                        dwsharemode: FILE_SHARE_MODE,
                        lpsecurityattributes: *const SECURITY_ATTRIBUTES,
                        dwcreationdisposition: FILE_CREATION_DISPOSITION,
                        dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
                        htemplatefile: HANDLE,
                    ) -> HANDLE;
                    /// `CreateFileA`: as `CreateFileW`, with a name in UTF-8.
                    fn CreateFileA(
                        lpfilename: PCSTR,
                        dwdesiredaccess: u32,
                        dwsharemode: FILE_SHARE_MODE,
                        lpsecurityattributes: *const SECURITY_ATTRIBUTES,
                        dwcreationdisposition: FILE_CREATION_DISPOSITION,
                        dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
                        htemplatefile: HANDLE,
                    ) -> HANDLE;
                    /// `CreateFile2`: as `CreateFileW`, with further parameters in a structure.
                    fn CreateFile2(
                        lpfilename: PCWSTR,
                        dwdesiredaccess: u32,
                        dwsharemode: FILE_SHARE_MODE,
                        dwcreationdisposition: FILE_CREATION_DISPOSITION,
                        pcreateexparams: *const CREATEFILE2_EXTENDED_PARAMETERS,
                    ) -> HANDLE;
                    /// `ReOpenFile`: opens a client end of the pipe that a server end is of.
                    fn ReOpenFile(
                        horiginalfile: HANDLE,
                        dwdesiredaccess: u32,
                        dwsharemode: FILE_SHARE_MODE,
                        dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
                    ) -> HANDLE;
                    /// `ReadFile`: reads.
                    fn ReadFile(
                        hfile: HANDLE,
                        lpbuffer: *mut u8,
                        nnumberofbytestoread: u32,
                        lpnumberofbytesread: *mut u32,
                        lpoverlapped: *mut OVERLAPPED,
                    ) -> BOOL;
                    /// `ReadFileEx`: reads, and tells the end by a routine.
                    fn ReadFileEx(
                        hfile: HANDLE,
                        lpbuffer: *mut u8,
                        nnumberofbytestoread: u32,
                        lpoverlapped: *mut OVERLAPPED,
                        lpcompletionroutine: LPOVERLAPPED_COMPLETION_ROUTINE,
                    ) -> BOOL;
                    /// `WriteFile`: writes.
                    fn WriteFile(
                        hfile: HANDLE,
                        lpbuffer: *const u8,
                        nnumberofbytestowrite: u32,
                        lpnumberofbyteswritten: *mut u32,
                        lpoverlapped: *mut OVERLAPPED,
                    ) -> BOOL;
                    /// `WriteFileEx`: writes, and tells the end by a routine.
                    fn WriteFileEx(
                        hfile: HANDLE,
                        lpbuffer: *const u8,
                        nnumberofbytestowrite: u32,
                        lpoverlapped: *mut OVERLAPPED,
                        lpcompletionroutine: LPOVERLAPPED_COMPLETION_ROUTINE,
                    ) -> BOOL;
                    /// `FlushFileBuffers`: waits until the other end has read everything.
                    fn FlushFileBuffers(hfile: HANDLE) -> BOOL;
                    /// `GetFileType`: `FILE_TYPE_PIPE`, for either end.
                    fn GetFileType(hfile: HANDLE) -> FILE_TYPE;
                    /// `SetFileCompletionNotificationModes`: leaves out packets or signals from now on.
                    fn SetFileCompletionNotificationModes(filehandle: HANDLE, flags: u8) -> BOOL;
                    /// `GetFileInformationByHandleEx`: asks for an information class.
                    fn GetFileInformationByHandleEx(
                        hfile: HANDLE,
                        fileinformationclass: FILE_INFO_BY_HANDLE_CLASS,
                        lpfileinformation: *mut c_void,
                        dwbuffersize: u32,
                    ) -> BOOL;
                    /// `SetFileInformationByHandle`: sets an information class.
                    fn SetFileInformationByHandle(
                        hfile: HANDLE,
                        fileinformationclass: FILE_INFO_BY_HANDLE_CLASS,
                        lpfileinformation: *const c_void,
                        dwbuffersize: u32,
                    ) -> BOOL;
                    /// `GetFinalPathNameByHandleW`: the name below `\Device\NamedPipe`, with `VOLUME_NAME_NT`; a pipe is on no volume, so the other forms are refused with 50.
                    fn GetFinalPathNameByHandleW(
                        hfile: HANDLE,
                        lpszfilepath: PWSTR,
                        cchfilepath: u32,
                        dwflags: GETFINALPATHNAMEBYHANDLE_FLAGS,
                    ) -> u32;
                    /// `GetFinalPathNameByHandleA`: as `GetFinalPathNameByHandleW`, in UTF-8.
                    fn GetFinalPathNameByHandleA(
                        hfile: HANDLE,
                        lpszfilepath: PSTR,
                        cchfilepath: u32,
                        dwflags: GETFINALPATHNAMEBYHANDLE_FLAGS,
                    ) -> u32;
                    /// `FindFirstFileW`: the first pipe whose name fits `\\.\pipe\*` or another pattern there.
                    fn FindFirstFileW(
                        lpfilename: PCWSTR,
                        lpfindfiledata: *mut WIN32_FIND_DATAW,
                    ) -> HANDLE;
                    /// `FindFirstFileA`: as `FindFirstFileW`, in UTF-8.
                    fn FindFirstFileA(
                        lpfilename: PCSTR,
                        lpfindfiledata: *mut WIN32_FIND_DATAA,
                    ) -> HANDLE;
                    /// `FindNextFileW`: the next such pipe.
                    fn FindNextFileW(
                        hfindfile: HANDLE,
                        lpfindfiledata: *mut WIN32_FIND_DATAW,
                    ) -> BOOL;
                    /// `FindNextFileA`: as `FindNextFileW`, in UTF-8.
                    fn FindNextFileA(
                        hfindfile: HANDLE,
                        lpfindfiledata: *mut WIN32_FIND_DATAA,
                    ) -> BOOL;
                    /// `FindClose`: ends a search.
                    fn FindClose(hfindfile: HANDLE) -> BOOL;
                    /// `GetFileAttributesW`: opens and closes a client end, as this function does.
                    fn GetFileAttributesW(lpfilename: PCWSTR) -> u32;
                    /// `GetFileAttributesA`: as `GetFileAttributesW`, with a name in UTF-8.
                    fn GetFileAttributesA(lpfilename: PCSTR) -> u32;
                }
            } }
        }
    }

    /// `windows_sys::Win32::System`
    pub mod System {
        pub use windows_sys::Win32::System::*;

        /// Ends of operations, completion ports, cancellation.
        pub mod IO {
            use ::core::ffi::c_void;
            use windows_sys::Win32::Foundation::HANDLE;
            pub use windows_sys::Win32::System::IO::*;
            use windows_sys::core::BOOL;

            functions! { windows_sys::Win32::System::IO => {
                ports {
                    /// `CreateIoCompletionPort`: makes a port, or binds a file to one.
                    fn CreateIoCompletionPort(
                        filehandle: HANDLE,
                        existingcompletionport: HANDLE,
                        completionkey: usize,
                        numberofconcurrentthreads: u32,
                    ) -> HANDLE;
                    /// `GetQueuedCompletionStatus`: takes one packet.
                    fn GetQueuedCompletionStatus(
                        completionport: HANDLE,
                        lpnumberofbytestransferred: *mut u32,
                        lpcompletionkey: *mut usize,
                        lpoverlapped: *mut *mut OVERLAPPED,
                        dwmilliseconds: u32,
                    ) -> BOOL;
                    /// `GetQueuedCompletionStatusEx`: takes several packets.
                    fn GetQueuedCompletionStatusEx(
                        completionport: HANDLE,
                        lpcompletionportentries: *mut OVERLAPPED_ENTRY,
                        ulcount: u32,
                        ulnumentriesremoved: *mut u32,
                        dwmilliseconds: u32,
                        falertable: BOOL,
                    ) -> BOOL;
                    /// `PostQueuedCompletionStatus`: sends a packet of the caller's own.
                    fn PostQueuedCompletionStatus(
                        completionport: HANDLE,
                        dwnumberofbytestransferred: u32,
                        dwcompletionkey: usize,
                        lpoverlapped: *const OVERLAPPED,
                    ) -> BOOL;
                    /// `GetOverlappedResult`: how an operation has ended.
                    fn GetOverlappedResult(
                        hfile: HANDLE,
                        lpoverlapped: *const OVERLAPPED,
                        lpnumberofbytestransferred: *mut u32,
                        bwait: BOOL,
                    ) -> BOOL;
                    /// `GetOverlappedResultEx`: how an operation has ended, with a time-out.
                    fn GetOverlappedResultEx(
                        hfile: HANDLE,
                        lpoverlapped: *const OVERLAPPED,
                        lpnumberofbytestransferred: *mut u32,
                        dwmilliseconds: u32,
                        balertable: BOOL,
                    ) -> BOOL;
                    /// `CancelIo`: cancels what the calling thread has begun on a file.
                    fn CancelIo(hfile: HANDLE) -> BOOL;
                    /// `CancelIoEx`: cancels one operation, or all of the process on a file.
                    fn CancelIoEx(hfile: HANDLE, lpoverlapped: *const OVERLAPPED) -> BOOL;
                    /// `CancelSynchronousIo`: cancels the call that a thread sleeps in.
                    fn CancelSynchronousIo(hthread: HANDLE) -> BOOL;
                    /// `DeviceIoControl`: sends a device control, which the pipe file system refuses with 1; its codes are `NtFsControlFile`'s.
                    fn DeviceIoControl(
                        hdevice: HANDLE,
                        dwiocontrolcode: u32,
                        lpinbuffer: *const c_void,
                        ninbuffersize: u32,
                        lpoutbuffer: *mut c_void,
                        noutbuffersize: u32,
                        lpbytesreturned: *mut u32,
                        lpoverlapped: *mut OVERLAPPED,
                    ) -> BOOL;
                }
            } }
        }

        /// What is particular to pipes.
        pub mod Pipes {
            use ::core::ffi::c_void;
            use windows_sys::Win32::Foundation::HANDLE;
            use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
            use windows_sys::Win32::Storage::FileSystem::FILE_FLAGS_AND_ATTRIBUTES;
            use windows_sys::Win32::System::IO::OVERLAPPED;
            pub use windows_sys::Win32::System::Pipes::*;
            use windows_sys::core::{BOOL, PCSTR, PCWSTR, PSTR, PWSTR};

            functions! { windows_sys::Win32::System::Pipes => {
                pipes {
                    /// `CreateNamedPipeW`: makes an instance of a pipe and opens its server end.
                    fn CreateNamedPipeW(
                        lpname: PCWSTR,
                        dwopenmode: FILE_FLAGS_AND_ATTRIBUTES,
                        dwpipemode: NAMED_PIPE_MODE,
                        nmaxinstances: u32,
                        noutbuffersize: u32,
                        ninbuffersize: u32,
                        ndefaulttimeout: u32,
                        lpsecurityattributes: *const SECURITY_ATTRIBUTES,
                    ) -> HANDLE;
                    /// `CreateNamedPipeA`: as `CreateNamedPipeW`, with a name in UTF-8.
                    fn CreateNamedPipeA(
                        lpname: PCSTR,
                        dwopenmode: FILE_FLAGS_AND_ATTRIBUTES,
                        dwpipemode: NAMED_PIPE_MODE,
                        nmaxinstances: u32,
                        noutbuffersize: u32,
                        ninbuffersize: u32,
                        ndefaulttimeout: u32,
                        lpsecurityattributes: *const SECURITY_ATTRIBUTES,
                    ) -> HANDLE;
                    /// `ConnectNamedPipe`: waits for a client.
                    fn ConnectNamedPipe(hnamedpipe: HANDLE, lpoverlapped: *mut OVERLAPPED) -> BOOL;
                    /// `DisconnectNamedPipe`: casts the client off.
                    fn DisconnectNamedPipe(hnamedpipe: HANDLE) -> BOOL;
                    /// `WaitNamedPipeW`: waits until an instance listens.
                    fn WaitNamedPipeW(lpnamedpipename: PCWSTR, ntimeout: u32) -> BOOL;
                    /// `WaitNamedPipeA`: as `WaitNamedPipeW`, with a name in UTF-8.
                    fn WaitNamedPipeA(lpnamedpipename: PCSTR, ntimeout: u32) -> BOOL;
                    /// `PeekNamedPipe`: looks at what can be read.
                    fn PeekNamedPipe(
                        hnamedpipe: HANDLE,
                        lpbuffer: *mut c_void,
                        nbuffersize: u32,
                        lpbytesread: *mut u32,
                        lptotalbytesavail: *mut u32,
                        lpbytesleftthismessage: *mut u32,
                    ) -> BOOL;
                    /// `TransactNamedPipe`: writes a message and reads one.
                    fn TransactNamedPipe(
                        hnamedpipe: HANDLE,
                        lpinbuffer: *const c_void,
                        ninbuffersize: u32,
                        lpoutbuffer: *mut c_void,
                        noutbuffersize: u32,
                        lpbytesread: *mut u32,
                        lpoverlapped: *mut OVERLAPPED,
                    ) -> BOOL;
                    /// `CallNamedPipeW`: opens a pipe, writes a message, reads one, and closes.
                    fn CallNamedPipeW(
                        lpnamedpipename: PCWSTR,
                        lpinbuffer: *const c_void,
                        ninbuffersize: u32,
                        lpoutbuffer: *mut c_void,
                        noutbuffersize: u32,
                        lpbytesread: *mut u32,
                        ntimeout: u32,
                    ) -> BOOL;
                    /// `CallNamedPipeA`: as `CallNamedPipeW`, with a name in UTF-8.
                    fn CallNamedPipeA(
                        lpnamedpipename: PCSTR,
                        lpinbuffer: *const c_void,
                        ninbuffersize: u32,
                        lpoutbuffer: *mut c_void,
                        noutbuffersize: u32,
                        lpbytesread: *mut u32,
                        ntimeout: u32,
                    ) -> BOOL;
                    /// `SetNamedPipeHandleState`: sets read mode and wait mode of an end.
                    fn SetNamedPipeHandleState(
                        hnamedpipe: HANDLE,
                        lpmode: *const NAMED_PIPE_MODE,
                        lpmaxcollectioncount: *const u32,
                        lpcollectdatatimeout: *const u32,
                    ) -> BOOL;
                    /// `GetNamedPipeHandleStateW`: modes, instances, and the client's user.
                    fn GetNamedPipeHandleStateW(
                        hnamedpipe: HANDLE,
                        lpstate: *mut NAMED_PIPE_MODE,
                        lpcurinstances: *mut u32,
                        lpmaxcollectioncount: *mut u32,
                        lpcollectdatatimeout: *mut u32,
                        lpusername: PWSTR,
                        nmaxusernamesize: u32,
                    ) -> BOOL;
                    /// `GetNamedPipeHandleStateA`: as `GetNamedPipeHandleStateW`, in UTF-8.
                    fn GetNamedPipeHandleStateA(
                        hnamedpipe: HANDLE,
                        lpstate: *mut NAMED_PIPE_MODE,
                        lpcurinstances: *mut u32,
                        lpmaxcollectioncount: *mut u32,
                        lpcollectdatatimeout: *mut u32,
                        lpusername: PSTR,
                        nmaxusernamesize: u32,
                    ) -> BOOL;
                    /// `GetNamedPipeInfo`: type, quotas, and the most instances.
                    fn GetNamedPipeInfo(
                        hnamedpipe: HANDLE,
                        lpflags: *mut NAMED_PIPE_MODE,
                        lpoutbuffersize: *mut u32,
                        lpinbuffersize: *mut u32,
                        lpmaxinstances: *mut u32,
                    ) -> BOOL;
                    /// `GetNamedPipeClientProcessId`: the process that opened the client end.
                    fn GetNamedPipeClientProcessId(pipe: HANDLE, clientprocessid: *mut u32) -> BOOL;
                    /// `GetNamedPipeServerProcessId`: the process that made the instance.
                    fn GetNamedPipeServerProcessId(pipe: HANDLE, serverprocessid: *mut u32) -> BOOL;
                    /// `GetNamedPipeClientSessionId`: the client's session.
                    fn GetNamedPipeClientSessionId(pipe: HANDLE, clientsessionid: *mut u32) -> BOOL;
                    /// `GetNamedPipeServerSessionId`: the server's session.
                    fn GetNamedPipeServerSessionId(pipe: HANDLE, serversessionid: *mut u32) -> BOOL;
                    /// `GetNamedPipeClientComputerNameW`: the computer of a remote client. Lengths are in bytes.
                    fn GetNamedPipeClientComputerNameW(
                        pipe: HANDLE,
                        clientcomputername: PWSTR,
                        clientcomputernamelength: u32,
                    ) -> BOOL;
                    /// `GetNamedPipeClientComputerNameA`: as `GetNamedPipeClientComputerNameW`, in UTF-8.
                    fn GetNamedPipeClientComputerNameA(
                        pipe: HANDLE,
                        clientcomputername: PSTR,
                        clientcomputernamelength: u32,
                    ) -> BOOL;
                    /// `ImpersonateNamedPipeClient`: acts as the client from now on.
                    fn ImpersonateNamedPipeClient(hnamedpipe: HANDLE) -> BOOL;
                    /// `CreatePipe`: makes an anonymous pipe.
                    fn CreatePipe(
                        hreadpipe: *mut HANDLE,
                        hwritepipe: *mut HANDLE,
                        lppipeattributes: *const SECURITY_ATTRIBUTES,
                        nsize: u32,
                    ) -> BOOL;
                }
            } }
        }

        /// Events, waits, threads, and the thread pool.
        pub mod Threading {
            #[allow(unused_imports)]
            use ::core::ffi::c_void;
            use windows_sys::Win32::Foundation::{HANDLE, PAPCFUNC, WAIT_EVENT};
            use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
            pub use windows_sys::Win32::System::Threading::*;
            use windows_sys::core::{BOOL, PCSTR, PCWSTR};

            functions! { windows_sys::Win32::System::Threading => {
                waits {
                    /// `CreateEventW`: makes an event. Events have no names here: one that is given is refused with 50.
                    fn CreateEventW(
                        lpeventattributes: *const SECURITY_ATTRIBUTES,
                        bmanualreset: BOOL,
                        binitialstate: BOOL,
                        lpname: PCWSTR,
                    ) -> HANDLE;
                    /// `CreateEventA`: as `CreateEventW`.
                    fn CreateEventA(
                        lpeventattributes: *const SECURITY_ATTRIBUTES,
                        bmanualreset: BOOL,
                        binitialstate: BOOL,
                        lpname: PCSTR,
                    ) -> HANDLE;
                    /// `CreateEventExW`: as `CreateEventW`, with flags.
                    fn CreateEventExW(
                        lpeventattributes: *const SECURITY_ATTRIBUTES,
                        lpname: PCWSTR,
                        dwflags: CREATE_EVENT,
                        dwdesiredaccess: u32,
                    ) -> HANDLE;
                    /// `CreateEventExA`: as `CreateEventW`, with flags.
                    fn CreateEventExA(
                        lpeventattributes: *const SECURITY_ATTRIBUTES,
                        lpname: PCSTR,
                        dwflags: CREATE_EVENT,
                        dwdesiredaccess: u32,
                    ) -> HANDLE;
                    /// `OpenEventW`: finds no event, as none has a name: 2.
                    fn OpenEventW(
                        dwdesiredaccess: SYNCHRONIZATION_ACCESS_RIGHTS,
                        binherithandle: BOOL,
                        lpname: PCWSTR,
                    ) -> HANDLE;
                    /// `OpenEventA`: as `OpenEventW`.
                    fn OpenEventA(
                        dwdesiredaccess: SYNCHRONIZATION_ACCESS_RIGHTS,
                        binherithandle: BOOL,
                        lpname: PCSTR,
                    ) -> HANDLE;
                    /// `SetEvent`: signals an event.
                    fn SetEvent(hevent: HANDLE) -> BOOL;
                    /// `ResetEvent`: takes the signal back.
                    fn ResetEvent(hevent: HANDLE) -> BOOL;
                    /// `WaitForSingleObject`: waits for an object.
                    fn WaitForSingleObject(hhandle: HANDLE, dwmilliseconds: u32) -> WAIT_EVENT;
                    /// `WaitForSingleObjectEx`: waits for an object, and lets routines run.
                    fn WaitForSingleObjectEx(
                        hhandle: HANDLE,
                        dwmilliseconds: u32,
                        balertable: BOOL,
                    ) -> WAIT_EVENT;
                    /// `WaitForMultipleObjects`: waits for one object of several, or for all.
                    fn WaitForMultipleObjects(
                        ncount: u32,
                        lphandles: *const HANDLE,
                        bwaitall: BOOL,
                        dwmilliseconds: u32,
                    ) -> WAIT_EVENT;
                    /// `WaitForMultipleObjectsEx`: waits for one object of several, or for all, and lets routines run.
                    fn WaitForMultipleObjectsEx(
                        ncount: u32,
                        lphandles: *const HANDLE,
                        bwaitall: BOOL,
                        dwmilliseconds: u32,
                        balertable: BOOL,
                    ) -> WAIT_EVENT;
                    /// `SignalObjectAndWait`: signals an event, then waits for an object.
                    fn SignalObjectAndWait(
                        hobjecttosignal: HANDLE,
                        hobjecttowaiton: HANDLE,
                        dwmilliseconds: u32,
                        balertable: BOOL,
                    ) -> WAIT_EVENT;
                    /// `Sleep`: lets time pass, which is virtual.
                    fn Sleep(dwmilliseconds: u32);
                    /// `SleepEx`: lets time pass, and routines run.
                    fn SleepEx(dwmilliseconds: u32, balertable: BOOL) -> u32;
                }
                threads {
                    /// `QueueUserAPC`: queues a routine to a thread.
                    fn QueueUserAPC(pfnapc: PAPCFUNC, hthread: HANDLE, dwdata: usize) -> u32;
                    /// `GetCurrentThread`: the pseudo handle of the calling thread.
                    fn GetCurrentThread() -> HANDLE;
                    /// `GetCurrentThreadId`: the calling thread's number in the simulation.
                    fn GetCurrentThreadId() -> u32;
                    /// `GetCurrentProcess`: the pseudo handle of the calling process.
                    fn GetCurrentProcess() -> HANDLE;
                    /// `GetCurrentProcessId`: the calling process' number in the simulation.
                    fn GetCurrentProcessId() -> u32;
                    /// `OpenThread`: a handle to a thread.
                    fn OpenThread(
                        dwdesiredaccess: THREAD_ACCESS_RIGHTS,
                        binherithandle: BOOL,
                        dwthreadid: u32,
                    ) -> HANDLE;
                    /// `OpenProcess`: a handle to a process.
                    fn OpenProcess(
                        dwdesiredaccess: PROCESS_ACCESS_RIGHTS,
                        binherithandle: BOOL,
                        dwprocessid: u32,
                    ) -> HANDLE;
                }
            } }
        }
    }
}
