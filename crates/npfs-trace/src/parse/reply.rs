//! What a step is expected to give.

use npfs_abi::{
    CompletionMode, Configuration, End, HandleState, LocalInfo, Output, Peek, PipeInfo, PipeState,
    PipeType, ReadMode, Status,
};

use super::line::Line;
use super::names::Names;
use crate::error::ParseError;
use crate::scenario::{Expected, ExpectedReply, Word};

/// `pending`, `blocked`, or a reply.
pub(super) fn expected(line: &mut Line<'_>, names: &Names) -> Result<Expected, ParseError> {
    let mark = line.mark();
    match line.try_word() {
        Some("pending") => Ok(Expected::Pending),
        Some("blocked") => Ok(Expected::Blocked),
        _ => {
            line.back_to(mark);
            Ok(Expected::Done(reply(line, names)?))
        }
    }
}

/// `STATUS [INFORMATION] [OUTPUT]`
pub(super) fn reply(line: &mut Line<'_>, names: &Names) -> Result<ExpectedReply, ParseError> {
    let status = status(line)?;
    let information = if line.sees_digit() { Some(line.number()?) } else { None };
    let output = if line.at_end() { None } else { Some(output(line, names)?) };
    Ok(ExpectedReply { status, information, output })
}

fn status(line: &mut Line<'_>) -> Result<Status, ParseError> {
    const WANTED: &str = "a status such as ok, PIPE_BROKEN or 0xC000014B";
    let mark = line.mark();
    let status = if line.sees("0x") {
        Status(line.number()?)
    } else {
        match line.word(WANTED)? {
            "ok" => Status::SUCCESS,
            "wait" => {
                let here = line.mark();
                match line.number()? {
                    index @ 0..64 => return Ok(Status::wait(index)),
                    _ => return Err(line.wanted_at(here, "the index of a handle, 0 to 63")),
                }
            }
            name => Status::from_name(name).ok_or_else(|| line.wanted_at(mark, WANTED))?,
        }
    };
    if line.eat("(") {
        let here = line.mark();
        if line.number()? != status.win32() {
            let wanted = format!("{}, the Win32 error of {status:?}", status.win32());
            return Err(line.wanted_at(here, &wanted));
        }
        line.expect(")")?;
    }
    Ok(status)
}

fn output(line: &mut Line<'_>, names: &Names) -> Result<Output<Word>, ParseError> {
    const WANTED: &str =
        "data, handle, handles, peek, info, state, local, type, routines or the end of the line";
    if line.sees("\"") {
        return Ok(Output::Data(line.data()?));
    }
    let mark = line.mark();
    Ok(match line.word(WANTED)? {
        "handle" => Output::Handle(line.word("a word")?.to_owned()),
        "handles" => {
            Output::Handles(line.word("a word")?.to_owned(), line.word("a word")?.to_owned())
        }
        "peek" => Output::Peek(Peek {
            data: line.data()?,
            available: value(line, "available=")?,
            left: value(line, "left=")?,
        }),
        "info" => Output::Info(PipeInfo {
            end: one_of(line, End::ALL, End::word)?,
            pipe_type: one_of(line, PipeType::ALL, PipeType::word)?,
            out_buffer: value(line, "out=")?,
            in_buffer: value(line, "in=")?,
            max_instances: value(line, "max=")?,
        }),
        "state" => Output::State(HandleState {
            read_mode: one_of(line, ReadMode::ALL, ReadMode::word)?,
            completion_mode: one_of(line, CompletionMode::ALL, CompletionMode::word)?,
            instances: value(line, "instances=")?,
        }),
        "local" => Output::Local(LocalInfo {
            pipe_type: one_of(line, PipeType::ALL, PipeType::word)?,
            configuration: one_of(line, Configuration::ALL, Configuration::word)?,
            maximum_instances: {
                line.expect("max=")?;
                if line.eat("unlimited") { u32::MAX } else { line.number()? }
            },
            current_instances: value(line, "instances=")?,
            inbound_quota: value(line, "in=")?,
            outbound_quota: value(line, "out=")?,
            read_data_available: value(line, "readable=")?,
            write_quota_available: value(line, "writable=")?,
            state: one_of(line, PipeState::ALL, PipeState::word)?,
            end: one_of(line, End::ALL, End::word)?,
        }),
        "type" => Output::FileType(line.number()?),
        "routines" => {
            let mut requests = Vec::new();
            while !line.at_end() {
                requests.push(names.request(line)?.1);
            }
            Output::Routines(requests)
        }
        _ => return Err(line.wanted_at(mark, WANTED)),
    })
}

fn value(line: &mut Line<'_>, name: &str) -> Result<u32, ParseError> {
    line.expect(name)?;
    line.number()
}

/// One of the words of `all`.
fn one_of<T: Copy>(
    line: &mut Line<'_>,
    all: &[T],
    spelling: fn(T) -> &'static str,
) -> Result<T, ParseError> {
    let mark = line.mark();
    let word = line.try_word();
    all.iter().copied().find(|value| Some(spelling(*value)) == word).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|value| spelling(*value)).collect();
        line.wanted_at(mark, &words.join(" or "))
    })
}
