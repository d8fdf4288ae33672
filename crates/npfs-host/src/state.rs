//! Everything behind the gate: the kernel, who runs and who sleeps, and what is to be told.
//!
//! A step is taken whole: the kernel answers, status blocks and buffers are written, and only then
//! are the sleepers that it woke put on the list of those to be rung. Who holds the gate rings
//! them after leaving it.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use npfs_abi::{
    Call, Completion, Delivery, Handle, Outcome, Output, PacketSource, ProcessId, Reply, RequestId,
    Status, ThreadId, Time,
};
use npfs_kernel::program::StatusBlocks;
use npfs_kernel::{Kernel, ProcessSpec, cycle};

use crate::by_request::ByRequest;
use crate::event::{Event, Log};
use crate::host::{Clock, Options, Threads};
use crate::schedule::{Candidate, Strategy, Turns};
use crate::stop::{Deadlock, Stopped};
use crate::sync::Bell;

/// What a sleeper is handed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Wake {
    /// Its call has ended.
    Reply(Reply),
    /// It goes on: its turn has come, or whom it waited for has ended.
    Go,
    /// Nothing for it; it looks at the clock again.
    Look,
    /// The simulation has stopped.
    Stop(Stopped),
}

/// A bell to be rung, and what is left there.
pub(crate) type Ring = (Arc<Bell<Wake>>, Wake);

/// A [`Wake::Look`] does not push out anything else.
pub(crate) fn ring(bell: &Bell<Wake>, wake: Wake) {
    let weak = matches!(wake, Wake::Look);
    bell.ring(wake, |_| weak);
}

/// What the end of an operation writes before anybody is told: the caller's memory.
pub type Sink = Box<dyn FnOnce(&Reply) + Send>;

/// A routine of the caller's, run by [`Host::take_routines`](crate::Host::take_routines)'s caller.
pub type Routine = Box<dyn FnOnce() + Send>;

/// What the caller of an operation knows it by and wants done at its end, for surfaces that have
/// the caller's memory in hand. It is used behind the gate.
#[derive(Default)]
pub struct Attached {
    /// Where the status block lies, as
    /// [`Host::cancel_io_ex`](crate::Host::cancel_io_ex) finds the operation by while it pends.
    pub block: u64,
    /// What a packet of the operation carries [`ApcContext`, `lpOverlapped`]; 0 leaves the name of
    /// the request in it.
    pub context: u64,
    /// Is handed the end: at once, or while the call of another thread ends it. Not that of a call
    /// that fails at once, which has no status block (EVENT-05).
    pub sink: Option<Sink>,
    /// The routine that is queued to the thread with this call.
    pub routine: Option<Routine>,
}

impl std::fmt::Debug for Attached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attached")
            .field("block", &self.block)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// An OS thread that the simulation knows.
struct Actor {
    name: Arc<str>,
    bell: Arc<Bell<Wake>>,
    doing: Doing,
    /// Who waits for its end.
    joiners: Vec<usize>,
    /// Its parker was woken since it parked last.
    token: bool,
}

/// What an actor is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Doing {
    /// It runs its own code and may call at any time.
    Running,
    /// When threads take turns: it waits for its turn to make a call.
    Queued,
    /// When threads take turns: it goes on once nobody else runs, and is handed this. That is no
    /// choice: up to its next call nobody can tell when it did.
    Due(Wake),
    /// It sleeps in a call of this kernel thread.
    Asleep(ThreadId),
    /// It waits for the end of another actor.
    Joining(usize),
    /// It waits for its parker to be woken, at most until then.
    Parked(Option<Time>),
    /// It waits for something that the simulation cannot see, and may come back at any time.
    Outside,
    /// It has ended.
    Finished,
}

impl Doing {
    /// Whether it sleeps until another actor or the clock ends that.
    fn is_sleep(&self) -> bool {
        matches!(self, Doing::Asleep(_) | Doing::Joining(_) | Doing::Parked(_))
    }
}

/// A thread of the kernel.
struct Seat {
    /// `None` for a driver: whoever needs it calls as it, and it never sleeps.
    actor: Option<usize>,
    name: Arc<str>,
}

