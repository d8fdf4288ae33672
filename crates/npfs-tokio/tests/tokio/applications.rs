//! Patterns of public applications, with the trouble they had and what mended it. The threads where
//! they tell of it are named; the code is ours.

use std::io;
use std::time::Duration;

use npfs::{PipeClient, Simulation};
use npfs_tokio::explore::Explore;
use npfs_tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};
use npfs_tokio::task::{block_on, sleep, spawn_named};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = r"\\.\pipe\application";
const BUSY: Option<i32> = Some(231);

/// containerd/rust-extensions #153, mended in #206: a client that connects while the server is
/// between two accepts finds the pipe busy, in one run of a hundred. A retry mends it.
#[test]
fn a_dial_without_a_retry_is_refused_in_some_order() {
    async fn dial() -> io::Result<NamedPipeClient> {
        ClientOptions::new().open(NAME)
    }
    async fn dial_again() -> io::Result<NamedPipeClient> {
        for _ in 0..10 {
            match ClientOptions::new().open(NAME) {
                Err(error) if error.raw_os_error() == BUSY => {}
                result => return result,
            }
            sleep(Duration::from_millis(10)).await;
        }
        ClientOptions::new().open(NAME)
    }
    fn body<F>(dial: fn() -> F) -> impl Fn(Box<dyn npfs::Strategy>)
    where
        F: Future<Output = io::Result<NamedPipeClient>> + Send + 'static,
    {
        move |turns| {
            let sim = Simulation::builder().schedule(turns).build();
            sim.process("app").enter(|| {
                block_on(async {
                    let mut server = ServerOptions::new().create(NAME).expect("an instance");
                    let server = spawn_named("server", async move {
                        let mut accepted = Vec::new();
                        for _ in 0..2 {
                            server.connect().await.expect("a client");
                            let next = ServerOptions::new().create(NAME).expect("the next one");
                            accepted.push(std::mem::replace(&mut server, next));
                        }
                    });
                    let clients = [1, 2].map(|_| spawn_named("client", dial()));
                    for client in clients {
                        client.await.expect("no panic").expect("dialed");
                    }
                    server.await.expect("no panic");
                });
            });
            sim.assert_clean();
        }
    }
    let failure = Explore::new().run(body(dial)).failure.expect("a client is refused");
    assert!(failure.message.contains("231"), "{failure}");
    Explore::new().preemptions(Some(1)).check(body(dial_again));
}

/// Stremio/stremio-shell-ng #62, kache #1107: the first instance as a lock for one program. After a
/// crash the name is denied for a while, and the next start gives up; a few tries with back-off
/// mend it.
#[test]
fn one_program_at_a_time_and_a_crash() {
    async fn start(tries: u32) -> io::Result<NamedPipeServer> {
        let mut pause = Duration::from_millis(50);
        for _ in 1..tries {
            match ServerOptions::new().first_pipe_instance(true).create(NAME) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                result => return result,
            }
            sleep(pause).await;
            pause *= 2;
        }
        ServerOptions::new().first_pipe_instance(true).create(NAME)
    }
    let sim = Simulation::new();
    let (old, reaper, new) = (sim.process("old"), sim.process("reaper"), sim.process("new"));
    let left = old.enter(|| block_on(start(1))).expect("nobody else runs");
    // It hangs while it dies, for 300 ms.
    let dies = reaper.clone().spawn("reaper", move || {
        reaper.sleep(Duration::from_millis(300)).expect("a sleep");
        reaper.terminate(&old).expect("it runs");
    });
    let denied = new.enter(|| block_on(start(1))).expect_err("the old one still has the name");
    assert_eq!(denied.kind(), io::ErrorKind::PermissionDenied);
    let started = new.enter(|| block_on(start(5))).expect("the old one is gone by then");
    assert_eq!(sim.now(), Duration::from_millis(50 + 100 + 200));
    dies.join().expect("no panic");
    drop((started, left));
    sim.assert_clean();
}

/// noctty #78, CodeStory #1383, crashpad #163: a server that disconnects straight after its answer
/// takes the answer back. Waiting until the client has closed mends it.
#[test]
fn an_answer_and_a_disconnect() {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Ends {
        AtOnce,
        AfterTheClient,
    }
    async fn answer(mut server: NamedPipeServer, ends: Ends) -> io::Result<()> {
        server.connect().await?;
        assert_eq!(server.read_u8().await?, b'?');
        server.write_all(b"answer").await?;
        if ends == Ends::AfterTheClient {
            assert_eq!(server.read(&mut [0; 1]).await?, 0);
        }
        server.disconnect()
    }
    let told = |ends: Ends| {
        let sim = Simulation::new();
        let (app, other) = (sim.process("app"), sim.process("other"));
        let server = app.enter(|| ServerOptions::new().create(NAME)).expect("an instance");
        // A client that is no program of tokio: it reads when it comes to it.
        let client = other.clone().spawn("client", move || {
            let pipe = PipeClient::open(&other, NAME)?;
            pipe.send(b"?")?;
            other.sleep(Duration::from_millis(1))?;
            pipe.receive()
        });
        app.enter(|| block_on(answer(server, ends))).expect("the server's side is fine");
        let got = client.join().expect("no panic");
        sim.assert_clean();
        got.map_err(|error| error.win32())
    };
    assert_eq!(told(Ends::AtOnce), Err(233));
    assert_eq!(told(Ends::AfterTheClient), Ok(b"answer".to_vec()));
}

/// yoshuawuyts/miow #30, interprocess #86, habitat #8023: somebody who only looks whether the pipe
/// is there opens and closes it. A server that takes that for a failure never accepts again, or
/// leaks a handle each time.
#[test]
fn somebody_who_only_looks() {
    async fn serve(mut server: NamedPipeServer) -> io::Result<(u32, Vec<u8>)> {
        let mut looked = 0;
        loop {
            server.connect().await?;
            let mut request = Vec::new();
            server.read_to_end(&mut request).await?;
            if !request.is_empty() {
                return Ok((looked, request));
            }
            looked += 1;
            server.disconnect()?;
        }
    }
    let sim = Simulation::new();
    let app = sim.process("app");
    let (looked, request) = app
        .enter(|| {
            block_on(async {
                let server = ServerOptions::new().max_instances(1).create(NAME)?;
                let server = spawn_named("server", serve(server));
                for check in 0..5 {
                    loop {
                        match ClientOptions::new().open(NAME) {
                            Ok(probe) => break drop(probe),
                            Err(error) if error.raw_os_error() == BUSY => {}
                            Err(error) => return Err(error),
                        }
                        sleep(Duration::from_millis(1)).await;
                    }
                    sleep(Duration::from_secs(check)).await;
                }
                let mut client = ClientOptions::new().open(NAME)?;
                client.write_all(b"a request").await?;
                drop(client);
                server.await.expect("no panic")
            })
        })
        .expect("served");
    assert_eq!((looked, &request[..]), (5, &b"a request"[..]));
    sim.assert_clean();
}
