//! Histories of real threads and of recorded scenarios, as concurrent traces.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use npfs::abi::{
    Call, CreateFile, CreateNamedPipe, Data, Delivery, Handle, Names, Op, Outcome, Output, Reply,
    RequestId, Status, ThreadId,
};
use npfs::{Process, Simulation};
use npfs_machine::{Checked, Deviations, check};
use npfs_trace::Trace;
use npfs_trace::trace::{Event, Gaps, Header, Kind, Model, Recorded, Seen, Source, Start};

use crate::{npfs as command, root};

#[path = "../crates/npfs-machine/tests/concurrent/generate.rs"]
#[expect(dead_code, reason = "the histories here come from elsewhere")]
mod generate;

use generate::{Random, stretched};

type Word = String;

/// What a thread has seen, in its order.
#[derive(Default)]
struct Log {
    stamps: AtomicU64,
    handles: AtomicU64,
    events: Mutex<Vec<Event>>,
}

/// A thread that writes down when its calls begin and return.
struct Recorder<'a> {
    log: &'a Log,
    process: Process,
    number: u32,
    thread: u32,
    calls: u32,
    /// Its handles, by value.
    words: BTreeMap<Handle, Word>,
}

impl Recorder<'_> {
    fn call(&mut self, call: Call) -> Option<Reply> {
        self.calls += 1;
        let id = RequestId { thread: ThreadId(self.thread), call: self.calls }.to_string();
        let op = Op::Call(call.clone()).map(&mut Words(&self.words));
        let process = self.number;
        let (thread, gaps) = (self.thread, Gaps::default());
        let seen = self.now();
        self.push(Event::Call { seq: 0, seen, thread, process, id: id.clone(), op, gaps });
        if call == Call::ExitThread {
            // It is made by the end of the thread.
            return None;
        }
        let outcome = self.process.call(&call).expect("the simulation goes on");
        let seen = self.now();
        let (result, reply) = match outcome {
            Outcome::Done(reply) => (self.recorded(&reply), Some(reply)),
            Outcome::Pending(_) => {
                (Recorded { status: Some(Status::PENDING), ..Recorded::default() }, None)
            }
            Outcome::Blocked(_) => panic!("calls of the host return"),
        };
        self.push(Event::Return { seq: 0, seen, thread, id, result });
        reply
    }

    fn now(&self) -> Seen {
        Seen { at: Some(self.log.stamps.fetch_add(1, Ordering::SeqCst) + 1), line: None }
    }

    fn push(&self, event: Event) {
        self.log.events.lock().expect("no panic").push(event);
    }

    fn recorded(&mut self, reply: &Reply) -> Recorded {
        let (mut data, mut output) = (None, None);
        match &reply.output {
            Output::None => {}
            Output::Data(bytes) => data = Some(bytes.clone()),
            Output::Peek(peek) => output = Some(Output::Peek(peek.clone())),
            Output::Handle(handle) => {
                let number = self.log.handles.fetch_add(1, Ordering::SeqCst) + 1;
                let word = format!("h{number}");
                self.words.insert(*handle, word.clone());
                output = Some(Output::Handle(word));
            }
            other => panic!("no call here gives {other:?}"),
        }
        let (status, information) = (Some(reply.status), Some(reply.information));
        Recorded { status, information, data, output, ..Recorded::default() }
    }
}

struct Words<'a>(&'a BTreeMap<Handle, Word>);

impl Names<Handle, RequestId> for Words<'_> {
    type Handle = Word;
    type Request = Word;
    fn handle(&mut self, handle: &Handle) -> Word {
        self.0.get(handle).cloned().unwrap_or_default()
    }
    fn request(&mut self, request: &RequestId) -> Word {
        request.to_string()
    }
}

const PATH: &str = r"\\.\pipe\free";
const OVERLAPPED: Delivery = Delivery::OVERLAPPED;

