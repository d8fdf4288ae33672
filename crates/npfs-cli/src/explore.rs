//! `npfs explore`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use npfs_explore::strategy::{Pct, Portfolio, Pos, RandomWalk, RoundRobin, Strategy, Urw, sample};
use npfs_explore::{
    Limits, Model, NotShrunk, Partition, Progress, Report, Shrunk, Standing, explore as search,
    explore_part, replay, schedule, shrink,
};
use npfs_trace::Scenario;
use npfs_trace::scenario::ChoicePoint;
use serde_json::{Value, json};

use crate::files;
use crate::{Streams, Verdict};

/// What `npfs explore` can be told.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Scenario files, or folders of `*.scenario` files.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Make the steps of this order only, such as "s*3 c*2 s", and show them.
    #[arg(long, value_name = "SCHEDULE")]
    replay: Option<String>,
    /// Take calls away for as long as the first broken property is broken in the same way, and
    /// print what is left: a scenario.
    #[arg(long, conflicts_with_all = ["replay", "partition", "strategy", "lean", "json"])]
    shrink: bool,
    /// How orders are chosen: all of them, or some.
    #[arg(long, value_enum, default_value_t = Way::Exhaustive)]
    strategy: Way,
    /// The seed of what is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many runs are drawn.
    #[arg(long, default_value_t = 10_000)]
    runs: u64,
    /// How many ordered steps a defect may need that pct looks for.
    #[arg(long, value_name = "D", default_value_t = 3)]
    pct_depth: usize,
    /// Leave out orders with more preemptions: steps away from a thread that could go on.
    #[arg(long, value_name = "N")]
    preemptions: Option<u32>,
    /// Leave out what comes after so many steps.
    #[arg(long, value_name = "N")]
    depth: Option<u32>,
    /// Stop after so many states.
    #[arg(long, value_name = "N")]
    states: Option<usize>,
    /// Stop after so many seconds a file. What is found then differs from run to run.
    #[arg(long, value_name = "SECONDS")]
    time: Option<u64>,
    /// Stop when states and steps take so much memory, in MiB.
    #[arg(long, value_name = "MIB")]
    memory: Option<usize>,
    /// How many workers search. What is found is the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Search one part of several, such as 2/4, and print it for `npfs merge`.
    #[arg(long, value_name = "I/N", value_parser = partition)]
    partition: Option<Partition>,
    /// Keep every state whole, instead of trusting that hashes of 64 bits differ.
    #[arg(long)]
    exact: bool,
    /// Leave out orders that only swap steps which have nothing to do with each other.
    #[arg(long)]
    reduce: bool,
    /// Keep nothing but the keys of states: a ninth of the memory. Orders are not counted.
    #[arg(long)]
    lean: bool,
    /// Switch a choice point on, whatever the file says: timers, waiters.
    #[arg(long, value_name = "POINT", value_delimiter = ',', value_parser = choice_point)]
    choices: Vec<ChoicePoint>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How orders are chosen.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// Every order.
    Exhaustive,
    /// One run: every thread makes a step in turn.
    RoundRobin,
    /// Every step is drawn.
    Random,
    /// Priorities that change a few times.
    Pct,
    /// Threads with more steps before them come next more often.
    Urw,
    /// Every step has a priority of its own.
    Pos,
    /// random, urw, pos and pct of several depths, a run each in turn.
    Portfolio,
}

fn choice_point(text: &str) -> Result<ChoicePoint, String> {
    ChoicePoint::from_word(text).ok_or_else(|| "wanted timers or waiters".to_owned())
}

fn partition(text: &str) -> Result<Partition, String> {
    let numbers = text
        .split_once('/')
        .and_then(|(number, of)| Partition::new(number.parse().ok()?, of.parse().ok()?));
    numbers.ok_or_else(|| "wanted a part and a number of parts, such as 2/4".to_owned())
}

