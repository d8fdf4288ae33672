//! Hashes that are the same on every machine and run.

use core::hash::{Hash, Hasher};

/// A multiply-and-fold hasher.
#[derive(Clone, Copy, Debug)]
pub struct Mixer(u64);

impl Mixer {
    /// With a salt: other salts give other hashes of the same value.
    pub fn new(salt: u64) -> Mixer {
        Mixer(0x9E37_79B9_7F4A_7C15 ^ salt)
    }

    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x2D35_8DCC_AA6C_78A5;
        self.0 = (product as u64) ^ ((product >> 64) as u64) ^ word.rotate_left(29);
    }
}

/// The hash of a value with a salt.
pub fn of<T: Hash>(salt: u64, value: &T) -> u64 {
    let mut mixer = Mixer::new(salt);
    value.hash(&mut mixer);
    mixer.finish()
}

/// The hash of a value that is not kept beside others.
pub(crate) fn plain<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut mixer = Mixer(0);
    value.hash(&mut mixer);
    mixer.finish()
}

/// splitmix64's last steps.
pub fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        scramble(self.0)
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word) ^ ((chunk.len() as u64) << 56));
        }
    }
    fn write_u8(&mut self, n: u8) {
        self.mix(u64::from(n));
    }
    fn write_u32(&mut self, n: u32) {
        self.mix(u64::from(n));
    }
    fn write_u64(&mut self, n: u64) {
        self.mix(n);
    }
    fn write_usize(&mut self, n: usize) {
        self.mix(n as u64);
    }
    fn write_isize(&mut self, n: isize) {
        self.mix(n as u64);
    }
}
