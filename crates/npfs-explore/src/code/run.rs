//! Code on its way: the kernel, the answers of every thread, and futures that catch up.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Once;
use std::task::{Context, Waker};

use npfs_abi::{Completion, Handle, Names, Op, Outcome, Reply, RequestId, ThreadId};
use npfs_kernel::Kernel;
use npfs_trace::scenario::Word;
use npfs_trace::text::Printer;

use super::{Answer, Ask, Code, Thread, View};
use crate::machine::Touch;
use crate::model::Unfit;
use crate::schedule::{self, Choice};
use crate::system::System;
use crate::transcript::{Line, Transcript};
use crate::{outcome, property, transcript};
use npfs_kernel::hash;

type Body = Pin<Box<dyn Future<Output = ()>>>;

/// The code of all threads between two steps.
pub(super) struct Run<'a> {
    code: &'a Code,
    kernel: Kernel,
    actors: Vec<Actor>,
    /// How requests have ended, and the sum of the hashes of that.
    blocks: BTreeMap<RequestId, Reply>,
    blocks_sum: u64,
    ticks: u32,
    log: Vec<Change>,
    caused: Vec<Completion>,
    /// Whose status blocks were looked at and written since the last time.
    looked: u64,
    wrote: u64,
    /// A thread did something else when answered the same.
    strange: Option<ThreadId>,
}

/// A thread.
struct Actor {
    id: ThreadId,
    body: Option<Body>,
    desk: Thread,
    /// How many answers the future has been given.
    fed: usize,
    answers: Vec<Answer>,
    /// What it asked for after so many answers; it has ended when there is no such question.
    asks: Vec<Rc<Ask>>,
    history: u64,
    panic: Option<String>,
}

enum Change {
    Actor { place: usize, answers: usize, asks: usize, history: u64 },
    Block(RequestId, Option<Reply>),
}

/// A point to return to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    kernel: npfs_kernel::Mark,
    log: usize,
    ticks: u32,
}

impl Actor {
    fn ask(&self) -> Option<&Rc<Ask>> {
        self.asks.get(self.answers.len())
    }
}

