//! The goals, and whether this run meets them.

use npfs_bench::row;

use crate::Results;
use crate::measure::{Measured, time};

/// The scenarios whose outcomes random runs have to see.
pub const ALL_OUTCOMES: [&str; 5] = ["s2", "s2x3", "s3n3", "s3n5", "s4x2"];
/// Those that loom and shuttle do not finish.
const ENDLESS: [&str; 4] = ["s2", "s2x3", "s3n3", "s5"];
/// Loom and shuttle in every form.
const OTHERS: [&str; 4] = ["loom-blocking", "loom-lean", "shuttle-blocking", "shuttle-lean"];

fn find<'a>(results: &'a Results, contestant: &str, scenario: &str) -> Option<&'a Measured> {
    results.get(&(contestant.to_owned(), scenario.to_owned()))
}

/// Prints the goals with the ratios of this run.
pub fn print(results: &Results, limit: f64) {
    println!("\n{:<58} {:>14}  {:<12}", "Goals, as ratios of this run", "", "target");
    outcomes(results);
    for (goal, engine, wanted) in [(1, "npfs", 1000.0), (2, "npfs-code", 100.0)] {
        exhausted(results, limit, goal, engine, wanted);
    }
    traces(results);
    states_a_second(results);
    runs_a_second(results);
    all_outcomes(results, limit / 2.0);
    seeded_bugs(results);
    memory(results);
}

/// Contestants that ran every order have to agree on the outcomes.
fn outcomes(results: &Results) {
    for scenario in crate::NAMES {
        let complete = results.iter().filter(|((contestant, of), one)| {
            of == scenario && one.complete && crate::SEARCHES.contains(&contestant.as_str())
        });
        // Code says less of an outcome, and more: it has its own number.
        let counts: Vec<usize> = complete
            .filter(|((contestant, _), _)| !contestant.starts_with("npfs-code"))
            .map(|(_, one)| one.outcomes)
            .collect();
        let equal = counts.windows(2).all(|two| two[0] == two[1]);
        let what = format!("outcomes of {scenario}, {} contestants", counts.len());
        let list: Vec<String> = counts.iter().take(1).map(usize::to_string).collect();
        let text = if equal { list.join("") } else { format!("{counts:?}") };
        row(&what, text, "equal", (counts.len() > 1).then_some(equal));
    }
}

fn exhausted(results: &Results, limit: f64, goal: u32, engine: &str, wanted: f64) {
    for scenario in ["s3n2", "s4x2"] {
        let times = OTHERS.iter().filter_map(|other| find(results, other, scenario));
        let best = times.filter(|one| one.complete).map(|one| one.seconds);
        let best = best.min_by(f64::total_cmp);
        let Some(own) = find(results, engine, scenario).filter(|own| own.complete) else {
            row(&format!("{goal}: {engine} on {scenario}"), "not finished".into(), "", Some(false));
            continue;
        };
        let (factor, other) = match best {
            Some(best) => (best / own.seconds, time(best)),
            None => (limit / own.seconds, format!("> {}", time(limit))),
        };
        let what = format!("{goal}: {scenario}, loom or shuttle {other} / {engine}");
        row(&what, format!("{factor:.0}"), &format!(">= {wanted}"), Some(factor >= wanted));
    }
    for scenario in ENDLESS {
        let Some(own) = find(results, engine, scenario) else { continue };
        let finished: Vec<&str> = OTHERS
            .into_iter()
            .filter(|other| find(results, other, scenario).is_some_and(|one| one.complete))
            .collect();
        let factor = limit / own.seconds;
        let who = if finished.is_empty() { String::new() } else { format!(" ({finished:?} end)") };
        let what = format!("{goal}: {scenario}, stopped after {} / {engine}{who}", time(limit));
        row(&what, format!("{factor:.0}"), &format!(">= {wanted}"), Some(factor >= wanted));
    }
}

/// Executions of the search that remembers nothing, against those of loom.
fn traces(results: &Results) {
    for engine in ["npfs-traces", "npfs-code-traces"] {
        for scenario in ["s1", "s3n2", "s4x2"] {
            let Some(own) = find(results, engine, scenario).filter(|own| own.complete) else {
                let what = format!("3: {engine} on {scenario}");
                row(&what, "not finished".into(), "", Some(false));
                continue;
            };
            let text = format!("{} ({})", own.runs, own.blocked);
            let what = format!("3: {scenario}, {engine}: executions (blocked)");
            row(&what, text, "none blocked", Some(own.blocked == 0));
            let Some(other) = find(results, "loom-lean", scenario) else { continue };
            let factor = other.runs as f64 / own.runs as f64;
            let end = if other.complete { "" } else { " stopped" };
            let what = format!("3: {scenario}, loom lean{end} {} / {engine}", other.runs);
            row(&what, format!("{factor:.0}"), ">= 40", Some(factor >= 40.0));
        }
    }
}

