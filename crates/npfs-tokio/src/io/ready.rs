//! What a pipe is ready for.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

use super::Interest;

/// `tokio::io::Ready`: a set of what can be done now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const EMPTY: Ready = Ready(0);
    /// Reading.
    pub const READABLE: Ready = Ready(1);
    /// Writing.
    pub const WRITABLE: Ready = Ready(2);
    /// The reading half is closed. A pipe does not report it: its end is read as 0 bytes.
    pub const READ_CLOSED: Ready = Ready(4);
    /// The writing half is closed. A pipe does not report it: a write fails.
    pub const WRITE_CLOSED: Ready = Ready(8);
    /// An error. A pipe does not report it.
    pub const ERROR: Ready = Ready(0x20);
    /// Everything.
    pub const ALL: Ready = Ready(0x2F);

    /// Whether it is nothing.
    pub fn is_empty(self) -> bool {
        self == Ready::EMPTY
    }

    /// Whether a read would not wait.
    pub fn is_readable(self) -> bool {
        self.has(Ready::READABLE) || self.is_read_closed()
    }

    /// Whether a write would not wait.
    pub fn is_writable(self) -> bool {
        self.has(Ready::WRITABLE) || self.is_write_closed()
    }

    /// Whether it has [`Ready::READ_CLOSED`].
    pub fn is_read_closed(self) -> bool {
        self.has(Ready::READ_CLOSED)
    }

    /// Whether it has [`Ready::WRITE_CLOSED`].
    pub fn is_write_closed(self) -> bool {
        self.has(Ready::WRITE_CLOSED)
    }

    /// Whether it has [`Ready::ERROR`].
    pub fn is_error(self) -> bool {
        self.has(Ready::ERROR)
    }

    fn has(self, other: Ready) -> bool {
        self & other == other
    }

    /// The part of it that an interest is about.
    pub(crate) fn of_interest(self, interest: Interest) -> Ready {
        let mut mask = Ready::EMPTY;
        if interest.is_readable() {
            mask |= Ready::READABLE | Ready::READ_CLOSED;
        }
        if interest.is_writable() {
            mask |= Ready::WRITABLE | Ready::WRITE_CLOSED;
        }
        if interest.is_error() {
            mask |= Ready::ERROR;
        }
        self & mask
    }
}

impl BitOr for Ready {
    type Output = Ready;
    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

impl BitAnd for Ready {
    type Output = Ready;
    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl Sub for Ready {
    type Output = Ready;
    fn sub(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("is_readable", &self.is_readable())
            .field("is_writable", &self.is_writable())
            .field("is_read_closed", &self.is_read_closed())
            .field("is_write_closed", &self.is_write_closed())
            .field("is_error", &self.is_error())
            .finish()
    }
}
