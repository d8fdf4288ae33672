//! What benchmarks share: contestants take turns in one run, and only their relation counts.

use std::time::Instant;

/// The median time of one turn of each contestant, in nanoseconds. They take turns, so that
/// what the machine does besides hits all alike.
pub fn medians(rounds: usize, turns: u32, contestants: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(rounds); contestants.len()];
    for _ in 0..rounds {
        for (times, contestant) in times.iter_mut().zip(contestants.iter_mut()) {
            let start = Instant::now();
            for _ in 0..turns {
                contestant();
            }
            times.push(start.elapsed().as_nanos() as f64 / f64::from(turns));
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect()
}

/// A row of the table: what, how much, the target, and whether it is met.
pub fn row(what: &str, value: String, target: &str, holds: Option<bool>) {
    let verdict = match holds {
        Some(true) => "ok",
        Some(false) => "MISSED",
        None => "",
    };
    println!("{what:<58} {value:>14}  {target:<12} {verdict}");
}
