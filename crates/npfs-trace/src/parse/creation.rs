//! The two operations with the most options: creating a pipe and opening one.

use npfs_abi::codes::sqos;
use npfs_abi::{Access, CreateFile, CreateNamedPipe, PipeName};

use super::identity::{descriptor, quality};
use super::line::Line;
use super::option::{Read, next};

pub(super) fn path(line: &mut Line<'_>) -> Read<PipeName> {
    Ok(PipeName::new(&line.path()?))
}

/// `MS`, `forever` or `default`.
pub(super) fn pipe_timeout(line: &mut Line<'_>) -> Read<u32> {
    if line.eat_word("forever") {
        Ok(u32::MAX)
    } else if line.eat_word("default") {
        Ok(0)
    } else {
        line.millis()
    }
}

pub(super) fn create_pipe(line: &mut Line<'_>) -> Read<CreateNamedPipe> {
    type C = CreateNamedPipe;
    let mut pipe = C { name: path(line)?, ..C::new("") };
    let (mut direction, mut message, mut read, mut inherit) = (None, None, None, false);
    let (mut open_mode, mut pipe_mode, mut more_open, mut more_pipe) = (0, 0, None, None);
    let (mut instances, mut out, mut into, mut timeout) = (None, None, None, None);
    let mut security = None;
    while let Some(option) = next(line)? {
        match option.name {
            "inbound" => option.set(line, &mut direction, C::ACCESS_INBOUND)?,
            "outbound" => option.set(line, &mut direction, C::ACCESS_OUTBOUND)?,
            "duplex" => option.set(line, &mut direction, C::ACCESS_DUPLEX)?,
            "no_access" => option.set(line, &mut direction, 0)?,
            "byte" => option.set(line, &mut message, 0)?,
            "message" => option.set(line, &mut message, C::TYPE_MESSAGE)?,
            "read=" => option.once(line, &mut read, read_mode)?,
            "nowait" => option.bit(line, &mut pipe_mode, C::NOWAIT)?,
            "reject_remote" => option.bit(line, &mut pipe_mode, C::REJECT_REMOTE)?,
            "overlapped" => option.bit(line, &mut open_mode, C::OVERLAPPED)?,
            "first" => option.bit(line, &mut open_mode, C::FIRST_INSTANCE)?,
            "write_through" => option.bit(line, &mut open_mode, C::WRITE_THROUGH)?,
            "instances=" => option.once(line, &mut instances, |line| {
                let unlimited = line.eat_word("unlimited");
                if unlimited { Ok(C::UNLIMITED_INSTANCES) } else { line.number() }
            })?,
            "out=" => option.once(line, &mut out, Line::number)?,
            "in=" => option.once(line, &mut into, Line::number)?,
            "timeout=" => option.once(line, &mut timeout, pipe_timeout)?,
            "inherit" => option.flag(line, &mut inherit)?,
            "security=" => option.once(line, &mut security, descriptor)?,
            "open_mode=" => option.bits(line, &mut more_open, OPEN_MODE_WORDS)?,
            "pipe_mode=" => option.bits(line, &mut more_pipe, PIPE_MODE_WORDS)?,
            _ => {
                let known = "inbound, outbound, duplex, no_access, byte, message, read=, nowait, \
                             overlapped, first, write_through, reject_remote, instances=, out=, \
                             in=, timeout=, inherit, security=, open_mode=, pipe_mode=";
                return option.unknown(line, known);
            }
        }
    }
    pipe.open_mode = open_mode | direction.unwrap_or(C::ACCESS_DUPLEX) | more_open.unwrap_or(0);
    pipe.pipe_mode = pipe_mode | message.unwrap_or(0) | read.unwrap_or(0) | more_pipe.unwrap_or(0);
    pipe.max_instances = instances.unwrap_or(pipe.max_instances);
    pipe.out_buffer = out.unwrap_or(pipe.out_buffer);
    pipe.in_buffer = into.unwrap_or(pipe.in_buffer);
    pipe.default_timeout = timeout.unwrap_or(0);
    pipe.inherit = inherit;
    pipe.security = security;
    Ok(pipe)
}

/// The bits of an open mode that have words.
pub(crate) const OPEN_MODE_WORDS: u32 = CreateNamedPipe::ACCESS_DUPLEX
    | CreateNamedPipe::FIRST_INSTANCE
    | CreateNamedPipe::OVERLAPPED
    | CreateNamedPipe::WRITE_THROUGH;
/// The bits of a pipe mode that have words.
pub(crate) const PIPE_MODE_WORDS: u32 = CreateNamedPipe::NOWAIT
    | CreateNamedPipe::READMODE_MESSAGE
    | CreateNamedPipe::TYPE_MESSAGE
    | CreateNamedPipe::REJECT_REMOTE;

fn read_mode(line: &mut Line<'_>) -> Read<u32> {
    if line.eat_word("message") {
        Ok(CreateNamedPipe::READMODE_MESSAGE)
    } else if line.eat_word("byte") {
        Ok(0)
    } else {
        Err(line.wanted("byte or message"))
    }
}

pub(super) fn open(line: &mut Line<'_>) -> Read<CreateFile> {
    let mut file = CreateFile { name: path(line)?, ..CreateFile::new("") };
    let (mut access, mut more, mut sqos) = (None, None, None);
    while let Some(option) = next(line)? {
        match option.name {
            "read" if line.eat_close("+write") => {
                let both = Access::GENERIC_READ.with(Access::GENERIC_WRITE);
                option.set(line, &mut access, both)?;
            }
            "read" => option.set(line, &mut access, Access::GENERIC_READ)?,
            "write" => option.set(line, &mut access, Access::GENERIC_WRITE)?,
            "attributes" => option.set(line, &mut access, Access::NONE)?,
            "access=" => option.once(line, &mut access, |line| line.number().map(Access))?,
            "overlapped" => option.bit(line, &mut file.flags, CreateFile::OVERLAPPED)?,
            "write_through" => option.bit(line, &mut file.flags, CreateFile::WRITE_THROUGH)?,
            "flags=" => {
                let worded = CreateFile::OVERLAPPED | CreateFile::WRITE_THROUGH | sqos::PRESENT;
                option.bits(line, &mut more, worded)?;
            }
            "inherit" => option.flag(line, &mut file.inherit)?,
            "sqos=" => option.once(line, &mut sqos, quality)?,
            _ => {
                let known = "read, write, read+write, attributes, access=, overlapped, \
                             write_through, sqos=, flags=, inherit";
                return option.unknown(line, known);
            }
        }
    }
    file.access = access.unwrap_or(file.access);
    file.flags |= more.unwrap_or(0) | sqos.unwrap_or(0);
    Ok(file)
}
