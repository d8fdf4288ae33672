//! Control codes, in bytes as Windows lays them out.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use npfs_abi::{
    Access, Data, Delivery, End, Handle, Output, PipeAttribute, PipeName, PipeType, Reply,
    RequestId, Status, Switch, Target, Time, codes::fsctl,
};

use super::{Instance, Waiter};
use crate::file::{File, Place};
use crate::io::{FileOp, Progress};
use crate::kernel::{Answer, CLOCK, Effects, Kernel, process_id};
use crate::npfs::state::Operation;
use crate::request::Request;
use crate::store::Id;
use crate::time::Timer;

/// The header of `FILE_PIPE_PEEK_BUFFER` (CONST-68).
const PEEK_HEADER: u32 = 16;
/// Where the name begins in `FILE_PIPE_WAIT_FOR_BUFFER`, and its size (CONST-69).
const WAIT_NAME: usize = 14;
const WAIT_SIZE: usize = 16;
/// `FILE_PIPE_CLIENT_PROCESS_BUFFER`, and with the name of the computer (DOC-LAY-08, -09).
const CLIENT_PROCESS: usize = 16;
const CLIENT_PROCESS_EX: usize = 56;

/// What an operation of pipe ends gets on the device and the root (NAME-63 to NAME-67).
pub(super) fn refused_at_root(operation: Operation) -> Status {
    match operation {
        Operation::Impersonate => Status::ILLEGAL_FUNCTION,
        Operation::Security => Status::INVALID_PARAMETER,
        Operation::Read | Operation::Write | Operation::Peek => Status::INVALID_PARAMETER,
        Operation::Disconnect | Operation::Transact => Status::PIPE_DISCONNECTED,
        Operation::Listen => Status::ILLEGAL_FUNCTION,
        Operation::Flush | Operation::Query => Status::INVALID_PARAMETER,
    }
}

/// Bits 14 and 15 of a code: what the handle must be able to do (FSCTL-12).
fn required(code: u32) -> Access {
    let read = if code & 0x4000 == 0 { Access::NONE } else { Access::READ_DATA };
    let write = if code & 0x8000 == 0 { Access::NONE } else { Access::WRITE_DATA };
    read.with(write)
}

/// An answer in bytes, as long as there is room for it.
pub(super) fn bytes(data: Vec<u8>) -> Progress {
    let data = Data::from(data);
    let information = data.size();
    Progress::Done(Reply { status: Status::SUCCESS, information, output: Output::Data(data) })
}

/// The little-endian number at `place`, if it is there.
pub(super) fn number_at<const N: usize>(input: &[u8], place: usize) -> Option<u64> {
    let field: [u8; N] = input.get(place..place.checked_add(N)?)?.try_into().ok()?;
    let mut wide = [0; 8];
    wide.get_mut(..N)?.copy_from_slice(&field);
    Some(u64::from_le_bytes(wide))
}

impl Kernel {
    #[expect(clippy::too_many_arguments, reason = "the arguments of NtFsControlFile")]
    pub(crate) fn fs_control(
        &mut self,
        request: RequestId,
        file: Handle,
        code: u32,
        input: &Data,
        length: u32,
        delivery: &Delivery,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let delivery = match *delivery {
            Delivery::Return => Delivery::Nt { event: None, routine: false, context: false },
            other => other,
        };
        let op = match code {
            fsctl::PEEK => FileOp::PeekRaw(length),
            fsctl::TRANSCEIVE => FileOp::Transact(input.clone(), length),
            fsctl::LISTEN => FileOp::Listen,
            fsctl::DISCONNECT => FileOp::Disconnect,
            fsctl::FLUSH => FileOp::Flush, // FLUSH-15
            fsctl::IMPERSONATE => FileOp::Impersonate,
            _ => FileOp::Control(code, input.clone(), length),
        };
        self.io(request, file, required(code), &delivery, op, fx)
    }

    /// The codes that no Win32 function with a call of its own stands for.
    pub(super) fn control(
        &mut self,
        request: Request,
        code: u32,
        input: &Data,
        length: u32,
    ) -> Result<Progress, Status> {
        let place = self.files[request.file].place;
        let at_root = matches!(place, Place::Device | Place::Root);
        match code {
            fsctl::WAIT => self.wait_for_instance(request, input),
            fsctl::GET_CONNECTION_ATTRIBUTE | fsctl::QUERY_CLIENT_PROCESS if at_root => {
                Err(Status::INVALID_PARAMETER) // NAME-64, NAME-68
            }
            fsctl::GET_CONNECTION_ATTRIBUTE => self.get_attribute(request.file, input, length),
            fsctl::QUERY_CLIENT_PROCESS | fsctl::QUERY_CLIENT_PROCESS_V2 if !at_root => {
                self.query_client_process(place, length)
            }
            // FSCTL-05, FSCTL-10: these are for callers in the kernel.
            fsctl::SET_CLIENT_PROCESS
            | fsctl::INTERNAL_READ
            | fsctl::INTERNAL_WRITE
            | fsctl::INTERNAL_TRANSCEIVE
            | fsctl::INTERNAL_READ_OVFLOW
                if !at_root =>
            {
                Err(Status::ACCESS_DENIED)
            }
            // NAME-65, FSCTL-01, OQ-08, IMP-22
            _ => Err(Status::NOT_SUPPORTED),
        }
    }

