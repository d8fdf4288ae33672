//! One end of a pipe: what servers, clients and anonymous pipes have in common.

use std::io;

use npfs_abi::{
    Call, CreateNamedPipe, Data, Delivery, Handle, HandleState, HandleStateQuery, LocalInfo,
    Output, Peek, PipeAttribute, PipeInfo, ReadMode, Reply, Status,
};
use npfs_host::Error;

use crate::Process;
use crate::handle::{OwnedHandle, Waitable};
use crate::overlapped::{Begin, Operation, Signal};

/// An open end of a pipe. Dropping it closes it.
///
/// [`io::Read`] and [`io::Write`] behave as std's files do on Windows: a read after the other end
/// is gone gives `Ok(0)`, a message longer than the buffer comes in parts, and `flush` does
/// nothing ([`PipeEnd::flush_file_buffers`] is the Windows call).
#[derive(Debug)]
pub struct PipeEnd {
    handle: OwnedHandle,
}

/// What a message read gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    /// How many bytes are in the buffer.
    pub bytes: usize,
    /// `ERROR_MORE_DATA`: the message has more than the buffer could take, and the next read gives
    /// the rest.
    pub more: bool,
}

/// Bytes that were read, with what a message read tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// The bytes.
    pub data: Vec<u8>,
    /// `ERROR_MORE_DATA`: the message goes on.
    pub more: bool,
}

impl Received {
    pub(crate) fn of(reply: Reply) -> Result<Received, Error> {
        if reply.status.is_error() {
            return Err(reply.status.into());
        }
        let more = reply.status == Status::BUFFER_OVERFLOW;
        Ok(Received { data: data_of(reply).to_vec(), more })
    }
}

fn data_of(reply: Reply) -> Data {
    match reply.output {
        Output::Data(data) => data,
        _ => Data::EMPTY,
    }
}

impl PipeEnd {
    pub(crate) fn new(handle: OwnedHandle) -> PipeEnd {
        PipeEnd { handle }
    }

    /// Its handle.
    pub fn handle(&self) -> &OwnedHandle {
        &self.handle
    }

    /// Its handle, without the end around it.
    pub fn into_handle(self) -> OwnedHandle {
        self.handle
    }

    /// The end that a handle is, such as one duplicated into another process.
    pub fn from_handle(handle: OwnedHandle) -> PipeEnd {
        PipeEnd { handle }
    }

    /// Whose end it is.
    pub fn process(&self) -> &Process {
        self.handle.process()
    }

    pub(crate) fn value(&self) -> Handle {
        self.handle.value()
    }

    pub(crate) fn ask(&self, call: &Call) -> Result<Reply, Error> {
        self.process().ask(call)
    }

