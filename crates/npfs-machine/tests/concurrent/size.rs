//! How large a history may be. Effort is counted in steps of the model, never in time.

use npfs_abi::Status;
use npfs_machine::{Checked, Deviations, check};
use npfs_trace::trace::Event;

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

/// What is wrong is refused without trying everything: states up to there, each once.
#[test]
fn eight_threads_with_a_wrong_result() {
    for seed in 0..3 {
        let mut random = Random::new(seed);
        let stepped = stepped(&mut random, 8, 2, 120);
        let mut trace = stretched(&stepped, &mut random, 8);
        let results = trace.events.iter_mut().filter_map(|(_, event)| match event {
            Event::Return { result, .. } => Some(result),
            _ => None,
        });
        let mut results: Vec<_> = results.collect();
        let middle = results.len() / 2;
        results[middle].status = Some(Status(0xC000_00E5));
        let checked = check(&trace, &Deviations::default());
        assert!(checked.difference.is_some(), "{seed}: {:?}", checked.effort);
        assert!(checked.effort.states < 100_000, "{seed}: {:?}", checked.effort);
    }
}
