//! Recordings of a simulation: trace files for machines, transcripts for people.
//!
//! Needs the feature `record`, and [`Builder::recording`](crate::Builder::recording).
//!
//! A trace holds every call of the kernel with its answer, as JSON Lines in the format of
//! `docs/trace.schema.json`; `npfs check` explains it again. A transcript is the same as text.
//! Processes, threads, handles and requests have names in order of appearance, and times are
//! virtual, so that equal runs give equal texts: [`assert_transcript!`](crate::assert_transcript)
//! compares one with a snapshot of insta.

use std::collections::BTreeMap;

use npfs_abi::{
    Call, Completion, Handle, Names, Op, Outcome, Output, ProcessId, Reply, RequestId, Status,
    ThreadId, Time,
};
use npfs_host::{Event, Log};

use npfs_trace::scenario::Word;
use npfs_trace::trace::{self, Header, Identity, Model, Recorded};

use crate::Simulation;

pub use npfs_machine::{Checked, Difference};
pub use npfs_trace::Trace;

impl Simulation {
    /// The recording as a trace; `None` without [`Builder::recording`](crate::Builder::recording).
    pub fn trace(&self) -> Option<Trace> {
        self.log().map(|log| of_log(&log))
    }

    /// The recording as text: a line for each call of the kernel, and indented what it ended for
    /// others.
    ///
    /// # Panics
    /// Without [`Builder::recording`](crate::Builder::recording).
    pub fn transcript(&self) -> String {
        let trace = self.trace().expect("the simulation was built with Builder::recording");
        npfs_machine::transcript(&trace)
    }
}

/// Whether the model explains every result of a trace.
pub fn check(trace: &Trace) -> Checked {
    npfs_machine::check(trace, &npfs_machine::Deviations::default())
}

/// A log as a trace.
pub fn of_log(log: &Log) -> Trace {
    let mut writer = Writer::default();
    log.events.iter().for_each(|event| writer.event(event));
    let seq = writer.seq();
    writer.events.push(trace::Event::End { seq });
    let Writer { processes, threads, identities, events, .. } = writer;
    let model =
        Model { kernel_calls: true, profile: log.profile, faults: log.faults.clone(), identities };
    Trace {
        header: Header {
            trace: "npfs".to_owned(),
            version: 1,
            kind: trace::Kind::Stepped,
            source: trace::Source::Scenario,
            program: None,
            system: "npfs".to_owned(),
            system_version: env!("CARGO_PKG_VERSION").to_owned(),
            recorder: concat!("npfs ", env!("CARGO_PKG_VERSION")).to_owned(),
            scenario: String::new(),
            tick_ns: None,
            start: trace::Start::Empty,
            skipped: BTreeMap::new(),
            processes,
            threads: threads.into_iter().map(|(name, process)| (name, process.0)).collect(),
            model: Some(model),
        },
        events: (2..).zip(events).collect(),
    }
}

#[derive(Default)]
struct Writer {
    processes: Vec<String>,
    threads: Vec<(String, ProcessId)>,
    identities: Vec<Identity>,
    /// What handles are called, by process and value; a value that is dealt again gets a new name.
    handles: BTreeMap<(ProcessId, Handle), Word>,
    named: u32,
    /// How many calls each thread has made.
    calls: BTreeMap<ThreadId, u32>,
    events: Vec<trace::Event>,
    now: Time,
}

impl Writer {
    fn seq(&self) -> u32 {
        self.events.len() as u32 + 1
    }

