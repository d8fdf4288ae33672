//! Who somebody is, and who may do what: SIDs, tokens, security descriptors in SDDL.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::Access;

/// A security identifier in its text form, `S-1-5-18`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid(Arc<str>);

/// The two-letter names that SDDL has for well-known SIDs.
const ALIASES: &[(&str, &str)] = &[
    ("WD", "S-1-1-0"),
    ("CO", "S-1-3-0"),
    ("CG", "S-1-3-1"),
    ("OW", "S-1-3-4"),
    ("NU", "S-1-5-2"),
    ("IU", "S-1-5-4"),
    ("SU", "S-1-5-6"),
    ("AN", "S-1-5-7"),
    ("PS", "S-1-5-10"),
    ("AU", "S-1-5-11"),
    ("RC", "S-1-5-12"),
    ("SY", "S-1-5-18"),
    ("LS", "S-1-5-19"),
    ("NS", "S-1-5-20"),
    ("BA", "S-1-5-32-544"),
    ("BU", "S-1-5-32-545"),
    ("BG", "S-1-5-32-546"),
    ("AC", "S-1-15-2-1"),
];

impl Sid {
    /// `WD`: everyone.
    pub const EVERYONE: &'static str = "S-1-1-0";
    /// `AN`: callers without an identity.
    pub const ANONYMOUS: &'static str = "S-1-5-7";
    /// `SY`: the operating system.
    pub const LOCAL_SYSTEM: &'static str = "S-1-5-18";
    /// `BA`: members of the administrators' group.
    pub const ADMINISTRATORS: &'static str = "S-1-5-32-544";
    /// `NU`: callers that came over the network.
    pub const NETWORK: &'static str = "S-1-5-2";
    /// `OW`: the current owner of the object.
    pub const OWNER_RIGHTS: &'static str = "S-1-3-4";
    /// `CO`: replaced by the creator's SID in a new descriptor.
    pub const CREATOR_OWNER: &'static str = "S-1-3-0";
    /// `CG`: replaced by the creator's primary group.
    pub const CREATOR_GROUP: &'static str = "S-1-3-1";

    /// A SID from text that is one: a constant of this type.
    pub(crate) fn known(text: &str) -> Sid {
        Sid(text.into())
    }

    /// `S-1-5-18`
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the SID with this text.
    pub fn is(&self, text: &str) -> bool {
        &*self.0 == text
    }

    /// The SDDL name, where there is one, else the SID itself.
    fn sddl(&self) -> &str {
        ALIASES.iter().find(|(_, sid)| self.is(sid)).map_or(self.as_str(), |(alias, _)| alias)
    }
}

/// A text that is not what it should be, with the place where that shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadSecurity {
    /// Offset in bytes.
    pub at: usize,
    /// What was wanted there.
    pub wanted: &'static str,
}

impl fmt::Display for BadSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wanted {} at offset {}", self.wanted, self.at)
    }
}

impl core::error::Error for BadSecurity {}

impl FromStr for Sid {
    type Err = BadSecurity;

