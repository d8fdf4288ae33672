//! What the searches that leave out orders have in common: choices as bits, and clocks.

use crate::schedule::Choice;

/// The most choices of a state. With more, all of them are taken.
pub(crate) const MOST_CHOICES: usize = 64;

pub(crate) fn join(one: &mut [u32], other: &[u32]) {
    for (one, other) in one.iter_mut().zip(other) {
        *one = (*one).max(*other);
    }
}

/// The choices of a thread.
pub(crate) fn of(open: &[Choice], thread: usize) -> u64 {
    let places = open.iter().take(MOST_CHOICES).enumerate();
    places
        .filter(|(_, choice)| choice.thread_or_clock() == thread)
        .fold(0, |bits, (at, _)| bits | 1 << at)
}

pub(crate) fn all(open: &[Choice]) -> u64 {
    match open.len() {
        0 => 0,
        count => u64::MAX >> (64 - count.min(MOST_CHOICES)),
    }
}
