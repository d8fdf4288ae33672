//! One run: a program in a simulation of its own, under one schedule, watched for symptoms.
//!
//! The program's threads run one at a time and change over at calls of the kernel and at the
//! library's own locks, atomics and shared pointers ([`switch`]). So a run depends on the program
//! and its schedule alone. There is one run at a time in this process.

use std::alloc::Layout;
use std::cell::RefCell;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use npfs_abi::{Call, Handle, Outcome, Output, ProcessId};
use npfs_host::{Host, JoinHandle, OnDeadlock, Options, Strategy, Turns};
use npfs_kernel::ProcessSpec;

use crate::surface::operations;

/// What drives a library.
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// Starts its threads.
    pub run: fn(&Stage),
}

/// What a run can show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Symptom {
    /// A thread panicked in the library.
    Panic {
        /// File and line.
        place: String,
        /// What it said.
        message: String,
    },
    /// Something was used after its last reference.
    UseAfterFree(String),
    /// The program saw what it must not see.
    Wrong(String),
    /// Handles that the server's process still has when all is dropped.
    Leak(Vec<String>),
    /// Nobody could go on.
    Deadlock(String),
}

impl std::fmt::Display for Symptom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Symptom::Panic { place, message } => write!(f, "panic at {place}: {message}"),
            Symptom::UseAfterFree(what) => write!(f, "use after free: {what}"),
            Symptom::Wrong(what) => write!(f, "{what}"),
            Symptom::Leak(handles) => write!(f, "leaked: {}", handles.join("; ")),
            Symptom::Deadlock(what) => write!(f, "deadlock: {what}"),
        }
    }
}

/// A run as seen from outside.
pub struct Run {
    /// The first symptom; what comes after it is its consequence.
    pub symptom: Option<Symptom>,
    /// The schedule.
    pub turns: Turns,
}

struct Current {
    host: Host,
    /// Has the events that threads wait at for locks, so that they are nobody's leaks.
    locks: ProcessId,
    symptoms: Vec<Symptom>,
    freed: Vec<(usize, Layout)>,
}

static CURRENT: Mutex<Option<Current>> = Mutex::new(None);

/// Held during a run.
static ALONE: Mutex<()> = Mutex::new(());

fn current() -> MutexGuard<'static, Option<Current>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The simulation of the run, if one goes on.
fn place() -> Option<(Host, ProcessId)> {
    current().as_ref().map(|run| (run.host.clone(), run.locks))
}

/// Another thread may go on here.
pub fn switch() {
    if let Some((host, _)) = place() {
        // Once the simulation has stopped, threads run to their ends.
        let _ = host.switch();
    }
}

/// A call for the locks.
fn ask(call: &Call) -> Option<Output> {
    let (host, locks) = place()?;
    match host.call(locks, call) {
        Ok(Outcome::Done(reply)) => Some(reply.output),
        _ => None,
    }
}

/// An event that wakes one thread.
pub fn new_bell() -> Handle {
    let call = Call::CreateEvent { manual: false, signaled: false };
    match ask(&call) {
        Some(Output::Handle(handle)) => handle,
        _ => Handle(0),
    }
}

/// Sleeps until the bell rings.
pub fn wait(bell: Handle) {
    let call =
        Call::WaitForObjects { handles: vec![bell], all: false, timeout: None, alertable: false };
    if ask(&call).is_none() {
        give_up();
    }
}

/// Wakes one that waits, now or later.
pub fn ring(bell: Handle) {
    ask(&Call::SetEvent { event: bell });
}

/// What one thread of a program tells another: it has come so far.
#[derive(Clone)]
pub struct Signal(Handle);

impl Signal {
    /// Sleeps until it is set; the next wait sleeps again.
    pub fn wait(&self) {
        wait(self.0);
    }

    /// Wakes who waits, now or later.
    pub fn set(&self) {
        ring(self.0);
    }
}

/// Notes a symptom.
pub fn tell(symptom: Symptom) {
    if let Some(run) = current().as_mut() {
        run.symptoms.push(symptom);
    }
}

