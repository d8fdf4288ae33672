//! The printed form of scenarios, and of single operations and replies.

use std::collections::BTreeMap;
use std::fmt::Write;

use npfs_abi::{
    Access, Call, Composite, CreateFile, CreateNamedPipe, Data, Delivery, Op, Output, PipeName,
    ProcessId, Reply, RequestId, Status, ThreadId,
};

use crate::native;
pub use crate::native::fault;
use crate::parse::{OPEN_MODE_WORDS, PIPE_MODE_WORDS, SQOS_WORDS};
use crate::scenario::{
    Action, Caused, Claim, Condition, Expected, ExpectedReply, Flow, Property, Scenario, Step, Word,
};

/// Prints operations and replies as scenario files write them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Printer {
    /// The names of the threads; number n is `ThreadId(n + 1)`. Others print as `t1`.
    pub threads: Vec<String>,
    /// The names of the processes; number n is `ProcessId(n + 1)`. Others print as `p1`.
    pub processes: Vec<String>,
    /// The words of requests. Others print as `thread.n`.
    pub requests: BTreeMap<RequestId, Word>,
}

impl Printer {
    /// A printer with the names of a scenario, and no words of requests yet.
    pub fn new(scenario: &Scenario) -> Printer {
        Printer {
            threads: scenario.threads.iter().map(|thread| thread.name.clone()).collect(),
            processes: scenario.processes.iter().map(|process| process.name.clone()).collect(),
            requests: BTreeMap::new(),
        }
    }

    /// The name of a thread.
    pub fn thread(&self, id: ThreadId) -> String {
        name(&self.threads, id.0).unwrap_or_else(|| id.to_string())
    }

    /// The name of a process.
    pub fn process(&self, id: ProcessId) -> String {
        name(&self.processes, id.0).unwrap_or_else(|| id.to_string())
    }

    /// The word of a request, or `thread.n`.
    pub fn request(&self, id: RequestId) -> String {
        match self.requests.get(&id) {
            Some(word) => word.clone(),
            None => format!("{}.{}", self.thread(id.thread), id.call),
        }
    }

    /// Gives a request a word and takes the word from any other.
    pub fn name_request(&mut self, id: RequestId, word: &str) {
        self.free(word);
        self.requests.insert(id, word.to_owned());
    }

    /// Takes the word from the request that has it.
    pub(crate) fn free(&mut self, word: &str) {
        self.requests.retain(|_, taken| taken != word);
    }

    /// An operation, such as `read s 64 overlapped`.
    pub fn op(&self, op: &Op<Word, Word>) -> String {
        match op {
            Op::Call(call) => self.call(call),
            Op::Composite(Composite::CallNamedPipe { name, data, length, timeout }) => {
                format!("call_pipe {} {data} {length} {}", path(name), pipe_timeout(*timeout))
            }
            Op::Composite(Composite::GetOverlappedResult { file, request, wait }) => {
                format!("result {file} {request}{}", flag(*wait, "wait"))
            }
            Op::Composite(Composite::GetOverlappedResultEx {
                file,
                request,
                timeout,
                alertable,
            }) => {
                let timeout = timeout.map(|ms| format!(" timeout={ms}ms")).unwrap_or_default();
                format!("result_ex {file} {request}{timeout}{}", flag(*alertable, "alertable"))
            }
            Op::Composite(Composite::GetFileAttributes { name }) => {
                format!("attributes {}", path(name))
            }
            Op::Composite(Composite::FindFiles { pattern }) => format!("find {}", path(pattern)),
        }
    }

