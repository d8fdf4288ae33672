//! Operations on file objects: the lock, the operation itself, its end.
//!
//! The order is the I/O manager's (SYNC-02): handle, access, event reset, lock, file object
//! reset, driver.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use npfs_abi::{
    Access, Completion, Data, Delivery, Handle, HandleStateQuery, Outcome, PipeAttribute, Reply,
    RequestId, SecurityDescriptor, Status, Switch, ThreadId, codes::notification,
};

use crate::file::{File, Lock, Place};
use crate::kernel::{Answer, CLOCK, Effects, Kernel, ok, process_id, thread_id};
use crate::npfs::state::Operation;
use crate::npfs::{DirectoryQuery, Instance, Link};
use crate::port::Binding;
use crate::process::{Life, Object};
use crate::request::{Manner, Request, Settled};
use crate::store::Id;
use crate::thread::{Blocked, ThreadState};
use crate::time::Timer;

/// An operation on a file object, checked and ready for the lock.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Io {
    pub(crate) request: Request,
    pub(crate) op: FileOp,
}

/// What is done with a file object.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum FileOp {
    Read(u32),
    Write(Data),
    Peek(u32),
    Transact(Data, u32),
    Flush,
    Listen,
    Disconnect,
    Info,
    State(HandleStateQuery),
    SetState {
        mode: Option<u32>,
        /// Collection count in bytes and time-out in milliseconds.
        collection: (Option<u32>, Option<u32>),
    },
    Impersonate,
    QuerySecurity(u32, Option<u32>),
    SetSecurity(u32, Arc<SecurityDescriptor>),
    Attribute(PipeAttribute),
    Local,
    Type,
    Close,
    /// `FSCTL_PIPE_PEEK` with this room for the structure.
    PeekRaw(u32),
    /// Any other control code: input and room for output.
    Control(u32, Data, u32),
    /// An information class, its length, and the access of the handle.
    Query(u32, u32, Access),
    Set(u32, Data),
    QueryVolume(u32, u32),
    ObjectName,
    Directory(Box<DirectoryQuery>),
    Watch(u32),
}

impl FileOp {
    /// The row of the state table, where the state has a say.
    pub(crate) fn operation(&self) -> Option<Operation> {
        match self {
            FileOp::Read(_) => Some(Operation::Read),
            FileOp::Write(_) => Some(Operation::Write),
            FileOp::Peek(_) | FileOp::PeekRaw(_) => Some(Operation::Peek),
            FileOp::Transact(..) => Some(Operation::Transact),
            FileOp::Flush => Some(Operation::Flush),
            FileOp::Listen => Some(Operation::Listen),
            FileOp::Disconnect => Some(Operation::Disconnect),
            FileOp::Info | FileOp::State(_) | FileOp::SetState { .. } | FileOp::Local => {
                Some(Operation::Query)
            }
            FileOp::Impersonate => Some(Operation::Impersonate),
            FileOp::QuerySecurity(..) | FileOp::SetSecurity(..) => Some(Operation::Security),
            FileOp::Type
            | FileOp::Close
            | FileOp::Attribute(_)
            | FileOp::Control(..)
            | FileOp::Query(..)
            | FileOp::Set(..)
            | FileOp::QueryVolume(..)
            | FileOp::ObjectName
            | FileOp::Directory(_)
            | FileOp::Watch(_) => None,
        }
    }

    /// Whether the file object's event is reset at the start and set at a good end, on an
    /// overlapped handle too; queries and flushes leave it alone there.
    fn signals(&self, synchronous: bool) -> bool {
        match self {
            FileOp::Read(_)
            | FileOp::Write(_)
            | FileOp::Peek(_)
            | FileOp::Transact(..)
            | FileOp::Listen
            | FileOp::PeekRaw(_)
            | FileOp::Control(..)
            | FileOp::Watch(_)
            | FileOp::Impersonate
            | FileOp::Attribute(_)
            | FileOp::Disconnect => true,
            FileOp::Flush
            | FileOp::Info
            | FileOp::State(_)
            | FileOp::SetState { .. }
            | FileOp::Local
            | FileOp::Query(..)
            | FileOp::Set(..)
            | FileOp::QueryVolume(..)
            | FileOp::ObjectName
            | FileOp::Directory(_)
            | FileOp::QuerySecurity(..)
            | FileOp::SetSecurity(..)
            | FileOp::Type => synchronous,
            FileOp::Close => false,
        }
    }
}

