//! The process around the command `npfs`.
#![forbid(unsafe_code)]

use std::io::{BufWriter, Write, stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = BufWriter::new(stdout().lock());
    let code = npfs_cli::command(std::env::args_os(), &mut out, &mut stderr().lock());
    // A reader that has gone away is no reason to fail.
    let _ = out.flush();
    ExitCode::from(code)
}
