//! The primitives, chosen in one place: std, loom under `--cfg loom`, shuttle under
//! `--cfg shuttle`.
//!
//! Two things need them, and nothing else in the workspace does. A [`Gate`] is the one lock
//! around the kernel. A [`Bell`] is where one thread sleeps until it is handed one message.
//!
//! Under loom and shuttle the gate is one atomic operation that they see, and a lock that they
//! do not: whoever passed it runs to the end of the step without a switch, so that a kernel call
//! is one indivisible step, as it is in the kernel. Anything finer multiplies the executions and
//! shows nothing.

#[cfg(not(any(loom, shuttle)))]
mod native;
#[cfg(not(any(loom, shuttle)))]
pub(crate) use native::*;

#[cfg(any(loom, shuttle))]
mod model;
#[cfg(any(loom, shuttle))]
pub(crate) use model::*;
