//! Threads: known and unknown ones, turns, ends, and a simulation that goes away.

use std::sync::mpsc;
use std::time::Duration;

use npfs::{
    Event, PipeClient, PipeServer, PipeTimeout, Process, Schedule, Simulation, Stopped, Turns,
};

const PATH: &str = r"\\.\pipe\threads";

#[test]
fn two_simulations_do_not_see_each_other() {
    let (one, two) = (Simulation::new(), Simulation::new());
    let (first, second) = (one.process("same"), two.process("same"));
    let _pipe = PipeServer::options().first_instance(true).create(&first, PATH).expect("the first");
    let _other =
        PipeServer::options().first_instance(true).create(&second, PATH).expect("the first");
    assert_eq!(first.pipes("*").expect("listed").len(), 1);
    first.sleep(Duration::from_secs(1)).expect("slept");
    assert_eq!(two.now(), Duration::ZERO);
}

#[test]
fn dropping_a_simulation_wakes_who_sleeps_in_it() {
    let sim = Simulation::new();
    let process = sim.process("one");
    let events = sim.events();
    let inside = process.clone();
    let sleeper = process.spawn("sleeper", move || Event::auto(&inside)?.wait());
    let wait = |event: &npfs::host::Event| {
        matches!(
            event,
            npfs::host::Event::Call { call: npfs::abi::Call::WaitForObjects { .. }, .. }
        )
    };
    while !wait(&events.recv().expect("it lives")) {}
    drop(sim);
    assert!(events.recv().is_err(), "the stream ends");
    let error = sleeper.join().expect("no panic").expect_err("it has stopped");
    assert_eq!(error.stopped(), Some(&Stopped::Dropped));
    assert_eq!(error.kind(), std::io::ErrorKind::Other);
    assert!(error.to_string().contains("was dropped"), "{error}");
}

#[test]
fn a_thread_that_nobody_announced_is_refused() {
    let sim = Simulation::new();
    let process = sim.process("one");
    let stranger = std::thread::spawn(move || process.sleep(Duration::ZERO));
    let error = stranger.join().expect("no panic").expect_err("unknown");
    assert_eq!(error.stopped(), Some(&Stopped::UnknownThread));
    assert!(error.to_string().contains("Process::spawn"), "{error}");
}

#[test]
fn an_announced_thread_of_a_scope() {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let thread = client.announce("client");
    sim.outside(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| thread.run(|| PipeClient::open(&client, PATH)?.send(b"hi")));
        });
    });
    assert_eq!(pipe.receive().expect("received"), b"hi");
    // An announcement that nobody uses is no thread to wait for.
    drop(client.announce("nobody"));
    assert_eq!(pipe.receive().expect_err("gone").win32(), 109);
}

#[test]
fn any_thread_may_call_if_that_is_wanted() {
    let sim = Simulation::builder().any_thread().deadlocks_fail().build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let writer = std::thread::spawn(move || {
        let pipe = PipeClient::open(&client, PATH)?;
        pipe.send(b"hi")?;
        Ok::<_, npfs::Error>(pipe)
    });
    pipe.connect().expect("connected");
    assert_eq!(pipe.receive().expect("received"), b"hi");
    drop(writer.join().expect("no panic").expect("sent"));
    assert_eq!(pipe.receive().expect_err("gone").win32(), 109);
    let error = Event::auto(&server).expect("an event").wait().expect_err("nobody comes");
    assert!(matches!(error.stopped(), Some(Stopped::Deadlock(_))));
}

#[test]
fn a_thread_that_ends_takes_its_requests_along() {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::options().overlapped(true).create(&server, PATH).expect("an instance");
    let _client = PipeClient::open(&client, PATH).expect("a client");
    let (pipe, read) = server
        .spawn("reader", move || {
            let read = pipe.begin_read(8).expect("begun");
            (pipe, read)
        })
        .join()
        .expect("no panic");
    // CANCEL-29
    assert_eq!(read.wait().expect_err("cancelled").win32(), 995);
    drop(pipe);
}

