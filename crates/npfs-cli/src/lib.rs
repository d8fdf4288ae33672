//! The command `npfs`: runs scenarios, explores their orders, checks and compares traces, dumps
//! states.
//!
//! All of it but the process around it, so that tests can call it with their own streams.
#![forbid(unsafe_code)]

mod check;
mod diff;
mod dump;
mod explore;
mod files;
mod random;
mod run;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

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
    /// Feed recorded traces to the model and compare every result. For traces of calls that
    /// overlap, look for an order that explains them.
    Check(check::Options),
    /// Compare two traces by meaning: threads and handles by their roles, timing left out. A
    /// scenario stands for its run on the model.
    Diff(diff::Options),
    /// Run every order of the threads' calls, and say what can come of it.
    Explore(Box<explore::Options>),
    /// Draw random scenarios, with what the model answers: for a comparison with a real system.
    Random(random::Options),
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

/// Where results and talk go.
struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl Streams<'_> {
    /// A result. A reader that has gone away is no reason to fail.
    fn print(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    /// Talk.
    fn say(&mut self, text: &str) {
        let _ = writeln!(self.err, "{text}");
    }
}

/// Runs the command with these arguments, the first of which is its own name. Results go to
/// `out` and talk to `err`. Gives the exit code: 0 as expected, 1 a difference, 2 could not run.
pub fn command<A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let mut streams = Streams { out, err };
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            streams.say(error.to_string().trim_end());
            return 2;
        }
        Err(help) => {
            streams.print(&help.to_string());
            return 0;
        }
    };
    let verdict = match arguments.command {
        Command::Run { paths, order, json } => {
            run::run(&paths, order.as_deref(), json, &mut streams)
        }
        Command::Check(options) => check::check(&options, &mut streams),
        Command::Diff(options) => diff::diff(&options, &mut streams),
        Command::Explore(options) => explore::explore(&options, &mut streams),
        Command::Random(options) => random::random(&options, &mut streams),
        Command::Dump { scenario, step } => dump::dump(&scenario, step, &mut streams),
    };
    match verdict {
        Verdict::Holds => 0,
        Verdict::Differs => 1,
        Verdict::Failed => 2,
    }
}
