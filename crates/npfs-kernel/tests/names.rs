//! Names, the Nt functions that create and open, the device and the root.

mod common;

use common::{World, fsctl_wait, utf16};
use npfs_abi::{
    Access, Call, CreateFile, CreateNamedPipe, Handle, NtCreateFile, NtCreateNamedPipeFile,
    ObjectAttributes, Output, PipeName, Profile, Status, Switch,
    codes::{disposition, file_class, fsctl, object_class, option, share},
};

fn nt(path: &str) -> NtCreateNamedPipeFile {
    NtCreateNamedPipeFile { max_instances: 4, ..NtCreateNamedPipeFile::new(path) }
}

fn below(root: Handle, name: &str) -> NtCreateNamedPipeFile {
    let name = Some(PipeName::new(name));
    let attributes = Some(ObjectAttributes { root: Some(root), name, inherit: false });
    NtCreateNamedPipeFile { attributes, ..nt("") }
}

fn open_below(root: Handle, name: &str) -> NtCreateFile {
    let name = Some(PipeName::new(name));
    let attributes = Some(ObjectAttributes { root: Some(root), name, inherit: false });
    NtCreateFile { attributes, ..NtCreateFile::new("") }
}

fn made(world: &mut World, arguments: NtCreateNamedPipeFile) -> Status {
    world.call(Call::NtCreateNamedPipeFile(arguments)).status
}

fn opened(world: &mut World, arguments: NtCreateFile) -> Status {
    world.call(Call::NtCreateFile(arguments)).status
}

const P: &str = "\\Device\\NamedPipe\\";

// rules: NAME-01 tested, NAME-03 tested, NAME-04 tested, NAME-05 tested, NAME-30 tested, NAME-32 tested, NAME-33 tested, NAME-34 tested
#[test]
fn paths_lead_somewhere_or_fail_as_they_should() {
    let mut world = World::new();
    let elsewhere = Call::CreateNamedPipe(CreateNamedPipe::new("not a named pipe"));
    assert_eq!(world.call(elsewhere).status, Status::OBJECT_NAME_INVALID);
    for path in ["\\Device\\NamedPipe", P] {
        assert_eq!(made(&mut world, nt(path)), Status::OBJECT_NAME_INVALID);
    }
    assert_eq!(made(&mut world, nt("\\Device\\NamedPipe\\\\")), Status::SUCCESS);
    assert_eq!(
        made(&mut world, nt(&format!("{P}!\"#$%&'()*+,-./:;<=>?@[]^_`{{}}~|"))),
        Status::SUCCESS
    );
    let none = NtCreateNamedPipeFile { attributes: None, ..nt("") };
    assert_eq!(made(&mut world, none), Status::INVALID_PARAMETER);
    assert_eq!(made(&mut world, nt("")), Status::OBJECT_PATH_SYNTAX_BAD);
    let nameless = |root| {
        let attributes = Some(ObjectAttributes { root, name: None, inherit: false });
        NtCreateNamedPipeFile { attributes, ..nt("") }
    };
    assert_eq!(made(&mut world, nameless(None)), Status::OBJECT_PATH_SYNTAX_BAD);
    assert_eq!(made(&mut world, nameless(Some(Handle(400)))), Status::OBJECT_NAME_INVALID);
    assert_eq!(made(&mut world, below(Handle(400), "x")), Status::INVALID_HANDLE);

    let mut old = World::with(Profile::current().with(Switch::BackslashNameInvalid));
    let status = made(&mut old, nt("\\Device\\NamedPipe\\\\"));
    assert_eq!(status, Status::OBJECT_NAME_INVALID);
}

