//! Who comes next, again and again: a schedule, and its text.
//!
//! `s*3 c*2 s clock` says: three steps of `s`, two of `c`, one of `s`, then time passes up to the
//! next deadline. `advance` stands for the next `advance` line. `s!c` is a step of `s` before
//! which `c` becomes the first of those who wait where it waits.

use std::fmt::Write;

use npfs_trace::ParseError;

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Choice {
    /// A thread, from 1; 0 for the clock.
    who: u8,
    /// For a thread: who waits first, from 1, or 0; for the clock: 0 the deadline, 1 the line.
    how: u8,
}

impl Choice {
    /// Time passes up to the next deadline.
    pub const CLOCK: Choice = Choice { who: 0, how: 0 };
    /// Time passes as the next `advance` line says.
    pub const ADVANCE: Choice = Choice { who: 0, how: 1 };

    /// A step of the thread at this place, from 0.
    pub const fn thread(place: usize) -> Choice {
        Choice { who: place as u8 + 1, how: 0 }
    }

    /// The same step after `first` has become the first who waits.
    #[must_use]
    pub const fn with_first(self, first: usize) -> Choice {
        Choice { who: self.who, how: first as u8 + 1 }
    }

    /// Whose step it is, from 0; `None` for the clock.
    pub fn place(self) -> Option<usize> {
        usize::from(self.who).checked_sub(1)
    }

    /// Whose step it is, from 1; 0 for the clock.
    pub(crate) fn thread_or_clock(self) -> usize {
        usize::from(self.who)
    }

    /// A number for it, and back.
    pub(crate) fn code(self) -> u16 {
        u16::from_be_bytes([self.who, self.how])
    }

    pub(crate) fn from_code(code: u16) -> Choice {
        let [who, how] = code.to_be_bytes();
        Choice { who, how }
    }

    /// Who becomes the first who waits, from 0.
    pub fn first(self) -> Option<usize> {
        if self.who == 0 { None } else { usize::from(self.how).checked_sub(1) }
    }
}

/// Whether a step leaves a thread that could have gone on.
pub(crate) fn preempts(last: Option<&Choice>, next: Choice, open: &[Choice]) -> bool {
    last.is_some_and(|last| {
        last.place().is_some()
            && last.place() != next.place()
            && open.iter().any(|other| other.place() == last.place())
    })
}

const CLOCK: &str = "clock";
const ADVANCE: &str = "advance";

/// The text of a schedule. `names` are those of the threads.
pub fn print(schedule: &[Choice], names: &[&str]) -> String {
    let mut text = String::new();
    let mut rest = schedule;
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|choice| *choice == first).count();
        rest = &rest[count..];
        if !text.is_empty() {
            text.push(' ');
        }
        text += &word(*first, names);
        if count > 1 {
            // Writing to a string cannot fail.
            let _ = write!(text, "*{count}");
        }
    }
    text
}

fn word(choice: Choice, names: &[&str]) -> String {
    let name = |place: usize| names.get(place).copied().unwrap_or("?");
    match (choice, choice.place()) {
        (Choice::CLOCK, _) => CLOCK.to_owned(),
        (Choice::ADVANCE, _) | (_, None) => ADVANCE.to_owned(),
        (_, Some(place)) => match choice.first() {
            None => name(place).to_owned(),
            Some(first) => format!("{}!{}", name(place), name(first)),
        },
    }
}

/// The most steps of a schedule that is read.
const LONGEST: usize = 1 << 20;

/// Reads the text of a schedule.
///
/// # Errors
/// The first word that is not one; the line is 1.
pub fn parse(text: &str, names: &[&str]) -> Result<Vec<Choice>, ParseError> {
    let mut schedule = Vec::new();
    let mut at = 0;
    for word in text.split_inclusive([' ', '\t', '\n', '\r']) {
        let column = text[..at].chars().count() as u32 + 1;
        at += word.len();
        let word = word.trim();
        if word.is_empty() {
            continue;
        }
        let error =
            |wanted: String| ParseError { line: 1, column, wanted, found: format!("`{word}`") };
        let (who, count) = match word.split_once('*') {
            None => (word, 1),
            Some((who, count)) => match count.parse::<usize>() {
                Ok(count) if count > 0 => (who, count),
                Ok(_) | Err(_) => return Err(error("a number of steps behind *".to_owned())),
            },
        };
        let find = |name: &str| names.iter().position(|other| *other == name);
        let choice = match who.split_once('!') {
            Some((who, first)) => match (find(who), find(first)) {
                (Some(who), Some(first)) => Some(Choice::thread(who).with_first(first)),
                _ => None,
            },
            None => match find(who) {
                Some(place) => Some(Choice::thread(place)),
                None if who == CLOCK => Some(Choice::CLOCK),
                None if who == ADVANCE => Some(Choice::ADVANCE),
                None => None,
            },
        };
        let Some(choice) = choice else {
            return Err(error(format!("one of {}, {CLOCK}, {ADVANCE}", names.join(", "))));
        };
        if schedule.len() + count > LONGEST {
            return Err(error(format!("at most {LONGEST} steps")));
        }
        schedule.extend(std::iter::repeat_n(choice, count));
    }
    Ok(schedule)
}

#[cfg(test)]
mod tests {
    use super::{Choice, parse, print};

    #[test]
    fn a_schedule_reads_and_prints() {
        let names = ["s", "c"];
        let text = "s*3 c*2 s clock*2 advance s!c c!c*2";
        let schedule = parse(text, &names).unwrap();
        assert_eq!(schedule.len(), 12);
        assert_eq!(schedule[8], Choice::ADVANCE);
        assert_eq!(print(&schedule, &names), text);
        assert_eq!(parse(" \n", &names), Ok(Vec::new()));
    }

    #[test]
    fn errors_say_where() {
        for (text, column, wanted) in [
            ("s x", 3, "one of s, c, clock, advance"),
            ("s s*0", 3, "a number of steps behind *"),
            ("s*", 1, "a number of steps behind *"),
            ("s!y", 1, "one of s, c"),
            ("s*9999999999", 1, "at most"),
        ] {
            let error = parse(text, &["s", "c"]).unwrap_err();
            assert_eq!(error.column, column, "{text}");
            assert!(error.wanted.starts_with(wanted), "{text}: {error}");
        }
    }
}
