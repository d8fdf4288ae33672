//! Every order of the calls of simulated threads.
//!
//! A [`Model`] is a scenario made ready, a [`Machine`] its system between two calls, as a value.
//! [`explore`] searches all orders and gives a [`Report`]: every distinct outcome, how many
//! orders lead there, and whether the scenario's properties hold. [`replay`] shows one order.
#![forbid(unsafe_code)]

pub mod code;
mod graph;
mod machine;
mod model;
mod outcome;
mod parallel;
mod property;
pub mod random;
mod reduce;
mod report;
pub mod schedule;
mod search;
pub mod strategy;
mod transcript;
mod visited;

#[cfg(test)]
mod soundness;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use machine::{Machine, Mark, Touch};
pub use model::{Model, Unfit};
pub use report::{Outcome, Report, Standing, Verdict, Witness};
pub use schedule::Choice;
pub use search::{Limits, Progress};
pub use transcript::{Transcript, replay};

/// Searches all orders of a model.
///
/// # Errors
/// When what stands above `race` cannot be run.
pub fn explore(
    model: &Arc<Model>,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, Unfit> {
    let mut machine = Machine::new(Arc::clone(model))?;
    let reduce = limits.reduce
        && limits.preemptions.is_none()
        && !limits.exact
        && property::about_ends_only(model);
    let found = if reduce {
        reduce::search(&mut machine, limits, &|touch| touch, progress)
    } else if limits.jobs > 1 && !limits.exact {
        parallel::search(&machine, limits, limits.jobs, progress)
    } else {
        search::search(&mut machine, limits, progress)
    };
    Ok(Report::new(model, &found))
}
