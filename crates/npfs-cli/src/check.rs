//! `npfs check`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use npfs_machine::{Checked, Deviations, Limits, check_within};
use npfs_trace::Trace;
use npfs_trace::trace::{Header, Source};
use serde_json::{Value, json};

use crate::files;
use crate::{Streams, Verdict};

/// What was asked for.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Trace files, or folders of `*.jsonl` and `*.jsonl.gz` files.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The table of known deviations. By default the one named after the traces' system,
    /// `fixtures/deviations/SYSTEM-VERSION.jsonl`.
    #[arg(long)]
    deviations: Option<PathBuf>,
    /// Print the order that explains each concurrent trace, or as much of it as can be.
    #[arg(long)]
    orders: bool,
    /// Give up on a concurrent trace after so many states at which orders meet.
    #[arg(long, default_value_t = Limits::default().states)]
    states: usize,
    /// Give up on a concurrent trace after so many steps of the model.
    #[arg(long, default_value_t = Limits::default().steps)]
    steps: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Tables already read, by path, with the rows that were of use.
type Tables = BTreeMap<PathBuf, (Deviations, BTreeSet<usize>)>;

#[derive(Clone, Copy, Default)]
struct Totals {
    traces: usize,
    events: usize,
    explained: usize,
    known: usize,
    unexplained: usize,
    unknown: usize,
    not_checked: usize,
}

impl Totals {
    fn add(&mut self, checked: &Checked) {
        self.traces += 1;
        self.events += checked.events;
        self.known += checked.known.len();
        self.not_checked += checked.not_checked;
        match verdict(checked) {
            Verdict::Holds => self.explained += 1,
            Verdict::Differs => self.unexplained += 1,
            Verdict::Failed => self.unknown += 1,
        }
    }

    fn text(&self) -> String {
        let Totals { traces, events, explained, known, unexplained, unknown, .. } = self;
        let unknown = if *unknown > 0 { format!(", {unknown} unknown") } else { String::new() };
        format!(
            "{traces} traces, {events} events: {explained} explained ({known} known deviations), {unexplained} unexplained{unknown}"
        )
    }

    fn json(&self) -> Value {
        let Totals { traces, events, explained, known, unexplained, unknown, not_checked } = self;
        json!({
            "traces": traces,
            "events": events,
            "explained": explained,
            "known_deviations": known,
            "unexplained": unexplained,
            "unknown": unknown,
            "not_checked": not_checked,
        })
    }
}

/// Explained, or not, or nobody knows.
fn verdict(checked: &Checked) -> Verdict {
    match (&checked.difference, &checked.unknown) {
        (Some(_), _) => Verdict::Differs,
        (None, Some(_)) => Verdict::Failed,
        (None, None) => Verdict::Holds,
    }
}

/// Checks every trace.
pub(crate) fn check(options: &Options, streams: &mut Streams<'_>) -> Verdict {
    let Options { paths, deviations, orders, json, .. } = options;
    let limits = Limits { states: options.states, steps: options.steps, ..Limits::default() };
    let (found, errors) = files::find(paths, &["jsonl", "jsonl.gz"]);
    let mut worst = Verdict::Holds;
    for error in &errors {
        streams.say(error);
        worst = Verdict::Failed;
    }
    let (mut tables, mut all, mut list) = (Tables::new(), Totals::default(), Vec::new());
    let mut sources: BTreeMap<String, Totals> = BTreeMap::new();
    for path in &found {
        let traces = match read(path) {
            Ok(traces) => traces,
            Err(error) => {
                streams.say(&error);
                worst = Verdict::Failed;
                continue;
            }
        };
        for trace in &traces {
            let (checked, table) =
                match one(path, trace, deviations.as_deref(), &limits, &mut tables) {
                    Ok(done) => done,
                    Err(error) => {
                        streams.say(&error);
                        worst = Verdict::Failed;
                        continue;
                    }
                };
            all.add(&checked);
            sources.entry(source(&trace.header)).or_default().add(&checked);
            worst = worst.max(verdict(&checked));
            let known = tables.get(&table).map(|(deviations, _)| deviations);
            if *json {
                list.push(in_json(path, trace, &checked, known, *orders));
            } else {
                streams.print(&in_text(path, trace, &checked, *orders));
            }
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
    if *json {
        let mut whole = all.json();
        let by_source: BTreeMap<&String, Value> =
            sources.iter().map(|(name, totals)| (name, totals.json())).collect();
        whole["sources"] = json!(by_source);
        whole["traces"] = json!(list);
        streams.print(&format!("{whole:#}\n"));
    } else if all.traces > 0 {
        if all.not_checked > 0 {
            streams.print(&format!(
                "{} events were not checked: they come behind a deviation that parted the two systems, or touch what nobody knows\n",
                all.not_checked
            ));
        }
        if sources.len() > 1 {
            for (name, totals) in &sources {
                streams.print(&format!("{name}: {}\n", totals.text()));
            }
        }
        streams.print(&format!("{}\n", all.text()));
    }
    worst
}

/// The traces of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<Trace>, String> {
    let text = files::read(path)?;
    Trace::parse_all(&text).map_err(|error| files::place(path, &error))
}

fn one(
    path: &Path,
    trace: &Trace,
    deviations: Option<&Path>,
    limits: &Limits,
    tables: &mut Tables,
) -> Result<(Checked, PathBuf), String> {
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
            let checked = check_within(trace, deviations, limits);
            used.extend(checked.known.iter().map(|(_, row)| *row));
            checked
        }
        None => check_within(trace, &Deviations::default(), limits),
    };
    Ok((checked, table))
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

