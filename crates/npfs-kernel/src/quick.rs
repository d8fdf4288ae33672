//! The short way of a read or write that ends in its own call and concerns nobody else.
//!
//! Promises: it answers and changes what the way through [`crate::io`] would, or declines before
//! anything has changed. It decides nothing of its own: the state table and the queue have the
//! word here too. Everything rare is left to the long way, and `quick_tests` compares the two.
//!
//! All of it is inlined into [`Kernel::step`]: handed from call to call through memory, the parts
//! of an answer take half as long again (`docs/decisions.md`).

use npfs_abi::{Access, Call, Data, Delivery, End, Handle, Switch, ThreadId};

use crate::file::{File, Place};
use crate::kernel::{CLOCK, Kernel, process_id, thread_id};
use crate::npfs::state::{Operation, Rule, rule};
use crate::npfs::{Connection, Instance};
use crate::process::Object;
use crate::store::Id;

/// An end of a connection whose use concerns nobody but its two ends.
struct Way<'a> {
    file: Id<File>,
    instance: Id<Instance>,
    end: End,
    object: &'a Instance,
    connection: &'a Connection,
}

impl Kernel {
    /// A call that has the short way goes it, and ends with success, this byte count and these
    /// bytes. It is not counted yet.
    #[inline(always)]
    pub(crate) fn quick(&mut self, thread: ThreadId, call: &Call) -> Option<(u32, Data)> {
        match call {
            Call::WriteFile { file, data, delivery } => {
                self.quick_write(thread, *file, data, delivery)
            }
            Call::ReadFile { file, length, delivery } => {
                self.quick_read(thread, *file, *length, delivery)
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn quick_write(
        &mut self,
        thread: ThreadId,
        handle: Handle,
        data: &Data,
        delivery: &Delivery,
    ) -> Option<(u32, Data)> {
        let way = self.way(thread, handle, Access::WRITE_DATA, delivery, Operation::Write)?;
        let Way { file, instance, end, object, connection } = way;
        let length = data.size();
        let fits = connection.queue(end.peer()).has_room(length);
        if !fits
            || self.has(Switch::FlushWaitsForLaterWrites)
            || self.pipes[object.pipe].check_direction(end.peer()).is_err()
        {
            return None;
        }
        let context = self.context_of(connection, end, thread);
        self.files.edit(file).signaled = true;
        self.connection(instance).towards(end.peer()).append(data, length, context);
        Some((length, Data::EMPTY))
    }

    #[inline(always)]
    fn quick_read(
        &mut self,
        thread: ThreadId,
        handle: Handle,
        length: u32,
        delivery: &Delivery,
    ) -> Option<(u32, Data)> {
        let way = self.way(thread, handle, Access::READ_DATA, delivery, Operation::Read)?;
        let Way { file, instance, end, connection, .. } = way;
        // Data that is there came the way that the pipe allows: READ-41 has been looked at.
        if !connection.queue(end).is_whole_in(length) {
            return None;
        }
        self.files.edit(file).signaled = true;
        let data = self.connection(instance).towards(end).take_first();
        Some((data.size(), data))
    }

    /// Where a handle leads, if nothing on the way needs the long one: no event, routine, port,
    /// lock, flag, planned fault or waiting thread, no refusal, and no network.
    #[inline(always)]
    fn way(
        &self,
        thread: ThreadId,
        handle: Handle,
        rights: Access,
        delivery: &Delivery,
        operation: Operation,
    ) -> Option<Way<'_>> {
        let alone =
            self.ports.len() == 0 && self.clock[CLOCK].waiters.is_empty() && !self.plans_faults();
        let plain = matches!(delivery, Delivery::Return | Delivery::Overlapped { event: None, .. });
        if !alone || !plain {
            return None;
        }
        let process = self.threads[thread_id(thread)].process;
        let entry = self.processes[process_id(process)].handles.find(handle)?;
        let Object::File(file) = entry.object else { return None };
        let opened = &self.files[file];
        let Place::At(end, instance) = opened.place else { return None };
        if !entry.access.has(rights) || opened.lock.is_some() || opened.skips != 0 {
            return None;
        }
        let object = &self.instances[instance];
        let connection = object.connection()?;
        let goes = matches!(rule(operation, end, object.state()), Rule::Go);
        let local = connection.remote.is_none();
        (goes && local).then_some(Way { file, instance, end, object, connection })
    }
}
