//! The model between two points of a history: which calls it has taken, and how they ended.
//!
//! A step is one call of the kernel with everything that it causes. It is refused when the model
//! answers otherwise than was recorded, or too late. What a step changed can be undone, and states
//! have keys.

use npfs_abi::{
    Call, Completion, Data, Delivery, Handle, Names, Op, Outcome, Output, PacketSource, Reply,
    RequestId, ThreadId,
};
use npfs_kernel::Kernel;
use npfs_kernel::program::{Next, Program, StatusBlocks};
use npfs_trace::trace::Recorded;

use super::history::{CallId, Entry, Filler, History, NEVER, NO_CALL, Slot, seen_data};
use crate::deviation::{Deviations, Told};
use crate::{hash, view};

/// What happens next: a thread makes its next call of the kernel, or a time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Choice {
    /// This thread goes on.
    Go(u32),
    /// This thread has slept long enough.
    Expire(u32),
    /// The operation of this call has pended long enough.
    ExpireRequest(CallId),
}

/// The recorded result that the model does not give.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trouble {
    pub(crate) call: CallId,
    pub(crate) line: u32,
    pub(crate) model: String,
    pub(crate) recorded: String,
}

/// What a step brought about, for whoever writes it down.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// A call is over.
    Returned(CallId, Outcome),
    /// A pending operation has ended.
    Ended(CallId, Reply),
    /// A difference that the table knows.
    Known(usize, String),
}

/// A thread: how far it has come in its calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Runner {
    /// How many of its calls were begun.
    begun: u32,
    /// How many calls of the kernel that was.
    calls: u32,
    running: Running,
    /// Whether its call has slept.
    slept: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
enum Running {
    #[default]
    Idle,
    /// Asleep in the only call of an operation.
    Asleep,
    /// Asleep in one of the calls of an operation.
    Inside(Box<Program>),
    /// That call has returned this, and the operation goes on.
    Woken(Box<Program>, Outcome),
    /// The operation makes this call next.
    Before(Box<Program>, Box<Call>),
}

/// The status block of a call.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Block {
    end: End,
    event: Option<Handle>,
    /// The thread waits for the end itself and reports it by returning.
    private: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
enum End {
    /// There is no block, or its call was not made.
    #[default]
    None,
    Open,
    /// The call failed, and the block says pending for ever.
    Failed,
    /// Only a packet in a port knows how it ended.
    Held(Reply),
    Told(Reply),
}

#[derive(Clone, Debug)]
enum Change {
    Runner(usize, Box<Runner>, u64),
    Block(CallId, Block),
    Word(Slot, Handle),
}

/// A point to return to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    kernel: npfs_kernel::Mark,
    log: usize,
    sum: u64,
    now: u64,
    explained: usize,
    known: usize,
    parted: bool,
    over: usize,
}

/// Stands for a handle or a request that no call has given.
const NO_HANDLE: Handle = Handle(0);
const NO_REQUEST: RequestId = RequestId { thread: ThreadId(0), call: 0 };

/// The model on its way through a history.
pub(crate) struct System<'h, 'a> {
    pub(crate) history: &'h History<'a>,
    kernel: Kernel,
    kernel_calls: bool,
    scenario: &'h str,
    /// Differences that are let pass.
    pub(crate) deviations: &'h Deviations,
    runners: Vec<Runner>,
    hashes: Vec<u64>,
    blocks: Vec<Block>,
    /// By word.
    handles: Vec<Handle>,
    /// The first kernel call of each call that was begun, by thread. Not undone, but overwritten:
    /// entries behind those that a runner has begun are stale.
    firsts: Vec<Vec<u32>>,
    sum: u64,
    log: Vec<Change>,
    /// The greatest stamp that lies behind us.
    now: u64,
    /// How many events of the trace are explained.
    pub(crate) explained: usize,
    /// Lines with differences that the table knows, and its rows.
    pub(crate) known: Vec<(u32, usize)>,
    /// The recorded system is in another state now: nothing more can be compared.
    pub(crate) parted: bool,
    /// Why the last step was refused.
    pub(crate) troubles: Vec<Trouble>,
    /// What it did, if somebody listens.
    pub(crate) news: Option<Vec<News>>,
    caused: Vec<Completion>,
    /// The operations with a recorded end, in the order of the latest stamps.
    ends: Vec<CallId>,
    /// How many of these, from the first, have ended.
    over: usize,
}

