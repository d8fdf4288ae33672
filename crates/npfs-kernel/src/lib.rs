//! The Windows named pipe file system as a value.
//!
//! A [`Kernel`] holds processes, threads, handles, events, file objects, pipes and virtual
//! time. It can be cloned, compared, hashed and printed. [`Kernel::step`] takes one call of one
//! thread and gives one answer and, in order, everything the call caused. There is no clock, no
//! lock, no callback and no thread in here; those belong to whoever drives it.
//!
//! A failing call is an answer. A broken invariant is a panic.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod event;
#[cfg(feature = "explore")]
mod explore;
mod faults;
mod file;
#[cfg(feature = "explore")]
mod footprint;
#[cfg(feature = "explore")]
pub mod hash;
mod io;
mod kernel;
mod npfs;
mod port;
mod process;
pub mod program;
mod quick;
#[cfg(test)]
mod quick_tests;
mod report;
mod request;
mod security;
mod store;
mod thread;
mod time;
mod wait;

#[cfg(feature = "explore")]
pub use footprint::Footprint;
pub use kernel::{Kernel, ProcessSpec};
pub use npfs::state;
pub use report::{Waiting, cycle};
#[cfg(feature = "explore")]
pub use store::Mark;
