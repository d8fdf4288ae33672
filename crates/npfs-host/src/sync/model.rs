//! loom and shuttle: one visible operation a passage, and parking.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(loom)]
use loom::{sync::atomic, thread};
#[cfg(all(shuttle, not(loom)))]
use shuttle::{sync::atomic, thread};

#[cfg(loom)]
pub(crate) use loom::thread_local;
#[cfg(all(shuttle, not(loom)))]
pub(crate) use shuttle::thread_local;

pub(crate) use thread::JoinHandle;

/// Whoever passes sees what the one before has done.
#[cfg(loom)]
const ORDER: atomic::Ordering = atomic::Ordering::AcqRel;
/// shuttle models this order alone.
#[cfg(all(shuttle, not(loom)))]
const ORDER: atomic::Ordering = atomic::Ordering::SeqCst;

/// What the holder of a [`Gate`] holds.
pub(crate) type Guard<'a, T> = MutexGuard<'a, T>;

/// The one lock: a passage is one read-modify-write that the model sees.
#[derive(Debug)]
pub(crate) struct Gate<T> {
    passages: atomic::AtomicUsize,
    /// Never contended: no switch happens while it is held.
    value: Mutex<T>,
}

impl<T> Gate<T> {
    pub(crate) fn new(value: T) -> Gate<T> {
        Gate { passages: atomic::AtomicUsize::new(0), value: Mutex::new(value) }
    }

    /// Passes the gate. A thread that unwinds closes its handles, but the run is lost already: the
    /// model is not asked to switch in the middle of a panic.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        if !std::thread::panicking() {
            self.passages.fetch_add(1, ORDER);
        }
        self.lock_quietly()
    }

    /// Passes the gate for something that commutes with every other passage: the model need not
    /// try its orders.
    pub(crate) fn lock_quietly(&self) -> Guard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one thread waits for one message.
#[derive(Debug)]
pub(crate) struct Bell<T>(Mutex<Slot<T>>);

#[derive(Debug)]
struct Slot<T> {
    message: Option<T>,
    sleeper: Option<thread::Thread>,
}

impl<T> Bell<T> {
    pub(crate) fn new() -> Bell<T> {
        Bell(Mutex::new(Slot { message: None, sleeper: None }))
    }

    /// Leaves a message, unless `keep` prefers the one that is there.
    pub(crate) fn ring(&self, message: T, keep: impl FnOnce(&T) -> bool) {
        let sleeper = {
            let mut slot = self.slot();
            if !slot.message.as_ref().is_some_and(keep) {
                slot.message = Some(message);
            }
            slot.sleeper.take()
        };
        if let Some(sleeper) = sleeper {
            sleeper.unpark();
        }
    }

    /// Sleeps until there is a message. Models know no patience.
    pub(crate) fn wait(&self, _patience: Option<Duration>) -> Option<T> {
        loop {
            {
                let mut slot = self.slot();
                if let Some(message) = slot.message.take() {
                    return Some(message);
                }
                slot.sleeper = Some(thread::current());
            }
            thread::park();
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread.
pub(crate) fn spawn<T: Send + 'static>(
    _name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::spawn(work)
}
