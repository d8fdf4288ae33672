//! Waits: for objects, for time, for a name.
//!
//! A thread sleeps on one thing. Wait-all takes all or nothing. The oldest waiter is asked first.

use alloc::vec::Vec;

use npfs_abi::{
    Access, Completion, Handle, Outcome, Output, PipeName, ProcessId, Reply, RequestId, Status,
    Switch, Target, ThreadId, Time,
};

use crate::file::File;
use crate::kernel::{Answer, CLOCK, Effects, Kernel, ok, process_id, thread_id};
use crate::npfs::{Link, Pipe, Waiter};
use crate::process::{Life, Object};
use crate::request::Settled;
use crate::store::Id;
use crate::thread::{Blocked, ThreadState, Wait, Waitable};
use crate::time::Timer;

/// `MAXIMUM_WAIT_OBJECTS`
const MAXIMUM_OBJECTS: usize = 64;

impl Kernel {
    pub(crate) fn wait_for_objects(
        &mut self,
        request: RequestId,
        handles: &[Handle],
        all: bool,
        timeout: Option<u32>,
        alertable: bool,
    ) -> Answer {
        if handles.is_empty() || handles.len() > MAXIMUM_OBJECTS {
            return Err(Status::INVALID_PARAMETER);
        }
        let objects: Result<Vec<Waitable>, Status> = handles
            .iter()
            .map(|handle| {
                Ok(match self.entry(request.thread, *handle)?.object {
                    Object::Event(event) => Waitable::Event(event),
                    Object::File(file) => Waitable::File(file),
                    Object::Thread(thread) => Waitable::Thread(thread),
                    Object::Process(process) => Waitable::Process(process),
                    Object::Port(_) => return Err(Status::OBJECT_TYPE_MISMATCH),
                })
            })
            .collect();
        self.wait(request, Wait { objects: objects?, all, alertable }, timeout)
    }

    pub(crate) fn sleep(
        &mut self,
        request: RequestId,
        timeout: Option<u32>,
        alertable: bool,
    ) -> Answer {
        self.wait(request, Wait { objects: Vec::new(), all: false, alertable }, timeout)
    }

    fn wait(&mut self, request: RequestId, wait: Wait, timeout: Option<u32>) -> Answer {
        let thread = request.thread;
        // An object that is signaled already wins over routines: the wait does not begin.
        if let Some(index) = self.satisfied(&wait) {
            self.take(&wait, index);
            return Ok(Outcome::Done(Reply::status(Status::wait(index))));
        }
        if wait.alertable {
            if let Some(reply) = self.run_routines(thread) {
                return Ok(Outcome::Done(reply));
            }
        }
        if timeout == Some(0) {
            return Err(Self::time_is_up(&wait));
        }
        if let Some(timeout) = timeout {
            self.arm(thread, Time::from_millis(u64::from(timeout)));
        }
        for object in &wait.objects {
            match *object {
                Waitable::Event(event) => self.events.edit(event).references += 1,
                Waitable::File(file) => self.files.edit(file).requests += 1,
                Waitable::Thread(_) | Waitable::Process(_) => {}
            }
        }
        self.clock.edit(CLOCK).waiters.push(thread);
        self.threads.edit(thread_id(thread)).state = ThreadState::Blocked(Blocked::Objects(wait));
        Ok(Outcome::Blocked(request))
    }

    /// `WAIT_TIMEOUT` for a wait, plain success for a sleep.
    fn time_is_up(wait: &Wait) -> Status {
        if wait.objects.is_empty() { Status::SUCCESS } else { Status::TIMEOUT }
    }

    pub(crate) fn arm(&mut self, thread: ThreadId, span: Time) {
        let clock = self.clock.edit(CLOCK);
        let deadline = clock.now.after(span);
        clock.arm(deadline, Timer::Thread(thread));
    }

    fn signaled(&self, object: Waitable) -> bool {
        match object {
            Waitable::Event(event) => self.events[event].signaled,
            Waitable::File(file) => self.files[file].signaled,
            Waitable::Thread(thread) => self
                .threads
                .get(thread_id(thread))
                .is_none_or(|found| found.state == ThreadState::Exited),
            Waitable::Process(process) => self
                .processes
                .get(process_id(process))
                .is_none_or(|found| found.life == Life::Exited),
        }
    }

    fn satisfied(&self, wait: &Wait) -> Option<u32> {
        if wait.objects.is_empty() {
            return None;
        }
        if wait.all {
            return wait.objects.iter().all(|object| self.signaled(*object)).then_some(0);
        }
        wait.objects.iter().position(|object| self.signaled(*object)).map(|index| index as u32)
    }

