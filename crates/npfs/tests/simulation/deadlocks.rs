//! When nobody can go on, that is said at once.

use npfs::{Event, PipeClient, PipeServer, Simulation, Stopped};

const PATH: &str = r"\\.\pipe\stuck";

#[test]
fn two_ends_that_both_read_wait_for_each_other() {
    let sim = Simulation::builder().deadlocks_fail().build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let reader = client.clone().spawn("client", move || {
        let pipe = PipeClient::open(&client, PATH)?;
        pipe.receive()
    });
    let server_side = server.spawn("server", move || {
        pipe.connect()?;
        pipe.receive()
    });
    for thread in [reader, server_side] {
        let error = thread.join().expect("no panic").expect_err("a deadlock");
        let Some(Stopped::Deadlock(deadlock)) = error.stopped() else { panic!("{error}") };
        assert_eq!(
            deadlock.waits,
            [
                r"main waits for the end of client",
                r"client waits in read on the client end of \\.\pipe\stuck: only main or server can end it",
                r"server waits in read on the server end of \\.\pipe\stuck: only client can end it",
            ]
        );
        let cycle = deadlock.cycle.as_ref().expect("a cycle");
        assert_eq!(cycle, &["client", "server", "client"]);
        assert!(deadlock.dump.contains(r"pipe \\.\pipe\stuck byte duplex"));
    }
    assert!(sim.deadlock().is_some());
}

#[test]
fn a_thread_that_plays_both_ends_waits_for_itself() {
    let sim = Simulation::builder().deadlocks_fail().build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let _client = PipeClient::open(&client, PATH).expect("a client");
    let error = pipe.receive().expect_err("nobody writes");
    let text = error.to_string();
    let line =
        r"main@server waits in read on the server end of \\.\pipe\stuck: only main can end it";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("cycle: main -> main"), "{text}");
}

#[test]
fn a_deadlock_panics_by_default_and_is_reported_once() {
    let sim = Simulation::new();
    let process = sim.process("one");
    let waiter = |name: &str| {
        let process = process.clone();
        process.clone().spawn(name, move || Event::auto(&process)?.wait())
    };
    let panics: Vec<String> = [waiter("first"), waiter("second")]
        .into_iter()
        .map(|thread| {
            let panic = thread.join().expect_err("it panics");
            panic.downcast::<String>().map(|text| *text).unwrap_or_else(|other| {
                let text = other.downcast::<&str>().expect("a text");
                (*text).to_owned()
            })
        })
        .collect();
    let reports = panics.iter().filter(|text| text.starts_with("deadlock: no thread can go on"));
    assert_eq!(reports.count(), 1, "{panics:?}");
    assert!(panics.iter().any(|text| text.contains("another thread reports")), "{panics:?}");
}

#[test]
fn nobody_moves_time_that_is_moved_by_hand() {
    let sim = Simulation::builder().deadlocks_fail().manual_time().build();
    let process = sim.process("one");
    let error = process.sleep(std::time::Duration::from_secs(1)).expect_err("a deadlock");
    assert!(
        error.to_string().contains("main@one waits for time to pass: only the clock"),
        "{error}"
    );
}

#[test]
fn a_call_after_the_stop_fails_at_once() {
    let sim = Simulation::builder().deadlocks_fail().build();
    let process = sim.process("one");
    let event = Event::auto(&process).expect("an event");
    event.wait().expect_err("a deadlock");
    let error = event.set().expect_err("it has stopped");
    assert!(matches!(error.stopped(), Some(Stopped::Deadlock(_))));
}
