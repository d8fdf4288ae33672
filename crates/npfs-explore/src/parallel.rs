//! The same search by several workers.
//!
//! Workers share the set of visited states, in parts with a lock each; whoever comes to a state
//! first goes on from there. A worker with nothing to do is given the choices left in another's
//! earliest state, as an order of steps to run anew. Who finds what depends on timing, what is
//! found does not: the graph is the same, and [`Graph::new`] numbers it the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::graph::{Edge, Graph};
use crate::machine::{Machine, Mark};
use crate::outcome;
use crate::property;
use crate::schedule::{self, Choice};
use crate::search::{Ending, Found, Limits, Progress, mixed};
use npfs_machine::visited::Visited;

/// Parts of the set of visited states.
const PARTS: usize = 64;
/// New states of a worker between two looks at limits.
const REPORT: usize = 4096;

/// A state whose choices are not all taken.
struct Task {
    way: Vec<Choice>,
    state: u32,
    open: Vec<Choice>,
    next: usize,
    preemptions: u32,
}

struct Shared<'a> {
    limits: &'a Limits,
    parts: Vec<Mutex<Visited>>,
    states: AtomicUsize,
    /// Tasks sent and not done, and workers that wait for one.
    tasks: AtomicUsize,
    idle: AtomicUsize,
    stop: AtomicBool,
    begun: Instant,
}

impl Shared<'_> {
    /// The number of a state, and whether it is new.
    fn number(&self, key: u64) -> (u32, bool) {
        let part = (key >> 58) as usize;
        let mut visited = self.parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        let (number, fresh) = visited.insert(key);
        if fresh {
            self.states.fetch_add(1, Ordering::Relaxed);
        }
        (number * PARTS as u32 + part as u32, fresh)
    }
}

/// What a worker has found. States have the numbers of their parts.
#[derive(Default)]
struct Share {
    edges: Vec<Edge>,
    claims: Vec<(u32, u64)>,
    ends: Vec<(u32, u64)>,
    end_keys: BTreeSet<u64>,
    outcomes: BTreeMap<u64, Vec<String>>,
    bounds: BTreeSet<String>,
}

