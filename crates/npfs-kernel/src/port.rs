//! Completion ports: packets, who waits for them, and which files send theirs.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use npfs_abi::{
    Access, Handle, Outcome, Output, Packet, PacketSource, Reply, RequestId, Status, ThreadId,
    Time, codes::notification,
};

use crate::file::File;
use crate::io::FileOp;
use crate::kernel::{Answer, CLOCK, Effects, Kernel, done, ok, process_id, thread_id};
use crate::process::{Entry, Object};
use crate::request::Settled;
use crate::store::Id;
use crate::thread::{Blocked, ThreadState};
use crate::time::Timer;

/// `NumberOfConcurrentThreads` 0 stands for the number of processors, of which there are two.
const PROCESSORS: u32 = 2;

/// A completion port.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Port {
    /// How many of its threads may run at a time.
    pub(crate) concurrency: u32,
    /// Packets that nobody has taken, oldest first.
    pub(crate) packets: VecDeque<Packet>,
    /// Threads that wait for packets; the last one to come is the first to be released.
    pub(crate) waiters: Vec<ThreadId>,
    /// Handles, in all processes. When the last one goes, waits end and packets are lost.
    pub(crate) handles: u32,
    /// Files that send their packets here.
    pub(crate) files: u32,
}

/// Where a file sends its packets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Binding {
    pub(crate) port: Id<Port>,
    pub(crate) key: u64,
}

impl Kernel {
    pub(crate) fn port(&self, thread: ThreadId, handle: Handle) -> Result<Id<Port>, Status> {
        match self.entry(thread, handle)?.object {
            Object::Port(port) => Ok(port),
            Object::File(_) | Object::Event(_) | Object::Thread(_) | Object::Process(_) => {
                Err(Status::OBJECT_TYPE_MISMATCH)
            }
        }
    }

    /// `CreateIoCompletionPort`: a new port, a binding, or both.
    pub(crate) fn create_port(
        &mut self,
        request: RequestId,
        file: Option<Handle>,
        port: Option<Handle>,
        key: u64,
        concurrency: u32,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let thread = request.thread;
        match (file, port) {
            (None, Some(_)) => return Err(Status::INVALID_PARAMETER),
            (Some(file), Some(handle)) => {
                let port = self.port(thread, handle)?;
                let file = self.file(thread, file)?;
                self.bind_port(file, port, key, fx)?;
                return done(Output::Handle(handle));
            }
            (Some(_) | None, None) => {}
        }
        let file = match file {
            Some(file) => Some(self.file(thread, file)?),
            None => None,
        };
        let port = self.ports.insert(Port {
            concurrency: if concurrency == 0 { PROCESSORS } else { concurrency },
            packets: VecDeque::new(),
            waiters: Vec::new(),
            handles: 0,
            files: 0,
        });
        if let Some(file) = file {
            if let Err(status) = self.bind_port(file, port, key, fx) {
                self.ports.remove(port);
                return Err(status);
            }
        }
        let process = self.process_of(thread);
        let entry =
            Entry { object: Object::Port(port), access: Access::PORT_ALL_ACCESS, inherit: false };
        done(Output::Handle(self.deal_in(process, entry)))
    }

    /// A file sends its packets to a port from now on (IOCP-10, IOCP-19, IOCP-20).
    pub(crate) fn bind_port(
        &mut self,
        file: Id<File>,
        port: Id<Port>,
        key: u64,
        fx: &mut Effects<'_>,
    ) -> Result<(), Status> {
        let object = &self.files[file];
        if object.synchronous || object.port.is_some() {
            return Err(Status::INVALID_PARAMETER);
        }
        self.files.edit(file).port = Some(Binding { port, key });
        self.ports.edit(port).files += 1;
        self.signal_file(file, fx); // EVENT-19
        Ok(())
    }