    /// Reads `S-1-…` or a two-letter SDDL name.
    fn from_str(text: &str) -> Result<Sid, BadSecurity> {
        if let Some((_, sid)) = ALIASES.iter().find(|(alias, _)| *alias == text) {
            return Ok(Sid::known(sid));
        }
        let bad = BadSecurity { at: 0, wanted: "a SID such as S-1-5-18 or a name such as WD" };
        let numbers = text.strip_prefix("S-1-").ok_or(bad.clone())?;
        let good = numbers.split('-').all(|part| {
            let short = part == "0" || !part.starts_with('0');
            short && part.len() <= 15 && part.parse::<u64>().is_ok() && !part.starts_with('+')
        });
        if good { Ok(Sid(text.into())) } else { Err(bad) }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sddl())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a token may be used for acting as its user (`SECURITY_IMPERSONATION_LEVEL`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ImpersonationLevel {
    /// `SecurityAnonymous` 0: the server learns nothing.
    Anonymous,
    /// `SecurityIdentification` 1: the server learns who it is, and cannot act as them.
    Identification,
    /// `SecurityImpersonation` 2: the server can act as the client on this machine.
    Impersonation,
    /// `SecurityDelegation` 3: also on other machines.
    Delegation,
}

/// A privilege of a token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Privilege {
    /// Such as `SeImpersonatePrivilege`.
    pub name: String,
    /// `SE_PRIVILEGE_ENABLED`
    pub enabled: bool,
}

/// Who a process or thread acts as.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Token {
    /// The account's name, for `GetNamedPipeHandleState`.
    pub name: String,
    /// The user; also the owner of what it creates.
    pub user: Sid,
    /// The groups, all of them enabled. Everyone is in `WD` without saying so.
    pub groups: Vec<Sid>,
    /// The group of what it creates.
    pub primary_group: Sid,
    /// What it holds, enabled or not.
    pub privileges: Vec<Privilege>,
    /// `None` for a primary token, else how far it may be used.
    pub level: Option<ImpersonationLevel>,
}

impl Token {
    /// `SeImpersonatePrivilege`
    pub const IMPERSONATE: &'static str = "SeImpersonatePrivilege";
    /// `SeSecurityPrivilege`
    pub const SECURITY: &'static str = "SeSecurityPrivilege";

    /// An ordinary account with this name and SID: in the users' group, and with
    /// `SeChangeNotifyPrivilege` enabled and `SeShutdownPrivilege` disabled.
    pub fn user(name: &str, user: Sid) -> Token {
        let privilege = |name: &str, enabled| Privilege { name: name.to_string(), enabled };
        Token {
            name: name.to_string(),
            user,
            groups: [Sid::known("S-1-5-11"), Sid::known("S-1-5-32-545")].into(),
            primary_group: Sid::known("S-1-5-21-1-2-3-513"),
            privileges: [
                privilege("SeChangeNotifyPrivilege", true),
                privilege("SeShutdownPrivilege", false),
            ]
            .into(),
            level: None,
        }
    }

    /// Who nobody in particular is (`S-1-5-7`).
    pub fn anonymous() -> Token {
        Token {
            name: "ANONYMOUS LOGON".to_string(),
            user: Sid::known(Sid::ANONYMOUS),
            groups: Vec::new(),
            primary_group: Sid::known(Sid::ANONYMOUS),
            privileges: Vec::new(),
            level: Some(ImpersonationLevel::Anonymous),
        }
    }

    /// Whether the token is `sid` or in it.
    pub fn is_member(&self, sid: &Sid) -> bool {
        self.user == *sid
            || self.groups.contains(sid)
            || (sid.is(Sid::EVERYONE) && !self.user.is(Sid::ANONYMOUS))
    }

    /// Whether the token holds a privilege that is enabled.
    pub fn has_privilege(&self, name: &str) -> bool {
        self.privileges.iter().any(|privilege| privilege.enabled && privilege.name == name)
    }
}

impl core::hash::Hash for Token {
    /// By user and level alone, because states are hashed often and tokens differ seldom.
    fn hash<S: core::hash::Hasher>(&self, state: &mut S) {
        self.user.hash(state);
        self.level.hash(state);
    }
}

impl Default for Token {
    /// The user `user`, `S-1-5-21-1-2-3-1000`.
    fn default() -> Token {
        Token::user("user", Sid::known("S-1-5-21-1-2-3-1000"))
    }
}

/// Allow or deny.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AceType {
    /// `ACCESS_ALLOWED_ACE_TYPE`
    Allow,
    /// `ACCESS_DENIED_ACE_TYPE`
    Deny,
}

/// One entry of a DACL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ace {
    /// Allow or deny.
    pub ace_type: AceType,
    /// Which rights.
    pub mask: Access,
    /// Whose.
    pub sid: Sid,
}

