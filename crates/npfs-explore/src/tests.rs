//! Small scenarios with known answers.

use std::sync::Arc;

use npfs_trace::Scenario;
use npfs_trace::scenario::ChoicePoint;

use crate::strategy::{Pct, Portfolio, Pos, RandomWalk, Sampler, Strategy, Urw, sample};
use crate::{
    Limits, Model, NotShrunk, Partition, Report, Standing, explore, explore_part, merge, replay,
    schedule, shrink,
};

fn model(text: &str) -> Model {
    let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{error}"));
    Model::new(&scenario).unwrap_or_else(|unfit| panic!("{unfit}"))
}

fn whole(model: Model) -> Report {
    explore(&Arc::new(model), &Limits::default(), &mut |_| {}).expect("it can be run")
}

fn fixture(name: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/scenarios");
    std::fs::read_to_string(root.join("explore").join(name)).expect("the fixture")
}

/// Two writers of 2, 3 or 5 bytes each share an end: as many outcomes as there are orders of
/// their bytes.
#[test]
fn every_order_of_bytes_is_an_outcome() {
    for (name, outcomes) in [("s3n2.scenario", 6), ("s3n3.scenario", 20), ("s3n5.scenario", 252)] {
        let report = whole(model(&fixture(name)));
        assert_eq!(report.outcomes.len(), outcomes, "{name}");
        assert_eq!(report.completeness(), "complete");
        let sum: u128 = report.outcomes.iter().filter_map(|outcome| outcome.interleavings).sum();
        assert_eq!(Some(sum), report.interleavings, "{name}");
    }
}

#[test]
fn unrelated_pairs_are_searched_one_after_the_other() {
    let limits = Limits { reduce: true, ..Limits::default() };
    let model = Arc::new(model(&fixture("s5.scenario")));
    let reduced = explore(&model, &limits, &mut |_| {}).expect("it can be run");
    let all = explore(&model, &Limits::default(), &mut |_| {}).expect("it can be run");
    assert_eq!((all.states, reduced.states), (841, 85));
    let lines = |report: &Report| -> Vec<_> {
        report.outcomes.iter().map(|outcome| outcome.lines.clone()).collect()
    };
    assert_eq!(lines(&all), lines(&reduced));
}

/// The write is longer than the quota, so its thread falls asleep; the reader that holds the file
/// object takes a part, lets the other reader go on, and that one takes the rest: all of that in
/// the step of the write, which wakes its own thread.
#[test]
fn a_thread_may_wake_in_the_step_in_which_it_fell_asleep() {
    let text = "thread a\nthread b\nthread w\n\n\
        a: s = create_pipe \\\\.\\pipe\\own out=8 in=8\n\
        w: c = open \\\\.\\pipe\\own\nrace\n\
        a: read s 3\nb: read s 64\nw: write c \"cccccccccccc\"\n";
    let report = whole(model(text));
    let last = |lines: &[String]| lines.last().cloned().unwrap_or_default();
    let ends: Vec<String> = report.outcomes.iter().map(|one| last(&one.lines)).collect();
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|end| end == "w: write ok 12"), "{ends:?}");
}

/// The call sleeps and returns its end, and its status block has it as well.
#[test]
fn an_overlapped_on_a_synchronous_handle_has_a_status_block() {
    let text = "thread a\nthread b\n\na: s = create_pipe \\\\.\\pipe\\own\n\
        b: c = open \\\\.\\pipe\\own\nrace\n\
        a: r = read s 8 overlapped\na: result s r\nb: write c \"x\"\n";
    let report = whole(model(text));
    let results: Vec<&String> = report
        .outcomes
        .iter()
        .flat_map(|one| &one.lines)
        .filter(|line| line.contains("result"))
        .collect();
    assert_eq!(results, ["a: r=read ok 1 \"x\", result ok 1 \"x\""]);
}

