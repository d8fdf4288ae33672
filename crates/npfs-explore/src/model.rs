//! A scenario made ready for exploration: words are numbers, lines are instructions, and what
//! stands above `race` has happened.

use std::collections::BTreeMap;
use std::fmt;

use npfs_abi::{Names, Op, ThreadId, Time};
use npfs_trace::Scenario;
use npfs_trace::program::{Code, Instruction, Programs};
use npfs_trace::scenario::{Action, ChoicePoint, Claim, Expected, Scope, Stand, Word};
use npfs_trace::text::{Printer, makes_handles};

/// The number of a word.
pub(crate) type Slot = u16;

/// What never changes during an exploration.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) scenario: Scenario,
    pub(crate) printer: Printer,
    pub(crate) threads: Vec<ThreadCode>,
    /// The spans of the `advance` lines below `race`.
    pub(crate) spans: Vec<Time>,
    pub(crate) words: Vec<WordUse>,
    pub(crate) properties: Vec<Compiled>,
    pub(crate) eager_timers: bool,
    pub(crate) any_waiter: bool,
    /// The operations, by their steps.
    pub(crate) ops: Vec<Option<OpCode>>,
    /// What stands above `race`, with its lines.
    pub(crate) prefix: Vec<(u32, Before)>,
}

/// Something that happens above `race`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Before {
    /// This thread makes the operation of this step.
    Op(ThreadId, u32),
    /// Time passes.
    Advance(Time),
}

/// Why a scenario cannot be explored: the line, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfit {
    /// The line of the file; 0 when the whole file is meant.
    pub line: u32,
    /// What was wanted, and what was found.
    pub why: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.why),
            line => write!(f, "line {line}: {}", self.why),
        }
    }
}

impl std::error::Error for Unfit {}

#[derive(Clone, Debug, Default)]
pub(crate) struct ThreadCode {
    pub(crate) name: String,
    pub(crate) instructions: Vec<Instr>,
    pub(crate) counters: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Instr {
    /// The operation of this step.
    Op(u32),
    Jump(u32),
    Unless {
        unless: bool,
        of: Option<Slot>,
        any: Vec<Expected>,
        target: u32,
    },
    Enter {
        counter: u8,
        turns: u8,
    },
    Repeat {
        counter: u8,
        start: u32,
    },
}

/// An operation with its words as numbers.
#[derive(Clone, Debug)]
pub(crate) struct OpCode {
    /// Its step in the scenario.
    pub(crate) step: u32,
    pub(crate) op: Op<Slot, Slot>,
    /// The words that it gives: of handles, or of the request.
    pub(crate) labels: Vec<Slot>,
    pub(crate) gives_handles: bool,
    /// Words of other threads that it waits for.
    pub(crate) needs: Vec<Slot>,
    /// Words that other threads give or use, which it uses.
    pub(crate) reads: u64,
    /// Words that other threads give or use, which it gives.
    pub(crate) writes: u64,
}

/// Who gives a word.
#[derive(Clone, Debug)]
pub(crate) struct WordUse {
    pub(crate) givers: Vec<ThreadId>,
    pub(crate) users: Vec<ThreadId>,
}

impl WordUse {
    /// Several threads give it, so that it says who did so last.
    pub(crate) fn contested(&self) -> bool {
        self.givers.len() > 1
    }

    fn shared(&self) -> bool {
        let giver = self.givers.first();
        self.contested() || self.users.iter().any(|user| Some(user) != giver)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) broken: bool,
    pub(crate) scope: Scope,
    pub(crate) claim: Test,
    pub(crate) text: String,
}

/// A claim with its words as numbers.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Result(Slot, Expected),
    Thread(ThreadId, Stand),
    Deadlock,
    Leak,
    LostData,
    UnendedRequest,
}

/// Words as they are met.
#[derive(Default)]
struct Words {
    numbers: BTreeMap<Word, Slot>,
    uses: Vec<WordUse>,
}

impl Words {
    fn number(&mut self, word: &str) -> Slot {
        if let Some(slot) = self.numbers.get(word) {
            return *slot;
        }
        let slot = self.uses.len().min(usize::from(Slot::MAX)) as Slot;
        self.uses.push(WordUse { givers: Vec::new(), users: Vec::new() });
        self.numbers.insert(word.to_owned(), slot);
        slot
    }
}

/// Replaces words by numbers and notes which.
struct Numbering<'a> {
    words: &'a mut Words,
    used: Vec<Slot>,
}

