//! The host: one gate around one kernel, and the way of a call through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use crossbeam_channel::{Receiver, unbounded};
use npfs_abi::{
    Call, Composite, Fault, Handle, Op, Outcome, ProcessId, Profile, Reply, RequestId, ThreadId,
    Time,
};
use npfs_kernel::program::{Next, Program};
use npfs_kernel::{Kernel, ProcessSpec, Referent};

use crate::actor::{self, Link};
use crate::event::{Event, Log};
use crate::schedule::{Strategy, Turns};
use crate::state::{Attached, Routine, State, Wake, ring};
use crate::stop::{Deadlock, Stopped};
use crate::sync::{Bell, Gate, Guard};

/// How time passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Clock {
    /// Only when every known thread sleeps: then at once to the next time-out.
    #[default]
    Virtual,
    /// Only when told to, by [`Host::advance`].
    Manual,
    /// As on the wall.
    Wall,
}

/// Whose calls are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Threads {
    /// Those of the thread that made the simulation and of threads it was told of before they
    /// ran. Everybody else's fail with [`Stopped::UnknownThread`]. So it is known when all sleep.
    #[default]
    Announced,
    /// Any thread's. Before time passes or a deadlock is reported, a tenth of a second of wall
    /// time is waited for a thread that is not known yet.
    Any,
}

/// What a deadlock does to the calls that it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnDeadlock {
    /// They panic: the one that fell asleep last with the whole report, the others in a line.
    #[default]
    Panic,
    /// They fail with [`Stopped::Deadlock`].
    Fail,
}

/// How a simulation is to be.
#[derive(Default)]
pub struct Options {
    /// Which Windows.
    pub profile: Profile,
    /// Misfortunes: calls that fail, ends that are told late.
    pub faults: Vec<Fault>,
    /// How time passes.
    pub clock: Clock,
    /// Whose calls are taken.
    pub threads: Threads,
    /// Who is next, if threads take turns; needs [`Threads::Announced`].
    pub schedule: Option<Box<dyn Strategy>>,
    /// What a deadlock does.
    pub on_deadlock: OnDeadlock,
    /// Whether a [`Log`] is kept from the start.
    pub recording: bool,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("profile", &self.profile)
            .field("faults", &self.faults)
            .field("clock", &self.clock)
            .field("threads", &self.threads)
            .field("schedule", &self.schedule.is_some())
            .field("on_deadlock", &self.on_deadlock)
            .field("recording", &self.recording)
            .finish()
    }
}

/// A simulated system that real threads call. Clones are the same system.
#[derive(Clone)]
pub struct Host {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) id: u64,
    pub(crate) threads: Threads,
    pub(crate) takes_turns: bool,
    on_deadlock: OnDeadlock,
    pub(crate) gate: Gate<State>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("id", &self.shared.id).finish_non_exhaustive()
    }
}

