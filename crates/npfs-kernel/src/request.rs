//! A request: the name, the asker, and how its end is told.

use npfs_abi::{Data, RequestId, Status, ThreadId};

use crate::event::Event;
use crate::file::File;
use crate::store::Id;

/// A request that is pending, or about to be [IRP].
///
/// While it is pending it stands in exactly one queue, or with one listening instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) file: Id<File>,
    pub(crate) event: Option<Id<Event>>,
    pub(crate) manner: Manner,
    /// A routine is queued at the end although the caller does not use `ReadFileEx`.
    pub(crate) apc: bool,
    /// A packet goes to the port of the file.
    pub(crate) packet: bool,
}

/// What happens to the caller while the request is pending, and at its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Manner {
    /// The caller sleeps, holding the file object's lock.
    Locked,
    /// The caller sleeps and holds nothing: a flush on an overlapped handle (SYNC-26).
    Sleeping,
    /// The caller goes on; event or file object tell the end.
    Overlapped,
    /// The caller goes on; a completion routine is queued to it.
    Routine,
}

/// A request that ended, and how.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Settled {
    pub(crate) request: Request,
    pub(crate) status: Status,
    pub(crate) information: u32,
    pub(crate) data: Data,
}

impl Request {
    /// Stands where a request is asked for and none can pend.
    pub(crate) fn nobody(manner: Manner) -> Request {
        let id = RequestId { thread: ThreadId(0), call: 0 };
        Request { id, file: Id::fixed(0), event: None, manner, apc: false, packet: false }
    }
}

impl Settled {
    pub(crate) fn empty(request: Request, status: Status) -> Settled {
        Settled { request, status, information: 0, data: Data::EMPTY }
    }
}
