//! Operations of the Nt functions, of ports, routines and identities.

use npfs_abi::codes::{file_class, fsctl, object_class, volume_class};
use npfs_abi::{
    Access, Call, Composite, CreateFile, Data, NtCreateFile, NtCreateNamedPipeFile,
    ObjectAttributes, Op, PipeAttribute, PipeName, security_information,
};

use super::creation::path;
use super::identity::{TOKEN_OPTIONS, TokenParts, descriptor, quality};
use super::line::Line;
use super::names::Names;
use super::op::delivery;
use super::option::{Named, Read, next};
use crate::scenario::Word;

/// A number and its word.
pub(crate) type Words = &'static [(u32, &'static str)];

/// The words of control codes.
pub(crate) const FSCTL_WORDS: Words = &[
    (fsctl::ASSIGN_EVENT, "ASSIGN_EVENT"),
    (fsctl::DISCONNECT, "DISCONNECT"),
    (fsctl::LISTEN, "LISTEN"),
    (fsctl::PEEK, "PEEK"),
    (fsctl::QUERY_EVENT, "QUERY_EVENT"),
    (fsctl::TRANSCEIVE, "TRANSCEIVE"),
    (fsctl::WAIT, "WAIT"),
    (fsctl::IMPERSONATE, "IMPERSONATE"),
    (fsctl::SET_CLIENT_PROCESS, "SET_CLIENT_PROCESS"),
    (fsctl::QUERY_CLIENT_PROCESS, "QUERY_CLIENT_PROCESS"),
    (fsctl::GET_PIPE_ATTRIBUTE, "GET_PIPE_ATTRIBUTE"),
    (fsctl::SET_PIPE_ATTRIBUTE, "SET_PIPE_ATTRIBUTE"),
    (fsctl::GET_CONNECTION_ATTRIBUTE, "GET_CONNECTION_ATTRIBUTE"),
    (fsctl::SET_CONNECTION_ATTRIBUTE, "SET_CONNECTION_ATTRIBUTE"),
    (fsctl::GET_HANDLE_ATTRIBUTE, "GET_HANDLE_ATTRIBUTE"),
    (fsctl::SET_HANDLE_ATTRIBUTE, "SET_HANDLE_ATTRIBUTE"),
    (fsctl::FLUSH, "FLUSH"),
    (fsctl::DISABLE_IMPERSONATE, "DISABLE_IMPERSONATE"),
    (fsctl::QUERY_CLIENT_PROCESS_V2, "QUERY_CLIENT_PROCESS_V2"),
    (fsctl::INTERNAL_READ, "INTERNAL_READ"),
    (fsctl::INTERNAL_WRITE, "INTERNAL_WRITE"),
    (fsctl::INTERNAL_TRANSCEIVE, "INTERNAL_TRANSCEIVE"),
    (fsctl::INTERNAL_READ_OVFLOW, "INTERNAL_READ_OVFLOW"),
];

/// The words of information classes of files.
pub(crate) const FILE_CLASS_WORDS: Words = &[
    (file_class::DIRECTORY, "DIRECTORY"),
    (file_class::FULL_DIRECTORY, "FULL_DIRECTORY"),
    (file_class::BOTH_DIRECTORY, "BOTH_DIRECTORY"),
    (file_class::BASIC, "BASIC"),
    (file_class::STANDARD, "STANDARD"),
    (file_class::INTERNAL, "INTERNAL"),
    (file_class::EA, "EA"),
    (file_class::ACCESS, "ACCESS"),
    (file_class::NAME, "NAME"),
    (file_class::NAMES, "NAMES"),
    (file_class::POSITION, "POSITION"),
    (file_class::MODE, "MODE"),
    (file_class::ALIGNMENT, "ALIGNMENT"),
    (file_class::ALL, "ALL"),
    (file_class::PIPE, "PIPE"),
    (file_class::PIPE_LOCAL, "PIPE_LOCAL"),
    (file_class::PIPE_REMOTE, "PIPE_REMOTE"),
    (file_class::COMPLETION, "COMPLETION"),
    (file_class::IO_COMPLETION_NOTIFICATION, "IO_COMPLETION_NOTIFICATION"),
];

