//! Which steps race: what the searches that leave out orders have in common.

use crate::machine::Touch;
use crate::schedule::Choice;
use crate::system::System;

/// The step being taken from a state of the stack: whose it is, what it touched, and which steps
/// of the stack come before it for a reason: for each thread the number of the last one.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) who: usize,
    pub(crate) touch: Touch,
    pub(crate) before: Vec<u32>,
}

/// A state of the stack.
pub(crate) trait State {
    fn open(&self) -> &[Choice];
    fn step(&self) -> &Step;
}

/// A step that touched this is taken behind `past`, by one of so many threads: the step with what
/// comes before it, and the states of the steps that it races with, the last one first.
pub(crate) fn races<T: State>(
    past: &[T],
    mine: usize,
    touch: Touch,
    threads: usize,
) -> (Step, Vec<usize>) {
    let mut before = vec![0_u32; threads];
    // The same without what comes before for the sole reason that it made this step possible:
    // that cannot be turned round, so what lies behind it counts as well.
    let mut behind = vec![0_u32; threads];
    let mut races = Vec::new();
    for (at, state) in past.iter().enumerate().rev() {
        let step = state.step();
        let number = at as u32 + 1;
        if number <= behind[step.who] {
            continue;
        }
        if step.who != mine && !step.touch.conflicts(&touch) {
            continue;
        }
        let needs = before.iter().any(|last| *last > number);
        let possible = of(state.open(), mine) != 0 || needs;
        if step.who != mine && possible {
            races.push(at);
        }
        if step.who == mine || possible {
            join(&mut behind, &step.before);
            behind[step.who] = behind[step.who].max(number);
        }
        join(&mut before, &step.before);
        before[step.who] = before[step.who].max(number);
    }
    (Step { who: mine, touch, before }, races)
}

/// Whether a step of `mine` has taken a choice away that was open to somebody else: a thread that
/// could go on and cannot any more must have had its chance, and so must a deadline that is gone.
pub(crate) fn takes_away<S: System>(system: &S, open: &[Choice], mine: usize) -> bool {
    open.iter().any(|other| match other.place() {
        Some(place) => other.thread_or_clock() != mine && !system.can_step(place),
        None => *other == Choice::CLOCK && mine != 0 && !system.has_deadline(),
    })
}

/// The most choices of a state. With more, all of them are taken.
pub(crate) const MOST_CHOICES: usize = 64;

fn join(one: &mut [u32], other: &[u32]) {
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
