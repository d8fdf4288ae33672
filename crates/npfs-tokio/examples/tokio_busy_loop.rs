//! The busy loop of tokio's documentation, against a server that is busy for long: each client
//! tries every 50 ms, and all of that time is virtual.
//!
//! The program is an ordinary one. Off Windows its pipes are simulated; nothing else is different.

use std::io;
use std::time::Duration;

#[cfg(not(windows))]
use npfs_tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, ServerOptions};
#[cfg(windows)]
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, ServerOptions};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};

const NAME: &str = r"\\.\pipe\tokio-busy-loop";
const ERROR_PIPE_BUSY: i32 = 231;
const CLIENTS: u32 = 5;

/// One client at a time, for three seconds each.
async fn serve() -> io::Result<()> {
    let mut server = ServerOptions::new().max_instances(1).create(NAME)?;
    for _ in 0..CLIENTS {
        server.connect().await?;
        let name = server.read_u32().await?;
        sleep(Duration::from_secs(3)).await;
        server.write_u32(name * name).await?;
        // Until the client has read its answer and is gone.
        assert_eq!(server.read(&mut [0; 1]).await?, 0);
        server.disconnect()?;
    }
    Ok(())
}

/// A client, and how often it found the server busy.
async fn open() -> io::Result<(NamedPipeClient, u32)> {
    let mut busy = 0;
    loop {
        match ClientOptions::new().open(NAME) {
            Ok(client) => return Ok((client, busy)),
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) => busy += 1,
            Err(error) => return Err(error),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn ask(name: u32) -> io::Result<u32> {
    let (mut client, busy) = open().await?;
    client.write_u32(name).await?;
    assert_eq!(client.read_u32().await?, name * name);
    Ok(busy)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> io::Result<()> {
    let (real, begin) = (std::time::Instant::now(), Instant::now());
    let server = tokio::spawn(serve());
    tokio::task::yield_now().await;
    let clients: Vec<_> = (1..=CLIENTS).map(|name| tokio::spawn(ask(name))).collect();
    let mut busy = 0;
    for client in clients {
        busy += client.await.expect("no client panics")?;
    }
    server.await.expect("the server does not panic")?;
    println!("{CLIENTS} clients, each served for 3 s; found busy {busy} times, 50 ms apart");
    println!("virtual time: {:?}", begin.elapsed());
    println!("real time: {:?}", real.elapsed());
    Ok(())
}
