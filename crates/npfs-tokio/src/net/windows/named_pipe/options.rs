//! How ends are created and opened.

use std::ffi::{OsStr, c_void};
use std::io;
use std::ptr::null_mut;

use npfs_abi::{Access, Call, CreateFile, CreateNamedPipe, Handle, Outcome, Output, PipeName};
use npfs_abi::{ProcessId, SecurityDescriptor, Status, codes};
use npfs_host::Host;
use npfs_win32::os::windows::ffi::OsStrExt;

use super::{NamedPipeClient, NamedPipeServer, PipeMode};
use crate::end::End;
use crate::error::Failure;

/// `tokio::net::windows::named_pipe::ServerOptions`: how an instance is created.
///
/// Defaults: both directions, bytes, no remote clients, any number of instances, 65,536 bytes each
/// way.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    call: CreateNamedPipe,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions::new()
    }
}

fn set(bits: &mut u32, flag: u32, on: bool) {
    *bits = if on { *bits | flag } else { *bits & !flag };
}

impl ServerOptions {
    /// The defaults.
    pub fn new() -> ServerOptions {
        let mut call = CreateNamedPipe::new("");
        call.open_mode |= CreateNamedPipe::OVERLAPPED;
        call.pipe_mode |= CreateNamedPipe::REJECT_REMOTE;
        call.max_instances = CreateNamedPipe::UNLIMITED_INSTANCES;
        call.out_buffer = 65_536;
        call.in_buffer = 65_536;
        ServerOptions { call }
    }

    fn open_mode(&mut self, flag: u32, on: bool) -> &mut ServerOptions {
        set(&mut self.call.open_mode, flag, on);
        self
    }

    /// What the pipe carries, and how this end reads. All instances must agree.
    pub fn pipe_mode(&mut self, pipe_mode: PipeMode) -> &mut Self {
        let message = CreateNamedPipe::TYPE_MESSAGE | CreateNamedPipe::READMODE_MESSAGE;
        set(&mut self.call.pipe_mode, message, pipe_mode == PipeMode::Message);
        self
    }

    /// Whether data goes from client to server (`PIPE_ACCESS_INBOUND`).
    pub fn access_inbound(&mut self, allowed: bool) -> &mut Self {
        self.open_mode(CreateNamedPipe::ACCESS_INBOUND, allowed)
    }

    /// Whether data goes from server to client (`PIPE_ACCESS_OUTBOUND`).
    pub fn access_outbound(&mut self, allowed: bool) -> &mut Self {
        self.open_mode(CreateNamedPipe::ACCESS_OUTBOUND, allowed)
    }

    /// Whether the pipe must not exist yet (`FILE_FLAG_FIRST_PIPE_INSTANCE`): then
    /// [`ServerOptions::create`] fails with `PermissionDenied`.
    pub fn first_pipe_instance(&mut self, first: bool) -> &mut Self {
        self.open_mode(CreateNamedPipe::FIRST_INSTANCE, first)
    }

    /// Whether this end may change the access list (`WRITE_DAC`).
    pub fn write_dac(&mut self, requested: bool) -> &mut Self {
        self.open_mode(Access::WRITE_DAC.0, requested)
    }

    /// Whether this end may change the owner (`WRITE_OWNER`).
    pub fn write_owner(&mut self, requested: bool) -> &mut Self {
        self.open_mode(Access::WRITE_OWNER.0, requested)
    }

    /// Whether this end may change the audit list (`ACCESS_SYSTEM_SECURITY`).
    pub fn access_system_security(&mut self, requested: bool) -> &mut Self {
        self.open_mode(Access::ACCESS_SYSTEM_SECURITY.0, requested)
    }

    /// Whether clients of other computers are refused (`PIPE_REJECT_REMOTE_CLIENTS`).
    pub fn reject_remote_clients(&mut self, reject: bool) -> &mut Self {
        set(&mut self.call.pipe_mode, CreateNamedPipe::REJECT_REMOTE, reject);
        self
    }

