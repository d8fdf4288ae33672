//! The kernel, the programs of its threads, and the words of a file.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use npfs_abi::{
    Call, Completion, Delivery, Fault, Handle, Op, Outcome, Output, PacketSource, ProcessId, Reply,
    RequestId, Status, ThreadId, Time,
};
use npfs_kernel::program::{Next, Program, StatusBlocks};
use npfs_kernel::{Kernel, ProcessSpec, Waiting};
use npfs_trace::scenario::{Scenario, Word};
use npfs_trace::text::makes_handles;
use npfs_trace::trace::Header;

use crate::resolve::{self, Meanings};

/// A simulated system with its threads half way through their Win32 functions, as a value.
///
/// Outside, a request is named by its thread and the number of that thread's operation, because
/// that is what a reader can count. Inside, the kernel counts kernel calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    kernel: Kernel,
    threads: Vec<Runner>,
    /// Each operation is one call of the kernel, whatever the Win32 function would do next.
    kernel_calls: bool,
    /// The handles that words name.
    handles: BTreeMap<Word, Handle>,
    /// The operations that words name.
    requests: BTreeMap<Word, RequestId>,
    /// The first kernel call of each operation, and the way back.
    calls: BTreeMap<RequestId, RequestId>,
    blocks: Blocks,
}

/// A thread: how far it has come.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Runner {
    operations: u32,
    calls: u32,
    /// The operation in which it sleeps, and its number.
    running: Option<(Program, u32)>,
}

/// The status blocks of requests, by kernel names.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Blocks(BTreeMap<RequestId, Block>);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Block {
    operation: RequestId,
    event: Option<Handle>,
    reply: Option<Reply>,
    /// How it ended, while only a packet in a port knows it.
    held: Option<Reply>,
    /// The thread waits for the end itself and reports it by returning.
    private: bool,
}

impl StatusBlocks for Blocks {
    fn reply(&self, request: RequestId) -> Option<Reply> {
        self.0.get(&request)?.reply.clone()
    }
    fn event(&self, request: RequestId) -> Option<Handle> {
        self.0.get(&request)?.event
    }
}

/// Stands for a handle or a request that no step has given yet.
const NO_HANDLE: Handle = Handle(0);
const NO_REQUEST: RequestId = RequestId { thread: ThreadId(0), call: 0 };

impl Meanings for Machine {
    fn handle(&self, word: &Word) -> Handle {
        self.handles.get(word).copied().unwrap_or(NO_HANDLE)
    }

    fn request(&self, word: &Word) -> RequestId {
        let operation = self.requests.get(word).copied();
        let call = operation.and_then(|operation| self.calls.get(&operation));
        call.copied().unwrap_or(NO_REQUEST)
    }
}

impl Machine {
    /// The system at the start of a scenario.
    pub fn new(scenario: &Scenario) -> Machine {
        let mut kernel = Kernel::with_profile(scenario.profile);
        scenario.faults.iter().for_each(|fault| kernel.add_fault(fault.clone()));
        let processes = scenario.processes.iter().map(|process| ProcessSpec {
            declared: !process.started,
            token: process.token.clone(),
            session: process.session,
            computer: process.computer.as_deref().map(Arc::from),
        });
        Machine::with(kernel, processes, scenario.threads.iter().map(|thread| thread.process))
    }

    /// The system at the start of a trace.
    pub fn of_trace(header: &Header) -> Machine {
        let model = header.model.clone().unwrap_or_default();
        let mut kernel = Kernel::with_profile(model.profile);
        model.faults.iter().for_each(|fault| kernel.add_fault(fault.clone()));
        let processes = (1..).zip(&header.processes).map(|(number, name)| {
            let declared = name.starts_with('*');
            match model.identities.iter().find(|one| one.process == number) {
                Some(identity) => ProcessSpec {
                    declared,
                    token: identity.token.clone(),
                    session: identity.session,
                    computer: identity.computer.as_deref().map(Arc::from),
                },
                None => ProcessSpec { declared, ..ProcessSpec::default() },
            }
        });
        let threads = header.threads.iter().map(|(_, process)| ProcessId(*process));
        let mut machine = Machine::with(kernel, processes, threads);
        machine.kernel_calls = model.kernel_calls;
        machine
    }

    fn with(
        mut kernel: Kernel,
        processes: impl Iterator<Item = ProcessSpec>,
        threads: impl Iterator<Item = ProcessId>,
    ) -> Machine {
        let count = processes.map(|spec| kernel.add_process(spec)).count() as u32;
        let threads = threads
            .map(|process| {
                if (1..=count).contains(&process.0) {
                    kernel.create_thread(process);
                }
                Runner::default()
            })
            .collect();
        Machine {
            kernel,
            threads,
            kernel_calls: false,
            handles: BTreeMap::new(),
            requests: BTreeMap::new(),
            calls: BTreeMap::new(),
            blocks: Blocks::default(),
        }
    }

    /// The kernel alone.
    pub(crate) fn into_kernel(self) -> Kernel {
        self.kernel
    }

