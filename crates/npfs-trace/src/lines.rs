//! The reader of trace files.
//!
//! An event is first read as a flat set of fields, so that serde says where an unknown field or a
//! wrong value stands; then the fields are checked against the kind of event.

use std::iter::{Peekable, Zip};
use std::ops::RangeFrom;

use npfs_abi::{Call, Composite, Data, Op, Output, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{ParseError, column};
use crate::scenario::Word;
use crate::trace::{Event, Gaps, Header, Kind, Recorded, Seen, Trace};

/// Every field that some event has. `op` is read later, for better errors than those of an
/// untagged enum.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    event: Name,
    seq: u32,
    at: Option<u64>,
    line: Option<u32>,
    after: Option<u64>,
    thread: Option<u32>,
    process: Option<u32>,
    id: Option<Word>,
    #[serde(borrow)]
    op: Option<&'a RawValue>,
    size: Option<u32>,
    unknown: Option<Vec<String>>,
    assumed: Option<bool>,
    status: Option<Status>,
    error: Option<u32>,
    failed: Option<bool>,
    information: Option<u32>,
    data: Option<Data>,
    cut: Option<bool>,
    output: Option<Output<Word>>,
    ms: Option<u64>,
    ticks: Option<u32>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Name {
    Call,
    Return,
    Block,
    Done,
    Advance,
    End,
}

impl Name {
    const fn word(self) -> &'static str {
        match self {
            Name::Call => "call",
            Name::Return => "return",
            Name::Block => "block",
            Name::Done => "done",
            Name::Advance => "advance",
            Name::End => "end",
        }
    }

    /// The fields it needs and those it may have, besides `event` and `seq`.
    const fn fields(self, kind: Kind) -> (&'static [&'static str], &'static [&'static str]) {
        const RESULT: &[&str] =
            &["status", "error", "failed", "information", "data", "cut", "output"];
        const STAMPED: &[&str] =
            &["at", "line", "status", "error", "failed", "information", "data", "cut", "output"];
        const DONE: &[&str] = &[
            "at",
            "line",
            "after",
            "status",
            "error",
            "failed",
            "information",
            "data",
            "cut",
            "output",
        ];
        match (self, kind) {
            (Name::Call, Kind::Stepped) => (&["thread", "process", "id", "op"], &[]),
            (Name::Call, Kind::Concurrent) => {
                (&["thread", "process", "id", "op"], &["at", "line", "size", "unknown", "assumed"])
            }
            (Name::Return | Name::Done, Kind::Stepped) => (&["thread", "id"], RESULT),
            (Name::Return, Kind::Concurrent) => (&["thread", "id"], STAMPED),
            (Name::Done, Kind::Concurrent) => (&["thread", "id"], DONE),
            (Name::Block, Kind::Stepped) => (&["thread", "id"], &[]),
            (Name::Block, Kind::Concurrent) => (&["thread", "id"], &["at", "line"]),
            (Name::Advance, _) => (&["ms"], &["ticks"]),
            (Name::End, _) => (&[], &[]),
        }
    }
}

pub(crate) fn read(text: &str) -> Result<Trace, ParseError> {
    let mut lines = Lines::new(text);
    let trace = lines.trace()?;
    match lines.left.next() {
        None => Ok(trace),
        Some((number, text)) => {
            let found = if text.trim().is_empty() { "an empty line" } else { "another event" };
            Err(error(number, 1, "no more lines behind the `end` event", found))
        }
    }
}

pub(crate) fn read_all(text: &str) -> Result<Vec<Trace>, ParseError> {
    let mut lines = Lines::new(text);
    let mut traces = vec![lines.trace()?];
    while lines.left.peek().is_some() {
        traces.push(lines.trace()?);
    }
    Ok(traces)
}

