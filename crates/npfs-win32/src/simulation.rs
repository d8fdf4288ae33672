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

use std::sync::{Mutex, MutexGuard, PoisonError};

use npfs_abi::ProcessId;
use npfs_host::{Host, Options, Threads};
use npfs_kernel::ProcessSpec;

/// Who calls: a process of a simulation.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) host: Host,
    pub(crate) process: ProcessId,
}

#[derive(Default)]
struct Everybody {
    /// Made everybody's, with the number of its guard; the latest last.
    installed: Vec<(u64, Place)>,
    guards: u64,
    default: Option<Place>,
}

#[cfg(not(any(loom, shuttle)))]
static EVERYBODY: Mutex<Everybody> =
    Mutex::new(Everybody { installed: Vec::new(), guards: 0, default: None });
// The model does not see this lock: no switch happens while it is held.
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

/// Whose call it is that the calling thread makes now.
pub(crate) fn here() -> Place {
    if let Some((host, process)) = Host::entered() {
        return Place { host, process };
    }
    let mut everybody = everybody();
    if let Some((_, place)) = everybody.installed.last() {
        return place.clone();
    }
    everybody.default.get_or_insert_with(fresh).clone()
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
