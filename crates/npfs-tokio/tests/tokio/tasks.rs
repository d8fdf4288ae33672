//! The small executor: virtual time, deadlocks, and other threads of the simulation beside it.

use std::time::Duration;

use npfs::{PipeClient, PipeTimeout, Simulation};
use npfs_tokio::net::windows::named_pipe::{ClientOptions, ServerOptions};
use npfs_tokio::task::{block_on, sleep, spawn, spawn_named, yield_now};
use tokio::io::AsyncReadExt;

const NAME: &str = r"\\.\pipe\tasks";

#[test]
fn sleeps_are_virtual_and_end_in_order() {
    let sim = Simulation::new();
    let begin = std::time::Instant::now();
    let order = sim.process("app").enter(|| {
        block_on(async {
            let hour = Duration::from_secs(3_600);
            let tasks = [3, 1, 2].map(|hours| {
                spawn(async move {
                    sleep(hour * hours).await;
                    yield_now().await;
                    hours
                })
            });
            let mut order = Vec::new();
            let (mut first, mut then) = (true, Vec::from(tasks));
            while let Some(task) = then.pop() {
                let hours = task.await.expect("no panic");
                order.push(hours);
                first = false;
            }
            assert!(!first);
            order
        })
    });
    assert_eq!(order, [2, 1, 3]);
    assert_eq!(sim.now(), Duration::from_secs(3 * 3_600));
    assert!(begin.elapsed() < Duration::from_secs(60), "not a second of them was waited");
    sim.assert_clean();
}

/// Two sleeps in one task: the shorter one ends the `select`, the other one is forgotten.
#[test]
fn a_sleep_that_is_dropped_is_forgotten() {
    let sim = Simulation::new();
    sim.process("app").enter(|| {
        block_on(async {
            let server = ServerOptions::new().create(NAME).expect("an instance");
            tokio::select! {
                () = sleep(Duration::from_secs(60)) => panic!("that is longer"),
                () = sleep(Duration::from_secs(1)) => {}
                _ = server.connect() => panic!("nobody comes"),
            }
        });
        block_on(sleep(Duration::from_secs(1)));
    });
    assert_eq!(sim.now(), Duration::from_secs(2));
    sim.assert_clean();
}

#[test]
fn tasks_that_wait_for_each_other_are_a_deadlock_with_a_report() {
    let sim = Simulation::new();
    let process = sim.process("app");
    let ended = process.enter(|| {
        std::panic::catch_unwind(|| {
            block_on(async {
                let mut server = ServerOptions::new().create(NAME).expect("an instance");
                let mut client = ClientOptions::new().open(NAME).expect("a client");
                let reader = spawn_named("reader", async move { server.read_u8().await });
                let other = spawn_named("other", async move { client.read_u8().await });
                let _ = (reader.await, other.await);
            });
        })
    });
    assert!(ended.is_err());
    let deadlock = sim.deadlock().expect("a deadlock");
    assert_eq!(deadlock.waits.len(), 3);
    assert!(deadlock.waits.iter().any(|wait| wait.starts_with("reader waits")), "{deadlock}");
    assert!(deadlock.dump.contains(r"\\.\pipe\tasks"), "{deadlock}");
}

#[test]
fn a_task_that_panics_says_so_where_it_is_awaited() {
    let sim = Simulation::new();
    let error = sim.process("app").enter(|| {
        block_on(async {
            let error = spawn(async { panic!("no {}", "luck") }).await;
            error.map(|()| "nothing").expect_err("it panicked")
        })
    });
    assert_eq!(error.to_string(), "the task panicked: no luck");
    sim.assert_clean();
}

/// A task and a blocking client, which waits for an instance in the same virtual time.
#[test]
fn a_task_beside_a_thread_that_blocks() {
    let sim = Simulation::new();
    let (app, other) = (sim.process("app"), sim.process("other"));
    let first = app.enter(|| ServerOptions::new().max_instances(1).create(NAME)).expect("first");
    let blocking = other.clone().spawn("blocking", move || {
        let busy = PipeClient::open(&other, NAME).expect("it listens");
        other.wait_named_pipe(NAME, PipeTimeout::After(Duration::from_secs(5))).expect("in time");
        let pipe = PipeClient::open(&other, NAME).expect("it listens again");
        drop(busy);
        pipe.send(b"from a thread").expect("sent")
    });
    let text = app.enter(|| {
        block_on(async {
            first.connect().await?;
            sleep(Duration::from_secs(3)).await;
            first.disconnect()?;
            first.connect().await?;
            let mut server = first;
            let mut text = String::new();
            server.read_to_string(&mut text).await?;
            Ok::<_, std::io::Error>(text)
        })
    });
    assert_eq!(text.expect("read"), "from a thread");
    assert_eq!(blocking.join().expect("no panic"), 13);
    assert_eq!(sim.now(), Duration::from_secs(3));
    sim.assert_clean();
}

/// A runtime of tokio waits where the simulation does not see it: outside, so that time passes.
#[test]
fn a_runtime_of_tokio_beside_a_thread_that_blocks() {
    let sim = Simulation::new();
    let (app, other) = (sim.process("app"), sim.process("other"));
    let server = app.enter(|| ServerOptions::new().create(NAME)).expect("an instance");
    let blocking = other.clone().spawn("blocking", move || {
        let pipe = PipeClient::open(&other, NAME).expect("it listens");
        other.sleep(Duration::from_secs(3_600)).expect("an hour");
        pipe.send(b"late").expect("sent");
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let text = sim.outside(|| {
        runtime.block_on(async {
            let mut server = server;
            server.connect().await?;
            let mut text = String::new();
            server.read_to_string(&mut text).await?;
            drop(server);
            Ok::<_, std::io::Error>(text)
        })
    });
    assert_eq!(text.expect("read"), "late");
    blocking.join().expect("no panic");
    assert_eq!(sim.now(), Duration::from_secs(3_600));
    sim.assert_clean();
}