    /// At most so many instances of the pipe, which its first instance decides.
    ///
    /// # Panics
    /// For more than 254.
    #[track_caller]
    pub fn max_instances(&mut self, instances: usize) -> &mut Self {
        assert!(instances < 255, "a pipe has at most 254 instances or any number, not {instances}");
        self.call.max_instances = instances as u32;
        self
    }

    /// The quota from server to client, in bytes.
    pub fn out_buffer_size(&mut self, buffer: u32) -> &mut Self {
        self.call.out_buffer = buffer;
        self
    }

    /// The quota from client to server, in bytes.
    pub fn in_buffer_size(&mut self, buffer: u32) -> &mut Self {
        self.call.in_buffer = buffer;
        self
    }

    /// Creates an instance of the pipe at `addr`, such as `\\.\pipe\name`, which listens. It may be
    /// called anywhere; there need be no runtime.
    ///
    /// # Errors
    /// `PermissionDenied` when a first instance is wanted and there is one, or the modes differ
    /// from those of the first; 231 when all instances exist; `InvalidInput` without any direction
    /// or for 0 instances; 123 for a name that no pipe has.
    pub fn create(&self, addr: impl AsRef<OsStr>) -> io::Result<NamedPipeServer> {
        // SAFETY: null is allowed.
        unsafe { self.create_with_security_attributes_raw(addr, null_mut()) }
    }

    /// As [`ServerOptions::create`], with a `SECURITY_ATTRIBUTES`.
    ///
    /// # Errors
    /// As [`ServerOptions::create`].
    ///
    /// # Safety
    /// `attrs` is null or points to a `SECURITY_ATTRIBUTES` with a valid descriptor or none.
    pub unsafe fn create_with_security_attributes_raw(
        &self,
        addr: impl AsRef<OsStr>,
        attrs: *mut c_void,
    ) -> io::Result<NamedPipeServer> {
        let mut call = CreateNamedPipe { name: name(addr.as_ref()), ..self.call.clone() };
        // SAFETY: the caller promises it.
        (call.inherit, call.security) = unsafe { attributes(attrs) }?;
        let messages = call.pipe_mode & CreateNamedPipe::READMODE_MESSAGE != 0;
        let (host, process) = npfs_win32::simulation::current();
        let end = open(&host, process, &Call::CreateNamedPipe(call), messages)?;
        Ok(NamedPipeServer { end })
    }
}

/// `tokio::net::windows::named_pipe::ClientOptions`: how a client end is opened.
///
/// Defaults: reading and writing, bytes, the server may identify the client but not act as it.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    call: CreateFile,
    pipe_mode: PipeMode,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions::new()
    }
}

/// `SECURITY_IDENTIFICATION`
const IDENTIFICATION: u32 = 0x0001_0000;

impl ClientOptions {
    /// The defaults.
    pub fn new() -> Self {
        let mut call = CreateFile::new("");
        call.flags = CreateFile::OVERLAPPED | codes::sqos::PRESENT | IDENTIFICATION;
        ClientOptions { call, pipe_mode: PipeMode::Byte }
    }

    fn right(&mut self, right: Access, on: bool) -> &mut Self {
        let access = self.call.access;
        self.call.access = if on { access.with(right) } else { access.without(right) };
        self
    }

    /// Whether this end reads (`GENERIC_READ`).
    pub fn read(&mut self, allowed: bool) -> &mut Self {
        self.right(Access::GENERIC_READ, allowed)
    }

    /// Whether this end writes (`GENERIC_WRITE`).
    pub fn write(&mut self, allowed: bool) -> &mut Self {
        self.right(Access::GENERIC_WRITE, allowed)
    }

    /// The security quality of service, in place of the default; `SECURITY_SQOS_PRESENT` is added.
    pub fn security_qos_flags(&mut self, flags: u32) -> &mut Self {
        self.call.flags = CreateFile::OVERLAPPED | flags | codes::sqos::PRESENT;
        self
    }

