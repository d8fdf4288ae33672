//! What tokio's documentation and its own tests of named pipes do, on tokio's runtime.
//!
//! Nothing sets up a simulation here: as in a program that only changed its `use` line, the pipes
//! are those of the default simulation, so every test has a name of its own. Time is tokio's, and
//! paused: it passes when all tasks wait.

use std::io;
use std::time::Duration;

use npfs_tokio::io::Interest;
use npfs_tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, PipeMode, ServerOptions,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const BUSY: Option<i32> = Some(231);

/// What every client of the documentation does: while no instance listens, wait 50 ms.
async fn open_when_free(name: &str) -> io::Result<NamedPipeClient> {
    loop {
        match ClientOptions::new().open(name) {
            Err(error) if error.raw_os_error() == BUSY => sleep(Duration::from_millis(50)).await,
            result => return result,
        }
    }
}

/// A server that always has an instance listening before it lets the connected one go.
async fn serve<F>(
    name: &'static str,
    clients: usize,
    talk: fn(NamedPipeServer) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let mut listening = ServerOptions::new().first_pipe_instance(true).create(name)?;
    let mut talks = Vec::new();
    for _ in 0..clients {
        listening.connect().await?;
        let next = ServerOptions::new().create(name)?;
        talks.push(tokio::spawn(talk(std::mem::replace(&mut listening, next))));
    }
    for one in talks {
        one.await??;
    }
    Ok(())
}

async fn join<T>(tasks: Vec<JoinHandle<io::Result<T>>>) -> io::Result<Vec<T>> {
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await??);
    }
    Ok(results)
}

#[tokio::test]
async fn a_line_there_and_a_line_back() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-one-client";
    let server = ServerOptions::new().create(NAME)?;
    let server = tokio::spawn(async move {
        server.connect().await?;
        let mut server = BufReader::new(server);
        let mut line = String::new();
        server.read_line(&mut line).await?;
        server.write_all(b"pong\n").await?;
        Ok::<_, io::Error>(line)
    });
    let client = tokio::spawn(async move {
        let mut client = BufReader::new(ClientOptions::new().open(NAME)?);
        client.write_all(b"ping\n").await?;
        let mut line = String::new();
        client.read_line(&mut line).await?;
        Ok::<_, io::Error>(line)
    });
    assert_eq!(server.await??, "ping\n");
    assert_eq!(client.await??, "pong\n");
    Ok(())
}

/// Ten clients of one name: each finds an instance, at once or after a busy loop.
#[tokio::test(start_paused = true)]
async fn many_clients_with_a_busy_loop() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-many-clients";
    let begin = Instant::now();
    let server = tokio::spawn(serve(NAME, 10, |pipe| async move {
        let mut pipe = BufReader::new(pipe);
        let mut line = String::new();
        pipe.read_line(&mut line).await?;
        pipe.write_all(line.to_uppercase().as_bytes()).await?;
        pipe.flush().await
    }));
    tokio::task::yield_now().await;
    let clients = (0..10).map(|number| {
        tokio::spawn(async move {
            let mut client = BufReader::new(open_when_free(NAME).await?);
            client.write_all(format!("client {number}\n").as_bytes()).await?;
            let mut line = String::new();
            client.read_line(&mut line).await?;
            Ok::<_, io::Error>(line)
        })
    });
    let lines = join(clients.collect()).await?;
    let wanted: Vec<String> = (0..10).map(|number| format!("CLIENT {number}\n")).collect();
    assert_eq!(lines, wanted);
    server.await??;
    // All clients start at once, one of them finds the instance, and so on every 50 ms.
    assert_eq!(begin.elapsed().as_millis() % 50, 0);
    assert!(begin.elapsed() >= Duration::from_millis(50));
    Ok(())
}

