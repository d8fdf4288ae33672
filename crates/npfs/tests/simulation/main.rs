//! The safe API and the host under it, with real threads. None of these tests sleeps or depends
//! on when a thread runs; the models (`tests/models`) try the orders.
#![cfg(not(any(loom, shuttle)))]

mod api;
mod deadlocks;
mod errors;
mod facades;
mod recordings;
mod threads;
mod time;

#[path = "../../examples/crowd.rs"]
mod crowd;

#[test]
fn a_crowd_is_explained_in_replay() {
    assert!(crowd::run() > 2000);
}
