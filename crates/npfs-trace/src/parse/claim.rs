//! What is claimed of every order, and where exploration chooses.

use super::line::Line;
use super::names::Names;
use super::reply;
use crate::error::ParseError;
use crate::scenario::{ChoicePoint, Claim, Stand};

/// The most parentheses and negations around one another. A short text must not be able to fill
/// the stack.
const DEEPEST: u32 = 32;

/// `timers, waiters`
pub(super) fn choices(line: &mut Line<'_>) -> Result<Vec<ChoicePoint>, ParseError> {
    let mut choices = Vec::new();
    loop {
        let mark = line.mark();
        let choice = line
            .try_word()
            .and_then(ChoicePoint::from_word)
            .filter(|choice| !choices.contains(choice))
            .ok_or_else(|| line.wanted_at(mark, "timers or waiters, each once"))?;
        choices.push(choice);
        if !line.eat(",") {
            return Ok(choices);
        }
    }
}

/// A claim up to the end of the line.
pub(super) fn claim(line: &mut Line<'_>, names: &Names) -> Result<Claim, ParseError> {
    any(line, names, 0)
}

fn any(line: &mut Line<'_>, names: &Names, depth: u32) -> Result<Claim, ParseError> {
    let first = all(line, names, depth)?;
    let mut claims = vec![first];
    while line.eat_word("or") {
        claims.push(all(line, names, depth)?);
    }
    Ok(one_or(claims, Claim::Any))
}

fn all(line: &mut Line<'_>, names: &Names, depth: u32) -> Result<Claim, ParseError> {
    let first = term(line, names, depth)?;
    let mut claims = vec![first];
    while line.eat_word("and") {
        claims.push(term(line, names, depth)?);
    }
    Ok(one_or(claims, Claim::All))
}

fn one_or(mut claims: Vec<Claim>, several: fn(Vec<Claim>) -> Claim) -> Claim {
    match claims.len() {
        1 => claims.remove(0),
        _ => several(claims),
    }
}

fn term(line: &mut Line<'_>, names: &Names, depth: u32) -> Result<Claim, ParseError> {
    const WANTED: &str = "WORD is RESULT, thread NAME is finished or blocked, deadlock, leak, \
                          lost data, unended request, not or `(`";
    if depth > DEEPEST {
        return Err(line.wanted("at most 32 claims within one another"));
    }
    if line.eat("(") {
        let claim = any(line, names, depth + 1)?;
        line.expect(")")?;
        return Ok(claim);
    }
    let mark = line.mark();
    match line.try_word() {
        Some("not") => Ok(Claim::Not(Box::new(term(line, names, depth + 1)?))),
        Some("deadlock") => Ok(Claim::Deadlock),
        Some("leak") => Ok(Claim::Leak),
        Some("lost") if line.eat_word("data") => Ok(Claim::LostData),
        Some("unended") if line.eat_word("request") => Ok(Claim::UnendedRequest),
        Some("thread") => {
            let thread = names.thread(line)?;
            line.expect("is")?;
            let mark = line.mark();
            match line.try_word() {
                Some("finished") => Ok(Claim::Thread(thread, Stand::Finished)),
                Some("blocked") => Ok(Claim::Thread(thread, Stand::Blocked)),
                Some(_) | None => Err(line.wanted_at(mark, "finished or blocked")),
            }
        }
        Some(_) if line.eat_word("is") => {
            line.back_to(mark);
            let word = names.any_word(line)?;
            line.expect("is")?;
            Ok(Claim::Result(word, reply::expected(line, names)?))
        }
        Some(_) | None => Err(line.wanted_at(mark, WANTED)),
    }
}
