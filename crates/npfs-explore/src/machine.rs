//! A system between two calls: the kernel, and how far every thread is in its program.
//!
//! A machine can be stepped, undone, hashed and cloned. A step is one kernel call of one thread
//! with everything that it causes, or the reading of a status block, or the passing of time.
//! Threads do not move between their calls: what they decide is part of the step before.

use std::sync::Arc;

use npfs_abi::{
    Call, Completion, Delivery, Handle, Names, Op, Outcome, Output, PacketSource, Reply, RequestId,
    ThreadId,
};
use npfs_kernel::program::{Next, Program, StatusBlocks, waits};
use npfs_kernel::{Footprint, Kernel, ProcessSpec};
use npfs_machine::holds;

use crate::flow::{self, Ledger, Moves};
use crate::model::{Before, Instr, Model, OpCode, Slot, Unfit};
use crate::property;
use crate::schedule::Choice;
use npfs_kernel::hash;

/// The system of a scenario, somewhere on its way.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(crate) model: Arc<Model>,
    pub(crate) kernel: Kernel,
    threads: Vec<Runner>,
    words: Vec<Bound>,
    /// The results of each thread, in order.
    results: Vec<Vec<Recorded>>,
    /// How many `advance` lines have been done, and how often time passed besides.
    advanced: u32,
    ticks: u32,
    /// The hash of each thread, and the sum of these and of the words that matter.
    hashes: Vec<u64>,
    /// The hash of each word, and whether it is not up to date; those words.
    word_hashes: Vec<(u64, bool)>,
    stale_words: Vec<Slot>,
    sum: u64,
    log: Vec<Change>,
    /// Who is in the log since the last mark, and whose hash is not up to date.
    kept: [u64; 4],
    stale: [u64; 4],
    tracking: bool,
    touched: Touched,
    caused: Vec<Completion>,
}

/// A result of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Recorded {
    /// Its step in the scenario.
    pub(crate) step: u32,
    /// Its first kernel call.
    pub(crate) call: u32,
    pub(crate) outcome: Outcome,
}

impl Recorded {
    /// Whether it is the same result, values of handles aside.
    fn says(&self, other: &Recorded) -> bool {
        let handles = |outcome: &Outcome| match outcome {
            Outcome::Done(reply) => match reply.output {
                Output::Handle(_) | Output::Handles(..) => Some((reply.status, reply.information)),
                _ => None,
            },
            Outcome::Pending(_) | Outcome::Blocked(_) => None,
        };
        let same = match (handles(&self.outcome), handles(&other.outcome)) {
            (None, None) => self.outcome == other.outcome,
            (one, two) => one == two,
        };
        self.step == other.step && self.call == other.call && same
    }
}

/// What a word stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Bound {
    value: Value,
    /// Whose result it names, and which.
    thread: u32,
    result: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Value {
    /// No call has given it yet.
    #[default]
    Open,
    /// The call that should have given a handle failed.
    Failed,
    Handle(Handle),
    Request(RequestId),
}

/// How far a thread is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Runner {
    /// The instruction that comes next.
    next: u32,
    turns: Vec<u8>,
    /// Steps, operations and kernel calls so far.
    steps: u32,
    operations: u32,
    calls: u32,
    /// The operation it is in, by its step, and that operation's first kernel call.
    step: u32,
    first: u32,
    running: Running,
    /// What the call it sleeps in moves.
    moves: Moves,
    /// The hash of its results so far, and their number.
    history: u64,
    results: u32,
    blocks: Vec<Block>,
    /// What its calls have put into pipes and taken out.
    ledger: Ledger,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
enum Running {
    /// Between operations.
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

/// The status block of an operation that may end without its thread.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Block {
    call: u32,
    operation: u32,
    event: Option<Handle>,
    end: End,
    moves: Moves,
    /// The thread waits for the end itself and reports it by returning.
    private: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum End {
    Open,
    /// It failed in its own call, and the block says pending for ever.
    Failed,
    /// Only a packet in a port knows how it ended.
    Held(Reply),
    Told(Reply),
}

#[derive(Clone, Debug)]
enum Change {
    /// A thread with its hash, if that was up to date.
    Thread(usize, Box<Runner>, Option<u64>),
    Word(Slot, Bound),
}

/// A point to return to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    kernel: npfs_kernel::Mark,
    log: usize,
    advanced: u32,
    ticks: u32,
}

/// What a step touched outside the kernel: words that several threads use, status blocks by
/// their owners.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
struct Touched {
    words_read: u64,
    words_written: u64,
    blocks_read: u64,
    blocks_written: u64,
}

