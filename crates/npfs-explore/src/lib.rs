//! Every order of the calls of simulated threads.
//!
//! A [`Model`] is a scenario made ready, a [`Machine`] its system between two calls, as a value.
//! [`explore`] searches all orders and gives a [`Report`]: every distinct outcome, how many
//! orders lead there, and whether the scenario's properties hold. [`replay`] shows one order.
#![forbid(unsafe_code)]

pub mod code;
mod dpor;
mod flow;
mod graph;
mod lean;
mod machine;
mod model;
mod outcome;
mod parallel;
mod partition;
mod property;
mod race;
pub mod random;
mod reduce;
mod report;
pub mod schedule;
mod search;
mod shrink;
pub mod strategy;
mod system;
mod transcript;

#[cfg(test)]
mod soundness;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use npfs_trace::scenario::Scope;

use npfs_machine::visited;

pub use dpor::Traces;
pub use machine::{Machine, Mark, Touch};
pub use model::{Model, Unfit};
pub use partition::{Partition, explore_part, merge};
pub use report::{Outcome, Report, Standing, Verdict, Witness};
pub use schedule::Choice;
pub use search::{Limits, Progress};
pub use shrink::{NotShrunk, Shrunk, shrink};
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
    let plain = !reduce && !limits.exact && limits.jobs <= 1 && limits.preemptions.is_none();
    let scopes: Vec<Scope> = model.properties.iter().map(|property| property.scope).collect();
    if limits.lean && plain && !scopes.contains(&Scope::Eventually) {
        let (lean, states, bounds) =
            search::lean(&mut machine, limits, lean::Lean::new(scopes), progress);
        let names = transcript::names(model);
        let claimed = report::claimed(model);
        let show = |way: &graph::Way| report::show(model, way);
        return Ok(lean.report(&mut machine, states, bounds, &claimed, &names, &show));
    }
    let found = if reduce {
        reduce::search(&mut machine, limits, &|touch| touch, progress)
    } else if limits.jobs > 1 && !limits.exact {
        parallel::search(&machine, limits, limits.jobs, progress)
    } else {
        search::search(&mut machine, limits, progress)
    };
    Ok(Report::new(model, &found))
}

/// Executes one order of each trace of a model: of those that differ only in steps which have
/// nothing to do with each other. It needs no memory of states; limits are those of depth and
/// time.
///
/// # Errors
/// When what stands above `race` cannot be run.
pub fn traces(model: &Arc<Model>, limits: &Limits) -> Result<Traces, Unfit> {
    let mut machine = Machine::new(Arc::clone(model))?;
    Ok(dpor::search(&mut machine, limits).0)
}
