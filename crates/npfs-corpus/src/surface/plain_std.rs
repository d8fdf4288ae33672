//! `std` with handles of the simulation, and its own locks and threads.

pub use ::std::*;

/// `std::os`
pub mod os {
    /// `std::os::windows`
    pub mod windows {
        pub use npfs_win32::os::windows::*;

        /// `std::os::windows::prelude`
        pub mod prelude {
            pub use npfs_win32::os::windows::io::*;
        }

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
