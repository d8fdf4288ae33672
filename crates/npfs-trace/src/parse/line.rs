//! One line of a scenario and the pieces it is made of.

use npfs_abi::{Data, Time};
use winnow::Parser;
use winnow::combinator::{alt, opt, preceded, repeat};
use winnow::token::{one_of, take_while};

use crate::error::{ParseError, column};

/// The most bytes that one piece of data may have.
const LARGEST_DATA: usize = 16 << 20;
/// The most bytes that all repetitions of a file together may make. A short text must not be
/// able to fill the memory.
pub(super) const ALL_REPETITIONS: usize = 64 << 20;

/// A line that is being read from left to right.
pub(super) struct Line<'a> {
    text: &'a str,
    rest: &'a str,
    number: u32,
    /// How many bytes repetitions may still make.
    pub(super) budget: usize,
}

/// The rest of the line from some point on: a position to report.
#[derive(Clone, Copy)]
pub(super) struct Mark<'a>(&'a str);

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, number: u32, budget: usize) -> Line<'a> {
        Line { text, rest: text, number, budget }
    }

    /// The next position that is not blank.
    pub(super) fn mark(&mut self) -> Mark<'a> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        Mark(self.rest)
    }

    /// The start of the line.
    pub(super) fn start(&self) -> Mark<'a> {
        Mark(self.text)
    }

    pub(super) fn back_to(&mut self, mark: Mark<'a>) {
        self.rest = mark.0;
    }

    /// Whether nothing but a comment is left.
    pub(super) fn at_end(&mut self) -> bool {
        let rest = self.mark().0;
        rest.is_empty() || rest.starts_with('#')
    }

    /// Whether `text` comes next.
    pub(super) fn sees(&mut self, text: &str) -> bool {
        self.mark().0.starts_with(text)
    }

    /// Whether nothing is left, or what joins or closes claims: `and`, `or`, `)`.
    pub(super) fn at_end_of_claim(&mut self) -> bool {
        let mark = self.mark();
        let word = self.try_word();
        self.back_to(mark);
        matches!(word, Some("and" | "or")) || self.sees(")") || self.at_end()
    }

    /// Takes this word if it comes next.
    pub(super) fn eat_word(&mut self, wanted: &str) -> bool {
        let mark = self.mark();
        let found = self.try_word() == Some(wanted);
        if !found {
            self.back_to(mark);
        }
        found
    }

    /// The column of a position, from 1.
    pub(super) fn column(&self, mark: Mark<'a>) -> u32 {
        column(self.text, self.text.len() - mark.0.len())
    }

    /// The number of this line, from 1.
    pub(super) fn number_of_line(&self) -> u32 {
        self.number
    }

    /// Whether a blank comes next.
    pub(super) fn sees_blank(&self) -> bool {
        self.rest.starts_with([' ', '\t'])
    }

    /// Whether a digit comes next.
    pub(super) fn sees_digit(&mut self) -> bool {
        self.mark().0.starts_with(|c: char| c.is_ascii_digit())
    }

    /// Takes `text` if it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let rest = self.mark().0.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// As [`Line::eat`], but with no blank before it.
    pub(super) fn eat_close(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn expect(&mut self, text: &str) -> Result<(), ParseError> {
        if self.eat(text) { Ok(()) } else { Err(self.wanted(&format!("`{text}`"))) }
    }

    /// Nothing but a comment may be left.
    pub(super) fn end(&mut self) -> Result<(), ParseError> {
        if self.at_end() { Ok(()) } else { Err(self.wanted("the end of the line")) }
    }

    /// An error at the next position.
    pub(super) fn wanted(&mut self, wanted: &str) -> ParseError {
        let mark = self.mark();
        self.wanted_at(mark, wanted)
    }

    /// An error at `mark` that tells what stands there.
    pub(super) fn wanted_at(&self, mark: Mark<'a>, wanted: &str) -> ParseError {
        let found = match mark.0.chars().next() {
            None | Some('#') => "the end of the line".to_owned(),
            Some(_) => {
                let whole = mark.0.split([' ', '\t']).next().unwrap_or_default();
                let shown: String = whole.chars().take(40).collect();
                let cut = if shown.len() < whole.len() { "…" } else { "" };
                format!("`{}{cut}`", shown.escape_debug())
            }
        };
        self.error_at(mark, wanted, &found)
    }

    pub(super) fn error_at(&self, mark: Mark<'a>, wanted: &str, found: &str) -> ParseError {
        ParseError {
            line: self.number,
            column: column(self.text, self.text.len() - mark.0.len()),
            wanted: wanted.to_owned(),
            found: found.to_owned(),
        }
    }

    /// Runs a parser at the next position; the line stays there if it fails.
    fn run<T>(
        &mut self,
        mut parser: impl Parser<&'a str, T, winnow::error::EmptyError>,
    ) -> Option<T> {
        let mark = self.mark();
        let result = parser.parse_next(&mut self.rest);
        if result.is_err() {
            self.back_to(mark);
        }
        result.ok()
    }

    /// A word: a letter or `_`, then letters, digits, `_` and `-` between them.
    pub(super) fn try_word(&mut self) -> Option<&'a str> {
        self.run(word)
    }

    pub(super) fn word(&mut self, wanted: &str) -> Result<&'a str, ParseError> {
        self.try_word().ok_or_else(|| self.wanted(wanted))
    }

    /// The id of a rule, such as `READ-21`.
    pub(super) fn rule_id(&mut self) -> Result<&'a str, ParseError> {
        self.word("the id of a rule, such as READ-21")
    }

    /// The name of a request: `WORD` or `THREAD.N`.
    pub(super) fn request(&mut self) -> Result<&'a str, ParseError> {
        let name = (word, opt(('.', take_while(1.., '0'..='9')))).take();
        self.run(name).ok_or_else(|| self.wanted("the word of a request"))
    }

    /// An option: `word`, or `word=` when a value follows. `None` at `->` and where a claim ends.
    pub(super) fn option(&mut self) -> Result<Option<&'a str>, ParseError> {
        if self.at_end_of_claim() || self.sees("->") {
            return Ok(None);
        }
        match self.run((word, opt('=')).take()) {
            Some(option) => Ok(Some(option)),
            None => Err(self.wanted("an option or the end of the step")),
        }
    }

    /// A run of letters, digits and dots that starts with a digit.
    fn figure(&mut self, wanted: &str) -> Result<&'a str, ParseError> {
        let figure =
            (one_of('0'..='9'), take_while(0.., ('0'..='9', 'a'..='z', 'A'..='Z', '.', '_')));
        self.run(figure.take()).ok_or_else(|| self.wanted(wanted))
    }

    /// A number of 32 bits, decimal or with `0x`.
    pub(super) fn number(&mut self) -> Result<u32, ParseError> {
        const WANTED: &str = "a number below 4294967296";
        let mark = self.mark();
        let text = self.figure(WANTED)?;
        number(text).ok_or_else(|| self.wanted_at(mark, WANTED))
    }

    /// A number of 64 bits, decimal or with `0x`.
    pub(super) fn number64(&mut self) -> Result<u64, ParseError> {
        const WANTED: &str = "a number of 64 bits";
        let mark = self.mark();
        let text = self.figure(WANTED)?;
        let number = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        number.ok_or_else(|| self.wanted_at(mark, WANTED))
    }

    /// A number of 64 bits with a sign.
    pub(super) fn signed(&mut self) -> Result<i64, ParseError> {
        const WANTED: &str = "a number of 64 bits, with - if it is negative";
        let mark = self.mark();
        let sign = if self.eat("-") { "-" } else { "" };
        let text = format!("{sign}{}", self.figure(WANTED)?);
        text.parse().map_err(|_| self.wanted_at(mark, WANTED))
    }

    /// A string that is text.
    pub(super) fn quoted(&mut self) -> Result<String, ParseError> {
        let mark = self.mark();
        String::from_utf8(self.data()?.to_vec()).map_err(|_| self.wanted_at(mark, "text in UTF-8"))
    }

    /// Milliseconds of 32 bits: `100ms` or `100`.
    pub(super) fn millis(&mut self) -> Result<u32, ParseError> {
        const WANTED: &str = "a time such as 100ms";
        let mark = self.mark();
        let text = self.figure(WANTED)?;
        number(text.strip_suffix("ms").unwrap_or(text)).ok_or_else(|| self.wanted_at(mark, WANTED))
    }

    /// A span of virtual time: `100ms` or, down to 100 ns, `0.0001ms`.
    pub(super) fn time(&mut self) -> Result<Time, ParseError> {
        const WANTED: &str = "a time such as 100ms";
        let mark = self.mark();
        let text = self.figure(WANTED)?;
        span(text).ok_or_else(|| self.wanted_at(mark, WANTED))
    }

    /// Data: strings, repeated with `*` and joined with `+`.
    pub(super) fn data(&mut self) -> Result<Data, ParseError> {
        let mut bytes = Vec::new();
        loop {
            self.string(&mut bytes)?;
            if !self.eat("+") {
                return Ok(Data::from(bytes));
            }
        }
    }

    /// `"text"` or `"text"*N`, put behind `bytes`.
    fn string(&mut self, bytes: &mut Vec<u8>) -> Result<(), ParseError> {
        let mark = self.mark();
        if !self.eat("\"") {
            return Err(self.wanted("data such as \"text\""));
        }
        let start = bytes.len();
        while !self.eat_close("\"") {
            let here = Mark(self.rest);
            match piece.parse_next(&mut self.rest) {
                Ok(Piece::Text(text)) => bytes.extend_from_slice(text.as_bytes()),
                Ok(Piece::Byte(byte)) => bytes.push(byte),
                Err(_) if here.0.is_empty() => {
                    return Err(self.error_at(here, "`\"`", "the end of the line"));
                }
                Err(_) => {
                    let wanted = r#"one of the escapes \" \\ \n \r \t \0 \xHH"#;
                    let found: String = here.0.chars().take(2).collect();
                    let found = format!("`{}`", found.trim_end());
                    return Err(self.error_at(here, wanted, &found));
                }
            }
        }
        let mut size = bytes.len();
        if self.eat("*") {
            let here = self.mark();
            let times = self.number()? as usize;
            let made = (size - start).saturating_mul(times);
            if made > LARGEST_DATA {
                let found = format!("{made} bytes");
                return Err(self.error_at(here, "at most 16 MiB of data", &found));
            }
            if made > self.budget {
                let wanted = "at most 64 MiB of repeated data in the whole file";
                return Err(self.wanted_at(here, wanted));
            }
            self.budget -= made;
            let once = bytes.split_off(start);
            bytes.extend_from_slice(&once.repeat(times));
            size = bytes.len();
        }
        if size > LARGEST_DATA {
            let found = format!("{size} bytes");
            return Err(self.error_at(mark, "at most 16 MiB of data", &found));
        }
        Ok(())
    }

    /// A path: a bare run of characters, or a string.
    pub(super) fn path(&mut self) -> Result<String, ParseError> {
        let mark = self.mark();
        if self.sees("\"") {
            return String::from_utf8(self.data()?.to_vec())
                .map_err(|_| self.wanted_at(mark, "a path in UTF-8"));
        }
        if self.sees("->") {
            return Err(self.wanted("a path"));
        }
        let bare = take_while(1.., |c: char| !matches!(c, ' ' | '\t' | '"' | '#'));
        self.run(bare).map(str::to_owned).ok_or_else(|| self.wanted("a path"))
    }

    /// The rest of the line as it stands, without blanks around it and without a comment.
    pub(super) fn sentence(&mut self) -> &'a str {
        let rest = self.mark().0;
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            c == '#' && !quoted
        });
        self.rest = &rest[end.unwrap_or(rest.len())..];
        rest[..end.unwrap_or(rest.len())].trim()
    }
}

