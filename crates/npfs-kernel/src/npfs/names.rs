//! Creating and opening by name: where a path leads, and every check on the way.
//!
//! The Win32 functions are thin mappings onto what is here. Access checks against descriptors
//! are in `security.rs`.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;

use npfs_abi::{
    Access, CompletionMode, Configuration, CreateFile, CreateNamedPipe, Handle, NtCreateFile,
    NtCreateNamedPipeFile, ObjectAttributes, Outcome, Output, PipeName, PipeType, ReadMode, Reply,
    SecurityDescriptor, Status, Switch, Target, ThreadId, Time,
    codes::{disposition, option, share},
};

use super::directory::Change;
use super::{Modes, Pipe};
use crate::file::{File, Place};
use crate::kernel::{Answer, Effects, Kernel};
use crate::process::{Entry, Object};
use crate::store::Id;

/// The longest name in bytes of UTF-16 (NAME-20, NAME-21).
const LONGEST: usize = 65_532;
/// The options that a pipe can have (DOC-NT-14).
const SYNCHRONOUS: u32 = option::SYNCHRONOUS_IO_ALERT | option::SYNCHRONOUS_IO_NONALERT;

/// What is at the end of a path.
enum Found {
    Device,
    Root,
    /// The pipe of this name, if there is one; the path is a Win32 one.
    Named(PipeName),
    /// The empty name in the root (NAME-43).
    Nameless,
    /// The pipe that a handle is an end of (NAME-46).
    Same(Id<Pipe>),
}

/// What a new file object is to be like.
pub(super) struct Opening {
    pub(super) access: Access,
    /// As in [`CreateFile::flags`]: `OVERLAPPED`, `WRITE_THROUGH` and the quality of service.
    pub(super) flags: u32,
    /// `FILE_SYNCHRONOUS_IO_ALERT`
    pub(super) alertable: bool,
    pub(super) inherit: bool,
    /// The computer of a remote client.
    pub(super) remote: Option<Arc<str>>,
}

impl Opening {
    pub(super) fn synchronous(&self) -> bool {
        self.flags & CreateFile::OVERLAPPED == 0
    }

    /// From the options of an Nt function.
    fn of_options(access: Access, options: u32, sqos: u32, inherit: bool) -> Opening {
        let mut flags = sqos;
        if options & SYNCHRONOUS == 0 {
            flags |= CreateFile::OVERLAPPED;
        }
        if options & option::WRITE_THROUGH != 0 {
            flags |= CreateFile::WRITE_THROUGH;
        }
        let alertable = options & option::SYNCHRONOUS_IO_ALERT != 0;
        Opening { access, flags, alertable, inherit, remote: None }
    }
}

/// What a creation asks for, whichever function it came from.
struct Creation<'a> {
    arguments: &'a NtCreateNamedPipeFile,
    pipe_type: PipeType,
    configuration: Configuration,
    modes: Modes,
    opening: Opening,
}

impl Kernel {
    /// `NtCreateNamedPipeFile`: first the parameters alone, then the name, then the pipe.
    pub(crate) fn nt_create_named_pipe_file(
        &mut self,
        thread: ThreadId,
        arguments: &NtCreateNamedPipeFile,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let inherit = arguments.attributes.as_ref().is_some_and(|attributes| attributes.inherit);
        let creation = parse_creation(arguments, inherit)?;
        let attributes = arguments.attributes.as_ref().ok_or(Status::INVALID_PARAMETER)?; // NAME-30
        match self.find(thread, attributes, true)? {
            Found::Named(path) => self.create(thread, &creation, Some(&path), fx),
            Found::Nameless => self.create(thread, &creation, None, fx),
            // NAME-03, NAME-40
            Found::Device | Found::Root | Found::Same(_) => Err(Status::OBJECT_NAME_INVALID),
        }
    }

