//! Histories that have an explanation, because the model made them.
//!
//! A random program runs on the model, call by call; then every call is stretched to before and
//! behind the moment at which it took effect. What comes out is what somebody could have recorded
//! who saw calls begin and return, and not when they took effect.

use npfs_abi::{
    Call, Completion, Composite, CreateFile, CreateNamedPipe, Data, Delivery, HandleStateQuery, Op,
    Outcome, Output, PipeName, Reply, RequestId, Status, ThreadId,
};
use npfs_kernel::hash::scramble;
use npfs_machine::Machine;
use npfs_trace::Trace;
use npfs_trace::trace::{Event, Gaps, Header, Kind, Recorded, Seen, Source, Start};

type Word = String;

/// splitmix64
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        scramble(self.0)
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

pub fn header(threads: usize) -> Header {
    Header {
        trace: "npfs".to_owned(),
        version: 1,
        kind: Kind::Stepped,
        source: Source::Random,
        program: None,
        system: "npfs".to_owned(),
        system_version: "0".to_owned(),
        recorder: "a test".to_owned(),
        scenario: String::new(),
        tick_ns: None,
        start: Start::Empty,
        skipped: Default::default(),
        processes: vec!["server".to_owned(), "client".to_owned()],
        threads: (0..threads).map(|n| (format!("t{}", n + 1), 1 + n as u32 % 2)).collect(),
        model: None,
    }
}

/// What a program may use.
#[derive(Default)]
struct Things {
    /// Handles by process.
    servers: [Vec<Word>; 2],
    clients: [Vec<Word>; 2],
    events: [Vec<Word>; 2],
    ports: [Vec<Word>; 2],
    /// Overlapped operations: process, file, name.
    requests: Vec<(usize, Word, Word)>,
}

struct Run {
    machine: Machine,
    events: Vec<(u32, Event)>,
    things: Things,
    named: u32,
    pipes: usize,
    written: u32,
}

/// A stepped trace of `calls` random calls of some threads, and of one more that cancels calls
/// which nobody else would end.
pub fn stepped(random: &mut Random, threads: usize, pipes: usize, calls: usize) -> Trace {
    let header = header(threads + 1);
    let machine = Machine::of_trace(&header);
    let things = Things::default();
    let mut run = Run { machine, events: Vec::new(), things, named: 0, pipes, written: 0 };
    for _ in 0..calls {
        let ready: Vec<usize> = (0..threads)
            .filter(|thread| run.machine.can_run(ThreadId(*thread as u32 + 1)))
            .collect();
        if ready.is_empty() || random.one_in(40) {
            run.time_passes();
        }
        let asleep: Vec<usize> = (0..threads).filter(|thread| !ready.contains(thread)).collect();
        match random.pick(&ready).copied().filter(|_| asleep.is_empty() || !random.one_in(12)) {
            Some(thread) => {
                let op = run.op(random, thread % 2);
                run.call(thread, &op);
            }
            None => {
                let sleeper = random.pick(&asleep).copied().unwrap_or(0) as u32 + 1;
                let thread = ThreadId(sleeper);
                run.call(threads, &Op::Call(Call::CancelSynchronousIo { thread, request: None }));
            }
        }
    }
    let seq = run.seq();
    run.push(Event::End { seq });
    Trace { header, events: run.events }
}

impl Run {
    fn seq(&self) -> u32 {
        self.events.len() as u32 + 1
    }

    fn push(&mut self, event: Event) {
        self.events.push((self.events.len() as u32 + 2, event));
    }

    fn time_passes(&mut self) {
        let Some(deadline) = self.machine.next_deadline() else { return };
        let ms = deadline.as_millis() - self.machine.time().as_millis();
        let mut caused = Vec::new();
        self.machine.advance(deadline, &mut caused);
        self.push(Event::Advance { seq: self.seq(), ms, ticks: 0 });
        self.caused(caused);
    }

