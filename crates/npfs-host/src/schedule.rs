//! Who is next, when threads take turns.
//!
//! A simulation with a schedule lets one thread run at a time, from one call to the next, so that
//! a run depends on the program and the schedule alone, never on the system's threads.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// Chooses the next thread.
pub trait Strategy: Send {
    /// The place in `ready` of the thread that goes on; `last` is the place of the one that ran
    /// last, if it is ready. `ready` is in order of announcement and never empty.
    fn choose(&mut self, ready: &[Candidate<'_>], last: Option<usize>) -> usize;
}

/// A thread that could go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate<'a> {
    /// Its place in the order of announcement, from 0.
    pub number: usize,
    /// Its name.
    pub name: &'a str,
}

/// The first candidate behind `number`, going round.
fn behind(ready: &[Candidate<'_>], number: Option<usize>) -> usize {
    ready.iter().position(|one| Some(one.number) > number).unwrap_or(0)
}

/// A strategy by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// A thread runs until it sleeps or ends; then the next one in order of announcement.
    RunToBlock,
    /// Another thread after each call, in order of announcement.
    RoundRobin,
    /// Any ready thread, drawn with this seed.
    Random(u64),
    /// The turns of an earlier run, as [`Turns`] prints them, then as `RunToBlock`.
    Replay(Turns),
}

/// The threads in the order in which they ran: `server*3 client*2 server`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Turns(Vec<(String, u32)>);

impl Turns {
    pub(crate) fn push(&mut self, name: &str) {
        match self.0.last_mut() {
            Some((last, count)) if last == name => *count += 1,
            _ => self.0.push((name.to_owned(), 1)),
        }
    }
}

/// A name as one word.
fn spelled(name: &str) -> String {
    name.replace([' ', '*'], "_")
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, count)) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            let name = spelled(name);
            if *count == 1 {
                write!(f, "{space}{name}")?;
            } else {
                write!(f, "{space}{name}*{count}")?;
            }
        }
        Ok(())
    }
}

/// A word of a schedule that is not `name` or `name*count`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadTurn {
    /// Which word, from 1.
    pub word: usize,
    /// What stands there.
    pub found: String,
}

impl fmt::Display for BadTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "word {}: wanted name or name*count, found {:?}", self.word, self.found)
    }
}

impl std::error::Error for BadTurn {}

impl FromStr for Turns {
    type Err = BadTurn;
    fn from_str(text: &str) -> Result<Turns, BadTurn> {
        let mut turns = Vec::new();
        for (place, word) in text.split_whitespace().enumerate() {
            let bad = || BadTurn { word: place + 1, found: word.to_owned() };
            let (name, count) = match word.split_once('*') {
                None => (word, 1),
                Some((name, count)) => (name, count.parse().map_err(|_| bad())?),
            };
            if name.is_empty() || count == 0 {
                return Err(bad());
            }
            turns.push((name.to_owned(), count));
        }
        Ok(Turns(turns))
    }
}

impl Schedule {
    /// The strategy that it names.
    pub fn strategy(self) -> Box<dyn Strategy> {
        match self {
            Schedule::RunToBlock => Box::new(RunToBlock { last: None }),
            Schedule::RoundRobin => Box::new(RoundRobin { last: None }),
            Schedule::Random(seed) => Box::new(Random(seed)),
            Schedule::Replay(turns) => Box::new(Replay { turns, place: 0, used: 0 }),
        }
    }
}

impl From<Schedule> for Box<dyn Strategy> {
    fn from(schedule: Schedule) -> Box<dyn Strategy> {
        schedule.strategy()
    }
}

struct RunToBlock {
    last: Option<usize>,
}