/// The lines of a file that are not read yet, with their numbers.
struct Lines<'a> {
    left: Peekable<Zip<RangeFrom<u32>, std::str::Lines<'a>>>,
    /// The number of the last line that was read.
    last: u32,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Lines<'a> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Lines { left: (1..).zip(text.lines()).peekable(), last: 0 }
    }

    /// Everything up to the next `end`.
    fn trace(&mut self) -> Result<Trace, ParseError> {
        let Some((number, text)) = self.left.next() else {
            return Err(error(1, 1, "the header of a trace", "the end of the file"));
        };
        self.last = number;
        let header = header(&Line { number, text })?;
        let mut trace = Trace { header, events: Vec::new() };
        let mut seq = 0;
        for (number, text) in self.left.by_ref() {
            self.last = number;
            let line = Line { number, text };
            let event = line.event(&trace.header)?;
            if event.seq() <= seq {
                let wanted = format!("a `seq` greater than {seq}");
                return Err(line.at_field("seq", &wanted, &event.seq().to_string()));
            }
            seq = event.seq();
            let ended = matches!(event, Event::End { .. });
            trace.events.push((number, event));
            if ended {
                return Ok(trace);
            }
        }
        Err(error(self.last + 1, 1, "an `end` event", "the end of the file"))
    }
}

fn header(line: &Line<'_>) -> Result<Header, ParseError> {
    /// What tells that this is a trace at all. It is looked at first, because another version
    /// may have other fields.
    #[derive(Deserialize)]
    struct Format {
        trace: String,
        version: u32,
    }
    let format: Format = line.json(line.text)?;
    if format.trace != "npfs" {
        return Err(line.at_field("trace", "\"npfs\"", &format!("{:?}", format.trace)));
    }
    if format.version != 1 {
        return Err(line.at_field("version", "1", &format.version.to_string()));
    }
    let header: Header = line.json(line.text)?;
    for (name, process) in &header.threads {
        if *process == 0 || *process as usize > header.processes.len() {
            let found = format!("process {process} of thread {name:?}");
            return Err(line.at_field("threads", "a number of one of the processes", &found));
        }
    }
    Ok(header)
}

fn error(line: u32, column: u32, wanted: &str, found: &str) -> ParseError {
    ParseError { line, column, wanted: wanted.to_owned(), found: found.to_owned() }
}

