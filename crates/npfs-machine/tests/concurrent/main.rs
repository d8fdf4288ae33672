//! Concurrent traces: what is possible is explained, what is not is refused.

mod gaps;
mod generate;
mod size;

use generate::{Random, stepped, stretched};
use npfs_abi::{Data, Status};
use npfs_machine::{Checked, Deviations, Limits, check, check_within};
use npfs_trace::Trace;
use npfs_trace::trace::{Event, Recorded};
use proptest::prelude::*;

/// How many histories each property is tried on; `NPFS_HISTORIES` sets another number.
fn cases() -> u32 {
    std::env::var("NPFS_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

fn explained(trace: &Trace) -> Checked {
    let checked = check(trace, &Deviations::default());
    if !checked.is_explained() {
        let Checked { difference, unknown, order, .. } = &checked;
        let order = order.as_deref().unwrap_or_default();
        panic!("{difference:#?}\n{unknown:?}\n{order}\n{}", trace.write());
    }
    checked
}

/// A history with 1 to 6 threads and up to 60 calls, and how far calls are stretched.
fn history(seed: u64) -> (Trace, Trace, Random) {
    let mut random = Random::new(seed);
    let threads = 1 + random.below(6);
    let (pipes, calls) = (1 + random.below(2), 10 + random.below(50));
    let stepped = stepped(&mut random, threads, pipes, calls);
    let width = random.below(12);
    let stretched = stretched(&stepped, &mut random, width);
    (stepped, stretched, random)
}

/// The results of a trace: returns and ends.
fn results(trace: &mut Trace) -> Vec<(u32, &mut Recorded)> {
    let results = trace.events.iter_mut().filter_map(|(line, event)| match event {
        Event::Return { result, .. } | Event::Done { result, .. } => Some((*line, result)),
        _ => None,
    });
    results.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn what_happened_is_explained(seed in any::<u64>()) {
        let (stepped, stretched, _) = history(seed);
        explained(&stepped);
        let checked = explained(&stretched);
        prop_assert_eq!(checked.not_checked, 0);
        // It is written as it is read.
        prop_assert_eq!(Trace::parse(&stretched.write()), Ok(stretched));
    }

    /// When something happened plays no part in a comparison.
    #[test]
    fn stretching_is_no_difference(seed in any::<u64>()) {
        let (stepped, stretched, _) = history(seed);
        prop_assert!(npfs_trace::diff::diff(&stepped, &stretched).is_empty());
    }

    /// One result is changed to one that no order gives: bytes that nobody wrote, or a status that
    /// the model does not know.
    #[test]
    fn one_impossible_result_is_refused(seed in any::<u64>()) {
        let (_, mut trace, mut random) = history(seed);
        let mut results = results(&mut trace);
        let at = random.below(results.len());
        let Some((line, result)) = results.get_mut(at) else { return Ok(()) };
        let line = *line;
        match &mut result.data {
            Some(data) if !data.is_empty() => {
                let mut bytes = data.to_vec();
                let place = random.below(bytes.len());
                bytes[place] = b'Z';
                *data = Data::from(bytes);
            }
            _ => result.status = Some(Status(0xC000_00E5)),
        }
        let checked = check(&trace, &Deviations::default());
        // Whom to blame is another question: orders that come far may end at a neighbour.
        prop_assert!(checked.difference.is_some(), "line {} is explained: {}", line, trace.write());
    }

    /// The search finds the same with states that are entered again and again.
    #[test]
    fn leaving_out_equal_states_changes_no_verdict(seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let stepped = stepped(&mut random, 3, 1, 14);
        let mut trace = stretched(&stepped, &mut random, 8);
        // Two results change places, which may be possible or not.
        let mut results = results(&mut trace);
        let (one, two) = (random.below(results.len()), random.below(results.len()));
        let (first, second) = (results[one].1.clone(), results[two].1.clone());
        *results[one].1 = second;
        *results[two].1 = first;
        let checked = check(&trace, &Deviations::default());
        let naive = Limits { equal_states: true, steps: 10_000, ..Limits::default() };
        let other = check_within(&trace, &Deviations::default(), &naive);
        prop_assume!(other.unknown.is_none());
        prop_assert_eq!(checked.is_explained(), other.is_explained());
        prop_assert!(checked.effort.steps <= other.effort.steps);
    }
}

/// The planted history of the repository.
#[test]
fn two_clients_on_one_instance_are_refused() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/impossible/two-clients-on-one-instance.jsonl"
    );
    let trace = Trace::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let checked = check(&trace, &Deviations::default());
    let difference = checked.difference.expect("it is impossible");
    // The one who returned first may have been the first; then the other one was too late.
    assert_eq!((difference.line, difference.op.as_str()), (8, "open"));
    assert_eq!(difference.model, "PIPE_NOT_AVAILABLE (231)");
    assert_eq!(difference.recorded, "ok");
    let ids: Vec<&str> = difference.unplaced.iter().map(|one| one.id.as_str()).collect();
    assert!(ids.contains(&"t2.1"), "{ids:?}");
    // With either result for one of them it is possible.
    for line in [7, 8] {
        let mut possible = trace.clone();
        let Event::Return { result, .. } = &mut possible.events[line - 2].1 else { panic!() };
        *result = Recorded { error: Some(231), ..Recorded::default() };
        explained(&possible);
    }
}

/// Nothing is known when the search was cut short.
#[test]
fn a_limit_gives_no_verdict() {
    let mut random = Random::new(5);
    let stepped = stepped(&mut random, 4, 1, 200);
    let trace = stretched(&stepped, &mut random, 8);
    explained(&trace);
    let limits = Limits { steps: 20, ..Limits::default() };
    let checked = check_within(&trace, &Deviations::default(), &limits);
    assert_eq!(checked.difference, None);
    let unknown = checked.unknown.expect("no verdict");
    assert!(unknown.contains("not every order was tried (20 steps)"), "{unknown}");
}
