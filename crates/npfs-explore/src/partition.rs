//! A search in parts, and the parts put together.
//!
//! Every part looks at all states up to a depth at which there are several for each part, and
//! goes on from those whose keys fall to it: what falls to whom depends on the scenario alone. A
//! part is a text with everything it has seen, under keys; put together they are the graph that
//! one search would have found, so the report is the same. Parts may meet the same states, so
//! together they do more than one search.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use npfs_trace::Scenario;
use npfs_trace::scenario::ChoicePoint;
use serde_json::{Value, json};

use crate::graph::{Edge, Graph};
use crate::machine::Machine;
use crate::model::{Model, Unfit};
use crate::report::Report;
use crate::schedule::Choice;
use crate::search::{self, Ending, Found, Limits, Progress};
use npfs_kernel::hash;

/// Which part of how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partition {
    /// From 1.
    number: u32,
    of: u32,
}

impl Partition {
    /// Part `number`, from 1, of `of`; `None` when there is no such part.
    pub fn new(number: u32, of: u32) -> Option<Partition> {
        (1..=of).contains(&number).then_some(Partition { number, of })
    }
}

/// What falls to a part: states at this depth whose keys do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    depth: usize,
    partition: Partition,
}

impl Share {
    /// Whether a part goes on from a state.
    pub(crate) fn has(&self, depth: usize, key: u64) -> bool {
        let owner = hash::scramble(key) % u64::from(self.partition.of);
        depth != self.depth || owner + 1 == u64::from(self.partition.number)
    }
}

/// What a part has seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) root: u64,
    pub(crate) edges: Vec<(u64, Choice, u64)>,
    /// States with the claims that hold there.
    pub(crate) claims: Vec<(u64, u64)>,
    /// Last states with their outcomes, and their keys without what limits add.
    pub(crate) ends: Vec<(u64, u64, u64)>,
    pub(crate) outcomes: BTreeMap<u64, Vec<String>>,
    pub(crate) bounds: Vec<String>,
}

/// States at the depth of the split, for each part.
const STATES_EACH: usize = 16;

/// Searches one part and gives it as text, for [`merge`]. Limits of states, depth, time and
/// memory are those of the part.
///
/// # Errors
/// When what stands above `race` cannot be run, or the limits ask for `exact`, `reduce` or
/// several workers.
pub fn explore_part(
    model: &Arc<Model>,
    limits: &Limits,
    partition: Partition,
    progress: &mut dyn FnMut(Progress),
) -> Result<String, Unfit> {
    if limits.exact || limits.reduce || limits.jobs > 1 {
        let why = "wanted a part without --exact, --reduce and --jobs".to_owned();
        return Err(Unfit { line: 0, why });
    }
    let mut machine = Machine::new(Arc::clone(model))?;
    let share = Share { depth: split(&mut machine, limits, partition.of), partition };
    let seen = search::part(&mut machine, limits, share, progress);
    Ok(print(model, limits, partition, &seen))
}

/// The least depth with enough states for all parts; else the one with the most.
fn split(machine: &mut Machine, limits: &Limits, parts: u32) -> usize {
    let enough = STATES_EACH * parts as usize;
    let (mut best, mut most) = (0, 0);
    for depth in 1.. {
        let shallow = Limits { depth, time: None, check: false, ..limits.clone() };
        let found = search::search(machine, &shallow, &mut |_| {});
        let states = found.graph.depths.iter().filter(|other| **other == depth).count();
        if states > most {
            (best, most) = (depth as usize, states);
        }
        if states >= enough || states == 0 || found.bounds.is_empty() {
            break;
        }
    }
    best
}

fn print(model: &Model, limits: &Limits, partition: Partition, seen: &Seen) -> String {
    let mut edges = String::new();
    for (from, choice, to) in &seen.edges {
        edges += &format!("{from:016x}{:04x}{to:016x}", choice.code());
    }
    let claims: String = seen.claims.iter().map(|(a, b)| format!("{a:016x}{b:016x}")).collect();
    let ends: String =
        seen.ends.iter().map(|(a, b, c)| format!("{a:016x}{b:016x}{c:016x}")).collect();
    let outcomes: BTreeMap<String, &Vec<String>> =
        seen.outcomes.iter().map(|(key, lines)| (format!("{key:016x}"), lines)).collect();
    let choices: Vec<&str> =
        [(model.eager_timers, ChoicePoint::Timers), (model.any_waiter, ChoicePoint::Waiters)]
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, choice)| choice.word())
            .collect();
    let value = json!({
        "npfs_part": partition.number,
        "of": partition.of,
        "scenario": model.scenario.to_string(),
        "choices": choices,
        "preemptions": limits.preemptions,
        "bounds": seen.bounds,
        "root": format!("{:016x}", seen.root),
        "edges": edges,
        "claims": claims,
        "ends": ends,
        "outcomes": outcomes,
    });
    format!("{value}\n")
}

/// A part as read: what all parts must agree on, which it is, what it has seen.
struct Read {
    common: Value,
    number: u64,
    of: u64,
    seen: Seen,
}

