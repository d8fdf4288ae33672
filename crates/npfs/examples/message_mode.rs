//! Messages: borders are kept, a buffer that is too small tells so, and an empty message is one.

use std::error::Error;

use npfs::{PipeClient, PipeServer, Simulation};

const PATH: &str = r"\\.\pipe\messages";

fn main() -> Result<(), Box<dyn Error>> {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::options().message_mode().create(&server, PATH)?;
    let other = PipeClient::options().message_mode().open(&client, PATH)?;

    other.send(b"a long message")?;
    other.send(b"")?;
    other.send(b"short")?;

    let peek = pipe.peek(0)?;
    println!("{} bytes in all, {} in the first message", peek.available, peek.left);

    let mut buffer = [0; 6];
    loop {
        let part = pipe.read_message(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..part.bytes]);
        // Rust's std gives Err(234) here and loses the count.
        println!("{:?}{}", text, if part.more { ", and more" } else { "" });
        if text == "short" {
            break;
        }
    }

    // A transact is a write and a read in one; a second thread answers.
    let answering = server.spawn("answering", move || {
        let request = pipe.receive()?;
        pipe.send(&request.iter().rev().copied().collect::<Vec<u8>>())?;
        // The server stays until the answer is read.
        pipe.flush_file_buffers()
    });
    let answer = other.transact(b"stressed", 64)?;
    println!("{}", String::from_utf8_lossy(&answer.data));
    answering.join().expect("no panic")?;
    Ok(())
}
