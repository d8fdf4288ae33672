//! What holds for every scenario and for every text.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::arbitrary::{scenario, trace};
use super::files::{PROGRAM, SCENARIO, TRACE, fixtures};
use crate::{Scenario, Trace};

/// Both readers give an answer, and an error is at a place in the text or just behind it.
fn reads(text: &str) {
    if let Ok(scenario) = Scenario::parse(text) {
        assert_eq!(Scenario::parse(&scenario.to_string()), Ok(scenario), "{text}");
    }
    for error in [Scenario::parse(text).err(), Trace::parse(text).err()].into_iter().flatten() {
        let line = text.split('\n').nth(error.line as usize - 1).unwrap_or_default();
        assert!((1..=line.chars().count() + 1).contains(&(error.column as usize)), "{error}");
        assert!(!error.wanted.is_empty() && !error.found.is_empty(), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_the_same(scenario in scenario()) {
        let text = scenario.to_string();
        let read = Scenario::parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&scenario), "{}", text);
    }

    #[test]
    fn a_trace_does_not_differ_from_itself(trace in trace()) {
        prop_assert!(crate::diff::diff(&trace, &trace).is_empty());
    }

    #[test]
    fn what_is_written_reads_the_same(trace in trace()) {
        let text = trace.write();
        let read = Trace::parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&trace), "{}", text);
    }

    #[test]
    fn every_text_has_an_answer(bytes in vec(any::<u8>(), 0..200), text in any::<String>()) {
        reads(&String::from_utf8_lossy(&bytes));
        reads(&text);
    }

    #[test]
    fn words_in_any_order_have_an_answer(words in vec(select(WORDS), 0..60)) {
        reads(&words.join(" "));
        reads(&format!("thread t\nt: s = create_pipe a\nt: {}", words.concat()));
    }

    #[test]
    fn a_cut_or_changed_file_has_an_answer(
        cut in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
    ) {
        for text in [SCENARIO, PROGRAM, TRACE] {
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len());
            chars[at] = with;
            reads(&chars.iter().collect::<String>());
            chars.truncate(cut.index(chars.len()));
            reads(&chars.iter().collect::<String>());
        }
    }
}

const WORDS: &[&str] = &[
    "t:",
    "s",
    "=",
    "->",
    "ok",
    "\"",
    "\"a\"*9",
    "+",
    "\\",
    "#",
    "\n",
    "\n    ",
    "read",
    "advance",
    "1ms",
    "0x",
    "event=",
    "s.1",
    ".",
    "-",
    "order",
    "wait_any",
    "alertable",
    "handle",
    "(",
    ")",
    "é",
    ",",
    "rules:",
    "{",
    "}",
    "[",
    ":",
    "{\"event\":",
    "routines",
    "local",
    "done",
    "returns",
    "write",
    "4294967296",
    "loop",
    "if",
    "unless",
    "end",
    "is",
    "or",
    "never:",
    "not",
    "race",
];

#[test]
fn every_file_cut_anywhere_has_an_answer() {
    for text in [SCENARIO, PROGRAM, TRACE] {
        for (at, _) in text.char_indices() {
            reads(&text[..at]);
        }
    }
    for (_, text) in fixtures() {
        for (at, _) in text.char_indices().step_by(17) {
            reads(&text[..at]);
        }
    }
}

#[test]
fn deep_nesting_is_an_error() {
    reads(&"[".repeat(1_000_000));
    reads(&"{\"op\":".repeat(100_000));
    let call = TRACE.replace("\"delivery\":{", &format!("\"delivery\":{}", "[".repeat(100_000)));
    reads(&call);
}
