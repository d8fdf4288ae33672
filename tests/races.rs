//! The races: explored to completion, their tables of outcomes as snapshots, and the page
//! `docs/races.md`, which is written from them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::sync::LazyLock;

use npfs_explore::{Report, replay, schedule};

use crate::explored::{Explored, Program, explored};
use crate::root;

/// A scenario of a race, explored.
struct Race {
    /// The number of the race, from the name of the file.
    number: u32,
    program: Program,
    report: Report,
}

/// Explored once for all tests.
static EXPLORED: LazyLock<Vec<Race>> = LazyLock::new(races);

fn races() -> Vec<Race> {
    let races = explored("races").into_iter().map(|Explored { program, report }| {
        let number = program.name[..2].parse().expect("the number of a race begins the name");
        Race { number, program, report }
    });
    races.collect()
}

/// How many races the list has.
const RACES: u32 = 61;

/// Races that no scenario can say, with the reason.
const NOT_EXPRESSED: &[(u32, &str)] = &[
    (
        16,
        "programs name processes, not their numbers, and a number is never dealt again: a check \
         that meets another process with the old number cannot occur",
    ),
    (
        45,
        "the end of an operation is one step here, so there is no moment at which the status block \
         is written and the event is not yet set",
    ),
];

#[test]
fn every_race_is_explored_to_completion() {
    assert!(!EXPLORED.is_empty());
    for race in EXPLORED.iter() {
        let path = race.program.path.display();
        assert!(race.report.bounds.is_empty(), "{path}: {}", race.report.completeness());
        assert!(race.report.holds(), "{path}:\n{}", race.report.table());
        let claims = format!("RACE-{:02} ", race.number);
        assert!(race.program.text.contains(&claims), "{path}: the header names the race");
    }
}

#[test]
fn outcomes_of_races() {
    let mut text = String::new();
    for race in EXPLORED.iter() {
        let _ = writeln!(text, "== {}\n{}", race.program.name, race.report.table());
    }
    insta::assert_snapshot!(text);
}

/// `UPDATE_DOCS=1 cargo test -p npfs-tests races` writes the page anew.
#[test]
fn the_page_on_races_is_fresh() {
    let page = page(&EXPLORED);
    let path = root().join("docs/races.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/races.md is stale: run again with UPDATE_DOCS=1");
}

const CHAPTERS: &[(u32, &str)] = &[
    (1, "Creating, connecting, finding the server"),
    (17, "Blocking calls and the lock of a file object"),
    (26, "Ending a conversation"),
    (33, "Overlapped operations, events, ports"),
    (51, "Modes, messages, sizes"),
    (59, "Security"),
];

fn page(races: &[Race]) -> String {
    let mut page = String::from(
        "# The races of named pipes

\
         Public races of Windows named pipes, each explored in every order of its calls. A section
\
         says who races, then shows two orders side by side with what each thread sees, then how
\
         many ends there are. The file named below a section is the program;
\
         `cargo run --release -- explore FILE` has all of its ends, `--replay \"ORDER\"` any of them.

\
         Written from `fixtures/scenarios/races` by `UPDATE_DOCS=1 cargo test -p npfs-tests races`.
\
         Numbers in brackets are Win32 errors; `sleeps` means that the call does not return yet.
",
    );
    let mut by_number: BTreeMap<u32, Vec<&Race>> = BTreeMap::new();
    for race in races {
        by_number.entry(race.number).or_default().push(race);
    }
    for (number, files) in &by_number {
        if let Some((_, chapter)) = CHAPTERS.iter().find(|(first, _)| first == number) {
            let _ = write!(page, "\n## {chapter}\n");
        }
        for race in files {
            section(&mut page, race);
        }
    }
    page += "\n## What no scenario can say\n\n";
    for (number, reason) in NOT_EXPRESSED {
        let _ = writeln!(page, "- RACE-{number:02}: {reason}.");
    }
    let missing: Vec<String> = (1..=RACES)
        .filter(|number| !by_number.contains_key(number))
        .filter(|number| !NOT_EXPRESSED.iter().any(|(other, _)| other == number))
        .map(|number| format!("RACE-{number:02}"))
        .collect();
    if !missing.is_empty() {
        let _ = write!(page, "\n## Not here yet\n\n{}\n", missing.join(", "));
    }
    page
}

fn section(page: &mut String, race: &Race) {
    let _ = write!(page, "\n### RACE-{:02}: {}\n\n", race.number, race.program.title());
    let mut said = false;
    for line in race.program.comment() {
        let _ = writeln!(page, "{line}");
        said = true;
    }
    if said {
        page.push('\n');
    }
    let mut shortest: Vec<_> = race.report.outcomes.iter().collect();
    shortest.sort_by_key(|outcome| outcome.steps);
    let columns: Vec<Vec<String>> =
        shortest.iter().take(2).map(|outcome| told(race, &outcome.schedule)).collect();
    let _ = write!(page, "```text\n{}```\n\n", side_by_side(&columns));
    let report = &race.report;
    let _ = writeln!(
        page,
        "{} ends{}.",
        report.outcomes.len(),
        report.interleavings.map_or(String::new(), |orders| format!(" in {orders} orders"))
    );
    for verdict in &report.verdicts {
        let sign = if verdict.broken { "Goes wrong" } else { "Holds" };
        let text = verdict.property.strip_prefix("broken ").unwrap_or(&verdict.property);
        let order = match (&verdict.witness, verdict.broken) {
            (Some(witness), true) => format!(", as in `{}`", witness.schedule),
            _ => String::new(),
        };
        let _ = writeln!(page, "{sign}: `{text}`{order}.  ");
    }
    let file = format!("{}.scenario", race.program.name);
    let _ = writeln!(page, "\n[{file}](../fixtures/scenarios/races/{file})");
}

