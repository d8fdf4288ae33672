//! A simulated system, owned by a test.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use npfs_abi::{Fault, Profile, Time, Token};
use npfs_host::{Clock, Deadlock, Event, Host, Log, OnDeadlock, Options, Strategy, Threads, Turns};
use npfs_kernel::{Kernel, ProcessSpec};

use crate::Process;

/// A Windows of its own: processes, pipes and a clock that no other simulation sees.
///
/// The thread that makes it may act for every process. Other threads are started with
/// [`Process::spawn`], so that it is known when all of them sleep: then virtual time passes at
/// once to the next time-out, and where none is left, the deadlock is reported instead of hanging.
///
/// Dropping it ends every call that sleeps in it with an error.
#[derive(Debug)]
pub struct Simulation {
    host: Host,
}

impl Default for Simulation {
    fn default() -> Simulation {
        Simulation::new()
    }
}

impl Simulation {
    /// Current Windows, virtual time, threads that run freely.
    pub fn new() -> Simulation {
        Simulation::builder().build()
    }

    /// A simulation that differs from [`Simulation::new`].
    pub fn builder() -> Builder {
        Builder { options: Options::default() }
    }

    /// A new process of an ordinary user on this computer. The name is for reports; a number is
    /// put behind it if it is taken.
    pub fn process(&self, name: &str) -> Process {
        self.process_with(name, ProcessSpec::default())
    }

    /// A new process of somebody else.
    pub fn process_as(&self, name: &str, token: Token) -> Process {
        self.process_with(name, ProcessSpec { token, ..ProcessSpec::default() })
    }

    /// A new process on another computer: its opens are those of a remote client.
    pub fn remote_process(&self, name: &str, computer: &str) -> Process {
        let computer = Some(Arc::from(computer));
        self.process_with(name, ProcessSpec { computer, ..ProcessSpec::default() })
    }

    /// A new process with everything said.
    pub fn process_with(&self, name: &str, spec: ProcessSpec) -> Process {
        Process::new(self.host.clone(), self.host.add_process(name, spec))
    }

    /// The virtual time since the start.
    pub fn now(&self) -> Duration {
        duration(self.host.now())
    }

    /// Lets `span` pass by hand, and ends what has waited so long. It is the only way for time to
    /// pass with [`Builder::manual_time`].
    pub fn advance(&self, span: Duration) {
        let ticks = (span.as_nanos() / 100).min(u128::from(u64::MAX)) as u64;
        self.host.advance(self.host.now().after(Time(ticks)));
    }

    /// Lets time pass to the next time-out; `false` if there is none.
    pub fn advance_to_next(&self) -> bool {
        self.host.advance_to_next()
    }

    /// Runs `work`, in which the calling thread may wait for what the simulation cannot see, such
    /// as a channel, a lock, or a thread of std. Meanwhile it counts as asleep.
    pub fn outside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.host.outside(work)
    }

    /// Everything that happens from now on, live and in order. The channel ends with the
    /// simulation.
    pub fn events(&self) -> Receiver<Event> {
        self.host.observe()
    }

    /// What is left over: handles of processes that run, requests that pend, instances.
    pub fn leaks(&self) -> Vec<String> {
        self.host.leaks()
    }

    /// Asserts that nothing is left over: every handle closed, every request ended.
    ///
    /// # Panics
    /// With a list of what is left over.
    #[track_caller]
    pub fn assert_clean(&self) {
        let leaks = self.leaks();
        assert!(leaks.is_empty(), "left over in the simulation:\n  {}", leaks.join("\n  "));
    }

    /// The whole state on a page: pipes, instances, queues, handles, sleepers.
    pub fn dump(&self) -> String {
        self.host.dump()
    }

    /// A copy of the kernel as it is now.
    pub fn kernel(&self) -> Kernel {
        self.host.kernel()
    }

    /// The deadlock in which the simulation has stopped, if it has.
    pub fn deadlock(&self) -> Option<Arc<Deadlock>> {
        self.host.deadlock()
    }

    /// Who ran in which order, when threads take turns ([`Builder::schedule`]): a text that
    /// [`Schedule::Replay`](npfs_host::Schedule::Replay) takes.
    pub fn turns(&self) -> Turns {
        self.host.turns()
    }

    /// Everything so far, with [`Builder::recording`].
    pub fn log(&self) -> Option<Log> {
        self.host.log()
    }

    /// The host below, for facades.
    pub fn host(&self) -> &Host {
        &self.host
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.host.stop();
    }
}

pub(crate) fn duration(time: Time) -> Duration {
    Duration::from_nanos(time.0.saturating_mul(100))
}

/// How a simulation is to be.
#[derive(Debug)]
pub struct Builder {
    options: Options,
}

impl Builder {
    /// Which Windows, and how open questions are read. Default: current Windows as measured.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Builder {
        self.options.profile = profile;
        self
    }

    /// Plans a misfortune: a call that will fail, or an end that will be told late.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Builder {
        self.options.faults.push(fault);
        self
    }

    /// Time passes only by [`Simulation::advance`].
    #[must_use]
    pub fn manual_time(mut self) -> Builder {
        self.options.clock = Clock::Manual;
        self
    }

    /// Time passes as on the wall. Results then depend on the machine.
    #[must_use]
    pub fn wall_time(mut self) -> Builder {
        self.options.clock = Clock::Wall;
        self
    }

    /// Takes calls of threads that nobody announced. Before virtual time passes or a deadlock is
    /// reported, a tenth of a second of wall time is waited for one that is not known yet. No
    /// schedule can be kept then.
    #[must_use]
    pub fn any_thread(mut self) -> Builder {
        self.options.threads = Threads::Any;
        self.options.schedule = None;
        self
    }

    /// Threads take turns, one from one call to the next, as `strategy` says: the run depends on
    /// the program and the strategy alone. The program must not wait for other threads by means of
    /// its own, such as a lock, except inside [`Simulation::outside`].
    #[must_use]
    pub fn schedule(mut self, strategy: impl Into<Box<dyn Strategy>>) -> Builder {
        self.options.threads = Threads::Announced;
        self.options.schedule = Some(strategy.into());
        self
    }

    /// Calls that end in a deadlock fail, with [`Error::stopped`](crate::Error::stopped), instead
    /// of panicking.
    #[must_use]
    pub fn deadlocks_fail(mut self) -> Builder {
        self.options.on_deadlock = OnDeadlock::Fail;
        self
    }

    /// Keeps a log from the start, for [`Simulation::log`] and for traces and transcripts.
    #[must_use]
    pub fn recording(mut self) -> Builder {
        self.options.recording = true;
        self
    }

    /// The simulation.
    pub fn build(self) -> Simulation {
        Simulation { host: Host::new(self.options) }
    }
}