/// Tells systems apart in the memory of a thread; it reaches no result.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Host {
    /// A number that no other system of this program has: what tells them apart. It is no result.
    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// A system without processes. The calling thread is known to it as `main`.
    pub fn new(options: Options) -> Host {
        let shared = Shared {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            threads: options.threads,
            takes_turns: options.schedule.is_some(),
            on_deadlock: options.on_deadlock,
            gate: Gate::new(State::new(options)),
        };
        let host = Host { shared: Arc::new(shared) };
        actor::adopt(&host.shared, "main");
        host
    }

    /// Adds a process.
    pub fn add_process(&self, name: &str, spec: ProcessSpec) -> ProcessId {
        self.shared.visibly(|state| state.add_process(name, spec))
    }

    /// The name of a process, made unique among those of the system.
    pub fn process_name(&self, process: ProcessId) -> Arc<str> {
        // A name never changes.
        self.shared.quietly(|state| state.process_name(process))
    }

    /// The calling thread, as the kernel knows it in `process`.
    ///
    /// # Errors
    /// [`Stopped::UnknownThread`]
    pub fn thread(&self, process: ProcessId) -> Result<ThreadId, Stopped> {
        actor::seat(&self.shared, process).map(|(_, thread)| thread)
    }

    /// One call of the calling thread in `process`. Sleeps as long as Windows would; a call without
    /// OVERLAPPED on an overlapped handle waits for the file object, as the Win32 functions do.
    ///
    /// # Errors
    /// Why the simulation stopped. A failing call is not an error here.
    ///
    /// # Panics
    /// With [`OnDeadlock::Panic`], when the call ends in a deadlock.
    pub fn call(&self, process: ProcessId, call: &Call) -> Result<Outcome, Stopped> {
        let (link, thread) = actor::seat(&self.shared, process)?;
        let outcome = self.shared.enter(&link, thread, call, None)?;
        let Outcome::Pending(request) = outcome else { return Ok(outcome) };
        let mut program = Program::new(Op::Call(call.clone()));
        // The first step names the call, which was made already, and looks at nothing.
        self.shared.quietly(|state| program.next(None, state.blocks()));
        let ended = self.run(&link, thread, program, Some(outcome));
        if let Ok(Outcome::Done(_)) = ended {
            self.forget(request);
        }
        ended
    }

    /// As [`Host::call`], with the caller's memory and routine. An operation that pends is answered
    /// [`Outcome::Pending`], also where the call has no OVERLAPPED, and nobody can ask for its
    /// [`Host::reply`].
    ///
    /// # Errors
    /// As [`Host::call`].
    ///
    /// # Panics
    /// As [`Host::call`].
    pub fn call_attached(
        &self,
        process: ProcessId,
        call: &Call,
        attached: Attached,
    ) -> Result<Outcome, Stopped> {
        let (link, thread) = actor::seat(&self.shared, process)?;
        self.shared.enter(&link, thread, call, Some(attached))
    }

    /// `CancelIoEx` for everything on `file` whose status block lies at `block`
    /// ([`Attached::block`]), in one step.
    ///
    /// # Errors
    /// As [`Host::call`].
    pub fn cancel_io_ex(
        &self,
        process: ProcessId,
        file: Handle,
        block: u64,
    ) -> Result<Reply, Stopped> {
        let (link, thread) = actor::seat(&self.shared, process)?;
        let turn = self.shared.take_turn(&link);
        let ended =
            turn.and_then(|()| self.shared.visibly(|state| state.cancel_at(thread, file, block)));
        ended.map_err(|why| self.shared.report(why))
    }

    /// The routines of these calls ([`Attached::routine`]), for the thread whose wait has run them
    /// as the kernel knows it ([`Output::Routines`](npfs_abi::Output::Routines)).
    pub fn take_routines(&self, queued: &[RequestId]) -> Vec<Routine> {
        // They are nobody else's.
        self.shared.quietly(|state| state.take_routines(queued))
    }

    /// Looks at memory that ends of operations write, such as a status block. Where threads take
    /// turns, a look that finds nothing takes one and is repeated; what was written once stays so.
    pub fn look<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        if self.shared.takes_turns {
            if let Some(link) = actor::find(self.shared.id) {
                if self.shared.quietly(|_| look().is_none()) {
                    // A stop is told by the next call.
                    let _ = self.shared.take_turn(&link);
                }
            }
        }
        self.shared.visibly(|_| look())
    }

    /// What a handle of `process` refers to.
    pub fn referent(&self, process: ProcessId, handle: Handle) -> Option<Referent> {
        self.shared.visibly(|state| state.kernel().referent(process, handle))
    }

    /// Whether two handles of `process` refer to one object; `None` if either is none.
    pub fn same_object(&self, process: ProcessId, one: Handle, other: Handle) -> Option<bool> {
        self.shared.visibly(|state| state.kernel().same_object(process, one, other))
    }

    /// A Win32 function that is several kernel calls; between them others may run.
    ///
    /// # Errors
    /// As [`Host::call`].
    ///
    /// # Panics
    /// As [`Host::call`].
    pub fn composite(&self, process: ProcessId, composite: Composite) -> Result<Outcome, Stopped> {
        let (link, thread) = actor::seat(&self.shared, process)?;
        self.run(&link, thread, Program::new(Op::Composite(composite)), None)
    }

    fn run(
        &self,
        link: &Link,
        thread: ThreadId,
        mut program: Program,
        mut previous: Option<Outcome>,
    ) -> Result<Outcome, Stopped> {
        loop {
            let previous_outcome = previous.take();
            let next = match program.looks_at() {
                None => self.shared.quietly(|state| program.next(previous_outcome, state.blocks())),
                Some(request) => {
                    self.shared.before_looking(link, request)?;
                    self.shared.visibly(|state| program.next(previous_outcome, state.blocks()))
                }
            };
            match next {
                Next::Return(outcome) => return Ok(outcome),
                Next::Call(call) => previous = Some(self.shared.enter(link, thread, &call, None)?),
            }
        }
    }

    /// How a request has ended; `None` while it pends, and after [`Host::forget`]. Where threads
    /// take turns, a look at a request that pends takes one.
    pub fn reply(&self, request: RequestId) -> Option<Reply> {
        if let Some(link) = actor::find(self.shared.id) {
            // A stop is told by the next call.
            let _ = self.shared.before_looking(&link, request);
        }
        self.shared.visibly(|state| state.blocks().reply(request))
    }

    /// Nobody will ask for the end of this request any more.
    pub fn forget(&self, request: RequestId) {
        // Only its own operation asks for it, and that is being dropped.
        self.shared.quietly(|state| state.forget(request));
    }

    /// The time of the system.
    pub fn now(&self) -> Time {
        self.shared.visibly(|state| state.now())
    }

    /// Time passes up to `to`, and ends what has waited so long. With [`Clock::Wall`] it does
    /// nothing. Where threads take turns, it takes one.
    pub fn advance(&self, to: Time) {
        self.take_turn();
        self.shared.visibly(|state| state.advance(to));
    }

    /// Time passes to the next time-out, as with [`Host::advance`]; `false` if there is none.
    pub fn advance_to_next(&self) -> bool {
        self.take_turn();
        self.shared.visibly(State::advance_to_next)
    }

    /// A turn for something that is no call.
    fn take_turn(&self) {
        if let Some(link) = actor::find(self.shared.id) {
            // A stop is told by the next call.
            let _ = self.shared.take_turn(&link);
        }
    }

    /// When the next time-out is due.
    pub fn next_deadline(&self) -> Option<Time> {
        self.shared.visibly(|state| state.next_deadline())
    }

    /// Runs `work`, in which the calling thread may wait for what the simulation cannot see, such
    /// as a channel or a thread of std. Meanwhile it counts as asleep; but as it may come back at
    /// any time, no deadlock is reported.
    pub fn outside<T>(&self, work: impl FnOnce() -> T) -> T {
        actor::outside(&self.shared, work)
    }

    /// Everything that happens from now on, live. The channel ends when the simulation stops or is
    /// dropped.
    pub fn observe(&self) -> Receiver<Event> {
        let (sender, receiver) = unbounded();
        // Observers are outside what models explore: no call can tell whether there is one.
        self.shared.quietly(|state| state.observe(sender));
        receiver
    }

    /// Where threads take turns: another thread may run before the calling one goes on. For what is
    /// no call and yet can be seen by others, such as the locks and atomics of code under test.
    ///
    /// # Errors
    /// Why the simulation stopped.
    pub fn switch(&self) -> Result<(), Stopped> {
        let link = actor::find(self.shared.id).ok_or(Stopped::UnknownThread)?;
        self.shared.take_turn(&link)
    }

    /// The recording so far, if there is one.
    pub fn log(&self) -> Option<Log> {
        self.shared.visibly(|state| state.log())
    }

    /// The turns so far, if threads take turns.
    pub fn turns(&self) -> Turns {
        // Where threads take turns, a model has no orders left to try.
        self.shared.quietly(|state| state.turns())
    }

    /// What is left over: handles, requests, instances.
    pub fn leaks(&self) -> Vec<String> {
        self.shared.visibly(|state| state.kernel().leaks())
    }

    /// The state on a page.
    pub fn dump(&self) -> String {
        self.shared.visibly(|state| state.dump())
    }

    /// A copy of the kernel as it is now.
    pub fn kernel(&self) -> Kernel {
        self.shared.visibly(|state| state.kernel().snapshot())
    }

    /// Why the simulation has stopped.
    pub fn stopped(&self) -> Option<Stopped> {
        self.shared.visibly(|state| state.stopped.clone())
    }

    /// The deadlock that stopped the simulation.
    pub fn deadlock(&self) -> Option<Arc<Deadlock>> {
        match self.stopped()? {
            Stopped::Deadlock(deadlock) => Some(deadlock),
            _ => None,
        }
    }

    /// Ends every sleep and fails every later call with [`Stopped::Dropped`].
    pub fn stop(&self) {
        self.shared.visibly(|state| state.stop(Stopped::Dropped));
    }
}

