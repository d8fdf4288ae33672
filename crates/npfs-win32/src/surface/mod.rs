//! Every function of the surface, in the modules of windows-sys: the one table.
//!
//! A row is a signature under the module of ours that does it. It becomes the public function, its
//! twin with the real symbol and the calling convention of windows-sys, a check that windows-sys
//! declares it so, and a line of [`FUNCTIONS`].
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
            #[allow(clippy::missing_safety_doc)]
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
            use crate::surface::Signature;
            functions! { @symbols $($functions)* }

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
            use crate::surface::Signature;
            functions! { @symbols $($functions)* }
        }
    };
    (@symbols $(fn $name:ident($($parameter:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(
            #[cfg_attr(all(feature = "export-symbols", not(windows)), unsafe(no_mangle))]
            #[allow(clippy::missing_safety_doc)]
            pub unsafe extern "system" fn $name($($parameter: $type),*) $(-> $result)? {
                // SAFETY: as in the function of the same name.
                unsafe { super::$name($($parameter),*) }
            }
        )*

        /// Each function: its name, its parameters, what it gives.
        pub const SIGNATURES: &[Signature] = &[$((
            stringify!($name),
            &[$((stringify!($parameter), stringify!($type))),*],
            concat!($(stringify!($result))?),
        )),*];
    };
}

/// A function: its name, its parameters with their types, and the type of what it gives or nothing.
pub type Signature = (&'static str, &'static [(&'static str, &'static str)], &'static str);

pub mod file_system;
pub mod foundation;
pub mod io;
pub mod pipes;
pub mod security;
pub mod threading;
pub mod wdk_file_system;
pub mod wdk_foundation;

/// `windows_sys::Win32`
pub mod Win32 {
    pub use super::foundation as Foundation;
    pub use super::security as Security;
    // Modules that are added by features of windows-sys.
    #[allow(unused_imports)]
    pub use windows_sys::Win32::*;

    /// `windows_sys::Win32::Storage`
    pub mod Storage {
        pub use super::super::file_system as FileSystem;
        #[allow(unused_imports)]
        pub use windows_sys::Win32::Storage::*;
    }

    /// `windows_sys::Win32::System`
    pub mod System {
        pub use super::super::io as IO;
        pub use super::super::pipes as Pipes;
        pub use super::super::threading as Threading;
        pub use windows_sys::Win32::System::*;
    }
}

/// `windows_sys::Wdk`
pub mod Wdk {
    pub use super::wdk_foundation as Foundation;
    #[allow(unused_imports)]
    pub use windows_sys::Wdk::*;

    /// `windows_sys::Wdk::Storage`
    pub mod Storage {
        pub use super::super::wdk_file_system as FileSystem;
        #[allow(unused_imports)]
        pub use windows_sys::Wdk::Storage::*;
    }
}

/// Every function of the surface, by module: what the C header and the documentation are checked
/// against.
pub const FUNCTIONS: &[(&str, &[Signature])] = &[
    ("Win32::Foundation", foundation::exported::SIGNATURES),
    ("Win32::Security", security::exported::SIGNATURES),
    ("Win32::Storage::FileSystem", file_system::exported::SIGNATURES),
    ("Win32::System::IO", io::exported::SIGNATURES),
    ("Win32::System::Pipes", pipes::exported::SIGNATURES),
    ("Win32::System::Threading", threading::exported::SIGNATURES),
    ("Wdk::Foundation", wdk_foundation::exported::SIGNATURES),
    ("Wdk::Storage::FileSystem", wdk_file_system::exported::SIGNATURES),
    ("Wdk::Storage::FileSystem", wdk_file_system::further::SIGNATURES),
];
