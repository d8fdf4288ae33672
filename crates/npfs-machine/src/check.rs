//! Checks recorded traces: would the model have answered the same?

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use npfs_abi::{Completion, Op, Outcome, Output, Reply, RequestId, ThreadId, Time};
use npfs_trace::Trace;
use npfs_trace::scenario::Word;
use npfs_trace::text::{Printer, makes_handles};
use npfs_trace::trace::{Event, Header, Kind as TraceKind, Recorded};

use crate::Machine;
use crate::concurrent::{self, Effort, Limits, Unplaced};
use crate::deviation::{Deviations, Told};
use crate::transcript::{self, Transcript};
use crate::view::{self, Pair};

/// What the model says to a trace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// How many events the trace has.
    pub events: usize,
    /// Events behind a deviation after which nothing can be compared.
    pub not_checked: usize,
    /// The known deviations: line of the trace and row of the table.
    pub known: Vec<(u32, usize)>,
    /// The first difference that nothing explains.
    pub difference: Option<Difference>,
    /// Why nobody knows whether there is one: a limit of the search, or an argument that is not
    /// known. Only of a concurrent trace.
    pub unknown: Option<String>,
    /// An order of the calls of a concurrent trace that explains it, or as much of it as can be.
    pub order: Option<String>,
    /// What the search for it has cost.
    pub effort: Effort,
}

impl Checked {
    /// Whether every result that was compared is what the model gives, or a known deviation.
    pub fn is_explained(&self) -> bool {
        self.difference.is_none() && self.unknown.is_none()
    }
}

/// A recorded result that the model does not give.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The line of the trace.
    pub line: u32,
    /// The operation that ended differently, by its word in scenarios.
    pub op: String,
    /// What the model gives.
    pub model: String,
    /// What was recorded.
    pub recorded: String,
    /// The last lines of the model's transcript.
    pub context: String,
    /// Rules of known deviations of the same operation that do not quite fit, each with what it
    /// says.
    pub near: Vec<String>,
    /// Of a concurrent trace: the calls that no order can place.
    pub unplaced: Vec<Unplaced>,
}

/// Feeds a trace to the model and compares every recorded result.
///
/// A stepped trace has one order: everything between two calls was caused by the first of them.
/// For a concurrent one an order is looked for, within the default [`Limits`].
pub fn check(trace: &Trace, deviations: &Deviations) -> Checked {
    check_within(trace, deviations, &Limits::default())
}

/// As [`check`], with limits for the search.
pub fn check_within(trace: &Trace, deviations: &Deviations, limits: &Limits) -> Checked {
    if trace.header.kind == TraceKind::Concurrent {
        return concurrent::check(trace, deviations, limits);
    }
    let mut checker = Checker::new(trace, deviations);
    checker.run();
    checker.checked
}

/// What happened in a trace, as the model has it again: a line for each call, and indented what it
/// ended for others. Ends at the first result that the model does not give.
pub fn transcript(trace: &Trace) -> String {
    if trace.header.kind == TraceKind::Concurrent {
        return check(trace, &Deviations::default()).order.unwrap_or_default();
    }
    let deviations = Deviations::default();
    let mut checker = Checker::new(trace, &deviations);
    checker.run();
    let mut text = checker.transcript.to_string();
    if let Some(Difference { op, model, recorded, .. }) = &checker.checked.difference {
        text += &format!("{op}: recorded {recorded}, the model gives {model}\n");
    }
    text
}

/// Goes on, or the check of this trace is over.
type Flow = ControlFlow<()>;

pub(crate) const CONTEXT: usize = 10;
/// What the model does of a call that sleeps, in a difference.
const BLOCKED: &str = "blocked";

/// What happens to an operation, in the order in which it happens to one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Block,
    Return,
    Done,
}

struct Checker<'a> {
    trace: &'a Trace,
    machine: Machine,
    printer: Printer,
    transcript: Transcript,
    deviations: &'a Deviations,
    scenario: &'a str,
    /// The operations begun so far.
    ops: BTreeMap<RequestId, &'a Op<Word, Word>>,
    /// Their names in the trace.
    ids: BTreeMap<&'a str, RequestId>,
    checked: Checked,
}

/// What a step did, by operation: of the model, and as recorded.
type Modelled = BTreeMap<(RequestId, Kind), Outcome>;
type Seen<'a> = BTreeMap<(RequestId, Kind), (u32, Option<&'a Recorded>)>;

