//! Exploration against loom, shuttle and stateright on the same scenarios, as ratios of one run.
//!
//! `cargo bench -p npfs-bench --features explore --bench explore` prints the tables;
//! `-- --limit SECONDS` sets after how long a contestant is stopped (10), `-- --test` runs
//! everything shortly. Every contestant runs in a process of its own, so that peak memory is its
//! own and one that panics does no harm.
//! Loom, shuttle and stateright run the small pipe of `pipe.rs`, npfs its whole kernel.
#![expect(clippy::print_stdout, reason = "tables are what it makes")]

mod bugs;
mod goals;
mod loom_engine;
mod measure;
mod npfs_engine;
mod pipe;
mod program;
mod shuttle_engine;
mod stateright_engine;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use measure::{Measured, peak, time};
use program::{NAMES, program};
use shuttle_engine::Form;

/// What is measured: a contestant on a scenario.
type Results = BTreeMap<(String, String), Measured>;

/// Contestants that run every order, as far as they can.
const SEARCHES: [&str; 12] = [
    "loom-blocking",
    "loom-lean",
    "shuttle-blocking",
    "shuttle-lean",
    "stateright",
    "npfs",
    "npfs-lean",
    "npfs-2-jobs",
    "npfs-reduce",
    "npfs-code",
    "npfs-traces",
    "npfs-code-traces",
];

/// Contestants that draw runs.
const DRAWN: [&str; 10] = [
    "shuttle-blocking-random",
    "shuttle-blocking-pct3",
    "shuttle-blocking-urw",
    "shuttle-lean-random",
    "shuttle-lean-pct3",
    "shuttle-lean-urw",
    "npfs-random",
    "npfs-pct3",
    "npfs-urw",
    "npfs-pos",
];

/// Contestants that look for the seeded bugs: all orders, and drawn runs.
const FINDERS: [&str; 8] = [
    "npfs",
    "npfs-random",
    "npfs-pct3",
    "npfs-urw",
    "npfs-pos",
    "shuttle-random",
    "shuttle-pct3",
    "shuttle-urw",
];

/// Seeds of those; medians are taken.
const SEEDS: u64 = 3;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, contestant, scenario, limit, wanted] = &words[..] {
        if first == "--contestant" {
            let limit = measure::limit(Some(limit)).expect("a number of seconds");
            let wanted = wanted.parse().expect("a number of outcomes");
            let base = peak();
            let measured = contest(contestant, scenario, limit, wanted);
            println!("{}", Measured { peak: peak(), base, ..measured });
            return;
        }
    }
    let short = words.iter().any(|word| word == "--test");
    let at = words.iter().position(|word| word == "--limit");
    let given = at.and_then(|at| measure::limit(words.get(at + 1).map(String::as_str)));
    let limit = given.unwrap_or(Duration::from_secs_f64(if short { 0.02 } else { 10.0 }));
    let mut results = Results::new();
    searches(limit, &mut results);
    rates(if short { 0.01 } else { 1.0 }, &mut results);
    until_all(if short { Duration::from_millis(5) } else { limit / 2 }, &mut results);
    seeded(if short { Duration::from_millis(5) } else { Duration::from_secs(1) }, &mut results);
    goals::print(&results, limit.as_secs_f64());
}

/// The name that stands for all seeded bugs.
const BUGS: &str = "bugs";

/// Runs a contestant in this process.
fn contest(contestant: &str, scenario: &str, limit: Duration, wanted: usize) -> Measured {
    let small = || program(scenario);
    let form = |text: &str| if text.contains("blocking") { Form::Blocking } else { Form::Lean };
    let (name, seed) = contestant.split_once('@').unwrap_or((contestant, "1"));
    let seed = seed.parse().expect("a seed");
    let most = 101;
    match name {
        _ if scenario == BUGS => bugs::contest(name, seed, limit, most),
        "loom-blocking" | "loom-lean" => loom_engine::program(&small(), form(name), limit),
        "shuttle-blocking" | "shuttle-lean" => {
            let dfs = shuttle_engine::scheduler("dfs", 1);
            shuttle_engine::program(&small(), form(name), dfs, limit, usize::MAX)
        }
        "stateright" => Measured::median(most, || stateright_engine::program(&small())),
        "npfs" | "npfs-2-jobs" | "npfs-reduce" | "npfs-lean" => {
            let model = npfs_engine::model(&small().text);
            let jobs = if name == "npfs-2-jobs" { 2 } else { 1 };
            let (reduce, lean) = (name == "npfs-reduce", name == "npfs-lean");
            Measured::median(most, || npfs_engine::search(&model, jobs, reduce, lean))
        }
        "npfs-code" => {
            let code = npfs_engine::code(scenario);
            Measured::median(most, || npfs_engine::explore_code(&code, limit))
        }
        "npfs-traces" => {
            let model = npfs_engine::model(&small().text);
            let search = |limits: &_| npfs_explore::traces(&model, limits).expect("it can be run");
            Measured::median(most, || npfs_engine::traces(search, limit))
        }
        "npfs-code-traces" => {
            let code = npfs_engine::code(scenario);
            let search = |limits: &_| code.traces(limits).expect("it does the same every time");
            Measured::median(most, || npfs_engine::traces(search, limit))
        }
        drawn => match drawn.rsplit_once('-') {
            Some(("npfs", strategy)) => {
                let model = npfs_engine::model(&small().text);
                let mut strategy = npfs_engine::strategy(strategy, seed);
                npfs_engine::sample(&model, &mut *strategy, limit, wanted)
            }
            Some((kind, scheduler)) => {
                let scheduler = shuttle_engine::scheduler(scheduler, seed);
                shuttle_engine::program(&small(), form(kind), scheduler, limit, wanted)
            }
            None => panic!("no contestant {drawn}"),
        },
    }
}

