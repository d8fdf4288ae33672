//! A cancel against the write that completes the read: every order, every outcome.
//!
//! `CancelIoEx` only asks. A program that takes its success for the end of the read, and frees the
//! buffer or drops the result, is wrong in one order out of three.

use std::collections::BTreeMap;

use npfs::host::schedule::every_order;
use npfs::{PipeClient, PipeServer, Simulation};

const PATH: &str = r"\\.\pipe\race";

fn main() {
    let mut outcomes: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let runs = every_order(|order| {
        let sim = Simulation::builder().schedule(order).build();
        let (server, client) = (sim.process("server"), sim.process("client"));
        let options = PipeServer::options().overlapped(true);
        let pipe = options.create(&server, PATH).expect("an instance");
        let other = PipeClient::open(&client, PATH).expect("a client");
        let read = pipe.begin_read(16).expect("it pends");

        let writer = client.spawn("writer", move || {
            other.send(b"data").expect("the pipe is connected");
            other
        });
        let canceller = server.spawn("canceller", move || {
            let found = read.cancel().expect("the handle is open");
            let ended = read.wait();
            (found, ended)
        });
        let other = writer.join().expect("no panic");
        let (found, ended) = canceller.join().expect("no panic");
        let cancel = if found { "found it" } else { "found nothing (1168)" };
        let read = match ended {
            Ok(received) => format!("read {:?}", String::from_utf8_lossy(&received.data)),
            Err(error) => format!("failed with {}", error.win32()),
        };
        // What was cancelled is not lost: the bytes are still in the pipe.
        let left = pipe.peek(0).expect("connected").available;
        let outcome = format!("cancel {cancel}; {read}; {left} bytes left");
        let entry = outcomes.entry(outcome).or_insert_with(|| (0, sim.turns().to_string()));
        entry.0 += 1;
        drop((pipe, other));
    });
    println!("{runs} orders");
    for (outcome, (count, turns)) in outcomes {
        println!("{count:>4}  {outcome}\n      for example: {turns}");
    }
}