// rules: NAME-06 tested, NAME-07 tested, NAME-08 reported, NAME-09 tested, NAME-10 tested, NAME-11 tested, NAME-12 tested, NAME-15 tested, NAME-20 tested, NAME-21 tested
#[test]
fn a_name_is_flat_and_every_character_counts() {
    let mut world = World::new();
    for name in ["test\\pipe", "x\\", "w/t", "w\\.\\t", "..\\w", "a:b"] {
        assert_eq!(made(&mut world, nt(&format!("{P}{name}"))), Status::SUCCESS, "{name}");
        let open = NtCreateFile::new(&format!("\\??\\pipe\\{name}"));
        assert_eq!(opened(&mut world, open), Status::SUCCESS, "{name}");
    }
    for name in ["test", "x", "w\\t", "w\\x", "w"] {
        let open = NtCreateFile::new(&format!("{P}{name}"));
        assert_eq!(opened(&mut world, open), Status::OBJECT_NAME_NOT_FOUND, "{name}");
    }
    assert_eq!(made(&mut world, nt(&format!("{P}flat"))), Status::SUCCESS);
    let deeper = format!("{P}flat\\more");
    assert_eq!(made(&mut world, nt(&deeper)), Status::OBJECT_NAME_INVALID);
    assert_eq!(opened(&mut world, NtCreateFile::new(&deeper)), Status::OBJECT_NAME_INVALID);
    assert_eq!(made(&mut world, nt(&format!("{P}test"))), Status::SUCCESS, "shorter one later");
    world.ok(Call::CreateNamedPipe(CreateNamedPipe::new("\\\\?\\pipe\\q")));
    world.ok(Call::CreateFile(CreateFile::new("\\\\.\\pipe\\q")));

    let longest = "n".repeat((65_532 - P.len() * 2) / 2);
    assert_eq!(made(&mut world, nt(&format!("{P}{longest}"))), Status::SUCCESS);
    assert_eq!(made(&mut world, nt(&format!("{P}{longest}n"))), Status::OBJECT_NAME_INVALID);
}

// rules: NAME-23 documented
#[test]
fn the_documents_limit_names() {
    let long = format!("\\\\.\\pipe\\{}", "n".repeat(250));
    let mut world = World::new();
    world.ok(Call::CreateNamedPipe(CreateNamedPipe::new(&long)));
    let mut world = World::with(Profile::documented());
    let create = |name: &str| Call::CreateNamedPipe(CreateNamedPipe::new(name));
    assert_eq!(world.call(create(&long)).status, Status::OBJECT_NAME_INVALID);
    assert_eq!(world.call(create("\\\\.\\pipe\\a\\b")).status, Status::OBJECT_NAME_INVALID);
    world.ok(create("\\\\.\\pipe\\LOCAL\\b"));
}

