//! One scenario after another: each of its threads is an OS thread, and steps begin in file order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use npfs_abi::{Call, Composite, Delivery, Op, Output, Profile, RequestId, Status, ThreadId};
use npfs_trace::scenario::{Action, Expected, Scenario, Step, Word};
use npfs_trace::trace::{Event, Gaps, Header, Kind, Recorded, Seen, Source, Start, Trace};

use crate::agent::{self, Remote};
use crate::free;
use crate::win32::{self, Answer, Meaning, Request};
use crate::words::{Named, visit};

const USAGE: &str =
    "usage: npfs-record [--system NAME] [--system-version VERSION] [--random] [--free RUNS [--keep N]] [--out DIR] [--list FILE] SCENARIO...";

/// A call that has not returned for this long is taken to block.
const BLOCKS_AFTER: Duration = Duration::from_millis(20);
/// The same for calls that cannot block: only a very slow machine takes so long.
const SLOW_AFTER: Duration = Duration::from_millis(500);
/// How long to wait for what the scenario expects a step to cause.
const MORE_AFTER: Duration = Duration::from_millis(200);
/// So many polls in a row must bring nothing new before a step is over.
const QUIET_POLLS: u32 = 5;
pub(crate) const POLL: Duration = Duration::from_millis(1);

struct Options {
    system: String,
    system_version: String,
    source: Source,
    /// At full speed, so many times.
    runs: Option<u32>,
    /// Of runs with the same results, so many are kept.
    keep: u32,
    out: PathBuf,
    scenarios: Vec<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        system: String::from("windows"),
        system_version: win32::version(),
        source: Source::Scenario,
        runs: None,
        keep: u32::MAX,
        out: PathBuf::from("."),
        scenarios: Vec::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value\n{USAGE}"));
        match word.as_str() {
            "--system" => options.system = value()?,
            "--system-version" => options.system_version = value()?,
            "--out" => options.out = PathBuf::from(value()?),
            "--free" => options.runs = Some(count(&value()?)?),
            "--keep" => options.keep = count(&value()?)?,
            "--random" => options.source = Source::Random,
            "--list" => {
                let file = value()?;
                let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
                options.scenarios.extend(text.lines().map(String::from));
            }
            _ if word.starts_with("--") => return Err(format!("unknown option {word}\n{USAGE}")),
            _ => options.scenarios.push(word),
        }
    }
    if options.scenarios.is_empty() { Err(USAGE.into()) } else { Ok(options) }
}

fn count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text} is no number\n{USAGE}"))
}

/// Records what the command line names. 0: all recorded; 1: something went wrong; 2: wrong usage,
/// or some scenarios are beyond this recorder.
pub(crate) fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if let (Some("--agent"), Some(port)) = (words.next().as_deref(), words.next()) {
        return agent::main(&port);
    }
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("npfs-record: {message}");
            return ExitCode::from(2);
        }
    };
    let mut code = 0_u8;
    for path in &options.scenarios {
        match one(path, &options) {
            Ok(Note::Recorded) => println!("recorded {path}"),
            Ok(Note::Free(runs)) => println!("recorded {path}: {runs}"),
            Ok(Note::Stopped(why)) => println!("stopped {path}: {why}"),
            Ok(Note::Refused(why)) => {
                println!("refused {path}: {why}");
                code = code.max(2);
            }
            Err(message) => {
                println!("failed {path}: {message}");
                code = 1;
                break;
            }
        }
    }
    // Threads that nothing could wake are left behind. An orderly exit has been seen to wait for
    // them under Wine.
    let _ = io::stdout().flush();
    win32::leave(code.into())
}

enum Note {
    Recorded,
    Free(String),
    Stopped(String),
    Refused(String),
}