/// How far the driver came.
pub(crate) enum Progress {
    Done(Reply),
    Pends,
}

impl Kernel {
    /// A call on a handle of a file object.
    pub(crate) fn io(
        &mut self,
        id: RequestId,
        handle: Handle,
        rights: Access,
        delivery: &Delivery,
        mut op: FileOp,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let entry = self.entry(id.thread, handle)?;
        let Object::File(file) = entry.object else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let object = &self.files[file];
        let synchronous = object.synchronous;
        if synchronous && *delivery == Delivery::Routine {
            return Err(Status::INVALID_PARAMETER); // SEED-34
        }
        let apc = matches!(delivery, Delivery::Nt { routine: true, .. });
        if (apc || *delivery == Delivery::Routine) && object.port.is_some() {
            return Err(Status::INVALID_PARAMETER); // IOCP-12
        }
        if !entry.access.has(rights) {
            return Err(Status::ACCESS_DENIED);
        }
        let event = match delivery {
            Delivery::Overlapped { event: Some(event), .. }
            | Delivery::Nt { event: Some(event), .. } => Some(self.event(id.thread, *event)?),
            Delivery::Overlapped { event: None, .. }
            | Delivery::Nt { event: None, .. }
            | Delivery::Return
            | Delivery::Routine => None,
        };
        if let Some(event) = event {
            self.events.edit(event).signaled = false; // EVENT-01
        }
        let manner = match (synchronous, delivery) {
            (true, _) => Manner::Locked,
            (false, Delivery::Routine) => Manner::Routine,
            (false, Delivery::Return) if matches!(op, FileOp::Flush) => Manner::Sleeping,
            (false, Delivery::Return | Delivery::Overlapped { .. } | Delivery::Nt { .. }) => {
                Manner::Overlapped
            }
        };
        let packet = match delivery {
            Delivery::Overlapped { quiet, .. } => !quiet, // EVENT-29
            Delivery::Nt { context, routine, .. } => *context && !routine,
            Delivery::Return | Delivery::Routine => false, // IOCP-05
        };
        self.begin(&Request { id, file, event, manner, apc, packet }, &mut op, fx)
    }

    /// Takes the lock of a synchronous file object, or queues for it.
    pub(crate) fn begin(
        &mut self,
        request: &Request,
        op: &mut FileOp,
        fx: &mut Effects<'_>,
    ) -> Answer {
        if request.manner == Manner::Locked {
            if let Some(outcome) = self.lock(request, op) {
                return Ok(outcome);
            }
        }
        Ok(self.start(request, op, fx))
    }

    /// Takes the lock of a synchronous file object; if another has it, the thread queues for it
    /// or, where it may, runs its routines.
    fn lock(&mut self, request: &Request, op: &FileOp) -> Option<Outcome> {
        let Request { id, file, .. } = *request;
        if self.files[file].alertable && self.files[file].lock.is_some() {
            if let Some(reply) = self.run_routines(id.thread) {
                return Some(Outcome::Done(reply)); // SYNC-16
            }
        }
        let object = self.files.edit(file);
        if let Some(lock) = &mut object.lock {
            lock.waiters.push_back(id.thread);
            self.hold(request);
            let io = Io { request: *request, op: op.clone() };
            self.threads.edit(thread_id(id.thread)).state =
                ThreadState::Blocked(Blocked::Lock(Box::new(io)));
            return Some(Outcome::Blocked(id));
        }
        object.lock = Some(Lock { owner: id.thread, waiters: VecDeque::new() });
        None
    }

    /// Objects that a waiting request refers to stay alive.
    fn hold(&mut self, request: &Request) {
        self.files.edit(request.file).requests += 1;
        if let Some(event) = request.event {
            self.events.edit(event).references += 1;
        }
    }

    fn let_go(&mut self, request: &Request) {
        self.files.edit(request.file).requests -= 1;
        if let Some(event) = request.event {
            self.release_event(event);
        }
    }

    /// A thread that was given the lock goes on with its operation.
    pub(crate) fn resume(&mut self, thread: ThreadId, fx: &mut Effects<'_>) {
        let sleeper = self.threads.edit(thread_id(thread));
        let state = core::mem::replace(&mut sleeper.state, ThreadState::Ready);
        let ThreadState::Blocked(Blocked::Lock(io)) = state else {
            unreachable!("only a thread that waits for a lock is given one")
        };
        let Io { request, mut op } = *io;
        if let Outcome::Done(reply) = self.start(&request, &mut op, fx) {
            self.return_to(thread, reply, fx);
        }
        self.let_go(&request);
        self.drop_file(request.file);
    }