impl Options {
    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            states: self.states.unwrap_or(usual.states),
            depth: self.depth.unwrap_or(usual.depth),
            preemptions: self.preemptions,
            time: self.time.map(Duration::from_secs),
            memory: self.memory.map_or(usual.memory, |mib| mib.saturating_mul(1 << 20)),
            exact: self.exact,
            check: false,
            reduce: self.reduce,
            lean: self.lean,
            jobs: self.jobs,
        }
    }
}

/// Explores every file.
pub(crate) fn explore(options: &Options, streams: &mut Streams<'_>) -> Verdict {
    let (found, errors) = files::find(&options.paths, &["scenario"]);
    let mut verdict = Verdict::Holds;
    for error in &errors {
        streams.say(error);
        verdict = Verdict::Failed;
    }
    let alone = matches!(&options.paths[..], [one] if !one.is_dir());
    if let Some(text) = &options.replay {
        return match &found[..] {
            [path] => verdict.max(show(path, text, options, streams)),
            _ => {
                streams.say("--replay: wanted one scenario file");
                Verdict::Failed
            }
        };
    }
    if options.shrink {
        return match &found[..] {
            [path] => verdict.max(smaller(path, options, streams)),
            _ => {
                streams.say("--shrink: wanted one scenario file");
                Verdict::Failed
            }
        };
    }
    if let Some(partition) = options.partition {
        return match &found[..] {
            [path] => verdict.max(part(path, partition, options, streams)),
            _ => {
                streams.say("--partition: wanted one scenario file");
                Verdict::Failed
            }
        };
    }
    let mut totals = Totals::default();
    let mut list = Vec::new();
    for path in &found {
        let report = match one(path, options) {
            Ok(report) => report,
            Err(error) => {
                streams.say(&error);
                verdict = Verdict::Failed;
                continue;
            }
        };
        totals.count(&report);
        if !report.holds() {
            verdict = verdict.max(Verdict::Differs);
        }
        if options.json {
            list.push(in_json(path, &report));
        } else if alone {
            streams.print(&report.table());
            streams.print(&report.findings());
        } else {
            streams.print(&in_text(path, &report));
        }
    }
    if options.json {
        let failing = totals.failing;
        streams.print(&format!("{:#}\n", json!({ "scenarios": list, "failing": failing })));
    } else if !alone && totals.files > 0 {
        streams.print(&totals.text());
    }
    verdict
}

fn model(path: &Path, options: &Options) -> Result<Arc<Model>, String> {
    let text = files::read(path)?;
    let scenario = Scenario::parse(&text).map_err(|error| files::place(path, &error))?;
    let mut model = Model::new(&scenario).map_err(|unfit| unfit_text(path, &unfit))?;
    for choice in &options.choices {
        model.set_choice(*choice, true);
    }
    Ok(Arc::new(model))
}

fn unfit_text(path: &Path, unfit: &npfs_explore::Unfit) -> String {
    match unfit.line {
        0 => format!("{}: {}", path.display(), unfit.why),
        line => format!("{}:{line}: {}", path.display(), unfit.why),
    }
}

fn one(path: &Path, options: &Options) -> Result<Report, String> {
    let model = model(path, options)?;
    let mut watch = Watch::new(path);
    let (seed, runs) = (options.seed, options.runs);
    let draw = |strategy: &mut dyn Strategy, name: &str| {
        sample(&model, strategy, runs, &format!("{name} with seed {seed}"))
    };
    let report = match options.strategy {
        Way::Exhaustive => search(&model, &options.limits(), &mut |one| watch.tell(one)),
        Way::RoundRobin => sample(&model, &mut RoundRobin::default(), 1, "round robin"),
        Way::Random => draw(&mut RandomWalk::new(seed), "random"),
        Way::Pct => {
            let depth = options.pct_depth;
            draw(&mut Pct::new(seed, depth), &format!("pct of depth {depth}"))
        }
        Way::Urw => draw(&mut Urw::new(seed), "urw"),
        Way::Pos => draw(&mut Pos::new(seed), "pos"),
        Way::Portfolio => draw(&mut Portfolio::new(seed), "the portfolio"),
    };
    watch.clear();
    report.map_err(|unfit| unfit_text(path, &unfit))
}

