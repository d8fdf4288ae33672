//! What a task waits for.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use super::Ready;

/// `tokio::io::Interest`: one or more of reading, writing and errors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

const READABLE: u8 = 1;
const WRITABLE: u8 = 2;
const ERROR: u8 = 4;

impl Interest {
    /// Something can be read, or nothing will ever come.
    pub const READABLE: Interest = Interest(READABLE);
    /// A write would be taken.
    pub const WRITABLE: Interest = Interest(WRITABLE);
    /// Errors; a pipe reports none this way.
    pub const ERROR: Interest = Interest(ERROR);

    /// Whether it has [`Interest::READABLE`].
    pub const fn is_readable(self) -> bool {
        self.0 & READABLE != 0
    }

    /// Whether it has [`Interest::WRITABLE`].
    pub const fn is_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// Whether it has [`Interest::ERROR`].
    pub const fn is_error(self) -> bool {
        self.0 & ERROR != 0
    }

    /// Both interests.
    #[must_use = "this gives the sum and leaves the two as they are"]
    pub const fn add(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    /// This without the other; `None` if nothing is left.
    #[must_use = "this gives the rest and leaves the two as they are"]
    pub fn remove(self, other: Interest) -> Option<Interest> {
        let rest = self.0 & !other.0;
        (rest != 0).then_some(Interest(rest))
    }

    /// What satisfies it in `try_io`. tokio looks at a single interest only: with two at once,
    /// nothing is ever ready for it.
    pub(crate) fn mask(self) -> Ready {
        match self {
            Interest::READABLE => Ready::READABLE | Ready::READ_CLOSED,
            Interest::WRITABLE => Ready::WRITABLE | Ready::WRITE_CLOSED,
            Interest::ERROR => Ready::ERROR,
            _ => Ready::EMPTY,
        }
    }
}

impl BitOr for Interest {
    type Output = Interest;
    fn bitor(self, other: Interest) -> Interest {
        self.add(other)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Interest) {
        *self = *self | other;
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.is_readable(), "READABLE"),
            (self.is_writable(), "WRITABLE"),
            (self.is_error(), "ERROR"),
        ];
        let names: Vec<&str> =
            names.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
        f.write_str(&names.join(" | "))
    }
}
