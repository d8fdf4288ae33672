//! A concurrent trace made ready: whose call comes when, between which stamps, with which result.
//!
//! Owns what follows from the trace alone. It knows no kernel and takes no side.

use std::collections::{BTreeMap, BTreeSet};

use npfs_abi::{Call, Composite, Data, Names, Op, Output, PipeName};
use npfs_trace::Trace;
use npfs_trace::scenario::Word;
use npfs_trace::trace::{Event, Recorded, Start};

/// The number of a word for a handle.
pub(crate) type Slot = u32;
/// The number of a call; [`NO_CALL`] for a request that no call of the trace made.
pub(crate) type CallId = u32;

/// Stands for a call that is not in the trace.
pub(crate) const NO_CALL: CallId = u32::MAX;
/// A stamp behind all others.
pub(crate) const NEVER: u64 = u64::MAX;

/// The calls of a trace, without those that cannot be checked.
#[derive(Debug, Default)]
pub(crate) struct History<'a> {
    /// In the order of the file.
    pub(crate) calls: Vec<Entry<'a>>,
    /// The calls of each thread, in its order.
    pub(crate) threads: Vec<Vec<CallId>>,
    /// How many words for handles there are.
    pub(crate) words: usize,
    /// A byte that stands for unknown ones. No known byte of the trace has this value, unless the
    /// trace has bytes of every value; then no bytes are compared.
    pub(crate) filler: Option<Filler>,
    /// The first call with an argument that stands for an unknown one.
    pub(crate) guess: Option<CallId>,
    /// Events of calls that touch what nobody knows.
    pub(crate) left_out: usize,
}

/// What unknown bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Filler {
    Byte(u8),
    /// Any byte may be one.
    Any,
}

/// A call with everything that was seen of it.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// From 0.
    pub(crate) thread: usize,
    /// Its number among the calls of its thread in the trace, from 1.
    pub(crate) number: u32,
    /// Its name in the trace.
    pub(crate) id: &'a str,
    pub(crate) line: u32,
    pub(crate) source: &'a Op<Word, Word>,
    pub(crate) op: Op<Slot, CallId>,
    /// Handles that another call must have given.
    pub(crate) needs: Vec<Slot>,
    /// The handles that it gave.
    pub(crate) gives: Vec<Slot>,
    /// Not taken before, not taken after, not answered before, not answered after.
    pub(crate) from: u64,
    pub(crate) taken_by: u64,
    pub(crate) asleep_at: u64,
    pub(crate) to: u64,
    /// Whether it was seen asleep, in which line.
    pub(crate) block: Option<u32>,
    pub(crate) result: Option<(u32, &'a Recorded)>,
    pub(crate) done: Option<Done<'a>>,
    /// Whether it must have been taken, and must have been answered.
    pub(crate) begun: bool,
    pub(crate) over: bool,
    pub(crate) assumed: bool,
}

/// The end of an overlapped operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done<'a> {
    pub(crate) line: u32,
    pub(crate) after: u64,
    pub(crate) by: u64,
    pub(crate) result: &'a Recorded,
}

/// What makes no sense in a trace: its line, and what was wanted and found.
pub(crate) struct Malformed {
    pub(crate) line: u32,
    pub(crate) wanted: String,
    pub(crate) found: String,
}

fn malformed(line: u32, wanted: &str, found: &str) -> Malformed {
    Malformed { line, wanted: wanted.to_owned(), found: found.to_owned() }
}

