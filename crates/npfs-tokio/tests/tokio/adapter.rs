//! What tasks see because an adapter stands between them and the pipe: each story with the real
//! adapter and with the ideal one. `docs/tokio.md` tells the same.

use std::io;
use std::task::Poll;

use npfs::abi::{Call, Handle, Output};
use npfs::{Process, Simulation};
use npfs_tokio::Adapter;
use npfs_tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, PipeMode, ServerOptions,
};
use npfs_win32::os::windows::io::AsRawHandle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = r"\\.\pipe\adapter";

/// A story in a simulation of its own, told with each adapter, on tokio's runtime.
fn with_each<F: Future<Output = io::Result<()>>>(story: impl Fn(Adapter, Process) -> F) {
    for adapter in [Adapter::Mio, Adapter::Ideal] {
        let sim = Simulation::new();
        let process = sim.process("app");
        adapter.choose(sim.host());
        assert_eq!(Adapter::of(sim.host()), adapter);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let told = process.enter(|| runtime.block_on(story(adapter, process.clone())));
        told.unwrap_or_else(|error| panic!("{adapter:?}: {error}"));
        sim.assert_clean();
    }
}

fn pair(server: &ServerOptions, mode: PipeMode) -> (NamedPipeServer, NamedPipeClient) {
    let pipe = server.create(NAME).expect("an instance");
    let client = ClientOptions::new().pipe_mode(mode).open(NAME).expect("a client");
    (pipe, client)
}

fn byte_pair() -> (NamedPipeServer, NamedPipeClient) {
    pair(&ServerOptions::new(), PipeMode::Byte)
}

fn message_pair() -> (NamedPipeServer, NamedPipeClient) {
    pair(ServerOptions::new().pipe_mode(PipeMode::Message), PipeMode::Message)
}

/// How many unread bytes the pipe shows at this end.
fn available(process: &Process, end: &impl AsRawHandle) -> u32 {
    let pipe = Handle(end.as_raw_handle().addr() as u32);
    let outcome = process.call(&Call::PeekNamedPipe { pipe, length: 0 }).expect("a call");
    match outcome {
        npfs::abi::Outcome::Done(reply) => match reply.output {
            Output::Peek(peek) => peek.available,
            other => panic!("{other:?} for a peek"),
        },
        other => panic!("{other:?} for a peek"),
    }
}

/// What a future gives when it is polled once.
async fn once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// An internal read takes what comes, up to its size, before any task asks.
#[test]
fn data_leaves_the_pipe_before_it_is_read() {
    with_each(|adapter, process| async move {
        let (server, mut client) = byte_pair();
        server.connect().await?;
        client.write_all(&[1; 5_000]).await?;
        let left = match adapter {
            Adapter::Mio => 5_000 - 4_096,
            Adapter::Ideal => 5_000,
        };
        assert_eq!(available(&process, &server), left);
        let mut buffer = [0; 64 * 1024];
        server.readable().await?;
        let got = server.try_read(&mut buffer)?;
        assert_eq!(got, 5_000 - if adapter == Adapter::Mio { left as usize } else { 0 });
        // The next read inside is as long as the last buffer.
        client.write_all(&[2; 20_000]).await?;
        let left = if adapter == Adapter::Mio { 0 } else { 20_000 };
        if adapter == Adapter::Mio {
            server.readable().await?;
            assert_eq!(server.try_read(&mut buffer)?, 5_000 - 4_096);
        }
        assert_eq!(available(&process, &server), left);
        Ok(())
    });
}

/// So a disconnect does not take back what the client's internal read has.
#[test]
fn what_was_written_before_a_disconnect() {
    with_each(|adapter, _| async move {
        let (mut server, mut client) = byte_pair();
        server.connect().await?;
        server.write_all(b"last words").await?;
        server.disconnect()?;
        let mut buffer = [0; 64];
        let read = client.read(&mut buffer).await;
        match adapter {
            Adapter::Mio => assert_eq!(&buffer[..read?], b"last words"),
            Adapter::Ideal => assert_eq!(read.expect_err("discarded").raw_os_error(), Some(233)),
        }
        Ok(())
    });
}