/// The words of information classes of volumes.
pub(crate) const VOLUME_CLASS_WORDS: Words = &[
    (volume_class::VOLUME, "VOLUME"),
    (volume_class::SIZE, "SIZE"),
    (volume_class::DEVICE, "DEVICE"),
    (volume_class::ATTRIBUTE, "ATTRIBUTE"),
    (volume_class::FULL_SIZE, "FULL_SIZE"),
];

/// The words of information classes of objects.
pub(crate) const OBJECT_CLASS_WORDS: Words =
    &[(object_class::BASIC, "BASIC"), (object_class::NAME, "NAME"), (object_class::TYPE, "TYPE")];

/// A word of `words`, or a number.
fn code(line: &mut Line<'_>, words: Words) -> Read<u32> {
    if line.sees_digit() {
        return line.number();
    }
    let mark = line.mark();
    let word = line.try_word();
    let found = words.iter().find(|(_, name)| Some(*name) == word);
    found.map(|(code, _)| *code).ok_or_else(|| {
        let names: Vec<_> = words.iter().map(|(_, name)| *name).collect();
        line.wanted_at(mark, &format!("a number or one of {}", names.join(", ")))
    })
}

/// An operation of this file by its name.
pub(super) fn operation(
    name: &str,
    line: &mut Line<'_>,
    names: &Names,
) -> Read<Option<Op<Word, Word>>> {
    let call = match name {
        "nt_create_pipe" => Call::NtCreateNamedPipeFile(nt_create_pipe(line, names)?),
        "nt_open" => Call::NtCreateFile(nt_open(line, names)?),
        "reopen" => reopen(line, names)?,
        "fsctl" => fs_control(line, names)?,
        "query" => Call::NtQueryInformationFile {
            file: names.handle(line)?,
            class: code(line, FILE_CLASS_WORDS)?,
            length: line.number()?,
        },
        "set" => Call::NtSetInformationFile {
            file: names.handle(line)?,
            class: code(line, FILE_CLASS_WORDS)?,
            input: line.data()?,
        },
        "query_volume" => Call::NtQueryVolumeInformationFile {
            file: names.handle(line)?,
            class: code(line, VOLUME_CLASS_WORDS)?,
            length: line.number()?,
        },
        "query_directory" => query_directory(line, names)?,
        "notify" => {
            let file = names.handle(line)?;
            let filter = if line.eat("filter=") { line.number()? } else { 0 };
            Call::NtNotifyChangeDirectoryFile { file, filter, delivery: delivery(line, names)? }
        }
        "query_object" => Call::NtQueryObject {
            handle: names.handle(line)?,
            class: code(line, OBJECT_CLASS_WORDS)?,
        },
        "attribute" => attribute(line, names)?,
        "create_port" => create_port(line, names)?,
        "packets" => {
            let (port, count) = (names.handle(line)?, line.number()?);
            let (timeout, alertable) = waiting(line)?;
            Call::GetQueuedCompletionStatus { port, count, timeout, alertable }
        }
        "post" => post(line, names)?,
        "notification_modes" => Call::SetFileCompletionNotificationModes {
            file: names.handle(line)?,
            flags: line.number()?,
        },
        "queue_apc" => Call::QueueUserAPC { thread: names.thread(line)? },
        "open_thread" => Call::OpenThread { thread: names.thread(line)? },
        "open_process" => Call::OpenProcess { process: names.process(line)? },
        "impersonate" => Call::ImpersonateNamedPipeClient { pipe: names.handle(line)? },
        "revert" => Call::RevertToSelf,
        "set_token" => set_token(line)?,
        "token" => Call::GetThreadToken,
        "security" => {
            let handle = names.handle(line)?;
            let (information, length) = parts(line, true)?;
            Call::NtQuerySecurityObject { handle, information, length }
        }
        "set_security" => {
            let handle = names.handle(line)?;
            let (information, _) = parts(line, false)?;
            Call::NtSetSecurityObject { handle, information, descriptor: descriptor(line)? }
        }
        "result_ex" => {
            let (file, (request, _)) = (names.handle(line)?, names.request(line)?);
            let (timeout, alertable) = waiting(line)?;
            let composite = Composite::GetOverlappedResultEx { file, request, timeout, alertable };
            return Ok(Some(Op::Composite(composite)));
        }
        "attributes" => {
            return Ok(Some(Op::Composite(Composite::GetFileAttributes { name: path(line)? })));
        }
        "find" => return Ok(Some(Op::Composite(Composite::FindFiles { pattern: path(line)? }))),
        _ => return Ok(None),
    };
    Ok(Some(Op::Call(call)))
}

