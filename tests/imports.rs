//! The imported traces are what the importers make of the logs beside them, and are explained.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use npfs_import::{About, Format, import};

use crate::{npfs, root};

fn unpacked(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).expect("gzip of a text");
    text
}

#[test]
fn every_log_of_wine_gives_the_trace_beside_it() {
    let logs = root().join("fixtures/imports/wine-8.0");
    let traces = root().join("fixtures/traces/imported/wine-8.0");
    let programs = fs::read_to_string(logs.join("programs.tsv")).expect("the list of programs");
    let mut count = 0;
    for line in programs.lines() {
        let (name, program) = line.split_once('\t').expect("a name and a program");
        let about = About {
            program: Some(program.to_owned()),
            system_version: Some("8.0".to_owned()),
            whole: true,
            ..About::default()
        };
        let log = unpacked(&logs.join(format!("{name}.log.gz")));
        let imported = import(Format::Wine, log.as_bytes(), &about);
        let trace = unpacked(&traces.join(format!("{name}.jsonl.gz")));
        assert!(imported.trace.write() == trace, "{name}: run fixtures/import.sh");
        count += 1;
    }
    assert_eq!(count, 21);
    assert_eq!(fs::read_dir(&logs).expect("a folder").count(), 22, "a log that is not listed");
}

#[test]
fn a_program_that_logs_itself_gives_the_trace_beside_it() {
    let log = root().join("fixtures/imports/jsonl/two-clients.log.jsonl");
    let imported = import(Format::Lines, &fs::read(log).expect("a log"), &About::default());
    assert_eq!(imported.skipped.lines, []);
    let trace = root().join("fixtures/traces/imported/wine-8.0/two-clients.jsonl.gz");
    assert!(imported.trace.write() == unpacked(&trace), "run fixtures/import.sh");
}

#[test]
fn derived_rows_of_process_monitor_are_explained() {
    let ran = npfs(
        &["import", "procmon"],
        &root().join("fixtures/imports/procmon/derived-pipe-rows.csv"),
    );
    assert_eq!(ran.code, 0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("derived.jsonl");
    fs::write(&path, ran.out).expect("a file");
    let checked = npfs(&["check"], &path);
    assert_eq!(checked.code, 0, "{}", checked.out);
    assert!(
        checked.out.trim_end().ends_with("1 explained (0 known deviations), 0 unexplained"),
        "{}",
        checked.out
    );
    // Another answer than the model's would be found out.
    let text = fs::read_to_string(&path).expect("a file");
    let wrong = text.replace("\"status\":\"C00000B0\"", "\"status\":\"C000014B\"");
    assert_ne!(wrong, text);
    fs::write(&path, wrong).expect("a file");
    assert_ne!(npfs(&["check"], &path).code, 0);
}

#[test]
fn an_import_says_what_it_leaves_out() {
    let log = root().join("fixtures/imports/wine-8.0/rust-std.log.gz");
    let ran = npfs(&["import", "wine"], &log);
    assert_eq!(ran.code, 0);
    assert!(
        ran.err.contains("rust-std.log.gz:565: lines that are not of the log\n"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("      3 left out: lines that are not of the log\n"), "{}", ran.err);
    assert!(ran.out.starts_with("{\"trace\":\"npfs\",\"version\":1,\"kind\":\"concurrent\""));
}

#[test]
fn an_import_that_cannot_run_says_why() {
    let nothing = root().join("fixtures/imports/no-such-log");
    let ran = npfs(&["import", "wine"], &nothing);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no-such-log: "), "{}", ran.err);
    let ran = npfs(&["import", "strace"], &nothing);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("one of wine, procmon, jsonl"), "{}", ran.err);
}

/// Rows of the table must not explain what no system did.
#[test]
fn a_changed_answer_in_an_imported_trace_is_found() {
    let table = root().join("fixtures/deviations/wine-8.0.jsonl");
    let table = table.to_str().expect("a path in UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["c-iocp", "c-states", "python-conn", "rust-tokio", "winio-byte"] {
        let trace = root().join(format!("fixtures/traces/imported/wine-8.0/{name}.jsonl.gz"));
        let mut lines: Vec<String> = unpacked(&trace).lines().map(str::to_owned).collect();
        let read = lines.iter_mut().rfind(|line| {
            line.contains("\"event\":\"return\"")
                && line.contains("\"data\":{\"txt\":\"")
                && !line.contains("\"txt\":\"\"")
        });
        let read = read.unwrap_or_else(|| panic!("{name}: a read with data"));
        *read = read.replacen("\"txt\":\"", "\"txt\":\"~", 1);
        let changed = folder.path().join(format!("{name}.jsonl"));
        fs::write(&changed, lines.join("\n")).expect("a file");
        let ran = npfs(&["check", "--deviations", table], &changed);
        assert_ne!(ran.code, 0, "{name}: {}", ran.out);
    }
}
