//! The kernel: all objects, and the one way in.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use npfs_abi::{
    Access, Call, Completion, CreateNamedPipe, Data, Delivery, Handle, Outcome, Output,
    PacketSource, ProcessId, Profile, Reply, RequestId, Status, Switch, ThreadId, Time, Token,
};

use crate::event::Event;
use crate::faults::Faults;
use crate::file::File;
use crate::io::FileOp;
use crate::npfs::{DirectoryQuery, Instance, Namespace, Pipe};
use crate::port::Port;
use crate::process::{Entry, HandleTable, Life, Object, Process, Referent};
use crate::request::Settled;
use crate::store::{Id, Store};
use crate::thread::{Blocked, Thread, ThreadState};
use crate::time::{Clock, Timer};

/// The whole simulated system, as a value.
///
/// Equal kernels answer equal calls equally, bit for bit.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kernel {
    pub(crate) processes: Store<Process>,
    pub(crate) threads: Store<Thread>,
    pub(crate) events: Store<Event>,
    pub(crate) files: Store<File>,
    pub(crate) pipes: Store<Pipe>,
    pub(crate) instances: Store<Instance>,
    pub(crate) namespace: Store<Namespace>,
    pub(crate) clock: Store<Clock>,
    pub(crate) ports: Store<Port>,
    pub(crate) faults: Store<Faults>,
    pub(crate) system: System,
    pub(crate) scratch: Scratch,
}

/// What never changes while the system runs.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct System {
    pub(crate) profile: Profile,
    /// The name of the computer that the pipes are on.
    pub(crate) computer: Arc<str>,
}

/// A process that is to be.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct ProcessSpec {
    /// [`Call::CreateProcess`] will start it; else it runs already.
    pub declared: bool,
    /// As whom it runs.
    pub token: Token,
    /// Its session.
    pub session: u32,
    /// The name of the computer it runs on, if that is not the one with the pipes: its opens
    /// are those of a remote client.
    pub computer: Option<Arc<str>>,
}

/// What means nothing between steps: buffers kept for their memory only, and who asks.
#[derive(Default, Debug)]
pub(crate) struct Scratch {
    settled: Vec<Settled>,
    /// The number of the asking thread, 0 for the clock.
    pub(crate) asker: u32,
    /// Whether every asker has places of its own.
    pub(crate) by_asker: bool,
}

impl Clone for Scratch {
    fn clone(&self) -> Scratch {
        Scratch { by_asker: self.by_asker, ..Scratch::default() }
    }
}
impl PartialEq for Scratch {
    fn eq(&self, _: &Scratch) -> bool {
        true
    }
}
impl Eq for Scratch {}
impl Hash for Scratch {
    fn hash<S: Hasher>(&self, _: &mut S) {}
}

/// What a step has caused and what is still to be done about it.
pub(crate) struct Effects<'a> {
    /// For the caller, in order.
    pub(crate) caused: &'a mut Vec<Completion>,
    /// Requests that ended in a queue and are not completed yet.
    pub(crate) settled: Vec<Settled>,
    /// Threads that were given a file object's lock and have to go on.
    pub(crate) granted: VecDeque<ThreadId>,
    /// Something became signaled: waits have to be looked at.
    pub(crate) signaled: bool,
    /// A routine was queued: alertable sleeps have to be looked at.
    pub(crate) routines: bool,
    /// Whether any fault is planned; that does not change within a step.
    pub(crate) faults: bool,
}

/// `FILE_TYPE_PIPE`
pub(crate) const FILE_TYPE_PIPE: u32 = 3;

/// The only object in its store.
pub(crate) const CLOCK: Id<Clock> = Id::fixed(0);
/// The only object in its store.
pub(crate) const FAULTS: Id<Faults> = Id::fixed(0);
/// The only object in its store.
pub(crate) const NAMESPACE: Id<Namespace> = Id::fixed(0);

pub(crate) fn thread_id(thread: ThreadId) -> Id<Thread> {
    Id::fixed(thread.0.wrapping_sub(1))
}

