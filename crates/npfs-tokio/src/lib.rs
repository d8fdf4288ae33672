//! tokio's named pipes over the npfs simulator, type for type, on every platform.
#![deny(unsafe_op_in_unsafe_fn)]

mod adapter;
mod end;
mod error;
pub mod explore;
pub mod io;
mod pipe;
mod readiness;
mod sync;
pub mod task;

pub use adapter::Adapter;
pub use npfs_host::{win32_code, win32_kind};

/// `tokio::net`
pub mod net {
    /// `tokio::net::windows`
    pub mod windows {
        pub mod named_pipe;
    }
}
