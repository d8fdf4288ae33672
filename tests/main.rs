//! Tests of the whole workspace, in one binary.

mod architecture;
mod bugs;
mod command;
mod concurrent;
mod conformance;
mod corpus;
mod explored;
mod garbage;
mod races;
mod snapshots;

use std::path::{Path, PathBuf};

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a call of the command gave.
struct Ran {
    code: u8,
    out: String,
    err: String,
}

/// Calls the command `npfs`.
fn npfs(arguments: &[&str], path: &Path) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let path = path.to_str().expect("a path in UTF-8");
    let arguments = ["npfs"].iter().chain(arguments).chain([&path]);
    let code = npfs_cli::command(arguments, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("output in UTF-8");
    Ran { code, out: text(out), err: text(err) }
}
