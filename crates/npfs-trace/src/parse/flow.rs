//! Lines that steer a thread: loops, conditions, and ways out of them.

use std::collections::BTreeMap;

use npfs_abi::ThreadId;

use super::line::Line;
use super::names::Names;
use super::reply;
use crate::error::ParseError;
use crate::scenario::{Condition, Flow};

/// The most turns of a loop.
const MOST_TURNS: u32 = 255;

/// What is open in each thread.
#[derive(Default)]
pub(super) struct Blocks(BTreeMap<ThreadId, Vec<Open>>);

/// A loop or condition that has not ended, and where it began.
#[derive(Clone, Copy)]
struct Open {
    kind: Kind,
    line: u32,
    column: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Loop,
    If,
    Else,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Loop => "loop",
            Kind::If => "if",
            Kind::Else => "else",
        }
    }
}

impl Blocks {
    /// Everything must have ended here.
    pub(super) fn closed(&self) -> Result<(), ParseError> {
        let Some(open) = self.0.values().find_map(|blocks| blocks.last()) else { return Ok(()) };
        Err(ParseError {
            line: open.line,
            column: open.column,
            wanted: format!("an `end` of this {}", open.kind.word()),
            found: "none".to_owned(),
        })
    }
}

/// A line that steers a thread, if this is one.
pub(super) fn flow(
    line: &mut Line<'_>,
    names: &Names,
    blocks: &mut Blocks,
    thread: ThreadId,
) -> Result<Option<Flow>, ParseError> {
    let mark = line.mark();
    let open = blocks.0.entry(thread).or_default();
    let here = |kind, line: &Line<'_>| Open {
        kind,
        line: line.number_of_line(),
        column: line.column(mark),
    };
    let in_loop = open.iter().any(|one| one.kind == Kind::Loop);
    let word = line.try_word();
    Ok(Some(match word {
        Some("loop") => {
            let at = line.mark();
            let times = line.number()?;
            if times == 0 || times > MOST_TURNS {
                return Err(line.wanted_at(at, "a number of turns, 1 to 255"));
            }
            open.push(here(Kind::Loop, line));
            Flow::Loop(times)
        }
        Some("if" | "unless") => {
            line.back_to(mark);
            let condition = condition(line, names)?;
            open.push(here(Kind::If, line));
            Flow::If(condition)
        }
        Some("else") => match open.last_mut() {
            Some(last) if last.kind == Kind::If => {
                *last = here(Kind::Else, line);
                Flow::Else
            }
            Some(_) | None => return Err(line.wanted_at(mark, "an `if` before `else`")),
        },
        Some("end") => match open.pop() {
            Some(_) => Flow::End,
            None => return Err(line.wanted_at(mark, "a `loop` or an `if` before `end`")),
        },
        Some("break" | "again") if !in_loop => {
            return Err(line.wanted_at(mark, "a `loop` around it"));
        }
        Some("break") => Flow::Break(optional(line, names)?),
        Some("again") => Flow::Again(optional(line, names)?),
        Some("stop") => Flow::Stop(optional(line, names)?),
        Some(_) | None => {
            line.back_to(mark);
            return Ok(None);
        }
    }))
}

fn optional(line: &mut Line<'_>, names: &Names) -> Result<Option<Condition>, ParseError> {
    if line.at_end() { Ok(None) } else { condition(line, names).map(Some) }
}

/// `if [WORD is] RESULT [or RESULT]…`
fn condition(line: &mut Line<'_>, names: &Names) -> Result<Condition, ParseError> {
    let unless = line.eat_word("unless");
    if !unless && !line.eat_word("if") {
        return Err(line.wanted("if, unless or the end of the line"));
    }
    let mark = line.mark();
    let of = match line.try_word() {
        Some(_) if line.eat_word("is") => {
            line.back_to(mark);
            let word = names.any_word(line)?;
            line.expect("is")?;
            Some(word)
        }
        Some(_) | None => {
            line.back_to(mark);
            None
        }
    };
    let mut any = vec![reply::expected(line, names)?];
    while line.eat_word("or") {
        any.push(reply::expected(line, names)?);
    }
    Ok(Condition { unless, of, any })
}
