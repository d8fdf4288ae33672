//! Clients on other computers: the way over the network, and what collects on it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use npfs_abi::{Data, End, Status, Target, ThreadId, Time, Token};

use super::{Instance, Source, Writing};
use crate::kernel::{CLOCK, Effects, Kernel, process_id};
use crate::process::Life;
use crate::request::{Manner, Request};
use crate::store::Id;
use crate::time::Timer;

/// The remote side of a connection.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Remote {
    /// The name of the client's computer.
    pub(crate) computer: Arc<str>,
    /// `*lpMaxCollectionCount` in bytes; 0 collects nothing.
    pub(crate) count: u32,
    /// `*lpCollectDataTimeout` in milliseconds.
    pub(crate) timeout: u32,
    /// Writes that are still on the client's computer.
    pub(crate) held: Vec<(Data, Arc<Token>)>,
}

impl Remote {
    pub(crate) fn new(computer: Arc<str>) -> Remote {
        Remote { computer, count: 0, timeout: 0, held: Vec::new() }
    }

    fn bytes(&self) -> u32 {
        self.held.iter().fold(0, |sum: u32, (data, _)| sum.saturating_add(data.size()))
    }
}

impl Kernel {
    /// Whether a thread runs on another computer than the pipes.
    pub(super) fn is_elsewhere(&self, thread: ThreadId) -> bool {
        self.processes[process_id(self.process_of(thread))].computer.is_some()
    }

    /// The computer of a remote client that opens `target`; `None` for a local one (OPEN-24).
    pub(crate) fn remote_computer(
        &self,
        thread: ThreadId,
        target: &Target,
    ) -> Result<Option<Arc<str>>, Status> {
        let own = &self.processes[process_id(self.process_of(thread))].computer;
        match target {
            Target::Remote { server, .. } => {
                if !server.eq_ignore_ascii_case(&self.system.computer) {
                    return Err(Status::BAD_NETWORK_PATH);
                }
                Ok(Some(own.clone().unwrap_or_else(|| self.system.computer.clone())))
            }
            // Pipes of the other computer are not modelled: there are none.
            _ if own.is_some() => Err(Status::OBJECT_NAME_NOT_FOUND),
            _ => Ok(None),
        }
    }

    /// A remote client's write of bytes may stay on its computer for a while; says whether it
    /// does (SEED-75 to SEED-77).
    pub(super) fn collects(
        &mut self,
        instance: Id<Instance>,
        request: &Request,
        data: &Data,
        fx: &mut Effects<'_>,
    ) -> bool {
        let through = self.files[request.file].write_through;
        let token = self.token_of(request.id.thread).clone();
        let Some(remote) = self.connection(instance).remote.as_deref_mut() else { return false };
        if through || remote.count == 0 || data.is_empty() {
            return false;
        }
        let first = remote.held.is_empty();
        remote.held.push((data.clone(), token));
        let (full, timeout) = (remote.bytes() >= remote.count, remote.timeout);
        if full {
            self.deliver_collected(instance, fx);
        } else if first && timeout > 0 {
            let clock = self.clock.edit(CLOCK);
            let deadline = clock.now.after(Time::from_millis(u64::from(timeout)));
            clock.arm(deadline, Timer::Collect(instance));
        }
        true
    }

    /// What was collected goes to the server.
    pub(crate) fn deliver_collected(&mut self, instance: Id<Instance>, fx: &mut Effects<'_>) {
        let pipe_type = self.pipe_of(instance).pipe_type;
        let profile = self.system.profile;
        let Some(connection) = self.instances[instance].connection() else { return };
        if connection.remote.as_ref().is_none_or(|remote| remote.held.is_empty()) {
            return;
        }
        self.clock.edit(CLOCK).disarm(Timer::Collect(instance));
        let connection = self.connection(instance);
        let Some(remote) = connection.remote.as_deref_mut() else { return };
        for (data, token) in core::mem::take(&mut remote.held) {
            // It was accepted when it was collected, so it does not wait for room now.
            let source = Source {
                writing: Writing::Transact,
                request: Request::nobody(Manner::Overlapped),
                context: Some(token),
            };
            let queue = connection.towards(End::Server);
            queue.write(pipe_type, data, source, profile, &mut fx.settled);
        }
    }

    /// A client end closes: what is collected is sent first, unless its process was terminated.
    pub(super) fn close_collected(&mut self, instance: Id<Instance>, fx: &mut Effects<'_>) {
        let Some(connection) = self.instances[instance].connection() else { return };
        if connection.remote.is_none() {
            return;
        }
        let process = connection.client_process;
        if self.processes[process_id(process)].life == Life::Running {
            self.deliver_collected(instance, fx);
        }
        self.clock.edit(CLOCK).disarm(Timer::Collect(instance));
        if let Some(remote) = self.connection(instance).remote.as_deref_mut() {
            remote.held.clear();
        }
    }
}
