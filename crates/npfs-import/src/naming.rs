//! From the system's own numbers to the names of a trace.
//!
//! Owns what a handle value, a thread id and a pointer mean at each moment. Handles get a word
//! when a call gives them and lose it when one closes them, so a value that is dealt again is
//! another handle. What touches a handle that no call of the log gave stays outside, counted.

use std::collections::{BTreeMap, BTreeSet};

use npfs_abi::{
    Call, Names, Op, Output, Packet, PacketSource, ProcessId, RequestId, Status, ThreadId,
};
use npfs_trace::Trace;
use npfs_trace::trace::{Event, Gaps, Header, Recorded, Seen};

use crate::raw::{RawCall, RawOutput, RawPacket, RawResult, Stamp};
use crate::skipped::Skipped;

/// Makes a trace of calls. `header` has everything but the processes and threads.
pub(crate) fn trace(header: Header, calls: &[RawCall], skipped: &mut Skipped) -> Trace {
    let order = order(calls);
    let mut left_out = BTreeSet::new();
    loop {
        let mut naming = Naming::new(calls, &left_out);
        order.iter().for_each(|moment| naming.moment(moment));
        // An event that something outside sets or takes is outside too, with all its calls.
        let found = naming.tainted.clone();
        if found.is_subset(&left_out) {
            return naming.finish(header, skipped);
        }
        left_out.extend(found);
    }
}

/// What happens to a call, in the order in which it happens to one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Moment {
    Begin,
    End,
    Done,
}

/// The moments of all calls in the order of the log. What has no stamp stands as early as it can:
/// an end behind its beginning, a beginning behind the lines above it.
fn order(calls: &[RawCall]) -> Vec<(usize, Moment)> {
    let stamped = calls.iter().flat_map(|call| {
        let ends = [&call.returned, &call.done].map(|end| end.as_ref().map(|(stamp, _)| *stamp));
        [Some(call.began)].into_iter().chain(ends).flatten()
    });
    let mut above: Vec<(u32, u64)> =
        stamped.filter_map(|stamp| Some((stamp.line, stamp.at?))).collect();
    above.sort_unstable();
    let mut latest = 0;
    for (_, at) in &mut above {
        latest = latest.max(*at);
        *at = latest;
    }
    let above = |line: u32| {
        let place = above.partition_point(|(other, _)| *other < line);
        place.checked_sub(1).map_or(0, |place| above[place].1)
    };
    let mut list = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        let mut at = call.began.at.unwrap_or_else(|| above(call.began.line));
        list.push((at, call.began.line, number, Moment::Begin));
        if let Some((stamp, _)) = &call.returned {
            at = stamp.at.unwrap_or(at).max(at);
            list.push((at, stamp.line, number, Moment::End));
        }
        if let Some((stamp, _)) = &call.done {
            at = stamp.at.unwrap_or(at).max(at);
            list.push((at, stamp.line, number, Moment::Done));
        }
    }
    list.sort_unstable();
    list.into_iter().map(|(_, _, number, moment)| (number, moment)).collect()
}

/// A handle that a call gave.
#[derive(Clone, Debug)]
struct Known {
    word: String,
    inherit: bool,
    /// The call that gave it, and whether it gave an event.
    giver: usize,
    event: bool,
}

/// The last operation that was begun with an OVERLAPPED.
#[derive(Clone, Copy, Debug)]
struct Operation {
    id: RequestId,
    /// Its packet was taken.
    taken: bool,
}

struct Naming<'a> {
    calls: &'a [RawCall],
    left_out: &'a BTreeSet<usize>,
    /// Calls whose object is used by something outside.
    tainted: BTreeSet<usize>,
    processes: Vec<String>,
    threads: Vec<(String, u32)>,
    process_numbers: BTreeMap<u32, u32>,
    thread_numbers: BTreeMap<u32, u32>,
    made: BTreeMap<u32, u32>,
    handles: BTreeMap<(u32, u64), Known>,
    words: u32,
    operations: BTreeMap<(u32, u64), Operation>,
    posted: BTreeMap<(u32, u64), u32>,
    /// Who makes the calls that nobody saw, by the word of the port.
    outsiders: BTreeMap<String, u32>,
    /// The names of the calls that are in the trace.
    ids: BTreeMap<usize, (u32, RequestId)>,
    /// The handles that the calls in progress close.
    closing: BTreeMap<usize, (u32, u64, String)>,
    events: Vec<(u32, Event)>,
    skipped: Skipped,
}