/// The status block of a request that pends or has ended and is still looked at.
struct Block {
    event: Option<Handle>,
    reply: Option<Reply>,
    /// How it ended, while only a packet in a port knows it.
    held: Option<Reply>,
    sink: Option<Sink>,
    /// Who is woken outside the gate once the sink has been handed the end.
    waker: Option<Waker>,
    /// Where its caller has it, if that is known.
    at: u64,
    /// Nobody will look at it again.
    forgotten: bool,
}

impl Block {
    /// The request has ended so. Says whether nobody needs the block any more.
    fn write(&mut self, reply: Reply) -> bool {
        if let Some(sink) = self.sink.take() {
            sink(&reply);
        }
        self.reply = Some(reply);
        self.forgotten
    }
}

/// The status blocks, by request.
#[derive(Default)]
struct Blocks(ByRequest<Block>);

impl StatusBlocks for Blocks {
    fn reply(&self, request: RequestId) -> Option<Reply> {
        self.0.get(&request)?.reply.clone()
    }
    fn event(&self, request: RequestId) -> Option<Handle> {
        self.0.get(&request)?.event
    }
}

pub(crate) struct State {
    kernel: Kernel,
    actors: Vec<Actor>,
    seats: Vec<Seat>,
    processes: Vec<Arc<str>>,
    blocks: Blocks,
    /// What packets of these requests carry.
    contexts: ByRequest<u64>,
    /// At how many contexts those are dropped that no packet will ever carry.
    sweep_at: usize,
    /// The callers' routines, by the call that queues them.
    routines: ByRequest<Routine>,
    /// How many actors may make a call without being rung first.
    running: usize,
    outside: usize,
    /// Counts what happens, to see whether anything does.
    pub(crate) activity: u64,
    pub(crate) stopped: Option<Stopped>,
    strategy: Option<Box<dyn Strategy>>,
    turns: Turns,
    last_turn: Option<usize>,
    clock: Clock,
    threads: Threads,
    start: Instant,
    hinted: bool,
    reported: bool,
    observers: Vec<Sender<Event>>,
    log: Option<Log>,
    /// The kernel threads that no OS thread is, by process.
    drivers: Vec<(ProcessId, ThreadId)>,
    /// Who is to be rung once the gate is left.
    to_ring: Vec<Ring>,
    /// Who is to be woken after that.
    to_wake: Vec<Waker>,
    scratch: Vec<Completion>,
}

impl State {
    pub(crate) fn new(options: Options) -> State {
        let Options { profile, faults, clock, threads, schedule, recording, .. } = options;
        let mut kernel = Kernel::with_profile(profile);
        faults.iter().for_each(|fault| kernel.add_fault(fault.clone()));
        State {
            kernel,
            actors: Vec::new(),
            seats: Vec::new(),
            processes: Vec::new(),
            blocks: Blocks::default(),
            contexts: ByRequest::default(),
            sweep_at: SWEEP,
            routines: ByRequest::default(),
            running: 0,
            outside: 0,
            activity: 0,
            stopped: None,
            strategy: schedule,
            turns: Turns::default(),
            last_turn: None,
            clock,
            threads,
            start: Instant::now(),
            hinted: false,
            reported: false,
            observers: Vec::new(),
            log: recording.then(|| Log { profile, faults, events: Vec::new() }),
            drivers: Vec::new(),
            to_ring: Vec::new(),
            to_wake: Vec::new(),
            scratch: Vec::new(),
        }
    }

    // Who is there.

    pub(crate) fn add_process(&mut self, name: &str, spec: ProcessSpec) -> ProcessId {
        let name = unique(name, &self.processes);
        let process = self.kernel.add_process(spec.clone());
        self.processes.push(name.clone());
        self.tell(|| Event::Process { process, name, spec });
        process
    }

    pub(crate) fn process_name(&self, process: ProcessId) -> Arc<str> {
        self.processes[process.0 as usize - 1].clone()
    }

