//! A scenario whose threads run at full speed, again and again.
//!
//! What stands above `race` is made line by line. Then each thread makes its calls without asking
//! anybody, and stamps each before it begins and after it has returned from one counter. What the
//! system did in between nobody knows: the trace is concurrent, and the checker looks for an order.

use std::collections::{BTreeMap, BTreeSet};
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use npfs_abi::{Call, Op, Output, RequestId, ThreadId};
use npfs_trace::scenario::{Action, Scenario, Word};
use npfs_trace::text::makes_handles;
use npfs_trace::trace::{Event, Gaps, Recorded, Seen, Trace};

use crate::record::{Running, begun, makes_request};
use crate::win32::{self, Answer, Meaning, Request};
use crate::words::{Named, visit};

/// Nothing new for this long, and whoever has not returned counts as blocked.
const QUIET: Duration = Duration::from_millis(60);
/// So long a thread waits for a word that another one is to give.
const WORD_AFTER: Duration = Duration::from_millis(100);
/// A line above `race` that has not returned for this long is blocked.
const SETUP: Duration = Duration::from_millis(30);

/// Why the threads of a scenario cannot be let go.
pub(crate) fn beyond(scenario: &Scenario) -> Option<&'static str> {
    if scenario.processes.len() > 1 {
        return Some("it has several processes");
    }
    if !scenario.steps.iter().any(|step| step.action == Action::Race) {
        return Some("it has no line `race`");
    }
    let mut given = BTreeSet::new();
    scenario.steps.iter().find_map(|step| match &step.action {
        Action::Advance(_) => Some("it lets time pass"),
        Action::Op { labels, .. } if !labels.iter().all(|word| given.insert(word.clone())) => {
            Some("a word is given twice")
        }
        Action::Op { .. } | Action::Flow { .. } | Action::Race => None,
    })
}

/// One call of the scenario, made ready.
#[derive(Clone)]
struct Job {
    id: RequestId,
    labels: Vec<Word>,
    op: Op<Word, Word>,
    request: Request,
    /// The words that the scenario gives somewhere and this call needs.
    needs: Vec<Word>,
}

/// What one thread saw of one call.
enum Note {
    Call(u64, RequestId),
    Return(u64, RequestId, Answer),
    /// Seen to have ended. When it was last seen pending is not noted: a status block is written
    /// later than the operation ends, in Wine even after the call that ended it has returned
    /// (EVENT-08).
    Done(u64, RequestId, Recorded),
}

/// What all threads of a run share.
struct Shared {
    stamp: AtomicU64,
    go: AtomicBool,
    /// How many threads have made their last call.
    through: AtomicUsize,
    /// They may end. Until then their requests would be cancelled with them.
    stop: AtomicBool,
    meaning: Mutex<Meaning>,
    /// Words whose calls have returned, with a handle or without.
    given: Mutex<BTreeSet<Word>>,
    notes: Mutex<Vec<Note>>,
}