    fn call(&mut self, thread: usize, op: &Op<Word, Word>) {
        let process = thread % 2;
        let id = ThreadId(thread as u32 + 1);
        let name = RequestId { thread: id, call: self.machine.operations(id) + 1 }.to_string();
        let label = match op {
            Op::Call(
                Call::CreateNamedPipe(_)
                | Call::CreateFile(_)
                | Call::CreateEvent { .. }
                | Call::CreateIoCompletionPort { port: None, .. },
            ) => {
                self.named += 1;
                format!("h{}", self.named)
            }
            Op::Call(Call::CreateIoCompletionPort { port: Some(port), .. }) => port.clone(),
            _ => name.clone(),
        };
        let mut caused = Vec::new();
        let outcome = self.machine.step(id, std::slice::from_ref(&label), op, &mut caused);
        self.push(Event::Call {
            seq: self.seq(),
            seen: Seen::default(),
            thread: id.0,
            process: process as u32 + 1,
            id: name.clone(),
            op: op.clone(),
            gaps: Gaps::default(),
        });
        let (seq, seen, thread) = (self.seq(), Seen::default(), id.0);
        match &outcome {
            Outcome::Blocked(_) => self.push(Event::Block { seq, seen, thread, id: name.clone() }),
            Outcome::Pending(_) => {
                let result = Recorded { status: Some(Status::PENDING), ..Recorded::default() };
                self.push(Event::Return { seq, seen, thread, id: name.clone(), result });
            }
            Outcome::Done(reply) => {
                let result = recorded(reply, &label);
                self.push(Event::Return { seq, seen, thread, id: name.clone(), result });
            }
        }
        self.remember(process, op, &outcome, &label, &name);
        self.caused(caused);
    }

    /// What is there now.
    fn remember(
        &mut self,
        process: usize,
        op: &Op<Word, Word>,
        outcome: &Outcome,
        label: &str,
        name: &str,
    ) {
        if let (Op::Call(call), false) = (op, matches!(outcome, Outcome::Blocked(_))) {
            if let Some(Delivery::Overlapped { .. }) = call.delivery() {
                if let Call::ReadFile { file, .. }
                | Call::WriteFile { file, .. }
                | Call::ConnectNamedPipe { pipe: file, .. } = call
                {
                    let request = (process, file.clone(), name.to_owned());
                    self.things.requests.push(request);
                }
            }
        }
        let Outcome::Done(reply) = outcome else { return };
        if !reply.status.is_success() {
            return;
        }
        let list = match op {
            Op::Call(Call::CreateNamedPipe(_)) => &mut self.things.servers[process],
            Op::Call(Call::CreateFile(_)) => &mut self.things.clients[process],
            Op::Call(Call::CreateEvent { .. }) => &mut self.things.events[process],
            Op::Call(Call::CreateIoCompletionPort { port: None, .. }) => {
                &mut self.things.ports[process]
            }
            _ => return,
        };
        list.push(label.to_owned());
    }

    fn caused(&mut self, caused: Vec<Completion>) {
        for completion in caused {
            let id = completion.request.to_string();
            let (seq, seen) = (self.seq(), Seen::default());
            let thread = completion.request.thread.0;
            let result = recorded(&completion.reply, "");
            self.push(if completion.wakes {
                Event::Return { seq, seen, thread, id, result }
            } else {
                Event::Done { seq, seen, after: None, thread, id, result }
            });
        }
    }

