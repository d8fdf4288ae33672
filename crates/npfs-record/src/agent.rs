//! A process of a scenario other than the first: the recorder started once more, which makes the
//! calls it is sent over a loopback connection and sends back what they gave.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use npfs_abi::{Call, Data, Op, Output, RequestId, Status, ThreadId};
use npfs_trace::scenario::Word;
use npfs_trace::trace::Recorded;

use crate::record::{Job, News, POLL, Running, begun, makes_request, work};
use crate::win32::{self, Answer, Meaning, Request};

/// Thread, call, labels, operation, handle values by word.
type JobLine = (u32, u32, Vec<Word>, Op<Word, Word>, BTreeMap<Word, usize>);

/// Whether it is the end of a pending request, thread, call, the parts of the result, handles.
type NewsLine = (
    bool,
    u32,
    u32,
    Option<Status>,
    Option<u32>,
    Option<u32>,
    Option<Data>,
    Option<Output<Word>>,
    Vec<usize>,
);

/// A started process, seen from the recorder.
pub(crate) struct Remote {
    stream: TcpStream,
    pub(crate) handle: usize,
    pub(crate) alive: bool,
}

impl Remote {
    /// Takes over the connection of a started process and passes its news on.
    pub(crate) fn new(
        stream: TcpStream,
        handle: usize,
        news: Sender<News>,
    ) -> Result<Remote, String> {
        let _ = stream.set_nodelay(true);
        let reader = stream.try_clone().map_err(|error| error.to_string())?;
        thread::spawn(move || {
            for line in BufReader::new(reader).lines() {
                let Ok(line) = line else { return };
                let Ok(parts) = serde_json::from_str::<NewsLine>(&line) else { return };
                let (done, thread, call, status, error, information, data, output, handles) = parts;
                let id = RequestId { thread: ThreadId(thread), call };
                let result =
                    Recorded { status, error, information, data, output, ..Recorded::default() };
                let item = if done {
                    News::Done(id, result)
                } else {
                    News::Answer(id, Answer { result, handles })
                };
                if news.send(item).is_err() {
                    return;
                }
            }
        });
        Ok(Remote { stream, handle, alive: true })
    }

    /// Makes the process begin a call.
    pub(crate) fn send(
        &mut self,
        id: RequestId,
        labels: &[Word],
        op: &Op<Word, Word>,
        handles: &BTreeMap<Word, usize>,
    ) -> bool {
        let line = serde_json::to_string(&(id.thread.0, id.call, labels, op, handles));
        line.is_ok_and(|line| writeln!(self.stream, "{line}").is_ok())
    }
}

enum Incoming {
    Job(JobLine),
    News(News),
    End,
}

fn tell(mut stream: &TcpStream, done: bool, id: RequestId, result: Recorded, handles: Vec<usize>) {
    let Recorded { status, error, information, data, output, .. } = result;
    let parts: NewsLine =
        (done, id.thread.0, id.call, status, error, information, data, output, handles);
    if let Ok(line) = serde_json::to_string(&parts) {
        // If the recorder has gone, the reader sees it too and ends this process.
        let _ = writeln!(stream, "{line}");
    }
}

/// Runs the other side, until the connection ends or a call ends the process.
pub(crate) fn main(port: &str) -> ExitCode {
    let Some(stream) =
        port.parse().ok().and_then(|port: u16| TcpStream::connect(("127.0.0.1", port)).ok())
    else {
        return ExitCode::from(2);
    };
    let _ = stream.set_nodelay(true);
    let (sender, incoming) = channel();
    let Ok(reader) = stream.try_clone() else { return ExitCode::from(2) };
    let jobs = sender.clone();
    thread::spawn(move || {
        for line in BufReader::new(reader).lines() {
            let job = line.ok().and_then(|line| serde_json::from_str(&line).ok());
            let Some(job) = job else { break };
            if jobs.send(Incoming::Job(job)).is_err() {
                return;
            }
        }
        let _ = jobs.send(Incoming::End);
    });
    // Workers answer on a channel of their own type; this passes it on.
    let (answers, answered) = channel();
    thread::spawn(move || {
        for news in answered {
            if sender.send(Incoming::News(news)).is_err() {
                return;
            }
        }
    });

    let mut workers: BTreeMap<u32, Sender<Job>> = BTreeMap::new();
    let mut meaning = Meaning::default();
    let mut running: BTreeMap<RequestId, Running> = BTreeMap::new();
    let mut pending: BTreeMap<RequestId, Request> = BTreeMap::new();
    loop {
        match incoming.recv_timeout(POLL) {
            Ok(Incoming::End) => return ExitCode::SUCCESS,
            Ok(Incoming::Job((thread, call, labels, op, handles))) => {
                let id = RequestId { thread: ThreadId(thread), call };
                if let Op::Call(Call::TerminateProcess { process: None }) = op {
                    let result = Recorded { error: Some(0), ..Recorded::default() };
                    tell(&stream, false, id, result, Vec::new());
                    std::process::exit(0);
                }
                let request = Request::new(id, &op);
                if let (true, Some(label)) = (makes_request(&op), labels.first()) {
                    meaning.requests.insert(label.clone(), request);
                }
                meaning.handles = handles;
                let worker = workers.entry(thread).or_insert_with(|| {
                    let (jobs, todo) = channel();
                    let answers = answers.clone();
                    let join = thread::spawn(move || work(&todo, &answers));
                    let index = thread as usize;
                    if meaning.threads.len() < index {
                        meaning.threads.resize(index, 0);
                    }
                    meaning.threads[index - 1] = win32::thread_handle(&join);
                    // A handle of the thread stays open as long as this is kept.
                    std::mem::forget(join);
                    jobs
                });
                let job = Job { id, op: op.clone(), request, meaning: meaning.clone() };
                running.insert(id, Running { labels, op, request });
                let _ = worker.send(job);
            }
            Ok(Incoming::News(News::Answer(id, answer))) => {
                let request = running.remove(&id).and_then(|running| begun(&running, &answer));
                if let Some(request) = request {
                    pending.insert(id, request);
                }
                tell(&stream, false, id, answer.result, answer.handles);
            }
            Ok(Incoming::News(News::Done(..))) | Err(_) => {}
        }
        pending.retain(|id, request| match request.ended() {
            Some(result) => {
                tell(&stream, true, *id, result, Vec::new());
                false
            }
            None => true,
        });
    }
}
