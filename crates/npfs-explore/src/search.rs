//! Every order: a depth-first search over states, each visited once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::graph::{Edge, Graph};
use crate::machine::{Machine, Mark};
use crate::outcome;
use crate::property;
use crate::schedule::{self, Choice};
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
    /// The depth of the state it is at.
    pub depth: usize,
}

struct Frame {
    state: u32,
    mark: Mark,
    /// Its choices in the common list: where they begin and which is next.
    begin: usize,
    next: usize,
    last: Option<Choice>,
    preemptions: u32,
}

/// States between two reports of progress.
const REPORT: usize = 4096;

/// Searches all orders from where the machine is. The machine comes back as it was.
pub(crate) fn search(
    machine: &mut Machine,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
) -> Found {
    machine.track();
    let mut search = Search {
        limits,
        visited: Visited::new(),
        edges: Vec::new(),
        claims: Vec::new(),
        ends: Vec::new(),
        end_keys: BTreeSet::new(),
        outcomes: Vec::new(),
        numbers: BTreeMap::new(),
        bounds: Vec::new(),
        kept: Vec::new(),
        begun: Instant::now(),
    };
    search.run(machine, progress);
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

/// The key of a state together with what decides, under these limits, what may still come.
pub(crate) fn mixed(key: u64, limits: &Limits, last: Option<Choice>, preemptions: u32) -> u64 {
    match limits.preemptions {
        None => key,
        Some(_) => key ^ hash::of(9, &(last, preemptions)),
    }
}

struct Search<'a> {
    limits: &'a Limits,
    visited: Visited,
    edges: Vec<Edge>,
    claims: Vec<u64>,
    ends: Vec<(u32, u32)>,
    end_keys: BTreeSet<u64>,
    outcomes: Vec<Ending>,
    /// The numbers of outcomes, by their keys.
    numbers: BTreeMap<u64, u32>,
    bounds: Vec<String>,
    kept: Vec<Machine>,
    begun: Instant,
}

impl Search<'_> {
    fn run(&mut self, machine: &mut Machine, progress: &mut dyn FnMut(Progress)) {
        let mut choices: Vec<Choice> = Vec::new();
        let mut here: Vec<Choice> = Vec::new();
        let mut frames: Vec<Frame> = Vec::new();
        let mark = machine.mark();
        let (state, _) = self.number(machine, None, 0);
        self.enter(machine, state, &mut here);
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
            let (to, fresh) = self.number(machine, Some(choice), preemptions);
            self.edges.push(Edge { from, choice, to });
            if !fresh {
                machine.undo(mark);
                continue;
            }
            if self.limits.check {
                machine.kernel.check();
            }
            self.enter(machine, to, &mut here);
            if self.visited.len() % REPORT == 0 {
                let (states, transitions) = (self.visited.len(), self.edges.len());
                progress(Progress { states, transitions, depth: frames.len() });
                if self.limits.time.is_some_and(|time| self.begun.elapsed() > time) {
                    let time = self.limits.time.unwrap_or_default();
                    self.bound(format!("{} ms", time.as_millis()));
                    machine.undo(mark);
                    break;
                }
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

    /// The number of the state the machine is in, and whether it is new.
    fn number(
        &mut self,
        machine: &mut Machine,
        last: Option<Choice>,
        preemptions: u32,
    ) -> (u32, bool) {
        let mut key = mixed(machine.key(), self.limits, last, preemptions);
        loop {
            let (number, fresh) = self.visited.insert(key);
            if !self.limits.exact {
                return (number, fresh);
            }
            if fresh {
                self.kept.push(machine.clone());
                return (number, true);
            }
            if self.kept[number as usize].same(machine) {
                return (number, false);
            }
            key = hash::scramble(key.wrapping_add(1));
        }
    }

    /// Looks at a new state: what may come next, what holds, and whether it is an end.
    fn enter(&mut self, machine: &mut Machine, state: u32, here: &mut Vec<Choice>) {
        machine.choices(here);
        if !machine.model.properties.is_empty() {
            self.claims.push(property::claims(machine, here.is_empty()));
        }
        if here.is_empty() {
            let key = machine.outcome_key();
            let fresh = self.outcomes.len() as u32;
            let number = *self.numbers.entry(key).or_insert(fresh);
            if number == fresh {
                self.outcomes.push(Ending { key, lines: outcome::lines(machine) });
            }
            self.ends.push((state, number));
            self.end_keys.insert(machine.key());
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
