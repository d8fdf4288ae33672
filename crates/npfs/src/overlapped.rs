//! Operations that go on while their thread does.

use std::fmt;
use std::time::Duration;

use npfs_abi::{Call, Delivery, Handle, Outcome, Reply, RequestId, Status};
use npfs_host::Error;

use crate::handle::{Event, Waitable};
use crate::pipe::{PipeEnd, Received, found};
use crate::process::Process;
use crate::server::Connected;

/// How the end of an overlapped operation is told, besides its [`Operation`].
#[derive(Clone, Copy, Debug)]
pub enum Signal<'a> {
    /// An event of the operation's own; [`Operation::wait`] waits for it.
    Own,
    /// This event.
    Event(&'a Event),
    /// The file object alone. A packet goes to the completion port, if the end is bound to one.
    File,
    /// The low bit of `hEvent` is set: the event is signaled and no packet goes to a port.
    Quiet(&'a Event),
}

/// An operation about to begin.
#[derive(Debug)]
pub struct Begin<'a> {
    end: &'a PipeEnd,
    signal: Signal<'a>,
}

impl<'a> Begin<'a> {
    pub(crate) fn new(end: &'a PipeEnd, signal: Signal<'a>) -> Begin<'a> {
        Begin { end, signal }
    }

    /// `ReadFile` of at most `length` bytes.
    ///
    /// # Errors
    /// Whatever it fails with at once.
    pub fn read(self, length: u32) -> Result<Operation<Received>, Error> {
        let file = self.end.value();
        self.begin(|delivery| Call::ReadFile { file, length, delivery }, Received::of)
    }

    /// `WriteFile`; ends with the number of bytes written.
    ///
    /// # Errors
    /// Whatever it fails with at once.
    pub fn write(self, data: &[u8]) -> Result<Operation<usize>, Error> {
        let (file, data) = (self.end.value(), data.into());
        self.begin(
            |delivery| Call::WriteFile { file, data, delivery },
            |reply| {
                if reply.status.is_error() {
                    return Err(reply.status.into());
                }
                Ok(reply.information as usize)
            },
        )
    }

    /// `ConnectNamedPipe`, at a server end.
    ///
    /// # Errors
    /// 535 when a client is there already, 232 when one came and is gone; 1 at a client end.
    pub fn connect(self) -> Result<Operation<Connected>, Error> {
        let pipe = self.end.value();
        self.begin(
            |delivery| Call::ConnectNamedPipe { pipe, delivery },
            |reply| {
                if reply.status.is_error() {
                    return Err(reply.status.into());
                }
                Ok(Connected::Now)
            },
        )
    }

    /// `TransactNamedPipe`
    ///
    /// # Errors
    /// Whatever it fails with at once.
    pub fn transact(self, request: &[u8], length: u32) -> Result<Operation<Received>, Error> {
        let (pipe, data) = (self.end.value(), request.into());
        self.begin(
            |delivery| Call::TransactNamedPipe { pipe, data, length, delivery },
            Received::of,
        )
    }

    fn begin<T>(
        self,
        call: impl FnOnce(Delivery) -> Call,
        finish: fn(Reply) -> Result<T, Error>,
    ) -> Result<Operation<T>, Error> {
        let process = self.end.process();
        let own = match self.signal {
            Signal::Own => Some(Event::manual(process)?),
            Signal::Event(_) | Signal::File | Signal::Quiet(_) => None,
        };
        let (event, quiet) = match self.signal {
            Signal::Own => (own.as_ref().map(Waitable::wait_handle), false),
            Signal::Event(event) => (Some(event.wait_handle()), false),
            Signal::File => (None, false),
            Signal::Quiet(event) => (Some(event.wait_handle()), true),
        };
        let call = call(Delivery::Overlapped { event, quiet });
        let state = match process.call(&call)? {
            Outcome::Done(reply) if reply.status.is_error() => return Err(reply.status.into()),
            Outcome::Done(reply) => State::Done(reply),
            Outcome::Pending(request) | Outcome::Blocked(request) => State::Pending(request),
        };
        let object = event.unwrap_or(self.end.value());
        let (process, file) = (process.clone(), self.end.value());
        Ok(Operation { process, file, object, _own: own, state, finish })
    }
}

