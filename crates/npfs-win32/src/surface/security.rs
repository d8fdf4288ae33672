//! Acting as oneself again.

pub use windows_sys::Win32::Security::*;
use windows_sys::core::BOOL;

functions! { windows_sys::Win32::Security => {
    security {
        /// `RevertToSelf`: ends an impersonation.
        fn RevertToSelf() -> BOOL;
    }
} }
