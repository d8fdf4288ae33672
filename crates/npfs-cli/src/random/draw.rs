//! Draws one random scenario: what its threads do, and what the model answers.
//!
//! The model is asked after every line, so that the next line is one of a thread that can call,
//! and mostly means a handle that is open. What is expected behind `->` is what the model says: it
//! tells the recorder how long to be patient, and `npfs run` holds what is drawn.

use std::collections::BTreeMap;

use npfs_abi::{Completion, Outcome, Output, Reply, ThreadId};
use npfs_explore::random::Random;
use npfs_machine::Machine;
use npfs_trace::Scenario;
use npfs_trace::scenario::{Action, Caused, Expected, ExpectedReply, Step, Word};

/// What a word names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Server,
    Client,
    Event,
}

/// A word for an open handle.
#[derive(Clone, Debug)]
struct Named {
    word: Word,
    kind: Kind,
    overlapped: bool,
    /// The thread that calls on it if it is synchronous: Wine keeps no order among several.
    owner: usize,
    /// The word of the handle that it is a duplicate of, in the end, or its own.
    file: Word,
}

/// The scenario number `number` of a seed. It depends on nothing else.
pub(super) fn scenario(seed: u64, number: u32) -> Result<Scenario, String> {
    let mut random = Random::new(seed);
    let mixed = random.bits() ^ u64::from(number);
    let random = Random::new(Random::new(mixed).bits());
    Draw::new(random, seed, number)?.draw()
}

