//! Our own log lines: JSON, with the system's own numbers, for programs that log themselves.
//!
//! The form is in `docs/imports.md`. Unlike a trace it names nothing: a program prints the handle
//! values, thread ids and pointers that it has, and the import finds out what they mean.

use std::collections::BTreeMap;

use npfs_abi::{Call, Composite, Data, Op, Output, Status};
use npfs_trace::trace::{Gaps, Recorded};
use serde::Deserialize;
use serde_json::Value;

use crate::Log;
use crate::raw::{RawCall, RawOutput, RawPacket, RawResult, Stamp};

/// Every field that some line has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    event: Kind,
    at: Option<u64>,
    process: Option<u32>,
    thread: Option<u32>,
    op: Option<Value>,
    overlapped: Option<u64>,
    size: Option<u32>,
    #[serde(default)]
    unknown: Vec<String>,
    status: Option<Status>,
    error: Option<u32>,
    #[serde(default)]
    failed: bool,
    information: Option<u32>,
    data: Option<Data>,
    #[serde(default)]
    cut: bool,
    handle: Option<u64>,
    handles: Option<(u64, u64)>,
    packets: Option<Vec<PacketLine>>,
    routines: Option<Vec<u64>>,
    output: Option<Output<String>>,
    program: Option<String>,
    system: Option<String>,
    system_version: Option<String>,
    tick_ns: Option<u32>,
    whole: Option<bool>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    About,
    Call,
    Return,
    Done,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PacketLine {
    key: u64,
    overlapped: u64,
    status: Status,
    information: u32,
}

/// The calls of a log.
pub(crate) fn read(text: &str) -> Log {
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let read = serde_json::from_str::<Fields>(line).map_err(|error| error.to_string());
        if let Err(error) = read.and_then(|fields| reader.line(number, fields)) {
            reader.log.skipped.bad_line(number, &error, "lines that are not of the log");
        }
    }
    reader.log
}

#[derive(Default)]
struct Reader {
    log: Log,
    /// The call that each thread is in.
    open: BTreeMap<u32, usize>,
    /// The last call that each OVERLAPPED was passed to.
    passed: BTreeMap<(u32, u64), usize>,
}

impl Reader {
    fn line(&mut self, line: u32, fields: Fields) -> Result<(), String> {
        let stamp = Stamp { at: fields.at, line };
        match fields.event {
            Kind::About => self.about(fields),
            Kind::Call => return self.call(stamp, fields),
            Kind::Return => {
                let thread = fields.thread.ok_or("wanted the field `thread`")?;
                let place = self.open.remove(&thread).ok_or("a return without a call")?;
                self.log.calls[place].returned = Some((stamp, result(fields)?));
            }
            Kind::Done => {
                let process = fields.process.ok_or("wanted the field `process`")?;
                let pointer = fields.overlapped.ok_or("wanted the field `overlapped`")?;
                let place = self.passed.remove(&(process, pointer));
                let place = place.ok_or("an end without an operation")?;
                self.log.calls[place].done = Some((stamp, result(fields)?));
            }
        }
        Ok(())
    }

    fn about(&mut self, fields: Fields) {
        let about = &mut self.log.about;
        about.program = fields.program;
        about.system = fields.system;
        about.system_version = fields.system_version;
        about.whole = fields.whole.unwrap_or(false);
        self.log.tick_ns = fields.tick_ns;
    }

    fn call(&mut self, began: Stamp, fields: Fields) -> Result<(), String> {
        let process = fields.process.ok_or("wanted the field `process`")?;
        let thread = fields.thread.ok_or("wanted the field `thread`")?;
        let op = op(fields.op.ok_or("wanted the field `op`")?)?;
        let (function, overlapped) = (function(&op), fields.overlapped);
        let gaps = Gaps { size: fields.size, unknown: fields.unknown, assumed: false };
        let place = self.log.calls.len();
        self.open.insert(thread, place);
        if let Some(pointer) = overlapped {
            self.passed.insert((process, pointer), place);
        }
        let (returned, done) = (None, None);
        let call =
            RawCall { process, thread, function, began, op, overlapped, gaps, returned, done };
        self.log.calls.push(call);
        Ok(())
    }
}

