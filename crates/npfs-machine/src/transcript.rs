//! A run as text: one line a step, what it caused indented below it.

use std::fmt::{self, Write};

use npfs_abi::{Completion, Handle, Outcome, Output, Reply};
use npfs_trace::scenario::Word;
use npfs_trace::text::Printer;

use crate::Machine;

/// Lines that are aligned when they are printed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Transcript {
    lines: Vec<Line>,
    /// The width of the names of threads.
    pub(crate) names: usize,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Line {
    Step { thread: String, action: String, outcome: String },
    Caused(String),
    Advance(String),
    Note(String),
}

/// Longer steps stand out of the column instead of pushing it to the right.
const WIDEST: usize = 60;

impl Transcript {
    pub(crate) fn new(printer: &Printer) -> Transcript {
        let names = printer.threads.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        Transcript { lines: Vec::new(), names }
    }

    pub(crate) fn step(&mut self, thread: String, action: String, outcome: String) {
        self.lines.push(Line::Step { thread, action, outcome });
    }

    pub(crate) fn caused(&mut self, text: String) {
        self.lines.push(Line::Caused(text));
    }

    pub(crate) fn advance(&mut self, text: String) {
        self.lines.push(Line::Advance(text));
    }

    /// A remark on the line above.
    pub(crate) fn note(&mut self, text: String) {
        self.lines.push(Line::Note(text));
    }

    /// The last `count` lines.
    pub(crate) fn tail(&self, count: usize) -> Transcript {
        let from = self.lines.len().saturating_sub(count);
        Transcript { lines: self.lines[from..].to_vec(), names: self.names }
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.lines.iter().map(|line| match line {
            Line::Step { action, .. } => action.chars().count(),
            _ => 0,
        });
        let width = width.filter(|width| *width <= WIDEST).max().unwrap_or(0);
        let names = self.names;
        for line in &self.lines {
            match line {
                Line::Step { thread, action, outcome } => {
                    writeln!(f, "{thread:names$}  {action:width$}  -> {outcome}")?;
                }
                Line::Caused(text) => writeln!(f, "{:names$}    {text}", "")?,
                Line::Advance(text) => writeln!(f, "{text}")?,
                Line::Note(text) => writeln!(f, "{:names$}    ^ {text}", "")?,
            }
        }
        Ok(())
    }
}

/// The words of handles.
pub(crate) trait HandleWords {
    /// The word of a handle.
    fn word(&self, handle: Handle) -> Word;
}

impl HandleWords for Machine {
    fn word(&self, handle: Handle) -> Word {
        Machine::word(self, handle)
    }
}

/// What a step did: `s = create_pipe …`.
pub(crate) fn action(labels: &[Word], op: &str) -> String {
    if labels.is_empty() { op.to_owned() } else { format!("{} = {op}", labels.join(" ")) }
}

/// What a step was answered.
pub(crate) fn outcome(
    outcome: &Outcome,
    named: bool,
    words: &dyn HandleWords,
    printer: &Printer,
) -> String {
    match outcome {
        Outcome::Blocked(_) => "blocked".to_owned(),
        Outcome::Pending(_) if named => "pending".to_owned(),
        Outcome::Pending(request) => format!("pending {}", printer.request(*request)),
        Outcome::Done(reply) => self::reply(reply, named, words, printer),
    }
}

/// A reply with words for handles. A new handle that has a word is not named again.
pub(crate) fn reply(
    reply: &Reply,
    named: bool,
    words: &dyn HandleWords,
    printer: &Printer,
) -> String {
    let creates = matches!(reply.output, Output::Handle(_) | Output::Handles(..));
    if creates && named {
        return npfs_trace::text::status(reply.status);
    }
    let information = if creates { 0 } else { reply.information };
    let output = reply.output.clone();
    printer.reply(&Reply { status: reply.status, information, output: worded(output, words) })
}

/// A caused line, such as `r done ok 5 "hello"`.
pub(crate) fn caused(
    completion: &Completion,
    words: &dyn HandleWords,
    printer: &Printer,
) -> String {
    let who = if completion.wakes {
        printer.thread(completion.request.thread)
    } else {
        printer.request(completion.request)
    };
    let mut text = String::new();
    let verb = if completion.wakes { "returns" } else { "done" };
    // Writing to a string cannot fail.
    let _ = write!(text, "{who} {verb} {}", reply(&completion.reply, false, words, printer));
    text
}

/// Handles become their words.
pub(crate) fn worded(output: Output, words: &dyn HandleWords) -> Output<Word> {
    match output {
        Output::None => Output::None,
        Output::Handle(handle) => Output::Handle(words.word(handle)),
        Output::Handles(read, write) => Output::Handles(words.word(read), words.word(write)),
        Output::Data(data) => Output::Data(data),
        Output::Peek(peek) => Output::Peek(peek),
        Output::Info(info) => Output::Info(info),
        Output::State(state) => Output::State(state),
        Output::Local(local) => Output::Local(local),
        Output::FileType(number) => Output::FileType(number),
        Output::Routines(requests) => Output::Routines(requests),
        Output::Packets(packets) => Output::Packets(packets),
        Output::Number(number) => Output::Number(number),
        Output::Text(text) => Output::Text(text),
        Output::Names(names) => Output::Names(names),
        Output::Token(token) => Output::Token(token),
        Output::Descriptor(descriptor) => Output::Descriptor(descriptor),
    }
}
