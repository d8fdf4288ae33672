//! What the kernel costs, as ratios measured in one run: machines are noisy, so contestants take
//! turns and only their relation counts. `cargo bench -p npfs-bench` prints the table;
//! `-- --test` runs everything once.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Waker};

use npfs_abi::{
    Call, Completion, CreateFile, CreateNamedPipe, Data, Delivery, Handle, NtCreateNamedPipeFile,
    Outcome, ThreadId,
};
use npfs_bench::{medians, row};
use npfs_kernel::Kernel;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const SERVER: ThreadId = ThreadId(1);
const CLIENT: ThreadId = ThreadId(2);
const END: Handle = Handle(4);
const MESSAGE: [u8; 64] = [b'x'; 64];

/// A kernel with one connected pair, overlapped, and `others` instances that listen.
fn connected(others: u32) -> Kernel {
    let mut kernel = Kernel::new();
    for _ in 0..2 {
        let process = kernel.create_process(true);
        kernel.create_thread(process);
    }
    let mut caused = Vec::new();
    let path = "\\\\.\\pipe\\bench";
    let mut create = CreateNamedPipe::new(path);
    create.max_instances = CreateNamedPipe::UNLIMITED_INSTANCES;
    create.open_mode |= CreateNamedPipe::OVERLAPPED;
    kernel.step(SERVER, &Call::CreateNamedPipe(create), &mut caused);
    let mut open = CreateFile::new(path);
    open.flags = CreateFile::OVERLAPPED;
    kernel.step(CLIENT, &Call::CreateFile(open), &mut caused);
    for _ in 0..others {
        let mut create = NtCreateNamedPipeFile::new("\\Device\\NamedPipe\\bench");
        create.max_instances = u32::MAX;
        let outcome = kernel.step(SERVER, &Call::NtCreateNamedPipeFile(create), &mut caused);
        assert!(matches!(outcome, Outcome::Done(reply) if reply.status.is_success()));
    }
    kernel
}

/// The write and the read of 64 bytes through a kernel.
struct Pair {
    kernel: Kernel,
    write: Call,
    read: Call,
    caused: Vec<Completion>,
}

impl Pair {
    fn new(others: u32) -> Pair {
        let delivery = Delivery::OVERLAPPED;
        Pair {
            kernel: connected(others),
            write: Call::WriteFile { file: END, data: Data::from(MESSAGE.to_vec()), delivery },
            read: Call::ReadFile { file: END, length: 64, delivery },
            caused: Vec::new(),
        }
    }

    fn turn(&mut self) {
        black_box(self.kernel.step(CLIENT, &self.write, &mut self.caused));
        black_box(self.kernel.step(SERVER, &self.read, &mut self.caused));
    }
}

/// A 64-byte message through a tokio duplex, polled by hand.
fn duplex_turn(ends: &mut (tokio::io::DuplexStream, tokio::io::DuplexStream)) {
    let mut context = Context::from_waker(Waker::noop());
    let wrote = Pin::new(&mut ends.0).poll_write(&mut context, &MESSAGE);
    assert!(wrote.is_ready());
    let mut bytes = [0; 64];
    let mut buffer = ReadBuf::new(&mut bytes);
    let read = Pin::new(&mut ends.1).poll_read(&mut context, &mut buffer);
    assert!(read.is_ready());
    black_box(bytes);
}

#[cfg(unix)]
fn socket_turn(ends: &mut (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream)) {
    use std::io::{Read, Write};
    ends.0.write_all(&MESSAGE).expect("a socket takes 64 bytes");
    let mut bytes = [0; 64];
    ends.1.read_exact(&mut bytes).expect("a socket gives 64 bytes");
    black_box(bytes);
}

