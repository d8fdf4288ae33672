//! What a user of npfs writes: a small server with a lock, checked by loom.
//!
//! The server counts its guests in a registry behind a mutex. Each worker serves one instance of
//! the pipe and tells its client how many guests have come so far. The careless version reads the
//! registry and writes it back under two locks: with two workers at once a guest is lost. loom
//! finds the order; with threads of the system it is one run in thousands.
//!
//!     RUSTFLAGS="--cfg loom" cargo test --release -p npfs --test server

/// Locks and reference counts that the checker sees: what a crate under test has anyway.
mod sync {
    #[cfg(loom)]
    pub use loom::sync::{Arc, Mutex};
    #[cfg(not(loom))]
    pub use std::sync::{Arc, Mutex};
}

use npfs::{PipeClient, PipeServer, Simulation};
use sync::{Arc, Mutex};

const PATH: &str = r"\\.\pipe\guests";

/// The code under test.
#[derive(Default)]
struct Registry {
    guests: Mutex<u8>,
}

impl Registry {
    /// Counts a guest and gives their number.
    fn enter(&self) -> u8 {
        let mut guests = self.guests.lock().expect("no panic");
        *guests += 1;
        *guests
    }

    /// The same, with the planted bug.
    fn enter_carelessly(&self) -> u8 {
        let guests = *self.guests.lock().expect("no panic") + 1;
        *self.guests.lock().expect("no panic") = guests;
        guests
    }
}

/// A worker: one guest, one answer.
fn serve(pipe: &PipeServer, enter: impl Fn() -> u8) -> Result<(), npfs::Error> {
    pipe.connect()?;
    pipe.send(&[enter()])?;
    Ok(())
}

/// Two workers and two guests. Gives the numbers that the guests were told.
fn evening(careless: bool) -> [u8; 2] {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let registry = Arc::new(Registry::default());
    let create = || PipeServer::create(&server, PATH).expect("an instance");
    let (first, second) = (create(), create());
    let guests = [(); 2].map(|()| PipeClient::open(&client, PATH).expect("an instance listens"));
    let other = registry.clone();
    let enter = move |registry: &Registry| match careless {
        true => registry.enter_carelessly(),
        false => registry.enter(),
    };
    let worker = server.spawn("worker", move || serve(&second, || enter(&other)).map(|()| second));
    serve(&first, || enter(&registry)).expect("served");
    let second = worker.join().expect("no panic").expect("served");
    let mut numbers = guests.map(|guest| guest.receive().expect("an answer")[0]);
    drop((first, second));
    numbers.sort_unstable();
    numbers
}

#[cfg(not(any(loom, shuttle)))]
#[test]
fn every_guest_has_a_number() {
    assert_eq!(evening(false), [1, 2]);
    // The bug hides from most runs; both answers are possible here.
    assert!(matches!(evening(true), [1, 1] | [1, 2]));
}

#[cfg(loom)]
#[test]
fn every_guest_has_a_number() {
    loom::model(|| assert_eq!(evening(false), [1, 2]));
}

#[cfg(loom)]
#[test]
fn the_planted_bug_is_found() {
    let found = std::panic::catch_unwind(|| {
        loom::model(|| assert_eq!(evening(true), [1, 2], "two guests have the same number"));
    });
    let panic = found.expect_err("loom finds the order in which a guest is lost");
    let text = panic.downcast::<String>().map(|text| *text).unwrap_or_default();
    assert!(text.contains("two guests have the same number"), "{text}");
}
