//! What an exploration has found, as data, as text and as JSON.

use std::fmt::Write;
use std::sync::Arc;

use npfs_trace::scenario::Scope;
use serde_json::{Value, json};

use crate::graph::{Graph, Way};
use crate::model::Model;
use crate::schedule;
use crate::search::Found;
use crate::transcript::{self, names};

/// What an exploration has found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Distinct states; 0 when runs were drawn.
    pub states: u64,
    /// Steps between them.
    pub transitions: u64,
    /// Distinct last states.
    pub ends: u64,
    /// Orders; `u128::MAX` stands for that many and more. `None` when not all were looked at
    /// because some cannot differ.
    pub interleavings: Option<u128>,
    /// The steps of the longest order.
    pub depth: u32,
    /// Why it is not complete; empty when it is.
    pub bounds: Vec<String>,
    /// The distinct outcomes, in order of their text.
    pub outcomes: Vec<Outcome>,
    /// The properties, in order of the file.
    pub verdicts: Vec<Verdict>,
}

/// A distinct outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The results of every thread, a line a thread.
    pub lines: Vec<String>,
    /// How many orders lead there, when that was counted.
    pub interleavings: Option<u128>,
    /// One of the shortest of them, and of these one with the fewest preemptions.
    pub schedule: String,
    /// Its steps.
    pub steps: u32,
}

/// A property: when its claim must hold, how it reads, and whether it is said to be broken.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) scope: Scope,
    pub(crate) text: String,
    pub(crate) broken: bool,
}

/// What was found about a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The property as the scenario writes it.
    pub property: String,
    /// Whether it holds, is broken, or neither is known because the search was bounded.
    pub state: Standing,
    /// Whether the scenario says that it is broken.
    pub broken: bool,
    /// An order that breaks it; for a `reachable` that holds, one that reaches it.
    pub witness: Option<Witness>,
}

/// Whether a property holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// In every order.
    Holds,
    /// Not in every order.
    Broken,
    /// Nothing was found, and not everything was looked at.
    Unknown,
}

impl Standing {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Standing::Holds => "holds",
            Standing::Broken => "broken",
            Standing::Unknown => "unknown",
        }
    }
}

impl Verdict {
    /// Whether it is what the scenario says.
    pub fn is_as_said(&self) -> bool {
        match self.state {
            Standing::Holds => !self.broken,
            Standing::Broken => self.broken,
            Standing::Unknown => !self.broken,
        }
    }
}

/// An order that shows something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// The order.
    pub schedule: String,
    /// How often it leaves a thread that could have gone on: no order that shows it and was
    /// looked at has fewer. After a complete search without reduction that is no order at all.
    pub preemptions: u32,
    /// Its steps: no order with as few preemptions has fewer.
    pub steps: u32,
    /// What happens.
    pub transcript: String,
    /// Who sleeps at its end and for whom, and what is left over.
    pub notes: Vec<String>,
}

impl Report {
    /// Says what a search of a scenario has found.
    pub(crate) fn new(model: &Arc<Model>, found: &Found) -> Report {
        Report::of(found, &claimed(model), &names(model), &|way| show(model, way))
    }

