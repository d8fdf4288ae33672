//! Reads logs that other recorders wrote of any program, as traces of npfs.
//!
//! A reader a format makes calls as the log has them; the system's own numbers become the names
//! of a trace in one place. What a log does not hold is marked unknown in the trace, never
//! guessed, and what a trace cannot hold is counted. Every input has an answer.
#![forbid(unsafe_code)]

mod lines;
mod naming;
mod procmon;
mod raw;
mod skipped;
mod wine;

pub use skipped::Skipped;

use std::collections::BTreeMap;

use npfs_trace::Trace;
use npfs_trace::trace::{Header, Kind, Source, Start};

use raw::RawCall;

/// The format of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Wine with `WINEDEBUG=+relay,+server,+pid`.
    Wine,
    /// Process Monitor, saved as CSV.
    Procmon,
    /// Our own JSON Lines, for programs that log themselves.
    Lines,
}

impl Format {
    /// Every format and its word on the command line.
    pub const ALL: &'static [(Format, &'static str)] =
        &[(Format::Wine, "wine"), (Format::Procmon, "procmon"), (Format::Lines, "jsonl")];
}

/// What whoever made a log knows about it, besides what it says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// What made the calls, such as `node 22.23.3 net_echo.js`.
    pub program: Option<String>,
    /// What answered, if not what the format says: `windows` or `wine`.
    pub system: Option<String>,
    /// Its version.
    pub system_version: Option<String>,
    /// Whether the log holds everything that any process did with pipes.
    pub whole: bool,
}

/// What a reader makes of a log.
#[derive(Debug, Default)]
struct Log {
    calls: Vec<RawCall>,
    skipped: Skipped,
    /// What the log says about itself.
    about: About,
    tick_ns: Option<u32>,
}

/// A log as a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The trace.
    pub trace: Trace,
    /// What of the log is not in it.
    pub skipped: Skipped,
}

/// Reads a log. Bytes that are no UTF-8 are read as U+FFFD.
pub fn import(format: Format, log: &[u8], about: &About) -> Imported {
    let text = String::from_utf8_lossy(log);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (system, log) = match format {
        Format::Wine => ("wine", wine::read(text)),
        Format::Procmon => ("windows", procmon::read(text)),
        Format::Lines => ("unknown", lines::read(text)),
    };
    let Log { calls, mut skipped, about: own, tick_ns } = log;
    let say = |said: &Option<String>, own: Option<String>, or: &str| {
        said.clone().or(own).unwrap_or_else(|| or.to_owned())
    };
    let whole = about.whole || own.whole;
    let header = Header {
        trace: "npfs".to_owned(),
        version: 1,
        kind: Kind::Concurrent,
        source: Source::Import,
        program: about.program.clone().or(own.program),
        system: say(&about.system, own.system, system),
        system_version: say(&about.system_version, own.system_version, "unknown"),
        recorder: concat!("npfs-import ", env!("CARGO_PKG_VERSION")).to_owned(),
        scenario: String::new(),
        tick_ns,
        start: if whole { Start::Empty } else { Start::Unknown },
        skipped: BTreeMap::new(),
        processes: Vec::new(),
        threads: Vec::new(),
        model: None,
    };
    let trace = naming::trace(header, &calls, &mut skipped);
    Imported { trace, skipped }
}
