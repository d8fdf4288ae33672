//! The client end.

use npfs_abi::{Access, Call, CreateFile, CreateNamedPipe, ImpersonationLevel, PipeName, codes};
use npfs_host::Error;

use crate::Process;
use crate::pipe::{PipeEnd, is_an_end};

/// How a client end is opened (`CreateFile` with `OPEN_EXISTING`).
///
/// Defaults: read and write, bytes, synchronous, impersonation allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct ClientOptions {
    call: CreateFile,
    message: bool,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions::new()
    }
}

impl ClientOptions {
    /// The defaults.
    pub fn new() -> ClientOptions {
        ClientOptions { call: CreateFile::new(""), message: false }
    }

    fn flag(mut self, flag: u32, on: bool) -> ClientOptions {
        self.call.flags = if on { self.call.flags | flag } else { self.call.flags & !flag };
        self
    }

    fn right(mut self, right: Access, on: bool) -> ClientOptions {
        let access = self.call.access;
        self.call.access = if on { access.with(right) } else { access.without(right) };
        self
    }

    /// `GENERIC_READ`
    pub fn read(self, on: bool) -> ClientOptions {
        self.right(Access::GENERIC_READ, on)
    }

    /// `GENERIC_WRITE`
    pub fn write(self, on: bool) -> ClientOptions {
        self.right(Access::GENERIC_WRITE, on)
    }

    /// Exactly these rights.
    pub fn access(mut self, rights: Access) -> ClientOptions {
        self.call.access = rights;
        self
    }

    /// After the open, this end is set to read messages (`SetNamedPipeHandleState`); a client
    /// without `GENERIC_WRITE` needs `FILE_WRITE_ATTRIBUTES` for that.
    pub fn message_mode(mut self) -> ClientOptions {
        self.message = true;
        self
    }

    /// `FILE_FLAG_OVERLAPPED`
    pub fn overlapped(self, on: bool) -> ClientOptions {
        self.flag(CreateFile::OVERLAPPED, on)
    }

    /// `FILE_FLAG_WRITE_THROUGH`
    pub fn write_through(self, on: bool) -> ClientOptions {
        self.flag(CreateFile::WRITE_THROUGH, on)
    }

    /// `SECURITY_SQOS_PRESENT` with this level: how far the server may act as this client.
    pub fn impersonation(self, level: ImpersonationLevel) -> ClientOptions {
        let bits = match level {
            ImpersonationLevel::Anonymous => 0,
            ImpersonationLevel::Identification => 0x1_0000,
            ImpersonationLevel::Impersonation => 0x2_0000,
            ImpersonationLevel::Delegation => 0x3_0000,
        };
        self.flag(codes::sqos::LEVEL, false).flag(codes::sqos::PRESENT | bits, true)
    }

    /// Whether child processes inherit the handle.
    pub fn inherit(mut self, on: bool) -> ClientOptions {
        self.call.inherit = on;
        self
    }

    /// The arguments of `CreateFile`, to change what has no method here.
    pub fn arguments(&mut self) -> &mut CreateFile {
        &mut self.call
    }

    /// Opens the pipe at `path`: takes the instance that has listened longest.
    ///
    /// # Errors
    /// 2 without such a pipe; 231 when no instance listens; 5 when the direction or the descriptor
    /// refuses; 87 for message mode on a byte pipe.
    pub fn open(&self, process: &Process, path: &str) -> Result<PipeClient, Error> {
        let call = CreateFile { name: PipeName::new(path), ..self.call.clone() };
        let (handle, _) = process.handle_from(&Call::CreateFile(call))?;
        let client = PipeClient { end: PipeEnd::new(handle) };
        if self.message {
            let call = Call::SetNamedPipeHandleState {
                pipe: client.end.value(),
                mode: Some(CreateNamedPipe::READMODE_MESSAGE),
                collection_count: None,
                collect_timeout: None,
            };
            client.end.ask(&call)?;
        }
        Ok(client)
    }
}

/// A client end of a pipe. Everything that both ends can do is at [`PipeEnd`].
#[derive(Debug)]
pub struct PipeClient {
    end: PipeEnd,
}

is_an_end!(PipeClient);

impl PipeClient {
    /// Opens with [`ClientOptions`] by default.
    ///
    /// # Errors
    /// As [`ClientOptions::open`].
    pub fn open(process: &Process, path: &str) -> Result<PipeClient, Error> {
        ClientOptions::new().open(process, path)
    }

    /// The defaults, to be changed.
    pub fn options() -> ClientOptions {
        ClientOptions::new()
    }

    /// The end alone.
    pub fn into_end(self) -> PipeEnd {
        self.end
    }
}