impl Shared {
    /// Something that every other passage could change or see.
    pub(crate) fn visibly<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        Shared::leave_with(self.gate.lock(), work)
    }

    /// Something that gives the same whether it comes before or after any passage of another thread
    /// that can come in between. loom tries no orders for it, so each use says why that is so.
    pub(crate) fn quietly<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        Shared::leave_with(self.gate.lock_quietly(), work)
    }

    fn leave_with<T>(mut state: Guard<'_, State>, work: impl FnOnce(&mut State) -> T) -> T {
        let result = work(&mut state);
        leave(state);
        result
    }

    /// One call of the kernel, to its end.
    pub(crate) fn enter(
        &self,
        link: &Link,
        thread: ThreadId,
        call: &Call,
        attached: Option<Attached>,
    ) -> Result<Outcome, Stopped> {
        let _alarm = Alarm::new(self);
        let ended = self.take_turn(link).and_then(|()| self.step(link, thread, call, attached));
        ended.map_err(|why| self.report(why))
    }

    fn step(
        &self,
        link: &Link,
        thread: ThreadId,
        call: &Call,
        attached: Option<Attached>,
    ) -> Result<Outcome, Stopped> {
        let mut state = self.gate.lock();
        let stepped = state.step(thread, call, attached);
        if !matches!(stepped, Ok(Outcome::Blocked(_))) {
            leave(state);
            return stepped;
        }
        state.fall_asleep(link.actor, thread);
        state.settle();
        self.sleep(link, state)?.map(Outcome::Done).ok_or(Stopped::Broken)
    }

    /// When threads take turns: waits for one.
    pub(crate) fn take_turn(&self, link: &Link) -> Result<(), Stopped> {
        if !self.takes_turns || link.is_within_turn() {
            return Ok(());
        }
        // Which turn comes next is the strategy's choice, not the model's.
        let mut state = self.gate.lock_quietly();
        if !state.queue_up(link.actor) {
            return Ok(());
        }
        state.settle();
        self.sleep(link, state).map(|_| ())
    }

    /// Where threads take turns: a status block that says pending is looked at in a turn of its own,
    /// as the call of another thread may write it. One that was written stays so.
    fn before_looking(&self, link: &Link, request: RequestId) -> Result<(), Stopped> {
        if self.takes_turns && self.quietly(|state| state.blocks().reply(request).is_none()) {
            self.take_turn(link)?;
        }
        Ok(())
    }

    /// Leaves the gate and sleeps until the actor is handed something: the reply of its call, or
    /// nothing but the word to go on.
    pub(crate) fn sleep<'a>(
        &'a self,
        link: &Link,
        mut state: Guard<'a, State>,
    ) -> Result<Option<Reply>, Stopped> {
        loop {
            let (seen, patience) = (state.activity, state.patience());
            leave(state);
            let wake = link.bell.wait(Some(patience));
            // Looking again changes nothing unless time passes, which no model waits for.
            state = match wake {
                Some(Wake::Reply(reply)) => return Ok(Some(reply)),
                Some(Wake::Go) => return Ok(None),
                Some(Wake::Stop(why)) => return Err(why),
                Some(Wake::Look) => self.gate.lock_quietly(),
                None => {
                    let mut state = self.gate.lock_quietly();
                    state.look_again(seen);
                    state
                }
            };
        }
    }

    /// Sleeps until another actor has ended, or the simulation stops.
    pub(crate) fn join(&self, link: &Link, other: usize) {
        // An end stays one. And until this actor sleeps here it counts as running, so that time
        // cannot pass before, and no passage of others lies between its last call and this.
        let mut state = self.gate.lock_quietly();
        if state.stopped.is_none() && state.join(link.actor, other) {
            state.settle();
            // A stop is told by whoever is waited for.
            let _ = self.sleep(link, state);
        }
    }

    /// The first turn of a new actor.
    pub(crate) fn wait_to_start(&self, link: &Link) {
        // As in take_turn.
        let mut state = self.gate.lock_quietly();
        if state.has_to_start() {
            state.settle();
            // A stop is told at the first call.
            let _ = self.sleep(link, state);
        }
    }

    /// The actor is back from outside. Until then time may pass without it, so this is a step.
    pub(crate) fn come_back(&self, link: &Link) {
        let mut state = self.gate.lock();
        if state.come_back(link.actor) {
            // A stop is told at the next call.
            let _ = self.sleep(link, state);
        } else {
            leave(state);
        }
    }

    /// A deadlock is reported by panics, if that is wanted.
    pub(crate) fn report(&self, why: Stopped) -> Stopped {
        if let (Stopped::Deadlock(deadlock), OnDeadlock::Panic) = (&why, self.on_deadlock) {
            // While a thread unwinds it closes its handles; a second panic would abort.
            if !std::thread::panicking() {
                // Which of the sleepers that a deadlock ends reports it is no result.
                if self.quietly(State::is_first_to_report) {
                    panic!("{deadlock}");
                }
                panic!("the simulation has stopped in a deadlock, which another thread reports");
            }
        }
        why
    }
}

/// Leaves the gate, then rings those who were woken behind it.
pub(crate) fn leave(mut state: Guard<'_, State>) {
    let (rings, wakers) = state.rings();
    drop(state);
    for (bell, wake) in rings {
        ring(&bell, wake);
    }
    wakers.into_iter().for_each(Waker::wake);
}

/// A new bell, for a new actor.
pub(crate) fn new_bell() -> Arc<Bell<Wake>> {
    Arc::new(Bell::new())
}

/// Tells everybody when the kernel panics, as nobody would wake them any more.
pub(crate) struct Alarm<'a> {
    shared: &'a Shared,
    /// The thread unwound already when it called.
    before: bool,
}

impl<'a> Alarm<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Alarm<'a> {
        Alarm { shared, before: std::thread::panicking() }
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.before {
            // The model ends with the panic.
            self.shared.quietly(|state| state.stop(Stopped::Broken));
        }
    }
}
