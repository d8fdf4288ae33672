//! Locks and atomics of the libraries. Where std would let another thread in between, so does the
//! schedule; a thread that waits for a lock sleeps in the simulation, so that a deadlock is seen.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{LockResult, PoisonError, TryLockError};

use npfs_abi::Handle;

use crate::stage;

/// Who has a lock, and how those who wait are woken.
#[derive(Debug)]
struct Gate {
    taken: bool,
    waiting: usize,
    /// An event of the simulation that wakes one of those who wait.
    bell: Option<Handle>,
}

/// `std::sync::Mutex`
pub struct Mutex<T: ?Sized> {
    /// Held for a moment, never during a call.
    gate: std::sync::Mutex<Gate>,
    /// Taken after the gate, so never contended; it knows of panics.
    inner: std::sync::Mutex<T>,
}

/// `std::sync::MutexGuard`
#[derive(Debug)]
pub struct MutexGuard<'a, T: ?Sized> {
    inner: Option<std::sync::MutexGuard<'a, T>>,
    gate: &'a std::sync::Mutex<Gate>,
}

fn gate(gate: &std::sync::Mutex<Gate>) -> std::sync::MutexGuard<'_, Gate> {
    gate.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Mutex<T> {
    /// A lock that nobody has.
    pub const fn new(value: T) -> Mutex<T> {
        let gate = Gate { taken: false, waiting: 0, bell: None };
        Mutex { gate: std::sync::Mutex::new(gate), inner: std::sync::Mutex::new(value) }
    }

    /// What it guards.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        stage::switch();
        loop {
            let mut state = gate(&self.gate);
            if !state.taken {
                state.taken = true;
                break;
            }
            let Some(bell) = state.bell else {
                // To make one is a call, and the lock may be free after it.
                drop(state);
                let bell = stage::new_bell();
                gate(&self.gate).bell.get_or_insert(bell);
                continue;
            };
            state.waiting += 1;
            drop(state);
            stage::wait(bell);
            gate(&self.gate).waiting -= 1;
        }
        let guard = |inner| MutexGuard { inner: Some(inner), gate: &self.gate };
        match self.inner.try_lock() {
            Ok(inner) => Ok(guard(inner)),
            Err(TryLockError::Poisoned(error)) => Err(PoisonError::new(guard(error.into_inner()))),
            Err(TryLockError::WouldBlock) => unreachable!("the gate lets one in"),
        }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.inner = None;
        let mut state = gate(self.gate);
        state.taken = false;
        let bell = state.bell.filter(|_| state.waiting > 0);
        drop(state);
        if let Some(bell) = bell {
            stage::ring(bell);
        }
    }
}

impl<T: ?Sized> std::ops::Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("taken in drop only")
    }
}

impl<T: ?Sized> std::ops::DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("taken in drop only")
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        /// The atomic of std of this name.
        #[derive(Debug, Default)]
        pub struct $name(std::sync::atomic::$name);

        #[allow(dead_code)]
        impl $name {
            /// An atomic of this value.
            pub const fn new(value: $value) -> $name {
                $name(std::sync::atomic::$name::new(value))
            }
            /// As in std.
            pub fn load(&self, ordering: Ordering) -> $value {
                stage::switch();
                self.0.load(ordering)
            }
            /// As in std.
            pub fn store(&self, value: $value, ordering: Ordering) {
                stage::switch();
                self.0.store(value, ordering);
            }
            /// As in std.
            pub fn swap(&self, value: $value, ordering: Ordering) -> $value {
                stage::switch();
                self.0.swap(value, ordering)
            }
            /// As in std.
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                stage::switch();
                self.0.compare_exchange(current, new, success, failure)
            }
        }
    };
}
atomic!(AtomicBool, bool);
atomic!(AtomicUsize, usize);

impl AtomicUsize {
    /// As in std.
    pub fn fetch_add(&self, value: usize, ordering: Ordering) -> usize {
        stage::switch();
        self.0.fetch_add(value, ordering)
    }
}
