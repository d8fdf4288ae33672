//! Operations.

use npfs_abi::{
    Access, Call, Composite, CreateFile, CreateNamedPipe, Delivery, HandleStateQuery, Op, PipeName,
};

use super::line::Line;
use super::names::Names;
use crate::error::ParseError;
use crate::scenario::Word;

type Read<T> = Result<T, ParseError>;

/// An operation with its arguments, up to `->` or the end of the line.
pub(super) fn operation(line: &mut Line<'_>, names: &Names) -> Read<Op<Word, Word>> {
    const WANTED: &str = "an operation";
    let mark = line.mark();
    let name = line.word(WANTED)?;
    let call = match name {
        "create_pipe" => Call::CreateNamedPipe(create_pipe(line)?),
        "open" => Call::CreateFile(open(line)?),
        "create_anonymous_pipe" => {
            let (mut size, mut inherit) = (None, false);
            while let Some(option) = next(line)? {
                match option.name {
                    "size=" => option.once(line, &mut size, Line::number)?,
                    "inherit" => option.flag(line, &mut inherit)?,
                    _ => return option.unknown(line, "size=, inherit"),
                }
            }
            Call::CreatePipe { size: size.unwrap_or(0), inherit }
        }
        "connect" => {
            let pipe = names.handle(line)?;
            Call::ConnectNamedPipe { pipe, delivery: delivery(line, names)? }
        }
        "read" => Call::ReadFile {
            file: names.handle(line)?,
            length: line.number()?,
            delivery: delivery(line, names)?,
        },
        "read_ex" => Call::ReadFile {
            file: names.handle(line)?,
            length: line.number()?,
            delivery: Delivery::Routine,
        },
        "write" => Call::WriteFile {
            file: names.handle(line)?,
            data: line.data()?,
            delivery: delivery(line, names)?,
        },
        "write_ex" => Call::WriteFile {
            file: names.handle(line)?,
            data: line.data()?,
            delivery: Delivery::Routine,
        },
        "transact" => Call::TransactNamedPipe {
            pipe: names.handle(line)?,
            data: line.data()?,
            length: line.number()?,
            delivery: delivery(line, names)?,
        },
        "disconnect" => Call::DisconnectNamedPipe { pipe: names.handle(line)? },
        "peek" => Call::PeekNamedPipe { pipe: names.handle(line)?, length: line.number()? },
        "flush" => Call::FlushFileBuffers { file: names.handle(line)? },
        "info" => Call::GetNamedPipeInfo { pipe: names.handle(line)? },
        "local" => Call::QueryLocalInformation { pipe: names.handle(line)? },
        "file_type" => Call::GetFileType { file: names.handle(line)? },
        "close" => Call::CloseHandle { handle: names.handle(line)? },
        "state" => {
            let pipe = names.handle(line)?;
            let mut query = HandleStateQuery::default();
            while let Some(option) = next(line)? {
                match option.name {
                    "collection_count" => option.flag(line, &mut query.collection_count)?,
                    "collect_timeout" => option.flag(line, &mut query.collect_timeout)?,
                    _ => return option.unknown(line, "collection_count, collect_timeout"),
                }
            }
            Call::GetNamedPipeHandleState { pipe, query }
        }
        "set_state" => set_state(line, names)?,
        "wait_pipe" => Call::WaitNamedPipe { name: path(line)?, timeout: pipe_timeout(line)? },
        "call_pipe" => {
            let composite = Composite::CallNamedPipe {
                name: path(line)?,
                data: line.data()?,
                length: line.number()?,
                timeout: pipe_timeout(line)?,
            };
            return Ok(Op::Composite(composite));
        }
        "result" => {
            let (file, (request, _)) = (names.handle(line)?, names.request(line)?);
            let wait = only_flag(line, "wait")?;
            return Ok(Op::Composite(Composite::GetOverlappedResult { file, request, wait }));
        }
        "duplicate" => duplicate(line, names)?,
        "set_inherit" => Call::SetHandleInformation {
            handle: names.handle(line)?,
            inherit: {
                let mark = line.mark();
                match line.try_word() {
                    Some("on") => true,
                    Some("off") => false,
                    _ => return Err(line.wanted_at(mark, "on or off")),
                }
            },
        },
        "create_event" => {
            let (mut manual, mut signaled) = (None, false);
            while let Some(option) = next(line)? {
                match option.name {
                    "manual" => option.set(line, &mut manual, true)?,
                    "auto" => option.set(line, &mut manual, false)?,
                    "signaled" => option.flag(line, &mut signaled)?,
                    _ => return option.unknown(line, "manual, auto, signaled"),
                }
            }
            Call::CreateEvent { manual: manual.unwrap_or(false), signaled }
        }
        "set_event" => Call::SetEvent { event: names.handle(line)? },
        "reset_event" => Call::ResetEvent { event: names.handle(line)? },
        "wait_any" => wait(line, names, false)?,
        "wait_all" => wait(line, names, true)?,
        "sleep" => Call::Sleep {
            timeout: if eat_word(line, "forever") { None } else { Some(line.millis()?) },
            alertable: only_flag(line, "alertable")?,
        },
        "cancel_io" => Call::CancelIo { file: names.handle(line)? },
        "cancel_io_ex" => {
            let file = names.handle(line)?;
            let all = line.at_end() || line.sees("->");
            Call::CancelIoEx {
                file,
                request: if all { None } else { Some(names.request(line)?.0) },
            }
        }
        "cancel_sync" => Call::CancelSynchronousIo { thread: names.thread(line)? },
        "spawn" => Call::CreateProcess {
            process: names.process(line)?,
            inherit: only_flag(line, "inherit")?,
        },
        "exit_thread" => Call::ExitThread,
        "exit_process" => Call::TerminateProcess { process: None },
        "terminate" => Call::TerminateProcess { process: Some(names.process(line)?) },
        _ => return Err(line.error_at(mark, WANTED, &format!("`{name}`"))),
    };
    Ok(Op::Call(call))
}