/// A call, or a function that makes several. An untagged enum would not say what is wrong.
fn op(value: Value) -> Result<Op<u64, u64>, String> {
    match Call::deserialize(&value) {
        Ok(call) => Ok(Op::Call(call)),
        Err(error) => match Composite::deserialize(&value) {
            Ok(composite) => Ok(Op::Composite(composite)),
            Err(_) => Err(error.to_string()),
        },
    }
}

/// The name of the operation: the first word of its form for debugging.
fn function(op: &Op<u64, u64>) -> String {
    let text = match op {
        Op::Call(call) => format!("{call:?}"),
        Op::Composite(composite) => format!("{composite:?}"),
    };
    text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn result(fields: Fields) -> Result<RawResult, String> {
    let mut outputs = Vec::new();
    outputs.extend(fields.handle.map(RawOutput::Handle));
    outputs.extend(fields.handles.map(|(read, write)| RawOutput::Handles(read, write)));
    outputs.extend(fields.routines.map(RawOutput::Routines));
    if let Some(packets) = fields.packets {
        let packets = packets.into_iter().map(|packet| RawPacket {
            key: packet.key,
            overlapped: packet.overlapped,
            status: packet.status,
            information: packet.information,
        });
        outputs.push(RawOutput::Packets(packets.collect()));
    }
    if let Some(output) = fields.output {
        let names = matches!(
            output,
            Output::Handle(_) | Output::Handles(..) | Output::Packets(_) | Output::Routines(_)
        );
        if names {
            return Err("handles, packets and routines have fields of their own".to_owned());
        }
        outputs.push(RawOutput::Plain(output));
    }
    if outputs.len() > 1 {
        return Err("more than one output".to_owned());
    }
    let recorded = Recorded {
        status: fields.status,
        error: fields.error,
        failed: fields.failed,
        information: fields.information,
        data: fields.data,
        cut: fields.cut,
        output: None,
    };
    Ok(RawResult { recorded, output: outputs.pop() })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_call_finds_its_return_by_the_thread_and_its_end_by_the_overlapped() {
        let log = read(concat!(
            r#"{"event":"about","system":"wine","system_version":"8.0","tick_ns":100}"#,
            "\n",
            r#"{"event":"call","at":1,"process":32,"thread":36,"op":{"ReadFile":{"file":80,"length":4,"delivery":{"overlapped":{"event":null}}}},"overlapped":4096}"#,
            "\n",
            r#"{"event":"return","at":2,"thread":36,"error":997}"#,
            "\n",
            r#"{"event":"done","at":9,"process":32,"overlapped":4096,"status":"00000000","information":4}"#,
        ));
        assert_eq!(log.skipped.lines, []);
        assert_eq!(log.about.system.as_deref(), Some("wine"));
        let [call] = log.calls.as_slice() else { panic!("one call") };
        assert_eq!(call.function, "ReadFile");
        assert_eq!(call.returned.as_ref().map(|(at, _)| at.at), Some(Some(2)));
        let done = call.done.as_ref().map(|(_, result)| result.recorded.information);
        assert_eq!(done, Some(Some(4)));
    }

    #[test]
    fn a_bad_line_is_named_and_the_others_are_read() {
        let log = read(concat!(
            "not json\n",
            r#"{"event":"return","thread":36}"#,
            "\n\n",
            r#"{"event":"call","process":32,"thread":36,"op":{"ReedFile":{}}}"#,
            "\n",
            r#"{"event":"call","process":32,"thread":36,"op":"RevertToSelf"}"#,
        ));
        assert_eq!(log.calls.len(), 1);
        let lines: Vec<u32> = log.skipped.lines.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 4]);
        assert!(log.skipped.lines[2].1.contains("ReedFile"), "{:?}", log.skipped.lines);
    }
}
