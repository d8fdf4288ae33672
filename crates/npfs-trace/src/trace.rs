//! Traces: what threads called and what they were answered, one JSON object a line.
//!
//! A trace is stepped or concurrent ([`Kind`]). The lines of a stepped one stand in the order of
//! what happened. Those of a concurrent one have stamps: between its call and its return nobody
//! saw when a call took effect. `docs/traces.md` is the format for those who write it.

use std::collections::BTreeMap;

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

    /// Reads a file of one trace or several, each behind the `end` of the one before.
    ///
    /// # Errors
    /// The first place that cannot be read, or where the file is cut.
    pub fn parse_all(text: &str) -> Result<Vec<Trace>, ParseError> {
        lines::read_all(text)
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
    /// What the order of the lines says.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: Kind,
    /// How the calls came about.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: Source,
    /// The program that made the calls, where it is not a scenario: `node 22.23.3 net_echo.js`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// What was recorded: `windows`, `wine` or `npfs`.
    pub system: String,
    /// Its version, such as `8.0` or `10.0.19045`.
    pub system_version: String,
    /// The program that wrote the trace, with its version.
    pub recorder: String,
    /// The scenario, by its path below `fixtures/scenarios` without the extension. Empty where
    /// the calls are not those of a scenario.
    pub scenario: String,
    /// What one unit of `at` is, in nanoseconds; absent where `at` is a counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick_ns: Option<u32>,
    /// What is known about the system before the first line.
    #[serde(default, skip_serializing_if = "is_default")]
    pub start: Start,
    /// What the source held and this trace does not, counted by what it was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, u32>,
    /// The names of the processes: number n is process n + 1. A leading `*` marks one that a
    /// `CreateProcess` call starts.
    pub processes: Vec<String>,
    /// The threads: name and process number.
    pub threads: Vec<(String, u32)>,
    /// How the model is set up where a recording is of the model itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
}

/// What the order of a trace's lines says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Kind {
    /// The next call was begun when everything that the last one caused was over. What stands
    /// between two calls was caused by the first.
    #[default]
    Stepped,
    /// Calls overlap. `at` says what came before what, and nothing else does, but that the calls
    /// of one thread stand in their order.
    Concurrent,
}

/// How the calls of a trace came about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Source {
    /// A scenario, step by step.
    #[default]
    Scenario,
    /// The threads of a scenario, each at its own speed.
    Free,
    /// A scenario of the random corpus.
    Random,
    /// A log that some other tool wrote of some other program.
    Import,
}

/// What is known about the system before the first line of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Start {
    /// No process has a handle, and there is no pipe.
    #[default]
    Empty,
    /// Handles and pipes may be there. A handle that no call of the trace gave, and a name that no
    /// call of the trace created, are somebody else's: calls that touch them are not checked.
    Unknown,
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
/// Handles are `h1`, `h2`, … in order of appearance; a value that is dealt again has a new name.
/// A field that is absent was not recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub enum Event {
    /// A thread begins a call.
    Call {
        /// Its number in the file, from 1 and rising; in a stepped trace its place in the order.
        seq: u32,
        /// When it was seen.
        #[serde(flatten)]
        seen: Seen,
        /// Who calls.
        thread: u32,
        /// Where that thread lives.
        process: u32,
        /// The name of the call.
        id: Word,
        /// What is called.
        op: Op<Word, Word>,
        /// What of that is not known.
        #[serde(flatten)]
        gaps: Gaps,
    },
    /// The call returns, at once or after it blocked.
    Return {
        /// Its number in the file.
        seq: u32,
        /// When it was seen.
        #[serde(flatten)]
        seen: Seen,
        /// Who called.
        thread: u32,
        /// Which call.
        id: Word,
        /// What came back.
        #[serde(flatten)]
        result: Recorded,
    },
    /// The call was seen not to return: the system has taken it and lets it wait.
    Block {
        /// Its number in the file.
        seq: u32,
        /// When it was seen.
        #[serde(flatten)]
        seen: Seen,
        /// Who called.
        thread: u32,
        /// Which call.
        id: Word,
    },
    /// An overlapped operation ended after its call had returned.
    Done {
        /// Its number in the file.
        seq: u32,
        /// When it was seen to have ended.
        #[serde(flatten)]
        seen: Seen,
        /// When it was last seen pending, in a concurrent trace.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
        /// Who called.
        thread: u32,
        /// Which call.
        id: Word,
        /// How it ended.
        #[serde(flatten)]
        result: Recorded,
    },
    /// The recorder let time pass. Only in a stepped trace.
    Advance {
        /// Its number in the file.
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
        /// Its number in the file.
        seq: u32,
    },
}

/// When something was seen, in a concurrent trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Seen {
    /// A stamp that all threads share. One event came before another if its stamp is lower; of
    /// equal stamps nothing is known. Absent: nobody knows when, but that it lies between its
    /// neighbours of the same call and thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// The line of the log that it was imported from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What is not known of a call.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gaps {
    /// The number of bytes that were passed, where `op` holds only the first of them, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// The arguments whose values in `op` only stand for unknown ones, such as `in_buffer`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    pub unknown: Vec<String>,
    /// Nobody saw the call; that it was made follows from others. It succeeded.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(default))]
    pub assumed: bool,
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
    /// It failed, and nobody knows with which error.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(default))]
    pub failed: bool,
    /// The byte count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub information: Option<u32>,
    /// The bytes read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// `data` holds only the first of the bytes.
    #[serde(skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(default))]
    pub cut: bool,
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