    pub(crate) fn add_actor(&mut self, name: &str, bell: Arc<Bell<Wake>>) -> usize {
        let names: Vec<Arc<str>> = self.actors.iter().map(|actor| actor.name.clone()).collect();
        let name = unique(name, &names);
        // When threads take turns, a new one waits until nobody else runs.
        let first = self.actors.is_empty();
        let doing = match &self.strategy {
            Some(_) if !first => Doing::Due(Wake::Go),
            _ => Doing::Running,
        };
        self.running += usize::from(doing == Doing::Running);
        self.actors.push(Actor { name, bell, doing, joiners: Vec::new(), token: false });
        self.actors.len() - 1
    }

    pub(crate) fn add_thread(&mut self, actor: usize, process: ProcessId) -> ThreadId {
        // The first thread may act for several processes.
        let called = self.actors[actor].name.clone();
        let name = if actor == 0 {
            format!("{called}@{}", self.processes[process.0 as usize - 1]).into()
        } else {
            let names: Vec<Arc<str>> = self.seats.iter().map(|seat| seat.name.clone()).collect();
            unique(&called, &names)
        };
        self.seat(Some(actor), process, name)
    }

    fn seat(&mut self, actor: Option<usize>, process: ProcessId, name: Arc<str>) -> ThreadId {
        let thread = self.kernel.create_thread(process);
        self.seats.push(Seat { actor, name: name.clone() });
        self.tell(|| Event::Thread { thread, process, name });
        thread
    }

    /// The driver of a process.
    pub(crate) fn driver(&mut self, process: ProcessId) -> ThreadId {
        if let Some((_, thread)) = self.drivers.iter().find(|(of, _)| *of == process) {
            return *thread;
        }
        let name = format!("driver@{}", self.processes[process.0 as usize - 1]);
        let thread = self.seat(None, process, name.into());
        self.drivers.push((process, thread));
        thread
    }

    // Steps.

    /// One call of the kernel. `Err` when the simulation has stopped. With a waker nobody looks at
    /// the status block, and the sink is for an end that is not in this call.
    pub(crate) fn step(
        &mut self,
        thread: ThreadId,
        call: &Call,
        attached: Option<Attached>,
    ) -> Result<Outcome, Stopped> {
        if let Some(stopped) = &self.stopped {
            return Err(stopped.clone());
        }
        if self.kernel.has_exited(thread) {
            return Err(Stopped::Terminated);
        }
        self.activity += 1;
        self.catch_up();
        let mut caused = std::mem::take(&mut self.scratch);
        let deadline = self.watches_clock().then(|| self.kernel.next_deadline());
        let mut outcome = self.kernel.step(thread, call, &mut caused);
        if self.is_observed() {
            let (outcome, caused) = (outcome.clone(), caused.clone());
            self.tell(|| Event::Call { thread, call: call.clone(), outcome, caused });
        }
        let failed =
            matches!(&outcome, Outcome::Done(reply) if reply.status.is_error() || !begun(reply));
        let forgotten = attached.is_some();
        let Attached { block: at, context, sink, routine } = attached.unwrap_or_default();
        if !failed {
            self.attach(thread, context, routine);
        }
        match &mut outcome {
            Outcome::Done(reply) => {
                self.take_packets(reply);
                if let Some(sink) = sink.filter(|_| !failed) {
                    sink(reply);
                }
            }
            // Who sleeps in the call is handed the reply; only what was attached has to be kept.
            Outcome::Blocked(_) if !forgotten => {}
            Outcome::Pending(request) | Outcome::Blocked(request) => {
                let event = call.delivery().and_then(event_of);
                let waker = None;
                let block = Block { event, reply: None, held: None, sink, waker, at, forgotten };
                self.blocks.0.insert(*request, block);
            }
        }
        self.deliver(&mut caused);
        self.scratch = caused;
        if matches!(call, Call::TerminateProcess { .. }) {
            self.end_terminated();
        }
        if deadline.is_some_and(|before| before != self.kernel.next_deadline()) {
            self.ring_sleepers();
        }
        Ok(outcome)
    }

    /// Wakes this once the request has ended, outside the gate.
    pub(crate) fn wake_at_end(&mut self, request: RequestId, waker: Waker) {
        match self.blocks.0.get_mut(&request) {
            Some(block) if block.reply.is_none() => block.waker = Some(waker),
            // It has ended already.
            _ => self.to_wake.push(waker),
        }
    }

