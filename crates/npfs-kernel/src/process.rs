//! Processes and their handle tables.

use core::hash::{Hash, Hasher};

use alloc::sync::Arc;
use npfs_abi::{Access, Handle, ProcessId, Status, ThreadId, Token};
use slab::Slab;

use crate::event::Event;
use crate::file::File;
use crate::port::Port;
use crate::store::Id;

/// A process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Process {
    pub(crate) life: Life,
    pub(crate) handles: HandleTable,
    pub(crate) token: Arc<Token>,
    pub(crate) session: u32,
    /// Where it runs, if not on the computer with the pipes.
    pub(crate) computer: Option<Arc<str>>,
}

/// Whether a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Life {
    /// Declared; `CreateProcess` will start it.
    Declared,
    Running,
    Exited,
}

/// What a handle refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Object {
    File(Id<File>),
    Event(Id<Event>),
    Port(Id<Port>),
    Thread(ThreadId),
    Process(ProcessId),
}

/// One handle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Entry {
    pub(crate) object: Object,
    pub(crate) access: Access,
    pub(crate) inherit: bool,
}

/// The handles of one process.
///
/// Values are multiples of 4 from 4 on; the one freed last is dealt first, as the free list
/// of Windows' own tables does.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandleTable {
    entries: Slab<Entry>,
}

impl HandleTable {
    pub(crate) fn insert(&mut self, entry: Entry) -> Handle {
        Handle((self.entries.insert(entry) as u32 + 1) * 4)
    }

    pub(crate) fn find(&self, handle: Handle) -> Option<&Entry> {
        self.entries.get(key(handle)?)
    }

    pub(crate) fn get(&self, handle: Handle) -> Result<Entry, Status> {
        self.find(handle).copied().ok_or(Status::INVALID_HANDLE)
    }

    pub(crate) fn entry(&mut self, handle: Handle) -> Result<&mut Entry, Status> {
        key(handle).and_then(|key| self.entries.get_mut(key)).ok_or(Status::INVALID_HANDLE)
    }

    pub(crate) fn remove(&mut self, handle: Handle) -> Result<Entry, Status> {
        key(handle).and_then(|key| self.entries.try_remove(key)).ok_or(Status::INVALID_HANDLE)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Handle, &Entry)> {
        self.entries.iter().map(|(key, entry)| (Handle((key as u32 + 1) * 4), entry))
    }

    /// The table of a child: the inheritable handles, with the same values.
    pub(crate) fn inherited(&self) -> HandleTable {
        let entries = self.entries.iter().filter(|(_, entry)| entry.inherit);
        HandleTable { entries: entries.map(|(key, entry)| (key, *entry)).collect() }
    }
}

/// The two low bits of a handle are the caller's own and are not looked at.
fn key(handle: Handle) -> Option<usize> {
    (handle.0 / 4).checked_sub(1).map(|key| key as usize)
}

impl PartialEq for HandleTable {
    fn eq(&self, other: &HandleTable) -> bool {
        self.iter().eq(other.iter())
    }
}
impl Eq for HandleTable {}
impl Hash for HandleTable {
    fn hash<S: Hasher>(&self, state: &mut S) {
        for pair in self.iter() {
            pair.hash(state);
        }
    }
}
