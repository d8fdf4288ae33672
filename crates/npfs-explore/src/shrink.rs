//! Taking calls away from a program for as long as what breaks its property stays there.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use npfs_abi::{Call, Op, Outcome, Output, ThreadId};
use npfs_trace::Scenario;
use npfs_trace::scenario::{Action, Claim, Flow, Property, Scope, Stand, Step, Word};

use crate::machine::Machine;
use crate::model::{Model, Slot, Test, Unfit};
use crate::report::{Report, Standing, Witness};
use crate::search::Limits;
use crate::{explore, outcome, schedule};

/// A scenario with as few lines as show what breaks a property.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// Its one property is the broken one. Comments, rules and expected results are gone.
    pub scenario: Scenario,
    /// The simplest order that breaks it.
    pub witness: Witness,
    /// How many calls it has, and how many there were.
    pub calls: usize,
    /// See [`calls`](Shrunk::calls).
    pub before: usize,
}

/// Why a scenario is not made smaller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotShrunk {
    /// It cannot be run.
    Unfit(Unfit),
    /// No property is broken.
    Holds,
    /// None was found broken, and the search was bounded by this.
    Bounded(String),
    /// Only a `reachable` is broken, so there is no order that shows it.
    NoOrder,
    /// A word is used that no call gives, or one such as `t.2`, which is another call's when calls
    /// before it go.
    Words,
}

impl From<Unfit> for NotShrunk {
    fn from(unfit: Unfit) -> NotShrunk {
        NotShrunk::Unfit(unfit)
    }
}

impl fmt::Display for NotShrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotShrunk::Unfit(unfit) => unfit.fmt(f),
            NotShrunk::Holds => f.write_str("no property is broken"),
            NotShrunk::Bounded(by) => write!(f, "no property is known to be broken: {by}"),
            NotShrunk::NoOrder => {
                f.write_str("wanted a property that an order breaks, found a `reachable` that none reaches")
            }
            NotShrunk::Words => f.write_str(
                "wanted words that calls give by name, found a word that none gives, or one such as `t.2`",
            ),
        }
    }
}

impl std::error::Error for NotShrunk {}

/// Makes a scenario smaller whose first broken property stays broken.
///
/// Calls, loops, conditions, threads, processes, planned faults and the passing of time are taken
/// away, until none of them can be taken away alone. One may go only if afterwards the simplest
/// order that breaks the property leaves the words of its claim with the results they had, and
/// deadlocked threads waiting for each other as they did; if there still is an end with all
/// threads finished and the claim as it should be, where there was one; if every word that is used
/// is still given; and where the claim is of leaks, if what was closed still is. The threads of a
/// first process that goes are then in the next.
///
/// The limit of time is that of all searches together. The shortest orders are found without
/// `lean`, which is not looked at.
///
/// # Errors
/// When nothing is found to be broken, or what is broken cannot be shrunk.
pub fn shrink(scenario: &Scenario, limits: &Limits) -> Result<Shrunk, NotShrunk> {
    let limits = Limits { lean: false, ..limits.clone() };
    let begun = Instant::now();
    let model = Arc::new(Model::new(scenario)?);
    let report = explore(&model, &limits, &mut |_| {})?;
    let mut broken =
        report.verdicts.iter().enumerate().filter(|(_, one)| one.state == Standing::Broken);
    let Some((found, _)) = broken.clone().find(|(_, one)| one.witness.is_some()) else {
        return Err(match (broken.next(), report.bounds.is_empty()) {
            (Some(_), _) => NotShrunk::NoOrder,
            (None, true) => NotShrunk::Holds,
            (None, false) => NotShrunk::Bounded(report.completeness()),
        });
    };
    let before = calls(scenario);
    let start = Scenario {
        rules: Vec::new(),
        ending: None,
        orders: Vec::new(),
        properties: vec![Property { broken: true, ..scenario.properties[found].clone() }],
        steps: scenario.steps.iter().map(bare).collect(),
        ..scenario.clone()
    };
    let text = start.to_string();
    let wanted = Signs::of(&start, &limits).filter(|_| !calls_by_number(&start, &text));
    let wanted = wanted.ok_or(NotShrunk::Words)?;
    let mut kept = Kept { text, wanted, limits, begun };
    while kept.round() {}
    let scenario = Scenario::parse(&kept.text).map_err(|_| NotShrunk::Words)?;
    let calls = calls(&scenario);
    Ok(Shrunk { scenario, witness: kept.wanted.witness, calls, before })
}

/// Whether some word names a call by its number.
fn calls_by_number(scenario: &Scenario, text: &str) -> bool {
    let of_thread = |name: &str| scenario.threads.iter().any(|thread| thread.name == name);
    text.split_whitespace().any(|word| {
        let parts = word.trim_matches(['(', ')']).rsplit_once('.');
        parts.is_some_and(|(name, number)| of_thread(name) && number.parse::<u32>().is_ok())
    })
}

fn bare(step: &Step) -> Step {
    Step { expected: None, caused: Vec::new(), ..step.clone() }
}

fn calls(scenario: &Scenario) -> usize {
    scenario.steps.iter().filter(|step| matches!(step.action, Action::Op { .. })).count()
}

