//! The seeded bugs: each is found when all orders of its calls are run, its mended program survives
//! them all, and the page `docs/bugs.md` is written from both.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::sync::{Arc, LazyLock};

use npfs_explore::strategy::{Pct, sample};
use npfs_explore::{Limits, Model, Report, Standing, Verdict, explore, replay, schedule, shrink};

use crate::explored::{Explored, Program, explored, programs};
use crate::root;

/// Fewer than these would be a loss.
const FEWEST: usize = 45;
/// What the name of a mended program ends with.
const MENDED: &str = "-mended";
/// The seed of every sample.
const SEED: u64 = 1;
/// How many ordered steps a defect may need that PCT looks for.
const PCT_DEPTH: usize = 3;
/// How many runs of PCT are enough for each bug that is also found by search.
const RUNS: u64 = 500;

/// What the comment of a faulty program says.
struct Story {
    wrong: String,
    /// Where it was seen.
    public: String,
    right: String,
}

/// Reads `Wrong: … Public: … Right: …`.
fn story(program: &Program) -> Story {
    let comment = program.comment().collect::<Vec<_>>().join(" ");
    let parts = || {
        let (wrong, rest) = comment.strip_prefix("Wrong: ")?.split_once(" Public: ")?;
        let (public, right) = rest.split_once(" Right: ")?;
        let right = right.split_once(" The orders are").map_or(right, |(right, _)| right);
        Some((wrong, public, right))
    };
    let (wrong, public, right) = parts().unwrap_or_else(|| {
        panic!("{}: wanted a comment `Wrong: … Public: … Right: …`", program.name)
    });
    Story { wrong: wrong.to_owned(), public: public.to_owned(), right: right.to_owned() }
}

/// Faulty programs and mended ones, by the name of the faulty one; explored once for all tests.
static PAIRS: LazyLock<BTreeMap<String, (Explored, Explored)>> = LazyLock::new(pairs);

fn pairs() -> BTreeMap<String, (Explored, Explored)> {
    let (mended, faulty): (Vec<_>, Vec<_>) =
        explored("bugs").into_iter().partition(|one| one.program.name.ends_with(MENDED));
    let name = |one: &Explored| one.program.name.trim_end_matches(MENDED).to_owned();
    let mut mended: BTreeMap<_, _> = mended.into_iter().map(|one| (name(&one), one)).collect();
    let pairs = faulty
        .into_iter()
        .map(|one| {
            let other = mended.remove(&name(&one));
            let other = other.unwrap_or_else(|| panic!("{}: no mended program", name(&one)));
            (name(&one), (one, other))
        })
        .collect();
    assert!(mended.is_empty(), "nothing to mend: {:?}", mended.keys());
    pairs
}

/// What was found as the scenario says that it must be.
fn found(report: &Report) -> impl Iterator<Item = &Verdict> {
    report.verdicts.iter().filter(|one| one.broken && one.state == Standing::Broken)
}

/// A property without the word that says it is broken.
fn claim(verdict: &Verdict) -> &str {
    verdict.property.strip_prefix("broken ").unwrap_or(&verdict.property)
}

#[test]
fn every_seeded_bug_is_found_and_every_mended_program_survives() {
    assert!(PAIRS.len() >= FEWEST, "{} bugs", PAIRS.len());
    for (name, (faulty, mended)) in PAIRS.iter() {
        story(&faulty.program);
        for one in [faulty, mended] {
            let report = &one.report;
            assert!(report.bounds.is_empty(), "{}: {}", one.program.name, report.completeness());
            assert!(report.holds(), "{}:\n{}", one.program.name, report.table());
        }
        assert!(found(&faulty.report).next().is_some(), "{name}: claims no violation");
        let survives = |one: &Verdict| !one.broken && !one.property.starts_with("reachable");
        let mended = &mended.report.verdicts;
        assert!(mended.iter().all(|one| !one.broken), "{name}: the mended program is broken");
        assert!(mended.iter().any(survives), "{name}: the mended program claims nothing");
    }
}

