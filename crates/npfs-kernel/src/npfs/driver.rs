//! The driver: what each operation does to an end of an instance.
//!
//! The state table has the first word ([`state`]); queues do the data; the caller in
//! [`crate::io`] tells the end.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use npfs_abi::{
    CompletionMode, Configuration, CreateNamedPipe, Data, End, HandleState, HandleStateQuery,
    LocalInfo, Output, Peek, PipeInfo, PipeState, PipeType, ReadMode, Reply, Status, Switch,
    ThreadId, Token,
};

use super::directory::Change;
use super::fsctl::refused_at_root;
use super::information::query_volume;
use super::lifetime::modes_of;
use super::state::{self, Rule};
use super::{Connection, Instance, Link, Pipe, Read, Source, Write, Writing};
use crate::file::Place;
use crate::io::{FileOp, Progress};
use crate::kernel::{Effects, FILE_TYPE_PIPE, Kernel};
use crate::request::Request;
use crate::store::Id;

impl Kernel {
    /// The driver. Takes the data out of `op`.
    pub(crate) fn perform(
        &mut self,
        request: &Request,
        op: &mut FileOp,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        let place = self.files[request.file].place;
        self.send_before(place, op, fx);
        let (end, instance) = match (place, op.operation()) {
            (_, None) => return self.perform_anywhere(*request, op, fx),
            (Place::At(end, instance), Some(operation)) => {
                let found = &self.instances[instance];
                match state::rule(operation, end, found.state()) {
                    Rule::Go if self.refuses_listening(op, found) => {
                        return Err(Status::PIPE_LISTENING);
                    }
                    Rule::Go => {}
                    Rule::Drain(status) => {
                        if matches!(op, FileOp::Read(_)) {
                            self.pipes[found.pipe].check_direction(end)?; // READ-47
                        }
                        if found.connection().is_none_or(|link| link.queue(end).no_data()) {
                            return Err(status);
                        }
                    }
                    Rule::Idle => return Ok(Progress::Done(Reply::ok())),
                    Rule::Fail(status) => {
                        self.refused(instance, op, status);
                        return Err(status);
                    }
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
            (Place::Device | Place::Root, Some(operation)) => {
                return Err(refused_at_root(operation));
            }
        };
        match *op {
            FileOp::Read(length) => self.read(instance, end, request, length, fx),
            FileOp::Write(ref mut data) => {
                self.write(instance, end, request, core::mem::take(data), fx)
            }
            FileOp::Peek(length) => Ok(self.peek(instance, end, length)),
            FileOp::PeekRaw(length) => self.peek_raw(instance, end, length),
            FileOp::Transact(ref mut data, length) => {
                self.transact(instance, end, *request, core::mem::take(data), length, fx)
            }
            FileOp::Flush => Ok(self.flush(instance, end, *request)),
            FileOp::Listen => self.listen(instance, *request, fx),
            FileOp::Disconnect => {
                self.disconnect(instance, fx);
                Ok(Progress::Done(Reply::ok()))
            }
            FileOp::Info => Ok(Progress::Done(Reply::with(Output::Info(self.info(instance, end))))),
            FileOp::Impersonate => self.perform_impersonate(instance, request.id.thread),
            FileOp::QuerySecurity(information, length) => {
                Ok(self.perform_query_security(instance, information, length))
            }
            FileOp::SetSecurity(information, ref descriptor) => {
                Ok(self.perform_set_security(instance, information, descriptor))
            }
            FileOp::State(query) => self.handle_state(instance, end, query, *request),
            FileOp::SetState { mode, collection } => {
                let progress = self.set_state(instance, end, mode, collection)?;
                if mode.is_some() {
                    self.tell_watchers(Change::Modes, fx); // DIR-14
                }
                Ok(progress)
            }
            FileOp::Local => {
                Ok(Progress::Done(Reply::with(Output::Local(self.local(instance, end)))))
            }
            FileOp::Type
            | FileOp::Attribute(_)
            | FileOp::Close
            | FileOp::Control(..)
            | FileOp::Query(..)
            | FileOp::Set(..)
            | FileOp::QueryVolume(..)
            | FileOp::ObjectName
            | FileOp::Directory(_)
            | FileOp::Watch(_) => unreachable!("answered above"),
        }
    }

    /// The operations on which the state of an instance has no say.
    fn perform_anywhere(
        &mut self,
        request: Request,
        op: &FileOp,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        match *op {
            FileOp::Close => {
                self.clean_up(request.file, fx);
                Ok(Progress::Done(Reply::ok()))
            }
            FileOp::Control(code, ref input, length) => self.control(request, code, input, length),
            FileOp::Query(class, length, access) => self.query(request.file, class, length, access),
            FileOp::Set(class, ref input) => self.set(request, class, input, fx),
            FileOp::QueryVolume(class, length) => query_volume(class, length),
            FileOp::ObjectName => self.object_name(request.file),
            FileOp::Attribute(attribute) => self
                .connection_attribute(request.file, attribute)
                .map(|output| Progress::Done(Reply::with(output))),
            FileOp::Directory(ref query) => self.list(request.file, query),
            FileOp::Watch(filter) => self.watch(request, filter),
            _ => Ok(Progress::Done(Reply::with(Output::FileType(FILE_TYPE_PIPE)))), // HANDLE-08
        }
    }

    /// OQ-01: as Wine, where the profile says so (DISC-09).
    fn refuses_listening(&self, op: &FileOp, instance: &Instance) -> bool {
        matches!(op, FileOp::Disconnect)
            && instance.state() == PipeState::Listening
            && self.has(Switch::DisconnectRefusesListening)
    }

    /// OQ-16: a listen that finds its client may drop the context too.
    fn refused(&mut self, instance: Id<Instance>, op: &FileOp, status: Status) {
        let drops = matches!(op, FileOp::Listen) && status == Status::PIPE_CONNECTED;
        if drops && self.has(Switch::RefusedListenDropsContext) {
            let connection = self.connection(instance);
            connection.opener = None;
            connection.inbound.drop_context();
        }
    }

    /// A remote client that does more than write sends first what it has collected.
    fn send_before(&mut self, place: Place, op: &FileOp, fx: &mut Effects<'_>) {
        let Place::At(End::Client, instance) = place else { return };
        let sends = matches!(
            op,
            FileOp::Read(_)
                | FileOp::Peek(_)
                | FileOp::PeekRaw(_)
                | FileOp::Transact(..)
                | FileOp::Flush
        );
        if sends && self.instances[instance].connection().is_some_and(|link| link.remote.is_some())
        {
            self.deliver_collected(instance, fx);
        }
    }

    /// `GetNamedPipeHandleState` (INFO-29 to INFO-33).
    fn handle_state(
        &mut self,
        instance: Id<Instance>,
        end: End,
        query: HandleStateQuery,
        request: Request,
    ) -> Result<Progress, Status> {
        let object = &self.instances[instance];
        let remote = match (end, object.connection()) {
            (End::Client, Some(link)) => link.remote.as_deref(),
            (End::Server | End::Client, _) => None,
        };
        if (query.collection_count || query.collect_timeout) && remote.is_none() {
            return Err(Status::INVALID_PARAMETER); // INFO-31
        }
        let user = match query.user {
            true => Some(self.client_name(instance, end, request.id.thread)?),
            false => None,
        };
        let modes = object.modes(end);
        Ok(Progress::Done(Reply::with(Output::State(Box::new(HandleState {
            read_mode: modes.read,
            completion_mode: modes.completion,
            instances: self.pipes[object.pipe].servers.min(255),
            collection_count: remote.map(|one| one.count).filter(|_| query.collection_count),
            collect_timeout: remote.map(|one| one.timeout).filter(|_| query.collect_timeout),
            user,
        })))))
    }

    pub(crate) fn pipe_of(&self, instance: Id<Instance>) -> &Pipe {
        &self.pipes[self.instances[instance].pipe]
    }

    /// The connection of an instance whose state says that there is one.
    #[inline(always)]
    pub(crate) fn connection(&mut self, instance: Id<Instance>) -> &mut Connection {
        match self.instances.edit(instance).connection_mut() {
            Some(connection) => connection,
            None => unreachable!("a connected or closing instance has a connection"),
        }
    }

    fn read(
        &mut self,
        instance: Id<Instance>,
        end: End,
        request: &Request,
        length: u32,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        let object = &self.instances[instance];
        self.pipes[object.pipe].check_direction(end)?;
        let modes = object.modes(end);
        let profile = self.system.profile;
        let queue = self.connection(instance).towards(end);
        match queue.read(length, modes.read, profile, &mut fx.settled) {
            Read::Done(status, data) => {
                let information = data.size();
                Ok(Progress::Done(Kernel::reply(status, information, data)))
            }
            Read::Empty if modes.completion == CompletionMode::Complete => Err(Status::PIPE_EMPTY),
            Read::Empty => {
                queue.pend_read(*request, length, modes.read);
                Ok(Progress::Pends)
            }
        }
    }

    fn write(
        &mut self,
        instance: Id<Instance>,
        end: End,
        request: &Request,
        data: Data,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        let object = &self.instances[instance];
        let pipe = &self.pipes[object.pipe];
        pipe.check_direction(end.peer())?;
        let pipe_type = pipe.pipe_type;
        let writing = match object.modes(end).completion {
            CompletionMode::Queue => Writing::Wait,
            CompletionMode::Complete => Writing::NoWait,
        };
        let link = object.connection();
        let remote = end == End::Client && link.is_some_and(|link| link.remote.is_some());
        if remote && pipe_type == PipeType::Byte && self.collects(instance, request, &data, fx) {
            let information = data.size();
            return Ok(Progress::Done(Reply {
                status: Status::SUCCESS,
                information,
                output: Output::None,
            }));
        }
        let profile = self.system.profile;
        let link = self.instances[instance].connection();
        let context = link.and_then(|link| self.context_of(link, end, request.id.thread));
        let queue = self.connection(instance).towards(end.peer());
        let source = Source { writing, request: *request, context };
        match queue.write(pipe_type, data, source, profile, &mut fx.settled) {
            Write::Done(information) => Ok(Progress::Done(Reply {
                status: Status::SUCCESS,
                information,
                output: Output::None,
            })),
            Write::Stalled => Ok(Progress::Pends),
        }
    }

    /// The context that a client's data carries, if its server follows it (IMP-08, IMP-16).
    #[inline(always)]
    pub(crate) fn context_of(
        &self,
        link: &Connection,
        end: End,
        thread: ThreadId,
    ) -> Option<Arc<Token>> {
        let follows = end == End::Client && link.quality.dynamic && link.opener.is_some();
        follows.then(|| self.client_token(thread, link.remote.is_some()))
    }

    /// A peek that shows data makes its writer the current one (PEEK-22).
    pub(super) fn show_context(&mut self, instance: Id<Instance>, end: End, room: u32) {
        if !self.has(Switch::PeekKeepsContext) && room > 0 {
            self.connection(instance).towards(end).show_context();
        }
    }

    fn peek(&mut self, instance: Id<Instance>, end: End, length: u32) -> Progress {
        let pipe_type = self.pipe_of(instance).pipe_type;
        self.show_context(instance, end, length);
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
                left: match pipe_type {
                    PipeType::Byte if self.has(Switch::PeekLeftZero) => 0, // PEEK-11, documented
                    _ => message.wrapping_sub(shown),
                },
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
        let profile = self.system.profile;
        let connection = self.connection(instance);
        let inward = connection.towards(end);
        let beside_read = profile.has(Switch::TransactBesideOwnRead);
        if !inward.no_data() || !(inward.no_readers() || beside_read) {
            return Err(Status::PIPE_BUSY); // TRANSACT-07, OQ-06
        }
        if modes.completion == CompletionMode::Complete && profile.has(Switch::NowaitTransactFails)
        {
            return Err(Status::PIPE_EMPTY); // OQ-24
        }
        inward.pend_read(request, length, ReadMode::Message);
        let link = self.instances[instance].connection();
        let context = link.and_then(|link| self.context_of(link, end, request.id.thread)); // IMP-17
        let outward = self.connection(instance).towards(end.peer());
        let source = Source { writing: Writing::Transact, request, context };
        outward.write(pipe_type, data, source, profile, &mut fx.settled);
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
            self.start_listening(pipe, instance); // STATE-14
        }
        if (fresh || self.has(Switch::WaitNeedsConnect)) && self.available(pipe) {
            self.end_name_waits(pipe, Status::SUCCESS, fx); // WAIT-11
        }
        if !waits && fresh && self.has(Switch::FirstNowaitConnectSucceeds) {
            return Ok(Progress::Done(Reply::ok())); // CONNECT-14, documented
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

    /// `CurrentInstances` (INFO-53). Before Vista a client also counts what outlived its server
    /// (STATE-42).
    fn current_instances(&self, instance: Id<Instance>) -> u32 {
        let pipe = self.pipe_of(instance);
        if self.has(Switch::ClosedServerCounts) { pipe.members } else { pipe.servers }
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

    pub(super) fn local(&self, instance: Id<Instance>, end: End) -> LocalInfo {
        let pipe = self.pipe_of(instance);
        let object = &self.instances[instance];
        let idle = object.quota_from(end);
        let (read_data_available, write_quota_available) = match object.connection() {
            None => (0, idle),
            Some(link) => {
                let available = link.queue(end.peer()).available_quota();
                let used = object.quota_from(end) - available;
                let shown = if end == End::Client && self.has(Switch::ClientQuotaOutbound) {
                    object.quota_out.saturating_sub(used)
                } else {
                    available
                };
                (link.queue(end).unread(), shown)
            }
        };
        LocalInfo {
            pipe_type: pipe.pipe_type,
            configuration: pipe.configuration,
            maximum_instances: pipe.max_instances,
            current_instances: self.current_instances(instance),
            inbound_quota: object.quota_in,
            read_data_available,
            outbound_quota: object.quota_out,
            write_quota_available,
            state: object.state(),
            end,
        }
    }

    pub(super) fn set_state(
        &mut self,
        instance: Id<Instance>,
        end: End,
        mode: Option<u32>,
        (count, timeout): (Option<u32>, Option<u32>),
    ) -> Result<Progress, Status> {
        let collects = count.is_some() || timeout.is_some();
        let link = self.instances[instance].connection();
        let remote = end == End::Client && link.is_some_and(|link| link.remote.is_some());
        if collects && !remote && !self.has(Switch::LocalCollectionIgnored) {
            return Err(Status::INVALID_PARAMETER); // INFO-32, SEED-78
        }
        if let Some(mode) = mode {
            self.set_modes(instance, end, mode)?;
        }
        if collects && remote {
            if let Some(remote) = self.connection(instance).remote.as_mut() {
                remote.count = count.unwrap_or(remote.count);
                remote.timeout = timeout.unwrap_or(remote.timeout);
            }
        }
        Ok(Progress::Done(Reply::ok()))
    }

    /// `FilePipeInformation` of an end (INFO-22 to INFO-38).
    fn set_modes(&mut self, instance: Id<Instance>, end: End, mode: u32) -> Result<(), Status> {
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
            let own_read_counts = !self.has(Switch::NowaitBesideOwnRead);
            let busy = object.connection().is_some_and(|link| {
                !link.queue(end.peer()).no_data()
                    || (own_read_counts && !link.queue(end).no_readers())
            });
            if busy {
                return Err(Status::PIPE_BUSY);
            }
        }
        if let Some(modes) = self.instances.edit(instance).modes_mut(end) {
            *modes = wanted;
        }
        Ok(())
    }
}
