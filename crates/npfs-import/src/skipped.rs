//! What a log held and the trace does not: counted by what it was, with the lines of what is
//! wrong with the log.

use std::collections::BTreeMap;

/// What was left out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Skipped {
    /// How often, by what it was.
    pub counts: BTreeMap<String, u32>,
    /// The lines that could not be used as they are, and what they are.
    pub lines: Vec<(u32, String)>,
}

impl Skipped {
    /// A line that is not as it should be.
    pub(crate) fn line(&mut self, number: u32, what: &str) {
        self.lines.push((number, what.to_owned()));
        self.count(what, 1);
    }

    /// The same, with what is wrong on this line.
    pub(crate) fn bad_line(&mut self, number: u32, why: &str, what: &str) {
        self.lines.push((number, format!("{what}: {why}")));
        self.count(what, 1);
    }

    /// So many things that do not belong into a trace.
    pub(crate) fn count(&mut self, what: &str, times: usize) {
        if times > 0 {
            let count = self.counts.entry(what.to_owned()).or_default();
            *count = count.saturating_add(u32::try_from(times).unwrap_or(u32::MAX));
        }
    }
}
