//! Windows' numbers, as its headers and the tests on Windows have them.

use npfs_abi::codes::{file_class, fsctl, sqos};
use npfs_abi::{
    Access, CompletionMode, Configuration, CreateFile, CreateNamedPipe, End, PipeState, PipeType,
    ReadMode, Status,
};

// rules: CONST-01 tested, CONST-02 tested, CONST-03 tested, CONST-04 tested, CONST-05 tested, CONST-06 tested, CONST-07 tested, CONST-08 tested, CONST-09 tested, CONST-10 tested, CONST-11 tested, CONST-12 tested, CONST-13 tested, CONST-14 tested, CONST-15 tested, CONST-16 tested, CONST-17 tested, CONST-18 tested, CONST-19 tested, CONST-20 tested, CONST-21 tested, CONST-22 tested, CONST-23 tested, CONST-24 tested, CONST-25 tested, CONST-26 tested, CONST-27 tested, CONST-28 tested, CONST-29 tested, CONST-30 tested, CONST-31 tested, CONST-32 tested, CONST-33 tested, CONST-34 tested, CONST-36 tested, CONST-37 tested
#[test]
fn statuses_become_their_win32_errors() {
    const ROWS: &[(&str, u32, u32)] = &[
        ("SUCCESS", 0x00000000, 0),
        ("PENDING", 0x00000103, 997),
        ("BUFFER_OVERFLOW", 0x80000005, 234),
        ("PIPE_DISCONNECTED", 0xC00000B0, 233),
        ("PIPE_CLOSING", 0xC00000B1, 232),
        ("PIPE_CONNECTED", 0xC00000B2, 535),
        ("PIPE_LISTENING", 0xC00000B3, 536),
        ("INVALID_READ_MODE", 0xC00000B4, 230),
        ("IO_TIMEOUT", 0xC00000B5, 121),
        ("INSTANCE_NOT_AVAILABLE", 0xC00000AB, 231),
        ("PIPE_NOT_AVAILABLE", 0xC00000AC, 231),
        ("INVALID_PIPE_STATE", 0xC00000AD, 230),
        ("PIPE_BUSY", 0xC00000AE, 231),
        ("ILLEGAL_FUNCTION", 0xC00000AF, 1),
        ("PIPE_EMPTY", 0xC00000D9, 232),
        ("PIPE_BROKEN", 0xC000014B, 109),
        ("CANNOT_IMPERSONATE", 0xC000010D, 1368),
        ("CANCELLED", 0xC0000120, 995),
        ("NOT_FOUND", 0xC0000225, 1168),
        ("INVALID_PARAMETER", 0xC000000D, 87),
        ("INVALID_HANDLE", 0xC0000008, 6),
        ("OBJECT_TYPE_MISMATCH", 0xC0000024, 6),
        ("ACCESS_DENIED", 0xC0000022, 5),
        ("BUFFER_TOO_SMALL", 0xC0000023, 122),
        ("OBJECT_NAME_INVALID", 0xC0000033, 123),
        ("OBJECT_NAME_NOT_FOUND", 0xC0000034, 2),
        ("OBJECT_PATH_INVALID", 0xC0000039, 161),
        ("OBJECT_PATH_NOT_FOUND", 0xC000003A, 3),
        ("OBJECT_PATH_SYNTAX_BAD", 0xC000003B, 161),
        ("INFO_LENGTH_MISMATCH", 0xC0000004, 24),
        ("INVALID_INFO_CLASS", 0xC0000003, 87),
        ("NOT_SUPPORTED", 0xC00000BB, 50),
        ("ACCESS_VIOLATION", 0xC0000005, 998),
        ("INVALID_DEVICE_REQUEST", 0xC0000010, 1),
        ("OBJECT_NAME_EXISTS", 0x40000000, 183),
        ("TIMEOUT", 0x00000102, 258),
        ("USER_APC", 0x000000C0, 192),
    ];
    for (name, status, error) in ROWS {
        assert_eq!(Status::from_name(name), Some(Status(*status)), "{name}");
        assert_eq!(Status(*status).win32(), *error, "{name}");
    }
}

