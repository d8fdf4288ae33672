//! Which adapter stands between tasks and the pipe.

use std::collections::BTreeMap;

use npfs_host::Host;

use crate::sync::Unseen;

/// How readiness is made of overlapped operations. `docs/tokio.md` has the differences side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Adapter {
    /// As tokio 1.54 with mio 1.2.5 does it: a read of 4 to 64 KiB is always pending inside, so that
    /// data leaves the pipe before the task asks; a write is copied and reported as done at once,
    /// and its failure comes with the next one; a client that is gone counts as connected.
    #[default]
    Mio,
    /// Nothing in between: data stays in the pipe until a task reads it, `poll_write` ends when the
    /// pipe has taken everything, `connect` to a client that is gone fails with 232, and a message
    /// longer than the buffer fails with 234 and stays whole.
    Ideal,
}

/// Those that were chosen, by simulation.
static CHOSEN: Unseen<BTreeMap<u64, Adapter>> = Unseen::new(BTreeMap::new());

impl Adapter {
    /// Pipes that are made from now on in this simulation have this adapter.
    pub fn choose(self, host: &Host) {
        CHOSEN.lock().insert(host.id(), self);
    }

    /// The adapter of a simulation.
    pub fn of(host: &Host) -> Adapter {
        CHOSEN.lock().get(&host.id()).copied().unwrap_or_default()
    }
}
