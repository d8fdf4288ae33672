//! What a step touched: which objects it looked at, which it changed.
//!
//! Stores record it as it happens; nobody writes it down by hand. Two steps whose footprints do
//! not conflict can change places.

/// What was touched in one store. Objects with high numbers share a bit, which can only make
/// steps look dependent that are not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Part {
    reads: u128,
    writes: u128,
    /// Whose places were dealt or came back.
    deals: u64,
    /// Everything was looked at, also what is not there.
    all: bool,
}

impl Part {
    pub(crate) fn read(mut self, place: usize) -> Part {
        self.reads |= 1 << place.min(127);
        self
    }

    pub(crate) fn write(mut self, place: usize) -> Part {
        self.writes |= 1 << place.min(127);
        self
    }

    pub(crate) fn write_all(mut self) -> Part {
        self.writes = u128::MAX;
        self
    }

    pub(crate) fn deal(mut self, asker: usize) -> Part {
        self.deals |= 1 << asker.min(63);
        self
    }

    pub(crate) fn read_all(mut self) -> Part {
        self.all = true;
        self
    }

    fn conflicts(&self, other: &Part) -> bool {
        self.writes & (other.reads | other.writes) != 0
            || other.writes & self.reads != 0
            || self.deals & other.deals != 0
            || self.all && (other.writes != 0 || other.deals != 0)
            || other.all && (self.writes != 0 || self.deals != 0)
    }

    fn join(&mut self, other: &Part) {
        self.reads |= other.reads;
        self.writes |= other.writes;
        self.deals |= other.deals;
        self.all |= other.all;
    }
}

/// What was touched in a store so far.
///
/// The one place in the kernel that changes behind a shared reference: looking is recorded too.
/// No answer depends on it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::disallowed_types, reason = "a look must be recorded, and no answer depends on it")]
pub(crate) struct Touched(core::cell::Cell<Part>);

impl Touched {
    pub(crate) fn change(&self, change: impl FnOnce(Part) -> Part) {
        self.0.set(change(self.0.get()));
    }

    pub(crate) fn take(&mut self) -> Part {
        self.0.take()
    }
}

/// How many stores a kernel has.
pub(crate) const STORES: usize = 10;

/// Which objects of a kernel a step looked at and changed, from
/// [`Kernel::footprint`](crate::Kernel::footprint).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Footprint(pub(crate) [Part; STORES]);

impl Footprint {
    /// Whether the order of two steps with these footprints may matter.
    pub fn conflicts(&self, other: &Footprint) -> bool {
        self.0.iter().zip(&other.0).any(|(one, two)| one.conflicts(two))
    }

    /// Adds everything that `other` touched.
    pub fn join(&mut self, other: &Footprint) {
        self.0.iter_mut().zip(&other.0).for_each(|(one, two)| one.join(two));
    }

    /// How many kinds of facts there are: looks, changes, places dealt and whole stores, for each
    /// store.
    pub const KINDS: usize = STORES * 4;

    /// The footprint without the facts of one kind, below [`Footprint::KINDS`]. For tests that
    /// want to know whether every kind is needed.
    #[must_use]
    pub fn without(mut self, kind: usize) -> Footprint {
        let part = &mut self.0[kind / 4 % STORES];
        match kind % 4 {
            0 => part.reads = 0,
            1 => part.writes = 0,
            2 => part.deals = 0,
            _ => part.all = false,
        }
        self
    }
}
