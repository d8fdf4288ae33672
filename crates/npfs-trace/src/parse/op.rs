//! Operations.

use npfs_abi::{Access, Call, Composite, CreateNamedPipe, Delivery, HandleStateQuery, Op};

use super::creation::{create_pipe, open, path, pipe_timeout};
use super::line::Line;
use super::names::Names;
use super::native;
use super::option::{Read, next, only_flag};
use crate::scenario::Word;

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
                    "user" => option.flag(line, &mut query.user)?,
                    _ => return option.unknown(line, "collection_count, collect_timeout, user"),
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
            timeout: if line.eat_word("forever") { None } else { Some(line.millis()?) },
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
        "cancel_sync" => {
            let thread = names.thread(line)?;
            let any = line.at_end() || line.sees("->");
            let request = if any { None } else { Some(names.request(line)?.0) };
            Call::CancelSynchronousIo { thread, request }
        }
        "spawn" => Call::CreateProcess {
            process: names.process(line)?,
            inherit: only_flag(line, "inherit")?,
        },
        "exit_thread" => Call::ExitThread,
        "exit_process" => Call::TerminateProcess { process: None },
        "terminate" => Call::TerminateProcess { process: Some(names.process(line)?) },
        _ => match native::operation(name, line, names)? {
            Some(op) => return Ok(op),
            None => return Err(line.error_at(mark, WANTED, &format!("`{name}`"))),
        },
    };
    Ok(Op::Call(call))
}

pub(super) fn delivery(line: &mut Line<'_>, names: &Names) -> Read<Delivery<Word>> {
    let (mut overlapped, mut nt, mut event) = (false, false, None);
    let (mut quiet, mut routine, mut context) = (false, false, false);
    let start = line.mark();
    while let Some(option) = next(line)? {
        match option.name {
            "overlapped" => option.flag(line, &mut overlapped)?,
            "nt" => option.flag(line, &mut nt)?,
            "event=" => option.once(line, &mut event, |line| names.handle(line))?,
            "quiet" => option.flag(line, &mut quiet)?,
            "routine" => option.flag(line, &mut routine)?,
            "context" => option.flag(line, &mut context)?,
            _ => {
                return option.unknown(line, "overlapped, event=, quiet, nt, routine, context");
            }
        }
    }
    if nt && (overlapped || quiet) || !nt && (routine || context) {
        let wanted = "nt with event=, routine, context, or overlapped with event=, quiet";
        return Err(line.wanted_at(start, wanted));
    }
    Ok(match (nt, overlapped || quiet || event.is_some()) {
        (true, _) => Delivery::Nt { event, routine, context },
        (false, true) => Delivery::Overlapped { event, quiet },
        (false, false) => Delivery::Return,
    })
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
                if line.eat_word("forever") { Ok(None) } else { line.millis().map(Some) }
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