impl Names<Word, Word> for Numbering<'_> {
    type Handle = Slot;
    type Request = Slot;
    fn handle(&mut self, word: &Word) -> Slot {
        let slot = self.words.number(word);
        self.used.push(slot);
        slot
    }
    fn request(&mut self, word: &Word) -> Slot {
        self.handle(word)
    }
}

/// The most words of a scenario.
const MOST_WORDS: usize = 60_000;
/// Which claims hold is a bit each, and one bit is free.
const MOST_PROPERTIES: usize = 63;
/// The most threads of a scenario.
const MOST_THREADS: usize = 250;

impl Model {
    /// The properties that the scenario says are broken, a bit each in its order.
    pub fn said_broken(&self) -> u64 {
        let properties = self.properties.iter().enumerate();
        properties.fold(0, |bits, (number, one)| bits | u64::from(one.broken) << number)
    }

    /// Makes a scenario ready.
    ///
    /// # Errors
    /// When it has no threads or too many, too many properties, or a condition asks for another thread's word.
    pub fn new(scenario: &Scenario) -> Result<Model, Unfit> {
        let unfit = |line, why: &str| Unfit { line, why: why.to_owned() };
        if scenario.threads.is_empty() || scenario.threads.len() > MOST_THREADS {
            return Err(unfit(0, "wanted 1 to 250 threads"));
        }
        if scenario.properties.len() > MOST_PROPERTIES {
            return Err(unfit(0, "wanted at most 63 properties"));
        }
        let programs = Programs::new(scenario);
        let mut words = Words::default();
        let numbered = number_steps(scenario);
        let mut codes: BTreeMap<usize, OpCode> = BTreeMap::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            let Action::Op { thread, labels, op } = &step.action else { continue };
            let mut numbering = Numbering { words: &mut words, used: Vec::new() };
            let mapped = op.map(&mut numbering);
            let used = numbering.used;
            let gives_handles = makes_handles(op) > 0;
            let mut given: Vec<Slot> = labels.iter().map(|word| words.number(word)).collect();
            // `t.2` is another name of its request.
            if let (false, Some(name)) = (gives_handles, numbered.get(&index)) {
                given.push(words.number(name));
            }
            for slot in &used {
                push_once(&mut words.uses[usize::from(*slot)].users, *thread);
            }
            for slot in &given {
                push_once(&mut words.uses[usize::from(*slot)].givers, *thread);
            }
            let code = OpCode {
                step: index as u32,
                op: mapped,
                labels: given,
                gives_handles,
                needs: used,
                reads: 0,
                writes: 0,
            };
            codes.insert(index, code);
        }
        let mut properties = Vec::new();
        let printer = Printer::new(scenario);
        for property in &scenario.properties {
            let claim = test(&property.claim, &mut words);
            let (broken, scope) = (property.broken, property.scope);
            properties.push(Compiled { broken, scope, claim, text: printer.property(property) });
        }
        if words.uses.len() > MOST_WORDS {
            return Err(unfit(0, "wanted at most 60000 words"));
        }
        for code in codes.values_mut() {
            let Action::Op { thread, .. } = &scenario.steps[code.step as usize].action else {
                continue;
            };
            for slot in &code.needs {
                if words.uses[usize::from(*slot)].shared() {
                    code.reads |= bit(*slot);
                }
            }
            for slot in &code.labels {
                if words.uses[usize::from(*slot)].shared() {
                    code.writes |= bit(*slot);
                }
            }
            code.needs.retain(|slot| {
                let givers = &words.uses[usize::from(*slot)].givers;
                !givers.is_empty() && !givers.contains(thread)
            });
        }
        let mut threads = Vec::new();
        for (thread, code) in scenario.threads.iter().zip(&programs.threads) {
            let id = ThreadId(threads.len() as u32 + 1);
            threads.push(ThreadCode {
                name: thread.name.clone(),
                instructions: instructions(scenario, code, &words, id)?,
                counters: code.counters,
            });
        }
        let spans = programs.clock.instructions.iter().filter_map(|one| match one {
            Instruction::Step(index) => match scenario.steps[*index].action {
                Action::Advance(span) => Some(span),
                Action::Op { .. } | Action::Flow { .. } | Action::Race => None,
            },
            Instruction::Jump(_)
            | Instruction::Unless { .. }
            | Instruction::Enter { .. }
            | Instruction::Repeat { .. } => None,
        });
        Ok(Model {
            spans: spans.collect(),
            printer,
            threads,
            words: words.uses,
            properties,
            eager_timers: scenario.choices.contains(&ChoicePoint::Timers),
            any_waiter: scenario.choices.contains(&ChoicePoint::Waiters),
            prefix: prefix(scenario, programs.prefix),
            ops: (0..scenario.steps.len()).map(|index| codes.remove(&index)).collect(),
            scenario: scenario.clone(),
        })
    }

    /// Switches a choice point on or off, whatever the scenario says.
    pub fn set_choice(&mut self, choice: ChoicePoint, on: bool) {
        match choice {
            ChoicePoint::Timers => self.eager_timers = on,
            ChoicePoint::Waiters => self.any_waiter = on,
        }
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }
}