    /// Says what a search has found. `show` gives the transcript of an order, and notes.
    pub(crate) fn of(
        found: &Found,
        claimed: &[Claimed],
        names: &[&str],
        show: &dyn Fn(&Way) -> (String, Vec<String>),
    ) -> Report {
        let graph = &found.graph;
        let ways = graph.ways();
        let all = |_: usize| true;
        let mut number = vec![0_usize; graph.states()];
        for (new, old) in graph.found_as.iter().enumerate() {
            number[*old as usize] = new;
        }
        let ends: Vec<(usize, u32)> =
            found.ends.iter().map(|(state, outcome)| (number[*state as usize], *outcome)).collect();
        let fewest = graph.fewest_preemptions(&all);
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut of_outcome: Vec<Vec<usize>> = vec![Vec::new(); found.outcomes.len()];
        ends.iter().for_each(|(state, outcome)| of_outcome[*outcome as usize].push(*state));
        for (ending, here) in found.outcomes.iter().zip(of_outcome) {
            let count = here.iter().fold(0_u128, |sum, state| sum.saturating_add(ways[*state]));
            let ranks =
                here.iter().map(|state| (graph.depths[*state], fewest.best[*state], *state));
            let best = ranks.min();
            let Some((steps, _, state)) = best else { continue };
            let way = fewest.way(graph, state);
            outcomes.push(Outcome {
                lines: ending.lines.clone(),
                interleavings: found.counted.then_some(count),
                schedule: schedule::print(&way.schedule, names),
                steps,
            });
        }
        outcomes.sort_by(|one, two| (&one.lines, one.steps).cmp(&(&two.lines, two.steps)));
        let mut is_end = vec![false; graph.states()];
        ends.iter().for_each(|(state, _)| is_end[*state] = true);
        let complete = found.bounds.is_empty();
        let verdicts = claimed
            .iter()
            .enumerate()
            .map(|(place, property)| {
                let bit = 1 << place;
                let claims: Vec<bool> = (0..graph.states())
                    .map(|state| found.claims[graph.found_as[state] as usize] & bit != 0)
                    .collect();
                let (state, way) = verdict(property.scope, graph, &claims, &is_end, complete);
                let witness = way.map(|way| {
                    let (transcript, notes) = show(&way);
                    Witness { transcript, notes, ..Witness::of(&way, names) }
                });
                let (property, broken) = (property.text.clone(), property.broken);
                Verdict { property, state, broken, witness }
            })
            .collect();
        Report {
            states: graph.states() as u64,
            transitions: graph.transitions() as u64,
            ends: found.end_keys.len() as u64,
            interleavings: found.counted.then(|| {
                ends.iter().fold(0_u128, |sum, (state, _)| sum.saturating_add(ways[*state]))
            }),
            depth: graph.depths.iter().copied().max().unwrap_or(0),
            bounds: found.bounds.clone(),
            outcomes,
            verdicts,
        }
    }

