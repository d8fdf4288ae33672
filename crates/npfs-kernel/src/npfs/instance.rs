//! An instance of a pipe: two ends and, between them, a connection.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use npfs_abi::{CompletionMode, End, PipeState, ProcessId, ReadMode, Token};

use super::queue::Queue;
use super::remote::Remote;
use crate::file::File;
use crate::npfs::Pipe;
use crate::request::Request;
use crate::security::Quality;
use crate::store::Id;

/// An instance [what a CCB describes].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Instance {
    pub(crate) pipe: Id<Pipe>,
    /// `None` once the last server handle closed and a client lives on.
    pub(crate) server: Option<Id<File>>,
    pub(crate) server_modes: Modes,
    pub(crate) server_process: ProcessId,
    /// Bytes of the direction client to server.
    pub(crate) quota_in: u32,
    /// Bytes of the direction server to client.
    pub(crate) quota_out: u32,
    /// Its number in order of creation, where that matters (CONNECT-17); else 0.
    pub(crate) number: u32,
    pub(crate) link: Link,
}

/// The modes of one end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Modes {
    pub(crate) read: ReadMode,
    pub(crate) completion: CompletionMode,
}

impl Modes {
    /// What every fresh client end has (INFO-21).
    pub(crate) const FRESH: Modes =
        Modes { read: ReadMode::Byte, completion: CompletionMode::Queue };
}

/// How the instance stands to clients. Data exists only inside a connection, so that
/// ending one discards what was in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Link {
    Disconnected,
    /// A client can open it; these `ConnectNamedPipe` requests wait for that.
    Listening(Vec<Request>),
    /// Connected while both ends are open, closing when one of them is.
    Attached(Connection),
}

/// A connection between the server end and one client end.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Connection {
    pub(crate) client: Option<Id<File>>,
    pub(crate) client_modes: Modes,
    pub(crate) client_process: ProcessId,
    /// Client to server.
    pub(crate) inbound: Queue,
    /// Server to client.
    pub(crate) outbound: Queue,
    /// What the client lets its server do.
    pub(crate) quality: Quality,
    /// As whom the client opened its end; `None` when nobody will ask.
    pub(crate) opener: Option<Arc<Token>>,
    /// The way over the network, for a client on another computer.
    pub(crate) remote: Option<Box<Remote>>,
}

impl Connection {
    /// The queue that `end` reads from.
    pub(crate) fn towards(&mut self, end: End) -> &mut Queue {
        match end {
            End::Server => &mut self.inbound,
            End::Client => &mut self.outbound,
        }
    }

    pub(crate) fn queue(&self, end: End) -> &Queue {
        match end {
            End::Server => &self.inbound,
            End::Client => &self.outbound,
        }
    }
}

impl Instance {
    pub(crate) fn state(&self) -> PipeState {
        match &self.link {
            Link::Disconnected => PipeState::Disconnected,
            Link::Listening(_) => PipeState::Listening,
            Link::Attached(connection) => match (self.server, connection.client) {
                (Some(_), Some(_)) => PipeState::Connected,
                (Some(_), None) | (None, Some(_)) | (None, None) => PipeState::Closing,
            },
        }
    }

    /// The modes of an end that is there.
    pub(crate) fn modes(&self, end: End) -> Modes {
        match (end, &self.link) {
            (End::Server, _) => self.server_modes,
            (End::Client, Link::Attached(connection)) => connection.client_modes,
            (End::Client, Link::Disconnected | Link::Listening(_)) => Modes::FRESH,
        }
    }

    pub(crate) fn modes_mut(&mut self, end: End) -> Option<&mut Modes> {
        match (end, &mut self.link) {
            (End::Server, _) => Some(&mut self.server_modes),
            (End::Client, Link::Attached(connection)) => Some(&mut connection.client_modes),
            (End::Client, Link::Disconnected | Link::Listening(_)) => None,
        }
    }

    pub(crate) fn connection(&self) -> Option<&Connection> {
        match &self.link {
            Link::Attached(connection) => Some(connection),
            Link::Disconnected | Link::Listening(_) => None,
        }
    }

    pub(crate) fn connection_mut(&mut self) -> Option<&mut Connection> {
        match &mut self.link {
            Link::Attached(connection) => Some(connection),
            Link::Disconnected | Link::Listening(_) => None,
        }
    }

    /// The quota of what `end` writes (QUOTA head: S→C is out, C→S is in).
    pub(crate) fn quota_from(&self, end: End) -> u32 {
        match end {
            End::Server => self.quota_out,
            End::Client => self.quota_in,
        }
    }
}
