//! Why a simulation stops, told to everybody who sleeps in it.

use std::fmt;
use std::sync::Arc;

/// Why a simulation has stopped. Every call after that fails with it at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Its owner was dropped.
    Dropped,
    /// Every thread slept and no time-out was left.
    Deadlock(Arc<Deadlock>),
    /// The kernel or a strategy panicked.
    Broken,
    /// The calling thread, or its process, was ended by `TerminateProcess` or `ExitThread`.
    Terminated,
    /// The calling thread was never announced to the simulation.
    UnknownThread,
}

/// Who waits for what, when nobody can go on any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deadlock {
    /// One line a sleeper, in order of threads.
    pub waits: Vec<String>,
    /// Names of sleepers that wait for each other in a ring; the first stands again at the end.
    pub cycle: Option<Vec<String>>,
    /// The state of the kernel on a page.
    pub dump: String,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "deadlock: no thread can go on, and no time-out is left")?;
        for wait in &self.waits {
            writeln!(f, "  {wait}")?;
        }
        if let Some(cycle) = &self.cycle {
            writeln!(f, "  cycle: {}", cycle.join(" -> "))?;
        }
        write!(f, "\n{}", self.dump)
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stopped::Dropped => f.write_str("the simulation was dropped while this call waited"),
            Stopped::Deadlock(deadlock) => deadlock.fmt(f),
            Stopped::Broken => f.write_str("the simulation broke in another thread"),
            Stopped::Terminated => f.write_str("the simulated thread has ended"),
            Stopped::UnknownThread => f.write_str(
                "this thread is unknown to the simulation: start it with Process::spawn, announce it \
                 with Process::announce, or admit any thread when building the simulation",
            ),
        }
    }
}