    fn call(&self, call: &Call<Word, Word>) -> String {
        match call {
            Call::CreateNamedPipe(arguments) => create_pipe(arguments),
            Call::CreateFile(arguments) => open(arguments),
            Call::CreatePipe { size, inherit } => {
                let size = if *size == 0 { String::new() } else { format!(" size={size}") };
                format!("create_anonymous_pipe{size}{}", flag(*inherit, "inherit"))
            }
            Call::ConnectNamedPipe { pipe, delivery } => {
                format!("connect {pipe}{}", suffix(delivery))
            }
            Call::DisconnectNamedPipe { pipe } => format!("disconnect {pipe}"),
            Call::WaitNamedPipe { name, timeout } => {
                format!("wait_pipe {} {}", path(name), pipe_timeout(*timeout))
            }
            Call::ReadFile { file, length, delivery: Delivery::Routine } => {
                format!("read_ex {file} {length}")
            }
            Call::ReadFile { file, length, delivery } => {
                format!("read {file} {length}{}", suffix(delivery))
            }
            Call::WriteFile { file, data, delivery: Delivery::Routine } => {
                format!("write_ex {file} {data}")
            }
            Call::WriteFile { file, data, delivery } => {
                format!("write {file} {data}{}", suffix(delivery))
            }
            Call::PeekNamedPipe { pipe, length } => format!("peek {pipe} {length}"),
            Call::TransactNamedPipe { pipe, data, length, delivery } => {
                format!("transact {pipe} {data} {length}{}", suffix(delivery))
            }
            Call::FlushFileBuffers { file } => format!("flush {file}"),
            Call::GetNamedPipeInfo { pipe } => format!("info {pipe}"),
            Call::GetNamedPipeHandleState { pipe, query } => format!(
                "state {pipe}{}{}{}",
                flag(query.collection_count, "collection_count"),
                flag(query.collect_timeout, "collect_timeout"),
                flag(query.user, "user")
            ),
            Call::SetNamedPipeHandleState { pipe, mode, collection_count, collect_timeout } => {
                let mode = mode.map(set_mode).unwrap_or_default();
                let count = collection_count.map(|n| format!(" collection_count={n}"));
                let timeout = collect_timeout.map(|n| format!(" collect_timeout={n}ms"));
                let (count, timeout) = (count.unwrap_or_default(), timeout.unwrap_or_default());
                format!("set_state {pipe}{mode}{count}{timeout}")
            }
            Call::QueryLocalInformation { pipe } => format!("local {pipe}"),
            Call::GetFileType { file } => format!("file_type {file}"),
            Call::CloseHandle { handle } => format!("close {handle}"),
            Call::DuplicateHandle { handle, target, access, inherit } => {
                let target = target.map(|process| format!(" to={}", self.process(process)));
                let access = access.map(|access| format!(" access={access:?}"));
                let (target, access) = (target.unwrap_or_default(), access.unwrap_or_default());
                format!("duplicate {handle}{target}{access}{}", flag(*inherit, "inherit"))
            }
            Call::SetHandleInformation { handle, inherit } => {
                format!("set_inherit {handle} {}", if *inherit { "on" } else { "off" })
            }
            Call::CreateEvent { manual, signaled } => {
                format!("create_event{}{}", flag(*manual, "manual"), flag(*signaled, "signaled"))
            }
            Call::SetEvent { event } => format!("set_event {event}"),
            Call::ResetEvent { event } => format!("reset_event {event}"),
            Call::WaitForObjects { handles, all, timeout, alertable } => {
                let verb = if *all { "wait_all" } else { "wait_any" };
                let timeout = timeout.map(|ms| format!(" timeout={ms}ms")).unwrap_or_default();
                format!("{verb} {}{timeout}{}", handles.join(" "), flag(*alertable, "alertable"))
            }
            Call::Sleep { timeout, alertable } => {
                let span = timeout.map_or_else(|| "forever".to_owned(), |ms| format!("{ms}ms"));
                format!("sleep {span}{}", flag(*alertable, "alertable"))
            }
            Call::CancelIo { file } => format!("cancel_io {file}"),
            Call::CancelIoEx { file, request: None } => format!("cancel_io_ex {file}"),
            Call::CancelIoEx { file, request: Some(request) } => {
                format!("cancel_io_ex {file} {request}")
            }
            Call::CancelSynchronousIo { thread, request } => {
                let request = request.as_ref().map(|word| format!(" {word}")).unwrap_or_default();
                format!("cancel_sync {}{request}", self.thread(*thread))
            }
            Call::CreateProcess { process, inherit } => {
                format!("spawn {}{}", self.process(*process), flag(*inherit, "inherit"))
            }
            Call::ExitThread => "exit_thread".to_owned(),
            Call::TerminateProcess { process: None } => "exit_process".to_owned(),
            Call::TerminateProcess { process: Some(process) } => {
                format!("terminate {}", self.process(*process))
            }
            other => native::call(self, other),
        }
    }

