//! Runs scenarios over the kernel, and checks traces against it.
//!
//! A [`Machine`] is a kernel with the programs of its threads and the words of a file.
//! [`run()`] executes a scenario and writes its transcript. [`check()`] feeds a recorded
//! trace to the kernel and says whether the model explains every result.
#![forbid(unsafe_code)]

mod check;
mod concurrent;
mod deviation;
mod machine;
mod resolve;
mod run;
mod tape;
mod transcript;
mod view;
pub mod visited;

pub use check::{Checked, Difference, check, check_within, transcript};
pub use concurrent::{Effort, Limits, Unplaced};
pub use deviation::{Deviation, Deviations};
pub use machine::Machine;
pub use run::{Mismatch, Run, cycle, holds, machine_after, record, run};
