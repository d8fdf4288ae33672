//! Locks and memory of threads, of std or of the model that this was built for.
//!
//! No lock here is held while anything outside this crate runs: not over a call of the simulation,
//! and not while a waker is woken.

use std::sync::{MutexGuard as StdGuard, PoisonError};

/// A lock of a few statements. loom sees it; to shuttle it is part of a step.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

#[cfg(loom)]
type Guard<'a, T> = loom::sync::MutexGuard<'a, T>;
#[cfg(not(loom))]
type Guard<'a, T> = StdGuard<'a, T>;

impl<T> Mutex<T> {
    #[cfg(loom)]
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex(loom::sync::Mutex::new(value))
    }

    #[cfg(not(loom))]
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex(std::sync::Mutex::new(value))
    }

    /// Nothing panics while it is held.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock that no model sees: taken where a model must not switch.
#[derive(Debug, Default)]
pub(crate) struct Unseen<T>(std::sync::Mutex<T>);

impl<T> Unseen<T> {
    pub(crate) const fn new(value: T) -> Unseen<T> {
        Unseen(std::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> StdGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(loom)]
pub(crate) use loom::thread_local;
#[cfg(all(shuttle, not(loom)))]
pub(crate) use shuttle::thread_local;
#[cfg(not(any(loom, shuttle)))]
pub(crate) use std::thread_local;
