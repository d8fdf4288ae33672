//! Virtual time.

use core::fmt;

/// A point of virtual time, or a span of it, in units of 100 ns as everywhere in Windows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Time(pub u64);

impl Time {
    /// The start of every simulation.
    pub const ZERO: Time = Time(0);

    /// A span of `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Time {
        Time(ms.saturating_mul(10_000))
    }

    /// This point or span in whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 10_000
    }

    /// This point, `span` later; stops at the end of time.
    #[must_use]
    pub const fn after(self, span: Time) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 { write!(f, "{ms}ms") } else { write!(f, "{ms}.{rest:04}ms") }
    }
}
