//! One line of a log: what it says, taken apart but not understood.
//!
//! Reads the two kinds of lines that Wine writes with `WINEDEBUG=+relay,+server,+pid`. Every text
//! is a line; whoever looks at the fields decides whether they mean anything.

use npfs_abi::Status;

/// A line of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Line<'a> {
    /// A function is called.
    Call { process: u32, thread: u32, function: &'a str, arguments: Vec<Argument> },
    /// It returns.
    Return { process: u32, thread: u32, function: &'a str, value: u64 },
    /// A thread asks the server.
    Request { thread: u32, name: &'a str, fields: Fields<'a> },
    /// The server answers.
    Reply { thread: u32, name: &'a str, status: ServerStatus<'a>, fields: Fields<'a> },
    /// The server lets a thread go on that waited.
    Woken { thread: u32 },
    /// The server ends a thread.
    Killed { thread: u32 },
    /// A line that is known to say nothing about calls.
    Talk,
}

/// The status of an answer: a number, or the name of an NTSTATUS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ServerStatus<'a> {
    name: &'a str,
}

impl ServerStatus<'_> {
    /// Its number, where the vocabulary has the name.
    pub(crate) fn status(self) -> Option<Status> {
        match u32::from_str_radix(self.name, 16) {
            Ok(number) => Some(Status(number)),
            Err(_) => Status::from_name(self.name),
        }
    }

    pub(crate) fn is(self, name: &str) -> bool {
        self.name == name
    }

    /// Success; the results of the answer count.
    pub(crate) fn ok(self) -> bool {
        self.name == "0"
    }
}

/// An argument of a relayed call: a stack word, and the text that it points to if it was shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Argument {
    pub(crate) value: u64,
    pub(crate) text: Option<String>,
}

impl Argument {
    /// The word as a `DWORD`: only the low half counts.
    pub(crate) fn dword(&self) -> u32 {
        self.value as u32
    }
}

/// The fields `name=value` of a request or an answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    pub(crate) fn read(text: &'a str) -> Fields<'a> {
        let pairs = split(text).into_iter().filter_map(|field| field.split_once('='));
        Fields(pairs.map(|(name, value)| (name.trim(), value.trim())).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }

    /// A hexadecimal number.
    pub(crate) fn hex(&self, name: &str) -> Option<u64> {
        u64::from_str_radix(self.get(name)?, 16).ok()
    }

    /// What stands in the braces of a field, as fields.
    pub(crate) fn inner(&self, name: &str) -> Option<Fields<'a>> {
        Some(Fields::read(braced(self.get(name)?)?))
    }

    /// What stands in the braces of a field, as a list.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        Some(split(braced(self.get(name)?)?))
    }

    /// A quoted text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let quoted = self.get(name)?.strip_prefix('L')?;
        let end = quote_end(quoted)?;
        Some(unescaped(quoted.get(1..end - 1)?))
    }

    /// Bytes, and how many there were if the log holds only the first of them.
    pub(crate) fn bytes(&self, name: &str) -> Option<Bytes> {
        Bytes::read(braced(self.get(name)?)?)
    }
}

/// Bytes in a log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Bytes {
    pub(crate) shown: Vec<u8>,
    pub(crate) total: u32,
}

impl Bytes {
    fn read(text: &str) -> Option<Bytes> {
        let (list, total) = match text.split_once("...(total ") {
            Some((list, rest)) => (list, Some(rest.strip_suffix(')')?.trim().parse().ok()?)),
            None => (text, None),
        };
        let mut shown = Vec::new();
        for byte in list.split(',').map(str::trim).filter(|byte| !byte.is_empty()) {
            shown.push(u8::from_str_radix(byte, 16).ok()?);
        }
        let count = u32::try_from(shown.len()).ok()?;
        let total = total.unwrap_or(count);
        (total >= count).then_some(Bytes { shown, total })
    }

    pub(crate) fn is_cut(&self) -> bool {
        (self.shown.len() as u64) < u64::from(self.total)
    }

    /// The first of these bytes.
    pub(crate) fn first(mut self, count: u32) -> Bytes {
        self.shown.truncate(count as usize);
        self.total = self.total.min(count);
        self
    }
}

fn braced(value: &str) -> Option<&str> {
    value.strip_prefix('{')?.strip_suffix('}')
}

