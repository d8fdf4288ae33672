//! Real threads over the npfs kernel.
//!
//! A [`Host`] is one lock around one kernel. Whoever calls it steps the kernel; whoever blocks
//! sleeps until exactly one completion wakes it, and finds its buffers written. Time is virtual:
//! it passes when every thread sleeps. When nobody can go on, the host says who waits for whom
//! instead of hanging.
//!
//! The same code runs on std, under loom (`--cfg loom`) and under shuttle (`--cfg shuttle`).
#![forbid(unsafe_code)]

mod actor;
mod by_request;
mod driver;
mod error;
mod event;
mod host;
mod park;
pub mod schedule;
mod state;
mod stop;
mod sync;

/// Whether this was built for loom or shuttle: then simulations run inside models only.
pub const IS_MODEL: bool = cfg!(any(loom, shuttle));

pub use actor::{Announced, JoinHandle};
pub use driver::Driver;
pub use error::{Error, win32_code, win32_kind};
pub use event::{Divergence, Event, Log};
pub use host::{Clock, Host, OnDeadlock, Options, Threads};
pub use park::Parker;
pub use schedule::{Schedule, Strategy, Turns};
pub use state::{Attached, Routine, Sink};
pub use stop::{Deadlock, Stopped};
