//! What is left when everything was closed: nothing.

use npfs_abi::{Call, CreateFile, CreateNamedPipe, Delivery, ProcessId, ThreadId};

mod common;

use common::World;

#[test]
fn leaks_name_what_is_left_and_nothing_else() {
    let mut world = World::new();
    assert_eq!(world.kernel.leaks(), Vec::<String>::new());
    let mut create = CreateNamedPipe::new("\\\\.\\pipe\\left");
    create.open_mode |= CreateNamedPipe::OVERLAPPED;
    let server = world.handle(Call::CreateNamedPipe(create));
    let client = world.handle(Call::CreateFile(CreateFile::new("\\\\.\\pipe\\left")));
    let delivery = Delivery::OVERLAPPED;
    let read = world.pends(Call::ReadFile { file: server, length: 8, delivery });
    let port = world.handle(Call::CreateIoCompletionPort {
        file: None,
        port: None,
        key: 0,
        concurrency: 0,
    });
    world.ok(Call::QueueUserAPC { thread: ThreadId(1) });
    assert_eq!(
        world.kernel.leaks(),
        [
            "p1 holds h4: the server end of \\\\.\\pipe\\left, overlapped, not signaled",
            "p1 holds h8: the client end of \\\\.\\pipe\\left, synchronous, signaled",
            "p1 holds h12: completion port, 0 packets, 0 files, 0 waiting",
            "an instance of \\\\.\\pipe\\left is connected",
            "read t1.3 on \\\\.\\pipe\\left has not ended",
            "t1 has not run the routine of t1.5",
        ]
    );
    assert_eq!(read.to_string(), "t1.3");
    world.call(Call::Sleep { timeout: Some(0), alertable: true });
    for handle in [server, client, port] {
        world.ok(Call::CloseHandle { handle });
    }
    assert_eq!(world.kernel.leaks(), Vec::<String>::new());
}

#[test]
fn a_terminated_process_leaves_nothing() {
    let mut world = World::new();
    let mut create = CreateNamedPipe::new("\\\\.\\pipe\\left");
    create.open_mode |= CreateNamedPipe::OVERLAPPED;
    let server = world.handle(Call::CreateNamedPipe(create));
    world.pends(Call::ConnectNamedPipe { pipe: server, delivery: Delivery::OVERLAPPED });
    world.step(2, Call::TerminateProcess { process: Some(ProcessId(1)) });
    assert_eq!(world.kernel.leaks(), Vec::<String>::new());
}
