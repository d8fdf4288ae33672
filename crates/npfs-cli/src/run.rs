//! `npfs run`

use std::path::{Path, PathBuf};

use npfs_machine::{Run, run as run_scenario};
use npfs_trace::Scenario;
use serde_json::{Value, json};

use crate::files;
use crate::{Streams, Verdict};

/// Runs every scenario in file order and in its other orders.
pub(crate) fn run(
    paths: &[PathBuf],
    order: Option<&str>,
    json: bool,
    streams: &mut Streams<'_>,
) -> Verdict {
    let (found, errors) = files::find(paths, &["scenario"]);
    let mut verdict = Verdict::Holds;
    for error in &errors {
        streams.say(error);
        verdict = Verdict::Failed;
    }
    let alone = matches!(paths, [one] if !one.is_dir());
    let (mut scenarios, mut orders, mut failing) = (0, 0, 0);
    let mut list = Vec::new();
    for path in &found {
        let runs = match runs(path, order) {
            Ok(runs) => runs,
            Err(error) => {
                streams.say(&error);
                verdict = Verdict::Failed;
                continue;
            }
        };
        scenarios += 1;
        orders += runs.iter().filter(|(name, _)| name.is_some()).count();
        let holds = runs.iter().all(|(_, run)| run.mismatches.is_empty());
        failing += usize::from(!holds);
        if !holds {
            verdict = verdict.max(Verdict::Differs);
        }
        if json {
            list.push(in_json(path, &runs, holds));
        } else {
            streams.print(&in_text(path, &runs, alone, holds));
        }
    }
    if json {
        streams.print(&format!("{:#}\n", json!({ "scenarios": list, "failing": failing })));
    } else if !alone && scenarios > 0 {
        let end = match failing {
            0 => "all hold".to_owned(),
            failing => format!("{failing} scenarios fail"),
        };
        streams.print(&format!("{scenarios} scenarios, {orders} orders: {end}\n"));
    }
    verdict
}

type Named = (Option<String>, Run);

fn runs(path: &Path, order: Option<&str>) -> Result<Vec<Named>, String> {
    let text = files::read(path)?;
    let scenario = Scenario::parse(&text).map_err(|error| files::place(path, &error))?;
    let chosen = |name: &str| order.is_none_or(|order| order == name);
    let mut runs = Vec::new();
    if order.is_none() {
        runs.push((None, run_scenario(&scenario, None)));
    }
    for other in scenario.orders.iter().filter(|other| chosen(&other.name)) {
        runs.push((Some(other.name.clone()), run_scenario(&scenario, Some(other))));
    }
    match order {
        Some(name) if runs.is_empty() => {
            let known: Vec<_> = scenario.orders.iter().map(|one| one.name.as_str()).collect();
            let known =
                if known.is_empty() { "no order at all".to_owned() } else { known.join(", ") };
            Err(format!("{}: wanted the order {name}, found {known}", path.display()))
        }
        _ => Ok(runs),
    }
}

fn in_text(path: &Path, runs: &[Named], alone: bool, holds: bool) -> String {
    let mut text = String::new();
    if !alone {
        let verdict = if holds { "ok    " } else { "FAILED" };
        text += &format!("{verdict}  {}\n", path.display());
    }
    for (name, run) in runs {
        if !alone && run.mismatches.is_empty() {
            continue;
        }
        if let Some(name) = name {
            text += &format!("\norder {name}\n");
        }
        text += &run.transcript;
        for mismatch in &run.mismatches {
            let line = match mismatch.line {
                0 => String::new(),
                line => format!(":{line}"),
            };
            text += &format!(
                "{}{line}: wanted {}, found {}\n",
                path.display(),
                mismatch.expected,
                mismatch.found
            );
        }
    }
    text
}

fn in_json(path: &Path, runs: &[Named], holds: bool) -> Value {
    let runs: Vec<Value> = runs
        .iter()
        .map(|(name, run)| {
            let mismatches: Vec<Value> = run
                .mismatches
                .iter()
                .map(|one| json!({"line": one.line, "wanted": one.expected, "found": one.found}))
                .collect();
            json!({
                "order": name,
                "ending": run.ending.word(),
                "waiting": run.waiting,
                "mismatches": mismatches,
                "transcript": run.transcript,
            })
        })
        .collect();
    json!({ "path": path.display().to_string(), "holds": holds, "runs": runs })
}