fn read(text: &str) -> Result<Read, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("{error}"))?;
    let number = |name: &str| {
        value[name]
            .as_u64()
            .ok_or_else(|| format!("wanted a number `{name}`, found {}", value[name]))
    };
    let (part, of) = (number("npfs_part")?, number("of")?);
    let rows = |name: &str, widths: &[usize]| -> Result<Vec<Vec<u64>>, String> {
        let wrong = || format!("wanted rows of hexadecimal digits in `{name}`");
        let text = value[name].as_str().ok_or_else(wrong)?;
        let width: usize = widths.iter().sum();
        if !text.is_ascii() || text.len() % width != 0 {
            return Err(wrong());
        }
        let mut rows = Vec::with_capacity(text.len() / width);
        let mut rest = text;
        while !rest.is_empty() {
            let mut row = Vec::with_capacity(widths.len());
            for width in widths {
                let (digits, more) = rest.split_at(*width);
                row.push(u64::from_str_radix(digits, 16).map_err(|_| wrong())?);
                rest = more;
            }
            rows.push(row);
        }
        Ok(rows)
    };
    let mut seen = Seen::default();
    let root = rows("root", &[16])?;
    seen.root = *root.first().and_then(|row| row.first()).ok_or("wanted a `root`")?;
    for row in rows("edges", &[16, 4, 16])? {
        seen.edges.push((row[0], Choice::from_code(row[1] as u16), row[2]));
    }
    seen.claims = rows("claims", &[16, 16])?.iter().map(|row| (row[0], row[1])).collect();
    seen.ends = rows("ends", &[16, 16, 16])?.iter().map(|row| (row[0], row[1], row[2])).collect();
    let texts = |value: &Value| -> Result<Vec<String>, String> {
        let list = value.as_array().into_iter().flatten();
        let texts = list.map(|text| text.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().ok_or_else(|| "wanted a list of texts".to_owned())
    };
    for (key, lines) in value["outcomes"].as_object().into_iter().flatten() {
        let key = u64::from_str_radix(key, 16).map_err(|_| "wanted a key".to_owned())?;
        seen.outcomes.insert(key, texts(lines)?);
    }
    seen.bounds = texts(&value["bounds"])?;
    let common = json!([value["scenario"], value["choices"], value["preemptions"], of, seen.root]);
    Ok(Read { common, number: part, of, seen })
}

/// Puts parts together. Parts that are missing bound the report.
///
/// # Errors
/// Which text, from 0, is no part or does not belong to the first one, and why.
pub fn merge(parts: &[String]) -> Result<Report, (usize, String)> {
    let mut read_parts = Vec::new();
    for (place, text) in parts.iter().enumerate() {
        read_parts.push(read(text).map_err(|why| (place, why))?);
    }
    let Some(first) = read_parts.first() else {
        return Err((0, "wanted at least one part".to_owned()));
    };
    let common = first.common.clone();
    if let Some(place) = read_parts.iter().position(|part| part.common != common) {
        return Err((place, "wanted a part of the same search as the first file".to_owned()));
    }
    let unfit = |why: String| (0, why);
    let text = common[0].as_str().unwrap_or_default();
    let scenario = Scenario::parse(text).map_err(|error| unfit(error.to_string()))?;
    let mut model = Model::new(&scenario).map_err(|error| unfit(error.to_string()))?;
    for word in common[1].as_array().into_iter().flatten() {
        if let Some(choice) = word.as_str().and_then(ChoicePoint::from_word) {
            model.set_choice(choice, true);
        }
    }
    let (of, root) = (first.of, first.seen.root);
    let there: BTreeSet<u64> = read_parts.iter().map(|part| part.number).collect();
    let mut bounds: BTreeSet<String> = BTreeSet::new();
    let missing: Vec<String> =
        (1..=of).filter(|number| !there.contains(number)).map(|one| one.to_string()).collect();
    if !missing.is_empty() {
        bounds.insert(format!("missing parts ({} of {of})", missing.join(", ")));
    }
    let seen: Vec<Seen> = read_parts.into_iter().map(|part| part.seen).collect();
    bounds.extend(seen.iter().flat_map(|seen| seen.bounds.iter().cloned()));
    let model = Arc::new(model);
    let found = together(&model, root, seen, bounds);
    Ok(Report::new(&model, &found))
}

fn together(model: &Model, root: u64, seen: Vec<Seen>, bounds: BTreeSet<String>) -> Found {
    let mut keys: Vec<u64> = seen
        .iter()
        .flat_map(|seen| seen.edges.iter().flat_map(|(from, _, to)| [*from, *to]))
        .filter(|key| *key != root)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    // The start is number 0 of a graph.
    let dense = |key: u64| match keys.binary_search(&key) {
        Ok(place) => place as u32 + 1,
        Err(_) => 0,
    };
    let mut edges: Vec<Edge> = seen
        .iter()
        .flat_map(|seen| seen.edges.iter())
        .map(|(from, choice, to)| Edge { from: dense(*from), choice: *choice, to: dense(*to) })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let states = keys.len() + 1;
    let mut claims = vec![0; if model.properties.is_empty() { 0 } else { states }];
    let mut ends = BTreeSet::new();
    let mut outcomes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for seen in seen {
        for (key, bits) in &seen.claims {
            if let Some(claim) = claims.get_mut(dense(*key) as usize) {
                *claim = *bits;
            }
        }
        ends.extend(seen.ends);
        outcomes.extend(seen.outcomes);
    }
    let numbers: BTreeMap<u64, u32> = outcomes.keys().copied().zip(0..).collect();
    let of_states: BTreeSet<(u32, u32)> = ends
        .iter()
        .filter_map(|(state, outcome, _)| Some((dense(*state), *numbers.get(outcome)?)))
        .collect();
    Found {
        graph: Graph::new(states, edges, model.threads.len()),
        claims,
        ends: of_states.into_iter().collect(),
        end_keys: ends.iter().map(|(_, _, key)| *key).collect(),
        outcomes: outcomes.into_iter().map(|(key, lines)| Ending { key, lines }).collect(),
        bounds: bounds.into_iter().collect(),
        counted: true,
    }
}