/// Searches all orders from where the machine is with so many workers.
pub(crate) fn search(
    machine: &Machine,
    limits: &Limits,
    jobs: usize,
    progress: &mut dyn FnMut(Progress),
) -> Found {
    let shared = Shared {
        limits,
        parts: (0..PARTS).map(|_| Mutex::new(Visited::new())).collect(),
        states: AtomicUsize::new(0),
        tasks: AtomicUsize::new(1),
        idle: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        begun: Instant::now(),
    };
    let (sender, receiver) = unbounded::<Option<Task>>();
    let mut first = machine.clone();
    first.track();
    let key = mixed(first.key(), limits, None, 0);
    let (root, _) = shared.number(key);
    let mut share = Share::default();
    let mut open = Vec::new();
    enter(&mut first, root, &mut open, &mut share);
    let task = Task { way: Vec::new(), state: root, open, next: 0, preemptions: 0 };
    // The channel lives as long as this function.
    let _ = sender.send(Some(task));
    let mut shares = vec![share];
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1))
            .map(|_| {
                let mut start = machine.clone();
                // A count of its own: a common one would pass between processors at every step.
                start.model = Arc::new((*machine.model).clone());
                let (shared, sender, receiver) = (&shared, sender.clone(), receiver.clone());
                let watcher = std::thread::current();
                scope.spawn(move || {
                    let share = work(&start, shared, jobs, &sender, &receiver);
                    watcher.unpark();
                    share
                })
            })
            .collect();
        // A worker that has just said so may not be finished yet: then this looks again soon.
        while workers.iter().any(|worker| !worker.is_finished()) {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
            let states = shared.states.load(Ordering::Relaxed);
            progress(Progress { states, transitions: 0, depth: 0, done: None });
        }
        for worker in workers {
            match worker.join() {
                Ok(share) => shares.push(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    put_together(machine, &shared, root, shares)
}

fn put_together(machine: &Machine, shared: &Shared<'_>, root: u32, shares: Vec<Share>) -> Found {
    let mut firsts = vec![0_u32; PARTS + 1];
    for (part, visited) in shared.parts.iter().enumerate() {
        let len = visited.lock().unwrap_or_else(PoisonError::into_inner).len() as u32;
        firsts[part + 1] = firsts[part] + len;
    }
    let states = firsts[PARTS] as usize;
    let dense = |number: u32| firsts[number as usize % PARTS] + number / PARTS as u32;
    // The start is number 0 of a graph.
    let root = dense(root);
    let dense = |number: u32| match dense(number) {
        number if number == root => 0,
        0 => root,
        number => number,
    };
    let mut edges = Vec::new();
    let mut claims = Vec::new();
    let mut keys: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut ends = Vec::new();
    let mut end_keys = BTreeSet::new();
    let mut bounds = BTreeSet::new();
    if !machine.model.properties.is_empty() {
        claims.resize(states, 0);
    }
    for share in shares {
        edges.extend(share.edges.into_iter().map(|edge| Edge {
            from: dense(edge.from),
            choice: edge.choice,
            to: dense(edge.to),
        }));
        for (state, bits) in share.claims {
            claims[dense(state) as usize] = bits;
        }
        ends.extend(share.ends.into_iter().map(|(state, key)| (dense(state), key)));
        end_keys.extend(share.end_keys);
        keys.extend(share.outcomes);
        bounds.extend(share.bounds);
    }
    let numbers: BTreeMap<u64, u32> = keys.keys().copied().zip(0..).collect();
    let graph = Graph::new(states, edges, machine.thread_count());
    Found {
        graph,
        claims,
        ends: ends.into_iter().map(|(state, key)| (state, numbers[&key])).collect(),
        end_keys,
        outcomes: keys.into_iter().map(|(key, lines)| Ending { key, lines }).collect(),
        bounds: bounds.into_iter().collect(),
        counted: true,
    }
}

fn enter(machine: &mut Machine, state: u32, open: &mut Vec<Choice>, share: &mut Share) {
    machine.choices(open);
    if !machine.model.properties.is_empty() {
        share.claims.push((state, property::claims(machine, open.is_empty())));
    }
    if open.is_empty() {
        let key = machine.outcome_key();
        share.ends.push((state, key));
        share.end_keys.insert(machine.key());
        share.outcomes.entry(key).or_insert_with(|| outcome::lines(machine));
    }
}

fn work(
    start: &Machine,
    shared: &Shared<'_>,
    jobs: usize,
    sender: &Sender<Option<Task>>,
    receiver: &Receiver<Option<Task>>,
) -> Share {
    let mut share = Share::default();
    loop {
        shared.idle.fetch_add(1, Ordering::SeqCst);
        let task = receiver.recv();
        shared.idle.fetch_sub(1, Ordering::SeqCst);
        let Ok(Some(task)) = task else { return share };
        if !shared.stop.load(Ordering::Relaxed) {
            let mut machine = start.clone();
            task.way.iter().for_each(|choice| machine.step(*choice));
            machine.track();
            go_on(&mut machine, task, shared, sender, &mut share);
        }
        if shared.tasks.fetch_sub(1, Ordering::SeqCst) == 1 {
            (0..jobs.max(1)).for_each(|_| drop(sender.send(None)));
        }
    }
}

struct Frame {
    state: u32,
    mark: Mark,
    open: Vec<Choice>,
    next: usize,
    last: Option<Choice>,
    preemptions: u32,
}

fn go_on(
    machine: &mut Machine,
    task: Task,
    shared: &Shared<'_>,
    sender: &Sender<Option<Task>>,
    share: &mut Share,
) {
    let limits = shared.limits;
    let base = task.way.clone();
    let mut frames = vec![Frame {
        state: task.state,
        mark: machine.mark(),
        open: task.open,
        next: task.next,
        last: task.way.last().copied(),
        preemptions: task.preemptions,
    }];
    let mut fresh_states = 0;
    while let Some(frame) = frames.last_mut() {
        let Some(choice) = frame.open.get(frame.next).copied() else {
            machine.undo(frame.mark);
            frames.pop();
            continue;
        };
        frame.next += 1;
        let preempts = schedule::preempts(frame.last.as_ref(), choice, &frame.open);
        let preemptions = frame.preemptions + u32::from(preempts);
        if let Some(most) = limits.preemptions.filter(|most| preemptions > *most) {
            share.bounds.insert(format!("{most} preemptions"));
            continue;
        }
        let from = frame.state;
        let mark = machine.mark();
        machine.step(choice);
        let key = mixed(machine.key(), limits, Some(choice), preemptions);
        let (to, fresh) = shared.number(key);
        share.edges.push(Edge { from, choice, to });
        if !fresh {
            machine.undo(mark);
            continue;
        }
        let mut open = Vec::new();
        enter(machine, to, &mut open, share);
        fresh_states += 1;
        if fresh_states % REPORT == 0 {
            if limits.time.is_some_and(|time| shared.begun.elapsed() > time) {
                share.bounds.insert(format!("{} ms", limits.time.unwrap_or_default().as_millis()));
                shared.stop.store(true, Ordering::Relaxed);
            }
            // Sixteen bytes a key at most, and the edges of all workers.
            let states = shared.states.load(Ordering::Relaxed);
            let edges = share.edges.len().saturating_mul(size_of::<Edge>() * 2);
            if states.saturating_mul(32).saturating_add(edges) > limits.memory {
                share.bounds.insert(format!("{} MiB of memory", limits.memory >> 20));
                shared.stop.store(true, Ordering::Relaxed);
            }
        }
        if shared.states.load(Ordering::Relaxed) >= limits.states {
            share.bounds.insert(format!("{} states", limits.states));
            shared.stop.store(true, Ordering::Relaxed);
        }
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        if (base.len() + frames.len()) as u64 >= u64::from(limits.depth) {
            share.bounds.insert(format!("{} steps", limits.depth));
            machine.undo(mark);
            continue;
        }
        frames.push(Frame { state: to, mark, open, next: 0, last: Some(choice), preemptions });
        if shared.idle.load(Ordering::Relaxed) > 0 && sender.is_empty() {
            give(&mut frames, &base, shared, sender);
        }
    }
}

/// Gives the choices left in the earliest state to whoever has nothing to do.
fn give(frames: &mut [Frame], base: &[Choice], shared: &Shared<'_>, sender: &Sender<Option<Task>>) {
    let Some(at) = frames.iter().position(|frame| frame.next < frame.open.len()) else { return };
    let mut way = base.to_vec();
    way.extend(frames[1..=at].iter().filter_map(|frame| frame.last));
    let frame = &mut frames[at];
    let task = Task {
        way,
        state: frame.state,
        open: frame.open.clone(),
        next: frame.next,
        preemptions: frame.preemptions,
    };
    frame.next = frame.open.len();
    shared.tasks.fetch_add(1, Ordering::SeqCst);
    // The channel lives longer than its workers.
    let _ = sender.send(Some(task));
}