    /// `CreateNamedPipe`: the Win32 checks, then those of the file system (CREATE-07).
    pub(crate) fn create_named_pipe(
        &mut self,
        thread: ThreadId,
        arguments: &CreateNamedPipe,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let nt = nt_arguments(arguments)?;
        let creation = parse_creation(&nt, arguments.inherit)?;
        let Target::Pipe(_) = arguments.name.target() else {
            return Err(Status::OBJECT_NAME_INVALID); // NAME-01, NAME-03
        };
        self.check_win32_path(&arguments.name)?;
        self.create(thread, &creation, Some(&arguments.name), fx)
    }

    /// NAME-23: only the documents know a limit.
    fn check_win32_path(&self, path: &PipeName) -> Result<(), Status> {
        let long = path.as_str().encode_utf16().count() > 256;
        if long && self.has(Switch::PathLimit256) {
            return Err(Status::OBJECT_NAME_INVALID);
        }
        Ok(())
    }

    /// A pipe may be called so (NAME-04, NAME-06, NAME-20).
    fn check_name(&self, folded: &str) -> Result<(), Status> {
        let backslash = folded.strip_prefix("LOCAL\\").unwrap_or(folded).contains('\\');
        let bad = (folded == "\\" && self.has(Switch::BackslashNameInvalid))
            || (backslash && self.has(Switch::NoBackslashInNames));
        if bad { Err(Status::OBJECT_NAME_INVALID) } else { Ok(()) }
    }

    /// The pipe with a name. A pipe is no directory: what would be below one is invalid
    /// (NAME-08), the part of a name is not found (NAME-07).
    fn named(&self, folded: &str) -> Result<Option<Id<Pipe>>, Status> {
        let pipe = |name: &str| self.namespace.part(name).pipes.get(name);
        if let Some(pipe) = pipe(folded) {
            return Ok(Some(*pipe));
        }
        let below = folded.match_indices('\\').any(|(place, _)| {
            place > 0 && place + 1 < folded.len() && pipe(&folded[..place]).is_some()
        });
        if below { Err(Status::OBJECT_NAME_INVALID) } else { Ok(None) }
    }

    /// Where the name of object attributes leads (NAME-30 to NAME-50).
    fn find(
        &self,
        thread: ThreadId,
        attributes: &ObjectAttributes,
        creates: bool,
    ) -> Result<Found, Status> {
        let name = attributes.name.as_ref().map(PipeName::as_str);
        let length = name.map_or(0, |name| name.encode_utf16().count() * 2);
        if length > LONGEST {
            return Err(Status::OBJECT_NAME_INVALID); // NAME-21
        }
        let Some(root) = attributes.root else {
            return match name {
                None => Err(Status::OBJECT_PATH_SYNTAX_BAD), // NAME-32
                Some(name) => absolute(name),
            };
        };
        let file = match (self.file(thread, root), name) {
            (Ok(file), _) => file,
            (Err(_), None) => return Err(Status::OBJECT_NAME_INVALID), // NAME-33
            (Err(status), Some(_)) => return Err(status),              // NAME-34
        };
        let name = name.unwrap_or("");
        match self.files[file].place {
            Place::Root if name.is_empty() && creates => Ok(Found::Nameless), // NAME-43
            Place::Root if name.is_empty() => Ok(Found::Root),
            Place::Root if name.starts_with('\\') => Err(Status::OBJECT_NAME_INVALID), // NAME-50
            // NAME-42
            Place::Root => Ok(Found::Named(PipeName::new(&format!("\\\\.\\pipe\\{name}")))),
            Place::Device if name.is_empty() => Ok(Found::Device),
            Place::At(_, instance) if name.is_empty() => {
                Ok(Found::Same(self.instances[instance].pipe)) // NAME-46
            }
            // NAME-41, NAME-47
            Place::Device | Place::At(..) => Err(Status::OBJECT_NAME_INVALID),
            Place::Detached => Err(Status::PIPE_DISCONNECTED),
            Place::Closed => Err(Status::INVALID_HANDLE),
        }
    }

