//! The server end: creating instances, connecting and disconnecting clients.

use std::time::Duration;

use npfs_abi::{
    Access, Call, Configuration, CreateNamedPipe, Delivery, PipeName, SecurityDescriptor, Status,
};
use npfs_host::Error;

use crate::Process;
use crate::overlapped::{Operation, Signal};
use crate::pipe::{PipeEnd, is_an_end};
use crate::process::milliseconds;

/// How an instance of a pipe is created (`CreateNamedPipe`).
///
/// Defaults: duplex, bytes, waiting, synchronous, any number of instances, quotas of 4096 bytes,
/// a default time-out of 50 ms, remote clients accepted, a descriptor by default.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct ServerOptions {
    call: CreateNamedPipe,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions::new()
    }
}

impl ServerOptions {
    /// The defaults.
    pub fn new() -> ServerOptions {
        let mut call = CreateNamedPipe::new("");
        call.max_instances = CreateNamedPipe::UNLIMITED_INSTANCES;
        ServerOptions { call }
    }

    fn open_flag(mut self, flag: u32, on: bool) -> ServerOptions {
        self.call.open_mode =
            if on { self.call.open_mode | flag } else { self.call.open_mode & !flag };
        self
    }

    fn pipe_flag(mut self, flag: u32, on: bool) -> ServerOptions {
        self.call.pipe_mode =
            if on { self.call.pipe_mode | flag } else { self.call.pipe_mode & !flag };
        self
    }

    /// Which way data goes; default both.
    pub fn direction(mut self, direction: Configuration) -> ServerOptions {
        let access = match direction {
            Configuration::Inbound => CreateNamedPipe::ACCESS_INBOUND,
            Configuration::Outbound => CreateNamedPipe::ACCESS_OUTBOUND,
            Configuration::Duplex => CreateNamedPipe::ACCESS_DUPLEX,
        };
        self.call.open_mode = self.call.open_mode & !CreateNamedPipe::ACCESS_DUPLEX | access;
        self
    }

    /// Messages, both as the type of the pipe and as the read mode of this end.
    pub fn message_mode(self) -> ServerOptions {
        self.pipe_flag(CreateNamedPipe::TYPE_MESSAGE | CreateNamedPipe::READMODE_MESSAGE, true)
    }

    /// Messages as the type of the pipe; this end reads bytes.
    pub fn message_type(self) -> ServerOptions {
        self.pipe_flag(CreateNamedPipe::TYPE_MESSAGE, true)
            .pipe_flag(CreateNamedPipe::READMODE_MESSAGE, false)
    }

    /// `PIPE_NOWAIT`: calls of this end return at once.
    pub fn nowait(self, on: bool) -> ServerOptions {
        self.pipe_flag(CreateNamedPipe::NOWAIT, on)
    }

    /// `FILE_FLAG_OVERLAPPED`: operations can be begun and waited for later.
    pub fn overlapped(self, on: bool) -> ServerOptions {
        self.open_flag(CreateNamedPipe::OVERLAPPED, on)
    }

    /// `FILE_FLAG_FIRST_PIPE_INSTANCE`: fails with 5 if the pipe exists.
    pub fn first_instance(self, on: bool) -> ServerOptions {
        self.open_flag(CreateNamedPipe::FIRST_INSTANCE, on)
    }

    /// `FILE_FLAG_WRITE_THROUGH`: for remote clients.
    pub fn write_through(self, on: bool) -> ServerOptions {
        self.open_flag(CreateNamedPipe::WRITE_THROUGH, on)
    }

    /// `PIPE_REJECT_REMOTE_CLIENTS`
    pub fn reject_remote_clients(self, on: bool) -> ServerOptions {
        self.pipe_flag(CreateNamedPipe::REJECT_REMOTE, on)
    }

    /// `WRITE_DAC`, `WRITE_OWNER` or `ACCESS_SYSTEM_SECURITY` for the new handle.
    pub fn access(mut self, rights: Access) -> ServerOptions {
        self.call.open_mode |= rights.0;
        self
    }

    /// 1 to 254 instances at the most; 255 is any number.
    pub fn max_instances(mut self, count: u32) -> ServerOptions {
        self.call.max_instances = count;
        self
    }

    /// The quota of the direction client to server, in bytes.
    pub fn in_buffer(mut self, bytes: u32) -> ServerOptions {
        self.call.in_buffer = bytes;
        self
    }

    /// The quota of the direction server to client, in bytes.
    pub fn out_buffer(mut self, bytes: u32) -> ServerOptions {
        self.call.out_buffer = bytes;
        self
    }