    /// Ends a thread that leaves nothing behind: nobody could tell when. `false` if there is
    /// something.
    pub(crate) fn exit_quietly(&mut self, thread: ThreadId) -> bool {
        if self.stopped.is_some() || self.kernel.has_exited(thread) {
            return true;
        }
        let quiet = self.kernel.leaves_nothing(thread);
        if quiet {
            // It has nothing that could block or fail.
            let _ = self.step(thread, &Call::ExitThread, None);
        }
        quiet
    }

    /// Threads that were ended in their sleep do not return from it.
    fn end_terminated(&mut self) {
        for number in 0..self.actors.len() {
            let Doing::Asleep(thread) = self.actors[number].doing else { continue };
            if self.kernel.has_exited(thread) {
                self.rouse(number, Wake::Stop(Stopped::Terminated));
            }
        }
    }

    /// Ends the sleep of an actor: at once, or with its next turn where threads take turns.
    fn rouse(&mut self, number: usize, wake: Wake) {
        let actor = &mut self.actors[number];
        if self.strategy.is_some() {
            actor.doing = Doing::Due(wake);
        } else {
            actor.doing = Doing::Running;
            self.running += 1;
            self.to_ring.push((actor.bell.clone(), wake));
        }
    }

    /// Keeps what the caller has attached to the last call of `thread`.
    fn attach(&mut self, thread: ThreadId, context: u64, routine: Option<Routine>) {
        let request = self.kernel.last_call(thread);
        if let Some(routine) = routine {
            self.routines.insert(request, routine);
        }
        if context != 0 {
            if self.contexts.len() >= self.sweep_at {
                let (blocks, kernel) = (&self.blocks.0, &self.kernel);
                let in_ports = kernel.requests_in_ports();
                self.contexts.retain(|request| {
                    blocks.get(request).is_some() || in_ports.binary_search(request).is_ok()
                });
                self.sweep_at = SWEEP.max(2 * self.contexts.len());
            }
            self.contexts.insert(request, context);
        }
    }

    /// Writes what has ended, then puts those who slept in it on the list.
    fn deliver(&mut self, caused: &mut Vec<Completion>) {
        for completion in caused.drain(..) {
            let Completion { request, wakes, held, mut reply } = completion;
            self.take_packets(&mut reply);
            if wakes {
                let block = self.blocks.0.remove(&request);
                if !begun(&reply) {
                    self.routines.remove(&request);
                }
                if let Some(sink) = block.and_then(|block| block.sink).filter(|_| begun(&reply)) {
                    sink(&reply);
                }
                self.wake(request.thread, reply);
                continue;
            }
            let Some(block) = self.blocks.0.get_mut(&request) else { continue };
            if held {
                block.held = Some(reply);
                continue;
            }
            self.to_wake.extend(block.waker.take());
            if block.write(reply) {
                self.blocks.0.remove(&request);
            }
        }
    }

    /// Status blocks whose packets were taken are written now, and packets carry what their
    /// callers gave them.
    fn take_packets(&mut self, reply: &mut Reply) {
        let Output::Packets(packets) = &mut reply.output else { return };
        for packet in packets {
            let PacketSource::Request(request) = packet.source else { continue };
            if let Some(block) = self.blocks.0.get_mut(&request) {
                if let Some(held) = block.held.take() {
                    self.to_wake.extend(block.waker.take());
                    if block.write(held) {
                        self.blocks.0.remove(&request);
                    }
                }
            }
            if let Some(context) = self.contexts.remove(&request) {
                packet.source = PacketSource::Posted(context);
            }
        }
    }

    /// The routines that these calls have queued.
    pub(crate) fn take_routines(&mut self, queued: &[RequestId]) -> Vec<Routine> {
        queued.iter().filter_map(|request| self.routines.remove(request)).collect()
    }