pub(crate) fn process_id(process: ProcessId) -> Id<Process> {
    Id::fixed(process.0.wrapping_sub(1))
}

/// `Err` is a failing call: an answer like any other.
pub(crate) type Answer = Result<Outcome, Status>;

pub(crate) fn done(output: Output) -> Answer {
    Ok(Outcome::Done(Reply::with(output)))
}

pub(crate) fn ok() -> Answer {
    Ok(Outcome::Done(Reply::ok()))
}

impl Default for Kernel {
    fn default() -> Kernel {
        Kernel::new()
    }
}

impl Kernel {
    /// A system without processes, at time 0.
    pub fn new() -> Kernel {
        Kernel {
            processes: Store::default(),
            threads: Store::default(),
            events: Store::default(),
            files: Store::default(),
            pipes: Store::default(),
            instances: Store::default(),
            namespace: Store::parted(Namespace::default()),
            clock: Store::single(Clock::default()),
            ports: Store::default(),
            faults: Store::single(Faults::default()),
            system: System { profile: Profile::current(), computer: "SERVER".into() },
            scratch: Scratch::default(),
        }
    }

    /// A system that behaves as `profile` says.
    pub fn with_profile(profile: Profile) -> Kernel {
        let mut kernel = Kernel::new();
        kernel.system.profile = profile;
        kernel
    }

    /// A copy of the whole. As `clone`, but compiled here and not in every crate that copies.
    pub fn snapshot(&self) -> Kernel {
        self.clone()
    }

    /// Whether the profile has a switch.
    pub(crate) fn has(&self, switch: Switch) -> bool {
        self.system.profile.has(switch)
    }

    /// Adds a process of an ordinary user: running, or one that [`Call::CreateProcess`] will
    /// start.
    pub fn create_process(&mut self, started: bool) -> ProcessId {
        self.add_process(ProcessSpec { declared: !started, ..ProcessSpec::default() })
    }

    /// Adds a process.
    pub fn add_process(&mut self, spec: ProcessSpec) -> ProcessId {
        let life = if spec.declared { Life::Declared } else { Life::Running };
        self.processes.insert(Process {
            life,
            handles: HandleTable::default(),
            token: Arc::new(spec.token),
            session: spec.session,
            computer: spec.computer,
        });
        ProcessId(self.processes.len() as u32)
    }

    /// Adds a thread to a process; it can run once the process does.
    ///
    /// # Panics
    /// If there is no such process.
    pub fn create_thread(&mut self, process: ProcessId) -> ThreadId {
        let _ = &self.processes[process_id(process)];
        self.threads.insert(Thread {
            process,
            calls: 0,
            state: ThreadState::Ready,
            routines: VecDeque::new(),
            port: None,
            token: None,
        });
        ThreadId(self.threads.len() as u32)
    }

    /// Whether `thread` exists, its process runs, and it does not sleep in a call.
    pub fn can_run(&self, thread: ThreadId) -> bool {
        self.threads.get(thread_id(thread)).is_some_and(|found| {
            matches!(found.state, ThreadState::Ready)
                && self.processes[process_id(found.process)].life == Life::Running
        })
    }

    /// Whether `thread` has ended, alone or with its process.
    pub fn has_exited(&self, thread: ThreadId) -> bool {
        self.threads.get(thread_id(thread)).is_some_and(|found| {
            found.state == ThreadState::Exited
                || self.processes[process_id(found.process)].life == Life::Exited
        })
    }

    /// Whether nothing would happen to others if `thread` ended now: it has no requests, works on
    /// no packets, and nobody has a handle to it.
    pub fn leaves_nothing(&self, thread: ThreadId) -> bool {
        let Some(found) = self.threads.get(thread_id(thread)) else { return true };
        found.port.is_none()
            && found.routines.is_empty()
            && !self.has_requests(thread)
            && !self.processes.iter().any(|(_, process)| {
                process.handles.iter().any(|(_, entry)| entry.object == Object::Thread(thread))
            })
    }

