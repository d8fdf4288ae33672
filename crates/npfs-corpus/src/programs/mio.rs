//! Programs over the public interface of mio, as its users write them.

use std::io::{ErrorKind, Read, Write};
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::mio::windows::NamedPipe;
use super::mio::{Events, Interest, Poll, Token};
use crate::peer::{self, Peer};
use crate::stage::{tell, Program, Stage, Symptom};
use crate::surface::std::os::windows::io::FromRawHandle;

pub const PROGRAMS: &[Program] = &[
    Program { name: "long-message", run: long_message },
    Program { name: "connect-elsewhere", run: connect_elsewhere },
    Program { name: "next-client", run: next_client },
    Program { name: "unread", run: unread },
    Program { name: "connect-aborted", run: connect_aborted },
    Program { name: "short-visit", run: short_visit },
    Program { name: "reader-leaves", run: reader_leaves },
    Program { name: "drop-while-writing", run: drop_while_writing },
    Program { name: "connect-unregistered", run: connect_unregistered },
    Program { name: "deregister", run: deregister },
];

const PIPE: Token = Token(7);

/// Something that is dropped by hand: while a panic unwinds, its destructor could panic too.
struct Held<T>(ManuallyDrop<T>);

impl<T> Held<T> {
    fn new(value: T) -> Held<T> {
        Held(ManuallyDrop::new(value))
    }

    fn drop(self) {
        drop(ManuallyDrop::into_inner(self.0));
    }
}

impl<T> Deref for Held<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

fn new_poll() -> Held<Poll> {
    Held::new(Poll::new().unwrap())
}

fn new_pipe() -> Held<NamedPipe> {
    Held::new(NamedPipe::new(peer::NAME).unwrap())
}

/// A pipe that is full after 16 bytes.
fn small_pipe() -> Held<NamedPipe> {
    // SAFETY: the handle is open, and nobody else closes it.
    Held::new(unsafe { NamedPipe::from_raw_handle(peer::instance(false, 16)) })
}

fn wrong(what: String) {
    tell(Symptom::Wrong(what));
}

fn register(poll: &Poll, pipe: &mut NamedPipe) {
    poll.registry().register(pipe, PIPE, Interest::READABLE | Interest::WRITABLE).unwrap();
}

/// Waits for a client.
fn connect(poll: &mut Poll, pipe: &NamedPipe) {
    match pipe.connect() {
        Ok(()) => return,
        Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
    }
    let mut events = Events::with_capacity(8);
    loop {
        poll.poll(&mut events, None).unwrap();
        if events.iter().any(|event| event.token() == PIPE && event.is_writable()) {
            return;
        }
    }
}

/// Reads until `length` bytes are there or the other end has gone.
fn read_up_to(poll: &mut Poll, pipe: &mut NamedPipe, length: usize) -> Result<Vec<u8>, Vec<u8>> {
    let mut events = Events::with_capacity(8);
    let (mut all, mut buffer) = (Vec::new(), [0; 8192]);
    while all.len() < length {
        match pipe.read(&mut buffer) {
            Ok(0) => return Err(all),
            Ok(read) => all.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll.poll(&mut events, None).unwrap();
            }
            Err(error) => {
                let code = error.raw_os_error().unwrap_or(0);
                wrong(format!("error {code} in place of data, {} bytes read", all.len()));
                return Ok(all);
            }
        }
    }
    Ok(all)
}

/// One message of 9000 bytes; the client stays until it is answered.
fn long_message(stage: &Stage) {
    const LENGTH: usize = 9000;
    let message = || (0..LENGTH).map(|place| (place % 251) as u8).collect::<Vec<_>>();
    let handle = stage.in_server(|| peer::instance(true, 65536).addr());
    stage.server("server", move || {
        let mut poll = new_poll();
        // SAFETY: the handle is open, and nobody else closes it.
        let mut pipe = Held::new(unsafe {
            NamedPipe::from_raw_handle(std::ptr::without_provenance_mut(handle))
        });
        register(&poll, &mut pipe);
        connect(&mut poll, &pipe);
        match read_up_to(&mut poll, &mut pipe, LENGTH) {
            Ok(all) if all == message() => {}
            Ok(all) => wrong(format!("{} bytes that are not those sent", all.len())),
            Err(all) => wrong(format!("end of file after {} bytes of a client that is there", all.len())),
        }
        pipe.write_all(b"k").unwrap();
        pipe.drop();
        poll.drop();
    });
    stage.client("client", move || {
        let peer = Peer::open();
        peer.write(&message());
        peer.read_byte();
    });
}

/// One thread connects, another has the event loop; the client writes and stays.
fn connect_elsewhere(stage: &Stage) {
    let (mut poll, pipe) = stage.in_server(|| {
        let poll = new_poll();
        let mut pipe = new_pipe();
        register(&poll, &mut pipe);
        (poll, pipe)
    });
    let (connected, done) = (stage.signal(), stage.signal());
    let (told, wait_done) = (connected.clone(), done.clone());
    stage.server("poll", move || {
        let mut events = Events::with_capacity(8);
        while !events.iter().any(|event| event.is_readable()) {
            poll.poll(&mut events, None).unwrap();
        }
        told.set();
        poll.drop();
    });
    stage.server("server", move || {
        let _ = pipe.connect();
        connected.wait();
        pipe.drop();
        done.set();
    });
    stage.client("client", move || {
        let peer = Peer::open();
        peer.write(b"hello");
        wait_done.wait();
        drop(peer);
    });
}

