//! Reads logs that other recorders wrote of any program, as traces of npfs.
//!
//! A reader a format makes calls as the log has them; the system's own numbers become the names
//! of a trace in one place. What a log does not hold is marked unknown in the trace, never
//! guessed, and what a trace cannot hold is counted. Every input has an answer.
#![forbid(unsafe_code)]

mod naming;
mod raw;
mod skipped;
mod wine;

pub use skipped::Skipped;

use npfs_trace::Trace;
use npfs_trace::trace::{Header, Kind, Source, Start};

/// The format of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Wine with `WINEDEBUG=+relay,+server,+pid`.
    Wine,
}

impl Format {
    /// Every format and its word on the command line.
    pub const ALL: &'static [(Format, &'static str)] = &[(Format::Wine, "wine")];
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
    let (system, (calls, mut skipped)) = match format {
        Format::Wine => ("wine", wine::read(text)),
    };
    let header = Header {
        trace: "npfs".to_owned(),
        version: 1,
        kind: Kind::Concurrent,
        source: Source::Import,
        program: about.program.clone(),
        system: about.system.clone().unwrap_or_else(|| system.to_owned()),
        system_version: about.system_version.clone().unwrap_or_else(|| "unknown".to_owned()),
        recorder: concat!("npfs-import ", env!("CARGO_PKG_VERSION")).to_owned(),
        scenario: String::new(),
        tick_ns: None,
        start: if about.whole { Start::Empty } else { Start::Unknown },
        skipped: skipped.counts.clone(),
        processes: Vec::new(),
        threads: Vec::new(),
        model: None,
    };
    let trace = naming::trace(header, &calls, &mut skipped);
    Imported { trace, skipped }
}