type Lexeme<T> = Result<T, winnow::error::EmptyError>;

fn word<'a>(input: &mut &'a str) -> Lexeme<&'a str> {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let run = |input: &mut &'a str| -> Lexeme<&'a str> { take_while(1.., inner).parse_next(input) };
    let tails = repeat::<_, _, (), _, _>(0.., ('-', run));
    (one_of(letter), opt(run), tails).take().parse_next(input)
}

/// A part of a string.
#[derive(Clone)]
enum Piece<'a> {
    Text(&'a str),
    Byte(u8),
}

fn piece<'a>(input: &mut &'a str) -> Lexeme<Piece<'a>> {
    let text = take_while(1.., |c: char| c != '"' && c != '\\').map(Piece::Text);
    let digits = take_while(2, |c: char| c.is_ascii_hexdigit());
    let byte = preceded('x', digits).verify_map(|digits| u8::from_str_radix(digits, 16).ok());
    let simple = alt((
        '"'.value(b'"'),
        '\\'.value(b'\\'),
        'n'.value(b'\n'),
        'r'.value(b'\r'),
        't'.value(b'\t'),
        '0'.value(0),
    ));
    alt((text, preceded('\\', alt((simple, byte))).map(Piece::Byte))).parse_next(input)
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn span(text: &str) -> Option<Time> {
    let text = text.strip_suffix("ms")?;
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if part.is_empty() || part.len() > 4 {
        return None;
    }
    let part: u64 = format!("{part:0<4}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    Some(Time(whole.checked_mul(10_000)?.checked_add(part)?))
}
