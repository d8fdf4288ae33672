//! Rust code as simulated threads: async functions over the kernel's calls.
//!
//! A future cannot be cloned or undone, but the kernel can, and code decides by the answers it
//! gets: its own state follows from them. So a state is the kernel with the answers of every
//! thread, the search goes back in the kernel, and a future that has gone too far is begun anew
//! and given its answers again, without another call. What the code does must follow from its
//! answers alone; code that does something else when answered the same is found out.

mod run;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use npfs_abi::{Call, Outcome, Reply, RequestId, ThreadId};
use npfs_kernel::Kernel;
use npfs_trace::ParseError;
use npfs_trace::scenario::Scope;

use self::run::Run;
use crate::dpor::{self, Traces};
use crate::report::{Claimed, Report};
use crate::schedule;
use crate::search::{self, Limits, Progress};
use crate::system::System;
use crate::transcript::Transcript;
use crate::{Unfit, reduce};

/// A simulated thread, as its code sees it.
#[derive(Clone, Debug)]
pub struct Thread(Rc<RefCell<Desk>>);

/// Where a thread puts what it asks for and finds what it is answered.
#[derive(Debug, Default)]
struct Desk {
    ask: Option<Ask>,
    answer: Option<Answer>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
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
type Test = dyn Fn(&View<'_>) -> bool;

/// A kernel, the code of its threads, and what must hold.
///
/// That no thread panics must always hold: an `assert!` in the code is a property.
pub struct Code {
    kernel: Kernel,
    threads: Vec<(ThreadId, Box<Body>)>,
    rules: Vec<(Claimed, Box<Test>)>,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("kernel", &self.kernel).finish_non_exhaustive()
    }
}

/// A state, as a property sees it. Threads are numbered as they were spawned, from 0.
#[derive(Clone, Copy)]
pub struct View<'a> {
    run: &'a Run<'a>,
    last: bool,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("last", &self.last).finish_non_exhaustive()
    }
}

impl View<'_> {
    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        self.run.kernel()
    }

    /// Whether nothing can happen any more.
    pub fn is_last(&self) -> bool {
        self.last
    }

    /// What the calls of a thread were answered, in order.
    pub fn outcomes(&self, thread: usize) -> Vec<Outcome> {
        self.run.outcomes(thread)
    }

    /// Whether a thread sleeps in a call.
    pub fn sleeps(&self, thread: usize) -> bool {
        self.run.sleeps(thread)
    }

    /// Whether the code of a thread has come to its end.
    pub fn has_finished(&self, thread: usize) -> bool {
        self.run.has_finished(thread)
    }

    /// Whether nothing can happen any more and a thread sleeps for ever.
    pub fn is_deadlock(&self) -> bool {
        self.last && (0..self.run.thread_count()).any(|thread| self.sleeps(thread))
    }
}

impl Code {
    /// Threads over this kernel, in which processes, threads and whatever is common exist.
    pub fn new(mut kernel: Kernel) -> Code {
        kernel.deal_by_asker();
        let claim =
            Claimed { scope: Scope::Never, text: "never: a thread panics".into(), broken: false };
        let panics: Box<Test> = Box::new(|view: &View<'_>| view.run.has_panicked());
        Code { kernel, threads: Vec::new(), rules: vec![(claim, panics)] }
    }

    /// Gives a thread its code. The code is run again and again.
    pub fn spawn<F: Future<Output = ()> + 'static>(
        &mut self,
        thread: ThreadId,
        body: impl Fn(Thread) -> F + 'static,
    ) {
        self.threads.push((thread, Box::new(move |desk| Box::pin(body(desk)))));
    }

    /// What must hold: in every state, in none, at least once in every order or in any, or at
    /// the end of every order, as `scope` says. `what` says it in words.
    ///
    /// # Panics
    /// With more than 63 of them.
    pub fn must(&mut self, scope: Scope, what: &str, test: impl Fn(&View<'_>) -> bool + 'static) {
        assert!(self.rules.len() < 64, "at most 63 properties");
        let text = format!("{}: {what}", scope.word());
        self.rules.push((Claimed { scope, text, broken: false }, Box::new(test)));
    }

    /// Runs every order. With `limits.reduce` fewer, when no property looks at states before the
    /// end. Workers are one, and states are known by their keys.
    ///
    /// # Errors
    /// When code does something else when it is answered the same.
    pub fn explore(
        &self,
        limits: &Limits,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, Unfit> {
        let limits = Limits { exact: false, jobs: 1, ..limits.clone() };
        let mut run = Run::new(self);
        // A panic is an end.
        let ends_only = self.rules.iter().skip(1).all(|(rule, _)| rule.scope == Scope::Outcome);
        let found = if limits.reduce && limits.preemptions.is_none() && ends_only {
            reduce::search(&mut run, &limits, &|touch| touch, progress)
        } else {
            search::search(&mut run, &limits, progress)
        };
        run.verdict()?;
        let claims: Vec<Claimed> = self.rules.iter().map(|(rule, _)| rule.clone()).collect();
        let names = self.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(Report::of(&found, &claims, &names, &|way| {
            let shown = self.show(&way.schedule);
            let mut notes = shown.sleepers;
            let line = schedule::print(&way.schedule, &names);
            notes.push(format!("again: code.replay({line:?})"));
            (shown.text, notes)
        }))
    }

    /// Executes one order of each trace: of those that differ only in steps which have nothing
    /// to do with each other. Properties are not looked at.
    ///
    /// # Errors
    /// When code does something else when it is answered the same.
    pub fn traces(&self, limits: &Limits) -> Result<Traces, Unfit> {
        let mut run = Run::new(self);
        let (traces, _) = dpor::search(&mut run, limits);
        run.verdict()?;
        Ok(traces)
    }

    /// Makes the steps of a schedule, such as `t1*3 t2`, as far as they can be made.
    ///
    /// # Errors
    /// When the text is no schedule of these threads.
    pub fn replay(&self, text: &str) -> Result<Transcript, ParseError> {
        let names = self.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(self.show(&schedule::parse(text, &names)?))
    }

    fn show(&self, order: &[schedule::Choice]) -> Transcript {
        Run::new(self).show(order)
    }

    /// The names of the threads in schedules: those of their numbers in the kernel.
    fn names(&self) -> Vec<String> {
        self.threads.iter().map(|(thread, _)| thread.to_string()).collect()
    }
}
