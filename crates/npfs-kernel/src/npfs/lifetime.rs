//! How instances and ends come to be and go: create, open, close.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use npfs_abi::{
    Access, CompletionMode, Configuration, CreateFile, CreateNamedPipe, End, Outcome, Output,
    PipeType, ReadMode, Reply, RequestId, Status, Switch, Target, ThreadId, Time,
};

use super::{Connection, Instance, Link, Modes, Pipe, Queue};
use crate::file::{File, Place};
use crate::io::{FileOp, Io};
use crate::kernel::{Answer, Effects, Kernel, NAMESPACE, done, ok};
use crate::process::{Entry, Object};
use crate::request::{Manner, Request, Settled};
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

    pub(crate) fn stop_listening(&mut self, pipe: Id<Pipe>, instance: Id<Instance>) {
        self.pipes.edit(pipe).listening.retain(|other| *other != instance);
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
                    path: Some(arguments.name.clone()),
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
            alertable: false,
            port: None,
            skips: 0,
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
            Target::Remote { .. } => return Err(Status::NOT_SUPPORTED),
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
        let pipe = self.pipes.insert(Pipe {
            path: None,
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
        let client = self.attach_client(instance, thread, true, fx);
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
        self.begin(Io { request, op: FileOp::Close }, fx)
    }

    /// Closes the end that a file object is (CLOSE-01 to CLOSE-15).
    pub(crate) fn clean_up(&mut self, file: Id<File>, fx: &mut Effects<'_>) {
        let place = core::mem::replace(&mut self.files.edit(file).place, Place::Closed);
        let Place::At(end, instance) = place else { return };
        let drops_stalled = self.has(Switch::CloseDropsStalledWrite);
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
                    queue.cancel(own, Status::PIPE_BROKEN, &mut fx.settled);
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
                    self.namespace.edit(NAMESPACE).pipes.remove(&name);
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
