//! Who somebody is and which Windows it is: tokens, descriptors, profiles, faults.

use npfs_abi::codes::sqos;
use npfs_abi::{
    Fault, FaultEffect, FaultPoint, ImpersonationLevel, PipeName, Privilege, Profile,
    SecurityDescriptor, Sid, Switch, Token,
};

use super::line::Line;
use super::option::{Named, Read, next};
use super::reply::status;
use crate::scenario::Process;

/// The flags of `CreateFile` that `sqos=` says.
pub(crate) const SQOS_WORDS: u32 =
    sqos::PRESENT | sqos::CONTEXT_TRACKING | sqos::EFFECTIVE_ONLY | sqos::LEVEL;

/// The levels and their words, by number.
pub(crate) const LEVELS: [(ImpersonationLevel, &str); 4] = [
    (ImpersonationLevel::Anonymous, "anonymous"),
    (ImpersonationLevel::Identification, "identification"),
    (ImpersonationLevel::Impersonation, "impersonation"),
    (ImpersonationLevel::Delegation, "delegation"),
];

fn level(line: &mut Line<'_>) -> Read<ImpersonationLevel> {
    let mark = line.mark();
    let word = line.try_word();
    let found = LEVELS.iter().find(|(_, name)| Some(*name) == word);
    found.map(|(level, _)| *level).ok_or_else(|| {
        line.wanted_at(mark, "anonymous, identification, impersonation or delegation")
    })
}

/// `LEVEL[,static|dynamic][,effective]` as the flags of `CreateFile`.
pub(super) fn quality(line: &mut Line<'_>) -> Read<u32> {
    let mut flags = sqos::PRESENT | (level(line)? as u32) << 16;
    while line.eat_close(",") {
        let mark = line.mark();
        flags |= match line.try_word() {
            Some("static") => 0,
            Some("dynamic") => sqos::CONTEXT_TRACKING,
            Some("effective") => sqos::EFFECTIVE_ONLY,
            _ => return Err(line.wanted_at(mark, "static, dynamic or effective")),
        };
    }
    Ok(flags)
}

/// A security descriptor in SDDL, in quotes.
pub(super) fn descriptor(line: &mut Line<'_>) -> Read<SecurityDescriptor> {
    let mark = line.mark();
    let text = line.quoted()?;
    text.parse().map_err(|bad: npfs_abi::BadSecurity| {
        let rest: String = text.get(bad.at..).unwrap_or("").chars().take(20).collect();
        let found = if rest.is_empty() { "its end".to_owned() } else { format!("`{rest}`") };
        line.error_at(mark, &format!("SDDL: {}", bad.wanted), &found)
    })
}

fn sid(line: &mut Line<'_>) -> Read<Sid> {
    let mark = line.mark();
    let text = line.path()?;
    text.parse().map_err(|bad: npfs_abi::BadSecurity| line.wanted_at(mark, bad.wanted))
}

/// `SID,SID` or `none`.
fn sids(line: &mut Line<'_>) -> Read<Vec<Sid>> {
    let mark = line.mark();
    let text = line.path()?;
    if text == "none" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|one| one.parse())
        .collect::<Result<_, npfs_abi::BadSecurity>>()
        .map_err(|bad| line.wanted_at(mark, bad.wanted))
}

/// `+SeX,-SeY` or `none`.
fn privileges(line: &mut Line<'_>) -> Read<Vec<Privilege>> {
    let mark = line.mark();
    let text = line.path()?;
    if text == "none" {
        return Ok(Vec::new());
    }
    let one = |text: &str| {
        let (enabled, name) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(name), _) => (true, name),
            (_, Some(name)) => (false, name),
            (None, None) => return None,
        };
        (!name.is_empty()).then(|| Privilege { name: name.to_owned(), enabled })
    };
    let wanted = "privileges such as +SeImpersonatePrivilege,-SeShutdownPrivilege";
    text.split(',').map(one).collect::<Option<_>>().ok_or_else(|| line.wanted_at(mark, wanted))
}

/// The options that say a token.
#[derive(Default)]
pub(super) struct TokenParts {
    user: Option<String>,
    sid: Option<Sid>,
    groups: Option<Vec<Sid>>,
    group: Option<Sid>,
    privileges: Option<Vec<Privilege>>,
    level: Option<ImpersonationLevel>,
}