// rules: NAME-36 tested, CREATE-36 tested, CREATE-20 tested, CREATE-21 tested, CREATE-22 chosen, CREATE-27 chosen, CREATE-28 tested, CREATE-29 tested, CREATE-30 chosen, CREATE-31 tested, CREATE-32 tested, CREATE-37 tested
#[test]
fn a_creation_is_checked_in_order() {
    let mut world = World::new();
    let path = format!("{P}a");
    let base = || nt(&path);
    let bad = Status::INVALID_PARAMETER;
    for number in [disposition::SUPERSEDE, disposition::OVERWRITE, disposition::OVERWRITE_IF] {
        let arguments = NtCreateNamedPipeFile { disposition: number, ..base() };
        assert_eq!(made(&mut world, arguments), bad);
    }
    for number in [0, share::DELETE, 7] {
        assert_eq!(made(&mut world, NtCreateNamedPipeFile { share: number, ..base() }), bad);
    }
    assert_eq!(made(&mut world, NtCreateNamedPipeFile { pipe_type: 4, ..base() }), bad);
    assert_eq!(made(&mut world, NtCreateNamedPipeFile { read_mode: 2, ..base() }), bad);
    assert_eq!(made(&mut world, NtCreateNamedPipeFile { completion_mode: 2, ..base() }), bad);
    let open = disposition::OPEN;
    for timeout in [None, Some(0), Some(1)] {
        let default_timeout = timeout;
        let arguments = NtCreateNamedPipeFile { default_timeout, disposition: open, ..base() };
        assert_eq!(made(&mut world, arguments), bad);
    }
    assert_eq!(made(&mut world, NtCreateNamedPipeFile { max_instances: 0, ..base() }), bad);
    let arguments = NtCreateNamedPipeFile { disposition: open, ..base() };
    assert_eq!(made(&mut world, arguments), Status::OBJECT_NAME_NOT_FOUND);
    assert_eq!(made(&mut world, NtCreateNamedPipeFile { read_mode: 1, ..base() }), bad);
    let nothing = || NtCreateNamedPipeFile { access: Access::NONE, max_instances: 2, ..base() };
    let failed = world.call(Call::NtCreateNamedPipeFile(nothing()));
    assert_eq!(failed.status, Status::ACCESS_DENIED);
    assert_eq!((failed.information, failed.output), (0, Output::None));

    let two = || NtCreateNamedPipeFile { max_instances: 2, ..base() };
    let first = world.ok(Call::NtCreateNamedPipeFile(two()));
    assert_eq!(first.information, 2);
    let create = NtCreateNamedPipeFile { disposition: disposition::CREATE, ..two() };
    assert_eq!(made(&mut world, create), Status::ACCESS_DENIED);
    let further = NtCreateNamedPipeFile { disposition: open, default_timeout: None, ..two() };
    let second = world.ok(Call::NtCreateNamedPipeFile(further));
    assert_eq!(second.information, 1);
    assert_eq!(made(&mut world, nothing()), Status::ACCESS_DENIED, "before the count");
    assert_eq!(made(&mut world, two()), Status::INSTANCE_NOT_AVAILABLE);
}

// rules: CREATE-35 tested, CREATE-46 tested, CREATE-08 tested, CREATE-49 tested, CREATE-04 tested, CREATE-10 tested
#[test]
fn win32_creations_are_those_of_the_file_system() {
    let mut world = World::new();
    let create = |mode: u32, instances: u32| {
        let mut create = CreateNamedPipe::new("\\\\.\\pipe\\a");
        create.open_mode = mode;
        create.max_instances = instances;
        Call::CreateNamedPipe(create)
    };
    assert_eq!(world.call(create(0, 1)).status, Status::INVALID_PARAMETER);
    assert_eq!(world.ok(create(3, 2)).information, 2);
    let first = 3 | CreateNamedPipe::FIRST_INSTANCE;
    assert_eq!(world.call(create(first, 2)).status, Status::ACCESS_DENIED);
    assert_eq!(world.ok(create(3, 2)).information, 1, "the caller sees 183");
    let full = world.call(create(first, 2)).status;
    assert_eq!(full, Status::INSTANCE_NOT_AVAILABLE, "the count comes first");
    for open_mode in [first, 3] {
        let mut create = CreateNamedPipe::new("\\\\.\\pipe\\c");
        (create.open_mode, create.max_instances) = (open_mode, 2);
        world.ok(Call::CreateNamedPipe(create));
    }
    let mut local = CreateNamedPipe::new("\\\\.\\pipe\\b");
    local.pipe_mode = CreateNamedPipe::REJECT_REMOTE;
    world.ok(Call::CreateNamedPipe(local));
    world.ok(Call::CreateFile(CreateFile::new("\\\\.\\pipe\\b")));
}

// rules: CREATE-23 tested, CREATE-24 tested, CREATE-25 tested
#[test]
fn a_server_without_data_access_starts_disconnected() {
    let reserved = || NtCreateNamedPipeFile { access: Access::SYNCHRONIZE, ..nt("\\??\\pipe\\a") };
    let open = || Call::CreateFile(CreateFile::new("\\\\.\\pipe\\a"));
    let mut world = World::new();
    let server = world.handle(Call::NtCreateNamedPipeFile(reserved()));
    assert_eq!(world.query(server, file_class::PIPE_LOCAL, 40).status, Status::ACCESS_DENIED);
    assert_eq!(world.call(open()).status, Status::PIPE_NOT_AVAILABLE);
    world.pends(Call::ConnectNamedPipe { pipe: server, delivery: npfs_abi::Delivery::OVERLAPPED });
    world.ok(open());
    let mut world = World::with(Profile::current().with(Switch::NoAccessListens));
    world.ok(Call::NtCreateNamedPipeFile(reserved()));
    world.ok(open());
}