/// A portfolio of random strategies sees every outcome, and the same ones every time.
#[test]
fn random_runs_see_every_outcome() {
    let model = Arc::new(model(&fixture("s3n3.scenario")));
    let walk = |seed| sample(&model, &mut RandomWalk::new(seed), 3_000, "random").expect("runs");
    assert_eq!(walk(1).outcomes.len(), 20);
    assert_eq!(walk(7), walk(7));
    assert_ne!(walk(7).outcomes, walk(8).outcomes, "another seed draws other orders");
    let pct = sample(&model, &mut Pct::new(1, 6), 3_000, "pct").expect("runs");
    assert_eq!(pct.outcomes.len(), 20);
}

/// Each strategy that can see every outcome does so, within a number of runs that none of the
/// seeds needs. PCT of depth d cannot: it makes d - 1 changes.
#[test]
fn every_strategy_reaches_every_outcome_that_it_can() {
    let seeds = 1..=5;
    for (name, outcomes, most) in [("s2.scenario", 12, 4_000), ("s3n3.scenario", 20, 2_000)] {
        let model = Arc::new(model(&fixture(name)));
        let reached = |strategy: &mut dyn Strategy| {
            let mut sampler = Sampler::new(&model).expect("it can be run");
            while sampler.outcomes() < outcomes && sampler.runs() < most {
                sampler.run(strategy);
            }
            sampler.outcomes()
        };
        for seed in seeds.clone() {
            assert_eq!(reached(&mut RandomWalk::new(seed)), outcomes, "random on {name}");
            assert_eq!(reached(&mut Urw::new(seed)), outcomes, "urw on {name}");
            assert_eq!(reached(&mut Pos::new(seed)), outcomes, "pos on {name}");
            assert_eq!(reached(&mut Portfolio::new(seed)), outcomes, "portfolio on {name}");
            assert_eq!(reached(&mut Pct::new(seed, 6)), outcomes, "pct on {name}");
        }
    }
}

#[test]
fn a_run_is_undone_at_its_end() {
    let model = Arc::new(model(&fixture("s2.scenario")));
    let fresh = |seed| sample(&model, &mut Portfolio::new(seed), 1, "one").expect("runs");
    let mut sampler = Sampler::new(&model).expect("it can be run");
    // What the first run leaves behind would show in the second.
    for seed in [3, 4, 5] {
        sampler.run(&mut Portfolio::new(seed));
        assert_eq!(sampler.again(), Ok(()));
    }
    let lines = |report: Report| -> Vec<_> {
        report.outcomes.into_iter().map(|outcome| outcome.lines).collect()
    };
    let mut apart: Vec<_> = [3, 4, 5].into_iter().flat_map(|seed| lines(fresh(seed))).collect();
    apart.sort();
    apart.dedup();
    assert_eq!(lines(sampler.report("three")), apart);
}

// Windows promises no order of waiters (SYNC-18).
#[test]
fn any_waiter_may_be_first_where_that_is_switched_on() {
    let text = "process p\nthread a in p\nthread b in p\nthread s in p\n\
                s: e = create_event\na: x = wait_any e\nb: y = wait_any e\nrace\ns: set_event e\n\
                reachable: thread a is blocked and y is ok\n";
    let fixed = model(text);
    let mut open = fixed.clone();
    open.set_choice(ChoicePoint::Waiters, true);
    let (fixed, open) = (whole(fixed), whole(open));
    assert_eq!((fixed.outcomes.len(), open.outcomes.len()), (1, 2));
    assert_eq!(fixed.verdicts[0].state, Standing::Broken);
    assert_eq!(open.verdicts[0].witness.as_ref().expect("an order").schedule, "s!b");
}

#[test]
fn a_deadline_may_come_early_where_that_is_switched_on() {
    let text = "process p\nthread a in p\nthread s in p\ns: e = create_event\nrace\n\
                a: x = wait_any e timeout=5ms\ns: set_event e\n";
    let lazy = model(text);
    let mut eager = lazy.clone();
    eager.set_choice(ChoicePoint::Timers, true);
    assert_eq!((whole(lazy).outcomes.len(), whole(eager).outcomes.len()), (1, 2));
}

