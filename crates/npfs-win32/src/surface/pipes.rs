//! What is particular to pipes.

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
        /// `GetNamedPipeClientComputerNameW`: the computer of a remote client. Lengths are in
        /// bytes.
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