    /// `CancelIoEx` by the place of the status block: every request that pends there.
    pub(crate) fn cancel_at(
        &mut self,
        thread: ThreadId,
        file: Handle,
        at: u64,
    ) -> Result<Reply, Stopped> {
        let pending =
            self.blocks.0.iter().filter(|(_, block)| {
                block.at == at && block.reply.is_none() && block.held.is_none()
            });
        let mut requests: Vec<RequestId> = pending.map(|(request, _)| *request).collect();
        // Without any, the kernel says so of a request that never was.
        requests.push(RequestId { thread, call: 0 });
        let mut found = None;
        for request in requests {
            let call = Call::CancelIoEx { file, request: Some(request) };
            let Outcome::Done(reply) = self.step(thread, &call, None)? else { continue };
            match &found {
                None => found = Some(reply),
                Some(before) if before.status.is_error() && reply.status.is_success() => {
                    found = Some(reply);
                }
                Some(_) => {}
            }
        }
        Ok(found.unwrap_or(Reply::status(Status::NOT_FOUND)))
    }

    fn wake(&mut self, thread: ThreadId, reply: Reply) {
        let Some(number) = self.seats[thread.0 as usize - 1].actor else { return };
        if self.actors[number].doing == Doing::Asleep(thread) {
            self.rouse(number, Wake::Reply(reply));
        }
    }

    /// The status blocks, for Win32 functions that look at them.
    pub(crate) fn blocks(&self) -> &dyn StatusBlocks {
        &self.blocks
    }

    /// Nobody will ask for the end of this request any more.
    pub(crate) fn forget(&mut self, request: RequestId) {
        if let Some(block) = self.blocks.0.get_mut(&request) {
            if block.reply.is_some() {
                self.blocks.0.remove(&request);
            } else {
                block.forgotten = true;
            }
        }
    }

    pub(crate) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    // Who runs.

    /// The actor goes to sleep in a call of this thread.
    pub(crate) fn fall_asleep(&mut self, actor: usize, thread: ThreadId) {
        self.pause(actor, Doing::Asleep(thread));
    }

    /// The actor waits for its turn. `false` when threads do not take turns.
    pub(crate) fn queue_up(&mut self, actor: usize) -> bool {
        if self.strategy.is_none() || self.stopped.is_some() {
            return false;
        }
        self.pause(actor, Doing::Queued);
        true
    }

    /// Whether the actor has to wait for the end of `other`.
    pub(crate) fn join(&mut self, actor: usize, other: usize) -> bool {
        if self.actors[other].doing == Doing::Finished {
            return false;
        }
        self.actors[other].joiners.push(actor);
        self.pause(actor, Doing::Joining(other));
        true
    }

    /// The actor sleeps until its parker is woken; `false` if it was woken since it parked last.
    pub(crate) fn park(&mut self, actor: usize, until: Option<Time>) -> bool {
        let woken = std::mem::take(&mut self.actors[actor].token);
        if !woken {
            self.pause(actor, Doing::Parked(until));
        }
        !woken
    }

    /// Wakes an actor that is parked, or lets its next park end at once.
    pub(crate) fn unpark(&mut self, actor: usize) {
        self.activity += 1;
        match self.actors[actor].doing {
            Doing::Parked(_) => self.rouse(actor, Wake::Go),
            _ => self.actors[actor].token = true,
        }
        self.settle();
    }

    pub(crate) fn go_outside(&mut self, actor: usize) {
        self.outside += 1;
        self.pause(actor, Doing::Outside);
    }

    /// Whether it has to wait for its turn now.
    pub(crate) fn come_back(&mut self, actor: usize) -> bool {
        self.outside -= 1;
        self.activity += 1;
        let waits = self.strategy.is_some() && self.stopped.is_none();
        if waits {
            self.actors[actor].doing = Doing::Due(Wake::Go);
            self.settle();
        } else {
            self.actors[actor].doing = Doing::Running;
            self.running += 1;
        }
        waits
    }

    pub(crate) fn finish(&mut self, actor: usize) {
        self.pause(actor, Doing::Finished);
        for joiner in std::mem::take(&mut self.actors[actor].joiners) {
            if self.actors[joiner].doing == Doing::Joining(actor) {
                self.rouse(joiner, Wake::Go);
            }
        }
    }