    /// A reply, such as `ok 5 "hello"`. A byte count of 0 prints only beside data.
    pub fn reply(&self, reply: &Reply<Word>) -> String {
        let counts = reply.information != 0 || matches!(reply.output, Output::Data(_));
        self.expected_reply(&ExpectedReply {
            status: reply.status,
            information: counts.then_some(reply.information),
            output: Some(reply.output.clone()),
        })
    }

    /// The parts of a reply that are written down.
    pub fn expected_reply(&self, reply: &ExpectedReply) -> String {
        let mut text = status(reply.status);
        // Writing to a string cannot fail.
        if let Some(information) = reply.information {
            let _ = write!(text, " {information}");
        }
        let _ = match &reply.output {
            None | Some(Output::None) => Ok(()),
            Some(Output::Handle(word)) => write!(text, " handle {word}"),
            Some(Output::Handles(read, write)) => write!(text, " handles {read} {write}"),
            Some(Output::Data(data)) => write!(text, " {data}"),
            Some(Output::Peek(peek)) => {
                write!(text, " peek {} available={} left={}", peek.data, peek.available, peek.left)
            }
            Some(Output::Info(info)) => write!(
                text,
                " info {} {} out={} in={} max={}",
                info.end, info.pipe_type, info.out_buffer, info.in_buffer, info.max_instances
            ),
            Some(Output::State(state)) => {
                text.push_str(&native::state(state));
                Ok(())
            }
            Some(Output::Local(local)) => {
                let max = match local.maximum_instances {
                    u32::MAX => "unlimited".to_owned(),
                    max => max.to_string(),
                };
                write!(
                    text,
                    " local {} {} max={max} instances={} in={} out={} readable={} writable={} {} {}",
                    local.pipe_type,
                    local.configuration,
                    local.current_instances,
                    local.inbound_quota,
                    local.outbound_quota,
                    local.read_data_available,
                    local.write_quota_available,
                    local.state,
                    local.end
                )
            }
            Some(Output::FileType(number)) => write!(text, " type {number}"),
            Some(Output::Routines(requests)) => {
                text.push_str(" routines");
                requests.iter().try_for_each(|id| write!(text, " {}", self.request(*id)))
            }
            Some(other) => {
                text.push_str(&native::output(self, other));
                Ok(())
            }
        };
        text
    }

    /// `pending`, `blocked` or a reply.
    pub fn expected(&self, expected: &Expected) -> String {
        match expected {
            Expected::Done(reply) => self.expected_reply(reply),
            Expected::Pending => "pending".to_owned(),
            Expected::Blocked => "blocked".to_owned(),
        }
    }

    /// A caused line without its indentation, such as `r done ok 5 "hello"`.
    pub fn caused(&self, caused: &Caused) -> String {
        caused_line(caused.wakes, &caused.who, &self.expected_reply(&caused.reply))
    }

    /// A caused line without its indentation, of a whole reply.
    pub fn completion(&self, wakes: bool, who: &str, reply: &Reply<Word>) -> String {
        caused_line(wakes, who, &self.reply(reply))
    }

    /// What a step does, without what is expected: `server: r = read s 64`.
    pub fn action(&self, action: &Action) -> String {
        match action {
            Action::Advance(span) => format!("advance {span}"),
            Action::Op { thread, labels, op } => {
                let equals = if labels.is_empty() { "" } else { " = " };
                format!("{}: {}{equals}{}", self.thread(*thread), labels.join(" "), self.op(op))
            }
            Action::Flow { thread, flow } => {
                format!("{}: {}", self.thread(*thread), self.flow(flow))
            }
            Action::Race => "race".to_owned(),
        }
    }

    /// A line that steers a thread, such as `break if ok`.
    pub fn flow(&self, flow: &Flow) -> String {
        let (word, condition) = match flow {
            Flow::Loop(times) => return format!("loop {times}"),
            Flow::If(condition) => return self.condition(condition),
            Flow::Else => return "else".to_owned(),
            Flow::End => return "end".to_owned(),
            Flow::Break(condition) => ("break", condition),
            Flow::Again(condition) => ("again", condition),
            Flow::Stop(condition) => ("stop", condition),
        };
        let condition = condition.as_ref().map(|one| format!(" {}", self.condition(one)));
        format!("{word}{}", condition.unwrap_or_default())
    }