    /// The name of the call that `thread` has made last.
    pub fn last_call(&self, thread: ThreadId) -> RequestId {
        let call = self.threads.get(thread_id(thread)).map_or(0, |found| found.calls);
        RequestId { thread, call }
    }

    /// Requests whose packets lie in ports, in order of their names.
    pub fn requests_in_ports(&self) -> Vec<RequestId> {
        let packets = self.ports.iter().flat_map(|(_, port)| port.packets.iter());
        let mut requests: Vec<RequestId> = packets
            .filter_map(|packet| match packet.source {
                PacketSource::Request(request) => Some(request),
                PacketSource::Posted(_) => None,
            })
            .collect();
        requests.sort_unstable();
        requests
    }

    /// What a handle of `process` refers to.
    pub fn referent(&self, process: ProcessId, handle: Handle) -> Option<Referent> {
        let found = self.processes.get(process_id(process))?;
        Some(match found.handles.find(handle)?.object {
            Object::File(_) => Referent::File,
            Object::Event(_) => Referent::Event,
            Object::Port(_) => Referent::Port,
            Object::Thread(thread) => Referent::Thread(thread),
            Object::Process(process) => Referent::Process(process),
        })
    }

    /// Whether two handles of `process` refer to one object; `None` if either is none.
    pub fn same_object(&self, process: ProcessId, one: Handle, other: Handle) -> Option<bool> {
        let handles = &self.processes.get(process_id(process))?.handles;
        Some(handles.find(one)?.object == handles.find(other)?.object)
    }

    /// The virtual time.
    pub fn time(&self) -> Time {
        self.clock[CLOCK].now
    }

    /// When the next sleeping thread has waited long enough, or a late end is told.
    pub fn next_deadline(&self) -> Option<Time> {
        let sleeper = self.clock[CLOCK].timers.first().map(|(deadline, _)| *deadline);
        let late = self.faults[FAULTS].next_deadline();
        sleeper.into_iter().chain(late).min()
    }

    /// One call of one thread. What it causes for others is added to `caused`, in order.
    ///
    /// A thread that cannot run ([`Kernel::can_run`]) is answered `INVALID_PARAMETER`, and
    /// nothing happens.
    pub fn step(&mut self, thread: ThreadId, call: &Call, caused: &mut Vec<Completion>) -> Outcome {
        if !self.can_run(thread) {
            return Outcome::Done(Reply::status(Status::INVALID_PARAMETER));
        }
        let quick = self.quick(thread, call);
        let asking = self.threads.edit(thread_id(thread));
        asking.calls = asking.calls.wrapping_add(1);
        let request = RequestId { thread, call: asking.calls };
        if let Some((information, data)) = quick {
            return Outcome::Done(Kernel::reply(Status::SUCCESS, information, data));
        }
        #[cfg(feature = "explore")]
        if self.scratch.by_asker {
            self.asked_by(thread.0);
        }
        self.step_with_effects(request, call, caused)
    }

    /// The long way of a call that is named already.
    #[inline(never)]
    pub(crate) fn step_with_effects(
        &mut self,
        request: RequestId,
        call: &Call,
        caused: &mut Vec<Completion>,
    ) -> Outcome {
        let answer = self.with_effects(caused, |kernel, fx| kernel.dispatch(request, call, fx));
        match answer {
            Ok(outcome) => outcome,
            Err(status) => Outcome::Done(Reply::status(status)),
        }
    }

    /// Time passes up to `to`; sleepers whose time has come wake in order of (deadline, arrival).
    /// Time never goes back: an earlier `to` does nothing.
    pub fn advance(&mut self, to: Time, caused: &mut Vec<Completion>) {
        #[cfg(feature = "explore")]
        if self.scratch.by_asker {
            self.asked_by(0);
        }
        while let Some(deadline) = self.next_deadline().filter(|deadline| *deadline <= to) {
            let clock = self.clock.edit(CLOCK);
            clock.now = clock.now.max(deadline);
            if self.faults[FAULTS].next_deadline() == Some(deadline) {
                self.with_effects(caused, |kernel, fx| kernel.tell_late(fx));
                continue;
            }
            let (_, timer) = self.clock.edit(CLOCK).timers.remove(0);
            self.timer_fires(timer, caused);
        }
        if to > self.time() {
            self.clock.edit(CLOCK).now = to;
        }
    }