#[test]
fn a_terminated_process_does_not_wake_up() {
    let sim = Simulation::new();
    let (one, other) = (sim.process("one"), sim.process("other"));
    let events = sim.events();
    let inside = other.clone();
    let sleeper = other.spawn("sleeper", move || inside.sleep(Duration::from_secs(9)));
    let sleep = |event: &npfs::host::Event| {
        matches!(event, npfs::host::Event::Call { call: npfs::abi::Call::Sleep { .. }, .. })
    };
    while !sleep(&events.recv().expect("it lives")) {}
    one.terminate(&other).expect("terminated");
    let error = sleeper.join().expect("no panic").expect_err("it was ended");
    assert_eq!(error.stopped(), Some(&Stopped::Terminated));
    assert_eq!(one.terminate(&other).expect_err("it is over").win32(), 6);
}

#[test]
fn a_panic_in_a_thread_closes_its_handles() {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let clumsy = client.clone().spawn("clumsy", move || {
        let pipe = PipeClient::open(&client, PATH).expect("a client");
        pipe.send(b"oh").expect("sent");
        panic!("on purpose");
    });
    assert!(clumsy.join().is_err());
    assert_eq!(pipe.receive().expect("received"), b"oh");
    assert_eq!(pipe.receive().expect_err("gone").win32(), 109);
}

#[test]
fn the_current_process_is_the_one_entered_last() {
    assert!(Process::current().is_none());
    let sim = Simulation::new();
    let (one, two) = (sim.process("one"), sim.process("two"));
    one.enter(|| {
        assert_eq!(Process::current().expect("entered").id(), one.id());
        two.enter(|| assert_eq!(Process::current().expect("entered").id(), two.id()));
        assert_eq!(Process::current().expect("entered").name(), "one");
    });
    assert!(Process::current().is_none());
    let inside = two.spawn("thread", || Process::current().map(|process| process.name()));
    assert_eq!(inside.join().expect("no panic").as_deref(), Some("two"));
}

/// Two clients for one instance: who gets it depends on the turns alone.
fn contest(schedule: Schedule) -> (String, Turns) {
    let sim = Simulation::builder().schedule(schedule).build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let (sender, results) = mpsc::channel();
    let clients: Vec<_> = ["ann", "bob"]
        .map(|name| {
            let (client, sender) = (client.clone(), sender.clone());
            client.clone().spawn(name, move || {
                let wait = client.wait_named_pipe(PATH, PipeTimeout::Default);
                let result = wait.and_then(|()| PipeClient::open(&client, PATH));
                let word = match &result {
                    Ok(_) => "opened".to_owned(),
                    Err(error) => error.win32().to_string(),
                };
                sender.send(format!("{name} {word}")).expect("somebody listens");
                result.ok()
            })
        })
        .into();
    let ends: Vec<_> = clients.into_iter().map(|one| one.join().expect("no panic")).collect();
    drop((ends, pipe, sender));
    (results.iter().collect::<Vec<_>>().join(", "), sim.turns())
}

#[test]
fn turns_make_a_run_repeatable() {
    let (first, turns) = contest(Schedule::RoundRobin);
    assert_eq!(first, "ann opened, bob 231");
    assert_eq!(contest(Schedule::RoundRobin), (first, turns.clone()));
    let runs: Vec<_> = (0..20).map(|seed| contest(Schedule::Random(seed))).collect();
    let of_bob = runs.iter().find(|(outcome, _)| outcome.starts_with("bob opened"));
    let (outcome, turns) = of_bob.expect("some seed lets bob win");
    // The printed turns are the schedule to paste back.
    let text = turns.to_string();
    let again = contest(Schedule::Replay(text.parse().expect("turns")));
    assert_eq!(again, (outcome.clone(), turns.clone()));
    let seed = runs.iter().position(|run| run.0 == *outcome).expect("the seed") as u64;
    assert_eq!(contest(Schedule::Random(seed)).0, *outcome);
}

#[test]
fn every_order_is_tried_once() {
    let mut seen = std::collections::BTreeSet::new();
    let runs = npfs::host::schedule::every_order(|order| {
        let sim = Simulation::builder().schedule(order).build();
        let process = sim.process("p");
        let threads: Vec<_> = ["a", "b"]
            .map(|name| {
                let process = process.clone();
                process.clone().spawn(name, move || {
                    for _ in 0..3 {
                        process.sleep(Duration::ZERO).expect("slept");
                    }
                })
            })
            .into();
        threads.into_iter().for_each(|one| one.join().expect("no panic"));
        seen.insert(sim.turns().to_string());
    });
    // Three calls each: 6 choose 3.
    assert_eq!((runs, seen.len()), (20, 20), "{seen:#?}");
}