/// The list of who may do what.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Dacl {
    /// The descriptor has none: a creation takes the default.
    #[default]
    Absent,
    /// A null DACL: everybody may do everything.
    Null,
    /// These entries, in order; nothing else is allowed.
    Entries(Vec<Ace>),
}

/// `SECURITY_DESCRIPTOR`, written as SDDL: `O:BAG:SYD:(D;;GA;;;AN)(A;;0x12019f;;;WD)`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SecurityDescriptor {
    /// `O:`
    pub owner: Option<Sid>,
    /// `G:`
    pub group: Option<Sid>,
    /// `D:`
    pub dacl: Dacl,
}

/// `OWNER_SECURITY_INFORMATION` and its siblings: which parts of a descriptor are meant.
pub mod security_information {
    /// `OWNER_SECURITY_INFORMATION`
    pub const OWNER: u32 = 1;
    /// `GROUP_SECURITY_INFORMATION`
    pub const GROUP: u32 = 2;
    /// `DACL_SECURITY_INFORMATION`
    pub const DACL: u32 = 4;
    /// `SACL_SECURITY_INFORMATION`
    pub const SACL: u32 = 8;
}

impl SecurityDescriptor {
    /// The descriptor of a pipe that is created without one (SEC-05): LocalSystem,
    /// administrators and the creator may do everything, everyone and anonymous may read.
    pub fn of_creator(token: &Token) -> SecurityDescriptor {
        let allow = |mask, sid| Ace { ace_type: AceType::Allow, mask, sid };
        let all = Access::FILE_ALL_ACCESS;
        let read = Access::FILE_GENERIC_READ;
        SecurityDescriptor {
            owner: Some(token.user.clone()),
            group: Some(token.primary_group.clone()),
            dacl: Dacl::Entries(
                [
                    allow(all, Sid::known(Sid::LOCAL_SYSTEM)),
                    allow(all, Sid::known(Sid::ADMINISTRATORS)),
                    allow(all, token.user.clone()),
                    allow(read, Sid::known(Sid::EVERYONE)),
                    allow(read, Sid::known(Sid::ANONYMOUS)),
                ]
                .into(),
            ),
        }
    }

    /// This descriptor as the one of a new object: what it leaves open comes from the creator,
    /// and generic rights become file rights (SEC-06, SEC-16).
    #[must_use]
    pub fn assigned(&self, creator: &Token) -> SecurityDescriptor {
        let default = SecurityDescriptor::of_creator(creator);
        let owner = self.owner.clone().or(default.owner);
        let group = self.group.clone().or(default.group);
        let dacl = match &self.dacl {
            Dacl::Absent => default.dacl,
            Dacl::Null => Dacl::Null,
            Dacl::Entries(entries) => Dacl::Entries(
                entries
                    .iter()
                    .map(|ace| Ace {
                        ace_type: ace.ace_type,
                        mask: ace.mask.mapped(),
                        sid: match (ace.sid.as_str(), &owner, &group) {
                            (Sid::CREATOR_OWNER, Some(owner), _) => owner.clone(),
                            (Sid::CREATOR_GROUP, _, Some(group)) => group.clone(),
                            _ => ace.sid.clone(),
                        },
                    })
                    .collect(),
            ),
        };
        SecurityDescriptor { owner, group, dacl }
    }

    /// The access check: every right of `wanted` (no generic ones) that the descriptor gives to
    /// `token`, or `None` if one is refused. `MAXIMUM_ALLOWED` adds all rights there are.
    pub fn check(&self, token: &Token, wanted: Access) -> Option<Access> {
        let maximum = wanted.has(Access::MAXIMUM_ALLOWED);
        let wanted = wanted.without(Access::MAXIMUM_ALLOWED);
        let granted = self.rights_of(token);
        match (granted.has(wanted), maximum) {
            (false, _) => None,
            (true, true) => Some(granted),
            (true, false) => Some(wanted),
        }
    }

