//! Options: the words behind the arguments of an operation, in any order.

use super::line::{Line, Mark};
use crate::error::ParseError;

pub(super) type Read<T> = Result<T, ParseError>;

/// The name of an option, and where it stands.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) mark: Mark<'a>,
}

pub(super) fn next<'a>(line: &mut Line<'a>) -> Read<Option<Named<'a>>> {
    let mark = line.mark();
    Ok(line.option()?.map(|name| Named { name, mark }))
}

impl<'a> Named<'a> {
    pub(super) fn unknown<T>(&self, line: &Line<'a>, known: &str) -> Read<T> {
        Err(line.wanted_at(self.mark, &format!("one of the options {known}")))
    }

    /// The value of an option that is given at most once, or excludes another.
    pub(super) fn set<T>(&self, line: &Line<'a>, slot: &mut Option<T>, value: T) -> Read<()> {
        if slot.replace(value).is_some() {
            let found = format!("`{}`, which is already decided", self.name);
            return Err(line.error_at(self.mark, "every option at most once", &found));
        }
        Ok(())
    }

    pub(super) fn once<T>(
        &self,
        line: &mut Line<'a>,
        slot: &mut Option<T>,
        read: impl FnOnce(&mut Line<'a>) -> Read<T>,
    ) -> Read<()> {
        let value = read(line)?;
        self.set(line, slot, value)
    }

    pub(super) fn flag(&self, line: &Line<'a>, flag: &mut bool) -> Read<()> {
        let mut slot = flag.then_some(true);
        *flag = true;
        self.set(line, &mut slot, true)
    }

    /// Sets one bit.
    pub(super) fn bit(&self, line: &Line<'a>, bits: &mut u32, bit: u32) -> Read<()> {
        let mut slot = (*bits & bit != 0).then_some(());
        *bits |= bit;
        self.set(line, &mut slot, ())
    }

    /// Further bits, none of which may have a word.
    pub(super) fn bits(
        &self,
        line: &mut Line<'a>,
        slot: &mut Option<u32>,
        worded: u32,
    ) -> Read<()> {
        let mark = line.mark();
        let value = line.number()?;
        if value & worded != 0 {
            return Err(line.wanted_at(mark, "only bits that have no word"));
        }
        self.set(line, slot, value)
    }
}

/// The only option there is, or none.
pub(super) fn only_flag(line: &mut Line<'_>, name: &str) -> Read<bool> {
    let mut flag = false;
    while let Some(option) = next(line)? {
        if option.name == name {
            option.flag(line, &mut flag)?;
        } else {
            return Err(line.wanted_at(option.mark, &format!("the option {name} or no more")));
        }
    }
    Ok(flag)
}
