//! The store without exploration: a slab.

use alloc::vec::Vec;
use core::hash::Hash;
use core::marker::PhantomData;

use slab::Slab;

use super::{Id, stale};

#[derive(Clone)]
pub(super) struct Slot<T> {
    pub(super) value: T,
    generation: u32,
}

/// Objects of one type.
#[derive(Clone)]
pub(crate) struct Store<T> {
    pub(super) slots: Slab<Slot<T>>,
    /// The generation that the next object in a place gets.
    generations: Vec<u32>,
}

impl<T> Default for Store<T> {
    fn default() -> Store<T> {
        Store { slots: Slab::new(), generations: Vec::new() }
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
        Store::single(value)
    }

    pub(crate) fn insert(&mut self, value: T) -> Id<T> {
        let key = self.slots.vacant_key();
        if key >= self.generations.len() {
            self.generations.push(0);
        }
        let generation = self.generations[key];
        self.slots.insert(Slot { value, generation });
        Id { index: key as u32, generation, of: PhantomData }
    }

    #[inline]
    pub(crate) fn get(&self, id: Id<T>) -> Option<&T> {
        match self.slots.get(id.index as usize) {
            Some(slot) if slot.generation == id.generation => Some(&slot.value),
            Some(_) | None => None,
        }
    }

    /// The only object, of which the caller looks at nothing but what belongs to `name`.
    pub(crate) fn part(&self, _name: &str) -> &T {
        &self[Id::fixed(0)]
    }

    /// The only object, of which the caller changes nothing but what belongs to `name`.
    pub(crate) fn edit_part(&mut self, _name: &str) -> &mut T {
        self.edit(Id::fixed(0))
    }

    /// The object, to be changed. A stale name is a broken invariant.
    #[inline]
    pub(crate) fn edit(&mut self, id: Id<T>) -> &mut T {
        match self.slots.get_mut(id.index as usize) {
            Some(slot) if slot.generation == id.generation => &mut slot.value,
            Some(_) | None => stale(),
        }
    }

    pub(crate) fn remove(&mut self, id: Id<T>) -> T {
        let key = id.index as usize;
        let Some(slot) = self.slots.try_remove(key) else { stale() };
        assert_eq!(slot.generation, id.generation, "a stale name was removed");
        self.generations[key] = slot.generation.wrapping_add(1);
        slot.value
    }

    pub(crate) fn iter(&self) -> Iter<'_, T> {
        Iter(self.slots.iter())
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// Every object with its name, in order of places.
pub(crate) struct Iter<'a, T>(slab::Iter<'a, Slot<T>>);

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = (Id<T>, &'a T);

    fn next(&mut self) -> Option<(Id<T>, &'a T)> {
        let (key, slot) = self.0.next()?;
        let id = Id { index: key as u32, generation: slot.generation, of: PhantomData };
        Some((id, &slot.value))
    }
}
