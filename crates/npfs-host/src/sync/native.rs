//! std: a mutex, and a bell that spins a moment before it sleeps.

use std::hint;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use std::thread::{Builder, JoinHandle};
pub(crate) use std::thread_local;

/// What the holder of a [`Gate`] holds.
pub(crate) type Guard<'a, T> = MutexGuard<'a, T>;

/// The one lock.
#[derive(Debug)]
pub(crate) struct Gate<T>(Mutex<T>);

impl<T> Gate<T> {
    pub(crate) fn new(value: T) -> Gate<T> {
        Gate(Mutex::new(value))
    }

    /// Passes the gate. A thread that panicked inside has said so to all others already.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        lock(&self.0)
    }

    /// Passes the gate for something that commutes with every other passage.
    pub(crate) fn lock_quietly(&self) -> Guard<'_, T> {
        self.lock()
    }
}

#[cfg(not(tsan))]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// ThreadSanitizer sees only what was compiled for it. A contended lock goes through code of std
/// that was not; this stays in code that is.
#[cfg(tsan)]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    use std::sync::TryLockError;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}

/// How often a bell is looked at before its owner goes to sleep: about as long as waking takes.
const LOOKS: u32 = 200;

/// Where one thread waits for one message.
#[derive(Debug)]
pub(crate) struct Bell<T> {
    rung: AtomicBool,
    message: Mutex<Option<T>>,
    sleeper: Condvar,
}

impl<T> Bell<T> {
    pub(crate) fn new() -> Bell<T> {
        Bell { rung: AtomicBool::new(false), message: Mutex::new(None), sleeper: Condvar::new() }
    }

    /// Leaves a message, unless `keep` prefers the one that is there.
    pub(crate) fn ring(&self, message: T, keep: impl FnOnce(&T) -> bool) {
        let mut slot = self.slot();
        if !slot.as_ref().is_some_and(keep) {
            *slot = Some(message);
        }
        self.rung.store(true, Ordering::Release);
        drop(slot);
        self.sleeper.notify_one();
    }

    /// Sleeps until there is a message, or for `patience`.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> Option<T> {
        for look in 0..LOOKS {
            if self.rung.load(Ordering::Acquire) {
                break;
            }
            if look % 64 == 63 {
                std::thread::yield_now();
            } else {
                hint::spin_loop();
            }
        }
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut slot = self.slot();
        loop {
            if let Some(message) = slot.take() {
                self.rung.store(false, Ordering::Relaxed);
                return Some(message);
            }
            #[cfg(tsan)]
            {
                drop(slot);
                std::thread::yield_now();
                slot = self.slot();
                if deadline.is_none_or(|end| Instant::now() < end) {
                    continue;
                }
            }
            slot = match deadline.map(|end| end.saturating_duration_since(Instant::now())) {
                None => self.sleeper.wait(slot).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return None,
                Some(rest) => {
                    let woken = self.sleeper.wait_timeout(slot, rest);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<T>> {
        lock(&self.message)
    }
}

/// Starts a thread.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    Builder::new().name(name.to_owned()).spawn(work).expect("the system can start a thread")
}