    /// Satisfying a wait resets auto-reset events: the one that counted, or all of them.
    fn take(&mut self, wait: &Wait, index: u32) {
        for (place, object) in wait.objects.iter().enumerate() {
            if let Waitable::Event(event) = *object {
                if (wait.all || place == index as usize) && !self.events[event].manual {
                    self.events.edit(event).signaled = false;
                }
            }
        }
    }

    /// Whether a sleeping thread stands behind others in a queue whose order Windows leaves open:
    /// of those who wait for objects, or for the lock of a synchronous file object (SYNC-18).
    pub fn waits_behind(&self, thread: ThreadId) -> bool {
        let Some(found) = self.threads.get(thread_id(thread)) else { return false };
        match &found.state {
            ThreadState::Blocked(Blocked::Objects(_)) => {
                self.clock[CLOCK].waiters.first().is_some_and(|first| *first != thread)
            }
            ThreadState::Blocked(Blocked::Lock(io)) => {
                let lock = self.files[io.request.file].lock.as_ref();
                let first = lock.and_then(|lock| lock.waiters.front());
                first.is_some_and(|first| *first != thread)
            }
            ThreadState::Blocked(Blocked::Request(_) | Blocked::Name(_) | Blocked::Port { .. })
            | ThreadState::Ready
            | ThreadState::Exited => false,
        }
    }

    /// Moves such a thread to the front of its queue; the others keep their order.
    pub fn put_first(&mut self, thread: ThreadId) {
        if !self.waits_behind(thread) {
            return;
        }
        match self.threads[thread_id(thread)].state.clone() {
            ThreadState::Blocked(Blocked::Objects(_)) => {
                let waiters = &mut self.clock.edit(CLOCK).waiters;
                waiters.retain(|other| *other != thread);
                waiters.insert(0, thread);
            }
            ThreadState::Blocked(Blocked::Lock(io)) => {
                if let Some(lock) = &mut self.files.edit(io.request.file).lock {
                    lock.waiters.retain(|other| *other != thread);
                    lock.waiters.push_front(thread);
                }
            }
            ThreadState::Blocked(Blocked::Request(_) | Blocked::Name(_) | Blocked::Port { .. })
            | ThreadState::Ready
            | ThreadState::Exited => {}
        }
    }

    pub(crate) fn run_routines(&mut self, thread: ThreadId) -> Option<Reply> {
        if self.threads[thread_id(thread)].routines.is_empty() {
            return None;
        }
        let routines = self.threads.edit(thread_id(thread)).routines.drain(..).collect();
        let output = Output::Routines(routines);
        Some(Reply { status: Status::USER_APC, information: 0, output })
    }

    /// Looks at every wait after something was signaled, oldest first.
    pub(crate) fn wake_waiters(&mut self, fx: &mut Effects<'_>) {
        let mut place = 0;
        while let Some(thread) = self.clock[CLOCK].waiters.get(place).copied() {
            let ThreadState::Blocked(Blocked::Objects(wait)) =
                &self.threads[thread_id(thread)].state
            else {
                unreachable!("a waiter waits")
            };
            if let Some(index) = self.satisfied(wait) {
                let wait = wait.clone();
                self.take(&wait, index);
                self.wake(thread, &wait, Reply::status(Status::wait(index)), fx);
            } else if wait.alertable && !self.threads[thread_id(thread)].routines.is_empty() {
                let wait = wait.clone();
                if let Some(reply) = self.run_routines(thread) {
                    self.wake(thread, &wait, reply, fx);
                }
            } else {
                place += 1;
            }
        }
    }

    /// After a routine was queued: threads that wait for packets, or sleep in an operation on an
    /// alertable synchronous file, run theirs if they may.
    pub(crate) fn alert_threads(&mut self, fx: &mut Effects<'_>) {
        let sleepers: Vec<ThreadId> = self
            .threads
            .iter()
            .enumerate()
            .filter(|(_, (_, thread))| !thread.routines.is_empty())
            .map(|(place, _)| ThreadId(place as u32 + 1))
            .collect();
        for thread in sleepers {
            match self.threads[thread_id(thread)].state.clone() {
                ThreadState::Blocked(Blocked::Port { port, alertable: true, .. }) => {
                    self.leave_port(thread, port);
                    self.run_and_return(thread, Status::USER_APC, fx);
                }
                // SYNC-16: the operation is not started.
                ThreadState::Blocked(Blocked::Lock(io))
                    if self.files[io.request.file].alertable =>
                {
                    self.leave_lock_queue(thread, &io, fx);
                    self.run_and_return(thread, Status::USER_APC, fx);
                }
                ThreadState::Blocked(Blocked::Request(file)) if self.files[file].alertable => {
                    self.alert_request(thread, file, fx);
                }
                ThreadState::Blocked(_) | ThreadState::Ready | ThreadState::Exited => {}
            }
        }
    }