/// What a step touched, in the kernel and outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Touch {
    /// In the kernel.
    pub kernel: Footprint,
    outside: Touched,
}

impl Touch {
    /// What was touched in the kernel, and whose status blocks were looked at and written.
    pub(crate) fn of_blocks(kernel: Footprint, blocks: (u64, u64)) -> Touch {
        let (blocks_read, blocks_written) = blocks;
        Touch { kernel, outside: Touched { blocks_read, blocks_written, ..Touched::default() } }
    }

    /// Whether the order of two steps may matter.
    pub fn conflicts(&self, other: &Touch) -> bool {
        let (one, two) = (&self.outside, &other.outside);
        one.words_written & (two.words_read | two.words_written) != 0
            || two.words_written & one.words_read != 0
            || one.blocks_written & (two.blocks_read | two.blocks_written) != 0
            || two.blocks_written & one.blocks_read != 0
            || self.kernel.conflicts(&other.kernel)
    }

    /// How many kinds of facts there are.
    pub const KINDS: usize = Footprint::KINDS + 4;

    /// Without the facts of one kind, below [`Touch::KINDS`]. For tests that want to know whether
    /// every kind is needed.
    #[must_use]
    pub fn without(mut self, kind: usize) -> Touch {
        match kind.checked_sub(Footprint::KINDS) {
            None => self.kernel = self.kernel.without(kind),
            Some(0) => self.outside.words_read = 0,
            Some(1) => self.outside.words_written = 0,
            Some(2) => self.outside.blocks_read = 0,
            Some(_) => self.outside.blocks_written = 0,
        }
        self
    }

    /// Adds everything that `other` touched.
    pub fn join(&mut self, other: &Touch) {
        let (one, two) = (&mut self.outside, &other.outside);
        one.words_read |= two.words_read;
        one.words_written |= two.words_written;
        one.blocks_read |= two.blocks_read;
        one.blocks_written |= two.blocks_written;
        self.kernel.join(&other.kernel);
    }
}

struct Blocks<'a>(&'a [Runner]);

impl Blocks<'_> {
    fn find(&self, request: RequestId) -> Option<&Block> {
        let runner = self.0.get((request.thread.0 as usize).checked_sub(1)?)?;
        runner.blocks.iter().rev().find(|block| block.call == request.call)
    }
}

impl StatusBlocks for Blocks<'_> {
    fn reply(&self, request: RequestId) -> Option<Reply> {
        match &self.find(request)?.end {
            End::Told(reply) => Some(reply.clone()),
            End::Open | End::Failed | End::Held(_) => None,
        }
    }
    fn event(&self, request: RequestId) -> Option<Handle> {
        self.find(request)?.event
    }
}

/// Stands for a handle or a request that no call has given.
const NO_HANDLE: Handle = Handle(0);
const NO_REQUEST: RequestId = RequestId { thread: ThreadId(0), call: 0 };

struct Values<'a>(&'a [Bound]);

impl Names<Slot, Slot> for Values<'_> {
    type Handle = Handle;
    type Request = RequestId;
    fn handle(&mut self, slot: &Slot) -> Handle {
        match self.0[usize::from(*slot)].value {
            Value::Handle(handle) => handle,
            Value::Open | Value::Failed | Value::Request(_) => NO_HANDLE,
        }
    }
    fn request(&mut self, slot: &Slot) -> RequestId {
        match self.0[usize::from(*slot)].value {
            Value::Request(request) => request,
            Value::Open | Value::Failed | Value::Handle(_) => NO_REQUEST,
        }
    }
}

impl Machine {
    /// The system at the line `race`, or at the start if there is none.
    ///
    /// # Errors
    /// When a thread sleeps that has more to do above `race`.
    pub fn new(model: Arc<Model>) -> Result<Machine, Unfit> {
        let scenario = &model.scenario;
        let mut kernel = Kernel::with_profile(scenario.profile);
        scenario.faults.iter().for_each(|fault| kernel.add_fault(fault.clone()));
        for process in &scenario.processes {
            kernel.add_process(ProcessSpec {
                declared: !process.started,
                token: process.token.clone(),
                session: process.session,
                computer: process.computer.as_deref().map(Arc::from),
            });
        }
        for thread in &scenario.threads {
            kernel.create_thread(thread.process);
        }
        let runner = |code: &crate::model::ThreadCode| Runner {
            turns: vec![0; code.counters],
            ..Runner::default()
        };
        let mut machine = Machine {
            kernel,
            threads: model.threads.iter().map(runner).collect(),
            words: vec![Bound::default(); model.words.len()],
            results: vec![Vec::new(); model.threads.len()],
            advanced: 0,
            ticks: 0,
            hashes: vec![0; model.threads.len()],
            word_hashes: vec![(0, false); model.words.len()],
            stale_words: Vec::new(),
            sum: 0,
            log: Vec::new(),
            kept: [0; 4],
            stale: [0; 4],
            tracking: false,
            touched: Touched::default(),
            caused: Vec::new(),
            model: Arc::clone(&model),
        };
        machine.before(&model)?;
        for thread in 0..machine.threads.len() {
            machine.steer(&model, thread);
        }
        machine.kernel.deal_by_asker();
        Ok(machine)
    }