// rules: CREATE-50 tested, CREATE-54 tested, CREATE-55 tested, INFO-79 tested, CREATE-07 chosen, INFO-05 tested
#[test]
fn handles_have_the_access_that_was_asked_for() {
    let mut world = World::new();
    let access = |world: &mut World, handle| world.query(handle, file_class::ACCESS, 4).output;
    let mut duplex = CreateNamedPipe::new("\\\\.\\pipe\\a");
    let server = world.handle(Call::CreateNamedPipe(duplex.clone()));
    assert_eq!(access(&mut world, server), Output::Data((&0x12_019F_u32.to_le_bytes()).into()));
    duplex.name = PipeName::new("\\\\.\\pipe\\b");
    duplex.open_mode |= 0xC_0000; // WRITE_DAC, WRITE_OWNER (and so FIRST_INSTANCE)
    let server = world.handle(Call::CreateNamedPipe(duplex));
    assert_eq!(access(&mut world, server), Output::Data((&0x1E_019F_u32.to_le_bytes()).into()));
    let open = NtCreateFile { access: Access::SYNCHRONIZE, ..NtCreateFile::new("\\??\\pipe\\b") };
    let client = world.handle(Call::NtCreateFile(open));
    assert_eq!(access(&mut world, client), Output::Data((&0x10_0000_u32.to_le_bytes()).into()));
    assert_eq!(world.query(client, file_class::NAME, 20).status, Status::SUCCESS);
}

// rules: NAME-40 tested, NAME-41 tested, NAME-42 tested, NAME-43 tested, NAME-44 tested, NAME-45 tested, NAME-46 tested, NAME-47 tested, NAME-48 tested, NAME-50 chosen, NAME-60 tested, NAME-61 tested, NAME-62 tested
#[test]
fn names_can_be_relative() {
    let mut world = World::new();
    let device = world.handle(Call::CreateFile(CreateFile {
        access: Access::NONE,
        ..CreateFile::new("\\\\.\\pipe")
    }));
    let root = world.handle(Call::CreateFile(CreateFile {
        access: Access::FILE_ALL_ACCESS,
        ..CreateFile::new("\\\\.\\pipe\\")
    }));
    assert_eq!(opened(&mut world, NtCreateFile::new("\\??\\pipe")), Status::SUCCESS);
    assert_eq!(opened(&mut world, NtCreateFile::new("\\??\\pipe\\")), Status::SUCCESS);
    assert_eq!(made(&mut world, below(device, "")), Status::OBJECT_NAME_INVALID);
    assert_eq!(made(&mut world, below(device, "test3\\pipe")), Status::OBJECT_NAME_INVALID);
    assert_eq!(made(&mut world, below(root, "\\x")), Status::OBJECT_NAME_INVALID);
    assert_eq!(made(&mut world, below(root, "test3\\pipe")), Status::SUCCESS);
    world.ok(Call::CreateFile(CreateFile::new("\\\\.\\pipe\\test3\\pipe")));

    let nameless = |disposition| NtCreateNamedPipeFile { disposition, ..below(root, "") };
    let open = nameless(disposition::OPEN);
    assert_eq!(made(&mut world, open), Status::OBJECT_NAME_NOT_FOUND);
    let first = world.handle(Call::NtCreateNamedPipeFile(nameless(disposition::CREATE)));
    let second = world.ok(Call::NtCreateNamedPipeFile(nameless(disposition::CREATE)));
    assert_eq!(second.information, 2, "another pipe");
    assert_eq!(opened(&mut world, open_below(first, "a")), Status::OBJECT_NAME_INVALID);
    let client = world.handle(Call::NtCreateFile(open_below(first, "")));
    assert_eq!(opened(&mut world, open_below(first, "")), Status::PIPE_NOT_AVAILABLE);
    for handle in [first, client] {
        let name = Call::NtQueryObject { handle, class: object_class::NAME };
        assert_eq!(world.call(name).status, Status::OBJECT_PATH_INVALID);
    }
}

