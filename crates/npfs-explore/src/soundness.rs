//! Whether leaving out orders leaves out ends: random scenarios, searched with and without.
//!
//! `NPFS_SOUNDNESS=1000000` sets the number of scenarios: without it 100,000 in a release build,
//! 2,000 in a debug build.

use std::collections::BTreeSet;
use std::sync::Arc;

use npfs_trace::Scenario;

use crate::machine::{Machine, Touch};
use crate::model::Model;
use crate::random::Random;
use crate::schedule::Choice;
use crate::search::Limits;
use crate::{reduce, search};

/// Larger scenarios are left out.
const MOST_STATES: usize = 3_000;

fn limits() -> Limits {
    Limits { states: MOST_STATES, ..Limits::default() }
}

/// What a scenario has besides pipes and events.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Theme {
    Plain,
    /// Completion ports.
    Ports,
    /// Completion routines and alertable waits.
    Routines,
    /// The root of the file system: listing, watching, waiting.
    Root,
    /// Planned faults.
    Faults,
    /// Objects whose last handle is another process's.
    Foreign,
}

/// A random scenario of 2 to 4 threads in 1 to 3 processes on two pipes.
fn scenario(random: &mut Random) -> String {
    use Theme::{Faults, Foreign, Plain, Ports, Root, Routines};
    let themes = [Plain, Plain, Plain, Plain, Ports, Routines, Root, Faults, Foreign];
    let theme = themes[random.below(themes.len())];
    let mut text = String::new();
    if theme == Faults {
        for _ in 0..1 + random.below(2) {
            let kinds = ["read", "write", "open", "connect", "create_pipe"];
            let kind = kinds[random.below(kinds.len())];
            let number = 1 + random.below(2);
            let how = if kind == "read" && random.below(2) == 0 {
                "late 5ms"
            } else {
                "fails PIPE_BROKEN"
            };
            text += &format!("fault: {kind} {number} {how}\n");
        }
    }
    let processes = if theme == Foreign { 2 } else { 1 + random.below(3) };
    let threads = 2 + random.below(3);
    for process in 0..processes {
        text += &format!("process p{process}\n");
    }
    let homes: Vec<usize> = (0..threads).map(|_| random.below(processes)).collect();
    for (thread, home) in homes.iter().enumerate() {
        text += &format!("thread t{thread} in p{home}\n");
    }
    if random.below(6) == 0 {
        text += "choices: timers\n";
    }
    let mut names =
        Names { random, theme, homes, handles: Vec::new(), requests: Vec::new(), count: 0 };
    for _ in 0..names.random.below(if theme == Foreign { 8 } else { 4 }) {
        let thread = names.random.below(threads);
        text += &match names.random.below(3) {
            0 if theme == Foreign => names.foreign(thread),
            _ => names.making(thread),
        };
    }
    text += "race\n";
    let most = [0, 0, 5, 3, 2][threads];
    for thread in 0..threads {
        for _ in 0..1 + names.random.below(most) {
            text += &names.line(thread);
        }
    }
    text
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pipe,
    Event,
    Port,
    Root,
}

struct Names<'a> {
    random: &'a mut Random,
    theme: Theme,
    /// The processes of the threads.
    homes: Vec<usize>,
    /// Words of handles, with their processes and what they name.
    handles: Vec<(String, usize, Kind)>,
    requests: Vec<(String, String)>,
    count: usize,
}