impl<'h, 'a> System<'h, 'a> {
    /// The model at the start, with this kernel in which the threads exist.
    pub(crate) fn new(
        history: &'h History<'a>,
        mut kernel: Kernel,
        kernel_calls: bool,
        scenario: &'h str,
        deviations: &'h Deviations,
    ) -> System<'h, 'a> {
        kernel.deal_by_asker();
        kernel.track();
        let threads = history.threads.len();
        let mut ends: Vec<CallId> = (0..)
            .zip(&history.calls)
            .filter(|(_, call)| call.done.is_some())
            .map(|(number, _)| number)
            .collect();
        ends.sort_by_key(|call| history.calls[*call as usize].done.map(|done| done.by));
        let mut system = System {
            history,
            kernel,
            kernel_calls,
            scenario,
            deviations,
            runners: vec![Runner::default(); threads],
            hashes: vec![0; threads],
            blocks: vec![Block::default(); history.calls.len()],
            handles: vec![NO_HANDLE; history.words],
            firsts: history.threads.iter().map(|calls| vec![0; calls.len()]).collect(),
            sum: 0,
            log: Vec::new(),
            now: 0,
            explained: 0,
            known: Vec::new(),
            parted: false,
            troubles: Vec::new(),
            news: None,
            caused: Vec::new(),
            ends,
            over: 0,
        };
        for thread in 0..threads {
            system.hashes[thread] = hash::of(thread as u64, &system.runners[thread]);
        }
        system
    }

    pub(crate) fn mark(&mut self) -> Mark {
        Mark {
            kernel: self.kernel.mark(),
            log: self.log.len(),
            sum: self.sum,
            now: self.now,
            explained: self.explained,
            known: self.known.len(),
            parted: self.parted,
            over: self.over,
        }
    }

    /// Goes back to `mark`; marks are undone in reverse order of their making.
    pub(crate) fn undo(&mut self, mark: Mark) {
        self.kernel.undo(mark.kernel);
        while self.log.len() > mark.log {
            match self.log.pop() {
                Some(Change::Runner(thread, runner, hash)) => {
                    self.runners[thread] = *runner;
                    self.hashes[thread] = hash;
                }
                Some(Change::Block(call, block)) => self.blocks[call as usize] = block,
                Some(Change::Word(slot, handle)) => self.handles[slot as usize] = handle,
                None => break,
            }
        }
        self.known.truncate(mark.known);
        (self.sum, self.now) = (mark.sum, mark.now);
        (self.explained, self.parted, self.over) = (mark.explained, mark.parted, mark.over);
    }

    /// A hash of the state: which calls were taken, and everything the model knows.
    pub(crate) fn key(&mut self) -> u64 {
        hash::scramble(self.kernel.fingerprint() ^ self.sum.rotate_left(32)).wrapping_add(self.sum)
    }

    /// The last call that a thread has begun.
    fn current(&self, thread: usize) -> CallId {
        let begun = self.runners[thread].begun as usize;
        begun.checked_sub(1).map_or(NO_CALL, |last| self.history.threads[thread][last])
    }

    /// The next call of a thread, if it is between two.
    pub(crate) fn next(&self, thread: usize) -> Option<CallId> {
        let runner = &self.runners[thread];
        let calls = &self.history.threads[thread];
        match runner.running {
            Running::Idle => calls.get(runner.begun as usize).copied(),
            _ => None,
        }
    }

    fn entry(&self, call: CallId) -> &'h Entry<'a> {
        &self.history.calls[call as usize]
    }

    /// The stamp behind which nothing may happen before something else has: somebody returned
    /// there, or was seen asleep, or an operation was seen to have ended.
    pub(crate) fn limit(&self) -> u64 {
        let mut limit = NEVER;
        for (thread, runner) in self.runners.iter().enumerate() {
            let stamp = match runner.running {
                Running::Idle => self.next(thread).map_or(NEVER, |call| self.entry(call).taken_by),
                _ => self.entry(self.current(thread)).to,
            };
            limit = limit.min(stamp);
        }
        for call in &self.ends[self.over..] {
            if let (Some(done), false) = (self.entry(*call).done, self.has_ended(*call)) {
                // They are sorted.
                return limit.min(done.by);
            }
        }
        limit
    }

