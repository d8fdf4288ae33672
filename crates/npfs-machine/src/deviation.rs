//! The table of known deviations: where a recorded system is known to differ from the model.

use npfs_trace::ParseError;
use serde::{Deserialize, Serialize};

/// The known deviations of one system, from a file of JSON Lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deviations {
    /// The rows, in the order of the file.
    pub rows: Vec<Deviation>,
}

/// One known deviation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// The rule that the recorded system breaks, such as `INFO-56`.
    pub rule: String,
    /// The operation, by its word in scenarios; `*` stands for any.
    pub op: String,
    /// What the model gives, as a report prints it; `*` stands for any text. A call that sleeps
    /// is `blocked`, or `blocked for the lock` of its synchronous file object.
    pub model: String,
    /// What was recorded.
    pub recorded: String,
    /// Only in this scenario; everywhere when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Whether the rest of the trace cannot be compared, because the two systems are now in
    /// different states.
    pub ends: bool,
    /// Why the recording does not count.
    pub reason: String,
}

impl Deviations {
    /// Reads a table.
    ///
    /// # Errors
    /// The first place that cannot be read.
    pub fn parse(text: &str) -> Result<Deviations, ParseError> {
        let mut rows = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let row = serde_json::from_str(line).map_err(|error| ParseError {
                line: number,
                column: u32::try_from(error.column().max(1)).unwrap_or(u32::MAX),
                wanted: "a row of the table of deviations".to_owned(),
                found: error.to_string(),
            })?;
            rows.push(row);
        }
        Ok(Deviations { rows })
    }

    /// The first row that knows this difference.
    pub(crate) fn find(&self, difference: &Told<'_>) -> Option<usize> {
        self.rows.iter().position(|row| row.explains(difference))
    }

    /// Rows for the same operation, which may help a reader.
    pub(crate) fn near(&self, op: &str) -> Vec<&Deviation> {
        self.rows.iter().filter(|row| fits(&row.op, op)).collect()
    }
}

/// A difference in words.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) op: &'a str,
    pub(crate) model: &'a str,
    pub(crate) recorded: &'a str,
}

impl Deviation {
    /// The row in words, for a reader who looks for one that fits.
    pub(crate) fn told(&self) -> String {
        format!("{} (model {}, recorded {})", self.rule, self.model, self.recorded)
    }

    fn explains(&self, difference: &Told<'_>) -> bool {
        fits(&self.op, difference.op)
            && self.scenario.as_ref().is_none_or(|name| name == difference.scenario)
            && fits(&self.model, difference.model)
            && fits(&self.recorded, difference.recorded)
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at))
                .any(|at| fits(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits("*", ""));
        assert!(fits("writable=*", "writable=64"));
        assert!(fits("a*c*e", "abcde"));
        assert!(!fits("writable=*", "readable=64"));
        assert!(!fits("ok", "ok 5"));
    }
}
