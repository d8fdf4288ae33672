//! How large a history may be. Effort is counted in steps of the model, never in time.

use npfs_machine::Checked;

use crate::explained;
use crate::generate::{Random, stepped, stretched};

/// Steps of the search for each event of the trace.
fn effort(checked: &Checked) -> f64 {
    checked.effort.steps as f64 / checked.events as f64
}

#[test]
fn a_hundred_thousand_events_in_sequence() {
    let mut random = Random::new(1);
    let trace = stepped(&mut random, 6, 2, 50_000);
    assert!(trace.events.len() > 100_000, "{}", trace.events.len());
    explained(&trace);
    // Stretched by nothing, every call has its place.
    let trace = stretched(&trace, &mut random, 0);
    let checked = explained(&trace);
    assert!(effort(&checked) < 1.0, "{:?}", checked.effort);
}

#[test]
fn eight_threads_that_overlap() {
    for seed in 0..10 {
        let mut random = Random::new(seed);
        let trace = stepped(&mut random, 8, 2, 400);
        let trace = stretched(&trace, &mut random, 16);
        let checked = explained(&trace);
        assert!(effort(&checked) < 1000.0, "{seed}: {:?}", checked.effort);
    }
}
