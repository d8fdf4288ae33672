//! A scenario's run on the model, written down as a recorder would.

use std::collections::BTreeMap;

use npfs_abi::{Completion, Delivery, Names, Op, Outcome, Output, RequestId, ThreadId, Time};
use npfs_trace::scenario::{Scenario, Word};
use npfs_trace::trace::{
    Event, Gaps, Header, Identity, Kind, Model, Recorded, Seen, Source, Start, Trace,
};

/// Writes down what is called and answered. Words of the scenario become `h1`, `h2`, … and
/// `t1.1`, as in every trace.
pub(crate) struct Tape {
    header: Header,
    events: Vec<Event>,
    handles: BTreeMap<Word, Word>,
    requests: BTreeMap<Word, Word>,
    /// What was called, by id.
    ops: BTreeMap<Word, Op<Word, Word>>,
    named: u32,
}

impl Tape {
    pub(crate) fn new(scenario: &Scenario) -> Tape {
        let plain = |process: &npfs_trace::scenario::Process| {
            let ordinary = npfs_trace::scenario::Process::new(&process.name, process.started);
            *process == ordinary
        };
        let identities = (1..).zip(&scenario.processes).filter(|(_, process)| !plain(process)).map(
            |(number, process)| Identity {
                process: number,
                token: process.token.clone(),
                session: process.session,
                computer: process.computer.clone(),
            },
        );
        let processes = scenario.processes.iter().map(|process| {
            let mark = if process.started { "" } else { "*" };
            format!("{mark}{}", process.name)
        });
        let threads = scenario.threads.iter().map(|one| (one.name.clone(), one.process.0));
        let version = env!("CARGO_PKG_VERSION");
        let header = Header {
            trace: "npfs".to_owned(),
            version: 1,
            kind: Kind::Stepped,
            source: Source::Scenario,
            program: None,
            system: "npfs".to_owned(),
            system_version: version.to_owned(),
            recorder: format!("npfs {version}"),
            scenario: String::new(),
            tick_ns: None,
            start: Start::Empty,
            skipped: BTreeMap::new(),
            processes: processes.collect(),
            threads: threads.collect(),
            model: Some(Model {
                kernel_calls: false,
                profile: scenario.profile,
                faults: scenario.faults.clone(),
                identities: identities.collect(),
            }),
        };
        Tape {
            header,
            events: Vec::new(),
            handles: BTreeMap::new(),
            requests: BTreeMap::new(),
            ops: BTreeMap::new(),
            named: 0,
        }
    }

    /// The trace up to here.
    pub(crate) fn finish(mut self) -> Trace {
        let seq = self.seq();
        self.events.push(Event::End { seq });
        Trace { header: self.header, events: (2..).zip(self.events).collect() }
    }

    fn seq(&self) -> u32 {
        self.events.len() as u32 + 1
    }

    /// A thread has made a call, its n-th.
    pub(crate) fn call(
        &mut self,
        request: RequestId,
        labels: &[Word],
        op: &Op<Word, Word>,
        outcome: &Outcome,
        caused: &[Completion],
    ) {
        let (thread, id) = (request.thread.0, request.to_string());
        let process = self.header.threads.get(thread as usize - 1).map_or(1, |one| one.1);
        if npfs_trace::text::makes_handles(op) == 0 {
            for label in labels {
                self.handles.remove(label);
                self.requests.insert(label.clone(), id.clone());
            }
        }
        let named = op.map(&mut Words(self));
        self.ops.insert(id.clone(), op.clone());
        let (seen, gaps) = (Seen::default(), Gaps::default());
        let seq = self.seq();
        self.events.push(Event::Call {
            seq,
            seen,
            thread,
            process,
            id: id.clone(),
            op: named,
            gaps,
        });
        let seq = self.seq();
        let by_routine =
            matches!(op, Op::Call(call) if call.delivery() == Some(&Delivery::Routine));
        match outcome {
            Outcome::Blocked(_) => self.events.push(Event::Block { seq, seen, thread, id }),
            Outcome::Pending(_) => {
                let result = Recorded {
                    error: Some(if by_routine { 0 } else { 997 }),
                    ..Recorded::default()
                };
                self.events.push(Event::Return { seq, seen, thread, id, result });
            }
            Outcome::Done(reply) => {
                let result = self.recorded(op, outcome, labels);
                let error = result.error;
                let id_of_end = id.clone();
                self.events.push(Event::Return { seq, seen, thread, id, result });
                if by_routine && error == Some(0) {
                    let result = Recorded {
                        status: Some(reply.status),
                        error: None,
                        ..self.recorded(op, outcome, labels)
                    };
                    let (seq, id) = (self.seq(), id_of_end);
                    self.events.push(Event::Done { seq, seen, after: None, thread, id, result });
                }
            }
        }
        self.caused(caused);
    }

    /// Time has passed.
    pub(crate) fn advance(&mut self, span: Time, caused: &[Completion]) {
        let (ms, ticks) = (span.as_millis(), (span.0 % 10_000) as u32);
        self.events.push(Event::Advance { seq: self.seq(), ms, ticks });
        self.caused(caused);
    }

    fn caused(&mut self, caused: &[Completion]) {
        for completion in caused {
            let (thread, id) = (completion.request.thread.0, completion.request.to_string());
            let outcome = Outcome::Done(completion.reply.clone());
            let (seq, seen) = (self.seq(), Seen::default());
            let Some(op) = self.ops.get(&id).cloned() else { continue };
            let mut result = self.recorded(&op, &outcome, &[]);
            self.events.push(if completion.wakes {
                Event::Return { seq, seen, thread, id, result }
            } else {
                result.status = Some(completion.reply.status);
                result.error = None;
                Event::Done { seq, seen, after: None, thread, id, result }
            });
        }
    }

    fn recorded(&mut self, op: &Op<Word, Word>, outcome: &Outcome, labels: &[Word]) -> Recorded {
        let Outcome::Done(reply) = outcome else { return Recorded::default() };
        let mut labels = labels.iter();
        let mut name = |tape: &mut Tape| {
            tape.named += 1;
            let word = format!("h{}", tape.named);
            if let Some(label) = labels.next() {
                tape.requests.remove(label);
                tape.handles.insert(label.clone(), word.clone());
            }
            word
        };
        let (mut data, mut output) = (None, None);
        match reply.output.clone() {
            Output::None => {}
            Output::Data(bytes) => data = Some(bytes),
            Output::Handle(_) => output = Some(Output::Handle(name(self))),
            Output::Handles(..) => output = Some(Output::Handles(name(self), name(self))),
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
        Recorded {
            status: Some(reply.status),
            error: Some(crate::view::error(op, outcome)),
            information: Some(reply.information),
            data,
            output,
            ..Recorded::default()
        }
    }
}

/// The words of the trace.
struct Words<'a>(&'a Tape);

impl Names<Word, Word> for Words<'_> {
    type Handle = Word;
    type Request = Word;
    fn handle(&mut self, word: &Word) -> Word {
        self.0.handles.get(word).cloned().unwrap_or_else(|| format!("unknown-{word}"))
    }
    fn request(&mut self, word: &Word) -> Word {
        // `t.2` is the second call of a thread without another word.
        let named = || {
            let (name, number) = word.rsplit_once('.')?;
            let threads = &self.0.header.threads;
            let place = threads.iter().position(|(one, _)| one == name)?;
            let id = RequestId { thread: ThreadId(place as u32 + 1), call: number.parse().ok()? };
            Some(id.to_string())
        };
        self.0.requests.get(word).cloned().or_else(named).unwrap_or_else(|| word.clone())
    }
}
