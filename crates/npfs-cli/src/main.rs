//! The command `npfs`: runs scenarios, checks traces, dumps states.
#![forbid(unsafe_code)]

mod check;
mod dump;
mod files;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A simulator of the Windows named pipe file system.
#[derive(Parser, Debug)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run scenarios, print what happens, check what they expect.
    Run {
        /// Scenario files, or folders of `*.scenario` files.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Run only this order of the steps.
        #[arg(long)]
        order: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Feed recorded traces to the model and compare every result.
    Check {
        /// Trace files, or folders of `*.jsonl` files.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// The table of known deviations. By default the one named after the traces' system,
        /// `fixtures/deviations/SYSTEM-VERSION.jsonl`.
        #[arg(long)]
        deviations: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the state of the model after some steps of a scenario.
    Dump {
        /// A scenario file.
        scenario: PathBuf,
        /// After which step, from 1; 0 is the start. By default after the last.
        #[arg(long)]
        step: Option<usize>,
    },
}

/// How the command ends; worse ones win.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Verdict {
    /// Everything holds.
    Holds,
    /// A difference was found.
    Differs,
    /// Something could not be read.
    Failed,
}

fn main() -> ExitCode {
    let verdict = match Arguments::parse().command {
        Command::Run { paths, order, json } => run::run(&paths, order.as_deref(), json),
        Command::Check { paths, deviations, json } => {
            check::check(&paths, deviations.as_deref(), json)
        }
        Command::Dump { scenario, step } => dump::dump(&scenario, step),
    };
    ExitCode::from(match verdict {
        Verdict::Holds => 0,
        Verdict::Differs => 1,
        Verdict::Failed => 2,
    })
}