    /// A new instance, of a new pipe or of one that is there (CREATE-27 to CREATE-35).
    fn create(
        &mut self,
        thread: ThreadId,
        creation: &Creation<'_>,
        path: Option<&PipeName>,
        fx: &mut Effects<'_>,
    ) -> Answer {
        if path.is_some() && self.is_elsewhere(thread) {
            return Err(Status::NOT_SUPPORTED); // Names of other computers are not modelled.
        }
        let known = match path.map(PipeName::target) {
            Some(Target::Pipe(folded)) => {
                self.check_name(folded)?;
                self.named(folded)?
            }
            _ => None,
        };
        let access = self.check_create(thread, known, creation.arguments.access)?;
        let (pipe, information) = match known {
            Some(pipe) => {
                self.check_further_instance(pipe, creation)?;
                (pipe, 1) // CREATE-31
            }
            None => (self.create_pipe_object(thread, creation, path, fx)?, 2), // CREATE-29
        };
        let mut modes = creation.modes;
        if self.pipes[pipe].pipe_type == PipeType::Byte {
            modes.read = ReadMode::Byte; // CREATE-41: the first instance made the type.
        }
        let quotas = (creation.arguments.inbound_quota, creation.arguments.outbound_quota);
        let quotas = (self.quota(quotas.0), self.quota(quotas.1));
        // CREATE-25
        let data = access.0 & (Access::READ_DATA.0 | Access::WRITE_DATA.0) != 0;
        let listens = data || self.has(Switch::NoAccessListens);
        let file = self.add_instance(pipe, modes, thread, quotas, &creation.opening, listens);
        if listens && !self.has(Switch::WaitNeedsConnect) {
            self.end_name_waits(pipe, Status::SUCCESS, fx); // WAIT-10
        }
        Ok(self.dealt(thread, file, access, creation.opening.inherit, information))
    }

    /// QUOTA-01, CREATE-48: to the byte, whatever the documents say.
    fn quota(&self, bytes: u32) -> u32 {
        if self.has(Switch::QuotasRoundUp) {
            bytes.checked_next_multiple_of(4096).unwrap_or(u32::MAX)
        } else {
            bytes
        }
    }

