//! What each part of the API does, on one thread where that is enough.

use std::io::{Read, Write};
use std::time::Duration;

use npfs::{
    Access, CompletionPort, Configuration, Connected, Event, PacketSource, PipeClient, PipeEnd,
    PipeServer, PipeState, PipeTimeout, Process, ReadMode, Signal, Simulation, Status,
};

const PATH: &str = r"\\.\pipe\api";

struct Pair {
    sim: Simulation,
    server: Process,
    client: Process,
}

fn pair() -> Pair {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    Pair { sim, server, client }
}

fn connected() -> (Pair, PipeServer, PipeClient) {
    let pair = pair();
    let options = PipeServer::options().overlapped(true).message_mode();
    let server = options.create(&pair.server, PATH).expect("an instance");
    let options = PipeClient::options().overlapped(true).message_mode();
    let client = options.open(&pair.client, PATH).expect("a client");
    assert_eq!(server.connect().expect("a client is there"), Connected::Before);
    (pair, server, client)
}

#[test]
fn bytes_go_through_std_traits() {
    let pair = pair();
    let mut server = PipeServer::create(&pair.server, PATH).expect("an instance");
    let mut client = PipeClient::open(&pair.client, PATH).expect("a client");
    client.write_all(b"hello ").expect("written");
    client.write_all(b"world").expect("written");
    drop(client);
    let mut text = String::new();
    assert_eq!(server.read_to_string(&mut text).expect("read to the end"), 11);
    assert_eq!(text, "hello world");
    let error = server.write_all(b"x").expect_err("the client is gone");
    assert_eq!(npfs::win32_code(&error), Some(232));
    drop(server);
    pair.sim.assert_clean();
}

/// READ-09: the count of bytes is not lost when the buffer is too small for the message.
#[test]
fn a_long_message_tells_that_it_goes_on() {
    let (_pair, server, client) = connected();
    client.send(b"hello").expect("sent");
    client.send(b"").expect("sent");
    let mut buffer = [0; 3];
    let part = server.read_message(&mut buffer).expect("a part");
    assert_eq!((&buffer[..part.bytes], part.more), (&b"hel"[..], true));
    let part = server.read_message(&mut buffer).expect("the rest");
    assert_eq!((&buffer[..part.bytes], part.more), (&b"lo"[..], false));
    let part = server.read_message(&mut buffer).expect("an empty message");
    assert_eq!((part.bytes, part.more), (0, false));
}

#[test]
fn a_message_of_any_length_is_received_whole() {
    let (_pair, server, client) = connected();
    let write = client.begin_write(&[7; 9000]).expect("begun");
    assert_eq!(server.receive().expect("received"), vec![7; 9000]);
    assert_eq!(write.wait().expect("written"), 9000);
}

#[test]
fn peek_transact_and_call() {
    let (pair, server, client) = connected();
    client.send(b"hello").expect("sent");
    client.send(b"you").expect("sent");
    let peek = server.peek(2).expect("peeked");
    assert_eq!((&*peek.data, peek.available, peek.left), (&b"he"[..], 8, 3));
    server.receive().expect("received");
    server.receive().expect("received");

    let answerer = pair.server.spawn("answerer", move || {
        let request = server.receive()?;
        server.send(&[request.as_slice(), b"!"].concat())?;
        Ok::<_, npfs::Error>(server)
    });
    let reply = client.transact(b"ping", 64).expect("answered");
    assert_eq!((reply.data.as_slice(), reply.more), (&b"ping!"[..], false));
    let server = answerer.join().expect("no panic").expect("no error");
    drop(client);

    server.disconnect().expect("disconnected");
    let answerer = pair.server.spawn("answerer", move || {
        server.connect()?;
        let request = server.receive()?;
        server.send(&[request.as_slice(), b"?"].concat())?;
        server.flush_file_buffers()
    });
    let reply = pair.client.call_named_pipe(PATH, b"ping", 64, PipeTimeout::Forever);
    assert_eq!(reply.expect("answered").data, b"ping?");
    answerer.join().expect("no panic").expect("flushed");
    pair.sim.assert_clean();
}

