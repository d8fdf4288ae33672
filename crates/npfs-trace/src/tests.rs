//! Tests of both formats.

mod errors;
mod files;
mod properties;
