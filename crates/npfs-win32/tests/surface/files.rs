//! The functions of `Win32::Storage::FileSystem` that the other groups do not reach.

use crate::common::*;
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Security::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::Pipes::*;
use npfs_win32::Win32::System::Threading::*;
use std::ptr::{null, null_mut};

#[test]
fn opens_in_every_form() {
    inside(|_| unsafe {
        let pipe = server(0);
        let name = wide(NAME);
        let parameters = CREATEFILE2_EXTENDED_PARAMETERS {
            dwSize: size_of::<CREATEFILE2_EXTENDED_PARAMETERS>() as u32,
            dwFileFlags: FILE_FLAG_OVERLAPPED,
            ..CREATEFILE2_EXTENDED_PARAMETERS::default()
        };
        let file = CreateFile2(name.as_ptr(), GENERIC_READ, 0, OPEN_EXISTING, &parameters);
        assert_ne!(file, INVALID_HANDLE_VALUE);
        // It is overlapped: a port can be bound.
        crate::ports::bind(file, crate::ports::port(), 1);
        CloseHandle(file);
        DisconnectNamedPipe(pipe);
        let again = server(FILE_FLAG_OVERLAPPED);
        // OPEN-15: any disposition opens what exists; two of them say that it did.
        let file = CreateFileW(name.as_ptr(), GENERIC_READ, 0, null(), OPEN_ALWAYS, 0, null_mut());
        assert_ne!(file, INVALID_HANDLE_VALUE);
        assert_eq!(last_error(), ERROR_ALREADY_EXISTS);
        // HANDLE-07, NAME-49
        DisconnectNamedPipe(again);
        let busy = ReOpenFile(again, GENERIC_READ, 0, 0);
        assert_eq!((busy, last_error()), (INVALID_HANDLE_VALUE, ERROR_PIPE_BUSY));
    });
}

#[test]
fn name_49_a_server_end_is_reopened_as_a_client_end() {
    inside(|_| unsafe {
        let pipe = server(FILE_FLAG_OVERLAPPED);
        let file = ReOpenFile(pipe, GENERIC_READ, 0, 0);
        assert_ne!(file, INVALID_HANDLE_VALUE);
        succeeds(WriteFile(pipe, b"x".as_ptr(), 1, null_mut(), &mut *overlapped()));
        let (mut byte, mut count) = (0, 0);
        succeeds(ReadFile(file, &mut byte, 1, &mut count, null_mut()));
        assert_eq!((byte, count), (b'x', 1));
        fails(ConnectNamedPipe(file, null_mut()), ERROR_INVALID_FUNCTION);
    });
}

#[test]
fn open_19_asking_for_attributes_uses_an_instance_up() {
    inside(|_| unsafe {
        let pipe = server(FILE_FLAG_OVERLAPPED);
        assert_eq!(GetFileAttributesW(wide(NAME).as_ptr()), FILE_ATTRIBUTE_NORMAL);
        fails(ConnectNamedPipe(pipe, &mut *overlapped()), ERROR_NO_DATA);
        let nobody = c"\\\\.\\pipe\\nobody".as_ptr().cast();
        assert_eq!(GetFileAttributesA(nobody), INVALID_FILE_ATTRIBUTES);
        assert_eq!(last_error(), ERROR_FILE_NOT_FOUND);
    });
}

#[test]
fn info_70_73_information_by_handle() {
    inside(|_| unsafe {
        let (server, _client) = connected();
        let mut standard = FILE_STANDARD_INFO::default();
        let at = (&raw mut standard).cast();
        let size = size_of::<FILE_STANDARD_INFO>() as u32;
        succeeds(GetFileInformationByHandleEx(server, FileStandardInfo, at, size));
        assert_eq!((standard.AllocationSize, standard.NumberOfLinks), (128, 1));
        let mut name = [0u32; 16];
        let at = name.as_mut_ptr().cast();
        succeeds(GetFileInformationByHandleEx(server, FileNameInfo, at, 64));
        assert_eq!(name[0], 10); // "\test"
        fails(GetFileInformationByHandleEx(server, FileStandardInfo, at, 4), ERROR_BAD_LENGTH);
        fails(GetFileInformationByHandleEx(server, 99, at, 64), ERROR_INVALID_PARAMETER);
        // INFO-75
        let basic = FILE_BASIC_INFO::default();
        let at = (&raw const basic).cast();
        let size = size_of::<FILE_BASIC_INFO>() as u32;
        succeeds(SetFileInformationByHandle(server, FileBasicInfo, at, size));
    });
}