    /// CONNECT-21, APC-15: the operation ends cancelled; its own routine is not run.
    fn alert_request(&mut self, thread: ThreadId, file: Id<File>, fx: &mut Effects<'_>) {
        let id = RequestId { thread, call: self.threads[thread_id(thread)].calls };
        let before = fx.settled.len();
        if !self.cancel_on(file, &mut |request| request.id == id, fx) {
            return;
        }
        let mut ended: Vec<Settled> = fx.settled.drain(before..).collect();
        let own = ended.iter().position(|one| one.request.id == id);
        if let Some(mut own) = own.map(|place| ended.remove(place)) {
            own.request.apc = false;
            let told = fx.caused.len();
            self.complete(own, fx);
            if fx.caused.len() > told {
                let routines = self.run_routines(thread);
                if let (Some(returned), Some(routines)) = (fx.caused.get_mut(told), routines) {
                    returned.reply.output = routines.output;
                }
            }
        }
        fx.settled.extend(ended);
    }

    fn run_and_return(&mut self, thread: ThreadId, status: Status, fx: &mut Effects<'_>) {
        if let Some(reply) = self.run_routines(thread) {
            self.return_to(thread, Reply { status, ..reply }, fx);
        }
    }

    /// `QueueUserAPC`: a routine that is named by this very call.
    pub(crate) fn queue_user_apc(
        &mut self,
        request: RequestId,
        thread: ThreadId,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let target = self.threads.get(thread_id(thread)).ok_or(Status::INVALID_HANDLE)?;
        if target.state == ThreadState::Exited {
            return Err(Status::UNSUCCESSFUL);
        }
        self.queue_routine(thread, request, fx);
        ok()
    }

    /// `OpenThread`
    pub(crate) fn open_thread(&mut self, asker: ThreadId, thread: ThreadId) -> Answer {
        if self.threads.get(thread_id(thread)).is_none() {
            return Err(Status::INVALID_PARAMETER);
        }
        self.deal(asker, Object::Thread(thread), Access::SYNCHRONIZE, false)
    }

    /// `OpenProcess`
    pub(crate) fn open_process(&mut self, asker: ThreadId, process: ProcessId) -> Answer {
        let found = self.processes.get(process_id(process));
        if found.is_none_or(|found| found.life == Life::Declared) {
            return Err(Status::INVALID_PARAMETER);
        }
        self.deal(asker, Object::Process(process), Access::SYNCHRONIZE, false)
    }

    fn wake(&mut self, thread: ThreadId, wait: &Wait, reply: Reply, fx: &mut Effects<'_>) {
        self.leave_wait(thread, wait, fx);
        self.return_to(thread, reply, fx);
    }

    /// The thread goes on with `reply` as the answer of the call it slept in.
    pub(crate) fn return_to(&mut self, thread: ThreadId, reply: Reply, fx: &mut Effects<'_>) {
        let sleeper = self.threads.edit(thread_id(thread));
        sleeper.state = ThreadState::Ready;
        let request = RequestId { thread, call: sleeper.calls };
        fx.caused.push(Completion { request, wakes: true, held: false, reply });
    }

    /// Takes a thread out of its wait, its timer and its references.
    pub(crate) fn leave_wait(&mut self, thread: ThreadId, wait: &Wait, _fx: &mut Effects<'_>) {
        let clock = self.clock.edit(CLOCK);
        clock.waiters.retain(|other| *other != thread);
        clock.disarm(Timer::Thread(thread));
        for object in &wait.objects {
            match *object {
                Waitable::Event(event) => self.release_event(event),
                Waitable::File(file) => {
                    self.files.edit(file).requests -= 1;
                    self.drop_file(file);
                }
                Waitable::Thread(_) | Waitable::Process(_) => {}
            }
        }
    }

