//! Virtual time, time by hand, wall time.

use std::time::Duration;

use npfs::{
    CompletionPort, Event, Fault, FaultEffect, FaultPoint, PipeClient, PipeServer, PipeTimeout,
    Simulation, Status,
};

const PATH: &str = r"\\.\pipe\time";
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn an_hour_of_waiting_takes_no_time() {
    let sim = Simulation::new();
    let process = sim.process("only");
    process.sleep(HOUR).expect("slept");
    let event = Event::auto(&process).expect("an event");
    assert!(!event.wait_for(HOUR).expect("waited"));
    let port = CompletionPort::new(&process, 1).expect("a port");
    assert!(port.next(Some(HOUR)).expect("asked").is_none());
    let _busy = PipeServer::create(&process, PATH).expect("an instance");
    let _client = PipeClient::open(&process, PATH).expect("a client");
    let wait = process.wait_named_pipe(PATH, PipeTimeout::After(HOUR));
    assert_eq!(wait.expect_err("nobody listens").status(), Status::IO_TIMEOUT);
    assert_eq!(sim.now(), 4 * HOUR);
}

#[test]
fn time_passes_only_when_every_thread_sleeps() {
    let sim = Simulation::new();
    let process = sim.process("two");
    let late = process.clone();
    let sleeper = process.spawn("sleeper", move || late.sleep(HOUR));
    let sooner = process.clone();
    let other = process.spawn("other", move || {
        for _ in 0..60 {
            sooner.sleep(Duration::from_secs(60))?;
        }
        Ok::<_, npfs::Error>(())
    });
    other.join().expect("no panic").expect("slept");
    sleeper.join().expect("no panic").expect("slept");
    assert_eq!(sim.now(), HOUR);
}

#[test]
fn time_by_hand() {
    let sim = Simulation::builder().manual_time().build();
    let process = sim.process("one");
    let (sender, receiver) = std::sync::mpsc::channel();
    let events = sim.events();
    let inside = process.clone();
    let sleeper = process.spawn("sleeper", move || {
        inside.sleep(HOUR)?;
        sender.send(()).expect("somebody listens");
        Ok::<_, npfs::Error>(())
    });
    // It sleeps once its call is seen.
    while !matches!(events.recv(), Ok(npfs::host::Event::Call { .. })) {}
    sim.advance(HOUR / 2);
    assert!(receiver.try_recv().is_err());
    assert_eq!(sim.now(), HOUR / 2);
    assert!(sim.advance_to_next());
    sleeper.join().expect("no panic").expect("slept");
    assert!(receiver.try_recv().is_ok());
    assert_eq!(sim.now(), HOUR);
    assert!(!sim.advance_to_next());
}

#[test]
fn wall_time_passes_by_itself() {
    let sim = Simulation::builder().wall_time().build();
    let process = sim.process("one");
    let _busy = PipeServer::create(&process, PATH).expect("an instance");
    let _client = PipeClient::open(&process, PATH).expect("a client");
    // As many wake-ups as there are deadlines, and none early.
    for milliseconds in [1, 2, 3] {
        let before = sim.now();
        let span = Duration::from_millis(milliseconds);
        let wait = process.wait_named_pipe(PATH, PipeTimeout::After(span));
        assert_eq!(wait.expect_err("nobody listens").win32(), 121);
        assert!(sim.now() - before >= span);
    }
    sim.advance(HOUR);
    assert!(sim.now() < HOUR, "wall time is not moved by hand");
}

#[test]
fn a_late_end_is_told_late() {
    let fault = Fault {
        point: FaultPoint::Read,
        pipe: None,
        nth: 1,
        effect: FaultEffect::Late(npfs::abi::Time::from_millis(250)),
    };
    let sim = Simulation::builder().fault(fault).build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let options = PipeServer::options().overlapped(true);
    let server = options.create(&server, PATH).expect("an instance");
    let client = PipeClient::open(&client, PATH).expect("a client");
    let read = server.begin_read(8).expect("begun");
    client.send(b"x").expect("sent");
    assert!(!read.is_done());
    assert_eq!(read.wait().expect("read").data, b"x");
    assert_eq!(sim.now(), Duration::from_millis(250));
}