/// A write is reported when it is begun, and its failure by the next one; or when it is done.
#[test]
fn a_write_that_the_pipe_has_not_taken() {
    with_each(|adapter, _| async move {
        let (server, mut client) = pair(ServerOptions::new().in_buffer_size(8), PipeMode::Byte);
        server.connect().await?;
        // More than the reader inside takes, and the rest more than the quota.
        let big = vec![0; 4_096 + 100];
        let written = once(client.write(&big)).await;
        match adapter {
            Adapter::Mio => {
                assert!(matches!(written, Poll::Ready(Ok(4_196))), "{written:?}");
                let next = client.try_write(b"x").expect_err("one is in flight");
                assert_eq!(next.kind(), io::ErrorKind::WouldBlock);
                drop(server);
                // How the first write ended, then how this one does.
                let first = client.write(b"x").await.expect_err("it was never taken");
                assert_eq!(npfs_tokio::win32_code(&first), Some(109));
                let second = client.write(b"x").await.expect_err("nobody is there");
                assert_eq!(second.raw_os_error(), Some(232));
            }
            Adapter::Ideal => {
                assert!(written.is_pending());
                let mut server = server;
                let mut buffer = vec![0; 8_192];
                let mut taken = 0;
                while taken < big.len() {
                    taken += server.read(&mut buffer).await?;
                }
                assert_eq!(client.write(&big[..]).await?, big.len(), "the write that was begun");
                assert!(once(server.read(&mut buffer)).await.is_pending());
            }
        }
        Ok(())
    });
}

/// A write that was dropped half way belongs to its client: the next one gets the same bytes anew.
#[test]
fn a_write_that_a_disconnect_cut_off() {
    with_each(|_, _| async move {
        let bytes = vec![3; 5_000];
        let (mut server, first) = pair(ServerOptions::new().out_buffer_size(8), PipeMode::Byte);
        server.connect().await?;
        let begun = once(server.write_all(&bytes)).await;
        drop(begun);
        server.disconnect()?;
        drop(first);
        let listening = once(server.connect()).await;
        assert!(listening.is_pending());
        let mut second = ClientOptions::new().open(NAME)?;
        server.connect().await?;
        let mut got = vec![0; 5_000];
        let (written, read) = tokio::join!(server.write_all(&bytes), second.read_exact(&mut got));
        written?;
        read?;
        assert_eq!(got, bytes);
        assert!(once(second.read_u8()).await.is_pending(), "and no byte more");
        Ok(())
    });
}

/// A client that came and is gone before the server connects.
#[test]
fn connecting_to_a_client_that_is_gone() {
    with_each(|adapter, _| async move {
        let mut server = ServerOptions::new().create(NAME)?;
        drop(ClientOptions::new().open(NAME)?);
        let connected = server.connect().await;
        match adapter {
            Adapter::Mio => {
                connected?;
                assert_eq!(server.read(&mut [0; 8]).await?, 0);
            }
            Adapter::Ideal => {
                assert_eq!(connected.expect_err("gone").raw_os_error(), Some(232));
            }
        }
        server.disconnect()
    });
}

/// A message that is longer than the buffer: in parts, or an error that loses nothing.
#[test]
fn a_message_longer_than_the_buffer() {
    with_each(|adapter, _| async move {
        let (mut server, mut client) = message_pair();
        server.connect().await?;
        client.write_all(b"hello world").await?;
        client.write_all(b"!").await?;
        let mut small = [0; 5];
        match adapter {
            Adapter::Mio => {
                assert_eq!(server.read(&mut small).await?, 5);
                assert_eq!(&small, b"hello");
                assert_eq!(server.read(&mut small).await?, 5);
                assert_eq!(server.read(&mut small).await?, 1);
                assert_eq!(small[0], b'd');
            }
            Adapter::Ideal => {
                let error = server.read(&mut small).await.expect_err("too small");
                assert_eq!(error.raw_os_error(), Some(234));
                let mut whole = [0; 64];
                assert_eq!(server.read(&mut whole).await?, 11);
                assert_eq!(&whole[..11], b"hello world");
            }
        }
        assert_eq!(server.read(&mut small).await?, 1);
        assert_eq!(small[0], b'!');
        Ok(())
    });
}

