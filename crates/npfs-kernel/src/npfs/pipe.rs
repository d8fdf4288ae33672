//! Pipes and their names.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use npfs_abi::{
    Configuration, End, PipeName, PipeType, RequestId, SecurityDescriptor, Status, ThreadId, Time,
};

use super::directory::Watch;
use crate::npfs::Instance;
use crate::request::Request;
use crate::store::Id;

/// A pipe [what an FCB describes]: everything its instances share.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Pipe {
    /// The path it was first created with, for people; `None` for an anonymous pipe.
    pub(crate) path: Option<PipeName>,
    /// The upcased name under which it can be opened; `None` for an anonymous pipe and for one
    /// whose last server handle closed.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) pipe_type: PipeType,
    pub(crate) configuration: Configuration,
    /// Who may do what with it, for all instances and ends (SEC-01).
    pub(crate) security: Arc<SecurityDescriptor>,
    /// `PIPE_REJECT_REMOTE_CLIENTS` of the first instance.
    pub(crate) rejects_remote: bool,
    /// `u32::MAX` is unlimited.
    pub(crate) max_instances: u32,
    pub(crate) default_timeout: Time,
    /// Open server ends: what counts against the maximum (CREATE-47).
    pub(crate) servers: u32,
    /// Instances, those included whose server end closed while the client lives on.
    pub(crate) members: u32,
    /// Instances ever created, where their order matters (CONNECT-17); else 0.
    pub(crate) created: u32,
    /// Instances that a client can open, longest listening first (CONNECT-16).
    pub(crate) listening: VecDeque<Id<Instance>>,
    /// Who waits for an instance to listen, oldest first (WAIT-17).
    pub(crate) waiters: VecDeque<Waiter>,
}

/// Who waits for an instance to listen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Waiter {
    /// A thread in `WaitNamedPipe`.
    Thread(RequestId),
    /// `FSCTL_PIPE_WAIT` on a handle of the root.
    Request(Request),
}

impl Waiter {
    /// Whether it is this thread, asleep in `WaitNamedPipe`. Its pending requests are not.
    pub(crate) fn is_sleeper(&self, thread: ThreadId) -> bool {
        matches!(self, Waiter::Thread(id) if id.thread == thread)
    }

    pub(crate) fn id(&self) -> RequestId {
        match self {
            Waiter::Thread(id) => *id,
            Waiter::Request(request) => request.id,
        }
    }
}

impl Pipe {
    /// The name as it was first written, without what is in front of it.
    pub(crate) fn shown_name(&self) -> &str {
        const PREFIX: usize = "\\\\.\\pipe\\".len();
        self.path.as_ref().and_then(|path| path.as_str().get(PREFIX..)).unwrap_or("")
    }

    /// A handle may have a right that its pipe's direction makes useless (READ-41).
    pub(crate) fn check_direction(&self, reader: End) -> Result<(), Status> {
        let (inbound, outbound) = self.allows();
        let open = match reader {
            End::Server => inbound,
            End::Client => outbound,
        };
        if open { Ok(()) } else { Err(Status::INVALID_PARAMETER) }
    }

    /// Whether data may flow towards the server, and towards the client.
    pub(crate) fn allows(&self) -> (bool, bool) {
        match self.configuration {
            Configuration::Inbound => (true, false),
            Configuration::Outbound => (false, true),
            Configuration::Duplex => (true, true),
        }
    }
}

/// The names that can be opened.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Namespace {
    pub(crate) pipes: BTreeMap<Arc<str>, Id<Pipe>>,
    /// Requests that wait for a change of the root, oldest first.
    pub(crate) watches: Vec<Watch>,
    /// How many anonymous pipes were given names.
    pub(crate) anonymous: u32,
}
