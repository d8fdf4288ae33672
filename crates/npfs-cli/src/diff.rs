//! `npfs diff`

use std::path::{Path, PathBuf};

use npfs_machine::record;
use npfs_trace::diff::{Diff, Mark, Row, Side, ThreadDiff, diff as compare};
use npfs_trace::{Scenario, Trace};
use serde_json::{Value, json};

use crate::{Streams, Verdict, check, files};

/// What was asked for.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// A trace, or a scenario to run on the model.
    a: PathBuf,
    /// What it is compared with.
    b: PathBuf,
    /// Which trace of a file that has several, from 1.
    #[arg(long, default_value_t = 1)]
    number: usize,
    /// Print equal calls too.
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Compares two traces by meaning.
pub(crate) fn diff(options: &Options, streams: &mut Streams<'_>) -> Verdict {
    let read = |path: &Path| trace(path, options.number);
    let (a, b) = match (read(&options.a), read(&options.b)) {
        (Ok(a), Ok(b)) => (a, b),
        (a, b) => {
            a.err().iter().chain(b.err().iter()).for_each(|error| streams.say(error));
            return Verdict::Failed;
        }
    };
    let found = compare(&a, &b);
    if options.json {
        streams.print(&format!("{:#}\n", in_json(&found)));
    } else {
        streams.print(&in_text(&found, options.all));
    }
    if found.is_empty() { Verdict::Holds } else { Verdict::Differs }
}

/// The trace in a file, or that of a scenario's run.
fn trace(path: &Path, number: usize) -> Result<Trace, String> {
    if path.extension().is_some_and(|extension| extension == "scenario") {
        let text = files::read(path)?;
        let scenario = Scenario::parse(&text).map_err(|error| files::place(path, &error))?;
        return Ok(record(&scenario));
    }
    let mut traces = check::read(path)?;
    let count = traces.len();
    if number == 0 || number > count {
        return Err(format!("{}: wanted trace {number}, found {count} traces", path.display()));
    }
    Ok(traces.swap_remove(number - 1))
}

/// Wider calls push the other side to the right.
const WIDEST: usize = 72;

fn in_text(found: &Diff, all: bool) -> String {
    let shown = |row: &&Row| all || row.mark != Mark::Same;
    let rows = || found.threads.iter().flat_map(|thread| &thread.rows);
    let left = |row: &Row| row.a.as_ref().map(whole).unwrap_or_default();
    let widths = rows().filter(shown).map(|row| left(row).chars().count());
    let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let mut text = String::new();
    for thread in &found.threads {
        if !thread.rows.iter().any(|row| shown(&row)) {
            continue;
        }
        text += &format!("{}\n", name(thread));
        for row in thread.rows.iter().filter(shown) {
            let (mark, right) = match (row.mark, &row.b) {
                (Mark::Same, _) => ('=', String::new()),
                (Mark::Result, Some(b)) => ('!', format!("-> {}", b.result)),
                (Mark::OnlyA, _) => ('<', String::new()),
                (Mark::Result | Mark::OnlyB, b) => ('>', b.as_ref().map(whole).unwrap_or_default()),
            };
            let lines = [&row.a, &row.b].map(|side| match side {
                Some(side) => format!("{:>5}", side.line),
                None => " ".repeat(5),
            });
            let line = format!("{mark}{} {}  {:width$} | {right}", lines[0], lines[1], left(row));
            text += line.trim_end_matches([' ', '|']);
            text.push('\n');
        }
    }
    let calls = rows().count();
    text + &format!("{calls} calls, {} differ\n", found.count())
}

fn whole(side: &Side) -> String {
    format!("{} -> {}", side.call, side.result)
}

fn name(thread: &ThreadDiff) -> String {
    match (&thread.a, &thread.b) {
        (Some(a), Some(b)) if a != b => format!("thread {a} | {b}"),
        (Some(name), _) | (None, Some(name)) => format!("thread {name}"),
        (None, None) => "thread".to_owned(),
    }
}

fn in_json(found: &Diff) -> Value {
    let side = |side: &Option<Side>| {
        side.as_ref()
            .map(|side| json!({ "line": side.line, "call": side.call, "result": side.result }))
    };
    let row = |row: &Row| {
        let mark = match row.mark {
            Mark::Same => "same",
            Mark::Result => "result",
            Mark::OnlyA => "only_a",
            Mark::OnlyB => "only_b",
        };
        json!({ "mark": mark, "a": side(&row.a), "b": side(&row.b) })
    };
    let threads: Vec<Value> = found
        .threads
        .iter()
        .map(|thread| {
            let rows: Vec<Value> = thread.rows.iter().map(row).collect();
            json!({ "a": thread.a, "b": thread.b, "rows": rows })
        })
        .collect();
    json!({ "threads": threads, "differ": found.count() })
}
