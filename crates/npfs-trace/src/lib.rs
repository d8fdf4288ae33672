//! Scenario files and trace files of npfs.
//!
//! Two forms of one vocabulary, no third: a line of text a step for people, and JSON Lines for
//! machines. This crate knows no kernel: it says what was written, not what is right.
#![forbid(unsafe_code)]

pub mod diff;
mod error;
mod lines;
mod native;
mod parse;
mod print;
pub mod program;
pub mod scenario;
pub mod text;
pub mod trace;

pub use error::ParseError;
pub use scenario::Scenario;
pub use trace::Trace;

#[cfg(test)]
mod tests;