fn one(path: &str, options: &Options) -> Result<Note, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let scenario = Scenario::parse(&text).map_err(|error| error.to_string())?;
    if let Some(why) = beyond(&scenario) {
        return Ok(Note::Refused(why.into()));
    }
    let name = name_of(path);
    let (text, note) = match options.runs {
        None => {
            let (events, stopped) = Run::new(&scenario).record();
            let trace = trace(&scenario, &name, options, events);
            (trace.write(), stopped.map_or(Note::Recorded, Note::Stopped))
        }
        Some(runs) => match free::beyond(&scenario) {
            Some(why) => return Ok(Note::Refused(why.into())),
            None => at_full_speed(&scenario, &name, options, runs),
        },
    };
    let file = options.out.join(format!("{name}.jsonl"));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(note)
}

/// All runs that are kept, one behind the other.
fn at_full_speed(scenario: &Scenario, name: &str, options: &Options, runs: u32) -> (String, Note) {
    let mut results: BTreeMap<String, u32> = BTreeMap::new();
    let (mut text, mut kept) = (String::new(), 0);
    for number in 1..=runs {
        let trace = trace(scenario, name, options, free::run(scenario, number));
        let count = results.entry(free::results(&trace)).or_default();
        *count += 1;
        if *count <= options.keep {
            text += &trace.write();
            kept += 1;
        }
    }
    let different = results.len();
    (text, Note::Free(format!("{runs} runs, {different} with different results, {kept} kept")))
}

fn trace(scenario: &Scenario, name: &str, options: &Options, events: Vec<Event>) -> Trace {
    let free = options.runs.is_some();
    let processes = scenario.processes.iter().map(|process| {
        let mark = if process.started { "" } else { "*" };
        format!("{mark}{}", process.name)
    });
    let threads = scenario.threads.iter().map(|thread| (thread.name.clone(), thread.process.0));
    Trace {
        header: Header {
            trace: "npfs".into(),
            version: 1,
            kind: if free { Kind::Concurrent } else { Kind::Stepped },
            source: if free { Source::Free } else { options.source },
            program: None,
            system: options.system.clone(),
            system_version: options.system_version.clone(),
            recorder: concat!("npfs-record ", env!("CARGO_PKG_VERSION")).into(),
            scenario: name.to_owned(),
            tick_ns: None,
            start: Start::Empty,
            skipped: BTreeMap::new(),
            processes: processes.collect(),
            threads: threads.collect(),
            model: None,
        },
        events: events.into_iter().enumerate().map(|(n, event)| (n as u32 + 2, event)).collect(),
    }
}

/// The path below `fixtures/scenarios`, with `/`, without the extension; else the file's name.
fn name_of(path: &str) -> String {
    let path = path.replace('\\', "/");
    let below = match path.rsplit_once("fixtures/scenarios/") {
        Some((_, below)) => below,
        None => path.rsplit('/').next().unwrap_or(&path),
    };
    Path::new(below).with_extension("").to_string_lossy().replace('\\', "/")
}

