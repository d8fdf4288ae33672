//! Any bytes have an answer: a trace that can be written and read, and a count of the rest.

use npfs_import::{About, Format, import};
use npfs_trace::Trace;
use proptest::prelude::*;

/// Lines of a real log, so that changed ones get far.
const WINE: &str = include_str!("sample.wine.log");
const LINES: &str = include_str!("../../../fixtures/imports/jsonl/two-clients.log.jsonl");
const PROCMON: &str = include_str!("../../../fixtures/imports/procmon/derived-pipe-rows.csv");

fn answers(format: Format, log: &[u8]) -> Trace {
    let imported = import(format, log, &About::default());
    let text = imported.trace.write();
    let read = Trace::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(read, imported.trace);
    let counted: u32 = imported.skipped.counts.values().sum();
    assert!(imported.skipped.lines.len() as u64 <= u64::from(counted));
    assert_eq!(import(format, log, &About::default()), imported, "the same again");
    read
}

/// What is done to a line.
#[derive(Clone, Debug)]
enum Change {
    Drop,
    Double,
    Cut(usize),
    Swap,
    Put(usize, char),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Drop),
        Just(Change::Double),
        (0_usize..200).prop_map(Change::Cut),
        Just(Change::Swap),
        ((0_usize..200), any::<char>()).prop_map(|(place, new)| Change::Put(place, new)),
    ]
}

fn changed(log: &str, changes: &[(usize, Change)]) -> String {
    let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
    for (place, change) in changes {
        if lines.is_empty() {
            break;
        }
        let place = place % lines.len();
        match change {
            Change::Drop => drop(lines.remove(place)),
            Change::Double => lines.insert(place, lines[place].clone()),
            Change::Cut(at) => lines[place] = lines[place].chars().take(*at).collect(),
            Change::Swap => {
                let other = lines.len() - 1 - place;
                lines.swap(place, other);
            }
            Change::Put(at, new) => {
                let mut characters: Vec<char> = lines[place].chars().collect();
                let at = at % (characters.len() + 1);
                characters.splice(at..(at + 1).min(characters.len()), [*new]);
                lines[place] = characters.into_iter().collect();
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(log in proptest::collection::vec(any::<u8>(), 0..400)) {
        for (format, _) in Format::ALL {
            answers(*format, &log);
        }
    }

    #[test]
    fn changed_logs(changes in proptest::collection::vec((0_usize..10_000, change()), 1..12)) {
        for (format, log) in [(Format::Wine, WINE), (Format::Lines, LINES), (Format::Procmon, PROCMON)] {
            answers(format, changed(log, &changes).as_bytes());
        }
    }
}

#[test]
fn the_samples_are_read_whole() {
    for (format, log, calls) in [(Format::Wine, WINE, 30), (Format::Lines, LINES, 26)] {
        let imported = import(format, log.as_bytes(), &About::default());
        assert_eq!(imported.skipped.lines, []);
        assert!(imported.trace.events.len() >= 2 * calls, "{}", imported.trace.events.len());
    }
}

#[test]
fn bad_lines_of_a_log_are_named() {
    let mut lines: Vec<&str> = WINE.lines().collect();
    lines.insert(3, "what is this");
    let imported = import(Format::Wine, lines.join("\n").as_bytes(), &About::default());
    assert_eq!(imported.skipped.lines, [(4, "lines that are not of the log".to_owned())]);
    assert_eq!(imported.trace.header.skipped["lines that are not of the log"], 1);
}
