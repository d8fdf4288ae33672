//! Runs scenarios over the kernel, and checks traces against it.
//!
//! A [`Machine`] is a kernel with the programs of its threads and the words of a file.
//! [`run()`] executes a scenario and writes its transcript.
#![forbid(unsafe_code)]

mod machine;
mod resolve;
mod run;
mod transcript;

pub use machine::Machine;
pub use run::{Mismatch, Run, machine_after, run};