    /// Takes a thread out of the queue for a lock; if it had just been given it, the next one is.
    pub(crate) fn leave_lock_queue(&mut self, thread: ThreadId, io: &Io, fx: &mut Effects<'_>) {
        let file = io.request.file;
        if let Some(place) = fx.granted.iter().position(|other| *other == thread) {
            fx.granted.remove(place);
            self.unlock(file, fx);
        } else if let Some(lock) = &mut self.files.edit(file).lock {
            lock.waiters.retain(|waiter| *waiter != thread);
        }
        self.let_go(&io.request);
        if io.op == FileOp::Close {
            self.clean_up(file, fx);
        }
        self.drop_file(file);
    }

    fn unlock(&mut self, file: Id<File>, fx: &mut Effects<'_>) {
        let object = self.files.edit(file);
        if let Some(lock) = &mut object.lock {
            match lock.waiters.pop_front() {
                Some(next) => {
                    lock.owner = next;
                    fx.granted.push_back(next);
                }
                None => object.lock = None,
            }
        }
    }

    /// The operation itself, the lock being held where there is one. Takes the data out of `op`.
    fn start(&mut self, request: &Request, op: &mut FileOp, fx: &mut Effects<'_>) -> Outcome {
        let (file, manner) = (request.file, request.manner);
        let signals = op.signals(manner == Manner::Locked);
        if signals {
            self.files.edit(file).signaled = false; // EVENT-10
        }
        let struck = if fx.faults { self.strike(request, op) } else { Ok(()) };
        let progress = match struck {
            Ok(()) => self.perform(request, op, fx),
            Err(status) => Err(status),
        };
        match progress {
            Ok(Progress::Pends) => {
                self.hold(request);
                if manner == Manner::Locked && self.files[file].alertable {
                    fx.routines = true; // CONNECT-21: one may be queued already.
                }
                match manner {
                    Manner::Locked | Manner::Sleeping => {
                        self.threads.edit(thread_id(request.id.thread)).state =
                            ThreadState::Blocked(Blocked::Request(file));
                        Outcome::Blocked(request.id)
                    }
                    Manner::Overlapped | Manner::Routine => Outcome::Pending(request.id),
                }
            }
            Ok(Progress::Done(reply)) => {
                self.unmark(request.id, fx);
                // EVENT-04: success and warnings tell everybody.
                if let Some(event) = request.event {
                    self.events.edit(event).signaled = true;
                    fx.signaled = true;
                }
                if signals && (request.event.is_none() || manner == Manner::Locked) {
                    self.signal_file(file, fx); // EVENT-11 to EVENT-13
                }
                self.finish(request, reply, op.tells_later(), fx)
            }
            Err(status)
                if matches!(op, FileOp::Transact(..))
                    && manner == Manner::Overlapped
                    && !self.has(Switch::DirectStatus) =>
            {
                // TRANSACT-18: since Windows 8 the failure comes as a completion.
                self.hold(request);
                fx.settled.push(Settled::empty(*request, status));
                Outcome::Pending(request.id)
            }
            // EVENT-05, EVENT-18: a failure at once tells nobody.
            Err(status) => {
                self.unmark(request.id, fx);
                self.finish(request, Reply::status(status), false, fx)
            }
        }
    }

    /// The end of an operation inside its own call.
    fn finish(
        &mut self,
        request: &Request,
        reply: Reply,
        tells_later: bool,
        fx: &mut Effects<'_>,
    ) -> Outcome {
        if !fx.settled.is_empty()
            && (request.apc || request.packet || request.manner == Manner::Routine)
        {
            // WRITE-22: what this operation ended has ended before it, and IOCP-14: packets and
            // routines are in the order of the ends.
            self.settle(fx);
        }
        if request.apc && !reply.status.is_error() {
            self.queue_routine(request.id.thread, request.id, fx); // APC-02
        }
        let later = self.tell_port_at_once(request, &reply, tells_later);
        match request.manner {
            Manner::Overlapped if later => {
                let held = self.holds_block(request);
                fx.caused.push(Completion { request: request.id, wakes: false, held, reply });
                return Outcome::Pending(request.id);
            }
            Manner::Locked => self.unlock(request.file, fx),
            Manner::Routine if !reply.status.is_error() => {
                // APC-02, APC-07: the call succeeds, the routine tells the result.
                self.queue_routine(request.id.thread, request.id, fx);
                fx.caused.push(Completion {
                    request: request.id,
                    wakes: false,
                    held: false,
                    reply,
                });
                return Outcome::Pending(request.id);
            }
            Manner::Routine | Manner::Sleeping | Manner::Overlapped => {}
        }
        Outcome::Done(reply)
    }

