//! Fewer orders, the same ends: a search that leaves out orders which differ only in steps that
//! have nothing to do with each other.
//!
//! Dynamic partial-order reduction over states that are visited once. In every state one thread
//! is tried; another one is added when a later step of it turns out to conflict with the step
//! taken here. Conflicts come from what the steps really touched ([`Touch`]). For a state that
//! was visited before, what its whole future touched is remembered, thread by thread, and stands
//! for the steps that would follow.
//!
//! Every end is reached: a last state, and with it every outcome and every deadlock. States in
//! between are left out, so it suits claims about ends only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::graph::{Edge, Graph};
use crate::machine::Touch;
use crate::race::{MOST_CHOICES, State, Step, all, of, races, takes_away};
use crate::schedule::Choice;
use crate::search::{Ending, Found, Limits, Progress};
use crate::system::System;
use crate::visited::Visited;

/// What the future of a state touches, thread by thread; 0 is the clock.
type Future = Vec<(u8, Touch)>;

struct Frame<M> {
    state: u32,
    mark: M,
    open: Vec<Choice>,
    /// Which of the open choices are to be taken, and which have been.
    wanted: u64,
    done: u64,
    future: Future,
    step: Step,
}

impl<M> State for Frame<M> {
    fn open(&self) -> &[Choice] {
        &self.open
    }
    fn step(&self) -> &Step {
        &self.step
    }
}

/// States between two reports of progress.
const REPORT: usize = 4096;

/// Searches as many orders as it takes to reach every end. The machine comes back as it was.
/// `change` may falsify what a step touched, for tests; it does nothing otherwise.
pub(crate) fn search<S: System>(
    machine: &mut S,
    limits: &Limits,
    change: &dyn Fn(Touch) -> Touch,
    progress: &mut dyn FnMut(Progress),
) -> Found {
    machine.track();
    machine.record(true);
    let mut search = Search {
        limits,
        change,
        visited: Visited::new(),
        futures: Vec::new(),
        kinds: BTreeMap::new(),
        kept: Vec::new(),
        edges: Vec::new(),
        claims: Vec::new(),
        ends: Vec::new(),
        end_keys: BTreeSet::new(),
        outcomes: Vec::new(),
        numbers: BTreeMap::new(),
        bounds: Vec::new(),
        frames: Vec::new(),
        begun: Instant::now(),
    };
    search.run(machine, progress);
    machine.record(false);
    let graph = Graph::new(search.visited.len(), search.edges, machine.thread_count());
    Found {
        graph,
        claims: search.claims,
        ends: search.ends,
        end_keys: search.end_keys,
        outcomes: search.outcomes,
        bounds: search.bounds,
        counted: false,
    }
}

struct Search<'a, S: System> {
    limits: &'a Limits,
    change: &'a dyn Fn(Touch) -> Touch,
    visited: Visited,
    /// The number of each state's future, once it is known.
    futures: Vec<u32>,
    kinds: BTreeMap<Future, u32>,
    kept: Vec<Future>,
    edges: Vec<Edge>,
    claims: Vec<u64>,
    ends: Vec<(u32, u32)>,
    end_keys: BTreeSet<u64>,
    outcomes: Vec<Ending>,
    numbers: BTreeMap<u64, u32>,
    bounds: Vec<String>,
    frames: Vec<Frame<S::Mark>>,
    begun: Instant,
}

