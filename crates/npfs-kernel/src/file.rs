//! File objects: what a handle to an end of a pipe refers to.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use npfs_abi::{End, ThreadId};

use crate::npfs::{Instance, Listing};
use crate::port::Binding;
use crate::store::Id;

/// A file object. Duplicated and inherited handles share it, and with it the lock (HANDLE-01).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct File {
    pub(crate) place: Place,
    /// Opened without `FILE_FLAG_OVERLAPPED`: one operation at a time, others wait (SYNC-01).
    pub(crate) synchronous: bool,
    /// Opened with `FILE_WRITE_THROUGH`.
    pub(crate) write_through: bool,
    /// How far a listing through this file object is; on the root only.
    pub(crate) listing: Option<Box<Listing>>,
    /// The file object's own event (EVENT-09 to EVENT-18).
    pub(crate) signaled: bool,
    pub(crate) lock: Option<Lock>,
    /// Handles, in all processes; the end closes when the last one goes.
    pub(crate) handles: u32,
    /// Requests that are pending or wait for the lock.
    pub(crate) requests: u32,
    /// Opened with `FILE_SYNCHRONOUS_IO_ALERT`: routines end what a thread sleeps in on it.
    pub(crate) alertable: bool,
    /// Where ends of operations are sent.
    pub(crate) port: Option<Binding>,
    /// `FILE_SKIP_*` flags.
    pub(crate) skips: u32,
}

/// Which end a file object is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Place {
    /// An end of this instance.
    At(End, Id<Instance>),
    /// A client end whose server disconnected it: for good (STATE-17).
    Detached,
    /// An end that was closed; only requests still refer to it.
    Closed,
    /// The device `\Device\NamedPipe`.
    Device,
    /// The root directory `\Device\NamedPipe\`.
    Root,
}

/// The lock of a synchronous file object (SYNC-01).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Lock {
    pub(crate) owner: ThreadId,
    /// Who waits, oldest first: Windows promises no order (SYNC-18), we keep this one.
    pub(crate) waiters: VecDeque<ThreadId>,
}
