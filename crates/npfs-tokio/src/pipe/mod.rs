//! One end of a pipe with its operations in flight: overlapped operations made into readiness.
//!
//! Operations are begun as the driver of the process, so that they outlive the thread that began
//! them, and have names: an end that comes for an operation which nobody wants any more finds
//! nothing. Their ends arrive in a box inside the lock of the simulation, and are settled by
//! whoever passes next outside of it: the thread that caused them, or one that begins something
//! here. No lock is held over a call of the simulation or while a waker is woken.
//!
//! On Windows the ends lie in a completion port until the runtime's I/O driver takes them. Here
//! that driver is never late.

mod read;
mod write;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Wake, Waker};

use npfs_abi::{Call, Delivery, Handle, HandleStateQuery, Outcome, Output, PipeInfo};
use npfs_abi::{ProcessId, ReadMode, Reply, RequestId, Status, codes};
use npfs_host::{Attached, Driver, Host, Stopped};

use crate::adapter::Adapter;
use crate::error::Failure;
use crate::io::Ready;
use crate::readiness::Readiness;
use crate::sync::{Mutex, Unseen};
use read::Reading;
pub(crate) use write::Progress;
use write::Writing;

/// What an end and its operations share. It is closed when neither is left.
pub(crate) struct Pipe {
    driver: Driver,
    handle: Handle,
    adapter: Adapter,
    /// Whether this end reads messages; only the ideal adapter asks.
    reads_messages: bool,
    pub(crate) readiness: Readiness,
    io: Mutex<Io>,
    /// Written under the lock of the simulation, where no model may switch.
    ends: Arc<Unseen<VecDeque<End>>>,
}

struct Io {
    /// The name of the next operation.
    next: u64,
    /// Counts connections, so that a read which came too early is begun again.
    connected: u64,
    /// Nobody wants anything any more.
    closed: bool,
    connect: Option<InFlight>,
    reading: Reading,
    writing: Writing,
    /// How much the next read asks for.
    read_size: u32,
    /// Operations that were given up before they had a request.
    given_up: Vec<u64>,
}

/// An operation that was begun.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    name: u64,
    request: Option<RequestId>,
}

/// What an operation was for.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Connect,
    Read,
    Write,
}

/// The end of an operation.
struct End {
    kind: Kind,
    name: u64,
    reply: Reply,
}

impl Io {
    fn begin(&mut self) -> InFlight {
        self.next += 1;
        InFlight { name: self.next, request: None }
    }

    /// The request of an operation, if it can be cancelled now.
    fn give_up(&mut self, operation: InFlight) -> Option<RequestId> {
        if operation.request.is_none() {
            self.given_up.push(operation.name);
        }
        operation.request
    }

    /// The operation in flight with this name.
    fn flight(&mut self, kind: Kind, name: u64) -> Option<&mut InFlight> {
        let flight = match kind {
            Kind::Connect => self.connect.as_mut(),
            Kind::Read => self.reading.in_flight(),
            Kind::Write => self.writing.in_flight(),
        };
        flight.filter(|flight| flight.name == name)
    }
}

