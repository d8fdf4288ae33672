//! Any run as a trace and as a transcript.

use std::time::Duration;

use npfs::{
    CompletionPort, Event, PipeClient, PipeServer, PipeTimeout, Schedule, Signal, Simulation,
};

const PATH: &str = r"\\.\pipe\told";

fn story() -> Simulation {
    let sim = Simulation::builder().recording().schedule(Schedule::RunToBlock).build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let options = PipeServer::options().overlapped(true).message_mode().max_instances(1);
    let pipe = options.create(&server, PATH).expect("an instance");
    let port = CompletionPort::new(&server, 1).expect("a port");
    port.bind(&pipe, 7).expect("bound");
    let serving = server.clone().spawn("worker", move || {
        pipe.connect().expect("connected");
        let read = pipe.begin(Signal::File).read(3).expect("begun");
        let packet = port.next(None).expect("asked");
        assert!(packet.is_some());
        read.wait().expect("a part");
        server.sleep(Duration::from_micros(1500)).expect("slept");
        drop(pipe);
    });
    let busy = client.clone().spawn("caller", move || {
        let pipe = PipeClient::options().message_mode().open(&client, PATH).expect("a client");
        pipe.send(b"hello").expect("sent");
        let wait = client.wait_named_pipe(PATH, PipeTimeout::After(Duration::from_millis(1)));
        assert_eq!(wait.expect_err("busy").win32(), 121);
        let done = Event::manual(&client).expect("an event");
        done.set().expect("set");
        pipe.receive().expect_err("nothing comes");
    });
    serving.join().expect("no panic");
    busy.join().expect("no panic");
    sim
}

#[test]
fn a_transcript_is_a_snapshot_in_one_line() {
    npfs::assert_transcript!(story());
}

#[test]
fn a_recording_is_a_trace_that_the_model_explains() {
    let sim = story();
    let trace = sim.trace().expect("recorded");
    let text = trace.write();
    let read = npfs::record::Trace::parse(&text).expect("it reads");
    assert_eq!(read.write(), text);
    let checked = npfs::record::check(&read);
    assert_eq!(checked.difference, None);
    assert!(checked.events > 30 && checked.not_checked == 0);
    let log = sim.log().expect("recorded");
    assert_eq!(log.replay().expect("it comes again"), sim.kernel());

    // A trace that says something else is refused.
    let wrong = text.replacen(r#""txt":"hel""#, r#""txt":"hex""#, 1);
    assert_ne!(wrong, text);
    let trace = npfs::record::Trace::parse(&wrong).expect("it reads");
    let difference = npfs::record::check(&trace).difference.expect("a difference");
    assert_eq!(
        (difference.model.as_str(), difference.recorded.as_str()),
        ("data=\"hel\"", "data=\"hex\"")
    );
}

#[test]
fn a_log_that_a_kernel_does_not_give_diverges() {
    let mut log = story().log().expect("recorded");
    let call = log.events.iter().rposition(|event| matches!(event, npfs::host::Event::Call { .. }));
    let at = call.expect("a call");
    if let npfs::host::Event::Call { outcome, .. } = &mut log.events[at] {
        *outcome = npfs::abi::Outcome::Done(npfs::abi::Reply::status(npfs::Status::PIPE_BUSY));
    }
    let divergence = log.replay().expect_err("it differs");
    assert_eq!(divergence.at, at);
    assert!(divergence.to_string().contains("PIPE_BUSY"), "{divergence}");
}

#[test]
fn who_and_how_is_in_the_trace() {
    let sim = Simulation::builder()
        .recording()
        .profile(npfs::Profile::documented())
        .fault(npfs::Fault {
            point: npfs::FaultPoint::Read,
            pipe: None,
            nth: 1,
            effect: npfs::FaultEffect::Fail(npfs::Status::ACCESS_DENIED),
        })
        .build();
    let server = sim.process("server");
    let client = sim.remote_process("client", "FAR");
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let remote = PipeClient::open(&client, r"\\SERVER\pipe\told").expect("a client");
    assert_eq!(pipe.receive().expect_err("planned").win32(), 5);
    drop(remote);
    let trace = sim.trace().expect("recorded");
    let again = npfs::record::Trace::parse(&trace.write()).expect("it reads");
    assert_eq!(npfs::record::check(&again).difference, None);
    let model = again.header.model.expect("a model");
    assert_eq!(model.identities.len(), 1);
    assert_eq!(model.faults.len(), 1);
}

#[test]
#[should_panic(expected = "line 5: wanted ACCESS_DENIED (5), found ok")]
fn a_scenario_must_be_as_it_expects() {
    npfs::record::scenario("thread t\n\n\n\nt: create_pipe \\\\.\\pipe\\told -> ACCESS_DENIED\n");
}

#[test]
fn a_recorded_trace_is_still_explained() {
    let text = story().trace().expect("recorded").write();
    npfs::record::assert_explained(&text);
    npfs::record::assert_explained(&format!("{text}{text}"));
    // With the row of a table that knows the difference.
    let wrong = text.replacen(r#""txt":"hel""#, r#""txt":"hex""#, 1);
    let row = r#"{"rule":"READ-00","op":"read","model":"data=*","recorded":"data=*","ends":false,"reason":"a test"}"#;
    npfs::record::assert_explained_but(&wrong, row);
}

#[test]
#[should_panic(expected = r#"read: wanted data="hel", found data="hex""#)]
fn a_trace_that_says_otherwise_is_not() {
    let text = story().trace().expect("recorded").write();
    npfs::record::assert_explained(&text.replacen(r#""txt":"hel""#, r#""txt":"hex""#, 1));
}

#[test]
#[should_panic(expected = "open: wanted PIPE_NOT_AVAILABLE (231), found ok")]
fn two_clients_on_one_instance_are_explained_by_no_order() {
    let planted = include_str!("../../../../fixtures/impossible/two-clients-on-one-instance.jsonl");
    npfs::record::assert_explained(planted);
}
