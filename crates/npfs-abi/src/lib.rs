//! The vocabulary of npfs.
//!
//! One set of types says what a program asks of the named pipe file system
//! ([`Call`]), what it is answered ([`Outcome`], [`Reply`]) and what ends later
//! ([`Completion`]). The kernel takes and gives them; scenarios, transcripts and
//! traces write them down; the recorder executes them on a real Windows.
//!
//! This crate decides nothing. It has no kernel, no files and no clock; it is
//! `no_std` and forbids `unsafe`, so that everybody can share it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod call;
mod data;
mod ids;
mod modes;
mod name;
mod reply;
mod status;
mod time;

pub use call::{Call, Composite, CreateFile, CreateNamedPipe, Delivery, HandleStateQuery, Op};
pub use data::Data;
pub use ids::{Handle, ProcessId, RequestId, ThreadId};
pub use modes::{Access, CompletionMode, Configuration, End, PipeState, PipeType, ReadMode};
pub use name::{PipeName, Target};
pub use reply::{Completion, HandleState, LocalInfo, Outcome, Output, Peek, PipeInfo, Reply};
pub use status::Status;
pub use time::Time;
