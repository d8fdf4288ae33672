//! Calls as a log has them: with the system's own handle values, thread ids and pointers.
//!
//! Every reader makes a list of these; `naming` makes a trace of them.

use npfs_abi::{Data, Op, Output, Status};
use npfs_trace::trace::{Gaps, Recorded};

/// When something was seen, and the line of the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Stamp {
    /// `None` if the log does not say.
    pub(crate) at: Option<u64>,
    pub(crate) line: u32,
}

/// A call as a log has it.
#[derive(Clone, Debug)]
pub(crate) struct RawCall {
    pub(crate) process: u32,
    pub(crate) thread: u32,
    /// The function, for counting what is left out.
    pub(crate) function: String,
    pub(crate) began: Stamp,
    /// Handles are values of the process, requests are pointers to an OVERLAPPED. Process and
    /// thread numbers are the system's.
    pub(crate) op: Op<u64, u64>,
    /// The OVERLAPPED that was passed.
    pub(crate) overlapped: Option<u64>,
    pub(crate) gaps: Gaps,
    pub(crate) returned: Option<(Stamp, RawResult)>,
    pub(crate) done: Option<(Stamp, RawResult)>,
}

/// A result as a log has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawResult {
    /// Without `output`.
    pub(crate) recorded: Recorded,
    pub(crate) output: Option<RawOutput>,
}

/// What a call gave.
#[derive(Clone, Debug)]
pub(crate) enum RawOutput {
    Handle(u64),
    Handles(u64, u64),
    Packets(Vec<RawPacket>),
    /// The OVERLAPPED of each routine that ran.
    Routines(Vec<u64>),
    /// What has no handle and no request in it.
    Plain(Output<String>),
}

/// A packet as a log has it.
#[derive(Clone, Debug)]
pub(crate) struct RawPacket {
    pub(crate) key: u64,
    pub(crate) overlapped: u64,
    pub(crate) status: Status,
    pub(crate) information: u32,
}

impl RawResult {
    pub(crate) fn status(status: Option<Status>) -> RawResult {
        RawResult { recorded: Recorded { status, ..Recorded::default() }, output: None }
    }

    /// The call failed, with this last error if the log has it.
    pub(crate) fn failed(status: Option<Status>, error: Option<u32>) -> RawResult {
        let failed = error.is_none() && status.is_none();
        let recorded = Recorded { status, error, failed, ..Recorded::default() };
        RawResult { recorded, output: None }
    }

    /// Bytes that were read, of which the log may hold only the first.
    pub(crate) fn with_data(mut self, shown: &[u8], total: u32) -> RawResult {
        self.recorded.information = Some(total);
        self.recorded.cut = (shown.len() as u64) < u64::from(total);
        self.recorded.data = Some(Data::from(shown));
        self
    }

    /// Whether the call certainly worked.
    pub(crate) fn worked(&self) -> bool {
        let Recorded { status, error, failed, .. } = &self.recorded;
        !failed
            && status.is_none_or(|status| !status.is_error())
            && error.is_none_or(|error| error == 0 || status.is_some())
    }
}
