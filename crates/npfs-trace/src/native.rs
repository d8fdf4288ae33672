//! The printed form of the Nt functions, of ports, routines and identities.

use std::fmt::Write;

use npfs_abi::codes::sqos;
use npfs_abi::{
    Access, Call, CreateFile, Data, Fault, FaultEffect, FaultPoint, HandleState, NtCreateFile,
    NtCreateNamedPipeFile, ObjectAttributes, Output, Packet, PacketSource, PipeAttribute, Profile,
    SecurityDescriptor, Token, security_information,
};

use crate::parse::{
    FILE_CLASS_WORDS, FSCTL_WORDS, LEVELS, OBJECT_CLASS_WORDS, SQOS_WORDS, VOLUME_CLASS_WORDS,
    Words,
};
use crate::scenario::{Process, Word};
use crate::text::{Printer, bits, flag, named, path, status, suffix};

fn quoted(text: &str) -> String {
    Data::from(text).to_string()
}

/// A bare word, or a string where a bare one could not be read.
fn bare(text: &str) -> String {
    path(&text.into())
}

fn code(words: Words, code: u32) -> String {
    match words.iter().find(|(number, _)| *number == code) {
        Some((_, word)) => (*word).to_owned(),
        None => format!("{code:#x}"),
    }
}

fn number<T: PartialEq + std::fmt::Display>(name: &str, value: T, default: T) -> String {
    if value == default { String::new() } else { format!(" {name}={value}") }
}

/// ` security="…"`
pub(crate) fn security(descriptor: Option<&SecurityDescriptor>) -> String {
    descriptor.map(|one| format!(" security={}", quoted(&one.to_string()))).unwrap_or_default()
}

/// ` sqos=…`, empty when the flags do not say any quality.
pub(crate) fn quality(flags: u32) -> String {
    if flags & sqos::PRESENT == 0 {
        return String::new();
    }
    let level = LEVELS[(flags >> 16 & 3) as usize].1;
    let dynamic = if flags & sqos::CONTEXT_TRACKING != 0 { ",dynamic" } else { "" };
    let effective = if flags & sqos::EFFECTIVE_ONLY != 0 { ",effective" } else { "" };
    format!(" sqos={level}{dynamic}{effective}")
}

/// `user=alice sid=…`: the options of a token.
pub(crate) fn token(token: &Token) -> String {
    let plain = Token::user(&token.name, token.user.clone());
    let list = |texts: Vec<String>| {
        if texts.is_empty() { "none".to_owned() } else { texts.join(",") }
    };
    let mut text = format!(" user={} sid={}", bare(&token.name), token.user);
    if token.groups != plain.groups {
        let sids = token.groups.iter().map(ToString::to_string).collect();
        text += &format!(" groups={}", list(sids));
    }
    if token.primary_group != plain.primary_group {
        text += &format!(" group={}", token.primary_group);
    }
    if token.privileges != plain.privileges {
        let sign = |enabled| if enabled { '+' } else { '-' };
        let all = token.privileges.iter();
        let texts = all.map(|one| format!("{}{}", sign(one.enabled), one.name)).collect();
        text += &format!(" privileges={}", list(texts));
    }
    if let Some(level) = token.level {
        text += &format!(" level={}", LEVELS[level as usize].1);
    }
    text
}

/// A process line.
pub(crate) fn process(process: &Process) -> String {
    let mut text = format!("process {}{}", process.name, flag(!process.started, "spawned"));
    if process.token != Token::default() {
        text += &token(&process.token);
    }
    text += &number("session", process.session, 0);
    if let Some(computer) = &process.computer {
        text += &format!(" computer={}", bare(computer));
    }
    text
}

/// `current, +switch, …`
pub(crate) fn profile(profile: Profile) -> String {
    let mut text = "current".to_owned();
    for switch in profile.switches() {
        text += &format!(", +{}", switch.word());
    }
    text
}

/// `read 2 of \\.\pipe\x fails PIPE_BROKEN (109)`
pub fn fault(fault: &Fault) -> String {
    let word = FaultPoint::ALL.iter().find(|(point, _)| *point == fault.point);
    let mut text = format!("{} {}", word.map_or("", |(_, word)| word), fault.nth);
    if let Some(pipe) = &fault.pipe {
        text += &format!(" of {}", path(pipe));
    }
    match fault.effect {
        FaultEffect::Fail(why) => text += &format!(" fails {}", status(why)),
        FaultEffect::Late(span) => text += &format!(" late {span}"),
    }
    text
}

