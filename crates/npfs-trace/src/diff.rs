//! Two traces side by side, by meaning.
//!
//! Threads are matched by name, else by the order of their first calls; handles and operations by
//! their roles: who made them, as the how manieth of their kind. When something happened plays no
//! part: each thread's calls are compared in its own order, and a result that came at once is the
//! same as one that came later. What one side did not record is not compared.

use std::collections::BTreeMap;

use npfs_abi::{Call, Composite, Names, Op, Output, ProcessId, RequestId, Status, ThreadId};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::scenario::Word;
use crate::text::Printer;
use crate::trace::{Event, Recorded, Trace};

/// How two traces differ.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diff {
    /// Each thread of either.
    pub threads: Vec<ThreadDiff>,
}

/// How the calls of a thread differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThreadDiff {
    /// Its name in the first trace, if it has one there.
    pub a: Option<String>,
    /// Its name in the second.
    pub b: Option<String>,
    /// The calls of both, in order.
    pub rows: Vec<Row>,
}

/// A call of one trace beside that of the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What is there of it.
    pub mark: Mark,
    /// The call and its line in the first trace.
    pub a: Option<Side>,
    /// And in the second.
    pub b: Option<Side>,
}

/// A call with its result, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side {
    /// Its line in the file.
    pub line: u32,
    /// What was called, with roles for handles.
    pub call: String,
    /// What came of it.
    pub result: String,
}

/// How two calls compare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mark {
    /// The same call with the same result.
    Same,
    /// The same call with another result.
    Result,
    /// Only the first trace has it.
    OnlyA,
    /// Only the second has it.
    OnlyB,
}

impl Diff {
    /// Whether there is any difference.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many calls differ.
    pub fn count(&self) -> usize {
        let rows = self.threads.iter().flat_map(|thread| &thread.rows);
        rows.filter(|row| row.mark != Mark::Same).count()
    }
}

/// Compares two traces.
pub fn diff(a: &Trace, b: &Trace) -> Diff {
    let (a, b) = (Told::new(a), Told::new(b));
    let threads = matched(&a, &b).into_iter().map(|(one, two)| {
        let none = Vec::new();
        let of = |told: &'_ Told, thread: Option<usize>| thread.map(|at| told.names[at].clone());
        let calls_a = one.map_or(&none, |at| &a.calls[at]);
        let calls_b = two.map_or(&none, |at| &b.calls[at]);
        let rows = rows((calls_a, &a.printer), (calls_b, &b.printer));
        ThreadDiff { a: of(&a, one), b: of(&b, two), rows }
    });
    Diff { threads: threads.collect() }
}

/// A trace in words, by thread.
struct Told {
    names: Vec<String>,
    calls: Vec<Vec<Called>>,
    /// Threads in the order of their first calls.
    order: Vec<usize>,
    /// Has roles for the operations that packets and routines name.
    printer: Printer,
}

/// One call.
#[derive(Clone)]
struct Called {
    line: u32,
    text: String,
    result: Came,
}

/// What came of a call: what it returned, and how it ended if that was later.
#[derive(Clone, Default)]
struct Came {
    returned: Option<Recorded>,
    done: Option<Recorded>,
}

impl Came {
    /// How it ended, whether at once or later; `None` while it has not.
    fn end(&self) -> Option<&Recorded> {
        match (&self.returned, &self.done) {
            (_, Some(done)) => Some(done),
            (Some(returned), None) if !pends(returned) => Some(returned),
            (_, None) => None,
        }
    }

    fn text(&self, printer: &Printer) -> String {
        match (self.end(), &self.returned) {
            (Some(end), _) => recorded(end, printer),
            (None, Some(_)) => "pending".to_owned(),
            (None, None) => "never returns".to_owned(),
        }
    }