/// An overlapped operation: to be waited for, looked at, or cancelled.
///
/// It keeps the bytes it moves, so nothing dangles when it is dropped; dropping it does not cancel
/// it, and nobody learns its end then.
pub struct Operation<T> {
    process: Process,
    file: Handle,
    /// What is signaled at the end.
    object: Handle,
    _own: Option<Event>,
    state: State,
    finish: fn(Reply) -> Result<T, Error>,
}

enum State {
    Pending(RequestId),
    Done(Reply),
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Pending(request) => write!(f, "Operation({request})"),
            State::Done(reply) => write!(f, "Operation({})", reply.status),
        }
    }
}

impl<T> Operation<T> {
    /// The name of its request, as packets of a completion port carry it; `None` when it ended in
    /// its own call.
    pub fn request(&self) -> Option<RequestId> {
        match self.state {
            State::Pending(request) => Some(request),
            State::Done(_) => None,
        }
    }

    fn reply(&self) -> Option<Reply> {
        match &self.state {
            State::Pending(request) => self.process.host().reply(*request),
            State::Done(reply) => Some(reply.clone()),
        }
    }

    /// Whether it has ended (`HasOverlappedIoCompleted`).
    pub fn is_done(&self) -> bool {
        self.reply().is_some()
    }

    /// How it ended, or the operation again while it goes on (`GetOverlappedResult` without
    /// waiting: 996).
    ///
    /// # Errors
    /// The inner result is that of the operation: 995 when it was cancelled.
    pub fn try_finish(self) -> Result<Result<T, Error>, Operation<T>> {
        match self.reply() {
            Some(reply) => Ok((self.finish)(reply)),
            None => Err(self),
        }
    }

    /// Waits for its end (`GetOverlappedResult`). An operation without an event of its own is
    /// waited for by the object that was named: any other operation that signals the object ends
    /// the wait too, with 997 (EVENT-16).
    ///
    /// # Errors
    /// Those of the operation: 995 when it was cancelled.
    pub fn wait(self) -> Result<T, Error> {
        if self.reply().is_none() {
            self.wait_object(None)?;
        }
        match self.reply() {
            Some(reply) => (self.finish)(reply),
            None => Err(Status::PENDING.into()),
        }
    }

    /// As [`Operation::wait`], for at most `timeout`; the operation again when that is over first.
    ///
    /// # Errors
    /// The inner result is that of the operation.
    pub fn wait_for(self, timeout: Duration) -> Result<Result<T, Error>, Operation<T>> {
        if self.reply().is_none() {
            if let Err(error) = self.wait_object(Some(timeout)) {
                return Ok(Err(error));
            }
        }
        self.try_finish()
    }

    fn wait_object(&self, timeout: Option<Duration>) -> Result<(), Error> {
        let call = Call::WaitForObjects {
            handles: vec![self.object],
            all: false,
            timeout: timeout.map(crate::process::milliseconds),
            alertable: false,
        };
        self.process.ask(&call).map(|_| ())
    }

    /// `CancelIoEx`: asks for it to be cancelled; `false` when there was nothing to cancel (1168).
    /// It may have ended otherwise all the same.
    ///
    /// # Errors
    /// 6 when the end was closed.
    pub fn cancel(&self) -> Result<bool, Error> {
        let State::Pending(request) = self.state else { return Ok(false) };
        let call = Call::CancelIoEx { file: self.file, request: Some(request) };
        found(self.process.ask(&call))
    }
}

impl<T> Waitable for Operation<T> {
    fn wait_handle(&self) -> Handle {
        self.object
    }
}

impl<T> Drop for Operation<T> {
    fn drop(&mut self) {
        if let State::Pending(request) = self.state {
            self.process.host().forget(request);
        }
    }
}