/// Makes a scenario smaller and prints it, with the order that breaks it in comments.
fn smaller(path: &Path, options: &Options, streams: &mut Streams<'_>) -> Verdict {
    let model = match model(path, options) {
        Ok(model) => model,
        Err(error) => {
            streams.say(&error);
            return Verdict::Failed;
        }
    };
    let mut scenario = model.scenario().clone();
    scenario.choices.extend(&options.choices);
    scenario.choices.sort_unstable();
    scenario.choices.dedup();
    match shrink(&scenario, &options.limits()) {
        Ok(shrunk) => {
            let Shrunk { scenario, witness, calls, before } = shrunk;
            streams.print(&scenario.to_string());
            streams.print(&format!("\n# {calls} calls of {before}. {}\n", witness.schedule));
            for line in witness.transcript.lines().chain(witness.notes.iter().map(String::as_str)) {
                streams.print(&format!("# {line}\n"));
            }
            Verdict::Differs
        }
        Err(NotShrunk::Unfit(unfit)) => {
            streams.say(&unfit_text(path, &unfit));
            Verdict::Failed
        }
        Err(why) => {
            streams.say(&format!("{}: {why}", path.display()));
            if why == NotShrunk::Holds { Verdict::Holds } else { Verdict::Failed }
        }
    }
}

/// Searches a part and prints it.
fn part(
    path: &Path,
    partition: Partition,
    options: &Options,
    streams: &mut Streams<'_>,
) -> Verdict {
    if options.strategy != Way::Exhaustive {
        streams.say("--partition: wanted the exhaustive strategy");
        return Verdict::Failed;
    }
    let mut watch = Watch::new(path);
    let part = model(path, options).and_then(|model| {
        explore_part(&model, &options.limits(), partition, &mut |one| watch.tell(one))
            .map_err(|unfit| unfit_text(path, &unfit))
    });
    watch.clear();
    match part {
        Ok(text) => {
            streams.print(&text);
            Verdict::Holds
        }
        Err(error) => {
            streams.say(&error);
            Verdict::Failed
        }
    }
}

/// Puts parts of a search together.
pub(crate) fn merge(paths: &[PathBuf], json: bool, streams: &mut Streams<'_>) -> Verdict {
    let mut texts = Vec::new();
    for path in paths {
        match files::read(path) {
            Ok(text) => texts.push(text),
            Err(error) => {
                streams.say(&error);
                return Verdict::Failed;
            }
        }
    }
    let report = match npfs_explore::merge(&texts) {
        Ok(report) => report,
        Err((place, why)) => {
            let path = paths.get(place).map_or(String::new(), |path| path.display().to_string());
            streams.say(&format!("{path}: {why}"));
            return Verdict::Failed;
        }
    };
    if json {
        streams.print(&format!("{:#}\n", report.json()));
    } else {
        streams.print(&report.table());
        streams.print(&report.findings());
    }
    if report.holds() { Verdict::Holds } else { Verdict::Differs }
}

/// Shows one order.
fn show(path: &Path, text: &str, options: &Options, streams: &mut Streams<'_>) -> Verdict {
    let shown = model(path, options).and_then(|model| {
        let names: Vec<&str> =
            model.scenario().threads.iter().map(|thread| thread.name.as_str()).collect();
        let schedule = schedule::parse(text, &names).map_err(|error| {
            format!("--replay:{}: wanted {}, found {}", error.column, error.wanted, error.found)
        })?;
        replay(&model, &schedule).map_err(|unfit| unfit_text(path, &unfit))
    });
    let shown = match shown {
        Ok(shown) => shown,
        Err(error) => {
            streams.say(&error);
            return Verdict::Failed;
        }
    };
    streams.print(&shown.text);
    for line in &shown.sleepers {
        streams.print(&format!("{line}\n"));
    }
    for line in &shown.outcome {
        streams.print(&format!("  {line}\n"));
    }
    for property in &shown.broken {
        streams.print(&format!("broken  {property}\n"));
    }
    if let Some(stopped) = &shown.stopped {
        streams.say(&format!("--replay: {stopped}"));
        return Verdict::Failed;
    }
    if shown.broken.is_empty() { Verdict::Holds } else { Verdict::Differs }
}

