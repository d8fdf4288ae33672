//! The read that is always in flight, and what a task gets of it.

use std::sync::Arc;

use npfs_abi::{Call, Data, Delivery, Output, PipeType, Reply, Status};

use super::{InFlight, Io, Kind, Pipe, ask};
use crate::error::Failure;
use crate::io::Ready;

/// Reads ask for as much as the task's last buffer, within these bounds.
pub(super) const SMALLEST: u32 = 4 * 1024;
const LARGEST: u32 = 64 * 1024;

/// Where reading is.
#[derive(Debug)]
pub(super) enum Reading {
    /// Not begun: no client, or cancelled.
    Idle,
    /// A read is in flight. That of the ideal adapter is of 0 bytes: it takes no data.
    InFlight(InFlight),
    /// Bytes that came, and how many of them a task has.
    Data { name: u64, data: Data, given: u32 },
    /// The ideal adapter: there is something to read, or an empty message was read.
    Signaled { name: u64, empty_message: bool },
    /// It failed, and nobody knows yet.
    Failed { name: u64, failure: Failure },
}

impl Reading {
    pub(super) fn in_flight(&mut self) -> Option<&mut InFlight> {
        match self {
            Reading::InFlight(flight) => Some(flight),
            _ => None,
        }
    }

    /// Whether a task would find something.
    pub(super) fn has_news(&self) -> bool {
        matches!(self, Reading::Data { .. } | Reading::Signaled { .. } | Reading::Failed { .. })
    }

    /// Forgets what was begun up to `last`; gives what is in flight of it.
    pub(super) fn reset(&mut self, last: u64) -> Option<InFlight> {
        let name = match self {
            Reading::Idle => return None,
            Reading::InFlight(flight) => flight.name,
            Reading::Data { name, .. }
            | Reading::Signaled { name, .. }
            | Reading::Failed { name, .. } => *name,
        };
        if name > last {
            return None;
        }
        match std::mem::replace(self, Reading::Idle) {
            Reading::InFlight(flight) => Some(flight),
            _ => None,
        }
    }

    /// What is in flight has failed; `false` if nothing is.
    pub(super) fn fail(&mut self, failure: Failure) -> bool {
        let Reading::InFlight(flight) = self else { return false };
        *self = Reading::Failed { name: flight.name, failure };
        true
    }
}

/// What [`Pipe::read`] found under the lock.
enum Found {
    /// So much was given, and the next read has to be begun.
    Given(usize),
    /// So much was given, and there is more.
    Part(usize),
    Failed(Failure),
    /// The ideal adapter asks the pipe.
    Ask {
        name: u64,
    },
    EmptyMessage,
    WouldBlock,
}

impl Pipe {
    /// Gives a task up to `room` bytes: `take` is handed them, and says how many it took.
    pub(crate) fn read(
        self: &Arc<Self>,
        room: usize,
        take: impl FnOnce(&[u8]) -> usize,
    ) -> Result<usize, Failure> {
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let mut take = Some(take);
        let found = {
            let mut io = self.io.lock();
            io.read_size = room.clamp(SMALLEST, LARGEST);
            give(&mut io, &mut take)
        };
        match found {
            Found::WouldBlock => Err(Failure::WouldBlock),
            Found::Part(given) => Ok(given),
            Found::Given(given) => {
                self.schedule_read();
                Ok(given)
            }
            Found::EmptyMessage => {
                self.schedule_read();
                Ok(0)
            }
            Found::Failed(failure) => {
                self.schedule_read();
                end_of_file(failure)
            }
            Found::Ask { name } => self.read_directly(name, room, take),
        }
    }