/// The same with readiness and `try_read`, `try_write` in place of the traits.
#[tokio::test(start_paused = true)]
async fn many_clients_with_readiness() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-many-clients-ready";
    async fn exactly<const N: usize>(pipe: &NamedPipeServer) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        let mut filled = 0;
        while filled < N {
            pipe.readable().await?;
            match pipe.try_read(&mut bytes[filled..]) {
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
    }
    let server = tokio::spawn(serve(NAME, 10, |pipe| async move {
        assert_eq!(&exactly::<5>(&pipe).await?, b"ping\n");
        pipe.writable().await?;
        assert_eq!(pipe.try_write(b"pong\n")?, 5);
        Ok(())
    }));
    tokio::task::yield_now().await;
    let clients = (0..10).map(|_| {
        tokio::spawn(async move {
            let client = open_when_free(NAME).await?;
            let (mut sent, mut got) = (0, Vec::new());
            loop {
                let mut interest = Interest::READABLE;
                if sent < 5 {
                    interest |= Interest::WRITABLE;
                }
                let ready = client.ready(interest).await?;
                if ready.is_readable() {
                    let mut part = [0; 3];
                    match client.try_read(&mut part) {
                        Ok(more) => got.extend_from_slice(&part[..more]),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                    if got.len() == 5 {
                        return Ok(got);
                    }
                }
                if ready.is_writable() && sent < 5 {
                    match client.try_write(&b"ping\n"[sent..]) {
                        Ok(more) => sent += more,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        })
    });
    for got in join(clients.collect()).await? {
        assert_eq!(got, b"pong\n");
    }
    server.await?
}

/// A write to a client that is gone.
#[tokio::test]
async fn a_client_that_is_dropped() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-client-dropped";
    let mut server = ServerOptions::new().create(NAME)?;
    let client = ClientOptions::new().open(NAME)?;
    server.connect().await?;
    drop(client);
    let error = server.write_all(b"ping").await.expect_err("nobody is there");
    assert_eq!(error.raw_os_error(), Some(232));
    assert_eq!(npfs_tokio::win32_kind(&error), io::ErrorKind::BrokenPipe);
    assert_eq!(server.read(&mut [0; 8]).await?, 0);
    Ok(())
}

#[tokio::test]
async fn messages_keep_their_borders_and_bytes_do_not() -> io::Result<()> {
    for (name, mode) in [
        (r"\\.\pipe\usage-mode-message", PipeMode::Message),
        (r"\\.\pipe\usage-mode-byte", PipeMode::Byte),
    ] {
        let mut server =
            ServerOptions::new().first_pipe_instance(true).pipe_mode(mode).create(name)?;
        let mut client = ClientOptions::new().pipe_mode(mode).open(name)?;
        server.connect().await?;
        for _ in 0..10 {
            client.write_all(b"hello").await?;
            server.write_all(b"world").await?;
        }
        let mut reads = Vec::new();
        let mut buffer = [0; 64];
        let mut total = 0;
        while total < 50 {
            let length = server.read(&mut buffer).await?;
            reads.push(length);
            total += length;
        }
        match mode {
            PipeMode::Message => assert_eq!(reads, [5; 10]),
            // The read that waited inside took the first write, the next one all others.
            _ => assert_eq!(reads, [5, 45]),
        }
        let length = client.read(&mut buffer).await?;
        assert_eq!(&buffer[..length], b"world");
    }
    Ok(())
}

/// Disconnect, connect again: the client sees 233, the next one is a new connection.
#[tokio::test]
async fn an_instance_is_used_again() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-disconnect";
    let mut server = ServerOptions::new().create(NAME)?;
    let mut first = ClientOptions::new().open(NAME)?;
    server.connect().await?;
    first.write_all(b"from the first").await?;
    server.disconnect()?;
    let error = server.write_all(b"ping").await.expect_err("nobody is there");
    assert_eq!(error.raw_os_error(), Some(233));
    let error = first.write_all(b"ping").await.expect_err("it was cast off");
    assert_eq!(error.raw_os_error(), Some(233));
    assert_eq!(first.read(&mut [0; 1]).await.expect_err("cast off").raw_os_error(), Some(233));
    assert_eq!(ClientOptions::new().open(NAME).expect_err("not listening").raw_os_error(), BUSY);

    let (connected, second) = tokio::join!(server.connect(), open_when_free(NAME));
    connected?;
    let mut second = second?;
    second.write_all(b"second").await?;
    let mut buffer = [0; 64];
    let length = server.read(&mut buffer).await?;
    assert_eq!(&buffer[..length], b"second");
    Ok(())
}

/// A connect that is dropped while it waits loses no client.
#[tokio::test(start_paused = true)]
async fn connect_is_cancel_safe() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-cancel-safe";
    let mut server = ServerOptions::new().create(NAME)?;
    for _ in 0..3 {
        tokio::select! {
            _ = server.connect() => panic!("nobody has come"),
            () = sleep(Duration::from_secs(1)) => {}
        }
    }
    let mut client = ClientOptions::new().open(NAME)?;
    server.connect().await?;
    client.write_all(b"ping").await?;
    // And a read that is dropped while it waits loses no bytes.
    let mut buffer = [0; 8];
    assert_eq!(server.read(&mut buffer).await?, 4);
    tokio::select! {
        _ = server.read(&mut buffer) => panic!("nothing was written"),
        () = sleep(Duration::from_secs(1)) => {}
    }
    client.write_all(b"pong").await?;
    assert_eq!(server.read(&mut buffer).await?, 4);
    Ok(())
}

/// Vectored writes are one write; vectored reads fill one buffer after the other.
#[tokio::test]
async fn several_buffers_at_once() -> io::Result<()> {
    use std::io::{IoSlice, IoSliceMut};
    const NAME: &str = r"\\.\pipe\usage-vectored";
    let server = ServerOptions::new().pipe_mode(PipeMode::Message).create(NAME)?;
    let mut client = ClientOptions::new().pipe_mode(PipeMode::Message).open(NAME)?;
    server.connect().await?;
    let parts = [IoSlice::new(b"one "), IoSlice::new(b"message")];
    assert_eq!(client.write_vectored(&parts).await?, 11);
    client.writable().await?;
    assert_eq!(client.try_write_vectored(&parts)?, 11);
    server.readable().await?;
    let (mut one, mut two) = ([0; 4], [0; 16]);
    let mut buffers = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    assert_eq!(server.try_read_vectored(&mut buffers)?, 11);
    assert_eq!((&one, &two[..7]), (b"one ", &b"message"[..]));
    let mut bytes = Vec::with_capacity(64);
    server.readable().await?;
    assert_eq!(server.try_read_buf(&mut bytes)?, 11);
    assert_eq!(bytes, b"one message");
    let error = server.try_read(&mut one).expect_err("nothing more");
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    Ok(())
}

/// `async_io` and `try_io` run whatever the program does with the pipe, as long as it is ready.
#[tokio::test]
async fn work_of_the_programs_own() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-async-io";
    let server = ServerOptions::new().create(NAME)?;
    let mut client = ClientOptions::new().open(NAME)?;
    server.connect().await?;
    let mut tries = 0;
    let reading = server.async_io(Interest::READABLE, || {
        tries += 1;
        let mut buffer = [0; 4];
        server.try_read(&mut buffer).map(|length| buffer[..length].to_vec())
    });
    let (read, written) = tokio::join!(reading, client.write_all(b"ping"));
    written?;
    assert_eq!(read?, b"ping");
    let not_ready =
        server.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
    assert_eq!(not_ready.expect_err("not ready").kind(), io::ErrorKind::WouldBlock);
    assert_eq!(server.try_io(Interest::WRITABLE, || Ok(7))?, 7);
    // As with tokio: two interests at once are never ready in `try_io`.
    let both = server.try_io(Interest::READABLE | Interest::WRITABLE, || Ok(7));
    assert_eq!(both.expect_err("never").kind(), io::ErrorKind::WouldBlock);
    Ok(())
}