#[test]
fn the_printed_order_of_every_bug_reproduces_it() {
    for (name, (faulty, _)) in PAIRS.iter() {
        let model = &faulty.program.model;
        let names: Vec<&str> =
            model.scenario().threads.iter().map(|thread| thread.name.as_str()).collect();
        for verdict in found(&faulty.report) {
            let order = &verdict.witness.as_ref().expect("what is broken has a witness").schedule;
            let order = schedule::parse(order, &names).expect("a printed order reads");
            let transcript = replay(model, &order).expect("it was run before");
            assert_eq!(transcript.stopped, None, "{name}");
            assert!(transcript.broken.contains(&verdict.property), "{name}: {}", verdict.property);
        }
    }
}

#[test]
fn pct_finds_every_seeded_bug_within_its_budget() {
    for program in programs("bugs").into_iter().filter(|one| !one.name.ends_with(MENDED)) {
        let report = sample(&program.model, &mut Pct::new(SEED, PCT_DEPTH), RUNS, "pct");
        let report = report.expect("a program that runs");
        assert!(found(&report).next().is_some(), "{}:\n{}", program.name, report.findings());
    }
}

/// The runs of PCT that the comment of a large program allows.
fn budget(program: &Program) -> u64 {
    let comment = program.comment().collect::<Vec<_>>().join(" ");
    let runs = comment.split_once("Budget: `--strategy pct --runs ");
    let runs = runs.and_then(|(_, rest)| rest.split_once('`')?.0.parse().ok());
    runs.unwrap_or_else(|| panic!("{}: wanted a budget of runs", program.name))
}

/// What PCT comes to within the budget of a large program.
fn sampled(program: &Program) -> Report {
    let report = sample(&program.model, &mut Pct::new(SEED, PCT_DEPTH), budget(program), "pct");
    report.expect("a program that runs")
}

#[test]
fn pct_finds_the_bugs_whose_orders_are_too_many() {
    let few = Limits { states: 20_000, ..Limits::default() };
    for program in programs("large") {
        let faulty = !program.name.ends_with(MENDED);
        let report = sampled(&program);
        let name = program.name.clone();
        for verdict in &report.verdicts {
            let wanted = match (faulty && verdict.broken, verdict.property.starts_with("reach")) {
                (true, _) => Standing::Broken,
                (false, true) => Standing::Holds,
                (false, false) => Standing::Unknown,
            };
            assert_eq!(verdict.state, wanted, "{name}: {}", verdict.property);
        }
        let searched = program.explore(&few).report;
        assert!(!searched.bounds.is_empty(), "{name}: can be searched, so it belongs to the bugs");
    }
}

#[test]
fn findings_of_seeded_bugs() {
    let mut text = String::new();
    for (name, (faulty, mended)) in PAIRS.iter() {
        let _ = writeln!(text, "== {name}");
        for (what, report) in [("faulty", &faulty.report), ("mended", &mended.report)] {
            let (ends, states) = (report.outcomes.len(), report.states);
            let _ = writeln!(text, "{what}: {ends} ends, {states} states");
        }
        for verdict in found(&faulty.report) {
            let order = &verdict.witness.as_ref().expect("a witness").schedule;
            let _ = writeln!(text, "{}: {order}", claim(verdict));
        }
    }
    insta::assert_snapshot!(text);
}

/// `UPDATE_DOCS=1 cargo test -p npfs-tests bugs` writes the page anew.
#[test]
fn the_page_on_bugs_is_fresh() {
    let page = page();
    let path = root().join("docs/bugs.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/bugs.md is stale: run again with UPDATE_DOCS=1");
}

/// What a bug comes to, the worst first; the last is for what is in none of the others.
const CHAPTERS: &[(&str, &str)] = &[
    ("leak", "Something is never given back"),
    ("lost data", "Data is lost without a word"),
    ("deadlock", "Somebody waits for ever"),
    ("", "Somebody is told, or does, the wrong thing"),
];

