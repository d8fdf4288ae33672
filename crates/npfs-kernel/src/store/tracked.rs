//! The store for exploration: an undo log, kept hashes, and a record of what a step touched.
//!
//! The doors of a store let exploration step, hash and undo at the cost of what the step touched,
//! and know which steps depend on each other. Until it asks for that, little of it costs anything.

use alloc::vec::Vec;
use core::hash::Hash;
use core::marker::PhantomData;

use super::places::Places;
use super::{Id, stale};
use crate::footprint::{Part, Touched};
use crate::hash;

#[derive(Clone)]
pub(super) struct Slot<T> {
    pub(super) value: T,
    generation: u32,
    /// The epoch in which the value was last written to the log.
    logged: u32,
    /// The hash kept for the value; meaningless while `dirty`.
    hash: u64,
    dirty: bool,
}

#[derive(Clone)]
enum Before<T> {
    Absent,
    /// With its generation, and its hash if that was known.
    Present(T, u32, Option<u64>),
}

/// Objects of one type.
#[derive(Clone)]
pub(crate) struct Store<T> {
    pub(super) slots: Places<Slot<T>>,
    /// The generation that the next object in a place gets.
    generations: Vec<u32>,
    /// It has one object, of which steps may touch a part.
    parted: bool,
    tracking: bool,
    recording: bool,
    epoch: u32,
    log: Vec<(usize, Before<T>)>,
    dirty: Vec<usize>,
    sum: u64,
    touched: Touched,
}

impl<T> Default for Store<T> {
    fn default() -> Store<T> {
        Store {
            slots: Places::default(),
            generations: Vec::new(),
            parted: false,
            tracking: false,
            recording: false,
            epoch: 1,
            log: Vec::new(),
            dirty: Vec::new(),
            sum: 0,
            touched: Touched::default(),
        }
    }
}

impl<T: Clone + Hash> Store<T> {
    /// A store with one object, `Id::fixed(0)`.
    pub(crate) fn single(value: T) -> Store<T> {
        let mut store = Store::default();
        store.insert(value);
        store
    }

    /// The same, of an object whose parts are looked at by name.
    pub(crate) fn parted(value: T) -> Store<T> {
        Store { parted: true, ..Store::single(value) }
    }

    pub(crate) fn insert(&mut self, value: T) -> Id<T> {
        let key = self.slots.next();
        self.record(|part| part.write(key).deal(self.slots.asker()));
        if key >= self.generations.len() {
            self.generations.resize(key + 1, 0);
        }
        let generation = self.generations[key];
        let (logged, dirty) = (self.epoch, self.tracking);
        self.slots.put(key, Slot { value, generation, logged, hash: 0, dirty });
        if self.tracking {
            self.log.push((key, Before::Absent));
            self.dirty.push(key);
        }
        Id { index: key as u32, generation, of: PhantomData }
    }