/// By what a defect is known again.
struct Signs {
    /// What the words of the claim say at the end of the simplest order that breaks it, and who
    /// sleeps there for whom where the claim is of deadlocks.
    says: Vec<String>,
    /// There is an end with all threads finished and the claim as it should be.
    avoidable: bool,
    /// The words that are given and not closed, where the claim is of leaks.
    left_open: BTreeSet<Word>,
    witness: Witness,
}

impl Signs {
    /// Those of a scenario with one property; `None` when it cannot be run or is not broken.
    fn of(scenario: &Scenario, limits: &Limits) -> Option<Signs> {
        let mut both = scenario.clone();
        let property = scenario.properties.first()?;
        both.properties.push(no_good_end(property, scenario.threads.len()));
        let model = Arc::new(Model::new(&both).ok()?);
        if model.words.iter().any(|word| !word.users.is_empty() && word.givers.is_empty()) {
            return None;
        }
        let mut slots = Vec::new();
        words(&model.properties[0].claim, &mut slots);
        if slots.iter().any(|slot| model.words[usize::from(*slot)].givers.is_empty()) {
            return None;
        }
        let report: Report = explore(&model, limits, &mut |_| {}).ok()?;
        let [broken, no_good_end] = &report.verdicts[..] else { return None };
        let witness = broken.witness.clone().filter(|_| broken.state == Standing::Broken)?;
        let avoidable = no_good_end.state == Standing::Broken;
        let names: Vec<&str> = both.threads.iter().map(|thread| thread.name.as_str()).collect();
        let mut machine = Machine::new(Arc::clone(&model)).ok()?;
        for choice in schedule::parse(&witness.schedule, &names).ok()? {
            machine.step(choice);
        }
        let mut says: Vec<String> =
            slots.iter().map(|slot| said(machine.outcome_of(*slot))).collect();
        if about(&model.properties[0].claim, |one| matches!(one, Test::Deadlock)) {
            says.extend(outcome::sleepers(&machine));
        }
        let leaks = about(&model.properties[0].claim, |one| matches!(one, Test::Leak));
        let left_open = if leaks { left_open(scenario) } else { BTreeSet::new() };
        Some(Signs { says, avoidable, left_open, witness })
    }

    fn are_those_of(&self, other: &Signs) -> bool {
        self.says == other.says
            && (self.avoidable || !other.avoidable)
            && self.left_open.is_subset(&other.left_open)
    }
}

/// That there is no end with all threads finished and the claim as it should be: this one is
/// broken by such an end.
fn no_good_end(property: &Property, threads: usize) -> Property {
    let claim = match property.scope {
        Scope::Always | Scope::Outcome | Scope::Eventually | Scope::Reachable => {
            property.claim.clone()
        }
        Scope::Never => Claim::Not(Box::new(property.claim.clone())),
    };
    let numbers = 1..=threads as u32;
    let mut all: Vec<Claim> =
        numbers.map(|number| Claim::Thread(ThreadId(number), Stand::Finished)).collect();
    all.push(claim);
    let claim = Claim::Not(Box::new(Claim::All(all)));
    Property { broken: false, scope: Scope::Outcome, claim }
}

fn words(claim: &Test, list: &mut Vec<Slot>) {
    match claim {
        Test::All(claims) | Test::Any(claims) => claims.iter().for_each(|one| words(one, list)),
        Test::Not(claim) => words(claim, list),
        Test::Result(slot, _) => list.push(*slot),
        Test::Thread(..) | Test::Deadlock | Test::Leak | Test::LostData | Test::UnendedRequest => {}
    }
}

/// Whether some part of a claim is this.
fn about(claim: &Test, is_it: fn(&Test) -> bool) -> bool {
    match claim {
        Test::All(claims) | Test::Any(claims) => claims.iter().any(|one| about(one, is_it)),
        Test::Not(claim) => about(claim, is_it),
        claim => is_it(claim),
    }
}

/// Words of results that no step closes.
fn left_open(scenario: &Scenario) -> BTreeSet<Word> {
    let mut words = BTreeSet::new();
    for step in &scenario.steps {
        match &step.action {
            Action::Op { op: Op::Call(Call::CloseHandle { handle }), .. } => {
                words.remove(handle);
            }
            Action::Op { labels, .. } => words.extend(labels.iter().cloned()),
            Action::Advance(_) | Action::Flow { .. } | Action::Race => {}
        }
    }
    words
}

/// A result without values that depend on what else is called.
fn said(outcome: Option<Outcome>) -> String {
    match outcome {
        None => "nothing".to_owned(),
        Some(Outcome::Pending(_)) => "pending".to_owned(),
        Some(Outcome::Blocked(_)) => "blocked".to_owned(),
        Some(Outcome::Done(reply)) => match reply.output {
            Output::Handle(_) | Output::Handles(..) => format!("{:?}", reply.status),
            output => format!("{:?} {} {output:?}", reply.status, reply.information),
        },
    }
}

/// A scenario that is known to be good enough.
struct Kept {
    text: String,
    wanted: Signs,
    limits: Limits,
    begun: Instant,
}

