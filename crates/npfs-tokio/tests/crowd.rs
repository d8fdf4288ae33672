//! Many tasks on several threads of tokio's runtime: no wake is lost, and nothing of one client
//! reaches the next. Alone in its program, as it makes its simulation everybody's.
#![cfg(not(any(loom, shuttle)))]

use std::io;

use npfs::Simulation;
use npfs_tokio::Adapter;
use npfs_tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = r"\\.\pipe\crowd";
const SERVERS: usize = 4;
const CLIENTS: usize = 8;
const VISITS: usize = 100;

/// Echoes the lengths of what it is sent, until a client says that it was the last one.
async fn serve(mut server: NamedPipeServer) -> io::Result<usize> {
    let mut served = 0;
    loop {
        server.connect().await?;
        let client = server.read_u8().await?;
        if client == u8::MAX {
            return Ok(served);
        }
        let length = server.read_u32().await? as usize;
        let mut bytes = vec![0; length];
        server.read_exact(&mut bytes).await?;
        assert!(bytes.iter().all(|byte| *byte == client), "bytes of another client");
        server.write_u32(length as u32).await?;
        assert_eq!(server.read(&mut [0; 1]).await?, 0, "the client closes");
        server.disconnect()?;
        served += 1;
    }
}

async fn visit(client: u8, length: usize) -> io::Result<()> {
    let mut pipe = loop {
        match ClientOptions::new().open(NAME) {
            Ok(pipe) => break pipe,
            Err(error) if error.raw_os_error() == Some(231) => tokio::task::yield_now().await,
            Err(error) => return Err(error),
        }
    };
    pipe.write_u8(client).await?;
    if client == u8::MAX {
        // A client that is gone before the connect is none to the ideal adapter.
        assert_eq!(pipe.read(&mut [0; 1]).await?, 0);
        return Ok(());
    }
    pipe.write_u32(length as u32).await?;
    pipe.write_all(&vec![client; length]).await?;
    assert_eq!(pipe.read_u32().await? as usize, length);
    Ok(())
}

#[test]
fn clients_come_and_go() {
    for adapter in [Adapter::Mio, Adapter::Ideal] {
        let sim = Simulation::builder().any_thread().build();
        let process = sim.process("app");
        adapter.choose(sim.host());
        let _everybody = npfs_win32::simulation::install(sim.host(), process.id());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build();
        let served = runtime.expect("a runtime").block_on(async {
            let mut options = ServerOptions::new();
            options.in_buffer_size(64).out_buffer_size(64);
            let servers: Vec<_> = (0..SERVERS)
                .map(|_| tokio::spawn(serve(options.create(NAME).expect("an instance"))))
                .collect();
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    tokio::spawn(async move {
                        for visit_number in 0..VISITS {
                            visit(client as u8, visit_number * 37 % 6_000).await?;
                        }
                        Ok::<_, io::Error>(())
                    })
                })
                .collect();
            for client in clients {
                client.await.expect("no panic").expect("served");
            }
            for _ in 0..SERVERS {
                visit(u8::MAX, 0).await.expect("the last one");
            }
            let mut served = 0;
            for server in servers {
                served += server.await.expect("no panic").expect("served");
            }
            served
        });
        assert_eq!(served, CLIENTS * VISITS);
        sim.assert_clean();
    }
}
