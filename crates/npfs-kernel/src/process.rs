//! Processes and their handle tables.

use core::hash::{Hash, Hasher};

use alloc::sync::Arc;
use alloc::vec::Vec;
use npfs_abi::{Access, Handle, ProcessId, Status, ThreadId, Token};

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

/// What a handle refers to, as far as the process can tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Referent {
    /// A file object.
    File,
    /// An event.
    Event,
    /// A completion port.
    Port,
    /// This thread.
    Thread(ThreadId),
    /// This process.
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
/// of Windows' own tables does. When exploration asks for it, every thread has values of its
/// own instead, so that a value does not depend on what other threads have opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandleTable {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// From which place on threads have places of their own, and how many threads there are.
    by_asker: Option<(u32, u32)>,
}

impl HandleTable {
    pub(crate) fn insert(&mut self, entry: Entry, asker: u32) -> Handle {
        let key = match self.by_asker {
            None => self.free.pop().map_or(self.entries.len(), |key| key as usize),
            Some((base, askers)) => {
                let mut key = (base + asker % askers) as usize;
                while self.entries.get(key).is_some_and(Option::is_some) {
                    key += askers as usize;
                }
                key
            }
        };
        if key >= self.entries.len() {
            self.entries.resize(key + 1, None);
        }
        self.entries[key] = Some(entry);
        Handle((key as u32 + 1) * 4)
    }

    /// From now on every asker, 0 to `askers - 1`, has values of its own.
    #[cfg(feature = "explore")]
    pub(crate) fn deal_by_asker(&mut self, askers: u32) {
        self.by_asker = Some((self.entries.len() as u32, askers.max(1)));
    }

    pub(crate) fn find(&self, handle: Handle) -> Option<&Entry> {
        self.entries.get(key(handle)?)?.as_ref()
    }

    pub(crate) fn get(&self, handle: Handle) -> Result<Entry, Status> {
        self.find(handle).copied().ok_or(Status::INVALID_HANDLE)
    }

    pub(crate) fn entry(&mut self, handle: Handle) -> Result<&mut Entry, Status> {
        let entry = key(handle).and_then(|key| self.entries.get_mut(key)?.as_mut());
        entry.ok_or(Status::INVALID_HANDLE)
    }

    pub(crate) fn remove(&mut self, handle: Handle) -> Result<Entry, Status> {
        let key = key(handle).ok_or(Status::INVALID_HANDLE)?;
        let entry = self.entries.get_mut(key).and_then(Option::take);
        let entry = entry.ok_or(Status::INVALID_HANDLE)?;
        if self.by_asker.is_none() {
            self.free.push(key as u32);
        }
        Ok(entry)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Handle, &Entry)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(key, entry)| Some((Handle((key as u32 + 1) * 4), entry.as_ref()?)))
    }

    /// The table of a child: the inheritable handles, with the same values.
    pub(crate) fn inherited(&self) -> HandleTable {
        let entries = self.entries.iter().map(|entry| entry.filter(|entry| entry.inherit));
        let entries: Vec<Option<Entry>> = entries.collect();
        let free = (0..entries.len() as u32).rev().filter(|key| entries[*key as usize].is_none());
        HandleTable { free: free.collect(), entries, by_asker: self.by_asker }
    }
}

/// The two low bits of a handle are the caller's own and are not looked at.
fn key(handle: Handle) -> Option<usize> {
    (handle.0 / 4).checked_sub(1).map(|key| key as usize)
}

impl PartialEq for HandleTable {
    /// Which value comes next is part of it.
    fn eq(&self, other: &HandleTable) -> bool {
        self.iter().eq(other.iter())
            && self.by_asker == other.by_asker
            && (self.by_asker.is_some() || self.free == other.free)
    }
}
impl Eq for HandleTable {}
impl Hash for HandleTable {
    fn hash<S: Hasher>(&self, state: &mut S) {
        for pair in self.iter() {
            pair.hash(state);
        }
        if self.by_asker.is_none() {
            self.free.hash(state);
        }
    }
}