impl<'a> History<'a> {
    pub(crate) fn new(trace: &'a Trace) -> Result<History<'a>, Malformed> {
        let threads = vec![Vec::new(); trace.header.threads.len()];
        let mut reader = Reader { threads, ..Reader::default() };
        for (line, event) in &trace.events {
            reader.event(*line, event)?;
        }
        reader.bounds()?;
        let left_out = match trace.header.start {
            Start::Empty => BTreeSet::new(),
            Start::Unknown => reader.strangers(),
        };
        Ok(reader.history(&left_out))
    }
}

/// A call as it stands in the trace.
struct Raw<'a> {
    thread: usize,
    id: &'a str,
    line: u32,
    op: &'a Op<Word, Word>,
    gaps: &'a npfs_trace::trace::Gaps,
    at: Option<u64>,
    block: Option<(u32, Option<u64>)>,
    result: Option<(u32, Option<u64>, &'a Recorded)>,
    done: Option<(u32, Option<u64>, Option<u64>, &'a Recorded)>,
    from: u64,
    taken_by: u64,
    asleep_at: u64,
    to: u64,
}

#[derive(Default)]
struct Reader<'a> {
    calls: Vec<Raw<'a>>,
    threads: Vec<Vec<usize>>,
    ids: BTreeMap<&'a str, usize>,
}

impl<'a> Reader<'a> {
    fn event(&mut self, line: u32, event: &'a Event) -> Result<(), Malformed> {
        match event {
            Event::Call { seen, thread, id, op, gaps, .. } => {
                // The reader of files has seen to it that there is such a thread.
                let thread = *thread as usize - 1;
                let Some(calls) = self.threads.get_mut(thread) else { return Ok(()) };
                calls.push(self.calls.len());
                let wanted = format!("t{}.{}", thread + 1, calls.len());
                if *id != wanted {
                    return Err(malformed(line, &format!("call {wanted}"), &format!("call {id}")));
                }
                self.ids.insert(id, self.calls.len());
                self.calls.push(Raw {
                    thread,
                    id,
                    line,
                    op,
                    gaps,
                    at: seen.at,
                    block: None,
                    result: None,
                    done: None,
                    from: 0,
                    taken_by: NEVER,
                    asleep_at: 0,
                    to: NEVER,
                });
            }
            Event::Return { seen, id, result, .. } => {
                let call = self.find(line, id, "a return")?;
                if call.result.is_some() {
                    return Err(malformed(line, "one return of a call", "another one"));
                }
                call.result = Some((line, seen.at, result));
            }
            Event::Block { seen, id, .. } => {
                let call = self.find(line, id, "a block")?;
                if call.result.is_some() {
                    return Err(malformed(line, "a block before the return", "one behind it"));
                }
                // The first one says most.
                call.block = call.block.or(Some((line, seen.at)));
            }
            Event::Done { seen, after, id, result, .. } => {
                let call = self.find(line, id, "a done")?;
                if call.done.is_some() {
                    return Err(malformed(line, "one end of an operation", "another one"));
                }
                call.done = Some((line, *after, seen.at, result));
            }
            Event::Advance { .. } | Event::End { .. } => {}
        }
        Ok(())
    }

    fn find(&mut self, line: u32, id: &str, what: &str) -> Result<&mut Raw<'a>, Malformed> {
        let place = self.ids.get(id).copied();
        match place.and_then(|place| self.calls.get_mut(place)) {
            Some(call) => Ok(call),
            None => Err(malformed(line, "a call above", &format!("{what} of {id}"))),
        }
    }

    /// Between which stamps each call was taken and answered. The calls of a thread follow each
    /// other, so what is known of one bounds its neighbours.
    fn bounds(&mut self) -> Result<(), Malformed> {
        for calls in &self.threads {
            let mut from = 0;
            for call in calls {
                let call = &mut self.calls[*call];
                let stamps = [
                    (call.line, call.at),
                    call.block.unwrap_or_default(),
                    call.result.map_or((0, None), |(line, at, _)| (line, at)),
                ];
                let mut known = from;
                for (line, at) in stamps {
                    let Some(at) = at else { continue };
                    if at < known {
                        let wanted = format!("a stamp of at least {known}");
                        return Err(malformed(line, &wanted, &at.to_string()));
                    }
                    known = at;
                }
                call.from = call.at.unwrap_or(from);
                call.asleep_at = call.block.and_then(|block| block.1).unwrap_or(call.from);
                from = known;
            }
            let mut to = NEVER;
            for call in calls.iter().rev() {
                let call = &mut self.calls[*call];
                call.to = call.result.and_then(|result| result.1).unwrap_or(to);
                call.taken_by = call.block.and_then(|block| block.1).unwrap_or(call.to);
                to = call.at.unwrap_or(call.taken_by);
            }
        }
        for call in &self.calls {
            let Some((line, after, Some(by), _)) = call.done else { continue };
            if by < call.from.max(after.unwrap_or(0)) {
                let wanted = "an end behind the beginning";
                return Err(malformed(line, wanted, &by.to_string()));
            }
        }
        Ok(())
    }