    /// Whether a thread is in this call.
    pub(crate) fn is_inside(&self, call: CallId) -> bool {
        let thread = self.entry(call).thread;
        self.current(thread) == call && self.runners[thread].running != Running::Idle
    }

    fn has_ended(&self, call: CallId) -> bool {
        !matches!(self.blocks[call as usize].end, End::None | End::Open | End::Held(_))
    }

    /// Every call that must have been taken was taken, and so on: nothing is left to explain.
    pub(crate) fn is_explained(&self) -> bool {
        if self.parted {
            return true;
        }
        (0..self.runners.len()).all(|thread| match self.runners[thread].running {
            Running::Idle => self.next(thread).is_none_or(|call| !self.entry(call).begun),
            _ => !self.entry(self.current(thread)).over,
        }) && self.ends[self.over..].iter().all(|call| self.has_ended(*call))
    }

    /// What can come next, with the stamp by which it must have come.
    pub(crate) fn choices(&self, list: &mut Vec<(u64, Choice)>) {
        let limit = self.limit();
        for thread in 0..self.runners.len() {
            let id = ThreadId(thread as u32 + 1);
            let go = Choice::Go(thread as u32);
            match &self.runners[thread].running {
                Running::Idle => {
                    let Some(call) = self.next(thread).map(|call| self.entry(call)) else {
                        continue;
                    };
                    let bound = |slot: &Slot| self.handles[*slot as usize] != NO_HANDLE;
                    if call.from <= limit && call.needs.iter().all(bound) && self.kernel.can_run(id)
                    {
                        list.push((call.taken_by, go));
                    }
                }
                Running::Woken(..) | Running::Before(..) if self.kernel.can_run(id) => {
                    list.push((self.entry(self.current(thread)).to, go));
                }
                Running::Woken(..) | Running::Before(..) => {}
                Running::Asleep | Running::Inside(_) => {
                    let call = self.entry(self.current(thread));
                    if call.asleep_at <= limit && self.kernel.is_timed(id) {
                        list.push((call.to, Choice::Expire(thread as u32)));
                    }
                }
            }
        }
        for request in self.kernel.timed_requests() {
            let call = self.call_of(request);
            if let Some(entry) = self.history.calls.get(call as usize) {
                let (after, by) = entry.done.map_or((0, NEVER), |done| (done.after, done.by));
                if after <= limit {
                    list.push((by, Choice::ExpireRequest(call)));
                }
            }
        }
    }

    /// Makes a step. `false`: the recording says otherwise; [`System::troubles`] says why, unless
    /// it only comes too late. The state is then good for nothing but [`System::undo`].
    pub(crate) fn step(&mut self, choice: Choice) -> bool {
        self.troubles.clear();
        let limit = self.limit();
        match choice {
            Choice::Go(thread) => {
                let thread = thread as usize;
                match self.next(thread) {
                    Some(call) => self.begin(thread, call),
                    None => self.go_on(thread),
                }
            }
            Choice::Expire(thread) => {
                self.kernel.expire(ThreadId(thread + 1), &mut self.caused);
                self.write_blocks();
            }
            Choice::ExpireRequest(call) => {
                let request = self.request_of(call);
                self.kernel.expire_request(request, &mut self.caused);
                self.write_blocks();
            }
        }
        self.wake();
        while self.ends.get(self.over).is_some_and(|call| self.has_ended(*call)) {
            self.over += 1;
        }
        self.troubles.is_empty() && self.now <= limit && self.now <= self.limit()
    }

    fn keep(&mut self, thread: usize) {
        let runner = Box::new(self.runners[thread].clone());
        self.log.push(Change::Runner(thread, runner, self.hashes[thread]));
    }

    /// Brings the hash of a thread up to date.
    fn rehash(&mut self, thread: usize) {
        let hash = hash::of(thread as u64, &self.runners[thread]);
        let before = std::mem::replace(&mut self.hashes[thread], hash);
        self.sum = self.sum.wrapping_sub(before).wrapping_add(hash);
    }