/// Half of the threads serve two instances that they share, the others are clients. Nothing that
/// they call blocks; nobody waits for anybody.
fn at_full_speed(seed: u64, threads: usize, calls: usize) -> Trace {
    let sim = Simulation::builder().deadlocks_fail().build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let log = std::sync::Arc::new(Log::default());
    let mut first = Recorder {
        log: &log,
        process: server.clone(),
        number: 1,
        thread: 1,
        calls: 0,
        words: BTreeMap::new(),
    };
    let mut pipes = Vec::new();
    server.clone().enter(|| {
        for _ in 0..2 {
            let mut create = CreateNamedPipe::new(PATH);
            create.open_mode |= CreateNamedPipe::OVERLAPPED;
            create.pipe_mode = 4;
            create.max_instances = 2;
            let reply = first.call(Call::CreateNamedPipe(create)).expect("at once");
            if let Output::Handle(handle) = reply.output {
                pipes.push(handle);
            }
        }
    });
    let words = first.words.clone();
    let joined: Vec<_> = (0..threads)
        .map(|place| {
            let serves = place % 2 == 0;
            let process = if serves { server.clone() } else { client.clone() };
            let (log, pipes) = (log.clone(), pipes.clone());
            let words = if serves { words.clone() } else { BTreeMap::new() };
            let body = process.clone();
            process.spawn(&format!("t{}", place + 2), move || {
                let mut random = Random::new(seed.wrapping_mul(31).wrapping_add(place as u64));
                let mut me = Recorder {
                    log: &log,
                    process: body,
                    number: if serves { 1 } else { 2 },
                    thread: place as u32 + 2,
                    calls: 0,
                    words,
                };
                let mut open = None;
                for _ in 0..calls {
                    if serves {
                        serve(&mut me, &mut random, &pipes);
                    } else {
                        ask(&mut me, &mut random, &mut open);
                    }
                }
                me.call(Call::ExitThread);
            })
        })
        .collect();
    joined.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let mut events = std::mem::take(&mut *log.events.lock().expect("no panic"));
    // Every thread has written in its own order, and stamps are in that order too.
    events.sort_by_key(|event| match event {
        Event::Call { seen, .. } | Event::Return { seen, .. } => seen.at,
        _ => None,
    });
    events.push(Event::End { seq: 0 });
    for (number, event) in (1..).zip(&mut events) {
        match event {
            Event::Call { seq, .. } | Event::Return { seq, .. } | Event::End { seq } => {
                *seq = number;
            }
            _ => {}
        }
    }
    let names = (0..=threads).map(|place| {
        let process = if place == 0 || place % 2 == 1 { 1 } else { 2 };
        (format!("t{}", place + 1), process)
    });
    let header = Header {
        trace: "npfs".to_owned(),
        version: 1,
        kind: Kind::Concurrent,
        source: Source::Free,
        program: None,
        system: "npfs".to_owned(),
        system_version: "0".to_owned(),
        recorder: "a test".to_owned(),
        scenario: String::new(),
        tick_ns: None,
        start: Start::Empty,
        skipped: BTreeMap::new(),
        processes: vec!["server".to_owned(), "client".to_owned()],
        threads: names.collect(),
        model: Some(Model { kernel_calls: true, ..Model::default() }),
    };
    Trace { header, events: (2..).zip(events).collect() }
}

fn serve(me: &mut Recorder<'_>, random: &mut Random, pipes: &[Handle]) {
    let pipe = pipes[random.below(pipes.len())];
    let call = match random.below(9) {
        0..3 => Call::ConnectNamedPipe { pipe, delivery: OVERLAPPED },
        3 => Call::DisconnectNamedPipe { pipe },
        4..6 => Call::ReadFile { file: pipe, length: 16, delivery: OVERLAPPED },
        6 => Call::CancelIoEx { file: pipe, request: None },
        7 => Call::PeekNamedPipe { pipe, length: 4 },
        _ => Call::WriteFile { file: pipe, data: Data::from("reply"), delivery: OVERLAPPED },
    };
    me.call(call);
}

