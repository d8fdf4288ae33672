//! A schedule as people read it: a line a step, what it caused below it, preemptions marked.

use std::sync::Arc;

use crate::machine::Machine;
use crate::model::{Model, Unfit};
use crate::outcome;
use crate::schedule::Choice;

/// What a schedule does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transcript {
    /// The lines.
    pub text: String,
    /// How many of its steps could be made.
    pub steps: usize,
    /// Why the rest could not.
    pub stopped: Option<String>,
    /// Who sleeps at its end, and for whom.
    pub sleepers: Vec<String>,
    /// What is left over at its end.
    pub leaks: Vec<String>,
    /// The results of every thread.
    pub outcome: Vec<String>,
    /// Which properties are broken at its end, as the scenario writes them.
    pub broken: Vec<String>,
}

/// Longer operations stand out of the column instead of pushing it to the right.
const WIDEST: usize = 56;

/// A step.
pub(crate) struct Line {
    pub(crate) mark: char,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) outcome: String,
    pub(crate) caused: Vec<String>,
}

/// Makes the steps of a schedule, as far as they can be made.
///
/// # Errors
/// When what stands above `race` cannot be run.
pub fn replay(model: &Arc<Model>, schedule: &[Choice]) -> Result<Transcript, Unfit> {
    let mut machine = Machine::new(Arc::clone(model))?;
    let mut lines: Vec<Line> = Vec::new();
    let mut open = Vec::new();
    let mut last: Option<Choice> = None;
    let mut stopped = None;
    let mut number = 0;
    for choice in schedule {
        machine.choices(&mut open);
        if !open.contains(choice) {
            let names = names(model);
            let choice = crate::schedule::print(&[*choice], &names);
            let open = match open.is_empty() {
                true => "the end".to_owned(),
                false => crate::schedule::print(&open, &names),
            };
            stopped = Some(format!("step {}: wanted {choice}, found {open}", number + 1));
            break;
        }
        let preempts = crate::schedule::preempts(last.as_ref(), *choice, &open);
        lines.push(line(&mut machine, *choice, if preempts { '!' } else { ' ' }));
        last = Some(*choice);
        number += 1;
    }
    machine.choices(&mut open);
    let end = open.is_empty();
    let bits = machine.broken(end);
    let broken = model.properties.iter().enumerate().filter(|(number, _)| bits & 1 << number != 0);
    Ok(Transcript {
        text: text(&lines),
        steps: number,
        stopped,
        sleepers: outcome::sleepers(&machine),
        leaks: machine.kernel.leaks(),
        outcome: outcome::lines(&machine),
        broken: broken.map(|(_, property)| property.text.clone()).collect(),
    })
}

/// The names of a model's threads.
pub(crate) fn names(model: &Model) -> Vec<&str> {
    model.threads.iter().map(|code| code.name.as_str()).collect()
}

/// Makes a step and says what it did.
fn line(machine: &mut Machine, choice: Choice, mark: char) -> Line {
    let threads = machine.thread_count();
    let before: Vec<usize> = (0..threads).map(|place| machine.results(place).len()).collect();
    let pending = pending(machine);
    let place = choice.place();
    let goes_on = place.is_some_and(|place| machine.is_inside(place));
    let step = place.and_then(|place| machine.stands_at(place));
    let time = machine.kernel.time();
    machine.step(choice);
    let model = Arc::clone(&machine.model);
    let (who, what) = match place {
        None => ("clock".to_owned(), {
            let span = npfs_abi::Time(machine.kernel.time().0.saturating_sub(time.0));
            format!("advance {span}")
        }),
        Some(place) => {
            let action = step.map_or(String::new(), |step| outcome::action(machine, step));
            let more = if goes_on { " (goes on)" } else { "" };
            let first = choice.first().map_or(String::new(), |first| {
                format!(" ({} waits first)", model.threads[first].name)
            });
            (model.threads[place].name.clone(), format!("{action}{more}{first}"))
        }
    };
    let mut caused = Vec::new();
    let mut said = String::new();
    for (other, count) in before.into_iter().enumerate() {
        for result in &machine.results(other)[count..] {
            let text = outcome::text(machine, &result.outcome);
            if Some(other) == place && said.is_empty() {
                said = text;
            } else {
                caused.push(format!("{} returns {text}", model.threads[other].name));
            }
        }
    }
    for (place, at) in pending {
        let result = &machine.results(place)[at];
        if let Some(end) = machine.ended(place, result) {
            let what = outcome::action(machine, result.step);
            let what = what.split(" =").next().unwrap_or_default();
            let what = what.split(' ').next().unwrap_or_default();
            let name = &model.threads[place].name;
            caused.push(format!("{name}'s {what} done {}", outcome::text(machine, &end)));
        }
    }
    if said.is_empty() {
        said = match place {
            None => String::new(),
            Some(place) if machine.sleeps(place) => "blocked".to_owned(),
            Some(_) => "…".to_owned(),
        };
    }
    Line { mark, who, what, outcome: said, caused }
}

/// The results that are pending and have not ended.
fn pending(machine: &Machine) -> Vec<(usize, usize)> {
    let mut list = Vec::new();
    for place in 0..machine.thread_count() {
        for (at, result) in machine.results(place).iter().enumerate() {
            let pends = matches!(result.outcome, npfs_abi::Outcome::Pending(_));
            if pends && machine.ended(place, result).is_none() {
                list.push((place, at));
            }
        }
    }
    list
}

pub(crate) fn text(lines: &[Line]) -> String {
    let names = lines.iter().map(|line| line.who.chars().count()).max().unwrap_or(0);
    let widths = lines.iter().map(|line| line.what.chars().count());
    let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let digits = lines.len().to_string().len();
    let mut text = String::new();
    for (number, line) in (1..).zip(lines) {
        let Line { mark, who, what, outcome, caused } = line;
        let row = format!("{number:digits$} {mark}{who:names$}  {what:width$}");
        let row = if outcome.is_empty() {
            row.trim_end().to_owned()
        } else {
            format!("{row}  -> {outcome}")
        };
        text += &row;
        text.push('\n');
        for one in caused {
            text += &format!("{:digits$}  {:names$}    {one}\n", "", "");
        }
    }
    text
}
