//! What is said about a concurrent trace: an order that explains it, or why there is none.

use std::collections::BTreeMap;

use npfs_abi::{Handle, Outcome, Output, RequestId, ThreadId};
use npfs_trace::Trace;
use npfs_trace::scenario::Word;
use npfs_trace::text::Printer;

use super::history::{CallId, Entry, History, Malformed};
use super::search::{End, Limits, search};
use super::system::{Choice, News, System, Trouble, word_of};
use crate::Machine;
use crate::check::{CONTEXT, Checked, Difference, printer};
use crate::deviation::Deviations;
use crate::transcript::{self, HandleWords, Transcript};
use crate::view;

/// A call that no order can place behind the longest explained beginning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unplaced {
    /// Its line in the trace.
    pub line: u32,
    /// Its name there.
    pub id: String,
    /// The call, as a transcript shows it.
    pub call: String,
    /// What was recorded.
    pub recorded: String,
    /// What the model would have allowed, in one order or another.
    pub model: Vec<String>,
}

/// Looks for an order of a concurrent trace.
pub(crate) fn check(trace: &Trace, deviations: &Deviations, limits: &Limits) -> Checked {
    let mut checked = Checked { events: trace.events.len(), ..Checked::default() };
    let history = match History::new(trace) {
        Ok(history) => history,
        Err(Malformed { line, wanted, found }) => {
            checked.difference = Some(Difference {
                line,
                op: "call".to_owned(),
                model: wanted,
                recorded: found,
                context: String::new(),
                near: Vec::new(),
                unplaced: Vec::new(),
            });
            return checked;
        }
    };
    checked.not_checked = history.left_out;
    // An order without any deviation is worth more than one with some.
    let none = Deviations::default();
    let mut found = search(&mut system(trace, &history, &none), limits);
    let mut table = &none;
    if found.end != End::Explained && !deviations.rows.is_empty() {
        table = deviations;
        let before = found.effort;
        found = search(&mut system(trace, &history, deviations), limits);
        found.effort.states += before.states;
        found.effort.steps += before.steps;
    }
    checked.effort = found.effort;
    let mut replay = Replay::new(trace, &history, table);
    found.order.iter().for_each(|choice| replay.step(*choice));
    checked.known.clone_from(&replay.system.known);
    match found.end {
        End::Explained => {
            if replay.system.parted {
                let events = trace.events.len().saturating_sub(1);
                checked.not_checked += events.saturating_sub(replay.system.explained);
            }
        }
        End::Impossible(troubles) => {
            let difference = replay.difference(&troubles, deviations);
            match history.guess {
                // With other values it might be possible.
                Some(call) => {
                    let Entry { id, .. } = history.calls[call as usize];
                    checked.unknown = Some(format!(
                        "not with the values that stand for unknown arguments of {id}: {}",
                        in_short(&difference)
                    ));
                }
                None => checked.difference = Some(difference),
            }
        }
        End::Unknown(limit, troubles) => {
            let difference = replay.difference(&troubles, deviations);
            let short = in_short(&difference);
            checked.unknown = Some(format!("not every order was tried ({limit}); {short}"));
        }
    }
    checked.order = Some(replay.transcript.to_string());
    checked
}

fn in_short(difference: &Difference) -> String {
    let Difference { line, op, model, recorded, .. } = difference;
    format!("line {line}: {op}: wanted {model}, found {recorded}")
}

fn system<'h, 'a>(
    trace: &'h Trace,
    history: &'h History<'a>,
    deviations: &'h Deviations,
) -> System<'h, 'a> {
    let machine = Machine::of_trace(&trace.header);
    let kernel_calls = machine.takes_kernel_calls();
    let scenario = &trace.header.scenario;
    System::new(history, machine.into_kernel(), kernel_calls, scenario, deviations)
}

/// An order, run once more from the start and written down.
struct Replay<'h, 'a> {
    history: &'h History<'a>,
    system: System<'h, 'a>,
    printer: Printer,
    transcript: Transcript,
}

/// Handles that nobody named.
struct Numbers;

impl HandleWords for Numbers {
    fn word(&self, handle: Handle) -> Word {
        handle.to_string()
    }
}

impl<'h, 'a> Replay<'h, 'a> {
    fn new(
        trace: &'h Trace,
        history: &'h History<'a>,
        deviations: &'h Deviations,
    ) -> Replay<'h, 'a> {
        let mut printer = printer(&trace.header);
        for entry in &history.calls {
            printer.requests.insert(request(entry), entry.id.to_owned());
        }
        let mut system = system(trace, history, deviations);
        system.news = Some(Vec::new());
        let transcript = Transcript::new(&printer);
        Replay { history, system, printer, transcript }
    }

    fn entry(&self, call: CallId) -> &'h Entry<'a> {
        &self.history.calls[call as usize]
    }

