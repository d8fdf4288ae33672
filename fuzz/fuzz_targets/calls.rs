//! Any calls of several threads: no panic, every promise of `Kernel::check` after each step, an
//! undone step leaves no mark, and a repeated one answers the same.
#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use npfs_abi::{
    Access, Call, CreateFile, CreateNamedPipe, Data, Delivery, Fault, FaultEffect, FaultPoint,
    Handle, HandleStateQuery, NtCreateFile, NtCreateNamedPipeFile, ObjectAttributes, PipeAttribute,
    PipeName, ProcessId, Profile, RequestId, Status, Switch, ThreadId, Time, Token,
};
use npfs_kernel::{Kernel, ProcessSpec};

/// Nothing is longer than this, so that no input fills the memory.
const LONGEST: usize = 48;
const THREADS: u32 = 5;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let _ = play(&mut input);
});

fn play(u: &mut Unstructured<'_>) -> Result<()> {
    let mut kernel = system(u)?;
    kernel.track();
    let mut caused = Vec::new();
    for _ in 0..200 {
        if u.is_empty() {
            break;
        }
        caused.clear();
        if u.ratio(1, 12)? {
            let to = kernel.time().after(Time::from_millis(u.int_in_range(0..=90)?));
            kernel.advance(to, &mut caused);
            kernel.check();
            continue;
        }
        let thread = ThreadId(u.int_in_range(1..=THREADS)?);
        let call = call(u)?;
        let before = kernel.fingerprint();
        let mark = kernel.mark();
        let first = kernel.step(thread, &call, &mut caused);
        let told = std::mem::take(&mut caused);
        kernel.check();
        kernel.undo(mark);
        assert_eq!(kernel.fingerprint(), before, "an undone step leaves no mark: {call:?}");
        let again = kernel.step(thread, &call, &mut caused);
        assert_eq!((first, told), (again, std::mem::take(&mut caused)), "a step repeats: {call:?}");
    }
    let _ = kernel.dump();
    let _ = kernel.leaks();
    let _ = kernel.waiting();
    Ok(())
}

fn system(u: &mut Unstructured<'_>) -> Result<Kernel> {
    let mut profile = Profile::current();
    for _ in 0..u.int_in_range(0..=3)? {
        profile = profile.with(*u.choose(Switch::ALL)?);
    }
    let mut kernel = Kernel::with_profile(profile);
    let plain = ProcessSpec::default();
    let other = Token::user("bob", "S-1-5-21-1-2-3-1001".parse().expect("a SID"));
    let specs = [
        plain.clone(),
        ProcessSpec { token: other, session: 1, ..plain.clone() },
        ProcessSpec { computer: Some("BOX".into()), ..plain.clone() },
        ProcessSpec { declared: true, ..plain },
    ];
    for spec in specs {
        let process = kernel.add_process(spec);
        kernel.create_thread(process);
    }
    kernel.create_thread(ProcessId(1));
    for _ in 0..u.int_in_range(0..=2)? {
        let (point, _) = *u.choose(FaultPoint::ALL)?;
        let effect = if u.arbitrary()? {
            FaultEffect::Fail(Status::PIPE_BROKEN)
        } else {
            FaultEffect::Late(Time::from_millis(u.int_in_range(0..=40)?))
        };
        let nth = u.int_in_range(1..=3)?;
        kernel.add_fault(Fault { point, pipe: None, nth, effect });
    }
    Ok(kernel)
}

fn handle(u: &mut Unstructured<'_>) -> Result<Handle> {
    Ok(Handle(u.int_in_range(0..=10)? * 4))
}

fn data(u: &mut Unstructured<'_>) -> Result<Data> {
    let length = u.int_in_range(0..=LONGEST)?.min(u.len());
    Ok(Data::from(u.bytes(length)?.to_vec()))
}

fn length(u: &mut Unstructured<'_>) -> Result<u32> {
    Ok(*u.choose(&[0, 1, 2, 8, 16, 40, 64, 4096])?)
}

fn timeout(u: &mut Unstructured<'_>) -> Result<Option<u32>> {
    Ok(*u.choose(&[None, Some(0), Some(1), Some(30)])?)
}

fn event(u: &mut Unstructured<'_>) -> Result<Option<Handle>> {
    if u.arbitrary()? { Ok(Some(handle(u)?)) } else { Ok(None) }
}

