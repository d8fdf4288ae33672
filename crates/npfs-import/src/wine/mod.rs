//! Logs of Wine: `WINEDEBUG=+relay,+server,+pid`, program and server writing to one file.
//!
//! `line` takes a line apart, `calls` puts the lines of a call together, `ops` says which
//! operation a call is and `results` what came of it. The server works on one request after the
//! other and writes as it goes, so a call took effect between the lines of its requests; that is
//! narrower than from its call to its return.

mod calls;
mod line;
mod ops;
mod results;

use npfs_abi::{Call, Op};
use npfs_trace::trace::Gaps;

use crate::Log;
use crate::raw::{RawCall, RawOutput, RawResult, Stamp};
use calls::{Exit, Inner, Made};

/// Functions that say nothing about pipes, in any number.
const TALK: [&str; 4] =
    ["GetLastError", "RtlSetLastWin32Error", "RtlNtStatusToDosError", "CreateThread"];

/// The calls of a log.
pub(crate) fn read(text: &str) -> Log {
    let log = calls::Lines::read(text);
    let mut skipped = log.skipped;
    let mut calls = Vec::new();
    for made in &log.calls {
        if TALK.contains(&made.function) {
            continue;
        }
        match ops::operation(made) {
            Ok(operation) => calls.extend(raw(made, operation)),
            Err(why) => skipped.count(&format!("{} ({why})", made.function), 1),
        }
    }
    calls.extend(log.exits.iter().map(|exit| match *exit {
        Exit::Thread { process, thread, line } => {
            own_end(process, thread, line, "ExitThread", Call::ExitThread)
        }
        Exit::Process { process, thread, line } => {
            let end = Call::TerminateProcess { process: None };
            own_end(process, thread, line, "ExitProcess", end)
        }
    }));
    Log { calls, skipped, ..Log::default() }
}

fn stamp(line: u32) -> Stamp {
    Stamp { at: Some(u64::from(line)), line }
}

/// The end of a thread or process, by itself.
fn own_end(process: u32, thread: u32, line: u32, function: &str, end: Call<u64, u64>) -> RawCall {
    RawCall {
        process,
        thread,
        function: function.to_owned(),
        began: stamp(line),
        op: Op::Call(end),
        overlapped: None,
        gaps: Gaps::default(),
        returned: None,
        done: None,
    }
}

/// A call of the log; a wait in which routines ran more than once is several.
fn raw(made: &Made<'_>, operation: ops::Operation) -> Vec<RawCall> {
    let ops::Operation { op, overlapped, gaps } = operation;
    let (first, last) = made.span();
    let routines = routines(made);
    let (mut returned, done) = results::results(made, &op);
    if let (Some((_, result)), Some((_, pointer))) = (&mut returned, routines.first()) {
        result.output = Some(RawOutput::Routines(vec![*pointer]));
    }
    // What the first routine does comes behind the wait.
    let end = routines.first().map(|(line, _)| *line).or(last);
    let returned = match (returned, end) {
        (Some((_, result)), Some(line)) => Some((stamp(line), result)),
        _ => None,
    };
    let call = RawCall {
        process: made.process,
        thread: made.thread,
        function: made.function.to_owned(),
        began: stamp(first),
        op,
        overlapped,
        gaps,
        returned,
        done,
    };
    // Behind a routine the system looks for the next one, as a wait of no time does.
    let further = routines.iter().skip(1).map(|(line, pointer)| RawCall {
        op: Op::Call(Call::Sleep { timeout: Some(0), alertable: true }),
        began: stamp(*line),
        overlapped: None,
        gaps: Gaps { assumed: true, ..Gaps::default() },
        returned: Some((
            stamp(*line),
            RawResult {
                output: Some(RawOutput::Routines(vec![*pointer])),
                ..RawResult::status(Some(npfs_abi::Status::USER_APC))
            },
        )),
        done: None,
        ..call.clone()
    });
    let further: Vec<RawCall> = further.collect();
    std::iter::once(call).chain(further).collect()
}

/// The routines that ran in a call: the line that says so, and the OVERLAPPED.
fn routines(made: &Made<'_>) -> Vec<(u32, u64)> {
    let mut list = Vec::new();
    for inner in &made.inner {
        let Inner::Request(request) = inner else { continue };
        let Some(answer) = request.answer.as_ref().filter(|_| request.name == "select") else {
            continue;
        };
        if !answer.status.is("USER_APC") {
            continue;
        }
        let pointer = answer
            .fields
            .inner("call")
            .and_then(|call| call.list("args"))
            .and_then(|args| u64::from_str_radix(args.get(1)?, 16).ok());
        list.extend(pointer.map(|pointer| (answer.line, pointer)));
    }
    list
}
