//! How instances and ends come to be and go: create, open, close.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use npfs_abi::{
    Access, CompletionMode, Configuration, CreateFile, CreateNamedPipe, End, Output, PipeName,
    PipeType, ReadMode, RequestId, SecurityDescriptor, Status, Switch, Target, ThreadId, Time,
    Token,
};

use super::directory::Change;
use super::names::Opening;
use super::remote::Remote;
use super::{Connection, Instance, Link, Modes, Pipe, Queue};
use crate::file::{File, Place};
use crate::io::FileOp;
use crate::kernel::{Answer, Effects, Kernel, NAMESPACE, done, ok};
use crate::process::{Entry, Object};
use crate::request::{Manner, Request, Settled};
use crate::security::Quality;
use crate::store::Id;

impl Kernel {
    pub(crate) fn end_connects(
        &mut self,
        connects: Vec<Request>,
        status: Status,
        fx: &mut Effects<'_>,
    ) {
        fx.settled.extend(connects.into_iter().map(|request| Settled::empty(request, status)));
    }

    /// Clients can open the instance: the one that has listened longest is next (CONNECT-16).
    pub(crate) fn start_listening(&mut self, pipe: Id<Pipe>, instance: Id<Instance>) {
        let number = self.instances[instance].number;
        let listening = &self.pipes[pipe].listening;
        let place = if self.has(Switch::OldestInstanceFirst) {
            listening.partition_point(|other| self.instances[*other].number < number)
        } else {
            listening.len()
        };
        self.pipes.edit(pipe).listening.insert(place, instance);
    }

    pub(crate) fn stop_listening(&mut self, pipe: Id<Pipe>, instance: Id<Instance>) {
        let listening = &mut self.pipes.edit(pipe).listening;
        if let Some(place) = listening.iter().position(|other| *other == instance) {
            listening.remove(place);
        }
    }

    /// A new instance and the file object of its server end.
    pub(super) fn add_instance(
        &mut self,
        pipe: Id<Pipe>,
        modes: Modes,
        thread: ThreadId,
        (quota_in, quota_out): (u32, u32),
        opening: &Opening,
        listens: bool,
    ) -> Id<File> {
        let server_process = self.process_of(thread);
        let instance = self.instances.insert(Instance {
            pipe,
            server: None,
            server_modes: modes,
            server_process,
            quota_in,
            quota_out,
            number: 0,
            link: if listens { Link::Listening(Vec::new()) } else { Link::Disconnected },
        });
        let file = self.add_file(Place::At(End::Server, instance), opening);
        self.instances.edit(instance).server = Some(file);
        let object = self.pipes.edit(pipe);
        object.servers += 1;
        object.members += 1;
        if self.has(Switch::OldestInstanceFirst) {
            let object = self.pipes.edit(pipe);
            object.created = object.created.wrapping_add(1);
            self.instances.edit(instance).number = object.created;
        }
        if listens {
            self.start_listening(pipe, instance);
        }
        file
    }

    pub(super) fn add_file(&mut self, place: Place, opening: &Opening) -> Id<File> {
        // EVENT-09: a new file object is signaled.
        self.files.insert(File {
            place,
            synchronous: opening.synchronous(),
            alertable: opening.alertable,
            write_through: opening.flags & CreateFile::WRITE_THROUGH != 0,
            listing: None,
            signaled: true,
            lock: None,
            handles: 0,
            requests: 0,
            port: None,
            skips: 0,
        })
    }

    pub(super) fn attach_client(
        &mut self,
        instance: Id<Instance>,
        thread: ThreadId,
        opening: &Opening,
        opener: Option<Arc<Token>>,
        fx: &mut Effects<'_>,
    ) -> Id<File> {
        let client = self.add_file(Place::At(End::Client, instance), opening);
        let client_process = self.process_of(thread);
        let object = self.instances.edit(instance);
        let connection = Connection {
            client: Some(client),
            client_modes: Modes::FRESH,
            client_process,
            inbound: Queue::new(object.quota_in),
            outbound: Queue::new(object.quota_out),
            quality: Quality::of_flags(opening.flags, opening.access.mapped()),
            opener,
            remote: opening.remote.clone().map(|computer| Box::new(Remote::new(computer))),
        };
        if let Link::Listening(connects) =
            core::mem::replace(&mut object.link, Link::Attached(connection))
        {
            self.end_connects(connects, Status::SUCCESS, fx); // STATE-03
        }
        client
    }