#[derive(Clone, Copy)]
struct Line<'a> {
    number: u32,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn at(&self, offset: usize, wanted: &str, found: &str) -> ParseError {
        error(self.number, column(self.text, offset), wanted, found)
    }

    /// An error at the name of a field of the outermost object.
    fn at_field(&self, name: &str, wanted: &str, found: &str) -> ParseError {
        self.at(field(self.text, name).unwrap_or(0), wanted, found)
    }

    /// Reads `part`, which is all of this line or a piece of it.
    fn json<T: Deserialize<'a>>(&self, part: &'a str) -> Result<T, ParseError> {
        serde_json::from_str(part).map_err(|error| {
            let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
            self.explained(start, part, &error)
        })
    }

    fn explained(&self, start: usize, part: &str, error: &serde_json::Error) -> ParseError {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = message.strip_suffix(&place).unwrap_or(&message);
        // serde counts the bytes it has read, so the column is that of the last byte.
        let mut offset = error.column().saturating_sub(1);
        if error.is_eof() {
            return self.at(start + part.len(), "the rest of the object", "the end of the line");
        }
        if let Some((_, rest)) = message.split_once("unknown ") {
            // It stands behind the name of the field; the start of the name is meant.
            let name = rest.split('`').nth(1).unwrap_or_default();
            let before = part.get(..=offset).unwrap_or_default();
            offset = before.rfind(&format!("\"{name}\"")).unwrap_or(offset);
        }
        let (found, wanted) = match message.split_once(", expected ") {
            Some((found, wanted)) => (found, wanted.to_owned()),
            None => match message.strip_prefix("missing field ") {
                Some(name) => ("an object without it", format!("the field {name}")),
                None => (message, "an object of a trace".to_owned()),
            },
        };
        self.at(start + offset, &wanted, found)
    }

    fn event(&self, header: &Header) -> Result<Event, ParseError> {
        let fields: Fields<'a> = self.json(self.text)?;
        self.check_fields(&fields, header.kind)?;
        let Fields { seq, thread, process, id, op, ms, ticks, after, .. } = fields;
        let seen = Seen { at: fields.at, line: fields.line };
        let thread = self.number("thread", thread, header.threads.len())?;
        let process = self.number("process", process, header.processes.len())?;
        let id = id.unwrap_or_default();
        let result = Recorded {
            status: fields.status,
            error: fields.error,
            failed: fields.failed.unwrap_or_default(),
            information: fields.information,
            data: fields.data,
            cut: fields.cut.unwrap_or_default(),
            output: fields.output,
        };
        Ok(match fields.event {
            Name::Call => match op {
                Some(op) => {
                    let op = self.op(op.get())?;
                    let (size, assumed) = (fields.size, fields.assumed.unwrap_or_default());
                    let unknown = fields.unknown.unwrap_or_default();
                    let gaps = Gaps { size, unknown, assumed };
                    Event::Call { seq, seen, thread, process, id, op, gaps }
                }
                None => return Err(self.at(0, "the field `op`", "null")),
            },
            Name::Return => Event::Return { seq, seen, thread, id, result },
            Name::Block => Event::Block { seq, seen, thread, id },
            Name::Done => Event::Done { seq, seen, after, thread, id, result },
            Name::Advance => {
                Event::Advance { seq, ms: ms.unwrap_or_default(), ticks: ticks.unwrap_or_default() }
            }
            Name::End => Event::End { seq },
        })
    }

    fn op(&self, text: &'a str) -> Result<Op<Word, Word>, ParseError> {
        let name = text.split('"').nth(1).unwrap_or_default();
        let composites = [
            "CallNamedPipe",
            "GetOverlappedResult",
            "GetOverlappedResultEx",
            "GetFileAttributes",
            "FindFiles",
        ];
        if composites.contains(&name) {
            self.json::<Composite<Word, Word>>(text).map(Op::Composite)
        } else {
            self.json::<Call<Word, Word>>(text).map(Op::Call)
        }
    }

    /// The number of a thread or process, from 1 to `count`; 0 for an event without it.
    fn number(&self, name: &str, value: Option<u32>, count: usize) -> Result<u32, ParseError> {
        match value {
            None => Ok(0),
            Some(value @ 1..) if value as usize <= count => Ok(value),
            Some(value) => {
                let wanted = format!("a {name} of the header, 1 to {count}");
                Err(self.at_field(name, &wanted, &value.to_string()))
            }
        }
    }

    /// Every field the event needs is there, and no other.
    fn check_fields(&self, fields: &Fields<'_>, kind: Kind) -> Result<(), ParseError> {
        let there = [
            ("at", fields.at.is_some()),
            ("line", fields.line.is_some()),
            ("after", fields.after.is_some()),
            ("thread", fields.thread.is_some()),
            ("process", fields.process.is_some()),
            ("id", fields.id.is_some()),
            ("op", fields.op.is_some()),
            ("size", fields.size.is_some()),
            ("unknown", fields.unknown.is_some()),
            ("assumed", fields.assumed.is_some()),
            ("status", fields.status.is_some()),
            ("error", fields.error.is_some()),
            ("failed", fields.failed.is_some()),
            ("information", fields.information.is_some()),
            ("data", fields.data.is_some()),
            ("cut", fields.cut.is_some()),
            ("output", fields.output.is_some()),
            ("ms", fields.ms.is_some()),
            ("ticks", fields.ticks.is_some()),
        ];
        if (fields.event, kind) == (Name::Advance, Kind::Concurrent) {
            return Err(self.at_field("event", "an event of a concurrent trace", "`advance`"));
        }
        let (needed, allowed) = fields.event.fields(kind);
        let kind = fields.event.word();
        for (name, given) in there {
            if given && !needed.contains(&name) && !allowed.contains(&name) {
                let wanted = format!("a field of a `{kind}` event");
                return Err(self.at_field(name, &wanted, &format!("`{name}`")));
            }
            if !given && needed.contains(&name) {
                let wanted = format!("the field `{name}` of a `{kind}` event");
                return Err(self.at_field("event", &wanted, "an object without it"));
            }
        }
        Ok(())
    }
}

/// Where the name of a field of the outermost object starts.
fn field(text: &str, name: &str) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let start = at + 1;
                at = start;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let is_name =
                    text.get(at + 1..).is_some_and(|rest| rest.trim_start().starts_with(':'));
                if depth == 1 && is_name && text.get(start..at) == Some(name) {
                    return Some(start - 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}