    /// How this end reads (`SetNamedPipeHandleState`).
    pub fn pipe_mode(&mut self, pipe_mode: PipeMode) -> &mut Self {
        self.pipe_mode = pipe_mode;
        self
    }

    /// Opens the pipe at `addr`: takes the instance that has listened longest. It may be called
    /// anywhere; there need be no runtime.
    ///
    /// # Errors
    /// `NotFound` without such a pipe; 231 when no instance listens: wait and try again;
    /// `PermissionDenied` when the direction or the access list refuses.
    pub fn open(&self, addr: impl AsRef<OsStr>) -> io::Result<NamedPipeClient> {
        // SAFETY: null is allowed.
        unsafe { self.open_with_security_attributes_raw(addr, null_mut()) }
    }

    /// As [`ClientOptions::open`], with a `SECURITY_ATTRIBUTES`, of which an open takes only
    /// whether the handle is inherited.
    ///
    /// # Errors
    /// As [`ClientOptions::open`].
    ///
    /// # Safety
    /// `attrs` is null or points to a `SECURITY_ATTRIBUTES` with a valid descriptor or none.
    pub unsafe fn open_with_security_attributes_raw(
        &self,
        addr: impl AsRef<OsStr>,
        attrs: *mut c_void,
    ) -> io::Result<NamedPipeClient> {
        let mut call = CreateFile { name: name(addr.as_ref()), ..self.call.clone() };
        // SAFETY: the caller promises it.
        (call.inherit, _) = unsafe { attributes(attrs) }?;
        let (host, process) = npfs_win32::simulation::current();
        let messages = self.pipe_mode == PipeMode::Message;
        let end = open(&host, process, &Call::CreateFile(call), messages)?;
        Ok(NamedPipeClient { end })
    }
}

/// Whether the handle is inherited, and the descriptor; null is the default.
///
/// # Safety
/// As [`ServerOptions::create_with_security_attributes_raw`].
unsafe fn attributes(at: *mut c_void) -> Result<(bool, Option<SecurityDescriptor>), Failure> {
    // SAFETY: the caller promises it.
    unsafe { npfs_win32::security_attributes(at.cast_const().cast()) }.map_err(Failure::Status)
}

fn name(addr: &OsStr) -> PipeName {
    let wide: Vec<u16> = addr.encode_wide().collect();
    PipeName::new(&String::from_utf16_lossy(&wide))
}

/// Makes a handle and takes it, as one step.
fn open(host: &Host, process: ProcessId, call: &Call, messages: bool) -> Result<End, Failure> {
    host.turn()?;
    host.within_turn(|| {
        let handle = handle_from(host, process, call)?;
        if messages && matches!(call, Call::CreateFile(_)) {
            let mode = Call::SetNamedPipeHandleState {
                pipe: handle,
                mode: Some(CreateNamedPipe::READMODE_MESSAGE),
                collection_count: None,
                collect_timeout: None,
            };
            if let Err(failure) = ask(host, process, &mode) {
                // The end that nobody gets.
                let _ = ask(host, process, &Call::CloseHandle { handle });
                return Err(failure);
            }
        }
        Ok(End::new(host, process, handle, messages))
    })
}

fn handle_from(host: &Host, process: ProcessId, call: &Call) -> Result<Handle, Failure> {
    match ask(host, process, call)? {
        Output::Handle(handle) => Ok(handle),
        _ => Err(Failure::Status(Status::INVALID_HANDLE)),
    }
}

/// As the calling thread: what it may open depends on as whom it acts.
fn ask(host: &Host, process: ProcessId, call: &Call) -> Result<Output, Failure> {
    match host.call(process, call)? {
        Outcome::Done(reply) if reply.status.is_error() => Err(Failure::Status(reply.status)),
        Outcome::Done(reply) => Ok(reply.output),
        Outcome::Pending(_) | Outcome::Blocked(_) => Ok(Output::None),
    }
}
