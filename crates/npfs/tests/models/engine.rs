//! Runs a model and compares the outcomes with those it names.

use std::collections::BTreeMap;
use std::io::Write;
#[cfg(any(loom, shuttle))]
use std::sync::{Arc, Mutex};

use npfs::{Builder, Simulation};

/// What a run of a model ended with, as one line.
pub type Outcome = String;

/// A race: how to run it once, and how it can end.
#[derive(Clone, Copy)]
pub struct Model {
    /// As its test is called.
    pub name: &'static str,
    /// One run, in a simulation of its own.
    pub body: fn(Builder) -> Outcome,
    /// Every outcome, in order of text.
    pub outcomes: &'static [&'static str],
    /// The most preemptions that loom tries; `None` for all.
    #[cfg_attr(not(loom), expect(dead_code, reason = "only loom is bounded"))]
    pub preemptions: Option<usize>,
    /// Outcomes that loom does not see, with the reason in the model.
    pub missed_by_loom: &'static [&'static str],
}

/// Outcomes with the number of runs that ended so.
type Seen = BTreeMap<Outcome, u64>;

fn builder() -> Builder {
    Simulation::builder().deadlocks_fail()
}

impl Model {
    /// Runs it in every order that the engine knows, and compares.
    ///
    /// # Panics
    /// When the outcomes differ from those that the model names.
    pub fn check(self) {
        let (runs, seen) = self.explore();
        let mut table = format!("{}: {runs} executions\n", self.name);
        for (outcome, count) in &seen {
            table += &format!("  {count:>8}  {outcome}\n");
        }
        // Written past the runner, which would keep it for failures.
        let _ = std::io::stdout().write_all(table.as_bytes());
        let found: Vec<&str> = seen.keys().map(String::as_str).collect();
        let missed: &[&str] = if cfg!(loom) { self.missed_by_loom } else { &[] };
        let wanted: Vec<&str> =
            self.outcomes.iter().copied().filter(|one| !missed.contains(one)).collect();
        assert_eq!(found, wanted, "{}", self.name);
    }

    /// Every order of calls, with real threads that take turns.
    #[cfg(not(any(loom, shuttle)))]
    fn explore(self) -> (u64, Seen) {
        let mut seen = Seen::new();
        let runs = npfs::host::schedule::every_order(|order| {
            *seen.entry((self.body)(builder().schedule(order))).or_default() += 1;
        });
        (runs, seen)
    }

    #[cfg(loom)]
    fn explore(self) -> (u64, Seen) {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let mut loom = loom::model::Builder::new();
        loom.preemption_bound = self.preemptions;
        loom.max_branches = 10_000;
        let inside = seen.clone();
        loom.check(move || {
            let outcome = (self.body)(builder());
            *inside.lock().expect("seen").entry(outcome).or_default() += 1;
        });
        let seen = seen.lock().expect("seen").clone();
        (seen.values().sum(), seen)
    }

    /// Random runs and PCT of depth 3.
    #[cfg(all(shuttle, not(loom)))]
    fn explore(self) -> (u64, Seen) {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let inside = seen.clone();
        let run = move || {
            let outcome = (self.body)(builder());
            *inside.lock().expect("seen").entry(outcome).or_default() += 1;
        };
        shuttle::check_random(run.clone(), 20_000);
        shuttle::check_pct(run, 5_000, 3);
        let seen = seen.lock().expect("seen").clone();
        (seen.values().sum(), seen)
    }
}