    fn rights_of(&self, token: &Token) -> Access {
        let mut granted = Access::NONE;
        if token.has_privilege(Token::SECURITY) {
            granted = granted.with(Access::ACCESS_SYSTEM_SECURITY);
        }
        let owner = self.owner.as_ref().is_some_and(|owner| token.is_member(owner));
        let entries: &[Ace] = match &self.dacl {
            Dacl::Absent | Dacl::Null => return granted.with(Access::FILE_ALL_ACCESS),
            Dacl::Entries(entries) => entries,
        };
        if owner && !entries.iter().any(|ace| ace.sid.is(Sid::OWNER_RIGHTS)) {
            granted = granted.with(Access::READ_CONTROL).with(Access::WRITE_DAC);
        }
        let mut denied = Access::NONE;
        for ace in entries {
            let applies =
                if ace.sid.is(Sid::OWNER_RIGHTS) { owner } else { token.is_member(&ace.sid) };
            if !applies {
                continue;
            }
            match ace.ace_type {
                AceType::Allow => granted = granted.with(ace.mask.without(denied)),
                AceType::Deny => denied = denied.with(ace.mask.without(granted)),
            }
        }
        granted
    }

    /// Its size in bytes in the self-relative form.
    pub fn size(&self) -> u32 {
        let sid = |sid: &Sid| 8 + 4 * sid.as_str().split('-').skip(3).count() as u32;
        let list = match &self.dacl {
            Dacl::Absent | Dacl::Null => 0,
            Dacl::Entries(entries) => {
                8 + entries.iter().map(|entry| 8 + sid(&entry.sid)).sum::<u32>()
            }
        };
        20 + self.owner.as_ref().map_or(0, sid) + self.group.as_ref().map_or(0, sid) + list
    }

    /// The parts that `information` names.
    #[must_use]
    pub fn parts(&self, information: u32) -> SecurityDescriptor {
        let has = |bit| information & bit != 0;
        SecurityDescriptor {
            owner: self.owner.clone().filter(|_| has(security_information::OWNER)),
            group: self.group.clone().filter(|_| has(security_information::GROUP)),
            dacl: if has(security_information::DACL) { self.dacl.clone() } else { Dacl::Absent },
        }
    }

    /// Takes the parts that `information` names from `other`.
    pub fn set_parts(&mut self, information: u32, other: &SecurityDescriptor) {
        if information & security_information::OWNER != 0 {
            self.owner.clone_from(&other.owner);
        }
        if information & security_information::GROUP != 0 {
            self.group.clone_from(&other.group);
        }
        if information & security_information::DACL != 0 {
            self.dacl = other.dacl.clone();
        }
    }
}

