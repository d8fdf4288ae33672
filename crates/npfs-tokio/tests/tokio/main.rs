//! Programs of tokio over the shim: tokio's own usage, applications, the adapter, exploration.
#![cfg(not(any(loom, shuttle)))]

mod adapter;
mod applications;
mod exploration;
mod options;
mod tasks;
mod usage;