fn main() {
    let once = std::env::args().any(|argument| argument == "--test");
    let (rounds, turns) = if once { (1, 1) } else { (301, 200) };
    let megabytes = memory();
    println!(
        "{:<58} {:>14}  {:<12}",
        "64 bytes written and read, through the kernel", "", "target"
    );
    against_others(rounds, turns);
    growth(rounds, turns);
    #[cfg(feature = "explore")]
    copies(rounds, if once { 1 } else { 50 });
    let what = "memory of 100,000 listening instances";
    match megabytes {
        Some(used) => row(what, format!("{used:.0} MB"), "< 100 MB", Some(used < 100.0)),
        None => row(what, "only on Linux".to_owned(), "", None),
    }
}

fn against_others(rounds: usize, turns: u32) {
    let mut pair = Pair::new(0);
    let mut duplex = tokio::io::duplex(4096);
    #[cfg(unix)]
    let mut sockets = std::os::unix::net::UnixStream::pair().expect("a pair of sockets");
    let times = medians(
        rounds,
        turns,
        &mut [
            &mut || pair.turn(),
            &mut || duplex_turn(&mut duplex),
            #[cfg(unix)]
            &mut || socket_turn(&mut sockets),
        ],
    );
    row("kernel, two steps", format!("{:.0} ns", times[0]), "", None);
    let ratio = times[0] / times[1];
    row(
        "kernel / tokio duplex polled by hand",
        format!("{ratio:.2}"),
        "<= 1.00",
        Some(ratio <= 1.0),
    );
    match times.get(2) {
        Some(socket) => {
            let ratio = times[0] / socket;
            let text = format!("{ratio:.3}");
            row("kernel / socket pair on one thread", text, "<= 0.100", Some(ratio <= 0.1));
        }
        None => row("kernel / socket pair", "only on Unix".to_owned(), "", None),
    }
}

fn growth(rounds: usize, turns: u32) {
    let (mut one, mut some, mut many) = (Pair::new(0), Pair::new(999), Pair::new(99_999));
    let times =
        medians(rounds, turns, &mut [&mut || one.turn(), &mut || some.turn(), &mut || many.turn()]);
    for (count, time) in [("1,000", times[1]), ("100,000", times[2])] {
        let ratio = time / times[0];
        let what = format!("{count} instances / 1 instance");
        row(&what, format!("{ratio:.2}"), "<= 1.50", Some(ratio <= 1.5));
    }
}

/// What a clone, a hash and an undone step cost, for exploration.
#[cfg(feature = "explore")]
fn copies(rounds: usize, turns: u32) {
    for others in [0, 15] {
        let (mut plain, mut undone) = (Pair::new(others), Pair::new(others));
        let mut cloned = connected(others);
        undone.kernel.track();
        undone.kernel.fingerprint();
        let original = cloned.clone();
        let times = medians(
            rounds,
            turns,
            &mut [
                &mut || plain.turn(),
                &mut || {
                    let mark = undone.kernel.mark();
                    undone.turn();
                    black_box(undone.kernel.fingerprint());
                    undone.kernel.undo(mark);
                },
                &mut || cloned = black_box(original.clone()),
            ],
        );
        let instances = others + 1;
        let ratio = times[1] / times[0];
        row(
            &format!("mark, both steps, hash, undo / both steps; {instances} instances"),
            format!("{ratio:.2}"),
            "",
            None,
        );
        let ratio = times[2] / times[0];
        row(
            &format!("clone of the whole / both steps; {instances} instances"),
            format!("{ratio:.2}"),
            "",
            None,
        );
    }
}

/// What this process has in memory, in bytes; only Linux tells it so.
fn resident() -> Option<f64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    pages.split(' ').nth(1)?.parse::<f64>().ok().map(|pages| pages * 4096.0)
}

/// The memory of 100,000 listening instances. Measured first, when nothing was freed yet.
fn memory() -> Option<f64> {
    let before = resident()?;
    let kernel = connected(100_000);
    let after = resident()?;
    black_box(&kernel);
    Some((after - before) / 1e6)
}
