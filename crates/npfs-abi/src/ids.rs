//! Names of processes, threads, handles and requests.

use core::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }
    };
}

number! {
    /// A simulated process, numbered from 1 in order of creation. Prints as `p1`.
    ProcessId, "p"
}
number! {
    /// A simulated thread, numbered from 1 in order of creation. Prints as `t1`.
    ThreadId, "t"
}
number! {
    /// A handle value: a multiple of 4, dealt per process. Prints as `h4`.
    Handle, "h"
}

/// The name of a request (IRP): the thread that asked and which of its calls it was.
///
/// Names depend on the asker, never on how threads interleave. Prints as `t2.5`,
/// the fifth kernel call of thread 2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestId {
    /// The thread that issued the call.
    pub thread: ThreadId,
    /// Its number among the calls of that thread, from 1.
    pub call: u32,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.thread, self.call)
    }
}
