//! Waits, control codes, information classes, the listing: in Windows' bytes.

mod common;

use common::{World, fsctl_wait, utf16};
use npfs_abi::{
    Access, Call, Composite, CreateFile, CreateNamedPipe, Data, Delivery, Handle, NtCreateFile, Op,
    Outcome, Output, PipeName, Profile, Reply, RequestId, Status, Switch,
    codes::{file_class, fsctl, volume_class},
};
use npfs_kernel::program::{Next, Program, StatusBlocks};

const A: &str = "\\\\.\\pipe\\a";
const RETURN: Delivery = Delivery::Return;

fn server(world: &mut World, name: &str, change: impl FnOnce(&mut CreateNamedPipe)) -> Handle {
    let mut create = CreateNamedPipe::new(name);
    create.open_mode |= CreateNamedPipe::OVERLAPPED;
    (create.max_instances, create.in_buffer, create.out_buffer) = (4, 100, 200);
    change(&mut create);
    world.handle(Call::CreateNamedPipe(create))
}

fn client(world: &mut World) -> Handle {
    let flags = CreateFile::OVERLAPPED;
    world.handle(Call::CreateFile(CreateFile { flags, ..CreateFile::new(A) }))
}

fn message(create: &mut CreateNamedPipe) {
    create.pipe_mode = CreateNamedPipe::TYPE_MESSAGE | CreateNamedPipe::READMODE_MESSAGE;
}

fn root(world: &mut World) -> Handle {
    world.handle(Call::NtCreateFile(NtCreateFile::new("\\??\\pipe\\")))
}

fn wait(file: Handle, timeout: Option<i64>, name: &str) -> Call {
    let input = fsctl_wait(timeout, name);
    Call::NtFsControlFile { file, code: fsctl::WAIT, input, length: 0, delivery: RETURN }
}

