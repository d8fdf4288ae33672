//! A step: one call of the kernel and everything that it causes.

use npfs_abi::{
    Call, Delivery, Handle, Names, Op, Outcome, Output, PacketSource, Reply, RequestId, ThreadId,
};
use npfs_kernel::program::{Next, Program, StatusBlocks, waits};

use super::{Block, End, LOST, NO_HANDLE, News, Running, System};
use crate::concurrent::history::{CallId, Slot};
use crate::view;

impl System<'_, '_> {
    pub(super) fn begin(&mut self, thread: usize, call: CallId) {
        let entry = self.entry(call);
        self.keep(thread);
        self.now = self.now.max(entry.from);
        self.explained += 1;
        let op = entry.op.map(&mut Values(self));
        let runner = &mut self.runners[thread];
        self.firsts[thread][runner.begun as usize] = runner.calls + 1;
        runner.begun += 1;
        runner.slept = false;
        match op {
            Op::Call(made) => {
                let outcome = self.call(thread, call, &made);
                match &outcome {
                    Outcome::Blocked(_) => self.sleeps(thread, call, Running::Asleep),
                    Outcome::Pending(_) if !self.kernel_calls && waits(&made) => {
                        let mut program = Program::new(Op::Call(made));
                        // Its first call is the one that was made.
                        program.next(None, &Blocks(self));
                        let next = program.next(Some(outcome), &Blocks(self));
                        self.follow(thread, call, Box::new(program), next);
                    }
                    Outcome::Done(_) | Outcome::Pending(_) => self.finish(thread, call, outcome),
                }
            }
            Op::Composite(_) => {
                let mut program = Program::new(op);
                let next = program.next(None, &Blocks(self));
                self.run(thread, call, Box::new(program), next);
            }
        }
        self.rehash(thread);
    }

    /// The next kernel call of an operation that has several.
    pub(super) fn go_on(&mut self, thread: usize) {
        let call = self.current(thread);
        self.keep(thread);
        match std::mem::take(&mut self.runners[thread].running) {
            Running::Woken(mut program, outcome) => {
                let next = program.next(Some(outcome), &Blocks(self));
                self.run(thread, call, program, next);
            }
            Running::Before(program, made) => self.run(thread, call, program, Next::Call(*made)),
            running @ (Running::Idle | Running::Asleep | Running::Inside(_)) => {
                self.runners[thread].running = running;
            }
        }
        self.rehash(thread);
    }

    /// Makes the next call of an operation, or ends it.
    fn run(&mut self, thread: usize, call: CallId, mut program: Box<Program>, next: Next) {
        match next {
            Next::Return(outcome) => self.finish(thread, call, outcome),
            Next::Call(made) => {
                let outcome = self.call(thread, call, &made);
                if matches!(outcome, Outcome::Blocked(_)) {
                    return self.sleeps(thread, call, Running::Inside(program));
                }
                let next = program.next(Some(outcome), &Blocks(self));
                self.follow(thread, call, program, next);
            }
        }
    }

    /// The operation ends with the step, or its next call is a step of its own.
    fn follow(&mut self, thread: usize, call: CallId, program: Box<Program>, next: Next) {
        match next {
            Next::Return(outcome) => self.finish(thread, call, outcome),
            Next::Call(made) => {
                self.runners[thread].running = Running::Before(program, Box::new(made));
            }
        }
    }

    fn sleeps(&mut self, thread: usize, call: CallId, running: Running) {
        let runner = &mut self.runners[thread];
        runner.running = running;
        if !std::mem::replace(&mut runner.slept, true) && self.entry(call).block.is_some() {
            self.explained += 1;
        }
    }

    /// One kernel call with everything that it causes.
    fn call(&mut self, thread: usize, call: CallId, made: &Call) -> Outcome {
        let outcome = self.kernel.step(ThreadId(thread as u32 + 1), made, &mut self.caused);
        let runner = &mut self.runners[thread];
        runner.calls += 1;
        let is_first = self.firsts[thread][runner.begun as usize - 1] == runner.calls;
        let by_block = made.delivery().and_then(|delivery| match *delivery {
            Delivery::Return => match outcome {
                Outcome::Pending(_) => Some((None, !self.kernel_calls)),
                Outcome::Done(_) | Outcome::Blocked(_) => None,
            },
            Delivery::Overlapped { event, .. } | Delivery::Nt { event, .. } => Some((event, false)),
            Delivery::Routine => Some((None, false)),
        });
        if let (Some((event, private)), true) = (by_block, is_first) {
            let end = match &outcome {
                // A failure at once leaves the status block as it was: pending (EVENT-05).
                Outcome::Done(reply) if reply.status.is_error() => End::Failed,
                Outcome::Done(reply) => End::Told(reply.clone()),
                Outcome::Pending(_) | Outcome::Blocked(_) => End::Open,
            };
            self.set_block(call, Block { end, event, private });
        }
        self.write_blocks();
        if let Outcome::Done(reply) = &outcome {
            self.write_held(reply);
        }
        outcome
    }