impl Strategy for RunToBlock {
    fn choose(&mut self, ready: &[Candidate<'_>], last: Option<usize>) -> usize {
        let place = last.unwrap_or_else(|| behind(ready, self.last));
        self.last = Some(ready[place].number);
        place
    }
}

struct RoundRobin {
    last: Option<usize>,
}

impl Strategy for RoundRobin {
    fn choose(&mut self, ready: &[Candidate<'_>], _: Option<usize>) -> usize {
        let place = behind(ready, self.last);
        self.last = Some(ready[place].number);
        place
    }
}

/// splitmix64
struct Random(u64);

impl Strategy for Random {
    fn choose(&mut self, ready: &[Candidate<'_>], _: Option<usize>) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let drawn = z ^ (z >> 31);
        ((u128::from(drawn) * ready.len() as u128) >> 64) as usize
    }
}

struct Replay {
    turns: Turns,
    place: usize,
    used: u32,
}

impl Strategy for Replay {
    fn choose(&mut self, ready: &[Candidate<'_>], last: Option<usize>) -> usize {
        while let Some((name, count)) = self.turns.0.get(self.place) {
            if self.used == *count {
                self.place += 1;
                self.used = 0;
                continue;
            }
            let wanted = ready.iter().position(|one| spelled(one.name) == *name);
            match wanted {
                Some(found) => {
                    self.used += 1;
                    return found;
                }
                // The program has changed: its turns are skipped.
                None => {
                    self.place += 1;
                    self.used = 0;
                }
            }
        }
        last.unwrap_or(0)
    }
}

/// Runs `body` once for every order of turns and gives the number of runs.
///
/// `body` builds its simulation with the strategy it is handed, and must do the same whenever it
/// meets the same turns.
pub fn every_order(mut body: impl FnMut(EveryOrder)) -> u64 {
    let path = Arc::new(Mutex::new(Vec::new()));
    let mut runs = 0;
    loop {
        body(EveryOrder { path: path.clone(), depth: 0 });
        runs += 1;
        let mut path = path.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some((choice, count)) = path.pop() else { return runs };
            if choice + 1 < count {
                path.push((choice + 1, count));
                break;
            }
        }
    }
}

/// The strategy of one run of [`every_order`].
#[derive(Debug)]
pub struct EveryOrder {
    /// What was chosen at each turn, of how many.
    path: Arc<Mutex<Vec<(usize, usize)>>>,
    depth: usize,
}

impl Strategy for EveryOrder {
    fn choose(&mut self, ready: &[Candidate<'_>], _: Option<usize>) -> usize {
        let mut path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        if self.depth == path.len() {
            path.push((0, ready.len()));
        }
        let (choice, count) = path[self.depth];
        self.depth += 1;
        assert_eq!(count, ready.len(), "the body does the same in the same order");
        choice
    }
}

impl From<EveryOrder> for Box<dyn Strategy> {
    fn from(order: EveryOrder) -> Box<dyn Strategy> {
        Box::new(order)
    }
}

#[cfg(test)]
mod tests {
    use super::{BadTurn, Candidate, Schedule, Turns};

    #[test]
    fn turns_print_and_read() {
        let mut turns = Turns::default();
        for name in ["a", "a", "b", "a"] {
            turns.push(name);
        }
        assert_eq!(turns.to_string(), "a*2 b a");
        assert_eq!("a*2 b a".parse(), Ok(turns));
        let bad = |word, found: &str| Err(BadTurn { word, found: found.to_owned() });
        assert_eq!("a b*x".parse::<Turns>(), bad(2, "b*x"));
        assert_eq!("*3".parse::<Turns>(), bad(1, "*3"));
        assert_eq!("a*0".parse::<Turns>(), bad(1, "a*0"));
    }

    #[test]
    fn strategies_choose_as_they_say() {
        let run = |schedule: Schedule| {
            let mut strategy = schedule.strategy();
            let names = ["a", "b", "c"].into_iter().enumerate();
            let ready: Vec<_> = names.map(|(number, name)| Candidate { number, name }).collect();
            let mut last = None;
            (0..6)
                .map(|_| {
                    last = Some(strategy.choose(&ready, last));
                    ready[last.unwrap_or(0)].name
                })
                .collect::<String>()
        };
        assert_eq!(run(Schedule::RunToBlock), "aaaaaa");
        assert_eq!(run(Schedule::RoundRobin), "abcabc");
        assert_eq!(run(Schedule::Random(7)), run(Schedule::Random(7)));
        let drawn: std::collections::BTreeSet<_> =
            (0..50).map(|seed| run(Schedule::Random(seed))).collect();
        assert!(drawn.len() > 25, "{drawn:?}");
        let turns = "c*2 nobody*3 b".parse().expect("turns");
        assert_eq!(run(Schedule::Replay(turns)), "ccbbbb");
    }
}