fn numbers(values: &[u32]) -> Data {
    Data::from(values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

fn bytes(reply: Reply) -> Data {
    match reply.output {
        Output::Data(data) => data,
        Output::None => Data::EMPTY,
        other => panic!("no bytes: {other:?}"),
    }
}

// rules: WAIT-07 tested, WAIT-15 chosen, WAIT-16 chosen, WAIT-18 chosen, WAIT-21 chosen, WAIT-22 chosen, WAIT-23 tested, WAIT-24 tested, CANCEL-16 chosen
#[test]
fn a_wait_on_the_root_pends() {
    let mut world = World::new();
    let root = root(&mut world);
    let only = server(&mut world, A, |_| {});
    assert_eq!(world.call(wait(root, Some(0), "A")).status, Status::SUCCESS);
    for name in ["\\a", "pipe\\a"] {
        let unknown = world.call(wait(root, Some(0), name)).status;
        assert_eq!(unknown, Status::OBJECT_NAME_NOT_FOUND);
    }
    let _client = client(&mut world);
    assert_eq!(world.call(wait(root, Some(0), "a")).status, Status::IO_TIMEOUT);
    let mut raw = |input: Vec<u8>| world.fsctl(root, fsctl::WAIT, Data::from(input), 0).status;
    let good = fsctl_wait(Some(0), "ab").to_vec();
    assert_eq!(raw(good[..15].to_vec()), Status::INVALID_PARAMETER);
    let mut long = good.clone();
    long[8] = 5;
    assert_eq!(raw(long), Status::INVALID_PARAMETER);
    assert_eq!(raw(fsctl_wait(Some(0), "").to_vec()), Status::INVALID_PARAMETER);

    let relative = world.pends(wait(root, Some(-20_000), "a"));
    let absolute = world.pends(wait(root, Some(30_000), "a"));
    let default = world.pends(wait(root, None, "a"));
    let cancelled = world.pends(wait(root, Some(-900_000), "a"));
    world.ok(Call::CancelIoEx { file: root, request: Some(cancelled) });
    let ended = Some(&Reply::status(Status::CANCELLED));
    assert_eq!(world.ended(cancelled), ended);
    let timed_out = Some(&Reply::status(Status::IO_TIMEOUT));
    world.advance(1);
    assert_eq!(world.ended(relative), None);
    world.advance(1);
    assert_eq!(world.ended(relative), timed_out);
    assert_eq!(world.ended(absolute), None);
    world.advance(1);
    assert_eq!(world.ended(absolute), timed_out);
    world.advance(46);
    assert_eq!(world.ended(default), None);
    world.advance(1);
    assert_eq!(world.ended(default), timed_out);

    let woken = world.pends(wait(root, Some(-900_000), "a"));
    let further = server(&mut world, A, |_| {});
    assert_eq!(world.ended(woken), Some(&Reply::ok()));
    world.ok(Call::DisconnectNamedPipe { pipe: further });
    let gone = world.pends(wait(root, Some(-900_000), "a"));
    world.ok(Call::CloseHandle { handle: only });
    assert_eq!(world.ended(gone), None);
    world.ok(Call::CloseHandle { handle: further });
    assert_eq!(world.ended(gone), Some(&Reply::status(Status::OBJECT_NAME_NOT_FOUND)));
}

// rules: WAIT-25 chosen, WAIT-26 reported, WAIT-28 reported
#[test]
fn wait_named_pipe_reads_its_path() {
    let mut world = World::new();
    server(&mut world, "\\\\.\\pipe\\a/b", |_| {});
    let mut wait = |name: &str| {
        world.call(Call::WaitNamedPipe { name: PipeName::new(name), timeout: 1 }).status
    };
    assert_eq!(wait("\\\\.\\pipe\\a/b"), Status::OBJECT_NAME_NOT_FOUND);
    assert_eq!(wait("\\\\?\\pipe\\a"), Status::OBJECT_PATH_SYNTAX_BAD);
    assert_eq!(wait("x"), Status::OBJECT_PATH_SYNTAX_BAD);
}

// rules: PEEK-17 chosen, PEEK-18 chosen, PEEK-19 chosen, PEEK-20 tested, PEEK-02 tested, PEEK-05 tested, PEEK-06 tested, PEEK-21 tested, PEEK-01 documented, FSCTL-12 documented
#[test]
fn a_peek_in_bytes() {
    let mut world = World::with(Profile::current());
    let server_end = server(&mut world, A, message);
    let peek = |world: &mut World, file, length| world.fsctl(file, fsctl::PEEK, "", length);
    assert_eq!(peek(&mut world, server_end, 64).status, Status::INVALID_PIPE_STATE);
    let client = client(&mut world);
    assert_eq!(bytes(peek(&mut world, server_end, 16)), numbers(&[3, 0, 0, 0]));
    assert_eq!(peek(&mut world, server_end, 15).status, Status::INVALID_PARAMETER);
    let write = |world: &mut World, data: &str| {
        world.ok(Call::WriteFile { file: client, data: data.into(), delivery: RETURN });
    };
    write(&mut world, "");
    assert_eq!(bytes(peek(&mut world, server_end, 64)), numbers(&[3, 0, 1, 0]));
    world.ok(Call::ReadFile { file: server_end, length: 9, delivery: RETURN });
    write(&mut world, "abcd");
    write(&mut world, "ef");
    let short = peek(&mut world, server_end, 18);
    assert_eq!((short.status, short.information), (Status::BUFFER_OVERFLOW, 18));
    let shown = bytes(short);
    assert_eq!((&shown[..16], &shown[16..]), (&*numbers(&[3, 6, 2, 4]), &b"ab"[..]));
    assert_eq!(peek(&mut world, server_end, 16).status, Status::BUFFER_OVERFLOW);
    let call = Call::NtFsControlFile {
        file: server_end,
        code: fsctl::PEEK,
        input: Data::EMPTY,
        length: 64,
        delivery: RETURN,
    };
    assert!(matches!(world.step(1, call), Outcome::Pending(_)), "though it is over");
    world.ok(Call::CloseHandle { handle: client });
    let left = bytes(peek(&mut world, server_end, 16));
    assert_eq!(left, numbers(&[4, 6, 2, 4]));
    for _ in 0..2 {
        world.ok(Call::ReadFile { file: server_end, length: 9, delivery: RETURN });
    }
    let broken = peek(&mut world, server_end, 16);
    assert_eq!((broken.status, broken.output), (Status::PIPE_BROKEN, Output::None));

    let outbound = server(&mut world, "\\\\.\\pipe\\o", |create| {
        create.open_mode = CreateNamedPipe::ACCESS_OUTBOUND;
    });
    assert_eq!(peek(&mut world, outbound, 64).status, Status::ACCESS_DENIED);
    let inbound = server(&mut world, "\\\\.\\pipe\\i", |create| {
        create.open_mode = CreateNamedPipe::ACCESS_INBOUND;
    });
    for code in [fsctl::FLUSH, fsctl::TRANSCEIVE] {
        assert_eq!(world.fsctl(inbound, code, "", 64).status, Status::ACCESS_DENIED);
    }

    let profile = Profile::current().with(Switch::ShortPeekMismatch).with(Switch::DirectStatus);
    let mut world = World::with(profile);
    let server_end = server(&mut world, A, |_| {});
    let client = self::client(&mut world);
    world.ok(Call::WriteFile { file: client, data: "x".into(), delivery: RETURN });
    assert_eq!(peek(&mut world, server_end, 15).status, Status::INFO_LENGTH_MISMATCH);
    let only = peek(&mut world, server_end, 16);
    assert_eq!((only.status, only.information), (Status::BUFFER_OVERFLOW, 16));
}

// rules: PID-12 tested, FSCTL-01 chosen, FSCTL-05 chosen, FSCTL-06 chosen, FSCTL-08 chosen, FSCTL-09 chosen, FSCTL-10 chosen, IMP-22 chosen
#[test]
fn the_other_control_codes() {
    let mut world = World::new();
    let server_end = server(&mut world, A, |_| {});
    let get = |world: &mut World, file, name: &str, length| {
        world.fsctl(file, fsctl::GET_CONNECTION_ATTRIBUTE, name, length)
    };
    let none = get(&mut world, server_end, "ClientProcessId\0", 4);
    assert_eq!(none.status, Status::NOT_FOUND);
    let client_end = client(&mut world);
    for (file, name) in [(server_end, "ClientProcessId\0"), (client_end, "ServerProcessId\0")] {
        assert_eq!(bytes(get(&mut world, file, name, 4)), numbers(&[1]));
        assert_eq!(get(&mut world, file, name, 3).status, Status::BUFFER_TOO_SMALL);
    }
    assert_eq!(get(&mut world, server_end, "Other\0", 4).status, Status::NOT_FOUND);
    let code = fsctl::QUERY_CLIENT_PROCESS;
    assert_eq!(bytes(world.fsctl(server_end, code, "", 16)), numbers(&[0, 0, 1, 0]));
    assert_eq!(world.fsctl(server_end, code, "", 56).information, 56);
    assert_eq!(world.fsctl(server_end, code, "", 15).status, Status::INVALID_PARAMETER);
    for code in [fsctl::SET_CLIENT_PROCESS, fsctl::INTERNAL_READ_OVFLOW] {
        assert_eq!(world.fsctl(server_end, code, "", 64).status, Status::ACCESS_DENIED);
    }
    for code in [0x11_0100, fsctl::DISABLE_IMPERSONATE] {
        assert_eq!(world.fsctl(server_end, code, "", 64).status, Status::NOT_SUPPORTED);
    }
    world.ok(Call::DisconnectNamedPipe { pipe: server_end });
    assert_eq!(world.fsctl(client_end, code, "", 16).status, Status::PIPE_DISCONNECTED);
    let id = get(&mut world, client_end, "ServerProcessId\0", 4).status;
    assert_eq!(id, Status::PIPE_DISCONNECTED);
}

// rules: INFO-01 tested, INFO-02 tested, INFO-03 tested, INFO-04 tested, INFO-07 chosen, INFO-70 tested, INFO-71 tested, INFO-72 tested, INFO-73 tested, INFO-74 tested, INFO-76 tested, INFO-77 tested, INFO-78 tested, INFO-80 tested, INFO-81 tested, INFO-82 tested, INFO-84 chosen, INFO-85 chosen
#[test]
fn information_in_bytes() {
    let mut world = World::new();
    let server_end = server(&mut world, A, |_| {});
    let client_end = client(&mut world);
    world.ok(Call::WriteFile { file: client_end, data: "xyz".into(), delivery: RETURN });
    let query = |world: &mut World, class, length| world.query(server_end, class, length);
    assert_eq!(query(&mut world, 0, 99).status, Status::INVALID_INFO_CLASS);
    for (class, length) in
        [(file_class::NAME, 0), (file_class::NAME, 4), (file_class::PIPE_LOCAL, 39)]
    {
        assert_eq!(query(&mut world, class, length).status, Status::INFO_LENGTH_MISMATCH);
        let nowhere = world.query(Handle(400), class, length).status;
        assert_eq!(nowhere, Status::INFO_LENGTH_MISMATCH, "before the handle");
    }
    let pseudo = world.query(Handle(u32::MAX), file_class::PIPE, 8).status;
    assert_eq!(pseudo, Status::OBJECT_TYPE_MISMATCH);
    let outbound = server(&mut world, "\\\\.\\pipe\\o", |create| {
        create.open_mode = CreateNamedPipe::ACCESS_OUTBOUND;
    });
    for (class, length) in [(file_class::PIPE, 8), (file_class::PIPE_LOCAL, 40)] {
        assert_eq!(world.query(outbound, class, length).status, Status::ACCESS_DENIED);
    }
    let name = query(&mut world, file_class::NAME, 64);
    assert_eq!(name.information, 8);
    assert_eq!(&bytes(name)[4..], &*utf16("\\a"));
    let long = server(&mut world, "\\\\.\\pipe\\a-long-name", |_| {});
    let cut = world.query(long, file_class::NAME, 20);
    assert_eq!((cut.status, cut.information), (Status::BUFFER_OVERFLOW, 20));
    let data = bytes(cut);
    assert_eq!(data[..4], 24_u32.to_le_bytes());
    assert_eq!(&data[4..], &*utf16("\\a-long-"));

    let standard = bytes(query(&mut world, file_class::STANDARD, 24));
    assert_eq!(standard, numbers(&[300, 0, 3, 0, 1, 1]));
    let basic = bytes(query(&mut world, file_class::BASIC, 40));
    assert_eq!(basic, numbers(&[0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0]));
    let internal = bytes(query(&mut world, file_class::INTERNAL, 8));
    assert!(internal.iter().any(|byte| *byte != 0) && internal.iter().any(|byte| *byte != 255));
    assert_eq!(bytes(query(&mut world, file_class::EA, 4)), numbers(&[0]));
    assert_eq!(bytes(query(&mut world, file_class::ALIGNMENT, 4)), numbers(&[0]));
    assert_eq!(bytes(query(&mut world, file_class::POSITION, 8)), numbers(&[3, 0]));
    assert_eq!(bytes(query(&mut world, file_class::MODE, 4)), numbers(&[0]));
    let synchronous = server(&mut world, "\\\\.\\pipe\\s", |create| {
        create.open_mode = CreateNamedPipe::ACCESS_DUPLEX | CreateNamedPipe::WRITE_THROUGH;
    });
    assert_eq!(bytes(world.query(synchronous, file_class::MODE, 4)), numbers(&[0x22]));
    assert_eq!(bytes(world.query(synchronous, file_class::POSITION, 8)), numbers(&[0, 0]));
    let all = query(&mut world, file_class::ALL, 200);
    assert_eq!(all.information, 104);
    let all = bytes(all);
    assert_eq!((&all[40..64], &all[96..100]), (&*standard, &4_u32.to_le_bytes()[..]));
    let cut = world.query(long, file_class::ALL, 104);
    assert_eq!((cut.status, cut.information), (Status::BUFFER_OVERFLOW, 104));
    assert_eq!(bytes(cut)[96..100], 24_u32.to_le_bytes());
    let remote = query(&mut world, file_class::PIPE_REMOTE, 16).status;
    assert_eq!(remote, Status::INVALID_PARAMETER);
    assert_eq!(query(&mut world, 34, 56).status, Status::INVALID_PARAMETER);
}

// rules: INFO-50 tested, INFO-51 tested, INFO-53 tested, INFO-54 tested, INFO-55 tested, INFO-23 tested, INFO-26 chosen, INFO-32 chosen, INFO-75 chosen
#[test]
fn pipe_information_in_bytes() {
    let mut world = World::new();
    let server_end = server(&mut world, A, message);
    server(&mut world, A, message);
    let client_end = client(&mut world);
    world.ok(Call::WriteFile { file: client_end, data: "xyz".into(), delivery: RETURN });
    let local = bytes(world.query(server_end, file_class::PIPE_LOCAL, 40));
    assert_eq!(local, numbers(&[1, 2, 4, 2, 100, 3, 200, 200, 3, 1]));
    let local = bytes(world.query(client_end, file_class::PIPE_LOCAL, 40));
    assert_eq!(local, numbers(&[1, 2, 4, 2, 100, 0, 200, 97, 3, 0]));
    let set = |world: &mut World, class, values: &[u32]| {
        let input = numbers(values);
        world.call(Call::NtSetInformationFile { file: server_end, class, input }).status
    };
    for bad in [[2, 0], [0, 2]] {
        assert_eq!(set(&mut world, file_class::PIPE, &bad), Status::INVALID_PARAMETER);
    }
    assert_eq!(set(&mut world, file_class::PIPE, &[0]), Status::INFO_LENGTH_MISMATCH);
    assert_eq!(set(&mut world, file_class::PIPE, &[0, 1]), Status::SUCCESS);
    assert_eq!(bytes(world.query(server_end, file_class::PIPE, 8)), numbers(&[0, 1]));
    assert_eq!(set(&mut world, file_class::BASIC, &[0; 10]), Status::SUCCESS);
    assert_eq!(set(&mut world, file_class::PIPE_REMOTE, &[0; 4]), Status::INVALID_PARAMETER);
    let mode = |mode| Call::SetNamedPipeHandleState {
        pipe: server_end,
        mode: Some(mode),
        collection_count: None,
        collect_timeout: None,
    };
    assert_eq!(world.call(mode(4)).status, Status::INVALID_PARAMETER);
}

// rules: INFO-86 tested, INFO-87 tested, INFO-88 tested, INFO-89 tested, INFO-90 tested, INFO-91 tested
#[test]
fn volume_information_in_bytes() {
    let mut world = World::new();
    let file = server(&mut world, A, |_| {});
    let mut ask =
        |class| world.call(Call::NtQueryVolumeInformationFile { file, class, length: 64 });
    assert_eq!(bytes(ask(volume_class::DEVICE)), numbers(&[0x11, 0x2_0000]));
    let volume = bytes(ask(volume_class::VOLUME));
    assert_eq!((&volume[..12], volume[12]), (&[0; 12][..], 18));
    assert_eq!(&volume[18..], &*utf16("NamedPipe"));
    assert_eq!(bytes(ask(volume_class::SIZE)), numbers(&[0, 0, 0, 0, 1, 1]));
    let attribute = bytes(ask(volume_class::ATTRIBUTE));
    assert_eq!(&attribute[..12], &*numbers(&[2, u32::MAX, 8]));
    assert_eq!(&attribute[12..], &*utf16("NPFS"));
    assert_eq!(bytes(ask(volume_class::FULL_SIZE)), numbers(&[0; 8]));
    assert_eq!(ask(2).status, Status::NOT_SUPPORTED);
}

fn list(file: Handle, class: u32, length: u32, pattern: Option<&str>) -> Call {
    let pattern = pattern.map(PipeName::new);
    Call::NtQueryDirectoryFile { file, class, length, pattern, restart: false, single: false }
}

// rules: DIR-01 reported, DIR-02 chosen, DIR-03 documented, DIR-04 chosen, DIR-05 chosen, DIR-06 chosen, DIR-07 chosen, DIR-08 chosen, DIR-09 chosen, DIR-10 chosen, DIR-12 chosen, DIR-13 chosen
#[test]
fn the_root_lists_names() {
    let mut world = World::new();
    let empty = root(&mut world);
    let names = file_class::NAMES;
    let none = world.call(list(empty, names, 64, None)).status;
    assert_eq!(none, Status::NO_SUCH_FILE);
    let again = world.call(list(empty, names, 64, None)).status;
    assert_eq!(again, Status::NO_MORE_FILES);
    let first = server(&mut world, A, |_| {});
    server(&mut world, "\\\\.\\pipe\\Dir\\File", |create| create.max_instances = 255);
    let orphaned = server(&mut world, "\\\\.\\pipe\\z", |_| {});
    let open = CreateFile::new("\\\\.\\pipe\\z");
    world.ok(Call::CreateFile(open));
    world.ok(Call::CloseHandle { handle: orphaned });
    world.ok(Call::CreatePipe { size: 0, inherit: false });

    let listing = root(&mut world);
    let data = bytes(world.ok(list(listing, file_class::DIRECTORY, 4096, None)));
    assert_eq!(&data[..8], &*numbers(&[72, 0]));
    assert_eq!(&data[8..40], &[0; 32]);
    assert_eq!(&data[40..64], &*numbers(&[1, 0, 4, 0, 0x80, 2]));
    assert_eq!(&data[64..66], &*utf16("a"));
    assert_eq!(&data[72..80], &*numbers(&[0, 1]));
    assert_eq!(&data[72 + 40..72 + 64], &*numbers(&[1, 0, u32::MAX, 0, 0x80, 16]));
    assert_eq!(&data[72 + 64..], &*utf16("Dir\\File"));
    let over = world.call(list(listing, names, 64, None)).status;
    assert_eq!(over, Status::NO_MORE_FILES);
    let restart = Call::NtQueryDirectoryFile {
        file: listing,
        class: names,
        length: 64,
        pattern: None,
        restart: true,
        single: true,
    };
    assert_eq!(&bytes(world.ok(restart))[12..], &*utf16("a"));
    let cut = world.call(list(listing, names, 18, None));
    assert_eq!(cut.status, Status::BUFFER_OVERFLOW);
    assert_eq!(&bytes(cut)[12..], &*utf16("Dir"));

    let found = root(&mut world);
    let data = bytes(world.ok(list(found, names, 64, Some("d?R*"))));
    assert_eq!(&data[12..], &*utf16("Dir\\File"));
    let fixed = world.call(list(found, names, 64, Some("*"))).status;
    assert_eq!(fixed, Status::NO_MORE_FILES);
    for (class, size) in [(1, 72), (2, 72), (3, 96), (12, 16)] {
        let short = world.call(list(found, class, size - 1, None)).status;
        assert_eq!(short, Status::INFO_LENGTH_MISMATCH);
    }
    assert_eq!(world.call(list(found, 5, 64, None)).status, Status::INVALID_INFO_CLASS);
    assert_eq!(world.call(list(first, names, 64, None)).status, Status::INVALID_PARAMETER);

    let mut old = World::with(Profile::current().with(Switch::EmptyListNoMoreFiles));
    let empty = root(&mut old);
    assert_eq!(old.call(list(empty, names, 64, None)).status, Status::NO_MORE_FILES);
}

// rules: DIR-14 chosen
#[test]
fn the_root_tells_of_changes() {
    let mut world = World::new();
    let file = root(&mut world);
    let watch = |filter| Call::NtNotifyChangeDirectoryFile { file, filter, delivery: RETURN };
    let names = world.pends(watch(1));
    let pipe = server(&mut world, A, |_| {});
    assert_eq!(world.ended(names), Some(&Reply::ok()));
    let names = world.pends(watch(1));
    let modes = world.pends(watch(4));
    let input = numbers(&[0, 1]);
    world.ok(Call::NtSetInformationFile { file: pipe, class: file_class::PIPE, input });
    assert_eq!((world.ended(names), world.ended(modes)), (None, Some(&Reply::ok())));
    // SetNamedPipeHandleState sets the same class.
    let modes = world.pends(watch(4));
    let set = |mode| Call::SetNamedPipeHandleState {
        pipe,
        mode,
        collection_count: None,
        collect_timeout: None,
    };
    world.ok(set(None));
    assert_eq!(world.ended(modes), None);
    world.ok(set(Some(0)));
    assert_eq!((world.ended(names), world.ended(modes)), (None, Some(&Reply::ok())));
    world.ok(Call::CloseHandle { handle: pipe });
    assert_eq!(world.ended(names), Some(&Reply::ok()));
    let closed = world.pends(watch(1));
    world.ok(Call::CloseHandle { handle: file });
    assert_eq!(world.ended(closed), Some(&Reply::status(Status::CANCELLED)));
}

struct NoBlocks;
impl StatusBlocks for NoBlocks {
    fn reply(&self, _: RequestId) -> Option<Reply> {
        None
    }
    fn event(&self, _: RequestId) -> Option<Handle> {
        None
    }
}

fn run(world: &mut World, composite: Composite) -> Reply {
    let mut program = Program::new(Op::Composite(composite));
    let mut previous = None;
    loop {
        match program.next(previous, &NoBlocks) {
            Next::Call(call) => previous = Some(world.step(1, call)),
            Next::Return(Outcome::Done(reply)) => return reply,
            Next::Return(other) => panic!("{other:?}"),
        }
    }
}

// rules: DIR-11 reported, OPEN-19 reported
#[test]
fn win32_finds_and_probes_pipes() {
    let mut world = World::new();
    let pipe = server(&mut world, A, |_| {});
    server(&mut world, "\\\\.\\pipe\\x|y", |_| {});
    let pattern = PipeName::new("\\\\.\\pipe\\*");
    let found = run(&mut world, Composite::FindFiles { pattern });
    assert_eq!(found.output, Output::Names(vec!["a".into(), "x|y".into()]));
    let probe = |world: &mut World| {
        run(world, Composite::GetFileAttributes { name: PipeName::new(A) }).status
    };
    assert_eq!(probe(&mut world), Status::SUCCESS);
    assert_eq!(probe(&mut world), Status::PIPE_NOT_AVAILABLE);
    let connect = Call::ConnectNamedPipe { pipe, delivery: RETURN };
    assert_eq!(world.call(connect).status, Status::PIPE_CLOSING);
}

// rules: DIR-15 chosen, SYNC-10 reported
#[test]
fn a_name_query_takes_the_lock() {
    let mut world = World::new();
    let mut create = CreateNamedPipe::new(A);
    create.inherit = true;
    let handle = world.handle(Call::CreateNamedPipe(create));
    let open = NtCreateFile { options: 0x20, ..NtCreateFile::new("\\??\\pipe\\") };
    let root = world.handle(Call::NtCreateFile(open));
    let target = Some(npfs_abi::ProcessId(2));
    let mut share = |handle| {
        world.handle(Call::DuplicateHandle { handle, target, access: None, inherit: false })
    };
    let (pipe_there, root_there) = (share(handle), share(root));
    let connect = Call::ConnectNamedPipe { pipe: handle, delivery: RETURN };
    assert!(matches!(world.step(1, connect), Outcome::Blocked(_)));
    let ask = |class| Call::NtQueryObject { handle: pipe_there, class };
    for class in [0, 2] {
        assert!(matches!(world.step(2, ask(class)), Outcome::Done(_)));
    }
    assert!(matches!(world.step(2, ask(1)), Outcome::Blocked(_)));

    let mut world = World::new();
    let open = NtCreateFile { options: 0x20, ..NtCreateFile::new("\\??\\pipe\\") };
    let root = world.handle(Call::NtCreateFile(open));
    let there =
        world.handle(Call::DuplicateHandle { handle: root, target, access: None, inherit: false });
    let watch = Call::NtNotifyChangeDirectoryFile { file: root, filter: 1, delivery: RETURN };
    assert!(matches!(world.step(1, watch), Outcome::Blocked(_)));
    let asks = world.step(2, list(there, file_class::NAMES, 64, None));
    assert!(matches!(asks, Outcome::Blocked(_)));
    let _ = (root_there, Access::NONE);
}
