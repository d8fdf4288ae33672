//! The models. Each names its race and the evidence for its outcomes.

use npfs::abi::Handle;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use npfs::{
    Builder, CompletionPort, Connected, Error, Event, PipeClient, PipeServer, PipeTimeout, Process,
    Received, Signal, Simulation,
};

use crate::engine::Model;

const PATH: &str = r"\\.\pipe\model";

/// A result in a word: what the program saw.
fn told<T>(result: Result<T, Error>, word: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => word(value),
        Err(error) => match error.stopped() {
            Some(npfs::Stopped::Deadlock(_)) => "deadlock".to_owned(),
            Some(_) => "stopped".to_owned(),
            None => error.win32().to_string(),
        },
    }
}

fn connected(result: Result<Connected, Error>) -> String {
    told(result, |how| match how {
        Connected::Now => "now".to_owned(),
        Connected::Before => "before".to_owned(),
    })
}

/// RACE-01: `ConnectNamedPipe` against `CreateFile`.
#[test]
fn connect_and_open() {
    fn body(builder: Builder) -> String {
        let sim = builder.build();
        let (server, client) = (sim.process("server"), sim.process("client"));
        let pipe = PipeServer::create(&server, PATH).expect("an instance");
        let opener = client.clone().spawn("client", move || {
            told(PipeClient::open(&client, PATH).map(keep), |()| "opened".to_owned())
        });
        let connect = connected(pipe.connect());
        keep(pipe);
        format!("connect {connect}, open {}", opener.join().expect("client"))
    }
    Model {
        name: "connect_and_open",
        body,
        outcomes: &["connect before, open opened", "connect now, open opened"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

fn world(builder: Builder) -> (Simulation, Process, Process) {
    let sim = builder.build();
    let (server, client) = (sim.process("server"), sim.process("client"));
    (sim, server, client)
}

fn text(data: Vec<u8>) -> String {
    format!("{:?}", String::from_utf8_lossy(&data))
}

fn received(result: Result<Received, Error>) -> String {
    told(result, |received| text(received.data))
}

fn opened(result: Result<PipeClient, Error>) -> (String, Option<PipeClient>) {
    match result {
        Ok(pipe) => ("opened".to_owned(), Some(pipe)),
        Err(error) => (told(Err::<(), _>(error), |()| String::new()), None),
    }
}

/// An overlapped instance with a client.
fn overlapped_pair(server: &Process, client: &Process) -> (PipeServer, PipeClient) {
    let pipe = PipeServer::options().overlapped(true).create(server, PATH).expect("an instance");
    let other = PipeClient::options().overlapped(true).open(client, PATH).expect("a client");
    (pipe, other)
}

/// RACE-02 (CONNECT-03, tested): a client that is gone before the server's connect leaves 232.
#[test]
fn a_client_gone_before_connect() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let pipe = PipeServer::create(&server, PATH).expect("an instance");
        let visitor = client.clone().spawn("client", move || {
            drop(PipeClient::open(&client, PATH).expect("it listens"));
        });
        let connect = connected(pipe.connect());
        visitor.join().expect("client");
        keep(pipe);
        format!("connect {connect}")
    }
    Model {
        name: "a_client_gone_before_connect",
        body,
        outcomes: &["connect 232", "connect before", "connect now"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-03 (documented): a wait reserves nothing; another client may take the instance.
#[test]
fn a_wait_then_an_open_loses() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        keep(PipeServer::options().max_instances(1).create(&server, PATH).expect("an instance"));
        let process = client.clone();
        let waiter = client.spawn("waiter", move || {
            let wait = process.wait_named_pipe(PATH, PipeTimeout::Default);
            match wait {
                Ok(()) => opened(PipeClient::open(&process, PATH)),
                Err(error) => (format!("wait {}", error.win32()), None),
            }
        });
        let process = client.clone();
        let other = client.spawn("other", move || opened(PipeClient::open(&process, PATH)));
        let (waited, one) = waiter.join().expect("waiter");
        let (other, two) = other.join().expect("other");
        one.into_iter().chain(two).for_each(keep);
        format!("waiter {waited}, other {other}")
    }
    Model {
        name: "a_wait_then_an_open_loses",
        body,
        outcomes: &[
            "waiter 231, other opened",
            "waiter opened, other 231",
            "waiter wait 121, other opened",
        ],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-34 (CANCEL-09, CANCEL-10, tested): a cancel asks; the write may be faster. Never both, never none.
#[test]
fn a_cancel_and_a_completion() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let (pipe, other) = overlapped_pair(&server, &client);
        let read = pipe.begin(Signal::File).read(8).expect("it pends");
        let writer = client.spawn("writer", move || {
            other.begin(Signal::File).write(b"x").expect("it has room");
            other
        });
        let found = read.cancel().expect("the handle is open");
        let other = writer.join().expect("writer");
        let ended = read.try_finish().expect("it has ended either way");
        let left = pipe.peek(0).expect("connected").available;
        keep(pipe);
        keep(other);
        format!("found {found}, read {}, left {left}", received(ended))
    }
    Model {
        name: "a_cancel_and_a_completion",
        body,
        outcomes: &["found false, read \"x\", left 0", "found true, read 995, left 1"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-30 (CLOSE-07, tested): the end closes under a pending read of its own while a client writes.
#[test]
fn a_close_and_a_pending_read() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let (pipe, other) = overlapped_pair(&server, &client);
        let read = pipe.begin(Signal::File).read(8).expect("it pends");
        let writer = client.spawn("writer", move || {
            let write = other.begin(Signal::File).write(b"x");
            keep(other);
            told(write, |_| "written".to_owned())
        });
        drop(pipe);
        let write = writer.join().expect("writer");
        let ended = read.try_finish().expect("nothing pends on a closed end");
        format!("read {}, write {write}", received(ended))
    }
    Model {
        name: "a_close_and_a_pending_read",
        body,
        outcomes: &["read \"x\", write written", "read 109, write 232"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// Disconnects its first client under a pending read and serves the next one. A wrong server takes
/// whatever the old read gives for the next client's request.
fn reuse(builder: Builder, wrong: bool) -> String {
    let (_sim, server, client) = world(builder);
    let (pipe, first) = overlapped_pair(&server, &client);
    let read = pipe.begin(Signal::File).read(8).expect("it pends");
    let process = client.clone();
    let clients = client.spawn("clients", move || {
        let late = told(first.begin(Signal::File).write(b"old"), |_| "written".to_owned());
        keep(first);
        let next = loop {
            match PipeClient::options().overlapped(true).open(&process, PATH) {
                Ok(next) => break next,
                Err(error) if error.win32() == 231 => {
                    process.wait_named_pipe(PATH, PipeTimeout::Forever).expect("it comes back");
                }
                Err(error) => panic!("{error}"),
            }
        };
        next.begin(Signal::File).write(b"new").expect("it is connected");
        keep(next);
        late
    });
    pipe.disconnect().expect("it is connected");
    let old = read.try_finish().expect("a disconnect ends what pends");
    pipe.connect().ok();
    let served = match (wrong, old) {
        (true, Ok(received)) => text(received.data),
        _ => received(pipe.begin(Signal::File).read(8).and_then(|read| match read.try_finish() {
            Ok(ended) => ended,
            Err(read) => read.wait(),
        })),
    };
    clients.join().expect("clients");
    keep(pipe);
    format!("served {served}")
}

/// mio issue 1983 (DISC-03, tested): what pends when its connection ends never reaches the next client.
#[test]
fn a_pending_read_never_reaches_the_next_client() {
    Model {
        name: "a_pending_read_never_reaches_the_next_client",
        body: |builder| reuse(builder, false),
        outcomes: &["served \"new\""],
        preemptions: Some(2),
        missed_by_loom: &[],
    }
    .check();
}

/// The same with the planted bug: the engines find the order that serves the old client's bytes.
#[test]
fn a_stale_read_is_found_where_it_is_planted() {
    Model {
        name: "a_stale_read_is_found_where_it_is_planted",
        body: |builder| reuse(builder, true),
        outcomes: &["served \"new\"", "served \"old\""],
        preemptions: Some(2),
        missed_by_loom: &[],
    }
    .check();
}

/// READ-28, CLOSE-01, tested: two readers, one message: one gets it, the other the end.
#[test]
fn two_readers_and_one_message() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let (pipe, other) = overlapped_pair(&server, &client);
        let pipe = Arc::new(pipe);
        let reader = |name: &str| {
            let pipe = pipe.clone();
            server.spawn(name, move || {
                let read = pipe.begin_read(8);
                received(read.and_then(|read| read.wait()))
            })
        };
        let (one, two) = (reader("one"), reader("two"));
        other.begin(Signal::File).write(b"x").expect("it has room");
        drop(other);
        format!("one {}, two {}", one.join().expect("one"), two.join().expect("two"))
    }
    Model {
        name: "two_readers_and_one_message",
        body,
        outcomes: &["one \"x\", two 109", "one 109, two \"x\""],
        preemptions: Some(2),
        missed_by_loom: &[],
    }
    .check();
}

/// FLUSH-04, FLUSH-08, tested: a flush ends when the reader has read, or when it is gone.
#[test]
fn a_flush_and_a_close() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let pipe = PipeServer::create(&server, PATH).expect("an instance");
        let other = PipeClient::open(&client, PATH).expect("a client");
        other.send(b"x").expect("it has room");
        let reader = server.spawn("reader", move || {
            let read = told(pipe.receive(), text);
            drop(pipe);
            read
        });
        let closer = client.spawn("flusher", move || {
            let flush = told(other.flush_file_buffers(), |()| "ok".to_owned());
            keep(other);
            flush
        });
        let read = reader.join().expect("reader");
        format!("read {read}, flush {}", closer.join().expect("flusher"))
    }
    Model {
        name: "a_flush_and_a_close",
        body,
        outcomes: &["read \"x\", flush ok"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-27 (FLUSH-08, tested): nobody reads; a close in mid-flush ends it with 109.
#[test]
fn a_close_ends_a_flush() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let pipe = PipeServer::create(&server, PATH).expect("an instance");
        let other = PipeClient::open(&client, PATH).expect("a client");
        other.send(b"x").expect("it has room");
        let closer = server.spawn("closer", move || drop(pipe));
        let flush = told(other.flush_file_buffers(), |()| "ok".to_owned());
        closer.join().expect("closer");
        keep(other);
        format!("flush {flush}")
    }
    Model {
        name: "a_close_ends_a_flush",
        body,
        outcomes: &["flush 109", "flush ok"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-39, mio issue 1954 (IOCP-01, tested): the packet can be taken before the issuing thread goes on.
#[test]
fn a_packet_before_the_issuer_goes_on() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let (pipe, other) = overlapped_pair(&server, &client);
        let port = CompletionPort::new(&server, 0).expect("a port");
        port.bind(&pipe, 1).expect("bound");
        other.begin(Signal::File).write(b"x").expect("it has room");
        let order = Arc::new(Mutex::new(Vec::new()));
        let log = order.clone();
        let worker = server.spawn("worker", move || {
            port.next(None).expect("asked").expect("a packet");
            log.lock().expect("log").push("packet");
            let _ = port.handle();
            std::mem::forget(port);
        });
        pipe.begin(Signal::File).read(8).expect("it ends at once");
        // Whatever the issuer does next may come later.
        server.sleep(Duration::ZERO).expect("slept");
        order.lock().expect("log").push("issuer");
        worker.join().expect("worker");
        keep(pipe);
        keep(other);
        order.lock().expect("log").join(", ")
    }
    Model {
        name: "a_packet_before_the_issuer_goes_on",
        body,
        outcomes: &["issuer, packet", "packet, issuer"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-44 (documented): one completion, one auto-reset event, two waits: one of them wakes.
#[test]
fn an_event_and_two_waits() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let (pipe, other) = overlapped_pair(&server, &client);
        let event = Arc::new(Event::auto(&server).expect("an event"));
        let read = pipe.begin(Signal::Event(&event)).read(8).expect("it pends");
        let again = event.clone();
        let waiter = server
            .spawn("waiter", move || again.wait_for(Duration::from_millis(5)).expect("waited"));
        let writer = client.spawn("writer", move || {
            other.begin(Signal::File).write(b"x").expect("it has room");
            keep(other);
        });
        let main = event.wait_for(Duration::from_millis(5)).expect("waited");
        let waiter = waiter.join().expect("waiter");
        writer.join().expect("writer");
        drop(read);
        keep(pipe);
        std::mem::forget(event);
        format!("main {main}, waiter {waiter}")
    }
    Model {
        name: "an_event_and_two_waits",
        body,
        outcomes: &["main false, waiter true", "main true, waiter false"],
        preemptions: Some(2),
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-18 (SYNC-01, chosen): a synchronous handle, a reader and a writer: whoever locks first.
#[test]
fn a_deadlock_on_one_synchronous_handle() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let pipe = PipeServer::create(&server, PATH).expect("an instance");
        let end = Arc::new(PipeClient::open(&client, PATH).expect("a client"));
        let writing = end.clone();
        let writer =
            client.spawn("writer", move || told(writing.send(b"x"), |_| "written".to_owned()));
        let answerer = server.spawn("server", move || {
            let answer = pipe.receive().and_then(|request| pipe.send(&request));
            keep(pipe);
            told(answer, |_| "answered".to_owned())
        });
        let read = told(end.receive(), text);
        let (write, answer) = (writer.join().expect("writer"), answerer.join().expect("server"));
        std::mem::forget(end);
        format!("read {read}, write {write}, server {answer}")
    }
    Model {
        name: "a_deadlock_on_one_synchronous_handle",
        body,
        outcomes: &[
            "read \"x\", write written, server answered",
            "read deadlock, write deadlock, server deadlock",
        ],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-09 (WAIT-11, tested): a time-out against the instance that comes back; time is a step of a thread.
#[test]
fn a_time_out_and_an_arrival() {
    fn body(builder: Builder) -> String {
        let sim = Arc::new(builder.manual_time().build());
        let (server, client) = (sim.process("server"), sim.process("client"));
        let pipe = PipeServer::options().max_instances(1).create(&server, PATH).expect("one");
        keep(PipeClient::open(&client, PATH).expect("a client"));
        let process = client.clone();
        let waiter = client.spawn("waiter", move || {
            let wait = process.wait_named_pipe(PATH, PipeTimeout::After(Duration::from_millis(1)));
            told(wait, |()| "listens".to_owned())
        });
        let clock = {
            let sim = sim.clone();
            server.spawn("clock", move || sim.advance_to_next())
        };
        pipe.disconnect().expect("it is connected");
        let back = pipe.begin(Signal::File).connect();
        drop(back);
        let passed = clock.join().expect("clock");
        let wait = waiter.join().expect("waiter");
        keep(pipe);
        format!("wait {wait}, time passed {passed}")
    }
    Model {
        name: "a_time_out_and_an_arrival",
        body,
        outcomes: &["wait 121, time passed true", "wait listens, time passed false"],
        preemptions: Some(2),
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-03, its second order (documented): one instance, two clients: one gets it, the other 231.
#[test]
fn two_clients_and_one_instance() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        keep(PipeServer::options().max_instances(1).create(&server, PATH).expect("an instance"));
        let process = client.clone();
        let other = client.spawn("other", move || opened(PipeClient::open(&process, PATH)));
        let (one, first) = opened(PipeClient::open(&client, PATH));
        let (two, second) = other.join().expect("other");
        first.into_iter().chain(second).for_each(keep);
        format!("one {one}, two {two}")
    }
    Model {
        name: "two_clients_and_one_instance",
        body,
        outcomes: &["one 231, two opened", "one opened, two 231"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-26 (DISC-02, tested): a disconnect throws away what the client has not read.
#[test]
fn a_disconnect_loses_data() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let pipe = PipeServer::create(&server, PATH).expect("an instance");
        let other = PipeClient::open(&client, PATH).expect("a client");
        pipe.send(b"x").expect("it has room");
        let reader = client.spawn("client", move || {
            let read = told(other.receive(), text);
            keep(other);
            read
        });
        pipe.disconnect().expect("it is connected");
        let read = reader.join().expect("client");
        keep(pipe);
        format!("read {read}")
    }
    Model {
        name: "a_disconnect_loses_data",
        body,
        outcomes: &["read \"x\"", "read 233"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// RACE-08 (reported): two copies of a server that both want to be the first instance.
#[test]
fn two_servers_that_want_to_be_first() {
    fn body(builder: Builder) -> String {
        let (_sim, server, client) = world(builder);
        let create = |process: &Process| {
            let options = PipeServer::options().first_instance(true);
            told(options.create(process, PATH).map(keep), |()| "first".to_owned())
        };
        let other = client.clone().spawn("other", move || create(&client));
        let one = create(&server);
        format!("one {one}, other {}", other.join().expect("other"))
    }
    Model {
        name: "two_servers_that_want_to_be_first",
        body,
        outcomes: &["one 5, other first", "one first, other 5"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// The handle stays open to the end of the run: its close is no step of the model.
fn keep(end: impl IntoEnd) {
    let _: Handle = end.into_end().into_handle().into_value();
}

trait IntoEnd {
    fn into_end(self) -> npfs::PipeEnd;
}

impl IntoEnd for PipeServer {
    fn into_end(self) -> npfs::PipeEnd {
        PipeServer::into_end(self)
    }
}

impl IntoEnd for PipeClient {
    fn into_end(self) -> npfs::PipeEnd {
        PipeClient::into_end(self)
    }
}