    fn pause(&mut self, actor: usize, doing: Doing) {
        let before = std::mem::replace(&mut self.actors[actor].doing, doing);
        self.running -= usize::from(before == Doing::Running);
    }

    /// When nobody runs: gives a turn, lets time pass, or finds that nobody ever will.
    pub(crate) fn settle(&mut self) {
        if self.threads == Threads::Any && self.strategy.is_none() {
            // A thread may still come that nobody has announced; a sleeper looks again later.
            if self.running == 0 {
                self.ring_sleepers();
            }
            return;
        }
        self.settle_now();
    }

    /// As [`State::settle`], on the word that nobody else will come.
    pub(crate) fn settle_now(&mut self) {
        while self.running == 0 && self.stopped.is_none() {
            if self.give_turn() {
                return;
            }
            if !self.actors.iter().any(|actor| actor.doing.is_sleep()) {
                return;
            }
            match (self.clock, self.next_deadline()) {
                (Clock::Virtual, Some(deadline)) => self.pass(deadline),
                (Clock::Wall, Some(_)) => return,
                (Clock::Manual, Some(_)) | (_, None) if self.outside > 0 => return,
                (Clock::Manual, Some(_)) | (_, None) => {
                    let deadlock = Stopped::Deadlock(Arc::new(self.deadlock()));
                    self.stop(deadlock);
                }
            }
        }
    }

    /// Lets somebody go on: first whoever is due, then whom the strategy chooses.
    fn give_turn(&mut self) -> bool {
        let Some(strategy) = &mut self.strategy else { return false };
        let due = self.actors.iter().position(|actor| matches!(actor.doing, Doing::Due(_)));
        let number = match due {
            Some(number) => number,
            None => {
                let queued = self.actors.iter().enumerate();
                let ready: Vec<Candidate<'_>> = queued
                    .filter(|(_, actor)| actor.doing == Doing::Queued)
                    .map(|(number, actor)| Candidate { number, name: &actor.name })
                    .collect();
                let last = ready.iter().position(|one| Some(one.number) == self.last_turn);
                let Some(end) = ready.len().checked_sub(1) else { return false };
                let chosen = ready[strategy.choose(&ready, last).min(end)];
                self.turns.push(chosen.name);
                self.last_turn = Some(chosen.number);
                chosen.number
            }
        };
        let actor = &mut self.actors[number];
        let wake = match std::mem::replace(&mut actor.doing, Doing::Running) {
            Doing::Due(wake) => wake,
            _ => Wake::Go,
        };
        self.running += 1;
        self.to_ring.push((actor.bell.clone(), wake));
        true
    }

    /// Whether a new actor has to wait until it is rung for the first time.
    pub(crate) fn has_to_start(&self) -> bool {
        self.strategy.is_some() && self.stopped.is_none()
    }

    pub(crate) fn turns(&self) -> Turns {
        self.turns.clone()
    }

    pub(crate) fn stop(&mut self, why: Stopped) {
        if self.stopped.is_some() {
            return;
        }
        self.stopped = Some(why.clone());
        for actor in &mut self.actors {
            match actor.doing {
                Doing::Queued
                | Doing::Due(_)
                | Doing::Asleep(_)
                | Doing::Joining(_)
                | Doing::Parked(_) => {
                    actor.doing = Doing::Running;
                    self.running += 1;
                    self.to_ring.push((actor.bell.clone(), Wake::Stop(why.clone())));
                }
                Doing::Running | Doing::Outside | Doing::Finished => {}
            }
        }
        // What pends stays so; whoever is woken finds the stop.
        let blocks = self.blocks.0.values_mut();
        self.to_wake.extend(blocks.filter_map(|block| block.waker.take()));
        self.observers.clear();
    }

    /// Whether nobody has reported yet why the simulation stopped.
    pub(crate) fn is_first_to_report(&mut self) -> bool {
        !std::mem::replace(&mut self.reported, true)
    }

    /// Whom to ring, and whom to wake then, now that the gate is being left.
    pub(crate) fn rings(&mut self) -> (Vec<Ring>, Vec<Waker>) {
        (std::mem::take(&mut self.to_ring), std::mem::take(&mut self.to_wake))
    }