    /// `FSCTL_PIPE_PEEK` on an end with a connection (PEEK-15 to PEEK-21).
    pub(super) fn peek_raw(
        &mut self,
        instance: Id<Instance>,
        end: End,
        length: u32,
    ) -> Result<Progress, Status> {
        if length < PEEK_HEADER {
            return Err(if self.has(Switch::ShortPeekMismatch) {
                Status::INFO_LENGTH_MISMATCH
            } else {
                Status::INVALID_PARAMETER // PEEK-18
            });
        }
        let room = length - PEEK_HEADER;
        self.show_context(instance, end, room);
        let pipe_type = self.pipe_of(instance).pipe_type;
        let object = &self.instances[instance];
        let Some(connection) = object.connection() else {
            unreachable!("a connected or closing instance has a connection")
        };
        let queue = connection.queue(end);
        let shown = queue.peek(pipe_type, room);
        let (messages, message) = match pipe_type {
            PipeType::Message => (queue.messages(), queue.first()), // PEEK-19
            PipeType::Byte => (0, 0),
        };
        let more = match pipe_type {
            PipeType::Message => shown.size() < message,
            PipeType::Byte => room == 0 && queue.unread() > 0, // PEEK-17
        };
        let mut data = Vec::new();
        for field in [object.state() as u32, queue.unread(), messages, message] {
            data.extend_from_slice(&field.to_le_bytes());
        }
        data.extend_from_slice(&shown);
        let mut progress = bytes(data);
        if let Progress::Done(reply) = &mut progress {
            if more {
                reply.status = Status::BUFFER_OVERFLOW;
            }
        }
        Ok(progress)
    }

