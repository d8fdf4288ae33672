//! The OS threads that a simulation knows, and what each remembers of it.
//!
//! An actor is one OS thread. In the kernel it has one thread for each process that it acts for,
//! so that one test thread can play a server and its client in turn.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Weak};

use npfs_abi::{Call, ProcessId, ThreadId};

use crate::host::{Host, Shared, new_bell};
use crate::state::Wake;
use crate::stop::Stopped;
use crate::sync::{self, Bell};

/// What a thread remembers of a simulation.
pub(crate) struct Link {
    shared: Weak<Shared>,
    id: u64,
    pub(crate) actor: usize,
    pub(crate) bell: Arc<Bell<Wake>>,
    seats: RefCell<Vec<(ProcessId, ThreadId)>>,
    /// The processes that it has entered, innermost last.
    entered: RefCell<Vec<ProcessId>>,
    /// How many pieces of work it is in that take no turns of their own.
    within_turn: Cell<u32>,
}

impl Link {
    pub(crate) fn is_within_turn(&self) -> bool {
        self.within_turn.get() > 0
    }
}

/// The simulations that this thread is known to. When the thread ends, so do its actors.
#[derive(Default)]
struct Links(Vec<Rc<Link>>);

impl Drop for Links {
    fn drop(&mut self) {
        for link in self.0.drain(..) {
            if let Some(shared) = link.shared.upgrade() {
                finish(&shared, &link);
            }
        }
    }
}

sync::thread_local! {
    static LINKS: RefCell<Links> = RefCell::new(Links::default());
}

pub(crate) fn find(id: u64) -> Option<Rc<Link>> {
    let found = LINKS.try_with(|links| links.borrow().0.iter().find(|link| link.id == id).cloned());
    // A thread that has let go of its simulations, and ends, is in none.
    found.ok().flatten()
}

/// Whether the calling thread can remember anything still.
fn is_alive() -> bool {
    LINKS.try_with(|_| ()).is_ok()
}

fn remember(link: Link) -> Rc<Link> {
    let link = Rc::new(link);
    LINKS.with(|links| {
        let links = &mut links.borrow_mut().0;
        links.retain(|other| other.shared.strong_count() > 0);
        links.push(link.clone());
    });
    link
}

fn link(shared: &Arc<Shared>, actor: usize, bell: Arc<Bell<Wake>>) -> Link {
    Link {
        shared: Arc::downgrade(shared),
        id: shared.id,
        actor,
        bell,
        seats: RefCell::default(),
        entered: RefCell::default(),
        within_turn: Cell::default(),
    }
}

/// Makes the calling thread known.
pub(crate) fn adopt(shared: &Arc<Shared>, name: &str) -> Rc<Link> {
    let bell = new_bell();
    // Whoever makes it known runs meanwhile; only its number, which is a name, tells the order.
    let actor = shared.quietly(|state| state.add_actor(name, bell.clone()));
    remember(link(shared, actor, bell))
}

/// The calling thread's place in the simulation.
pub(crate) fn place(shared: &Arc<Shared>) -> Result<Rc<Link>, Stopped> {
    match find(shared.id) {
        Some(link) => Ok(link),
        None if shared.threads == crate::host::Threads::Any && is_alive() => {
            let current = std::thread::current();
            Ok(adopt(shared, current.name().unwrap_or("thread")))
        }
        None => Err(Stopped::UnknownThread),
    }
}

/// The calling thread's place in the simulation and its kernel thread in `process`.
pub(crate) fn seat(
    shared: &Arc<Shared>,
    process: ProcessId,
) -> Result<(Rc<Link>, ThreadId), Stopped> {
    let link = place(shared)?;
    let found =
        link.seats.borrow().iter().find(|(of, _)| *of == process).map(|(_, thread)| *thread);
    let thread = match found {
        Some(thread) => thread,
        None => {
            // A thread that has made no call changes nothing but the numbers of later ones.
            let thread = shared.quietly(|state| state.add_thread(link.actor, process));
            link.seats.borrow_mut().push((process, thread));
            thread
        }
    };
    Ok((link, thread))
}

/// The end of an actor: its kernel threads exit, which cancels their requests.
fn finish(shared: &Shared, link: &Link) {
    let seats = link.seats.borrow().clone();
    // What a thread leaves can only become less without it. If there is nothing left, nobody can
    // tell when it ended; else its end is a step.
    for (_, thread) in seats {
        if !shared.quietly(|state| state.exit_quietly(thread)) {
            // It ends all the same when the simulation has stopped already.
            let _ = shared.enter(link, thread, &Call::ExitThread, None);
        }
    }
    // It makes no call any more. Time cannot have passed before this, as it counted as running.
    shared.quietly(|state| {
        state.finish(link.actor);
        state.settle();
    });
}