    // Time.

    pub(crate) fn now(&self) -> Time {
        if self.clock == Clock::Wall { self.elapsed() } else { self.kernel.time() }
    }

    /// Time passes up to `to`, by hand.
    pub(crate) fn advance(&mut self, to: Time) {
        if self.clock != Clock::Wall && self.stopped.is_none() {
            self.pass(to);
        }
    }

    /// Time passes to the next time-out, by hand; `false` if there is none.
    pub(crate) fn advance_to_next(&mut self) -> bool {
        let deadline = self.next_deadline();
        if let Some(deadline) = deadline {
            self.advance(deadline);
        }
        deadline.is_some()
    }

    /// When the next time-out is due: in the kernel, or of an actor that is parked.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        let parked = self.actors.iter().filter_map(|actor| match actor.doing {
            Doing::Parked(until) => until,
            _ => None,
        });
        parked.chain(self.kernel.next_deadline()).min()
    }

    /// Time passes up to `to`.
    fn pass(&mut self, to: Time) {
        self.activity += 1;
        let mut caused = std::mem::take(&mut self.scratch);
        self.kernel.advance(to, &mut caused);
        if self.is_observed() {
            let caused = caused.clone();
            self.tell(|| Event::Advance { to, caused });
        }
        self.deliver(&mut caused);
        self.scratch = caused;
        for number in 0..self.actors.len() {
            if matches!(self.actors[number].doing, Doing::Parked(Some(until)) if until <= to) {
                self.rouse(number, Wake::Go);
            }
        }
    }

    /// Wall time is the kernel's time.
    fn catch_up(&mut self) {
        if self.clock == Clock::Wall {
            let elapsed = self.elapsed();
            self.pass(elapsed);
        }
    }

    fn watches_clock(&self) -> bool {
        self.clock == Clock::Wall
    }

    /// How long a sleeper may sleep before it looks again.
    pub(crate) fn patience(&self) -> Duration {
        let mut patience = HINT;
        if self.threads == Threads::Any && self.running == 0 {
            patience = SETTLE;
        }
        match (self.clock, self.next_deadline()) {
            (Clock::Wall, Some(deadline)) => {
                let rest = deadline.0.saturating_sub(self.elapsed().0);
                patience.min(Duration::from_nanos(rest.saturating_mul(100)))
            }
            (Clock::Wall | Clock::Virtual | Clock::Manual, _) => patience,
        }
    }

    /// A sleeper looks again after its patience: time may have come, or nobody has. `seen` is
    /// the activity when it fell asleep.
    pub(crate) fn look_again(&mut self, seen: u64) {
        self.catch_up();
        if seen != self.activity || self.stopped.is_some() {
            return;
        }
        if self.threads == Threads::Any && self.running == 0 {
            self.settle_now();
        } else if self.running > 0 && !self.hinted && self.clock != Clock::Wall {
            self.hinted = true;
            self.hint();
        }
    }

    /// Says on stderr what may be wrong when a test seems to hang. It changes no result.
    fn hint(&self) {
        let runners = self.actors.iter().filter(|actor| actor.doing == Doing::Running);
        let names: Vec<&str> = runners.map(|actor| &*actor.name).collect();
        eprintln!(
            "npfs: nothing has happened for {} s. Threads sleep in calls, and {} could still make \
             one. If it waits for another thread, let it do so with JoinHandle::join of npfs or \
             inside Simulation::outside.",
            HINT.as_secs(),
            names.join(", ")
        );
    }

    fn elapsed(&self) -> Time {
        Time((self.start.elapsed().as_nanos() / 100) as u64)
    }

    fn ring_sleepers(&mut self) {
        for actor in &self.actors {
            if actor.doing.is_sleep() {
                self.to_ring.push((actor.bell.clone(), Wake::Look));
            }
        }
    }

    // What is told.

    pub(crate) fn observe(&mut self, sender: Sender<Event>) {
        self.observers.push(sender);
    }

    pub(crate) fn log(&self) -> Option<Log> {
        self.log.clone()
    }

    fn is_observed(&self) -> bool {
        self.log.is_some() || !self.observers.is_empty()
    }

    fn tell(&mut self, event: impl FnOnce() -> Event) {
        if !self.is_observed() {
            return;
        }
        let event = event();
        // An observer that is gone is forgotten.
        self.observers.retain(|observer| observer.send(event.clone()).is_ok());
        if let Some(log) = &mut self.log {
            log.events.push(event);
        }
    }

    /// Who waits for whom, in the words of the program.
    pub(crate) fn deadlock(&self) -> Deadlock {
        let mut waits = Vec::new();
        let (mut edges, mut with_joins) = (Vec::new(), Vec::new());
        let sleepers = self.kernel.waiting();
        for (number, actor) in self.actors.iter().enumerate() {
            match actor.doing {
                Doing::Asleep(thread) => {
                    let Some(sleeper) = sleepers.iter().find(|one| one.thread == thread) else {
                        continue;
                    };
                    let mut others: Vec<usize> = sleeper
                        .for_threads
                        .iter()
                        .filter_map(|other| self.seats[other.0 as usize - 1].actor)
                        .filter(|other| self.actors[*other].doing != Doing::Finished)
                        .collect();
                    others.sort_unstable();
                    others.dedup();
                    let names: Vec<&str> =
                        others.iter().map(|other| &*self.actors[*other].name).collect();
                    let whom = match (names.is_empty(), sleeper.timed) {
                        (true, true) => "only the clock can end it".to_owned(),
                        (true, false) => "nobody can end it".to_owned(),
                        (false, _) => format!("only {} can end it", names.join(" or ")),
                    };
                    let name = &self.seats[thread.0 as usize - 1].name;
                    waits.push(format!("{name} waits {}: {whom}", sleeper.what));
                    with_joins.push((number, others.clone()));
                    edges.push((number, others));
                }
                Doing::Joining(other) => {
                    let name = &self.actors[other].name;
                    waits.push(format!("{} waits for the end of {name}", actor.name));
                    with_joins.push((number, vec![other]));
                }
                Doing::Parked(_) => {
                    waits.push(format!("{} waits for one of its tasks to be woken", actor.name));
                }
                Doing::Running
                | Doing::Queued
                | Doing::Due(_)
                | Doing::Outside
                | Doing::Finished => {}
            }
        }
        let cycle = cycle(&edges).or_else(|| cycle(&with_joins)).map(|ring| {
            ring.into_iter().map(|actor| self.actors[actor].name.to_string()).collect()
        });
        Deadlock { waits, cycle, dump: self.dump() }
    }

    /// The kernel's page, with the names of processes and threads.
    pub(crate) fn dump(&self) -> String {
        let mut page = self.kernel.dump();
        for (number, seat) in self.seats.iter().enumerate() {
            page += &format!("{} is {}\n", ThreadId(number as u32 + 1), seat.name);
        }
        for (number, name) in self.processes.iter().enumerate() {
            page += &format!("{} is {name}\n", ProcessId(number as u32 + 1));
        }
        page
    }
}

/// How long a simulation of any threads waits for one that it does not know yet.
const SETTLE: Duration = Duration::from_millis(100);

/// Contexts are looked through when there are so many, and at every doubling.
const SWEEP: usize = 64;

/// How long nothing may happen before a hint is given.
const HINT: Duration = Duration::from_secs(10);

/// Whether the operation of a call has begun: not if a routine has ended the wait for its turn on
/// the file (SYNC-16).
fn begun(reply: &Reply) -> bool {
    reply.status != Status::USER_APC
}

fn event_of(delivery: &Delivery) -> Option<Handle> {
    match delivery {
        Delivery::Overlapped { event, .. } | Delivery::Nt { event, .. } => *event,
        Delivery::Return | Delivery::Routine => None,
    }
}

/// `name`, or with a number behind it where that is taken.
fn unique(name: &str, taken: &[Arc<str>]) -> Arc<str> {
    let free = |name: &str| taken.iter().all(|other| **other != *name);
    if free(name) {
        return name.into();
    }
    let numbered = (2..).map(|number| format!("{name}-{number}")).find(|name| free(name));
    numbered.unwrap_or_default().into()
}