/// The state that `GetNamedPipeHandleState` tells.
pub(crate) fn state(state: &HandleState) -> String {
    let mut text = format!(
        " state {} {} instances={}",
        state.read_mode, state.completion_mode, state.instances
    );
    if let Some(count) = state.collection_count {
        text += &format!(" collection_count={count}");
    }
    if let Some(timeout) = state.collect_timeout {
        text += &format!(" collect_timeout={timeout}ms");
    }
    if let Some(user) = &state.user {
        text += &format!(" user={}", quoted(user));
    }
    text
}

fn packet(printer: &Printer, packet: &Packet) -> String {
    let source = match packet.source {
        PacketSource::Request(request) => format!("of={}", printer.request(request)),
        PacketSource::Posted(value) => format!("posted={value}"),
    };
    format!("key={} {source} {} {}", packet.key, status(packet.status), packet.information)
}

/// The outputs that only these operations have.
pub(crate) fn output(printer: &Printer, output: &Output<Word>) -> String {
    match output {
        Output::Packets(packets) => {
            let texts: Vec<_> = packets.iter().map(|one| packet(printer, one)).collect();
            format!(" packets {}", texts.join(", ")).trim_end().to_owned()
        }
        Output::Number(value) => format!(" number {value}"),
        Output::Text(text) => format!(" text {}", quoted(text)),
        Output::Names(names) => {
            let mut text = " names".to_owned();
            for name in names {
                let _ = write!(text, " {}", quoted(name));
            }
            text
        }
        Output::Token(one) => format!(" token{}", token(one)),
        Output::Descriptor(one) => format!(" descriptor {}", quoted(&one.to_string())),
        _ => String::new(),
    }
}

fn attributes(given: Option<&ObjectAttributes<Word>>) -> (String, String) {
    let Some(given) = given else { return (" no_attributes".to_owned(), String::new()) };
    let name = given
        .name
        .as_ref()
        .map_or(" no_name".to_owned(), |name| format!(" {}", nt_path(name.as_str())));
    (name, format!("{}{}", named("root", &given.root), flag(given.inherit, "inherit")))
}

/// A path that could be read as the option for none is put in quotes.
fn nt_path(name: &str) -> String {
    if name.starts_with("no_") { quoted(name) } else { bare(name) }
}

fn nt_create_pipe(create: &NtCreateNamedPipeFile<Word>) -> String {
    let plain = NtCreateNamedPipeFile::<Word>::new("");
    let (name, rest) = attributes(create.attributes.as_ref());
    let mut text = format!("nt_create_pipe{name}{rest}");
    if create.access != plain.access {
        text += &format!(" access={:?}", create.access);
    }
    text += &number("share", create.share, plain.share);
    text += &number("disposition", create.disposition, plain.disposition);
    text += &bits("options", create.options);
    text += &number("type", create.pipe_type, 0);
    text += &number("read_mode", create.read_mode, 0);
    text += &number("completion_mode", create.completion_mode, 0);
    match create.max_instances {
        1 => {}
        u32::MAX => text += " instances=unlimited",
        count => text += &format!(" instances={count}"),
    }
    text += &number("in", create.inbound_quota, plain.inbound_quota);
    text += &number("out", create.outbound_quota, plain.outbound_quota);
    match create.default_timeout {
        same if same == plain.default_timeout => {}
        None => text += " timeout=none",
        Some(time) => text += &format!(" timeout={time}"),
    }
    text + &security(create.security.as_ref())
}

fn nt_open(open: &NtCreateFile<Word>) -> String {
    let plain = NtCreateFile::<Word>::new("");
    let (name, rest) = attributes(open.attributes.as_ref());
    let mut text = format!("nt_open{name}{rest}");
    if open.access != plain.access {
        text += &format!(" access={:?}", open.access);
    }
    text += &number("share", open.share, plain.share);
    text += &number("disposition", open.disposition, plain.disposition);
    text += &bits("options", open.options);
    let quality = quality(open.sqos);
    if open.sqos & !SQOS_WORDS == 0 && !quality.is_empty() {
        text + &quality
    } else {
        text + &bits("sqos", open.sqos)
    }
}

fn parts(information: u32) -> String {
    format!(
        "{}{}{}{}",
        flag(information & security_information::OWNER != 0, "owner"),
        flag(information & security_information::GROUP != 0, "group"),
        flag(information & security_information::DACL != 0, "dacl"),
        flag(information & security_information::SACL != 0, "sacl")
    )
}

