//! Tasks over the shim as models of loom:
//! `RUSTFLAGS="--cfg loom" cargo test --release -p npfs-tokio`. tokio's own named pipes do not exist
//! there.
#![cfg(loom)]

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use npfs::Simulation;
use npfs_tokio::net::windows::named_pipe::{ClientOptions, ServerOptions};
use npfs_tokio::task::{block_on, spawn_named};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAME: &str = r"\\.\pipe\model";

/// Runs `body` in every execution and gives the outcomes.
fn outcomes(
    name: &str,
    preemptions: usize,
    body: impl Fn() -> String + Send + Sync + 'static,
) -> Vec<String> {
    let seen = Arc::new(Mutex::new(BTreeMap::<String, u64>::new()));
    let inside = seen.clone();
    let mut loom = loom::model::Builder::new();
    loom.preemption_bound = Some(preemptions);
    loom.max_branches = 10_000;
    loom.check(move || {
        let sim = Simulation::builder().deadlocks_fail().build();
        let outcome = sim.process("app").enter(&body);
        sim.assert_clean();
        *inside.lock().expect("seen").entry(outcome).or_default() += 1;
    });
    let seen = seen.lock().expect("seen");
    let mut table = format!("{name}: {} executions\n", seen.values().sum::<u64>());
    for (outcome, count) in seen.iter() {
        table += &format!("  {count:>8}  {outcome}\n");
    }
    // Written past the runner, which would keep it for failures.
    let _ = io::stdout().write_all(table.as_bytes());
    seen.keys().cloned().collect()
}

fn word<T>(result: io::Result<T>, word: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => word(value),
        Err(error) => match npfs_tokio::win32_code(&error) {
            Some(code) => code.to_string(),
            None => error.to_string(),
        },
    }
}

/// Two tasks, a message there and one back: no execution loses a wake, a byte or a handle.
#[test]
fn two_tasks_talk() {
    let seen = outcomes("two_tasks_talk", 3, || {
        block_on(async {
            let mut server = ServerOptions::new().create(NAME).expect("an instance");
            let client = spawn_named("client", async {
                let mut client = ClientOptions::new().open(NAME)?;
                client.write_u8(1).await?;
                client.read_u8().await
            });
            let talk = async {
                server.connect().await?;
                let got = server.read_u8().await?;
                server.write_u8(got + 1).await?;
                Ok::<_, io::Error>(got)
            };
            let got = word(talk.await, |byte| byte.to_string());
            let answer = word(client.await.expect("no panic"), |byte| byte.to_string());
            format!("server {got}, client {answer}")
        })
    });
    assert_eq!(seen, ["server 1, client 2"]);
}

/// The planted accept race: who makes the next instance only after the last one was let go.
fn accept(in_time: bool) -> impl Fn() -> String {
    move || {
        block_on(async move {
            let first = ServerOptions::new().create(NAME).expect("an instance");
            let client = spawn_named("client", async {
                let one = ClientOptions::new().open(NAME).map(drop);
                let two = ClientOptions::new().open(NAME).map(drop);
                (one, two)
            });
            first.connect().await.expect("a client");
            let second = if in_time {
                let second = ServerOptions::new().create(NAME);
                drop(first);
                second
            } else {
                drop(first);
                ServerOptions::new().create(NAME)
            };
            let (one, two) = client.await.expect("no panic");
            drop(second);
            let opened = |()| "opened".to_owned();
            format!("{}, {}", word(one, opened), word(two, opened))
        })
    }
}

#[test]
fn an_instance_that_comes_too_late() {
    let seen = outcomes("an_instance_that_comes_too_late", 2, accept(false));
    assert_eq!(seen, ["opened, 2", "opened, 231", "opened, opened"]);
}

#[test]
fn an_instance_that_comes_in_time() {
    let seen = outcomes("an_instance_that_comes_in_time", 2, accept(true));
    assert_eq!(seen, ["opened, 231", "opened, opened"]);
}

/// A disconnect against a write: the client learns it at once or not at all, and the next client
/// gets nothing of the first one.
#[test]
fn a_disconnect_against_a_write() {
    let seen = outcomes("a_disconnect_against_a_write", 2, || {
        block_on(async {
            let mut server = ServerOptions::new().create(NAME).expect("an instance");
            let mut client = ClientOptions::new().open(NAME).expect("it listens");
            server.connect().await.expect("a client");
            let writer = spawn_named("writer", async move { client.write_all(b"old").await });
            server.disconnect().expect("it is connected");
            let written = word(writer.await.expect("no panic"), |()| "written".to_owned());
            let (connected, next) = tokio::join!(server.connect(), async {
                let mut next = ClientOptions::new().open(NAME)?;
                next.write_all(b"new").await?;
                Ok::<_, io::Error>(next)
            });
            connected.expect("the next client");
            let _next = next.expect("the next client");
            let mut got = [0; 8];
            let length = server.read(&mut got).await.expect("its bytes");
            format!("{written}, then {}", String::from_utf8_lossy(&got[..length]))
        })
    });
    assert_eq!(seen, ["233, then new", "written, then new"]);
}