#[test]
fn dir_03_11_the_pipes_that_there_are() {
    inside(|_| unsafe {
        for name in [r"\\.\pipe\one", r"\\.\pipe\Two\x", r"\\.\pipe\one"] {
            let name = wide(name);
            CreateNamedPipeW(name.as_ptr(), PIPE_ACCESS_DUPLEX, 0, 255, 0, 0, 0, null());
        }
        let mut data = WIN32_FIND_DATAW::default();
        let search = FindFirstFileW(wide(r"\\.\pipe\*").as_ptr(), &mut data);
        assert_ne!(search, INVALID_HANDLE_VALUE);
        let mut seen = Vec::new();
        loop {
            let length = data.cFileName.iter().position(|unit| *unit == 0).unwrap_or(0);
            let name = String::from_utf16_lossy(&data.cFileName[..length]);
            seen.push((name, data.nFileSizeLow));
            if FindNextFileW(search, &mut data) == 0 {
                break;
            }
        }
        assert_eq!(last_error(), ERROR_NO_MORE_FILES);
        succeeds(FindClose(search));
        seen.sort();
        assert_eq!(seen, [(r"Two\x".to_owned(), 1), ("one".to_owned(), 2)]);
        let mut data = WIN32_FIND_DATAA::default();
        let search = FindFirstFileA(c"\\\\.\\pipe\\t*".as_ptr().cast(), &mut data);
        assert_ne!(search, INVALID_HANDLE_VALUE);
        assert_eq!(data.cFileName[0] as u8, b'T');
        fails(FindNextFileA(search, &mut data), ERROR_NO_MORE_FILES);
        FindClose(search);
        let none = FindFirstFileA(c"\\\\.\\pipe\\z*".as_ptr().cast(), &mut data);
        assert_eq!((none, last_error()), (INVALID_HANDLE_VALUE, ERROR_FILE_NOT_FOUND));
    });
}

#[test]
fn sec_06_a_descriptor_in_memory_says_who_may_open() {
    // Deny everyone, self-relative: header, one entry.
    fn relative(entry_type: u8) -> Vec<u8> {
        let mut bytes = vec![1, 0, 4, 0x80];
        bytes.extend([0; 12]);
        bytes.extend(20u32.to_le_bytes()); // The DACL's offset.
        bytes.extend([2, 0, 28, 0, 1, 0, 0, 0]); // Revision, size, count.
        bytes.extend([entry_type, 0, 20, 0]);
        bytes.extend(0x1F_01FFu32.to_le_bytes());
        bytes.extend([1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]); // S-1-1-0
        bytes
    }
    for (entry_type, code) in [(1, ERROR_ACCESS_DENIED), (0, 0)] {
        inside(|_| unsafe {
            let mut descriptor = relative(entry_type);
            let attributes = SECURITY_ATTRIBUTES {
                nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
                lpSecurityDescriptor: descriptor.as_mut_ptr().cast(),
                bInheritHandle: 1,
            };
            let name = wide(NAME);
            let pipe =
                CreateNamedPipeW(name.as_ptr(), PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, &attributes);
            assert_ne!(pipe, INVALID_HANDLE_VALUE);
            let mut flags = 0;
            succeeds(GetHandleInformation(pipe, &mut flags));
            assert_eq!(flags, HANDLE_FLAG_INHERIT);
            let file =
                CreateFileW(name.as_ptr(), GENERIC_READ, 0, null(), OPEN_EXISTING, 0, null_mut());
            assert_eq!((file == INVALID_HANDLE_VALUE, last_error()), (code != 0, code));
        });
    }
    // A null DACL in absolute form: pointers.
    inside(|_| unsafe {
        let mut absolute = SECURITY_DESCRIPTOR { Revision: 1, Control: 4, ..Default::default() };
        let attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: (&raw mut absolute).cast(),
            bInheritHandle: 0,
        };
        let name = wide(NAME);
        let open = PIPE_ACCESS_DUPLEX;
        let pipe = CreateNamedPipeW(name.as_ptr(), open, 0, 1, 0, 0, 0, &attributes);
        assert_ne!(pipe, INVALID_HANDLE_VALUE);
        let mut unknown = SECURITY_DESCRIPTOR { Revision: 7, ..absolute };
        let attributes =
            SECURITY_ATTRIBUTES { lpSecurityDescriptor: (&raw mut unknown).cast(), ..attributes };
        let pipe = CreateNamedPipeW(name.as_ptr(), open, 0, 1, 0, 0, 0, &attributes);
        assert_eq!((pipe, last_error()), (INVALID_HANDLE_VALUE, ERROR_INVALID_PARAMETER));
    });
}

#[test]
fn imp_a_server_acts_as_its_client_and_again_as_itself() {
    inside(|_| unsafe {
        let (server, client) = connected();
        fails(ImpersonateNamedPipeClient(server), ERROR_CANNOT_IMPERSONATE);
        WriteFile(client, b"x".as_ptr(), 1, null_mut(), &mut *overlapped());
        let mut byte = 0;
        ReadFile(server, &mut byte, 1, null_mut(), &mut *overlapped());
        succeeds(ImpersonateNamedPipeClient(server));
        succeeds(RevertToSelf());
    });
}

#[test]
fn flush_waits_for_the_reader() {
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let (pipe, file) = process.enter(|| (server(0).addr(), client(0).addr()));
    let writer = process.spawn("writer", move || unsafe {
        let pipe = std::ptr::without_provenance_mut(pipe);
        let mut count = 0;
        succeeds(WriteFile(pipe, b"x".as_ptr(), 1, &mut count, null_mut()));
        let flushed = FlushFileBuffers(pipe);
        (flushed, npfs::Process::current().is_some())
    });
    process.enter(|| unsafe {
        Sleep(5);
        assert_eq!(sim.now(), std::time::Duration::from_millis(5));
        let (mut byte, mut count) = (0, 0);
        ReadFile(std::ptr::without_provenance_mut(file), &mut byte, 1, &mut count, null_mut());
    });
    assert_eq!(writer.join().expect("no panic"), (1, true));
}
