//! What real threads over the kernel cost: a ping-pong, a whole test, and a cold build. Contestants
//! take turns in one run. `-- --test` runs everything once and builds nothing.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use npfs::{PipeClient, PipeServer, Simulation};
use npfs_bench::{medians, row};

const PATH: &str = r"\\.\pipe\bench";
const MESSAGE: [u8; 64] = [b'x'; 64];

/// The server's thread sends everything back until the client goes.
struct Pipes {
    _sim: Simulation,
    client: PipeClient,
}

impl Pipes {
    fn new() -> Pipes {
        let sim = Simulation::new();
        let (server, client) = (sim.process("server"), sim.process("client"));
        let pipe = PipeServer::create(&server, PATH).expect("an instance");
        let echo = move || {
            let mut bytes = [0; 64];
            while let Ok(part) = pipe.read_message(&mut bytes) {
                pipe.send(&bytes[..part.bytes]).expect("the client waits");
            }
        };
        // Before the echo begins, or its first read would find nobody.
        let client = PipeClient::open(&client, PATH).expect("a client");
        server.spawn("echo", echo);
        Pipes { _sim: sim, client }
    }

    fn turn(&mut self) {
        let mut bytes = [0; 64];
        self.client.send(&MESSAGE).expect("sent");
        self.client.read_message(&mut bytes).expect("received");
        black_box(bytes);
    }
}

#[cfg(unix)]
mod sockets {
    use super::MESSAGE;
    use std::hint::black_box;
    use std::io::{Read, Write};
    use std::os::unix::net::{UnixListener, UnixStream};

    pub fn echo_pair() -> UnixStream {
        let (mut near, far) = UnixStream::pair().expect("a pair of sockets");
        std::thread::spawn(move || {
            let mut bytes = [0; 64];
            while near.read_exact(&mut bytes).is_ok() {
                near.write_all(&bytes).expect("the other end waits");
            }
        });
        far
    }

    pub fn turn(socket: &mut UnixStream) {
        let mut bytes = [0; 64];
        socket.write_all(&MESSAGE).expect("sent");
        socket.read_exact(&mut bytes).expect("received");
        black_box(bytes);
    }

    /// Two threads over a listener, from nothing to nothing.
    pub fn whole_test(folder: &std::path::Path) {
        let path = folder.join("socket");
        let listener = UnixListener::bind(&path).expect("a listener");
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a client");
            let mut bytes = [0; 64];
            socket.read_exact(&mut bytes).expect("received");
            socket.write_all(&bytes).expect("sent");
        });
        let client = {
            let path = path.clone();
            std::thread::spawn(move || turn(&mut UnixStream::connect(path).expect("a server")))
        };
        server.join().expect("no panic");
        client.join().expect("no panic");
        std::fs::remove_file(path).expect("the socket's file");
    }
}

/// The same through two channels.
struct Channels {
    to: crossbeam_channel::Sender<[u8; 64]>,
    from: crossbeam_channel::Receiver<[u8; 64]>,
}

impl Channels {
    fn new() -> Channels {
        let (to, near) = crossbeam_channel::unbounded::<[u8; 64]>();
        let (back, from) = crossbeam_channel::unbounded();
        std::thread::spawn(move || near.iter().try_for_each(|bytes| back.send(bytes)));
        Channels { to, from }
    }

    fn turn(&mut self) {
        self.to.send(MESSAGE).expect("sent");
        black_box(self.from.recv().expect("received"));
    }
}

/// A test of a user: a simulation, two threads, one exchange, nothing left.
fn whole_test() {
    let sim = Simulation::new();
    let (server, client) = (sim.process("server"), sim.process("client"));
    let pipe = PipeServer::create(&server, PATH).expect("an instance");
    let server = server.spawn("server", move || {
        pipe.connect().expect("connected");
        let mut bytes = [0; 64];
        let part = pipe.read_message(&mut bytes).expect("received");
        pipe.send(&bytes[..part.bytes]).expect("sent");
        pipe.flush_file_buffers().expect("read");
    });
    let client = client.clone().spawn("client", move || {
        let pipe = PipeClient::open(&client, PATH).expect("a client");
        pipe.send(&MESSAGE).expect("sent");
        let mut bytes = [0; 64];
        pipe.read_message(&mut bytes).expect("received");
        black_box(bytes);
    });
    server.join().expect("no panic");
    client.join().expect("no panic");
    sim.assert_clean();
}

