//! The scenarios under shuttle: a lock and a condition for each pipe, or one atomic a call.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId,
    UrwRandomScheduler,
};
use shuttle::{Config, Runner};

use crate::measure::Measured;
use crate::pipe::{Answer, Caller, Op, Pipe};
use crate::program::{Outcome, Program};

/// How a call is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A lock and a condition for each pipe; every call wakes everybody.
    Blocking,
    /// One atomic operation a call; those are woken that can go on.
    Lean,
}

/// Ends when told so, and counts.
struct Watched<S> {
    inner: S,
    stop: Arc<AtomicBool>,
    steps: Arc<AtomicU64>,
    /// The last execution was ended by the scheduler that has no further one.
    over: Arc<AtomicBool>,
}

impl<S: Scheduler> Scheduler for Watched<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let next = self.inner.new_execution();
        self.over.store(next.is_none(), Ordering::Relaxed);
        next
    }
    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.steps.fetch_add(1, Ordering::Relaxed);
        self.inner.next_task(runnable, current, is_yielding)
    }
    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

/// A scheduler of shuttle by its name.
pub fn scheduler(name: &str, seed: u64) -> Box<dyn Scheduler + Send> {
    let runs = usize::MAX;
    match name {
        "dfs" => Box::new(DfsScheduler::new(None, false)),
        "random" => Box::new(RandomScheduler::new_from_seed(seed, runs)),
        "pct3" => Box::new(PctScheduler::new_from_seed(seed, 3, runs)),
        "urw" => Box::new(UrwRandomScheduler::new_from_seed(seed, runs)),
        _ => panic!("no scheduler {name}"),
    }
}

/// Runs `body` again and again, up to `limit` or until it says that it has seen enough.
pub fn run(
    scheduler: Box<dyn Scheduler + Send>,
    limit: Duration,
    body: impl Fn() -> bool + Send + Sync + 'static,
) -> Measured {
    let (stop, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (runs, steps) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let watched = Watched {
        inner: scheduler,
        stop: Arc::clone(&stop),
        steps: Arc::clone(&steps),
        over: Arc::clone(&over),
    };
    let mut config = Config::new();
    config.max_time = Some(limit);
    config.silence_warnings = true;
    let begun = Instant::now();
    let counted = Arc::clone(&runs);
    let stopped = Arc::clone(&stop);
    Runner::new(watched, config).run(move || {
        if body() {
            stopped.store(true, Ordering::Relaxed);
        }
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let enough = stop.load(Ordering::Relaxed);
    Measured {
        seconds: begun.elapsed().as_secs_f64(),
        runs: runs.load(Ordering::Relaxed),
        steps: steps.load(Ordering::Relaxed),
        complete: over.load(Ordering::Relaxed) || enough,
        ..Measured::default()
    }
}

/// Runs the orders of a program until there are no more, `wanted` outcomes have been seen, or
/// time is over.
pub fn program(
    program: &Program,
    form: Form,
    scheduler: Box<dyn Scheduler + Send>,
    limit: Duration,
    wanted: usize,
) -> Measured {
    let seen = Arc::new(Mutex::new(BTreeSet::<Outcome>::new()));
    let (program, kept) = (Arc::new(program.clone()), Arc::clone(&seen));
    let measured = run(scheduler, limit, move || {
        let outcome = match form {
            Form::Blocking => blocking(&program),
            Form::Lean => lean(&program),
        };
        let mut kept = kept.lock().expect("nobody panics");
        kept.insert(outcome);
        kept.len() >= wanted
    });
    let outcomes = seen.lock().expect("nobody panics").len();
    Measured { outcomes, ..measured }
}

/// Thread 0 runs in the main thread, the others in threads of their own.
fn all(
    program: &Arc<Program>,
    call: impl Fn(&Program, usize, Op, &mut Caller) -> Answer + Clone + Send + 'static,
) -> Outcome {
    let spawn = |number: usize| {
        let (program, call) = (Arc::clone(program), call.clone());
        shuttle::thread::spawn(move || {
            program.threads[number].drive(number, |op, caller| call(&program, number, op, caller))
        })
    };
    let others: Vec<_> = (1..program.threads.len()).map(spawn).collect();
    let mut outcome = vec![program.threads[0].drive(0, |op, caller| call(program, 0, op, caller))];
    outcome.extend(others.into_iter().map(|other| other.join().expect("no thread panics")));
    outcome
}

fn blocking(program: &Arc<Program>) -> Outcome {
    use shuttle::sync::{Condvar, Mutex};
    type Locked = (Mutex<Pipe>, Condvar);
    let pipes: Vec<Locked> =
        program.pipes.iter().map(|pipe| (Mutex::new(*pipe), Condvar::new())).collect();
    let pipes = Arc::new(pipes);
    all(program, move |program, number, op, caller| {
        let (lock, changed) = &pipes[program.threads[number].pipe];
        let mut pipe = lock.lock().expect("no thread panics");
        loop {
            let before = *pipe;
            let answer = pipe.attempt(op, caller);
            if *pipe != before {
                changed.notify_all();
            }
            match answer {
                Some(answer) => return answer,
                None => pipe = changed.wait(pipe).expect("no thread panics"),
            }
        }
    })
}

/// A pipe with those who wait, behind a lock that shuttle does not see.
struct Lean {
    pipe: Pipe,
    waiting: Vec<(Op, Caller, Waker)>,
}

fn lean(program: &Arc<Program>) -> Outcome {
    use shuttle::sync::atomic::AtomicUsize;
    let pipes: Vec<_> = program
        .pipes
        .iter()
        .map(|pipe| (AtomicUsize::new(0), Mutex::new(Lean { pipe: *pipe, waiting: Vec::new() })))
        .collect();
    let pipes = Arc::new(pipes);
    all(program, move |program, number, op, caller| {
        let (seen, lock) = &pipes[program.threads[number].pipe];
        // Not by parking: a parked thread of shuttle may wake for no reason.
        shuttle::future::block_on(std::future::poll_fn(|context| {
            seen.fetch_add(1, Ordering::AcqRel);
            let mut lean = lock.lock().expect("no thread panics");
            let answer = lean.pipe.attempt(op, caller);
            let pipe = lean.pipe;
            let mut woken = Vec::new();
            lean.waiting.retain(|(op, caller, waker)| {
                let ends = pipe.ends(*op, *caller);
                if ends {
                    woken.push(waker.clone());
                }
                !ends
            });
            if answer.is_none() {
                lean.waiting.push((op, *caller, context.waker().clone()));
            }
            drop(lean);
            woken.into_iter().for_each(Waker::wake);
            answer.map_or(Poll::Pending, Poll::Ready)
        }))
    })
}
