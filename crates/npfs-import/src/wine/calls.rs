//! The calls that a program made, each with what happened inside it.
//!
//! Puts the lines of a log together: a call with its return, with the Nt functions that the DLLs
//! called for it, with the requests to the server and their answers. Knows nothing of pipes.

use std::collections::BTreeMap;

use npfs_abi::Status;

use super::line::{Argument, Bytes, Fields, Line, ServerStatus};
use crate::skipped::Skipped;

/// A call that the program itself made.
#[derive(Debug)]
pub(crate) struct Made<'a> {
    pub(crate) process: u32,
    pub(crate) thread: u32,
    pub(crate) function: &'a str,
    pub(crate) arguments: Vec<Argument>,
    /// The line of the call.
    pub(crate) line: u32,
    /// The line of the return, and what the function returned.
    pub(crate) returned: Option<(u32, u64)>,
    pub(crate) inner: Vec<Inner<'a>>,
    /// What `GetLastError` said right behind it.
    pub(crate) last_error: Option<u32>,
}

/// What happened inside a call.
#[derive(Debug)]
pub(crate) enum Inner<'a> {
    /// A function that a DLL called, and what it returned.
    Function { function: &'a str, arguments: Vec<Argument>, value: u64 },
    /// A request to the server.
    Request(Request<'a>),
}

/// A request to the server.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) line: u32,
    pub(crate) name: &'a str,
    pub(crate) fields: Fields<'a>,
    pub(crate) answer: Option<Answer<'a>>,
    /// The line that says that a wait is over which the answer began.
    pub(crate) woken: Option<u32>,
    /// How an operation that was pending ended.
    pub(crate) end: Option<End>,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) line: u32,
    pub(crate) status: ServerStatus<'a>,
    pub(crate) fields: Fields<'a>,
}

/// The end of an operation that was pending.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// The line that tells it first.
    pub(crate) line: u32,
    pub(crate) status: Option<Status>,
    pub(crate) total: Option<u32>,
    pub(crate) data: Option<Bytes>,
}

/// What is no call, but changes who can call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// A thread ends itself.
    Thread { process: u32, thread: u32, line: u32 },
    /// A process ends itself.
    Process { process: u32, thread: u32, line: u32 },
}

/// A log, put together.
#[derive(Debug, Default)]
pub(crate) struct Lines<'a> {
    /// In the order of their first lines.
    pub(crate) calls: Vec<Made<'a>>,
    pub(crate) exits: Vec<Exit>,
    pub(crate) skipped: Skipped,
}

/// The place of a request: the call and its number in there.
type Place = (usize, usize);

#[derive(Default)]
struct Thread<'a> {
    process: Option<u32>,
    /// The call that is open, and the functions inside it.
    call: Option<usize>,
    frames: Vec<Frame<'a>>,
    /// Calls that a completion routine interrupted, with their frames.
    interrupted: Vec<(usize, Vec<Frame<'a>>)>,
    /// The request without an answer so far.
    request: Option<(&'a str, Fields<'a>, u32, Option<Place>)>,
    /// The call that returned last, if `GetLastError` may still tell of it.
    last: Option<usize>,
    /// Ends that the server has told and the thread has not confirmed.
    ends: Vec<Told>,
}

/// An end of which a thread was told.
struct Told {
    /// The handle by which the thread confirms it.
    handle: u64,
    /// The pointer that named the operation until now; the next one may get it.
    user: u64,
    place: Option<Place>,
    end: End,
}

struct Frame<'a> {
    function: &'a str,
    arguments: Vec<Argument>,
}

