//! Looks for an order of a history's calls that the model explains.
//!
//! Depth first, and first whoever was seen to be over first: what a system did is mostly near
//! that. A state that was left without success is not entered again; two orders that lead to
//! equal states have the same future. That is most of what the reduction of the explorer would
//! leave out; the rest of it needs the steps behind a state, and here most orders are refused
//! before they have any.

use super::system::{Choice, Mark, System, Trouble};
use crate::visited::Visited;

/// When a search gives up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Distinct states at which several orders meet.
    pub states: usize,
    /// Steps of the model, taken back or not.
    pub steps: u64,
    /// Equal states are entered again. Costs much and changes nothing; for tests of that.
    pub equal_states: bool,
}

impl Default for Limits {
    /// A million states, a hundred million steps.
    fn default() -> Limits {
        Limits { states: 1_000_000, steps: 100_000_000, equal_states: false }
    }
}

/// What a search found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The order, or of all that were tried the one that explains most.
    pub(crate) order: Vec<Choice>,
    pub(crate) end: End,
    pub(crate) effort: Effort,
}

/// What a search has cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effort {
    /// Distinct states at which several orders meet.
    pub states: usize,
    /// Steps of the model, taken back or not.
    pub steps: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Explained,
    /// No order explains the whole; why none of those goes on that explain most.
    Impossible(Vec<Trouble>),
    /// Not every order was tried, because of this limit.
    Unknown(String, Vec<Trouble>),
}

struct Frame {
    /// The state before the step that led here.
    mark: Mark,
    /// Where its choices start in the list of all, and which comes next.
    start: usize,
    next: usize,
    /// Whether a step from here was taken.
    left: bool,
}

/// The best that was found so far.
#[derive(Default)]
struct Best {
    explained: usize,
    order: Vec<Choice>,
    troubles: Vec<Trouble>,
}

/// The most reasons that are kept.
const MOST_TROUBLES: usize = 64;

/// Searches from where the system is. It is at the end of the order when one was found, else
/// anywhere.
pub(crate) fn search(system: &mut System<'_, '_>, limits: &Limits) -> Found {
    let mut search = Search {
        visited: Visited::new(),
        frames: Vec::new(),
        choices: Vec::new(),
        order: Vec::new(),
        open: 0,
        steps: 0,
        best: None,
        troubles: Vec::new(),
    };
    let mark = system.mark();
    search.enter(system, mark);
    let bound = search.run(system, limits);
    let effort = Effort { states: search.visited.len(), steps: search.steps };
    let best = search.best.unwrap_or_default();
    match bound {
        Ended::Explained => Found { order: search.order, end: End::Explained, effort },
        Ended::Tried => Found { order: best.order, end: End::Impossible(best.troubles), effort },
        Ended::Limit(limit) => {
            Found { order: best.order, end: End::Unknown(limit, best.troubles), effort }
        }
    }
}

enum Ended {
    Explained,
    Tried,
    Limit(String),
}

struct Search {
    visited: Visited,
    frames: Vec<Frame>,
    /// The choices of all frames, one after the other.
    choices: Vec<(u64, Choice)>,
    order: Vec<Choice>,
    /// How many frames have more than one choice.
    open: usize,
    steps: u64,
    best: Option<Best>,
    /// Why steps from the last frame were refused.
    troubles: Vec<Trouble>,
}

impl Search {
    fn run(&mut self, system: &mut System<'_, '_>, limits: &Limits) -> Ended {
        if system.is_explained() {
            return Ended::Explained;
        }
        while let Some(frame) = self.frames.last_mut() {
            let Some((_, choice)) = self.choices.get(frame.next).copied() else {
                self.leave(system);
                continue;
            };
            frame.next += 1;
            self.steps += 1;
            let mark = system.mark();
            if !system.step(choice) {
                self.troubles.append(&mut system.troubles);
                system.undo(mark);
                continue;
            }
            // Before equal states are left out: that the two systems have parted is no part of one.
            if system.is_explained() {
                self.order.push(choice);
                return Ended::Explained;
            }
            if self.open > 0 && !self.visited.insert(system.key()).1 && !limits.equal_states {
                frame.left = true;
                system.undo(mark);
                continue;
            }
            frame.left = true;
            self.order.push(choice);
            if self.visited.len() >= limits.states {
                self.note(system);
                return Ended::Limit(format!("{} states", limits.states));
            }
            if self.steps >= limits.steps {
                self.note(system);
                return Ended::Limit(format!("{} steps", limits.steps));
            }
            self.enter(system, mark);
        }
        Ended::Tried
    }

    fn enter(&mut self, system: &System<'_, '_>, mark: Mark) {
        let start = self.choices.len();
        system.choices(&mut self.choices);
        // The sort is stable: threads in order where the stamps are equal.
        self.choices[start..].sort_by_key(|(by, _)| *by);
        self.open += usize::from(self.choices.len() - start > 1);
        self.frames.push(Frame { mark, start, next: start, left: false });
        self.troubles.clear();
    }

    fn leave(&mut self, system: &mut System<'_, '_>) {
        let Some(frame) = self.frames.pop() else { return };
        if !frame.left {
            self.note(system);
        }
        self.troubles.clear();
        self.open -= usize::from(self.choices.len() - frame.start > 1);
        self.choices.truncate(frame.start);
        self.order.pop();
        system.undo(frame.mark);
    }

    /// The order that leads here, if it explains more than any other that ended.
    fn note(&mut self, system: &System<'_, '_>) {
        let known = self.best.as_ref().map(|best| best.explained);
        if known < Some(system.explained) {
            self.best = Some(Best {
                explained: system.explained,
                order: self.order.clone(),
                troubles: Vec::new(),
            });
        }
        let Some(best) = self.best.as_mut().filter(|best| best.explained == system.explained)
        else {
            return;
        };
        for trouble in self.troubles.drain(..) {
            if best.troubles.len() < MOST_TROUBLES && !best.troubles.contains(&trouble) {
                best.troubles.push(trouble);
            }
        }
    }
}