    fn set_block(&mut self, call: CallId, block: Block) {
        let hash = |block: &Block| match block.end {
            End::None => 0,
            _ => hash::of(u64::from(call) + 0x10_0000, block),
        };
        let fresh = hash(&block);
        let before = std::mem::replace(&mut self.blocks[call as usize], block);
        self.sum = self.sum.wrapping_sub(hash(&before)).wrapping_add(fresh);
        self.log.push(Change::Block(call, before));
    }

    fn bind(&mut self, slot: Slot, handle: Handle) {
        let hash = |handle: Handle| hash::of(u64::from(slot) << 32, &handle);
        let before = std::mem::replace(&mut self.handles[slot as usize], handle);
        self.sum = self.sum.wrapping_sub(hash(before)).wrapping_add(hash(handle));
        self.log.push(Change::Word(slot, before));
    }

    fn tell(&mut self, news: impl FnOnce() -> News) {
        if let Some(list) = &mut self.news {
            list.push(news());
        }
    }

    fn begin(&mut self, thread: usize, call: CallId) {
        let entry = self.entry(call);
        self.keep(thread);
        self.now = self.now.max(entry.from);
        self.explained += 1;
        let op = entry.op.map(&mut Values(self));
        let runner = &mut self.runners[thread];
        self.firsts[thread][runner.begun as usize] = runner.calls + 1;
        runner.begun += 1;
        runner.slept = false;
        match op {
            Op::Call(made) => {
                let outcome = self.call(thread, call, &made);
                match &outcome {
                    Outcome::Blocked(_) => self.sleeps(thread, call, Running::Asleep),
                    Outcome::Pending(_) if !self.kernel_calls && waits(&made) => {
                        let mut program = Program::new(Op::Call(made));
                        // Its first call is the one that was made.
                        program.next(None, &Blocks(self));
                        let next = program.next(Some(outcome), &Blocks(self));
                        self.follow(thread, call, Box::new(program), next);
                    }
                    Outcome::Done(_) | Outcome::Pending(_) => self.finish(thread, call, outcome),
                }
            }
            Op::Composite(_) => {
                let mut program = Program::new(op);
                let next = program.next(None, &Blocks(self));
                self.run(thread, call, Box::new(program), next);
            }
        }
        self.rehash(thread);
    }

    /// The next kernel call of an operation that has several.
    fn go_on(&mut self, thread: usize) {
        let call = self.current(thread);
        self.keep(thread);
        match std::mem::take(&mut self.runners[thread].running) {
            Running::Woken(mut program, outcome) => {
                let next = program.next(Some(outcome), &Blocks(self));
                self.run(thread, call, program, next);
            }
            Running::Before(program, made) => self.run(thread, call, program, Next::Call(*made)),
            running @ (Running::Idle | Running::Asleep | Running::Inside(_)) => {
                self.runners[thread].running = running;
            }
        }
        self.rehash(thread);
    }

    /// Makes the next call of an operation, or ends it.
    fn run(&mut self, thread: usize, call: CallId, mut program: Box<Program>, next: Next) {
        match next {
            Next::Return(outcome) => self.finish(thread, call, outcome),
            Next::Call(made) => {
                let outcome = self.call(thread, call, &made);
                if matches!(outcome, Outcome::Blocked(_)) {
                    return self.sleeps(thread, call, Running::Inside(program));
                }
                let next = program.next(Some(outcome), &Blocks(self));
                self.follow(thread, call, program, next);
            }
        }
    }

    /// The operation ends with the step, or its next call is a step of its own.
    fn follow(&mut self, thread: usize, call: CallId, program: Box<Program>, next: Next) {
        match next {
            Next::Return(outcome) => self.finish(thread, call, outcome),
            Next::Call(made) => {
                self.runners[thread].running = Running::Before(program, Box::new(made));
            }
        }
    }

    fn sleeps(&mut self, thread: usize, call: CallId, running: Running) {
        let runner = &mut self.runners[thread];
        runner.running = running;
        if !std::mem::replace(&mut runner.slept, true) && self.entry(call).block.is_some() {
            self.explained += 1;
        }
    }

