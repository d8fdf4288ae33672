//! Operations on file objects: the lock, the operation itself, its end.
//!
//! The order is the I/O manager's (SYNC-02): handle, access, event reset, lock, file object
//! reset, driver.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use npfs_abi::{
    Access, Completion, CompletionMode, Configuration, CreateFile, CreateNamedPipe, Data, Delivery,
    End, Handle, HandleState, HandleStateQuery, LocalInfo, Outcome, Output, Peek, PipeInfo,
    PipeState, PipeType, ReadMode, Reply, RequestId, Status, Target, ThreadId, Time,
};

use crate::file::{File, Lock, Place};
use crate::kernel::{Answer, CLOCK, Effects, Kernel, NAMESPACE, done, ok, thread_id};
use crate::npfs::state::{self, Operation, Rule};
use crate::npfs::{Connection, Instance, Link, Modes, Pipe, Queue, Read, Write, Writing};
use crate::process::{Entry, Object};
use crate::request::{Manner, Request, Settled};
use crate::store::Id;
use crate::thread::{Blocked, ThreadState};

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
    SetState { mode: Option<u32>, remote: bool },
    Local,
    Type,
    Close,
}

impl FileOp {
    /// The row of the state table, where the state has a say.
    fn operation(&self) -> Option<Operation> {
        match self {
            FileOp::Read(_) => Some(Operation::Read),
            FileOp::Write(_) => Some(Operation::Write),
            FileOp::Peek(_) => Some(Operation::Peek),
            FileOp::Transact(..) => Some(Operation::Transact),
            FileOp::Flush => Some(Operation::Flush),
            FileOp::Listen => Some(Operation::Listen),
            FileOp::Disconnect => Some(Operation::Disconnect),
            FileOp::Info | FileOp::State(_) | FileOp::SetState { .. } | FileOp::Local => {
                Some(Operation::Query)
            }
            FileOp::Type | FileOp::Close => None,
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
            | FileOp::Disconnect => true,
            FileOp::Flush
            | FileOp::Info
            | FileOp::State(_)
            | FileOp::SetState { .. }
            | FileOp::Local
            | FileOp::Type => synchronous,
            FileOp::Close => false,
        }
    }
}

