//! Where objects live: places with generations.
//!
//! Every change of an object goes through [`Store::edit`], [`Store::insert`] and
//! [`Store::remove`], every look through [`Store::get`], indexing and iteration. There are two
//! stores with these doors, and no answer of the kernel depends on which it has: a plain one, and
//! with the feature `explore` one that keeps a log behind the doors. The plain one is there
//! because a user's first build waits for every line of this.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::ops::Index;

#[cfg(feature = "explore")]
mod places;
#[cfg(not(feature = "explore"))]
mod plain;
#[cfg(test)]
mod tests;
#[cfg(feature = "explore")]
mod tracked;

#[cfg(not(feature = "explore"))]
pub(crate) use plain::Store;
#[cfg(feature = "explore")]
pub use tracked::Mark;
#[cfg(feature = "explore")]
pub(crate) use tracked::Store;

/// The name of an object: a place in its store and the generation of that place.
pub(crate) struct Id<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The name of an object that is never removed, by its place.
    pub(crate) const fn fixed(index: u32) -> Id<T> {
        Id { index, generation: 0, of: PhantomData }
    }
}

impl<T> Id<T> {
    /// Its place, as a number to show.
    pub(crate) fn place(self) -> u32 {
        self.index
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Id<T> {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    /// By place: a live state holds no stale names, so that states which differ only in how
    /// often a place was used before are equal.
    fn eq(&self, other: &Id<T>) -> bool {
        self.index == other.index
    }
}
impl<T> Eq for Id<T> {}
impl<T> Hash for Id<T> {
    fn hash<S: Hasher>(&self, state: &mut S) {
        self.index.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

impl<T: Clone + Hash> Index<Id<T>> for Store<T> {
    type Output = T;
    /// The object; a stale name is a broken invariant.
    fn index(&self, id: Id<T>) -> &T {
        match self.get(id) {
            Some(value) => value,
            None => stale(),
        }
    }
}

impl<T: PartialEq> PartialEq for Store<T> {
    fn eq(&self, other: &Store<T>) -> bool {
        self.slots.len() == other.slots.len()
            && self
                .slots
                .iter()
                .zip(other.slots.iter())
                .all(|((a, left), (b, right))| a == b && left.value == right.value)
    }
}
impl<T: Eq> Eq for Store<T> {}
impl<T: Hash> Hash for Store<T> {
    fn hash<S: Hasher>(&self, state: &mut S) {
        state.write_usize(self.slots.len());
        for (key, slot) in self.slots.iter() {
            key.hash(state);
            slot.value.hash(state);
        }
    }
}
impl<T: fmt::Debug> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.slots.iter().map(|(key, slot)| (key, &slot.value))).finish()
    }
}

#[cold]
#[inline(never)]
fn stale() -> ! {
    panic!("a stale name was used")
}
