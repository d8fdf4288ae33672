//! Tests of both formats.

mod arbitrary;
mod errors;
mod files;
mod properties;
