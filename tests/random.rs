//! Random scenarios are what their seed and number say, and the model holds them.

use std::collections::BTreeSet;
use std::fs;

use npfs_trace::Scenario;
use tempfile::TempDir;

use crate::npfs;

#[test]
fn what_is_drawn_reads_holds_and_comes_again() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("drawn");
    let ran = npfs(&["random", "--seed", "7", "--count", "200", "--out"], &out);
    assert_eq!(ran.code, 0, "{}", ran.err);

    let mut texts = BTreeSet::new();
    for number in 1..=200 {
        let text = fs::read_to_string(out.join(format!("random-7-{number:05}.scenario"))).unwrap();
        let scenario = Scenario::parse(&text).unwrap();
        assert_eq!(scenario.to_string(), text);
        texts.insert(text);
    }
    assert_eq!(texts.len(), 200, "no two are the same");

    let held = npfs(&["run"], &out);
    assert_eq!(held.code, 0, "{}", held.out);
    assert!(held.out.ends_with("200 scenarios, 0 orders: all hold\n"), "{}", held.out);

    // One of them alone is the same as among the others.
    let again = folder.path().join("again");
    let ran = npfs(&["random", "--seed", "7", "--from", "123", "--out"], &again);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let alone = fs::read_to_string(again.join("random-7-00123.scenario")).unwrap();
    assert!(texts.contains(&alone));
}

/// Threads, overlapped requests, waits and wrong arguments all occur.
#[test]
fn what_is_drawn_is_varied() {
    let folder = TempDir::new().unwrap();
    let ran = npfs(&["random", "--seed", "3", "--count", "300", "--out"], folder.path());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut all = String::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        all += &fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    let wanted = [
        "thread t4",
        "-> blocked",
        "-> pending",
        " returns ",
        " done ",
        "INVALID_HANDLE",
        "INVALID_PARAMETER",
        "PIPE_CLOSING",
        "CANCELLED",
        "BUFFER_OVERFLOW",
        "PIPE_LISTENING",
        "event=e",
        "read_ex",
        "write_ex",
        "transact",
        "call_pipe",
        "wait_pipe",
        "duplicate",
        "flush",
        "peek",
        "nowait",
        "inbound",
        "outbound",
        "read=message",
        "instances=0",
        "exit_thread",
        "cancel_sync",
        "cancel_io_ex",
        "set_state",
        "wait_any",
        "-b overlapped",
    ];
    for word in wanted {
        assert!(all.contains(word), "{word} does not occur");
    }
}