#[test]
fn operations_are_waited_for_and_cancelled() {
    let (_pair, server, client) = connected();
    let read = server.begin_read(64).expect("begun");
    assert!(!read.is_done());
    let read = read.try_finish().expect_err("it goes on");
    let read = read.wait_for(Duration::from_millis(5)).expect_err("it goes on");
    client.send(b"now").expect("sent");
    assert_eq!(read.wait().expect("read").data, b"now");

    let read = server.begin_read(64).expect("begun");
    assert!(read.cancel().expect("asked"));
    assert!(!read.cancel().expect("asked"), "it has ended");
    assert_eq!(read.wait().expect_err("cancelled").status(), Status::CANCELLED);

    let reads = [server.begin_read(64).expect("begun"), server.begin_read(64).expect("begun")];
    assert!(server.cancel_all().expect("asked"));
    assert!(!server.cancel_all().expect("asked"), "nothing is left");
    for read in reads {
        assert_eq!(read.wait().expect_err("cancelled").win32(), 995);
    }
    let read = server.begin_read(64).expect("begun");
    server.cancel_own().expect("asked");
    assert_eq!(read.wait().expect_err("cancelled").win32(), 995);

    // It ends in its own call.
    client.send(b"before").expect("sent");
    let read = server.begin_read(64).expect("begun");
    assert!(read.is_done() && read.request().is_none());
    assert_eq!(read.wait().expect("read").data, b"before");
}

#[test]
fn an_overlapped_connect_ends_when_a_client_comes() {
    let pair = pair();
    let options = PipeServer::options().overlapped(true);
    let server = options.create(&pair.server, PATH).expect("an instance");
    let connect = server.begin_connect().expect("begun");
    let client = PipeClient::open(&pair.client, PATH).expect("a client");
    assert_eq!(connect.wait().expect("connected"), Connected::Now);
    let error = server.begin_connect().expect_err("a client is there");
    assert_eq!(error.win32(), 535);
    drop(client);
    assert_eq!(server.connect().expect_err("it is gone").win32(), 232);
}

#[test]
fn events_and_waits() {
    let (pair, server, client) = connected();
    let (first, second) = (Event::manual(&pair.server), Event::auto(&pair.server));
    let (first, second) = (first.expect("an event"), second.expect("an event"));
    let read = server.begin(Signal::Event(&second)).read(64).expect("begun");
    let moment = Some(Duration::ZERO);
    assert_eq!(pair.server.wait_any(&[&first, &second], moment).expect("waited"), None);
    client.send(b"x").expect("sent");
    assert_eq!(pair.server.wait_any(&[&first, &second], moment).expect("waited"), Some(1));
    assert_eq!(pair.server.wait_any(&[&first, &second], moment).expect("waited"), None);
    assert_eq!(read.wait_for(Duration::ZERO).expect("over").expect("read").data, b"x");
    first.set().expect("set");
    assert!(!pair.server.wait_all(&[&first, &second], moment).expect("waited"));
    second.set().expect("set");
    assert!(pair.server.wait_all(&[&first, &second], moment).expect("waited"));
    first.reset().expect("reset");
    assert!(!first.wait_for(Duration::ZERO).expect("waited"));
    let none = pair.server.wait_any(&[], None).expect_err("nothing to wait for");
    assert_eq!(none.win32(), 87);
}

#[test]
fn packets_of_a_completion_port() {
    let (pair, server, client) = connected();
    let port = CompletionPort::new(&pair.server, 0).expect("a port");
    port.bind(&server, 42).expect("bound");
    assert_eq!(port.bind(&server, 43).expect_err("it is bound").win32(), 87);
    let read = server.begin(Signal::File).read(2).expect("begun");
    assert!(port.next(Some(Duration::ZERO)).expect("asked").is_none());
    client.send(b"long").expect("sent");
    let packet = port.next(None).expect("asked").expect("a packet");
    assert_eq!((packet.key, packet.information), (42, 2));
    assert_eq!(packet.status, Status::BUFFER_OVERFLOW, "IOCP-02: a warning sends a packet too");
    assert_eq!(Some(packet.source), read.request().map(PacketSource::Request));
    let read = read.wait().expect("a part");
    assert_eq!((read.data.as_slice(), read.more), (&b"lo"[..], true));
    port.post(1, 2, 3).expect("posted");
    let packets = port.take(5, None).expect("asked");
    assert_eq!(packets.len(), 1);
    assert_eq!(packets[0].source, PacketSource::Posted(3));
    // IOCP-05, IOCP-01: without OVERLAPPED there is no packet, with it there is, even at once.
    server.receive().expect("the rest");
    client.send(b"x").expect("sent");
    server.begin(Signal::File).read(2).expect("read at once");
    assert_eq!(port.take(5, None).expect("asked").len(), 1);
    port.skip_on_success(&server).expect("set");
    client.send(b"x").expect("sent");
    server.begin(Signal::File).read(2).expect("read at once");
    assert!(port.next(Some(Duration::ZERO)).expect("asked").is_none());
}