fn delivery(u: &mut Unstructured<'_>) -> Result<Delivery> {
    Ok(match u.int_in_range(0..=3)? {
        0 => Delivery::Return,
        1 => Delivery::Overlapped { event: event(u)?, quiet: u.arbitrary()? },
        2 => Delivery::Routine,
        _ => Delivery::Nt { event: event(u)?, routine: u.arbitrary()?, context: u.arbitrary()? },
    })
}

fn path(u: &mut Unstructured<'_>) -> Result<PipeName> {
    const PATHS: &[&str] = &[
        "\\\\.\\pipe\\a",
        "\\\\.\\PIPE\\A",
        "\\\\.\\pipe\\b\\c",
        "\\\\.\\pipe\\b",
        "\\\\.\\pipe\\",
        "\\\\.\\pipe",
        "\\\\SERVER\\pipe\\a",
        "\\\\?\\pipe\\a",
        "x",
        "",
    ];
    Ok(PipeName::new(u.choose(PATHS)?))
}

fn nt_path(u: &mut Unstructured<'_>) -> Result<PipeName> {
    const PATHS: &[&str] = &[
        "\\Device\\NamedPipe\\a",
        "\\??\\pipe\\b",
        "\\Device\\NamedPipe\\",
        "\\Device\\NamedPipe",
        "a",
        "",
        "b\\c",
        "\\",
    ];
    Ok(PipeName::new(u.choose(PATHS)?))
}

fn attributes(u: &mut Unstructured<'_>) -> Result<Option<ObjectAttributes>> {
    if u.ratio(1, 20)? {
        return Ok(None);
    }
    let name = if u.ratio(1, 20)? { None } else { Some(nt_path(u)?) };
    Ok(Some(ObjectAttributes { root: event(u)?, name, inherit: u.arbitrary()? }))
}

fn access(u: &mut Unstructured<'_>) -> Result<Access> {
    const MASKS: &[u32] =
        &[0, 0xC000_0000, 0x8000_0000, 0x4000_0000, 0x10_0080, 0x0200_0000, 0x1F_01FF, 1, 2, 4];
    Ok(Access(*u.choose(MASKS)?))
}

fn create(u: &mut Unstructured<'_>) -> Result<Call> {
    let mut create = CreateNamedPipe::new("");
    create.name = path(u)?;
    create.open_mode = u.int_in_range(0..=3)?;
    if u.arbitrary()? {
        create.open_mode |= CreateNamedPipe::OVERLAPPED;
    }
    if u.ratio(1, 8)? {
        create.open_mode |= CreateNamedPipe::FIRST_INSTANCE;
    }
    create.pipe_mode = u.int_in_range(0..=15)?;
    create.max_instances = *u.choose(&[1, 2, 3, 255, 0])?;
    create.in_buffer = u.int_in_range(0..=20)?;
    create.out_buffer = u.int_in_range(0..=20)?;
    create.default_timeout = u.int_in_range(0..=30)?;
    create.inherit = u.arbitrary()?;
    create.security = security(u)?;
    Ok(Call::CreateNamedPipe(create))
}

fn security(u: &mut Unstructured<'_>) -> Result<Option<npfs_abi::SecurityDescriptor>> {
    const TEXTS: &[&str] = &["D:NO_ACCESS_CONTROL", "D:(A;;GA;;;WD)", "D:(A;;GR;;;WD)", "D:"];
    if u.arbitrary()? {
        return Ok(None);
    }
    Ok(u.choose(TEXTS)?.parse().ok())
}

