//! Threads: how many calls they made, what they sleep in, which routines await them.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use alloc::sync::Arc;
use npfs_abi::{ProcessId, RequestId, ThreadId, Token};

use crate::event::Event;
use crate::file::File;
use crate::io::Io;
use crate::npfs::Pipe;
use crate::port::Port;
use crate::store::Id;

/// A thread.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Thread {
    pub(crate) process: ProcessId,
    /// How many calls it made.
    pub(crate) calls: u32,
    pub(crate) state: ThreadState,
    /// Completion routines queued to it, oldest first.
    pub(crate) routines: VecDeque<RequestId>,
    /// The port whose packets it works on.
    pub(crate) port: Option<Id<Port>>,
    /// As whom it acts, if not as its process.
    pub(crate) token: Option<Arc<Token>>,
}

/// What a thread is doing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum ThreadState {
    /// It can make a call.
    Ready,
    /// It sleeps in its last call.
    Blocked(Blocked),
    /// It ended.
    Exited,
}

/// The one thing a thread sleeps on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Blocked {
    /// Its own request on this file object.
    Request(Id<File>),
    /// The lock of a synchronous file object; the operation starts when it is granted.
    Lock(Box<Io>),
    /// An instance of this pipe to listen: `WaitNamedPipe`.
    Name(Id<Pipe>),
    /// Packets of this port.
    Port { port: Id<Port>, count: u32, alertable: bool },
    /// Objects, or only time.
    Objects(Wait),
}

/// A wait for objects.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Wait {
    pub(crate) objects: Vec<Waitable>,
    pub(crate) all: bool,
    pub(crate) alertable: bool,
}

/// What can be waited for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Waitable {
    Event(Id<Event>),
    File(Id<File>),
    Thread(ThreadId),
    Process(ProcessId),
}
