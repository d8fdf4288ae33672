//! The most common named pipe bug: write, disconnect, and the client gets 233 instead of the data.

use std::error::Error;

use npfs::{PipeClient, PipeServer, Simulation};

const PATH: &str = r"\\.\pipe\loss";

/// What the client receives from a server that answers and disconnects.
fn answer(flush: bool) -> Result<Result<Vec<u8>, npfs::Error>, Box<dyn Error>> {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH)?;
    let other = PipeClient::open(&client, PATH)?;
    let server_side = server.spawn("server", move || {
        pipe.send(b"the answer")?;
        if flush {
            // FlushFileBuffers waits until the client has read everything.
            pipe.flush_file_buffers()?;
        }
        pipe.disconnect()
    });
    if !flush {
        // The race, decided: the server is faster than the client.
        server_side.join().expect("no panic")?;
        return Ok(other.receive());
    }
    let received = other.receive();
    server_side.join().expect("no panic")?;
    Ok(received)
}

fn main() -> Result<(), Box<dyn Error>> {
    match answer(false)? {
        Ok(data) => println!("without a flush: {:?}", String::from_utf8_lossy(&data)),
        Err(error) => println!("without a flush: {error}"),
    }
    match answer(true)? {
        Ok(data) => println!("with a flush:    {:?}", String::from_utf8_lossy(&data)),
        Err(error) => println!("with a flush:    {error}"),
    }
    Ok(())
}