    fn same(&self, other: &Came, printers: (&Printer, &Printer)) -> bool {
        match (self.end(), other.end()) {
            (Some(one), Some(two)) => same(one, two, printers),
            (None, None) => self.returned.is_some() == other.returned.is_some(),
            // A file may end before the end was seen.
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

fn pends(result: &Recorded) -> bool {
    result.status == Some(Status::PENDING) || result.error == Some(997)
}

/// Whether two results say the same, where both say something.
fn same(one: &Recorded, two: &Recorded, printers: (&Printer, &Printer)) -> bool {
    fn agree<T: PartialEq>(one: Option<&T>, two: Option<&T>) -> bool {
        match (one, two) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        }
    }
    let error = |result: &Recorded| match (result.status, result.error) {
        (_, Some(error)) => Some(error),
        (Some(status), None) => Some(status.win32()),
        (None, None) => None,
    };
    // A function and its operation say it differently when the buffer was too small, so statuses
    // are compared with statuses.
    let statuses = match (one.status, two.status) {
        (Some(a), Some(b)) => a == b && agree(one.error.as_ref(), two.error.as_ref()),
        _ => agree(error(one).as_ref(), error(two).as_ref()),
    };
    let failed = |result: &Recorded| error(result).map(|error| error != 0);
    let failures = match (one.failed, two.failed) {
        (true, false) => failed(two) != Some(false),
        (false, true) => failed(one) != Some(false),
        _ => true,
    };
    let data = match (&one.data, &two.data) {
        (Some(a), Some(b)) if one.cut || two.cut => {
            let len = a.len().min(b.len());
            a[..len] == b[..len]
        }
        (a, b) => agree(a.as_ref(), b.as_ref()),
    };
    let outputs = match (&one.output, &two.output) {
        (Some(Output::Handle(_)), Some(Output::Handle(_)))
        | (Some(Output::Handles(..)), Some(Output::Handles(..))) => true,
        (
            Some(one @ (Output::Packets(_) | Output::Routines(_))),
            Some(two @ (Output::Packets(_) | Output::Routines(_))),
        ) => handed_out(one, printers.0) == handed_out(two, printers.1),
        (one, two) => agree(one.as_ref(), two.as_ref()),
    };
    let counts = agree(one.information.as_ref(), two.information.as_ref());
    statuses && failures && data && outputs && counts
}

/// A result in words.
fn recorded(result: &Recorded, printer: &Printer) -> String {
    let mut text = match (result.status, result.error) {
        (Some(Status::SUCCESS), Some(error @ 1..)) => format!("ok (error {error})"),
        (Some(status), _) => crate::text::status(status),
        (None, Some(0)) => "ok".to_owned(),
        (None, Some(error)) => format!("error {error}"),
        (None, None) if result.failed => "fails".to_owned(),
        (None, None) => "returns".to_owned(),
    };
    if let Some(count) = result.information.filter(|count| *count != 0) {
        text += &format!(" {count}");
    }
    if let Some(data) = &result.data {
        text += &format!(" {data}{}", if result.cut { " …" } else { "" });
    }
    match &result.output {
        None | Some(Output::None | Output::Handle(_) | Output::Handles(..)) => {}
        Some(output) => text += &handed_out(output, printer),
    }
    text
}

fn handed_out(output: &Output<Word>, printer: &Printer) -> String {
    let text = printer.reply(&npfs_abi::Reply::with(output.clone()));
    text.strip_prefix("ok").unwrap_or_default().to_owned()
}

impl Told {
    fn new(trace: &Trace) -> Told {
        let header = &trace.header;
        let names: Vec<String> = header.threads.iter().map(|(name, _)| name.clone()).collect();
        let mut roles = Roles { names: &names, ..Roles::default() };
        let mut places: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        // Results first: they give the handles that calls of other threads use.
        for (_, event) in &trace.events {
            match event {
                Event::Call { thread, id, op, .. } => roles.call(*thread as usize - 1, id, op),
                Event::Return { id, result, .. } => roles.result(id, result),
                _ => {}
            }
        }
        let printer = Printer {
            threads: names.clone(),
            processes: header.processes.clone(),
            requests: roles.requests(),
        };
        let calls = vec![Vec::new(); names.len()];
        let mut told = Told { names: names.clone(), calls, order: Vec::new(), printer };
        for (line, event) in &trace.events {
            match event {
                Event::Call { thread, id, op, .. } => {
                    let thread = *thread as usize - 1;
                    if told.calls[thread].is_empty() {
                        told.order.push(thread);
                    }
                    places.insert(id, (thread, told.calls[thread].len()));
                    let text = told.printer.op(&op.map(&mut Renamed(&roles)));
                    let result = Came::default();
                    told.calls[thread].push(Called { line: *line, text, result });
                }
                Event::Return { id, result, .. } => {
                    if let Some((thread, at)) = places.get(id.as_str()) {
                        told.calls[*thread][*at].result.returned = Some(result.clone());
                    }
                }
                Event::Done { id, result, .. } => {
                    if let Some((thread, at)) = places.get(id.as_str()) {
                        told.calls[*thread][*at].result.done = Some(result.clone());
                    }
                }
                Event::Block { .. } | Event::Advance { .. } | Event::End { .. } => {}
            }
        }
        told
    }
}

/// What handles and operations are, whatever their names.
#[derive(Default)]
struct Roles<'a> {
    names: &'a [String],
    /// By the id of a call: its thread and what it makes.
    makes: BTreeMap<&'a str, (usize, String)>,
    counts: BTreeMap<(usize, String), u32>,
    /// The role of each handle.
    handles: BTreeMap<&'a str, String>,
    operations: BTreeMap<&'a str, String>,
}

impl<'a> Roles<'a> {
    fn call(&mut self, thread: usize, id: &'a str, op: &Op<Word, Word>) {
        let word = Printer::default().op(op);
        let word = word.split(' ').next().unwrap_or_default().to_owned();
        let role = self.counted(thread, &word);
        self.operations.insert(id, role);
        if let Op::Call(Call::CreateIoCompletionPort { port: Some(_), .. }) = op {
            // It gives the same handle again.
            return;
        }
        self.makes.insert(id, (thread, made(op).unwrap_or(word)));
    }

