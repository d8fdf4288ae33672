//! Which names a scenario has given so far.

use std::collections::BTreeMap;

use npfs_abi::{ProcessId, RequestId, ThreadId};

use super::line::Line;
use crate::error::ParseError;
use crate::scenario::{Process, Thread, Word};

/// What a word stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Handle,
    Request(RequestId),
}

/// The names given so far, in file order.
#[derive(Default)]
pub(super) struct Names {
    pub(super) processes: Vec<Process>,
    pub(super) threads: Vec<Thread>,
    /// How many steps each thread has had.
    pub(super) steps: Vec<u32>,
    /// The last meaning of each word.
    pub(super) words: BTreeMap<Word, Meaning>,
}

impl Names {
    pub(super) fn find_thread(&self, name: &str) -> Option<ThreadId> {
        id(self.threads.iter().position(|thread| thread.name == name)).map(ThreadId)
    }

    pub(super) fn find_process(&self, name: &str) -> Option<ProcessId> {
        id(self.processes.iter().position(|process| process.name == name)).map(ProcessId)
    }

    /// The name of a declared thread.
    pub(super) fn thread(&self, line: &mut Line<'_>) -> Result<ThreadId, ParseError> {
        const WANTED: &str = "the name of a declared thread";
        let mark = line.mark();
        let name = line.word(WANTED)?;
        self.find_thread(name).ok_or_else(|| line.error_at(mark, WANTED, &format!("`{name}`")))
    }

    /// The name of a declared process.
    pub(super) fn process(&self, line: &mut Line<'_>) -> Result<ProcessId, ParseError> {
        const WANTED: &str = "the name of a declared process";
        let mark = line.mark();
        let name = line.word(WANTED)?;
        self.find_process(name).ok_or_else(|| line.error_at(mark, WANTED, &format!("`{name}`")))
    }

    /// A word that an earlier step gave to a handle.
    pub(super) fn handle(&self, line: &mut Line<'_>) -> Result<Word, ParseError> {
        let mark = line.mark();
        let word = line.word("the word of a handle")?;
        let found = match self.words.get(word) {
            Some(Meaning::Handle) => return Ok(word.to_owned()),
            Some(Meaning::Request(_)) => format!("`{word}`, which names a request"),
            None => format!("`{word}`, which no step before this one names"),
        };
        Err(line.error_at(mark, "the word of a handle", &found))
    }

    /// A word that an earlier step gave to a handle or a request.
    pub(super) fn any_word(&self, line: &mut Line<'_>) -> Result<Word, ParseError> {
        const WANTED: &str = "the word of a handle or a request";
        let mark = line.mark();
        let word = line.word(WANTED)?;
        if self.words.contains_key(word) {
            return Ok(word.to_owned());
        }
        Err(line.error_at(mark, WANTED, &format!("`{word}`, which no step before this one names")))
    }

    /// A word that an earlier step gave to a request, or `THREAD.N`; as written, and what it means.
    pub(super) fn request(&self, line: &mut Line<'_>) -> Result<(Word, RequestId), ParseError> {
        let mark = line.mark();
        let text = line.request()?;
        let found = match text.split_once('.') {
            Some((name, number)) => match self.numbered(name, number) {
                Some(request) => return Ok((text.to_owned(), request)),
                None => format!("`{text}`, which is no step so far"),
            },
            None => match self.words.get(text) {
                Some(Meaning::Request(request)) => return Ok((text.to_owned(), *request)),
                Some(Meaning::Handle) => format!("`{text}`, which names a handle"),
                None => format!("`{text}`, which no step so far names"),
            },
        };
        Err(line.error_at(mark, "the word of a request", &found))
    }

    fn numbered(&self, name: &str, number: &str) -> Option<RequestId> {
        let thread = self.find_thread(name)?;
        let call = number.parse().ok()?;
        let steps = *self.steps.get(thread.0 as usize - 1)?;
        (1..=steps).contains(&call).then_some(RequestId { thread, call })
    }
}

fn id(position: Option<usize>) -> Option<u32> {
    u32::try_from(position? + 1).ok()
}