impl Shared {
    fn draw(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::SeqCst)
    }

    /// Makes one call and notes what came of it. A request that goes on is sent to the poller.
    fn make(&self, job: &Job, pending: &Sender<(RequestId, Request)>) {
        let meaning = lock(&self.meaning).clone();
        let before = self.draw();
        lock(&self.notes).push(Note::Call(before, job.id));
        let answer = win32::perform(&job.op, job.request, &meaning);
        let after = self.draw();
        for (word, handle) in job.labels.iter().zip(&answer.handles) {
            lock(&self.meaning).handles.insert(word.clone(), *handle);
        }
        if let (Op::Call(Call::CloseHandle { handle }), Some(0)) = (&job.op, answer.result.error) {
            // Its value may be dealt again, and then it is another's.
            lock(&self.meaning).handles.remove(handle);
        }
        lock(&self.given).extend(job.labels.iter().cloned());
        let running =
            Running { labels: Vec::new(), op: job.op.clone(), request: job.request };
        let request = begun(&running, &answer);
        lock(&self.notes).push(Note::Return(after, job.id, answer));
        if let Some(request) = request {
            // The poller lives as long as the run.
            let _ = pending.send((job.id, request));
        }
    }

    /// Waits until every word of a call has been given; false after too long.
    fn ready(&self, job: &Job) -> bool {
        let start = Instant::now();
        loop {
            let given = lock(&self.given);
            if job.needs.iter().all(|word| given.contains(word)) {
                return true;
            }
            drop(given);
            if start.elapsed() > WORD_AFTER {
                return false;
            }
            thread::yield_now();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a scenario once. `number` varies how long the threads dawdle between their calls.
pub(crate) fn run(scenario: &Scenario, number: u32) -> Vec<Event> {
    let (before, behind) = jobs(scenario);
    let shared = Arc::new(Shared {
        stamp: AtomicU64::new(1),
        go: AtomicBool::new(false),
        through: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        meaning: Mutex::new(Meaning::default()),
        given: Mutex::new(BTreeSet::new()),
        notes: Mutex::new(Vec::new()),
    });
    let all: BTreeMap<RequestId, Job> =
        before.iter().chain(behind.values().flatten()).map(|job| (job.id, job.clone())).collect();
    // A cancel can name a request before it is made.
    for job in all.values() {
        if makes_request(&job.op) {
            for label in &job.labels {
                lock(&shared.meaning).requests.insert(label.clone(), job.request);
                lock(&shared.given).insert(label.clone());
            }
        }
    }
    let (pending, polled) = channel();
    let mut lines_of: BTreeMap<ThreadId, Sender<Job>> = BTreeMap::new();
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for (n, _) in scenario.threads.iter().enumerate() {
        let id = ThreadId(n as u32 + 1);
        let (sender, first) = channel::<Job>();
        lines_of.insert(id, sender);
        let own = behind.get(&id).cloned().unwrap_or_default();
        let (shared, pending) = (Arc::clone(&shared), pending.clone());
        threads.push(thread::spawn(move || {
            for job in first {
                shared.make(&job, &pending);
            }
            while !shared.go.load(Ordering::Acquire) {
                hint::spin_loop();
            }
            let mut mix = u64::from(number) << 8 | u64::from(id.0);
            for job in own {
                dawdle(&mut mix);
                if !shared.ready(&job) {
                    break;
                }
                shared.make(&job, &pending);
            }
            shared.through.fetch_add(1, Ordering::SeqCst);
            while !shared.stop.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(1));
            }
        }));
    }
    lock(&shared.meaning).threads = threads.iter().map(win32::thread_handle).collect();
    for job in before {
        let id = job.id;
        if lines_of.get(&id.thread).is_some_and(|thread| thread.send(job).is_ok()) {
            let start = Instant::now();
            while !returned(&shared, id) && start.elapsed() < SETUP {
                thread::yield_now();
            }
        }
    }
    drop(lines_of);
    shared.go.store(true, Ordering::Release);

    let mut waiting: BTreeMap<RequestId, Request> = BTreeMap::new();
    let (mut seen, mut quiet) = (0, Instant::now());
    loop {
        waiting.extend(polled.try_iter());
        waiting.retain(|id, request| match request.ended() {
            None => true,
            Some(result) => {
                let at = shared.draw();
                lock(&shared.notes).push(Note::Done(at, *id, result));
                false
            }
        });
        let count = lock(&shared.notes).len();
        if count != seen {
            (seen, quiet) = (count, Instant::now());
        }
        let over = shared.through.load(Ordering::SeqCst) == threads.len();
        if quiet.elapsed() > QUIET || over && waiting.is_empty() {
            break;
        }
        thread::sleep(Duration::from_micros(200));
    }
    let blocked = shared.draw();
    let notes = core::mem::take(&mut *lock(&shared.notes));
    let events = events(&all, notes, blocked);
    clean(&shared, &threads);
    events
}

/// A pause of up to some microseconds, different each time: so the orders vary.
fn dawdle(mix: &mut u64) {
    *mix = mix.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let most = [0, 0, 400, 4_000, 40_000][(*mix >> 60) as usize % 5];
    for _ in 0..(*mix >> 20) % (most + 1) {
        hint::spin_loop();
    }
}

fn returned(shared: &Shared, id: RequestId) -> bool {
    lock(&shared.notes).iter().any(|note| matches!(note, Note::Return(_, one, _) if *one == id))
}

/// The calls above `race`, and each thread's below it.
fn jobs(scenario: &Scenario) -> (Vec<Job>, BTreeMap<ThreadId, Vec<Job>>) {
    let words: BTreeSet<&Word> = scenario
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Op { labels, op, .. } if makes_handles(op) > 0 => Some(labels),
            _ => None,
        })
        .flatten()
        .collect();
    let (mut before, mut behind) = (Vec::new(), BTreeMap::<ThreadId, Vec<Job>>::new());
    let (mut calls, mut race) = (BTreeMap::<ThreadId, u32>::new(), false);
    for step in &scenario.steps {
        race |= step.action == Action::Race;
        let Action::Op { thread, labels, op } = &step.action else { continue };
        let call = calls.entry(*thread).and_modify(|call| *call += 1).or_insert(1);
        let id = RequestId { thread: *thread, call: *call };
        let mut needs = Vec::new();
        visit(&mut op.clone(), &mut |word| {
            let (Named::Handle(word) | Named::Request(word)) = word;
            if words.contains(word) {
                needs.push(word.clone());
            }
        });
        let (labels, op) = (labels.clone(), op.clone());
        let job = Job { id, labels, request: Request::new(id, &op), op, needs };
        if race {
            behind.entry(*thread).or_default().push(job);
        } else {
            before.push(job);
        }
    }
    (before, behind)
}