    /// ANON-07: only older systems give the pipe a name.
    fn anonymous_path(&mut self, thread: ThreadId) -> Option<PipeName> {
        if !self.has(Switch::AnonymousPipesNamed) {
            return None;
        }
        let process = self.process_of(thread).0;
        let namespace = self.namespace.edit(NAMESPACE);
        let number = namespace.anonymous;
        namespace.anonymous = number.wrapping_add(1);
        Some(PipeName::new(&format!("\\\\.\\pipe\\Win32Pipes.{process:08x}.{number:08x}")))
    }

    /// `CreatePipe` (ANON-01 to ANON-07): the read end is the server.
    pub(crate) fn create_pipe(
        &mut self,
        thread: ThreadId,
        size: u32,
        inherit: bool,
        fx: &mut Effects<'_>,
    ) -> Answer {
        const READ_END: Access = Access(0x12_0189);
        const WRITE_END: Access = Access(0x12_0196);
        let quota = if size == 0 { 4096 } else { size };
        let path = self.anonymous_path(thread);
        let name = path.as_ref().and_then(|path| match path.target() {
            Target::Pipe(folded) => Some(folded.clone()),
            _ => None,
        });
        let security = SecurityDescriptor::of_creator(self.token_of(thread));
        let pipe = self.pipes.insert(Pipe {
            security: Arc::new(security),
            rejects_remote: true,
            path,
            name: name.clone(),
            pipe_type: PipeType::Byte,
            configuration: Configuration::Duplex,
            max_instances: 1,
            default_timeout: Time::from_millis(120_000),
            servers: 0,
            members: 0,
            created: 0,
            listening: VecDeque::new(),
            waiters: VecDeque::new(),
        });
        if let Some(name) = name {
            self.add_name(name, pipe, fx);
        }
        let opening =
            Opening { access: Access::NONE, flags: 0, alertable: false, inherit, remote: None };
        let quotas = (quota, quota);
        let server = self.add_instance(pipe, Modes::FRESH, thread, quotas, &opening, true);
        let Some(instance) = self.pipes.edit(pipe).listening.pop_front() else {
            unreachable!("the instance was just added")
        };
        let client = self.attach_client(instance, thread, &opening, None, fx);
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
        let request =
            Request { id, file, event: None, manner: Manner::Locked, apc: false, packet: false };
        self.begin(&request, &mut FileOp::Close, fx)
    }

    /// Closes the end that a file object is (CLOSE-01 to CLOSE-15).
    pub(crate) fn clean_up(&mut self, file: Id<File>, fx: &mut Effects<'_>) {
        let place = core::mem::replace(&mut self.files.edit(file).place, Place::Closed);
        if place == Place::Root {
            self.cancel_at_root(&mut |request| request.file == file, fx);
            self.files.edit(file).listing = None;
        }
        let Place::At(end, instance) = place else { return };
        if end == End::Client {
            self.close_collected(instance, fx);
        }
        let profile = self.system.profile;
        let drops_stalled = profile.has(Switch::CloseDropsStalledWrite);
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
                if drops_stalled {
                    let own = &mut |_: &Request| true;
                    let queue = connection.towards(end.peer());
                    queue.cancel(own, Status::PIPE_BROKEN, profile, &mut fx.settled);
                }
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
                    self.namespace.edit_part(&name).pipes.remove(&name);
                    self.tell_watchers(Change::Name, fx);
                }
                self.end_name_waits(pipe, Status::OBJECT_NAME_NOT_FOUND, fx); // WAIT-15
            }
        }
        if self.pipes[pipe].members == 0 {
            self.pipes.remove(pipe);
        }
    }
}

/// The modes in `dwPipeMode` or `*lpMode`.
pub(super) fn modes_of(mode: u32) -> Modes {
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