    /// Whether every property is as the scenario says.
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(Verdict::is_as_said)
    }

    /// `complete`, or `bounded by` what.
    pub fn completeness(&self) -> String {
        match &self.bounds[..] {
            [] => "complete".to_owned(),
            bounds => format!("bounded by {}", bounds.join(" and ")),
        }
    }

    /// The table of outcomes: stable text.
    pub fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} outcomes, {}{} states, {} steps at most, {}",
            self.outcomes.len(),
            self.interleavings
                .map_or(String::new(), |orders| format!("{} orders, ", count(orders))),
            self.states,
            self.depth,
            self.completeness()
        );
        for (number, outcome) in (1..).zip(&self.outcomes) {
            let orders = match outcome.interleavings {
                None => "orders".to_owned(),
                Some(1) => "1 order".to_owned(),
                Some(many) => format!("{} orders", count(many)),
            };
            let _ = writeln!(text, "\n{number}. {orders}, such as: {}", outcome.schedule);
            for line in &outcome.lines {
                let _ = writeln!(text, "   {line}");
            }
        }
        if !self.verdicts.is_empty() {
            text.push('\n');
        }
        for verdict in &self.verdicts {
            let _ = writeln!(text, "{}  {}", verdict.state.word(), verdict.property);
        }
        text
    }

    /// What breaks the properties, or shows what they say can be: orders and transcripts.
    pub fn findings(&self) -> String {
        let mut text = String::new();
        for verdict in &self.verdicts {
            let Some(witness) = &verdict.witness else { continue };
            let _ = writeln!(
                text,
                "\n{}  {}: {} preemptions, {} steps: {}",
                verdict.state.word(),
                verdict.property,
                witness.preemptions,
                witness.steps,
                witness.schedule
            );
            for line in witness.transcript.lines().chain(witness.notes.iter().map(String::as_str)) {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }

    /// Everything as JSON. Numbers of orders are texts, as they can be too large for others.
    pub fn json(&self) -> Value {
        let outcomes: Vec<Value> = self
            .outcomes
            .iter()
            .map(|outcome| {
                json!({
                    "threads": outcome.lines,
                    "orders": outcome.interleavings.map(count),
                    "schedule": outcome.schedule,
                    "steps": outcome.steps,
                })
            })
            .collect();
        let verdicts: Vec<Value> = self
            .verdicts
            .iter()
            .map(|verdict| {
                let witness = verdict.witness.as_ref().map(|witness| {
                    json!({
                        "schedule": witness.schedule,
                        "preemptions": witness.preemptions,
                        "steps": witness.steps,
                        "transcript": witness.transcript,
                        "notes": witness.notes,
                    })
                });
                json!({
                    "property": verdict.property,
                    "state": verdict.state.word(),
                    "said_broken": verdict.broken,
                    "witness": witness,
                })
            })
            .collect();
        json!({
            "complete": self.bounds.is_empty(),
            "bounded_by": self.bounds,
            "states": self.states,
            "transitions": self.transitions,
            "ends": self.ends,
            "orders": self.interleavings.map(count),
            "depth": self.depth,
            "outcomes": outcomes,
            "properties": verdicts,
            "holds": self.holds(),
        })
    }
}

/// A number of orders.
pub(crate) fn count(number: u128) -> String {
    match number {
        u128::MAX => "more than 10^38".to_owned(),
        number => number.to_string(),
    }
}

fn verdict(
    scope: Scope,
    graph: &Graph,
    claims: &[bool],
    is_end: &[bool],
    complete: bool,
) -> (Standing, Option<Way>) {
    let all = |_: usize| true;
    let has = |state: usize| claims[state];
    let has_not = |state: usize| !claims[state];
    let way = match scope {
        Scope::Always => graph.simplest(&has_not, &all),
        Scope::Never | Scope::Reachable => graph.simplest(&has, &all),
        Scope::Outcome => graph.simplest(&|state| is_end[state] && !claims[state], &all),
        Scope::Eventually => graph.simplest(&|state| is_end[state] && !claims[state], &has_not),
    };
    let state = match (scope, &way, complete) {
        (Scope::Reachable, Some(_), _) => Standing::Holds,
        (Scope::Reachable, None, true) => Standing::Broken,
        (_, Some(_), _) => Standing::Broken,
        (Scope::Reachable, None, false) | (_, None, false) => Standing::Unknown,
        (_, None, true) => Standing::Holds,
    };
    (state, way)
}

impl Witness {
    /// An order, and nothing about what happens in it.
    pub(crate) fn of(way: &Way, names: &[&str]) -> Witness {
        Witness {
            schedule: schedule::print(&way.schedule, names),
            preemptions: way.preemptions,
            steps: way.schedule.len() as u32,
            transcript: String::new(),
            notes: Vec::new(),
        }
    }
}

/// The properties of a model.
pub(crate) fn claimed(model: &Model) -> Vec<Claimed> {
    let claim = |one: &crate::model::Compiled| Claimed {
        scope: one.scope,
        text: one.text.clone(),
        broken: one.broken,
    };
    model.properties.iter().map(claim).collect()
}

/// What happens in an order of a scenario, and who sleeps at its end.
pub(crate) fn show(model: &Arc<Model>, way: &Way) -> (String, Vec<String>) {
    match transcript::replay(model, &way.schedule) {
        Ok(replayed) => (replayed.text, replayed.sleepers),
        Err(_) => (String::new(), Vec::new()),
    }
}

/// An order of a scenario with what happens in it.
pub(crate) fn witness(model: &Arc<Model>, way: &Way) -> Witness {
    let (transcript, notes) = show(model, way);
    Witness { transcript, notes, ..Witness::of(way, &names(model)) }
}
