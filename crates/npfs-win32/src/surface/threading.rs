//! Events, waits, threads, and the thread pool.

use ::core::ffi::c_void;
use windows_sys::Win32::Foundation::{HANDLE, PAPCFUNC, WAIT_EVENT};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
pub use windows_sys::Win32::System::Threading::*;
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

functions! { windows_sys::Win32::System::Threading => {
    waits {
        /// `CreateEventW`: makes an event. Events have no names here: one that is given is refused
        /// with 50.
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
        /// `WaitForMultipleObjectsEx`: waits for one object of several, or for all, and lets
        /// routines run.
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
    pool {
        /// `RegisterWaitForSingleObject`: lets a thread of the pool wait for an object and call a
        /// function.
        fn RegisterWaitForSingleObject(
            phnewwaitobject: *mut HANDLE,
            hobject: HANDLE,
            callback: WAITORTIMERCALLBACK,
            context: *const c_void,
            dwmilliseconds: u32,
            dwflags: WORKER_THREAD_FLAGS,
        ) -> BOOL;
        /// `UnregisterWait`: ends such a wait; 997 while its function runs.
        fn UnregisterWait(waithandle: HANDLE) -> BOOL;
        /// `UnregisterWaitEx`: ends such a wait, and tells or waits until its function is over.
        fn UnregisterWaitEx(waithandle: HANDLE, completionevent: HANDLE) -> BOOL;
        /// `QueueUserWorkItem`: lets a thread of the pool call a function.
        fn QueueUserWorkItem(
            function: LPTHREAD_START_ROUTINE,
            context: *const c_void,
            flags: WORKER_THREAD_FLAGS,
        ) -> BOOL;
    }
    pool_io {
        /// `CreateThreadpoolIo`: tells the ends of operations on a file by a function that a thread
        /// of the pool runs.
        fn CreateThreadpoolIo(
            fl: HANDLE,
            pfnio: PTP_WIN32_IO_CALLBACK,
            pv: *mut c_void,
            pcbe: *const TP_CALLBACK_ENVIRON_V3,
        ) -> PTP_IO;
        /// `StartThreadpoolIo`: announces an operation.
        fn StartThreadpoolIo(pio: PTP_IO);
        /// `CancelThreadpoolIo`: takes the announcement of an operation back that failed at once.
        fn CancelThreadpoolIo(pio: PTP_IO);
        /// `WaitForThreadpoolIoCallbacks`: waits until the announced operations have been told.
        fn WaitForThreadpoolIoCallbacks(pio: PTP_IO, fcancelpendingcallbacks: BOOL);
        /// `CloseThreadpoolIo`: ends the telling.
        fn CloseThreadpoolIo(pio: PTP_IO);
    }
} }