    /// How long `WaitNamedPipe` waits by default, in whole milliseconds, rounded up.
    pub fn default_timeout(mut self, span: Duration) -> ServerOptions {
        self.call.default_timeout = milliseconds(span);
        self
    }

    /// The security descriptor of the pipe.
    pub fn security(mut self, descriptor: SecurityDescriptor) -> ServerOptions {
        self.call.security = Some(descriptor);
        self
    }

    /// Whether child processes inherit the handle.
    pub fn inherit(mut self, on: bool) -> ServerOptions {
        self.call.inherit = on;
        self
    }

    /// The arguments of `CreateNamedPipe`, to change what has no method here.
    pub fn arguments(&mut self) -> &mut CreateNamedPipe {
        &mut self.call
    }

    /// Creates an instance of the pipe at `path`, such as `\\.\pipe\name`.
    ///
    /// # Errors
    /// 5 when a first instance is wanted and there is one, when the modes differ from those of the
    /// first instance, or when the descriptor refuses; 87 for bad arguments; 123 for a path that
    /// no pipe can have; 231 when all instances exist.
    pub fn create(&self, process: &Process, path: &str) -> Result<PipeServer, Error> {
        let call = CreateNamedPipe { name: PipeName::new(path), ..self.call.clone() };
        let (handle, _) = process.handle_from(&Call::CreateNamedPipe(call))?;
        Ok(PipeServer { end: PipeEnd::new(handle) })
    }
}

/// How a connect ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connected {
    /// A client came during the call.
    Now,
    /// `ERROR_PIPE_CONNECTED` (535): a client was there already.
    Before,
}

/// A server end of a pipe: one instance. Everything that both ends can do is at [`PipeEnd`].
#[derive(Debug)]
pub struct PipeServer {
    end: PipeEnd,
}

is_an_end!(PipeServer);

impl PipeServer {
    /// An instance with [`ServerOptions`] by default.
    ///
    /// # Errors
    /// As [`ServerOptions::create`].
    pub fn create(process: &Process, path: &str) -> Result<PipeServer, Error> {
        ServerOptions::new().create(process, path)
    }

    /// The defaults, to be changed.
    pub fn options() -> ServerOptions {
        ServerOptions::new()
    }

    /// `ConnectNamedPipe`: waits for a client.
    ///
    /// # Errors
    /// 232 when a client came and is gone already: disconnect, then connect again. 536 in
    /// nonblocking mode while there is none.
    pub fn connect(&self) -> Result<Connected, Error> {
        let (pipe, delivery) = (self.end.value(), Delivery::Return);
        match self.end.ask(&Call::ConnectNamedPipe { pipe, delivery }) {
            Ok(_) => Ok(Connected::Now),
            Err(error) if error.status() == Status::PIPE_CONNECTED => Ok(Connected::Before),
            Err(error) => Err(error),
        }
    }

    /// Begins an overlapped `ConnectNamedPipe`, with an event of its own.
    ///
    /// # Errors
    /// 535 when a client is there already, 232 when one came and is gone: nothing was begun.
    pub fn begin_connect(&self) -> Result<Operation<Connected>, Error> {
        self.end.begin(Signal::Own).connect()
    }

    /// `DisconnectNamedPipe`: casts the client off. What it has not read is lost, and its calls
    /// fail with 233.
    ///
    /// # Errors
    /// 233 when it is disconnected already.
    pub fn disconnect(&self) -> Result<(), Error> {
        self.end.ask(&Call::DisconnectNamedPipe { pipe: self.end.value() }).map(|_| ())
    }

    /// `ImpersonateNamedPipeClient`: the calling thread acts as the client until the guard is
    /// dropped (`RevertToSelf`).
    ///
    /// # Errors
    /// 1368 before anything was read from the client.
    pub fn impersonate(&self) -> Result<Impersonation<'_>, Error> {
        self.end.ask(&Call::ImpersonateNamedPipeClient { pipe: self.end.value() })?;
        Ok(Impersonation { process: self.end.process() })
    }

    /// The end alone.
    pub fn into_end(self) -> PipeEnd {
        self.end
    }
}

/// The calling thread acts as a client. Dropping it ends that.
#[derive(Debug)]
pub struct Impersonation<'a> {
    process: &'a Process,
}

impl Drop for Impersonation<'_> {
    fn drop(&mut self) {
        // RevertToSelf fails only in a simulation that has stopped.
        let _ = self.process.call(&Call::RevertToSelf);
    }
}