/// A message longer than the internal read comes in parts even if the task's buffer is large
/// enough. (mio 1.1.1 to 1.2.3 lost the first 4096 bytes and said `Ok(0)`.)
#[test]
fn a_message_longer_than_the_read_inside() {
    with_each(|adapter, _| async move {
        let (mut server, mut client) = message_pair();
        server.connect().await?;
        let message: Vec<u8> = (0..9_000_u32).map(|number| number as u8).collect();
        client.write_all(&message).await?;
        let mut buffer = vec![0; 16_384];
        let mut parts = Vec::new();
        let mut got = Vec::new();
        while got.len() < message.len() {
            let part = server.read(&mut buffer).await?;
            parts.push(part);
            got.extend_from_slice(&buffer[..part]);
        }
        assert_eq!(got, message);
        match adapter {
            Adapter::Mio => assert_eq!(parts, [4_096, 9_000 - 4_096]),
            Adapter::Ideal => assert_eq!(parts, [9_000]),
        }
        Ok(())
    });
}

/// A message without bytes reads as `Ok(0)`, like the end; what follows is still there.
#[test]
fn a_message_without_bytes() {
    with_each(|_, _| async move {
        let (mut server, mut client) = message_pair();
        server.connect().await?;
        let mut buffer = [0; 8];
        for _ in 0..2 {
            assert_eq!(client.write(b"").await?, 0);
            client.write_all(b"after").await?;
            assert_eq!(server.read(&mut buffer).await?, 0);
            assert_eq!(server.read(&mut buffer).await?, 5);
        }
        // Nothing is there, and nothing comes of waiting.
        assert!(once(server.read(&mut buffer)).await.is_pending());
        drop(client);
        assert_eq!(server.read(&mut buffer).await?, 0);
        assert_eq!(server.read(&mut buffer).await?, 0);
        Ok(())
    });
}

/// What is left in the pipe when the other end closes can still be read.
#[test]
fn data_before_the_end() {
    with_each(|_, _| async move {
        let (mut server, mut client) = byte_pair();
        server.connect().await?;
        client.write_all(&[7; 10_000]).await?;
        drop(client);
        let mut all = Vec::new();
        server.read_to_end(&mut all).await?;
        assert_eq!(all, [7; 10_000]);
        Ok(())
    });
}

/// A write goes on when its end is dropped, and the handle closes behind it.
#[test]
fn a_write_in_flight_when_its_end_is_dropped() {
    with_each(|_, process| async move {
        let (mut server, client) = pair(ServerOptions::new().in_buffer_size(8), PipeMode::Byte);
        server.connect().await?;
        client.writable().await?;
        assert_eq!(client.try_write(&[9; 10_000])?, 10_000);
        drop(client);
        let handles = |process: &Process| {
            process.host().leaks().iter().filter(|leak| leak.contains("holds")).count()
        };
        assert_eq!(handles(&process), 2, "the client's handle is still open");
        let mut all = Vec::new();
        server.read_to_end(&mut all).await?;
        assert_eq!(all, [9; 10_000]);
        assert_eq!(handles(&process), 1);
        Ok(())
    });
}

/// A pending read does not end with the thread that happened to begin it.
#[test]
fn a_read_outlives_the_thread_that_began_it() {
    with_each(|_, process| async move {
        let opener = process.spawn("opener", byte_pair);
        let (mut server, mut client) = opener.join().expect("no panic");
        server.connect().await?;
        client.write_all(b"still").await?;
        assert_eq!(server.read(&mut [0; 8]).await?, 5);
        Ok(())
    });
}

/// When the simulation goes, whoever waits is told.
#[test]
fn the_simulation_stops_while_a_task_waits() {
    for adapter in [Adapter::Mio, Adapter::Ideal] {
        let sim = Simulation::new();
        let process = sim.process("app");
        adapter.choose(sim.host());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let error = process.enter(|| {
            runtime.block_on(async {
                let (mut server, _client) = byte_pair();
                server.connect().await.expect("a client is there");
                let waits = tokio::spawn(async move { server.read(&mut [0; 8]).await });
                tokio::task::yield_now().await;
                drop(sim);
                waits.await.expect("no panic").expect_err("there is no simulation")
            })
        });
        assert!(error.to_string().contains("dropped"), "{error}");
    }
}
