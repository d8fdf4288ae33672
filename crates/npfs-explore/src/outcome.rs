//! What an execution came to, in words.

use npfs_abi::{Op, Outcome, Output, Reply, ThreadId};
use npfs_kernel::Kernel;
use npfs_trace::scenario::{Action, Word};
use npfs_trace::text::Printer;

use crate::machine::{Machine, Recorded};

/// The results of every thread, a line a thread.
pub(crate) fn lines(machine: &Machine) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, code) in machine.model.threads.iter().enumerate() {
        let mut parts: Vec<String> = machine
            .results(place)
            .iter()
            .filter(|result| !stands_above_race(machine, result))
            .map(|result| self::result(machine, place, result))
            .collect();
        if machine.sleeps(place) {
            let step = machine.stands_at(place);
            parts
                .push(format!("{} sleeps", step.map_or(String::new(), |step| verb(machine, step))));
        } else if !machine.has_finished(place) {
            let step = machine.stands_at(place);
            let verb = step.map_or(String::new(), |step| verb(machine, step));
            parts.push(format!("{verb} never begins"));
        }
        if parts.is_empty() {
            parts.push("nothing".to_owned());
        }
        lines.push(format!("{}: {}", code.name, parts.join(", ")));
    }
    lines
}

fn stands_above_race(machine: &Machine, result: &Recorded) -> bool {
    let race = machine.model.scenario.steps.iter().position(|step| step.action == Action::Race);
    race.is_some_and(|race| (result.step as usize) < race)
}

/// `open PIPE_BUSY`, `r read pending then ok 5 "hello"`
fn result(machine: &Machine, place: usize, result: &Recorded) -> String {
    let verb = verb(machine, result.step);
    let text = text(machine, &result.outcome);
    match machine.ended(place, result) {
        Some(end) => format!("{verb} {text} then {}", self::text(machine, &end)),
        None => format!("{verb} {text}"),
    }
}

/// The operation's first word, and the word that it gives.
fn verb(machine: &Machine, step: u32) -> String {
    let scenario = &machine.model.scenario;
    let Some(Action::Op { labels, op, .. }) =
        scenario.steps.get(step as usize).map(|step| &step.action)
    else {
        return String::new();
    };
    let text = machine.model.printer.op(op);
    let verb = text.split(' ').next().unwrap_or_default();
    if labels.is_empty() { verb.to_owned() } else { format!("{}={verb}", labels.join(",")) }
}

/// An outcome without values of handles.
pub(crate) fn text(machine: &Machine, outcome: &Outcome) -> String {
    words(&machine.model.printer, outcome)
}

/// The same with a printer.
pub(crate) fn words(printer: &Printer, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Pending(_) => "pending".to_owned(),
        Outcome::Blocked(_) => "blocked".to_owned(),
        Outcome::Done(reply) => reply_text(printer, reply),
    }
}

/// A reply without values of handles.
pub(crate) fn reply_text(printer: &Printer, reply: &Reply) -> String {
    let plain: Output<Word> = match &reply.output {
        Output::None | Output::Handle(_) | Output::Handles(..) => {
            let creates = !matches!(reply.output, Output::None);
            let status = npfs_trace::text::status(reply.status);
            let information = match reply.information {
                0 => String::new(),
                _ if creates => String::new(),
                number => format!(" {number}"),
            };
            return format!("{status}{information}");
        }
        Output::Data(data) => Output::Data(data.clone()),
        Output::Peek(peek) => Output::Peek(peek.clone()),
        Output::Info(info) => Output::Info(*info),
        Output::State(state) => Output::State(state.clone()),
        Output::Local(local) => Output::Local(*local),
        Output::FileType(number) => Output::FileType(*number),
        Output::Routines(requests) => Output::Routines(requests.clone()),
        Output::Packets(packets) => Output::Packets(packets.clone()),
        Output::Number(number) => Output::Number(*number),
        Output::Text(text) => Output::Text(text.clone()),
        Output::Names(names) => Output::Names(names.clone()),
        Output::Token(token) => Output::Token(token.clone()),
        Output::Descriptor(descriptor) => Output::Descriptor(descriptor.clone()),
    };
    let (status, information) = (reply.status, reply.information);
    printer.reply(&Reply { status, information, output: plain })
}

/// The operation of a step as its scenario writes it, and the words before it.
pub(crate) fn action(machine: &Machine, step: u32) -> String {
    let scenario = &machine.model.scenario;
    let Some(Action::Op { labels, op, .. }) =
        scenario.steps.get(step as usize).map(|step| &step.action)
    else {
        return String::new();
    };
    let op: &Op<Word, Word> = op;
    let text = machine.model.printer.op(op);
    if labels.is_empty() { text } else { format!("{} = {text}", labels.join(" ")) }
}

/// Who sleeps at the end, and for whom; a ring of sleepers is named.
pub(crate) fn sleepers(machine: &Machine) -> Vec<String> {
    who_sleeps(&machine.kernel, &machine.model.printer)
}

/// The same of a kernel.
pub(crate) fn who_sleeps(kernel: &Kernel, printer: &Printer) -> Vec<String> {
    let waiting = kernel.waiting();
    let name = |thread: &ThreadId| printer.thread(*thread);
    let mut lines: Vec<String> = waiting
        .iter()
        .map(|one| {
            let asleep: Vec<String> = one
                .for_threads
                .iter()
                .filter(|other| waiting.iter().any(|sleeper| sleeper.thread == **other))
                .map(name)
                .collect();
            let whom = match (one.for_threads.is_empty(), asleep.is_empty()) {
                (true, _) => "nobody can end it".to_owned(),
                (false, true) => "who could end it has nothing more to do".to_owned(),
                (false, false) => format!("{} could end it, asleep as well", asleep.join(" or ")),
            };
            format!("{} waits {}: {whom}", name(&one.thread), one.what)
        })
        .collect();
    if let Some(cycle) = npfs_machine::cycle(&waiting) {
        let names: Vec<String> = cycle.iter().map(name).collect();
        lines.push(format!("cycle: {}", names.join(" -> ")));
    }
    lines
}
