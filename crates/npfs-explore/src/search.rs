//! Every order: a depth-first search over states, each visited once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::graph::{Edge, Graph};
use crate::lean::Lean;
use crate::partition::{Seen, Share};
use crate::schedule::{self, Choice};
use crate::system::System;
use crate::visited::Visited;
use npfs_kernel::hash;

/// Where a search ends before it is complete.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most states.
    pub states: usize,
    /// The most steps of an order.
    pub depth: u32,
    /// The most preemptions of an order: steps away from a thread that could have gone on.
    pub preemptions: Option<u32>,
    /// The most time. What is found before it is over differs from run to run.
    pub time: Option<Duration>,
    /// The most bytes for states and edges.
    pub memory: usize,
    /// Keep every state whole and compare, instead of trusting that keys of 64 bits differ.
    pub exact: bool,
    /// Assert the kernel's invariants in every state.
    pub check: bool,
    /// Leave out orders that only swap steps which have nothing to do with each other. Every end
    /// is still reached; orders are not counted. Ignored with claims about states before the
    /// end, with a bound of preemptions and with `exact`.
    pub reduce: bool,
    /// Keep nothing but the keys of states: 8 bytes in a table that is at least three eighths
    /// full. Orders are not counted and witnesses are the orders first met. Ignored with a claim
    /// of `eventually`, a bound of preemptions, `exact`, `reduce` and several workers.
    pub lean: bool,
    /// How many workers search. What is found is the same with any number. With `exact` or
    /// `reduce` there is one.
    pub jobs: usize,
}

impl Default for Limits {
    /// 50 million states, 100,000 steps, 2 GiB.
    fn default() -> Limits {
        Limits {
            states: 50_000_000,
            depth: 100_000,
            preemptions: None,
            time: None,
            memory: 2 << 30,
            exact: false,
            check: false,
            reduce: false,
            lean: false,
            jobs: 1,
        }
    }
}

/// What a search has found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) graph: Graph,
    /// Which claims hold, by the number under which a state was found; empty without properties.
    pub(crate) claims: Vec<u64>,
    /// The last states, with the number of their outcome.
    pub(crate) ends: Vec<(u32, u32)>,
    /// The keys of the last states.
    pub(crate) end_keys: BTreeSet<u64>,
    pub(crate) outcomes: Vec<Ending>,
    /// Why the search is not complete.
    pub(crate) bounds: Vec<String>,
    /// Whether the graph has every order.
    pub(crate) counted: bool,
}

/// A distinct outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ending {
    pub(crate) key: u64,
    pub(crate) lines: Vec<String>,
}

/// How far a search is, for whoever watches it.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// States so far.
    pub states: usize,
    /// Steps from state to state so far.
    pub transitions: usize,
    /// The depth of the state it is at; 0 with several workers, who are at several.
    pub depth: usize,
    /// Which part of the choices is done, from 0 to 1, where that is known. States that come
    /// again cost nothing, so it goes faster towards the end.
    pub done: Option<f64>,
}

/// Which part of the choices on the way is done, as if each led to as many states.
fn fraction<M>(frames: &[Frame<M>], choices: usize) -> f64 {
    let ends = frames.iter().skip(1).map(|frame| frame.begin).chain([choices]);
    let (mut done, mut width) = (0.0, 1.0);
    for (frame, end) in frames.iter().zip(ends) {
        width /= (end - frame.begin).max(1) as f64;
        done += width * (frame.next - frame.begin).saturating_sub(1) as f64;
    }
    done
}

struct Frame<M> {
    state: u32,
    mark: M,
    /// Its choices in the common list: where they begin and which is next.
    begin: usize,
    next: usize,
    last: Option<Choice>,
    preemptions: u32,
}

/// States between two reports of progress.
const REPORT: usize = 4096;

/// Searches all orders from where the machine is. The machine comes back as it was.
pub(crate) fn search<S: System>(
    machine: &mut S,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
) -> Found {
    let search = Search::new(limits, None, None).done(machine, progress);
    let graph = Graph::new(search.visited.len(), search.edges, machine.thread_count());
    Found {
        graph,
        claims: search.claims,
        ends: search.ends,
        end_keys: search.end_keys,
        outcomes: search.outcomes,
        bounds: search.bounds,
        counted: true,
    }
}

