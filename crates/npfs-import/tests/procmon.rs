//! Process Monitor: real rows, none of which is of a pipe, and rows of pipes as they are derived.

use npfs_abi::{Call, Op};
use npfs_import::{About, Format, Imported, import};
use npfs_trace::trace::Event;

const REAL: &[u8] = include_bytes!("../../../fixtures/imports/procmon/file-rows.csv");
const DERIVED: &str = include_str!("../../../fixtures/imports/procmon/derived-pipe-rows.csv");

fn read(log: &str) -> Imported {
    import(Format::Procmon, log.as_bytes(), &About::default())
}

/// A call, the arguments that are not known, and how much was written.
type Seen<'a> = (&'a Op<String, String>, &'a [String], Option<u32>);

fn calls(imported: &Imported) -> Vec<Seen<'_>> {
    let calls = imported.trace.events.iter().filter_map(|(_, event)| match event {
        Event::Call { op, gaps, .. } => Some((op, gaps.unknown.as_slice(), gaps.size)),
        _ => None,
    });
    calls.collect()
}

#[test]
fn real_rows_of_files_are_counted_and_left_out() {
    let imported = import(Format::Procmon, REAL, &About::default());
    assert_eq!(imported.skipped.lines, []);
    assert_eq!(imported.skipped.counts["rows of other paths"], 14);
    assert_eq!(imported.trace.events.len(), 1, "the end");
}

#[test]
fn rows_of_pipes_are_calls_with_what_is_not_known() {
    let imported = read(DERIVED);
    assert_eq!(imported.skipped.lines, []);
    let calls = calls(&imported);
    assert_eq!(calls.len(), 10);
    let (create, unknown, _) = calls[0];
    assert!(matches!(create, Op::Call(Call::NtCreateNamedPipeFile(_))));
    assert!(unknown.contains(&"inbound_quota".to_owned()));
    let (open, unknown, _) = calls[2];
    let Op::Call(Call::NtCreateFile(open)) = open else { panic!("an open") };
    assert_eq!(
        (open.access.0, open.options, unknown),
        (0xC000_0000, 0x20, &["attributes".to_owned()][..])
    );
    assert_eq!(calls[3].2, Some(1024));
    // 1:18:10 is 4,690 seconds behind midnight.
    let Some((_, Event::Call { seen, .. })) = imported.trace.events.first() else { panic!() };
    assert_eq!((seen.at, imported.trace.header.tick_ns), (Some(46_900_000_000), Some(100)));
}

#[test]
fn two_ends_of_a_path_in_one_process_cannot_be_told_apart() {
    let mut lines: Vec<&str> = DERIVED.lines().collect();
    lines.insert(2, lines[1]);
    let imported = read(&lines.join("\n"));
    assert_eq!(calls(&imported).len(), 0);
    assert_eq!(imported.skipped.counts["rows of paths with two ends in one process"], 11);
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let told = |log: &str| read(log).skipped.lines;
    assert_eq!(told("")[0].1, "lines that are not of the log: no names of columns");
    assert!(
        told("\"PID\",\"TID\"\n").iter().any(|(line, why)| *line == 1 && why.contains("Duration"))
    );
    let bad = DERIVED.replace("\"0.0000110\"", "\"soon\"");
    assert_eq!(told(&bad), [(5, "rows without time, process, thread or duration".to_owned())]);
}