    /// Sets `FILE_SKIP_*` flags; none can be taken back (IOCP-21, IOCP-22, EVENT-17, EVENT-19).
    pub(crate) fn set_skip_flags(
        &mut self,
        file: Id<File>,
        flags: u32,
        fx: &mut Effects<'_>,
    ) -> Result<(), Status> {
        const KNOWN: u32 =
            notification::SKIP_COMPLETION_PORT_ON_SUCCESS | notification::SKIP_SET_EVENT_ON_HANDLE;
        if self.files[file].synchronous {
            return Err(Status::INVALID_PARAMETER);
        }
        let object = self.files.edit(file);
        object.skips |= flags & KNOWN;
        if object.skips & notification::SKIP_SET_EVENT_ON_HANDLE != 0 {
            if object.requests > 0 {
                object.signaled = false;
            }
        } else {
            self.signal_file(file, fx);
        }
        Ok(())
    }

    pub(crate) fn set_notification_modes(
        &mut self,
        request: RequestId,
        file: Handle,
        flags: u32,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let file = self.file(request.thread, file)?;
        self.set_skip_flags(file, flags, fx)?;
        ok()
    }

    /// The flags that were set (INFO-83).
    pub(crate) fn skip_flags(&self, file: Id<File>) -> u32 {
        self.files[file].skips
    }

    /// A file object's own event, unless its flags forbid it.
    pub(crate) fn signal_file(&mut self, file: Id<File>, fx: &mut Effects<'_>) {
        let object = self.files.edit(file);
        if object.skips & notification::SKIP_SET_EVENT_ON_HANDLE == 0 {
            object.signaled = true;
            fx.signaled = true;
        }
    }

    /// The end of an operation goes to the port of its file, if it has one.
    pub(crate) fn send_packet(
        &mut self,
        file: Id<File>,
        request: RequestId,
        status: Status,
        information: u32,
    ) {
        let Some(Binding { port, key }) = self.files[file].port else { return };
        if self.ports[port].handles > 0 {
            let source = PacketSource::Request(request);
            let packet = Packet { key, source, status, information };
            self.ports.edit(port).packets.push_back(packet);
        }
    }

    /// `PostQueuedCompletionStatus`.
    pub(crate) fn post_packet(
        &mut self,
        thread: ThreadId,
        port: Handle,
        bytes: u32,
        key: u64,
        overlapped: u64,
    ) -> Answer {
        let port = self.port(thread, port)?;
        self.ports.edit(port).packets.push_back(Packet {
            key,
            source: PacketSource::Posted(overlapped),
            status: Status::SUCCESS,
            information: bytes,
        });
        ok()
    }

    /// `GetQueuedCompletionStatus(Ex)`: packets, or a wait for them (IOCP-14 to IOCP-16).
    pub(crate) fn dequeue_packets(
        &mut self,
        request: RequestId,
        port: Handle,
        count: u32,
        timeout: Option<u32>,
        alertable: bool,
    ) -> Answer {
        let thread = request.thread;
        let port = self.port(thread, port)?;
        if count == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        // Coming back for more ends the work on the packets before.
        self.threads.edit(thread_id(thread)).port = None;
        if let Some(reply) = self.take_packets(thread, port, count) {
            return Ok(Outcome::Done(reply));
        }
        if alertable {
            if let Some(reply) = self.run_routines(thread) {
                return Ok(Outcome::Done(reply));
            }
        }
        match timeout {
            Some(0) => return Err(Status::TIMEOUT),
            Some(ms) => self.arm(thread, Time::from_millis(u64::from(ms))),
            None => {}
        }
        self.ports.edit(port).waiters.push(thread);
        self.threads.edit(thread_id(thread)).state =
            ThreadState::Blocked(Blocked::Port { port, count, alertable });
        Ok(Outcome::Blocked(request))
    }

    /// Packets for a thread, if there are any and the port lets another thread run.
    fn take_packets(&mut self, thread: ThreadId, port: Id<Port>, count: u32) -> Option<Reply> {
        let object = &self.ports[port];
        if object.packets.is_empty() || self.running(port) >= object.concurrency {
            return None;
        }
        let packets = &mut self.ports.edit(port).packets;
        let count = packets.len().min(count as usize);
        let taken: Vec<Packet> = packets.drain(..count).collect();
        self.threads.edit(thread_id(thread)).port = Some(port);
        Some(Reply::with(Output::Packets(taken)))
    }