    /// What stands above `race`.
    fn before(&mut self, model: &Model) -> Result<(), Unfit> {
        for (line, before) in &model.prefix {
            match *before {
                Before::Advance(span) => {
                    let to = self.kernel.time().after(span);
                    self.pass(model, to);
                }
                Before::Op(thread, step) => {
                    let place = thread.0 as usize - 1;
                    if !self.kernel.can_run(thread) {
                        let name = &model.threads[place].name;
                        let why = format!("wanted {name} to make a call, found that it sleeps");
                        return Err(Unfit { line: *line, why });
                    }
                    self.begin(model, place, step);
                    while !matches!(self.threads[place].running, Running::Idle)
                        && self.kernel.can_run(thread)
                    {
                        self.go_on(model, place);
                    }
                }
            }
        }
        Ok(())
    }

    /// Begins to keep what [`Machine::mark`], [`Machine::undo`] and [`Machine::key`] need.
    pub fn track(&mut self) {
        self.kernel.track();
        self.tracking = true;
        self.log.clear();
        self.sum = 0;
        (self.kept, self.stale) = ([0; 4], [0; 4]);
        for place in 0..self.threads.len() {
            self.hashes[place] = self.thread_hash(place);
            self.sum = self.sum.wrapping_add(self.hashes[place]);
        }
        self.stale_words.clear();
        for slot in 0..self.words.len() {
            self.word_hashes[slot] = (self.word_hash(slot), false);
            self.sum = self.sum.wrapping_add(self.word_hashes[slot].0);
        }
    }

    /// A point to return to. Needs [`Machine::track`].
    pub fn mark(&mut self) -> Mark {
        self.kept = [0; 4];
        Mark {
            kernel: self.kernel.mark(),
            log: self.log.len(),
            advanced: self.advanced,
            ticks: self.ticks,
        }
    }

    /// Goes back to `mark`; marks are undone in reverse order of their making.
    pub fn undo(&mut self, mark: Mark) {
        self.kernel.undo(mark.kernel);
        while self.log.len() > mark.log {
            match self.log.pop() {
                Some(Change::Thread(place, runner, hash)) => {
                    self.results[place].truncate(runner.results as usize);
                    self.threads[place] = *runner;
                    let bit = 1 << (place % 64);
                    match hash {
                        Some(hash) => {
                            self.stale[place / 64] &= !bit;
                            self.set_hash(place, hash);
                        }
                        None => self.stale[place / 64] |= bit,
                    }
                }
                Some(Change::Word(slot, bound)) => self.set_word(usize::from(slot), bound),
                None => break,
            }
        }
        self.kept = [0; 4];
        (self.advanced, self.ticks) = (mark.advanced, mark.ticks);
    }

    /// A hash of the state. Equal keys stand for equal states, but for a chance of
    /// (number of states)² / 2⁶⁴.
    pub fn key(&mut self) -> u64 {
        self.rehash();
        let clock = (u64::from(self.advanced) << 32) | u64::from(self.ticks);
        let rest = self.sum.wrapping_add(hash::scramble(clock ^ 0xA5A5_A5A5));
        hash::scramble(self.kernel.fingerprint() ^ rest.rotate_left(32)).wrapping_add(rest)
    }