    /// The calls that touch handles or pipes of somebody else.
    fn strangers(&self) -> BTreeSet<usize> {
        let names: BTreeSet<Vec<u16>> =
            self.calls.iter().filter_map(|call| created(call.op)).map(folded).collect();
        let mut left_out = BTreeSet::new();
        loop {
            let given: BTreeSet<&Word> = (0..self.calls.len())
                .filter(|place| !left_out.contains(place))
                .flat_map(|place| self.gives(place))
                .collect();
            let fresh: Vec<usize> = (0..self.calls.len())
                .filter(|place| !left_out.contains(place))
                .filter(|place| {
                    let mut words = Used::default();
                    self.calls[*place].op.map(&mut words);
                    words.handles.iter().any(|word| !given.contains(word))
                        || opened(self.calls[*place].op)
                            .is_some_and(|name| !names.contains(&folded(name)))
                })
                .collect();
            if fresh.is_empty() {
                return left_out;
            }
            left_out.extend(fresh);
        }
    }

    fn gives(&self, place: usize) -> Vec<&'a Word> {
        match self.calls[place].result.and_then(|(_, _, result)| result.output.as_ref()) {
            Some(Output::Handle(word)) => vec![word],
            Some(Output::Handles(read, write)) => vec![read, write],
            _ => Vec::new(),
        }
    }

    fn history(self, left_out: &BTreeSet<usize>) -> History<'a> {
        let mut history = History {
            threads: vec![Vec::new(); self.threads.len()],
            filler: self.filler(),
            ..History::default()
        };
        let mut places = vec![NO_CALL; self.calls.len()];
        let kept = (0..self.calls.len()).filter(|place| !left_out.contains(place));
        for (number, place) in (0..).zip(kept) {
            places[place] = number;
        }
        let mut words: BTreeMap<&Word, Slot> = BTreeMap::new();
        for place in 0..self.calls.len() {
            if left_out.contains(&place) {
                continue;
            }
            for word in self.gives(place) {
                let fresh = words.len() as Slot;
                words.entry(word).or_insert(fresh);
            }
        }
        history.words = words.len();
        for (place, call) in self.calls.iter().enumerate() {
            if left_out.contains(&place) {
                history.left_out += 1
                    + usize::from(call.block.is_some())
                    + usize::from(call.result.is_some())
                    + usize::from(call.done.is_some());
                continue;
            }
            let calls = &self.threads[call.thread];
            let number = calls.partition_point(|other| *other < place);
            let over = call.result.is_some() || number + 1 < calls.len();
            let mut numbers =
                Numbers { words: &words, ids: &self.ids, places: &places, needs: Vec::new() };
            let filled = fill(call.op, call.gaps.size, history.filler);
            let op = filled.as_ref().unwrap_or(call.op).map(&mut numbers);
            let needs = numbers.needs;
            if !call.gaps.unknown.is_empty() {
                history.guess = history.guess.or(Some(places[place]));
            }
            history.threads[call.thread].push(places[place]);
            history.calls.push(Entry {
                thread: call.thread,
                number: number as u32 + 1,
                id: call.id,
                line: call.line,
                source: call.op,
                op,
                needs,
                gives: self.gives(place).iter().map(|word| words[*word]).collect(),
                from: call.from,
                taken_by: call.taken_by,
                asleep_at: call.asleep_at,
                to: call.to,
                block: call.block.map(|block| block.0),
                result: call.result.map(|(line, _, result)| (line, result)),
                done: call.done.map(|(line, after, by, result)| Done {
                    line,
                    after: after.unwrap_or(0),
                    by: by.unwrap_or(NEVER),
                    result,
                }),
                begun: over || call.block.is_some() || call.done.is_some(),
                over,
                assumed: call.gaps.assumed,
            });
        }
        history
    }

    /// The byte for unknown ones, if there are any.
    fn filler(&self) -> Option<Filler> {
        let unknown = |call: &Raw<'_>| {
            call.gaps.size.is_some_and(|size| payload(call.op).is_some_and(|one| one.size() < size))
        };
        if !self.calls.iter().any(unknown) {
            return None;
        }
        let mut met = [false; 256];
        let mut meet = |data: &Data| data.iter().for_each(|byte| met[usize::from(*byte)] = true);
        for call in &self.calls {
            payload(call.op).into_iter().for_each(&mut meet);
            let results = [
                call.result.and_then(|(_, _, result)| seen_data(result)),
                call.done.and_then(|(_, _, _, result)| seen_data(result)),
            ];
            results.into_iter().flatten().for_each(&mut meet);
        }
        // Printable ones are the last to be taken, because they are what logs show.
        let free = (0..=u8::MAX).rev().find(|byte| !met[usize::from(*byte)]);
        Some(free.map_or(Filler::Any, Filler::Byte))
    }
}