/// The two-letter names that SDDL has for rights; those of files come first.
const RIGHTS: &[(&str, Access)] = &[
    ("FA", Access::FILE_ALL_ACCESS),
    ("FR", Access::FILE_GENERIC_READ),
    ("FW", Access::FILE_GENERIC_WRITE),
    ("FX", Access::FILE_GENERIC_EXECUTE),
    ("GA", Access::GENERIC_ALL),
    ("GR", Access::GENERIC_READ),
    ("GW", Access::GENERIC_WRITE),
    ("GX", Access::GENERIC_EXECUTE),
    ("RC", Access::READ_CONTROL),
    ("SD", Access::DELETE),
    ("WD", Access::WRITE_DAC),
    ("WO", Access::WRITE_OWNER),
    ("CC", Access(0x1)),
    ("DC", Access(0x2)),
    ("LC", Access(0x4)),
    ("SW", Access(0x8)),
    ("RP", Access(0x10)),
    ("WP", Access(0x20)),
    ("DT", Access(0x40)),
    ("LO", Access(0x80)),
    ("CR", Access(0x100)),
];

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn wanted<T>(&self, wanted: &'static str) -> Result<T, BadSecurity> {
        Err(BadSecurity { at: self.at, wanted })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Everything up to one of `ends`, which is not taken.
    fn until(&mut self, ends: &[char]) -> &'a str {
        let rest = self.rest();
        let length = rest.find(ends).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or("")
    }

    /// A SID up to the next part: names have two letters, others no letter but the first.
    fn sid(&mut self) -> Result<Sid, BadSecurity> {
        let start = self.at;
        let rest = self.rest();
        let length = if rest.starts_with("S-") {
            rest.find(|c: char| c != 'S' && c != '-' && !c.is_ascii_digit()).unwrap_or(rest.len())
        } else {
            2
        };
        let text = rest.get(..length).unwrap_or(rest);
        self.at += text.len();
        text.parse().map_err(|bad: BadSecurity| BadSecurity { at: start, ..bad })
    }

    fn mask(&mut self) -> Result<Access, BadSecurity> {
        let start = self.at;
        let text = self.until(&[';']);
        let number = match text.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => text.parse::<u32>().ok(),
        };
        if let Some(number) = number {
            return Ok(Access(number));
        }
        let bad = BadSecurity { at: start, wanted: "rights such as GRGW or 0x12019f" };
        let mut mask = Access::NONE;
        let mut rest = text;
        while !rest.is_empty() {
            let (name, tail) = rest.split_at_checked(2).ok_or(bad.clone())?;
            let (_, right) = RIGHTS.iter().find(|(other, _)| *other == name).ok_or(bad.clone())?;
            mask = mask.with(*right);
            rest = tail;
        }
        Ok(mask)
    }

    /// `A;;rights;;;sid)` behind the opening bracket. Flags and object types are not modelled.
    fn ace(&mut self) -> Result<Ace, BadSecurity> {
        let ace_type = match self.until(&[';', ')']) {
            "A" => AceType::Allow,
            "D" => AceType::Deny,
            _ => return self.wanted("A or D before this point"),
        };
        if !self.eat(";;") {
            return self.wanted("`;;`: entries of pipes have no flags");
        }
        let mask = self.mask()?;
        if !self.eat(";;;") {
            return self.wanted("`;;;`: entries of pipes have no object type");
        }
        let sid = self.sid()?;
        if !self.eat(")") {
            return self.wanted("`)`");
        }
        Ok(Ace { ace_type, mask, sid })
    }

    fn dacl(&mut self) -> Result<Dacl, BadSecurity> {
        if self.eat("NO_ACCESS_CONTROL") {
            return Ok(Dacl::Null);
        }
        let mut entries = Vec::new();
        while self.eat("(") {
            entries.push(self.ace()?);
        }
        Ok(Dacl::Entries(entries))
    }
}

impl FromStr for SecurityDescriptor {
    type Err = BadSecurity;

    fn from_str(text: &str) -> Result<SecurityDescriptor, BadSecurity> {
        let mut reader = Reader { text, at: 0 };
        let mut found = SecurityDescriptor::default();
        if reader.eat("O:") {
            found.owner = Some(reader.sid()?);
        }
        if reader.eat("G:") {
            found.group = Some(reader.sid()?);
        }
        if reader.eat("D:") {
            found.dacl = reader.dacl()?;
        }
        if !reader.rest().is_empty() {
            return reader.wanted("O:, G:, D: in this order, or the end");
        }
        Ok(found)
    }
}

impl fmt::Display for SecurityDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(owner) = &self.owner {
            write!(f, "O:{owner}")?;
        }
        if let Some(group) = &self.group {
            write!(f, "G:{group}")?;
        }
        match &self.dacl {
            Dacl::Absent => Ok(()),
            Dacl::Null => f.write_str("D:NO_ACCESS_CONTROL"),
            Dacl::Entries(entries) => {
                f.write_str("D:")?;
                entries.iter().try_for_each(|ace| {
                    let word = match ace.ace_type {
                        AceType::Allow => "A",
                        AceType::Deny => "D",
                    };
                    match RIGHTS.iter().find(|(_, right)| *right == ace.mask) {
                        Some((name, _)) => write!(f, "({word};;{name};;;{})", ace.sid),
                        None => write!(f, "({word};;{:#x};;;{})", ace.mask.0, ace.sid),
                    }
                })
            }
        }
    }
}