/// To go out is a step, and so is to come back: time may pass in between.
pub(crate) fn outside<T>(shared: &Arc<Shared>, work: impl FnOnce() -> T) -> T {
    let Some(link) = find(shared.id) else { return work() };
    shared.visibly(|state| {
        state.go_outside(link.actor);
        state.settle();
    });
    let result = catch_unwind(AssertUnwindSafe(work));
    shared.come_back(&link);
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// A thread that the simulation was told of before it runs, so that it is known when all sleep.
/// Whoever carries it into a thread runs as that one. Dropped unused, it counts as ended.
pub struct Announced {
    shared: Arc<Shared>,
    process: ProcessId,
    thread: ThreadId,
    place: Option<(usize, Arc<Bell<Wake>>)>,
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announced").field("thread", &self.thread).finish_non_exhaustive()
    }
}

impl Announced {
    /// Its number in the kernel.
    pub fn thread(&self) -> ThreadId {
        self.thread
    }

    /// Runs `work` in the calling thread, as the thread that was announced, inside its process.
    /// Afterwards that thread has ended: its requests are cancelled.
    pub fn run<T>(mut self, work: impl FnOnce() -> T) -> T {
        let Some((actor, bell)) = self.place.take() else { return work() };
        let link = link(&self.shared, actor, bell);
        link.seats.borrow_mut().push((self.process, self.thread));
        link.entered.borrow_mut().push(self.process);
        let link = remember(link);
        let shared = self.shared.clone();
        let result = catch_unwind(AssertUnwindSafe(|| {
            shared.wait_to_start(&link);
            work()
        }));
        LINKS.with(|links| links.borrow_mut().0.retain(|other| !Rc::ptr_eq(other, &link)));
        finish(&shared, &link);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        if let Some((actor, _)) = self.place.take() {
            // As in finish: its thread has made no call.
            self.shared.quietly(|state| {
                state.finish(actor);
                state.settle();
            });
        }
    }
}

/// A thread of the simulation, to wait for.
pub struct JoinHandle<T> {
    shared: Arc<Shared>,
    actor: usize,
    thread: ThreadId,
    inner: sync::JoinHandle<T>,
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("thread", &self.thread).finish_non_exhaustive()
    }
}

impl<T> JoinHandle<T> {
    /// Its number in the kernel.
    pub fn thread(&self) -> ThreadId {
        self.thread
    }

    /// Waits for its end. Meanwhile the calling thread counts as asleep.
    ///
    /// # Errors
    /// What it panicked with.
    ///
    /// # Panics
    /// With [`OnDeadlock::Panic`](crate::OnDeadlock::Panic) not here: the thread that is waited
    /// for panics.
    pub fn join(self) -> std::thread::Result<T> {
        if let Some(link) = find(self.shared.id) {
            self.shared.join(&link, self.actor);
        }
        self.inner.join()
    }
}

impl Host {
    /// Announces a thread of `process`.
    pub fn announce(&self, process: ProcessId, name: &str) -> Announced {
        let bell = new_bell();
        // As in adopt and seat.
        let (actor, thread) = self.shared.quietly(|state| {
            let actor = state.add_actor(name, bell.clone());
            (actor, state.add_thread(actor, process))
        });
        let shared = self.shared.clone();
        Announced { shared, process, thread, place: Some((actor, bell)) }
    }

    /// Starts a thread in `process`.
    ///
    /// # Panics
    /// When the system cannot start a thread.
    pub fn spawn<T: Send + 'static>(
        &self,
        process: ProcessId,
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let announced = self.announce(process, name);
        let (shared, thread) = (self.shared.clone(), announced.thread);
        let actor = announced.place.as_ref().map_or(0, |(actor, _)| *actor);
        let inner = sync::spawn(name, move || announced.run(work));
        JoinHandle { shared, actor, thread, inner }
    }

    /// Runs `work` inside `process`: [`Host::entered`] says so meanwhile.
    pub fn enter<T>(&self, process: ProcessId, work: impl FnOnce() -> T) -> T {
        let Ok((link, _)) = seat(&self.shared, process) else { return work() };
        link.entered.borrow_mut().push(process);
        let result = catch_unwind(AssertUnwindSafe(work));
        link.entered.borrow_mut().pop();
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Waits for the calling thread's turn, where threads take turns: for what is no call, or for
    /// the first of several calls that are to be one step.
    ///
    /// # Errors
    /// Why the simulation stopped; [`Stopped::UnknownThread`].
    pub fn turn(&self) -> Result<(), Stopped> {
        let link = place(&self.shared)?;
        self.shared.take_turn(&link)
    }

    /// Runs `work`, in which the calls of the calling thread take no turns: others do not come in
    /// between. A lock that is held here is never waited for by the thread whose turn it is.
    pub fn within_turn<T>(&self, work: impl FnOnce() -> T) -> T {
        let Ok(link) = place(&self.shared) else { return work() };
        link.within_turn.set(link.within_turn.get() + 1);
        let result = catch_unwind(AssertUnwindSafe(work));
        link.within_turn.set(link.within_turn.get() - 1);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Whether its threads take turns.
    pub fn takes_turns(&self) -> bool {
        self.shared.takes_turns
    }

    /// The host and process that the calling thread has entered last, if any.
    pub fn entered() -> Option<(Host, ProcessId)> {
        let entered = LINKS.try_with(|links| {
            links.borrow().0.iter().rev().find_map(|link| {
                let process = *link.entered.borrow().last()?;
                Some((Host { shared: link.shared.upgrade()? }, process))
            })
        });
        entered.ok().flatten()
    }
}