    /// Begins a read unless there is one. `false` only when there is no client yet.
    pub(super) fn schedule_read(self: &Arc<Self>) -> bool {
        loop {
            let (flight, length, connected) = {
                let mut io = self.io.lock();
                if io.closed || !matches!(io.reading, Reading::Idle) {
                    return true;
                }
                let flight = io.begin();
                io.reading = Reading::InFlight(flight);
                let length = if self.is_ideal() { 0 } else { io.read_size };
                (flight, length, io.connected)
            };
            let delivery = Delivery::OVERLAPPED;
            let call = Call::ReadFile { file: self.handle, length, delivery };
            let Err(failure) = self.begin(Kind::Read, flight.name, &call) else { return true };
            let listens = failure.is(Status::PIPE_LISTENING);
            {
                let mut io = self.io.lock();
                if io.flight(Kind::Read, flight.name).is_none() {
                    return true;
                }
                io.reading = if listens {
                    Reading::Idle
                } else {
                    Reading::Failed { name: flight.name, failure }
                };
                // A client came meanwhile, and whoever noticed saw this read.
                if listens && io.connected != connected {
                    continue;
                }
            }
            if !listens {
                self.readiness.set(Ready::READABLE);
            }
            return !listens;
        }
    }

    pub(super) fn read_ended(&self, name: u64, reply: Reply) {
        {
            let mut io = self.io.lock();
            if io.flight(Kind::Read, name).is_none() {
                return;
            }
            io.reading = if reply.status.is_error() {
                Reading::Failed { name, failure: Failure::Status(reply.status) }
            } else if self.is_ideal() {
                // A read of 0 bytes ends with success on an empty message alone (READ-21, READ-22).
                let empty_message = self.reads_messages && reply.status == Status::SUCCESS;
                Reading::Signaled { name, empty_message }
            } else {
                // The start of a message that is longer is as good as a message.
                let data = match reply.output {
                    Output::Data(data) => data,
                    _ => Data::EMPTY,
                };
                Reading::Data { name, data, given: 0 }
            };
        }
        self.readiness.set(Ready::READABLE);
    }

    /// The ideal adapter: a read of what is in the pipe, for which nobody has to wait.
    fn read_directly(
        self: &Arc<Self>,
        name: u64,
        room: u32,
        mut take: Option<impl FnOnce(&[u8]) -> usize>,
    ) -> Result<usize, Failure> {
        let peek = ask(&self.driver, &Call::PeekNamedPipe { pipe: self.handle, length: 0 });
        let result = match peek.map(|reply| reply.output) {
            Err(failure) => end_of_file(failure),
            Ok(Output::Peek(peek)) if peek.available > 0 => {
                if self.reads_messages && peek.left > room {
                    return Err(Failure::Status(Status::BUFFER_OVERFLOW));
                }
                let delivery = Delivery::OVERLAPPED;
                let call = Call::ReadFile { file: self.handle, length: room, delivery };
                ask(&self.driver, &call).map(|reply| match (reply.output, take.take()) {
                    (Output::Data(data), Some(take)) => take(&data),
                    _ => 0,
                })
            }
            // In byte mode the signal may have been for an empty message (READ-22).
            Ok(_) if self.has_messages() => Ok(0),
            Ok(_) => Err(Failure::WouldBlock),
        };
        {
            let mut io = self.io.lock();
            if matches!(io.reading, Reading::Signaled { name: of, .. } if of == name) {
                io.reading = Reading::Idle;
            }
        }
        self.schedule_read();
        result
    }

    fn has_messages(&self) -> bool {
        self.info().is_ok_and(|info| info.pipe_type == PipeType::Message)
    }
}

fn give(io: &mut Io, take: &mut Option<impl FnOnce(&[u8]) -> usize>) -> Found {
    match std::mem::replace(&mut io.reading, Reading::Idle) {
        waits @ (Reading::Idle | Reading::InFlight(_)) => {
            io.reading = waits;
            Found::WouldBlock
        }
        Reading::Data { name, data, given } => {
            let rest = &data[given as usize..];
            let taken = take.take().map_or(0, |take| take(rest));
            if taken == rest.len() {
                return Found::Given(taken);
            }
            io.reading = Reading::Data { name, data, given: given + taken as u32 };
            Found::Part(taken)
        }
        Reading::Signaled { empty_message: true, .. } => Found::EmptyMessage,
        signaled @ Reading::Signaled { name, .. } => {
            io.reading = signaled;
            Found::Ask { name }
        }
        Reading::Failed { failure, .. } => Found::Failed(failure),
    }
}

/// The other end has closed: that is the end of the data, not a failure.
fn end_of_file(failure: Failure) -> Result<usize, Failure> {
    if failure.is(Status::PIPE_BROKEN) { Ok(0) } else { Err(failure) }
}
