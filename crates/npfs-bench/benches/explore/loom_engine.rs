//! The scenarios under loom: a lock and a condition for each pipe, or one atomic a call.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::measure::Measured;
use crate::pipe::{Answer, Caller, Op, Pipe};
use crate::program::{Outcome, Program};
use crate::shuttle_engine::Form;

/// Runs the orders of a program that loom's reduction leaves, up to `limit`. Loom has at most
/// five threads.
pub fn program(program: &Program, form: Form, limit: Duration) -> Measured {
    let seen = Arc::new(Mutex::new(BTreeSet::<Outcome>::new()));
    let runs = Arc::new(AtomicU64::new(0));
    let (program, kept, counted) =
        (Arc::new(program.clone()), Arc::clone(&seen), Arc::clone(&runs));
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 100_000;
    builder.max_duration = Some(limit);
    builder.checkpoint_interval = 256;
    let begun = Instant::now();
    builder.check(move || {
        let outcome = match form {
            Form::Blocking => blocking(&program),
            Form::Lean => lean(&program),
        };
        kept.lock().expect("nobody panics").insert(outcome);
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let seconds = begun.elapsed().as_secs_f64();
    let outcomes = seen.lock().expect("nobody panics").len();
    Measured {
        seconds,
        runs: runs.load(Ordering::Relaxed),
        complete: seconds < limit.as_secs_f64(),
        outcomes,
        ..Measured::default()
    }
}

/// Thread 0 runs in the main thread, the others in threads of their own.
fn all(
    program: &Arc<Program>,
    call: impl Fn(&Program, usize, Op, &mut Caller) -> Answer + Clone + 'static,
) -> Outcome {
    let spawn = |number: usize| {
        let (program, call) = (Arc::clone(program), call.clone());
        loom::thread::spawn(move || {
            program.threads[number].drive(number, |op, caller| call(&program, number, op, caller))
        })
    };
    let others: Vec<_> = (1..program.threads.len()).map(spawn).collect();
    let mut outcome = vec![program.threads[0].drive(0, |op, caller| call(program, 0, op, caller))];
    outcome.extend(others.into_iter().map(|other| other.join().expect("no thread panics")));
    outcome
}

fn blocking(program: &Arc<Program>) -> Outcome {
    use loom::sync::{Condvar, Mutex};
    let pipes: Vec<(Mutex<Pipe>, Condvar)> =
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

/// A pipe with those who wait, behind a lock that loom does not see.
struct Lean {
    pipe: Pipe,
    waiting: Vec<(Op, Caller, loom::thread::Thread)>,
}

fn lean(program: &Arc<Program>) -> Outcome {
    use loom::sync::atomic::AtomicUsize;
    let pipes: Vec<_> = program
        .pipes
        .iter()
        .map(|pipe| (AtomicUsize::new(0), Mutex::new(Lean { pipe: *pipe, waiting: Vec::new() })))
        .collect();
    let pipes = Arc::new(pipes);
    all(program, move |program, number, op, caller| {
        let (seen, lock) = &pipes[program.threads[number].pipe];
        loop {
            seen.fetch_add(1, Ordering::AcqRel);
            let mut lean = lock.lock().expect("no thread panics");
            let answer = lean.pipe.attempt(op, caller);
            let pipe = lean.pipe;
            let mut woken = Vec::new();
            lean.waiting.retain(|(op, caller, thread)| {
                let ends = pipe.ends(*op, *caller);
                if ends {
                    woken.push(thread.clone());
                }
                !ends
            });
            if answer.is_none() {
                lean.waiting.push((op, *caller, loom::thread::current()));
            }
            drop(lean);
            woken.iter().for_each(loom::thread::Thread::unpark);
            match answer {
                Some(answer) => return answer,
                None => loom::thread::park(),
            }
        }
    })
}