/// The place behind the closing quote of a text that begins with a quote.
fn quote_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return text.starts_with('"').then_some(at + 1),
            _ => {}
        }
    }
    None
}

/// The parts between commas, outside of quotes and braces.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut at) = (Vec::new(), 0, 0_u32, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += text.get(at..).and_then(quote_end).unwrap_or(1);
                continue;
            }
            b'{' | b'(' => depth += 1,
            b'}' | b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let last = text[start..].trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    parts
}

/// A text as Wine quotes it. A character of more than one byte is `\` or `\x` and four digits.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (character, used) = match rest.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(b'\\') => ('\\', 1),
            Some(b'"') => ('"', 1),
            Some(b'x') => match code(&rest[1..], 4).or_else(|| code(&rest[1..], 2)) {
                Some((character, used)) => (character, used + 1),
                None => ('\\', 0),
            },
            _ => code(rest, 4).unwrap_or(('\\', 0)),
        };
        plain.push(character);
        rest = &rest[used..];
    }
    plain + rest
}

fn code(text: &str, digits: usize) -> Option<(char, usize)> {
    let number = u32::from_str_radix(text.get(..digits)?, 16).ok()?;
    Some((char::from_u32(number)?, digits))
}

impl<'a> Line<'a> {
    /// Reads a line; `None` if it is none that this reader knows.
    pub(crate) fn read(text: &'a str) -> Option<Line<'a>> {
        let text = text.trim_end_matches(['\r', '\n']);
        if let Some((thread, rest)) = number(text) {
            if let Some(rest) = rest.strip_prefix(' ') {
                return server(thread, rest);
            }
        }
        if text.starts_with("wineserver: ") || text.starts_with("sock") {
            return Some(Line::Talk);
        }
        // [SECONDS:]PROCESS:THREAD:
        let rest = match text.split_once(':') {
            Some((time, rest)) if time.contains('.') && time.parse::<f64>().is_ok() => rest,
            _ => text,
        };
        let (process, rest) = number(rest)?;
        let (thread, rest) = number(rest)?;
        if let Some(call) = rest.strip_prefix("Call ") {
            let Some((function, rest)) = function(call, '(') else { return Some(Line::Talk) };
            let arguments = arguments(rest)?;
            return Some(Line::Call { process, thread, function, arguments });
        }
        if let Some(back) = rest.strip_prefix("Ret  ") {
            let Some((function, rest)) = function(back, '(') else { return Some(Line::Talk) };
            let value = rest.strip_prefix(") retval=")?.split(' ').next()?;
            let value = u64::from_str_radix(value, 16).ok()?;
            return Some(Line::Return { process, thread, function, value });
        }
        // Entry points of modules, starts of threads, and messages of other channels.
        Some(Line::Talk)
    }
}

/// Hexadecimal digits and a colon.
fn number(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_once(':')?;
    if !(4..=8).contains(&digits.len()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

/// `DLL.function`, and what stands behind the parenthesis.
fn function(text: &str, end: char) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(end)?;
    let (_, function) = name.rsplit_once('.')?;
    (!name.contains(' ')).then_some((function, rest))
}

/// Arguments up to the closing parenthesis.
fn arguments(text: &str) -> Option<Vec<Argument>> {
    let mut list = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if rest.starts_with(')') {
            return Some(list);
        }
        let end = rest.find([',', ')', ' '])?;
        let value = u64::from_str_radix(&rest[..end], 16).ok()?;
        rest = &rest[end..];
        let mut argument = Argument { value, text: None };
        if let Some(quoted) = rest.strip_prefix(' ') {
            let quoted = quoted.strip_prefix('L').unwrap_or(quoted);
            let end = quote_end(quoted)?;
            rest = &quoted[end..];
            match rest.strip_prefix("...") {
                // The text was too long for the log.
                Some(cut) => rest = cut,
                None => argument.text = Some(unescaped(&quoted[1..end - 1])),
            }
        }
        list.push(argument);
    }
}

fn server<'a>(thread: u32, text: &'a str) -> Option<Line<'a>> {
    if let Some(event) = text.strip_prefix('*') {
        return Some(match event.split_once('*') {
            Some(("killed", _)) => Line::Killed { thread },
            Some(("wakeup", _)) => Line::Woken { thread },
            _ => Line::Talk,
        });
    }
    let (name, rest) = text.split_once('(')?;
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') || name.is_empty() {
        return None;
    }
    if let Some(answer) = rest.strip_prefix(") = ") {
        let (status, fields) = answer.split_once(' ').unwrap_or((answer, ""));
        let fields = if fields.is_empty() { fields } else { braced(fields)? };
        let status = ServerStatus { name: status };
        return Some(Line::Reply { thread, name, status, fields: Fields::read(fields) });
    }
    let fields = Fields::read(rest.strip_suffix(')')?);
    Some(Line::Request { thread, name, fields })
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Line};
    use npfs_abi::Status;

    #[test]
    fn a_call_has_its_arguments_and_the_texts_they_point_to() {
        let line = r#"2603.743:00e0:00e4:Call KERNEL32.CreateNamedPipeW(14000a040 L"\\\\.\\pipe\\a,b\"(",00000003,200000200) ret=14000182a"#;
        let Some(Line::Call { process, thread, function, arguments }) = Line::read(line) else {
            panic!("no call");
        };
        assert_eq!((process, thread, function), (0xe0, 0xe4, "CreateNamedPipeW"));
        assert_eq!(arguments[0].text.as_deref(), Some(r#"\\.\pipe\a,b"("#));
        assert_eq!(arguments[2].dword(), 0x200);
    }

    #[test]
    fn a_text_that_was_too_long_for_the_log_is_not_known() {
        let line =
            r#"00e0:00e4:Call KERNEL32.CreateFileW(14 L"\\\\.\\pipe\\aa"...,80000000) ret=1"#;
        let Some(Line::Call { arguments, .. }) = Line::read(line) else { panic!("no call") };
        assert_eq!(arguments[0].text, None);
        assert_eq!(arguments[1].value, 0x8000_0000);
    }

    #[test]
    fn requests_and_answers_have_fields() {
        let line = r#"00e4: open_file_object( access=c0100080, rootdir=0000, filename=L"\\??\\pipe\\x{,\x00e4" )"#;
        let Some(Line::Request { thread: 0xe4, name, fields }) = Line::read(line) else {
            panic!("no request");
        };
        assert_eq!(name, "open_file_object");
        assert_eq!(fields.hex("access"), Some(0xc010_0080));
        assert_eq!(fields.text("filename").as_deref(), Some("\\??\\pipe\\x{,\u{e4}"));
        let line = "00e4: read() = BUFFER_OVERFLOW { wait=00e8, data={78,79...(total 300)} }";
        let Some(Line::Reply { status, fields, .. }) = Line::read(line) else {
            panic!("no answer");
        };
        assert_eq!(status.status(), Some(Status::BUFFER_OVERFLOW));
        assert_eq!(fields.bytes("data"), Some(Bytes { shown: b"xy".to_vec(), total: 300 }));
        let line = "00e4: close_handle() = 0";
        assert!(matches!(Line::read(line), Some(Line::Reply { status, .. }) if status.ok()));
    }

    #[test]
    fn lines_in_lines_have_inner_fields() {
        let line = "0110: ioctl( code=FSCTL_PIPE_LISTEN, async={handle=00c8,event=0000,apc_context=00b4c770}, in_data={} )";
        let Some(Line::Request { fields, .. }) = Line::read(line) else { panic!("no request") };
        assert_eq!(fields.inner("async").and_then(|one| one.hex("handle")), Some(0xc8));
        assert_eq!(fields.bytes("in_data"), Some(Bytes::default()));
    }

    #[test]
    fn other_lines_are_talk_or_nothing() {
        assert_eq!(Line::read("0110: *killed* exit_code=0"), Some(Line::Killed { thread: 0x110 }));
        assert_eq!(Line::read("0110: *wakeup* signaled=0"), Some(Line::Woken { thread: 0x110 }));
        assert_eq!(Line::read("wineserver: exiting (pid=1)"), Some(Line::Talk));
        assert_eq!(Line::read("0110:0114:fixme:file:x y"), Some(Line::Talk));
        assert_eq!(Line::read("unwinding works"), None);
        assert_eq!(Line::read("0110:0114:Call KERNEL32.ReadFile(0000"), None);
    }
}