fn chapter(report: &Report) -> usize {
    let says = |word: &str| found(report).any(|one| claim(one).ends_with(word));
    CHAPTERS.iter().position(|(word, _)| says(word)).expect("the last fits every one")
}

fn page() -> String {
    let mut page = format!(
        "# Seeded bugs

{} faulty clients and servers, made after bugs that were seen in the wild. Each is explored in
every order of its calls, and so is the program that mends it, which survives them all; one more,
below, has too many orders for that. The order
stands as `--replay` takes it:

```text
cargo run --release -- explore fixtures/scenarios/bugs
cargo run --release -- explore fixtures/scenarios/bugs/NAME.scenario --replay \"ORDER\"
```

Numbers in brackets are Win32 errors. Written from `fixtures/scenarios/bugs` and
`fixtures/scenarios/large` by `UPDATE_DOCS=1 cargo test -p npfs-tests bugs`. PCT finds each of them
too: {RUNS} runs of depth {PCT_DEPTH} with seed {SEED} are enough.
",
        PAIRS.len()
    );
    for (number, (_, title)) in CHAPTERS.iter().enumerate() {
        head(&mut page, title);
        for (faulty, mended) in PAIRS.values().filter(|(one, _)| chapter(&one.report) == number) {
            row(&mut page, &faulty.program, &faulty.report, &mended.program);
        }
    }
    head(&mut page, "Too many orders for a search");
    let large = programs("large");
    for faulty in large.iter().filter(|one| !one.name.ends_with(MENDED)) {
        let name = format!("{}{MENDED}", faulty.name);
        let mended = large.iter().find(|one| one.name == name).expect("the mended program");
        row(&mut page, faulty, &sampled(faulty), mended);
    }
    page
}

fn head(page: &mut String, title: &str) {
    let _ = write!(page, "\n## {title}\n\n");
    page.push_str("| what goes wrong | seen in | order | mended |\n| --- | --- | --- | --- |\n");
}

fn row(page: &mut String, faulty: &Program, report: &Report, mended: &Program) {
    let Story { wrong, public, right } = story(faulty);
    let worst = found(report).filter_map(|one| Some((one, one.witness.as_ref()?)));
    let shortest = worst.min_by_key(|(_, order)| (order.preemptions, order.steps));
    let (verdict, order) = shortest.expect("an order that breaks it");
    let (right, link) = (right.trim_end_matches(", see the mended program."), link(mended));
    let cells = [
        format!("[**{}.**]({}) {}", faulty.title(), self::link(faulty), capital(&wrong)),
        capital(&public),
        format!("`{}` breaks `{}`", order.schedule, claim(verdict)),
        format!(
            "[{}.]({link})",
            capital(right.trim_end_matches(" (mended).").trim_end_matches('.'))
        ),
    ];
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

/// From the page to the file.
fn link(program: &Program) -> String {
    let file = program.path.strip_prefix(root()).expect("a file of the workspace");
    format!("../{}", file.display())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Every faulty program is still faulty when it has been made as small as it can be, and then it
/// cannot be made smaller.
#[test]
fn shrunk_bugs_are_bugs() {
    let limits = Limits::default();
    for (name, (faulty, _)) in &*PAIRS {
        let scenario = faulty.program.model.scenario();
        let shrunk = shrink(scenario, &limits).expect("it is broken");
        assert!(shrunk.calls <= shrunk.before, "{name}");
        let model = Arc::new(Model::new(&shrunk.scenario).expect("it can be run"));
        let report = explore(&model, &limits, &mut |_| {}).expect("it runs");
        assert!(report.holds() && report.bounds.is_empty(), "{name}: {}", shrunk.scenario);
        let again = shrink(&shrunk.scenario, &limits).expect("it is broken");
        assert_eq!(again.scenario.to_string(), shrunk.scenario.to_string(), "{name}");
    }
}