/// Searches all orders and keeps no graph. Gives what was found, states, and bounds.
pub(crate) fn lean<S: System>(
    machine: &mut S,
    limits: &Limits,
    lean: Lean,
    progress: &mut dyn FnMut(Progress),
) -> (Lean, u64, Vec<String>) {
    let search = Search::new(limits, None, Some(lean)).done(machine, progress);
    (search.lean.unwrap_or_default(), search.visited.len() as u64, search.bounds)
}

/// Searches what falls to one part.
pub(crate) fn part<S: System>(
    machine: &mut S,
    limits: &Limits,
    share: Share,
    progress: &mut dyn FnMut(Progress),
) -> Seen {
    let search = Search::new(limits, Some(share), None).done(machine, progress);
    let keys = search.visited.keys();
    let key = |state: u32| keys[state as usize];
    let edges = search.edges.iter().map(|edge| (key(edge.from), edge.choice, key(edge.to)));
    let end = |((state, outcome), own): (&(u32, u32), &u64)| {
        (key(*state), search.outcomes[*outcome as usize].key, *own)
    };
    Seen {
        root: keys.first().copied().unwrap_or(0),
        edges: edges.collect(),
        claims: keys.iter().copied().zip(search.claims.iter().copied()).collect(),
        ends: search.ends.iter().zip(&search.own_keys).map(end).collect(),
        outcomes: search.outcomes.iter().map(|one| (one.key, one.lines.clone())).collect(),
        bounds: search.bounds.clone(),
    }
}
/// The key of a state together with what decides, under these limits, what may still come.
pub(crate) fn mixed(key: u64, limits: &Limits, last: Option<Choice>, preemptions: u32) -> u64 {
    match limits.preemptions {
        None => key,
        Some(_) => key ^ hash::of(9, &(last, preemptions)),
    }
}

struct Search<'a, S> {
    limits: &'a Limits,
    /// What falls to this search, if it is one of several parts.
    share: Option<Share>,
    /// What is kept instead of the graph.
    lean: Option<Lean>,
    visited: Visited,
    edges: Vec<Edge>,
    claims: Vec<u64>,
    ends: Vec<(u32, u32)>,
    end_keys: BTreeSet<u64>,
    /// The same, end by end.
    own_keys: Vec<u64>,
    outcomes: Vec<Ending>,
    /// The numbers of outcomes, by their keys.
    numbers: BTreeMap<u64, u32>,
    bounds: Vec<String>,
    kept: Vec<S>,
    begun: Instant,
}