fn ping_pong(rounds: usize, turns: u32) {
    let mut pipes = Pipes::new();
    let mut channels = Channels::new();
    #[cfg(unix)]
    let mut socket = sockets::echo_pair();
    let times = medians(
        rounds,
        turns,
        &mut [
            &mut || pipes.turn(),
            &mut || channels.turn(),
            #[cfg(unix)]
            &mut || sockets::turn(&mut socket),
        ],
    );
    row("host, there and back between two threads", format!("{:.0} ns", times[0]), "", None);
    let ratio = times[0] / times[1];
    row("host / a pair of crossbeam channels", format!("{ratio:.2}"), "", None);
    if let Some(socket) = times.get(2) {
        let ratio = times[0] / socket;
        row("host / socket pair", format!("{ratio:.2}"), "<= 1.00", Some(ratio <= 1.0));
    }
}

fn whole(rounds: usize, turns: u32) {
    #[cfg(unix)]
    let folder = tempfile::tempdir().expect("a folder");
    let times = medians(
        rounds,
        turns,
        &mut [
            &mut whole_test,
            #[cfg(unix)]
            &mut || sockets::whole_test(folder.path()),
        ],
    );
    row("a whole test with two threads", format!("{:.1} us", times[0] / 1e3), "", None);
    if let Some(socket) = times.get(1) {
        let ratio = times[0] / socket;
        row(
            "whole test / two threads over a listener",
            format!("{ratio:.2}"),
            "<= 1.00",
            Some(ratio <= 1.0),
        );
    }
}

/// A project that depends on `dependency` alone: seconds for a cold build, and the crates that
/// are not of this workspace.
fn cold_build(dependency: &str) -> Option<(f64, usize)> {
    let folder = tempfile::tempdir().ok()?;
    std::fs::create_dir(folder.path().join("src")).ok()?;
    std::fs::write(folder.path().join("src/lib.rs"), "").ok()?;
    let manifest = format!(
        "[package]\nname = \"cold\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{dependency}\n"
    );
    std::fs::write(folder.path().join("Cargo.toml"), manifest).ok()?;
    let cargo = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(folder.path())
            // As crates from a registry are built.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", folder.path().join("target"))
            .output()
            .ok()?;
        output.status.success().then_some(output.stdout)
    };
    cargo(&["fetch", "-q"])?;
    let tree =
        String::from_utf8(cargo(&["tree", "-q", "--prefix", "none", "-e", "normal"])?).ok()?;
    let mut crates: Vec<&str> = tree
        .lines()
        .filter(|line| !line.contains('(') && !line.is_empty())
        .map(|line| line.split(' ').next().unwrap_or_default())
        .collect();
    crates.sort_unstable();
    crates.dedup();
    let start = Instant::now();
    cargo(&["build", "-q", "--offline"])?;
    Some((start.elapsed().as_secs_f64(), crates.len()))
}

fn builds() {
    let npfs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../npfs");
    let ours = cold_build(&format!("npfs = {{ path = {npfs:?} }}"));
    let tokio = r#"tokio = { version = "1", default-features = false, features = ["net"] }"#;
    let (Some((ours, crates)), Some((tokio, others))) = (ours, cold_build(tokio)) else {
        row("cold builds", "cargo could not".to_owned(), "", None);
        return;
    };
    row("crates of npfs from outside the workspace", crates.to_string(), "<= 5", Some(crates <= 5));
    row("cold build of npfs", format!("{ours:.1} s"), "", None);
    row("cold build of tokio with net", format!("{tokio:.1} s, {others}"), "", None);
    let ratio = ours / tokio;
    row(
        "cold build of npfs / of tokio with net",
        format!("{ratio:.2}"),
        "<= 1.00",
        Some(ratio <= 1.0),
    );
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let (rounds, turns) = if once { (1, 1) } else { (101, 100) };
    println!("{:<58} {:>14}  {:<12}", "64 bytes over real threads", "", "target");
    ping_pong(rounds, turns);
    whole(rounds, if once { 1 } else { 20 });
    if !once {
        builds();
    }
}
