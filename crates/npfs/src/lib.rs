//! npfs simulates the Windows named pipe file system, in this process, on every platform.
//!
//! ```
//! use npfs::{PipeClient, PipeServer, Simulation};
//! use std::io::{Read, Write};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # if npfs::host::IS_MODEL { return Ok(()) }
//! let sim = Simulation::new();
//! let (server, client) = (sim.process("server"), sim.process("client"));
//!
//! let listening = PipeServer::create(&server, r"\\.\pipe\greetings")?;
//! let greeter = client.clone().spawn("greeter", move || {
//!     let mut pipe = PipeClient::open(&client, r"\\.\pipe\greetings")?;
//!     pipe.write_all(b"hello")?;
//!     // Until it is read: a client that has gone before the server connects is error 232.
//!     Ok::<(), std::io::Error>(pipe.flush_file_buffers()?)
//! });
//!
//! listening.connect()?;
//! let mut text = String::new();
//! (&listening).read_to_string(&mut text)?;
//! assert_eq!(text, "hello");
//! greeter.join().expect("the greeter did not panic")?;
//!
//! drop(listening);
//! sim.assert_clean();
//! # Ok(())
//! # }
//! ```
//!
//! A [`Simulation`] is a Windows of its own. Its [`Process`]es run the threads of your test; time
//! is virtual; a deadlock is reported instead of hanging. Below it is the kernel
//! ([`kernel::Kernel`]), a value that takes one call of one thread and gives one answer and, in
//! order, everything that the call caused.
//!
//! Errors are one [`Error`], which holds the NTSTATUS and becomes an [`std::io::Error`] of the
//! kind that Windows gives; [`win32_code`] and [`win32_kind`] read codes and kinds out of any
//! `io::Error`, on every platform.
#![forbid(unsafe_code)]

/// The example of the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide.md")]
struct Guide;

pub use npfs_abi as abi;
pub use npfs_host as host;
pub use npfs_kernel as kernel;

mod client;
mod handle;
mod overlapped;
mod pipe;
mod port;
mod process;
#[cfg(feature = "record")]
pub mod record;
mod server;
mod simulation;

pub use client::{ClientOptions, PipeClient};
pub use handle::{Event, OwnedHandle, Waitable};
pub use overlapped::{Begin, Operation, Signal};
pub use pipe::{Message, PipeEnd, Received};
pub use port::CompletionPort;
pub use process::{PipeTimeout, Process};
pub use server::{Connected, Impersonation, PipeServer, ServerOptions};
pub use simulation::{Builder, Simulation};

pub use npfs_abi::{
    Access, Configuration, End, Fault, FaultEffect, FaultPoint, HandleState, ImpersonationLevel,
    LocalInfo, Packet, PacketSource, Peek, PipeInfo, PipeState, PipeType, Profile, ReadMode,
    SecurityDescriptor, Status, Switch, Token,
};
pub use npfs_host::{
    Announced, Deadlock, Error, JoinHandle, Log, Schedule, Stopped, Strategy, Turns, win32_code,
    win32_kind,
};
