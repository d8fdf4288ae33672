//! Every function of the surface, in the modules of windows-sys: the one table.
//!
//! A row is a signature. It becomes the public function, its twin with the real symbol and the
//! calling convention of windows-sys, a check that windows-sys declares it so, and an entry of the
//! module's list of names. The function itself stands in the module that its block names.

/// The functions of one module of windows-sys, done by one of ours.
macro_rules! functions {
    ($real:path => $ours:ident { $(
        $(#[$doc:meta])*
        fn $name:ident($($parameter:ident: $type:ty),* $(,)?) $(-> $result:ty)?;
    )* }) => {
        $(
            $(#[$doc])*
            #[allow(clippy::missing_safety_doc, clippy::too_many_arguments)]
            pub unsafe fn $name($($parameter: $type),*) $(-> $result)? {
                // SAFETY: the caller's promise is the one that the function wants.
                crate::error::surface(|| unsafe { crate::$ours::$name($($parameter),*) })
            }
        )*

        /// The same functions as windows-sys declares them.
        #[doc(hidden)]
        pub mod exported {
            use super::*;
            $(
                #[cfg_attr(all(feature = "export-symbols", not(windows)), unsafe(no_mangle))]
                #[allow(clippy::missing_safety_doc, clippy::too_many_arguments)]
                pub unsafe extern "system" fn $name($($parameter: $type),*) $(-> $result)? {
                    // SAFETY: as in the function of the same name.
                    unsafe { super::$name($($parameter),*) }
                }
            )*

            /// Their names.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];

            const _: () = {
                use $real as real;
                // Two functions in one array have one type, so a drift does not build.
                $( let _ = [real::$name, $name]; )*
            };
        }
    };
}

/// `windows_sys::Win32`
pub mod Win32 {
    pub use windows_sys::Win32::*;

    /// Handles and the last error.
    pub mod Foundation {
        pub use windows_sys::Win32::Foundation::*;
        use windows_sys::core::BOOL;

        functions! { windows_sys::Win32::Foundation => handles {
            /// `CloseHandle`
            fn CloseHandle(hobject: HANDLE) -> BOOL;
            /// `DuplicateHandle`
            fn DuplicateHandle(hsourceprocesshandle: HANDLE, hsourcehandle: HANDLE, htargetprocesshandle: HANDLE, lptargethandle: *mut HANDLE, dwdesiredaccess: u32, binherithandle: BOOL, dwoptions: DUPLICATE_HANDLE_OPTIONS) -> BOOL;
            /// `GetLastError`
            fn GetLastError() -> WIN32_ERROR;
            /// `SetLastError`
            fn SetLastError(dwerrcode: WIN32_ERROR);
        } }
    }
}
