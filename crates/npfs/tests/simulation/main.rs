//! The safe API and the host under it, with real threads. None of these tests sleeps or depends
//! on when a thread runs; the models (`tests/models`) try the orders.
#![cfg(not(any(loom, shuttle)))]

mod api;
mod deadlocks;
mod errors;
mod recordings;
mod stress;
mod threads;
mod time;
