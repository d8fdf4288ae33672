//! Two threads, one synchronous handle: the classic deadlock, named instead of hanging.
//!
//! A handle without `FILE_FLAG_OVERLAPPED` takes one operation at a time. While one thread of the
//! client waits in a read, the other cannot even write the request that the server waits for.
//! Prints who waits for whom and exits with 1.

use std::process::ExitCode;

use npfs::{PipeClient, PipeServer, Schedule, Simulation};

const PATH: &str = r"\\.\pipe\deadlock";

fn main() -> ExitCode {
    // Threads take turns, each until it sleeps: the reader is first. Calls that end in a deadlock
    // fail here; by default they would panic with the same report.
    let sim = Simulation::builder().schedule(Schedule::RunToBlock).deadlocks_fail().build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let writer_end = PipeClient::open(&client, PATH).expect("a client");
    let reader_end = writer_end.try_clone().expect("a duplicate: the same file object");

    let threads = [
        client.spawn("reader", move || reader_end.receive().map(|_| ())),
        client.spawn("writer", move || writer_end.send(b"request").map(|_| ())),
        server.spawn("server", move || pipe.send(&pipe.receive()?).map(|_| ())),
    ];
    for thread in threads {
        if let Err(error) = thread.join().expect("no panic") {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    }
    println!("no deadlock: the answer came");
    ExitCode::SUCCESS
}
