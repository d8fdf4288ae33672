//! What a kernel looks like to people: who waits for whom, the state dump, the invariants.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use npfs_abi::{End, PipeState, ProcessId, RequestId, Switch, ThreadId};

use crate::file::{File, Place};
use crate::kernel::{CLOCK, FAULTS, Kernel, NAMESPACE};
use crate::npfs::{Instance, Link, Pipe, Waiter};
use crate::process::{Life, Object};
use crate::request::Request;
use crate::store::Id;
use crate::thread::{Blocked, ThreadState, Waitable};
use crate::time::Timer;

/// A sleeping thread and what it waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Who sleeps.
    pub thread: ThreadId,
    /// In which call.
    pub request: RequestId,
    /// For what, in words.
    pub what: String,
    /// Threads that could end it: the owner of the lock, or whoever can act on the other end.
    pub for_threads: Vec<ThreadId>,
    /// Whether time alone will end it.
    pub timed: bool,
}

/// A ring in a graph of who waits for whom: each waits for the next, and the first stands again
/// at the end. Found in the order of `waits`.
pub fn cycle<N: Copy + Ord>(waits: &[(N, Vec<N>)]) -> Option<Vec<N>> {
    fn follow<N: Copy + Ord>(waits: &[(N, Vec<N>)], path: &mut Vec<N>, seen: &mut Vec<N>) -> bool {
        let Some(last) = path.last().copied() else { return false };
        let Some((_, whom)) = waits.iter().find(|(one, _)| *one == last) else { return false };
        for next in whom {
            if let Some(start) = path.iter().position(|one| one == next) {
                path.drain(..start);
                path.push(*next);
                return true;
            }
            if !seen.contains(next) {
                seen.push(*next);
                path.push(*next);
                if follow(waits, path, seen) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }
    let mut seen = Vec::new();
    waits.iter().find_map(|(one, _)| {
        let mut path = alloc::vec![*one];
        seen.push(*one);
        follow(waits, &mut path, &mut seen).then_some(path)
    })
}

impl Kernel {
    /// Every sleeping thread, in order of threads.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.all_threads()
            .filter_map(|(thread, object)| {
                let ThreadState::Blocked(blocked) = &object.state else { return None };
                let (what, for_threads) = self.describe_wait(thread, blocked);
                Some(Waiting {
                    thread,
                    request: RequestId { thread, call: object.calls },
                    what,
                    for_threads,
                    timed: self.clock[CLOCK]
                        .timers
                        .iter()
                        .any(|(_, timer)| self.is_timer_of(*timer, thread))
                        || self.faults[FAULTS].late_requests().any(|late| late.id.thread == thread),
                })
            })
            .collect()
    }

    /// Whether a thread that sleeps will be woken by this timer.
    fn is_timer_of(&self, timer: Timer, thread: ThreadId) -> bool {
        match timer {
            Timer::Thread(other) => other == thread,
            Timer::Collect(_) => false,
            Timer::Request(request, _) => {
                let object = &self.threads[crate::kernel::thread_id(thread)];
                let sleeps = matches!(object.state, ThreadState::Blocked(Blocked::Request(_)));
                sleeps && request == RequestId { thread, call: object.calls }
            }
        }
    }

    /// Requests that wait on handles of the root.
    fn requests_at_root(&self) -> impl Iterator<Item = (Request, &'static str)> {
        let waits = self.pipes.iter().flat_map(|(_, pipe)| &pipe.waiters);
        let waits = waits.filter_map(|waiter| match waiter {
            Waiter::Request(request) => Some((*request, "wait for an instance")),
            Waiter::Thread(_) => None,
        });
        let watches = self.namespace[NAMESPACE].watches.iter();
        waits.chain(watches.map(|watch| (watch.request, "wait for a change")))
    }

    fn all_threads(&self) -> impl Iterator<Item = (ThreadId, &crate::thread::Thread)> {
        self.threads
            .iter()
            .enumerate()
            .map(|(place, (_, thread))| (ThreadId(place as u32 + 1), thread))
    }

    fn describe_wait(&self, thread: ThreadId, blocked: &Blocked) -> (String, Vec<ThreadId>) {
        let others =
            || self.living_threads().filter(|other| *other != thread).collect::<Vec<ThreadId>>();
        match blocked {
            Blocked::Request(file) => {
                let place = self.files[*file].place;
                let verb = self.pending_verb(thread, place);
                let text = format!("in {verb} on {}", self.end_text(place));
                match place {
                    Place::At(_, _) if verb == "connect" => (text, others()),
                    Place::At(end, instance) => (text, self.holders(end.peer(), instance, thread)),
                    Place::Detached | Place::Closed | Place::Device | Place::Root => {
                        (text, others())
                    }
                }
            }
            Blocked::Lock(io) => {
                let file = io.request.file;
                let owner = self.files[file].lock.as_ref().map(|lock| lock.owner);
                let text = format!(
                    "for the file object lock of {}",
                    self.end_text(self.files[file].place)
                );
                (text, owner.into_iter().collect())
            }
            Blocked::Name(pipe) => (
                format!("for an instance of {} to listen", pipe_text(&self.pipes[*pipe])),
                others(),
            ),
            Blocked::Port { .. } => ("for a packet of a completion port".to_string(), others()),
            Blocked::Objects(wait) if wait.objects.is_empty() => {
                ("for time to pass".to_string(), Vec::new())
            }
            Blocked::Objects(wait) => {
                let names: Vec<String> = wait
                    .objects
                    .iter()
                    .map(|object| match *object {
                        Waitable::Event(_) => "an event".to_string(),
                        Waitable::File(file) => self.end_text(self.files[file].place),
                        Waitable::Thread(thread) => format!("the end of thread {thread}"),
                        Waitable::Process(process) => format!("the end of process {process}"),
                    })
                    .collect();
                let how = if wait.all { "all of " } else { "" };
                (format!("for {how}{}", names.join(", ")), others())
            }
        }
    }

    fn living_threads(&self) -> impl Iterator<Item = ThreadId> {
        self.all_threads()
            .filter(|(_, thread)| thread.state != ThreadState::Exited)
            .filter(|(_, thread)| {
                self.processes[crate::kernel::process_id(thread.process)].life != Life::Exited
            })
            .map(|(thread, _)| thread)
    }

    /// Living threads, the asker left out, of processes with a handle through which `end` can act.
    fn holders(&self, end: End, instance: Id<Instance>, asker: ThreadId) -> Vec<ThreadId> {
        self.living_threads()
            .filter(|thread| *thread != asker)
            .filter(|thread| {
                let process = self.process_of(*thread);
                let table = &self.processes[crate::kernel::process_id(process)].handles;
                table.iter().any(|(_, entry)| match entry.object {
                    Object::File(file) => self.files[file].place == Place::At(end, instance),
                    Object::Event(_) | Object::Port(_) | Object::Thread(_) | Object::Process(_) => {
                        false
                    }
                })
            })
            .collect()
    }

    fn pending_verb(&self, thread: ThreadId, place: Place) -> &'static str {
        let calls = self.threads[crate::kernel::thread_id(thread)].calls;
        let id = RequestId { thread, call: calls };
        let requests = match place {
            Place::At(_, instance) => self.requests_of(instance),
            Place::Root => self.requests_at_root().collect(),
            Place::Detached | Place::Closed | Place::Device => Vec::new(),
        };
        requests
            .into_iter()
            .find(|(request, _)| request.id == id)
            .map_or("a call", |(_, verb)| verb)
    }

    fn requests_of(&self, instance: Id<Instance>) -> Vec<(Request, &'static str)> {
        match &self.instances[instance].link {
            Link::Disconnected => Vec::new(),
            Link::Listening(connects) => {
                connects.iter().map(|request| (*request, "connect")).collect()
            }
            Link::Attached(connection) => connection
                .inbound
                .requests()
                .chain(connection.outbound.requests())
                .map(|(request, verb)| (*request, verb))
                .collect(),
        }
    }

    /// Whether a request of this thread has not ended yet.
    pub(crate) fn has_requests(&self, thread: ThreadId) -> bool {
        let own = |request: &Request| request.id.thread == thread;
        self.instances.iter().any(|(id, _)| self.requests_of(id).iter().any(|(one, _)| own(one)))
            || self.requests_at_root().any(|(request, _)| own(&request))
            || self.faults[FAULTS].late_requests().any(|late| own(&late))
    }

    fn end_text(&self, place: Place) -> String {
        match place {
            Place::At(end, instance) => {
                format!(
                    "the {end} end of {}",
                    pipe_text(&self.pipes[self.instances[instance].pipe])
                )
            }
            Place::Detached => "a disconnected client end".to_string(),
            Place::Closed => "a closed end".to_string(),
            Place::Device => "the device of pipes".to_string(),
            Place::Root => "the root of pipes".to_string(),
        }
    }

    /// What is left over: handles of processes that run, requests that are pending, instances.
    /// Empty when everything was closed and ended; a test can assert that.
    pub fn leaks(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (place, (_, process)) in self.processes.iter().enumerate() {
            let id = ProcessId(place as u32 + 1);
            for (handle, entry) in process.handles.iter() {
                left.push(format!("{id} holds {handle}: {}", self.object_text(entry.object)));
            }
        }
        for (instance, object) in self.instances.iter() {
            let pipe = pipe_text(&self.pipes[object.pipe]);
            left.push(format!("an instance of {pipe} is {}", object.state()));
            for (request, verb) in self.requests_of(instance) {
                left.push(format!("{verb} {} on {pipe} has not ended", request.id));
            }
        }
        for late in self.faults[FAULTS].late_requests() {
            left.push(format!("the end of {} was not told yet", late.id));
        }
        for (thread, object) in self.all_threads() {
            for routine in &object.routines {
                left.push(format!("{thread} has not run the routine of {routine}"));
            }
        }
        left
    }

    /// The whole state on a page: pipes, instances, queues, handles, sleepers.
    pub fn dump(&self) -> String {
        let mut page = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_dump(&mut page);
        page
    }

    fn write_dump(&self, page: &mut String) -> core::fmt::Result {
        writeln!(page, "time {}", self.time())?;
        for (id, pipe) in self.pipes.iter() {
            let max = match pipe.max_instances {
                u32::MAX => "unlimited".to_string(),
                max => max.to_string(),
            };
            writeln!(
                page,
                "pipe {} {} {}, instances {} of {max}, default time-out {}",
                pipe_text(pipe),
                pipe.pipe_type,
                pipe.configuration,
                pipe.servers,
                pipe.default_timeout
            )?;
            for (number, (instance, object)) in
                self.instances.iter().filter(|(_, object)| object.pipe == id).enumerate()
            {
                self.write_instance(page, number + 1, instance, object)?;
            }
            for waiter in &pipe.waiters {
                writeln!(page, "  {} waits for an instance to listen", waiter.id())?;
            }
        }
        for (place, (_, process)) in self.processes.iter().enumerate() {
            let life = match process.life {
                Life::Declared => " not started",
                Life::Running => "",
                Life::Exited => " exited",
            };
            writeln!(page, "process {}{life}", ProcessId(place as u32 + 1))?;
            for (handle, entry) in process.handles.iter() {
                let object = self.object_text(entry.object);
                let inherit = if entry.inherit { ", inheritable" } else { "" };
                writeln!(page, "  {handle} {object}, access {:#x}{inherit}", entry.access.0)?;
            }
        }
        for (thread, object) in self.all_threads() {
            let doing = match &object.state {
                ThreadState::Ready => "runs".to_string(),
                ThreadState::Exited => "has ended".to_string(),
                ThreadState::Blocked(blocked) => {
                    format!("waits {}", self.describe_wait(thread, blocked).0)
                }
            };
            write!(page, "thread {thread} of {} {doing}", object.process)?;
            match self.clock[CLOCK]
                .timers
                .iter()
                .find(|(_, timer)| self.is_timer_of(*timer, thread))
            {
                Some((deadline, _)) => writeln!(page, ", until {deadline}")?,
                None => writeln!(page)?,
            }
            for routine in &object.routines {
                writeln!(page, "  routine of {routine} is queued")?;
            }
        }
        Ok(())
    }

    fn write_instance(
        &self,
        page: &mut String,
        number: usize,
        instance: Id<Instance>,
        object: &Instance,
    ) -> core::fmt::Result {
        let modes = object.server_modes;
        write!(page, "  instance {number} {}", object.state())?;
        if object.server.is_some() {
            write!(
                page,
                ", server {} reads {} {}",
                object.server_process, modes.read, modes.completion
            )?;
        }
        match &object.link {
            Link::Disconnected | Link::Listening(_) => writeln!(page)?,
            Link::Attached(connection) => {
                let modes = connection.client_modes;
                if connection.client.is_some() {
                    let process = connection.client_process;
                    write!(page, ", client {process} reads {} {}", modes.read, modes.completion)?;
                }
                writeln!(page)?;
                writeln!(page, "    to server: {}", connection.inbound.describe())?;
                writeln!(page, "    to client: {}", connection.outbound.describe())?;
            }
        }
        if let Link::Listening(_) = object.link {
            for (request, verb) in self.requests_of(instance) {
                writeln!(page, "    {verb} by {} waits", request.id)?;
            }
        }
        Ok(())
    }

    fn object_text(&self, object: Object) -> String {
        match object {
            Object::File(file) => self.file_text(file),
            Object::Event(event) => {
                let event = &self.events[event];
                format!(
                    "{} event, {}",
                    if event.manual { "manual-reset" } else { "auto-reset" },
                    signaled_text(event.signaled)
                )
            }
            Object::Port(port) => {
                let port = &self.ports[port];
                format!(
                    "completion port, {} packets, {} files, {} waiting",
                    port.packets.len(),
                    port.files,
                    port.waiters.len()
                )
            }
            Object::Thread(thread) => format!("thread {thread}"),
            Object::Process(process) => format!("process {process}"),
        }
    }

    fn file_text(&self, file: Id<File>) -> String {
        let object = &self.files[file];
        let mut text = self.end_text(object.place);
        text.push_str(if object.synchronous { ", synchronous" } else { ", overlapped" });
        if let Some(lock) = &object.lock {
            let _ = write!(text, ", locked by {}", lock.owner);
            for waiter in &lock.waiters {
                let _ = write!(text, ", {waiter} queues");
            }
        }
        let _ = write!(text, ", {}", signaled_text(object.signaled));
        text
    }

    /// Every reference is one that somebody holds, and nothing lives without one.
    fn check_references(&self) {
        let pending: Vec<Request> = self
            .instances
            .iter()
            .flat_map(|(instance, _)| self.requests_of(instance))
            .chain(self.requests_at_root())
            .map(|(request, _)| request)
            .chain(self.threads.iter().filter_map(|(_, thread)| match &thread.state {
                ThreadState::Blocked(Blocked::Lock(io)) => Some(io.request),
                _ => None,
            }))
            .chain(self.faults[FAULTS].late_requests())
            .collect();
        let waited = |object: Waitable| {
            self.threads
                .iter()
                .filter_map(|(_, thread)| match &thread.state {
                    ThreadState::Blocked(Blocked::Objects(wait)) => Some(wait),
                    _ => None,
                })
                .flat_map(|wait| &wait.objects)
                .filter(|other| **other == object)
                .count()
        };
        for (id, file) in self.files.iter() {
            let requests = pending.iter().filter(|request| request.file == id).count()
                + waited(Waitable::File(id));
            assert_eq!(
                requests, file.requests as usize,
                "requests of a file object are counted right"
            );
            let alive = file.handles > 0 || file.requests > 0;
            assert!(alive, "a file object without references is gone");
        }
        for (id, port) in self.ports.iter() {
            let handles = self
                .processes
                .iter()
                .flat_map(|(_, process)| process.handles.iter())
                .filter(|(_, entry)| entry.object == Object::Port(id))
                .count();
            assert_eq!(handles, port.handles as usize, "handles of a port are counted right");
            let bound = |file: &File| file.port.is_some_and(|binding| binding.port == id);
            let files = self.files.iter().filter(|(_, file)| bound(file)).count();
            assert_eq!(files, port.files as usize, "files of a port are counted right");
            assert!(handles + files > 0, "a port without references is gone");
            assert!(handles > 0 || port.packets.is_empty(), "nobody can take these packets");
            for waiter in &port.waiters {
                let state = &self.threads[crate::kernel::thread_id(*waiter)].state;
                let waits = matches!(state, ThreadState::Blocked(Blocked::Port { port, .. })
                    if *port == id);
                assert!(waits, "who waits for packets sleeps for them");
            }
        }
        for (id, event) in self.events.iter() {
            let handles = self
                .processes
                .iter()
                .flat_map(|(_, process)| process.handles.iter())
                .filter(|(_, entry)| entry.object == Object::Event(id))
                .count();
            let requests = pending.iter().filter(|request| request.event == Some(id)).count();
            let references = handles + requests + waited(Waitable::Event(id));
            assert_eq!(
                references, event.references as usize,
                "references of an event are counted right"
            );
            assert!(references > 0, "an event without references is gone");
        }
    }

    /// Asserts the promises that span objects.
    ///
    /// # Panics
    /// If one of them is broken: that is a defect of npfs, whatever was called.
    pub fn check(&self) {
        for (id, pipe) in self.pipes.iter() {
            let members: Vec<_> =
                self.instances.iter().filter(|(_, instance)| instance.pipe == id).collect();
            assert_eq!(
                members.len(),
                pipe.members as usize,
                "every instance is a member of its pipe"
            );
            let servers = members.iter().filter(|(_, instance)| instance.server.is_some()).count();
            assert_eq!(servers, pipe.servers as usize, "server ends are counted right");
            assert!(pipe.servers <= pipe.max_instances, "current is at most maximum");
            let listening = members
                .iter()
                .filter(|(_, instance)| instance.state() == PipeState::Listening)
                .count();
            assert_eq!(listening, pipe.listening.len(), "the listening queue holds who listens");
            let waits = !pipe.waiters.is_empty() && self.available(id);
            assert!(!waits || self.has(Switch::WaitReleasesOne), "nobody waits in vain");
            if let Some(name) = &pipe.name {
                assert_eq!(
                    self.namespace[NAMESPACE].pipes.get(name),
                    Some(&id),
                    "a name leads home"
                );
            }
        }
        for (id, instance) in self.instances.iter() {
            if let Some(server) = instance.server {
                assert_eq!(self.files[server].place, Place::At(End::Server, id));
            }
            if let Link::Attached(connection) = &instance.link {
                if let Some(client) = connection.client {
                    assert_eq!(self.files[client].place, Place::At(End::Client, id));
                }
                assert_eq!(connection.inbound.quota(), instance.quota_in);
                assert_eq!(connection.outbound.quota(), instance.quota_out);
                connection.inbound.check();
                connection.outbound.check();
            }
        }
        for (id, file) in self.files.iter() {
            let handles = self
                .processes
                .iter()
                .flat_map(|(_, process)| process.handles.iter())
                .filter(|(_, entry)| entry.object == Object::File(id))
                .count();
            assert_eq!(
                handles, file.handles as usize,
                "handles of a file object are counted right"
            );
            assert!(file.synchronous || file.lock.is_none(), "only synchronous objects are locked");
            if let Some(lock) = &file.lock {
                let asleep =
                    |thread: ThreadId| &self.threads[crate::kernel::thread_id(thread)].state;
                assert_eq!(
                    asleep(lock.owner),
                    &ThreadState::Blocked(Blocked::Request(id)),
                    "who holds a lock sleeps in a request"
                );
                for waiter in &lock.waiters {
                    let waits = matches!(asleep(*waiter), ThreadState::Blocked(Blocked::Lock(io))
                        if io.request.file == id);
                    assert!(waits, "who queues for a lock sleeps for it");
                }
            }
        }
        self.check_references();
        for (request, _) in self.requests_at_root() {
            assert_eq!(self.files[request.file].place, Place::Root, "only the root has waits");
        }
        for (_, timer) in &self.clock[CLOCK].timers {
            if let Timer::Request(request, pipe) = timer {
                let waits = self.pipes[*pipe].waiters.iter().any(|waiter| waiter.id() == *request);
                assert!(waits, "a timer belongs to a request that waits");
            }
        }
        for (thread, object) in self.all_threads() {
            if let ThreadState::Blocked(Blocked::Request(file)) = &object.state {
                let id = RequestId { thread, call: object.calls };
                let queued: Vec<Request> = match self.files[*file].place {
                    Place::At(_, instance) => {
                        self.requests_of(instance).into_iter().map(|(one, _)| one).collect()
                    }
                    Place::Root => self.requests_at_root().map(|(one, _)| one).collect(),
                    Place::Detached | Place::Closed | Place::Device => Vec::new(),
                };
                let late = self.faults[FAULTS].late_requests();
                let found =
                    queued.into_iter().chain(late).filter(|request| request.id == id).count();
                assert_eq!(found, 1, "the request {thread} sleeps in is in one place");
            }
        }
    }
}

fn pipe_text(pipe: &Pipe) -> String {
    match &pipe.path {
        Some(path) => path.to_string(),
        None => "an anonymous pipe".to_string(),
    }
}

fn signaled_text(signaled: bool) -> &'static str {
    if signaled { "signaled" } else { "not signaled" }
}