/// Why this recorder cannot run the scenario.
fn beyond(scenario: &Scenario) -> Option<&'static str> {
    if scenario.processes.iter().filter(|process| process.started).count() > 1 {
        return Some("two of its processes run from the start");
    }
    if !scenario.processes.first().is_none_or(|process| process.started) {
        return Some("its first process does not run from the start");
    }
    if scenario.profile != Profile::current() || !scenario.faults.is_empty() {
        return Some("it has a profile or faults, which a real system has not");
    }
    let plain = |process: &npfs_trace::scenario::Process| {
        *process == npfs_trace::scenario::Process::new(&process.name, process.started)
    };
    if !scenario.processes.iter().all(plain) {
        return Some("its processes are those of other users, sessions or computers");
    }
    scenario.steps.iter().find_map(|step| match &step.action {
        Action::Flow { .. } => Some("its threads decide what they do next"),
        Action::Op {
            op:
                Op::Composite(
                    Composite::GetOverlappedResultEx { .. }
                    | Composite::GetFileAttributes { .. }
                    | Composite::FindFiles { .. },
                ),
            ..
        } => Some("it uses functions that the recorder does not know yet"),
        Action::Op { thread, op: Op::Call(call), .. } => {
            let first = process_of(scenario, *thread) == 1;
            match call {
                Call::CreateProcess { .. } if !first => Some("a child starts a process"),
                Call::TerminateProcess { process: None } if first => {
                    Some("its first process, which is the recorder, ends")
                }
                Call::TerminateProcess { process: Some(process) } if !first || process.0 == 1 => {
                    Some("the recorder or a sibling is terminated")
                }
                Call::DuplicateHandle { target: Some(target), .. } if !first || target.0 == 1 => {
                    Some("a child duplicates to another process, or its parent to itself")
                }
                Call::CancelSynchronousIo { thread: other, .. }
                    if process_of(scenario, *thread) != process_of(scenario, *other) =>
                {
                    Some("it cancels a thread of another process")
                }
                Call::CancelSynchronousIo { request: Some(_), .. }
                | Call::NtCreateNamedPipeFile(_)
                | Call::NtCreateFile(_)
                | Call::ReOpenFile { .. }
                | Call::NtFsControlFile { .. }
                | Call::NtQueryInformationFile { .. }
                | Call::NtSetInformationFile { .. }
                | Call::NtQueryVolumeInformationFile { .. }
                | Call::NtQueryDirectoryFile { .. }
                | Call::NtNotifyChangeDirectoryFile { .. }
                | Call::NtQueryObject { .. }
                | Call::NtQuerySecurityObject { .. }
                | Call::NtSetSecurityObject { .. } => Some("it uses Nt functions"),
                Call::CreateIoCompletionPort { .. }
                | Call::GetQueuedCompletionStatus { .. }
                | Call::PostQueuedCompletionStatus { .. }
                | Call::SetFileCompletionNotificationModes { .. } => {
                    Some("it uses completion ports")
                }
                Call::QueueUserAPC { .. }
                | Call::OpenThread { .. }
                | Call::OpenProcess { .. }
                | Call::ImpersonateNamedPipeClient { .. }
                | Call::RevertToSelf
                | Call::SetThreadToken { .. }
                | Call::GetThreadToken
                | Call::GetNamedPipeAttribute { .. } => {
                    Some("it uses functions that the recorder does not know yet")
                }
                call if matches!(call.delivery(), Some(Delivery::Nt { .. })) => {
                    Some("it uses Nt functions")
                }
                _ => None,
            }
        }
        _ => None,
    })
}

fn process_of(scenario: &Scenario, thread: ThreadId) -> u32 {
    let index = (thread.0 as usize).wrapping_sub(1);
    scenario.threads.get(index).map_or(1, |thread| thread.process.0)
}

pub(crate) struct Job {
    pub(crate) id: RequestId,
    pub(crate) op: Op<Word, Word>,
    pub(crate) request: Request,
    pub(crate) meaning: Meaning,
}

/// What comes back from a thread, here or in a started process.
pub(crate) enum News {
    /// A call returned.
    Answer(RequestId, Answer),
    /// A pending request of another process ended.
    Done(RequestId, Recorded),
}

struct Worker {
    jobs: Option<Sender<Job>>,
    thread: JoinHandle<()>,
    calls: u32,
}

/// A call that has not returned yet.
pub(crate) struct Running {
    pub(crate) labels: Vec<Word>,
    pub(crate) op: Op<Word, Word>,
    pub(crate) request: Request,
}

/// One run of a scenario.
struct Run<'a> {
    scenario: &'a Scenario,
    workers: Vec<Worker>,
    answers: Receiver<News>,
    /// Where started processes send theirs.
    news: Sender<News>,
    /// The started processes, by number.
    remotes: BTreeMap<u32, Remote>,
    /// The processes in whose tables the word's handle is.
    homes: BTreeMap<Word, BTreeSet<u32>>,
    /// The words of handles that children inherit.
    inheritable: BTreeSet<Word>,
    /// What the scenario's words stand for.
    meaning: Meaning,
    /// The names the trace has for them.
    handle_names: BTreeMap<Word, Word>,
    request_names: BTreeMap<Word, Word>,
    /// Handles not yet closed.
    open: BTreeSet<usize>,
    handles_made: u32,
    running: BTreeMap<RequestId, Running>,
    pending: BTreeMap<RequestId, Request>,
    events: Vec<Event>,
}