#[test]
fn a_deadlock_is_found_with_its_cycle_and_can_be_replayed() {
    let text = "process server\nprocess client\nthread s in server\nthread c in client\n\
                s: p = create_pipe \\\\.\\pipe\\x in=2 out=2\nc: h = open \\\\.\\pipe\\x\nrace\n\
                s: write p \"reply\"\ns: read p 8\nc: write h \"reply\"\nc: read h 8\n\
                broken never: deadlock\n";
    let model = model(text);
    let report = whole(model.clone());
    assert!(report.holds());
    let witness = report.verdicts[0].witness.as_ref().expect("an order");
    assert_eq!(witness.preemptions, 0);
    assert!(witness.notes.iter().any(|note| note == "cycle: s -> c -> s"), "{:?}", witness.notes);
    let order = schedule::parse(&witness.schedule, &["s", "c"]).expect("a schedule");
    let shown = replay(&Arc::new(model), &order).expect("it can be run");
    assert_eq!(shown.text, witness.transcript);
    assert_eq!(shown.broken, ["broken never: deadlock"]);
}

#[test]
fn a_bounded_search_says_so() {
    let model = Arc::new(model(&fixture("s2.scenario")));
    for (limits, bound) in [
        (Limits { states: 50, ..Limits::default() }, "bounded by 50 states"),
        (Limits { depth: 5, ..Limits::default() }, "bounded by 5 steps"),
        (Limits { preemptions: Some(1), ..Limits::default() }, "bounded by 1 preemptions"),
    ] {
        let report = explore(&model, &limits, &mut |_| {}).expect("it can be run");
        assert_eq!(report.completeness(), bound);
    }
}

#[test]
fn any_number_of_workers_finds_the_same() {
    let text = fixture("s2x3.scenario") + "never: deadlock\nreachable: h1 is ok and h3 is ok\n";
    let model = Arc::new(model(&text));
    for preemptions in [None, Some(2)] {
        let search = |jobs| {
            let limits = Limits { jobs, preemptions, ..Limits::default() };
            explore(&model, &limits, &mut |_| {}).expect("it can be run")
        };
        let one = search(1);
        for jobs in [2, 3, 8] {
            assert_eq!(search(jobs), one, "{jobs} workers");
        }
    }
}

#[test]
fn parts_put_together_are_the_whole() {
    let text =
        fixture("s2x3.scenario") + "never: deadlock\nbroken outcome: h1 is ok and h3 is ok\n";
    let mut model = model(&text);
    model.set_choice(ChoicePoint::Waiters, true);
    let model = Arc::new(model);
    for preemptions in [None, Some(2)] {
        let limits = Limits { preemptions, ..Limits::default() };
        let whole = explore(&model, &limits, &mut |_| {}).expect("it can be run");
        for of in [1, 2, 5] {
            let part = |number| {
                let partition = Partition::new(number, of).expect("a part");
                let part = || explore_part(&model, &limits, partition, &mut |_| {}).expect("runs");
                assert_eq!(part(), part(), "the same every time");
                part()
            };
            // In any order, and one of them twice.
            let mut parts: Vec<String> = (1..=of).rev().map(part).collect();
            parts.push(parts[0].clone());
            assert_eq!(merge(&parts).as_ref(), Ok(&whole), "{of} parts");
            if of == 5 {
                let edges = |part: &String| part.len();
                let most = parts.iter().map(edges).max().unwrap_or(0);
                let all = edges(&{
                    explore_part(&model, &limits, Partition::new(1, 1).expect("one"), &mut |_| {})
                        .expect("runs")
                });
                assert!(most < all, "a part is less than the whole: {most} of {all}");
                parts.remove(1);
                let bounded = merge(&parts).expect("they belong together");
                assert!(bounded.completeness().contains("missing parts (4 of 5)"), "{bounded:?}");
            }
        }
    }
    assert!(Partition::new(0, 2).is_none() && Partition::new(3, 2).is_none());
}