// rules: NAME-49 tested
#[test]
fn reopening_a_server_gives_a_client() {
    let mut world = World::new();
    let server = world.handle(Call::CreateNamedPipe(CreateNamedPipe::new("\\\\.\\pipe\\a")));
    let client =
        world.handle(Call::ReOpenFile { file: server, access: Access::GENERIC_READ, flags: 0 });
    let delivery = npfs_abi::Delivery::Return;
    world.ok(Call::WriteFile { file: server, data: "x".into(), delivery });
    let read = world.ok(Call::ReadFile { file: client, length: 9, delivery });
    assert_eq!(read.output, Output::Data("x".into()));
    let connect = world.call(Call::ConnectNamedPipe { pipe: client, delivery });
    assert_eq!(connect.status, Status::ILLEGAL_FUNCTION);
}

// rules: NAME-63 tested, NAME-64 tested, NAME-65 tested, NAME-66 tested, NAME-67 tested, NAME-68 tested, NAME-69 tested, NAME-70 tested, WAIT-20 tested
#[test]
fn the_device_and_the_root_are_no_pipes() {
    let mut world = World::new();
    let device = world.handle(Call::NtCreateFile(NtCreateFile::new("\\??\\pipe")));
    let root = world.handle(Call::NtCreateFile(NtCreateFile::new("\\??\\pipe\\")));
    let server = world.handle(Call::CreateNamedPipe(CreateNamedPipe::new("\\\\.\\pipe\\a")));
    let delivery = npfs_abi::Delivery::Return;
    for file in [device, root] {
        let read = Call::ReadFile { file, length: 1, delivery };
        let write = Call::WriteFile { file, data: "x".into(), delivery };
        assert_eq!(world.call(read).status, Status::INVALID_PARAMETER);
        assert_eq!(world.call(write).status, Status::INVALID_PARAMETER);
        for (code, status) in [
            (fsctl::PEEK, Status::INVALID_PARAMETER),
            (fsctl::GET_CONNECTION_ATTRIBUTE, Status::INVALID_PARAMETER),
            (fsctl::ASSIGN_EVENT, Status::NOT_SUPPORTED),
            (fsctl::QUERY_EVENT, Status::NOT_SUPPORTED),
            (fsctl::SET_CLIENT_PROCESS, Status::NOT_SUPPORTED),
            (fsctl::DISCONNECT, Status::PIPE_DISCONNECTED),
            (fsctl::TRANSCEIVE, Status::PIPE_DISCONNECTED),
            (fsctl::LISTEN, Status::ILLEGAL_FUNCTION),
            (fsctl::IMPERSONATE, Status::ILLEGAL_FUNCTION),
            (fsctl::QUERY_CLIENT_PROCESS, Status::INVALID_PARAMETER),
        ] {
            assert_eq!(world.fsctl(file, code, "x", 64).status, status, "{code:#x}");
        }
    }
    for file in [device, server] {
        let wait = fsctl_wait(Some(0), "a");
        assert_eq!(world.fsctl(file, fsctl::WAIT, wait, 0).status, Status::ILLEGAL_FUNCTION);
    }
    let unknown = world.fsctl(root, fsctl::WAIT, fsctl_wait(Some(0), "q"), 0);
    assert_eq!(unknown.status, Status::OBJECT_NAME_NOT_FOUND);
}

