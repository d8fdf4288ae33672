//! A simulated process: what its threads can do without a pipe in hand.

use std::fmt;
use std::time::Duration;

use npfs_abi::{
    Call, Composite, Handle, Outcome, Output, PipeName, ProcessId, Reply, Status, Token,
};
use npfs_host::{Announced, Error, Host, JoinHandle};

use crate::handle::{OwnedHandle, Waitable};
use crate::pipe::{PipeEnd, Received};

/// A process of a simulation. Clones are the same process.
///
/// Every call is made as the calling thread; what it opens belongs to the process and closes when
/// it is dropped.
#[derive(Clone)]
pub struct Process {
    host: Host,
    id: ProcessId,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process({})", self.name())
    }
}

/// How long `WaitNamedPipe` and `CallNamedPipe` wait for an instance to listen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PipeTimeout {
    /// `NMPWAIT_USE_DEFAULT_WAIT`: as long as the pipe was created with.
    #[default]
    Default,
    /// `NMPWAIT_WAIT_FOREVER`
    Forever,
    /// So long, in whole milliseconds, rounded up; at least 1 ms.
    After(Duration),
}

impl PipeTimeout {
    fn milliseconds(self) -> u32 {
        match self {
            PipeTimeout::Default => 0,
            PipeTimeout::Forever => u32::MAX,
            PipeTimeout::After(span) => milliseconds(span).max(1),
        }
    }
}

/// Whole milliseconds, rounded up, short of `INFINITE`.
pub(crate) fn milliseconds(span: Duration) -> u32 {
    let exact = span.as_nanos().div_ceil(1_000_000);
    exact.min(u128::from(u32::MAX - 1)) as u32
}

impl Process {
    pub(crate) fn new(host: Host, id: ProcessId) -> Process {
        Process { host, id }
    }

    /// The process that the calling thread has entered last: with [`Process::enter`], or by being
    /// started with [`Process::spawn`].
    pub fn current() -> Option<Process> {
        Host::entered().map(|(host, id)| Process { host, id })
    }

    /// Its number; also its process id.
    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// Its name in reports.
    pub fn name(&self) -> String {
        self.host.process_name(self.id).to_string()
    }