    /// One kernel call with everything that it causes.
    fn call(&mut self, thread: usize, call: CallId, made: &Call) -> Outcome {
        let outcome = self.kernel.step(ThreadId(thread as u32 + 1), made, &mut self.caused);
        let runner = &mut self.runners[thread];
        runner.calls += 1;
        let is_first = self.firsts[thread][runner.begun as usize - 1] == runner.calls;
        let by_block = made.delivery().and_then(|delivery| match *delivery {
            Delivery::Return => match outcome {
                Outcome::Pending(_) => Some((None, !self.kernel_calls)),
                Outcome::Done(_) | Outcome::Blocked(_) => None,
            },
            Delivery::Overlapped { event, .. } | Delivery::Nt { event, .. } => Some((event, false)),
            Delivery::Routine => Some((None, false)),
        });
        if let (Some((event, private)), true) = (by_block, is_first) {
            let end = match &outcome {
                // A failure at once leaves the status block as it was: pending (EVENT-05).
                Outcome::Done(reply) if reply.status.is_error() => End::Failed,
                Outcome::Done(reply) => End::Told(reply.clone()),
                Outcome::Pending(_) | Outcome::Blocked(_) => End::Open,
            };
            self.set_block(call, Block { end, event, private });
        }
        self.write_blocks();
        if let Outcome::Done(reply) = &outcome {
            self.write_held(reply);
        }
        outcome
    }

    /// Status blocks are written before anybody who waits for them goes on.
    fn write_blocks(&mut self) {
        let caused = std::mem::take(&mut self.caused);
        for completion in caused.iter().filter(|completion| !completion.wakes) {
            let call = self.call_of(completion.request);
            let Some(block) = self.blocks.get(call as usize).cloned() else { continue };
            if block.end == End::None {
                continue;
            }
            let reply = completion.reply.clone();
            if completion.held {
                self.set_block(call, Block { end: End::Held(reply), ..block });
            } else {
                let private = block.private;
                self.set_block(call, Block { end: End::Told(reply), ..block });
                if !private {
                    self.ended(call, &completion.reply);
                }
            }
        }
        self.caused = caused;
    }

    /// Sleepers go on, also the one who fell asleep in this very step.
    fn wake(&mut self) {
        let mut caused = std::mem::take(&mut self.caused);
        for completion in caused.drain(..) {
            self.write_held(&completion.reply);
            let thread = (completion.request.thread.0 as usize).wrapping_sub(1);
            if !completion.wakes || thread >= self.runners.len() {
                continue;
            }
            let call = self.current(thread);
            self.keep(thread);
            match std::mem::take(&mut self.runners[thread].running) {
                Running::Inside(program) => {
                    let outcome = Outcome::Done(completion.reply);
                    self.runners[thread].running = Running::Woken(program, outcome);
                }
                Running::Asleep => self.finish(thread, call, Outcome::Done(completion.reply)),
                running @ (Running::Idle | Running::Woken(..) | Running::Before(..)) => {
                    self.runners[thread].running = running;
                }
            }
            self.rehash(thread);
        }
        self.caused = caused;
    }

    /// Status blocks whose packets were taken are written now.
    fn write_held(&mut self, reply: &Reply) {
        let Output::Packets(packets) = &reply.output else { return };
        for packet in packets {
            let PacketSource::Request(request) = packet.source else { continue };
            let call = self.call_of(request);
            let Some(block) = self.blocks.get(call as usize).cloned() else { continue };
            if let End::Held(reply) = block.end {
                self.set_block(call, Block { end: End::Told(reply.clone()), ..block });
                self.ended(call, &reply);
            }
        }
    }

