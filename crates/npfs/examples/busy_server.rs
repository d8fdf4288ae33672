//! A server with two instances and five clients: who finds all instances busy waits for one.
//!
//! The clients do what Microsoft's page on named pipe clients recommends: open; on
//! `ERROR_PIPE_BUSY` wait; open again. No thread sleeps for real: the work of the server takes
//! ten virtual seconds a client.

use std::error::Error;
use std::time::Duration;

use npfs::{PipeClient, PipeServer, PipeTimeout, Process, Simulation};

const PATH: &str = r"\\.\pipe\busy";

fn serve(process: &Process, pipe: &PipeServer, clients: u32) -> Result<(), npfs::Error> {
    for _ in 0..clients {
        // 535: the client was there already; 232: it has gone again.
        match pipe.connect() {
            Ok(_) => {
                let name = pipe.receive()?;
                process.sleep(Duration::from_secs(10))?;
                pipe.send(&[b"hello ".as_slice(), &name].concat())?;
                // Without this, the disconnect would throw the answer away.
                pipe.flush_file_buffers()?;
            }
            Err(error) if error.win32() == 232 => {}
            Err(error) => return Err(error),
        }
        pipe.disconnect()?;
    }
    Ok(())
}

fn greet(process: &Process, name: &str) -> Result<(u32, String), npfs::Error> {
    let mut busy = 0;
    let pipe = loop {
        match PipeClient::options().message_mode().open(process, PATH) {
            Ok(pipe) => break pipe,
            Err(error) if error.win32() == 231 => {
                busy += 1;
                // It is a hint, not a reservation: another client may be faster.
                process.wait_named_pipe(PATH, PipeTimeout::After(Duration::from_secs(60)))?;
            }
            Err(error) => return Err(error),
        }
    };
    pipe.send(name.as_bytes())?;
    Ok((busy, String::from_utf8_lossy(&pipe.receive()?).into_owned()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let options = PipeServer::options().message_mode().max_instances(2);
    let mut servers = Vec::new();
    for (name, clients) in [("first", 3), ("second", 2)] {
        let pipe = options.create(&server, PATH)?;
        let process = server.clone();
        servers.push(server.spawn(name, move || serve(&process, &pipe, clients)));
    }
    let clients: Vec<_> = ["ann", "bob", "cid", "dora", "eve"]
        .into_iter()
        .map(|name| {
            let process = client.clone();
            client.spawn(name, move || greet(&process, name))
        })
        .collect();
    let mut waited = 0;
    for thread in clients {
        let (busy, answer) = thread.join().expect("no panic")?;
        waited += u32::from(busy > 0);
        println!("{answer}");
    }
    for thread in servers {
        thread.join().expect("no panic")?;
    }
    println!("{waited} of 5 found the pipe busy; {} virtual seconds", sim.now().as_secs());
    sim.assert_clean();
    Ok(())
}
