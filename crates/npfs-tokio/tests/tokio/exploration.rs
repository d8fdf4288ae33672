//! Tasks in every order of their steps: a planted accept race is found, printed, run again, and
//! gone when it is mended.

use std::io;
use std::time::Duration;

use npfs::{Simulation, Strategy};
use npfs_tokio::explore::{Explore, replay};
use npfs_tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions};
use npfs_tokio::task::{block_on, sleep, spawn_named};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = r"\\.\pipe\explored";

/// Runs `work` as the main task of one process, with these turns.
fn world<T>(turns: Box<dyn Strategy>, work: impl Future<Output = T>) -> T {
    let sim = Simulation::builder().schedule(turns).build();
    let result = sim.process("app").enter(|| block_on(work));
    sim.assert_clean();
    result
}

async fn talk(mut pipe: NamedPipeServer) -> io::Result<()> {
    pipe.read_u8().await.map(|_| ())
}

/// When a server makes the instance that the next client will find.
#[derive(Clone, Copy)]
enum Next {
    BeforeHandOver,
    AfterHandOver,
}

async fn serve(mut listening: NamedPipeServer, clients: usize, next: Next) -> io::Result<()> {
    let mut talks = Vec::new();
    for _ in 0..clients {
        listening.connect().await?;
        listening = match next {
            Next::BeforeHandOver => {
                let fresh = ServerOptions::new().create(NAME)?;
                talks.push(spawn_named("talk", talk(listening)));
                fresh
            }
            Next::AfterHandOver => {
                talks.push(spawn_named("talk", talk(listening)));
                ServerOptions::new().create(NAME)?
            }
        };
    }
    for one in talks {
        one.await.expect("no panic")?;
    }
    Ok(())
}

async fn client() -> io::Result<()> {
    let mut pipe = loop {
        match ClientOptions::new().open(NAME) {
            Ok(pipe) => break pipe,
            Err(error) if error.raw_os_error() == Some(231) => {
                sleep(Duration::from_millis(50)).await
            }
            Err(error) => return Err(error),
        }
    };
    pipe.write_u8(7).await
}

fn body(next: Next) -> impl Fn(Box<dyn Strategy>) {
    move |turns| {
        world(turns, async {
            // The first instance exists before any client, as the documentation wants it.
            let first = ServerOptions::new().first_pipe_instance(true).create(NAME).expect("first");
            let server = spawn_named("server", serve(first, 2, next));
            let clients = [spawn_named("client", client()), spawn_named("client", client())];
            for one in clients {
                one.await.expect("no panic").expect("a client is served");
            }
            server.await.expect("no panic").expect("the server serves");
        });
    }
}

#[test]
fn an_instance_that_comes_too_late_is_found() {
    let found = Explore::new().run(body(Next::AfterHandOver));
    let failure = found.failure.expect("an order in which a client finds no pipe");
    println!("order {}: {failure}", found.runs);
    assert!(failure.message.contains("ERROR_FILE_NOT_FOUND"), "{}", failure.message);
    let page = include_str!("../../../../docs/tokio.md");
    let shown = format!("order {}: a client is served", found.runs);
    assert!(page.contains(&shown) && page.contains(&failure.turns), "the page shows this order");

    // The printed schedule alone brings it back, and always the same.
    for _ in 0..3 {
        let again = std::panic::catch_unwind(|| {
            replay(&failure.turns, |turns| body(Next::AfterHandOver)(turns)).expect("turns");
        });
        let panic = again.expect_err("it fails again");
        let text = panic.downcast_ref::<String>().expect("words");
        assert_eq!(*text, failure.message);
    }
    // And the mended server passes that very schedule.
    replay(&failure.turns, |turns| body(Next::BeforeHandOver)(turns)).expect("turns");
}

#[test]
fn an_instance_that_comes_in_time_serves_every_client_in_every_order() {
    let runs = Explore::new().preemptions(Some(1)).check(body(Next::BeforeHandOver));
    println!("{runs} orders with up to 1 preemption");
    assert!(runs > 1_000);
}

/// The halves of `tokio::io::split` share a lock of std, which a task holds while it polls. No order
/// waits for it.
#[test]
fn halves_of_a_split_in_two_tasks() {
    let runs = Explore::new().preemptions(None).check(|turns| {
        world(turns, async {
            let mut server = ServerOptions::new().create(NAME).expect("an instance");
            let client = ClientOptions::new().open(NAME).expect("it listens");
            let (mut read, mut write) = tokio::io::split(client);
            let reader = spawn_named("reader", async move { read.read_u8().await });
            let writer = spawn_named("writer", async move {
                write.write_u8(1).await?;
                write.write_u8(2).await
            });
            server.connect().await.expect("a client");
            let mut got = [0; 2];
            server.read_exact(&mut got).await.expect("two bytes");
            server.write_u8(got[0] + got[1]).await.expect("written");
            writer.await.expect("no panic").expect("written");
            assert_eq!(reader.await.expect("no panic").expect("read"), 3);
        });
    });
    assert!(runs > 50, "{runs}");
}