/// A schedule in plain words, a line a step.
fn told(race: &Race, text: &str) -> Vec<String> {
    let names: Vec<&str> =
        race.program.model.scenario().threads.iter().map(|thread| thread.name.as_str()).collect();
    let schedule = schedule::parse(text, &names).expect("a printed schedule reads");
    let transcript = replay(&race.program.model, &schedule).expect("it was run before");
    let mut lines: Vec<String> = transcript.text.lines().filter_map(plain).collect();
    lines.extend(transcript.sleepers.iter().map(|sleeper| format!("at the end {sleeper}")));
    lines
}

/// A line of a transcript in plain words.
fn plain(line: &str) -> Option<String> {
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == '!');
    let Some((step, result)) = line.split_once(" -> ") else {
        // Caused by the line above it.
        return Some(match line.split_once(' ') {
            Some((who, rest)) if rest.starts_with("returns ") => {
                format!("    {who} goes on: {}", &rest["returns ".len()..])
            }
            _ => match line.split_once(" done ") {
                Some((what, how)) => format!("    {what} ends: {how}"),
                None => line.to_owned(),
            },
        });
    };
    let (who, what) = step.trim().split_once(char::is_whitespace)?;
    let what = what.trim();
    let op = what.split_once(" = ").map_or(what, |(_, op)| op);
    let given = what.split_once(" = ").map(|(words, _)| words);
    let said = said(op);
    let named = given.map(|word| format!(" ({word})")).unwrap_or_default();
    let result = match result.trim() {
        "ok" => String::new(),
        "blocked" => ", sleeps".to_owned(),
        "pending" => ", which goes on".to_owned(),
        other => format!(": {other}"),
    };
    Some(format!("{who} {said}{named}{result}"))
}

/// An operation as a phrase. What has none stands as scenarios write it.
fn said(op: &str) -> String {
    let mut words = op.split(' ');
    let verb = words.next().unwrap_or_default();
    let first = words.next().unwrap_or_default();
    let rest = words.collect::<Vec<_>>().join(" ");
    let with = |rest: &str| if rest.is_empty() { String::new() } else { format!(" ({rest})") };
    match verb {
        "create_pipe" => format!("creates an instance of {first}{}", with(&rest)),
        "open" => format!("opens {first}{}", with(&rest)),
        "connect" => format!("waits for a client at {first}{}", with(&rest)),
        "disconnect" => format!("casts the client of {first} off"),
        "read" => format!("reads {first}{}", with(&rest)),
        "write" => format!("writes {rest} to {first}"),
        "close" => format!("closes {first}"),
        "wait_pipe" => format!("waits for a free instance of {first}{}", with(&rest)),
        "peek" => format!("peeks at {first}{}", with(&rest)),
        "flush" => format!("flushes {first}"),
        "transact" => format!("sends {rest} over {first} and waits for the answer"),
        "call_pipe" => format!("calls {first} with {rest}"),
        "cancel_io" => format!("cancels its own operations on {first}"),
        "cancel_io_ex" if rest.is_empty() => format!("cancels everything on {first}"),
        "cancel_io_ex" => format!("cancels {rest} on {first}"),
        "cancel_sync" => format!("cancels what {first} sleeps in"),
        "set_event" => format!("sets {first}"),
        "reset_event" => format!("resets {first}"),
        "create_event" => format!("creates an event{}", with(format!("{first} {rest}").trim())),
        "wait_any" => format!("waits for {first}{}", with(&rest)),
        "wait_all" => format!("waits for all of {first} {rest}"),
        "result" => format!("asks how {rest} on {first} ended"),
        "packets" => format!("takes packets from {first}{}", with(&rest)),
        "post" => format!("posts a packet to {first}{}", with(&rest)),
        "exit_thread" => "ends".to_owned(),
        "exit_process" => "ends its process".to_owned(),
        "terminate" => format!("terminates {first}"),
        "spawn" => format!("starts {first}{}", with(&rest)),
        "file_type" => format!("asks what {first} is"),
        "impersonate" => format!("acts as the client of {first}"),
        "revert" => "acts as itself again".to_owned(),
        "sleep" => format!("sleeps for {first}{}", with(&rest)),
        "duplicate" => format!("duplicates {first}{}", with(&rest)),
        "set_state" => format!("sets {first} to {rest}"),
        _ => op.to_owned(),
    }
}

/// The most characters of a line in a column.
const WIDTH: usize = 50;

fn side_by_side(columns: &[Vec<String>]) -> String {
    let wrapped: Vec<Vec<String>> =
        columns.iter().map(|lines| lines.iter().flat_map(|line| wrap(line)).collect()).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for row in 0..height {
        let cells: Vec<String> = wrapped
            .iter()
            .map(|lines| {
                let cell = lines.get(row).map_or("", String::as_str);
                format!("{cell:WIDTH$}")
            })
            .collect();
        let _ = writeln!(text, "{}", cells.join(" | ").trim_end());
    }
    text
}

/// A line in pieces that fit into a column; the later ones are indented.
fn wrap(line: &str) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let mut pieces = Vec::new();
    let mut piece = " ".repeat(indent);
    for word in line.split_whitespace() {
        let fits = piece.chars().count() + word.chars().count() < WIDTH;
        if !fits && !piece.trim().is_empty() {
            pieces.push(std::mem::replace(&mut piece, " ".repeat(indent + 2)));
        }
        if !piece.ends_with(' ') && !piece.is_empty() {
            piece.push(' ');
        }
        piece += word;
    }
    pieces.push(piece);
    pieces
}