    /// The host below, for facades.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Starts a thread in it. When the thread ends, its requests are cancelled, as on Windows.
    ///
    /// # Panics
    /// When the system cannot start a thread.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        self.host.spawn(self.id, name, work)
    }

    /// Announces a thread that something else will start, such as a scope of std: whoever carries
    /// the result into a thread and runs it there is a thread of this process.
    pub fn announce(&self, name: &str) -> Announced {
        self.host.announce(self.id, name)
    }

    /// Runs `work` with this process as [`Process::current`].
    pub fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        self.host.enter(self.id, work)
    }

    /// Any call of the kernel, in Windows' own numbers.
    ///
    /// # Errors
    /// That the simulation has stopped. A failing call is an answer.
    pub fn call(&self, call: &Call) -> Result<Outcome, Error> {
        self.host.call(self.id, call).map_err(Error::from)
    }

    /// A call that does not pend; errors of the call are errors, warnings are not.
    pub(crate) fn ask(&self, call: &Call) -> Result<Reply, Error> {
        answered(self.call(call)?)
    }

    pub(crate) fn composite(&self, composite: Composite) -> Result<Reply, Error> {
        answered(self.host.composite(self.id, composite)?)
    }

    pub(crate) fn handle_from(&self, call: &Call) -> Result<(OwnedHandle, u32), Error> {
        let reply = self.ask(call)?;
        match reply.output {
            Output::Handle(handle) => Ok((self.own(handle), reply.information)),
            _ => Err(Status::INVALID_HANDLE.into()),
        }
    }

    pub(crate) fn own(&self, handle: Handle) -> OwnedHandle {
        OwnedHandle::new(self.clone(), handle)
    }

    /// `WaitNamedPipe`: waits until an instance of the pipe listens. It reserves nothing: another
    /// client may take the instance first (RACE-03).
    ///
    /// # Errors
    /// 2 without such a pipe; 121 when the time is over.
    pub fn wait_named_pipe(&self, path: &str, timeout: PipeTimeout) -> Result<(), Error> {
        let name = PipeName::new(path);
        self.ask(&Call::WaitNamedPipe { name, timeout: timeout.milliseconds() }).map(|_| ())
    }

    /// `CallNamedPipe`: opens a message pipe, or waits and opens it; writes `request`; reads one
    /// message of at most `length` bytes; closes.
    ///
    /// # Errors
    /// 2 without such a pipe; 231 or 121 when none listened; whatever the open, write or read
    /// fail with.
    pub fn call_named_pipe(
        &self,
        path: &str,
        request: &[u8],
        length: u32,
        timeout: PipeTimeout,
    ) -> Result<Received, Error> {
        let composite = Composite::CallNamedPipe {
            name: PipeName::new(path),
            data: request.into(),
            length,
            timeout: timeout.milliseconds(),
        };
        Received::of(self.composite(composite)?)
    }

    /// `CreatePipe`: the read end and the write end of an anonymous pipe with a quota of `size`
    /// bytes; 0 is 4096.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn create_pipe(&self, size: u32) -> Result<(PipeEnd, PipeEnd), Error> {
        match self.ask(&Call::CreatePipe { size, inherit: false })?.output {
            Output::Handles(read, write) => {
                Ok((PipeEnd::new(self.own(read)), PipeEnd::new(self.own(write))))
            }
            _ => Err(Status::INVALID_HANDLE.into()),
        }
    }

    /// The names in `\\.\pipe\` that fit a pattern of `*` and `?`, in the order of the listing
    /// (`FindFirstFile`).
    ///
    /// # Errors
    /// 2 when no name fits.
    pub fn pipes(&self, pattern: &str) -> Result<Vec<String>, Error> {
        let pattern = PipeName::new(&format!(r"\\.\pipe\{pattern}"));
        match self.composite(Composite::FindFiles { pattern })?.output {
            Output::Names(names) => Ok(names),
            _ => Ok(Vec::new()),
        }
    }

    /// `GetFileAttributes` on a path: a real open and close, which takes an instance for a moment
    /// (OPEN-19).
    ///
    /// # Errors
    /// 2 without such a pipe; 231 when no instance listens.
    pub fn probe(&self, path: &str) -> Result<(), Error> {
        self.composite(Composite::GetFileAttributes { name: PipeName::new(path) }).map(|_| ())
    }

    /// `Sleep`, in the time of the simulation.
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn sleep(&self, span: Duration) -> Result<(), Error> {
        let timeout = Some(milliseconds(span));
        self.ask(&Call::Sleep { timeout, alertable: false }).map(|_| ())
    }

    /// `WaitForMultipleObjects` for any of 1 to 64 objects: which one, or `None` when `timeout` is
    /// over first.
    ///
    /// # Errors
    /// 87 for a wrong number of objects.
    pub fn wait_any(
        &self,
        objects: &[&dyn Waitable],
        timeout: Option<Duration>,
    ) -> Result<Option<usize>, Error> {
        let status = self.wait(objects, false, timeout)?;
        Ok((status != Status::TIMEOUT).then_some(status.0 as usize))
    }

    /// `WaitForMultipleObjects` for all of 1 to 64 objects at once; `false` when `timeout` is over
    /// first.
    ///
    /// # Errors
    /// 87 for a wrong number of objects.
    pub fn wait_all(
        &self,
        objects: &[&dyn Waitable],
        timeout: Option<Duration>,
    ) -> Result<bool, Error> {
        Ok(self.wait(objects, true, timeout)? != Status::TIMEOUT)
    }

    fn wait(
        &self,
        objects: &[&dyn Waitable],
        all: bool,
        timeout: Option<Duration>,
    ) -> Result<Status, Error> {
        let handles = objects.iter().map(|object| object.wait_handle()).collect();
        let timeout = timeout.map(milliseconds);
        let call = Call::WaitForObjects { handles, all, timeout, alertable: false };
        Ok(self.ask(&call)?.status)
    }

    /// As whom the calling thread acts (`OpenThreadToken`, else the process' token).
    ///
    /// # Errors
    /// That the simulation has stopped.
    pub fn token(&self) -> Result<Token, Error> {
        match self.ask(&Call::GetThreadToken)?.output {
            Output::Token(token) => Ok(*token),
            _ => Err(Status::CANNOT_IMPERSONATE.into()),
        }
    }

    /// `TerminateProcess`: cancels its requests and closes its handles. Threads that sleep in it
    /// are ended.
    ///
    /// # Errors
    /// 6 when it has ended already.
    pub fn terminate(&self, other: &Process) -> Result<(), Error> {
        self.ask(&Call::TerminateProcess { process: Some(other.id) }).map(|_| ())
    }
}

/// The end of a call that did not pend.
pub(crate) fn answered(outcome: Outcome) -> Result<Reply, Error> {
    match outcome {
        Outcome::Done(reply) if reply.status.is_error() => Err(reply.status.into()),
        Outcome::Done(reply) => Ok(reply),
        Outcome::Pending(_) | Outcome::Blocked(_) => Ok(Reply::status(Status::PENDING)),
    }
}