fn prefix(scenario: &Scenario, count: usize) -> Vec<(u32, Before)> {
    let steps = scenario.steps.iter().enumerate().take(count);
    let before = steps.filter_map(|(index, step)| match &step.action {
        Action::Op { thread, .. } => Some((step.line, Before::Op(*thread, index as u32))),
        Action::Advance(span) => Some((step.line, Before::Advance(*span))),
        Action::Flow { .. } | Action::Race => None,
    });
    before.collect()
}

fn bit(slot: Slot) -> u64 {
    1 << slot.min(63)
}

fn push_once(list: &mut Vec<ThreadId>, thread: ThreadId) {
    if !list.contains(&thread) {
        list.push(thread);
    }
}

/// The operations that somebody calls by number, and how: `t.2` is the second one of `t`.
fn number_steps(scenario: &Scenario) -> BTreeMap<usize, Word> {
    let mut counts = vec![0_u32; scenario.threads.len()];
    let mut names = BTreeMap::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        if let Action::Op { thread, .. } = &step.action {
            let place = (thread.0 as usize).wrapping_sub(1);
            let Some(count) = counts.get_mut(place) else { continue };
            *count += 1;
            names.insert(index, format!("{}.{count}", scenario.threads[place].name));
        }
    }
    names
}

fn instructions(
    scenario: &Scenario,
    code: &Code,
    words: &Words,
    thread: ThreadId,
) -> Result<Vec<Instr>, Unfit> {
    let mut list = Vec::new();
    for instruction in &code.instructions {
        list.push(match instruction {
            Instruction::Step(index) => Instr::Op(*index as u32),
            Instruction::Jump(target) => Instr::Jump(*target as u32),
            Instruction::Unless { condition, target } => {
                let of = match &condition.of {
                    None => None,
                    Some(word) => {
                        let slot = words.numbers.get(word).copied();
                        let own =
                            slot.filter(|slot| words.uses[usize::from(*slot)].givers == [thread]);
                        if own.is_none() {
                            let asks = |action: &Action| {
                                matches!(action, Action::Flow { thread: other, .. }
                                    if *other == thread)
                            };
                            let steps = &scenario.steps;
                            let line = steps.iter().find(|step| {
                                asks(&step.action)
                                    && format!("{:?}", step.action).contains(&format!("{word:?}"))
                            });
                            return Err(Unfit {
                                line: line.map_or(0, |step| step.line),
                                why: format!(
                                    "wanted a condition on a word that only this thread gives, \
                                     found `{word}`"
                                ),
                            });
                        }
                        own
                    }
                };
                let (unless, any) = (condition.unless, condition.any.clone());
                Instr::Unless { unless, of, any, target: *target as u32 }
            }
            Instruction::Enter { counter, turns } => {
                Instr::Enter { counter: *counter as u8, turns: *turns }
            }
            Instruction::Repeat { counter, start } => {
                Instr::Repeat { counter: *counter as u8, start: *start as u32 }
            }
        });
    }
    Ok(list)
}

fn test(claim: &Claim, words: &mut Words) -> Test {
    let mut several = |claims: &[Claim]| claims.iter().map(|one| test(one, words)).collect();
    match claim {
        Claim::All(claims) => Test::All(several(claims)),
        Claim::Any(claims) => Test::Any(several(claims)),
        Claim::Not(claim) => Test::Not(Box::new(test(claim, words))),
        Claim::Result(word, expected) => Test::Result(words.number(word), expected.clone()),
        Claim::Thread(thread, stand) => Test::Thread(*thread, *stand),
        Claim::Deadlock => Test::Deadlock,
        Claim::Leak => Test::Leak,
        Claim::LostData => Test::LostData,
        Claim::UnendedRequest => Test::UnendedRequest,
    }
}