#[test]
fn what_is_no_part_is_refused() {
    let one = Arc::new(model(&fixture("s1.scenario")));
    let other = Arc::new(model(&fixture("s3n2.scenario")));
    let part = |model| {
        let partition = Partition::new(1, 2).expect("a part");
        explore_part(model, &Limits::default(), partition, &mut |_| {}).expect("runs")
    };
    let (one, other) = (part(&one), part(&other));
    for (parts, place, why) in [
        (vec![one.clone(), other], 1, "wanted a part of the same search"),
        (vec![one.clone(), "{}".to_owned()], 1, "wanted a number `npfs_part`"),
        (vec!["x".to_owned()], 0, "expected value"),
        (vec![one.replacen("\"edges\":\"", "\"edges\":\"é", 1)], 0, "wanted rows of hexadecimal"),
        (vec![one.replacen("\"edges\":\"", "\"edges\":\"+", 1)], 0, "wanted rows of hexadecimal"),
        (Vec::new(), 0, "wanted at least one part"),
    ] {
        let error = merge(&parts).expect_err("it is refused");
        assert!(error.0 == place && error.1.starts_with(why), "{error:?}");
    }
}

#[test]
fn a_word_of_another_thread_is_waited_for() {
    let text = "process p\nthread a in p\nthread b in p\n\
                a: e = create_event\nb: x = set_event e\noutcome: x is ok\n";
    let report = whole(model(text));
    assert_eq!((report.interleavings, report.holds()), (Some(1), true));
}

#[test]
fn a_condition_on_the_word_of_another_thread_is_refused() {
    let text = "thread a\nthread b\na: e = create_event\nb: stop if e is ok\n";
    let scenario = Scenario::parse(text).expect("it reads");
    let unfit = Model::new(&scenario).expect_err("it cannot be explored");
    assert_eq!(unfit.line, 4);
}

/// A failing flush tells of what is lost in its own direction of its own pipe, and of no more.
#[test]
fn lost_data_is_counted_pipe_by_pipe() {
    let text = "process server\nprocess client\nthread s in server\nthread c in client\n\
                s: p = create_pipe \\\\.\\pipe\\x\ns: q = create_pipe \\\\.\\pipe\\y\n\
                c: h = open \\\\.\\pipe\\x\nc: i = open \\\\.\\pipe\\y\n\
                c: write h \"abc\"\n";
    let told = "race\nc: f = flush h\ns: close p\n";
    for (more, state) in [
        ("", Standing::Holds),
        ("c: write i \"x\"\n", Standing::Broken),
        ("s: write q \"x\"\n", Standing::Broken),
        ("c: write i \"x\"\ns: read q 1\n", Standing::Holds),
    ] {
        let text = format!("{text}{more}{told}outcome: f is ok or not lost data\n");
        let report = whole(model(&text));
        assert_eq!(report.verdicts[0].state, state, "{text}\n{}", report.table());
    }
}

/// Without the graph: the same states, steps, outcomes and verdicts; witnesses that can be
/// replayed.
#[test]
fn a_lean_search_finds_the_same() {
    let text = fixture("s2x3.scenario")
        + "never: deadlock\nbroken outcome: h1 is ok and h3 is ok\nreachable: h1 is ok\n";
    let model = Arc::new(model(&text));
    let limits = Limits { lean: true, ..Limits::default() };
    let lean = explore(&model, &limits, &mut |_| {}).expect("it can be run");
    let whole = explore(&model, &Limits::default(), &mut |_| {}).expect("it can be run");
    assert_eq!((lean.states, lean.transitions), (whole.states, whole.transitions));
    assert_eq!((lean.depth, lean.interleavings), (whole.depth, None));
    let names: Vec<&str> =
        model.scenario().threads.iter().map(|thread| thread.name.as_str()).collect();
    assert_eq!(lean.outcomes.len(), whole.outcomes.len());
    for (one, other) in lean.outcomes.iter().zip(&whole.outcomes) {
        assert_eq!(one.lines, other.lines);
        let order = schedule::parse(&one.schedule, &names).expect("a schedule");
        assert_eq!(replay(&model, &order).expect("it can be run").outcome, one.lines);
    }
    for (one, other) in lean.verdicts.iter().zip(&whole.verdicts) {
        assert_eq!((&one.property, one.state), (&other.property, other.state));
        let (one, other) = (one.witness.as_ref(), other.witness.as_ref());
        assert_eq!(one.is_some(), other.is_some());
        assert!(one.map(|one| one.preemptions) >= other.map(|other| other.preemptions));
    }
    let few = Limits { states: 50, ..limits };
    let bounded = explore(&model, &few, &mut |_| {}).expect("it can be run");
    assert_eq!(bounded.completeness(), "bounded by 50 states");
}