fn ask(me: &mut Recorder<'_>, random: &mut Random, open: &mut Option<Handle>) {
    let Some(file) = *open else {
        let mut create = CreateFile::new(PATH);
        create.flags |= CreateFile::OVERLAPPED;
        let reply = me.call(Call::CreateFile(create)).expect("at once");
        if let Output::Handle(handle) = reply.output {
            *open = Some(handle);
        }
        return;
    };
    match random.below(8) {
        0..2 => {
            me.call(Call::CloseHandle { handle: file });
            *open = None;
        }
        2..4 => {
            me.call(Call::ReadFile { file, length: 16, delivery: OVERLAPPED });
        }
        4 => {
            me.call(Call::CancelIoEx { file, request: None });
        }
        _ => {
            let data = Data::from(format!("{}.{}", me.thread, me.calls).as_str());
            me.call(Call::WriteFile { file, data, delivery: OVERLAPPED });
        }
    }
}

fn explained(trace: &Trace, deviations: &Deviations) -> Checked {
    let checked = check(trace, deviations);
    if !checked.is_explained() {
        let Checked { difference, unknown, order, .. } = &checked;
        let order = order.as_deref().unwrap_or_default();
        panic!("{difference:#?}\n{unknown:?}\n{order}\n{}", trace.write());
    }
    checked
}

#[test]
fn what_real_threads_did_is_explained() {
    for seed in 0..10 {
        let trace = at_full_speed(seed, 8, 40);
        assert_eq!(Trace::parse(&trace.write()).as_ref(), Ok(&trace));
        let checked = explained(&trace, &Deviations::default());
        assert_eq!(checked.not_checked, 0);

        // To refuse one takes a hundred times as long.
        if seed >= 3 {
            continue;
        }
        // One result that no system would give: another status, or bytes that nobody wrote.
        let mut wrong = trace.clone();
        let mut random = Random::new(seed);
        let results = wrong.events.iter_mut().filter_map(|(_, event)| match event {
            Event::Return { result, .. } => Some(result),
            _ => None,
        });
        let mut results: Vec<&mut Recorded> = results.collect();
        let place = random.below(results.len());
        match &mut results[place].data {
            Some(data) if !data.is_empty() => *data = Data::from("nobody"),
            _ => results[place].status = Some(Status(0xC000_00E5)),
        }
        // To try every order may take too long; then the verdict is that nothing is known.
        assert!(!check(&wrong, &Deviations::default()).is_explained(), "{}", wrong.write());
    }
}

/// Recorded scenarios, as if nobody had seen the order of their calls.
#[test]
fn stretched_recordings_are_explained() {
    let deviations = root().join("fixtures/deviations/wine-8.0.jsonl");
    let deviations = std::fs::read_to_string(deviations).expect("the table");
    let deviations = Deviations::parse(&deviations).expect("it reads");
    let mut folders = vec![root().join("fixtures/traces/wine-8.0")];
    let mut count = 0_u64;
    let mut wrong = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // The packed corpora have several traces a file, and are large.
            if path.extension().is_none_or(|extension| extension != "jsonl") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a file");
            let Ok(trace) = Trace::parse(&text) else { continue };
            if trace.header.kind == Kind::Concurrent {
                continue;
            }
            count += 1;
            for width in [0, 3] {
                let mut random = Random::new(count);
                let wide = stretched(&trace, &mut random, width);
                let checked = check(&wide, &deviations);
                if !checked.is_explained() {
                    wrong.push(format!("{} by {width}: {:#?}", path.display(), checked.difference));
                }
            }
        }
    }
    assert!(count > 100);
    assert!(wrong.is_empty(), "{}\n{} in all", wrong.join("\n"), wrong.len());
}

#[test]
fn the_planted_history_is_refused_with_the_reason() {
    let path = root().join("fixtures/impossible/two-clients-on-one-instance.jsonl");
    let ran = command(&["check"], &path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let told = ran.out.split_once("two-clients-on-one-instance.jsonl").expect("its name").1;
    insta::assert_snapshot!(told);
}