    /// Whether a thread can begin an operation.
    pub fn can_run(&self, thread: ThreadId) -> bool {
        self.kernel.can_run(thread) && self.runner(thread).is_some_and(|one| one.running.is_none())
    }

    /// Whether each operation is one call of the kernel.
    pub fn takes_kernel_calls(&self) -> bool {
        self.kernel_calls
    }

    /// Every sleeping thread.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.kernel.waiting()
    }

    /// The virtual time.
    pub fn time(&self) -> Time {
        self.kernel.time()
    }

    /// When the next sleeper has waited long enough.
    pub fn next_deadline(&self) -> Option<Time> {
        self.kernel.next_deadline()
    }

    /// The faults that have struck so far, in order.
    pub fn struck(&self) -> impl Iterator<Item = &Fault> {
        self.kernel.struck()
    }

    /// What is left over at the end: handles, instances, requests.
    pub fn leaks(&self) -> Vec<String> {
        self.kernel.leaks()
    }

    /// The state of the kernel on a page.
    pub fn dump(&self) -> String {
        self.kernel.dump()
    }

    /// The number of operations that a thread has begun.
    pub fn operations(&self, thread: ThreadId) -> u32 {
        self.runner(thread).map_or(0, |one| one.operations)
    }

    /// Gives a handle a word.
    pub fn name_handle(&mut self, word: &Word, handle: Handle) {
        self.requests.remove(word);
        self.handles.insert(word.clone(), handle);
    }

    /// Gives an operation a word.
    pub fn name_request(&mut self, word: &Word, operation: RequestId) {
        self.handles.remove(word);
        self.requests.insert(word.clone(), operation);
    }

    /// The first word of a handle.
    pub fn word(&self, handle: Handle) -> Word {
        let named = self.handles.iter().find(|(_, value)| **value == handle);
        named.map_or_else(|| handle.to_string(), |(word, _)| word.clone())
    }

    /// The word of an operation, where it has one.
    pub fn request_word(&self, operation: RequestId) -> Option<&Word> {
        self.requests.iter().find(|(_, named)| **named == operation).map(|(word, _)| word)
    }

    /// One operation of one thread, up to where it returns or sleeps. `labels` name what it
    /// gives. Whatever it causes is added to `caused`, in order.
    ///
    /// A thread that cannot run is answered `INVALID_PARAMETER`, as by the kernel.
    pub fn step(
        &mut self,
        thread: ThreadId,
        labels: &[Word],
        op: &Op<Word, Word>,
        caused: &mut Vec<Completion>,
    ) -> Outcome {
        let refused = Outcome::Done(Reply::status(Status::INVALID_PARAMETER));
        if !self.can_run(thread) {
            return refused;
        }
        let handles = makes_handles(op);
        let op = resolve::op(op, self);
        let Some(runner) = self.runner_mut(thread) else { return refused };
        runner.operations += 1;
        let operation = RequestId { thread, call: runner.operations };
        let first = RequestId { thread, call: runner.calls + 1 };
        self.calls.insert(operation, first);
        if handles == 0 {
            for label in labels {
                self.name_request(label, operation);
            }
        }
        if let Some(mut block) = block(operation, &op) {
            block.private &= !self.kernel_calls;
            self.blocks.0.insert(first, block);
        }
        let mut queue = VecDeque::new();
        let outcome = match &op {
            Op::Call(call) if self.kernel_calls => {
                let call = call.clone();
                self.one_call(operation, Program::new(op), &call, &mut queue)
            }
            Op::Call(_) | Op::Composite(_) => {
                self.go_on(operation, Program::new(op), None, &mut queue)
            }
        };
        match &outcome {
            Outcome::Done(Reply { output: Output::Handle(handle), .. }) => {
                self.name_handles(labels, &[*handle]);
            }
            Outcome::Done(Reply { output: Output::Handles(read, write), .. }) => {
                self.name_handles(labels, &[*read, *write]);
            }
            _ => {}
        }
        self.settle(queue, caused);
        outcome
    }

    /// Time passes up to `to`.
    pub fn advance(&mut self, to: Time, caused: &mut Vec<Completion>) {
        let mut ended = Vec::new();
        self.kernel.advance(to, &mut ended);
        let mut queue = VecDeque::new();
        self.note(ended, &mut queue);
        self.settle(queue, caused);
    }

    fn name_handles(&mut self, labels: &[Word], handles: &[Handle]) {
        for (label, handle) in labels.iter().zip(handles) {
            self.name_handle(label, *handle);
        }
    }

    fn runner(&self, thread: ThreadId) -> Option<&Runner> {
        self.threads.get((thread.0 as usize).checked_sub(1)?)
    }

    fn runner_mut(&mut self, thread: ThreadId) -> Option<&mut Runner> {
        self.threads.get_mut((thread.0 as usize).checked_sub(1)?)
    }

    /// Runs a program until it returns or sleeps.
    fn go_on(
        &mut self,
        operation: RequestId,
        mut program: Program,
        mut previous: Option<Outcome>,
        queue: &mut VecDeque<Completion>,
    ) -> Outcome {
        let thread = operation.thread;
        loop {
            let call = match program.next(previous.take(), &self.blocks) {
                Next::Call(call) => call,
                Next::Return(outcome) => return self.returned(operation, outcome),
            };
            let outcome = self.call(thread, &call, queue);
            if matches!(outcome, Outcome::Blocked(_)) {
                if let Some(runner) = self.runner_mut(thread) {
                    runner.running = Some((program, operation.call));
                }
                return Outcome::Blocked(operation);
            }
            previous = Some(outcome);
        }
    }

    /// A program that is over with its first call.
    fn one_call(
        &mut self,
        operation: RequestId,
        program: Program,
        call: &Call,
        queue: &mut VecDeque<Completion>,
    ) -> Outcome {
        let outcome = self.call(operation.thread, call, queue);
        if !matches!(outcome, Outcome::Blocked(_)) {
            return self.returned(operation, outcome);
        }
        if let Some(runner) = self.runner_mut(operation.thread) {
            runner.running = Some((program, operation.call));
        }
        Outcome::Blocked(operation)
    }

    fn call(&mut self, thread: ThreadId, call: &Call, queue: &mut VecDeque<Completion>) -> Outcome {
        let counts = self.kernel.can_run(thread);
        let mut ended = Vec::new();
        let outcome = self.kernel.step(thread, call, &mut ended);
        if let (true, Some(runner)) = (counts, self.runner_mut(thread)) {
            runner.calls += 1;
        }
        self.note(ended, queue);
        if let Outcome::Done(reply) = &outcome {
            self.write_held(reply);
        }
        outcome
    }

    /// Status blocks are written before anybody who waits for them goes on.
    fn note(&mut self, ended: Vec<Completion>, queue: &mut VecDeque<Completion>) {
        for completion in ended {
            if let Some(block) = self.blocks.0.get_mut(&completion.request) {
                let reply = Some(completion.reply.clone());
                if completion.held {
                    block.held = reply;
                } else {
                    block.reply = reply;
                }
            }
            self.write_held(&completion.reply);
            queue.push_back(completion);
        }
    }

    /// Status blocks whose packets were taken are written now.
    fn write_held(&mut self, reply: &Reply) {
        let Output::Packets(packets) = &reply.output else { return };
        for packet in packets {
            let PacketSource::Request(request) = packet.source else { continue };
            if let Some(block) = self.blocks.0.get_mut(&request) {
                block.reply = block.held.take().or(block.reply.take());
            }
        }
    }

    /// The end of an operation in its own call: what it returns, under its own name.
    fn returned(&mut self, operation: RequestId, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Done(reply) => {
                let call = self.calls.get(&operation);
                if let Some(block) = call.and_then(|call| self.blocks.0.get_mut(call)) {
                    // A failure at once leaves the status block as it was: pending (EVENT-05).
                    if block.reply.is_none() && !reply.status.is_error() {
                        block.reply = Some(reply.clone());
                    }
                }
                Outcome::Done(self.renamed(reply))
            }
            Outcome::Pending(_) => Outcome::Pending(operation),
            Outcome::Blocked(_) => Outcome::Blocked(operation),
        }
    }

    /// Woken threads go on, in the order in which they were woken.
    fn settle(&mut self, mut queue: VecDeque<Completion>, caused: &mut Vec<Completion>) {
        while let Some(Completion { request, wakes, held, reply }) = queue.pop_front() {
            if !wakes {
                if let Some(block) = self.blocks.0.get(&request).filter(|block| !block.private) {
                    let request = block.operation;
                    let reply = self.renamed(reply);
                    caused.push(Completion { request, wakes, held, reply });
                }
                continue;
            }
            let running = self.runner_mut(request.thread).and_then(|one| one.running.take());
            let Some((program, number)) = running else { continue };
            let operation = RequestId { thread: request.thread, call: number };
            let outcome = self.go_on(operation, program, Some(Outcome::Done(reply)), &mut queue);
            if let Outcome::Done(reply) = outcome {
                caused.push(Completion { request: operation, wakes: true, held, reply });
            }
        }
    }

    /// A reply in which routines and packets have the names of their operations.
    fn renamed(&self, mut reply: Reply) -> Reply {
        let rename = |request: &mut RequestId| {
            if let Some(block) = self.blocks.0.get(request) {
                *request = block.operation;
            }
        };
        match &mut reply.output {
            Output::Routines(requests) => requests.iter_mut().for_each(rename),
            Output::Packets(packets) => {
                for packet in packets {
                    if let PacketSource::Request(request) = &mut packet.source {
                        rename(request);
                    }
                }
            }
            _ => {}
        }
        reply
    }
}

/// The status block of an operation that has one.
fn block(operation: RequestId, op: &Op) -> Option<Block> {
    let (event, private) = match op {
        // Its routine is named by it.
        Op::Call(Call::QueueUserAPC { .. }) => (None, false),
        Op::Call(call) => match *call.delivery()? {
            Delivery::Return => (None, true),
            Delivery::Overlapped { event, .. } | Delivery::Nt { event, .. } => (event, false),
            Delivery::Routine => (None, false),
        },
        Op::Composite(_) => return None,
    };
    Some(Block { operation, event, reply: None, held: None, private })
}
