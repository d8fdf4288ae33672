//! More threads and calls than loom can take: shuttle, at random and with PCT.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use npfs::{PipeClient, PipeServer, Simulation};

#[path = "../../examples/crowd.rs"]
mod crowd;

/// Three servers, six clients, forty calls each; explained by a fresh kernel in replay.
#[test]
fn a_crowd_of_callers() {
    let run = || assert!(crowd::run() > 2000);
    shuttle::check_random(run, 20);
    shuttle::check_pct(run, 20, 3);
}

/// READ-28: four readers of one end and twelve messages: each is read once, in the order of the
/// writes as far as one reader can tell.
#[test]
fn many_readers_of_one_end() {
    fn run() {
        const PATH: &str = r"\\.\pipe\readers";
        let sim = Simulation::new();
        let (server, client) = (sim.process("server"), sim.process("client"));
        let options = PipeServer::options().overlapped(true).message_mode();
        let pipe = Arc::new(options.create(&server, PATH).expect("an instance"));
        let other = PipeClient::open(&client, PATH).expect("a client");
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let readers: Vec<_> = (0..4)
            .map(|number| {
                let (pipe, seen) = (pipe.clone(), seen.clone());
                server.spawn(&format!("reader{number}"), move || {
                    let mut last = None;
                    loop {
                        let read = pipe.begin_read(8).and_then(|read| read.wait());
                        match read {
                            Ok(received) => {
                                let message = received.data[0];
                                assert!(last < Some(message), "a reader went back");
                                last = Some(message);
                                *seen.lock().expect("seen").entry(message).or_insert(0) += 1;
                            }
                            Err(error) => return assert_eq!(error.win32(), 109),
                        }
                    }
                })
            })
            .collect();
        for message in 0..12 {
            other.send(&[message]).expect("it has room");
        }
        drop(other);
        readers.into_iter().for_each(|reader| reader.join().expect("reader"));
        let seen = seen.lock().expect("seen");
        assert!(seen.len() == 12 && seen.values().all(|count| *count == 1), "{seen:?}");
    }
    shuttle::check_random(run, 500);
    shuttle::check_pct(run, 500, 3);
}
