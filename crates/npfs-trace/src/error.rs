//! What is wrong in a file, and where.

use std::fmt;

/// A place in a text that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What could have stood there.
    pub wanted: String,
    /// What stands there.
    pub found: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { line, column, wanted, found } = self;
        write!(f, "line {line}, column {column}: wanted {wanted}, found {found}")
    }
}

impl std::error::Error for ParseError {}

/// The column of byte `offset` in `line`, in characters from 1.
pub(crate) fn column(line: &str, offset: usize) -> u32 {
    let before = line.char_indices().take_while(|(at, _)| *at < offset).count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}