/// The names of those options.
pub(super) const TOKEN_OPTIONS: &str = "user=, sid=, groups=, group=, privileges=, level=";

impl TokenParts {
    /// Takes an option if it is one of a token.
    pub(super) fn take<'a>(&mut self, line: &mut Line<'a>, option: &Named<'a>) -> Read<bool> {
        match option.name {
            "user=" => option.once(line, &mut self.user, Line::path)?,
            "sid=" => option.once(line, &mut self.sid, sid)?,
            "groups=" => option.once(line, &mut self.groups, sids)?,
            "group=" => option.once(line, &mut self.group, sid)?,
            "privileges=" => option.once(line, &mut self.privileges, privileges)?,
            "level=" => option.once(line, &mut self.level, level)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn token(self) -> Token {
        let default = Token::default();
        let token =
            Token::user(&self.user.unwrap_or(default.name), self.sid.unwrap_or(default.user));
        Token {
            groups: self.groups.unwrap_or(token.groups),
            primary_group: self.group.unwrap_or(token.primary_group),
            privileges: self.privileges.unwrap_or(token.privileges),
            level: self.level,
            ..token
        }
    }
}

/// The options behind the name of a process.
pub(super) fn process(line: &mut Line<'_>, name: String) -> Read<Process> {
    let mut token = TokenParts::default();
    let (mut spawned, mut session, mut computer) = (false, None, None);
    while let Some(option) = next(line)? {
        if token.take(line, &option)? {
            continue;
        }
        match option.name {
            "spawned" => option.flag(line, &mut spawned)?,
            "session=" => option.once(line, &mut session, Line::number)?,
            "computer=" => option.once(line, &mut computer, Line::path)?,
            _ => {
                let known = format!("spawned, session=, computer=, {TOKEN_OPTIONS}");
                return option.unknown(line, &known);
            }
        }
    }
    let session = session.unwrap_or(0);
    Ok(Process { name, started: !spawned, token: token.token(), session, computer })
}

/// `documented, +switch, -switch`
pub(super) fn profile(line: &mut Line<'_>) -> Read<Profile> {
    let mut profile = if line.eat_word("documented") {
        Profile::documented()
    } else if line.eat_word("current") {
        Profile::current()
    } else {
        return change(line, Profile::current());
    };
    while line.eat(",") {
        profile = change(line, profile)?;
    }
    Ok(profile)
}

/// `+switch`, and further ones.
fn change(line: &mut Line<'_>, mut profile: Profile) -> Read<Profile> {
    loop {
        let on = line.eat("+");
        if !on && !line.eat("-") {
            return Err(line.wanted("documented, current, or a switch such as +quotas-round-up"));
        }
        let mark = line.mark();
        let switch = line.try_word().and_then(Switch::from_word);
        let switch = switch.ok_or_else(|| line.wanted_at(mark, "the word of a switch"))?;
        profile = if on { profile.with(switch) } else { profile.without(switch) };
        if !line.eat(",") {
            return Ok(profile);
        }
    }
}

/// `read 2 of \\.\pipe\x fails PIPE_BROKEN`, `read 1 late 50ms`
pub(super) fn fault(line: &mut Line<'_>) -> Read<Fault> {
    let mark = line.mark();
    let word = line.try_word();
    let point = FaultPoint::ALL.iter().find(|(_, name)| Some(*name) == word);
    let (point, _) = point.ok_or_else(|| {
        let words: Vec<_> = FaultPoint::ALL.iter().map(|(_, word)| *word).collect();
        line.wanted_at(mark, &format!("one of {}", words.join(", ")))
    })?;
    let nth = line.number()?;
    let pipe = if line.eat_word("of") { Some(PipeName::new(&line.path()?)) } else { None };
    let mark = line.mark();
    let effect = match line.try_word() {
        Some("fails") => FaultEffect::Fail(status(line)?),
        Some("late") => FaultEffect::Late(line.time()?),
        _ => return Err(line.wanted_at(mark, "of, fails or late")),
    };
    Ok(Fault { point: *point, pipe, nth, effect })
}