    /// The packet of an operation that is over in its own call. Says whether the call must
    /// pretend to pend, as it does since Windows 8 (IOCP-01 to IOCP-08).
    fn tell_port_at_once(&mut self, request: &Request, reply: &Reply, tells_later: bool) -> bool {
        if reply.status.is_error() || request.manner != Manner::Overlapped {
            return false;
        }
        let later = tells_later && !self.has(Switch::DirectStatus);
        if !request.packet || self.files[request.file].port.is_none() {
            return later;
        }
        let skips =
            self.files[request.file].skips & notification::SKIP_COMPLETION_PORT_ON_SUCCESS != 0;
        let warning = reply.status != Status::SUCCESS;
        if skips && !later && (!warning || self.has(Switch::DirectStatus)) {
            return false; // IOCP-06
        }
        self.send_packet(request.file, request.id, reply.status, reply.information);
        later || (skips && warning) // IOCP-07, IOCP-08
    }

    /// Whether only a packet tells the end, and the profile has the status block wait for it.
    fn holds_block(&self, request: &Request) -> bool {
        self.has(Switch::StatusBlockOnRemoval)
            && request.packet
            && request.event.is_none()
            && self.files[request.file].port.is_some()
    }

    /// A routine for a thread.
    pub(crate) fn queue_routine(
        &mut self,
        thread: ThreadId,
        routine: RequestId,
        fx: &mut Effects<'_>,
    ) {
        self.threads.edit(thread_id(thread)).routines.push_back(routine);
        fx.signaled = true;
        fx.routines = true;
    }

    /// Ends every request that is settled so far.
    pub(crate) fn settle(&mut self, fx: &mut Effects<'_>) {
        let mut settled = core::mem::take(&mut fx.settled);
        for one in settled.drain(..) {
            self.complete(one, fx);
        }
        if fx.settled.capacity() == 0 {
            fx.settled = settled;
        }
    }

    /// The end of a request that was pending: status block, event, file object, routine, wake.
    pub(crate) fn complete(&mut self, ended: Settled, fx: &mut Effects<'_>) {
        let ended = if fx.faults { self.postpone(ended) } else { Some(ended) };
        let Some(Settled { request, status, information, data }) = ended else { return };
        let Request { id, file, event, manner, .. } = request;
        if let Some(event) = event {
            self.events.edit(event).signaled = true; // EVENT-07
            fx.signaled = true;
        }
        if manner == Manner::Locked || (event.is_none() && manner != Manner::Sleeping) {
            self.signal_file(file, fx);
        }
        let held = self.holds_block(&request);
        if request.packet {
            self.send_packet(file, id, status, information); // IOCP-02
        }
        self.let_go(&request);
        if manner == Manner::Locked {
            self.unlock(file, fx);
        }
        let reply = Kernel::reply(status, information, data);
        let caller = &self.threads[thread_id(id.thread)];
        let process = &self.processes[process_id(caller.process)];
        let told = process.life == Life::Running; // Else nobody is left to look.
        let alive = caller.state != ThreadState::Exited;
        if request.apc && alive && told {
            self.queue_routine(id.thread, id, fx); // APC-01
        }
        match manner {
            Manner::Locked | Manner::Sleeping if alive => self.return_to(id.thread, reply, fx),
            Manner::Locked | Manner::Sleeping => {}
            Manner::Overlapped | Manner::Routine if told => {
                if manner == Manner::Routine && alive {
                    self.queue_routine(id.thread, id, fx);
                }
                fx.caused.push(Completion { request: id, wakes: false, held, reply });
            }
            Manner::Overlapped | Manner::Routine => {}
        }
        self.drop_file(file);
    }

    /// Frees a file object that nothing refers to any more.
    pub(crate) fn drop_file(&mut self, file: Id<File>) {
        let object = &self.files[file];
        if object.handles == 0 && object.requests == 0 && object.place == Place::Closed {
            if let Some(Binding { port, .. }) = self.files.remove(file).port {
                self.ports.edit(port).files -= 1;
                self.drop_port(port);
            }
        }
    }

