//! The Nt functions: statuses, and ends told by event, routine and packet.

use crate::common::*;
use crate::ports::{bind, is_empty, port};
use npfs_win32::Wdk::Foundation::*;
use npfs_win32::Wdk::Storage::FileSystem::*;
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::IO::*;
use npfs_win32::Win32::System::Threading::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

const SHARE: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE;
const ACCESS: u32 = GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE;

struct Name {
    _units: Vec<u16>,
    string: Box<UNICODE_STRING>,
}

fn name(text: &str) -> Name {
    let mut units: Vec<u16> = text.encode_utf16().collect();
    let length = 2 * units.len() as u16;
    let string =
        UNICODE_STRING { Length: length, MaximumLength: length, Buffer: units.as_mut_ptr() };
    Name { _units: units, string: Box::new(string) }
}

fn attributes(root: HANDLE, name: Option<&Name>) -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: root,
        ObjectName: name.map_or(null(), |name| &*name.string),
        ..OBJECT_ATTRIBUTES::default()
    }
}

fn block() -> Box<IO_STATUS_BLOCK> {
    let mut block = Box::<IO_STATUS_BLOCK>::default();
    block.Anonymous.Status = 0x5555_5555;
    block.Information = 0x55;
    block
}

fn seen(block: &IO_STATUS_BLOCK) -> (u32, usize) {
    (unsafe { block.Anonymous.Status } as u32, block.Information)
}

fn create(attributes: &OBJECT_ATTRIBUTES, block: &mut IO_STATUS_BLOCK) -> (NTSTATUS, HANDLE) {
    let mut file = INVALID_HANDLE_VALUE;
    let timeout = -500_000;
    let status = unsafe {
        NtCreateNamedPipeFile(
            &mut file,
            ACCESS,
            attributes,
            block,
            SHARE,
            FILE_CREATE,
            0,
            0,
            0,
            0,
            1,
            64,
            64,
            &timeout,
        )
    };
    (status, file)
}

fn open(attributes: &OBJECT_ATTRIBUTES, block: &mut IO_STATUS_BLOCK) -> (NTSTATUS, HANDLE) {
    let mut file = INVALID_HANDLE_VALUE;
    let status = unsafe { NtOpenFile(&mut file, ACCESS, attributes, block, SHARE, 0) };
    (status, file)
}

fn pair() -> (HANDLE, HANDLE) {
    let path = name(r"\Device\NamedPipe\nt");
    let (mut made, mut opened) = (block(), block());
    let (status, server) = create(&attributes(null_mut(), Some(&path)), &mut made);
    assert_eq!((status, seen(&made)), (STATUS_SUCCESS, (0, 2))); // CREATE-29
    let (status, client) = open(&attributes(null_mut(), Some(&path)), &mut opened);
    assert_eq!((status, seen(&opened)), (STATUS_SUCCESS, (0, 1))); // OPEN-14
    (server, client)
}

#[test]
fn name_30_to_36_bad_attributes_and_a_handle_of_zero() {
    inside(|_| unsafe {
        let mut block = block();
        let mut file = INVALID_HANDLE_VALUE;
        let status = NtOpenFile(&mut file, ACCESS, null(), &mut *block, SHARE, 0);
        assert_eq!((status, file), (STATUS_INVALID_PARAMETER, null_mut()));
        let path = name(r"\??\pipe\nobody");
        let mut wrong = attributes(null_mut(), Some(&path));
        wrong.Length = 3;
        assert_eq!(create(&wrong, &mut block), (STATUS_INVALID_PARAMETER, null_mut()));
        let mut odd = name(r"\??\pipe\odd");
        odd.string.Length -= 1;
        let status = create(&attributes(null_mut(), Some(&odd)), &mut block).0;
        assert_eq!(status, STATUS_OBJECT_NAME_INVALID); // NAME-22
        let status = NtOpenFile(null_mut(), ACCESS, &wrong, &mut *block, SHARE, 0);
        assert_eq!(status, STATUS_ACCESS_VIOLATION);
        let found = open(&attributes(null_mut(), Some(&path)), &mut block);
        assert_eq!(found, (STATUS_OBJECT_NAME_NOT_FOUND, null_mut()));
        assert_eq!(seen(&block), (0x5555_5555, 0x55));
    });
}