pub(crate) fn work(jobs: &Receiver<Job>, answers: &Sender<News>) {
    for job in jobs {
        let ends = matches!(job.op, Op::Call(Call::ExitThread));
        let answer = if ends {
            // The thread's end is its return from this function.
            let result = Recorded { error: Some(0), ..Recorded::default() };
            Answer { result, handles: Vec::new() }
        } else {
            win32::perform(&job.op, job.request, &job.meaning)
        };
        if answers.send(News::Answer(job.id, answer)).is_err() || ends {
            return;
        }
    }
}

/// How long to wait for the return of a call before it counts as blocked. What the scenario
/// expects only makes the recorder wait longer on a busy machine; it never decides.
fn patience(op: &Op<Word, Word>, expected: Option<&Expected>) -> Duration {
    let timeout = match op {
        Op::Call(call) => match call {
            Call::CreateNamedPipe(_)
            | Call::CreateFile(_)
            | Call::CreatePipe { .. }
            | Call::CreateEvent { .. }
            | Call::DuplicateHandle { .. }
            | Call::SetHandleInformation { .. }
            | Call::SetEvent { .. }
            | Call::ResetEvent { .. }
            | Call::CancelIo { .. }
            | Call::CancelIoEx { .. }
            | Call::CancelSynchronousIo { .. }
            | Call::ExitThread => return SLOW_AFTER,
            Call::Sleep { timeout, .. } | Call::WaitForObjects { timeout, .. } => *timeout,
            Call::WaitNamedPipe { timeout, .. } => Some(if *timeout == 0 { 50 } else { *timeout }),
            _ => None,
        },
        Op::Composite(Composite::CallNamedPipe { timeout, .. }) => {
            Some(if *timeout == 0 { 50 } else { *timeout })
        }
        Op::Composite(Composite::GetOverlappedResult { wait: false, .. }) => return SLOW_AFTER,
        Op::Composite(_) => None,
    };
    match (expected, timeout) {
        (Some(Expected::Done(_) | Expected::Pending), _) => SLOW_AFTER,
        // A call that ends by itself after a short time must be seen to block before.
        (Some(Expected::Blocked) | None, Some(ms @ 1..)) => {
            BLOCKS_AFTER.min(Duration::from_millis(u64::from(ms) / 2))
        }
        (Some(Expected::Blocked) | None, _) => BLOCKS_AFTER,
    }
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario) -> Run<'a> {
        let (sender, answers) = channel();
        let workers: Vec<Worker> = scenario
            .threads
            .iter()
            .map(|_| {
                let (jobs, todo) = channel();
                let sender = sender.clone();
                let thread = thread::spawn(move || work(&todo, &sender));
                Worker { jobs: Some(jobs), thread, calls: 0 }
            })
            .collect();
        let threads = workers.iter().map(|worker| win32::thread_handle(&worker.thread)).collect();
        Run {
            scenario,
            workers,
            answers,
            news: sender,
            remotes: BTreeMap::new(),
            homes: BTreeMap::new(),
            inheritable: BTreeSet::new(),
            meaning: Meaning { threads, ..Meaning::default() },
            handle_names: BTreeMap::new(),
            request_names: BTreeMap::new(),
            open: BTreeSet::new(),
            handles_made: 0,
            running: BTreeMap::new(),
            pending: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// The events, and why the run stopped before its last step.
    fn record(mut self) -> (Vec<Event>, Option<String>) {
        let mut stopped = None;
        for step in &self.scenario.steps {
            let done = match &step.action {
                Action::Op { thread, labels, op } => self.step(*thread, labels, op, step),
                Action::Advance(time) => {
                    let seq = self.seq();
                    self.events.push(Event::Advance { seq, ms: time.as_millis(), ticks: 0 });
                    thread::sleep(Duration::from_millis(time.as_millis()));
                    self.settle(None, step.caused.len());
                    Ok(())
                }
                Action::Flow { .. } | Action::Race => Ok(()),
            };
            if let Err(why) = done {
                stopped = Some(format!("line {}: {why}", step.line));
                break;
            }
        }
        let seq = self.seq();
        self.events.push(Event::End { seq });
        self.clean();
        (self.events, stopped)
    }

    fn seq(&self) -> u32 {
        self.events.len() as u32 + 1
    }

    fn step(
        &mut self,
        thread: ThreadId,
        labels: &[Word],
        op: &Op<Word, Word>,
        step: &Step,
    ) -> Result<(), String> {
        let index = (thread.0 as usize).wrapping_sub(1);
        let busy = self.running.keys().any(|id| id.thread == thread);
        let Some(worker) = self.workers.get_mut(index) else {
            return Err("no such thread".into());
        };
        if busy {
            return Err("the thread is still in its last call".into());
        }
        worker.calls += 1;
        let process = process_of(self.scenario, thread);
        let id = RequestId { thread, call: worker.calls };
        let request = Request::new(id, op);
        let event = Event::Call {
            seq: self.events.len() as u32 + 1,
            seen: Seen::default(),
            thread: thread.0,
            process,
            id: id.to_string(),
            op: self.named(op),
            gaps: Gaps::default(),
        };
        self.events.push(event);
        if let (true, Some(label)) = (makes_request(op), labels.first()) {
            self.meaning.requests.insert(label.clone(), request);
            self.request_names.insert(label.clone(), id.to_string());
        }
        if let Op::Call(Call::CreateProcess { process, inherit }) = op {
            let result = self.start(process.0, *inherit)?;
            let (seq, thread) = (self.seq(), thread.0);
            self.events.push(Event::Return {
                seq,
                seen: Seen::default(),
                thread,
                id: id.to_string(),
                result,
            });
            return Ok(());
        }
        let mut meaning = self.meaning.clone();
        meaning
            .handles
            .retain(|word, _| self.homes.get(word).is_some_and(|homes| homes.contains(&process)));
        let sent = if process == 1 {
            let job = Job { id, op: op.clone(), request, meaning };
            self.workers[index].jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
        } else {
            let remote = self.remotes.get_mut(&process);
            remote
                .is_some_and(|remote| remote.alive && remote.send(id, labels, op, &meaning.handles))
        };
        if !sent {
            return Err("the thread does not run".into());
        }
        self.running.insert(id, Running { labels: labels.to_vec(), op: op.clone(), request });
        self.settle(Some((id, patience(op, step.expected.as_ref()))), step.caused.len());
        Ok(())
    }

    /// Starts a process of the scenario and waits until it is ready.
    fn start(&mut self, process: u32, inherit: bool) -> Result<Recorded, String> {
        let failed = |error: io::Error| error.to_string();
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let handle = match win32::start(&format!("--agent {port}"), inherit) {
            Ok(handle) => handle,
            Err(result) => return Ok(result),
        };
        listener.set_nonblocking(true).map_err(failed)?;
        let start = Instant::now();
        let stream = loop {
            match listener.accept() {
                Ok((stream, _)) => break stream,
                Err(_) if start.elapsed() < Duration::from_secs(20) => thread::sleep(POLL),
                Err(error) => {
                    win32::end(handle);
                    return Err(format!("the started process does not answer: {error}"));
                }
            }
        };
        stream.set_nonblocking(false).map_err(failed)?;
        self.remotes.insert(process, Remote::new(stream, handle, self.news.clone())?);
        self.meaning.processes.insert(process, handle);
        if inherit {
            for word in &self.inheritable {
                if let Some(homes) = self.homes.get_mut(word).filter(|homes| homes.contains(&1)) {
                    homes.insert(process);
                }
            }
        }
        Ok(Recorded { error: Some(0), ..Recorded::default() })
    }

    /// The operation with the trace's names instead of the scenario's words.
    fn named(&self, op: &Op<Word, Word>) -> Op<Word, Word> {
        let mut op = op.clone();
        visit(&mut op, &mut |word| {
            let (word, names) = match word {
                Named::Handle(word) => (word, &self.handle_names),
                Named::Request(word) => (word, &self.request_names),
            };
            if let Some(name) = names.get(word) {
                word.clone_from(name);
            }
        });
        op
    }

    /// Waits until nothing more happens and writes down what did: first whether the step's own
    /// call `own` returned, then calls that woke and requests that ended, by thread and number.
    fn settle(&mut self, own: Option<(RequestId, Duration)>, expected: usize) {
        let mut returned: BTreeMap<RequestId, Answer> = BTreeMap::new();
        let mut ended: BTreeMap<RequestId, Recorded> = BTreeMap::new();
        let start = Instant::now();
        let mut quiet = 0;
        // News from another process has a longer way.
        let enough = if self.remotes.is_empty() { QUIET_POLLS } else { 4 * QUIET_POLLS };
        loop {
            let waiting = own.is_some_and(|(id, patience)| {
                !returned.contains_key(&id) && start.elapsed() < patience
            });
            let own_returned = own.is_some_and(|(id, _)| returned.contains_key(&id));
            let seen = returned.len() + ended.len() - usize::from(own_returned);
            // More is expected: give it time, once.
            let awaited = seen < expected && start.elapsed() < MORE_AFTER;
            if !waiting && !awaited && quiet >= enough {
                break;
            }
            let mut news = false;
            match self.answers.recv_timeout(POLL) {
                Ok(News::Answer(id, answer)) => {
                    news = true;
                    let here = process_of(self.scenario, id.thread) == 1;
                    let running = self.running.get(&id).filter(|_| here);
                    if let Some(request) = running.and_then(|running| begun(running, &answer)) {
                        self.pending.insert(id, request);
                    }
                    returned.insert(id, answer);
                }
                Ok(News::Done(id, result)) => {
                    news = true;
                    ended.insert(id, result);
                }
                Err(_) => {}
            }
            self.pending.retain(|id, request| match request.ended() {
                Some(result) => {
                    news = true;
                    ended.insert(*id, result);
                    false
                }
                None => true,
            });
            quiet = if news { 0 } else { quiet + 1 };
        }
        if let Some((id, _)) = own {
            match returned.remove(&id) {
                Some(answer) => self.returns(id, answer),
                None => {
                    let event = Event::Block {
                        seq: self.seq(),
                        seen: Seen::default(),
                        thread: id.thread.0,
                        id: id.to_string(),
                    };
                    self.events.push(event);
                }
            }
        }
        let ids: BTreeSet<RequestId> = returned.keys().chain(ended.keys()).copied().collect();
        for id in ids {
            if let Some(answer) = returned.remove(&id) {
                self.returns(id, answer);
            }
            if let Some(result) = ended.remove(&id) {
                let (seq, thread) = (self.seq(), id.thread.0);
                self.events.push(Event::Done {
                    seq,
                    seen: Seen::default(),
                    after: None,
                    thread,
                    id: id.to_string(),
                    result,
                });
            }
        }
    }

    fn returns(&mut self, id: RequestId, answer: Answer) {
        let mut result = answer.result;
        if let Some(Running { labels, op, .. }) = self.running.remove(&id) {
            let process = process_of(self.scenario, id.thread);
            // A duplicate for another process is in that one's table.
            let home = match &op {
                Op::Call(Call::DuplicateHandle { target: Some(target), .. }) => target.0,
                _ => process,
            };
            let mut names = Vec::new();
            for (n, handle) in answer.handles.iter().enumerate() {
                self.handles_made += 1;
                let name = format!("h{}", self.handles_made);
                if home == 1 {
                    self.open.insert(*handle);
                }
                if let Some(label) = labels.get(n) {
                    self.meaning.handles.insert(label.clone(), *handle);
                    self.handle_names.insert(label.clone(), name.clone());
                    self.homes.insert(label.clone(), BTreeSet::from([home]));
                    if inherits(&op) {
                        self.inheritable.insert(label.clone());
                    } else {
                        self.inheritable.remove(label);
                    }
                }
                names.push(name);
            }
            let mut names = names.into_iter();
            match (names.next(), names.next()) {
                (Some(one), None) => result.output = Some(Output::Handle(one)),
                (Some(one), Some(two)) => result.output = Some(Output::Handles(one, two)),
                _ => {}
            }
            match op {
                Op::Call(Call::CloseHandle { handle }) if result.error == Some(0) => {
                    if let Some(value) = self.meaning.handles.get(&handle).filter(|_| process == 1)
                    {
                        self.open.remove(value);
                    }
                }
                Op::Call(Call::SetHandleInformation { handle, inherit }) => {
                    if inherit {
                        self.inheritable.insert(handle);
                    } else {
                        self.inheritable.remove(&handle);
                    }
                }
                Op::Call(Call::ExitThread) => {
                    if let Some(worker) = self.workers.get_mut(id.thread.0 as usize - 1) {
                        worker.jobs = None;
                    }
                }
                Op::Call(Call::TerminateProcess { process: ended }) => {
                    let ended = ended.map_or(process, |ended| ended.0);
                    if let Some(remote) = self.remotes.get_mut(&ended) {
                        remote.alive = false;
                    }
                    // Calls of a process that has ended never return.
                    let scenario = self.scenario;
                    self.running.retain(|id, _| process_of(scenario, id.thread) != ended);
                }
                _ => {}
            }
        }
        let (seq, thread) = (self.seq(), id.thread.0);
        self.events.push(Event::Return {
            seq,
            seen: Seen::default(),
            thread,
            id: id.to_string(),
            result,
        });
    }

    /// Leaves as little as possible behind for the next scenario.
    fn clean(&mut self) {
        let open: Vec<usize> = self.open.iter().copied().collect();
        let stuck: Vec<usize> = self
            .running
            .keys()
            .filter(|id| process_of(self.scenario, id.thread) == 1)
            .filter_map(|id| self.meaning.threads.get(id.thread.0 as usize - 1).copied())
            .collect();
        for remote in self.remotes.values() {
            win32::end(remote.handle);
        }
        win32::cancel(&open, &stuck);
        for worker in &mut self.workers {
            worker.jobs = None;
        }
        let start = Instant::now();
        while !self.workers.iter().all(|worker| worker.thread.is_finished())
            && start.elapsed() < Duration::from_millis(50)
        {
            thread::sleep(POLL);
        }
        win32::close(&open);
        let start = Instant::now();
        while !self.workers.iter().all(|worker| worker.thread.is_finished())
            && start.elapsed() < Duration::from_millis(50)
        {
            thread::sleep(POLL);
        }
    }
}