    /// A call is over for its thread.
    fn finish(&mut self, thread: usize, call: CallId, outcome: Outcome) {
        let entry = self.entry(call);
        let outcome = self.renamed(outcome);
        self.runners[thread].running = Running::Idle;
        let slept = self.runners[thread].slept;
        if slept {
            self.now = self.now.max(entry.asleep_at);
        }
        match &outcome {
            Outcome::Done(Reply { output: Output::Handle(handle), .. }) => {
                if let [slot, ..] = entry.gives[..] {
                    self.bind(slot, *handle);
                }
            }
            Outcome::Done(Reply { output: Output::Handles(read, write), .. }) => {
                if let [one, two, ..] = entry.gives[..] {
                    self.bind(one, *read);
                    self.bind(two, *write);
                }
            }
            Outcome::Done(_) | Outcome::Pending(_) | Outcome::Blocked(_) => {}
        }
        self.tell(|| News::Returned(call, outcome.clone()));
        if let (Some(line), false) = (entry.block, slept) {
            let model = view::model_text(entry.source, &outcome);
            self.differs(call, line, model, "blocked".to_owned());
        }
        if let Some((line, recorded)) = entry.result {
            self.explained += 1;
            for (model, found) in self.compare_return(entry, &outcome, recorded) {
                self.differs(call, line, model, found);
            }
        }
        if let (Outcome::Done(reply), Some(_)) = (&outcome, entry.done) {
            let reply = reply.clone();
            self.ended(call, &reply);
        }
    }

    /// An overlapped operation has ended.
    fn ended(&mut self, call: CallId, reply: &Reply) {
        self.tell(|| News::Ended(call, reply.clone()));
        let entry = self.entry(call);
        let Some(done) = entry.done else { return };
        self.explained += 1;
        self.now = self.now.max(done.after);
        let outcome = Outcome::Done(reply.clone());
        let Outcome::Done(shown) = self.shown(&outcome, done.result) else { return };
        for (model, found) in view::compare_end(&shown, done.result) {
            self.differs(call, done.line, model, found);
        }
        if done.result.failed && !reply.status.is_error() {
            let model = view::text(Some(reply.status), None);
            self.differs(call, done.line, model, "a failure".to_owned());
        }
    }

    fn compare_return(
        &self,
        entry: &Entry<'_>,
        outcome: &Outcome,
        recorded: &Recorded,
    ) -> Vec<view::Pair> {
        let outcome = self.shown(outcome, recorded);
        let fails = match &outcome {
            Outcome::Done(_) => view::error(entry.source, &outcome) != 0,
            Outcome::Pending(_) | Outcome::Blocked(_) => false,
        };
        let wanted = if recorded.failed && !fails {
            "a failure"
        } else if entry.assumed && fails && recorded.error.is_none() && recorded.status.is_none() {
            "a success that others need"
        } else {
            return view::compare_return(entry.source, &outcome, recorded);
        };
        vec![(view::model_text(entry.source, &outcome), wanted.to_owned())]
    }

    /// The outcome as the recording could have shown it: cut, and unknown bytes as they were seen.
    fn shown(&self, outcome: &Outcome, recorded: &Recorded) -> Outcome {
        let mut outcome = outcome.clone();
        let Outcome::Done(reply) = &mut outcome else { return outcome };
        let Some(seen) = seen_data(recorded) else { return outcome };
        let data = match &mut reply.output {
            Output::Data(data) => data,
            Output::Peek(peek) => &mut peek.data,
            _ => return outcome,
        };
        if recorded.cut {
            *data = data.part(0..seen.size());
        }
        let unknown = |byte: u8| match self.history.filler {
            None => false,
            Some(Filler::Byte(filler)) => byte == filler,
            Some(Filler::Any) => true,
        };
        if self.history.filler.is_some() && data.len() == seen.len() {
            let pairs = data.iter().zip(seen.iter());
            let bytes: Vec<u8> =
                pairs.map(|(byte, seen)| if unknown(*byte) { *seen } else { *byte }).collect();
            *data = Data::from(bytes);
        }
        outcome
    }

    fn differs(&mut self, call: CallId, line: u32, model: String, recorded: String) {
        let op = word_of(self.entry(call).source);
        let told = Told { scenario: self.scenario, op: &op, model: &model, recorded: &recorded };
        match self.deviations.find(&told) {
            Some(row) => {
                self.known.push((line, row));
                self.parted |= self.deviations.rows[row].ends;
                self.tell(|| News::Known(row, recorded));
            }
            None => self.troubles.push(Trouble { call, line, model, recorded }),
        }
    }

    /// The kernel's name of a call.
    fn request_of(&self, call: CallId) -> RequestId {
        let Some(entry) = self.history.calls.get(call as usize) else { return NO_REQUEST };
        let calls = &self.history.threads[entry.thread];
        let place = calls.partition_point(|other| *other < call);
        if place >= self.runners[entry.thread].begun as usize {
            return NO_REQUEST;
        }
        let first = self.firsts[entry.thread][place];
        RequestId { thread: ThreadId(entry.thread as u32 + 1), call: first }
    }

