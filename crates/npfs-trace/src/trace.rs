//! Traces: what threads called and what they were answered, one JSON object a line.

use npfs_abi::{Data, Fault, Op, Output, Profile, Status, Token};
use serde::{Deserialize, Serialize};

use crate::error::ParseError;
use crate::lines;

use crate::scenario::Word;

/// A recorded run: a header line and its events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// The first line.
    pub header: Header,
    /// The other lines, in order, with their line numbers in the file (from 1).
    pub events: Vec<(u32, Event)>,
}

impl Trace {
    /// Reads a trace file.
    ///
    /// # Errors
    /// The first place that cannot be read, or where the file is cut.
    pub fn parse(text: &str) -> Result<Trace, ParseError> {
        lines::read(text)
    }

    /// The trace as a file.
    pub fn write(&self) -> String {
        let mut text = line(&self.header);
        for (_, event) in &self.events {
            text += &line(event);
        }
        text
    }
}

fn line(value: &impl Serialize) -> String {
    // Texts, numbers and lists of them under fixed names always have a JSON form.
    let mut line = serde_json::to_string(value).expect("headers and events have a JSON form");
    line.push('\n');
    line
}

impl Event {
    /// Its place in the total order.
    pub fn seq(&self) -> u32 {
        match self {
            Event::Call { seq, .. }
            | Event::Return { seq, .. }
            | Event::Block { seq, .. }
            | Event::Done { seq, .. }
            | Event::Advance { seq, .. }
            | Event::End { seq } => *seq,
        }
    }
}

/// The first line of a trace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Header {
    /// Always `npfs`.
    pub trace: String,
    /// The version of the format: 1.
    pub version: u32,
    /// What was recorded: `windows`, `wine` or `npfs`.
    pub system: String,
    /// Its version, such as `8.0` or `10.0.19045`.
    pub system_version: String,
    /// The program that wrote the trace, with its version.
    pub recorder: String,
    /// The scenario, by its path below `fixtures/scenarios` without the extension.
    pub scenario: String,
    /// The names of the processes: number n is process n + 1. A leading `*` marks one that a
    /// `CreateProcess` call starts.
    pub processes: Vec<String>,
    /// The threads: name and process number.
    pub threads: Vec<(String, u32)>,
    /// How the model is set up where a recording is of the model itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
}

/// How a simulation was set up. What is absent is as by default.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Model {
    /// Each call is one call of the kernel: a Win32 function that is several shows as those.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub kernel_calls: bool,
    /// The switches of the profile that are on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub profile: Profile,
    /// The misfortunes that were planned at the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Who the processes are, for those that are not ordinary users on this computer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Identity>,
}

/// Who a process is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// The number of the process.
    pub process: u32,
    /// As whom it runs.
    pub token: Token,
    /// Its session.
    pub session: u32,
    /// Where it runs, if not on the computer with the pipes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One line of a trace. [`Trace::parse`] reads it.
///
/// Threads and processes are numbers from 1. A call's `id` is `tT.N`: the N-th call of thread T.
/// Handles are `h1`, `h2`, … in order of appearance. A field that is absent was not recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub enum Event {
    /// A thread begins a call.
    Call {
        /// Its place in the total order, from 1.
        seq: u32,
        /// Who calls.
        thread: u32,
        /// Where that thread lives.
        process: u32,
        /// The name of the call.
        id: Word,
        /// What is called.
        op: Op<Word, Word>,
    },
    /// The call returns, at once or after it blocked.
    Return {
        /// Its place in the total order.
        seq: u32,
        /// Who called.
        thread: u32,
        /// Which call.
        id: Word,
        /// What came back.
        #[serde(flatten)]
        result: Recorded,
    },
    /// The call was seen not to return.
    Block {
        /// Its place in the total order.
        seq: u32,
        /// Who called.
        thread: u32,
        /// Which call.
        id: Word,
    },
    /// An overlapped operation ended after its call had returned.
    Done {
        /// Its place in the total order.
        seq: u32,
        /// Who called.
        thread: u32,
        /// Which call.
        id: Word,
        /// How it ended.
        #[serde(flatten)]
        result: Recorded,
    },
    /// The recorder let time pass.
    Advance {
        /// Its place in the total order.
        seq: u32,
        /// In milliseconds.
        ms: u64,
        /// And in units of 100 ns behind those.
        #[serde(skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "schema", schemars(default))]
        ticks: u32,
    },
    /// The end of the recording; a trace without it is cut off.
    End {
        /// Its place in the total order.
        seq: u32,
    },
}

/// What a source saw of a result. A field that is absent was not recorded.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recorded {
    /// The NTSTATUS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The Win32 error, 0 for a function that succeeded. 997 for one that pends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<u32>,
    /// The byte count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub information: Option<u32>,
    /// The bytes read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// What else was handed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Output<Word>>,
}

/// The JSON schema of a line, as `docs/trace.schema.json` holds it.
#[cfg(feature = "schema")]
pub fn schema() -> String {
    /// A line of a trace of npfs: the first is the header, every other an event.
    #[derive(schemars::JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Line {
        Header(Header),
        Event(Event),
    }
    let schema = schemars::schema_for!(Line);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}