#[test]
fn name_43_46_a_nameless_pipe_as_std_makes_it() {
    inside(|_| unsafe {
        let (mut block, root_name, empty) = (block(), name(r"\??\pipe\"), name(""));
        let (status, root) = open(&attributes(null_mut(), Some(&root_name)), &mut block);
        assert_eq!(status, STATUS_SUCCESS);
        let (status, server) = create(&attributes(root, Some(&empty)), &mut block);
        assert_eq!(status, STATUS_SUCCESS);
        let (status, client) = open(&attributes(server, Some(&empty)), &mut block);
        assert_eq!(status, STATUS_SUCCESS);
        let (status, again) = open(&attributes(server, Some(&empty)), &mut block);
        assert_eq!((status, again), (STATUS_PIPE_NOT_AVAILABLE, null_mut()));
        let mut write = overlapped();
        succeeds(WriteFile(client, b"x".as_ptr(), 1, null_mut(), &mut *write));
        let (mut byte, mut read) = (0, overlapped());
        succeeds(ReadFile(server, &mut byte, 1, null_mut(), &mut *read));
        assert_eq!(byte, b'x');
    });
}

/// Begins a read of 8 bytes.
unsafe fn read(
    file: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *const c_void,
    block: &mut IO_STATUS_BLOCK,
    buffer: &mut [u8; 8],
) -> NTSTATUS {
    let at = buffer.as_mut_ptr().cast();
    unsafe { NtReadFile(file, event, routine, context, block, at, 8, null(), null()) }
}

unsafe fn write(file: HANDLE, data: &[u8], block: &mut IO_STATUS_BLOCK) -> NTSTATUS {
    let (none, length) = (null_mut(), data.len() as u32);
    let at = data.as_ptr().cast();
    unsafe { NtWriteFile(file, none, None, null(), block, at, length, null(), null()) }
}

#[test]
fn event_05_06_07_blocks_of_failures_pending_and_ended_operations() {
    inside(|_| unsafe {
        let (server, client) = pair();
        let (mut first, mut second, mut wrote) = (block(), block(), block());
        let (mut buffer, mut other) = ([0; 8], [0; 8]);
        let event = event();
        SetEvent(event);
        let status = read(server, event, None, null(), &mut first, &mut buffer);
        assert_eq!((status, seen(&first)), (STATUS_PENDING, (0x5555_5555, 0x55)));
        assert_eq!(WaitForSingleObject(event, 0), WAIT_TIMEOUT); // EVENT-01
        assert_eq!(write(client, b"now", &mut wrote), STATUS_SUCCESS);
        assert_eq!((seen(&wrote), seen(&first)), ((0, 3), (0, 3)));
        assert_eq!((WaitForSingleObject(event, 0), &buffer[..3]), (WAIT_OBJECT_0, &b"now"[..]));
        NtClose(client);
        let status = read(server, event, None, null(), &mut second, &mut other);
        assert_eq!((status, seen(&second)), (STATUS_PIPE_BROKEN, (0x5555_5555, 0x55)));
        assert_eq!(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
        let status = read(server, server, None, null(), &mut second, &mut other);
        assert_eq!(status, STATUS_OBJECT_TYPE_MISMATCH);
    });
}

#[test]
fn iocp_01_12_a_packet_carries_the_context_and_a_routine_is_refused() {
    unsafe extern "system" fn never(_: *mut c_void, _: *mut IO_STATUS_BLOCK, _: u32) {
        panic!("refused");
    }
    inside(|_| unsafe {
        let (server, client) = pair();
        let port = port();
        bind(server, port, 4);
        let (mut block, mut buffer) = (block(), [0; 8]);
        let context = std::ptr::without_provenance::<c_void>(0xC0DE);
        let status = read(server, null_mut(), Some(never), null(), &mut block, &mut buffer);
        assert_eq!(status, STATUS_INVALID_PARAMETER);
        let status = read(server, null_mut(), None, context, &mut block, &mut buffer);
        assert_eq!(status, STATUS_PENDING);
        write(client, b"data", &mut self::block());
        let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
        succeeds(GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, 0));
        assert_eq!((bytes, key, overlapped.addr()), (4, 4, 0xC0DE));
        // IOCP-05: no context, no packet.
        read(server, null_mut(), None, null(), &mut block, &mut buffer);
        write(client, b"data", &mut self::block());
        assert!(is_empty(port));
        assert_eq!(seen(&block), (0, 4));
    });
}

#[test]
fn apc_01_04_05_06_12_a_routine_runs_in_an_alertable_wait_with_the_block_final() {
    unsafe extern "system" fn routine(
        context: *mut c_void,
        block: *mut IO_STATUS_BLOCK,
        zero: u32,
    ) {
        let ran: *mut Vec<(u32, usize, u32)> = context.cast();
        unsafe {
            let (status, information) = seen(&*block);
            (*ran).push((status, information, zero));
        }
    }
    inside(|_| unsafe {
        let (server, client) = pair();
        let mut ran: Box<Vec<(u32, usize, u32)>> = Box::default();
        let context: *const c_void = (&raw mut *ran).cast();
        let (mut first, mut second, mut buffer) = (block(), block(), [0; 8]);
        read(server, null_mut(), Some(routine), context, &mut first, &mut buffer);
        write(client, b"one", &mut block());
        assert_eq!(SleepEx(0, 0), 0);
        assert!(ran.is_empty());
        read(server, null_mut(), Some(routine), context, &mut second, &mut buffer);
        let mut canceled = block();
        assert_eq!(NtCancelIoFileEx(server, &*second, &mut *canceled), STATUS_SUCCESS);
        assert_eq!(seen(&canceled), (0, 0));
        assert_eq!(SleepEx(INFINITE, 1), WAIT_IO_COMPLETION);
        assert_eq!(*ran, [(0, 3, 0), (0xC000_0120, 0, 0)]);
        assert_eq!(NtCancelIoFileEx(server, null(), &mut *canceled), STATUS_NOT_FOUND);
        assert_eq!(seen(&canceled).0, STATUS_NOT_FOUND as u32);
    });
}

#[test]
fn peek_15_20_a_control_code_in_bytes() {
    inside(|_| unsafe {
        let (server, client) = pair();
        write(client, b"peeked", &mut block());
        let mut out = [0xFFu8; 32];
        let event = event();
        let mut block = block();
        let status = NtFsControlFile(
            server,
            event,
            None,
            null(),
            &mut *block,
            FSCTL_PIPE_PEEK,
            null(),
            0,
            out.as_mut_ptr().cast(),
            32,
        );
        // Over at once, and told as if it had pended.
        assert_eq!((status, seen(&block)), (STATUS_PENDING, (0, 22)));
        assert_eq!(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        let number =
            |at: usize| u32::from_le_bytes([out[at], out[at + 1], out[at + 2], out[at + 3]]);
        assert_eq!((number(0), number(4), &out[16..22], out[22]), (3, 6, &b"peeked"[..], 0xFF));
    });
}

#[test]
fn info_classes_in_bytes() {
    inside(|_| unsafe {
        let (server, _client) = pair();
        let mut block = block();
        let mut local = FILE_PIPE_LOCAL_INFORMATION::default();
        let size = size_of::<FILE_PIPE_LOCAL_INFORMATION>() as u32;
        let at = (&raw mut local).cast();
        let status =
            NtQueryInformationFile(server, &mut *block, at, size, FilePipeLocalInformation);
        assert_eq!((status, seen(&block)), (STATUS_SUCCESS, (0, 40)));
        let fields = (local.MaximumInstances, local.InboundQuota, local.NamedPipeState);
        assert_eq!(fields, (1, 64, 3));
        let status = NtQueryInformationFile(server, &mut *block, at, 4, FilePipeLocalInformation);
        assert_eq!(status, STATUS_INFO_LENGTH_MISMATCH); // INFO-02
        let mode = FILE_PIPE_INFORMATION { ReadMode: 0, CompletionMode: 1 };
        let at = (&raw const mode).cast();
        let status = NtSetInformationFile(server, &mut *block, at, 8, FilePipeInformation);
        assert_eq!(status, STATUS_SUCCESS);
        let mut wait = self::block();
        let mut buffer = [0; 8];
        let status = read(server, null_mut(), None, null(), &mut wait, &mut buffer);
        assert_eq!(status, STATUS_PIPE_EMPTY);
        let mut device = [0u32; 2];
        let at = device.as_mut_ptr().cast();
        let status =
            NtQueryVolumeInformationFile(server, &mut *block, at, 8, FileFsDeviceInformation);
        assert_eq!((status, device[0]), (STATUS_SUCCESS, 0x11)); // INFO-86
        assert_eq!(NtFlushBuffersFile(server, &mut *block), STATUS_SUCCESS);
    });
}

#[test]
fn handle_10_the_name_of_an_end() {
    inside(|_| unsafe {
        let (server, _client) = pair();
        let mut out = [0usize; 32];
        let mut returned = 0;
        let at = out.as_mut_ptr().cast();
        let class = 1; // ObjectNameInformation
        let status = NtQueryObject(server, class, at, 256, &mut returned);
        assert_eq!(status, STATUS_SUCCESS);
        let string: UNICODE_STRING = std::ptr::read(at.cast());
        let units = std::slice::from_raw_parts(string.Buffer, usize::from(string.Length) / 2);
        assert_eq!(String::from_utf16_lossy(units), r"\Device\NamedPipe\nt");
        let status = NtQueryObject(server, class, at, 8, &mut returned);
        assert_eq!((status, returned), (STATUS_INFO_LENGTH_MISMATCH, 16 + 40 + 2));
        let mut path = [0u16; 40];
        let length =
            GetFinalPathNameByHandleW(server, path.as_mut_ptr(), 40, VOLUME_NAME_NT) as usize;
        assert_eq!(String::from_utf16_lossy(&path[..length]), r"\Device\NamedPipe\nt");
        assert_eq!(GetFinalPathNameByHandleW(server, path.as_mut_ptr(), 3, VOLUME_NAME_NT), 21);
        assert_eq!(GetFinalPathNameByHandleW(server, path.as_mut_ptr(), 40, VOLUME_NAME_DOS), 0);
    });
}

#[test]
fn dir_01_03_05_a_listing_in_bytes() {
    inside(|_| unsafe {
        let (_server, _client) = pair();
        let (mut block, path) = (block(), name(r"\??\pipe\"));
        let (status, root) = open(&attributes(null_mut(), Some(&path)), &mut block);
        assert_eq!(status, STATUS_SUCCESS);
        let mut out = [0u64; 64];
        let list = |block: &mut IO_STATUS_BLOCK, out: &mut [u64; 64]| {
            NtQueryDirectoryFile(
                root,
                null_mut(),
                None,
                null(),
                block,
                out.as_mut_ptr().cast(),
                512,
                FileNamesInformation,
                true,
                null(),
                false,
            )
        };
        assert_eq!(list(&mut block, &mut out), STATUS_SUCCESS);
        let entry: *const FILE_NAMES_INFORMATION = out.as_ptr().cast();
        let units = std::slice::from_raw_parts((&raw const (*entry).FileName).cast::<u16>(), 2);
        assert_eq!(String::from_utf16_lossy(units), "nt");
        assert_eq!(list(&mut block, &mut out), STATUS_NO_MORE_FILES);
    });
}

unsafe extern "system" fn mark(data: usize) {
    unsafe { *std::ptr::with_exposed_provenance_mut::<u32>(data) += 1 };
}

#[test]
fn sync_16_connect_21_a_routine_ends_a_blocked_call_and_a_wait_for_the_lock() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let pipe = process.enter(|| unsafe {
        let (mut file, mut made, path) = (null_mut(), block(), name(r"\??\pipe\alert"));
        let (timeout, found) = (-500_000, attributes(null_mut(), Some(&path)));
        let (file_at, at) = (&mut file, &mut *made);
        let alert = FILE_SYNCHRONOUS_IO_ALERT;
        let status = NtCreateNamedPipeFile(
            file_at,
            ACCESS,
            &found,
            at,
            SHARE,
            FILE_CREATE,
            alert,
            0,
            0,
            0,
            1,
            64,
            64,
            &timeout,
        );
        assert_eq!(status, STATUS_SUCCESS);
        file.addr()
    });
    let handle = move || std::ptr::without_provenance_mut(pipe);
    let mut ran = Box::new(0u32);
    let data = (&raw mut *ran).expose_provenance();
    // The first listens and has the lock; the second waits for the lock.
    let first = process.spawn("first", move || unsafe {
        (npfs_win32::Win32::System::Pipes::ConnectNamedPipe(handle(), null_mut()), last_error())
    });
    process.enter(|| unsafe { Sleep(1) });
    let second = process.spawn("second", move || unsafe {
        let (mut block, mut buffer) = (block(), [0; 8]);
        let status = read(handle(), null_mut(), None, null(), &mut block, &mut buffer);
        (status, seen(&block))
    });
    let (one, other) = (first.thread().0, second.thread().0);
    process.enter(|| unsafe {
        Sleep(1);
        QueueUserAPC(Some(mark), OpenThread(THREAD_ALL_ACCESS, 0, other), data);
    });
    // The operation was not begun, so its block is as it was.
    assert_eq!(second.join().expect("no panic"), (STATUS_USER_APC, (0x5555_5555, 0x55)));
    process.enter(|| unsafe {
        QueueUserAPC(Some(mark), OpenThread(THREAD_ALL_ACCESS, 0, one), data);
    });
    assert_eq!(first.join().expect("no panic"), (0, ERROR_OPERATION_ABORTED));
    assert_eq!(*ran, 2);
}