    /// Cancels requests on the file object of a handle; says whether there were any.
    pub(crate) fn cancel_io(
        &mut self,
        thread: ThreadId,
        handle: Handle,
        which: &mut dyn FnMut(RequestId) -> bool,
        fx: &mut Effects<'_>,
    ) -> Result<bool, Status> {
        let file = self.file(thread, handle)?;
        Ok(self.cancel_on(file, &mut |request| which(request.id), fx))
    }

    /// Cancels requests on a file object; says whether there were any.
    pub(crate) fn cancel_on(
        &mut self,
        file: Id<File>,
        which: &mut dyn FnMut(&Request) -> bool,
        fx: &mut Effects<'_>,
    ) -> bool {
        let before = fx.settled.len();
        match self.files[file].place {
            Place::At(_, instance) => {
                self.cancel_in(instance, &mut |one| one.file == file && which(one), fx);
            }
            Place::Root | Place::Device | Place::Detached | Place::Closed => {
                self.cancel_at_root(&mut |one| one.file == file && which(one), fx);
            }
        }
        fx.settled.len() > before
    }

    fn cancel_in(
        &mut self,
        instance: Id<Instance>,
        which: &mut dyn FnMut(&Request) -> bool,
        fx: &mut Effects<'_>,
    ) {
        // An instance without such a request is not touched.
        let any = match &self.instances[instance].link {
            Link::Disconnected => false,
            Link::Listening(connects) => connects.iter().any(&mut *which),
            Link::Attached(connection) => {
                let all = connection.inbound.requests().chain(connection.outbound.requests());
                all.map(|(request, _)| request).any(&mut *which)
            }
        };
        if !any {
            return;
        }
        let profile = self.system.profile;
        match &mut self.instances.edit(instance).link {
            Link::Disconnected => {}
            Link::Listening(connects) => connects.retain(|request| {
                let ends = which(request);
                if ends {
                    fx.settled.push(Settled::empty(*request, Status::CANCELLED));
                }
                !ends
            }),
            Link::Attached(connection) => {
                connection.inbound.cancel(which, Status::CANCELLED, profile, &mut fx.settled);
                connection.outbound.cancel(which, Status::CANCELLED, profile, &mut fx.settled);
            }
        }
    }

    /// Cancels requests wherever they are.
    pub(crate) fn cancel_everywhere(
        &mut self,
        which: &mut dyn FnMut(&RequestId) -> bool,
        fx: &mut Effects<'_>,
    ) {
        let instances: Vec<Id<Instance>> = self.instances.iter().map(|(id, _)| id).collect();
        for instance in instances {
            self.cancel_in(instance, &mut |request| which(&request.id), fx);
        }
        self.cancel_at_root(&mut |request| which(&request.id), fx);
    }

    /// `CancelSynchronousIo` (CANCEL-21 to CANCEL-23, OQ-10).
    pub(crate) fn cancel_synchronous_io(
        &mut self,
        thread: ThreadId,
        only: Option<RequestId>,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let sleeper = self.threads.get(thread_id(thread)).ok_or(Status::INVALID_HANDLE)?;
        let id = RequestId { thread, call: sleeper.calls };
        if only.is_some_and(|only| only != id) {
            return Err(Status::NOT_FOUND); // CANCEL-22
        }
        match sleeper.state.clone() {
            ThreadState::Blocked(Blocked::Request(file)) => {
                let found = self.cancel_on(file, &mut |request| request.id == id, fx);
                if found { ok() } else { Err(Status::NOT_FOUND) }
            }
            ThreadState::Blocked(Blocked::Lock(io)) if self.has(Switch::CancelEndsLockWait) => {
                self.leave_lock_queue(thread, &io, fx);
                self.return_to(thread, Reply::status(Status::CANCELLED), fx);
                ok()
            }
            ThreadState::Blocked(Blocked::Name(pipe)) => {
                self.clock.edit(CLOCK).disarm(Timer::Thread(thread));
                self.pipes.edit(pipe).waiters.retain(|waiter| !waiter.is_sleeper(thread));
                self.return_to(thread, Reply::status(Status::CANCELLED), fx);
                ok()
            }
            ThreadState::Blocked(Blocked::Lock(_) | Blocked::Objects(_) | Blocked::Port { .. })
            | ThreadState::Ready
            | ThreadState::Exited => Err(Status::NOT_FOUND),
        }
    }
}