impl<'a> Run<'a> {
    /// Every thread stands before its first call.
    pub(super) fn new(code: &'a Code) -> Run<'a> {
        let actors = code.threads.iter().map(|(id, _)| Actor {
            id: *id,
            body: None,
            desk: Thread(Rc::default()),
            fed: 0,
            answers: Vec::new(),
            asks: Vec::new(),
            history: 0,
            panic: None,
        });
        let mut run = Run {
            code,
            kernel: code.kernel.clone(),
            actors: actors.collect(),
            blocks: BTreeMap::new(),
            blocks_sum: 0,
            ticks: 0,
            log: Vec::new(),
            caused: Vec::new(),
            looked: 0,
            wrote: 0,
            strange: None,
        };
        (0..run.actors.len()).for_each(|place| run.feed(place));
        run
    }

    pub(super) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    pub(super) fn outcomes(&self, place: usize) -> Vec<Outcome> {
        let answers = self.actors.get(place).map_or(&[][..], |actor| &actor.answers);
        let calls = answers.iter().filter_map(|answer| match answer {
            Answer::Call(outcome) => Some(outcome.clone()),
            Answer::Look(_) => None,
        });
        calls.collect()
    }

    pub(super) fn sleeps(&self, place: usize) -> bool {
        self.actors.get(place).is_some_and(|actor| self.kernel.sleeps(actor.id))
    }

    pub(super) fn has_finished(&self, place: usize) -> bool {
        self.actors.get(place).is_some_and(|actor| actor.ask().is_none())
    }

    pub(super) fn has_panicked(&self) -> bool {
        self.actors.iter().any(|actor| actor.panic.is_some())
    }

    /// Whether every thread did the same whenever it was answered the same.
    pub(super) fn verdict(&self) -> Result<(), Unfit> {
        match self.strange {
            None => Ok(()),
            Some(thread) => Err(Unfit {
                line: 0,
                why: format!(
                    "wanted {thread} to do the same when it is answered the same, found that it \
                     does something else"
                ),
            }),
        }
    }

    /// Gives the future of a thread the answers that it does not have yet; one that is gone is
    /// begun anew.
    fn feed(&mut self, place: usize) {
        let actor = &mut self.actors[place];
        if actor.body.is_none() {
            actor.desk = Thread(Rc::default());
            actor.body = Some((self.code.threads[place].1)(actor.desk.clone()));
            actor.fed = 0;
            self.poll(place);
        }
        while self.actors[place].fed < self.actors[place].answers.len() {
            let actor = &mut self.actors[place];
            actor.desk.0.borrow_mut().answer = Some(actor.answers[actor.fed].clone());
            actor.fed += 1;
            self.poll(place);
        }
    }

    /// Lets a thread run up to its next question.
    fn poll(&mut self, place: usize) {
        let actor = &mut self.actors[place];
        let Some(body) = &mut actor.body else { return };
        let mut context = Context::from_waker(Waker::noop());
        let polled = quietly(|| body.as_mut().poll(&mut context));
        match polled {
            Ok(poll) if poll.is_ready() => {
                if actor.asks.len() > actor.fed {
                    self.strange = Some(actor.id);
                }
            }
            Ok(_) => {
                let Some(ask) = actor.desk.0.borrow_mut().ask.take() else { return };
                match actor.asks.get(actor.fed) {
                    Some(before) if **before == ask => {}
                    // It had ended here before, or it asks for something else.
                    Some(_) => self.strange = Some(actor.id),
                    None if actor.asks.len() < actor.fed => self.strange = Some(actor.id),
                    None => actor.asks.push(Rc::new(ask)),
                }
            }
            Err(panic) => actor.panic = Some(panic),
        }
    }

    fn keep(&mut self, place: usize) {
        let actor = &self.actors[place];
        let (answers, asks) = (actor.answers.len(), actor.asks.len());
        self.log.push(Change::Actor { place, answers, asks, history: actor.history });
    }

    fn answer(&mut self, place: usize, answer: Answer) {
        self.keep(place);
        let actor = &mut self.actors[place];
        // Values of handles count here: the code may do anything with them.
        actor.history = hash::of(actor.history, &answer);
        actor.answers.push(answer);
        self.feed(place);
    }

    fn end(&mut self, request: RequestId, reply: Reply) {
        self.wrote |= bit(request);
        self.blocks_sum = self.blocks_sum.wrapping_add(hash::of(21, &(request, &reply)));
        let before = self.blocks.insert(request, reply);
        if let Some(before) = &before {
            self.blocks_sum = self.blocks_sum.wrapping_sub(hash::of(21, &(request, before)));
        }
        self.log.push(Change::Block(request, before));
    }

    fn call(&mut self, place: usize, ask: &Ask, caused: &mut Vec<Completion>) {
        match ask {
            Ask::Call(call) => {
                let outcome = self.kernel.step(self.actors[place].id, call, caused);
                if !matches!(outcome, Outcome::Blocked(_)) {
                    self.answer(place, Answer::Call(outcome));
                }
            }
            Ask::Look(request) => {
                self.looked |= bit(*request);
                let reply = self.blocks.get(request).cloned();
                self.answer(place, Answer::Look(reply));
            }
        }
    }

    /// Makes the steps of a schedule and says what they do.
    pub(super) fn show(mut self, order: &[Choice]) -> Transcript {
        let names = self.code.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let printer = Printer::default();
        let (mut lines, mut open, mut stopped) = (Vec::new(), Vec::new(), None);
        let mut last: Option<Choice> = None;
        for choice in order {
            self.choices(&mut open);
            if !open.contains(choice) {
                let wanted = schedule::print(&[*choice], &names);
                stopped = Some(format!("step {}: wanted {wanted}", lines.len() + 1));
                break;
            }
            let mark = if schedule::preempts(last.as_ref(), *choice, &open) { '!' } else { ' ' };
            lines.push(self.line(*choice, mark, &printer));
            last = Some(*choice);
        }
        self.choices(&mut open);
        let end = open.is_empty();
        let claims = self.claims(end).unwrap_or(0);
        let broken = self.code.rules.iter().enumerate().filter(|(number, (rule, _))| {
            property::is_broken_here(rule.scope, claims & 1 << number != 0, end)
        });
        Transcript {
            text: transcript::text(&lines),
            steps: lines.len(),
            stopped,
            sleepers: outcome::who_sleeps(&self.kernel, &printer),
            leaks: self.kernel.leaks(),
            outcome: self.outcome_lines(),
            broken: broken.map(|(_, (rule, _))| rule.text.clone()).collect(),
        }
    }

    fn line(&mut self, choice: Choice, mark: char, printer: &Printer) -> Line {
        let before: Vec<usize> = self.actors.iter().map(|actor| actor.answers.len()).collect();
        let ended = self.blocks.clone();
        let time = self.kernel.time();
        let asked = choice.place().and_then(|place| self.actors[place].ask().cloned());
        self.step(choice);
        let (who, what) = match (choice.place(), asked) {
            (Some(place), Some(ask)) => {
                (self.actors[place].id.to_string(), ask_text(&ask, printer))
            }
            _ => {
                let span = npfs_abi::Time(self.kernel.time().0.saturating_sub(time.0));
                ("clock".to_owned(), format!("advance {span}"))
            }
        };
        let (mut caused, mut said) = (Vec::new(), String::new());
        for (place, count) in before.into_iter().enumerate() {
            let actor = &self.actors[place];
            for answer in &actor.answers[count..] {
                let text = answer_text(answer, printer);
                if Some(place) == choice.place() && said.is_empty() {
                    said = text;
                } else {
                    caused.push(format!("{} returns {text}", actor.id));
                }
            }
            caused.extend(actor.panic.iter().map(|why| format!("{} panics: {why}", actor.id)));
        }
        for (request, reply) in &self.blocks {
            if ended.get(request) != Some(reply) {
                let text = outcome::reply_text(printer, reply);
                caused.push(format!("{} done {text}", printer.request(*request)));
            }
        }
        if said.is_empty() && choice.place().is_some() {
            said = "blocked".to_owned();
        }
        Line { mark, who, what, outcome: said, caused }
    }
}

impl System for Run<'_> {
    type Mark = Mark;