impl Kept {
    /// Tries to take away everything that may go, large pieces first. Says whether anything went.
    fn round(&mut self) -> bool {
        let mut any = false;
        let mut at = 0;
        while let Some(lines) = self.pieces().get(at) {
            match self.without(lines) {
                true => any = true,
                false => at += 1,
            }
        }
        let mut size = self.removable().len();
        while size > 0 {
            let mut at = 0;
            loop {
                let lines = self.removable();
                let Some(piece) = lines.get(at..lines.len().min(at + size)) else { break };
                if piece.is_empty() {
                    break;
                }
                match self.without(&piece.iter().copied().collect()) {
                    true => any = true,
                    false => at += size,
                }
            }
            size /= 2;
        }
        any
    }

    /// Takes lines away, if what is left is good enough.
    fn without(&mut self, lines: &BTreeSet<u32>) -> bool {
        if lines.is_empty() {
            return false;
        }
        let mut limits = self.limits.clone();
        if let Some(time) = limits.time {
            let left = time.saturating_sub(self.begun.elapsed());
            if left.is_zero() {
                return false;
            }
            limits.time = Some(left);
        }
        let numbered = (1..).zip(self.text.lines());
        let left = numbered.filter(|(number, _)| !lines.contains(number));
        let text: String = left.map(|(_, line)| format!("{line}\n")).collect();
        let Ok(scenario) = Scenario::parse(&text) else { return false };
        let signs = Signs::of(&scenario, &limits);
        match signs.filter(|signs| signs.are_those_of(&self.wanted)) {
            Some(signs) => {
                (self.text, self.wanted) = (scenario.to_string(), signs);
                true
            }
            None => false,
        }
    }

    /// The lines that may go alone: steps, threads, processes, what goes wrong by plan.
    fn removable(&self) -> Vec<u32> {
        let steps = self.steps().into_iter().map(|(line, _)| line).collect::<BTreeSet<u32>>();
        let words = ["process ", "thread ", "fault:", "choices:"];
        let may_go = |line: &str| words.iter().any(|word| line.starts_with(word));
        let numbered = (1_u32..).zip(self.text.lines());
        numbered
            .filter(|(number, line)| steps.contains(number) || may_go(line))
            .map(|(number, _)| number)
            .collect()
    }

    /// Lines that go together: all of a thread, loops, conditions and their branches.
    fn pieces(&self) -> Vec<BTreeSet<u32>> {
        let steps = self.steps();
        let Ok(scenario) = Scenario::parse(&self.text) else { return Vec::new() };
        let mut pieces = Vec::new();
        for (place, thread) in scenario.threads.iter().enumerate() {
            let id = ThreadId(place as u32 + 1);
            let own = steps.iter().filter(|(_, action)| of(action) == Some(id));
            let mut lines: BTreeSet<u32> = own.map(|(line, _)| *line).collect();
            let declares = |line: &str| {
                let rest =
                    line.strip_prefix("thread ").and_then(|line| line.strip_prefix(&thread.name));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            let numbered = (1_u32..).zip(self.text.lines());
            lines.extend(numbered.filter(|(_, line)| declares(line)).map(|(line, _)| line));
            pieces.push(lines);
            let own: Vec<&(u32, Action)> =
                steps.iter().filter(|(_, action)| of(action) == Some(id)).collect();
            // Where loops and conditions begin, and the other branch of these.
            let mut open: Vec<(usize, Option<usize>)> = Vec::new();
            for (at, (_, action)) in own.iter().enumerate() {
                let Action::Flow { flow, .. } = action else { continue };
                match flow {
                    Flow::Loop(_) | Flow::If(_) => open.push((at, None)),
                    Flow::Else => open.last_mut().into_iter().for_each(|one| one.1 = Some(at)),
                    Flow::End => {
                        let Some((start, other)) = open.pop() else { continue };
                        let middle = other.unwrap_or(at);
                        let lines = |range: &[&(u32, Action)]| {
                            range.iter().map(|(line, _)| *line).collect::<BTreeSet<u32>>()
                        };
                        // The whole; what steers; one branch and what steers; the other.
                        let steers = BTreeSet::from([own[start].0, own[middle].0, own[at].0]);
                        pieces.push(lines(&own[start..=at]));
                        let mut first = lines(&own[start..=middle]);
                        first.extend(&steers);
                        let mut second = lines(&own[middle..=at]);
                        second.extend(&steers);
                        pieces.extend([first, second, steers]);
                    }
                    Flow::Break(_) | Flow::Again(_) | Flow::Stop(_) => {}
                }
            }
        }
        pieces
    }

    fn steps(&self) -> Vec<(u32, Action)> {
        let steps = Scenario::parse(&self.text).map(|scenario| scenario.steps).unwrap_or_default();
        let steps = steps.into_iter().filter(|step| step.action != Action::Race);
        steps.map(|step| (step.line, step.action)).collect()
    }
}

fn of(action: &Action) -> Option<ThreadId> {
    match action {
        Action::Op { thread, .. } | Action::Flow { thread, .. } => Some(*thread),
        Action::Advance(_) | Action::Race => None,
    }
}
