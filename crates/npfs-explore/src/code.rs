//! Rust code as simulated threads: async functions over the kernel's calls.
//!
//! A future cannot be cloned or undone, so every order is run from its start. The kernel is still
//! a value: code decides by the answers it gets, so its own state follows from them, and a run
//! ends where the kernel and the answers of every thread are those of a state that was visited.
//! What the code does must follow from its answers alone; a run that does not is found out.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use npfs_abi::{Call, Completion, Outcome, Reply, RequestId, ThreadId};
use npfs_kernel::Kernel;

use crate::schedule::Choice;
use crate::visited::Visited;
use npfs_kernel::hash;

/// A simulated thread, as its code sees it.
#[derive(Clone, Debug)]
pub struct Thread(Rc<RefCell<Desk>>);

/// Where a thread puts what it asks for and finds what it is answered.
#[derive(Debug, Default)]
struct Desk {
    ask: Option<Ask>,
    answer: Option<Answer>,
}

#[derive(Debug)]
enum Ask {
    Call(Call),
    Look(RequestId),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Answer {
    Call(Outcome),
    Look(Option<Reply>),
}

impl Thread {
    /// Makes a call. It returns when the call does, as [`Outcome::Done`] or
    /// [`Outcome::Pending`]; others run meanwhile.
    pub async fn call(&self, call: Call) -> Outcome {
        match self.ask(Ask::Call(call)).await {
            Answer::Call(outcome) => outcome,
            Answer::Look(_) => unreachable!("a call is answered by its outcome"),
        }
    }

    /// Looks at the status block of a request: how it has ended, or `None` while it is pending.
    pub async fn look(&self, request: RequestId) -> Option<Reply> {
        match self.ask(Ask::Look(request)).await {
            Answer::Look(reply) => reply,
            Answer::Call(_) => unreachable!("a look is answered by a status block"),
        }
    }

    async fn ask(&self, ask: Ask) -> Answer {
        self.0.borrow_mut().ask = Some(ask);
        std::future::poll_fn(|_| match self.0.borrow_mut().answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }
}

type Body = dyn Fn(Thread) -> Pin<Box<dyn Future<Output = ()>>>;

/// A kernel and the code of its threads.
pub struct Code {
    kernel: Kernel,
    threads: Vec<(ThreadId, Box<Body>)>,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("kernel", &self.kernel).finish_non_exhaustive()
    }
}

/// What the orders of some code came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Runs {
    /// Runs that came to their end.
    pub complete: u64,
    /// Runs that were left at a state that had been visited.
    pub cut: u64,
    /// Distinct states.
    pub states: u64,
    /// Why not all orders were run.
    pub bounded: Option<String>,
    /// The distinct ends: the answers of every thread, whether it sleeps, and an order.
    pub ends: Vec<CodeEnd>,
}

/// A distinct end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeEnd {
    /// What the calls of each thread were answered, in order.
    pub outcomes: Vec<Vec<Outcome>>,
    /// Which threads sleep for ever.
    pub sleeps: Vec<bool>,
    /// An order that leads there.
    pub schedule: Vec<Choice>,
}

impl Code {
    /// Threads over this kernel, in which processes, threads and whatever is common exist.
    pub fn new(mut kernel: Kernel) -> Code {
        kernel.deal_by_asker();
        Code { kernel, threads: Vec::new() }
    }