impl<'a> Lines<'a> {
    /// Reads a log.
    pub(crate) fn read(text: &'a str) -> Lines<'a> {
        let mut reader = Reader::default();
        for (number, line) in (1..).zip(text.lines()) {
            match Line::read(line) {
                Some(line) => reader.line(number, line),
                None if line.trim().is_empty() => {}
                None => reader.log.skipped.line(number, "lines that are not of the log"),
            }
        }
        for thread in reader.threads.values() {
            let open = usize::from(thread.call.is_some()) + thread.interrupted.len();
            reader.log.skipped.count("calls without a return", open);
        }
        reader.log
    }
}

#[derive(Default)]
struct Reader<'a> {
    log: Lines<'a>,
    threads: BTreeMap<u32, Thread<'a>>,
    /// The last request of each pending operation, by process and the pointer that names it.
    pending: BTreeMap<(u32, u64), Place>,
    /// Processes that have begun to end.
    ending: BTreeMap<u32, ()>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, number: u32, line: Line<'a>) {
        match line {
            Line::Call { process, thread, function, arguments } => {
                self.call(number, process, thread, function, arguments);
            }
            Line::Return { process, thread, function, value } => {
                self.returned(number, process, thread, function, value);
            }
            Line::Request { thread, name, fields } => self.request(number, thread, name, fields),
            Line::Reply { thread, name, status, fields } => {
                self.answer(thread, name, Answer { line: number, status, fields });
            }
            Line::Woken { thread } => {
                let call = self.threads.get(&thread).and_then(|thread| thread.call);
                let inner = call.map(|call| self.log.calls[call].inner.iter_mut().rev());
                let wait = inner.into_iter().flatten().find_map(|inner| match inner {
                    Inner::Request(request) if !request.is_aside() => Some(request),
                    _ => None,
                });
                if let Some(request) = wait {
                    request.woken = Some(number);
                }
            }
            Line::Killed { thread } => {
                self.threads.remove(&thread);
            }
            Line::Talk => {}
        }
    }

    fn call(
        &mut self,
        line: u32,
        process: u32,
        number: u32,
        function: &'a str,
        arguments: Vec<Argument>,
    ) {
        let log = &mut self.log;
        let thread = self.threads.entry(number).or_default();
        thread.process = Some(process);
        if thread.call.is_some_and(|call| is_routine(&log.calls[call], &thread.frames)) {
            // The program's own code runs inside the wait.
            let frames = std::mem::take(&mut thread.frames);
            thread.interrupted.extend(thread.call.take().map(|call| (call, frames)));
        }
        if thread.call.is_some() {
            return thread.frames.push(Frame { function, arguments });
        }
        if function != "GetLastError" {
            thread.last = None;
        }
        thread.call = Some(log.calls.len());
        log.calls.push(Made {
            process,
            thread: number,
            function,
            arguments,
            line,
            returned: None,
            inner: Vec::new(),
            last_error: None,
        });
    }

    fn returned(&mut self, line: u32, process: u32, number: u32, function: &'a str, value: u64) {
        let log = &mut self.log;
        let thread = self.threads.entry(number).or_default();
        thread.process = Some(process);
        while let Some(call) = thread.call {
            let inside = thread.frames.iter().rposition(|frame| frame.function == function);
            if let Some(place) = inside {
                log.skipped.count("calls without a return", thread.frames.len() - place - 1);
                thread.frames.truncate(place + 1);
                if let Some(Frame { function, arguments }) = thread.frames.pop() {
                    let made = Inner::Function { function, arguments, value };
                    log.calls[call].inner.push(made);
                }
                return;
            }
            if log.calls[call].function == function {
                log.skipped.count("calls without a return", thread.frames.len());
                thread.frames.clear();
                log.calls[call].returned = Some((line, value));
                if function == "GetLastError" {
                    if let Some(last) = thread.last {
                        log.calls[last].last_error = Some(value as u32);
                    }
                } else {
                    thread.last = Some(call);
                }
                thread.call = None;
                return;
            }
            // It may be the return of the wait that a routine interrupted, if the return of the
            // routine's own last call is not in the log.
            if !thread.interrupted.iter().any(|(call, _)| log.calls[*call].function == function) {
                break;
            }
            log.skipped.count("calls without a return", 1);
            thread.call = None;
            thread.frames.clear();
            if let Some((call, frames)) = thread.interrupted.pop() {
                (thread.call, thread.frames) = (Some(call), frames);
            }
        }
        if thread.call.is_none() {
            if let Some((call, frames)) = thread.interrupted.pop() {
                // The routine is over.
                (thread.call, thread.frames) = (Some(call), frames);
                return self.returned(line, process, number, function, value);
            }
        }
        // Functions that only hand a number on are filtered out of logs, and not always both ends.
        log.skipped.line(line, "returns without a call");
    }

    fn request(&mut self, line: u32, number: u32, name: &'a str, fields: Fields<'a>) {
        let thread = self.threads.entry(number).or_default();
        if thread.call.is_none() && name == "select" {
            if let Some((call, frames)) = thread.interrupted.pop() {
                // The wait goes on behind the routine.
                (thread.call, thread.frames) = (Some(call), frames);
            }
        }
        if name == "select" {
            self.confirmed(number, &fields);
        }
        let thread = self.threads.entry(number).or_default();
        let mut place = None;
        if let Some(call) = thread.call {
            let inner = &mut self.log.calls[call].inner;
            place = Some((call, inner.len()));
            let request = Request {
                line,
                name,
                fields: fields.clone(),
                answer: None,
                woken: None,
                end: None,
            };
            inner.push(Inner::Request(request));
        }
        let process = thread.process;
        if let (None, "event_op", Some(process)) = (place, name, process) {
            // The system's own code, such as the end of a registered wait, sets an event.
            place = Some((self.log.calls.len(), 0));
            let fields = fields.clone();
            let request = Request { line, name, fields, answer: None, woken: None, end: None };
            self.log.calls.push(Made {
                process,
                thread: number,
                function: name,
                arguments: Vec::new(),
                line,
                returned: None,
                inner: vec![Inner::Request(request)],
                last_error: None,
            });
        }
        if let (Some(place), Some(process), Some(operation)) =
            (place, process, fields.inner("async"))
        {
            if let Some(user) = operation.hex("user") {
                self.pending.insert((process, user), place);
            }
        }
        thread.request = Some((name, fields, line, place));
    }

    fn answer(&mut self, number: u32, name: &'a str, answer: Answer<'a>) {
        let log = &mut self.log;
        if name == "init_first_thread" {
            let process = answer.fields.hex("pid").and_then(|pid| u32::try_from(pid).ok());
            self.threads.entry(number).or_default().process = process;
            return;
        }
        let thread = self.threads.entry(number).or_default();
        let Some((asked, fields, line, place)) = thread.request.take() else {
            return log.skipped.line(answer.line, "answers without a request");
        };
        if asked != name {
            return log.skipped.line(answer.line, "answers without a request");
        }
        match name {
            "select" => {
                if let Some(call) = answer.fields.inner("call") {
                    if let (Some(handle), Some(user)) =
                        (answer.fields.hex("apc_handle"), call.hex("user"))
                    {
                        let end = End { line: answer.line, status: None, total: None, data: None };
                        let process = thread.process;
                        let place =
                            process.and_then(|process| self.pending.remove(&(process, user)));
                        thread.ends.push(Told { handle, user, place, end });
                    }
                }
            }
            "get_async_result" => {
                let user = fields.hex("user_arg");
                let data = answer.fields.bytes("out_data");
                if let Some(told) =
                    thread.ends.iter_mut().rev().find(|told| Some(told.user) == user)
                {
                    told.end.data = data;
                }
            }
            "new_thread" if answer.status.ok() && fields.get("process") == Some("ffffffff") => {
                let process = thread.process;
                let new = answer.fields.hex("tid").and_then(|new| u32::try_from(new).ok());
                if let Some(new) = new {
                    self.threads.insert(new, Thread { process, ..Thread::default() });
                }
            }
            "terminate_thread" if answer.fields.get("self") == Some("1") => {
                if let Some(process) = thread.process {
                    log.exits.push(Exit::Thread { process, thread: number, line });
                }
            }
            "terminate_process" if matches!(fields.get("handle"), Some("0000" | "ffffffff")) => {
                if let Some(process) = thread.process {
                    if self.ending.insert(process, ()).is_none() {
                        log.exits.push(Exit::Process { process, thread: number, line });
                    }
                }
            }
            _ => {}
        }
        if let Some((call, inner)) = place {
            if log.calls[call].function == "event_op" {
                log.calls[call].returned = Some((answer.line, u64::from(answer.status.ok())));
            }
            if let Some(Inner::Request(request)) = log.calls[call].inner.get_mut(inner) {
                request.answer = Some(answer);
            }
        }
    }

    /// A thread tells the server what came of an end.
    fn confirmed(&mut self, number: u32, fields: &Fields<'a>) {
        let Some(result) = fields.inner("result") else { return };
        let Some(thread) = self.threads.get_mut(&number) else { return };
        let (Some(status), Some(handle)) = (result.get("status"), fields.hex("prev_apc")) else {
            return;
        };
        let Some(told) = thread.ends.iter().rposition(|told| told.handle == handle) else {
            return;
        };
        let Told { user, place, mut end, .. } = thread.ends.remove(told);
        end.status = match u32::from_str_radix(status, 16) {
            Ok(number) => Some(Status(number)),
            Err(_) => Status::from_name(status),
        };
        if end.status == Some(Status::PENDING) {
            // It goes on.
            if let (Some(process), Some(place)) = (thread.process, place) {
                self.pending.entry((process, user)).or_insert(place);
            }
            return;
        }
        end.total = result.get("total").and_then(|total| total.parse().ok());
        if let Some((call, inner)) = place {
            if let Some(Inner::Request(request)) = self.log.calls[call].inner.get_mut(inner) {
                request.end = Some(end);
            }
        }
    }
}