impl Names<'_> {
    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.random.below(list.len())]
    }

    fn word_in(&mut self, process: usize, kind: Kind) -> String {
        self.count += 1;
        let word = format!("h{}", self.count);
        self.handles.push((word.clone(), process, kind));
        word
    }

    fn word(&mut self, thread: usize, kind: Kind) -> String {
        self.word_in(self.homes[thread], kind)
    }

    /// A handle of the thread's process, or rarely of another one.
    fn handle(&mut self, thread: usize, kind: Kind) -> Option<String> {
        let home = self.homes[thread];
        let anywhere = self.random.below(12) == 0;
        let fits: Vec<String> = self
            .handles
            .iter()
            .filter(|(_, process, is)| (*process == home || anywhere) && *is == kind)
            .map(|(word, ..)| word.clone())
            .collect();
        (!fits.is_empty()).then(|| fits[self.random.below(fits.len())].clone())
    }

    /// A line that makes a handle.
    fn making(&mut self, thread: usize) -> String {
        let path = self.of(&["\\\\.\\pipe\\a", "\\\\.\\pipe\\a", "\\\\.\\pipe\\b"]);
        let (what, kind) = match (self.theme, self.random.below(7)) {
            (Theme::Ports, 5) => {
                let threads = self.of(&["", " threads=1"]);
                let file = self.handle(thread, Kind::Pipe).map(|file| format!(" file={file}"));
                (format!("create_port{}{threads}", file.unwrap_or_default()), Kind::Port)
            }
            (Theme::Root, 5) => {
                (format!("nt_open \\??\\pipe\\{}", self.of(&["", " options=0x20"])), Kind::Root)
            }
            (_, 0..=2) => {
                let overlapped = self.of(&["", " overlapped"]);
                let kind = self.of(&["", " message", " message read=message", " nowait"]);
                let quota = self.of(&["", " in=1 out=1", " in=2 out=2"]);
                let count = self.of(&["", " instances=2"]);
                (format!("create_pipe {path}{kind}{overlapped}{count}{quota}"), Kind::Pipe)
            }
            (_, 3..=5) => {
                let overlapped = self.of(&["", " overlapped"]);
                (format!("open {path}{overlapped}"), Kind::Pipe)
            }
            _ => (format!("create_event{}", self.of(&["", " manual"])), Kind::Event),
        };
        let word = self.word(thread, kind);
        format!("t{thread}: {word} = {what}\n")
    }

    /// A line that closes a handle, or gives one to another process.
    fn foreign(&mut self, thread: usize) -> String {
        let kind = [Kind::Pipe, Kind::Pipe, Kind::Event][self.random.below(3)];
        let Some(handle) = self.handle(thread, kind) else { return self.making(thread) };
        if self.random.below(2) == 0 {
            return format!("t{thread}: close {handle}\n");
        }
        let to = self.random.below(2);
        let word = self.word_in(to, kind);
        format!("t{thread}: {word} = duplicate {handle} to=p{to}\n")
    }

    /// A call that only this theme has.
    fn special(&mut self, thread: usize) -> Option<String> {
        let what = match self.theme {
            Theme::Plain | Theme::Faults => return None,
            Theme::Foreign => return Some(self.foreign(thread)),
            Theme::Ports => {
                let port = self.handle(thread, Kind::Port)?;
                match self.random.below(5) {
                    0 => match self.handle(thread, Kind::Pipe) {
                        Some(file) => {
                            let word = self.word(thread, Kind::Port);
                            return Some(format!(
                                "t{thread}: {word} = create_port port={port} file={file}\n"
                            ));
                        }
                        None => format!("post {port} bytes=1 key=2"),
                    },
                    1 => format!("post {port} bytes=1 key=2"),
                    2 => format!("close {port}"),
                    _ => format!(
                        "packets {port} {}{}",
                        self.of(&["1", "2"]),
                        self.of(&["", " timeout=0ms"])
                    ),
                }
            }
            Theme::Routines => {
                let file = self.handle(thread, Kind::Pipe);
                match (self.random.below(5), file) {
                    (0, Some(file)) => format!("read_ex {file} 2"),
                    (1, Some(file)) => format!("write_ex {file} \"x\""),
                    (2, _) => format!("queue_apc t{}", self.random.below(self.homes.len())),
                    (3, Some(file)) => format!("wait_any {file} timeout=5ms alertable"),
                    _ => format!("sleep {} alertable", self.of(&["0ms", "5ms", "forever"])),
                }
            }
            Theme::Root => {
                let root = self.handle(thread, Kind::Root)?;
                match self.random.below(5) {
                    0 => format!("notify {root} filter=1 overlapped"),
                    1 => format!(
                        "fsctl {root} WAIT \"\\0\\0\\0\\0\\0\\0\\0\\x80\\x02\\0\\0\\0\\x01\\0a\\0\" overlapped"
                    ),
                    2 => format!("cancel_io {root}"),
                    3 => format!("close {root}"),
                    _ => format!("query_directory {root} NAMES 200"),
                }
            }
        };
        Some(format!("t{thread}: {what}\n"))
    }

    fn line(&mut self, thread: usize) -> String {
        if self.random.below(3) == 0 {
            if let Some(line) = self.special(thread) {
                return line;
            }
        }
        if self.random.below(4) == 0 {
            return self.making(thread);
        }
        let Some(handle) = self.handle(thread, Kind::Pipe) else { return self.making(thread) };
        let delivery = match (self.random.below(4), self.handle(thread, Kind::Event)) {
            (0, _) => " overlapped".to_owned(),
            (1, Some(event)) => format!(" overlapped event={event}"),
            _ => String::new(),
        };
        let path = self.of(&["\\\\.\\pipe\\a", "\\\\.\\pipe\\b"]);
        let data = self.of(&["\"x\"", "\"yz\"", "\"\""]);
        let what = match self.random.below(22) {
            0 | 1 => format!("connect {handle}{delivery}"),
            2 | 3 => format!("disconnect {handle}"),
            4..=6 => format!("read {handle} {}{delivery}", self.of(&["1", "4"])),
            7..=9 => format!("write {handle} {data}{delivery}"),
            10 | 11 => format!("close {handle}"),
            12 => format!("cancel_io_ex {handle}"),
            13 => match self.requests.last().cloned() {
                Some((request, handle)) => format!("cancel_io_ex {handle} {request}"),
                None => format!("cancel_io {handle}"),
            },
            14 => format!("wait_pipe {path} {}", self.of(&["forever", "10"])),
            15 => match self.random.below(3) {
                0 => format!("peek {handle} 2"),
                1 => format!("local {handle}"),
                _ => format!("flush {handle}"),
            },
            16 => match self.handle(thread, Kind::Event) {
                Some(event) => format!("set_event {event}"),
                None => format!("set_state {handle} nowait"),
            },
            17 => match self.handle(thread, Kind::Event) {
                Some(event) => format!("wait_any {event} {handle} timeout=5ms"),
                None => format!("wait_any {handle}"),
            },
            18 => match self.requests.last().cloned() {
                Some((request, handle)) => format!("result {handle} {request} wait"),
                None => "sleep 5ms".to_owned(),
            },
            19 => match self.random.below(4) {
                0 => "exit_thread".to_owned(),
                1 => format!("terminate p{}", self.homes[self.random.below(self.homes.len())]),
                2 => format!("cancel_sync t{}", self.random.below(self.homes.len())),
                _ => format!("call_pipe {path} \"q\" 4 10"),
            },
            20 => format!("transact {handle} \"q\" 4{delivery}"),
            _ => {
                let word = self.word(thread, Kind::Pipe);
                return format!("t{thread}: {word} = duplicate {handle}\n");
            }
        };
        let ends_later = what.starts_with("read") || what.starts_with("write");
        if ends_later && !delivery.is_empty() {
            self.count += 1;
            let request = format!("r{}", self.count);
            self.requests.push((request.clone(), handle));
            return format!("t{thread}: {request} = {what}\n");
        }
        format!("t{thread}: {what}\n")
    }
}