/// Whose traces these are, for the totals.
fn source(header: &Header) -> String {
    let Header { system, system_version, .. } = header;
    match (header.source, &header.program) {
        (Source::Scenario, _) => format!("{system} {system_version}, scenarios"),
        (Source::Free, _) => format!("{system} {system_version}, scenarios at full speed"),
        (Source::Random, _) => format!("{system} {system_version}, random"),
        (Source::Import, Some(program)) => {
            format!("{system} {system_version}, imported, {program}")
        }
        (Source::Import, None) => format!("{system} {system_version}, imported"),
    }
}

fn in_text(path: &Path, trace: &Trace, checked: &Checked, orders: bool) -> String {
    let path = path.display();
    let mut text = String::new();
    if let Some(difference) = &checked.difference {
        text += &format!(
            "{path}:{}: {}: wanted {}, found {}\n",
            difference.line, difference.op, difference.model, difference.recorded
        );
        let concurrent = checked.order.is_some();
        if concurrent {
            text += "  no order of the calls explains this; the longest beginning that has one ends so:\n";
        }
        for line in difference.context.lines() {
            text += &format!("    {line}\n");
        }
        if concurrent && !difference.unplaced.is_empty() {
            text += "  behind it no order has a place for:\n";
        }
        for one in &difference.unplaced {
            text += &format!(
                "    line {}: {} {}: recorded {}; the model gives {}\n",
                one.line,
                one.id,
                one.call,
                one.recorded,
                one.model.join(" or ")
            );
        }
        for near in &difference.near {
            text += &format!("  near: {near}\n");
        }
    }
    if let Some(unknown) = &checked.unknown {
        text += &format!("{path}: unknown: {unknown}\n");
    }
    if let (Some(order), true) = (&checked.order, orders) {
        text += &format!("{path}: {}\n", trace.header.scenario);
        for line in order.lines() {
            text += &format!("    {line}\n");
        }
    }
    text
}

fn in_json(
    path: &Path,
    trace: &Trace,
    checked: &Checked,
    deviations: Option<&Deviations>,
    orders: bool,
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
        let unplaced: Vec<Value> = one
            .unplaced
            .iter()
            .map(|one| {
                json!({
                    "line": one.line,
                    "id": one.id,
                    "call": one.call,
                    "found": one.recorded,
                    "wanted": one.model,
                })
            })
            .collect();
        json!({
            "line": one.line,
            "op": one.op,
            "wanted": one.model,
            "found": one.recorded,
            "context": one.context,
            "near": one.near,
            "unplaced": unplaced,
        })
    });
    let mut value = json!({
        "path": path.display().to_string(),
        "source": source(&trace.header),
        "scenario": trace.header.scenario,
        "events": checked.events,
        "not_checked": checked.not_checked,
        "known_deviations": known,
        "difference": difference,
        "unknown": checked.unknown,
    });
    if orders {
        value["order"] = json!(checked.order);
    }
    value
}
