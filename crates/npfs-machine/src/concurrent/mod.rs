//! Explains concurrent traces: an order of their calls under which the model gives what was
//! recorded.
//!
//! [`history`] is the trace made ready, [`system`] the model on its way through it, [`search`]
//! the search, [`explain`] what is said about it.

mod explain;
mod history;
mod search;
mod system;

pub use explain::Unplaced;
pub(crate) use explain::check;
pub use search::{Effort, Limits};
