//! A search that keeps the keys of states and nothing else of them.
//!
//! Without the graph orders are not counted and no order is the simplest; each outcome and each
//! broken property comes with the order in which it was first met.

use std::collections::BTreeMap;

use npfs_trace::scenario::Scope;

use crate::graph::Way;
use crate::report::{Claimed, Outcome, Report, Standing, Verdict, Witness};
use crate::schedule::{self, Choice};
use crate::system::System;

/// What is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lean {
    /// The outcomes with their first orders, by their keys.
    outcomes: BTreeMap<u64, (Vec<String>, Vec<Choice>)>,
    /// For each property the first order that decides it.
    found: Vec<Option<Vec<Choice>>>,
    scopes: Vec<Scope>,
    pub(crate) transitions: u64,
    pub(crate) depth: u32,
}

impl Lean {
    pub(crate) fn new(scopes: Vec<Scope>) -> Lean {
        Lean { found: vec![None; scopes.len()], scopes, ..Lean::default() }
    }

    /// A new state, and how it was come to.
    pub(crate) fn look<S: System>(
        &mut self,
        system: &S,
        last: bool,
        way: &dyn Fn() -> Vec<Choice>,
    ) {
        if let Some(claims) = system.claims(last) {
            for (place, scope) in self.scopes.iter().enumerate() {
                let holds = claims & 1 << place != 0;
                let decides = match scope {
                    Scope::Always => !holds,
                    Scope::Never | Scope::Reachable => holds,
                    Scope::Outcome => last && !holds,
                    Scope::Eventually => false,
                };
                if decides && self.found[place].is_none() {
                    self.found[place] = Some(way());
                }
            }
        }
        if last {
            let key = system.outcome_key();
            self.outcomes.entry(key).or_insert_with(|| (system.outcome_lines(), way()));
        }
    }

    /// What was found, as a report. The system is at its start.
    pub(crate) fn report<S: System>(
        self,
        system: &mut S,
        states: u64,
        bounds: Vec<String>,
        claimed: &[Claimed],
        names: &[&str],
        show: &dyn Fn(&Way) -> (String, Vec<String>),
    ) -> Report {
        let mut outcomes: Vec<Outcome> = self
            .outcomes
            .into_values()
            .map(|(lines, way)| Outcome {
                lines,
                interleavings: None,
                schedule: schedule::print(&way, names),
                steps: way.len() as u32,
            })
            .collect();
        outcomes.sort_by(|one, two| (&one.lines, one.steps).cmp(&(&two.lines, two.steps)));
        let complete = bounds.is_empty();
        let verdicts = claimed.iter().zip(self.found).map(|(claim, found)| {
            let state = match (claim.scope == Scope::Reachable, found.is_some(), complete) {
                (true, true, _) | (false, false, true) => Standing::Holds,
                (false, true, _) | (true, false, true) => Standing::Broken,
                (_, false, false) => Standing::Unknown,
            };
            let witness = found.map(|schedule| {
                let way = Way { preemptions: preemptions(system, &schedule), schedule };
                let (transcript, notes) = show(&way);
                Witness { transcript, notes, ..Witness::of(&way, names) }
            });
            let (property, broken) = (claim.text.clone(), claim.broken);
            Verdict { property, state, broken, witness }
        });
        let verdicts = verdicts.collect();
        Report {
            states,
            transitions: self.transitions,
            depth: self.depth,
            bounds,
            outcomes,
            verdicts,
            ..Report::default()
        }
    }
}

/// How often an order leaves a thread that could have gone on.
fn preemptions<S: System>(system: &mut S, order: &[Choice]) -> u32 {
    let mark = system.mark();
    let (mut open, mut last, mut count) = (Vec::new(), None, 0);
    for choice in order {
        system.choices(&mut open);
        count += u32::from(schedule::preempts(last.as_ref(), *choice, &open));
        system.step(*choice);
        last = Some(*choice);
    }
    system.undo(mark);
    count
}
