//! Completion ports: packets, who waits for them, and which files send theirs.

use npfs_abi::{Handle, ProcessId, RequestId, Status, ThreadId};

use crate::file::File;
use crate::kernel::{Answer, Effects, Kernel};
use crate::store::Id;

/// A completion port.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Port {
    /// Handles, bound files and waits that keep it alive.
    pub(crate) references: u32,
}

impl Kernel {
    pub(crate) fn create_port(
        &mut self,
        _request: RequestId,
        _file: Option<Handle>,
        _port: Option<Handle>,
        _key: u64,
        _concurrency: u32,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn dequeue_packets(
        &mut self,
        _request: RequestId,
        _port: Handle,
        _count: u32,
        _timeout: Option<u32>,
        _alertable: bool,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn post_packet(
        &mut self,
        _thread: ThreadId,
        _port: Handle,
        _bytes: u32,
        _key: u64,
        _overlapped: u64,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn set_notification_modes(
        &mut self,
        _request: RequestId,
        _file: Handle,
        _flags: u32,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn queue_user_apc(
        &mut self,
        _request: RequestId,
        _thread: ThreadId,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn open_thread(&mut self, _asker: ThreadId, _thread: ThreadId) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn open_process(&mut self, _asker: ThreadId, _process: ProcessId) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    /// `FileCompletionInformation`
    pub(crate) fn bind_port(
        &mut self,
        _file: Id<File>,
        _port: Id<Port>,
        _key: u64,
    ) -> Result<(), Status> {
        Err(Status::NOT_IMPLEMENTED)
    }

    /// `FileIoCompletionNotificationInformation`
    pub(crate) fn set_skip_flags(&mut self, _file: Id<File>, _flags: u32) -> Result<(), Status> {
        Err(Status::NOT_IMPLEMENTED)
    }

    /// The flags that were set (INFO-83).
    #[expect(clippy::unused_self, reason = "none can be set yet")]
    pub(crate) fn skip_flags(&self, _file: Id<File>) -> u32 {
        0
    }

    pub(crate) fn release_port(&mut self, port: Id<Port>) {
        let object = self.ports.edit(port);
        object.references -= 1;
        if object.references == 0 {
            self.ports.remove(port);
        }
    }
}