/// The halves of `tokio::io::split` in two tasks, on a runtime with several threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halves_in_two_tasks_on_several_threads() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-split";
    const COUNT: u32 = 2_000;
    let server = ServerOptions::new().in_buffer_size(64).out_buffer_size(64).create(NAME)?;
    let client = ClientOptions::new().open(NAME)?;
    server.connect().await?;
    let mut tasks = Vec::new();
    async fn write(mut half: impl tokio::io::AsyncWrite + Unpin) -> io::Result<u64> {
        for number in 0..COUNT {
            half.write_all(&number.to_le_bytes()).await?;
        }
        Ok(0)
    }
    async fn read(mut half: impl tokio::io::AsyncRead + Unpin) -> io::Result<u64> {
        let mut sum = 0;
        for number in 0..COUNT {
            let mut bytes = [0; 4];
            half.read_exact(&mut bytes).await?;
            assert_eq!(u32::from_le_bytes(bytes), number);
            sum += u64::from(number);
        }
        Ok(sum)
    }
    let (read_server, write_server) = tokio::io::split(server);
    let (read_client, write_client) = tokio::io::split(client);
    tasks.push(tokio::spawn(write(write_server)));
    tasks.push(tokio::spawn(read(read_client)));
    tasks.push(tokio::spawn(write(write_client)));
    tasks.push(tokio::spawn(read(read_server)));
    let sum = u64::from(COUNT) * u64::from(COUNT - 1) / 2;
    assert_eq!(join(tasks).await?, [0, sum, 0, sum]);
    Ok(())
}
