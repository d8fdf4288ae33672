//! `std`, with what the simulation has to see in place of what std has.

pub use ::std::*;

/// `std::sync`
pub mod sync {
    pub use ::std::sync::*;

    pub use crate::surface::shared::Arc;
    pub use crate::surface::sync::{Mutex, MutexGuard};

    /// `std::sync::atomic`
    pub mod atomic {
        pub use ::std::sync::atomic::*;

        pub use crate::surface::sync::{AtomicBool, AtomicUsize};
    }
}

/// `std::os`
pub mod os {
    /// `std::os::windows`
    pub mod windows {
        pub use npfs_win32::os::windows::*;

        /// `std::os::windows::io`
        pub mod io {
            pub use npfs_win32::os::windows::io::*;

            /// There are no sockets in the simulation.
            pub type RawSocket = u64;
        }
    }
}

/// `std::fs`
pub mod fs {
    use npfs_win32::os::windows::io::{AsRawHandle, OwnedHandle, RawHandle};

    /// A file of the simulation. The libraries make one for the AFD driver only, so none is made.
    #[derive(Debug)]
    pub struct File(OwnedHandle);

    impl AsRawHandle for File {
        fn as_raw_handle(&self) -> RawHandle {
            self.0.as_raw_handle()
        }
    }
}