    /// Status blocks are written before anybody who waits for them goes on.
    pub(super) fn write_blocks(&mut self) {
        let caused = std::mem::take(&mut self.caused);
        for completion in caused.iter() {
            let call = self.call_of(completion.request);
            let Some(block) = self.blocks.get(call as usize).cloned() else { continue };
            if block.end == End::None {
                continue;
            }
            let reply = completion.reply.clone();
            if completion.wakes {
                // An OVERLAPPED on a synchronous handle: the call returns its end, too.
                self.set_block(call, Block { end: End::Told(reply), ..block });
            } else if completion.held {
                self.set_block(call, Block { end: End::Held(reply), ..block });
            } else {
                let private = block.private;
                self.set_block(call, Block { end: End::Told(reply), ..block });
                if !private {
                    self.ended(call, &completion.reply);
                }
            }
        }
        self.caused = caused;
    }

    /// Sleepers go on, also the one who fell asleep in this very step.
    pub(super) fn wake(&mut self) {
        let mut caused = std::mem::take(&mut self.caused);
        for completion in caused.drain(..) {
            self.write_held(&completion.reply);
            let thread = (completion.request.thread.0 as usize).wrapping_sub(1);
            if !completion.wakes || thread >= self.runners.len() {
                continue;
            }
            let call = self.current(thread);
            self.keep(thread);
            match std::mem::take(&mut self.runners[thread].running) {
                Running::Inside(program) => {
                    let outcome = Outcome::Done(completion.reply);
                    self.runners[thread].running = Running::Woken(program, outcome);
                }
                Running::Asleep => self.finish(thread, call, Outcome::Done(completion.reply)),
                running @ (Running::Idle | Running::Woken(..) | Running::Before(..)) => {
                    self.runners[thread].running = running;
                }
            }
            self.rehash(thread);
        }
        self.caused = caused;
    }

    /// Status blocks whose packets were taken are written now.
    fn write_held(&mut self, reply: &Reply) {
        let Output::Packets(packets) = &reply.output else { return };
        for packet in packets {
            let PacketSource::Request(request) = packet.source else { continue };
            let call = self.call_of(request);
            let Some(block) = self.blocks.get(call as usize).cloned() else { continue };
            if let End::Held(reply) = block.end {
                self.set_block(call, Block { end: End::Told(reply.clone()), ..block });
                self.ended(call, &reply);
            }
        }
    }

    /// A call is over for its thread.
    fn finish(&mut self, thread: usize, call: CallId, outcome: Outcome) {
        let entry = self.entry(call);
        let outcome = self.renamed(outcome);
        self.runners[thread].running = Running::Idle;
        let slept = self.runners[thread].slept;
        if slept {
            self.now = self.now.max(entry.asleep_at);
        }
        match &outcome {
            Outcome::Done(Reply { output: Output::Handle(handle), .. }) => {
                if let [slot, ..] = entry.gives[..] {
                    self.bind(slot, *handle);
                }
            }
            Outcome::Done(Reply { output: Output::Handles(read, write), .. }) => {
                if let [one, two, ..] = entry.gives[..] {
                    self.bind(one, *read);
                    self.bind(two, *write);
                }
            }
            Outcome::Done(_) | Outcome::Pending(_) | Outcome::Blocked(_) => {}
        }
        self.tell(|| News::Returned(call, outcome.clone()));
        if let (Some(line), false) = (entry.block, slept) {
            let model = view::model_text(entry.source, &outcome);
            self.differs(call, line, model, "blocked".to_owned());
        }
        if let Some((line, recorded)) = entry.result {
            self.explained += 1;
            for (model, found) in self.compare_return(entry, &outcome, recorded) {
                self.differs(call, line, model, found);
            }
            if matches!(recorded.output, Some(Output::Handle(_) | Output::Handles(..))) {
                for slot in &entry.gives {
                    if self.handles[*slot as usize] == NO_HANDLE {
                        self.bind(*slot, LOST);
                    }
                }
            }
        }
        if let (Outcome::Done(reply), Some(_)) = (&outcome, entry.done) {
            let reply = reply.clone();
            self.ended(call, &reply);
        }
    }
}

struct Values<'s, 'h, 'a>(&'s System<'h, 'a>);

impl Names<Slot, CallId> for Values<'_, '_, '_> {
    type Handle = Handle;
    type Request = RequestId;
    fn handle(&mut self, slot: &Slot) -> Handle {
        self.0.handles.get(*slot as usize).copied().unwrap_or(NO_HANDLE)
    }
    fn request(&mut self, call: &CallId) -> RequestId {
        self.0.request_of(*call)
    }
}

struct Blocks<'s, 'h, 'a>(&'s System<'h, 'a>);

impl StatusBlocks for Blocks<'_, '_, '_> {
    fn reply(&self, request: RequestId) -> Option<Reply> {
        match &self.0.blocks.get(self.0.call_of(request) as usize)?.end {
            End::Told(reply) => Some(reply.clone()),
            End::None | End::Open | End::Failed | End::Held(_) => None,
        }
    }
    fn event(&self, request: RequestId) -> Option<Handle> {
        self.0.blocks.get(self.0.call_of(request) as usize)?.event
    }
}
