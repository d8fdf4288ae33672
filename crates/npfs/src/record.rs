//! Recordings of a simulation: trace files for machines, transcripts for people.
//!
//! Needs the feature `record`, and [`Builder::recording`](crate::Builder::recording).
//!
//! A trace holds every call of the kernel with its answer, as JSON Lines in the format of
//! `docs/trace.schema.json`; `npfs check` explains it again. A transcript is the same as text.
//! Processes, threads, handles and requests have names in order of appearance, and times are
//! virtual, so that equal runs give equal texts: [`assert_transcript!`](crate::assert_transcript)
//! compares one with a snapshot of insta.
//!
//! The kit for tests of other crates:
//!
//! - [`assert_transcript!`](crate::assert_transcript): a simulation that has run,
//! - [`assert_run!`](crate::assert_run): a closure that is given a simulation,
//! - [`assert_scenario!`](crate::assert_scenario): the text of a scenario file,
//! - [`assert_explained`]: a trace that somebody recorded, on Windows or Wine or here.

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

/// Runs a closure with a recording simulation whose threads take turns, so that the transcript is
/// the same every time. Behind [`assert_run!`](crate::assert_run).
///
/// ```
/// let transcript = npfs::record::run(|sim| {
///     let server = sim.process("server");
///     npfs::PipeServer::options().create(&server, r"\\.\pipe\run").unwrap();
/// });
/// assert!(transcript.contains("create_pipe"));
/// ```
pub fn run(work: impl FnOnce(&Simulation)) -> String {
    let sim = Simulation::builder().recording().schedule(crate::Schedule::RunToBlock).build();
    work(&sim);
    sim.transcript()
}

/// The transcript of a scenario, given as the text of its file. Behind
/// [`assert_scenario!`](crate::assert_scenario).
///
/// # Panics
/// If the text cannot be read, or what happens is not what the scenario expects.
#[track_caller]
pub fn scenario(text: &str) -> String {
    let scenario = match npfs_trace::Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(error) => panic!("the scenario cannot be read: {error}"),
    };
    let run = npfs_machine::run(&scenario, None);
    let broken: Vec<String> = run
        .mismatches
        .iter()
        .map(|one| format!("line {}: wanted {}, found {}", one.line, one.expected, one.found))
        .collect();
    assert!(broken.is_empty(), "{}\n{}", broken.join("\n"), run.transcript);
    run.transcript
}

/// Asserts that the model explains a recorded trace, given as the text of its file: stepped or
/// concurrent, one or several. Where the recorded system is known to differ, say so in a table of
/// deviations and use [`assert_explained_but`].
///
/// ```
/// npfs::record::assert_explained(concat!(
///     r#"{"trace":"npfs","version":1,"kind":"concurrent","system":"windows","system_version":"10","#,
///     r#""recorder":"mine","scenario":"","processes":["p"],"threads":[["t",1]]}"#, "\n",
///     r#"{"event":"call","seq":1,"at":1,"thread":1,"process":1,"id":"t1.1","op":{"CreateFile":"#,
///     r#"{"name":"\\\\.\\pipe\\none","access":3221225472,"flags":0,"inherit":false}}}"#, "\n",
///     r#"{"event":"return","seq":2,"at":2,"thread":1,"id":"t1.1","error":2}"#, "\n",
///     r#"{"event":"end","seq":3}"#, "\n",
/// ));
/// ```
///
/// # Panics
/// If the text cannot be read, if a result is not what the model gives, or if no order of
/// overlapping calls explains them; the message has the line, and what the model gives.
#[track_caller]
pub fn assert_explained(text: &str) {
    assert_explained_but(text, "");
}

/// As [`assert_explained`], with a table of known deviations as in `fixtures/deviations`.
///
/// # Panics
/// As [`assert_explained`], and if the table cannot be read.
#[track_caller]
pub fn assert_explained_but(text: &str, deviations: &str) {
    let traces = match Trace::parse_all(text) {
        Ok(traces) => traces,
        Err(error) => panic!("the trace cannot be read: {error}"),
    };
    let table = match npfs_machine::Deviations::parse(deviations) {
        Ok(table) => table,
        Err(error) => panic!("the table of deviations cannot be read: {error}"),
    };
    for trace in &traces {
        let checked = npfs_machine::check(trace, &table);
        let why = match (&checked.difference, &checked.unknown) {
            (None, None) => continue,
            (Some(Difference { line, op, model, recorded, .. }), _) => {
                format!("line {line}: {op}: wanted {model}, found {recorded}")
            }
            (None, Some(unknown)) => format!("nobody knows: {unknown}"),
        };
        let story = match (&checked.order, &checked.difference) {
            (Some(order), _) => order.clone(),
            (None, Some(difference)) => difference.context.clone(),
            (None, None) => String::new(),
        };
        panic!("the model does not explain this trace\n{why}\n{story}");
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

/// Runs a closure with a [`Simulation`](crate::Simulation) and compares the transcript with a
/// snapshot of insta. Threads take turns, so that it is the same every time.
///
/// ```
/// # use npfs::{PipeClient, PipeServer};
/// npfs::assert_run!(|sim| {
///     let (server, client) = (sim.process("server"), sim.process("client"));
///     let pipe = PipeServer::options().create(&server, r"\\.\pipe\kit").unwrap();
///     let other = PipeClient::options().open(&client, r"\\.\pipe\kit").unwrap();
///     drop((pipe, other));
/// }, @r"
/// main@server  h1 = create_pipe \\.\pipe\kit instances=unlimited  -> ok
/// main@client  h2 = open \\.\pipe\kit                             -> ok
/// main@server  close h1                                           -> ok
/// main@client  close h2                                           -> ok
/// ");
/// ```
#[macro_export]
macro_rules! assert_run {
    ($work:expr) => {
        ::insta::assert_snapshot!($crate::record::run($work))
    };
    ($work:expr, @$snapshot:literal) => {
        ::insta::assert_snapshot!($crate::record::run($work), @$snapshot)
    };
}

/// Runs a scenario, given as the text of its file, checks what it expects, and compares its
/// transcript with a snapshot of insta.
///
/// ```
/// npfs::assert_scenario!(r"
/// thread server
/// thread client
/// server: s = create_pipe \\.\pipe\kit -> ok
/// client: c = open \\.\pipe\kit
/// client: open \\.\pipe\kit -> PIPE_NOT_AVAILABLE
/// ", @r"
/// server  s = create_pipe \\.\pipe\kit  -> ok
/// client  c = open \\.\pipe\kit         -> ok
/// client  open \\.\pipe\kit             -> PIPE_NOT_AVAILABLE (231)
/// finished
/// ");
/// ```
#[macro_export]
macro_rules! assert_scenario {
    ($text:expr) => {
        ::insta::assert_snapshot!($crate::record::scenario($text))
    };
    ($text:expr, @$snapshot:literal) => {
        ::insta::assert_snapshot!($crate::record::scenario($text), @$snapshot)
    };
}