/// One more call: add an arm, and raise the range.
fn call(u: &mut Unstructured<'_>) -> Result<Call> {
    Ok(match u.int_in_range(0..=54)? {
        0..=2 => create(u)?,
        3..=5 => {
            let mut open = CreateFile::new("");
            open.name = path(u)?;
            open.access = access(u)?;
            open.flags = *u.choose(&[0, CreateFile::OVERLAPPED, 0x0010_0000, 0x0016_0000])?;
            open.inherit = u.arbitrary()?;
            Call::CreateFile(open)
        }
        6 => Call::CreatePipe { size: u.int_in_range(0..=9)?, inherit: u.arbitrary()? },
        7 | 8 => Call::ConnectNamedPipe { pipe: handle(u)?, delivery: delivery(u)? },
        9 => Call::DisconnectNamedPipe { pipe: handle(u)? },
        10 => Call::WaitNamedPipe { name: path(u)?, timeout: u.int_in_range(0..=20)? },
        11..=13 => Call::ReadFile { file: handle(u)?, length: length(u)?, delivery: delivery(u)? },
        14..=16 => Call::WriteFile { file: handle(u)?, data: data(u)?, delivery: delivery(u)? },
        17 => Call::PeekNamedPipe { pipe: handle(u)?, length: length(u)? },
        18 => Call::TransactNamedPipe {
            pipe: handle(u)?,
            data: data(u)?,
            length: length(u)?,
            delivery: delivery(u)?,
        },
        19 => Call::FlushFileBuffers { file: handle(u)? },
        20 => Call::GetNamedPipeInfo { pipe: handle(u)? },
        21 => Call::GetNamedPipeHandleState {
            pipe: handle(u)?,
            query: HandleStateQuery {
                collection_count: u.arbitrary()?,
                collect_timeout: u.arbitrary()?,
                user: u.arbitrary()?,
            },
        },
        22 => Call::SetNamedPipeHandleState {
            pipe: handle(u)?,
            mode: *u.choose(&[None, Some(0), Some(1), Some(2), Some(3), Some(9)])?,
            collection_count: *u.choose(&[None, Some(0), Some(10)])?,
            collect_timeout: *u.choose(&[None, Some(0), Some(10)])?,
        },
        23 => Call::QueryLocalInformation { pipe: handle(u)? },
        24 => Call::GetFileType { file: handle(u)? },
        25 | 26 => Call::CloseHandle { handle: handle(u)? },
        27 => Call::DuplicateHandle {
            handle: handle(u)?,
            target: if u.arbitrary()? { Some(ProcessId(u.int_in_range(1..=5)?)) } else { None },
            access: if u.arbitrary()? { Some(access(u)?) } else { None },
            inherit: u.arbitrary()?,
        },
        28 => Call::SetHandleInformation { handle: handle(u)?, inherit: u.arbitrary()? },
        29 => Call::CreateEvent { manual: u.arbitrary()?, signaled: u.arbitrary()? },
        30 => Call::SetEvent { event: handle(u)? },
        31 => Call::ResetEvent { event: handle(u)? },
        32 => {
            let mut handles = Vec::new();
            for _ in 0..u.int_in_range(0..=3)? {
                handles.push(handle(u)?);
            }
            Call::WaitForObjects {
                handles,
                all: u.arbitrary()?,
                timeout: timeout(u)?,
                alertable: u.arbitrary()?,
            }
        }
        33 => Call::Sleep { timeout: timeout(u)?, alertable: u.arbitrary()? },
        34 => Call::CancelIo { file: handle(u)? },
        35 => Call::CancelIoEx { file: handle(u)?, request: request(u)? },
        36 => Call::CancelSynchronousIo {
            thread: ThreadId(u.int_in_range(0..=6)?),
            request: request(u)?,
        },
        37 => Call::CreateProcess {
            process: ProcessId(u.int_in_range(1..=5)?),
            inherit: u.arbitrary()?,
        },
        38 if u.ratio(1, 4)? => Call::ExitThread,
        39 if u.ratio(1, 4)? => {
            Call::TerminateProcess { process: Some(ProcessId(u.int_in_range(1..=5)?)) }
        }
        40 => {
            let mut create = NtCreateNamedPipeFile::new("");
            create.attributes = attributes(u)?;
            create.security = security(u)?;
            create.access = access(u)?;
            create.share = u.int_in_range(0..=4)?;
            create.disposition = u.int_in_range(0..=5)?;
            create.options = *u.choose(&[0, 0x10, 0x20, 0x30, 2])?;
            create.pipe_type = u.int_in_range(0..=4)?;
            create.read_mode = u.int_in_range(0..=2)?;
            create.completion_mode = u.int_in_range(0..=2)?;
            create.max_instances = *u.choose(&[0, 1, 2, u32::MAX])?;
            create.inbound_quota = u.int_in_range(0..=20)?;
            create.default_timeout = *u.choose(&[None, Some(-1), Some(0), Some(i64::MIN)])?;
            Call::NtCreateNamedPipeFile(create)
        }
        41 => {
            let mut open = NtCreateFile::new("");
            open.attributes = attributes(u)?;
            open.access = access(u)?;
            open.options = *u.choose(&[0, 0x10, 0x20, 2])?;
            Call::NtCreateFile(open)
        }
        42 => Call::ReOpenFile {
            file: handle(u)?,
            access: access(u)?,
            flags: *u.choose(&[0, CreateFile::OVERLAPPED])?,
        },
        43 | 44 => Call::NtFsControlFile {
            file: handle(u)?,
            code: control_code(u)?,
            input: data(u)?,
            length: length(u)?,
            delivery: delivery(u)?,
        },
        45 => Call::NtQueryInformationFile {
            file: handle(u)?,
            class: u.int_in_range(0..=45)?,
            length: length(u)?,
        },
        46 => Call::NtSetInformationFile {
            file: handle(u)?,
            class: u.int_in_range(0..=45)?,
            input: data(u)?,
        },
        47 => Call::NtQueryVolumeInformationFile {
            file: handle(u)?,
            class: u.int_in_range(0..=9)?,
            length: length(u)?,
        },
        48 => Call::NtQueryDirectoryFile {
            file: handle(u)?,
            class: *u.choose(&[1, 2, 3, 12, 7])?,
            length: length(u)?,
            pattern: u.choose(&[None, Some("*"), Some("?*"), Some("A")])?.map(PipeName::new),
            restart: u.arbitrary()?,
            single: u.arbitrary()?,
        },
        49 => Call::NtNotifyChangeDirectoryFile {
            file: handle(u)?,
            filter: u.int_in_range(0..=3)?,
            delivery: delivery(u)?,
        },
        50 => Call::NtQueryObject { handle: handle(u)?, class: u.int_in_range(0..=3)? },
        51 => Call::GetNamedPipeAttribute {
            pipe: handle(u)?,
            attribute: u.choose(PipeAttribute::ALL)?.0,
        },
        52 => port_call(u)?,
        53 => identity_call(u)?,
        _ => Call::QueueUserAPC { thread: ThreadId(u.int_in_range(0..=6)?) },
    })
}

