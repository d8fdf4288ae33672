//! The seeded bugs of `fixtures/scenarios/bugs`: how long each contestant takes to find them.
//!
//! Shuttle has a thread for each thread of the scenario, and they step the machine that npfs
//! searches, one atomic operation a step. So only the search is compared, not the kernel.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use npfs_explore::strategy::{Sampler, Strategy};
use npfs_explore::{Choice, Limits, Machine, Mark, Model, explore};

use crate::measure::Measured;
use crate::{npfs_engine, shuttle_engine};

/// The faulty programs, in order of their names.
fn models() -> Vec<Arc<Model>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/scenarios/bugs");
    let files = std::fs::read_dir(&folder).expect("the folder of the seeded bugs");
    let mut files: Vec<_> = files.map(|file| file.expect("a file of it").path()).collect();
    files.retain(|file| !file.to_string_lossy().ends_with("-mended.scenario"));
    files.sort();
    let text = |file| std::fs::read_to_string(file).expect("a scenario");
    files.iter().map(|file| npfs_engine::model(&text(file))).collect()
}

/// A contestant on all bugs, the times added up; `outcomes` is how many were found.
pub fn contest(name: &str, seed: u64, limit: Duration, most: usize) -> Measured {
    sum(|model| match name.rsplit_once('-') {
        None => Measured::median(most, || search(model)),
        Some(("npfs", strategy)) => {
            sample(model, &mut *npfs_engine::strategy(strategy, seed), limit)
        }
        Some((_, scheduler)) => shuttle(model, scheduler, seed, limit),
    })
}

fn sum(one: impl Fn(&Arc<Model>) -> Measured) -> Measured {
    let mut sum = Measured { complete: true, ..Measured::default() };
    for model in models() {
        let one = one(&model);
        sum.seconds += one.seconds;
        sum.runs += one.runs;
        sum.states += one.states;
        sum.steps += one.steps;
        sum.outcomes += usize::from(one.complete);
        sum.complete &= one.complete;
    }
    sum
}

/// Every order. Complete when each defect was found.
fn search(model: &Arc<Model>) -> Measured {
    let begun = Instant::now();
    let report = explore(model, &Limits::default(), &mut |_| {}).expect("it can be run");
    let measured = npfs_engine::searched(begun, &report);
    Measured { complete: measured.complete && report.holds(), ..measured }
}

/// Runs drawn by a strategy of npfs, until each defect has been found.
fn sample(model: &Arc<Model>, strategy: &mut dyn Strategy, limit: Duration) -> Measured {
    let begun = Instant::now();
    let mut sampler = Sampler::new(model).expect("it can be run");
    while !sampler.has_broken_all() && begun.elapsed() < limit {
        sampler.run(strategy);
    }
    Measured {
        seconds: begun.elapsed().as_secs_f64(),
        runs: sampler.runs(),
        steps: sampler.steps(),
        complete: sampler.has_broken_all(),
        ..Measured::default()
    }
}

/// The machine of a scenario, with those of its threads that wait for their turn.
struct Table {
    machine: Machine,
    start: Mark,
    open: Vec<Choice>,
    waiting: Vec<Option<Waker>>,
    /// Which properties some run has broken.
    broken: u64,
    runs: u64,
}

impl Table {
    fn look(&mut self) {
        self.machine.choices(&mut self.open);
        self.broken |= self.machine.broken(self.open.is_empty());
    }

    /// What the thread at a place can do; the place behind the last thread is the clock's.
    fn choices(&self, place: usize) -> impl Iterator<Item = Choice> {
        let clock = place == self.machine.thread_count();
        let own = move |one: &Choice| match one.place() {
            Some(thread) => thread == place,
            None => clock,
        };
        self.open.iter().copied().filter(move |one| own(one))
    }

    /// A step of the thread at a place; ready with false when nothing can happen any more.
    fn poll(&mut self, place: usize, context: &Context<'_>) -> Poll<bool> {
        let count = self.choices(place).count();
        let chosen = match count {
            0 | 1 => 0,
            // Who of several that wait is first.
            _ => shuttle::rand::Rng::gen_range(&mut shuttle::rand::thread_rng(), 0..count),
        };
        let choice = self.choices(place).nth(chosen);
        if let Some(choice) = choice {
            self.machine.step(choice);
            self.look();
            for other in 0..self.waiting.len() {
                if self.open.is_empty() || self.choices(other).next().is_some() {
                    self.waiting[other].take().into_iter().for_each(Waker::wake);
                }
            }
            return Poll::Ready(true);
        }
        if self.open.is_empty() {
            return Poll::Ready(false);
        }
        self.waiting[place] = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Runs drawn by a scheduler of shuttle, until each defect has been found.
fn shuttle(model: &Arc<Model>, scheduler: &str, seed: u64, limit: Duration) -> Measured {
    let begun = Instant::now();
    let mut machine = Machine::new(Arc::clone(model)).expect("it can be run");
    machine.track();
    let start = machine.mark();
    let threads = machine.thread_count() + 1;
    let waiting = vec![None; threads];
    let table = Table { machine, start, open: Vec::new(), waiting, broken: 0, runs: 0 };
    let table = Arc::new(Mutex::new(table));
    let wanted = model.said_broken();
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let scheduler = shuttle_engine::scheduler(scheduler, seed);
    let measured = shuttle_engine::run(scheduler, limit, move || {
        table.lock().expect("nobody panics").look();
        let seen = Arc::new(shuttle::sync::atomic::AtomicUsize::new(0));
        let body = |place: usize| {
            let (table, seen, steps) =
                (Arc::clone(&table), Arc::clone(&seen), Arc::clone(&counted));
            move || {
                loop {
                    let made = shuttle::future::block_on(std::future::poll_fn(|context| {
                        seen.fetch_add(1, Ordering::AcqRel);
                        table.lock().expect("nobody panics").poll(place, context)
                    }));
                    if !made {
                        return;
                    }
                    steps.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let others: Vec<_> =
            (1..threads).map(|place| shuttle::thread::spawn(body(place))).collect();
        body(0)();
        others.into_iter().for_each(|other| other.join().expect("nobody panics"));
        let mut table = table.lock().expect("nobody panics");
        let start = table.start;
        table.machine.undo(start);
        table.runs += 1;
        if table.runs % 1024 == 0 {
            // Empties the kernel's list of what has to be hashed.
            table.machine.key();
        }
        table.broken & wanted == wanted
    });
    Measured {
        seconds: begun.elapsed().as_secs_f64(),
        steps: steps.load(Ordering::Relaxed),
        ..measured
    }
}
