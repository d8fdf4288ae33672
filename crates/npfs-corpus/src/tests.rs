//! What the corpus stands on: the rewriting, the locks and pointers, the search.

use std::sync::atomic::Ordering;

use crate::bugs::BUGS;
use crate::clients::RELEASES;
use crate::search::{self, Bound};
use crate::stage::{tell, Program, Stage, Symptom};
use crate::surface::std::sync::atomic::AtomicUsize;
use crate::surface::std::sync::{Arc, Mutex};

#[path = "../build/rewrite.rs"]
mod rewrite;

fn rewritten(text: &str) -> String {
    let options = rewrite::Options {
        crate_path: "crate::x".to_owned(),
        std: "std",
        windows_sys: "windows_sys",
        features: &["os-ext"],
    };
    rewrite::rewrite(text, &options).expect("it can be read")
}

#[test]
fn roots_of_paths_are_rewritten() {
    let cases = [
        ("use std::{fmt, sync::Arc};", "use crate::surface::std::{fmt, sync::Arc};"),
        ("pub(crate) use crate::Token;", "pub(crate) use crate::x::Token;"),
        ("use windows_sys::Win32;", "use crate::surface::windows_sys::Win32;"),
        ("impl ::std::fmt::Debug for T {}", "impl crate::surface::std::fmt::Debug for T {}"),
        ("macro_rules! m { () => { $crate::f() } }", "macro_rules! m { () => { $crate::x::f() } }"),
        // Not roots, not paths, not code.
        ("use a::std::b; let std = 1;", "use a::std::b; let std = 1;"),
        ("let s = \"std::mem\"; // std::mem", "let s = \"std::mem\"; // std::mem"),
    ];
    for (before, after) in cases {
        assert_eq!(rewritten(before), after);
    }
}

#[test]
fn conditions_are_those_of_windows() {
    // On a Unix host `unix` holds and `windows` does not.
    let cases = [
        ("#[cfg(windows)] mod a;", "#[cfg(unix)] mod a;"),
        ("#[cfg(not(unix))] mod a;", "#[cfg(not(windows))] mod a;"),
        (
            "#[cfg(all(feature = \"os-ext\", feature = \"net\"))] mod a;",
            "#[cfg(all(unix, windows))] mod a;",
        ),
        ("#[cfg(target_os = \"linux\")] mod a;", "#[cfg(windows)] mod a;"),
        ("#[cfg_attr(test, doc = \"a\")] mod a;", "#[cfg_attr(windows, doc = \"a\")] mod a;"),
        ("#[test] fn t() {}", "#[cfg(windows)] fn t() {}"),
        ("fn f() { cfg!(debug_assertions); }", "fn f() { cfg!(unix); }"),
    ];
    for (before, after) in cases {
        assert_eq!(rewritten(before), after);
    }
}

#[test]
fn lines_stay_where_they_are() {
    let text =
        "//! About.\n#![deny(\n    warnings,\n)]\n#[link(name = \"ntdll\")]\nextern \"C\" {}\n";
    let new = rewritten(text);
    assert_eq!(new, "//! About.\n\n\n\n\nextern \"C\" {}\n");
}

fn find(run: fn(&Stage), interruptions: u32, shows: fn(&Symptom) -> bool) -> search::Search {
    let program = Program { name: "test", run };
    search::search(&program, Bound { interruptions, runs: 10_000 }, shows)
}

#[test]
fn a_lock_keeps_others_out() {
    // With an atomic alone the two steps come apart; with the lock they do not.
    fn count(stage: &Stage, locked: bool) {
        let shared = Arc::new((Mutex::new(()), AtomicUsize::new(0)));
        for name in ["a", "b"] {
            let shared = shared.clone();
            stage.server(name, move || {
                let guard = locked.then(|| shared.0.lock().expect("nobody panics"));
                let before = shared.1.load(Ordering::SeqCst);
                shared.1.store(before + 1, Ordering::SeqCst);
                let after = shared.1.load(Ordering::SeqCst);
                if after != before + 1 {
                    tell(Symptom::Wrong("lost".to_owned()));
                }
                drop(guard);
            });
        }
    }
    let any = |_: &Symptom| true;
    assert!(find(|stage| count(stage, false), 2, any).found.is_some());
    let search = find(|stage| count(stage, true), 2, any);
    assert_eq!(search.found.map(|found| found.symptom), None);
    assert!(search.runs > 20, "{}", search.runs);
}

#[test]
fn locks_in_two_orders_are_a_deadlock() {
    fn cross(stage: &Stage) {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        for (name, first) in [("a", 0), ("b", 1)] {
            let locks = locks.clone();
            stage.server(name, move || {
                let _first = locks[first].lock();
                let _second = locks[1 - first].lock();
            });
        }
    }
    let search = find(cross, 1, |symptom| matches!(symptom, Symptom::Deadlock(_)));
    assert_eq!(search.found.map(|found| found.interruptions), Some(1));
}

#[test]
fn a_reference_too_many_is_told() {
    fn free(stage: &Stage) {
        stage.server("a", || {
            let one = Arc::new(1);
            // SAFETY: this is the mistake that is to be told.
            let two = unsafe { Arc::from_raw(&raw const *one) };
            drop(two);
            drop(one);
        });
    }
    let found = find(free, 0, |_| true).found.expect("it is told");
    let text = "i32 dropped after its last reference".to_owned();
    assert_eq!(found.symptom, Symptom::UseAfterFree(text));
}

#[test]
fn each_order_is_run_once() {
    // Two threads of two turns each.
    fn steps(stage: &Stage) {
        for name in ["a", "b"] {
            stage.server(name, || {
                crate::stage::switch();
                crate::stage::switch();
            });
        }
    }
    let program = Program { name: "test", run: steps };
    let orders = |most| {
        let mut orders = Vec::new();
        search::every_run(&program, most, |run, interruptions| {
            assert!(interruptions <= most);
            orders.push(run.turns.to_string());
            true
        });
        orders.sort();
        orders
    };
    assert_eq!(orders(0), ["a*2 b*2", "b*2 a*2"]);
    assert_eq!(orders(1), ["a b*2 a", "a*2 b*2", "b a*2 b", "b*2 a*2"]);
    assert_eq!(orders(2), ["a b a b", "a b*2 a", "a*2 b*2", "b a b a", "b a*2 b", "b*2 a*2"]);
    assert_eq!(orders(9), orders(2));
}

#[test]
fn every_bug_has_its_program() {
    for bug in BUGS {
        let mut releases = RELEASES.iter().filter(|release| release.0 == bug.package).peekable();
        assert!(releases.peek().is_some(), "{}", bug.name);
        assert!(releases.all(|(_, _, all)| all.iter().any(|one| one.name == bug.program)));
    }
}

#[test]
fn the_page_has_the_expected_table() {
    let page = include_str!("../../../docs/corpus.md");
    let table = include_str!("../expected.txt");
    assert!(page.contains(&format!("```text\n{table}```\n")), "docs/corpus.md has:\n{table}");
    let missing: Vec<&str> = BUGS
        .iter()
        .map(|bug| bug.name)
        .filter(|name| !page.contains(&format!("| `{name}` |")))
        .collect();
    assert!(missing.is_empty(), "docs/corpus.md explains {missing:?}");
}