    /// `FSCTL_PIPE_WAIT` (WAIT-07, WAIT-20 to WAIT-24).
    fn wait_for_instance(&mut self, request: Request, input: &Data) -> Result<Progress, Status> {
        if self.files[request.file].place != Place::Root {
            return Err(Status::ILLEGAL_FUNCTION); // WAIT-20, NAME-69
        }
        let (timeout, name) = parse_wait(input)?;
        let name = PipeName::new(&format!("\\\\.\\pipe\\{name}"));
        let Target::Pipe(folded) = name.target() else {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        };
        let pipe = *self
            .namespace
            .part(folded)
            .pipes
            .get(folded) // WAIT-18
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?; // NAME-70
        if self.available(pipe) {
            return Ok(Progress::Done(Reply::ok()));
        }
        let now = self.time();
        let deadline = match timeout {
            None if self.has(Switch::WaitUnspecifiedForEver) => None,
            None => Some(now.after(self.pipes[pipe].default_timeout)),
            Some(span) if span < 0 => Some(now.after(Time(span.unsigned_abs()))),
            Some(point) => Some(Time(point.unsigned_abs())),
        };
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Status::IO_TIMEOUT);
        }
        if let Some(deadline) = deadline {
            self.clock.edit(CLOCK).arm(deadline, Timer::Request(request.id, pipe));
        }
        self.pipes.edit(pipe).waiters.push_back(Waiter::Request(request));
        Ok(Progress::Pends)
    }

    /// Cancels requests that wait on handles of the root (WAIT-16).
    pub(crate) fn cancel_at_root(
        &mut self,
        which: &mut dyn FnMut(&Request) -> bool,
        fx: &mut Effects<'_>,
    ) {
        let mut found = Vec::new();
        for (pipe, object) in self.pipes.iter() {
            for waiter in &object.waiters {
                if let Waiter::Request(request) = waiter {
                    if which(request) {
                        found.push((pipe, *waiter));
                    }
                }
            }
        }
        for (pipe, waiter) in found {
            self.pipes.edit(pipe).waiters.retain(|other| *other != waiter);
            self.end_name_wait(pipe, waiter, Status::CANCELLED, fx);
        }
        self.cancel_watches(which, fx);
    }

    /// What is known of the two ends of a connection (PID-01 to PID-11).
    pub(crate) fn connection_attribute(
        &self,
        file: Id<File>,
        attribute: PipeAttribute,
    ) -> Result<Output, Status> {
        let instance = match self.files[file].place {
            Place::At(_, instance) => &self.instances[instance],
            Place::Detached => return Err(Status::PIPE_DISCONNECTED), // PID-08
            Place::Closed => return Err(Status::INVALID_HANDLE),
            Place::Device | Place::Root => return Err(Status::INVALID_PARAMETER), // NAME-64
        };
        let server = instance.server_process;
        // PID-06
        let client = instance.connection().map(|link| link.client_process);
        let session = |process| u64::from(self.processes[process_id(process)].session);
        Ok(match attribute {
            PipeAttribute::ServerProcessId => Output::Number(u64::from(server.0)),
            PipeAttribute::ServerSessionId => Output::Number(session(server)),
            PipeAttribute::ClientProcessId => {
                Output::Number(u64::from(client.ok_or(Status::NOT_FOUND)?.0))
            }
            PipeAttribute::ClientSessionId => {
                Output::Number(session(client.ok_or(Status::NOT_FOUND)?))
            }
            PipeAttribute::ClientComputerName => {
                // PID-13: stored for remote clients only.
                let remote = instance.connection().and_then(|link| link.remote.as_ref());
                Output::Text(String::from(&*remote.ok_or(Status::NOT_FOUND)?.computer))
            }
        })
    }

    /// `FSCTL_PIPE_GET_CONNECTION_ATTRIBUTE`: the name in ASCII, with its NUL (PID-12).
    fn get_attribute(&self, file: Id<File>, input: &Data, length: u32) -> Result<Progress, Status> {
        let attribute = match &**input {
            b"ClientProcessId\0" => PipeAttribute::ClientProcessId,
            b"ServerProcessId\0" => PipeAttribute::ServerProcessId,
            b"ClientSessionId\0" => PipeAttribute::ClientSessionId,
            b"ServerSessionId\0" => PipeAttribute::ServerSessionId,
            b"ClientComputerName\0" => PipeAttribute::ClientComputerName,
            _ => return Err(Status::NOT_FOUND), // FSCTL-08
        };
        let value = match self.connection_attribute(file, attribute)? {
            Output::Text(name) => utf16(&name),
            Output::Number(number) => Vec::from((number as u32).to_le_bytes()),
            _ => Vec::new(),
        };
        if (length as usize) < value.len() {
            return Err(Status::BUFFER_TOO_SMALL); // FSCTL-09
        }
        Ok(bytes(value))
    }

    /// FSCTL-06
    fn query_client_process(&self, place: Place, length: u32) -> Result<Progress, Status> {
        let length = length as usize;
        if length < CLIENT_PROCESS {
            return Err(Status::INVALID_PARAMETER);
        }
        let Place::At(_, instance) = place else { return Err(Status::PIPE_DISCONNECTED) };
        let client = self.instances[instance].connection().map(|link| link.client_process);
        let process = client.map(|client| &self.processes[process_id(client)]);
        let session = process.map_or(0, |process| u64::from(process.session));
        let mut data = Vec::from(session.to_le_bytes());
        data.extend_from_slice(&client.map_or(0, |client| u64::from(client.0)).to_le_bytes());
        if length >= CLIENT_PROCESS_EX {
            let computer = process.and_then(|process| process.computer.as_deref()).unwrap_or("");
            let mut name = utf16(computer);
            name.truncate(30);
            data.extend_from_slice(&(name.len() as u16).to_le_bytes());
            data.extend_from_slice(&name);
            data.resize(CLIENT_PROCESS_EX, 0);
        }
        Ok(bytes(data))
    }
}

/// Text as Windows lays it out.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The time-out, if it was given, and the name (WAIT-21 to WAIT-23).
fn parse_wait(input: &[u8]) -> Result<(Option<i64>, String), Status> {
    const LONGEST_NAME: u64 = 65_533;
    let (Some(timeout), Some(length), Some(given)) =
        (number_at::<8>(input, 0), number_at::<4>(input, 8), number_at::<1>(input, 12))
    else {
        return Err(Status::INVALID_PARAMETER);
    };
    if input.len() < WAIT_SIZE || length > LONGEST_NAME {
        return Err(Status::INVALID_PARAMETER);
    }
    let name = input
        .get(WAIT_NAME..WAIT_NAME + length as usize)
        .ok_or(Status::INVALID_PARAMETER)?
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let name = char::decode_utf16(name).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    Ok(((given != 0).then_some(i64::from_le_bytes(timeout.to_le_bytes())), name.collect()))
}