impl<'a> Checker<'a> {
    fn new(trace: &'a Trace, deviations: &'a Deviations) -> Checker<'a> {
        let header = &trace.header;
        let printer = printer(header);
        Checker {
            trace,
            machine: Machine::of_trace(header),
            transcript: Transcript::new(&printer),
            printer,
            deviations,
            scenario: &header.scenario,
            ops: BTreeMap::new(),
            ids: BTreeMap::new(),
            checked: Checked::default(),
        }
    }

    fn run(&mut self) {
        let trace = self.trace;
        self.checked.events = trace.events.len();
        let mut place = 0;
        while place < trace.events.len() {
            let end = (place + 1..trace.events.len())
                .find(|next| {
                    matches!(
                        trace.events[*next].1,
                        Event::Call { .. } | Event::Advance { .. } | Event::End { .. }
                    )
                })
                .unwrap_or(trace.events.len());
            if self.group(&trace.events[place], &trace.events[place + 1..end]).is_break() {
                if self.checked.difference.is_none() {
                    self.checked.not_checked = trace.events.len() - end;
                }
                break;
            }
            place = end;
        }
    }

    /// One step: a call or a span of time, and everything recorded until the next one.
    fn group(&mut self, first: &'a (u32, Event), rest: &'a [(u32, Event)]) -> Flow {
        let (line, event) = first;
        let mut caused = Vec::new();
        let mut modelled = Modelled::new();
        let mut own = None;
        match event {
            Event::Call { thread, id, op, .. } => {
                let request = RequestId {
                    thread: ThreadId(*thread),
                    call: self.machine.operations(ThreadId(*thread)) + 1,
                };
                let word = self.word(op);
                if *id != request.to_string() {
                    return self.differs(
                        *line,
                        &word,
                        &format!("call {request}"),
                        &format!("call {id}"),
                    );
                }
                if !self.machine.can_run(request.thread) {
                    return self.differs(*line, &word, "blocked", "a further call");
                }
                self.ops.insert(request, op);
                self.ids.insert(id, request);
                let names = std::slice::from_ref(id);
                let labels = if makes_handles(op) == 0 { names } else { &[] };
                if !self.machine.takes_kernel_calls() {
                    // Names are never given twice.
                    self.printer.requests.insert(request, id.clone());
                }
                let outcome = self.machine.step(request.thread, labels, op, &mut caused);
                let kind = match outcome {
                    Outcome::Blocked(_) => Kind::Block,
                    Outcome::Done(_) | Outcome::Pending(_) => Kind::Return,
                };
                if let (true, Outcome::Done(reply)) = (view::by_routine(op), &outcome) {
                    // The end comes to the status block, at once or later.
                    if !reply.status.is_error() {
                        modelled.insert((request, Kind::Done), outcome.clone());
                    }
                }
                modelled.insert((request, kind), outcome);
                own = Some(request);
            }
            Event::Advance { ms, ticks, .. } => {
                let to = self.machine.time().after(span(*ms, *ticks));
                self.machine.advance(to, &mut caused);
            }
            Event::End { .. } => return Flow::Continue(()),
            Event::Return { id, .. } | Event::Block { id, .. } | Event::Done { id, .. } => {
                return self.differs(*line, "call", "nothing", &format!("a result of {id}"));
            }
        }
        let mut seen = Seen::new();
        for (line, event) in rest {
            let (id, kind, recorded) = match event {
                Event::Return { id, result, .. } => (id, Kind::Return, Some(result)),
                Event::Done { id, result, .. } => (id, Kind::Done, Some(result)),
                Event::Block { id, .. } => (id, Kind::Block, None),
                Event::Call { .. } | Event::Advance { .. } | Event::End { .. } => continue,
            };
            let request = self.ids.get(id.as_str()).copied();
            let fresh = request.map(|request| seen.insert((request, kind), (*line, recorded)));
            if !matches!(fresh, Some(None)) {
                return self.differs(*line, "call", "nothing", &format!("another result of {id}"));
            }
        }
        self.catch_up(&seen, &mut modelled, &mut caused);
        self.bind(&modelled, &seen);
        self.show(event, own, &modelled, &seen, &caused);
        self.compare(*line, own, &modelled, &seen)
    }

    /// Time passes in a recording without being said: a sleeper whose return was recorded may
    /// have slept until its time-out.
    fn catch_up(&mut self, seen: &Seen<'_>, modelled: &mut Modelled, caused: &mut Vec<Completion>) {
        let mut told = 0;
        loop {
            for completion in &caused[told..] {
                let kind = if completion.wakes { Kind::Return } else { Kind::Done };
                let outcome = Outcome::Done(completion.reply.clone());
                modelled.insert((completion.request, kind), outcome);
            }
            told = caused.len();
            let sleepers: BTreeSet<ThreadId> = self
                .machine
                .waiting()
                .iter()
                .filter(|one| one.timed)
                .map(|one| one.thread)
                .collect();
            let missing = seen.keys().any(|(request, kind)| {
                *kind == Kind::Return
                    && !modelled.contains_key(&(*request, *kind))
                    && sleepers.contains(&request.thread)
            });
            match self.machine.next_deadline().filter(|_| missing) {
                Some(deadline) => self.machine.advance(deadline, caused),
                None => break,
            }
        }
        // Whoever returned was not always seen to block before.
        modelled.retain(|(request, kind), _| {
            *kind != Kind::Block
                || seen.contains_key(&(*request, Kind::Block))
                || !seen.contains_key(&(*request, Kind::Return))
                || !caused.iter().any(|one| one.wakes && one.request == *request)
        });
    }

    /// Recorded names of handles get the model's values.
    fn bind(&mut self, modelled: &Modelled, seen: &Seen<'_>) {
        for (key, (_, recorded)) in seen {
            let named = recorded.and_then(|recorded| recorded.output.as_ref());
            let Some(Outcome::Done(reply)) = modelled.get(key) else { continue };
            match (named, &reply.output) {
                (Some(Output::Handle(word)), Output::Handle(handle)) => {
                    self.machine.name_handle(word, *handle);
                }
                (Some(Output::Handles(a, b)), Output::Handles(read, write)) => {
                    self.machine.name_handle(a, *read);
                    self.machine.name_handle(b, *write);
                }
                _ => {}
            }
        }
    }

    fn show(
        &mut self,
        event: &Event,
        own: Option<RequestId>,
        modelled: &Modelled,
        seen: &Seen<'_>,
        caused: &[Completion],
    ) {
        match (event, own) {
            (Event::Call { op, .. }, Some(request)) => {
                let answered = [Kind::Block, Kind::Return]
                    .iter()
                    .find_map(|kind| modelled.get(&(request, *kind)));
                if let Some(outcome) = answered {
                    let recorded = seen.get(&(request, Kind::Return)).and_then(|seen| seen.1);
                    let labels = match recorded.and_then(|recorded| recorded.output.as_ref()) {
                        Some(Output::Handle(word)) => vec![word.clone()],
                        Some(Output::Handles(read, write)) => vec![read.clone(), write.clone()],
                        _ => Vec::new(),
                    };
                    let named = !labels.is_empty();
                    let text = transcript::outcome(outcome, named, &self.machine, &self.printer);
                    let name = self.printer.thread(request.thread);
                    let action = transcript::action(&labels, &self.printer.op(op));
                    self.transcript.step(name, action, text);
                }
            }
            (Event::Advance { ms, ticks, .. }, _) => {
                self.transcript.advance(format!("advance {}", span(*ms, *ticks)));
            }
            _ => {}
        }
        for completion in caused {
            let text = transcript::caused(completion, &self.machine, &self.printer);
            self.transcript.caused(text);
        }
    }

    fn compare(
        &mut self,
        line: u32,
        own: Option<RequestId>,
        modelled: &Modelled,
        seen: &Seen<'_>,
    ) -> Flow {
        let mut keys: Vec<(RequestId, Kind)> =
            modelled.keys().chain(seen.keys()).copied().collect();
        // The step's own call first, then by thread and number.
        keys.sort_by_key(|(request, kind)| (Some(*request) != own, *request, *kind));
        keys.dedup();
        let mut answered = BTreeSet::new();
        for key @ (request, kind) in keys {
            let Some(op) = self.ops.get(&request).copied() else { continue };
            let word = self.word(op);
            let other = match kind {
                Kind::Block => Some((request, Kind::Return)),
                Kind::Return => Some((request, Kind::Block)),
                Kind::Done => None,
            };
            if answered.contains(&key) {
                continue;
            }
            let (line, pairs): (u32, Vec<Pair>) = match (modelled.get(&key), seen.get(&key)) {
                (Some(outcome), Some((line, Some(recorded)))) => {
                    let pairs = match (kind, outcome) {
                        (Kind::Done, Outcome::Done(reply)) => view::compare_end(reply, recorded),
                        _ => view::compare_return(op, outcome, recorded),
                    };
                    (*line, pairs)
                }
                (Some(_), Some((_, None))) | (None, None) => continue,
                // One saw it block, the other saw it return.
                (Some(outcome), None) => {
                    match other.and_then(|other| seen.get(&other).map(|seen| (other, seen))) {
                        Some((other, (line, recorded))) => {
                            answered.insert(other);
                            let model = view::model_text(op, outcome);
                            (*line, vec![(model, seen_text(*recorded))])
                        }
                        None => (line, vec![(told(kind, &model_end(op, outcome)), nothing())]),
                    }
                }
                (None, Some((line, recorded))) => {
                    match other.and_then(|other| modelled.get(&other).map(|found| (other, found))) {
                        Some((other, outcome)) => {
                            answered.insert(other);
                            let model = view::model_text(op, outcome);
                            (*line, vec![(model, seen_text(*recorded))])
                        }
                        None => (*line, vec![(nothing(), told(kind, &seen_text(*recorded)))]),
                    }
                }
            };
            for (mut model, recorded) in pairs {
                if model == BLOCKED && self.waits_for_lock(request.thread) {
                    model += " for the lock";
                }
                self.differs(line, &word, &model, &recorded)?;
            }
        }
        Flow::Continue(())
    }

    /// Whether a thread sleeps because another one uses its synchronous file object, and not
    /// because the pipe has no data or no room.
    fn waits_for_lock(&self, thread: ThreadId) -> bool {
        let waiting = self.machine.waiting();
        waiting.iter().any(|one| one.thread == thread && one.what.contains("file object lock"))
    }

    /// A difference: known, or the end of the check.
    fn differs(&mut self, line: u32, op: &str, model: &str, recorded: &str) -> Flow {
        let told = Told { scenario: self.scenario, op, model, recorded };
        if let Some(row) = self.deviations.find(&told) {
            self.checked.known.push((line, row));
            let row = &self.deviations.rows[row];
            self.transcript.note(format!("known deviation {}: recorded {recorded}", row.rule));
            return if row.ends { Flow::Break(()) } else { Flow::Continue(()) };
        }
        let near = self.deviations.near(op);
        self.checked.difference = Some(Difference {
            line,
            op: op.to_owned(),
            model: model.to_owned(),
            recorded: recorded.to_owned(),
            context: self.transcript.tail(CONTEXT).to_string(),
            near: near.iter().map(|row| row.told()).collect(),
            unplaced: Vec::new(),
        });
        Flow::Break(())
    }

    /// The word of an operation.
    fn word(&self, op: &Op<Word, Word>) -> String {
        self.printer.op(op).split(' ').next().unwrap_or_default().to_owned()
    }
}

/// A printer with the names of a trace.
pub(crate) fn printer(header: &Header) -> Printer {
    Printer {
        threads: header.threads.iter().map(|(name, _)| name.clone()).collect(),
        processes: header
            .processes
            .iter()
            .map(|name| name.strip_prefix('*').unwrap_or(name).to_owned())
            .collect(),
        requests: BTreeMap::new(),
    }
}

fn span(ms: u64, ticks: u32) -> Time {
    Time::from_millis(ms).after(Time(u64::from(ticks)))
}

fn nothing() -> String {
    "nothing".to_owned()
}

fn told(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Block => text.to_owned(),
        Kind::Return => format!("returns {text}"),
        Kind::Done => format!("done {text}"),
    }
}

fn model_end(op: &Op<Word, Word>, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(Reply { status, .. }) => view::text(Some(*status), None),
        Outcome::Pending(_) | Outcome::Blocked(_) => view::model_text(op, outcome),
    }
}

fn seen_text(recorded: Option<&Recorded>) -> String {
    match recorded {
        Some(recorded) => view::text(recorded.status, recorded.error),
        None => "blocked".to_owned(),
    }
}