/// The notes of all threads as the events of a trace, by stamp.
fn events(jobs: &BTreeMap<RequestId, Job>, mut notes: Vec<Note>, blocked: u64) -> Vec<Event> {
    notes.sort_by_key(|note| match note {
        Note::Call(at, _) | Note::Return(at, ..) | Note::Done(at, ..) => *at,
    });
    // Handles are named as they appear, requests by their calls.
    let (mut handles, mut requests) = (BTreeMap::new(), BTreeMap::new());
    let mut open = BTreeSet::new();
    for note in &notes {
        match note {
            Note::Call(_, id) => {
                open.insert(*id);
            }
            Note::Return(_, id, answer) => {
                open.remove(id);
                let labels = jobs.get(id).map(|job| job.labels.clone()).unwrap_or_default();
                for (label, _) in labels.into_iter().zip(&answer.handles) {
                    let name = format!("h{}", handles.len() + 1);
                    handles.insert(label, name);
                }
            }
            Note::Done(..) => {}
        }
    }
    for job in jobs.values().filter(|job| makes_request(&job.op)) {
        requests.extend(job.labels.iter().map(|label| (label.clone(), job.id.to_string())));
    }
    let mut events = Vec::new();
    let seen = |at| Seen { at: Some(at), line: None };
    for note in notes {
        let seq = events.len() as u32 + 1;
        events.push(match note {
            Note::Call(at, id) => {
                let Some(job) = jobs.get(&id) else { continue };
                let mut op = job.op.clone();
                visit(&mut op, &mut |word| {
                    let (word, names) = match word {
                        Named::Handle(word) => (word, &handles),
                        Named::Request(word) => (word, &requests),
                    };
                    if let Some(name) = names.get(word) {
                        word.clone_from(name);
                    }
                });
                let (thread, process) = (id.thread.0, 1);
                let (id, gaps) = (id.to_string(), Gaps::default());
                Event::Call { seq, seen: seen(at), thread, process, id, op, gaps }
            }
            Note::Return(at, id, answer) => {
                let labels = jobs.get(&id).map(|job| job.labels.as_slice()).unwrap_or_default();
                let named: Vec<Word> =
                    labels.iter().take(answer.handles.len()).map(|one| handles[one].clone()).collect();
                let mut result = answer.result;
                match named.as_slice() {
                    [one] => result.output = Some(Output::Handle(one.clone())),
                    [one, two] => result.output = Some(Output::Handles(one.clone(), two.clone())),
                    _ => {}
                }
                Event::Return { seq, seen: seen(at), thread: id.thread.0, id: id.to_string(), result }
            }
            Note::Done(at, id, result) => {
                let (thread, id) = (id.thread.0, id.to_string());
                Event::Done { seq, seen: seen(at), after: None, thread, id, result }
            }
        });
    }
    for id in open {
        let seq = events.len() as u32 + 1;
        events.push(Event::Block {
            seq,
            seen: seen(blocked),
            thread: id.thread.0,
            id: id.to_string(),
        });
    }
    events.push(Event::End { seq: events.len() as u32 + 1 });
    events
}

/// What every thread was answered, without when: runs that differ in no answer are of one kind.
pub(crate) fn results(trace: &Trace) -> String {
    let mut by_call = BTreeMap::new();
    for (_, event) in &trace.events {
        let (kind, id, result) = match event {
            Event::Return { id, result, .. } => (0, id, Some(result)),
            Event::Done { id, result, .. } => (1, id, Some(result)),
            Event::Block { id, .. } => (2, id, None),
            Event::Call { .. } | Event::Advance { .. } | Event::End { .. } => continue,
        };
        // Which name a handle gets depends on who was first, and says nothing more.
        let told = result.map(|one| (one.status, one.error, one.information, one.data.clone()));
        by_call.insert((id.clone(), kind), told);
    }
    format!("{by_call:?}")
}

/// Leaves as little as possible behind for the next run.
fn clean(shared: &Shared, threads: &[JoinHandle<()>]) {
    shared.stop.store(true, Ordering::Release);
    let open: Vec<usize> = lock(&shared.meaning).handles.values().copied().collect();
    let finished = || threads.iter().all(JoinHandle::is_finished);
    let start = Instant::now();
    while !finished() && start.elapsed() < Duration::from_millis(150) {
        let stuck: Vec<usize> = threads
            .iter()
            .filter(|thread| !thread.is_finished())
            .map(win32::thread_handle)
            .collect();
        win32::cancel(&open, &stuck);
        thread::sleep(Duration::from_millis(1));
    }
    win32::cancel(&open, &[]);
    win32::close(&open);
}
