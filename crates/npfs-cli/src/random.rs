//! `npfs random`

mod draw;

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::{Streams, Verdict};

/// What `npfs random` can be told.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Which sequence of scenarios.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first one.
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u32,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u32,
    /// Where to write them, as `random-SEED-N.scenario`. Without it they are printed.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Draws scenarios.
pub(crate) fn random(options: &Options, streams: &mut Streams<'_>) -> Verdict {
    match write(options, streams) {
        Ok(()) => Verdict::Holds,
        Err(error) => {
            streams.say(&error);
            Verdict::Failed
        }
    }
}

fn write(options: &Options, streams: &mut Streams<'_>) -> Result<(), String> {
    let Options { seed, from, count, out } = options;
    if let Some(folder) = out {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    for number in *from..from.saturating_add(*count) {
        let scenario = draw::scenario(*seed, number)?;
        match out {
            None => streams.print(&format!("{scenario}\n")),
            Some(folder) => {
                let path = folder.join(format!("random-{seed}-{number:05}.scenario"));
                fs::write(&path, scenario.to_string())
                    .map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
    }
    if let Some(folder) = out {
        streams.say(&format!("{count} scenarios in {}", folder.display()));
    }
    Ok(())
}