    fn result(&mut self, id: &str, result: &'a Recorded) {
        let Some((thread, kind)) = self.makes.get(id).cloned() else { return };
        match &result.output {
            Some(Output::Handle(word)) if !self.handles.contains_key(word.as_str()) => {
                let role = self.counted(thread, &kind);
                self.handles.insert(word, role);
            }
            Some(Output::Handles(read, write)) => {
                for (word, end) in [(read, "read end"), (write, "write end")] {
                    let role = self.counted(thread, end);
                    self.handles.insert(word, role);
                }
            }
            _ => {}
        }
    }

    /// `server:a.server`, and `server:a.server#2` for the next one.
    fn counted(&mut self, thread: usize, kind: &str) -> String {
        let count = self.counts.entry((thread, kind.to_owned())).or_default();
        *count += 1;
        let name = self.names.get(thread).map_or("?", String::as_str);
        match count {
            1 => format!("{name}:{kind}"),
            count => format!("{name}:{kind}#{count}"),
        }
    }

    /// How packets and routines name operations.
    fn requests(&self) -> BTreeMap<RequestId, Word> {
        let id = |text: &str| {
            let (thread, call) = text.strip_prefix('t')?.split_once('.')?;
            let thread = ThreadId(thread.parse().ok()?);
            Some(RequestId { thread, call: call.parse().ok()? })
        };
        self.operations.iter().filter_map(|(text, role)| Some((id(text)?, role.clone()))).collect()
    }
}

/// What an operation makes: the end of a pipe is named by the pipe.
fn made(op: &Op<Word, Word>) -> Option<String> {
    let tail = |name: &npfs_abi::PipeName| {
        let text = name.as_str();
        text.rsplit('\\').next().unwrap_or(text).to_owned()
    };
    Some(match op {
        Op::Call(Call::CreateNamedPipe(create)) => format!("{}.server", tail(&create.name)),
        Op::Call(Call::NtCreateNamedPipeFile(create)) => {
            format!("{}.server", tail(create.attributes.as_ref()?.name.as_ref()?))
        }
        Op::Call(Call::CreateFile(open)) => format!("{}.client", tail(&open.name)),
        Op::Call(Call::NtCreateFile(open)) => {
            format!("{}.client", tail(open.attributes.as_ref()?.name.as_ref()?))
        }
        Op::Call(Call::CreateEvent { .. }) => "event".to_owned(),
        Op::Call(Call::CreateIoCompletionPort { .. }) => "port".to_owned(),
        Op::Call(Call::OpenThread { thread: ThreadId(number) }) => format!("thread{number}"),
        Op::Call(Call::OpenProcess { process: ProcessId(number) }) => format!("process{number}"),
        Op::Composite(Composite::CallNamedPipe { .. }) | Op::Call(_) | Op::Composite(_) => {
            return None;
        }
    })
}

struct Renamed<'r, 'a>(&'r Roles<'a>);

impl Names<Word, Word> for Renamed<'_, '_> {
    type Handle = Word;
    type Request = Word;
    fn handle(&mut self, word: &Word) -> Word {
        let role = self.0.handles.get(word.as_str());
        role.cloned().unwrap_or_else(|| "nobody's".to_owned())
    }
    fn request(&mut self, word: &Word) -> Word {
        self.0.operations.get(word.as_str()).cloned().unwrap_or_else(|| "nobody's".to_owned())
    }
}

/// Threads of the one trace beside those of the other.
fn matched(a: &Told, b: &Told) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs = Vec::new();
    let mut left_b: Vec<usize> = b.order.clone();
    let mut left_a = Vec::new();
    for one in &a.order {
        let same = left_b.iter().position(|two| b.names[*two] == a.names[*one]);
        match same {
            Some(place) => pairs.push((Some(*one), Some(left_b.remove(place)))),
            None => left_a.push(*one),
        }
    }
    let mut rest = left_b.into_iter();
    for one in left_a {
        pairs.push((Some(one), rest.next()));
    }
    pairs.extend(rest.map(|two| (None, Some(two))));
    pairs.sort_by_key(|(one, two)| (one.is_none(), *one, *two));
    pairs
}

