//! Strategies: who comes next, when not everything is tried.
//!
//! Each is a file behind [`Strategy`]. [`sample`] makes many runs with one of them and reports
//! what they came to; the same strategy, seed and number of runs give the same report.

mod pct;
mod random_walk;
mod replay;
mod round_robin;

use std::collections::BTreeMap;
use std::sync::Arc;

use npfs_trace::scenario::Scope;

pub use pct::Pct;
pub use random_walk::RandomWalk;
pub use replay::Replay;
pub use round_robin::RoundRobin;

use crate::graph::Way;
use crate::machine::Machine;
use crate::model::{Model, Unfit};
use crate::outcome;
use crate::property;
use crate::report::{Outcome, Report, Standing, Verdict, witness};
use crate::schedule::{self, Choice};
use crate::transcript::names;

/// Chooses who comes next.
pub trait Strategy {
    /// A new run begins, of a model with so many threads.
    fn begin(&mut self, threads: usize);
    /// The place in `open`, which is not empty, of what comes next; `None` ends the run.
    fn choose(&mut self, open: &[Choice]) -> Option<usize>;
}

/// A run.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Run {
    schedule: Vec<Choice>,
    /// The preemptions of the first steps, by their number.
    preemptions: Vec<u32>,
    outcome: u64,
    /// Nothing can happen any more.
    over: bool,
    /// For each property the number of steps after which its claim first held, and first did not.
    held: Vec<Option<usize>>,
    missed: Vec<Option<usize>>,
    /// Which claims hold at the end.
    last: u64,
}

/// Longer runs are cut.
const LONGEST: usize = 1_000_000;

fn run(start: &Machine, strategy: &mut dyn Strategy) -> (Run, Machine) {
    let mut machine = start.clone();
    let properties = machine.model.properties.len();
    let mut run = Run {
        schedule: Vec::new(),
        preemptions: vec![0],
        outcome: 0,
        over: false,
        held: vec![None; properties],
        missed: vec![None; properties],
        last: 0,
    };
    strategy.begin(machine.thread_count());
    let mut open = Vec::new();
    loop {
        machine.choices(&mut open);
        run.over = open.is_empty();
        if properties > 0 {
            run.last = property::claims(&machine, run.over);
            for place in 0..properties {
                let list = if run.last & 1 << place != 0 { &mut run.held } else { &mut run.missed };
                list[place].get_or_insert(run.schedule.len());
            }
        }
        if open.is_empty() || run.schedule.len() >= LONGEST {
            break;
        }
        let chosen = strategy.choose(&open).and_then(|place| open.get(place));
        let Some(choice) = chosen.copied() else { break };
        let preempts = schedule::preempts(run.schedule.last(), choice, &open);
        let before = run.preemptions.last().copied().unwrap_or(0);
        run.preemptions.push(before + u32::from(preempts));
        machine.step(choice);
        run.schedule.push(choice);
    }
    run.outcome = machine.outcome_key();
    (run, machine)
}

/// Makes `runs` runs. `name` says in the report what bounds it. The first run is made a second
/// time as its own schedule says, and has to come to the same.
///
/// # Errors
/// When what stands above `race` cannot be run, or the second run differs from the first.
pub fn sample(
    model: &Arc<Model>,
    strategy: &mut dyn Strategy,
    runs: u64,
    name: &str,
) -> Result<Report, Unfit> {
    let start = Machine::new(Arc::clone(model))?;
    let thread_names = names(model);
    let mut outcomes: BTreeMap<u64, (Run, Vec<String>)> = BTreeMap::new();
    let mut found: Vec<Option<Way>> = vec![None; model.properties.len()];
    let mut depth = 0;
    for number in 0..runs {
        let (run, machine) = run(&start, strategy);
        if number == 0 {
            let (again, _) = self::run(&start, &mut Replay::new(&run.schedule));
            if again != run {
                let why = "wanted the same run twice, found two that differ".to_owned();
                return Err(Unfit { line: 0, why });
            }
        }
        depth = depth.max(run.schedule.len() as u32);
        for (place, property) in model.properties.iter().enumerate() {
            let holds_last = run.last & 1 << place != 0;
            let at = match property.scope {
                Scope::Always => run.missed[place],
                Scope::Never | Scope::Reachable => run.held[place],
                Scope::Outcome => (run.over && !holds_last).then_some(run.schedule.len()),
                Scope::Eventually => {
                    (run.over && run.held[place].is_none()).then_some(run.schedule.len())
                }
            };
            if let Some(at) = at {
                let schedule = run.schedule[..at].to_vec();
                let way = Way { preemptions: run.preemptions[at], schedule };
                let rank = |way: &Way| (way.preemptions, way.schedule.len());
                let better = found[place].as_ref().is_none_or(|other| rank(&way) < rank(other));
                if better {
                    found[place] = Some(way);
                }
            }
        }
        if run.over {
            let kept = outcomes
                .entry(run.outcome)
                .or_insert_with(|| (run.clone(), outcome::lines(&machine)));
            if run.schedule.len() < kept.0.schedule.len() {
                kept.0 = run;
            }
        }
    }
    let mut rows: Vec<Outcome> = outcomes
        .into_values()
        .map(|(run, lines)| Outcome {
            lines,
            interleavings: None,
            schedule: schedule::print(&run.schedule, &thread_names),
            steps: run.schedule.len() as u32,
        })
        .collect();
    rows.sort_by(|one, two| (&one.lines, one.steps).cmp(&(&two.lines, two.steps)));
    let verdicts = model.properties.iter().zip(found).map(|(property, found)| {
        let reaches = property.scope == Scope::Reachable;
        let state = match (&found, reaches) {
            (Some(_), true) => Standing::Holds,
            (Some(_), false) => Standing::Broken,
            (None, _) => Standing::Unknown,
        };
        let witness = found.map(|way| witness(model, &way));
        Verdict { property: property.text.clone(), state, broken: property.broken, witness }
    });
    Ok(Report {
        bounds: vec![format!("{runs} runs of {name}")],
        depth,
        outcomes: rows,
        verdicts: verdicts.collect(),
        ..Report::default()
    })
}
