//! Strategies: who comes next, when not everything is tried.
//!
//! Each is a file behind [`Strategy`]. [`sample`] makes many runs with one of them and reports
//! what they came to; the same strategy, seed and number of runs give the same report.

mod pct;
mod portfolio;
mod pos;
mod random_walk;
mod replay;
mod round_robin;
mod sampler;
mod urw;

use std::sync::Arc;

pub use pct::Pct;
pub use portfolio::Portfolio;
pub use pos::Pos;
pub use random_walk::RandomWalk;
pub use replay::Replay;
pub use round_robin::RoundRobin;
pub use sampler::Sampler;
pub use urw::Urw;

use crate::machine::Touch;
use crate::model::{Model, Unfit};
use crate::report::Report;
use crate::schedule::Choice;

/// Chooses who comes next.
pub trait Strategy {
    /// A new run begins, of a model with so many threads.
    fn begin(&mut self, threads: usize);
    /// The place in `open`, which is not empty, of what comes next; `None` ends the run.
    fn choose(&mut self, open: &[Choice]) -> Option<usize>;
    /// Whether it wants to know, in this run, what steps touch.
    fn looks(&self) -> bool {
        false
    }
    /// A step was made and touched this. Only told to one that [looks](Strategy::looks).
    fn made(&mut self, _choice: Choice, _touch: &Touch) {}
}

/// Makes `runs` runs. `name` says in the report what bounds it. The first run is made a second
/// time as its own schedule says, and has to come to the same.
///
/// # Errors
/// When what stands above `race` cannot be run, or the second run differs from the first.
pub fn sample(
    model: &Arc<Model>,
    strategy: &mut dyn Strategy,
    runs: u64,
    name: &str,
) -> Result<Report, Unfit> {
    let mut sampler = Sampler::new(model)?;
    for number in 0..runs {
        sampler.run(strategy);
        if number == 0 {
            sampler.again()?;
        }
    }
    Ok(sampler.report(name))
}