impl fmt::Debug for SecurityDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use super::{SecurityDescriptor, Sid};
    use alloc::string::String;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    macro_rules! as_text {
        ($name:ident) => {
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }
            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                }
            }
            #[cfg(feature = "schema")]
            impl schemars::JsonSchema for $name {
                fn schema_name() -> alloc::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }
                fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    String::json_schema(generator)
                }
            }
        };
    }
    as_text!(Sid);
    as_text!(SecurityDescriptor);
}

#[cfg(test)]
mod tests {
    use super::{SecurityDescriptor, Sid, Token};
    use crate::Access;
    use alloc::string::ToString;

    fn descriptor(text: &str) -> SecurityDescriptor {
        text.parse().unwrap()
    }

    #[test]
    fn text_comes_back() {
        for text in [
            "",
            "O:BAG:SYD:(D;;GA;;;AN)(A;;0x12019f;;;WD)",
            "D:",
            "D:NO_ACCESS_CONTROL",
            "O:S-1-5-21-1-2-3-1000D:(A;;FA;;;OW)",
        ] {
            assert_eq!(descriptor(text).to_string(), text);
        }
        assert_eq!(descriptor("D:(A;;GRGW;;;S-1-1-0)").to_string(), "D:(A;;0xc0000000;;;WD)");
    }

    #[test]
    fn bad_text_is_refused_with_its_place() {
        for (text, at) in [
            ("X", 0),
            ("O:ZZ", 2),
            ("O:S-1-x", 2),
            ("D:(A;;GA;;;WD", 13),
            ("D:(A;CI;GA;;;WD)", 4),
            ("D:(A;;QQ;;;WD)", 6),
            ("D:(Z;;GA;;;WD)", 4),
            ("D:(A;;GA;;;WD)S:", 14),
        ] {
            let bad = text.parse::<SecurityDescriptor>().unwrap_err();
            assert_eq!(bad.at, at, "{text}: {bad}");
        }
    }

    #[test]
    fn entries_count_in_order() {
        let token = Token::user("alice", "S-1-5-21-1-2-3-1001".parse().unwrap());
        let read = Access::READ_DATA;
        let check = |text: &str, wanted| descriptor(text).check(&token, wanted);
        assert_eq!(check("D:(A;;FR;;;WD)", read), Some(read));
        assert_eq!(check("D:(A;;FR;;;WD)", read.with(Access::WRITE_DATA)), None);
        assert_eq!(check("D:(D;;FR;;;BU)(A;;FA;;;WD)", read), None);
        assert_eq!(check("D:(A;;FA;;;WD)(D;;FR;;;BU)", read), Some(read), "the first one counts");
        assert_eq!(check("D:", read), None, "an empty list allows nothing");
        assert_eq!(check("D:NO_ACCESS_CONTROL", read), Some(read));
        assert_eq!(
            check("O:S-1-5-21-1-2-3-1001D:", Access::WRITE_DAC),
            Some(Access::WRITE_DAC),
            "an owner may always mend the list"
        );
        assert_eq!(check("O:S-1-5-21-1-2-3-1001D:(A;;RC;;;OW)", Access::WRITE_DAC), None);
        assert_eq!(
            check("D:(A;;FR;;;WD)", Access::MAXIMUM_ALLOWED),
            Some(Access::FILE_GENERIC_READ)
        );
    }

    #[test]
    fn anonymous_is_not_everyone() {
        let token = Token::anonymous();
        assert!(!token.is_member(&Sid::known(Sid::EVERYONE)));
        assert_eq!(descriptor("D:(A;;FR;;;WD)").check(&token, Access::READ_DATA), None);
    }
}