/// Whether children inherit the handles that `op` makes.
fn inherits(op: &Op<Word, Word>) -> bool {
    match op {
        Op::Call(Call::CreateNamedPipe(call)) => call.inherit,
        Op::Call(Call::CreateFile(call)) => call.inherit,
        Op::Call(Call::CreatePipe { inherit, .. } | Call::DuplicateHandle { inherit, .. }) => {
            *inherit
        }
        _ => false,
    }
}

/// Whether the first label of a step names a request.
pub(crate) fn makes_request(op: &Op<Word, Word>) -> bool {
    matches!(
        op,
        Op::Call(
            Call::ConnectNamedPipe { .. }
                | Call::ReadFile { .. }
                | Call::WriteFile { .. }
                | Call::TransactNamedPipe { .. }
        )
    )
}

/// The request that goes on after its call has returned with `answer`.
pub(crate) fn begun(running: &Running, answer: &Answer) -> Option<Request> {
    let routine = match &running.op {
        Op::Call(Call::ReadFile { delivery, .. } | Call::WriteFile { delivery, .. }) => {
            *delivery == Delivery::Routine && answer.result.error == Some(0)
        }
        _ => false,
    };
    let pending = makes_request(&running.op) && answer.result.status == Some(Status::PENDING);
    (routine || pending).then_some(running.request)
}