/// `[timeout=MS|forever] [alertable]`
fn waiting(line: &mut Line<'_>) -> Read<(Option<u32>, bool)> {
    let (mut timeout, mut alertable) = (None, false);
    while let Some(option) = next(line)? {
        match option.name {
            "alertable" => option.flag(line, &mut alertable)?,
            "timeout=" => option.once(line, &mut timeout, |line| {
                if line.eat_word("forever") { Ok(None) } else { line.millis().map(Some) }
            })?,
            _ => return option.unknown(line, "timeout=, alertable"),
        }
    }
    Ok((timeout.flatten(), alertable))
}

/// The part of an Nt creation that names the object.
#[derive(Default)]
struct Attributes {
    root: Option<Word>,
    no_name: bool,
    no_attributes: bool,
    inherit: bool,
}

impl Attributes {
    fn take<'a>(&mut self, line: &mut Line<'a>, names: &Names, option: &Named<'a>) -> Read<bool> {
        match option.name {
            "root=" => option.once(line, &mut self.root, |line| names.handle(line))?,
            "no_name" => option.flag(line, &mut self.no_name)?,
            "no_attributes" => option.flag(line, &mut self.no_attributes)?,
            "inherit" => option.flag(line, &mut self.inherit)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn given(self, name: Option<PipeName>) -> Option<ObjectAttributes<Word>> {
        (!self.no_attributes).then_some(ObjectAttributes {
            root: self.root,
            name: name.filter(|_| !self.no_name),
            inherit: self.inherit,
        })
    }
}

/// A path, unless the first option says that there is none.
fn name(line: &mut Line<'_>) -> Read<Option<PipeName>> {
    let mark = line.mark();
    let none = matches!(line.try_word(), Some("no_name" | "no_attributes"));
    line.back_to(mark);
    if none { Ok(None) } else { path(line).map(Some) }
}

fn nt_create_pipe(line: &mut Line<'_>, names: &Names) -> Read<NtCreateNamedPipeFile<Word>> {
    let mut create = NtCreateNamedPipeFile::new("");
    let path = name(line)?;
    let mut attributes = Attributes::default();
    let (mut access, mut share, mut disposition, mut options) = (None, None, None, None);
    let (mut pipe_type, mut read_mode, mut completion_mode) = (None, None, None);
    let (mut instances, mut into, mut out, mut timeout) = (None, None, None, None);
    while let Some(option) = next(line)? {
        if attributes.take(line, names, &option)? {
            continue;
        }
        match option.name {
            "access=" => option.once(line, &mut access, |line| line.number().map(Access))?,
            "share=" => option.once(line, &mut share, Line::number)?,
            "disposition=" => option.once(line, &mut disposition, Line::number)?,
            "options=" => option.once(line, &mut options, Line::number)?,
            "type=" => option.once(line, &mut pipe_type, Line::number)?,
            "read_mode=" => option.once(line, &mut read_mode, Line::number)?,
            "completion_mode=" => option.once(line, &mut completion_mode, Line::number)?,
            "instances=" => option.once(line, &mut instances, |line| {
                if line.eat_word("unlimited") { Ok(u32::MAX) } else { line.number() }
            })?,
            "in=" => option.once(line, &mut into, Line::number)?,
            "out=" => option.once(line, &mut out, Line::number)?,
            "timeout=" => option.once(line, &mut timeout, |line| {
                if line.eat_word("none") { Ok(None) } else { line.signed().map(Some) }
            })?,
            "security=" => option.once(line, &mut create.security, descriptor)?,
            _ => {
                let known = "root=, no_name, no_attributes, inherit, access=, share=, \
                             disposition=, options=, type=, read_mode=, completion_mode=, \
                             instances=, in=, out=, timeout=, security=";
                return option.unknown(line, known);
            }
        }
    }
    create.attributes = attributes.given(path);
    create.access = access.unwrap_or(create.access);
    create.share = share.unwrap_or(create.share);
    create.disposition = disposition.unwrap_or(create.disposition);
    create.options = options.unwrap_or(create.options);
    create.pipe_type = pipe_type.unwrap_or(create.pipe_type);
    create.read_mode = read_mode.unwrap_or(create.read_mode);
    create.completion_mode = completion_mode.unwrap_or(create.completion_mode);
    create.max_instances = instances.unwrap_or(create.max_instances);
    create.inbound_quota = into.unwrap_or(create.inbound_quota);
    create.outbound_quota = out.unwrap_or(create.outbound_quota);
    create.default_timeout = timeout.unwrap_or(create.default_timeout);
    Ok(create)
}

fn nt_open(line: &mut Line<'_>, names: &Names) -> Read<NtCreateFile<Word>> {
    let mut open = NtCreateFile::new("");
    let path = name(line)?;
    let mut attributes = Attributes::default();
    let (mut access, mut share, mut disposition) = (None, None, None);
    let (mut options, mut sqos) = (None, None);
    while let Some(option) = next(line)? {
        if attributes.take(line, names, &option)? {
            continue;
        }
        match option.name {
            "access=" => option.once(line, &mut access, |line| line.number().map(Access))?,
            "share=" => option.once(line, &mut share, Line::number)?,
            "disposition=" => option.once(line, &mut disposition, Line::number)?,
            "options=" => option.once(line, &mut options, Line::number)?,
            "sqos=" => option.once(line, &mut sqos, |line| {
                if line.sees_digit() { line.number() } else { quality(line) }
            })?,
            _ => {
                let known = "root=, no_name, no_attributes, inherit, access=, share=, \
                             disposition=, options=, sqos=";
                return option.unknown(line, known);
            }
        }
    }
    open.attributes = attributes.given(path);
    open.access = access.unwrap_or(open.access);
    open.share = share.unwrap_or(open.share);
    open.disposition = disposition.unwrap_or(open.disposition);
    open.options = options.unwrap_or(open.options);
    open.sqos = sqos.unwrap_or(0);
    Ok(open)
}

fn reopen(line: &mut Line<'_>, names: &Names) -> Read<Call<Word, Word>> {
    let file = names.handle(line)?;
    let (mut access, mut flags, mut more) = (None, 0, None);
    while let Some(option) = next(line)? {
        match option.name {
            "access=" => option.once(line, &mut access, |line| line.number().map(Access))?,
            "overlapped" => option.bit(line, &mut flags, CreateFile::OVERLAPPED)?,
            "flags=" => option.bits(line, &mut more, CreateFile::OVERLAPPED)?,
            _ => return option.unknown(line, "access=, overlapped, flags="),
        }
    }
    let both = Access::GENERIC_READ.with(Access::GENERIC_WRITE);
    let flags = flags | more.unwrap_or(0);
    Ok(Call::ReOpenFile { file, access: access.unwrap_or(both), flags })
}

fn fs_control(line: &mut Line<'_>, names: &Names) -> Read<Call<Word, Word>> {
    let file = names.handle(line)?;
    let code = code(line, FSCTL_WORDS)?;
    let input = if line.sees("\"") { line.data()? } else { Data::EMPTY };
    let length = if line.sees_digit() { line.number()? } else { 0 };
    Ok(Call::NtFsControlFile { file, code, input, length, delivery: delivery(line, names)? })
}

fn query_directory(line: &mut Line<'_>, names: &Names) -> Read<Call<Word, Word>> {
    let file = names.handle(line)?;
    let class = code(line, FILE_CLASS_WORDS)?;
    let length = line.number()?;
    let (mut pattern, mut restart, mut single) = (None, false, false);
    while let Some(option) = next(line)? {
        match option.name {
            "pattern=" => option.once(line, &mut pattern, path)?,
            "restart" => option.flag(line, &mut restart)?,
            "single" => option.flag(line, &mut single)?,
            _ => return option.unknown(line, "pattern=, restart, single"),
        }
    }
    Ok(Call::NtQueryDirectoryFile { file, class, length, pattern, restart, single })
}

fn attribute(line: &mut Line<'_>, names: &Names) -> Read<Call<Word, Word>> {
    let pipe = names.handle(line)?;
    let mark = line.mark();
    let word = line.try_word();
    let found = PipeAttribute::ALL.iter().find(|(_, name)| Some(*name) == word);
    let (attribute, _) = found.ok_or_else(|| {
        let words: Vec<_> = PipeAttribute::ALL.iter().map(|(_, word)| *word).collect();
        line.wanted_at(mark, &format!("one of {}", words.join(", ")))
    })?;
    Ok(Call::GetNamedPipeAttribute { pipe, attribute: *attribute })
}

fn create_port(line: &mut Line<'_>, names: &Names) -> Read<Call<Word, Word>> {
    let (mut file, mut port, mut key, mut threads) = (None, None, None, None);
    while let Some(option) = next(line)? {
        match option.name {
            "file=" => option.once(line, &mut file, |line| names.handle(line))?,
            "port=" => option.once(line, &mut port, |line| names.handle(line))?,
            "key=" => option.once(line, &mut key, Line::number64)?,
            "threads=" => option.once(line, &mut threads, Line::number)?,
            _ => return option.unknown(line, "file=, port=, key=, threads="),
        }
    }
    let (key, concurrency) = (key.unwrap_or(0), threads.unwrap_or(0));
    Ok(Call::CreateIoCompletionPort { file, port, key, concurrency })
}

fn post(line: &mut Line<'_>, names: &Names) -> Read<Call<Word, Word>> {
    let port = names.handle(line)?;
    let (mut bytes, mut key, mut overlapped) = (None, None, None);
    while let Some(option) = next(line)? {
        match option.name {
            "bytes=" => option.once(line, &mut bytes, Line::number)?,
            "key=" => option.once(line, &mut key, Line::number64)?,
            "overlapped=" => option.once(line, &mut overlapped, Line::number64)?,
            _ => return option.unknown(line, "bytes=, key=, overlapped="),
        }
    }
    Ok(Call::PostQueuedCompletionStatus {
        port,
        bytes: bytes.unwrap_or(0),
        key: key.unwrap_or(0),
        overlapped: overlapped.unwrap_or(0),
    })
}

fn set_token(line: &mut Line<'_>) -> Read<Call<Word, Word>> {
    if line.eat_word("none") {
        return Ok(Call::SetThreadToken { token: None });
    }
    let mut parts = TokenParts::default();
    while let Some(option) = next(line)? {
        if !parts.take(line, &option)? {
            return option.unknown(line, TOKEN_OPTIONS);
        }
    }
    Ok(Call::SetThreadToken { token: Some(parts.token()) })
}

/// `[owner] [group] [dacl] [sacl] [length=N]`; a string ends it.
fn parts(line: &mut Line<'_>, measures: bool) -> Read<(u32, Option<u32>)> {
    let (mut information, mut length) = (0, None);
    while !line.sees("\"") {
        let Some(option) = next(line)? else { break };
        match option.name {
            "owner" => option.bit(line, &mut information, security_information::OWNER)?,
            "group" => option.bit(line, &mut information, security_information::GROUP)?,
            "dacl" => option.bit(line, &mut information, security_information::DACL)?,
            "sacl" => option.bit(line, &mut information, security_information::SACL)?,
            "length=" if measures => option.once(line, &mut length, Line::number)?,
            _ => return option.unknown(line, "owner, group, dacl, sacl, length="),
        }
    }
    Ok((information, length))
}
