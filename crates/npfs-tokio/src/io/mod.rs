//! `Interest` and `Ready`, as in `tokio::io`.
//!
//! tokio has them only with its feature `net`, which does not exist under loom and without which
//! this crate does. Code that names them takes them from here where it takes the pipes from here.

mod interest;
mod ready;

pub use interest::Interest;
pub use ready::Ready;
