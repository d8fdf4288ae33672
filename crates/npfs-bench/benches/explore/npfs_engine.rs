//! The scenarios under npfs, with the whole kernel: as scenario files, and as Rust code.

use std::sync::Arc;
use std::time::{Duration, Instant};

use npfs_abi::{
    Call, CreateFile, CreateNamedPipe, Data, Delivery, Handle, Outcome, Output, RequestId, Status,
    ThreadId,
};
use npfs_explore::code::{Code, Thread};
use npfs_explore::strategy::{Pct, Pos, RandomWalk, Sampler, Strategy, Urw};
use npfs_explore::{Limits, Model, Report, Traces, explore};
use npfs_kernel::Kernel;
use npfs_trace::Scenario;

use crate::measure::Measured;
use crate::pipe::{Answer, BUSY, BYTE, NOT_FOUND, OK, Op, PENDING};
use crate::program::{NAMES, Program, program};

/// A scenario file made ready.
pub fn model(text: &str) -> Arc<Model> {
    let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Arc::new(Model::new(&scenario).unwrap_or_else(|unfit| panic!("{unfit}\n{text}")))
}

/// Every order of a scenario file.
pub fn search(model: &Arc<Model>, jobs: usize, reduce: bool, lean: bool) -> Measured {
    let limits = Limits { jobs, reduce, lean, ..Limits::default() };
    let begun = Instant::now();
    let report = explore(model, &limits, &mut |_| {}).expect("it can be run");
    searched(begun, &report)
}

/// What a search that began then has come to.
pub fn searched(begun: Instant, report: &Report) -> Measured {
    Measured {
        seconds: begun.elapsed().as_secs_f64(),
        states: report.states,
        steps: report.transitions,
        outcomes: report.outcomes.len(),
        complete: report.bounds.is_empty(),
        ..Measured::default()
    }
}

/// A strategy of npfs by its name.
pub fn strategy(name: &str, seed: u64) -> Box<dyn Strategy> {
    match name {
        "random" => Box::new(RandomWalk::new(seed)),
        "pct3" => Box::new(Pct::new(seed, 3)),
        "urw" => Box::new(Urw::new(seed)),
        "pos" => Box::new(Pos::new(seed)),
        _ => panic!("no strategy {name}"),
    }
}

/// Runs drawn by a strategy, until `wanted` outcomes have been seen or time is over.
pub fn sample(
    model: &Arc<Model>,
    strategy: &mut dyn Strategy,
    limit: Duration,
    wanted: usize,
) -> Measured {
    let begun = Instant::now();
    let mut sampler = Sampler::new(model).expect("it can be run");
    while sampler.outcomes() < wanted {
        sampler.run(strategy);
        if sampler.runs() % 64 == 0 && begun.elapsed() > limit {
            break;
        }
    }
    Measured {
        seconds: begun.elapsed().as_secs_f64(),
        runs: sampler.runs(),
        steps: sampler.steps(),
        outcomes: sampler.outcomes(),
        complete: sampler.outcomes() >= wanted,
        ..Measured::default()
    }
}

/// The kernel in which the threads of a program begin, and the handles they begin with.
fn kernel(name: &str, program: &Program) -> (Kernel, Vec<ThreadId>) {
    let mut kernel = Kernel::new();
    let mut threads = Vec::new();
    let mut server = None;
    let mut client = None;
    let connected = name.starts_with("s3") || name.starts_with("s4");
    for thread in &program.threads {
        // Servers of a pipe share a process; so do clients that share their end.
        let home = match (thread.server, connected) {
            (true, true) => &mut server,
            (false, true) => &mut client,
            (_, false) => &mut None,
        };
        let process = *home.get_or_insert_with(|| kernel.create_process(true));
        threads.push(kernel.create_thread(process));
    }
    let mut caused = Vec::new();
    for pipe in 0..program.pipes.len() {
        let mut create = CreateNamedPipe::new(path(pipe).as_str());
        if name.starts_with("s3") {
            (create.in_buffer, create.out_buffer) = (2, 2);
        }
        if name.starts_with("s4") {
            create.open_mode |= CreateNamedPipe::OVERLAPPED;
        }
        let owner = program.threads.iter().position(|one| one.server && one.pipe == pipe);
        let owner = threads[owner.expect("a pipe has a server")];
        kernel.step(owner, &Call::CreateNamedPipe(create), &mut caused);
    }
    if connected {
        let owner = program.threads.iter().position(|one| !one.server);
        let owner = threads[owner.expect("there is a client")];
        kernel.step(owner, &Call::CreateFile(CreateFile::new(path(0).as_str())), &mut caused);
    }
    (kernel, threads)
}