/// Two clients, one after the other, at one instance.
fn next_client(stage: &Stage) {
    const MESSAGES: [&[u8]; 2] = [b"first", b"second"];
    let mut pipe = stage.in_server(new_pipe);
    stage.server("server", move || {
        let mut poll = new_poll();
        register(&poll, &mut pipe);
        for message in MESSAGES {
            connect(&mut poll, &pipe);
            let (Ok(all) | Err(all)) = read_up_to(&mut poll, &mut pipe, message.len() + 1);
            if all != message {
                wrong(format!(
                    "{:?} was sent, {:?} was read",
                    String::from_utf8_lossy(message),
                    String::from_utf8_lossy(&all)
                ));
                break;
            }
            pipe.disconnect().unwrap();
        }
        pipe.drop();
        poll.drop();
    });
    stage.client("client", || {
        for message in MESSAGES {
            Peer::open().write(message);
        }
    });
}

/// A client whose message nobody reads, and the next one.
fn unread(stage: &Stage) {
    let mut pipe = stage.in_server(new_pipe);
    let next = stage.signal();
    let wait_next = next.clone();
    stage.server("server", move || {
        let mut poll = new_poll();
        register(&poll, &mut pipe);
        connect(&mut poll, &pipe);
        let mut events = Events::with_capacity(8);
        while !events.iter().any(|event| event.is_readable()) {
            poll.poll(&mut events, None).unwrap();
        }
        pipe.disconnect().unwrap();
        next.set();
        connect(&mut poll, &pipe);
        let (Ok(all) | Err(all)) = read_up_to(&mut poll, &mut pipe, 6);
        if all.starts_with(b"first") {
            wrong("the next client's data begins with the last one's".to_owned());
        }
        pipe.drop();
        poll.drop();
    });
    stage.client("client", move || {
        let first = Peer::open();
        first.write(b"first");
        wait_next.wait();
        drop(first);
        Peer::open().write(b"second");
    });
}

/// A connect that a disconnect ends, and one that finds a client.
fn connect_aborted(stage: &Stage) {
    let mut pipe = stage.in_server(new_pipe);
    let next = stage.signal();
    let wait_next = next.clone();
    stage.server("server", move || {
        let mut poll = new_poll();
        register(&poll, &mut pipe);
        let _ = pipe.connect();
        pipe.disconnect().unwrap();
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        next.set();
        connect(&mut poll, &pipe);
        if let Some(error) = pipe.take_error().unwrap() {
            let code = error.raw_os_error().unwrap_or(0);
            wrong(format!("error {code} of a connect that found its client"));
        }
        pipe.drop();
        poll.drop();
    });
    stage.client("client", move || {
        wait_next.wait();
        drop(Peer::open());
    });
}

/// A client that comes and goes.
fn short_visit(stage: &Stage) {
    let mut pipe = stage.in_server(new_pipe);
    stage.server("server", move || {
        let mut poll = new_poll();
        register(&poll, &mut pipe);
        connect(&mut poll, &pipe);
        let _ = read_up_to(&mut poll, &mut pipe, 1);
        // What is left on the way.
        poll.poll(&mut Events::with_capacity(8), Some(Duration::ZERO)).unwrap();
        pipe.drop();
        poll.drop();
    });
    stage.client("client", || drop(Peer::open()));
}

/// A client that goes while the server writes more than fits.
fn reader_leaves(stage: &Stage) {
    let mut pipe = stage.in_server(small_pipe);
    stage.server("server", move || {
        let mut poll = new_poll();
        register(&poll, &mut pipe);
        connect(&mut poll, &pipe);
        let _ = pipe.write(&[1; 64]);
        let _ = read_up_to(&mut poll, &mut pipe, 1);
        poll.poll(&mut Events::with_capacity(8), Some(Duration::ZERO)).unwrap();
        pipe.drop();
        poll.drop();
    });
    stage.client("client", || drop(Peer::open()));
}

/// Pipe and event loop are dropped while a write waits for its reader.
fn drop_while_writing(stage: &Stage) {
    let mut pipe = stage.in_server(small_pipe);
    let dropped = stage.signal();
    let told = dropped.clone();
    stage.server("server", move || {
        let mut poll = new_poll();
        register(&poll, &mut pipe);
        connect(&mut poll, &pipe);
        let _ = pipe.write(&[1; 64]);
        pipe.drop();
        poll.drop();
        told.set();
    });
    stage.client("client", move || {
        let peer = Peer::open();
        dropped.wait();
        drop(peer);
    });
}

/// A pipe that was never registered is connected and dropped.
fn connect_unregistered(stage: &Stage) {
    stage.server("server", || {
        let pipe = new_pipe();
        let _ = pipe.connect();
        pipe.drop();
    });
}

/// A pipe is deregistered while its event waits to be taken.
fn deregister(stage: &Stage) {
    let mut pipe = stage.in_server(new_pipe);
    let (opened, done) = (stage.signal(), stage.signal());
    let (tell_opened, wait_done) = (opened.clone(), done.clone());
    stage.server("server", move || {
        let mut poll = new_poll();
        register(&poll, &mut pipe);
        opened.wait();
        pipe.connect().unwrap();
        poll.registry().deregister(&mut *pipe).unwrap();
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        if events.iter().any(|event| event.token() == PIPE) {
            wrong("event of a pipe that is not registered".to_owned());
        }
        pipe.drop();
        poll.drop();
        done.set();
    });
    stage.client("client", move || {
        let peer = Peer::open();
        tell_opened.set();
        wait_done.wait();
        drop(peer);
    });
}
