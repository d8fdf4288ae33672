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
use crate::{dpor, reduce, search};

/// Larger scenarios are left out.
const MOST_STATES: usize = 3_000;

fn limits() -> Limits {
    Limits { states: MOST_STATES, ..Limits::default() }
}

/// A random scenario of 2 to 4 threads in 1 to 3 processes on two pipes.
fn scenario(random: &mut Random) -> String {
    let mut text = String::new();
    let processes = 1 + random.below(3);
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
    let ports = random.below(5) == 0;
    for _ in 0..[0, 0, 0, 0, 0, 1, 2][random.below(7)] {
        let call = ["read", "write", "open", "connect", "create_pipe"][random.below(5)];
        let number = 1 + random.below(2);
        let what = match call {
            "read" | "write" => ["fails PIPE_BROKEN", "late 5ms"][random.below(2)],
            _ => "fails ACCESS_DENIED",
        };
        let of = ["", " of \\\\.\\pipe\\a"][random.below(2)];
        text += &format!("fault: {call} {number}{of} {what}\n");
    }
    let (handles, requests) = (Vec::new(), Vec::new());
    let mut names = Names { random, homes, handles, requests, count: 0, processes, ports };
    if ports {
        let thread = names.random.below(threads);
        text += &names.making(thread);
        text += &names.port(thread);
    }
    for _ in 0..names.random.below(4) {
        let thread = names.random.below(threads);
        text += &match names.random.below(4) {
            0 => names.handed(thread),
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

struct Names<'a> {
    random: &'a mut Random,
    /// The processes of the threads.
    homes: Vec<usize>,
    /// Words of handles, with their processes.
    handles: Vec<(String, usize, Kind)>,
    requests: Vec<(String, String)>,
    count: usize,
    processes: usize,
    /// Whether there are completion ports.
    ports: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Event,
    Port,
}

impl Names<'_> {
    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.random.below(list.len())]
    }

    fn word(&mut self, thread: usize, kind: Kind) -> String {
        self.count += 1;
        let word = format!("h{}", self.count);
        self.handles.push((word.clone(), self.homes[thread], kind));
        word
    }

    /// A handle of the thread's process, or rarely of another one.
    fn handle(&mut self, thread: usize, kind: Kind) -> Option<String> {
        let home = self.homes[thread];
        let anywhere = self.random.below(12) == 0;
        let fits: Vec<String> = self
            .handles
            .iter()
            .filter(|(_, process, of)| (*process == home || anywhere) && *of == kind)
            .map(|(word, ..)| word.clone())
            .collect();
        (!fits.is_empty()).then(|| fits[self.random.below(fits.len())].clone())
    }

    /// A line that makes a handle.
    fn making(&mut self, thread: usize) -> String {
        let path = self.of(&["\\\\.\\pipe\\a", "\\\\.\\pipe\\a", "\\\\.\\pipe\\b"]);
        let (what, kind) = match self.random.below(5) {
            0 | 1 => {
                let overlapped = self.of(&["", " overlapped"]);
                let kind = self.of(&["", " message", " message read=message", " nowait"]);
                let quota = self.of(&["", " in=1 out=1", " in=2 out=2"]);
                let count = self.of(&["", " instances=2"]);
                (format!("create_pipe {path}{kind}{overlapped}{count}{quota}"), Kind::File)
            }
            2 | 3 => {
                let overlapped = self.of(&["", " overlapped"]);
                (format!("open {path}{overlapped}"), Kind::File)
            }
            _ => (format!("create_event{}", self.of(&["", " manual"])), Kind::Event),
        };
        let word = self.word(thread, kind);
        format!("t{thread}: {word} = {what}\n")
    }

    /// A handle that is given to another process for good: whoever closes it there gives back a
    /// place of the thread that made it.
    fn handed(&mut self, thread: usize) -> String {
        let text = match self.ports && self.random.below(2) == 0 {
            true => self.port(thread),
            false => self.making(thread),
        };
        let to = self.random.below(self.processes);
        let Some((word, home, _)) = self.handles.last_mut() else { return text };
        let given = std::mem::replace(word, format!("g{word}"));
        *home = to;
        let new = word.clone();
        format!("{text}t{thread}: {new} = duplicate {given} to=p{to}\nt{thread}: close {given}\n")
    }

    /// A port, bound to a file or not.
    fn port(&mut self, thread: usize) -> String {
        let file = self.handle(thread, Kind::File).map_or(String::new(), |h| format!(" file={h}"));
        let word = self.word(thread, Kind::Port);
        format!("t{thread}: {word} = create_port{file} key=1{}\n", self.of(&["", " threads=1"]))
    }

    fn line(&mut self, thread: usize) -> String {
        if self.random.below(4) == 0 {
            return self.making(thread);
        }
        if self.ports && self.random.below(3) == 0 {
            let file = self.handle(thread, Kind::File);
            return match (self.random.below(6), self.handle(thread, Kind::Port), file) {
                (0 | 1, Some(port), _) => {
                    format!("t{thread}: packets {port} 1{}\n", self.of(&["", " timeout=5"]))
                }
                (2, Some(port), _) => format!("t{thread}: post {port} bytes=1 key=2\n"),
                (3, Some(port), Some(file)) => {
                    format!("t{thread}: create_port file={file} port={port} key=3\n")
                }
                (4, Some(port), _) => format!("t{thread}: close {port}\n"),
                _ => self.port(thread),
            };
        }
        if self.random.below(16) == 0 {
            if let Some(event) = self.handle(thread, Kind::Event) {
                return format!("t{thread}: close {event}\n");
            }
        }
        let Some(handle) = self.handle(thread, Kind::File) else { return self.making(thread) };
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
                // Into another process half of the time: whoever closes it there is another asker.
                let to = self.random.below(self.processes);
                let home = self.homes[thread];
                let (home, to) = match self.random.below(2) {
                    0 => (home, String::new()),
                    _ => (to, format!(" to=p{to}")),
                };
                self.count += 1;
                let word = format!("h{}", self.count);
                let event = self.handle(thread, Kind::Event).filter(|_| self.random.below(3) == 0);
                let kind = if event.is_some() { Kind::Event } else { Kind::File };
                self.handles.push((word.clone(), home, kind));
                let handle = event.unwrap_or(handle);
                return format!("t{thread}: {word} = duplicate {handle}{to}\n");
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

/// How many traces the orders of a scenario are: an order is known by what comes before each of
/// its steps for a reason. `None` when there are too many orders.
fn count_traces(start: &Machine, most: usize) -> Option<usize> {
    let threads = start.thread_count() + 1;
    let mut traces = BTreeSet::new();
    let mut stack: Vec<Vec<Choice>> = vec![Vec::new()];
    let mut runs = 0;
    let mut open = Vec::new();
    while let Some(mut order) = stack.pop() {
        runs += 1;
        if runs > most {
            return None;
        }
        let mut machine = start.clone();
        machine.track();
        machine.record(true);
        let mut steps: Vec<(usize, Touch, Vec<usize>)> = Vec::new();
        for at in 0.. {
            machine.choices(&mut open);
            let choice = match order.get(at) {
                Some(choice) => *choice,
                None => {
                    let Some((first, others)) = open.split_first() else { break };
                    for other in others {
                        stack.push([&order[..], &[*other]].concat());
                    }
                    order.push(*first);
                    *first
                }
            };
            machine.forget_touched();
            machine.step(choice);
            let (who, touch) = (choice.thread_or_clock(), machine.take_touched());
            let mut clock = vec![0; threads];
            for (other, theirs, before) in &steps {
                if *other == who || theirs.conflicts(&touch) {
                    clock.iter_mut().zip(before).for_each(|(one, two)| *one = (*one).max(*two));
                }
            }
            clock[who] += 1;
            steps.push((who, touch, clock));
        }
        let mut trace: Vec<_> = steps.into_iter().map(|(who, _, clock)| (who, clock)).collect();
        trace.sort();
        traces.insert(trace);
    }
    Some(traces.len())
}

/// Dynamic reduction without a memory of states reaches every end, and executes no trace twice.
#[test]
fn every_trace_is_executed_once() {
    let mut random = Random::new(17);
    let (mut checked, mut counted, mut executions, mut blocked, mut twice) = (0, 0, 0, 0, 0);
    for number in 0..wanted() / 4 {
        let text = scenario(&mut random);
        let Some(mut machine) = machine(&text) else { continue };
        let start = machine.clone();
        let whole = search::search(&mut machine, &limits(), &mut |_| {});
        if !whole.bounds.is_empty() {
            continue;
        }
        let (traces, ends) = dpor::search(&mut machine, &Limits::default());
        assert_eq!(whole.end_keys, ends, "scenario {number}\n{text}");
        assert!(machine.same(&start), "the machine comes back as it was\n{text}");
        checked += 1;
        executions += traces.executions;
        blocked += traces.blocked;
        if let Some(count) = count_traces(&start, 300) {
            counted += 1;
            twice += traces.executions.saturating_sub(count as u64);
            assert!(traces.executions >= ends.len() as u64);
        }
    }
    println!(
        "{checked} scenarios, {executions} executions, {blocked} blocked; of {counted} with few \
         orders {twice} executions more than traces"
    );
    assert_eq!(twice, 0);
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
/// files, pipes and instances, and changes of names.
const NEEDED: [usize; 11] = [0, 1, 4, 5, 12, 13, 16, 17, 20, 21, 25];
/// What only many scenarios show: looks at and changes of events, looks at names, changes of the
/// clock, of ports and of planned faults, looks at and changes of words and of status blocks.
const NEEDED_BY_MANY: [usize; 10] = [8, 9, 24, 29, 33, 37, 40, 41, 42, 43];

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