fn control_code(u: &mut Unstructured<'_>) -> Result<u32> {
    let function: u32 = u.int_in_range(0..=22)?;
    Ok(*u.choose(&[0x11_0000 | function << 2, 0x11_400C, 0x11_C017, 0x11_8040, 0x11_0018])?)
}

fn request(u: &mut Unstructured<'_>) -> Result<Option<RequestId>> {
    if u.arbitrary()? {
        return Ok(None);
    }
    let thread = ThreadId(u.int_in_range(1..=THREADS)?);
    Ok(Some(RequestId { thread, call: u.int_in_range(1..=30)? }))
}

fn port_call(u: &mut Unstructured<'_>) -> Result<Call> {
    Ok(match u.int_in_range(0..=3)? {
        0 => Call::CreateIoCompletionPort {
            file: event(u)?,
            port: event(u)?,
            key: 1,
            concurrency: u.int_in_range(0..=2)?,
        },
        1 => Call::GetQueuedCompletionStatus {
            port: handle(u)?,
            count: u.int_in_range(0..=3)?,
            timeout: timeout(u)?,
            alertable: u.arbitrary()?,
        },
        2 => Call::PostQueuedCompletionStatus { port: handle(u)?, bytes: 0, key: 2, overlapped: 3 },
        _ => Call::SetFileCompletionNotificationModes {
            file: handle(u)?,
            flags: u.int_in_range(0..=3)?,
        },
    })
}

fn identity_call(u: &mut Unstructured<'_>) -> Result<Call> {
    Ok(match u.int_in_range(0..=7)? {
        0 => Call::ImpersonateNamedPipeClient { pipe: handle(u)? },
        1 => Call::RevertToSelf,
        2 => Call::SetThreadToken { token: Some(Token::anonymous()) },
        3 => Call::GetThreadToken,
        4 => Call::NtQuerySecurityObject {
            handle: handle(u)?,
            information: u.int_in_range(0..=15)?,
            length: *u.choose(&[None, Some(0), Some(500)])?,
        },
        5 => Call::NtSetSecurityObject {
            handle: handle(u)?,
            information: u.int_in_range(0..=15)?,
            descriptor: security(u)?.unwrap_or_default(),
        },
        6 => Call::OpenThread { thread: ThreadId(u.int_in_range(0..=6)?) },
        _ => Call::OpenProcess { process: ProcessId(u.int_in_range(0..=5)?) },
    })
}