fn path(pipe: usize) -> String {
    format!("\\\\.\\pipe\\x{pipe}")
}

/// A scenario as Rust code over the calls of the kernel.
pub fn code(name: &str) -> Code {
    assert!(NAMES.contains(&name));
    let program = program(name);
    let (kernel, ids) = kernel(name, &program);
    let mut code = Code::new(kernel);
    let begun = std::rc::Rc::new(program.clone());
    for (number, id) in ids.iter().enumerate() {
        let program = std::rc::Rc::clone(&begun);
        code.spawn(*id, move |thread| run(thread, std::rc::Rc::clone(&program), number));
    }
    code
}

/// Every order of some code.
pub fn explore_code(code: &Code, limit: Duration) -> Measured {
    let limits = Limits { time: Some(limit), ..Limits::default() };
    let begun = Instant::now();
    let report = code.explore(&limits, &mut |_| {}).expect("it does the same every time");
    searched(begun, &report)
}

/// One order of each trace, of a scenario file or of code.
pub fn traces(search: impl Fn(&Limits) -> Traces, limit: Duration) -> Measured {
    let limits = Limits { time: Some(limit), ..Limits::default() };
    let begun = Instant::now();
    let traces = search(&limits);
    Measured {
        seconds: begun.elapsed().as_secs_f64(),
        runs: traces.executions,
        steps: traces.steps,
        blocked: traces.blocked,
        outcomes: traces.outcomes.len(),
        complete: traces.bounds.is_empty(),
        ..Measured::default()
    }
}

/// A thread of a program, call by call.
async fn run(thread: Thread, program: std::rc::Rc<Program>, number: usize) {
    let one = &program.threads[number];
    let mut handle = Handle(4);
    let mut begun: Option<RequestId> = None;
    let mut at = 0;
    while let Some(instr) = one.code.get(at) {
        let delivery = Delivery::Return;
        let call = match instr.op {
            Op::Open => Call::CreateFile(CreateFile::new(path(one.pipe).as_str())),
            Op::WaitForPipe => {
                Call::WaitNamedPipe { name: path(one.pipe).as_str().into(), timeout: u32::MAX }
            }
            Op::Connect => Call::ConnectNamedPipe { pipe: handle, delivery },
            Op::Read => {
                // The reader of several writers takes a byte at a time.
                let reads = one.code.iter().all(|instr| instr.op == Op::Read);
                let length = if reads { 1 } else { 8 };
                Call::ReadFile { file: handle, length, delivery }
            }
            Op::Write(byte) => {
                Call::WriteFile { file: handle, data: Data::from(vec![b'0' + byte]), delivery }
            }
            Op::Disconnect => Call::DisconnectNamedPipe { pipe: handle },
            Op::Close => Call::CloseHandle { handle },
            Op::Begin => Call::ReadFile { file: handle, length: 1, delivery: Delivery::OVERLAPPED },
            Op::End | Op::Cancel => Call::CancelIoEx { file: handle, request: None },
        };
        let outcome = match instr.op {
            Op::End => {
                while let Some(request) = begun {
                    if thread.look(request).await.is_some() {
                        break;
                    }
                    let handles = vec![handle];
                    let timeout = None;
                    let wait =
                        Call::WaitForObjects { handles, all: false, timeout, alertable: false };
                    thread.call(wait).await;
                }
                at = instr.next(OK).unwrap_or(one.code.len());
                continue;
            }
            _ => thread.call(call).await,
        };
        begun = match &outcome {
            Outcome::Pending(request) => Some(*request),
            Outcome::Done(_) | Outcome::Blocked(_) => None,
        };
        if let Outcome::Done(reply) = &outcome {
            if let Output::Handle(new) = reply.output {
                handle = new;
            }
        }
        at = instr.next(answer(&outcome)).unwrap_or(one.code.len());
    }
}

fn answer(outcome: &Outcome) -> Answer {
    match outcome {
        Outcome::Done(reply) if reply.status == Status::PIPE_NOT_AVAILABLE => BUSY,
        Outcome::Done(reply) if reply.status.is_error() => NOT_FOUND,
        Outcome::Done(reply) if matches!(reply.output, Output::Data(_)) => BYTE,
        Outcome::Done(_) => OK,
        Outcome::Pending(_) | Outcome::Blocked(_) => PENDING,
    }
}