    /// Whether two machines are in the same state.
    pub fn same(&self, other: &Machine) -> bool {
        self.kernel == other.kernel
            && self.threads == other.threads
            && self.results.iter().zip(&other.results).all(|(one, two)| {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.says(two))
            })
            && (self.advanced, self.ticks) == (other.advanced, other.ticks)
            && (0..self.words.len()).all(|slot| self.word_says(slot) == other.word_says(slot))
    }

    fn thread_hash(&self, place: usize) -> u64 {
        hash::of(place as u64 + 1, &self.threads[place])
    }

    /// What does not follow from the results of the thread that gives a word: whose it is, if
    /// several threads give it, and the value of a handle, which stays when the handle is closed.
    fn word_says(&self, slot: usize) -> (Option<(u32, u32)>, Option<Handle>) {
        let bound = &self.words[slot];
        let whose = self.model.words[slot].contested().then_some((bound.thread, bound.result));
        let handle = match bound.value {
            Value::Handle(handle) => Some(handle),
            Value::Open | Value::Failed | Value::Request(_) => None,
        };
        (whose, handle)
    }

    fn word_hash(&self, slot: usize) -> u64 {
        match self.word_says(slot) {
            (None, None) => 0,
            says => hash::of(slot as u64 + 0x1_0000, &says),
        }
    }

    /// Begins or ends the record of what steps touch.
    pub fn record(&mut self, recording: bool) {
        self.kernel.record(recording);
    }

    /// Forgets what was touched so far.
    pub fn forget_touched(&mut self) {
        self.kernel.footprint();
        self.touched = Touched::default();
    }

    /// What was touched since the last time.
    pub fn take_touched(&mut self) -> Touch {
        let outside = std::mem::take(&mut self.touched);
        Touch { kernel: self.kernel.footprint(), outside }
    }

    /// How many threads there are.
    pub fn thread_count(&self) -> usize {
        self.threads.len()
    }

    /// Whether a thread has nothing more to do.
    pub fn has_finished(&self, place: usize) -> bool {
        let runner = &self.threads[place];
        let thread = ThreadId(place as u32 + 1);
        let over = runner.next as usize >= self.model.threads[place].instructions.len();
        matches!(runner.running, Running::Idle) && over
            || !self.kernel.can_run(thread) && !self.kernel.sleeps(thread)
    }

    /// Whether a thread sleeps in a call.
    pub fn sleeps(&self, place: usize) -> bool {
        self.kernel.sleeps(ThreadId(place as u32 + 1))
    }

    /// Whether a thread can make a step.
    pub fn can_step(&self, place: usize) -> bool {
        if !self.kernel.can_run(ThreadId(place as u32 + 1)) {
            return false;
        }
        let runner = &self.threads[place];
        match runner.running {
            Running::Idle => match self.model.threads[place].instructions.get(runner.next as usize)
            {
                Some(Instr::Op(step)) => match &self.model.ops[*step as usize] {
                    Some(code) => code
                        .needs
                        .iter()
                        .all(|slot| self.words[usize::from(*slot)].value != Value::Open),
                    None => false,
                },
                Some(_) | None => false,
            },
            Running::Asleep | Running::Inside(_) => false,
            Running::Woken(..) | Running::Before(..) => true,
        }
    }

    /// Which properties an order breaks that ends here, a bit each in the order of the scenario.
    /// `last` says that nothing can happen any more.
    pub fn broken(&self, last: bool) -> u64 {
        property::broken(self, last)
    }

    /// What can come next: threads in order, then the clock. None at the end.
    pub fn choices(&self, list: &mut Vec<Choice>) {
        list.clear();
        for place in 0..self.threads.len() {
            if self.can_step(place) {
                list.push(Choice::thread(place));
                if self.model.any_waiter {
                    let behind = (0..self.threads.len())
                        .filter(|other| self.kernel.waits_behind(ThreadId(*other as u32 + 1)));
                    list.extend(behind.map(|first| Choice::thread(place).with_first(first)));
                }
            }
        }
        let eager = self.model.eager_timers;
        if (list.is_empty() || eager) && self.kernel.next_deadline().is_some() {
            list.push(Choice::CLOCK);
        }
        if (self.advanced as usize) < self.model.spans.len() {
            list.push(Choice::ADVANCE);
        }
    }

    /// Makes a step. A choice that is not open does nothing.
    pub fn step(&mut self, choice: Choice) {
        let model = Arc::clone(&self.model);
        let model = &*model;
        match choice {
            Choice::CLOCK => {
                if let Some(deadline) = self.kernel.next_deadline() {
                    self.ticks += 1;
                    self.pass(model, deadline);
                }
            }
            Choice::ADVANCE => {
                if let Some(span) = self.model.spans.get(self.advanced as usize) {
                    let to = self.kernel.time().after(*span);
                    self.advanced += 1;
                    self.pass(model, to);
                }
            }
            Choice { .. } => {
                if let Some(place) = choice.place().filter(|place| self.can_step(*place)) {
                    self.keep(place);
                    if let Some(first) = choice.first() {
                        self.kernel.put_first(ThreadId(first as u32 + 1));
                    }
                    self.threads[place].steps += 1;
                    match self.threads[place].running {
                        Running::Idle => {
                            let next = self.threads[place].next as usize;
                            let code = &self.model.threads[place].instructions;
                            if let Some(Instr::Op(step)) = code.get(next) {
                                let step = *step;
                                self.threads[place].next += 1;
                                self.begin(model, place, step);
                            }
                        }
                        Running::Asleep
                        | Running::Inside(_)
                        | Running::Woken(..)
                        | Running::Before(..) => self.go_on(model, place),
                    }
                }
            }
        }
    }

    fn pass(&mut self, model: &Model, to: npfs_abi::Time) {
        let mut caused = std::mem::take(&mut self.caused);
        self.kernel.advance(to, &mut caused);
        self.write_blocks(&caused);
        self.caused = caused;
        self.wake(model);
    }

    /// Writes a thread to the log, before its first change since the last mark.
    fn keep(&mut self, place: usize) {
        let (word, bit) = (place / 64, 1 << (place % 64));
        if !self.tracking {
            return;
        }
        if self.kept[word] & bit == 0 {
            self.kept[word] |= bit;
            let hash = (self.stale[word] & bit == 0).then_some(self.hashes[place]);
            let runner = Box::new(self.threads[place].clone());
            self.log.push(Change::Thread(place, runner, hash));
        }
        self.stale[word] |= bit;
    }

    /// Brings the hashes of the threads and words that were changed up to date.
    fn rehash(&mut self) {
        while let Some(slot) = self.stale_words.pop() {
            let slot = usize::from(slot);
            let hash = self.word_hash(slot);
            let (before, _) = std::mem::replace(&mut self.word_hashes[slot], (hash, false));
            self.sum = self.sum.wrapping_sub(before).wrapping_add(hash);
        }
        for word in 0..self.stale.len() {
            let mut bits = std::mem::take(&mut self.stale[word]);
            while bits != 0 {
                let place = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                self.set_hash(place, self.thread_hash(place));
            }
        }
    }

    fn set_hash(&mut self, place: usize, hash: u64) {
        let before = std::mem::replace(&mut self.hashes[place], hash);
        self.sum = self.sum.wrapping_sub(before).wrapping_add(hash);
    }

    fn set_word(&mut self, slot: usize, bound: Bound) {
        self.words[slot] = bound;
        if self.tracking && !std::mem::replace(&mut self.word_hashes[slot].1, true) {
            self.stale_words.push(slot as Slot);
        }
    }

    fn begin(&mut self, model: &Model, place: usize, step: u32) {
        let Some(code) = &model.ops[step as usize] else { return };
        self.touched.words_read |= code.reads;
        self.touched.words_written |= code.writes;
        let op = code.op.map(&mut Values(&self.words));
        let runner = &mut self.threads[place];
        runner.operations += 1;
        runner.step = step;
        runner.first = runner.calls + 1;
        if !code.gives_handles {
            let request = RequestId { thread: ThreadId(place as u32 + 1), call: runner.first };
            for slot in &code.labels {
                self.bind(*slot, Value::Request(request), place);
            }
        }
        match op {
            Op::Call(call) => {
                let outcome = self.call(place, &call);
                match &outcome {
                    Outcome::Blocked(_) => {
                        self.threads[place].running = Running::Asleep;
                    }
                    Outcome::Pending(_) if waits(&call) => {
                        let mut program = Program::new(Op::Call(call));
                        let blocks = Blocks(&self.threads);
                        // Its first call is the one that was made.
                        program.next(None, &blocks);
                        let next = program.next(Some(outcome), &blocks);
                        self.follow(model, place, code, Box::new(program), next);
                    }
                    Outcome::Done(_) | Outcome::Pending(_) => {
                        self.finish(model, place, code, outcome)
                    }
                }
            }
            Op::Composite(_) => {
                let mut program = Program::new(op);
                self.read_blocks(place, &code.op);
                let next = program.next(None, &Blocks(&self.threads));
                self.run(model, place, code, Box::new(program), next);
            }
        }
        self.wake(model);
    }

    /// The next kernel call of an operation that has several.
    fn go_on(&mut self, model: &Model, place: usize) {
        let step = self.threads[place].step;
        let Some(code) = &model.ops[step as usize] else { return };
        match std::mem::take(&mut self.threads[place].running) {
            Running::Woken(mut program, outcome) => {
                self.read_blocks(place, &code.op);
                let next = program.next(Some(outcome), &Blocks(&self.threads));
                self.run(model, place, code, program, next);
            }
            Running::Before(program, call) => {
                self.run(model, place, code, program, Next::Call(*call))
            }
            running @ (Running::Idle | Running::Asleep | Running::Inside(_)) => {
                self.threads[place].running = running;
            }
        }
        self.wake(model);
    }

    /// Makes the next call of an operation, or ends it.
    fn run(
        &mut self,
        model: &Model,
        place: usize,
        code: &OpCode,
        mut program: Box<Program>,
        next: Next,
    ) {
        match next {
            Next::Return(outcome) => self.finish(model, place, code, outcome),
            Next::Call(call) => {
                let outcome = self.call(place, &call);
                if matches!(outcome, Outcome::Blocked(_)) {
                    self.threads[place].running = Running::Inside(program);
                    return;
                }
                self.read_blocks(place, &code.op);
                let next = program.next(Some(outcome), &Blocks(&self.threads));
                self.follow(model, place, code, program, next);
            }
        }
    }

    /// The operation ends with the step, or its next call is a step of its own.
    fn follow(
        &mut self,
        model: &Model,
        place: usize,
        code: &OpCode,
        program: Box<Program>,
        next: Next,
    ) {
        match next {
            Next::Return(outcome) => self.finish(model, place, code, outcome),
            Next::Call(call) => {
                self.threads[place].running = Running::Before(program, Box::new(call));
            }
        }
    }

    fn read_blocks(&mut self, place: usize, op: &Op<Slot, Slot>) {
        let mut owner = place;
        if let Op::Composite(
            npfs_abi::Composite::GetOverlappedResult { request, .. }
            | npfs_abi::Composite::GetOverlappedResultEx { request, .. },
        ) = op
        {
            if let Value::Request(request) = self.words[usize::from(*request)].value {
                owner = (request.thread.0 as usize).saturating_sub(1);
            }
        }
        self.touched.blocks_read |= 1 << owner.min(63);
    }

    /// One kernel call with everything that it causes.
    fn call(&mut self, place: usize, call: &Call) -> Outcome {
        let thread = ThreadId(place as u32 + 1);
        let mut caused = std::mem::take(&mut self.caused);
        let moves = Moves::of(&self.kernel, thread, call);
        let outcome = self.kernel.step(thread, call, &mut caused);
        let runner = &mut self.threads[place];
        runner.calls += 1;
        let by_block = call.delivery().and_then(|delivery| match *delivery {
            Delivery::Return => match outcome {
                Outcome::Pending(_) => Some((None, true)),
                Outcome::Done(_) | Outcome::Blocked(_) => None,
            },
            Delivery::Overlapped { event, .. } | Delivery::Nt { event, .. } => Some((event, false)),
            Delivery::Routine => Some((None, false)),
        });
        let by_block =
            by_block.or(matches!(call, Call::QueueUserAPC { .. }).then_some((None, true)));
        if let Some((event, private)) = by_block {
            let end = match &outcome {
                // A failure at once leaves the status block as it was: pending (EVENT-05).
                Outcome::Done(reply) if reply.status.is_error() => End::Failed,
                Outcome::Done(reply) => End::Told(reply.clone()),
                Outcome::Pending(_) | Outcome::Blocked(_) => End::Open,
            };
            let (call, operation) = (runner.calls, runner.operations);
            runner.blocks.push(Block { call, operation, event, end, moves, private });
        }
        match &outcome {
            Outcome::Done(reply) => self.count(place, moves, reply),
            Outcome::Blocked(_) => runner.moves = moves,
            Outcome::Pending(_) => {}
        }
        self.write_blocks(&caused);
        self.caused = caused;
        if let Outcome::Done(reply) = &outcome {
            self.write_held(reply);
        }
        outcome
    }

    /// Status blocks are written before anybody who waits for them goes on.
    fn write_blocks(&mut self, caused: &[Completion]) {
        for completion in caused {
            let place = (completion.request.thread.0 as usize).wrapping_sub(1);
            if place >= self.threads.len() {
                continue;
            }
            let call = completion.request.call;
            let runner = &self.threads[place];
            let found = runner.blocks.iter().rposition(|block| block.call == call);
            if completion.wakes && found.is_none() {
                continue;
            }
            self.keep(place);
            self.touched.blocks_written |= 1 << place.min(63);
            if let Some(at) = found {
                let reply = completion.reply.clone();
                if completion.wakes {
                    // An OVERLAPPED on a synchronous handle; the call returns its end, too.
                    self.threads[place].blocks[at].end = End::Told(reply);
                    continue;
                }
                self.count(place, self.threads[place].blocks[at].moves, &reply);
                self.threads[place].blocks[at].end =
                    if completion.held { End::Held(reply) } else { End::Told(reply) };
            }
        }
    }

    /// Sleepers go on, also a thread that fell asleep in this very step.
    fn wake(&mut self, model: &Model) {
        let mut caused = std::mem::take(&mut self.caused);
        for completion in caused.drain(..) {
            self.write_held(&completion.reply);
            if !completion.wakes {
                continue;
            }
            let place = (completion.request.thread.0 as usize).wrapping_sub(1);
            if place >= self.threads.len() {
                continue;
            }
            self.keep(place);
            let runner = &mut self.threads[place];
            let moves = std::mem::take(&mut runner.moves);
            self.count(place, moves, &completion.reply);
            let runner = &mut self.threads[place];
            let step = runner.step;
            match std::mem::take(&mut runner.running) {
                Running::Inside(program) => {
                    runner.running = Running::Woken(program, Outcome::Done(completion.reply));
                }
                Running::Asleep => {
                    if let Some(code) = &model.ops[step as usize] {
                        self.touched.words_written |= code.writes;
                        self.finish(model, place, code, Outcome::Done(completion.reply));
                    }
                }
                running @ (Running::Idle | Running::Woken(..) | Running::Before(..)) => {
                    runner.running = running;
                }
            }
        }
        self.caused = caused;
    }

    /// Status blocks whose packets were taken are written now.
    fn write_held(&mut self, reply: &Reply) {
        let Output::Packets(packets) = &reply.output else { return };
        for packet in packets {
            let PacketSource::Request(request) = packet.source else { continue };
            let place = (request.thread.0 as usize).wrapping_sub(1);
            if place >= self.threads.len() {
                continue;
            }
            self.touched.blocks_written |= 1 << place.min(63);
            let held =
                |block: &Block| block.call == request.call && matches!(block.end, End::Held(_));
            if let Some(at) = self.threads[place].blocks.iter().rposition(held) {
                self.keep(place);
                let block = &mut self.threads[place].blocks[at];
                if let End::Held(reply) = &block.end {
                    block.end = End::Told(reply.clone());
                }
            }
        }
    }

    fn bind(&mut self, slot: Slot, value: Value, place: usize) {
        let at = usize::from(slot);
        let bound = Bound { value, thread: place as u32, result: self.threads[place].results };
        if self.tracking {
            self.log.push(Change::Word(slot, self.words[at]));
        }
        self.set_word(at, bound);
    }

    /// The end of an operation for its thread.
    fn finish(&mut self, model: &Model, place: usize, code: &OpCode, outcome: Outcome) {
        let outcome = self.renamed(outcome);
        if code.gives_handles {
            let handles = match &outcome {
                Outcome::Done(Reply { output: Output::Handle(handle), .. }) => {
                    [Some(*handle), None]
                }
                Outcome::Done(Reply { output: Output::Handles(read, write), .. }) => {
                    [Some(*read), Some(*write)]
                }
                Outcome::Done(_) | Outcome::Pending(_) | Outcome::Blocked(_) => [None, None],
            };
            for (slot, handle) in code.labels.iter().zip(handles) {
                self.bind(*slot, handle.map_or(Value::Failed, Value::Handle), place);
            }
        }
        let runner = &mut self.threads[place];
        runner.running = Running::Idle;
        runner.history = hash::scramble(runner.history ^ result_hash(code.step, &outcome));
        runner.results += 1;
        let call = runner.first;
        self.results[place].push(Recorded { step: code.step, call, outcome });
        self.steer(model, place);
    }

    /// Routines and packets have the names of their operations.
    fn renamed(&self, mut outcome: Outcome) -> Outcome {
        let blocks = Blocks(&self.threads);
        let rename = |request: &mut RequestId| {
            if let Some(block) = blocks.find(*request) {
                request.call = block.operation;
            }
        };
        outcome.rename_requests(rename);
        outcome
    }

    /// Follows the jumps of a thread up to its next operation.
    fn steer(&mut self, model: &Model, place: usize) {
        let code = &model.threads[place].instructions;
        loop {
            let at = self.threads[place].next as usize;
            let next = match code.get(at) {
                None | Some(Instr::Op(_)) => return,
                Some(Instr::Jump(target)) => *target,
                Some(Instr::Unless { unless, of, any, target }) => {
                    let result = match of {
                        None => self.results[place].last(),
                        Some(slot) => self.result_of(*slot),
                    };
                    let found = result.is_some_and(|result| {
                        any.iter().any(|wanted| holds(wanted, &result.outcome))
                    });
                    if found == *unless { *target } else { at as u32 + 1 }
                }
                Some(Instr::Enter { counter, turns }) => {
                    self.threads[place].turns[usize::from(*counter)] = *turns;
                    at as u32 + 1
                }
                Some(Instr::Repeat { counter, start }) => {
                    let turns = &mut self.threads[place].turns[usize::from(*counter)];
                    *turns = turns.saturating_sub(1);
                    if *turns > 0 { *start } else { at as u32 + 1 }
                }
            };
            self.threads[place].next = next;
        }
    }

    /// The result that a word names.
    fn result_of(&self, slot: Slot) -> Option<&Recorded> {
        let bound = self.words[usize::from(slot)];
        if bound.value == Value::Open {
            return None;
        }
        self.results.get(bound.thread as usize)?.get(bound.result as usize)
    }

    /// How the operation that a word names has ended by now: as its call returned, or later.
    pub(crate) fn outcome_of(&self, slot: Slot) -> Option<Outcome> {
        let thread = self.words[usize::from(slot)].thread as usize;
        let result = self.result_of(slot)?;
        Some(self.ended(thread, result).unwrap_or_else(|| result.outcome.clone()))
    }

    /// How an operation that was pending when its call returned has ended since.
    pub(crate) fn ended(&self, place: usize, result: &Recorded) -> Option<Outcome> {
        if !matches!(result.outcome, Outcome::Pending(_)) {
            return None;
        }
        let block = self.threads[place].blocks.iter().find(|block| block.call == result.call)?;
        match &block.end {
            End::Told(reply) | End::Held(reply) => Some(Outcome::Done(reply.clone())),
            End::Open | End::Failed => None,
        }
    }

    /// Whether a thread is between two calls of one operation.
    pub(crate) fn is_inside(&self, place: usize) -> bool {
        matches!(self.threads[place].running, Running::Woken(..) | Running::Before(..))
    }

    /// The results of a thread so far.
    pub(crate) fn results(&self, place: usize) -> &[Recorded] {
        &self.results[place]
    }

    /// The step a thread sleeps in or would make next.
    pub(crate) fn stands_at(&self, place: usize) -> Option<u32> {
        let runner = &self.threads[place];
        match runner.running {
            Running::Idle => {
                match self.model.threads[place].instructions.get(runner.next as usize) {
                    Some(Instr::Op(step)) => Some(*step),
                    Some(_) | None => None,
                }
            }
            Running::Asleep | Running::Inside(_) | Running::Woken(..) | Running::Before(..) => {
                Some(runner.step)
            }
        }
    }

    /// Whether bytes were accepted that nobody has read, and no failing flush has told of it.
    pub(crate) fn has_lost_data(&self) -> bool {
        flow::any(self.threads.iter().map(|runner| &runner.ledger))
    }

    /// A call of a thread has ended.
    fn count(&mut self, place: usize, moves: Moves, reply: &Reply) {
        let outstanding = match moves {
            Moves::Flush(flow) => {
                flow::outstanding(self.threads.iter().map(|runner| &runner.ledger), flow)
            }
            Moves::Nothing | Moves::In(_) | Moves::Out(_) | Moves::Both(..) => 0,
        };
        self.threads[place].ledger.note(moves, reply, outstanding);
    }

    /// Whether an overlapped operation is pending.
    pub(crate) fn has_open_request(&self) -> bool {
        let open = |block: &Block| !block.private && block.end == End::Open;
        self.threads.iter().any(|runner| runner.blocks.iter().any(open))
    }

    /// What an execution comes to, as a hash: the results of every thread, how far it got, and
    /// how its pending operations have ended.
    pub(crate) fn outcome_key(&self) -> u64 {
        let mut sum = 0_u64;
        for (place, runner) in self.threads.iter().enumerate() {
            let ends: Vec<&End> = runner.blocks.iter().map(|block| &block.end).collect();
            let stand = (self.has_finished(place), self.sleeps(place), self.stands_at(place));
            let value = (runner.history, runner.results, stand, ends);
            sum = sum.wrapping_add(hash::of(place as u64 + 77, &value));
        }
        hash::scramble(sum)
    }
}

/// Values of handles are no part of a result.
fn result_hash(step: u32, outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Done(Reply {
            status,
            information,
            output: Output::Handle(_) | Output::Handles(..),
        }) => hash::of(u64::from(step), &(0_u8, status, information)),
        Outcome::Done(reply) => hash::of(u64::from(step), &(1_u8, reply)),
        Outcome::Pending(_) => hash::of(u64::from(step), &2_u8),
        Outcome::Blocked(_) => hash::of(u64::from(step), &3_u8),
    }
}
