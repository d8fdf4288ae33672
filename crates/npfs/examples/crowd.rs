//! Many real threads at once, as fast as they can. Whatever order the system gave them, a fresh
//! kernel explains the recording, and nothing is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use npfs::{Error, PipeClient, PipeServer, PipeTimeout, Process, Simulation};

const PATH: &str = r"\\.\pipe\crowd";
const CLIENTS: u32 = 6;
const SERVERS: u32 = 3;
const ROUNDS: u32 = 40;

/// A client opens as often as it takes, and calls with numbered messages.
fn client(process: &Process, number: u32) -> Result<u32, Error> {
    let mut answers = 0;
    for round in 0..ROUNDS {
        let pipe = loop {
            match PipeClient::options().message_mode().open(process, PATH) {
                Ok(pipe) => break pipe,
                Err(error) if error.win32() == 231 => {
                    process.wait_named_pipe(PATH, PipeTimeout::Forever)?;
                }
                Err(error) => return Err(error),
            }
        };
        let request = format!("{number}.{round}");
        // A server that disconnects in between may cut the answer off; then it counts as none.
        match pipe.transact(request.as_bytes(), 64) {
            Ok(reply) => {
                assert_eq!(reply.data, request.as_bytes(), "an answer reached another client");
                answers += 1;
            }
            Err(error) => assert!(matches!(error.win32(), 109 | 233), "{error}"),
        }
    }
    Ok(answers)
}

/// A server answers one request a connection, until it is told to go.
fn serve(pipe: &PipeServer) -> Result<Vec<String>, Error> {
    let mut seen = Vec::new();
    loop {
        match pipe.connect() {
            Ok(_) => {}
            // The client has come and gone.
            Err(error) if error.win32() == 232 => {
                pipe.disconnect()?;
                continue;
            }
            Err(error) => return Err(error),
        }
        if let Ok(request) = pipe.receive() {
            if request == b"go" {
                return Ok(seen);
            }
            if pipe.send(&request).is_ok() {
                // Else the answer would be lost with the connection (DISC-02).
                let _ = pipe.flush_file_buffers();
            }
            seen.push(String::from_utf8(request).expect("a text"));
        }
        pipe.disconnect()?;
    }
}

/// The whole crowd, from nothing to nothing. Gives the number of calls that were made.
///
/// # Panics
/// When anything was lost, doubled, left over, or cannot be explained.
pub fn run() -> usize {
    let sim = Simulation::builder().recording().build();
    let server = sim.process("server");
    let pipes: Vec<PipeServer> = (0..SERVERS)
        .map(|_| PipeServer::options().message_mode().create(&server, PATH).expect("an instance"))
        .collect();
    let servers: Vec<_> = pipes
        .into_iter()
        .enumerate()
        .map(|(number, pipe)| server.spawn(&format!("server{number}"), move || serve(&pipe)))
        .collect();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let process = sim.process(&format!("client{number}"));
            let inside = process.clone();
            process.spawn(&format!("client{number}"), move || client(&inside, number))
        })
        .collect();
    let mut answers = 0;
    for one in clients {
        answers += one.join().expect("no panic").expect("no error");
    }
    let last = sim.process("last");
    for _ in 0..SERVERS {
        last.wait_named_pipe(PATH, PipeTimeout::Forever).expect("a server listens");
        let pipe = PipeClient::options().message_mode().open(&last, PATH).expect("it listens");
        pipe.send(b"go").expect("sent");
    }
    let mut served = BTreeMap::new();
    for one in servers {
        for request in one.join().expect("no panic").expect("no error") {
            *served.entry(request).or_insert(0) += 1;
        }
    }
    assert!(served.values().all(|count| *count == 1), "a request was served twice: {served:?}");
    assert_eq!(served.len() as u32, CLIENTS * ROUNDS, "a request was lost");
    assert_eq!(answers, CLIENTS * ROUNDS, "an answer was lost");
    assert_eq!(sim.now(), Duration::ZERO, "nobody had to wait for time to pass");
    sim.assert_clean();
    let log = sim.log().expect("recorded");
    let kernel = log.replay().unwrap_or_else(|divergence| panic!("{divergence}"));
    assert!(kernel == sim.kernel(), "the replay ends in the same state");
    log.events.len()
}

#[cfg_attr(test, expect(dead_code, reason = "tests call run"))]
fn main() {
    println!("{} events, explained by a fresh kernel", run());
}
