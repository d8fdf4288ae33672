//! What a step is expected to give.

use npfs_abi::{
    CompletionMode, Configuration, End, HandleState, LocalInfo, Output, Packet, PacketSource, Peek,
    PipeInfo, PipeState, PipeType, ReadMode, Status,
};

use super::identity::{TOKEN_OPTIONS, TokenParts, descriptor};
use super::line::Line;
use super::names::Names;
use super::option::next;
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
    let output = if line.at_end_of_claim() { None } else { Some(output(line, names)?) };
    Ok(ExpectedReply { status, information, output })
}

pub(super) fn status(line: &mut Line<'_>) -> Result<Status, ParseError> {
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
    const WANTED: &str = "data, handle, handles, peek, info, state, local, type, routines, packets, number, text, \
         names, token, descriptor or the end of the line";
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
        "state" => Output::State(Box::new(HandleState {
            read_mode: one_of(line, ReadMode::ALL, ReadMode::word)?,
            completion_mode: one_of(line, CompletionMode::ALL, CompletionMode::word)?,
            instances: value(line, "instances=")?,
            collection_count: optional(line, "collection_count=", Line::number)?,
            collect_timeout: optional(line, "collect_timeout=", Line::millis)?,
            user: optional(line, "user=", Line::quoted)?,
        })),
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
            while !line.at_end_of_claim() {
                requests.push(names.request(line)?.1);
            }
            Output::Routines(requests)
        }
        "packets" => Output::Packets(packets(line, names)?),
        "number" => Output::Number(line.number64()?),
        "text" => Output::Text(line.quoted()?),
        "names" => {
            let mut all = Vec::new();
            while !line.at_end_of_claim() {
                all.push(line.quoted()?);
            }
            Output::Names(all)
        }
        "token" => {
            let mut parts = TokenParts::default();
            while let Some(option) = next(line)? {
                if !parts.take(line, &option)? {
                    return option.unknown(line, TOKEN_OPTIONS);
                }
            }
            Output::Token(Box::new(parts.token()))
        }
        "descriptor" => Output::Descriptor(Box::new(descriptor(line)?)),
        _ => return Err(line.wanted_at(mark, WANTED)),
    })
}

/// `key=1 of=r ok 5, key=2 posted=7 PIPE_BROKEN 0`
fn packets(line: &mut Line<'_>, names: &Names) -> Result<Vec<Packet>, ParseError> {
    let mut packets = Vec::new();
    while !line.at_end_of_claim() {
        if !packets.is_empty() {
            line.expect(",")?;
        }
        line.expect("key=")?;
        let key = line.number64()?;
        let source = if line.eat("posted=") {
            PacketSource::Posted(line.number64()?)
        } else {
            line.expect("of=")?;
            PacketSource::Request(names.request(line)?.1)
        };
        packets.push(Packet { key, source, status: status(line)?, information: line.number()? });
    }
    Ok(packets)
}

fn optional<'a, T>(
    line: &mut Line<'a>,
    name: &str,
    read: impl FnOnce(&mut Line<'a>) -> Result<T, ParseError>,
) -> Result<Option<T>, ParseError> {
    if line.eat(name) { read(line).map(Some) } else { Ok(None) }
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
