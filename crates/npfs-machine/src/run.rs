//! Runs scenarios.

use std::collections::BTreeMap;

use npfs_abi::{Completion, Outcome, Output, Reply, RequestId, ThreadId};
use npfs_kernel::Waiting;
use npfs_trace::Trace;
use npfs_trace::program::{Code, Instruction, Programs};
use npfs_trace::scenario::{
    Action, Caused, Ending, Expected, ExpectedReply, Order, Scenario, Step, Word,
};
use npfs_trace::text::Printer;

use crate::Machine;
use crate::tape::Tape;
use crate::transcript::{self, Transcript};

/// What became of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// What happened, step by step, and how it ended.
    pub transcript: String,
    /// Where it was not what the scenario expects.
    pub mismatches: Vec<Mismatch>,
    /// How it ended.
    pub ending: Ending,
    /// Who sleeps at the end, and for whom, in words.
    pub waiting: Vec<String>,
}

/// A broken expectation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// The line of the scenario; 0 when the whole run is meant.
    pub line: u32,
    /// What the scenario expects.
    pub expected: String,
    /// What happened.
    pub found: String,
}

/// Runs a scenario in file order and checks what it expects, or in another order, of which only
/// the ending is checked.
pub fn run(scenario: &Scenario, order: Option<&Order>) -> Run {
    let mut player = Player::new(scenario, order.is_none());
    match order {
        None if scenario.is_program() => player.in_program_order(),
        None => player.in_file_order(),
        Some(order) => player.in_order(order),
    }
    player.finish(order.map_or(scenario.ending, |order| Some(order.ending)))
}

/// The run of a scenario in file order as a trace, as if the model had been recorded.
pub fn record(scenario: &Scenario) -> Trace {
    let mut player = Player::new(scenario, false);
    player.tape = Some(Tape::new(scenario));
    if scenario.is_program() {
        player.in_program_order();
    } else {
        player.in_file_order();
    }
    player.tape.take().unwrap_or_else(|| Tape::new(scenario)).finish()
}

/// The machine after the first `steps` steps in file order, lines that steer a thread left out. It stops early at a step whose
/// thread sleeps.
pub fn machine_after(scenario: &Scenario, steps: usize) -> Machine {
    let mut player = Player::new(scenario, false);
    for step in scenario.steps.iter().take(steps) {
        if !player.can(step) {
            break;
        }
        player.perform(step);
    }
    player.machine
}

/// How far a thread is in its program.
struct Place {
    next: usize,
    turns: Vec<u8>,
}

struct Player<'a> {
    scenario: &'a Scenario,
    machine: Machine,
    printer: Printer,
    transcript: Transcript,
    mismatches: Vec<Mismatch>,
    checks: bool,
    /// The last result of each thread, and of each word.
    results: BTreeMap<ThreadId, Outcome>,
    named: BTreeMap<Word, Outcome>,
    /// The words of the operation that a thread sleeps in.
    sleepers: BTreeMap<ThreadId, Vec<Word>>,
    tape: Option<Tape>,
}