// rules: NAME-71 tested, NAME-72 chosen, NAME-73 tested, NAME-77 tested, HANDLE-10 tested
#[test]
fn the_device_and_the_root_have_names_and_modes() {
    let mut world = World::new();
    let device = world.handle(Call::NtCreateFile(NtCreateFile::new("\\??\\pipe")));
    let options = option::SYNCHRONOUS_IO_NONALERT;
    let root = NtCreateFile { options, ..NtCreateFile::new("\\??\\pipe\\") };
    let root = world.handle(Call::NtCreateFile(root));
    let server = CreateNamedPipe::new("\\\\.\\pipe\\test_pipe");
    let server = world.handle(Call::CreateNamedPipe(server));
    let length = world.query(device, file_class::NAME, 0).status;
    assert_eq!(length, Status::INFO_LENGTH_MISMATCH);
    assert_eq!(world.query(device, file_class::NAME, 64).status, Status::INVALID_PARAMETER);
    let name = world.query(root, file_class::NAME, 64);
    assert_eq!(name.output, Output::Data((&[2, 0, 0, 0, b'\\', 0]).into()));
    let mode = world.query(root, file_class::MODE, 4);
    assert_eq!(mode.output, Output::Data((&0x20_u32.to_le_bytes()).into()));
    for (handle, name) in [
        (device, "\\Device\\NamedPipe"),
        (root, "\\Device\\NamedPipe\\"),
        (server, "\\Device\\NamedPipe\\test_pipe"),
    ] {
        let told = world.ok(Call::NtQueryObject { handle, class: object_class::NAME });
        assert_eq!(told.output, Output::Data(utf16(name)));
        let told = world.ok(Call::NtQueryObject { handle, class: object_class::TYPE });
        assert_eq!(told.output, Output::Data(utf16("File")));
        assert!(world.query(handle, file_class::ACCESS, 4).status.is_success());
        let flags = world.query(handle, file_class::IO_COMPLETION_NOTIFICATION, 4);
        assert!(flags.status.is_success());
    }
}

// rules: OPEN-09 tested, OPEN-11 reported, OPEN-12 chosen, OPEN-13 chosen, OPEN-14 tested, OPEN-15 tested, OPEN-20 tested, OPEN-21 tested
#[test]
fn opens_are_checked_in_order() {
    let mut world = World::new();
    let mut outbound = CreateNamedPipe::new("\\\\.\\pipe\\a");
    outbound.open_mode = CreateNamedPipe::ACCESS_OUTBOUND;
    world.ok(Call::CreateNamedPipe(outbound));
    let open = |access| NtCreateFile { access, share: 0, ..NtCreateFile::new("\\??\\pipe\\a") };
    let everything = opened(&mut world, open(Access::MAXIMUM_ALLOWED));
    assert_eq!(everything, Status::ACCESS_DENIED);
    let access = Access::GENERIC_READ.with(Access::WRITE_ATTRIBUTES);
    let options = option::SYNCHRONOUS_IO_NONALERT;
    let client = world.ok(Call::NtCreateFile(NtCreateFile { options, ..open(access) }));
    assert_eq!(client.information, 1);
    let Output::Handle(client) = client.output else { panic!("a handle") };
    let mode = world.query(client, file_class::MODE, 4);
    assert_eq!(mode.output, Output::Data((&0x20_u32.to_le_bytes()).into()));
    let failed = world.call(Call::NtCreateFile(open(Access::GENERIC_WRITE)));
    assert_eq!((failed.status, failed.output), (Status::ACCESS_DENIED, Output::None));
    let busy = opened(&mut world, open(Access::GENERIC_READ));
    assert_eq!(busy, Status::PIPE_NOT_AVAILABLE);

    let mut duplex = World::new();
    duplex.ok(Call::CreateNamedPipe(CreateNamedPipe::new("\\\\.\\pipe\\a")));
    let client = duplex.handle(Call::NtCreateFile(open(Access::GENERIC_WRITE)));
    assert_eq!(duplex.query(client, file_class::PIPE, 8).status, Status::ACCESS_DENIED);
}