/// The name of an option, and where it stands.
struct Named<'a> {
    name: &'a str,
    mark: super::line::Mark<'a>,
}

fn next<'a>(line: &mut Line<'a>) -> Read<Option<Named<'a>>> {
    let mark = line.mark();
    Ok(line.option()?.map(|name| Named { name, mark }))
}

impl<'a> Named<'a> {
    fn unknown<T>(&self, line: &Line<'a>, known: &str) -> Read<T> {
        Err(line.wanted_at(self.mark, &format!("one of the options {known}")))
    }

    /// The value of an option that is given at most once, or excludes another.
    fn set<T>(&self, line: &Line<'a>, slot: &mut Option<T>, value: T) -> Read<()> {
        if slot.replace(value).is_some() {
            let found = format!("`{}`, which is already decided", self.name);
            return Err(line.error_at(self.mark, "every option at most once", &found));
        }
        Ok(())
    }

    fn once<T>(
        &self,
        line: &mut Line<'a>,
        slot: &mut Option<T>,
        read: impl FnOnce(&mut Line<'a>) -> Read<T>,
    ) -> Read<()> {
        let value = read(line)?;
        self.set(line, slot, value)
    }

    fn flag(&self, line: &Line<'a>, flag: &mut bool) -> Read<()> {
        let mut slot = flag.then_some(true);
        *flag = true;
        self.set(line, &mut slot, true)
    }

    /// Sets one bit.
    fn bit(&self, line: &Line<'a>, bits: &mut u32, bit: u32) -> Read<()> {
        let mut slot = (*bits & bit != 0).then_some(());
        *bits |= bit;
        self.set(line, &mut slot, ())
    }

    /// Further bits, none of which may have a word.
    fn bits(&self, line: &mut Line<'a>, slot: &mut Option<u32>, worded: u32) -> Read<()> {
        let mark = line.mark();
        let value = line.number()?;
        if value & worded != 0 {
            return Err(line.wanted_at(mark, "only bits that have no word"));
        }
        self.set(line, slot, value)
    }
}

/// Takes `word` if the next word is that.
fn eat_word(line: &mut Line<'_>, word: &str) -> bool {
    let mark = line.mark();
    let found = line.try_word() == Some(word);
    if !found {
        line.back_to(mark);
    }
    found
}

/// The only option there is, or none.
fn only_flag(line: &mut Line<'_>, name: &str) -> Read<bool> {
    let mut flag = false;
    while let Some(option) = next(line)? {
        if option.name == name {
            option.flag(line, &mut flag)?;
        } else {
            return Err(line.wanted_at(option.mark, &format!("the option {name} or no more")));
        }
    }
    Ok(flag)
}

fn path(line: &mut Line<'_>) -> Read<PipeName> {
    Ok(PipeName::new(&line.path()?))
}

/// `MS`, `forever` or `default`.
fn pipe_timeout(line: &mut Line<'_>) -> Read<u32> {
    if eat_word(line, "forever") {
        Ok(u32::MAX)
    } else if eat_word(line, "default") {
        Ok(0)
    } else {
        line.millis()
    }
}

fn delivery(line: &mut Line<'_>, names: &Names) -> Read<Delivery<Word>> {
    let (mut overlapped, mut event) = (false, None);
    while let Some(option) = next(line)? {
        match option.name {
            "overlapped" => option.flag(line, &mut overlapped)?,
            "event=" => option.once(line, &mut event, |line| names.handle(line))?,
            _ => return option.unknown(line, "overlapped, event="),
        }
    }
    let overlapped = overlapped || event.is_some();
    Ok(if overlapped { Delivery::Overlapped { event } } else { Delivery::Return })
}

fn create_pipe(line: &mut Line<'_>) -> Read<CreateNamedPipe> {
    type C = CreateNamedPipe;
    let mut pipe = C { name: path(line)?, ..C::new("") };
    let (mut direction, mut message, mut read, mut inherit) = (None, None, None, false);
    let (mut open_mode, mut pipe_mode, mut more_open, mut more_pipe) = (0, 0, None, None);
    let (mut instances, mut out, mut into, mut timeout) = (None, None, None, None);
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
                let unlimited = eat_word(line, "unlimited");
                if unlimited { Ok(C::UNLIMITED_INSTANCES) } else { line.number() }
            })?,
            "out=" => option.once(line, &mut out, Line::number)?,
            "in=" => option.once(line, &mut into, Line::number)?,
            "timeout=" => option.once(line, &mut timeout, pipe_timeout)?,
            "inherit" => option.flag(line, &mut inherit)?,
            "open_mode=" => option.bits(line, &mut more_open, OPEN_MODE_WORDS)?,
            "pipe_mode=" => option.bits(line, &mut more_pipe, PIPE_MODE_WORDS)?,
            _ => {
                let known = "inbound, outbound, duplex, no_access, byte, message, read=, nowait, \
                             overlapped, first, write_through, reject_remote, instances=, out=, \
                             in=, timeout=, inherit, open_mode=, pipe_mode=";
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
    if eat_word(line, "message") {
        Ok(CreateNamedPipe::READMODE_MESSAGE)
    } else if eat_word(line, "byte") {
        Ok(0)
    } else {
        Err(line.wanted("byte or message"))
    }
}

