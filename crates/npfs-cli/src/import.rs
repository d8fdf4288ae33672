//! `npfs import`

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write, stdin};
use std::path::{Path, PathBuf};

use clap::Args;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use npfs_import::{About, Format, import};

use crate::{Streams, Verdict};

/// The arguments of the command.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The format of the log.
    #[arg(value_parser = format)]
    format: Format,
    /// The log, or `-` for standard input. May be compressed with gzip.
    log: PathBuf,
    /// Where the trace goes; a name that ends in `.gz` compresses it. By default standard output.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// What made the calls, such as "node 22.23.3 net_echo.js".
    #[arg(long)]
    program: Option<String>,
    /// What answered, if not what the format says: windows or wine.
    #[arg(long)]
    system: Option<String>,
    /// Its version, such as 8.0 or 10.0.19045.
    #[arg(long)]
    system_version: Option<String>,
    /// The log holds everything that any process did with pipes, from when there were none.
    #[arg(long)]
    whole: bool,
    /// Name every line that could not be used, not only the first ones.
    #[arg(long)]
    verbose: bool,
}

/// So many bad lines are named unless more are asked for.
const SHOWN: usize = 10;

fn format(word: &str) -> Result<Format, String> {
    Format::ALL.iter().find(|(_, name)| *name == word).map(|(format, _)| *format).ok_or_else(|| {
        let words: Vec<&str> = Format::ALL.iter().map(|(_, name)| *name).collect();
        format!("one of {}", words.join(", "))
    })
}

/// Reads a log and writes its trace.
pub(crate) fn run(options: &Options, streams: &mut Streams<'_>) -> Verdict {
    let log = match read(&options.log) {
        Ok(log) => log,
        Err(error) => {
            streams.say(&error);
            return Verdict::Failed;
        }
    };
    let about = About {
        program: options.program.clone(),
        system: options.system.clone(),
        system_version: options.system_version.clone(),
        whole: options.whole,
    };
    let imported = import(options.format, &log, &about);
    let trace = imported.trace.write();
    match &options.output {
        Some(path) => {
            if let Err(error) = write(path, trace.as_bytes()) {
                streams.say(&error);
                return Verdict::Failed;
            }
        }
        None => streams.print(&trace),
    }
    let log = options.log.display();
    let shown = if options.verbose { usize::MAX } else { SHOWN };
    for (line, what) in imported.skipped.lines.iter().take(shown) {
        streams.say(&format!("{log}:{line}: {what}"));
    }
    let hidden = imported.skipped.lines.len().saturating_sub(shown);
    if hidden > 0 {
        streams.say(&format!("and {hidden} more (--verbose names them)"));
    }
    for (what, count) in by_count(&imported.skipped.counts) {
        streams.say(&format!("{count:>7} left out: {what}"));
    }
    let (threads, events) = (imported.trace.header.threads.len(), imported.trace.events.len());
    streams.say(&format!("{events} events of {threads} threads"));
    Verdict::Holds
}

fn by_count(counts: &BTreeMap<String, u32>) -> Vec<(&str, u32)> {
    let mut list: Vec<(&str, u32)> =
        counts.iter().map(|(what, count)| (what.as_str(), *count)).collect();
    list.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    list
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        stdin().read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
    } else {
        bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    unpacked(bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// The bytes themselves, or what they are compressed from.
fn unpacked(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Writes a file, compressed if its name ends in `.gz`. The same bytes give the same file.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let packed = || {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes)?;
        packer.finish()
    };
    let packs = path.extension().is_some_and(|extension| extension == "gz");
    let bytes = if packs { packed() } else { Ok(bytes.to_vec()) };
    bytes
        .and_then(|bytes| fs::write(path, bytes))
        .map_err(|error| format!("{}: {error}", path.display()))
}