    /// How many threads work on packets of a port and do not sleep.
    fn running(&self, port: Id<Port>) -> u32 {
        let works = |object: &&crate::thread::Thread| {
            object.port == Some(port) && object.state == ThreadState::Ready
        };
        self.threads.iter().map(|(_, object)| object).filter(works).count() as u32
    }

    /// Releases one waiter that can have packets, the last to come first; says whether it did.
    pub(crate) fn release_port_waiter(&mut self, fx: &mut Effects<'_>) -> bool {
        let ready =
            |(_, port): &(Id<Port>, &Port)| !port.packets.is_empty() && !port.waiters.is_empty();
        let candidates: Vec<Id<Port>> =
            self.ports.iter().filter(ready).map(|(port, _)| port).collect();
        for port in candidates {
            let Some(thread) = self.ports[port].waiters.last().copied() else { continue };
            let ThreadState::Blocked(Blocked::Port { count, .. }) =
                self.threads[thread_id(thread)].state
            else {
                unreachable!("a waiter of a port waits for it")
            };
            if let Some(reply) = self.take_packets(thread, port, count) {
                self.leave_port(thread, port);
                self.return_to(thread, reply, fx);
                return true;
            }
        }
        false
    }

    /// Takes a thread out of its wait for packets.
    pub(crate) fn leave_port(&mut self, thread: ThreadId, port: Id<Port>) {
        self.clock.edit(CLOCK).disarm(Timer::Thread(thread));
        self.ports.edit(port).waiters.retain(|waiter| *waiter != thread);
    }

    /// A handle of a port is gone; with the last one its waits end.
    pub(crate) fn close_port(&mut self, port: Id<Port>, fx: &mut Effects<'_>) {
        let object = self.ports.edit(port);
        object.handles -= 1;
        if object.handles == 0 {
            object.packets.clear();
            for thread in core::mem::take(&mut object.waiters) {
                self.clock.edit(CLOCK).disarm(Timer::Thread(thread));
                self.return_to(thread, Reply::status(Status::ABANDONED_WAIT_0), fx);
            }
            self.drop_port(port);
        }
    }

    pub(crate) fn drop_port(&mut self, port: Id<Port>) {
        let object = &self.ports[port];
        if object.handles > 0 || object.files > 0 {
            return;
        }
        self.ports.remove(port);
        let workers: Vec<Id<crate::thread::Thread>> = self
            .threads
            .iter()
            .filter(|(_, thread)| thread.port == Some(port))
            .map(|(id, _)| id)
            .collect();
        for worker in workers {
            self.threads.edit(worker).port = None;
        }
    }

    /// The last handle of a file that this process had is gone, others have more: requests that
    /// only a port would tell are cancelled, their status blocks written when the packet is
    /// taken (CANCEL-20); the rest goes on (CANCEL-19).
    pub(crate) fn process_lets_go(
        &mut self,
        thread: ThreadId,
        file: Id<File>,
        fx: &mut Effects<'_>,
    ) {
        let process = self.process_of(thread);
        let table = &self.processes[process_id(process)].handles;
        let bound = self.files[file].port.is_some();
        if !bound || table.iter().any(|(_, entry)| entry.object == Object::File(file)) {
            return;
        }
        let threads: Vec<ThreadId> = self.threads_of(process).collect();
        let before = fx.settled.len();
        self.cancel_on(
            file,
            &mut |request| {
                request.packet && request.event.is_none() && threads.contains(&request.id.thread)
            },
            fx,
        );
        let ended: Vec<Settled> = fx.settled.drain(before..).collect();
        for one in ended {
            let (told, cancelled) = (fx.caused.len(), one.status == Status::CANCELLED);
            self.complete(one, fx);
            fx.caused[told..].iter_mut().for_each(|end| end.held |= cancelled);
        }
    }
}

impl FileOp {
    /// Whether an operation that is over at once on an overlapped handle says so all the same
    /// by a completion: FSCTL_PIPE_PEEK, since Windows 8 (PEEK-20, EVENT-30).
    pub(crate) fn tells_later(&self) -> bool {
        matches!(self, FileOp::PeekRaw(_))
    }
}
