//! Handles of any kind, and the last error.

pub use windows_sys::Win32::Foundation::*;
use windows_sys::core::BOOL;

functions! { windows_sys::Win32::Foundation => {
    handles {
        /// `CloseHandle`: closes a handle.
        fn CloseHandle(hobject: HANDLE) -> BOOL;
        /// `CompareObjectHandles`: whether two handles refer to one object; else 1656.
        fn CompareObjectHandles(hfirstobjecthandle: HANDLE, hsecondobjecthandle: HANDLE) -> BOOL;
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
        /// `SetHandleInformation`: says whether children inherit a handle. Protection from closing
        /// is refused with 50.
        fn SetHandleInformation(hobject: HANDLE, dwmask: u32, dwflags: HANDLE_FLAGS) -> BOOL;
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