/// The calls that only these operations have.
pub(crate) fn call(printer: &Printer, call: &Call<Word, Word>) -> String {
    match call {
        Call::NtCreateNamedPipeFile(create) => nt_create_pipe(create),
        Call::NtCreateFile(open) => nt_open(open),
        Call::ReOpenFile { file, access, flags } => {
            let both = Access::GENERIC_READ.with(Access::GENERIC_WRITE);
            let access =
                if *access == both { String::new() } else { format!(" access={access:?}") };
            let overlapped = flag(flags & CreateFile::OVERLAPPED != 0, "overlapped");
            let more = bits("flags", flags & !CreateFile::OVERLAPPED);
            format!("reopen {file}{access}{overlapped}{more}")
        }
        Call::NtFsControlFile { file, code: which, input, length, delivery } => {
            let input = if input.is_empty() { String::new() } else { format!(" {input}") };
            let length = if *length == 0 { String::new() } else { format!(" {length}") };
            format!("fsctl {file} {}{input}{length}{}", code(FSCTL_WORDS, *which), suffix(delivery))
        }
        Call::NtQueryInformationFile { file, class, length } => {
            format!("query {file} {} {length}", code(FILE_CLASS_WORDS, *class))
        }
        Call::NtSetInformationFile { file, class, input } => {
            format!("set {file} {} {input}", code(FILE_CLASS_WORDS, *class))
        }
        Call::NtQueryVolumeInformationFile { file, class, length } => {
            format!("query_volume {file} {} {length}", code(VOLUME_CLASS_WORDS, *class))
        }
        Call::NtQueryDirectoryFile { file, class, length, pattern, restart, single } => {
            let pattern = pattern.as_ref().map(|one| format!(" pattern={}", path(one)));
            format!(
                "query_directory {file} {} {length}{}{}{}",
                code(FILE_CLASS_WORDS, *class),
                pattern.unwrap_or_default(),
                flag(*restart, "restart"),
                flag(*single, "single")
            )
        }
        Call::NtNotifyChangeDirectoryFile { file, filter, delivery } => {
            format!("notify {file}{}{}", number("filter", *filter, 0), suffix(delivery))
        }
        Call::NtQueryObject { handle, class } => {
            format!("query_object {handle} {}", code(OBJECT_CLASS_WORDS, *class))
        }
        Call::GetNamedPipeAttribute { pipe, attribute } => {
            let word = PipeAttribute::ALL.iter().find(|(one, _)| one == attribute);
            format!("attribute {pipe} {}", word.map_or("", |(_, word)| word))
        }
        Call::CreateIoCompletionPort { file, port, key, concurrency } => format!(
            "create_port{}{}{}{}",
            named("file", file),
            named("port", port),
            number("key", *key, 0),
            number("threads", *concurrency, 0)
        ),
        Call::GetQueuedCompletionStatus { port, count, timeout, alertable } => {
            let timeout = timeout.map(|ms| format!(" timeout={ms}ms")).unwrap_or_default();
            format!("packets {port} {count}{timeout}{}", flag(*alertable, "alertable"))
        }
        Call::PostQueuedCompletionStatus { port, bytes, key, overlapped } => format!(
            "post {port}{}{}{}",
            number("bytes", *bytes, 0),
            number("key", *key, 0),
            number("overlapped", *overlapped, 0)
        ),
        Call::SetFileCompletionNotificationModes { file, flags } => {
            format!("notification_modes {file} {flags}")
        }
        Call::QueueUserAPC { thread } => format!("queue_apc {}", printer.thread(*thread)),
        Call::OpenThread { thread } => format!("open_thread {}", printer.thread(*thread)),
        Call::OpenProcess { process } => format!("open_process {}", printer.process(*process)),
        Call::ImpersonateNamedPipeClient { pipe } => format!("impersonate {pipe}"),
        Call::RevertToSelf => "revert".to_owned(),
        Call::SetThreadToken { token: None } => "set_token none".to_owned(),
        Call::SetThreadToken { token: Some(one) } => format!("set_token{}", token(one)),
        Call::GetThreadToken => "token".to_owned(),
        Call::NtQuerySecurityObject { handle, information, length } => {
            let length = length.map(|length| format!(" length={length}")).unwrap_or_default();
            format!("security {handle}{}{length}", parts(*information))
        }
        Call::NtSetSecurityObject { handle, information, descriptor } => {
            format!(
                "set_security {handle}{} {}",
                parts(*information),
                quoted(&descriptor.to_string())
            )
        }
        // The others print in `text.rs`.
        _ => String::new(),
    }
}