    fn condition(&self, condition: &Condition) -> String {
        let Condition { unless, of, any } = condition;
        let word = if *unless { "unless" } else { "if" };
        let of = of.as_ref().map(|word| format!(" {word} is")).unwrap_or_default();
        let any: Vec<_> = any.iter().map(|expected| self.expected(expected)).collect();
        format!("{word}{of} {}", any.join(" or "))
    }

    /// A property, such as `never: deadlock`.
    pub fn property(&self, property: &Property) -> String {
        let Property { broken, scope, claim } = property;
        let broken = if *broken { "broken " } else { "" };
        format!("{broken}{}: {}", scope.word(), self.claim(claim))
    }

    /// A claim, such as `c is ok and not deadlock`.
    pub fn claim(&self, claim: &Claim) -> String {
        let inner = |claim: &Claim| match claim {
            Claim::All(_) | Claim::Any(_) => format!("({})", self.claim(claim)),
            Claim::Not(_)
            | Claim::Result(..)
            | Claim::Thread(..)
            | Claim::Deadlock
            | Claim::Leak
            | Claim::LostData
            | Claim::UnendedRequest => self.claim(claim),
        };
        let joined = |claims: &[Claim], joint: &str| {
            claims.iter().map(inner).collect::<Vec<_>>().join(joint)
        };
        match claim {
            Claim::All(claims) => joined(claims, " and "),
            Claim::Any(claims) => joined(claims, " or "),
            Claim::Not(claim) => format!("not {}", inner(claim)),
            Claim::Result(word, expected) => format!("{word} is {}", self.expected(expected)),
            Claim::Thread(thread, stand) => {
                format!("thread {} is {}", self.thread(*thread), stand.word())
            }
            Claim::Deadlock => "deadlock".to_owned(),
            Claim::Leak => "leak".to_owned(),
            Claim::LostData => "lost data".to_owned(),
            Claim::UnendedRequest => "unended request".to_owned(),
        }
    }

    /// A step with its caused lines, each line ended.
    pub fn step(&self, step: &Step) -> String {
        let mut text = self.action(&step.action);
        // The caused lines of an `advance` say enough.
        let said = matches!(step.action, Action::Advance(_)) && !step.caused.is_empty();
        if let Some(expected) = step.expected.as_ref().filter(|_| !said) {
            text += " -> ";
            text += &self.expected(expected);
        }
        text.push('\n');
        for caused in &step.caused {
            text += "    ";
            text += &self.caused(caused);
            text.push('\n');
        }
        text
    }
}

/// How many new handles an operation gives; with none, its label names its request.
pub fn makes_handles(op: &Op<Word, Word>) -> usize {
    match op {
        Op::Call(Call::CreatePipe { .. }) => 2,
        Op::Call(
            Call::CreateNamedPipe(_)
            | Call::CreateFile(_)
            | Call::DuplicateHandle { .. }
            | Call::CreateEvent { .. }
            | Call::NtCreateNamedPipeFile(_)
            | Call::NtCreateFile(_)
            | Call::ReOpenFile { .. }
            | Call::CreateIoCompletionPort { .. }
            | Call::OpenThread { .. }
            | Call::OpenProcess { .. },
        ) => 1,
        _ => 0,
    }
}

/// A status as scenarios write it: as it prints, and `wait 1` to `wait 63` for satisfied waits.
pub fn status(status: Status) -> String {
    match status.0 {
        index @ 1..64 => format!("wait {index}"),
        _ => status.to_string(),
    }
}

/// A path, in quotes where a bare one could not be read: `open =x` gives `x` a label.
pub fn path(name: &PipeName) -> String {
    let text = name.as_str();
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '#';
    if text.is_empty() || text.contains(odd) || text.starts_with("->") || text.starts_with('=') {
        Data::from(text).to_string()
    } else {
        text.to_owned()
    }
}

fn caused_line(wakes: bool, who: &str, reply: &str) -> String {
    format!("{who} {} {reply}", if wakes { "returns" } else { "done" })
}

fn name(names: &[String], number: u32) -> Option<String> {
    names.get((number as usize).checked_sub(1)?).cloned()
}

pub(crate) fn flag(given: bool, word: &str) -> String {
    if given { format!(" {word}") } else { String::new() }
}

pub(crate) fn bits(name: &str, bits: u32) -> String {
    if bits == 0 { String::new() } else { format!(" {name}={bits:#x}") }
}

