//! `npfs check`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use npfs_machine::{Checked, Deviations, check as check_trace};
use npfs_trace::Trace;
use npfs_trace::trace::Header;
use serde_json::{Value, json};

use crate::files;
use crate::{Streams, Verdict};

/// Tables already read, by path, with the rows that were of use.
type Tables = BTreeMap<PathBuf, (Deviations, BTreeSet<usize>)>;

#[derive(Default)]
struct Totals {
    traces: usize,
    events: usize,
    explained: usize,
    known: usize,
    unexplained: usize,
    not_checked: usize,
}

/// Checks every trace.
pub(crate) fn check(
    paths: &[PathBuf],
    deviations: Option<&Path>,
    json: bool,
    streams: &mut Streams<'_>,
) -> Verdict {
    let (found, errors) = files::find(paths, "jsonl");
    let mut verdict = Verdict::Holds;
    for error in &errors {
        streams.say(error);
        verdict = Verdict::Failed;
    }
    let (mut tables, mut totals, mut list) = (Tables::new(), Totals::default(), Vec::new());
    for path in &found {
        let (trace, checked, table) = match one(path, deviations, &mut tables) {
            Ok(done) => done,
            Err(error) => {
                streams.say(&error);
                verdict = Verdict::Failed;
                continue;
            }
        };
        totals.traces += 1;
        totals.events += checked.events;
        totals.known += checked.known.len();
        totals.not_checked += checked.not_checked;
        if checked.difference.is_none() {
            totals.explained += 1;
        } else {
            totals.unexplained += 1;
            verdict = verdict.max(Verdict::Differs);
        }
        let known = tables.get(&table).map(|(deviations, _)| deviations);
        if json {
            list.push(in_json(path, &trace, &checked, known));
        } else {
            streams.print(&in_text(path, &checked));
        }
    }
    if paths.iter().any(|path| path.is_dir()) {
        for (path, (deviations, used)) in &tables {
            for (place, row) in deviations.rows.iter().enumerate() {
                if !used.contains(&place) {
                    let path = path.display();
                    streams.say(&format!(
                        "{path}: the row for {} of {} was not needed",
                        row.rule, row.op
                    ));
                }
            }
        }
    }
    let Totals { traces, events, explained, known, unexplained, not_checked } = totals;
    if json {
        let whole = json!({
            "traces": list,
            "events": events,
            "explained": explained,
            "known_deviations": known,
            "unexplained": unexplained,
            "not_checked": not_checked,
        });
        streams.print(&format!("{whole:#}\n"));
    } else if traces > 0 {
        if not_checked > 0 {
            streams.print(&format!(
                "{not_checked} events behind a deviation were not checked, because the two systems had parted\n"
            ));
        }
        streams.print(&format!(
            "{traces} traces, {events} events: {explained} explained ({known} known deviations), {unexplained} unexplained\n"
        ));
    }
    verdict
}

fn one(
    path: &Path,
    deviations: Option<&Path>,
    tables: &mut Tables,
) -> Result<(Trace, Checked, PathBuf), String> {
    let text = files::read(path)?;
    let trace = Trace::parse(&text).map_err(|error| files::place(path, &error))?;
    let table = match deviations {
        Some(table) => table.to_owned(),
        None => default_table(path, &trace.header),
    };
    if !tables.contains_key(&table) {
        let read = if deviations.is_some() || table.exists() {
            let text = files::read(&table)?;
            Deviations::parse(&text).map_err(|error| files::place(&table, &error))?
        } else {
            Deviations::default()
        };
        tables.insert(table.clone(), (read, BTreeSet::new()));
    }
    let checked = match tables.get_mut(&table) {
        Some((deviations, used)) => {
            let checked = check_trace(&trace, deviations);
            used.extend(checked.known.iter().map(|(_, row)| *row));
            checked
        }
        None => check_trace(&trace, &Deviations::default()),
    };
    Ok((trace, checked, table))
}

/// `deviations/SYSTEM-VERSION.jsonl` beside a folder above the trace, else below `fixtures` here.
fn default_table(trace: &Path, header: &Header) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let system: String = header.system.chars().map(plain).collect();
    let version: String = header.system_version.chars().map(plain).collect();
    let name = format!("{system}-{version}.jsonl");
    let here = Path::new("fixtures").join("deviations").join(&name);
    let near = trace.ancestors().skip(1).map(|folder| folder.join("deviations").join(&name));
    near.into_iter().find(|path| path.exists()).unwrap_or(here)
}

fn in_text(path: &Path, checked: &Checked) -> String {
    let Some(difference) = &checked.difference else { return String::new() };
    let mut text = format!(
        "{}:{}: {}: wanted {}, found {}\n",
        path.display(),
        difference.line,
        difference.op,
        difference.model,
        difference.recorded
    );
    for line in difference.context.lines() {
        text += &format!("    {line}\n");
    }
    for near in &difference.near {
        text += &format!("  near: {near}\n");
    }
    text
}

fn in_json(
    path: &Path,
    trace: &Trace,
    checked: &Checked,
    deviations: Option<&Deviations>,
) -> Value {
    let known: Vec<Value> = checked
        .known
        .iter()
        .map(|(line, row)| {
            let row = deviations.and_then(|table| table.rows.get(*row));
            json!({ "line": line, "rule": row.map(|row| &row.rule) })
        })
        .collect();
    let difference = checked.difference.as_ref().map(|one| {
        json!({
            "line": one.line,
            "op": one.op,
            "wanted": one.model,
            "found": one.recorded,
            "context": one.context,
            "near": one.near,
        })
    });
    json!({
        "path": path.display().to_string(),
        "scenario": trace.header.scenario,
        "events": checked.events,
        "not_checked": checked.not_checked,
        "known_deviations": known,
        "difference": difference,
    })
}