// rules: CONST-40 documented, CONST-41 documented, CONST-42 documented, CONST-43 documented, CONST-44 documented, CONST-45 documented, CONST-46 documented, CONST-47 documented, CONST-48 documented, CONST-49 documented, CONST-50 documented, CONST-51 documented, CONST-52 documented, CONST-53 documented, CONST-54 documented, CONST-55 documented, CONST-56 documented
#[test]
fn control_codes_are_made_of_device_access_function_and_method() {
    const NAMED_PIPE: u32 = 0x11;
    const ROWS: &[(u32, u32, u32, u32)] = &[
        (fsctl::ASSIGN_EVENT, 0, 0, 0),
        (fsctl::DISCONNECT, 0, 1, 0),
        (fsctl::LISTEN, 0, 2, 0),
        (fsctl::PEEK, 1, 3, 0),
        (fsctl::QUERY_EVENT, 0, 4, 0),
        (fsctl::TRANSCEIVE, 3, 5, 3),
        (fsctl::WAIT, 0, 6, 0),
        (fsctl::IMPERSONATE, 0, 7, 0),
        (fsctl::SET_CLIENT_PROCESS, 0, 8, 0),
        (fsctl::QUERY_CLIENT_PROCESS, 0, 9, 0),
        (fsctl::GET_PIPE_ATTRIBUTE, 0, 10, 0),
        (fsctl::SET_PIPE_ATTRIBUTE, 0, 11, 0),
        (fsctl::GET_CONNECTION_ATTRIBUTE, 0, 12, 0),
        (fsctl::SET_CONNECTION_ATTRIBUTE, 0, 13, 0),
        (fsctl::GET_HANDLE_ATTRIBUTE, 0, 14, 0),
        (fsctl::SET_HANDLE_ATTRIBUTE, 0, 15, 0),
        (fsctl::FLUSH, 2, 16, 0),
        (fsctl::DISABLE_IMPERSONATE, 0, 17, 0),
        (fsctl::QUERY_CLIENT_PROCESS_V2, 0, 21, 0),
        (fsctl::INTERNAL_READ, 1, 2045, 0),
        (fsctl::INTERNAL_WRITE, 2, 2046, 0),
        (fsctl::INTERNAL_TRANSCEIVE, 3, 2047, 3),
        (fsctl::INTERNAL_READ_OVFLOW, 1, 2048, 0),
    ];
    for (code, access, function, method) in ROWS {
        assert_eq!(*code, NAMED_PIPE << 16 | access << 14 | function << 2 | method, "{code:#x}");
    }
}

// rules: CONST-60 documented, CONST-61 documented, CONST-62 documented, CONST-63 documented, CONST-71 documented, CONST-72 documented, CONST-74 documented
#[test]
fn modes_have_the_numbers_of_the_headers() {
    assert_eq!([PipeType::Byte as u32, PipeType::Message as u32], [0, 1]);
    assert_eq!([ReadMode::Byte as u32, ReadMode::Message as u32], [0, 1]);
    assert_eq!([CompletionMode::Queue as u32, CompletionMode::Complete as u32], [0, 1]);
    assert_eq!([End::Client as u32, End::Server as u32], [0, 1]);
    let configurations = [Configuration::Inbound, Configuration::Outbound, Configuration::Duplex];
    assert_eq!(configurations.map(|one| one as u32), [0, 1, 2]);
    assert!(PipeState::ALL.iter().map(|state| *state as u32).eq(1..=4));
    type C = CreateNamedPipe;
    assert_eq!([C::ACCESS_INBOUND, C::ACCESS_OUTBOUND, C::ACCESS_DUPLEX], [1, 2, 3]);
    assert_eq!(C::FIRST_INSTANCE, 0x0008_0000);
    assert_eq!([C::OVERLAPPED, C::WRITE_THROUGH], [0x4000_0000, 0x8000_0000]);
    assert_eq!([CreateFile::OVERLAPPED, CreateFile::WRITE_THROUGH], [0x4000_0000, 0x8000_0000]);
    assert_eq!([C::NOWAIT, C::READMODE_MESSAGE, C::TYPE_MESSAGE, C::REJECT_REMOTE], [1, 2, 4, 8]);
    assert_eq!(C::UNLIMITED_INSTANCES, 255);
    assert_eq!(Access::APPEND_DATA, Access(4));
}

#[test]
fn generic_rights_become_file_rights() {
    assert_eq!(Access::GENERIC_READ.mapped(), Access(0x12_0089));
    assert_eq!(Access::GENERIC_WRITE.mapped(), Access(0x12_0116));
    assert_eq!(Access::GENERIC_EXECUTE.mapped(), Access(0x12_00A0));
    assert_eq!(Access::GENERIC_ALL.mapped(), Access(0x1F_01FF));
    assert_eq!([file_class::PIPE, file_class::PIPE_LOCAL, file_class::PIPE_REMOTE], [23, 24, 25]);
    assert_eq!(sqos::PRESENT | sqos::CONTEXT_TRACKING | sqos::EFFECTIVE_ONLY, 0x001C_0000);
}

#[test]
fn every_error_that_a_status_becomes_has_a_name() {
    let errors = [
        Status::SUCCESS,
        Status::TIMEOUT,
        Status::PENDING,
        Status::USER_APC,
        Status::BUFFER_OVERFLOW,
        Status::NO_MORE_FILES,
        Status::INVALID_HANDLE,
        Status::INVALID_PARAMETER,
        Status::ACCESS_DENIED,
        Status::OBJECT_NAME_INVALID,
        Status::OBJECT_NAME_NOT_FOUND,
        Status::PIPE_NOT_AVAILABLE,
        Status::INVALID_PIPE_STATE,
        Status::PIPE_DISCONNECTED,
        Status::PIPE_CLOSING,
        Status::PIPE_CONNECTED,
        Status::PIPE_LISTENING,
        Status::IO_TIMEOUT,
        Status::PIPE_EMPTY,
        Status::CANNOT_IMPERSONATE,
        Status::CANCELLED,
        Status::PIPE_BROKEN,
        Status::NOT_FOUND,
    ];
    for status in errors {
        assert!(npfs_abi::codes::win32::name(status.win32()).is_some(), "{status}");
    }
    assert_eq!(npfs_abi::codes::win32::name(Status::PIPE_BUSY.win32()), Some("ERROR_PIPE_BUSY"));
    assert_eq!(npfs_abi::codes::win32::name(4), None);
}
