//! The pipe file system: names, pipes, instances, queues.

mod directory;
mod driver;
mod fsctl;
mod information;
mod instance;
mod lifetime;
mod names;
mod pipe;
mod queue;
mod remote;
pub mod state;

pub(crate) use directory::DirectoryQuery;
pub(crate) use directory::{Listing, names_in};
pub(crate) use instance::{Connection, Instance, Link, Modes};
pub(crate) use pipe::{Namespace, Pipe, Waiter};
pub(crate) use queue::{Queue, Read, Source, Write, Writing};
#[cfg(test)]
mod queue_tests;
