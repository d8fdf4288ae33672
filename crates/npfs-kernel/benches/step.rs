//! What a step, a clone and a hash cost. Read the ratios; machines are noisy.

use divan::{Bencher, black_box};
use npfs_abi::{
    Call, Completion, CreateFile, CreateNamedPipe, Data, Delivery, Handle, Outcome, ThreadId,
};
use npfs_kernel::Kernel;

const SERVER: ThreadId = ThreadId(1);
const CLIENT: ThreadId = ThreadId(2);
const END: Handle = Handle(4);

fn main() {
    divan::main();
}

/// `pairs` connected instances of one name; thread 1 has the server ends, thread 2 the clients.
fn connected(pairs: u32) -> Kernel {
    let mut kernel = Kernel::new();
    for _ in 0..2 {
        let process = kernel.create_process(true);
        kernel.create_thread(process);
    }
    let mut caused = Vec::new();
    let mut create = CreateNamedPipe::new("\\\\.\\pipe\\bench");
    create.max_instances = CreateNamedPipe::UNLIMITED_INSTANCES;
    for _ in 0..pairs {
        kernel.step(SERVER, &Call::CreateNamedPipe(create.clone()), &mut caused);
        let open = Call::CreateFile(CreateFile::new("\\\\.\\pipe\\bench"));
        kernel.step(CLIENT, &open, &mut caused);
    }
    kernel
}

fn write(bytes: usize) -> Call {
    let data = Data::from(vec![b'x'; bytes]);
    Call::WriteFile { file: END, data, delivery: Delivery::Return }
}

fn read() -> Call {
    Call::ReadFile { file: END, length: 64, delivery: Delivery::Return }
}

/// A 64-byte write by the client and the read of it by the server: two steps.
#[divan::bench(args = [1, 1000])]
fn write_and_read(bencher: Bencher<'_, '_>, pairs: u32) {
    let mut kernel = connected(pairs);
    let (write, read) = (write(64), read());
    let mut caused: Vec<Completion> = Vec::new();
    bencher.bench_local(move || {
        black_box(kernel.step(CLIENT, &write, &mut caused));
        black_box(kernel.step(SERVER, &read, &mut caused))
    });
}

/// One step that changes nothing but the call counter.
#[divan::bench]
fn info(bencher: Bencher<'_, '_>) {
    let mut kernel = connected(1);
    let mut caused: Vec<Completion> = Vec::new();
    let call = Call::GetNamedPipeInfo { pipe: END };
    bencher.bench_local(move || black_box(kernel.step(SERVER, &call, &mut caused)));
}

#[divan::bench(args = [1, 4, 16])]
fn clone_whole(bencher: Bencher<'_, '_>, pairs: u32) {
    let kernel = connected(pairs);
    bencher.bench_local(|| black_box(&kernel).clone());
}

#[divan::bench(args = [1, 4, 16])]
fn hash_whole(bencher: Bencher<'_, '_>, pairs: u32) {
    let mut kernel = connected(pairs);
    bencher.bench_local(move || black_box(kernel.fingerprint()));
}

/// What exploration does for each step: mark, step, hash, undo.
#[divan::bench(args = [1, 4, 16])]
fn step_hash_undo(bencher: Bencher<'_, '_>, pairs: u32) {
    let mut kernel = connected(pairs);
    kernel.track();
    kernel.fingerprint();
    let write = write(64);
    let mut caused: Vec<Completion> = Vec::new();
    bencher.bench_local(move || {
        let mark = kernel.mark();
        let outcome: Outcome = kernel.step(CLIENT, &write, &mut caused);
        let hash = kernel.fingerprint();
        kernel.undo(mark);
        black_box((outcome, hash))
    });
}