    /// And the way back.
    fn call_of(&self, request: RequestId) -> CallId {
        let thread = (request.thread.0 as usize).wrapping_sub(1);
        let Some(runner) = self.runners.get(thread) else { return NO_CALL };
        let firsts = &self.firsts[thread][..runner.begun as usize];
        match firsts.binary_search(&request.call) {
            Ok(place) => self.history.threads[thread][place],
            Err(_) => NO_CALL,
        }
    }

    /// Routines and packets have the names that the trace gives to their calls.
    fn renamed(&self, mut outcome: Outcome) -> Outcome {
        let rename = |request: &mut RequestId| {
            if let Some(entry) = self.history.calls.get(self.call_of(*request) as usize) {
                request.call = entry.number;
            }
        };
        match &mut outcome {
            Outcome::Done(Reply { output: Output::Routines(requests), .. }) => {
                requests.iter_mut().for_each(rename);
            }
            Outcome::Done(Reply { output: Output::Packets(packets), .. }) => {
                for packet in packets {
                    if let PacketSource::Request(request) = &mut packet.source {
                        rename(request);
                    }
                }
            }
            Outcome::Done(_) | Outcome::Pending(_) | Outcome::Blocked(_) => {}
        }
        outcome
    }

    /// The calls that are in the way: those that were seen to come before the next stamp and have
    /// not come, and whether the model lets them wait.
    pub(crate) fn outstanding(&self) -> Vec<(CallId, bool)> {
        let limit = self.limit();
        let mut list = Vec::new();
        for thread in 0..self.runners.len() {
            match self.runners[thread].running {
                Running::Idle => {
                    let next = self.next(thread);
                    let due = |call: &CallId| {
                        let entry = self.entry(*call);
                        entry.begun && entry.from <= limit
                    };
                    list.extend(next.filter(due).map(|call| (call, false)));
                }
                _ => {
                    let call = self.current(thread);
                    if self.entry(call).over {
                        list.push((call, true));
                    }
                }
            }
        }
        for call in &self.ends[self.over..] {
            let entry = self.entry(*call);
            let open = matches!(self.blocks[*call as usize].end, End::Open | End::Held(_));
            if open && !list.iter().any(|(other, _)| other == call) && entry.from <= limit {
                list.push((*call, true));
            }
        }
        list
    }
}

struct Values<'s, 'h, 'a>(&'s System<'h, 'a>);

impl Names<Slot, CallId> for Values<'_, '_, '_> {
    type Handle = Handle;
    type Request = RequestId;
    fn handle(&mut self, slot: &Slot) -> Handle {
        self.0.handles.get(*slot as usize).copied().unwrap_or(NO_HANDLE)
    }
    fn request(&mut self, call: &CallId) -> RequestId {
        self.0.request_of(*call)
    }
}

struct Blocks<'s, 'h, 'a>(&'s System<'h, 'a>);

impl StatusBlocks for Blocks<'_, '_, '_> {
    fn reply(&self, request: RequestId) -> Option<Reply> {
        match &self.0.blocks.get(self.0.call_of(request) as usize)?.end {
            End::Told(reply) => Some(reply.clone()),
            End::None | End::Open | End::Failed | End::Held(_) => None,
        }
    }
    fn event(&self, request: RequestId) -> Option<Handle> {
        self.0.blocks.get(self.0.call_of(request) as usize)?.event
    }
}

/// A call without OVERLAPPED whose thread waits when the operation pends.
fn waits(call: &Call) -> bool {
    match call.delivery() {
        Some(delivery) => *delivery == Delivery::Return,
        None => matches!(
            call,
            Call::DisconnectNamedPipe { .. }
                | Call::FlushFileBuffers { .. }
                | Call::PeekNamedPipe { .. }
        ),
    }
}

/// The word of an operation in scenarios.
pub(crate) fn word_of(op: &Op<npfs_trace::scenario::Word, npfs_trace::scenario::Word>) -> String {
    let text = npfs_trace::text::Printer::default().op(op);
    text.split(' ').next().unwrap_or_default().to_owned()
}