    /// CREATE-35
    fn check_further_instance(
        &self,
        pipe: Id<Pipe>,
        creation: &Creation<'_>,
    ) -> Result<(), Status> {
        let found = &self.pipes[pipe];
        let Creation { arguments, .. } = creation;
        if found.servers >= found.max_instances {
            return Err(Status::INSTANCE_NOT_AVAILABLE); // CREATE-33
        }
        if arguments.disposition == disposition::CREATE {
            return Err(Status::ACCESS_DENIED); // CREATE-32, CREATE-44
        }
        if found.configuration != creation.configuration {
            return Err(Status::ACCESS_DENIED); // CREATE-34
        }
        let timeout = arguments.default_timeout.map(span);
        let differs = found.pipe_type != creation.pipe_type
            || found.max_instances != arguments.max_instances
            || timeout.is_some_and(|timeout| timeout != found.default_timeout);
        if differs && self.has(Switch::InstancesMustMatch) {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(())
    }

    /// A new pipe without an instance, under its name if it has one.
    fn create_pipe_object(
        &mut self,
        thread: ThreadId,
        creation: &Creation<'_>,
        path: Option<&PipeName>,
        fx: &mut Effects<'_>,
    ) -> Result<Id<Pipe>, Status> {
        let Creation { arguments, pipe_type, configuration, modes, .. } = creation;
        let timeout = match arguments.default_timeout {
            Some(timeout) if timeout < 0 && arguments.max_instances > 0 => span(timeout),
            _ => return Err(Status::INVALID_PARAMETER), // CREATE-27
        };
        if arguments.disposition == disposition::OPEN {
            return Err(Status::OBJECT_NAME_NOT_FOUND); // CREATE-28, NAME-44
        }
        if *pipe_type == PipeType::Byte && modes.read == ReadMode::Message {
            return Err(Status::INVALID_PARAMETER); // CREATE-30
        }
        let name = path.and_then(|path| match path.target() {
            Target::Pipe(folded) => Some(folded.clone()),
            _ => None,
        });
        let creator = self.token_of(thread);
        let security = match &arguments.security {
            Some(given) => given.assigned(creator),          // SEC-06
            None => SecurityDescriptor::of_creator(creator), // SEC-05
        };
        let pipe = self.pipes.insert(Pipe {
            security: Arc::new(security),
            rejects_remote: arguments.pipe_type & 2 != 0,
            path: path.cloned(),
            name: name.clone(),
            pipe_type: *pipe_type,
            configuration: *configuration,
            max_instances: arguments.max_instances,
            default_timeout: timeout,
            servers: 0,
            members: 0,
            created: 0,
            listening: VecDeque::new(),
            waiters: VecDeque::new(),
        });
        if let Some(name) = name {
            self.add_name(name, pipe, fx);
        }
        Ok(pipe)
    }

    pub(super) fn add_name(&mut self, name: Arc<str>, pipe: Id<Pipe>, fx: &mut Effects<'_>) {
        self.namespace.edit_part(&name).pipes.insert(Arc::clone(&name), pipe);
        self.tell_watchers(Change::Name, fx);
    }

    pub(super) fn dealt(
        &mut self,
        thread: ThreadId,
        file: Id<File>,
        access: Access,
        inherit: bool,
        information: u32,
    ) -> Outcome {
        let process = self.process_of(thread);
        let entry = Entry { object: Object::File(file), access, inherit };
        let output = Output::Handle(self.deal_in(process, entry));
        Outcome::Done(Reply { status: Status::SUCCESS, information, output })
    }

    /// `NtCreateFile`, `NtOpenFile`
    pub(crate) fn nt_create_file(
        &mut self,
        thread: ThreadId,
        arguments: &NtCreateFile,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let NtCreateFile { access, options, .. } = *arguments;
        if arguments.disposition > disposition::OVERWRITE_IF || !good_options(access, options) {
            return Err(Status::INVALID_PARAMETER);
        }
        let attributes = arguments.attributes.as_ref().ok_or(Status::INVALID_PARAMETER)?;
        if attributes.root.is_none() && self.is_elsewhere(thread) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        let found = self.find(thread, attributes, false)?;
        let opening = Opening::of_options(access, options, arguments.sqos, attributes.inherit);
        self.open(thread, &found, &opening, fx)
    }

    /// `CreateFile` (OPEN-01 to OPEN-18).
    pub(crate) fn open_pipe(
        &mut self,
        thread: ThreadId,
        arguments: &CreateFile,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let found = match arguments.name.target() {
            Target::Pipe(_) => Found::Named(arguments.name.clone()),
            Target::Root => Found::Root,
            Target::Device => Found::Device,
            Target::Remote { pipe, .. } => {
                Found::Named(PipeName::new(&format!("\\\\.\\pipe\\{pipe}")))
            }
            Target::Elsewhere => return Err(Status::OBJECT_NAME_NOT_FOUND),
        };
        self.check_win32_path(&arguments.name)?;
        let mut opening = win32_opening(arguments);
        opening.remote = self.remote_computer(thread, arguments.name.target())?;
        self.open(thread, &found, &opening, fx)
    }

    /// `ReOpenFile`: a client end of the same pipe (NAME-49).
    pub(crate) fn re_open_file(
        &mut self,
        thread: ThreadId,
        file: Handle,
        access: Access,
        flags: u32,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let attributes = ObjectAttributes { root: Some(file), name: None, inherit: false };
        self.file(thread, file)?;
        let found = self.find(thread, &attributes, false)?;
        let mut arguments = CreateFile::new("");
        (arguments.access, arguments.flags) = (access, flags);
        self.open(thread, &found, &win32_opening(&arguments), fx)
    }

    fn open(
        &mut self,
        thread: ThreadId,
        found: &Found,
        opening: &Opening,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let pipe = match found {
            Found::Device => return self.open_place(thread, Place::Device, opening),
            Found::Root | Found::Nameless => return self.open_place(thread, Place::Root, opening),
            Found::Same(pipe) => *pipe,
            Found::Named(path) => {
                let Target::Pipe(folded) = path.target() else {
                    return Err(Status::OBJECT_NAME_INVALID);
                };
                self.check_name(folded)?;
                self.named(folded)?.ok_or(Status::OBJECT_NAME_NOT_FOUND)? // OPEN-01
            }
        };
        let busy = self.pipes[pipe].listening.is_empty();
        if busy && self.has(Switch::AvailabilityFirst) {
            return Err(Status::PIPE_NOT_AVAILABLE);
        }
        let token = self.client_token(thread, opening.remote.is_some());
        if opening.remote.is_some() && self.pipes[pipe].rejects_remote {
            return Err(Status::ACCESS_DENIED);
        }
        let access = self.check_open(&token, Some(pipe), opening.access)?;
        let (inbound, outbound) = self.pipes[pipe].allows();
        if (access.has(Access::READ_DATA) && !outbound)
            || (access.has(Access::WRITE_DATA) && !inbound)
        {
            return Err(Status::ACCESS_DENIED); // OPEN-05, OPEN-06, OPEN-13
        }
        if busy {
            return Err(Status::PIPE_NOT_AVAILABLE); // OPEN-02, NAME-48
        }
        let Some(instance) = self.pipes.edit(pipe).listening.pop_front() else {
            return Err(Status::PIPE_NOT_AVAILABLE);
        };
        let client = self.attach_client(instance, thread, opening, Some(token), fx);
        Ok(self.dealt(thread, client, access, opening.inherit, 1)) // OPEN-14
    }

    /// The device or the root (NAME-60 to NAME-62).
    fn open_place(&mut self, thread: ThreadId, place: Place, opening: &Opening) -> Answer {
        let access = self.check_open(self.token_of(thread), None, opening.access)?;
        let file = self.add_file(place, opening);
        Ok(self.dealt(thread, file, access, opening.inherit, 1))
    }
}

/// `CreateFile` always asks for two rights more (CREATE-53).
fn win32_opening(arguments: &CreateFile) -> Opening {
    Opening {
        access: arguments.access.with(Access::SYNCHRONIZE).with(Access::READ_ATTRIBUTES),
        flags: arguments.flags,
        alertable: false,
        inherit: arguments.inherit,
        remote: None,
    }
}

/// A span of Windows' relative time.
fn span(timeout: i64) -> Time {
    Time(timeout.unsigned_abs())
}

/// DOC-NT-14: one kind of synchronous I/O at most, and with the right to wait for it.
fn good_options(access: Access, options: u32) -> bool {
    options & SYNCHRONOUS == 0
        || (options & SYNCHRONOUS != SYNCHRONOUS
            && (access.mapped().has(Access::SYNCHRONIZE) || access.has(Access::MAXIMUM_ALLOWED)))
}

/// The parameters of a creation, apart from its name.
fn parse_creation(
    arguments: &NtCreateNamedPipeFile,
    inherit: bool,
) -> Result<Creation<'_>, Status> {
    const OPTIONS: u32 = option::WRITE_THROUGH | SYNCHRONOUS;
    let NtCreateNamedPipeFile { access, options, pipe_type, .. } = *arguments;
    if !(disposition::OPEN..=disposition::OPEN_IF).contains(&arguments.disposition) {
        return Err(Status::INVALID_PARAMETER); // CREATE-20
    }
    let configuration = match arguments.share {
        share::WRITE => Configuration::Inbound,
        share::READ => Configuration::Outbound,
        3 => Configuration::Duplex,
        _ => return Err(Status::INVALID_PARAMETER), // CREATE-21
    };
    // CREATE-22; bit 2 refuses remote clients (CREATE-10).
    if pipe_type > 3 || arguments.read_mode > 1 || arguments.completion_mode > 1 {
        return Err(Status::INVALID_PARAMETER);
    }
    if options & !OPTIONS != 0 || !good_options(access, options) {
        return Err(Status::INVALID_PARAMETER);
    }
    Ok(Creation {
        arguments,
        pipe_type: if pipe_type & 1 == 0 { PipeType::Byte } else { PipeType::Message },
        configuration,
        modes: Modes {
            read: if arguments.read_mode == 0 { ReadMode::Byte } else { ReadMode::Message },
            completion: match arguments.completion_mode {
                0 => CompletionMode::Queue,
                _ => CompletionMode::Complete,
            },
        },
        opening: Opening::of_options(access, options, 0, inherit),
    })
}

