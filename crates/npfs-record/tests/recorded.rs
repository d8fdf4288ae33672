//! The recorded traces in the repository are whole, and as the recorder writes them.

use std::fs;
use std::path::{Path, PathBuf};

use npfs_trace::Trace;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
}

#[test]
fn recorded_traces_read_and_print_as_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/traces/wine-8.0");
    let mut found = Vec::new();
    files(&folder, &mut found);
    assert!(!found.is_empty());
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let trace =
            Trace::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(trace.write(), text, "{}", path.display());
        let name = path.strip_prefix(&folder).unwrap().with_extension("");
        assert_eq!(trace.header.scenario, name.to_string_lossy());
    }
}
