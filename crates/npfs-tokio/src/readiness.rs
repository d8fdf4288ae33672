//! Who waits until a pipe is ready, and for what it is ready.
//!
//! The rules are tokio's. Readiness is a memory of events, not the state of the pipe: it is set by
//! an event and cleared when an operation that trusted it would block, unless another event came
//! in between. There is one place for a task that polls for reading, one for writing (the last to
//! poll is the one that is woken), and any number for the async functions.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::io::{Interest, Ready};
use crate::sync::Mutex;

/// One of the two places for tasks that poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Direction {
    fn interest(self) -> Interest {
        match self {
            Direction::Read => Interest::READABLE,
            Direction::Write => Interest::WRITABLE,
        }
    }
}

/// What was seen, so that it can be cleared if nothing has happened since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) ready: Ready,
    tick: u64,
}

#[derive(Debug)]
pub(crate) struct Readiness(Mutex<Waits>);

#[derive(Debug)]
struct Waits {
    ready: Ready,
    /// Counts events.
    tick: u64,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Those of the async functions, oldest first.
    others: Vec<Waiter>,
    named: u64,
}

#[derive(Debug)]
struct Waiter {
    name: u64,
    interest: Interest,
    waker: Waker,
}

impl Waits {
    fn seen(&self, ready: Ready) -> Seen {
        Seen { ready, tick: self.tick }
    }
}

impl Readiness {
    pub(crate) fn new() -> Readiness {
        Readiness(Mutex::new(Waits {
            ready: Ready::EMPTY,
            tick: 0,
            reader: None,
            writer: None,
            others: Vec::new(),
            named: 0,
        }))
    }

    /// An event: wakes whoever waits for it.
    pub(crate) fn set(&self, ready: Ready) {
        let mut wakers = Vec::new();
        {
            let mut waits = self.0.lock();
            waits.ready |= ready;
            waits.tick += 1;
            if ready.is_readable() {
                wakers.extend(waits.reader.take());
            }
            if ready.is_writable() {
                wakers.extend(waits.writer.take());
            }
            let for_it = |waiter: &Waiter| !ready.of_interest(waiter.interest).is_empty();
            let (woken, rest) = std::mem::take(&mut waits.others).into_iter().partition(for_it);
            waits.others = rest;
            wakers.extend(Vec::into_iter(woken).map(|waiter| waiter.waker));
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Takes back what was seen, unless an event has come since. What is closed stays closed.
    pub(crate) fn clear(&self, seen: Seen) {
        let mut waits = self.0.lock();
        if waits.tick == seen.tick {
            waits.ready = waits.ready - (seen.ready - Ready::READ_CLOSED - Ready::WRITE_CLOSED);
        }
    }

    /// What it is ready for, of a single interest.
    pub(crate) fn now(&self, interest: Interest) -> Seen {
        let waits = self.0.lock();
        waits.seen(waits.ready & interest.mask())
    }

    /// Waits in the place for this direction.
    pub(crate) fn poll(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<Seen> {
        let mut waits = self.0.lock();
        let ready = waits.ready & direction.interest().mask();
        if !ready.is_empty() {
            return Poll::Ready(waits.seen(ready));
        }
        let place = match direction {
            Direction::Read => &mut waits.reader,
            Direction::Write => &mut waits.writer,
        };
        match place {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *place = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Waits beside others. May end with nothing ready, when another took it first.
    pub(crate) fn wait(&self, interest: Interest) -> Wait<'_> {
        Wait { readiness: self, interest, name: None }
    }
}

/// The future of [`Readiness::wait`].
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    readiness: &'a Readiness,
    interest: Interest,
    /// Its name in the list, once it is or was there.
    name: Option<u64>,
}

impl Future for Wait<'_> {
    type Output = Seen;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Seen> {
        let interest = self.interest;
        let mut waits = self.readiness.0.lock();
        let ready = waits.ready.of_interest(interest);
        let Some(name) = self.name else {
            if !ready.is_empty() {
                return Poll::Ready(waits.seen(ready));
            }
            waits.named += 1;
            let name = waits.named;
            waits.others.push(Waiter { name, interest, waker: cx.waker().clone() });
            drop(waits);
            self.name = Some(name);
            return Poll::Pending;
        };
        match waits.others.iter_mut().find(|waiter| waiter.name == name) {
            Some(waiter) => {
                waiter.waker.clone_from(cx.waker());
                Poll::Pending
            }
            // Woken.
            None => Poll::Ready(waits.seen(ready)),
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.name {
            self.readiness.0.lock().others.retain(|waiter| waiter.name != name);
        }
    }
}
