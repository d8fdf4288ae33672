//! What a contestant has done, as a line of text: each runs in a process of its own, so that its
//! peak memory is its own.

use std::fmt;
use std::time::Duration;

/// What a contestant has done.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Measured {
    pub seconds: f64,
    pub runs: u64,
    pub states: u64,
    pub steps: u64,
    pub outcomes: usize,
    /// Runs that led to nothing new, and traces, where those are counted.
    pub blocked: u64,
    /// It came to its end, and was not stopped.
    pub complete: bool,
    /// Peak resident memory in kilobytes, and that at its start.
    pub peak: u64,
    pub base: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { seconds, runs, states, steps, outcomes, blocked, complete, peak, base } =
            self;
        write!(f, "{seconds} {runs} {states} {steps} {outcomes} {blocked} {complete} {peak} {base}")
    }
}

impl Measured {
    /// Reads the line of a contestant.
    pub fn parse(line: &str) -> Option<Measured> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [seconds, runs, states, steps, outcomes, blocked, complete, peak, base] = words[..]
        else {
            return None;
        };
        Some(Measured {
            seconds: seconds.parse().ok()?,
            runs: runs.parse().ok()?,
            states: states.parse().ok()?,
            steps: steps.parse().ok()?,
            outcomes: outcomes.parse().ok()?,
            blocked: blocked.parse().ok()?,
            complete: complete.parse().ok()?,
            peak: peak.parse().ok()?,
            base: base.parse().ok()?,
        })
    }

    /// The median of several: `work` is repeated up to `most` times or for 100 ms.
    pub fn median(most: usize, mut work: impl FnMut() -> Measured) -> Measured {
        let mut all = Vec::new();
        let mut spent = 0.0;
        while all.len() < most.max(1) && (all.is_empty() || spent < 0.1) {
            let one = work();
            spent += one.seconds;
            all.push(one);
        }
        all.sort_by(|one, two| one.seconds.total_cmp(&two.seconds));
        all[all.len() / 2]
    }
}

/// The most memory this process has had, in kilobytes; 0 where it is not told.
pub fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A time for people.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} us", s * 1e6),
    }
}

/// A limit in seconds.
pub fn limit(text: Option<&str>) -> Option<Duration> {
    text?.parse().ok().map(Duration::from_secs_f64)
}