    fn process_of(&self, thread: ThreadId) -> ProcessId {
        (thread.0 as usize)
            .checked_sub(1)
            .and_then(|place| self.threads.get(place))
            .map_or(ProcessId(0), |(_, process)| *process)
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Process { process, name, spec } => {
                let mark = if spec.declared { "*" } else { "" };
                self.processes.push(format!("{mark}{name}"));
                let plain =
                    npfs_kernel::ProcessSpec { declared: spec.declared, ..Default::default() };
                if *spec != plain {
                    self.identities.push(Identity {
                        process: process.0,
                        token: spec.token.clone(),
                        session: spec.session,
                        computer: spec.computer.as_deref().map(str::to_owned),
                    });
                }
            }
            Event::Thread { process, name, .. } => {
                self.threads.push((name.to_string(), *process));
            }
            Event::Call { thread, call, outcome, caused } => {
                self.call(*thread, call, outcome);
                self.caused(caused);
            }
            Event::Advance { to, caused } => {
                let span = Time(to.0.saturating_sub(self.now.0));
                self.now = self.now.max(*to);
                let (ms, ticks) = (span.as_millis(), (span.0 % 10_000) as u32);
                self.events.push(trace::Event::Advance { seq: self.seq(), ms, ticks });
                self.caused(caused);
            }
        }
    }

    fn call(&mut self, thread: ThreadId, call: &Call, outcome: &Outcome) {
        let process = self.process_of(thread);
        let number = self.calls.entry(thread).or_default();
        *number += 1;
        let id = RequestId { thread, call: *number }.to_string();
        let op = Op::Call(call.clone()).map(&mut Words { writer: self, process });
        self.events.push(trace::Event::Call {
            seq: self.seq(),
            seen: trace::Seen::default(),
            thread: thread.0,
            process: process.0,
            id: id.clone(),
            op,
            gaps: trace::Gaps::default(),
        });
        let (seq, seen, thread) = (self.seq(), trace::Seen::default(), thread.0);
        let event = match outcome {
            Outcome::Blocked(_) => trace::Event::Block { seq, seen, thread, id },
            Outcome::Pending(_) => {
                let result = Recorded { status: Some(Status::PENDING), ..Recorded::default() };
                trace::Event::Return { seq, seen, thread, id, result }
            }
            Outcome::Done(reply) => {
                let target = match call {
                    Call::DuplicateHandle { target: Some(target), .. } => *target,
                    _ => process,
                };
                // This gives the same handle again, which keeps its name.
                let again = match call {
                    Call::CreateIoCompletionPort { port: Some(port), .. } => {
                        self.handles.get(&(process, *port)).cloned()
                    }
                    _ => None,
                };
                let result = match again {
                    Some(word) if reply.status.is_success() => Recorded {
                        status: Some(reply.status),
                        information: Some(reply.information),
                        output: Some(Output::Handle(word)),
                        ..Recorded::default()
                    },
                    _ => self.recorded(target, reply),
                };
                if let (Call::CreateProcess { process: child, inherit: true }, true) =
                    (call, reply.status.is_success())
                {
                    self.inherit(process, *child);
                }
                trace::Event::Return { seq, seen, thread, id, result }
            }
        };
        self.events.push(event);
    }

    fn caused(&mut self, caused: &[Completion]) {
        for completion in caused {
            let thread = completion.request.thread;
            let result = self.recorded(self.process_of(thread), &completion.reply);
            let (seq, id, thread) = (self.seq(), completion.request.to_string(), thread.0);
            let seen = trace::Seen::default();
            self.events.push(if completion.wakes {
                trace::Event::Return { seq, seen, thread, id, result }
            } else {
                trace::Event::Done { seq, seen, after: None, thread, id, result }
            });
        }
    }

    /// A child has the handles of its parent under the same values.
    fn inherit(&mut self, parent: ProcessId, child: ProcessId) {
        let of_parent = self.handles.iter().filter(|((process, _), _)| *process == parent);
        let copies: Vec<_> =
            of_parent.map(|((_, value), word)| ((child, *value), word.clone())).collect();
        self.handles.extend(copies);
    }

    fn recorded(&mut self, process: ProcessId, reply: &Reply) -> Recorded {
        let mut name = |handle: Handle| {
            self.named += 1;
            let word = format!("h{}", self.named);
            self.handles.insert((process, handle), word.clone());
            word
        };
        let (mut data, mut output) = (None, None);
        match reply.output.clone() {
            Output::None => {}
            Output::Data(bytes) => data = Some(bytes),
            Output::Handle(handle) => output = Some(Output::Handle(name(handle))),
            Output::Handles(read, write) => {
                output = Some(Output::Handles(name(read), name(write)));
            }
            Output::Peek(peek) => output = Some(Output::Peek(peek)),
            Output::Info(info) => output = Some(Output::Info(info)),
            Output::State(state) => output = Some(Output::State(state)),
            Output::Local(info) => output = Some(Output::Local(info)),
            Output::FileType(number) => output = Some(Output::FileType(number)),
            Output::Routines(requests) => output = Some(Output::Routines(requests)),
            Output::Packets(packets) => output = Some(Output::Packets(packets)),
            Output::Number(number) => output = Some(Output::Number(number)),
            Output::Text(text) => output = Some(Output::Text(text)),
            Output::Names(names) => output = Some(Output::Names(names)),
            Output::Token(token) => output = Some(Output::Token(token)),
            Output::Descriptor(descriptor) => output = Some(Output::Descriptor(descriptor)),
        }
        let (status, information) = (Some(reply.status), Some(reply.information));
        Recorded { status, information, data, output, ..Recorded::default() }
    }
}

/// The words of one process.
struct Words<'a> {
    writer: &'a Writer,
    process: ProcessId,
}

impl Names<Handle, RequestId> for Words<'_> {
    type Handle = Word;
    type Request = Word;
    fn handle(&mut self, handle: &Handle) -> Word {
        // The two low bits are the caller's own.
        let value = Handle(handle.0 & !3);
        let word = self.writer.handles.get(&(self.process, value)).cloned();
        word.unwrap_or_else(|| format!("unknown{}", handle.0))
    }
    fn request(&mut self, request: &RequestId) -> Word {
        request.to_string()
    }
}

/// Compares the transcript of a [`Simulation`](crate::Simulation) with a snapshot of insta: one
/// line for a whole test. The caller's crate depends on insta.
#[macro_export]
macro_rules! assert_transcript {
    ($simulation:expr) => {
        ::insta::assert_snapshot!($simulation.transcript())
    };
    ($simulation:expr, @$snapshot:literal) => {
        ::insta::assert_snapshot!($simulation.transcript(), @$snapshot)
    };
}
