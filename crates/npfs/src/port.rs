//! Completion ports.

use std::time::Duration;

use npfs_abi::{Call, Output, Packet, Status, codes};
use npfs_host::Error;

use crate::Process;
use crate::handle::OwnedHandle;
use crate::pipe::PipeEnd;
use crate::process::milliseconds;

/// A completion port.
#[derive(Debug)]
pub struct CompletionPort(OwnedHandle);

impl CompletionPort {
    /// `CreateIoCompletionPort` without a file; `concurrency` threads work on its packets at once,
    /// 0 for the number of processors.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn new(process: &Process, concurrency: u32) -> Result<CompletionPort, Error> {
        let call = Call::CreateIoCompletionPort { file: None, port: None, key: 0, concurrency };
        Ok(CompletionPort(process.handle_from(&call)?.0))
    }

    /// `CreateIoCompletionPort`: the ends of operations on `end` come here from now on.
    ///
    /// # Errors
    /// 87 when it is bound already or not overlapped.
    pub fn bind(&self, end: &PipeEnd, key: u64) -> Result<(), Error> {
        let (file, port) = (Some(end.value()), Some(self.0.value()));
        let call = Call::CreateIoCompletionPort { file, port, key, concurrency: 0 };
        self.0.process().ask(&call).map(|_| ())
    }

    /// `SetFileCompletionNotificationModes(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)`: operations on
    /// `end` that succeed at once send no packet.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn skip_on_success(&self, end: &PipeEnd) -> Result<(), Error> {
        let flags = codes::notification::SKIP_COMPLETION_PORT_ON_SUCCESS;
        let call = Call::SetFileCompletionNotificationModes { file: end.value(), flags };
        self.0.process().ask(&call).map(|_| ())
    }

    /// `GetQueuedCompletionStatus`: the next packet, or `None` when `timeout` is over first. A
    /// packet of a failed operation is a packet: its status says so.
    ///
    /// # Errors
    /// 735 when the port is closed meanwhile.
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Packet>, Error> {
        Ok(self.take(1, timeout)?.pop())
    }

    /// `GetQueuedCompletionStatusEx`: up to `count` packets; none when `timeout` is over first.
    ///
    /// # Errors
    /// 735 when the port is closed meanwhile; 87 for a count of 0.
    pub fn take(&self, count: u32, timeout: Option<Duration>) -> Result<Vec<Packet>, Error> {
        let call = Call::GetQueuedCompletionStatus {
            port: self.0.value(),
            count,
            timeout: timeout.map(milliseconds),
            alertable: false,
        };
        let reply = self.0.process().ask(&call)?;
        match reply.output {
            Output::Packets(packets) => Ok(packets),
            _ if reply.status == Status::ABANDONED_WAIT_0 => Err(reply.status.into()),
            _ => Ok(Vec::new()),
        }
    }

    /// `PostQueuedCompletionStatus`
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn post(&self, key: u64, bytes: u32, overlapped: u64) -> Result<(), Error> {
        let call =
            Call::PostQueuedCompletionStatus { port: self.0.value(), bytes, key, overlapped };
        self.0.process().ask(&call).map(|_| ())
    }

    /// Its handle.
    pub fn handle(&self) -> &OwnedHandle {
        &self.0
    }
}
