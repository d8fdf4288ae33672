//! Traces that do not know everything.

use npfs_abi::{Call, Data, Op, Status};
use npfs_machine::{Deviations, check};
use npfs_trace::Trace;
use npfs_trace::trace::{Event, Recorded, Start};
use proptest::prelude::*;

use crate::generate::Random;
use crate::{cases, explained, history};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// Whatever is left out of what happened, the rest is explained.
    #[test]
    fn less_knowledge_is_no_difference(seed in any::<u64>()) {
        let (_, mut trace, mut random) = history(seed);
        for (_, event) in &mut trace.events {
            forget(event, &mut random);
        }
        explained(&trace);
    }
}

/// Some of what a log could have lost.
fn forget(event: &mut Event, random: &mut Random) {
    match event {
        Event::Call { seen, op, gaps, .. } => {
            if random.one_in(8) {
                seen.at = None;
            }
            if let (Op::Call(Call::WriteFile { data, .. }), true) = (op, random.one_in(3)) {
                gaps.size = Some(data.size());
                *data = data.part(0..random.below(data.len() + 1) as u32);
            }
        }
        Event::Return { seen, result, .. } | Event::Done { seen, result, .. } => {
            if random.one_in(8) {
                seen.at = None;
            }
            match random.below(8) {
                0 => result.data = None,
                1 => result.information = None,
                // Nothing but a handle, which others need.
                2 => {
                    *result = Recorded { output: result.output.clone(), ..Recorded::default() };
                }
                3 => {
                    result.failed = result.status.is_some_and(Status::is_error);
                    result.status = None;
                }
                4 => {
                    result.cut = result.data.is_some();
                    result.data = result.data.as_ref().map(|data| data.part(0..2));
                }
                _ => {}
            }
        }
        Event::Block { seen, .. } => {
            if random.one_in(3) {
                seen.at = None;
            }
        }
        Event::Advance { .. } | Event::End { .. } => {}
    }
}

const HEAD: &str = r#"{"trace":"npfs","version":1,"kind":"concurrent","source":"import","system":"wine","system_version":"8.0","recorder":"x","scenario":"","processes":["p"],"threads":[["a",1],["b",1]]}"#;

const PAIR: &str = r#"{"event":"call","seq":1,"at":1,"thread":1,"process":1,"id":"t1.1","op":{"CreateNamedPipe":{"name":"\\\\.\\pipe\\x","open_mode":3,"pipe_mode":0,"max_instances":1,"out_buffer":64,"in_buffer":64,"default_timeout":0,"inherit":false}}}
{"event":"return","seq":2,"at":2,"thread":1,"id":"t1.1","error":0,"output":{"handle":"h1"}}
{"event":"call","seq":3,"at":3,"thread":2,"process":1,"id":"t2.1","op":{"CreateFile":{"name":"\\\\.\\pipe\\x","access":3221225472,"flags":0,"inherit":false}}}
{"event":"return","seq":4,"at":4,"thread":2,"id":"t2.1","error":0,"output":{"handle":"h2"}}"#;