    /// Another handle of the same process to the same file object: they share the lock of a
    /// synchronous end, and the end closes with the last of them.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn try_clone(&self) -> Result<PipeEnd, Error> {
        Ok(PipeEnd { handle: self.handle.duplicate_to(self.process())? })
    }

    fn read_call(&self, length: usize) -> Result<Reply, Error> {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let delivery = Delivery::Return;
        self.ask(&Call::ReadFile { file: self.value(), length, delivery })
    }

    /// `ReadFile`, blocking; tells whether the message goes on. 0 bytes without `more` is an empty
    /// message.
    ///
    /// # Errors
    /// 109 when the other end is gone and nothing is left to read; 233 when the server has
    /// disconnected; 536 while nobody has connected; 232 in nonblocking mode when nothing is there;
    /// 5 without the right to read.
    pub fn read_message(&self, buffer: &mut [u8]) -> Result<Message, Error> {
        let reply = self.read_call(buffer.len())?;
        let more = reply.status == Status::BUFFER_OVERFLOW;
        let data = data_of(reply);
        buffer[..data.len()].copy_from_slice(&data);
        Ok(Message { bytes: data.len(), more })
    }

    /// A whole message of any length, read in parts.
    ///
    /// # Errors
    /// As [`PipeEnd::read_message`].
    pub fn receive(&self) -> Result<Vec<u8>, Error> {
        let mut message = Vec::new();
        loop {
            let part = Received::of(self.read_call(4096)?)?;
            message.extend(part.data);
            if !part.more {
                return Ok(message);
            }
        }
    }

    /// `WriteFile`, blocking: one message on a message pipe. Gives the number of bytes written,
    /// which is less only in nonblocking mode.
    ///
    /// # Errors
    /// 232 when the other end is closing; 233 when there is none; 536 while nobody has connected; 5
    /// without the right to write.
    pub fn send(&self, data: &[u8]) -> Result<usize, Error> {
        let (file, delivery) = (self.value(), Delivery::Return);
        let reply = self.ask(&Call::WriteFile { file, data: data.into(), delivery })?;
        Ok(reply.information as usize)
    }

    /// `PeekNamedPipe`: up to `length` bytes that stay in the pipe, and how many there are.
    ///
    /// # Errors
    /// 109, 230 or 233 when the end is not connected.
    pub fn peek(&self, length: u32) -> Result<Peek, Error> {
        match self.ask(&Call::PeekNamedPipe { pipe: self.value(), length })?.output {
            Output::Peek(peek) => Ok(peek),
            _ => Ok(Peek { data: Data::EMPTY, available: 0, left: 0 }),
        }
    }

    /// `TransactNamedPipe`: writes a message and reads one of at most `length` bytes.
    ///
    /// # Errors
    /// 230 when this end does not read messages or is not connected; 231 when unread data is in
    /// the way.
    pub fn transact(&self, request: &[u8], length: u32) -> Result<Received, Error> {
        let call = Call::TransactNamedPipe {
            pipe: self.value(),
            data: request.into(),
            length,
            delivery: Delivery::Return,
        };
        Received::of(self.ask(&call)?)
    }

    /// `FlushFileBuffers`: waits until the other end has read what was written so far.
    ///
    /// # Errors
    /// 109 when the other end goes before; 233 when there is none.
    pub fn flush_file_buffers(&self) -> Result<(), Error> {
        self.ask(&Call::FlushFileBuffers { file: self.value() }).map(|_| ())
    }

    /// `GetNamedPipeInfo`
    ///
    /// # Errors
    /// 5 without the right to read attributes; 233 at a client that was cast off.
    pub fn info(&self) -> Result<PipeInfo, Error> {
        match self.ask(&Call::GetNamedPipeInfo { pipe: self.value() })?.output {
            Output::Info(info) => Ok(info),
            _ => Err(Status::UNSUCCESSFUL.into()),
        }
    }

    /// `GetNamedPipeHandleState`: modes and the number of instances.
    ///
    /// # Errors
    /// As [`PipeEnd::info`].
    pub fn state(&self) -> Result<HandleState, Error> {
        let (pipe, query) = (self.value(), HandleStateQuery::default());
        match self.ask(&Call::GetNamedPipeHandleState { pipe, query })?.output {
            Output::State(state) => Ok(*state),
            _ => Err(Status::UNSUCCESSFUL.into()),
        }
    }

    /// `FilePipeLocalInformation`: state, quotas, bytes that can be read and written.
    ///
    /// # Errors
    /// As [`PipeEnd::info`].
    pub fn local_info(&self) -> Result<LocalInfo, Error> {
        match self.ask(&Call::QueryLocalInformation { pipe: self.value() })?.output {
            Output::Local(info) => Ok(info),
            _ => Err(Status::UNSUCCESSFUL.into()),
        }
    }

    /// `SetNamedPipeHandleState`: read mode, and whether calls return at once (`PIPE_NOWAIT`).
    ///
    /// # Errors
    /// 87 for message mode on a byte pipe; 231 while something waits and `nowait` is wanted; 5
    /// without the right to write attributes.
    pub fn set_state(&self, read: ReadMode, nowait: bool) -> Result<(), Error> {
        let message = match read {
            ReadMode::Byte => 0,
            ReadMode::Message => CreateNamedPipe::READMODE_MESSAGE,
        };
        let mode = message | if nowait { CreateNamedPipe::NOWAIT } else { 0 };
        let call = Call::SetNamedPipeHandleState {
            pipe: self.value(),
            mode: Some(mode),
            collection_count: None,
            collect_timeout: None,
        };
        self.ask(&call).map(|_| ())
    }

    fn number(&self, attribute: PipeAttribute) -> Result<u64, Error> {
        match self.ask(&Call::GetNamedPipeAttribute { pipe: self.value(), attribute })?.output {
            Output::Number(number) => Ok(number),
            _ => Err(Status::UNSUCCESSFUL.into()),
        }
    }

    /// `GetNamedPipeClientProcessId`
    ///
    /// # Errors
    /// 1168 while there is no client.
    pub fn client_process_id(&self) -> Result<u32, Error> {
        Ok(self.number(PipeAttribute::ClientProcessId)? as u32)
    }

    /// `GetNamedPipeServerProcessId`
    ///
    /// # Errors
    /// 233 at a client that was cast off.
    pub fn server_process_id(&self) -> Result<u32, Error> {
        Ok(self.number(PipeAttribute::ServerProcessId)? as u32)
    }

    /// Begins an overlapped `ReadFile` of at most `length` bytes, with an event of its own.
    ///
    /// The handle must have been opened overlapped, else the call blocks (SYNC-20).
    ///
    /// # Errors
    /// As [`PipeEnd::read_message`], where the operation fails at once.
    pub fn begin_read(&self, length: u32) -> Result<Operation<Received>, Error> {
        self.begin(Signal::Own).read(length)
    }

    /// Begins an overlapped `WriteFile`, with an event of its own.
    ///
    /// # Errors
    /// As [`PipeEnd::send`], where the operation fails at once.
    pub fn begin_write(&self, data: &[u8]) -> Result<Operation<usize>, Error> {
        self.begin(Signal::Own).write(data)
    }

    /// An overlapped operation whose end is told by `signal`.
    pub fn begin<'a>(&'a self, signal: Signal<'a>) -> Begin<'a> {
        Begin::new(self, signal)
    }

    /// `CancelIo`: cancels what the calling thread has begun on this end.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn cancel_own(&self) -> Result<(), Error> {
        self.ask(&Call::CancelIo { file: self.value() }).map(|_| ())
    }

    /// `CancelIoEx`: cancels everything that the process has begun on this end; `false` when there
    /// was nothing (1168).
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn cancel_all(&self) -> Result<bool, Error> {
        found(self.ask(&Call::CancelIoEx { file: self.value(), request: None }))
    }
}