fn states_a_second(results: &Results) {
    let rate = |engine| find(results, engine, "s2x5").map(|one| one.states as f64 / one.seconds);
    let (Some(one), Some(two), Some(lean), Some(other)) =
        (rate("npfs"), rate("npfs-2-jobs"), rate("npfs-lean"), rate("stateright"))
    else {
        return;
    };
    for (engine, own) in [("npfs", one), ("npfs-lean", lean)] {
        let factor = own / other;
        row(
            &format!("4: states/s on s2x5, {engine} {own:.0} / stateright {other:.0}"),
            format!("{factor:.2}"),
            ">= 2",
            Some(factor >= 2.0),
        );
    }
    let factor = two / one;
    row("4: the same, two workers / one", format!("{factor:.2}"), ">= 1.6", Some(factor >= 1.6));
}

fn runs_a_second(results: &Results) {
    for (form, wanted) in [("blocking", 5.0), ("lean", 3.0)] {
        for strategy in ["random", "pct3"] {
            for scenario in ["s2", "s3n3", "s4x2"] {
                let rate = |name: String| {
                    find(results, &name, scenario).map(|one| one.runs as f64 / one.seconds)
                };
                let own = rate(format!("npfs-{strategy} rate"));
                let other = rate(format!("shuttle-{form}-{strategy} rate"));
                let (Some(own), Some(other)) = (own, other) else { continue };
                let factor = own / other;
                row(
                    &format!("5: {strategy} runs/s on {scenario}, npfs / shuttle {form}"),
                    format!("{factor:.2}"),
                    &format!(">= {wanted}"),
                    Some(factor >= wanted),
                );
            }
        }
    }
}

/// `limit` is where drawn runs were stopped.
fn all_outcomes(results: &Results, limit: f64) {
    for scenario in ALL_OUTCOMES {
        let best = |whose: &str| {
            let names = crate::DRAWN.iter().filter(|name| name.starts_with(whose));
            names
                .filter_map(|name| find(results, &format!("{name} all"), scenario))
                .filter(|one| one.complete)
                .map(|one| one.seconds)
                .min_by(f64::total_cmp)
        };
        let searched = find(results, "npfs", scenario).map(|one| one.seconds);
        let (Some(drawn), Some(searched)) = (best("npfs"), searched) else { continue };
        let (own, how) = if searched < drawn { (searched, "search") } else { (drawn, "drawn") };
        let (other, not_in) = match best("shuttle") {
            Some(best) => (best, ""),
            None => (limit, "not in "),
        };
        let factor = other / own;
        let what =
            format!("6: every outcome of {scenario}, shuttle {not_in}{} / npfs {how}", time(other));
        row(&what, format!("{factor:.1}"), ">= 10", Some(factor >= 10.0));
        let what = format!("   the same, npfs drawn {}", time(drawn));
        row(&what, format!("{:.1}", other / drawn), "", None);
    }
}

fn seeded_bugs(results: &Results) {
    let Some(own) = find(results, "npfs", crate::BUGS) else { return };
    let text = own.outcomes.to_string();
    row(
        "7: seeded bugs found by search",
        text,
        ">= 30, all",
        Some(own.complete && own.outcomes >= 30),
    );
    let others = crate::FINDERS.iter().filter(|name| name.starts_with("shuttle"));
    let best = others
        .filter_map(|name| Some((name, find(results, name, crate::BUGS)?)))
        .min_by(|(_, one), (_, two)| one.seconds.total_cmp(&two.seconds));
    let Some((name, best)) = best else { return };
    let factor = best.seconds / own.seconds;
    let what = format!(
        "7: all of them, {name} {} ({} found) / npfs {}",
        time(best.seconds),
        best.outcomes,
        time(own.seconds)
    );
    row(&what, format!("{factor:.1}"), ">= 20", Some(factor >= 20.0));
}

fn memory(results: &Results) {
    let drawn = crate::DRAWN.iter().filter(|name| name.starts_with("npfs"));
    let peaks = drawn.filter_map(|name| find(results, &format!("{name} rate"), "s2"));
    if let Some(most) = peaks.map(|one| one.peak).max() {
        let text = format!("{:.1} MB", most as f64 / 1000.0);
        row("10: peak memory of drawn runs", text, "<= 4 MB", Some(most <= 4000));
    }
    for engine in ["npfs-lean", "npfs"] {
        let Some(one) = find(results, engine, "s2x5") else { continue };
        let bytes = (one.peak - one.base) as f64 * 1024.0 / one.states.max(1) as f64;
        let what = format!("10: {engine}: memory over the base, a state ({} states)", one.states);
        row(&what, format!("{bytes:.1} B"), "<= 24 B", Some(bytes <= 24.0));
    }
}