    /// Gives a thread its code. The code is run anew in every order.
    pub fn spawn<F: Future<Output = ()> + 'static>(
        &mut self,
        thread: ThreadId,
        body: impl Fn(Thread) -> F + 'static,
    ) {
        self.threads.push((thread, Box::new(move |desk| Box::pin(body(desk)))));
    }

    /// Runs every order, but at most `most` of them.
    pub fn explore(&self, most: u64) -> Runs {
        let mut runs = Runs::default();
        let mut visited = Visited::new();
        let mut ends: BTreeMap<u64, CodeEnd> = BTreeMap::new();
        // The choices taken and those left, step by step.
        let mut stack: Vec<(Vec<Choice>, usize)> = Vec::new();
        loop {
            if runs.complete + runs.cut >= most {
                runs.bounded = Some(format!("{most} runs"));
                break;
            }
            let mut run = Run::new(self);
            for (open, taken) in &stack {
                assert!(run.choices() == *open, "the code does the same when answered the same");
                run.step(open[*taken]);
            }
            let mut fresh = visited.insert(run.key()).1;
            while fresh {
                let open = run.choices();
                let Some(first) = open.first().copied() else { break };
                stack.push((open, 0));
                run.step(first);
                fresh = visited.insert(run.key()).1;
            }
            if fresh {
                runs.complete += 1;
                let way = stack.iter().map(|(open, taken)| open[*taken]).collect();
                ends.entry(run.end_key()).or_insert_with(|| run.end(way));
            } else {
                runs.cut += 1;
            }
            while stack.last().is_some_and(|(open, taken)| taken + 1 >= open.len()) {
                stack.pop();
            }
            match stack.last_mut() {
                Some((_, taken)) => *taken += 1,
                None => break,
            }
        }
        runs.states = visited.len() as u64;
        runs.ends = ends.into_values().collect();
        runs
    }
}

struct Run {
    kernel: Kernel,
    threads: Vec<Running>,
    /// How requests have ended.
    blocks: BTreeMap<RequestId, Reply>,
}

struct Running {
    id: ThreadId,
    desk: Thread,
    body: Option<Pin<Box<dyn Future<Output = ()>>>>,
    answers: Vec<Answer>,
    history: u64,
}

impl Run {
    fn new(code: &Code) -> Run {
        let mut kernel = code.kernel.clone();
        kernel.track();
        let threads = code.threads.iter().map(|(id, body)| {
            let desk = Thread(Rc::default());
            let body = Some(body(desk.clone()));
            Running { id: *id, desk, body, answers: Vec::new(), history: 0 }
        });
        let mut run = Run { kernel, threads: threads.collect(), blocks: BTreeMap::new() };
        (0..run.threads.len()).for_each(|place| run.poll(place));
        run
    }

    /// Lets a thread run up to its next call.
    fn poll(&mut self, place: usize) {
        let thread = &mut self.threads[place];
        let mut context = Context::from_waker(Waker::noop());
        if let Some(body) = &mut thread.body {
            if body.as_mut().poll(&mut context).is_ready() {
                thread.body = None;
            }
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let ready = |place: &usize| {
            let thread = &self.threads[*place];
            self.kernel.can_run(thread.id) && thread.desk.0.borrow().ask.is_some()
        };
        let mut open: Vec<Choice> =
            (0..self.threads.len()).filter(ready).map(Choice::thread).collect();
        if open.is_empty() && self.kernel.next_deadline().is_some() {
            open.push(Choice::CLOCK);
        }
        open
    }

    fn step(&mut self, choice: Choice) {
        let mut caused = Vec::new();
        match choice.place() {
            None => {
                if let Some(deadline) = self.kernel.next_deadline() {
                    self.kernel.advance(deadline, &mut caused);
                }
            }
            Some(place) => {
                let ask = self.threads[place].desk.0.borrow_mut().ask.take();
                match ask {
                    Some(Ask::Call(call)) => {
                        let id = self.threads[place].id;
                        let outcome = self.kernel.step(id, &call, &mut caused);
                        if !matches!(outcome, Outcome::Blocked(_)) {
                            self.answer(place, Answer::Call(outcome));
                        }
                    }
                    Some(Ask::Look(request)) => {
                        let reply = self.blocks.get(&request).cloned();
                        self.answer(place, Answer::Look(reply));
                    }
                    None => {}
                }
            }
        }
        for Completion { request, wakes, reply, .. } in caused {
            if !wakes {
                self.blocks.insert(request, reply);
                continue;
            }
            let place = self.threads.iter().position(|thread| thread.id == request.thread);
            if let Some(place) = place {
                self.answer(place, Answer::Call(Outcome::Done(reply)));
            }
        }
    }

    fn answer(&mut self, place: usize, answer: Answer) {
        let thread = &mut self.threads[place];
        // Values of handles count here: the code may do anything with them.
        thread.history = hash::of(thread.history, &answer);
        thread.answers.push(answer.clone());
        thread.desk.0.borrow_mut().answer = Some(answer);
        self.poll(place);
    }

    fn key(&mut self) -> u64 {
        let histories: Vec<(u64, bool)> =
            self.threads.iter().map(|one| (one.history, one.body.is_some())).collect();
        hash::of(self.kernel.fingerprint(), &(histories, &self.blocks))
    }

    fn end_key(&self) -> u64 {
        hash::of(3, &(self.outcomes(), self.sleeps()))
    }

    fn outcomes(&self) -> Vec<Vec<Outcome>> {
        let calls = |thread: &Running| {
            let calls = thread.answers.iter().filter_map(|answer| match answer {
                Answer::Call(outcome) => Some(outcome.clone()),
                Answer::Look(_) => None,
            });
            calls.collect()
        };
        self.threads.iter().map(calls).collect()
    }

    fn sleeps(&self) -> Vec<bool> {
        self.threads.iter().map(|thread| self.kernel.sleeps(thread.id)).collect()
    }

    fn end(&self, schedule: Vec<Choice>) -> CodeEnd {
        CodeEnd { outcomes: self.outcomes(), sleeps: self.sleeps(), schedule }
    }
}

#[cfg(test)]
mod tests {
    use npfs_abi::{Call, CreateNamedPipe, Data, Delivery, Handle, Outcome, Output};
    use npfs_kernel::Kernel;