impl<'a, S: System> Search<'a, S> {
    fn new(limits: &'a Limits, share: Option<Share>, lean: Option<Lean>) -> Search<'a, S> {
        let visited = if lean.is_some() { Visited::without_numbers() } else { Visited::new() };
        Search {
            limits,
            share,
            lean,
            visited,
            edges: Vec::new(),
            claims: Vec::new(),
            ends: Vec::new(),
            end_keys: BTreeSet::new(),
            own_keys: Vec::new(),
            outcomes: Vec::new(),
            numbers: BTreeMap::new(),
            bounds: Vec::new(),
            kept: Vec::new(),
            begun: Instant::now(),
        }
    }

    fn done(mut self, machine: &mut S, progress: &mut dyn FnMut(Progress)) -> Self {
        machine.track();
        self.run(machine, progress);
        self
    }

    fn run(&mut self, machine: &mut S, progress: &mut dyn FnMut(Progress)) {
        let mut choices: Vec<Choice> = Vec::new();
        let mut here: Vec<Choice> = Vec::new();
        let mut frames: Vec<Frame<S::Mark>> = Vec::new();
        let mark = machine.mark();
        let (state, ..) = self.number(machine, None, 0);
        match &mut self.lean {
            None => self.enter(machine, state, &mut here),
            Some(lean) => {
                machine.choices(&mut here);
                lean.look(machine, here.is_empty(), &Vec::new);
            }
        }
        choices.extend_from_slice(&here);
        frames.push(Frame { state, mark, begin: 0, next: 0, last: None, preemptions: 0 });
        while let Some(frame) = frames.last_mut() {
            let Some(choice) = choices.get(frame.next).copied() else {
                machine.undo(frame.mark);
                choices.truncate(frame.begin);
                frames.pop();
                continue;
            };
            frame.next += 1;
            let open = &choices[frame.begin..];
            let preempts = schedule::preempts(frame.last.as_ref(), choice, open);
            let preemptions = frame.preemptions + u32::from(preempts);
            if self.limits.preemptions.is_some_and(|most| preemptions > most) {
                let most = self.limits.preemptions.unwrap_or(0);
                self.bound(format!("{most} preemptions"));
                continue;
            }
            let from = frame.state;
            let mark = machine.mark();
            machine.step(choice);
            let (to, fresh, key) = self.number(machine, Some(choice), preemptions);
            match &mut self.lean {
                None => self.edges.push(Edge { from, choice, to }),
                Some(lean) => lean.transitions += 1,
            }
            if !fresh {
                machine.undo(mark);
                continue;
            }
            if self.limits.check {
                machine.check();
            }
            match &mut self.lean {
                None => self.enter(machine, to, &mut here),
                Some(lean) => {
                    machine.choices(&mut here);
                    lean.depth = lean.depth.max(frames.len() as u32);
                    let way = || {
                        let before = frames.iter().filter_map(|frame| frame.last);
                        before.chain([choice]).collect()
                    };
                    lean.look(machine, here.is_empty(), &way);
                }
            }
            if self.visited.len() % REPORT == 0 {
                let states = self.visited.len();
                let transitions = match &self.lean {
                    None => self.edges.len(),
                    Some(lean) => lean.transitions as usize,
                };
                let done = Some(fraction(&frames, choices.len()));
                progress(Progress { states, transitions, depth: frames.len(), done });
                if self.limits.time.is_some_and(|time| self.begun.elapsed() > time) {
                    let time = self.limits.time.unwrap_or_default();
                    self.bound(format!("{} ms", time.as_millis()));
                    machine.undo(mark);
                    break;
                }
            }
            if self.share.is_some_and(|share| !share.has(frames.len(), key)) {
                machine.undo(mark);
                continue;
            }
            if self.is_full(frames.len()) {
                machine.undo(mark);
                if self.visited.len() >= self.limits.states || self.bytes() > self.limits.memory {
                    break;
                }
                continue;
            }
            let begin = choices.len();
            choices.extend_from_slice(&here);
            let last = Some(choice);
            frames.push(Frame { state: to, mark, begin, next: begin, last, preemptions });
        }
        while let Some(frame) = frames.pop() {
            machine.undo(frame.mark);
        }
    }

    /// The number of the state the machine is in, whether it is new, and its key.
    fn number(
        &mut self,
        machine: &mut S,
        last: Option<Choice>,
        preemptions: u32,
    ) -> (u32, bool, u64) {
        let mut key = mixed(machine.key(), self.limits, last, preemptions);
        loop {
            let (number, fresh) = self.visited.insert(key);
            if !self.limits.exact {
                return (number, fresh, key);
            }
            if fresh {
                self.kept.extend(machine.copy());
                return (number, true, key);
            }
            if self.kept.get(number as usize).is_none_or(|kept| kept.same(machine)) {
                return (number, false, key);
            }
            key = hash::scramble(key.wrapping_add(1));
        }
    }

    /// Looks at a new state: what may come next, what holds, and whether it is an end.
    fn enter(&mut self, machine: &mut S, state: u32, here: &mut Vec<Choice>) {
        machine.choices(here);
        self.claims.extend(machine.claims(here.is_empty()));
        if here.is_empty() {
            let key = machine.outcome_key();
            let fresh = self.outcomes.len() as u32;
            let number = *self.numbers.entry(key).or_insert(fresh);
            if number == fresh {
                self.outcomes.push(Ending { key, lines: machine.outcome_lines() });
            }
            self.ends.push((state, number));
            let key = machine.key();
            self.end_keys.insert(key);
            if self.share.is_some() {
                self.own_keys.push(key);
            }
        }
    }

    fn is_full(&mut self, depth: usize) -> bool {
        if depth as u64 >= u64::from(self.limits.depth) {
            self.bound(format!("{} steps", self.limits.depth));
            return true;
        }
        if self.visited.len() >= self.limits.states {
            self.bound(format!("{} states", self.limits.states));
            return true;
        }
        if self.bytes() > self.limits.memory {
            self.bound(format!("{} MiB of memory", self.limits.memory >> 20));
            return true;
        }
        false
    }

    fn bytes(&self) -> usize {
        self.visited.bytes()
            + self.edges.capacity() * size_of::<Edge>()
            + self.claims.capacity() * 8
    }

    fn bound(&mut self, bound: String) {
        if !self.bounds.contains(&bound) {
            self.bounds.push(bound);
        }
    }
}