fn rows((a, of_a): (&[Called], &Printer), (b, of_b): (&[Called], &Printer)) -> Vec<Row> {
    let side = |call: &Called, printer: &Printer| {
        let Called { line, text, result } = call;
        Some(Side { line: *line, call: text.clone(), result: result.text(printer) })
    };
    let only_a = |call: &Called| Row { mark: Mark::OnlyA, a: side(call, of_a), b: None };
    let only_b = |call: &Called| Row { mark: Mark::OnlyB, a: None, b: side(call, of_b) };
    let texts = |calls: &[Called]| calls.iter().map(|call| call.text.clone()).collect::<Vec<_>>();
    let mut rows = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &texts(a), &texts(b)) {
        match op {
            DiffOp::Equal { old_index, new_index, len } => {
                for at in 0..len {
                    let (one, two) = (&a[old_index + at], &b[new_index + at]);
                    let same = one.result.same(&two.result, (of_a, of_b));
                    let mark = if same { Mark::Same } else { Mark::Result };
                    rows.push(Row { mark, a: side(one, of_a), b: side(two, of_b) });
                }
            }
            DiffOp::Delete { old_index, old_len, .. } => {
                rows.extend(a[old_index..old_index + old_len].iter().map(only_a));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                rows.extend(b[new_index..new_index + new_len].iter().map(only_b));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                rows.extend(a[old_index..old_index + old_len].iter().map(only_a));
                rows.extend(b[new_index..new_index + new_len].iter().map(only_b));
            }
        }
    }
    rows
}
