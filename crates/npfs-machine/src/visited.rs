//! The states that were visited, as 64-bit keys.

/// A set of keys that numbers them in order of arrival; a key of 0 is kept as 1.
///
/// Open addressing. A large set is in segments, by some bits of keys, and each grows alone:
/// so there is never a second copy of the whole.
#[derive(Clone, Debug)]
pub struct Visited {
    segments: Vec<Segment>,
    numbered: bool,
    len: usize,
}

#[derive(Clone, Debug)]
struct Segment {
    keys: Vec<u64>,
    /// Empty in a set without numbers.
    numbers: Vec<u32>,
    len: usize,
}

const SMALLEST: usize = 1 << 10;
/// From so many keys on there are several segments.
const SEVERAL: usize = 1 << 15;
const SEGMENTS: usize = 1 << 6;
/// Below the bits by which workers share a set of sets, far above those of places.
const SEGMENT_SHIFT: u32 = 52;

impl Default for Visited {
    fn default() -> Visited {
        Visited::new()
    }
}

impl Visited {
    /// No keys.
    pub fn new() -> Visited {
        Visited { segments: vec![Segment::new(SMALLEST, true)], numbered: true, len: 0 }
    }

    /// The same without numbers: every key has number 0.
    pub fn without_numbers() -> Visited {
        Visited { segments: vec![Segment::new(SMALLEST, false)], numbered: false, len: 0 }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of a key, and whether it is new.
    pub fn insert(&mut self, key: u64) -> (u32, bool) {
        if self.len == SEVERAL && self.segments.len() == 1 {
            self.split();
        }
        let key = key.max(1);
        let number = self.len as u32;
        let at = self.segment(key);
        let (found, fresh) = self.segments[at].insert(key, number);
        self.len += usize::from(fresh);
        (found, fresh)
    }

    /// The keys by their numbers.
    pub fn keys(&self) -> Vec<u64> {
        let mut keys = vec![0; self.len];
        for (key, number) in self.segments.iter().flat_map(Segment::entries) {
            keys[number as usize] = key;
        }
        keys
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        let bytes = |one: &Segment| one.keys.len() * 8 + one.numbers.len() * 4;
        self.segments.iter().map(bytes).sum()
    }

    fn segment(&self, key: u64) -> usize {
        (key >> SEGMENT_SHIFT) as usize & (self.segments.len() - 1)
    }

    fn split(&mut self) {
        // Each has twice the room that its share takes.
        let room = SEVERAL * 2 / SEGMENTS;
        let segments = (0..SEGMENTS).map(|_| Segment::new(room, self.numbered)).collect();
        let whole = std::mem::replace(&mut self.segments, segments);
        for (key, number) in whole.iter().flat_map(Segment::entries) {
            let at = self.segment(key);
            self.segments[at].insert(key, number);
        }
    }
}

impl Segment {
    fn new(room: usize, numbered: bool) -> Segment {
        let numbers = vec![0; if numbered { room } else { 0 }];
        Segment { keys: vec![0; room], numbers, len: 0 }
    }

    fn entries(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        let number = |at: usize| self.numbers.get(at).copied().unwrap_or(0);
        let keys = self.keys.iter().copied().enumerate();
        keys.filter(|(_, key)| *key != 0).map(move |(at, key)| (key, number(at)))
    }

    /// `number` is that of a new key.
    fn insert(&mut self, key: u64, number: u32) -> (u32, bool) {
        if self.len * 4 >= self.keys.len() * 3 {
            self.grow();
        }
        let at = self.place(key);
        if self.keys[at] == key {
            return (self.numbers.get(at).copied().unwrap_or(0), false);
        }
        self.keys[at] = key;
        if let Some(kept) = self.numbers.get_mut(at) {
            *kept = number;
        }
        self.len += 1;
        (number, true)
    }

    fn place(&self, key: u64) -> usize {
        let mask = self.keys.len() - 1;
        let mut at = key as usize & mask;
        while self.keys[at] != 0 && self.keys[at] != key {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let mut grown = Segment::new(self.keys.len() * 2, !self.numbers.is_empty());
        for (key, number) in self.entries() {
            grown.insert(key, number);
        }
        *self = grown;
    }
}

#[cfg(test)]
mod tests {
    use super::Visited;
    use npfs_kernel::hash::scramble;

    #[test]
    fn keys_are_numbered_in_order_of_arrival() {
        let mut visited = Visited::new();
        for number in 0..10_000_u64 {
            assert_eq!(visited.insert(scramble(number)), (number as u32, true));
        }
        for number in 0..10_000_u64 {
            assert_eq!(visited.insert(scramble(number)), (number as u32, false));
        }
        assert_eq!(visited.len(), 10_000);
    }

    #[test]
    fn a_large_set_is_in_segments_and_says_the_same() {
        let count = 2 * super::SEVERAL as u64;
        let (mut visited, mut keys_alone) = (Visited::new(), Visited::without_numbers());
        for number in 0..count {
            assert_eq!(visited.insert(scramble(number)), (number as u32, true));
            assert!(keys_alone.insert(scramble(number)).1);
        }
        for number in 0..count {
            assert_eq!(visited.insert(scramble(number)), (number as u32, false));
            assert_eq!(keys_alone.insert(scramble(number)), (0, false));
        }
        let keys: Vec<u64> = (0..count).map(|number| scramble(number).max(1)).collect();
        assert_eq!(visited.keys(), keys);
        // Eight bytes a key in segments that are at least three eighths full.
        assert!(keys_alone.bytes() <= keys.len() * 8 * 8 / 3);
    }
}