/// Whether what a thread calls inside this call is called by a completion routine: the wait was
/// told to run one, and nothing else happened since.
fn is_routine(call: &Made<'_>, frames: &[Frame<'_>]) -> bool {
    const WAITS: [&str; 5] = [
        "SleepEx",
        "WaitForSingleObjectEx",
        "WaitForMultipleObjectsEx",
        "GetQueuedCompletionStatusEx",
        "NtRemoveIoCompletionEx",
    ];
    let wait = WAITS.contains(&call.function) || call.function.starts_with("NtWait");
    let told = call.inner.iter().rev().find_map(|inner| match inner {
        Inner::Request(request) if request.name == "select" && !request.is_aside() => {
            request.answer.as_ref()
        }
        _ => None,
    });
    let fits = frames.iter().all(|frame| frame.function.starts_with("Nt"));
    wait && fits && told.is_some_and(|answer| answer.status.is("USER_APC"))
}

impl<'a> Made<'a> {
    /// The requests with this name that were answered.
    pub(crate) fn requests(&self, name: &str) -> impl Iterator<Item = &Request<'a>> {
        self.inner.iter().filter_map(move |inner| match inner {
            Inner::Request(request) if request.name == name => Some(request),
            _ => None,
        })
    }

    /// The first of them.
    pub(crate) fn request(&self, name: &str) -> Option<&Request<'a>> {
        self.requests(name).next()
    }

    /// What a function inside returned the last time.
    pub(crate) fn value_of(&self, name: &str) -> Option<u64> {
        self.inner.iter().rev().find_map(|inner| match inner {
            Inner::Function { function, value, .. } if *function == name => Some(*value),
            _ => None,
        })
    }

    /// The error that the DLL made of a status inside, the last one.
    pub(crate) fn inner_error(&self) -> Option<u32> {
        self.inner.iter().rev().find_map(|inner| match inner {
            Inner::Function { function: "RtlNtStatusToDosError", value, .. } => Some(*value as u32),
            Inner::Function { function: "RtlSetLastWin32Error", arguments, .. } => {
                arguments.first().map(Argument::dword)
            }
            _ => None,
        })
    }

    /// The lines between which the system took the call: those of its requests, which the server
    /// writes in the order of its work; without requests those of the call itself.
    pub(crate) fn span(&self) -> (u32, Option<u32>) {
        let mut lines = self.inner.iter().filter_map(|inner| match inner {
            Inner::Request(request) if !request.is_aside() => Some(request),
            Inner::Request(_) | Inner::Function { .. } => None,
        });
        let first = lines.clone().next().map_or(self.line, |request| request.line);
        let last = lines.next_back().and_then(Request::over);
        (first, self.returned.map(|(line, _)| last.unwrap_or(line)))
    }
}

impl Request<'_> {
    /// Whether the thread only looks after ends of operations here, whatever it does besides.
    fn is_aside(&self) -> bool {
        self.name == "select"
            && self.fields.get("flags") == Some("2")
            && self.fields.get("data") == Some("{}")
    }

    /// The line at which the server was done with it, where the log has that.
    fn over(&self) -> Option<u32> {
        let answer = self.answer.as_ref()?;
        match self.name {
            "select" if answer.status.is("PENDING") => self.woken,
            _ => Some(answer.line),
        }
    }
}
