//! Pipes and their names.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;

use npfs_abi::{Configuration, PipeName, PipeType, RequestId, Time};

use crate::npfs::Instance;
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
    /// `u32::MAX` is unlimited.
    pub(crate) max_instances: u32,
    pub(crate) default_timeout: Time,
    /// Open server ends: what counts against the maximum (CREATE-47).
    pub(crate) servers: u32,
    /// Instances, those included whose server end closed while the client lives on.
    pub(crate) members: u32,
    /// Instances that a client can open, longest listening first (CONNECT-16).
    pub(crate) listening: VecDeque<Id<Instance>>,
    /// Who waits in `WaitNamedPipe`, oldest first (WAIT-17).
    pub(crate) waiters: VecDeque<RequestId>,
}

impl Pipe {
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
}