fn pipe_timeout(ms: u32) -> String {
    match ms {
        0 => "default".to_owned(),
        u32::MAX => "forever".to_owned(),
        ms => format!("{ms}ms"),
    }
}

pub(crate) fn named(option: &str, word: &Option<Word>) -> String {
    word.as_ref().map(|word| format!(" {option}={word}")).unwrap_or_default()
}

pub(crate) fn suffix(delivery: &Delivery<Word>) -> String {
    match delivery {
        Delivery::Return => String::new(),
        Delivery::Overlapped { event, quiet } => {
            format!(" overlapped{}{}", named("event", event), flag(*quiet, "quiet"))
        }
        Delivery::Nt { event, routine, context } => format!(
            " nt{}{}{}",
            named("event", event),
            flag(*routine, "routine"),
            flag(*context, "context")
        ),
        // Only reads and writes have routines; they print elsewhere.
        Delivery::Routine => " routine".to_owned(),
    }
}

fn set_mode(mode: u32) -> String {
    let worded = CreateNamedPipe::READMODE_MESSAGE | CreateNamedPipe::NOWAIT;
    let read = if mode & CreateNamedPipe::READMODE_MESSAGE != 0 { "message" } else { "byte" };
    let wait = if mode & CreateNamedPipe::NOWAIT != 0 { "nowait" } else { "wait" };
    format!(" {read} {wait}{}", bits("mode", mode & !worded))
}

fn create_pipe(pipe: &CreateNamedPipe) -> String {
    type C = CreateNamedPipe;
    let (open, mode) = (pipe.open_mode, pipe.pipe_mode);
    let mut text = format!("create_pipe {}", path(&pipe.name));
    match open & C::ACCESS_DUPLEX {
        C::ACCESS_INBOUND => text += " inbound",
        C::ACCESS_OUTBOUND => text += " outbound",
        0 => text += " no_access",
        _ => {}
    }
    text += &flag(mode & C::TYPE_MESSAGE != 0, "message");
    text += &flag(mode & C::READMODE_MESSAGE != 0, "read=message");
    text += &flag(mode & C::NOWAIT != 0, "nowait");
    text += &flag(open & C::OVERLAPPED != 0, "overlapped");
    text += &flag(open & C::FIRST_INSTANCE != 0, "first");
    text += &flag(open & C::WRITE_THROUGH != 0, "write_through");
    text += &flag(mode & C::REJECT_REMOTE != 0, "reject_remote");
    match pipe.max_instances {
        1 => {}
        C::UNLIMITED_INSTANCES => text += " instances=unlimited",
        count => text += &format!(" instances={count}"),
    }
    if pipe.out_buffer != 4096 {
        text += &format!(" out={}", pipe.out_buffer);
    }
    if pipe.in_buffer != 4096 {
        text += &format!(" in={}", pipe.in_buffer);
    }
    if pipe.default_timeout != 0 {
        text += &format!(" timeout={}", pipe_timeout(pipe.default_timeout));
    }
    text += &flag(pipe.inherit, "inherit");
    text += &native::security(pipe.security.as_ref());
    text += &bits("open_mode", open & !OPEN_MODE_WORDS);
    text += &bits("pipe_mode", mode & !PIPE_MODE_WORDS);
    text
}

fn open(file: &CreateFile) -> String {
    let both = Access::GENERIC_READ.with(Access::GENERIC_WRITE);
    let access = match file.access {
        access if access == both => String::new(),
        Access::GENERIC_READ => " read".to_owned(),
        Access::GENERIC_WRITE => " write".to_owned(),
        Access::NONE => " attributes".to_owned(),
        access => format!(" access={access:?}"),
    };
    let quality = native::quality(file.flags);
    let worded = CreateFile::OVERLAPPED
        | CreateFile::WRITE_THROUGH
        | if quality.is_empty() { 0 } else { SQOS_WORDS };
    format!(
        "open {}{access}{}{}{quality}{}{}",
        path(&file.name),
        flag(file.flags & CreateFile::OVERLAPPED != 0, "overlapped"),
        flag(file.flags & CreateFile::WRITE_THROUGH != 0, "write_through"),
        flag(file.inherit, "inherit"),
        bits("flags", file.flags & !worded)
    )
}