/// How far the driver came.
enum Progress {
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
        op: FileOp,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let entry = self.entry(id.thread, handle)?;
        let Object::File(file) = entry.object else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let synchronous = self.files[file].synchronous;
        if synchronous && *delivery == Delivery::Routine {
            return Err(Status::INVALID_PARAMETER); // SEED-34
        }
        if !entry.access.has(rights) {
            return Err(Status::ACCESS_DENIED);
        }
        let event = match delivery {
            Delivery::Overlapped { event: Some(event) } => Some(self.event(id.thread, *event)?),
            Delivery::Overlapped { event: None } | Delivery::Return | Delivery::Routine => None,
        };
        if let Some(event) = event {
            self.events.edit(event).signaled = false; // EVENT-01
        }
        let manner = match (synchronous, delivery) {
            (true, _) => Manner::Locked,
            (false, Delivery::Routine) => Manner::Routine,
            (false, Delivery::Return) if op == FileOp::Flush => Manner::Sleeping,
            (false, Delivery::Return | Delivery::Overlapped { .. }) => Manner::Overlapped,
        };
        self.begin(Io { request: Request { id, file, event, manner }, op }, fx)
    }

    /// Takes the lock of a synchronous file object, or queues for it.
    fn begin(&mut self, io: Io, fx: &mut Effects<'_>) -> Answer {
        let Request { id, file, manner, .. } = io.request;
        if manner != Manner::Locked {
            return Ok(self.start(io, fx));
        }
        let object = self.files.edit(file);
        if let Some(lock) = &mut object.lock {
            lock.waiters.push_back(id.thread);
            self.hold(&io.request);
            self.threads.edit(thread_id(id.thread)).state =
                ThreadState::Blocked(Blocked::Lock(Box::new(io)));
            return Ok(Outcome::Blocked(id));
        }
        object.lock = Some(Lock { owner: id.thread, waiters: VecDeque::new() });
        Ok(self.start(io, fx))
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
        let request = io.request;
        if let Outcome::Done(reply) = self.start(*io, fx) {
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

    /// The operation itself, the lock being held where there is one.
    fn start(&mut self, io: Io, fx: &mut Effects<'_>) -> Outcome {
        let request = io.request;
        let Request { id, file, event, manner } = request;
        let signals = io.op.signals(manner == Manner::Locked);
        if signals {
            self.files.edit(file).signaled = false; // EVENT-10
        }
        let transacts = matches!(io.op, FileOp::Transact(..));
        match self.perform(io, fx) {
            Ok(Progress::Pends) => {
                self.hold(&request);
                match manner {
                    Manner::Locked | Manner::Sleeping => {
                        self.threads.edit(thread_id(id.thread)).state =
                            ThreadState::Blocked(Blocked::Request(file));
                        Outcome::Blocked(id)
                    }
                    Manner::Overlapped | Manner::Routine => Outcome::Pending(id),
                }
            }
            Ok(Progress::Done(reply)) => {
                // EVENT-04: success and warnings tell everybody.
                if let Some(event) = event {
                    self.events.edit(event).signaled = true;
                    fx.signaled = true;
                }
                if signals && (event.is_none() || manner == Manner::Locked) {
                    self.files.edit(file).signaled = true; // EVENT-11 to EVENT-13
                    fx.signaled = true;
                }
                self.finish(request, reply, fx)
            }
            Err(status) if transacts && manner == Manner::Overlapped => {
                // TRANSACT-18: since Windows 8 the failure comes as a completion.
                self.hold(&request);
                fx.settled.push(Settled::empty(request, status));
                Outcome::Pending(id)
            }
            // EVENT-05, EVENT-18: a failure at once tells nobody.
            Err(status) => self.finish(request, Reply::status(status), fx),
        }
    }

    /// The end of an operation inside its own call.
    fn finish(&mut self, request: Request, reply: Reply, fx: &mut Effects<'_>) -> Outcome {
        match request.manner {
            Manner::Locked => self.unlock(request.file, fx),
            Manner::Routine if !reply.status.is_error() => {
                // APC-02, APC-07: the call succeeds, the routine tells the result.
                let caller = self.threads.edit(thread_id(request.id.thread));
                caller.routines.push_back(request.id);
                fx.signaled = true;
                fx.caused.push(Completion { request: request.id, wakes: false, reply });
                return Outcome::Pending(request.id);
            }
            Manner::Routine | Manner::Sleeping | Manner::Overlapped => {}
        }
        Outcome::Done(reply)
    }

    /// The end of a request that was pending: status block, event, file object, routine, wake.
    pub(crate) fn complete(&mut self, ended: Settled, fx: &mut Effects<'_>) {
        let Settled { request, status, information, data } = ended;
        let Request { id, file, event, manner } = request;
        if let Some(event) = event {
            self.events.edit(event).signaled = true; // EVENT-07
            fx.signaled = true;
        }
        if manner == Manner::Locked || (event.is_none() && manner != Manner::Sleeping) {
            self.files.edit(file).signaled = true;
            fx.signaled = true;
        }
        self.let_go(&request);
        if manner == Manner::Locked {
            self.unlock(file, fx);
        }
        let reply = Kernel::reply(status, information, data);
        let caller = &self.threads[thread_id(id.thread)];
        if caller.state != ThreadState::Exited {
            match manner {
                Manner::Locked | Manner::Sleeping => self.return_to(id.thread, reply, fx),
                Manner::Overlapped => {
                    fx.caused.push(Completion { request: id, wakes: false, reply });
                }
                Manner::Routine => {
                    self.threads.edit(thread_id(id.thread)).routines.push_back(id);
                    fx.signaled = true;
                    fx.caused.push(Completion { request: id, wakes: false, reply });
                }
            }
        }
        self.drop_file(file);
    }

    /// Frees a file object that nothing refers to any more.
    pub(crate) fn drop_file(&mut self, file: Id<File>) {
        let object = &self.files[file];
        if object.handles == 0 && object.requests == 0 && object.place == Place::Closed {
            self.files.remove(file);
        }
    }

    /// The driver.
    fn perform(&mut self, io: Io, fx: &mut Effects<'_>) -> Result<Progress, Status> {
        let Io { request, op } = io;
        let (end, instance) = match (self.files[request.file].place, op.operation()) {
            (_, None) => {
                return match op {
                    FileOp::Close => {
                        self.clean_up(request.file, fx);
                        Ok(Progress::Done(Reply::ok()))
                    }
                    _ => Ok(Progress::Done(Reply::with(Output::FileType(3)))), // HANDLE-08
                };
            }
            (Place::At(end, instance), Some(operation)) => {
                let found = &self.instances[instance];
                match state::rule(operation, end, found.state()) {
                    Rule::Go => {}
                    Rule::Drain(status) => {
                        if found.connection().is_none_or(|link| link.queue(end).no_data()) {
                            return Err(status);
                        }
                    }
                    Rule::Idle => return Ok(Progress::Done(Reply::ok())),
                    Rule::Fail(status) => return Err(status),
                }
                (end, instance)
            }
            (Place::Detached, Some(operation)) => {
                return match state::rule(operation, End::Client, PipeState::Disconnected) {
                    Rule::Fail(status) | Rule::Drain(status) => Err(status),
                    Rule::Idle => Ok(Progress::Done(Reply::ok())),
                    Rule::Go => Err(Status::PIPE_DISCONNECTED),
                };
            }
            (Place::Closed, Some(_)) => return Err(Status::INVALID_HANDLE),
        };
        match op {
            FileOp::Read(length) => self.read(instance, end, request, length, fx),
            FileOp::Write(data) => self.write(instance, end, request, data, fx),
            FileOp::Peek(length) => Ok(self.peek(instance, end, length)),
            FileOp::Transact(data, length) => {
                self.transact(instance, end, request, data, length, fx)
            }
            FileOp::Flush => Ok(self.flush(instance, end, request)),
            FileOp::Listen => self.listen(instance, request, fx),
            FileOp::Disconnect => {
                self.disconnect(instance, fx);
                Ok(Progress::Done(Reply::ok()))
            }
            FileOp::Info => Ok(Progress::Done(Reply::with(Output::Info(self.info(instance, end))))),
            FileOp::State(query) => {
                if query.collection_count || query.collect_timeout {
                    return Err(Status::INVALID_PARAMETER); // INFO-31
                }
                let modes = self.instances[instance].modes(end);
                Ok(Progress::Done(Reply::with(Output::State(HandleState {
                    read_mode: modes.read,
                    completion_mode: modes.completion,
                    instances: self.pipes[self.instances[instance].pipe].servers.min(255),
                }))))
            }
            FileOp::SetState { mode, remote } => self.set_state(instance, end, mode, remote),
            FileOp::Local => {
                Ok(Progress::Done(Reply::with(Output::Local(self.local(instance, end)))))
            }
            FileOp::Type | FileOp::Close => unreachable!("answered above"),
        }
    }

    fn pipe_of(&self, instance: Id<Instance>) -> &Pipe {
        &self.pipes[self.instances[instance].pipe]
    }

    /// The connection of an instance whose state says that there is one.
    fn connection(&mut self, instance: Id<Instance>) -> &mut Connection {
        match self.instances.edit(instance).connection_mut() {
            Some(connection) => connection,
            None => unreachable!("a connected or closing instance has a connection"),
        }
    }

    fn read(
        &mut self,
        instance: Id<Instance>,
        end: End,
        request: Request,
        length: u32,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        let modes = self.instances[instance].modes(end);
        let queue = self.connection(instance).towards(end);
        match queue.read(length, modes.read, &mut fx.settled) {
            Read::Done(status, data) => {
                let information = data.size();
                Ok(Progress::Done(Kernel::reply(status, information, data)))
            }
            Read::Empty if modes.completion == CompletionMode::Complete => Err(Status::PIPE_EMPTY),
            Read::Empty => {
                queue.pend_read(request, length, modes.read);
                Ok(Progress::Pends)
            }
        }
    }

    fn write(
        &mut self,
        instance: Id<Instance>,
        end: End,
        request: Request,
        data: Data,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        let pipe_type = self.pipe_of(instance).pipe_type;
        let writing = match self.instances[instance].modes(end).completion {
            CompletionMode::Queue => Writing::Wait,
            CompletionMode::Complete => Writing::NoWait,
        };
        let queue = self.connection(instance).towards(end.peer());
        match queue.write(pipe_type, data, writing, request, &mut fx.settled) {
            Write::Done(information) => Ok(Progress::Done(Reply {
                status: Status::SUCCESS,
                information,
                output: Output::None,
            })),
            Write::Stalled => Ok(Progress::Pends),
        }
    }

    fn peek(&mut self, instance: Id<Instance>, end: End, length: u32) -> Progress {
        let pipe_type = self.pipe_of(instance).pipe_type;
        let Some(connection) = self.instances[instance].connection() else {
            unreachable!("a connected or closing instance has a connection")
        };
        let queue = connection.queue(end);
        let data = queue.peek(pipe_type, length);
        let message = match pipe_type {
            PipeType::Message => queue.first(),
            PipeType::Byte => 0,
        };
        // PEEK-15; the Win32 function turns the warning into success (PEEK-16).
        let more = pipe_type == PipeType::Message && data.size() < message;
        let shown = data.size();
        Progress::Done(Reply {
            status: if more { Status::BUFFER_OVERFLOW } else { Status::SUCCESS },
            information: shown,
            output: Output::Peek(Peek {
                data,
                available: queue.unread(),
                left: message.wrapping_sub(shown),
            }),
        })
    }

    /// TRANSACT-20: duplex and message-read, nothing unread, write, wait for the reply.
    fn transact(
        &mut self,
        instance: Id<Instance>,
        end: End,
        request: Request,
        data: Data,
        length: u32,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        let pipe = self.pipe_of(instance);
        let (pipe_type, configuration) = (pipe.pipe_type, pipe.configuration);
        let modes = self.instances[instance].modes(end);
        if configuration != Configuration::Duplex || modes.read != ReadMode::Message {
            return Err(Status::INVALID_PIPE_STATE);
        }
        let connection = self.connection(instance);
        let inward = connection.towards(end);
        if !inward.no_data() || !inward.no_readers() {
            return Err(Status::PIPE_BUSY); // TRANSACT-07, OQ-06
        }
        inward.pend_read(request, length, ReadMode::Message);
        let outward = connection.towards(end.peer());
        outward.write(pipe_type, data, Writing::Transact, request, &mut fx.settled);
        Ok(Progress::Pends)
    }

    fn flush(&mut self, instance: Id<Instance>, end: End, request: Request) -> Progress {
        let queue = self.connection(instance).towards(end.peer());
        if queue.no_data() {
            return Progress::Done(Reply::ok());
        }
        queue.pend_flush(request);
        Progress::Pends
    }

    fn listen(
        &mut self,
        instance: Id<Instance>,
        request: Request,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        let object = self.instances.edit(instance);
        let (pipe, waits) = (object.pipe, object.server_modes.completion == CompletionMode::Queue);
        let fresh = match &mut object.link {
            Link::Listening(connects) => {
                if waits {
                    connects.push(request);
                }
                false
            }
            Link::Disconnected | Link::Attached(_) => {
                object.link =
                    Link::Listening(if waits { Vec::from([request]) } else { Vec::new() });
                true
            }
        };
        if fresh {
            self.pipes.edit(pipe).listening.push_back(instance); // STATE-14
            self.end_name_waits(pipe, Status::SUCCESS, fx);
        }
        if waits { Ok(Progress::Pends) } else { Err(Status::PIPE_LISTENING) }
    }

    fn disconnect(&mut self, instance: Id<Instance>, fx: &mut Effects<'_>) {
        let object = self.instances.edit(instance);
        let pipe = object.pipe;
        match core::mem::replace(&mut object.link, Link::Disconnected) {
            Link::Disconnected => {}
            Link::Listening(connects) => {
                self.end_connects(connects, Status::PIPE_DISCONNECTED, fx);
                self.stop_listening(pipe, instance);
            }
            Link::Attached(mut connection) => {
                connection.inbound.discard(Status::PIPE_DISCONNECTED, &mut fx.settled);
                connection.outbound.discard(Status::PIPE_DISCONNECTED, &mut fx.settled);
                if let Some(client) = connection.client {
                    self.files.edit(client).place = Place::Detached; // STATE-17, DISC-14
                }
            }
        }
    }

    fn end_connects(&mut self, connects: Vec<Request>, status: Status, fx: &mut Effects<'_>) {
        fx.settled.extend(connects.into_iter().map(|request| Settled::empty(request, status)));
    }

    fn stop_listening(&mut self, pipe: Id<Pipe>, instance: Id<Instance>) {
        self.pipes.edit(pipe).listening.retain(|other| *other != instance);
    }

    fn info(&self, instance: Id<Instance>, end: End) -> PipeInfo {
        let pipe = self.pipe_of(instance);
        let object = &self.instances[instance];
        PipeInfo {
            end,
            pipe_type: pipe.pipe_type,
            out_buffer: object.quota_out,
            in_buffer: object.quota_in,
            max_instances: pipe.max_instances.min(CreateNamedPipe::UNLIMITED_INSTANCES),
        }
    }

    fn local(&self, instance: Id<Instance>, end: End) -> LocalInfo {
        let pipe = self.pipe_of(instance);
        let object = &self.instances[instance];
        let idle = object.quota_from(end);
        let (read_data_available, write_quota_available) = match object.connection() {
            None => (0, idle),
            Some(link) => (link.queue(end).unread(), link.queue(end.peer()).available_quota()),
        };
        LocalInfo {
            pipe_type: pipe.pipe_type,
            configuration: pipe.configuration,
            maximum_instances: pipe.max_instances,
            current_instances: pipe.servers,
            inbound_quota: object.quota_in,
            read_data_available,
            outbound_quota: object.quota_out,
            write_quota_available,
            state: object.state(),
            end,
        }
    }

    fn set_state(
        &mut self,
        instance: Id<Instance>,
        end: End,
        mode: Option<u32>,
        remote: bool,
    ) -> Result<Progress, Status> {
        if remote {
            return Err(Status::INVALID_PARAMETER); // INFO-32
        }
        let Some(mode) = mode else { return Ok(Progress::Done(Reply::ok())) };
        if mode & !(CreateNamedPipe::NOWAIT | CreateNamedPipe::READMODE_MESSAGE) != 0 {
            return Err(Status::INVALID_PARAMETER); // INFO-26
        }
        let wanted = modes_of(mode);
        if wanted.read == ReadMode::Message && self.pipe_of(instance).pipe_type == PipeType::Byte {
            return Err(Status::INVALID_PARAMETER); // INFO-22
        }
        let object = &self.instances[instance];
        let now = object.modes(end);
        if now.completion == CompletionMode::Queue && wanted.completion == CompletionMode::Complete
        {
            // INFO-34; a peer's pending read is no hindrance (INFO-35).
            let busy = object.connection().is_some_and(|link| {
                !link.queue(end.peer()).no_data() || !link.queue(end).no_readers()
            });
            if busy {
                return Err(Status::PIPE_BUSY);
            }
        }
        if let Some(modes) = self.instances.edit(instance).modes_mut(end) {
            *modes = wanted;
        }
        Ok(Progress::Done(Reply::ok()))
    }

    /// `CreateNamedPipe`: the Win32 checks, then those of the file system.
    pub(crate) fn create_named_pipe(
        &mut self,
        thread: ThreadId,
        arguments: &CreateNamedPipe,
        fx: &mut Effects<'_>,
    ) -> Answer {
        const PASSED_ACCESS: u32 = 0x010C_0000; // WRITE_DAC, WRITE_OWNER, ACCESS_SYSTEM_SECURITY
        let CreateNamedPipe { open_mode, pipe_mode, max_instances, .. } = *arguments;
        let message = pipe_mode & CreateNamedPipe::TYPE_MESSAGE != 0;
        let reads_messages = pipe_mode & CreateNamedPipe::READMODE_MESSAGE != 0;
        if max_instances == 0 || max_instances > CreateNamedPipe::UNLIMITED_INSTANCES {
            return Err(Status::INVALID_PARAMETER); // CREATE-01
        }
        if (reads_messages && !message) || pipe_mode & !15 != 0 {
            return Err(Status::INVALID_PARAMETER); // CREATE-03
        }
        let (configuration, access) = match open_mode & CreateNamedPipe::ACCESS_DUPLEX {
            CreateNamedPipe::ACCESS_INBOUND => (Configuration::Inbound, Access::FILE_GENERIC_READ),
            CreateNamedPipe::ACCESS_OUTBOUND => {
                (Configuration::Outbound, Access::FILE_GENERIC_WRITE)
            }
            CreateNamedPipe::ACCESS_DUPLEX => {
                (Configuration::Duplex, Access::FILE_GENERIC_READ.with(Access::FILE_GENERIC_WRITE))
            }
            _ => return Err(Status::INVALID_PARAMETER), // CREATE-04
        };
        let Target::Pipe(folded) = arguments.name.target() else {
            return Err(Status::OBJECT_NAME_INVALID); // NAME-01, NAME-03
        };
        let known = self.namespace[NAMESPACE].pipes.get(folded).copied();
        let (pipe, information) = match known {
            Some(pipe) => {
                let found = &self.pipes[pipe];
                if found.servers >= found.max_instances {
                    return Err(Status::INSTANCE_NOT_AVAILABLE); // CREATE-33
                }
                if open_mode & CreateNamedPipe::FIRST_INSTANCE != 0 {
                    return Err(Status::ACCESS_DENIED); // CREATE-44
                }
                if found.configuration != configuration {
                    return Err(Status::ACCESS_DENIED); // CREATE-34
                }
                (pipe, 1)
            }
            None => {
                let timeout = match arguments.default_timeout {
                    0 => 50, // CREATE-05
                    timeout => timeout,
                };
                let pipe = self.pipes.insert(Pipe {
                    name: Some(folded.clone()),
                    pipe_type: if message { PipeType::Message } else { PipeType::Byte },
                    configuration,
                    max_instances: match max_instances {
                        CreateNamedPipe::UNLIMITED_INSTANCES => u32::MAX, // CREATE-02
                        limit => limit,
                    },
                    default_timeout: Time::from_millis(u64::from(timeout)),
                    servers: 0,
                    members: 0,
                    listening: VecDeque::new(),
                    waiters: VecDeque::new(),
                });
                self.namespace.edit(NAMESPACE).pipes.insert(folded.clone(), pipe);
                (pipe, 2)
            }
        };
        let mut modes = modes_of(pipe_mode);
        if self.pipes[pipe].pipe_type == PipeType::Byte {
            modes.read = ReadMode::Byte; // CREATE-41: the first instance made the type.
        }
        let synchronous = open_mode & CreateNamedPipe::OVERLAPPED == 0;
        let file = self.add_instance(
            pipe,
            modes,
            thread,
            (arguments.in_buffer, arguments.out_buffer),
            synchronous,
        );
        self.end_name_waits(pipe, Status::SUCCESS, fx); // WAIT-10
        let access = access.with(Access(open_mode & PASSED_ACCESS));
        let entry = Entry { object: Object::File(file), access, inherit: arguments.inherit };
        let process = self.process_of(thread);
        let output = Output::Handle(self.deal_in(process, entry));
        Ok(Outcome::Done(Reply { status: Status::SUCCESS, information, output }))
    }

    /// A new listening instance and the file object of its server end.
    fn add_instance(
        &mut self,
        pipe: Id<Pipe>,
        modes: Modes,
        thread: ThreadId,
        (quota_in, quota_out): (u32, u32),
        synchronous: bool,
    ) -> Id<File> {
        let server_process = self.process_of(thread);
        let instance = self.instances.insert(Instance {
            pipe,
            server: None,
            server_modes: modes,
            server_process,
            quota_in,
            quota_out,
            link: Link::Listening(Vec::new()),
        });
        let file = self.add_file(Place::At(End::Server, instance), synchronous);
        self.instances.edit(instance).server = Some(file);
        let object = self.pipes.edit(pipe);
        object.servers += 1;
        object.members += 1;
        object.listening.push_back(instance);
        file
    }

    fn add_file(&mut self, place: Place, synchronous: bool) -> Id<File> {
        // EVENT-09: a new file object is signaled.
        self.files.insert(File {
            place,
            synchronous,
            signaled: true,
            lock: None,
            handles: 0,
            requests: 0,
        })
    }

    /// `CreateFile` (OPEN-01 to OPEN-18).
    pub(crate) fn open_pipe(
        &mut self,
        thread: ThreadId,
        arguments: &CreateFile,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let folded = match arguments.name.target() {
            Target::Pipe(folded) => folded,
            // Handles to the root and to the device are not modelled.
            Target::Root | Target::Device => return Err(Status::NOT_SUPPORTED),
            Target::Elsewhere => return Err(Status::OBJECT_NAME_NOT_FOUND),
        };
        let pipe =
            *self.namespace[NAMESPACE].pipes.get(folded).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        // CREATE-53: CreateFile always asks for these two.
        let access =
            arguments.access.mapped().with(Access::SYNCHRONIZE).with(Access::READ_ATTRIBUTES);
        let (inbound, outbound) = self.pipes[pipe].allows();
        if (access.has(Access::READ_DATA) && !outbound)
            || (access.has(Access::WRITE_DATA) && !inbound)
        {
            return Err(Status::ACCESS_DENIED); // OPEN-05, OPEN-06
        }
        let Some(instance) = self.pipes.edit(pipe).listening.pop_front() else {
            return Err(Status::PIPE_NOT_AVAILABLE); // OPEN-02
        };
        let synchronous = arguments.flags & CreateFile::OVERLAPPED == 0;
        let client = self.attach_client(instance, thread, synchronous, fx);
        let entry = Entry { object: Object::File(client), access, inherit: arguments.inherit };
        let process = self.process_of(thread);
        let output = Output::Handle(self.deal_in(process, entry));
        Ok(Outcome::Done(Reply { status: Status::SUCCESS, information: 1, output }))
    }

    fn attach_client(
        &mut self,
        instance: Id<Instance>,
        thread: ThreadId,
        synchronous: bool,
        fx: &mut Effects<'_>,
    ) -> Id<File> {
        let client = self.add_file(Place::At(End::Client, instance), synchronous);
        let client_process = self.process_of(thread);
        let object = self.instances.edit(instance);
        let connection = Connection {
            client: Some(client),
            client_modes: Modes::FRESH,
            client_process,
            inbound: Queue::new(object.quota_in),
            outbound: Queue::new(object.quota_out),
        };
        if let Link::Listening(connects) =
            core::mem::replace(&mut object.link, Link::Attached(connection))
        {
            self.end_connects(connects, Status::SUCCESS, fx); // STATE-03
        }
        client
    }

    /// `CreatePipe` (ANON-01 to ANON-07): the read end is the server.
    pub(crate) fn create_pipe(&mut self, thread: ThreadId, size: u32, inherit: bool) -> Answer {
        const READ_END: Access = Access(0x12_0189);
        const WRITE_END: Access = Access(0x12_0196);
        let quota = if size == 0 { 4096 } else { size };
        let pipe = self.pipes.insert(Pipe {
            name: None,
            pipe_type: PipeType::Byte,
            configuration: Configuration::Duplex,
            max_instances: 1,
            default_timeout: Time::from_millis(120_000),
            servers: 0,
            members: 0,
            listening: VecDeque::new(),
            waiters: VecDeque::new(),
        });
        let server = self.add_instance(pipe, Modes::FRESH, thread, (quota, quota), true);
        let Some(instance) = self.pipes.edit(pipe).listening.pop_front() else {
            unreachable!("the instance was just added")
        };
        let mut nobody = Vec::new();
        let mut fx = Effects {
            caused: &mut nobody,
            settled: Vec::new(),
            granted: VecDeque::new(),
            signaled: false,
        };
        let client = self.attach_client(instance, thread, true, &mut fx);
        let process = self.process_of(thread);
        let entry = |file, access| Entry { object: Object::File(file), access, inherit };
        let read = self.deal_in(process, entry(server, READ_END));
        let write = self.deal_in(process, entry(client, WRITE_END));
        done(Output::Handles(read, write))
    }

    /// The last handle of a file object is gone; a synchronous one is closed under its lock,
    /// so the close waits for an operation that is blocked on it (CLOSE-18).
    pub(crate) fn close_file(
        &mut self,
        id: RequestId,
        file: Id<File>,
        fx: &mut Effects<'_>,
    ) -> Answer {
        if self.files[file].lock.is_none() {
            self.clean_up(file, fx);
            self.drop_file(file);
            return ok();
        }
        let request = Request { id, file, event: None, manner: Manner::Locked };
        self.begin(Io { request, op: FileOp::Close }, fx)
    }

    /// Closes the end that a file object is (CLOSE-01 to CLOSE-15).
    pub(crate) fn clean_up(&mut self, file: Id<File>, fx: &mut Effects<'_>) {
        let place = core::mem::replace(&mut self.files.edit(file).place, Place::Closed);
        let Place::At(end, instance) = place else { return };
        let object = self.instances.edit(instance);
        let pipe = object.pipe;
        match end {
            End::Server => object.server = None,
            End::Client => {
                if let Some(connection) = object.connection_mut() {
                    connection.client = None;
                }
            }
        }
        let gone = match &mut object.link {
            Link::Disconnected => true,
            Link::Listening(connects) => {
                let connects = core::mem::take(connects);
                self.end_connects(connects, Status::PIPE_BROKEN, fx); // CONNECT-18
                self.stop_listening(pipe, instance);
                true
            }
            Link::Attached(connection) => {
                // What came to the closed end is gone with its own reads, the peer's stalled
                // writes and flushes; what it sent stays readable.
                connection.towards(end).discard(Status::PIPE_BROKEN, &mut fx.settled);
                connection.towards(end.peer()).end_readers(Status::PIPE_BROKEN, &mut fx.settled);
                let gone = object.server.is_none()
                    && object.connection().is_some_and(|link| link.client.is_none());
                if gone {
                    let connection = self.connection(instance);
                    connection.towards(end.peer()).discard(Status::PIPE_BROKEN, &mut fx.settled);
                }
                gone
            }
        };
        if gone {
            self.instances.remove(instance);
            self.pipes.edit(pipe).members -= 1;
        }
        if end == End::Server {
            let object = self.pipes.edit(pipe);
            object.servers -= 1;
            if object.servers == 0 {
                // CLOSE-13: the name is free at once.
                if let Some(name) = object.name.take() {
                    self.namespace.edit(NAMESPACE).pipes.remove(&name);
                }
                self.end_name_waits(pipe, Status::OBJECT_NAME_NOT_FOUND, fx); // WAIT-15
            }
        }
        if self.pipes[pipe].members == 0 {
            self.pipes.remove(pipe);
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
        let Place::At(_, instance) = self.files[file].place else { return Ok(false) };
        let before = fx.settled.len();
        self.cancel_in(instance, &mut |request| request.file == file && which(request.id), fx);
        Ok(fx.settled.len() > before)
    }

    fn cancel_in(
        &mut self,
        instance: Id<Instance>,
        which: &mut dyn FnMut(&Request) -> bool,
        fx: &mut Effects<'_>,
    ) {
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
                connection.inbound.cancel(which, Status::CANCELLED, &mut fx.settled);
                connection.outbound.cancel(which, Status::CANCELLED, &mut fx.settled);
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
    }

    /// `CancelSynchronousIo` (CANCEL-21 to CANCEL-23, OQ-10).
    pub(crate) fn cancel_synchronous_io(
        &mut self,
        thread: ThreadId,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let sleeper = self.threads.get(thread_id(thread)).ok_or(Status::INVALID_HANDLE)?;
        let calls = sleeper.calls;
        match &sleeper.state {
            ThreadState::Blocked(Blocked::Request(file)) => {
                let Place::At(_, instance) = self.files[*file].place else {
                    return Err(Status::NOT_FOUND);
                };
                let id = RequestId { thread, call: calls };
                self.cancel_in(instance, &mut |request| request.id == id, fx);
                ok()
            }
            ThreadState::Blocked(Blocked::Name(pipe)) => {
                let pipe = *pipe;
                self.clock.edit(CLOCK).disarm(thread);
                self.pipes.edit(pipe).waiters.retain(|waiter| waiter.thread != thread);
                self.return_to(thread, Reply::status(Status::CANCELLED), fx);
                ok()
            }
            ThreadState::Blocked(Blocked::Lock(_) | Blocked::Objects(_))
            | ThreadState::Ready
            | ThreadState::Exited => Err(Status::NOT_FOUND),
        }
    }
}

/// The modes in `dwPipeMode` or `*lpMode`.
fn modes_of(mode: u32) -> Modes {
    Modes {
        read: if mode & CreateNamedPipe::READMODE_MESSAGE == 0 {
            ReadMode::Byte
        } else {
            ReadMode::Message
        },
        completion: if mode & CreateNamedPipe::NOWAIT == 0 {
            CompletionMode::Queue
        } else {
            CompletionMode::Complete
        },
    }
}