/// Runs a contestant in a process of its own. `None` when it does not end well.
fn race(contestant: &str, scenario: &str, limit: Duration, wanted: usize) -> Option<Measured> {
    let this = std::env::current_exe().ok()?;
    let output = Command::new(this)
        .args(["--contestant", contestant, scenario])
        .args([limit.as_secs_f64().to_string(), wanted.to_string()])
        .output()
        .ok()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let why = text.lines().take(3).collect::<Vec<_>>().join(" ");
        println!("{contestant} on {scenario} failed: {why}");
        return None;
    }
    Measured::parse(&String::from_utf8_lossy(&output.stdout))
}

fn searches(limit: Duration, results: &mut Results) {
    println!("Every order, until there are no more or {} are over", time(limit.as_secs_f64()));
    println!(
        "{:<6} {:<18} {:>11} {:>9} {:>10} {:>9} {:>12} {:>9}",
        "", "", "executions", "states", "time", "outcomes", "steps/s", "peak MB"
    );
    for scenario in NAMES {
        for contestant in SEARCHES {
            // loom has at most five threads, and nobody who runs orders one by one ends here.
            let alone = scenario == "s2x5"
                && ["loom", "shuttle", "npfs-traces", "npfs-code-traces"]
                    .iter()
                    .any(|whose| contestant.starts_with(whose));
            // Nobody is stopped who remembers states, so a short run leaves the large one out.
            if alone || scenario == "s2x5" && limit.as_secs_f64() < 0.1 {
                continue;
            }
            let Some(one) = race(contestant, scenario, limit, usize::MAX) else { continue };
            let number =
                |number: u64| if number == 0 { "-".to_owned() } else { number.to_string() };
            let rate = if one.steps == 0 { 0.0 } else { one.steps as f64 / one.seconds };
            println!(
                "{scenario:<6} {contestant:<18} {:>11} {:>9} {:>10} {:>9} {:>12} {:>9.1}",
                format!("{}{}", if one.complete { "" } else { "> " }, number(one.runs)),
                number(one.states),
                format!("{}{}", if one.complete { "" } else { "> " }, time(one.seconds)),
                one.outcomes,
                number(rate as u64),
                one.peak as f64 / 1000.0,
            );
            results.insert((contestant.to_owned(), scenario.to_owned()), one);
        }
    }
}

fn rates(seconds: f64, results: &mut Results) {
    println!("\nRuns drawn for {}: executions a second", time(seconds));
    println!("{:<26} {:>12} {:>12} {:>12} {:>9}", "", "s2", "s3n3", "s4x2", "peak MB");
    for contestant in DRAWN {
        let mut row = format!("{contestant:<26}");
        let mut most = 0;
        for scenario in ["s2", "s3n3", "s4x2"] {
            let limit = Duration::from_secs_f64(seconds);
            let Some(one) = race(contestant, scenario, limit, usize::MAX) else { continue };
            row += &format!(" {:>12.0}", one.runs as f64 / one.seconds);
            most = most.max(one.peak);
            results.insert((format!("{contestant} rate"), scenario.to_owned()), one);
        }
        println!("{row} {:>9.1}", most as f64 / 1000.0);
    }
}

/// How long it takes a strategy to see every outcome: the medians over seeds.
fn until_all(limit: Duration, results: &mut Results) {
    println!("\nUntil every outcome has been seen: median of {SEEDS} seeds");
    print!("{:<26}", "");
    for scenario in goals::ALL_OUTCOMES {
        print!(" {scenario:>22}");
    }
    println!();
    for contestant in DRAWN {
        let mut row = format!("{contestant:<26}");
        for scenario in goals::ALL_OUTCOMES {
            let whole = if contestant.starts_with("npfs") { "npfs" } else { "stateright" };
            let key = (whole.to_owned(), scenario.to_owned());
            let Some(wanted) = results.get(&key).map(|one| one.outcomes) else { continue };
            let mut all: Vec<Measured> = (1..=SEEDS)
                .filter_map(|seed| race(&format!("{contestant}@{seed}"), scenario, limit, wanted))
                .collect();
            all.sort_by(|one, two| one.seconds.total_cmp(&two.seconds));
            let Some(one) = all.get(all.len() / 2).copied() else { continue };
            let text = match one.complete {
                true => format!("{}, {}", one.runs, time(one.seconds)),
                false => format!("not in {} ({})", time(limit.as_secs_f64()), one.outcomes),
            };
            row += &format!(" {text:>22}");
            results.insert((format!("{contestant} all"), scenario.to_owned()), one);
        }
        println!("{row}");
    }
}

/// How long it takes to find the seeded bugs, one after the other.
fn seeded(limit: Duration, results: &mut Results) {
    println!("\nUntil each seeded bug is found, at most {} each", time(limit.as_secs_f64()));
    println!("{:<26} {:>9} {:>12} {:>12}   median of {SEEDS} seeds", "", "found", "runs", "time");
    for contestant in FINDERS {
        let mut all: Vec<Measured> = (1..=SEEDS)
            .filter_map(|seed| race(&format!("{contestant}@{seed}"), BUGS, limit, 0))
            .collect();
        all.sort_by(|one, two| one.seconds.total_cmp(&two.seconds));
        let Some(one) = all.get(all.len() / 2).copied() else { continue };
        let runs = if one.runs == 0 { "-".to_owned() } else { one.runs.to_string() };
        println!("{contestant:<26} {:>9} {runs:>12} {:>12}", one.outcomes, time(one.seconds));
        results.insert((contestant.to_owned(), BUGS.to_owned()), one);
    }
}