    fn step(&mut self, choice: Choice) {
        let next = match choice {
            Choice::Go(thread) => self.system.next(thread as usize),
            Choice::Expire(_) | Choice::ExpireRequest(_) | Choice::Forgive(_) => None,
        };
        self.system.step(choice);
        let mut news = self.system.news.replace(Vec::new()).unwrap_or_default();
        match (choice, next) {
            (_, Some(call)) => {
                let own = |one: &News| matches!(one, News::Returned(id, _) if *id == call);
                let entry = self.entry(call);
                let text = match news.iter().position(own).map(|place| news.remove(place)) {
                    Some(News::Returned(_, outcome)) => self.outcome(entry, &outcome),
                    _ => "blocked".to_owned(),
                };
                let thread = self.printer.thread(request(entry).thread);
                let action = self.action(entry);
                self.transcript.step(thread, action, text);
            }
            (Choice::Expire(thread), _) => {
                let name = self.printer.thread(ThreadId(thread + 1));
                self.transcript.advance(format!("{name} has waited long enough"));
            }
            (Choice::ExpireRequest(call), _) => {
                let id = self.entry(call).id;
                self.transcript.advance(format!("{id} has pended long enough"));
            }
            (Choice::Go(_) | Choice::Forgive(_), None) => {}
        }
        for one in news {
            match one {
                News::Returned(call, outcome) => {
                    let entry = self.entry(call);
                    let name = self.printer.thread(request(entry).thread);
                    let text = self.outcome(entry, &outcome);
                    self.transcript.caused(format!("{name} returns {text}"));
                }
                News::Ended(call, reply) => {
                    let entry = self.entry(call);
                    let text = transcript::reply(&reply, false, &Numbers, &self.printer);
                    self.transcript.caused(format!("{} done {text}", entry.id));
                }
                News::Known(row, recorded) => {
                    let rule = &self.system.deviations.rows[row].rule;
                    self.transcript.note(format!("known deviation {rule}: recorded {recorded}"));
                }
            }
        }
    }

    fn action(&self, entry: &Entry<'_>) -> String {
        let labels = labels(entry);
        transcript::action(&labels, &self.printer.op(entry.source))
    }

    fn outcome(&self, entry: &Entry<'_>, outcome: &Outcome) -> String {
        let named = !labels(entry).is_empty();
        transcript::outcome(outcome, named, &Numbers, &self.printer)
    }

    /// Why the order does not go on.
    fn difference(&self, troubles: &[Trouble], deviations: &Deviations) -> Difference {
        let mut models: BTreeMap<CallId, (u32, String, Vec<String>)> = BTreeMap::new();
        for Trouble { call, line, model, recorded } in troubles {
            let (_, _, list) =
                models.entry(*call).or_insert_with(|| (*line, recorded.clone(), Vec::new()));
            if !list.contains(model) {
                list.push(model.clone());
            }
        }
        for (call, waits) in self.system.outstanding() {
            let entry = self.entry(call);
            let (line, recorded) = match (entry.result, entry.done) {
                (_, Some(done)) if !self.system.is_inside(call) => {
                    let text = view::text(done.result.status, done.result.error);
                    (done.line, format!("done {text}"))
                }
                (Some((line, result)), _) => (line, view::text(result.status, result.error)),
                (None, _) => (entry.line, "returned".to_owned()),
            };
            let model = if waits { "nothing, it waits" } else { "nothing in time" };
            models.entry(call).or_insert_with(|| (line, recorded, vec![model.to_owned()]));
        }
        let unplaced: Vec<Unplaced> = models
            .iter()
            .map(|(call, (line, recorded, model))| Unplaced {
                line: *line,
                id: self.entry(*call).id.to_owned(),
                call: self.action(self.entry(*call)),
                recorded: recorded.clone(),
                model: model.clone(),
            })
            .collect();
        // The call that the model answers otherwise says more than one that waits for it.
        let worst = troubles.first().map(|trouble| trouble.call);
        let first = worst.or(models.keys().next().copied());
        let (line, op, model, recorded) =
            match first.and_then(|call| Some((call, models.get(&call)?))) {
                Some((call, (line, recorded, list))) => {
                    (*line, word_of(self.entry(call).source), list.join(" or "), recorded.clone())
                }
                None => (0, "trace".to_owned(), "an order".to_owned(), "none".to_owned()),
            };
        Difference {
            line,
            near: deviations.near(&op).iter().map(|row| row.told()).collect(),
            op,
            model,
            recorded,
            context: self.transcript.tail(CONTEXT).to_string(),
            unplaced,
        }
    }
}

/// The words of the handles that a call gave.
fn labels(entry: &Entry<'_>) -> Vec<Word> {
    match entry.result.and_then(|(_, result)| result.output.as_ref()) {
        Some(Output::Handle(word)) => vec![word.clone()],
        Some(Output::Handles(read, write)) => vec![read.clone(), write.clone()],
        _ => Vec::new(),
    }
}

fn request(entry: &Entry<'_>) -> RequestId {
    RequestId { thread: ThreadId(entry.thread as u32 + 1), call: entry.number }
}
