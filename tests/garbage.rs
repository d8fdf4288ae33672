//! Files can hold anything: the command answers and never panics.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::{npfs, root};

/// The command on a file with these bytes: it ends with one of its exit codes.
fn survives(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    for (command, name) in [("run", "x.scenario"), ("dump", "x.scenario"), ("check", "x.jsonl")] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file of the test");
        let ran = npfs(&[command], &path);
        assert!(ran.code <= 2);
        assert!(ran.code != 2 || !ran.err.is_empty(), "a failure is explained");
    }
}

fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let bytes = fs::read(&path).expect("a fixture");
            // The one file with hundreds of steps would take most of the time.
            if bytes.len() < 20_000 {
                found.push(bytes);
            }
        }
    }
}

fn fixtures() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    files(&root().join("fixtures/scenarios"), &mut found);
    files(&root().join("fixtures/traces"), &mut found);
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes);
    }

    #[test]
    fn cut_files_are_survived(
        bytes in proptest::sample::select(fixtures()),
        at in any::<proptest::sample::Index>(),
    ) {
        survives(&bytes[..at.index(bytes.len())]);
    }

    #[test]
    fn files_with_missing_lines_and_changed_bytes_are_survived(
        bytes in proptest::sample::select(fixtures()),
        line in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        byte in b' '..b'~',
    ) {
        let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        lines.remove(line.index(lines.len()));
        survives(&lines.concat());
        let mut changed = bytes.clone();
        let at = at.index(changed.len());
        changed[at] = byte;
        survives(&changed);
    }
}