#[derive(Default)]
struct Totals {
    files: usize,
    failing: usize,
    outcomes: usize,
    states: u64,
    bounded: usize,
    broken: usize,
}

impl Totals {
    fn count(&mut self, report: &Report) {
        self.files += 1;
        self.failing += usize::from(!report.holds());
        self.outcomes += report.outcomes.len();
        self.states += report.states;
        self.bounded += usize::from(!report.bounds.is_empty());
        let found = |one: &&npfs_explore::Verdict| one.broken && one.state == Standing::Broken;
        self.broken += report.verdicts.iter().filter(found).count();
    }

    fn text(&self) -> String {
        let end = match self.failing {
            0 => "all as they say".to_owned(),
            failing => format!("{failing} are not as they say"),
        };
        let bounded = match self.bounded {
            0 => "all complete".to_owned(),
            bounded => format!("{bounded} bounded"),
        };
        format!(
            "{} scenarios, {} outcomes, {} states, {bounded}, {} seeded defects found: {end}\n",
            self.files, self.outcomes, self.states, self.broken
        )
    }
}

fn in_text(path: &Path, report: &Report) -> String {
    let verdict = if report.holds() { "ok    " } else { "FAILED" };
    let mut text = format!(
        "{verdict}  {}  {} outcomes, {} states, {}\n",
        path.display(),
        report.outcomes.len(),
        report.states,
        report.completeness()
    );
    for verdict in &report.verdicts {
        let witness = verdict.witness.as_ref().filter(|_| verdict.state == Standing::Broken);
        let schedule = witness
            .map(|one| format!(": npfs explore {} --replay \"{}\"", path.display(), one.schedule));
        if verdict.is_as_said() && schedule.is_none() {
            continue;
        }
        let schedule = schedule.unwrap_or_default();
        text += &format!("        {}  {}{schedule}\n", verdict.state.word(), verdict.property);
    }
    text
}

fn in_json(path: &Path, report: &Report) -> Value {
    let mut value = report.json();
    value["path"] = json!(path.display().to_string());
    value
}

/// Progress on a terminal, and only there.
struct Watch {
    name: Option<String>,
    begun: Instant,
    told: Option<Instant>,
}

impl Watch {
    fn new(path: &Path) -> Watch {
        let name = std::io::stderr().is_terminal().then(|| path.display().to_string());
        Watch { name, begun: Instant::now(), told: None }
    }

    fn tell(&mut self, progress: Progress) {
        let Some(name) = &self.name else { return };
        let often = Duration::from_millis(200);
        if self.told.unwrap_or(self.begun).elapsed() < often {
            return;
        }
        self.told = Some(Instant::now());
        let rate = progress.states as f64 / self.begun.elapsed().as_secs_f64();
        let Progress { states, depth, done, .. } = progress;
        let depth = if depth > 0 { format!(", at depth {depth}") } else { String::new() };
        let done = done.map_or(String::new(), |done| {
            let left = self.begun.elapsed().as_secs_f64() * (1.0 - done) / done.max(1e-6);
            let left =
                if left < 3e5 { format!(", {left:.0} s left at this rate") } else { String::new() };
            format!(", {:.1} % of the choices{left}", done * 100.0)
        });
        eprint!("\r\x1b[K{name}: {states} states, {rate:.0} a second{depth}{done}");
    }

    fn clear(&self) {
        if self.told.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