impl<S: System> Search<'_, S> {
    fn run(&mut self, machine: &mut S, progress: &mut dyn FnMut(Progress)) {
        let mark = machine.mark();
        let (state, _) = self.visited.insert(machine.key());
        self.enter(machine, state, mark);
        while let Some(frame) = self.frames.last_mut() {
            let left = frame.wanted & !frame.done;
            if left == 0 {
                self.leave(machine);
                continue;
            }
            let place = left.trailing_zeros() as usize;
            frame.done |= 1 << place;
            let choice = frame.open[place];
            let from = frame.state;
            let mark = machine.mark();
            machine.forget_touched();
            machine.step(choice);
            let touch = (self.change)(machine.take_touched());
            self.take(machine, choice, touch);
            let (to, fresh) = self.visited.insert(machine.key());
            self.edges.push(Edge { from, choice, to });
            if !fresh {
                self.meet(machine, to);
                machine.undo(mark);
                continue;
            }
            if self.visited.len() % REPORT == 0 {
                let (states, transitions) = (self.visited.len(), self.edges.len());
                let depth = self.frames.len();
                progress(Progress { states, transitions, depth, done: None });
            }
            if let Some(bound) = self.bound() {
                // What this state would have touched is not known, so nothing else is either.
                self.bounds.push(bound);
                self.note(machine, to);
                machine.undo(mark);
                break;
            }
            self.enter(machine, to, mark);
        }
        while let Some(frame) = self.frames.pop() {
            machine.undo(frame.mark);
        }
    }

    /// Why the search ends here, before the newest state.
    fn bound(&self) -> Option<String> {
        let limits = self.limits;
        if self.visited.len() >= limits.states {
            return Some(format!("{} states", limits.states));
        }
        if self.frames.len() as u64 >= u64::from(limits.depth) {
            return Some(format!("{} steps", limits.depth));
        }
        if self.bytes() > limits.memory {
            return Some(format!("{} MiB of memory", limits.memory >> 20));
        }
        let seldom = self.visited.len() % 256 == 0;
        let time = limits.time.filter(|time| seldom && self.begun.elapsed() > *time)?;
        Some(format!("{} ms", time.as_millis()))
    }

    fn bytes(&self) -> usize {
        let future = size_of::<Future>() * 2
            + self
                .frames
                .first()
                .map_or(0, |frame| frame.step.before.len() * size_of::<(u8, Touch)>());
        self.visited.bytes()
            + self.edges.capacity() * size_of::<Edge>()
            + (self.claims.capacity() + self.futures.capacity()) * 8
            + self.kept.len() * 2 * future
    }

    /// Looks at a new state: what holds there, what can come next, and whether it is an end.
    fn note(&mut self, machine: &mut S, state: u32) -> Vec<Choice> {
        let mut open = Vec::new();
        machine.choices(&mut open);
        self.claims.extend(machine.claims(open.is_empty()));
        self.futures.push(u32::MAX);
        if open.is_empty() {
            let key = machine.outcome_key();
            let fresh = self.outcomes.len() as u32;
            let number = *self.numbers.entry(key).or_insert(fresh);
            if number == fresh {
                self.outcomes.push(Ending { key, lines: machine.outcome_lines() });
            }
            self.ends.push((state, number));
            self.end_keys.insert(machine.key());
        }
        open
    }

    /// A new state goes onto the stack.
    fn enter(&mut self, machine: &mut S, state: u32, mark: S::Mark) {
        let mut open = self.note(machine, state);
        // Whoever made the last step goes on, if possible: that keeps orders simple.
        let last = self.frames.last().map(|frame| frame.step.who);
        let first =
            open.iter().find(|choice| Some(choice.thread_or_clock()) == last).or(open.first());
        let wanted = match first {
            _ if open.len() > MOST_CHOICES => u64::MAX,
            None => 0,
            Some(first) => of(&open, first.thread_or_clock()),
        };
        open.truncate(MOST_CHOICES);
        self.frames.push(Frame {
            state,
            mark,
            open,
            wanted,
            done: 0,
            future: Vec::new(),
            step: Step::default(),
        });
    }

    /// A step is taken from the state on top: which steps of the stack does it race with?
    fn take(&mut self, machine: &S, choice: Choice, touch: Touch) {
        let mine = choice.thread_or_clock();
        let threads = machine.thread_count() + 1;
        let top = self.frames.len() - 1;
        let (step, races) = races(&self.frames[..top], mine, touch, threads);
        for at in races {
            // Who has made a step since that this one needs, and could have made it there: one
            // of them is enough.
            let open = &self.frames[at].open;
            let needed = (0..threads).filter(|thread| step.before[*thread] > at as u32 + 1);
            let chances: Vec<u64> =
                needed.map(|thread| of(open, thread)).filter(|bits| *bits != 0).collect();
            self.want(at, mine, &chances, false);
        }
        let frame = &mut self.frames[top];
        frame.step = step;
        add(&mut frame.future, mine as u8, &touch);
        if takes_away(machine, &frame.open, mine) {
            frame.wanted = all(&frame.open);
        }
    }

    /// The step on top leads to a state that was visited before: its future races as well.
    fn meet(&mut self, machine: &S, state: u32) {
        let Some(future) = self.kept.get(self.futures[state as usize] as usize) else { return };
        let future = future.clone();
        let threads = machine.thread_count() + 1;
        for (whose, touch) in &future {
            let mine = usize::from(*whose);
            // What comes before all further steps of this thread.
            let last = self.frames.iter().rposition(|frame| frame.step.who == mine);
            let known = |at: usize, who: usize| {
                last.is_some_and(|last| {
                    at == last || (at as u32) < self.frames[last].step.before[who]
                })
            };
            let races: Vec<usize> = (0..self.frames.len())
                .filter(|at| {
                    let frame = &self.frames[*at];
                    frame.step.who != mine
                        && !known(*at, frame.step.who)
                        && frame.step.touch.conflicts(touch)
                })
                .collect();
            for at in races {
                let chances = if of(&self.frames[at].open, mine) == 0 {
                    self.related(at, mine, &future, threads)
                } else {
                    Vec::new()
                };
                self.want(at, mine, &chances, true);
            }
        }
        if let Some(frame) = self.frames.last_mut() {
            for (whose, touch) in &future {
                add(&mut frame.future, *whose, touch);
            }
        }
    }

    /// Who may have a part in what makes a step of `mine` possible behind the step taken at `at`:
    /// the threads that conflict with it, the ones that conflict with those, and so on.
    fn related(&self, at: usize, mine: usize, future: &Future, threads: usize) -> Vec<u64> {
        let mut touched = future.clone();
        for frame in &self.frames[at + 1..] {
            add(&mut touched, frame.step.who as u8, &frame.step.touch);
        }
        let mut related = vec![false; threads];
        let mut found = vec![mine];
        while let Some(thread) = found.pop() {
            if std::mem::replace(&mut related[thread], true) {
                continue;
            }
            let Ok(own) = touched.binary_search_by_key(&(thread as u8), |(whose, _)| *whose) else {
                continue;
            };
            for (whose, touch) in &touched {
                let other = usize::from(*whose);
                if !related[other] && touch.conflicts(&touched[own].1) {
                    found.push(other);
                }
            }
        }
        let open = &self.frames[at].open;
        let bits = (0..threads).filter(|thread| related[*thread]).map(|thread| of(open, thread));
        bits.filter(|bits| *bits != 0).collect()
    }

    /// The thread gets its turn in this state as well. If it cannot go on there, one of the
    /// `chances` is taken, or all of them.
    fn want(&mut self, at: usize, mine: usize, chances: &[u64], every: bool) {
        let frame = &mut self.frames[at];
        let choices = of(&frame.open, mine);
        let taken = chances.iter().any(|bits| frame.wanted & bits == *bits);
        frame.wanted |= match (choices, chances) {
            // That very step makes it possible: there is nothing to turn round.
            (0, []) => 0,
            (0, chances) if every => chances.iter().fold(0, |all, bits| all | bits),
            (0, _) if taken => 0,
            (0, [first, ..]) => *first,
            (choices, _) => choices,
        };
    }

    /// A state is done with: its future is known.
    fn leave(&mut self, machine: &mut S) {
        let Some(frame) = self.frames.pop() else { return };
        machine.undo(frame.mark);
        if let Some(parent) = self.frames.last_mut() {
            for (whose, touch) in &frame.future {
                add(&mut parent.future, *whose, touch);
            }
        }
        let fresh = self.kept.len() as u32;
        let number = *self.kinds.entry(frame.future.clone()).or_insert(fresh);
        if number == fresh {
            self.kept.push(frame.future);
        }
        self.futures[frame.state as usize] = number;
    }
}

fn add(future: &mut Future, whose: u8, touch: &Touch) {
    match future.binary_search_by_key(&whose, |(other, _)| *other) {
        Ok(at) => future[at].1.join(touch),
        Err(at) => future.insert(at, (whose, *touch)),
    }
}