    /// What a timer, which is gone already, was for.
    pub(crate) fn timer_fires(&mut self, timer: Timer, caused: &mut Vec<Completion>) {
        self.with_effects(caused, |kernel, fx| match timer {
            Timer::Thread(thread) => kernel.time_out(thread, fx),
            Timer::Request(request, pipe) => kernel.request_time_out(request, pipe, fx),
            Timer::Collect(instance) => kernel.deliver_collected(instance, fx),
        });
    }

    /// Whether a thread sleeps in a call.
    pub fn sleeps(&self, thread: ThreadId) -> bool {
        self.threads
            .get(thread_id(thread))
            .is_some_and(|found| matches!(found.state, ThreadState::Blocked(_)))
    }

    /// Runs `work`, then everything that it set off, until nothing is left to do.
    fn with_effects<T>(
        &mut self,
        caused: &mut Vec<Completion>,
        work: impl FnOnce(&mut Kernel, &mut Effects<'_>) -> T,
    ) -> T {
        let mut fx = Effects {
            caused,
            settled: core::mem::take(&mut self.scratch.settled),
            granted: VecDeque::new(),
            signaled: false,
            routines: false,
            faults: self.plans_faults(),
        };
        let answer = work(self, &mut fx);
        loop {
            if !fx.settled.is_empty() {
                let mut settled = core::mem::take(&mut fx.settled);
                for one in settled.drain(..) {
                    self.complete(one, &mut fx);
                }
                if fx.settled.capacity() == 0 {
                    fx.settled = settled;
                }
            } else if let Some(thread) = fx.granted.pop_front() {
                self.resume(thread, &mut fx);
            } else if fx.signaled {
                fx.signaled = false;
                self.wake_waiters(&mut fx);
            } else if fx.routines {
                fx.routines = false;
                self.alert_threads(&mut fx);
            } else if self.ports.len() == 0 || !self.release_port_waiter(&mut fx) {
                break;
            }
        }
        self.scratch.settled = fx.settled;
        answer
    }

    fn dispatch(&mut self, request: RequestId, call: &Call, fx: &mut Effects<'_>) -> Answer {
        const NO_EVENT: Delivery = Delivery::Return;
        if fx.faults {
            self.fails_by_plan(call)?;
        }
        match call {
            Call::CreateNamedPipe(arguments) => {
                self.create_named_pipe(request.thread, arguments, fx)
            }
            Call::CreateFile(arguments) => self.open_pipe(request.thread, arguments, fx),
            Call::CreatePipe { size, inherit } => {
                self.create_pipe(request.thread, *size, *inherit, fx)
            }
            Call::WaitNamedPipe { name, timeout } => self.wait_named_pipe(request, name, *timeout),
            Call::ConnectNamedPipe { pipe, delivery } => {
                self.io(request, *pipe, Access::NONE, delivery, FileOp::Listen, fx)
            }
            Call::DisconnectNamedPipe { pipe } => {
                self.io(request, *pipe, Access::NONE, &NO_EVENT, FileOp::Disconnect, fx)
            }
            Call::ReadFile { file, length, delivery } => {
                self.io(request, *file, Access::READ_DATA, delivery, FileOp::Read(*length), fx)
            }
            Call::WriteFile { file, data, delivery } => self.io(
                request,
                *file,
                Access::WRITE_DATA,
                delivery,
                FileOp::Write(data.clone()),
                fx,
            ),
            Call::PeekNamedPipe { pipe, length } => {
                self.io(request, *pipe, Access::READ_DATA, &NO_EVENT, FileOp::Peek(*length), fx)
            }
            Call::TransactNamedPipe { pipe, data, length, delivery } => {
                let both = Access::READ_DATA.with(Access::WRITE_DATA);
                self.io(request, *pipe, both, delivery, FileOp::Transact(data.clone(), *length), fx)
            }
            Call::FlushFileBuffers { file } => {
                self.io(request, *file, Access::WRITE_DATA, &NO_EVENT, FileOp::Flush, fx)
            }
            Call::GetNamedPipeInfo { pipe } => {
                self.io(request, *pipe, Access::READ_ATTRIBUTES, &NO_EVENT, FileOp::Info, fx)
            }
            Call::GetNamedPipeHandleState { pipe, query } => self.io(
                request,
                *pipe,
                Access::READ_ATTRIBUTES,
                &NO_EVENT,
                FileOp::State(*query),
                fx,
            ),
            Call::SetNamedPipeHandleState { pipe, mode, collection_count, collect_timeout } => {
                let collection = (*collection_count, *collect_timeout);
                let remote = collection != (None, None);
                // The function looks at its arguments before it asks the system.
                let bits = CreateNamedPipe::NOWAIT | CreateNamedPipe::READMODE_MESSAGE;
                if mode.is_some_and(|mode| mode & !bits != 0) {
                    return Err(Status::INVALID_PARAMETER); // INFO-26
                }
                if mode.is_none() && !remote {
                    return ok(); // INFO-27
                }
                let op = FileOp::SetState { mode: *mode, collection };
                self.io(request, *pipe, Access::WRITE_ATTRIBUTES, &NO_EVENT, op, fx)
            }
            Call::QueryLocalInformation { pipe } => {
                self.io(request, *pipe, Access::READ_ATTRIBUTES, &NO_EVENT, FileOp::Local, fx)
            }
            Call::GetFileType { file } if self.has(Switch::FileTypeWithoutLock) => {
                self.file(request.thread, *file)?;
                done(Output::FileType(FILE_TYPE_PIPE))
            }
            Call::GetFileType { file } => {
                self.io(request, *file, Access::NONE, &NO_EVENT, FileOp::Type, fx)
            }
            Call::CloseHandle { handle } => {
                let process = self.process_of(request.thread);
                let entry = self.processes.edit(process_id(process)).handles.remove(*handle)?;
                self.close(request, entry, fx)
            }
            Call::DuplicateHandle { handle, target, access, inherit } => {
                self.duplicate(request.thread, *handle, *target, *access, *inherit)
            }
            Call::SetHandleInformation { handle, inherit } => {
                let process = self.process_of(request.thread);
                self.processes.edit(process_id(process)).handles.entry(*handle)?.inherit = *inherit;
                ok()
            }
            Call::CreateEvent { manual, signaled } => {
                let event = self.events.insert(Event {
                    manual: *manual,
                    signaled: *signaled,
                    references: 0,
                });
                self.deal(request.thread, Object::Event(event), Access::EVENT_ALL_ACCESS, false)
            }
            Call::SetEvent { event } => {
                let event = self.event(request.thread, *event)?;
                self.events.edit(event).signaled = true;
                fx.signaled = true;
                ok()
            }
            Call::ResetEvent { event } => {
                let event = self.event(request.thread, *event)?;
                self.events.edit(event).signaled = false;
                ok()
            }
            Call::WaitForObjects { handles, all, timeout, alertable } => {
                self.wait_for_objects(request, handles, *all, *timeout, *alertable)
            }
            Call::Sleep { timeout, alertable } => self.sleep(request, *timeout, *alertable),
            Call::CancelIo { file } => {
                let thread = request.thread;
                self.cancel_io(thread, *file, &mut |other| other.thread == thread, fx)?;
                ok()
            }
            Call::CancelIoEx { file, request: which } => {
                let asker = request.thread;
                let found = match which {
                    Some(which) => {
                        self.cancel_io(asker, *file, &mut |other| other == *which, fx)?
                    }
                    None => {
                        let process = self.process_of(asker);
                        let threads: Vec<ThreadId> = self.threads_of(process).collect();
                        let of_process = &mut |other: RequestId| threads.contains(&other.thread);
                        self.cancel_io(asker, *file, of_process, fx)?
                    }
                };
                if found { ok() } else { Err(Status::NOT_FOUND) }
            }
            Call::CancelSynchronousIo { thread, request } => {
                self.cancel_synchronous_io(*thread, *request, fx)
            }
            Call::CreateProcess { process, inherit } => {
                self.start_process(request.thread, *process, *inherit)
            }
            Call::NtCreateNamedPipeFile(arguments) => {
                self.nt_create_named_pipe_file(request.thread, arguments, fx)
            }
            Call::NtCreateFile(arguments) => self.nt_create_file(request.thread, arguments, fx),
            Call::ReOpenFile { file, access, flags } => {
                self.re_open_file(request.thread, *file, *access, *flags, fx)
            }
            Call::NtFsControlFile { file, code, input, length, delivery } => {
                self.fs_control(request, *file, *code, input, *length, delivery, fx)
            }
            Call::NtQueryInformationFile { file, class, length } => {
                self.query_information(request, *file, *class, *length, fx)
            }
            Call::NtSetInformationFile { file, class, input } => {
                self.set_information(request, *file, *class, input, fx)
            }
            Call::NtQueryVolumeInformationFile { file, class, length } => {
                self.query_volume_information(request, *file, *class, *length, fx)
            }
            Call::NtQueryDirectoryFile { file, class, length, pattern, restart, single } => {
                let query = DirectoryQuery {
                    class: *class,
                    length: *length,
                    pattern: pattern.clone(),
                    restart: *restart,
                    single: *single,
                };
                self.query_directory(request, *file, query, fx)
            }
            Call::NtNotifyChangeDirectoryFile { file, filter, delivery } => {
                self.notify_change_directory(request, *file, *filter, delivery, fx)
            }
            Call::NtQueryObject { handle, class } => {
                self.query_object(request, *handle, *class, fx)
            }
            Call::GetNamedPipeAttribute { pipe, attribute } => {
                self.pipe_attribute(request, *pipe, *attribute, fx)
            }
            Call::CreateIoCompletionPort { file, port, key, concurrency } => {
                self.create_port(request, *file, *port, *key, *concurrency, fx)
            }
            Call::GetQueuedCompletionStatus { port, count, timeout, alertable } => {
                self.dequeue_packets(request, *port, *count, *timeout, *alertable)
            }
            Call::PostQueuedCompletionStatus { port, bytes, key, overlapped } => {
                self.post_packet(request.thread, *port, *bytes, *key, *overlapped)
            }
            Call::SetFileCompletionNotificationModes { file, flags } => {
                self.set_notification_modes(request, *file, *flags, fx)
            }
            Call::QueueUserAPC { thread } => self.queue_user_apc(request, *thread, fx),
            Call::OpenThread { thread } => self.open_thread(request.thread, *thread),
            Call::OpenProcess { process } => self.open_process(request.thread, *process),
            Call::ImpersonateNamedPipeClient { pipe } => self.impersonate(request, *pipe, fx),
            Call::RevertToSelf => self.set_thread_token(request.thread, None),
            Call::SetThreadToken { token } => self.set_thread_token(request.thread, token.as_ref()),
            Call::GetThreadToken => self.thread_token(request.thread),
            Call::NtQuerySecurityObject { handle, information, length } => {
                self.query_security(request, *handle, *information, *length, fx)
            }
            Call::NtSetSecurityObject { handle, information, descriptor } => {
                self.set_security(request, *handle, *information, descriptor, fx)
            }
            Call::ExitThread => {
                self.exit_thread(request.thread, fx);
                ok()
            }
            Call::TerminateProcess { process } => {
                let process = process.unwrap_or(self.process_of(request.thread));
                self.terminate_process(process, fx)
            }
        }
    }

    pub(crate) fn process_of(&self, thread: ThreadId) -> ProcessId {
        self.threads[thread_id(thread)].process
    }

    pub(crate) fn threads_of(&self, process: ProcessId) -> impl Iterator<Item = ThreadId> {
        self.threads
            .iter()
            .enumerate()
            .filter(move |(_, (_, thread))| thread.process == process)
            .map(|(place, _)| ThreadId(place as u32 + 1))
    }

    /// The handle table entry of the calling thread's process.
    pub(crate) fn entry(&self, thread: ThreadId, handle: Handle) -> Result<Entry, Status> {
        self.processes[process_id(self.process_of(thread))].handles.get(handle)
    }

    pub(crate) fn event(&self, thread: ThreadId, handle: Handle) -> Result<Id<Event>, Status> {
        match self.entry(thread, handle)?.object {
            Object::Event(event) => Ok(event),
            Object::File(_) | Object::Port(_) | Object::Thread(_) | Object::Process(_) => {
                Err(Status::OBJECT_TYPE_MISMATCH)
            }
        }
    }

    pub(crate) fn file(&self, thread: ThreadId, handle: Handle) -> Result<Id<File>, Status> {
        match self.entry(thread, handle)?.object {
            Object::File(file) => Ok(file),
            Object::Event(_) | Object::Port(_) | Object::Thread(_) | Object::Process(_) => {
                Err(Status::OBJECT_TYPE_MISMATCH)
            }
        }
    }

    /// Deals a handle in the calling thread's process.
    pub(crate) fn deal(
        &mut self,
        thread: ThreadId,
        object: Object,
        access: Access,
        inherit: bool,
    ) -> Answer {
        let process = self.process_of(thread);
        done(Output::Handle(self.deal_in(process, Entry { object, access, inherit })))
    }

    pub(crate) fn deal_in(&mut self, process: ProcessId, entry: Entry) -> Handle {
        self.reference(entry.object);
        let asker = self.scratch.asker;
        self.processes.edit(process_id(process)).handles.insert(entry, asker)
    }

    fn reference(&mut self, object: Object) {
        match object {
            Object::File(file) => self.files.edit(file).handles += 1,
            Object::Event(event) => self.events.edit(event).references += 1,
            Object::Port(port) => self.ports.edit(port).handles += 1,
            Object::Thread(_) | Object::Process(_) => {}
        }
    }

    fn duplicate(
        &mut self,
        thread: ThreadId,
        handle: Handle,
        target: Option<ProcessId>,
        access: Option<Access>,
        inherit: bool,
    ) -> Answer {
        let source = self.entry(thread, handle)?;
        let target = target.unwrap_or(self.process_of(thread));
        // A process that is not started does not exist yet; its table comes with its start.
        if self
            .processes
            .get(process_id(target))
            .is_none_or(|process| process.life != Life::Running)
        {
            return Err(Status::INVALID_HANDLE);
        }
        let access = access.map_or(source.access, Access::mapped);
        let rises = !source.access.has(access);
        if rises && !self.may_raise(thread, source.object, access) {
            return Err(Status::ACCESS_DENIED); // HANDLE-02, HANDLE-03
        }
        let handle = self.deal_in(target, Entry { object: source.object, access, inherit });
        done(Output::Handle(handle))
    }

    /// What `CloseHandle` does once the handle is out of the table.
    fn close(&mut self, request: RequestId, entry: Entry, fx: &mut Effects<'_>) -> Answer {
        match entry.object {
            Object::Event(event) => {
                self.release_event(event);
                ok()
            }
            Object::Port(port) => {
                self.close_port(port, fx);
                ok()
            }
            Object::Thread(_) | Object::Process(_) => ok(),
            Object::File(file) => {
                let object = self.files.edit(file);
                object.handles -= 1;
                if object.handles > 0 {
                    self.process_lets_go(request.thread, file, fx);
                    return ok();
                }
                self.close_file(request, file, fx)
            }
        }
    }

    pub(crate) fn release_event(&mut self, event: Id<Event>) {
        let object = self.events.edit(event);
        object.references -= 1;
        if object.references == 0 {
            self.events.remove(event);
        }
    }

    fn start_process(&mut self, thread: ThreadId, process: ProcessId, inherit: bool) -> Answer {
        let declared = self
            .processes
            .get(process_id(process))
            .is_some_and(|process| process.life == Life::Declared);
        if !declared {
            return Err(Status::INVALID_PARAMETER);
        }
        if inherit {
            let parent = self.process_of(thread);
            let handles = self.processes[process_id(parent)].handles.inherited();
            for (_, entry) in handles.iter() {
                self.reference(entry.object);
            }
            self.processes.edit(process_id(process)).handles = handles;
        }
        self.processes.edit(process_id(process)).life = Life::Running;
        ok()
    }

    /// Ends a thread: its requests are cancelled with it (CANCEL-29).
    fn exit_thread(&mut self, thread: ThreadId, fx: &mut Effects<'_>) {
        self.leave_sleep(thread, fx);
        self.forget_faults_of(thread, fx);
        self.cancel_everywhere(&mut |request| request.thread == thread, fx);
        let object = self.threads.edit(thread_id(thread));
        object.state = ThreadState::Exited;
        object.routines.clear();
        object.port = None;
        fx.signaled = true; // Who waits for the thread.
    }

    /// Takes a sleeping thread out of the one place where it sleeps, unless that is a request.
    fn leave_sleep(&mut self, thread: ThreadId, fx: &mut Effects<'_>) {
        let state = self.threads[thread_id(thread)].state.clone();
        match state {
            ThreadState::Ready | ThreadState::Exited => {}
            ThreadState::Blocked(Blocked::Request(_)) => {}
            ThreadState::Blocked(Blocked::Lock(io)) => self.leave_lock_queue(thread, &io, fx),
            ThreadState::Blocked(Blocked::Name(pipe)) => {
                self.clock.edit(CLOCK).disarm(Timer::Thread(thread));
                self.pipes.edit(pipe).waiters.retain(|waiter| !waiter.is_sleeper(thread));
            }
            ThreadState::Blocked(Blocked::Port { port, .. }) => self.leave_port(thread, port),
            ThreadState::Blocked(Blocked::Objects(wait)) => self.leave_wait(thread, &wait, fx),
        }
    }

    /// Ends a process: requests are cancelled first, then its handles close (CANCEL-30, WRITE-18).
    fn terminate_process(&mut self, process: ProcessId, fx: &mut Effects<'_>) -> Answer {
        let running = self
            .processes
            .get(process_id(process))
            .is_some_and(|process| process.life == Life::Running);
        if !running {
            return Err(Status::INVALID_HANDLE);
        }
        self.processes.edit(process_id(process)).life = Life::Exited;
        fx.signaled = true; // Who waits for the process.
        let threads: Vec<ThreadId> = self.threads_of(process).collect();
        for thread in &threads {
            self.exit_thread(*thread, fx);
        }
        // Locks of blocked operations are free once those are completed.
        let mut settled = core::mem::take(&mut fx.settled);
        for one in settled.drain(..) {
            self.complete(one, fx);
        }
        let handles = core::mem::take(&mut self.processes.edit(process_id(process)).handles);
        for (_, entry) in handles.iter() {
            let file = match entry.object {
                Object::File(file) => file,
                Object::Event(event) => {
                    self.release_event(event);
                    continue;
                }
                Object::Port(port) => {
                    self.close_port(port, fx);
                    continue;
                }
                Object::Thread(_) | Object::Process(_) => continue,
            };
            let object = self.files.edit(file);
            object.handles -= 1;
            if object.handles == 0 {
                self.clean_up(file, fx);
                self.drop_file(file);
            }
        }
        ok()
    }

    /// A reply to a request that ended later.
    pub(crate) fn reply(status: Status, information: u32, data: Data) -> Reply {
        let output = if data.is_empty() { Output::None } else { Output::Data(data) };
        Reply { status, information, output }
    }
}
