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
pub mod codes;
mod data;
mod fault;
mod ids;
mod map;
mod modes;
mod name;
mod profile;
mod reply;
mod security;
mod status;
mod time;

pub use call::{
    Call, Composite, CreateFile, CreateNamedPipe, Delivery, HandleStateQuery, NtCreateFile,
    NtCreateNamedPipeFile, ObjectAttributes, Op, PipeAttribute,
};
pub use data::Data;
pub use fault::{Fault, FaultEffect, FaultPoint};
pub use ids::{Handle, ProcessId, RequestId, ThreadId};
pub use map::Names;
pub use modes::{Access, CompletionMode, Configuration, End, PipeState, PipeType, ReadMode};
pub use name::{PipeName, Target};
pub use profile::{Profile, Switch};
pub use reply::{
    Completion, HandleState, LocalInfo, Outcome, Output, Packet, PacketSource, Peek, PipeInfo,
    Reply,
};
pub use security::{
    Ace, AceType, BadSecurity, Dacl, ImpersonationLevel, Privilege, SecurityDescriptor, Sid, Token,
    security_information,
};
pub use status::Status;
pub use time::Time;
