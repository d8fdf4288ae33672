//! The model between two points of a history: which calls it has taken, and how they ended.
//!
//! A step is one call of the kernel with everything that it causes. It is refused when the model
//! answers otherwise than was recorded, or too late. What a step changed can be undone, and states
//! have keys.

mod compare;
mod step;

use npfs_abi::{Call, Completion, Handle, Outcome, Reply, RequestId, ThreadId};
use npfs_kernel::Kernel;
use npfs_kernel::program::Program;

use super::history::{CallId, Entry, History, NEVER, NO_CALL, Slot};
use crate::deviation::Deviations;
use npfs_kernel::hash;

pub(crate) use compare::word_of;

/// What happens next: a thread makes its next call of the kernel, or a time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Choice {
    /// This thread goes on.
    Go(u32),
    /// This thread has slept long enough.
    Expire(u32),
    /// The operation of this call has pended long enough.
    ExpireRequest(CallId),
    /// The model lets this call wait and the recorded system did not, which the table knows.
    Forgive(CallId),
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
/// Stands for a handle that the recorded system gave and the model did not, which a row of the
/// table knows. No process has it.
const LOST: Handle = Handle(u32::MAX - 3);
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
        self.forgiven(limit, list);
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
            Choice::Forgive(call) => self.forgive(call),
        }
        self.wake();
        while self.ends.get(self.over).is_some_and(|call| self.has_ended(*call)) {
            self.over += 1;
        }
        if self.parted {
            // Nothing behind that can be compared, nor what came with it.
            self.troubles.clear();
            return true;
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