impl<'a> Player<'a> {
    fn new(scenario: &'a Scenario, checks: bool) -> Player<'a> {
        let printer = Printer::new(scenario);
        Player {
            scenario,
            machine: Machine::new(scenario),
            transcript: Transcript::new(&printer),
            printer,
            mismatches: Vec::new(),
            checks,
            results: BTreeMap::new(),
            named: BTreeMap::new(),
            sleepers: BTreeMap::new(),
            tape: None,
        }
    }

    fn in_file_order(&mut self) {
        for step in &self.scenario.steps {
            if !self.can(step) {
                let Action::Op { thread, .. } = &step.action else { continue };
                let name = self.printer.thread(*thread);
                let waiting = self.machine.waiting();
                let found = match waiting.iter().find(|one| one.thread == *thread) {
                    Some(one) => format!("{name} still waits {}", one.what),
                    None => format!("{name} does not run"),
                };
                self.mismatch(step.line, &format!("{name} to make a call"), &found);
                return;
            }
            self.perform(step);
        }
        while self.wait_for_time() {}
    }

    /// Steps of a thread that sleeps wait until it goes on.
    fn in_order(&mut self, order: &Order) {
        let mut left: Vec<&Step> = self.scenario.steps.iter().collect();
        for thread in &order.threads {
            let next = left.iter().position(
                |step| matches!(&step.action, Action::Op { thread: other, .. } if other == thread),
            );
            if let Some(place) = next.filter(|place| self.can(left[*place])) {
                self.perform(left.remove(place));
            }
        }
        loop {
            if let Some(place) = left.iter().position(|step| self.can(step)) {
                self.perform(left.remove(place));
            } else if !self.wait_for_time() {
                break;
            }
        }
    }

    fn can(&self, step: &Step) -> bool {
        match &step.action {
            Action::Advance(_) | Action::Race => true,
            Action::Op { thread, .. } | Action::Flow { thread, .. } => {
                self.machine.can_run(*thread)
            }
        }
    }

    /// Nothing can run: time passes up to the next deadline, if somebody sleeps until then.
    fn wait_for_time(&mut self) -> bool {
        let Some(deadline) = self.machine.next_deadline() else { return false };
        let span = npfs_abi::Time(deadline.0.saturating_sub(self.machine.time().0));
        let mut caused = Vec::new();
        self.machine.advance(deadline, &mut caused);
        if let Some(tape) = &mut self.tape {
            tape.advance(span, &caused);
        }
        self.transcript.advance(format!("advance {span}"));
        self.show_caused(&caused);
        true
    }

    /// Every thread follows its own program; the turn is of the one whose next step stands first
    /// in the file. Steps of a thread that sleeps wait until it goes on.
    fn in_program_order(&mut self) {
        let programs = Programs::new(self.scenario);
        for step in self.scenario.steps.iter().take(programs.prefix) {
            if !self.can(step) {
                break;
            }
            self.perform(step);
        }
        let codes: Vec<&Code> = programs.threads.iter().chain([&programs.clock]).collect();
        let mut places: Vec<Place> =
            codes.iter().map(|code| Place { next: 0, turns: vec![0; code.counters] }).collect();
        loop {
            let mut next: Option<(usize, usize)> = None;
            for (number, code) in codes.iter().enumerate() {
                let thread = ThreadId(number as u32 + 1);
                if number < programs.threads.len() && !self.machine.can_run(thread) {
                    continue;
                }
                let found = self.steer(thread, code, &mut places[number]);
                if let Some(index) = found {
                    if next.is_none_or(|(first, _)| index < first) {
                        next = Some((index, number));
                    }
                }
            }
            if let Some((index, number)) = next {
                places[number].next += 1;
                self.perform(&self.scenario.steps[index]);
            } else if !self.wait_for_time() {
                break;
            }
        }
    }

    /// Follows the jumps of a thread up to its next step.
    fn steer(&self, thread: ThreadId, code: &Code, place: &mut Place) -> Option<usize> {
        loop {
            match code.instructions.get(place.next)? {
                Instruction::Step(index) => return Some(*index),
                Instruction::Jump(target) => place.next = *target,
                Instruction::Unless { condition, target } => {
                    let result = match &condition.of {
                        None => self.results.get(&thread),
                        Some(word) => self.named.get(word),
                    };
                    let found = condition.any.iter().any(|wanted| match result {
                        Some(result) => holds(wanted, result),
                        None => false,
                    });
                    place.next = if found == condition.unless { *target } else { place.next + 1 };
                }
                Instruction::Enter { counter, turns } => {
                    place.turns[*counter] = *turns;
                    place.next += 1;
                }
                Instruction::Repeat { counter, start } => {
                    place.turns[*counter] -= 1;
                    place.next = if place.turns[*counter] > 0 { *start } else { place.next + 1 };
                }
            }
        }
    }

    /// Remembers what conditions ask for.
    fn remember(&mut self, thread: ThreadId, labels: Vec<Word>, outcome: &Outcome) {
        for label in &labels {
            self.named.insert(label.clone(), outcome.clone());
        }
        self.results.insert(thread, outcome.clone());
        if matches!(outcome, Outcome::Blocked(_)) {
            self.sleepers.insert(thread, labels);
        }
    }

    fn remember_caused(&mut self, caused: &[Completion]) {
        for completion in caused.iter().filter(|completion| completion.wakes) {
            let thread = completion.request.thread;
            let labels = self.sleepers.remove(&thread).unwrap_or_default();
            self.remember(thread, labels, &Outcome::Done(completion.reply.clone()));
        }
    }

    fn perform(&mut self, step: &Step) {
        let mut caused = Vec::new();
        match &step.action {
            Action::Flow { .. } | Action::Race => return,
            Action::Advance(span) => {
                let to = self.machine.time().after(*span);
                self.machine.advance(to, &mut caused);
                if let Some(tape) = &mut self.tape {
                    tape.advance(*span, &caused);
                }
                self.transcript.advance(format!("advance {span}"));
                self.show_caused(&caused);
            }
            Action::Op { thread, labels, op } => {
                let text = transcript::action(labels, &self.printer.op(op));
                let before = self.machine.struck().count();
                let outcome = self.machine.step(*thread, labels, op, &mut caused);
                self.remember(*thread, labels.clone(), &outcome);
                let call = self.machine.operations(*thread);
                if let Some(tape) = &mut self.tape {
                    let request = RequestId { thread: *thread, call };
                    tape.call(request, labels, op, &outcome, &caused);
                }
                if npfs_trace::text::makes_handles(op) == 0 {
                    for label in labels {
                        self.printer.name_request(RequestId { thread: *thread, call }, label);
                    }
                }
                let named = !labels.is_empty();
                let found = transcript::outcome(&outcome, named, &self.machine, &self.printer);
                self.transcript.step(self.printer.thread(*thread), text, found.clone());
                if let Some(expected) = step.expected.as_ref().filter(|_| self.checks) {
                    if !holds(expected, &outcome) {
                        let wanted = self.printer.expected(expected);
                        let found = match &outcome {
                            Outcome::Done(reply) => self.whole(reply),
                            Outcome::Pending(_) | Outcome::Blocked(_) => found,
                        };
                        self.mismatch(step.line, &wanted, &found);
                    }
                }
                for fault in self.machine.struck().skip(before).map(npfs_trace::text::fault) {
                    self.transcript.note(format!("fault: {fault}"));
                }
                self.show_caused(&caused);
            }
        }
        let advanced = matches!(step.action, Action::Advance(_)) && !step.caused.is_empty();
        if self.checks && (step.expected.is_some() || advanced) {
            self.check_caused(step, &caused);
        }
    }

    /// A reply with nothing left out, for the message that says what is wrong with it.
    fn whole(&self, reply: &Reply) -> String {
        self.printer.reply(&Reply {
            status: reply.status,
            information: reply.information,
            output: transcript::worded(reply.output.clone(), &self.machine),
        })
    }

    fn show_caused(&mut self, caused: &[Completion]) {
        self.remember_caused(caused);
        for completion in caused {
            let text = transcript::caused(completion, &self.machine, &self.printer);
            self.transcript.caused(text);
        }
    }

    fn check_caused(&mut self, step: &Step, caused: &[Completion]) {
        let count = step.caused.len().max(caused.len());
        for place in 0..count {
            let (wanted, found) = (step.caused.get(place), caused.get(place));
            if let (Some(wanted), Some(found)) = (wanted, found) {
                if self.is_caused(wanted, found) {
                    continue;
                }
            }
            let line = step.line + if wanted.is_some() { place as u32 + 1 } else { 0 };
            let nothing = || "nothing caused by it".to_owned();
            let wanted = wanted.map_or_else(nothing, |wanted| self.printer.caused(wanted));
            let found = found.map_or_else(nothing, |found| {
                transcript::caused(found, &self.machine, &self.printer)
            });
            self.mismatch(line, &wanted, &found);
        }
    }

    fn is_caused(&self, wanted: &Caused, found: &Completion) -> bool {
        let RequestId { thread, call } = found.request;
        let name = self.printer.thread(thread);
        let who = if wanted.wakes {
            wanted.who == name
        } else {
            wanted.who == self.printer.request(found.request)
                || wanted.who == format!("{name}.{call}")
        };
        who && wanted.wakes == found.wakes && reply_holds(&wanted.reply, &found.reply)
    }

    fn mismatch(&mut self, line: u32, expected: &str, found: &str) {
        let place = if line == 0 { String::new() } else { format!("line {line}: ") };
        self.transcript.note(format!("{place}wanted {expected}, found {found}"));
        let (expected, found) = (expected.to_owned(), found.to_owned());
        self.mismatches.push(Mismatch { line, expected, found });
    }

    fn finish(mut self, wanted: Option<Ending>) -> Run {
        let waiting = self.machine.waiting();
        let ending = ending(&self.machine, &waiting);
        let mut waits: Vec<String> = waiting.iter().map(|one| self.sleeper(one)).collect();
        if let Some(cycle) = cycle(&waiting) {
            let names: Vec<_> = cycle.iter().map(|thread| self.printer.thread(*thread)).collect();
            waits.push(format!("cycle: {}", names.join(" -> ")));
        }
        if let Some(wanted) = wanted.filter(|wanted| *wanted != ending) {
            let wanted = format!("the run to end {}", wanted.word());
            self.mismatch(0, &wanted, ending.word());
        }
        let mut transcript = format!("{}{}\n", self.transcript, ending.word());
        for wait in &waits {
            transcript += &format!("  {wait}\n");
        }
        Run { transcript, mismatches: self.mismatches, ending, waiting: waits }
    }

    /// `p waits in read on …, for c`
    fn sleeper(&self, one: &Waiting) -> String {
        let names: Vec<_> = one.for_threads.iter().map(|id| self.printer.thread(*id)).collect();
        let clock = if one.timed { " or the clock" } else { "" };
        let whom = match (names.is_empty(), one.timed) {
            (true, true) => "only the clock can end it".to_owned(),
            (true, false) => "nobody can end it".to_owned(),
            (false, _) => format!("only {}{clock} can end it", names.join(" or ")),
        };
        format!("{} waits {}: {whom}", self.printer.thread(one.thread), one.what)
    }
}

/// A run in which somebody sleeps is a deadlock when no chain of sleepers leads to a thread that
/// is awake, and no clock runs.
fn ending(machine: &Machine, waiting: &[Waiting]) -> Ending {
    if waiting.is_empty() {
        return Ending::Finished;
    }
    let hope = waiting
        .iter()
        .any(|one| one.timed || one.for_threads.iter().any(|other| machine.can_run(*other)));
    if hope { Ending::Blocked } else { Ending::Deadlock }
}

/// A ring of sleepers, each waiting for the next; the first stands again at the end.
pub fn cycle(waiting: &[Waiting]) -> Option<Vec<ThreadId>> {
    let edges: Vec<_> = waiting.iter().map(|one| (one.thread, one.for_threads.clone())).collect();
    npfs_kernel::cycle(&edges)
}

/// Whether an outcome is what was expected of it.
pub fn holds(expected: &Expected, outcome: &Outcome) -> bool {
    match (expected, outcome) {
        (Expected::Done(wanted), Outcome::Done(found)) => reply_holds(wanted, found),
        (Expected::Pending, Outcome::Pending(_)) | (Expected::Blocked, Outcome::Blocked(_)) => true,
        (Expected::Done(_) | Expected::Pending | Expected::Blocked, _) => false,
    }
}

fn reply_holds(wanted: &ExpectedReply, found: &Reply) -> bool {
    wanted.status == found.status
        && wanted.information.is_none_or(|information| information == found.information)
        && wanted.output.as_ref().is_none_or(|output| output_holds(output, &found.output))
}

/// Words of handles are not compared.
fn output_holds(wanted: &Output<Word>, found: &Output) -> bool {
    match (wanted, found) {
        (Output::None, Output::None)
        | (Output::Handle(_), Output::Handle(_))
        | (Output::Handles(..), Output::Handles(..)) => true,
        (Output::Data(wanted), Output::Data(found)) => wanted == found,
        (Output::Data(wanted), Output::None) => wanted.is_empty(),
        (Output::Peek(wanted), Output::Peek(found)) => wanted == found,
        (Output::Info(wanted), Output::Info(found)) => wanted == found,
        (Output::State(wanted), Output::State(found)) => wanted == found,
        (Output::Local(wanted), Output::Local(found)) => wanted == found,
        (Output::FileType(wanted), Output::FileType(found)) => wanted == found,
        (Output::Routines(wanted), Output::Routines(found)) => wanted == found,
        (Output::Packets(wanted), Output::Packets(found)) => wanted == found,
        (Output::Number(wanted), Output::Number(found)) => wanted == found,
        (Output::Text(wanted), Output::Text(found)) => wanted == found,
        (Output::Names(wanted), Output::Names(found)) => wanted == found,
        (Output::Token(wanted), Output::Token(found)) => wanted == found,
        (Output::Descriptor(wanted), Output::Descriptor(found)) => wanted == found,
        (
            Output::None
            | Output::Handle(_)
            | Output::Handles(..)
            | Output::Data(_)
            | Output::Peek(_)
            | Output::Info(_)
            | Output::State(_)
            | Output::Local(_)
            | Output::FileType(_)
            | Output::Routines(_)
            | Output::Packets(_)
            | Output::Number(_)
            | Output::Text(_)
            | Output::Names(_)
            | Output::Token(_)
            | Output::Descriptor(_),
            _,
        ) => false,
    }
}