    fn op(&mut self, random: &mut Random, process: usize) -> Op<Word, Word> {
        let path = format!("\\\\.\\pipe\\p{}", random.below(self.pipes));
        let things = &mut self.things;
        let (servers, clients) = (&mut things.servers[process], &mut things.clients[process]);
        let files: Vec<Word> = servers.iter().chain(clients.iter()).cloned().collect();
        let file = random.pick(&files).cloned();
        let event = random.pick(&things.events[process]).filter(|_| random.one_in(2)).cloned();
        let delivery = match random.below(3) {
            0 => Delivery::Return,
            _ => Delivery::Overlapped { event, quiet: false },
        };
        let timeout = [Some(0), Some(20), Some(70)][random.below(3)];
        let requests: Vec<(Word, Word)> = things
            .requests
            .iter()
            .filter(|(owner, file, _)| *owner == process && files.contains(file))
            .map(|(_, file, name)| (file.clone(), name.clone()))
            .collect();
        if let (Some((file, request)), true) = (random.pick(&requests), random.one_in(12)) {
            let (file, request, wait) = (file.clone(), request.clone(), random.one_in(2));
            return Op::Composite(Composite::GetOverlappedResult { file, request, wait });
        }
        if random.one_in(25) {
            let name = PipeName::new(&path);
            let (data, timeout) = (Data::from("ask"), 20);
            return Op::Composite(Composite::CallNamedPipe { name, data, length: 4, timeout });
        }
        let call = match (random.below(32), file) {
            (0..3, _) if servers.len() < 3 => {
                let mut create = CreateNamedPipe::new(&path);
                create.open_mode |= CreateNamedPipe::OVERLAPPED * random.below(2) as u32;
                create.pipe_mode = [0, 4, 6][random.below(3)];
                create.max_instances = 2;
                (create.in_buffer, create.out_buffer) = (8, 8);
                Call::CreateNamedPipe(create)
            }
            (3..6, _) => {
                let mut open = CreateFile::new(&path);
                open.flags |= CreateFile::OVERLAPPED * random.below(2) as u32;
                Call::CreateFile(open)
            }
            (6, _) => Call::CreateEvent { manual: random.one_in(2), signaled: false },
            (7, _) => Call::WaitNamedPipe {
                name: PipeName::new(&path),
                timeout: [1, 20, 50][random.below(3)],
            },
            (8..10, _) if !servers.is_empty() => Call::ConnectNamedPipe {
                pipe: servers[random.below(servers.len())].clone(),
                delivery,
            },
            (10, _) if !servers.is_empty() => {
                let pipe = servers[random.below(servers.len())].clone();
                Call::DisconnectNamedPipe { pipe }
            }
            (11..16, Some(file)) => {
                Call::ReadFile { file, length: [0, 3, 64][random.below(3)], delivery }
            }
            (16..21, Some(file)) => {
                self.written += 1;
                let letter = b'a' + (self.written % 20) as u8;
                let data = Data::from(vec![letter; [0, 1, 5, 12][random.below(4)]]);
                Call::WriteFile { file, data, delivery }
            }
            (21, Some(pipe)) => Call::PeekNamedPipe { pipe, length: 4 },
            (22, Some(file)) => Call::FlushFileBuffers { file },
            (23, Some(file)) => {
                let mine = things
                    .requests
                    .iter()
                    .filter(|(owner, of, _)| *owner == process && *of == file);
                let mine: Vec<Word> = mine.map(|(_, _, name)| name.clone()).collect();
                Call::CancelIoEx { request: random.pick(&mine).cloned(), file }
            }
            (24, Some(handle)) => {
                // A word is not used behind its close: what its value then means depends on how
                // handles are dealt.
                things.servers[process].retain(|other| *other != handle);
                things.clients[process].retain(|other| *other != handle);
                Call::CloseHandle { handle }
            }
            (25, Some(pipe)) => Call::SetNamedPipeHandleState {
                pipe,
                mode: Some(2 * random.below(2) as u32),
                collection_count: None,
                collect_timeout: None,
            },
            (26, Some(pipe)) => {
                Call::GetNamedPipeHandleState { pipe, query: HandleStateQuery::default() }
            }
            (27, _) if !things.events[process].is_empty() => Call::WaitForObjects {
                handles: vec![random.pick(&things.events[process]).cloned().unwrap_or_default()],
                all: false,
                timeout,
                alertable: false,
            },
            (28..30, Some(pipe)) => {
                Call::TransactNamedPipe { pipe, data: Data::from("tt"), length: 4, delivery }
            }
            (30, file) => match (things.ports[process].first().cloned(), file) {
                (None, _) => {
                    Call::CreateIoCompletionPort { file: None, port: None, key: 0, concurrency: 0 }
                }
                (Some(port), Some(file)) if random.one_in(2) => Call::CreateIoCompletionPort {
                    file: Some(file),
                    port: Some(port),
                    key: 7,
                    concurrency: 0,
                },
                (Some(port), _) => {
                    Call::GetQueuedCompletionStatus { port, count: 1, timeout, alertable: false }
                }
            },
            (_, _) => Call::Sleep { timeout, alertable: false },
        };
        Op::Call(call)
    }
}

