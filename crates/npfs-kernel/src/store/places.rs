//! Which place an object gets, and what lies there.
//!
//! Commonly places lie in a slab and the one freed last is dealt first. When exploration asks for
//! it, every thread has places of its own instead, and the first free one is dealt: then a place
//! depends neither on what other threads have made nor on what was there before.

use alloc::vec::Vec;

use slab::Slab;

/// Values by place.
#[derive(Clone)]
pub(crate) enum Places<V> {
    /// The one freed last is dealt first.
    Latest(Slab<V>),
    /// From `base` on, every `askers`-th place belongs to one asker.
    ByAsker { values: Vec<Option<V>>, live: usize, base: u32, askers: u32, asker: u32 },
}

impl<V> Default for Places<V> {
    fn default() -> Places<V> {
        Places::Latest(Slab::new())
    }
}

impl<V> Places<V> {
    #[inline]
    pub(crate) fn get(&self, key: usize) -> Option<&V> {
        match self {
            Places::Latest(slab) => slab.get(key),
            Places::ByAsker { values, .. } => values.get(key)?.as_ref(),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut V> {
        match self {
            Places::Latest(slab) => slab.get_mut(key),
            Places::ByAsker { values, .. } => values.get_mut(key)?.as_mut(),
        }
    }

    /// The place that the next value gets.
    pub(crate) fn next(&self) -> usize {
        match self {
            Places::Latest(slab) => slab.vacant_key(),
            Places::ByAsker { values, base, askers, asker, .. } => {
                let mut key = *base as usize + *asker as usize;
                while values.get(key).is_some_and(Option::is_some) {
                    key += *askers as usize;
                }
                key
            }
        }
    }

    /// Puts a value to a free place: to the next one, or back to the one freed last.
    pub(crate) fn put(&mut self, key: usize, value: V) {
        match self {
            Places::Latest(slab) => {
                let place = slab.insert(value);
                assert_eq!(place, key, "values go back in reverse order");
            }
            Places::ByAsker { values, live, .. } => {
                if key >= values.len() {
                    values.resize_with(key + 1, || None);
                }
                values[key] = Some(value);
                *live += 1;
            }
        }
    }

    pub(crate) fn take(&mut self, key: usize) -> Option<V> {
        match self {
            Places::Latest(slab) => slab.try_remove(key),
            Places::ByAsker { values, live, .. } => {
                let value = values.get_mut(key)?.take()?;
                *live -= 1;
                Some(value)
            }
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Places::Latest(slab) => slab.len(),
            Places::ByAsker { live, .. } => *live,
        }
    }

    /// Every value with its place, in order of places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &V)> {
        let (slab, values) = match self {
            Places::Latest(slab) => (Some(slab), None),
            Places::ByAsker { values, .. } => (None, Some(values)),
        };
        let values = values.into_iter().flatten().enumerate();
        let values = values.filter_map(|(key, value)| Some((key, value.as_ref()?)));
        slab.into_iter().flatten().chain(values)
    }

    /// Every value with its place, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut V)> {
        let (slab, values) = match self {
            Places::Latest(slab) => (Some(slab), None),
            Places::ByAsker { values, .. } => (None, Some(values)),
        };
        let values = values.into_iter().flatten().enumerate();
        let values = values.filter_map(|(key, value)| Some((key, value.as_mut()?)));
        slab.into_iter().flatten().chain(values)
    }

    /// From now on every asker, 0 to `askers - 1`, has places of its own.
    pub(crate) fn deal_by_asker(&mut self, askers: u32) {
        let Places::Latest(slab) = self else { return };
        let live = slab.len();
        let mut values = Vec::new();
        for (key, value) in core::mem::take(slab) {
            values.resize_with(key, || None);
            values.push(Some(value));
        }
        let (base, askers) = (values.len() as u32, askers.max(1));
        *self = Places::ByAsker { values, live, base, askers, asker: 0 };
    }

    /// Who asks from now on.
    pub(crate) fn asked_by(&mut self, thread: u32) {
        if let Places::ByAsker { asker, askers, .. } = self {
            *asker = thread % *askers;
        }
    }

    /// Who asks now, and 0 where that makes no difference.
    pub(crate) fn asker(&self) -> usize {
        match self {
            Places::Latest(_) => 0,
            Places::ByAsker { asker, .. } => *asker as usize,
        }
    }

    /// Who may get this place again.
    pub(crate) fn owner(&self, key: usize) -> Option<usize> {
        match self {
            Places::Latest(_) => Some(0),
            Places::ByAsker { base, askers, .. } => {
                key.checked_sub(*base as usize).map(|offset| offset % *askers as usize)
            }
        }
    }
}