/// The calling thread has nothing more to do: its symptom is told, or its simulation has stopped.
pub fn give_up() -> ! {
    struct Done;
    if std::thread::panicking() {
        // A second panic would abort the process, without a word of what led to it.
        eprintln!("npfs-corpus: a destructor could not go on during a panic");
        if let Some(run) = current().as_ref() {
            run.symptoms.iter().for_each(|symptom| eprintln!("npfs-corpus: {symptom}"));
        }
        std::process::exit(2);
    }
    resume_unwind(Box::new(Done))
}

/// Frees the memory when the run is over.
pub fn free_later(place: *mut u8, layout: Layout) {
    if let Some(run) = current().as_mut() {
        run.freed.push((place.expose_provenance(), layout));
    }
}

/// Where a program starts its threads.
pub struct Stage {
    host: Host,
    server: ProcessId,
    client: ProcessId,
    threads: RefCell<Vec<JoinHandle<()>>>,
}

impl Stage {
    /// A thread of the server's process, where the library runs.
    pub fn server(&self, name: &str, work: impl FnOnce() + Send + 'static) {
        self.start(self.server, name, work);
    }

    /// A thread of the client's process.
    pub fn client(&self, name: &str, work: impl FnOnce() + Send + 'static) {
        self.start(self.client, name, work);
    }

    /// Runs `work` in the server's process before the threads do.
    pub fn in_server<T>(&self, work: impl FnOnce() -> T) -> T {
        self.host.enter(self.server, work)
    }

    /// A signal that is not set.
    pub fn signal(&self) -> Signal {
        Signal(new_bell())
    }

    fn start(&self, process: ProcessId, name: &str, work: impl FnOnce() + Send + 'static) {
        // The hook has told of a panic already.
        let work = move || drop(catch_unwind(AssertUnwindSafe(work)));
        self.threads.borrow_mut().push(self.host.spawn(process, name, work));
    }
}

/// Panics are told, not printed.
fn hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // The threads of a run are in its processes, others are not ours.
            let Some((host, _)) = Host::entered() else { return usual(info) };
            // Calls fail then, and programs unwrap them.
            if host.stopped().is_some() {
                return;
            }
            let place = info.location().map_or(String::new(), |at| {
                let file = at.file().rsplit('/').next().unwrap_or(at.file());
                format!("{file}:{}", at.line())
            });
            let payload = info.payload();
            let message = payload.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| payload.downcast_ref::<&str>().copied());
            let message = message.unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
            tell(Symptom::Panic { place, message });
        }));
    });
}

/// Runs `program` once.
pub fn run(program: &Program, schedule: Box<dyn Strategy>) -> Run {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    hook();
    operations::forget();
    let host = Host::new(Options {
        schedule: Some(schedule),
        on_deadlock: OnDeadlock::Fail,
        ..Options::default()
    });
    let server = host.add_process("server", ProcessSpec::default());
    let client = host.add_process("client", ProcessSpec::default());
    let locks = host.add_process("locks", ProcessSpec::default());
    *current() =
        Some(Current { host: host.clone(), locks, symptoms: Vec::new(), freed: Vec::new() });
    let stage = Stage { host: host.clone(), server, client, threads: RefCell::default() };
    (program.run)(&stage);
    for thread in stage.threads.take() {
        // A panic was caught.
        let _ = thread.join();
    }
    let turns = host.turns();
    let deadlock = host.deadlock();
    let held = format!("{server} holds ");
    let leaks = host.leaks().into_iter().filter_map(|l| l.strip_prefix(&held).map(str::to_owned));
    let leaks: Vec<String> = leaks.collect();
    let run = current().take();
    let Some(Current { symptoms, freed, .. }) = run else { unreachable!("it was put there") };
    drop((stage, host));
    for (place, layout) in freed {
        // SAFETY: from `free_later`, once each; the run is over, and with it all that knew of it.
        unsafe {
            std::alloc::dealloc(std::ptr::with_exposed_provenance_mut(place), layout);
        }
    }
    let symptom = symptoms.into_iter().next();
    let symptom = symptom.or_else(|| deadlock.map(|all| Symptom::Deadlock(all.to_string())));
    let symptom = symptom.or_else(|| (!leaks.is_empty()).then_some(Symptom::Leak(leaks)));
    Run { symptom, turns }
}