#[test]
fn info_state_and_ids() {
    let (pair, server, client) = connected();
    let info = client.info().expect("asked");
    assert_eq!((info.max_instances, info.in_buffer, info.out_buffer), (255, 4096, 4096));
    let state = server.state().expect("asked");
    assert_eq!((state.read_mode, state.instances), (ReadMode::Message, 1));
    client.set_state(ReadMode::Byte, true).expect("set");
    assert_eq!(client.read_message(&mut [0; 4]).expect_err("nothing is there").win32(), 232);
    let local = server.local_info().expect("asked");
    assert_eq!((local.state, local.write_quota_available), (PipeState::Connected, 4096));
    assert_eq!(server.client_process_id().expect("asked"), pair.client.id().0);
    assert_eq!(client.server_process_id().expect("asked"), pair.server.id().0);
    server.disconnect().expect("disconnected");
    assert_eq!(client.send(b"x").expect_err("cast off").win32(), 233);
}

/// IMP-01: not before something was read; until the guard is dropped.
#[test]
fn a_server_acts_as_its_client() {
    let (pair, server, client) = connected();
    assert_eq!(server.impersonate().expect_err("nothing was read").win32(), 1368);
    client.send(b"x").expect("sent");
    server.receive().expect("received");
    let guard = server.impersonate().expect("impersonated");
    assert!(pair.server.token().expect("asked").level.is_some());
    drop(guard);
    assert!(pair.server.token().expect("asked").level.is_none());
}

#[test]
fn listing_probing_and_anonymous_pipes() {
    let pair = pair();
    let server = PipeServer::create(&pair.server, PATH).expect("an instance");
    assert_eq!(pair.client.pipes("*").expect("listed"), ["api"]);
    assert_eq!(pair.client.pipes("b*").expect_err("none").win32(), 2);
    pair.client.probe(PATH).expect("it is there");
    // OPEN-19: the probe was a client, and is gone.
    assert_eq!(server.connect().expect_err("it is gone").win32(), 232);
    assert_eq!(pair.client.probe(PATH).expect_err("nobody listens").win32(), 231);

    let (mut read, mut write) = pair.client.create_pipe(0).expect("a pipe");
    write.write_all(b"within").expect("written");
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).expect("read");
    assert_eq!(text, "within");
}

#[test]
fn options_reach_the_kernel() {
    let pair = pair();
    let options = PipeServer::options()
        .direction(Configuration::Inbound)
        .first_instance(true)
        .max_instances(1)
        .in_buffer(10)
        .out_buffer(20)
        .default_timeout(Duration::from_millis(7));
    let server = options.create(&pair.server, PATH).expect("an instance");
    let again = options.create(&pair.server, PATH).expect_err("not the first");
    // clients.md 1.4, 25: the limit of instances is looked at first.
    assert_eq!(again.win32(), 231);
    let error = PipeClient::open(&pair.client, PATH).expect_err("only inbound");
    assert_eq!(error.win32(), 5);
    let client = PipeClient::options().read(false).open(&pair.client, PATH).expect("a writer");
    assert_eq!(client.read_message(&mut [0; 4]).expect_err("no right").win32(), 5);
    let info = server.info().expect("asked");
    assert_eq!((info.in_buffer, info.out_buffer, info.max_instances), (10, 20, 1));
    let before = pair.sim.now();
    let wait = pair.client.wait_named_pipe(PATH, PipeTimeout::Default);
    assert_eq!(wait.expect_err("nobody listens").win32(), 121);
    assert_eq!(pair.sim.now() - before, Duration::from_millis(7));
    let bad = PipeServer::create(&pair.server, r"\\.\pipe\").expect_err("no name");
    assert_eq!(bad.win32(), 123);
    let mut raw = PipeClient::options().access(Access::SYNCHRONIZE);
    raw.arguments().inherit = true;
    drop(server);
    assert_eq!(raw.open(&pair.client, PATH).expect_err("no pipe").win32(), 2);
}

/// HANDLE-01: a duplicate keeps the end open, in this process or another.
#[test]
fn an_end_is_open_until_its_last_handle_closes() {
    let (pair, server, client) = connected();
    let again = client.try_clone().expect("a duplicate");
    let elsewhere = again.handle().duplicate_to(&pair.server).expect("a duplicate");
    drop(client);
    drop(again);
    let end = PipeEnd::from_handle(elsewhere);
    end.send(b"still here").expect("sent");
    assert_eq!(server.receive().expect("received"), b"still here");
    drop(end);
    assert_eq!(server.receive().expect_err("gone").win32(), 109);
}

#[test]
fn what_is_left_over_is_told() {
    let (pair, server, client) = connected();
    let value = client.into_end().into_handle().into_value();
    drop(server);
    let leaks = pair.sim.leaks();
    assert!(leaks.iter().any(|leak| leak.contains(&format!("holds {value}"))), "{leaks:?}");
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pair.sim.assert_clean()));
    assert!(told.is_err());
    pair.server.terminate(&pair.client).expect("terminated");
    pair.sim.assert_clean();
    assert!(pair.sim.dump().contains("process p2 exited"));
}