    fn track(&mut self) {
        self.kernel.track();
        self.log.clear();
    }

    fn mark(&mut self) -> Mark {
        Mark { kernel: self.kernel.mark(), log: self.log.len(), ticks: self.ticks }
    }

    fn undo(&mut self, mark: Mark) {
        self.kernel.undo(mark.kernel);
        while self.log.len() > mark.log {
            match self.log.pop() {
                Some(Change::Actor { place, answers, asks, history }) => {
                    let actor = &mut self.actors[place];
                    actor.answers.truncate(answers);
                    actor.asks.truncate(asks);
                    actor.history = history;
                    actor.panic = None;
                    if actor.fed > answers {
                        actor.body = None;
                    }
                }
                Some(Change::Block(request, before)) => {
                    let now = match before {
                        Some(before) => {
                            let sum = hash::of(21, &(request, &before));
                            self.blocks_sum = self.blocks_sum.wrapping_add(sum);
                            self.blocks.insert(request, before)
                        }
                        None => self.blocks.remove(&request),
                    };
                    let sum = now.map_or(0, |now| hash::of(21, &(request, now)));
                    self.blocks_sum = self.blocks_sum.wrapping_sub(sum);
                }
                None => break,
            }
        }
        self.ticks = mark.ticks;
    }

    fn key(&mut self) -> u64 {
        let mut sum = self.blocks_sum ^ hash::scramble(u64::from(self.ticks) ^ 0x5A5A);
        for (place, actor) in self.actors.iter().enumerate() {
            let over = actor.ask().is_none();
            let own = actor.history ^ ((place as u64) << 1 | u64::from(over));
            sum = sum.wrapping_add(hash::scramble(own.wrapping_add(place as u64 * 0x9E37_79B9)));
        }
        hash::scramble(self.kernel.fingerprint() ^ sum.rotate_left(32)).wrapping_add(sum)
    }

    fn step(&mut self, choice: Choice) {
        let mut caused = std::mem::take(&mut self.caused);
        match choice.place() {
            None => {
                if let Some(deadline) = self.kernel.next_deadline() {
                    self.ticks += 1;
                    self.kernel.advance(deadline, &mut caused);
                }
            }
            Some(place) => {
                if let Some(ask) = self.actors[place].ask().cloned() {
                    self.call(place, &ask, &mut caused);
                }
            }
        }
        for Completion { request, wakes, reply, .. } in caused.drain(..) {
            if !wakes {
                self.end(request, reply);
                continue;
            }
            let place = self.actors.iter().position(|actor| actor.id == request.thread);
            if let Some(place) = place {
                self.answer(place, Answer::Call(Outcome::Done(reply)));
            }
        }
        self.caused = caused;
    }