/// 32 threads in eight processes: sixteen pairs, each of which begins when the one before is
/// done. Who of the last pair creates the pipe is open.
#[test]
fn thirty_two_threads_give_the_same_on_every_run_and_with_any_number_of_workers() {
    let mut text = String::new();
    (0..8).for_each(|process| text += &format!("process p{process}\n"));
    for pair in 0..16 {
        let (one, two) = (pair % 8, (pair + 1) % 8);
        text += &format!("thread a{pair} in p{one}\nthread b{pair} in p{two}\n");
    }
    for pair in 0..16 {
        for who in ["a", "b"] {
            if pair > 0 {
                // Both words have to be there; the wait ends at once.
                let before = pair - 1;
                text += &format!("{who}{pair}: wait_any ha{before} hb{before} timeout=0\n");
            }
            let made = if pair < 15 { "create_event" } else { "create_pipe \\\\.\\pipe\\x" };
            text += &format!("{who}{pair}: h{who}{pair} = {made}\n");
        }
    }
    let model = Arc::new(model(&text));
    let search = |jobs| {
        let limits = Limits { jobs, ..Limits::default() };
        explore(&model, &limits, &mut |_| {}).expect("it can be run")
    };
    let one = search(1);
    assert_eq!(one.completeness(), "complete");
    assert_eq!(one.outcomes.len(), 2);
    assert!(one.interleavings > Some(1 << 32), "{:?}", one.interleavings);
    for jobs in [1, 2, 8] {
        assert_eq!(search(jobs), one, "{jobs} workers");
    }
    let drawn = || sample(&model, &mut Portfolio::new(9), 30, "the portfolio").expect("runs");
    assert_eq!(drawn(), drawn());
}

/// What is left of a program is what breaks it.
#[test]
fn calls_that_play_no_part_go() {
    let text = "title: Two clients and one instance.\n\
                process p\nprocess q\nthread s in p\nthread c in q\nthread d in q\n\
                s: i = create_pipe \\\\.\\pipe\\a instances=1 -> ok\n\
                s: e = create_event manual\n\
                race\n\
                c: g = open \\\\.\\pipe\\a\n\
                c: write g \"spare\"\n\
                d: h = open \\\\.\\pipe\\a\n\
                d: if ok\nd: write h \"more\"\nd: end\n\
                d: set_event e\n\
                s: connect i\n\
                outcome: h is ok\n";
    let scenario = Scenario::parse(text).expect("it reads");
    let shrunk = shrink(&scenario, &Limits::default()).expect("it is broken");
    let left = "title: Two clients and one instance.\n\
                thread s\nthread c\nthread d\n\n\
                s: i = create_pipe \\\\.\\pipe\\a\nrace\n\
                c: g = open \\\\.\\pipe\\a\nd: h = open \\\\.\\pipe\\a\n\n\
                broken outcome: h is ok\n";
    assert_eq!(shrunk.scenario.to_string(), left);
    assert_eq!((shrunk.calls, shrunk.before), (3, 8));
    assert_eq!((shrunk.witness.schedule.as_str(), shrunk.witness.preemptions), ("c d", 0));

    let why = |text: &str, limits: &Limits| {
        let scenario = Scenario::parse(text).expect("it reads");
        shrink(&scenario, limits).expect_err("nothing to shrink")
    };
    let usual = Limits::default();
    let reachable = text.replace("outcome: h is ok", "reachable: h is PIPE_BUSY");
    assert_eq!(why(&text.replace("outcome: h is ok", "never: deadlock"), &usual), NotShrunk::Holds);
    assert_eq!(why(&reachable, &usual), NotShrunk::NoOrder);
    let few = Limits { states: 2, ..Limits::default() };
    assert!(matches!(why(&text.replace("outcome", "broken outcome"), &few), NotShrunk::Bounded(_)));
    let numbered = text.replace("d: set_event e", "d: cancel_io_ex h d.2");
    assert_eq!(why(&numbered, &usual), NotShrunk::Words);
}
