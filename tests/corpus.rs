//! The scenarios hold, and the model explains the recordings.

use crate::{npfs, root};

#[test]
fn every_scenario_holds() {
    let ran = npfs(&["run"], &root().join("fixtures/scenarios"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(ran.out.trim_end().ends_with("all hold"), "{}", ran.out);
}

#[test]
fn every_recording_is_explained() {
    let ran = npfs(&["check"], &root().join("fixtures/traces"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let last = ran.out.lines().last().unwrap_or_default();
    assert!(last.ends_with(", 0 unexplained"), "{last}");
    let traces: u32 = last.split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
    assert!(traces >= 40, "{last}");
}

// Wine has no lock of synchronous files: rows of the table say so, and recordings need them.
// rules: SYNC-29 chosen
#[test]
fn every_known_deviation_still_occurs() {
    let ran = npfs(&["check"], &root().join("fixtures/traces"));
    assert_eq!(ran.err, "", "rows that no recording needs");
}
