//! `std`, with what the simulation has to see in place of what std has.

pub use ::std::*;

/// `std::sync`
pub mod sync {
    pub use ::std::sync::*;

    pub use crate::surface::shared::Arc;
    pub use crate::surface::sync::Mutex;

    /// `std::sync::atomic`
    pub mod atomic {
        pub use ::std::sync::atomic::*;

        pub use crate::surface::sync::{AtomicBool, AtomicUsize};
    }
}

pub use super::plain_std::{fs, os};