/// Looks up the names of one call.
struct Lookup<'a, 'b> {
    naming: &'a Naming<'b>,
    process: u32,
    unknown: Option<&'static str>,
    events: Vec<usize>,
}

impl Names<u64, u64> for Lookup<'_, '_> {
    type Handle = String;
    type Request = String;

    fn handle(&mut self, value: &u64) -> String {
        match self.naming.handles.get(&(self.process, *value)) {
            Some(known) => {
                if known.event {
                    self.events.push(known.giver);
                }
                known.word.clone()
            }
            None => {
                self.unknown = Some("a handle of something else");
                String::new()
            }
        }
    }

    fn request(&mut self, pointer: &u64) -> String {
        match self.naming.operations.get(&(self.process, *pointer)) {
            Some(operation) => operation.id.to_string(),
            None => {
                self.unknown = self.unknown.or(Some("an OVERLAPPED of something else"));
                String::new()
            }
        }
    }
}

impl<'a> Naming<'a> {
    fn new(calls: &'a [RawCall], left_out: &'a BTreeSet<usize>) -> Naming<'a> {
        Naming {
            calls,
            left_out,
            tainted: BTreeSet::new(),
            processes: Vec::new(),
            threads: Vec::new(),
            process_numbers: BTreeMap::new(),
            thread_numbers: BTreeMap::new(),
            made: BTreeMap::new(),
            handles: BTreeMap::new(),
            words: 0,
            operations: BTreeMap::new(),
            posted: BTreeMap::new(),
            outsiders: BTreeMap::new(),
            ids: BTreeMap::new(),
            closing: BTreeMap::new(),
            events: Vec::new(),
            skipped: Skipped::default(),
        }
    }

    fn moment(&mut self, (number, moment): &(usize, Moment)) {
        let call = &self.calls[*number];
        match (moment, &call.returned, &call.done) {
            (Moment::Begin, ..) => self.begin(*number, call),
            (Moment::End, Some((stamp, result)), _) => self.end(*number, call, *stamp, result),
            (Moment::Done, _, Some((stamp, result))) => self.done(*number, *stamp, result),
            (Moment::End | Moment::Done, ..) => {}
        }
    }

    fn begin(&mut self, number: usize, call: &RawCall) {
        let unknown_thread = !self.thread_numbers.contains_key(&call.thread);
        match &call.op {
            // The end of somebody who did nothing here.
            Op::Call(Call::ExitThread) if unknown_thread => return,
            Op::Call(Call::TerminateProcess { process: None })
                if !self.process_numbers.contains_key(&call.process) =>
            {
                return;
            }
            _ => {}
        }
        let pointer = call.overlapped.map(|pointer| (call.process, pointer));
        let mut lookup =
            Lookup { naming: self, process: call.process, unknown: None, events: Vec::new() };
        let mut op = call.op.map(&mut lookup);
        let Lookup { mut unknown, events, .. } = lookup;
        if self.left_out.contains(&number) {
            unknown = unknown.or(Some("used by something else"));
        }
        if unknown.is_none() && !self.own_numbers(&mut op) {
            unknown = Some("a thread or process of something else");
        }
        if let Some(why) = unknown {
            self.skipped.count(&format!("{} ({why})", call.function), 1);
            self.tainted.extend(events);
            if let Some(pointer) = pointer {
                self.operations.remove(&pointer);
            }
            return;
        }
        let thread = self.thread(call.process, call.thread);
        let id = self.next_id(thread);
        if let Some(pointer) = pointer {
            self.operations.insert(pointer, Operation { id, taken: false });
        }
        match &call.op {
            Op::Call(Call::PostQueuedCompletionStatus { overlapped, .. }) => {
                *self.posted.entry((call.process, *overlapped)).or_default() += 1;
            }
            Op::Call(Call::CloseHandle { handle }) => {
                if let Some(known) = self.handles.get(&(call.process, *handle)) {
                    let closing = (call.process, *handle, known.word.clone());
                    self.closing.insert(number, closing);
                }
            }
            Op::Call(Call::ExitThread) => {
                self.thread_numbers.remove(&call.thread);
            }
            Op::Call(Call::TerminateProcess { process: None }) => self.forget(call.process),
            Op::Call(Call::CreateProcess { process, inherit: true }) => {
                // The child may be quicker than the call.
                self.inherit(call.process, process.0);
            }
            _ => {}
        }
        self.ids.insert(number, (thread, id));
        self.call_event(thread, id, op, call.gaps.clone(), Some(call.began));
    }

    fn call_event(
        &mut self,
        thread: u32,
        id: RequestId,
        op: Op<String, String>,
        gaps: Gaps,
        stamp: Option<Stamp>,
    ) {
        let process = self.threads[thread as usize - 1].1;
        let (seq, seen, id) = (self.seq(), seen(stamp), id.to_string());
        let line = stamp.map_or(0, |stamp| stamp.line);
        self.events.push((line, Event::Call { seq, seen, thread, process, id, op, gaps }));
    }

    fn seq(&self) -> u32 {
        u32::try_from(self.events.len() + 1).unwrap_or(u32::MAX)
    }

    fn end(&mut self, number: usize, call: &RawCall, stamp: Stamp, result: &RawResult) {
        let Some((thread, id)) = self.ids.get(&number).copied() else { return };
        let mut recorded = result.recorded.clone();
        recorded.output = self.output(number, call, result);
        if result.worked() {
            self.effect(number, call);
        }
        let (seq, seen, id) = (self.seq(), seen(Some(stamp)), id.to_string());
        let event = Event::Return { seq, seen, thread, id, result: recorded };
        self.events.push((stamp.line, event));
    }

    fn done(&mut self, number: usize, stamp: Stamp, result: &RawResult) {
        let Some((thread, id)) = self.ids.get(&number).copied() else { return };
        let (seq, seen, id) = (self.seq(), seen(Some(stamp)), id.to_string());
        let result = result.recorded.clone();
        let event = Event::Done { seq, seen, after: None, thread, id, result };
        self.events.push((stamp.line, event));
    }

    /// What a call that worked changes in the meaning of handles.
    fn effect(&mut self, number: usize, call: &RawCall) {
        match &call.op {
            Op::Call(Call::CloseHandle { .. }) => {
                if let Some((process, value, word)) = self.closing.remove(&number) {
                    if self.handles.get(&(process, value)).is_some_and(|known| known.word == word) {
                        self.handles.remove(&(process, value));
                    }
                }
            }
            Op::Call(Call::SetHandleInformation { handle, inherit }) => {
                if let Some(known) = self.handles.get_mut(&(call.process, *handle)) {
                    known.inherit = *inherit;
                }
            }
            _ => {}
        }
    }

    /// A child gets the inheritable handles of its parent.
    fn inherit(&mut self, parent: u32, child: u32) {
        let inherited: Vec<(u64, Known)> = self
            .handles
            .range((parent, 0)..=(parent, u64::MAX))
            .filter(|(_, known)| known.inherit)
            .map(|((_, value), known)| (*value, known.clone()))
            .collect();
        for (value, known) in inherited {
            self.handles.insert((child, value), known);
        }
    }

    /// What a call gave, in names; new handles get theirs.
    fn output(
        &mut self,
        number: usize,
        call: &RawCall,
        result: &RawResult,
    ) -> Option<Output<String>> {
        match result.output.as_ref()? {
            RawOutput::Handle(value) => {
                let port =
                    matches!(call.op, Op::Call(Call::CreateIoCompletionPort { port: Some(_), .. }));
                if port {
                    // The port that was passed.
                    let known = self.handles.get(&(call.process, *value))?;
                    return Some(Output::Handle(known.word.clone()));
                }
                Some(Output::Handle(self.new_handle(number, call, *value)))
            }
            RawOutput::Handles(read, write) => {
                let read = self.new_handle(number, call, *read);
                Some(Output::Handles(read, self.new_handle(number, call, *write)))
            }
            RawOutput::Packets(packets) => {
                let packets: Vec<Packet> =
                    packets.iter().map(|packet| self.packet(number, call, packet)).collect();
                // No call posts a packet of something outside that failed.
                let posts = packets.iter().all(|packet| {
                    matches!(packet.source, PacketSource::Request(_))
                        || packet.status == Status::SUCCESS
                });
                posts.then_some(Output::Packets(packets))
            }
            RawOutput::Routines(pointers) => {
                let routines = pointers
                    .iter()
                    .map(|pointer| self.operations.get(&(call.process, *pointer)).copied());
                // A routine of an operation outside: which ran is then not known.
                let routines: Option<Vec<RequestId>> =
                    routines.map(|one| one.map(|one| one.id)).collect();
                routines.map(Output::Routines)
            }
            RawOutput::Plain(output) => Some(output.clone()),
        }
    }

    fn new_handle(&mut self, giver: usize, call: &RawCall, value: u64) -> String {
        self.words += 1;
        let word = format!("h{}", self.words);
        let (process, inherit) = match &call.op {
            Op::Call(Call::CreateNamedPipe(create)) => (None, create.inherit),
            Op::Call(Call::CreateFile(open)) => (None, open.inherit),
            Op::Call(Call::CreatePipe { inherit, .. }) => (None, *inherit),
            Op::Call(Call::NtCreateNamedPipeFile(create)) => {
                (None, create.attributes.as_ref().is_some_and(|one| one.inherit))
            }
            Op::Call(Call::NtCreateFile(open)) => {
                (None, open.attributes.as_ref().is_some_and(|one| one.inherit))
            }
            Op::Call(Call::DuplicateHandle { target, inherit, .. }) => (*target, *inherit),
            _ => (None, false),
        };
        let event = matches!(call.op, Op::Call(Call::CreateEvent { .. }));
        let process = process.map_or(call.process, |process| process.0);
        let known = Known { word: word.clone(), inherit, giver, event };
        self.handles.insert((process, value), known);
        word
    }

    fn packet(&mut self, number: usize, call: &RawCall, packet: &RawPacket) -> Packet {
        let pointer = (call.process, packet.overlapped);
        let posted = self.posted.get(&pointer).copied().unwrap_or_default();
        let source = match self.operations.get_mut(&pointer) {
            Some(operation) if !operation.taken => {
                operation.taken = true;
                PacketSource::Request(operation.id)
            }
            _ => {
                if posted == 0 {
                    self.assume_post(number, call, packet);
                } else {
                    self.posted.insert(pointer, posted - 1);
                }
                PacketSource::Posted(packet.overlapped)
            }
        };
        Packet { key: packet.key, source, status: packet.status, information: packet.information }
    }

    /// A packet of something outside, such as a socket, was put into the port by somebody.
    fn assume_post(&mut self, number: usize, call: &RawCall, packet: &RawPacket) {
        let Op::Call(Call::GetQueuedCompletionStatus { port, .. }) = &call.op else { return };
        let Some(known) = self.handles.get(&(call.process, *port)) else { return };
        let port = known.word.clone();
        let Some((own, _)) = self.ids.get(&number) else { return };
        let process = self.threads[*own as usize - 1].1;
        let thread = match self.outsiders.get(&port) {
            Some(thread) => *thread,
            None => {
                self.threads.push((format!("outside, into {port}"), process));
                let thread = self.threads.len() as u32;
                self.outsiders.insert(port.clone(), thread);
                thread
            }
        };
        let id = self.next_id(thread);
        let (bytes, key) = (packet.information, packet.key);
        let post =
            Call::PostQueuedCompletionStatus { port, bytes, key, overlapped: packet.overlapped };
        let gaps = Gaps { assumed: true, ..Gaps::default() };
        self.call_event(thread, id, Op::Call(post), gaps, None);
        let (seq, result) = (self.seq(), Recorded::default());
        let event =
            Event::Return { seq, seen: Seen::default(), thread, id: id.to_string(), result };
        self.events.push((0, event));
    }

    fn next_id(&mut self, thread: u32) -> RequestId {
        let made = self.made.entry(thread).or_default();
        *made += 1;
        RequestId { thread: ThreadId(thread), call: *made }
    }

    fn process(&mut self, process: u32) -> u32 {
        match self.process_numbers.get(&process) {
            Some(number) => *number,
            None => {
                let number = self.processes.len() as u32 + 1;
                self.processes.push(format!("p{number}"));
                self.process_numbers.insert(process, number);
                number
            }
        }
    }

    fn thread(&mut self, process: u32, thread: u32) -> u32 {
        match self.thread_numbers.get(&thread) {
            Some(number) => *number,
            None => {
                let process = self.process(process);
                let number = self.threads.len() as u32 + 1;
                self.threads.push((format!("t{number}"), process));
                self.thread_numbers.insert(thread, number);
                number
            }
        }
    }

    /// The numbers of a process mean nothing any more.
    fn forget(&mut self, process: u32) {
        let Some(number) = self.process_numbers.remove(&process) else { return };
        self.thread_numbers.retain(|_, thread| self.threads[*thread as usize - 1].1 != number);
        self.handles.retain(|(owner, _), _| *owner != process);
        self.operations.retain(|(owner, _), _| *owner != process);
        self.posted.retain(|(owner, _), _| *owner != process);
    }

    /// Replaces the system's numbers of processes and threads; false if one is not of the log.
    fn own_numbers(&mut self, op: &mut Op<String, String>) -> bool {
        let (process, thread) = match op {
            Op::Call(
                Call::DuplicateHandle { target: Some(process), .. }
                | Call::TerminateProcess { process: Some(process) }
                | Call::OpenProcess { process },
            ) => (Some(process), None),
            Op::Call(Call::CreateProcess { process, .. }) => {
                // Its number is new even if another process had it before.
                self.forget(process.0);
                let number = self.process(process.0);
                self.processes[number as usize - 1].insert(0, '*');
                *process = ProcessId(number);
                return true;
            }
            Op::Call(
                Call::CancelSynchronousIo { thread, .. }
                | Call::QueueUserAPC { thread }
                | Call::OpenThread { thread },
            ) => (None, Some(thread)),
            Op::Call(_) | Op::Composite(_) => return true,
        };
        match (process, thread) {
            (Some(process), _) => match self.process_numbers.get(&process.0) {
                Some(number) => *process = ProcessId(*number),
                None => return false,
            },
            (_, Some(thread)) => match self.thread_numbers.get(&thread.0) {
                Some(number) => *thread = ThreadId(*number),
                None => return false,
            },
            (None, None) => {}
        }
        true
    }

    fn finish(mut self, header: Header, skipped: &mut Skipped) -> Trace {
        for (what, count) in &self.skipped.counts {
            skipped.count(what, *count as usize);
        }
        let seq = self.seq();
        self.events.push((0, Event::End { seq }));
        let numbered = (2..).zip(self.events).map(|(line, (_, event))| (line, event));
        let header = Header {
            processes: self.processes,
            threads: self.threads,
            skipped: skipped.counts.clone(),
            ..header
        };
        Trace { header, events: numbered.collect() }
    }
}

fn seen(stamp: Option<Stamp>) -> Seen {
    match stamp {
        Some(stamp) => Seen { at: stamp.at, line: Some(stamp.line) },
        None => Seen::default(),
    }
}