fn trace(events: &[&str]) -> Trace {
    let text = format!("{HEAD}\n{}\n{{\"event\":\"end\",\"seq\":999}}\n", events.join("\n"));
    Trace::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What the model says to the same lines, with one word replaced.
fn difference(events: &[&str], this: &str, that: &str) -> String {
    let text = trace(events).write();
    assert!(text.contains(this), "{this}");
    let trace = Trace::parse(&text.replacen(this, that, 1)).unwrap();
    let difference = check(&trace, &Deviations::default()).difference.expect("a difference");
    format!("{}: wanted {}, found {}", difference.op, difference.model, difference.recorded)
}

#[test]
fn unknown_bytes_are_compared_with_nothing_and_counted() {
    let events = [
        PAIR,
        r#"{"event":"call","seq":5,"at":5,"thread":2,"process":1,"id":"t2.2","op":{"WriteFile":{"file":"h2","data":{"txt":"ab"},"delivery":"return"}},"size":6}"#,
        r#"{"event":"return","seq":6,"at":6,"thread":2,"id":"t2.2","error":0,"information":6}"#,
        r#"{"event":"call","seq":7,"at":7,"thread":1,"process":1,"id":"t1.2","op":{"ReadFile":{"file":"h1","length":64,"delivery":"return"}}}"#,
        r#"{"event":"return","seq":8,"at":8,"thread":1,"id":"t1.2","error":0,"information":6,"data":{"txt":"abcdef"}}"#,
    ];
    explained(&trace(&events));
    assert_eq!(
        difference(&events, "abcdef", "aXcdef"),
        "read: wanted data=\"abcdef\", found data=\"aXcdef\""
    );
    assert!(difference(&events, "abcdef", "abcde").starts_with("read: wanted data="));
    assert_eq!(
        difference(&events, "\"information\":6,\"data\"", "\"information\":5,\"data\""),
        "read: wanted information=6, found information=5"
    );
}

#[test]
fn a_failure_without_a_code_must_fail() {
    let events = [
        PAIR,
        r#"{"event":"call","seq":5,"at":5,"thread":2,"process":1,"id":"t2.2","op":{"CreateFile":{"name":"\\\\.\\pipe\\x","access":3221225472,"flags":0,"inherit":false}}}"#,
        r#"{"event":"return","seq":6,"at":6,"thread":2,"id":"t2.2","failed":true}"#,
    ];
    explained(&trace(&events));
    let set = r#"{"event":"call","seq":5,"at":5,"thread":2,"process":1,"id":"t2.2","op":{"FlushFileBuffers":{"file":"h2"}}}"#;
    let events = [PAIR, set, events[2]];
    let difference =
        check(&trace(&events), &Deviations::default()).difference.expect("it succeeds");
    assert_eq!((difference.model.as_str(), difference.recorded.as_str()), ("ok", "a failure"));
}

#[test]
fn what_belongs_to_somebody_else_is_left_out_and_counted() {
    let events = [
        PAIR,
        r#"{"event":"call","seq":5,"at":5,"thread":2,"process":1,"id":"t2.2","op":{"CreateFile":{"name":"\\\\.\\pipe\\other","access":3221225472,"flags":0,"inherit":false}}}"#,
        r#"{"event":"return","seq":6,"at":6,"thread":2,"id":"t2.2","error":0,"output":{"handle":"h3"}}"#,
        r#"{"event":"call","seq":7,"at":7,"thread":2,"process":1,"id":"t2.3","op":{"ReadFile":{"file":"h3","length":64,"delivery":"return"}}}"#,
        r#"{"event":"block","seq":8,"at":7,"thread":2,"id":"t2.3"}"#,
        r#"{"event":"return","seq":9,"at":8,"thread":2,"id":"t2.3","error":0,"information":1}"#,
        r#"{"event":"call","seq":10,"at":9,"thread":2,"process":1,"id":"t2.4","op":{"CloseHandle":{"handle":"h9"}}}"#,
        r#"{"event":"return","seq":11,"at":10,"thread":2,"id":"t2.4","error":0}"#,
    ];
    let mut trace = trace(&events);
    assert!(!check(&trace, &Deviations::default()).is_explained());
    trace.header.start = Start::Unknown;
    assert_eq!(explained(&trace).not_checked, 7);
}

#[test]
fn an_assumed_call_comes_when_it_is_needed_and_succeeds() {
    let assumed = PAIR.replacen("\"at\":1,", "", 1).replacen("\"at\":2,", "", 1).replacen(
        "\"inherit\":false}}}",
        "\"inherit\":false}},\"assumed\":true}",
        1,
    );
    explained(&trace(&[&assumed.replacen("\"error\":0,", "", 1)]));
    let wrong = assumed.replacen("\"error\":0,", "", 1).replacen(
        "\"max_instances\":1",
        "\"max_instances\":0",
        1,
    );
    let difference = check(&trace(&[&wrong]), &Deviations::default()).difference.expect("it fails");
    let needed = difference.unplaced.iter().find(|one| one.id == "t1.1").expect("it is blamed");
    assert_eq!(needed.recorded, "a success that others need");
}

#[test]
fn an_unknown_argument_leaves_the_verdict_open() {
    let unknown = PAIR.replacen(
        "\"inherit\":false}}}",
        "\"inherit\":false}},\"unknown\":[\"max_instances\"]}",
        1,
    );
    let another = r#"{"event":"call","seq":5,"at":5,"thread":1,"process":1,"id":"t1.2","op":{"CreateNamedPipe":{"name":"\\\\.\\pipe\\x","open_mode":3,"pipe_mode":0,"max_instances":1,"out_buffer":64,"in_buffer":64,"default_timeout":0,"inherit":false}}}
{"event":"return","seq":6,"at":6,"thread":1,"id":"t1.2","error":0,"output":{"handle":"h3"}}"#;
    explained(&trace(&[&unknown]));
    let checked = check(&trace(&[&unknown, another]), &Deviations::default());
    assert_eq!(checked.difference, None);
    let why = checked.unknown.expect("nobody knows");
    assert!(
        why.starts_with("not with the values that stand for unknown arguments of t1.1"),
        "{why}"
    );
    assert!(check(&trace(&[PAIR, another]), &Deviations::default()).difference.is_some());
}

#[test]
fn stamps_that_go_back_are_found() {
    let wrong = PAIR.replacen("\"at\":2,", "\"at\":0,", 1);
    let difference = check(&trace(&[&wrong]), &Deviations::default()).difference.expect("nonsense");
    assert_eq!(
        (difference.line, difference.model.as_str(), difference.recorded.as_str()),
        (3, "a stamp of at least 1", "0")
    );
    let wrong = PAIR.replacen("\"id\":\"t2.1\"", "\"id\":\"t2.7\"", 1);
    let difference = check(&trace(&[&wrong]), &Deviations::default()).difference.expect("nonsense");
    assert_eq!((difference.line, difference.model.as_str()), (4, "call t2.1"));
}

#[test]
fn a_byte_for_unknown_ones_is_one_that_nobody_has() {
    let all: Vec<u8> = (0..=255).collect();
    let mut trace = trace(&[
        PAIR,
        r#"{"event":"call","seq":5,"at":5,"thread":2,"process":1,"id":"t2.2","op":{"WriteFile":{"file":"h2","data":{"txt":""},"delivery":"return"}},"size":4}"#,
        r#"{"event":"return","seq":6,"at":6,"thread":2,"id":"t2.2","error":0,"information":4}"#,
        r#"{"event":"call","seq":7,"at":7,"thread":1,"process":1,"id":"t1.2","op":{"ReadFile":{"file":"h1","length":4,"delivery":"return"}}}"#,
        r#"{"event":"return","seq":8,"at":8,"thread":1,"id":"t1.2","error":0,"data":{"hex":"ff00fe01"}}"#,
        r#"{"event":"call","seq":9,"at":9,"thread":1,"process":1,"id":"t1.3","op":{"WriteFile":{"file":"h1","data":{"txt":""},"delivery":"return"}}}"#,
    ]);
    explained(&trace);
    for (_, event) in &mut trace.events {
        if let Event::Call { id, op: Op::Call(Call::WriteFile { data, .. }), .. } = event {
            if id == "t1.3" {
                *data = Data::from(all.clone());
            }
        }
    }
    explained(&trace);
}