fn machine(text: &str) -> Option<Machine> {
    let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let model = Model::new(&scenario).unwrap_or_else(|unfit| panic!("{unfit}\n{text}"));
    // What stands above `race` may block.
    Machine::new(Arc::new(model)).ok()
}

/// The keys of the last states of every order, each order run from its beginning. `None` when
/// there are too many.
fn one_by_one(start: &Machine, most: usize) -> Option<BTreeSet<u64>> {
    let mut ends = BTreeSet::new();
    let mut stack: Vec<Vec<Choice>> = vec![Vec::new()];
    let mut runs = 0;
    while let Some(prefix) = stack.pop() {
        runs += 1;
        if runs > most {
            return None;
        }
        let mut machine = start.clone();
        machine.track();
        prefix.iter().for_each(|choice| machine.step(*choice));
        let mut prefix = prefix;
        let mut open = Vec::new();
        loop {
            machine.choices(&mut open);
            let Some((first, others)) = open.split_first() else { break };
            for other in others {
                let mut next = prefix.clone();
                next.push(*other);
                stack.push(next);
            }
            prefix.push(*first);
            machine.step(*first);
        }
        ends.insert(machine.key());
    }
    Some(ends)
}

fn wanted() -> usize {
    let number = std::env::var("NPFS_SOUNDNESS").ok().and_then(|text| text.parse().ok());
    number.unwrap_or(if cfg!(debug_assertions) { 2_000 } else { 100_000 })
}