    /// `WaitNamedPipe` (WAIT-01 to WAIT-17): it reserves nothing.
    pub(crate) fn wait_named_pipe(
        &mut self,
        request: RequestId,
        name: &PipeName,
        timeout: u32,
    ) -> Answer {
        // WAIT-26: slashes become backslashes first.
        let name = &PipeName::new(&name.as_str().replace('/', "\\"));
        let folded = match name.target() {
            Target::Pipe(folded) => {
                self.remote_computer(request.thread, name.target())?;
                folded
            }
            Target::Remote { pipe, .. } => {
                self.remote_computer(request.thread, name.target())?;
                pipe
            }
            Target::Root | Target::Device | Target::Elsewhere => {
                return Err(Status::OBJECT_PATH_SYNTAX_BAD); // WAIT-25
            }
        };
        if name.as_str().starts_with("\\\\?\\") {
            return Err(Status::OBJECT_PATH_SYNTAX_BAD); // WAIT-28
        }
        let pipe =
            *self.namespace.part(folded).pipes.get(folded).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if self.available(pipe) {
            return ok();
        }
        match timeout {
            0 => self.arm(request.thread, self.pipes[pipe].default_timeout),
            u32::MAX => {}
            _ => self.arm(request.thread, Time::from_millis(u64::from(timeout))),
        }
        self.pipes.edit(pipe).waiters.push_back(Waiter::Thread(request));
        self.threads.edit(thread_id(request.thread)).state =
            ThreadState::Blocked(Blocked::Name(pipe));
        Ok(Outcome::Blocked(request))
    }

    /// Whether a wait for the pipe is over: an instance listens, connected or not (WAIT-02).
    pub(crate) fn available(&self, pipe: Id<Pipe>) -> bool {
        let listening = &self.pipes[pipe].listening;
        if !self.has(Switch::WaitNeedsConnect) {
            return !listening.is_empty();
        }
        listening.iter().any(|instance| match &self.instances[*instance].link {
            Link::Listening(connects) => !connects.is_empty(),
            Link::Disconnected | Link::Attached(_) => false,
        })
    }

    /// Ends the waits for a name, oldest first (WAIT-13, WAIT-17).
    pub(crate) fn end_name_waits(&mut self, pipe: Id<Pipe>, status: Status, fx: &mut Effects<'_>) {
        let one = status.is_success() && self.has(Switch::WaitReleasesOne);
        while !self.pipes[pipe].waiters.is_empty() {
            if let Some(waiter) = self.pipes.edit(pipe).waiters.pop_front() {
                self.end_name_wait(pipe, waiter, status, fx);
            }
            if one {
                break;
            }
        }
    }

    /// Ends one wait that is out of the queue already.
    pub(crate) fn end_name_wait(
        &mut self,
        pipe: Id<Pipe>,
        waiter: Waiter,
        status: Status,
        fx: &mut Effects<'_>,
    ) {
        match waiter {
            Waiter::Thread(RequestId { thread, .. }) => {
                self.clock.edit(CLOCK).disarm(Timer::Thread(thread));
                self.return_to(thread, Reply::status(status), fx);
            }
            Waiter::Request(request) => {
                self.clock.edit(CLOCK).disarm(Timer::Request(request.id, pipe));
                fx.settled.push(Settled::empty(request, status));
            }
        }
    }

    /// The time of a request that waits for a name has come; its timer is gone already.
    pub(crate) fn request_time_out(&mut self, id: RequestId, pipe: Id<Pipe>, fx: &mut Effects<'_>) {
        let waiters = &mut self.pipes.edit(pipe).waiters;
        if let Some(place) = waiters.iter().position(|waiter| waiter.id() == id) {
            if let Some(waiter) = waiters.remove(place) {
                self.end_name_wait(pipe, waiter, Status::IO_TIMEOUT, fx);
            }
        }
    }

    /// The time of a sleeping thread has come; its timer is gone already.
    pub(crate) fn time_out(&mut self, thread: ThreadId, fx: &mut Effects<'_>) {
        match self.threads[thread_id(thread)].state.clone() {
            ThreadState::Blocked(Blocked::Objects(wait)) => {
                let status = Self::time_is_up(&wait);
                self.wake(thread, &wait, Reply::status(status), fx);
            }
            ThreadState::Blocked(Blocked::Name(pipe)) => {
                self.pipes.edit(pipe).waiters.retain(|waiter| !waiter.is_sleeper(thread));
                self.return_to(thread, Reply::status(Status::IO_TIMEOUT), fx);
            }
            ThreadState::Blocked(Blocked::Port { port, .. }) => {
                self.leave_port(thread, port);
                self.return_to(thread, Reply::status(Status::TIMEOUT), fx);
            }
            ThreadState::Blocked(Blocked::Request(_) | Blocked::Lock(_))
            | ThreadState::Ready
            | ThreadState::Exited => unreachable!("a timer belongs to a sleeper"),
        }
    }
}