    use super::{Code, Thread};

    const PATH: &str = "\\\\.\\pipe\\x";

    async fn write(thread: Thread, count: usize, byte: u8) {
        for _ in 0..count {
            let data = Data::from(vec![byte]);
            let delivery = Delivery::Return;
            thread.call(Call::WriteFile { file: Handle(4), data, delivery }).await;
        }
    }

    /// The two writers of `s3n2` and `s3n3` as code: the same outcomes as of the scenarios.
    #[test]
    fn code_has_the_outcomes_of_the_same_scenario() {
        for (count, outcomes) in [(2, 6), (3, 20)] {
            let mut kernel = Kernel::new();
            let (server, client) = (kernel.create_process(true), kernel.create_process(true));
            let reader = kernel.create_thread(server);
            let (a, b) = (kernel.create_thread(client), kernel.create_thread(client));
            let mut create = CreateNamedPipe::new(PATH);
            (create.in_buffer, create.out_buffer) = (2, 2);
            let mut caused = Vec::new();
            kernel.step(reader, &Call::CreateNamedPipe(create), &mut caused);
            kernel.step(a, &Call::CreateFile(npfs_abi::CreateFile::new(PATH)), &mut caused);
            let mut code = Code::new(kernel);
            code.spawn(reader, move |thread| async move {
                let mut taken = 0;
                while taken < 2 * count {
                    let delivery = Delivery::Return;
                    let call = Call::ReadFile { file: Handle(4), length: 1, delivery };
                    match thread.call(call).await {
                        Outcome::Done(reply) if matches!(reply.output, Output::Data(_)) => {
                            taken += 1;
                        }
                        outcome => panic!("{outcome:?}"),
                    }
                }
            });
            code.spawn(a, move |thread| write(thread, count, b'a'));
            code.spawn(b, move |thread| write(thread, count, b'b'));
            let runs = code.explore(1_000_000);
            assert_eq!(runs.ends.len(), outcomes);
            assert!(runs.bounded.is_none());
            assert!(runs.ends.iter().all(|end| end.sleeps == [false, false, false]));
            assert_eq!(code.explore(1_000_000), runs, "the same on every run");
            assert_eq!(code.explore(2).bounded.as_deref(), Some("2 runs"));
        }
    }
}