#[test]
fn leaving_out_orders_leaves_out_no_end() {
    let mut random = Random::new(5);
    let (mut several, mut states, mut reduced_states, mut checked) = (0, 0, 0, 0);
    for number in 0..wanted() {
        let text = scenario(&mut random);
        let Some(mut machine) = machine(&text) else { continue };
        let start = machine.clone();
        let whole = search::search(&mut machine, &limits(), &mut |_| {});
        if !whole.bounds.is_empty() {
            continue;
        }
        assert!(machine.same(&start), "the machine comes back as it was\n{text}");
        let reduced = reduce::search(&mut machine, &limits(), &|touch| touch, &mut |_| {});
        assert_eq!(whole.end_keys, reduced.end_keys, "scenario {number}\n{text}");
        if number % 8 == 0 {
            let exact = Limits { exact: true, ..limits() };
            let exact = search::search(&mut machine, &exact, &mut |_| {});
            assert_eq!(whole.end_keys, exact.end_keys, "scenario {number}\n{text}");
            assert_eq!(whole.graph.states(), exact.graph.states(), "scenario {number}\n{text}");
            if let Some(ends) = one_by_one(&start, 500) {
                assert_eq!(whole.end_keys, ends, "scenario {number}\n{text}");
                let orders = whole.ends.len();
                assert!(orders >= ends.len());
            }
        }
        checked += 1;
        several += usize::from(whole.end_keys.len() > 1);
        states += whole.graph.states();
        reduced_states += reduced.graph.states();
    }
    println!(
        "{checked} scenarios, {several} with several ends, \
         {states} states, {reduced_states} of them with fewer orders"
    );
    assert!(several * 3 > checked, "most scenarios are worth the search");
    assert!(reduced_states < states);
}

/// Small scenarios, each with the kinds of facts of which it shows the loss.
const WITNESSES: &[(&str, &[usize], &str)] = &[
    (
        "whether a thread sleeps in a call",
        &[4],
        "process p\nthread t in p\nthread u in p\n\
         t: s = create_pipe \\\\.\\pipe\\a\nt: c = open \\\\.\\pipe\\a\nrace\n\
         t: cancel_sync u\nu: read c 1\n",
    ),
    (
        "whether an event is signaled",
        &[8, 9],
        "process p\nthread t in p\nthread u in p\nt: e = create_event manual\nrace\n\
         t: set_event e\nu: wait_any e timeout=0ms\n",
    ),
    (
        "whether the place of an event is free",
        &[10],
        "process p\nprocess q\nthread t in p\nthread u in q\n\
         t: z = create_event\nt: y = duplicate z to=q\nrace\n\
         t: e = create_event\nt: f = duplicate e to=q\nt: close e\n\
         t: set_event z\nu: wait_any y\nu: close f\nt: g = create_event\n",
    ),
    (
        "whether the place of a file is free",
        &[14],
        "process p\nprocess q\nthread t in p\nthread u in q\n\
         t: z = create_event\nt: y = duplicate z to=q\nrace\n\
         t: s = create_pipe \\\\.\\pipe\\a\nt: c = open \\\\.\\pipe\\a\nt: d = duplicate c to=q\n\
         t: close c\n\
         t: set_event z\nu: wait_any y\nu: close d\nt: r = nt_open \\??\\pipe\\\n",
    ),
    (
        "whether the place of a pipe is free",
        &[18],
        "process p\nprocess q\nthread t in p\nthread u in q\n\
         t: z = create_event\nt: y = duplicate z to=q\nrace\n\
         t: s = create_pipe \\\\.\\pipe\\a instances=2\nu: k = create_pipe \\\\.\\pipe\\a instances=2\n\
         t: close s\n\
         t: set_event z\nu: wait_any y\nu: close k\nt: g = create_pipe \\\\.\\pipe\\b\n",
    ),
    (
        "whether the place of an instance is free",
        &[22],
        "process p\nprocess q\nthread t in p\nthread u in q\n\
         t: z = create_event\nt: y = duplicate z to=q\nrace\n\
         t: s = create_pipe \\\\.\\pipe\\a instances=2\nu: k = create_pipe \\\\.\\pipe\\a instances=2\n\
         u: c = open \\\\.\\pipe\\a\nt: close s\n\
         t: set_event z\nu: wait_any y\nu: close c\nt: g = create_pipe \\\\.\\pipe\\b\n",
    ),
];