    fn record(&self, change: impl FnOnce(Part) -> Part) {
        if self.recording {
            self.touched.change(change);
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: Id<T>) -> Option<&T> {
        self.record(
            |part| if self.parted { part.read_all() } else { part.read(id.index as usize) },
        );
        self.find(id)
    }

    #[inline]
    fn find(&self, id: Id<T>) -> Option<&T> {
        match self.slots.get(id.index as usize) {
            Some(slot) if slot.generation == id.generation => Some(&slot.value),
            Some(_) | None => None,
        }
    }

    /// The only object, of which the caller looks at nothing but what belongs to `name`.
    pub(crate) fn part(&self, name: &str) -> &T {
        self.record(|part| part.read(place_of(name)));
        match self.find(Id::fixed(0)) {
            Some(value) => value,
            None => panic!("the only object is there"),
        }
    }

    /// The only object, of which the caller changes nothing but what belongs to `name`.
    pub(crate) fn edit_part(&mut self, name: &str) -> &mut T {
        self.record(|part| part.write(place_of(name)));
        self.open(Id::fixed(0))
    }

    /// The object, to be changed. A stale name is a broken invariant.
    #[inline]
    pub(crate) fn edit(&mut self, id: Id<T>) -> &mut T {
        let parted = self.parted;
        self.record(|part| if parted { part.write_all() } else { part.write(id.index as usize) });
        self.open(id)
    }

    #[inline]
    fn open(&mut self, id: Id<T>) -> &mut T {
        if self.tracking {
            self.note(id);
        }
        match self.slots.get_mut(id.index as usize) {
            Some(slot) if slot.generation == id.generation => &mut slot.value,
            Some(_) | None => stale(),
        }
    }

    /// An object is about to be changed: its old value goes to the log, its hash is void.
    #[inline(never)]
    fn note(&mut self, id: Id<T>) {
        let key = id.index as usize;
        let Some(slot) = self.slots.get_mut(key) else { stale() };
        if slot.logged != self.epoch {
            slot.logged = self.epoch;
            let hash = (!slot.dirty).then_some(slot.hash);
            self.log.push((key, Before::Present(slot.value.clone(), slot.generation, hash)));
        }
        if !slot.dirty {
            slot.dirty = true;
            self.sum = self.sum.wrapping_sub(slot.hash);
            self.dirty.push(key);
        }
    }

    pub(crate) fn remove(&mut self, id: Id<T>) -> T {
        let key = id.index as usize;
        if let Some(owner) = self.slots.owner(key).filter(|_| self.recording) {
            self.record(|part| part.write(key).deal(owner));
        } else {
            self.record(|part| part.write(key));
        }
        let Some(slot) = self.slots.take(key) else { stale() };
        assert_eq!(slot.generation, id.generation, "a stale name was removed");
        self.generations[key] = slot.generation.wrapping_add(1);
        if self.tracking {
            // Always logged, even when its old value stands in the log already: places must
            // come back in reverse order, or others would be dealt after an undo.
            let hash = (!slot.dirty).then_some(slot.hash);
            self.log.push((key, Before::Present(slot.value.clone(), slot.generation, hash)));
            if !slot.dirty {
                self.sum = self.sum.wrapping_sub(slot.hash);
            }
        }
        slot.value
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.record(Part::read_all);
        self.slots.iter().map(|(key, slot)| {
            (Id { index: key as u32, generation: slot.generation, of: PhantomData }, &slot.value)
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.record(Part::read_all);
        self.slots.len()
    }

    /// Begins to keep hashes and the log.
    pub(crate) fn track(&mut self) {
        if !self.tracking {
            self.tracking = true;
            self.sum = 0;
            self.dirty.clear();
            for (key, slot) in self.slots.iter_mut() {
                slot.dirty = true;
                self.dirty.push(key);
            }
        }
    }

    /// From now on every asker, 0 to `askers - 1`, has places of its own.
    pub(crate) fn deal_by_asker(&mut self, askers: u32) {
        self.slots.deal_by_asker(askers);
    }

    /// Who asks from now on.
    pub(crate) fn asked_by(&mut self, thread: u32) {
        self.slots.asked_by(thread);
    }

    /// Begins or ends the record of what is touched.
    pub(crate) fn set_recording(&mut self, recording: bool) {
        self.recording = recording;
        self.touched.take();
    }

    /// What was touched since the last time.
    pub(crate) fn take_touched(&mut self) -> Part {
        self.touched.take()
    }

    /// The sum of the hashes of all objects, each salted with its place.
    pub(crate) fn fingerprint(&mut self) -> u64 {
        if !self.tracking {
            return self.slots.iter().fold(0, |sum: u64, (key, slot)| {
                sum.wrapping_add(hash::of(key as u64, &slot.value))
            });
        }
        while let Some(key) = self.dirty.pop() {
            if let Some(slot) = self.slots.get_mut(key) {
                if slot.dirty {
                    slot.dirty = false;
                    slot.hash = hash::of(key as u64, &slot.value);
                    self.sum = self.sum.wrapping_add(slot.hash);
                }
            }
        }
        self.sum
    }

    pub(crate) fn mark(&mut self) -> usize {
        self.epoch = self.epoch.wrapping_add(1);
        self.log.len()
    }

    pub(crate) fn undo(&mut self, mark: usize) {
        while self.log.len() > mark {
            let Some((key, before)) = self.log.pop() else { return };
            let now = self.slots.take(key);
            if let Some(slot) = now.as_ref().filter(|slot| !slot.dirty) {
                self.sum = self.sum.wrapping_sub(slot.hash);
            }
            if let Before::Present(value, generation, hash) = before {
                self.generations[key] = generation;
                match hash {
                    Some(hash) => self.sum = self.sum.wrapping_add(hash),
                    None => self.dirty.push(key),
                }
                let (dirty, hash) = (hash.is_none(), hash.unwrap_or(0));
                self.slots.put(key, Slot { value, generation, logged: 0, hash, dirty });
            }
        }
        self.epoch = self.epoch.wrapping_add(1);
    }
}

/// Where the part of a name is recorded. Names may share a place: then steps look dependent that
/// are not.
fn place_of(name: &str) -> usize {
    (hash::plain(name) % 127) as usize
}

/// A point to which [`Kernel::undo`](crate::Kernel::undo) can return.
#[derive(Clone, Copy, Debug)]
pub struct Mark(pub(crate) [usize; 10]);
