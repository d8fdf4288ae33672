//! Released pipe libraries, compiled over npfs and searched for the bugs they are known for.
//!
//! Prints which release shows which bug, with the schedule that shows it; see docs/corpus.md.
// The programs are compiled once for each release.
#![allow(clippy::duplicate_mod)]

mod bugs;
mod peer;
mod search;
mod stage;
mod surface;
mod table;

/// Each release and the programs that drive it.
mod clients {
    include!(concat!(env!("OUT_DIR"), "/clients.rs"));
}

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use npfs_host::{Schedule, Turns};

use crate::bugs::{Bug, BUGS};
use crate::stage::Program;

/// Searches releases of pipe libraries for the bugs they are known for.
///
/// Ends with 0 when the table is the expected one, or when a replay shows its bug; with 1 when not;
/// with 2 when it could not run.
#[derive(Parser)]
struct Arguments {
    /// Only this bug.
    #[arg(long)]
    bug: Option<String>,
    /// Only this release of a library: a version.
    #[arg(long)]
    release: Option<String>,
    /// Run this schedule of `--bug` with `--release` and say what it shows.
    #[arg(long, value_name = "SCHEDULE", requires_all = ["bug", "release"])]
    replay: Option<Turns>,
    /// The expected table.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/expected.txt"))]
    expected: PathBuf,
    /// Write the table there in place of comparing it.
    #[arg(long)]
    bless: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match act(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("npfs-corpus: {why}");
            ExitCode::from(2)
        }
    }
}

fn act(arguments: &Arguments) -> Result<bool, String> {
    let bugs: Vec<&Bug> = BUGS.iter().filter(|bug| is(&arguments.bug, bug.name)).collect();
    if bugs.is_empty() {
        let names: Vec<&str> = BUGS.iter().map(|bug| bug.name).collect();
        return Err(format!("no such bug; there are {}", names.join(", ")));
    }
    let releases = clients::RELEASES.iter().filter(|(package, version, _)| {
        is(&arguments.release, version) && bugs.iter().any(|bug| bug.package == *package)
    });
    let releases: Vec<_> = releases.copied().collect();
    if releases.is_empty() {
        let names: Vec<String> = clients::RELEASES
            .iter()
            .map(|(package, version, _)| format!("{package} {version}"))
            .collect();
        return Err(format!("no such release; there are {}", names.join(", ")));
    }
    if let Some(turns) = &arguments.replay {
        let (_, _, programs) = releases[0];
        return Ok(replay(bugs[0], programs, turns.clone()));
    }
    let table = table::search(&bugs, &releases);
    print!("{table}");
    if arguments.bug.is_some() || arguments.release.is_some() {
        return Ok(true);
    }
    let path = &arguments.expected;
    if arguments.bless {
        std::fs::write(path, table.short()).map_err(|why| format!("{}: {why}", path.display()))?;
        return Ok(true);
    }
    let expected =
        std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    let difference = table::difference(&expected, &table.short());
    match &difference {
        None => println!("\nThis is the expected table."),
        Some(lines) => println!("\nThis is not the table of {}:\n{lines}", path.display()),
    }
    Ok(difference.is_none())
}

fn is(wanted: &Option<String>, name: &str) -> bool {
    wanted.as_deref().is_none_or(|wanted| wanted == name)
}

/// The program of a bug.
fn program<'a>(bug: &Bug, programs: &'a [Program]) -> &'a Program {
    let found = programs.iter().find(|program| program.name == bug.program);
    found.unwrap_or_else(|| panic!("{} has the program of {}", bug.package, bug.name))
}

fn replay(bug: &Bug, programs: &[Program], turns: Turns) -> bool {
    let run = stage::run(program(bug, programs), Schedule::Replay(turns).strategy());
    println!("{}", run.turns);
    match run.symptom {
        None => {
            println!("nothing wrong");
            false
        }
        Some(symptom) => {
            println!("{symptom}");
            (bug.shows)(&symptom)
        }
    }
}