struct Draw {
    random: Random,
    threads: usize,
    /// The names of the pipes, which no other scenario has.
    paths: [String; 2],
    /// What each pipe was created with first.
    types: [Option<&'static str>; 2],
    /// The quotas of each: in Wine those of the first instance are all instances'.
    quotas: [Option<&'static str>; 2],
    /// The file without expectations.
    text: String,
    machine: Machine,
    /// Whether something empty is written. Then no read is empty: what an empty read does to an
    /// empty message is an open question (OQ-05).
    empty: bool,
    handles: Vec<Named>,
    /// Words that name no handle: their calls failed.
    invalid: Vec<Word>,
    /// Requests: their words and those of the handles they were begun on.
    requests: Vec<(Word, Word)>,
    /// On which file each thread sleeps that slept last.
    sleepers: BTreeMap<usize, Word>,
    words: usize,
    steps: Vec<Step>,
}

impl Draw {
    fn new(mut random: Random, seed: u64, number: u32) -> Result<Draw, String> {
        let threads = 1 + random.below(4);
        let mut text = format!("title: Random scenario {number} of seed {seed}.\n");
        for thread in 1..=threads {
            text += &format!("thread t{thread}\n");
        }
        let machine = Machine::new(&parse(&text)?);
        let empty = random.below(2) == 0;
        let path = |letter| format!(r"\\.\pipe\random-{seed}-{number}-{letter}");
        Ok(Draw {
            random,
            threads,
            paths: [path('a'), path('b')],
            types: [None, None],
            quotas: [None, None],
            text,
            machine,
            empty,
            handles: Vec::new(),
            invalid: Vec::new(),
            requests: Vec::new(),
            sleepers: BTreeMap::new(),
            words: 0,
            steps: Vec::new(),
        })
    }

    fn draw(mut self) -> Result<Scenario, String> {
        let count = 6 + self.random.below(9);
        // Most scenarios begin with a connection: much is only to be seen on one.
        if self.random.below(8) != 0 {
            self.create()?;
            self.open()?;
        }
        while self.steps.len() < count && self.awake().next().is_some() {
            self.line()?;
        }
        let mut scenario = parse(&self.text)?;
        for (step, drawn) in scenario.steps.iter_mut().zip(self.steps) {
            step.expected = drawn.expected;
            step.caused = drawn.caused;
        }
        Ok(scenario)
    }

    fn awake(&self) -> impl Iterator<Item = usize> {
        (1..=self.threads).filter(|thread| self.machine.can_run(ThreadId(*thread as u32)))
    }

    fn one_of(&mut self, list: &[&'static str]) -> &'static str {
        list[self.random.below(list.len())]
    }

    /// True once in `count`.
    fn rarely(&mut self, count: usize) -> bool {
        self.random.below(count) == 0
    }

    fn any_thread(&mut self) -> usize {
        let awake: Vec<usize> = self.awake().collect();
        awake.get(self.random.below(awake.len())).copied().unwrap_or(1)
    }

    /// Who calls on a handle.
    fn thread_for(&mut self, named: &Named) -> usize {
        let own = self.machine.can_run(ThreadId(named.owner as u32));
        if own && !named.overlapped && !self.rarely(16) {
            return named.owner;
        }
        self.any_thread()
    }

    fn word(&mut self, letter: char) -> Word {
        self.words += 1;
        format!("{letter}{}", self.words)
    }

    /// A handle to call on. One that is in use by a sleeping call of its owner is avoided.
    fn handle(&mut self, kinds: &[Kind]) -> Option<Named> {
        if self.rarely(40) && !self.invalid.is_empty() {
            let word = self.invalid[self.random.below(self.invalid.len())].clone();
            let file = word.clone();
            return Some(Named { word, kind: Kind::Server, overlapped: true, owner: 1, file });
        }
        let awake = |thread: usize| self.machine.can_run(ThreadId(thread as u32));
        let busy: Vec<&Word> =
            self.sleepers.iter().filter(|(who, _)| !awake(**who)).map(|(_, file)| file).collect();
        let free = |one: &&Named| {
            one.overlapped || awake(one.owner) && !busy.contains(&&one.file)
        };
        let fits = |one: &&Named| kinds.contains(&one.kind);
        let all: Vec<Named> = self.handles.iter().filter(fits).cloned().collect();
        let best: Vec<Named> = self.handles.iter().filter(fits).filter(free).cloned().collect();
        let list = if self.rarely(30) { all } else { best };
        (!list.is_empty()).then(|| list[self.random.below(list.len())].clone())
    }

    fn end(&mut self) -> Option<Named> {
        self.handle(&[Kind::Server, Kind::Client])
    }

    fn event(&mut self) -> Option<Named> {
        self.handle(&[Kind::Event]).filter(|one| one.kind == Kind::Event)
    }

    /// ` overlapped` with or without an event, or nothing. An overlapped handle always has it: a
    /// call without, which a signal of another one's end lets return early, leaves the system
    /// writing to a stack frame that is gone, in Wine and on Windows.
    fn delivery(&mut self, named: &Named) -> String {
        if !named.overlapped && !self.rarely(12) {
            return String::new();
        }
        match self.event() {
            Some(event) if self.rarely(3) => format!(" overlapped event={}", event.word),
            _ => " overlapped".to_owned(),
        }
    }

    /// A payload. Each has its own letter, so that the order of what is read shows.
    fn payload(&mut self) -> String {
        let letter = char::from(b'a' + (self.steps.len() % 26) as u8);
        let length = [1, 3, 5, 8, 8, 20, 100, 0][self.random.below(7 + usize::from(self.empty))];
        format!("{:?}", String::from(letter).repeat(length))
    }

    fn length(&mut self) -> &'static str {
        let empty = if self.empty { "1" } else { "0" };
        let lengths = ["1", "3", "4", "8", "64", "64", empty];
        lengths[self.random.below(lengths.len())]
    }

    fn create(&mut self) -> Result<(), String> {
        let place = usize::from(self.rarely(5));
        let same = !self.rarely(12);
        let kind = match self.types[place] {
            Some(kind) if same => kind,
            _ => self.one_of(&["", " message", " message read=message"]),
        };
        self.types[place].get_or_insert(kind);
        let direction = self.one_of(&["", "", "", "", " inbound", " outbound"]);
        let nowait = if self.rarely(8) { " nowait" } else { "" };
        let overlapped = self.one_of(&["", " overlapped"]);
        let count = match self.random.below(12) {
            0..6 => " instances=2",
            6..9 => "",
            9 => " instances=3",
            10 => " instances=unlimited",
            _ => self.one_of(&[" instances=0", " instances=256", " first"]),
        };
        let quota = self.one_of(&[
            "",
            "",
            " out=8 in=8",
            " out=1 in=1",
            " out=0 in=0",
            " out=16 in=64",
        ]);
        let quota = *self.quotas[place].get_or_insert(quota);
        let odd = if self.rarely(60) { self.one_of(&[" pipe_mode=0x10", " no_access"]) } else { "" };
        let direction = if odd == " no_access" { "" } else { direction };
        let path = self.paths[place].clone();
        let line = format!("create_pipe {path}{direction}{kind}{nowait}{overlapped}{count}{quota}{odd}");
        let thread = self.any_thread();
        self.make(thread, Kind::Server, !overlapped.is_empty(), &line)
    }

    fn open(&mut self) -> Result<(), String> {
        let place = usize::from(self.rarely(6));
        let access = match self.random.below(16) {
            0..11 => "",
            11 | 12 => " read",
            13 | 14 => " write",
            _ => " attributes",
        };
        let overlapped = self.one_of(&["", " overlapped"]);
        let line = format!("open {}{access}{overlapped}", self.paths[place]);
        let thread = self.any_thread();
        self.make(thread, Kind::Client, !overlapped.is_empty(), &line)
    }

    /// A line that gives a handle.
    fn make(
        &mut self,
        thread: usize,
        kind: Kind,
        overlapped: bool,
        line: &str,
    ) -> Result<(), String> {
        self.make_of(thread, kind, overlapped, line, None)
    }

    fn make_of(
        &mut self,
        thread: usize,
        kind: Kind,
        overlapped: bool,
        line: &str,
        of: Option<&Named>,
    ) -> Result<(), String> {
        let letter = match kind {
            Kind::Server => 's',
            Kind::Client => 'c',
            Kind::Event => 'e',
        };
        let word = self.word(letter);
        let outcome = self.add(thread, Some(&word), line)?;
        match outcome {
            Outcome::Done(Reply { output: Output::Handle(_), .. }) => {
                // A synchronous handle is for its maker or for another thread from the start.
                let other = self.rarely(3);
                let owner = if other { 1 + self.random.below(self.threads) } else { thread };
                let (owner, file) =
                    of.map_or((owner, word.clone()), |one| (one.owner, one.file.clone()));
                self.handles.push(Named { word, kind, overlapped, owner, file });
            }
            _ => self.invalid.push(word),
        }
        Ok(())
    }

    /// A line that may begin a request.
    fn request(&mut self, thread: usize, file: &Named, line: &str) -> Result<(), String> {
        let word = self.word('r');
        self.add(thread, Some(&word), line)?;
        // Only a call with an OVERLAPPED leaves something to ask about later.
        if line.contains("overlapped") || line.contains("_ex ") {
            self.requests.push((word, file.word.clone()));
        }
        Ok(())
    }

    fn line(&mut self) -> Result<(), String> {
        let drawn = self.random.below(100);
        match drawn {
            0..5 => return self.create(),
            5..13 => return self.open(),
            13..16 => {
                let thread = self.any_thread();
                let how = self.one_of(&["", " manual", " manual signaled"]);
                return self.make(thread, Kind::Event, true, &format!("create_event{how}"));
            }
            16..19 => return self.about_a_name(),
            19..22 => return self.wait(),
            22..24 => return self.about_a_thread(),
            _ => {}
        }
        let servers = [Kind::Server];
        let file = if drawn < 36 && !self.rarely(12) { self.handle(&servers) } else { self.end() };
        let Some(file) = file else { return self.create() };
        let thread = self.thread_for(&file);
        let word = file.word.clone();
        let line = match drawn {
            24..31 => format!("connect {word}{}", self.delivery(&file)),
            31..36 => format!("disconnect {word}"),
            36..54 => match self.rarely(if file.overlapped { 6 } else { 80 }) {
                true => format!("read_ex {word} {}", self.length()),
                false => format!("read {word} {}{}", self.length(), self.delivery(&file)),
            },
            54..71 => match self.rarely(if file.overlapped { 6 } else { 80 }) {
                true => format!("write_ex {word} {}", self.payload()),
                false => format!("write {word} {}{}", self.payload(), self.delivery(&file)),
            },
            71..75 => format!("peek {word} {}", self.length()),
            75..79 => {
                let (data, length) = (self.payload(), self.length());
                format!("transact {word} {data} {length}{}", self.delivery(&file))
            }
            79..82 => format!("flush {word}"),
            82..84 => self.one_of(&["info", "state", "file_type"]).to_owned() + " " + &word,
            84..87 => format!("local {word}"),
            87..90 => {
                let mode = self.one_of(&[" byte", " message", " message", " nowait", " wait", " mode=0x8", ""]);
                format!("set_state {word}{mode}")
            }
            90..96 => {
                self.handles.retain(|one| one.word != word);
                format!("close {word}")
            }
            96 => {
                let duplicate = format!("duplicate {word}");
                return self.make_of(thread, file.kind, file.overlapped, &duplicate, Some(&file));
            }
            97 => format!("cancel_io {word}"),
            _ => match self.requests.get(self.random.below(self.requests.len())).cloned() {
                Some((request, file)) if self.rarely(3) => {
                    return self.plain(thread, &format!("result {file} {request}"));
                }
                Some((request, file)) if self.rarely(2) => format!("cancel_io_ex {file} {request}"),
                _ => format!("cancel_io_ex {word}"),
            },
        };
        match line.split(' ').next() {
            Some("connect" | "read" | "read_ex" | "write" | "write_ex" | "transact") => {
                self.request(thread, &file, &line)
            }
            _ => self.plain(thread, &line),
        }
    }

    fn about_a_name(&mut self) -> Result<(), String> {
        let thread = self.any_thread();
        let path = self.paths[usize::from(self.rarely(5))].clone();
        let line = match self.random.below(3) {
            0 => format!("call_pipe {path} {} {} forever", self.payload(), self.length()),
            _ => format!("wait_pipe {path} {}", self.one_of(&["forever", "forever", "default"])),
        };
        self.plain(thread, &line)
    }

    fn wait(&mut self) -> Result<(), String> {
        let thread = self.any_thread();
        let Some(first) = self.handle(&[Kind::Event, Kind::Server, Kind::Client]) else {
            return self.plain(thread, "sleep 0ms alertable");
        };
        let line = match (self.random.below(5), self.event()) {
            (0, _) => "sleep 0ms alertable".to_owned(),
            (1, Some(event)) if event.word != first.word => {
                let which = self.one_of(&["wait_any", "wait_all"]);
                format!("{which} {} {} timeout=0ms", first.word, event.word)
            }
            (2, Some(event)) => format!("{} {}", self.one_of(&["set_event", "reset_event"]), event.word),
            _ => {
                let how = self.one_of(&[" timeout=0ms", " timeout=0ms", " timeout=0ms alertable", ""]);
                format!("wait_any {}{how}", first.word)
            }
        };
        self.plain(thread, &line)
    }

    fn about_a_thread(&mut self) -> Result<(), String> {
        let thread = self.any_thread();
        let other = 1 + self.random.below(self.threads);
        let line = match self.random.below(8) {
            0 if self.threads > 1 => "exit_thread".to_owned(),
            1..4 => "sleep 0ms alertable".to_owned(),
            _ => format!("cancel_sync t{other}"),
        };
        self.plain(thread, &line)
    }

    fn plain(&mut self, thread: usize, line: &str) -> Result<(), String> {
        self.add(thread, None, line).map(drop)
    }

    /// Adds a line and lets the model make the call.
    fn add(&mut self, thread: usize, word: Option<&str>, text: &str) -> Result<Outcome, String> {
        let label = word.map(|word| format!("{word} = ")).unwrap_or_default();
        self.text += &format!("t{thread}: {label}{text}\n");
        let scenario = parse(&self.text)?;
        let Some(Step { action: Action::Op { thread, labels, op }, line, .. }) =
            scenario.steps.last().cloned()
        else {
            return Err(format!("{text}: not an operation"));
        };
        let mut caused = Vec::new();
        let number = thread.0 as usize;
        let outcome = self.machine.step(thread, &labels, &op, &mut caused);
        let step = Step {
            line,
            action: Action::Op { thread, labels, op },
            expected: Some(expected(&outcome)),
            caused: caused.iter().map(|one| self.caused(one)).collect(),
        };
        self.steps.push(step);
        if matches!(outcome, Outcome::Blocked(_)) {
            // The handle is the second word of every operation that has one.
            let file = text.split(' ').nth(1).unwrap_or_default();
            let named = self.handles.iter().find(|one| one.word == file);
            let file = named.map_or_else(|| file.to_owned(), |one| one.file.clone());
            self.sleepers.insert(number, file);
        }
        Ok(outcome)
    }

    fn caused(&self, completion: &Completion) -> Caused {
        let Completion { request, wakes, reply, .. } = completion;
        let thread = format!("t{}", request.thread.0);
        let who = if *wakes {
            thread
        } else {
            let word = self.machine.request_word(*request).cloned();
            word.unwrap_or_else(|| format!("{thread}.{}", request.call))
        };
        Caused { wakes: *wakes, who, reply: told(reply) }
    }
}

fn parse(text: &str) -> Result<Scenario, String> {
    Scenario::parse(text).map_err(|error| format!("{error}\n{text}"))
}

fn expected(outcome: &Outcome) -> Expected {
    match outcome {
        Outcome::Done(reply) => Expected::Done(told(reply)),
        Outcome::Pending(_) => Expected::Pending,
        Outcome::Blocked(_) => Expected::Blocked,
    }
}

/// A reply as scenarios mostly say it: status, byte count, and what was read.
fn told(reply: &Reply) -> ExpectedReply {
    let output = match &reply.output {
        Output::Data(data) if !data.is_empty() => Some(Output::Data(data.clone())),
        _ => None,
    };
    let counted = reply.information != 0 && output.is_some();
    ExpectedReply {
        status: reply.status,
        information: counted.then_some(reply.information),
        output,
    }
}