/// CREATE-01 to CREATE-07: Win32 arguments as those of the Nt function. The name goes apart.
fn nt_arguments(arguments: &CreateNamedPipe) -> Result<NtCreateNamedPipeFile, Status> {
    const PASSED_ACCESS: u32 = 0x010C_0000; // WRITE_DAC, WRITE_OWNER, ACCESS_SYSTEM_SECURITY
    let CreateNamedPipe { open_mode, pipe_mode, max_instances, .. } = *arguments;
    if max_instances == 0 || max_instances > CreateNamedPipe::UNLIMITED_INSTANCES {
        return Err(Status::INVALID_PARAMETER); // CREATE-01
    }
    let message = pipe_mode & CreateNamedPipe::TYPE_MESSAGE != 0;
    let reads_messages = pipe_mode & CreateNamedPipe::READMODE_MESSAGE != 0;
    if (reads_messages && !message) || pipe_mode & !15 != 0 {
        return Err(Status::INVALID_PARAMETER); // CREATE-03
    }
    let (share, access) = match open_mode & CreateNamedPipe::ACCESS_DUPLEX {
        CreateNamedPipe::ACCESS_INBOUND => (share::WRITE, Access::GENERIC_READ),
        CreateNamedPipe::ACCESS_OUTBOUND => (share::READ, Access::GENERIC_WRITE),
        CreateNamedPipe::ACCESS_DUPLEX => {
            (share::READ | share::WRITE, Access::GENERIC_READ.with(Access::GENERIC_WRITE))
        }
        _ => return Err(Status::INVALID_PARAMETER), // CREATE-04
    };
    let first = open_mode & CreateNamedPipe::FIRST_INSTANCE != 0;
    let mut options = 0;
    if open_mode & CreateNamedPipe::OVERLAPPED == 0 {
        options |= option::SYNCHRONOUS_IO_NONALERT;
    }
    if open_mode & CreateNamedPipe::WRITE_THROUGH != 0 {
        options |= option::WRITE_THROUGH;
    }
    let refuses_remote = pipe_mode & CreateNamedPipe::REJECT_REMOTE != 0;
    let timeout = match arguments.default_timeout {
        0 => 50, // CREATE-05
        timeout => i64::from(timeout),
    };
    Ok(NtCreateNamedPipeFile {
        attributes: None,
        security: arguments.security.clone(),
        access: access.with(Access::SYNCHRONIZE).with(Access(open_mode & PASSED_ACCESS)),
        share,
        disposition: if first { disposition::CREATE } else { disposition::OPEN_IF },
        options,
        pipe_type: u32::from(message) | u32::from(refuses_remote) << 1, // CREATE-10
        read_mode: u32::from(reads_messages),
        completion_mode: pipe_mode & CreateNamedPipe::NOWAIT,
        max_instances: match max_instances {
            CreateNamedPipe::UNLIMITED_INSTANCES => u32::MAX, // CREATE-02
            limit => limit,
        },
        inbound_quota: arguments.in_buffer,
        outbound_quota: arguments.out_buffer,
        default_timeout: Some(-10_000 * timeout), // CREATE-06
    })
}

/// An absolute Nt path. Links and the device are found in any case, as with
/// `OBJ_CASE_INSENSITIVE`.
fn absolute(path: &str) -> Result<Found, Status> {
    const PREFIXES: [&str; 4] =
        ["\\Device\\NamedPipe", "\\??\\pipe", "\\DosDevices\\pipe", "\\GLOBAL??\\pipe"];
    if !path.starts_with('\\') {
        return Err(Status::OBJECT_PATH_SYNTAX_BAD); // NAME-32, DOC-NT-09
    }
    let rest = PREFIXES.iter().find_map(|prefix| {
        let (head, rest) = path.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(rest)
    });
    match rest {
        Some("") => Ok(Found::Device),
        Some("\\") => Ok(Found::Root),
        Some(rest) if rest.starts_with('\\') => {
            Ok(Found::Named(PipeName::new(&format!("\\\\.\\pipe{rest}"))))
        }
        Some(_) | None => Err(Status::OBJECT_PATH_NOT_FOUND),
    }
}