fn open(line: &mut Line<'_>) -> Read<CreateFile> {
    let mut file = CreateFile { name: path(line)?, ..CreateFile::new("") };
    let (mut access, mut more) = (None, None);
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
                let worded = CreateFile::OVERLAPPED | CreateFile::WRITE_THROUGH;
                option.bits(line, &mut more, worded)?;
            }
            "inherit" => option.flag(line, &mut file.inherit)?,
            _ => {
                let known = "read, write, read+write, attributes, access=, overlapped, \
                             write_through, flags=, inherit";
                return option.unknown(line, known);
            }
        }
    }
    file.access = access.unwrap_or(file.access);
    file.flags |= more.unwrap_or(0);
    Ok(file)
}

fn set_state(line: &mut Line<'_>, names: &Names) -> Read<Call<Word, Word>> {
    let pipe = names.handle(line)?;
    let (mut read, mut wait, mut more) = (None, None, None);
    let (mut collection_count, mut collect_timeout) = (None, None);
    while let Some(option) = next(line)? {
        match option.name {
            "byte" => option.set(line, &mut read, 0)?,
            "message" => option.set(line, &mut read, CreateNamedPipe::READMODE_MESSAGE)?,
            "wait" => option.set(line, &mut wait, 0)?,
            "nowait" => option.set(line, &mut wait, CreateNamedPipe::NOWAIT)?,
            "mode=" => option.once(line, &mut more, Line::number)?,
            "collection_count=" => option.once(line, &mut collection_count, Line::number)?,
            "collect_timeout=" => option.once(line, &mut collect_timeout, Line::millis)?,
            _ => {
                let known = "byte, message, wait, nowait, mode=, collection_count=, \
                             collect_timeout=";
                return option.unknown(line, known);
            }
        }
    }
    let given: [Option<u32>; 3] = [read, wait, more];
    let mode =
        given.iter().any(Option::is_some).then(|| given.iter().flatten().fold(0, |a, b| a | b));
    Ok(Call::SetNamedPipeHandleState { pipe, mode, collection_count, collect_timeout })
}

fn duplicate(line: &mut Line<'_>, names: &Names) -> Read<Call<Word, Word>> {
    let handle = names.handle(line)?;
    let (mut target, mut access, mut inherit) = (None, None, false);
    while let Some(option) = next(line)? {
        match option.name {
            "to=" => option.once(line, &mut target, |line| names.process(line))?,
            "access=" => option.once(line, &mut access, |line| line.number().map(Access))?,
            "inherit" => option.flag(line, &mut inherit)?,
            _ => return option.unknown(line, "to=, access=, inherit"),
        }
    }
    Ok(Call::DuplicateHandle { handle, target, access, inherit })
}

/// The word that ends the list of handles of a wait; no handle can have it.
pub(super) const ALERTABLE: &str = "alertable";

fn wait(line: &mut Line<'_>, names: &Names, all: bool) -> Read<Call<Word, Word>> {
    let mut handles = vec![names.handle(line)?];
    let (mut timeout, mut alertable) = (None, false);
    while let Some(option) = next(line)? {
        match option.name {
            ALERTABLE => option.flag(line, &mut alertable)?,
            "timeout=" => option.once(line, &mut timeout, |line| {
                if eat_word(line, "forever") { Ok(None) } else { line.millis().map(Some) }
            })?,
            name if name.ends_with('=') => return option.unknown(line, "timeout=, alertable"),
            _ => {
                line.back_to(option.mark);
                handles.push(names.handle(line)?);
            }
        }
    }
    Ok(Call::WaitForObjects { handles, all, timeout: timeout.flatten(), alertable })
}