/// Whether a cancel found something.
pub(crate) fn found(reply: Result<Reply, Error>) -> Result<bool, Error> {
    match reply {
        Ok(_) => Ok(true),
        Err(error) if error.status() == Status::NOT_FOUND => Ok(false),
        Err(error) => Err(error),
    }
}

impl Waitable for PipeEnd {
    fn wait_handle(&self) -> Handle {
        self.value()
    }
}

impl io::Read for &PipeEnd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.read_message(buffer) {
            Ok(message) => Ok(message.bytes),
            Err(error) if error.status() == Status::PIPE_BROKEN => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

impl io::Write for &PipeEnd {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(self.send(data)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Read, write and everything of [`PipeEnd`] for what holds one.
macro_rules! is_an_end {
    ($($name:ident),+) => {$(
        impl std::ops::Deref for $name {
            type Target = $crate::PipeEnd;
            fn deref(&self) -> &$crate::PipeEnd {
                &self.end
            }
        }

        impl $crate::Waitable for $name {
            fn wait_handle(&self) -> npfs_abi::Handle {
                self.end.wait_handle()
            }
        }

        impl std::io::Read for &$name {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                (&self.end).read(buffer)
            }
        }

        impl std::io::Write for &$name {
            fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
                (&self.end).write(data)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        impl std::io::Read for $name {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                (&self.end).read(buffer)
            }
        }

        impl std::io::Write for $name {
            fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
                (&self.end).write(data)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
    )+};
}
pub(crate) use is_an_end;

impl io::Read for PipeEnd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl io::Write for PipeEnd {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