impl std::fmt::Debug for Pipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipe").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Pipe {
    /// Takes an overlapped end, begins to read from it and says what it is ready for.
    pub(crate) fn new(
        host: &Host,
        process: ProcessId,
        handle: Handle,
        reads_messages: bool,
    ) -> Arc<Pipe> {
        let pipe = Arc::new(Pipe {
            driver: host.driver(process),
            handle,
            adapter: Adapter::of(host),
            reads_messages,
            readiness: Readiness::new(),
            io: Mutex::new(Io {
                next: 0,
                connected: 0,
                closed: false,
                connect: None,
                reading: Reading::Idle,
                writing: Writing::Idle,
                read_size: read::SMALLEST,
                given_up: Vec::new(),
            }),
            ends: Arc::default(),
        });
        pipe.greet();
        pipe
    }

    /// Takes a handle of unknown origin.
    ///
    /// # Errors
    /// 6 when there is no such handle, 87 when it is not overlapped.
    pub(crate) fn adopt(
        host: &Host,
        process: ProcessId,
        handle: Handle,
    ) -> Result<Arc<Pipe>, Failure> {
        let driver = host.driver(process);
        let (class, length) = (codes::file_class::MODE, 4);
        let mode = Call::NtQueryInformationFile { file: handle, class, length };
        let Output::Data(mode) = ask(&driver, &mode)?.output else {
            return Err(Failure::Status(Status::UNSUCCESSFUL));
        };
        // FILE_SYNCHRONOUS_IO_ALERT and _NONALERT: no completion port takes it.
        if mode.first().is_none_or(|bits| bits & 0x30 != 0) {
            return Err(Failure::Status(Status::INVALID_PARAMETER));
        }
        let query = HandleStateQuery::default();
        let state = ask(&driver, &Call::GetNamedPipeHandleState { pipe: handle, query });
        let message = match state.map(|reply| reply.output) {
            Ok(Output::State(state)) => state.read_mode == ReadMode::Message,
            _ => false,
        };
        Ok(Pipe::new(host, process, handle, message))
    }

    pub(crate) fn host(&self) -> &Host {
        self.driver.host()
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle
    }

    pub(crate) fn is_ideal(&self) -> bool {
        self.adapter == Adapter::Ideal
    }

    /// `GetNamedPipeInfo`
    pub(crate) fn info(&self) -> Result<PipeInfo, Failure> {
        match ask(&self.driver, &Call::GetNamedPipeInfo { pipe: self.handle })?.output {
            Output::Info(info) => Ok(info),
            _ => Err(Failure::Status(Status::UNSUCCESSFUL)),
        }
    }

    /// Begins to connect. `WouldBlock` while that goes on: at its end the pipe is ready to be
    /// written to, and connecting again finds the client there.
    pub(crate) fn connect(self: &Arc<Self>) -> Result<(), Failure> {
        let flight = {
            let mut io = self.io.lock();
            if io.connect.is_some() {
                return Err(Failure::WouldBlock);
            }
            let flight = io.begin();
            io.connect = Some(flight);
            flight
        };
        let call = Call::ConnectNamedPipe { pipe: self.handle, delivery: Delivery::OVERLAPPED };
        let Err(failure) = self.begin(Kind::Connect, flight.name, &call) else {
            return Err(Failure::WouldBlock);
        };
        self.io.lock().connect.take_if(|connect| connect.name == flight.name);
        // A client is there, or came and is gone: with the real adapter both are a connection.
        let gone = failure.is(Status::PIPE_CLOSING) && !self.is_ideal();
        if failure.is(Status::PIPE_CONNECTED) || gone {
            self.greet();
            return Ok(());
        }
        Err(failure)
    }

    /// `DisconnectNamedPipe`. What is in flight or not yet read belonged to this client.
    pub(crate) fn disconnect(self: &Arc<Self>) -> Result<(), Failure> {
        let before = self.io.lock().next;
        ask(&self.driver, &Call::DisconnectNamedPipe { pipe: self.handle })?;
        let requests = {
            let mut io = self.io.lock();
            let connect = io.connect.take_if(|connect| connect.name <= before);
            let flights = [connect, io.reading.reset(before), io.writing.reset(before)];
            flights.map(|flight| flight.and_then(|flight| io.give_up(flight)))
        };
        requests.into_iter().flatten().for_each(|request| self.cancel(request));
        Ok(())
    }

    /// The end is dropped. Reading and connecting are cancelled; a write goes on, and the handle is
    /// closed behind it.
    pub(crate) fn close(self: &Arc<Self>) {
        let requests = {
            let mut io = self.io.lock();
            io.closed = true;
            let flights = [io.connect.take(), io.reading.reset(u64::MAX)];
            flights.map(|flight| flight.and_then(|flight| io.give_up(flight)))
        };
        requests.into_iter().flatten().for_each(|request| self.cancel(request));
    }

    fn cancel(&self, request: RequestId) {
        // One that has ended is not found, and a simulation that has stopped cancels nothing.
        let _ = self.driver.call(&Call::CancelIoEx { file: self.handle, request: Some(request) });
    }

    /// A connection begins, or an end that has one: reads, and says what is ready.
    fn greet(self: &Arc<Self>) {
        let readable = {
            let mut io = self.io.lock();
            io.connected += 1;
            io.reading.has_news()
        };
        // Without a client nothing is ready.
        if !self.schedule_read() {
            return;
        }
        if readable {
            self.readiness.set(Ready::READABLE);
        }
        if !self.io.lock().writing.is_in_flight() {
            self.readiness.set(Ready::WRITABLE);
        }
    }

    /// Begins an operation that was given this name. `Err` when it failed in the call: then it has
    /// no end that will come.
    fn begin(self: &Arc<Self>, kind: Kind, name: u64, call: &Call) -> Result<(), Failure> {
        let ends = Arc::clone(&self.ends);
        let sink = move |reply: &Reply| {
            ends.lock().push_back(End { kind, name, reply: reply.clone() });
        };
        let waker = Waker::from(Arc::clone(self));
        let attached = Attached { sink: Some(Box::new(sink)), ..Attached::default() };
        let begun = self.driver.begin(call, attached, waker);
        let request = match &begun {
            Ok(Outcome::Pending(request) | Outcome::Blocked(request)) => Some(*request),
            Ok(Outcome::Done(_)) | Err(_) => None,
        };
        if self.given_up(kind, name, request) {
            request.into_iter().for_each(|request| self.cancel(request));
        }
        match begun? {
            Outcome::Done(reply) if reply.status.is_error() => Err(Failure::Status(reply.status)),
            Outcome::Done(_) => {
                // On Windows its packet is in the port.
                self.settle_all();
                Ok(())
            }
            Outcome::Pending(_) | Outcome::Blocked(_) => Ok(()),
        }
    }

    /// Whether an operation was given up before it had its request, which it has now.
    fn given_up(&self, kind: Kind, name: u64, request: Option<RequestId>) -> bool {
        let mut io = self.io.lock();
        if let Some(flight) = io.flight(kind, name) {
            flight.request = request;
        }
        let place = io.given_up.iter().position(|one| *one == name);
        place.map(|place| io.given_up.swap_remove(place)).is_some()
    }

    /// Settles every end that has come.
    fn settle_all(self: &Arc<Self>) {
        loop {
            let Some(End { kind, name, reply }) = self.ends.lock().pop_front() else { return };
            match kind {
                Kind::Connect => {
                    let ours = self.io.lock().connect.take_if(|connect| connect.name == name);
                    // How it ended, the next connect finds.
                    if ours.is_some() {
                        self.greet();
                    }
                }
                Kind::Read => self.read_ended(name, reply),
                Kind::Write => self.write_ended(name, reply),
            }
        }
    }

    /// Nothing ends any more: whoever waits is told.
    fn simulation_stopped(&self) {
        let why = self.host().stopped().unwrap_or(Stopped::Dropped);
        let waits = {
            let mut io = self.io.lock();
            let connecting = io.connect.take().is_some();
            let reading = io.reading.fail(Failure::Stopped(why.clone()));
            let writing = io.writing.fail(Failure::Stopped(why));
            connecting || reading || writing
        };
        if waits {
            self.readiness.set(Ready::READABLE | Ready::WRITABLE);
        }
    }
}

/// An operation has ended, in the call of whoever wakes.
impl Wake for Pipe {
    fn wake(self: Arc<Self>) {
        self.settle_all();
        if self.driver.is_stopped() {
            self.simulation_stopped();
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A simulation that has stopped, or a thread that it does not know, closes nothing. Where
        // threads take turns, this is part of what let the last operation go.
        self.host().within_turn(|| {
            let _ = self.driver.call(&Call::CloseHandle { handle: self.handle });
        });
    }
}

/// A call that does not pend; warnings are no failures.
fn ask(driver: &Driver, call: &Call) -> Result<Reply, Failure> {
    match driver.call(call)? {
        Outcome::Done(reply) if reply.status.is_error() => Err(Failure::Status(reply.status)),
        Outcome::Done(reply) => Ok(reply),
        Outcome::Pending(_) | Outcome::Blocked(_) => Ok(Reply::status(Status::PENDING)),
    }
}
