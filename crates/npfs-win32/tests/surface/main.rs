//! The surface, called as windows-sys programs call it.
//!
//! Every test names the rules of the fact sheets that it holds. Each runs in a simulation of its
//! own; under loom and shuttle simulations run inside models only, so these do not.
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::undocumented_unsafe_blocks)]

mod cancel;
mod common;
mod files;
mod garbage;
mod memory;
mod native;
mod pipes;
mod pool;
mod ports;
mod waits;