/// Whether ends are lost when this kind of fact is left out.
fn caught(machine: &mut Machine, limits: &Limits, ends: &BTreeSet<u64>, kind: usize) -> bool {
    let look = |touch: Touch| touch.without(kind);
    reduce::search(machine, limits, &look, &mut |_| {}).end_keys != *ends
}

#[test]
fn a_lost_fact_is_a_lost_end() {
    let mut wrong = Vec::new();
    for (what, kinds, text) in WITNESSES {
        let mut machine = machine(text).unwrap_or_else(|| panic!("{what}: it races"));
        let whole = search::search(&mut machine, &limits(), &mut |_| {});
        assert!(whole.bounds.is_empty() && whole.end_keys.len() > 1, "{what}: {text}");
        for kind in *kinds {
            if !caught(&mut machine, &limits(), &whole.end_keys, *kind) {
                wrong.push(format!("kind {kind}, {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "not caught: {wrong:?}");
}

/// Kinds of facts whose loss these scenarios show: looks at and changes of processes, threads,
/// events, files, pipes and instances, and changes of names and of the clock.
const NEEDED: [usize; 12] = [0, 1, 5, 9, 12, 13, 16, 17, 20, 21, 25, 29];
/// What only many scenarios show: looks at threads and events, looks at and listings of names,
/// changes of ports and faults, looks at and changes of words and of status blocks.
const NEEDED_BY_MANY: [usize; 10] = [4, 8, 24, 27, 33, 37, 40, 41, 42, 43];

/// A record that leaves out one kind of fact leaves out ends.
#[test]
fn a_record_without_a_kind_of_fact_is_caught() {
    let mut needed = BTreeSet::new();
    let mut met = BTreeSet::new();
    let mut random = Random::new(11);
    for _ in 0..wanted().max(6_000) / 2 {
        let text = scenario(&mut random);
        let Some(mut machine) = machine(&text) else { continue };
        let small = Limits { states: 300, ..Limits::default() };
        let whole = search::search(&mut machine, &small, &mut |_| {});
        if !whole.bounds.is_empty() || whole.end_keys.len() < 2 {
            continue;
        }
        let all = std::cell::RefCell::new(BTreeSet::new());
        let look = |touch: Touch| {
            for kind in 0..Touch::KINDS {
                if touch.without(kind) != touch {
                    all.borrow_mut().insert(kind);
                }
            }
            touch
        };
        reduce::search(&mut machine, &small, &look, &mut |_| {});
        for kind in all.into_inner() {
            met.insert(kind);
            if !needed.contains(&kind) && caught(&mut machine, &small, &whole.end_keys, kind) {
                needed.insert(kind);
            }
        }
    }
    let spare: Vec<usize> = met.difference(&needed).copied().collect();
    println!("caught {needed:?}, not caught by these scenarios {spare:?}");
    assert!(NEEDED.iter().all(|kind| needed.contains(kind)), "caught only {needed:?}");
    let many = wanted() >= 100_000;
    assert!(!many || NEEDED_BY_MANY.iter().all(|kind| needed.contains(kind)), "{needed:?}");
}
