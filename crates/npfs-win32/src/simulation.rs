//! Which simulation a call belongs to.
//!
//! 1. That of the process which the calling thread has entered last: threads that were started
//!    with `Process::spawn` of npfs or [`Host::spawn`] are inside their process, and
//!    `Process::enter` and [`Host::enter`] bring any other thread inside.
//! 2. Else the process that was made everybody's with [`install`], the latest first: threads that
//!    the code under test starts by means of its own belong to it.
//! 3. Else the default simulation, which is made when it is first needed: one process, virtual
//!    time, calls of any thread ([`Threads::Any`]). Under loom and shuttle every execution has one
//!    of its own.

use std::ops::{Deref, DerefMut};
#[cfg(not(any(loom, shuttle)))]
use std::sync::LazyLock;
use std::sync::{Mutex, MutexGuard, PoisonError};

use npfs_abi::ProcessId;
use npfs_host::{Host, Options, Threads};
use npfs_kernel::ProcessSpec;

use crate::pool::Pool;

/// Who calls: a process of a simulation.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) host: Host,
    pub(crate) process: ProcessId,
}

/// What belongs to no thread. One lock, as all of it is rarely asked for.
#[derive(Default)]
struct Everybody {
    /// Made everybody's, with the number of its guard; the latest last.
    installed: Vec<(u64, Place)>,
    guards: u64,
    default: Option<Place>,
    pool: Pool,
}

#[cfg(not(any(loom, shuttle)))]
static EVERYBODY: LazyLock<Mutex<Everybody>> = LazyLock::new(Mutex::default);
// The model does not see this lock: nothing that it could switch at happens while it is held.
#[cfg(loom)]
loom::lazy_static! {
    static ref EVERYBODY: Mutex<Everybody> = Mutex::default();
}
#[cfg(all(shuttle, not(loom)))]
shuttle::lazy_static! {
    static ref EVERYBODY: Mutex<Everybody> = Mutex::default();
}

fn everybody() -> MutexGuard<'static, Everybody> {
    EVERYBODY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is registered with the thread pool. Held for a moment only, never during a call.
pub(crate) fn pool() -> impl DerefMut<Target = Pool> {
    PoolGuard(everybody())
}

struct PoolGuard(MutexGuard<'static, Everybody>);

impl Deref for PoolGuard {
    type Target = Pool;
    fn deref(&self) -> &Pool {
        &self.0.pool
    }
}

impl DerefMut for PoolGuard {
    fn deref_mut(&mut self) -> &mut Pool {
        &mut self.0.pool
    }
}

/// Whose call it is that the calling thread makes now.
pub(crate) fn here() -> Place {
    if let Some((host, process)) = Host::entered() {
        return Place { host, process };
    }
    {
        let everybody = everybody();
        let installed = everybody.installed.last().map(|(_, place)| place);
        if let Some(place) = installed.or(everybody.default.as_ref()) {
            return place.clone();
        }
    }
    // Making one passes its gate, where models switch. If another thread was faster, its is taken.
    let made = fresh();
    everybody().default.get_or_insert(made).clone()
}

fn fresh() -> Place {
    let host = Host::new(Options { threads: Threads::Any, ..Options::default() });
    let process = host.add_process("process", ProcessSpec::default());
    Place { host, process }
}

/// The simulation and process that calls of the calling thread belong to now.
pub fn current() -> (Host, ProcessId) {
    let Place { host, process } = here();
    (host, process)
}

/// Makes a process everybody's who has entered none, until the guard is dropped. Its simulation has
/// to take calls of any thread if the code under test starts threads by means of its own.
pub fn install(host: &Host, process: ProcessId) -> Installed {
    let mut everybody = everybody();
    everybody.guards += 1;
    let guard = everybody.guards;
    everybody.installed.push((guard, Place { host: host.clone(), process }));
    Installed(guard)
}

/// Lets the default simulation go, and all its handles; the next call makes a fresh one. Whoever
/// still sleeps in it is woken with an error.
pub fn reset() {
    let old = everybody().default.take();
    if let Some(place) = old {
        place.host.stop();
    }
}

/// As long as it lives, [`install`] holds.
#[derive(Debug)]
pub struct Installed(u64);

impl Drop for Installed {
    fn drop(&mut self) {
        everybody().installed.retain(|(guard, _)| *guard != self.0);
    }
}
