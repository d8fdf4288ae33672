//! The steps of a scenario as a program for each thread: its own steps in file order, with the
//! lines that steer it turned into jumps.

use npfs_abi::ThreadId;

use crate::Scenario;
use crate::scenario::{Action, Condition, Flow};

/// What every thread of a scenario does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Programs {
    /// How many steps stand above the line `race`, and so come first and in file order.
    pub prefix: usize,
    /// One a thread: number n is the one of `ThreadId(n + 1)`.
    pub threads: Vec<Code>,
    /// The steps below `race` in which time passes.
    pub clock: Code,
}

/// The program of one thread.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Code {
    /// The instructions; behind the last one the thread has nothing more to do.
    pub instructions: Vec<Instruction>,
    /// How many counters its loops need.
    pub counters: usize,
}

/// One thing that a thread does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Instruction {
    /// The step with this index in [`Scenario::steps`].
    Step(usize),
    /// Goes on at this instruction.
    Jump(usize),
    /// Goes on at `target` unless the condition holds.
    Unless {
        /// The condition.
        condition: Condition,
        /// The instruction to go on at.
        target: usize,
    },
    /// A loop begins: its counter gets the number of turns.
    Enter {
        /// Which counter.
        counter: usize,
        /// How many turns.
        turns: u8,
    },
    /// A turn is over: goes back to `start` while there are more.
    Repeat {
        /// Which counter.
        counter: usize,
        /// The first instruction of the loop.
        start: usize,
    },
}

impl Programs {
    /// The programs of a scenario.
    pub fn new(scenario: &Scenario) -> Programs {
        let race = scenario.steps.iter().position(|step| step.action == Action::Race);
        let prefix = race.unwrap_or(0);
        let mut writers = vec![Writer::default(); scenario.threads.len()];
        let mut clock = Writer::default();
        for (index, step) in scenario.steps.iter().enumerate().skip(prefix) {
            match &step.action {
                Action::Op { thread, .. } => {
                    if let Some(writer) = writer(&mut writers, *thread) {
                        writer.put(Instruction::Step(index));
                    }
                }
                Action::Flow { thread, flow } => {
                    if let Some(writer) = writer(&mut writers, *thread) {
                        writer.flow(flow);
                    }
                }
                Action::Advance(_) => clock.put(Instruction::Step(index)),
                Action::Race => {}
            }
        }
        let threads = writers.into_iter().map(Writer::finish).collect();
        Programs { prefix, threads, clock: clock.finish() }
    }
}

impl Scenario {
    /// Whether its threads are programs that may take turns in any order, and not one list of
    /// steps: it has a line `race`, lines that steer a thread, or properties.
    pub fn is_program(&self) -> bool {
        !self.properties.is_empty()
            || self
                .steps
                .iter()
                .any(|step| matches!(step.action, Action::Flow { .. } | Action::Race))
    }
}

fn writer(writers: &mut [Writer], thread: ThreadId) -> Option<&mut Writer> {
    writers.get_mut((thread.0 as usize).checked_sub(1)?)
}

#[derive(Clone, Default)]
struct Writer {
    code: Code,
    open: Vec<Open>,
    /// Jumps to the end of the program.
    stops: Vec<usize>,
}

/// A block that has not ended.
#[derive(Clone)]
struct Open {
    kind: Kind,
    /// Jumps to behind the block.
    exits: Vec<usize>,
    /// Jumps to the `Repeat` of a loop.
    turns: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Kind {
    Loop {
        counter: usize,
        start: usize,
    },
    /// The test that goes on at the `else` or behind the block.
    If {
        test: usize,
    },
}

impl Writer {
    fn here(&self) -> usize {
        self.code.instructions.len()
    }

    fn put(&mut self, instruction: Instruction) {
        self.code.instructions.push(instruction);
    }

    /// A jump whose target is set later.
    fn jump(&mut self, condition: Option<&Condition>) -> usize {
        if let Some(condition) = condition {
            let target = self.here() + 2;
            self.put(Instruction::Unless { condition: condition.clone(), target });
        }
        self.put(Instruction::Jump(0));
        self.here() - 1
    }

    fn lead(&mut self, place: usize, to: usize) {
        match &mut self.code.instructions[place] {
            Instruction::Jump(target) | Instruction::Unless { target, .. } => *target = to,
            Instruction::Step(_) | Instruction::Enter { .. } | Instruction::Repeat { .. } => {}
        }
    }

    fn flow(&mut self, flow: &Flow) {
        match flow {
            Flow::Loop(turns) => {
                let counter = self.code.counters;
                self.code.counters += 1;
                self.put(Instruction::Enter { counter, turns: (*turns).min(255) as u8 });
                let kind = Kind::Loop { counter, start: self.here() };
                self.open.push(Open { kind, exits: Vec::new(), turns: Vec::new() });
            }
            Flow::If(condition) => {
                let test = self.here();
                self.put(Instruction::Unless { condition: condition.clone(), target: 0 });
                let kind = Kind::If { test };
                self.open.push(Open { kind, exits: Vec::new(), turns: Vec::new() });
            }
            Flow::Else => {
                let exit = self.jump(None);
                let here = self.here();
                if let Some(Open { kind: Kind::If { test }, exits, .. }) = self.open.last_mut() {
                    exits.push(exit);
                    let test = std::mem::replace(test, usize::MAX);
                    self.lead(test, here);
                }
            }
            Flow::End => self.end(),
            Flow::Break(condition) => {
                let place = self.jump(condition.as_ref());
                if let Some(open) = self.innermost_loop() {
                    open.exits.push(place);
                }
            }
            Flow::Again(condition) => {
                let place = self.jump(condition.as_ref());
                if let Some(open) = self.innermost_loop() {
                    open.turns.push(place);
                }
            }
            Flow::Stop(condition) => {
                let place = self.jump(condition.as_ref());
                self.stops.push(place);
            }
        }
    }

    fn innermost_loop(&mut self) -> Option<&mut Open> {
        self.open.iter_mut().rev().find(|open| matches!(open.kind, Kind::Loop { .. }))
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        match open.kind {
            Kind::Loop { counter, start } => {
                let here = self.here();
                self.put(Instruction::Repeat { counter, start });
                open.turns.iter().for_each(|place| self.lead(*place, here));
            }
            // After an `else` the test leads there already.
            Kind::If { test: usize::MAX } => {}
            Kind::If { test } => {
                let here = self.here();
                self.lead(test, here);
            }
        }
        let here = self.here();
        open.exits.iter().for_each(|place| self.lead(*place, here));
    }

    fn finish(mut self) -> Code {
        while !self.open.is_empty() {
            self.end();
        }
        let here = self.here();
        for place in std::mem::take(&mut self.stops) {
            self.lead(place, here);
        }
        self.code
    }
}
