//! Sleeping until a waker is woken: what an executor does when no task is ready.
//!
//! The simulation knows of this sleep as of any other: meanwhile time may pass, and if nobody is
//! left who could wake the sleeper, that is a deadlock.

use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use npfs_abi::Time;

use crate::actor::{self, Link};
use crate::host::{Host, Shared};
use crate::stop::Stopped;

/// Where the calling thread sleeps until it is woken. It belongs to that thread.
pub struct Parker {
    shared: Arc<Shared>,
    link: Rc<Link>,
}

impl std::fmt::Debug for Parker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parker").field("actor", &self.link.actor).finish_non_exhaustive()
    }
}

struct Unparker {
    shared: Weak<Shared>,
    actor: usize,
}

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            // Whoever wakes runs, so time cannot pass before; and the sleeper goes on all the same
            // when it parks only later.
            shared.quietly(|state| state.unpark(self.actor));
        }
    }
}

impl Host {
    /// The calling thread's parker.
    ///
    /// # Errors
    /// [`Stopped::UnknownThread`]
    pub fn parker(&self) -> Result<Parker, Stopped> {
        Ok(Parker { shared: self.shared.clone(), link: actor::place(&self.shared)? })
    }
}

impl Parker {
    /// What ends the sleep, or the next one if the thread does not sleep.
    pub fn waker(&self) -> Waker {
        let shared = Arc::downgrade(&self.shared);
        Arc::new(Unparker { shared, actor: self.link.actor }).into()
    }

    /// Sleeps until the waker is woken or it is `until`.
    ///
    /// # Errors
    /// Why the simulation stopped.
    ///
    /// # Panics
    /// As [`Host::call`], when the sleep ends in a deadlock.
    pub fn park(&self, until: Option<Time>) -> Result<(), Stopped> {
        // As in Unparker. And until this actor sleeps it counts as running, so that time cannot
        // pass before.
        let mut state = self.shared.gate.lock_quietly();
        if let Some(stopped) = state.stopped.clone() {
            return Err(stopped);
        }
        let due = until.is_some_and(|until| until <= state.now());
        if due || !state.park(self.link.actor, until) {
            return Ok(());
        }
        state.settle();
        self.shared.sleep(&self.link, state).map(|_| ()).map_err(|why| self.shared.report(why))
    }
}
