//! Ends of operations, completion ports, cancellation.

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
        /// `DeviceIoControl`: sends a device control, which the pipe file system refuses with 1;
        /// its codes are `NtFsControlFile`'s.
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
    pool_io {
        /// `BindIoCompletionCallback`: tells the ends of operations on a file by a function that
        /// threads of the pool run.
        fn BindIoCompletionCallback(
            filehandle: HANDLE,
            function: LPOVERLAPPED_COMPLETION_ROUTINE,
            flags: u32,
        ) -> BOOL;
    }
} }