    fn choices(&self, list: &mut Vec<Choice>) {
        list.clear();
        if self.strange.is_some() || self.has_panicked() {
            return;
        }
        list.extend(
            (0..self.actors.len()).filter(|place| self.can_step(*place)).map(Choice::thread),
        );
        if list.is_empty() && self.kernel.next_deadline().is_some() {
            list.push(Choice::CLOCK);
        }
    }

    fn thread_count(&self) -> usize {
        self.actors.len()
    }

    fn can_step(&self, place: usize) -> bool {
        let actor = &self.actors[place];
        actor.ask().is_some() && self.kernel.can_run(actor.id)
    }

    fn has_deadline(&self) -> bool {
        self.kernel.next_deadline().is_some()
    }

    fn record(&mut self, recording: bool) {
        self.kernel.record(recording);
    }

    fn forget_touched(&mut self) {
        self.kernel.footprint();
        (self.looked, self.wrote) = (0, 0);
    }

    fn take_touched(&mut self) -> Touch {
        let blocks = (std::mem::take(&mut self.looked), std::mem::take(&mut self.wrote));
        Touch::of_blocks(self.kernel.footprint(), blocks)
    }

    fn claims(&self, last: bool) -> Option<u64> {
        let view = View { run: self, last };
        let rules = self.code.rules.iter().enumerate();
        Some(rules.fold(0, |bits, (number, (_, test))| bits | u64::from(test(&view)) << number))
    }

    fn outcome_key(&self) -> u64 {
        let ends: Vec<(u64, bool, &Option<String>)> = (0..self.actors.len())
            .map(|place| {
                (self.actors[place].history, self.sleeps(place), &self.actors[place].panic)
            })
            .collect();
        hash::of(3, &ends)
    }

    fn outcome_lines(&self) -> Vec<String> {
        let printer = Printer::default();
        let mut lines = Vec::new();
        for (place, actor) in self.actors.iter().enumerate() {
            let asked = actor.asks.iter().zip(&actor.answers);
            let mut parts: Vec<String> = asked
                .map(|(ask, answer)| {
                    let verb = ask_text(ask, &printer);
                    let verb = verb.split(' ').next().unwrap_or_default().to_owned();
                    format!("{verb} {}", answer_text(answer, &printer))
                })
                .collect();
            match (actor.ask(), self.sleeps(place), &actor.panic) {
                (_, _, Some(why)) => parts.push(format!("panics: {why}")),
                (Some(ask), sleeps, None) => {
                    let verb = ask_text(ask, &printer);
                    let verb = verb.split(' ').next().unwrap_or_default();
                    let how = if sleeps { "sleeps" } else { "never begins" };
                    parts.push(format!("{verb} {how}"));
                }
                (None, _, None) if parts.is_empty() => parts.push("nothing".to_owned()),
                (None, _, None) => {}
            }
            lines.push(format!("{}: {}", actor.id, parts.join(", ")));
        }
        lines
    }

    fn check(&self) {
        self.kernel.check();
    }

    fn copy(&self) -> Option<Self> {
        None
    }

    fn same(&self, _: &Self) -> bool {
        true
    }
}

fn bit(request: RequestId) -> u64 {
    1 << request.thread.0.saturating_sub(1).min(63)
}

/// Handles by their values, requests by their names.
struct Plain;

impl Names<Handle, RequestId> for Plain {
    type Handle = Word;
    type Request = Word;
    fn handle(&mut self, handle: &Handle) -> Word {
        format!("h{}", handle.0)
    }
    fn request(&mut self, request: &RequestId) -> Word {
        format!("{}.{}", request.thread, request.call)
    }
}

fn ask_text(ask: &Ask, printer: &Printer) -> String {
    match ask {
        Ask::Call(call) => printer.op(&Op::Call(call.clone()).map(&mut Plain)),
        Ask::Look(request) => format!("look {}", printer.request(*request)),
    }
}

fn answer_text(answer: &Answer, printer: &Printer) -> String {
    match answer {
        Answer::Call(outcome) => outcome::words(printer, outcome),
        Answer::Look(None) => "pending".to_owned(),
        Answer::Look(Some(reply)) => outcome::reply_text(printer, reply),
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, in which a panic is a finding: it is given back, and nothing is printed.
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    result.map_err(|panic| match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "without words".to_owned(),
    })
}