fn recorded(reply: &Reply, label: &str) -> Recorded {
    let (mut data, mut output) = (None, None);
    match reply.output.clone() {
        Output::None => {}
        Output::Data(bytes) => data = Some(bytes),
        Output::Handle(_) => output = Some(Output::Handle(label.to_owned())),
        Output::Peek(peek) => output = Some(Output::Peek(peek)),
        Output::State(state) => output = Some(Output::State(state)),
        Output::Packets(packets) => output = Some(Output::Packets(packets)),
        other => panic!("the program makes no call that gives {other:?}"),
    }
    let (status, information) = (Some(reply.status), Some(reply.information));
    Recorded { status, information, data, output, ..Recorded::default() }
}

/// Every call begins earlier and returns later than it did, by up to `width` events, as far as
/// the other calls of its thread allow.
pub fn stretched(trace: &Trace, random: &mut Random, width: usize) -> Trace {
    const UNIT: u64 = 1 << 16;
    let width = width as u64 * UNIT;
    let threads = trace.header.threads.len();
    // By thread, the last stamp that lies behind its next call.
    let mut last = vec![0_u64; threads + 1];
    let mut stamps: Vec<Option<u64>> = vec![None; trace.events.len()];
    let begins: Vec<(usize, usize)> = trace
        .events
        .iter()
        .enumerate()
        .filter_map(|(place, (_, event))| match event {
            Event::Call { thread, .. } => Some((place, *thread as usize)),
            _ => None,
        })
        .collect();
    let next_call = |place: usize, thread: usize| {
        let from = begins.partition_point(|(at, _)| *at <= place);
        begins[from..].iter().find(|(_, other)| *other == thread).map(|(at, _)| *at as u64 * UNIT)
    };
    for (place, (_, event)) in trace.events.iter().enumerate() {
        let now = (place as u64 + 1) * UNIT;
        let by = random.next() % (width + 1);
        let stamp = match event {
            Event::Call { thread, .. } => {
                let at = now.saturating_sub(by).max(last[*thread as usize] + 1).min(now);
                last[*thread as usize] = at;
                at
            }
            // Asleep at once or later, but not later than whatever woke it.
            Event::Block { thread, .. } => {
                last[*thread as usize] = now;
                now
            }
            Event::Return { thread, .. } => {
                let end =
                    next_call(place, *thread as usize).map_or(u64::MAX, |next| next + UNIT / 2);
                let at = now.saturating_add(by).min(end).max(now);
                last[*thread as usize] = at;
                at
            }
            Event::Done { .. } => now + by,
            Event::Advance { .. } | Event::End { .. } => continue,
        };
        stamps[place] = Some(stamp);
    }
    let mut events: Vec<(u64, usize, Event)> = Vec::new();
    for (place, (_, event)) in trace.events.iter().enumerate() {
        let mut event = event.clone();
        match &mut event {
            Event::Call { seen, .. }
            | Event::Return { seen, .. }
            | Event::Block { seen, .. }
            | Event::Done { seen, .. } => seen.at = stamps[place],
            Event::Advance { .. } | Event::End { .. } => continue,
        }
        events.push((stamps[place].unwrap_or(0), place, event));
    }
    events.sort_by_key(|(at, place, _)| (*at, *place));
    let mut header = trace.header.clone();
    header.kind = Kind::Concurrent;
    let count = events.len() as u32;
    let mut events: Vec<(u32, Event)> = (1..)
        .zip(events)
        .map(|(number, (_, _, mut event))| {
            number_it(&mut event, number);
            (number + 1, event)
        })
        .collect();
    events.push((count + 2, Event::End { seq: count + 1 }));
    Trace { header, events }
}

fn number_it(event: &mut Event, number: u32) {
    match event {
        Event::Call { seq, .. }
        | Event::Return { seq, .. }
        | Event::Block { seq, .. }
        | Event::Done { seq, .. }
        | Event::Advance { seq, .. }
        | Event::End { seq } => *seq = number,
    }
}
