//! Handles of any kind, for the Nt functions.

use ::core::ffi::c_void;
pub use windows_sys::Wdk::Foundation::*;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

functions! { windows_sys::Wdk::Foundation => {
    native {
        /// `NtClose`: closes a handle.
        fn NtClose(handle: HANDLE) -> NTSTATUS;
        /// `NtQueryObject`: asks for a class of information on a handle.
        fn NtQueryObject(
            handle: HANDLE,
            objectinformationclass: OBJECT_INFORMATION_CLASS,
            objectinformation: *mut c_void,
            objectinformationlength: u32,
            returnlength: *mut u32,
        ) -> NTSTATUS;
    }
} }
