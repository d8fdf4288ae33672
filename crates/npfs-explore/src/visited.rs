//! The states that a search has been to, by their keys.

/// A set of keys that numbers them in order of arrival. Open addressing; a key of 0 is kept as 1.
#[derive(Clone, Debug)]
pub(crate) struct Visited {
    keys: Vec<u64>,
    numbers: Vec<u32>,
    len: usize,
}

const SMALLEST: usize = 1 << 10;

impl Visited {
    pub(crate) fn new() -> Visited {
        Visited { keys: vec![0; SMALLEST], numbers: vec![0; SMALLEST], len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The number of a key, and whether it is new.
    pub(crate) fn insert(&mut self, key: u64) -> (u32, bool) {
        if self.len * 4 >= self.keys.len() * 3 {
            self.grow();
        }
        let key = key.max(1);
        let at = self.place(key);
        if self.keys[at] == key {
            return (self.numbers[at], false);
        }
        let number = self.len as u32;
        self.keys[at] = key;
        self.numbers[at] = number;
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
        let size = self.keys.len() * 2;
        let keys = std::mem::replace(&mut self.keys, vec![0; size]);
        let numbers = std::mem::replace(&mut self.numbers, vec![0; size]);
        for (key, number) in keys.into_iter().zip(numbers).filter(|(key, _)| *key != 0) {
            let at = self.place(key);
            self.keys[at] = key;
            self.numbers[at] = number;
        }
    }

    /// How many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.len() * 12
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
}
