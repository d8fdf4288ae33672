//! Runs drawn by a strategy, and what they came to.

use std::collections::BTreeMap;
use std::sync::Arc;

use npfs_trace::scenario::Scope;

use super::{Replay, Strategy};
use crate::graph::Way;
use crate::machine::{Machine, Mark};
use crate::model::{Model, Unfit};
use crate::outcome;
use crate::property;
use crate::report::{Outcome, Report, Standing, Verdict, witness};
use crate::schedule::{self, Choice};
use crate::transcript::names;

/// Longer runs are cut.
const LONGEST: usize = 1_000_000;
/// Runs between two looks at the key, which empty the kernel's list of what has to be hashed.
const REFRESH: u64 = 1024;

/// Makes runs, and keeps the outcomes and the simplest way to break each property.
///
/// A run is undone at its end: the next one begins where it began.
#[derive(Debug)]
pub struct Sampler {
    model: Arc<Model>,
    machine: Machine,
    start: Mark,
    runs: u64,
    steps: u64,
    depth: u32,
    outcomes: BTreeMap<u64, Kept>,
    found: Vec<Option<Way>>,
    run: Run,
    open: Vec<Choice>,
}

#[derive(Debug)]
struct Kept {
    schedule: Vec<Choice>,
    lines: Vec<String>,
}

/// The last run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
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

impl Sampler {
    /// Nothing is run yet.
    ///
    /// # Errors
    /// When what stands above `race` cannot be run.
    pub fn new(model: &Arc<Model>) -> Result<Sampler, Unfit> {
        let mut machine = Machine::new(Arc::clone(model))?;
        machine.track();
        let start = machine.mark();
        Ok(Sampler {
            model: Arc::clone(model),
            machine,
            start,
            runs: 0,
            steps: 0,
            depth: 0,
            outcomes: BTreeMap::new(),
            found: vec![None; model.properties.len()],
            run: Run::default(),
            open: Vec::new(),
        })
    }

    /// Runs so far.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Steps of all runs so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Distinct outcomes so far.
    pub fn outcomes(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether every property was found to be as the scenario says, as far as runs can tell: the
    /// ones that are to be broken have been.
    pub fn has_broken_all(&self) -> bool {
        let properties = self.model.properties.iter().zip(&self.found);
        properties.filter(|(property, _)| property.broken).all(|(_, found)| found.is_some())
    }

    /// Makes a run. Says whether its outcome is new.
    pub fn run(&mut self, strategy: &mut dyn Strategy) -> bool {
        self.go(strategy);
        self.runs += 1;
        self.steps += self.run.schedule.len() as u64;
        self.depth = self.depth.max(self.run.schedule.len() as u32);
        self.judge();
        let mut fresh = false;
        if self.run.over {
            let (run, machine) = (&self.run, &self.machine);
            let kept = self.outcomes.entry(run.outcome).or_insert_with(|| {
                fresh = true;
                Kept { schedule: run.schedule.clone(), lines: outcome::lines(machine) }
            });
            if run.schedule.len() < kept.schedule.len() {
                kept.schedule.clone_from(&run.schedule);
            }
        }
        self.back();
        fresh
    }

    /// Makes the last run a second time, by its own schedule.
    ///
    /// # Errors
    /// When it comes to something else: then the program is not deterministic.
    pub fn again(&mut self) -> Result<(), Unfit> {
        let before = self.run.clone();
        self.go(&mut Replay::new(&before.schedule));
        self.back();
        if self.run != before {
            let why = "wanted the same run twice, found two that differ".to_owned();
            return Err(Unfit { line: 0, why });
        }
        Ok(())
    }

    fn back(&mut self) {
        self.machine.undo(self.start);
        if self.runs % REFRESH == 0 {
            self.machine.key();
        }
    }

    fn go(&mut self, strategy: &mut dyn Strategy) {
        let (machine, run, open) = (&mut self.machine, &mut self.run, &mut self.open);
        let properties = self.model.properties.len();
        run.begin(properties);
        strategy.begin(machine.thread_count());
        let looks = strategy.looks();
        machine.record(looks);
        loop {
            machine.choices(open);
            run.over = open.is_empty();
            if properties > 0 {
                run.look(property::claims(machine, run.over));
            }
            if open.is_empty() || run.schedule.len() >= LONGEST {
                break;
            }
            let chosen = strategy.choose(open).and_then(|place| open.get(place));
            let Some(choice) = chosen.copied() else { break };
            let preempts = schedule::preempts(run.schedule.last(), choice, open);
            let before = run.preemptions.last().copied().unwrap_or(0);
            run.preemptions.push(before + u32::from(preempts));
            if looks {
                machine.forget_touched();
            }
            machine.step(choice);
            if looks {
                strategy.made(choice, &machine.take_touched());
            }
            run.schedule.push(choice);
        }
        run.outcome = machine.outcome_key();
    }

    /// Whether the last run breaks a property more simply than those before.
    fn judge(&mut self) {
        let run = &self.run;
        for (place, property) in self.model.properties.iter().enumerate() {
            let holds_last = run.last & 1 << place != 0;
            let at = match property.scope {
                Scope::Always => run.missed[place],
                Scope::Never | Scope::Reachable => run.held[place],
                Scope::Outcome => (run.over && !holds_last).then_some(run.schedule.len()),
                Scope::Eventually => {
                    (run.over && run.held[place].is_none()).then_some(run.schedule.len())
                }
            };
            let Some(at) = at else { continue };
            let rank = (run.preemptions[at], at);
            let better = self.found[place]
                .as_ref()
                .is_none_or(|other| rank < (other.preemptions, other.schedule.len()));
            if better {
                let schedule = run.schedule[..at].to_vec();
                self.found[place] = Some(Way { preemptions: rank.0, schedule });
            }
        }
    }

    /// What the runs came to. `name` says what drew them.
    pub fn report(self, name: &str) -> Report {
        let model = &self.model;
        let names = names(model);
        let mut rows: Vec<Outcome> = self
            .outcomes
            .into_values()
            .map(|kept| Outcome {
                lines: kept.lines,
                interleavings: None,
                schedule: schedule::print(&kept.schedule, &names),
                steps: kept.schedule.len() as u32,
            })
            .collect();
        rows.sort_by(|one, two| (&one.lines, one.steps).cmp(&(&two.lines, two.steps)));
        let verdicts = model.properties.iter().zip(self.found).map(|(property, found)| {
            let reaches = property.scope == Scope::Reachable;
            let state = match (&found, reaches) {
                (Some(_), true) => Standing::Holds,
                (Some(_), false) => Standing::Broken,
                (None, _) => Standing::Unknown,
            };
            let witness = found.map(|way| witness(model, &way));
            Verdict { property: property.text.clone(), state, broken: property.broken, witness }
        });
        Report {
            bounds: vec![format!("{} runs of {name}", self.runs)],
            depth: self.depth,
            outcomes: rows,
            verdicts: verdicts.collect(),
            ..Report::default()
        }
    }
}

impl Run {
    fn begin(&mut self, properties: usize) {
        self.schedule.clear();
        self.preemptions.clear();
        self.preemptions.push(0);
        self.held.clear();
        self.held.resize(properties, None);
        self.missed.clone_from(&self.held);
        self.last = 0;
    }

    fn look(&mut self, claims: u64) {
        self.last = claims;
        let steps = self.schedule.len();
        for place in 0..self.held.len() {
            let list = if claims & 1 << place != 0 { &mut self.held } else { &mut self.missed };
            list[place].get_or_insert(steps);
        }
    }
}