/// The bytes that a result shows.
pub(crate) fn seen_data(result: &Recorded) -> Option<&Data> {
    match (&result.data, &result.output) {
        (Some(data), _) | (None, Some(Output::Data(data))) => Some(data),
        (None, Some(Output::Peek(peek))) => Some(&peek.data),
        (None, _) => None,
    }
}

/// What an operation passes to the other end.
fn payload(op: &Op<Word, Word>) -> Option<&Data> {
    match op {
        Op::Call(Call::WriteFile { data, .. } | Call::TransactNamedPipe { data, .. })
        | Op::Call(Call::NtFsControlFile { input: data, .. })
        | Op::Composite(Composite::CallNamedPipe { data, .. }) => Some(data),
        Op::Call(_) | Op::Composite(_) => None,
    }
}

/// The operation with a payload of this size, if its own is shorter.
fn fill(op: &Op<Word, Word>, size: Option<u32>, filler: Option<Filler>) -> Option<Op<Word, Word>> {
    let (size, filler) = (size?, filler?);
    let known = payload(op).filter(|known| known.size() < size)?;
    let byte = match filler {
        Filler::Byte(byte) => byte,
        Filler::Any => 0,
    };
    let mut bytes = known.to_vec();
    bytes.resize(size as usize, byte);
    let mut op = op.clone();
    match &mut op {
        Op::Call(Call::WriteFile { data, .. } | Call::TransactNamedPipe { data, .. })
        | Op::Call(Call::NtFsControlFile { input: data, .. })
        | Op::Composite(Composite::CallNamedPipe { data, .. }) => *data = Data::from(bytes),
        Op::Call(_) | Op::Composite(_) => {}
    }
    Some(op)
}

/// The pipe that an operation creates.
fn created(op: &Op<Word, Word>) -> Option<&PipeName> {
    match op {
        Op::Call(Call::CreateNamedPipe(create)) => Some(&create.name),
        Op::Call(Call::NtCreateNamedPipeFile(create)) => create.attributes.as_ref()?.name.as_ref(),
        Op::Call(_) | Op::Composite(_) => None,
    }
}

/// The pipe that an operation looks for by name.
fn opened(op: &Op<Word, Word>) -> Option<&PipeName> {
    match op {
        Op::Call(Call::CreateFile(open)) => Some(&open.name),
        Op::Call(Call::WaitNamedPipe { name, .. })
        | Op::Composite(
            Composite::CallNamedPipe { name, .. } | Composite::GetFileAttributes { name },
        ) => Some(name),
        Op::Call(Call::NtCreateFile(open)) => {
            let attributes = open.attributes.as_ref().filter(|one| one.root.is_none())?;
            attributes.name.as_ref()
        }
        Op::Call(_) | Op::Composite(_) => None,
    }
}

/// The part of a path that names the pipe, in one case. Paths are compared by it whatever
/// prefix they have.
fn folded(name: &PipeName) -> Vec<u16> {
    let text = name.as_str().to_lowercase();
    let tail = text.rsplit_once("pipe\\").map_or(text.as_str(), |(_, tail)| tail);
    tail.encode_utf16().collect()
}

/// The words that an operation uses.
#[derive(Default)]
struct Used {
    handles: Vec<Word>,
}

impl Names<Word, Word> for Used {
    type Handle = ();
    type Request = ();
    fn handle(&mut self, word: &Word) {
        self.handles.push(word.clone());
    }
    fn request(&mut self, _: &Word) {}
}

struct Numbers<'h, 'a> {
    words: &'h BTreeMap<&'a Word, Slot>,
    ids: &'h BTreeMap<&'a str, usize>,
    places: &'h [CallId],
    needs: Vec<Slot>,
}

impl Names<Word, Word> for Numbers<'_, '_> {
    type Handle = Slot;
    type Request = CallId;
    fn handle(&mut self, word: &Word) -> Slot {
        match self.words.get(word) {
            Some(slot) => {
                self.needs.push(*slot);
                *slot
            }
            // Nobody gives it: a handle that is not one.
            None => Slot::MAX,
        }
    }
    fn request(&mut self, word: &Word) -> CallId {
        let place = self.ids.get(word.as_str());
        place.map_or(NO_CALL, |place| self.places[*place])
    }
}
