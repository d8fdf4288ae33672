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

    /// How many different facts it holds: reads, changes, places dealt, whole stores.
    pub fn size(&self) -> u32 {
        self.0.iter().map(Part::size).sum()
    }

    /// The footprint without its fact number `fact`, counted as [`Footprint::size`] does. For
    /// tests that want to know whether every fact is needed.
    #[must_use]
    pub fn without(mut self, mut fact: u32) -> Footprint {
        for part in &mut self.0 {
            if fact < part.size() {
                part.forget(fact);
                return self;
            }
            fact -= part.size();
        }
        self
    }
}

impl Part {
    fn size(&self) -> u32 {
        self.reads.count_ones()
            + self.writes.count_ones()
            + self.deals.count_ones()
            + u32::from(self.all)
    }

    fn forget(&mut self, mut fact: u32) {
        for bits in [&mut self.reads, &mut self.writes] {
            if fact < bits.count_ones() {
                *bits &= !nth_bit(*bits, fact);
                return;
            }
            fact -= bits.count_ones();
        }
        if fact < self.deals.count_ones() {
            self.deals &= !(nth_bit(u128::from(self.deals), fact) as u64);
            return;
        }
        self.all = false;
    }
}

/// The `n`-th lowest bit that is set.
fn nth_bit(mut bits: u128, n: u32) -> u128 {
    for _ in 0..n {
        bits &= bits - 1;
    }
    bits & bits.wrapping_neg()
}
