//! One error type: NTSTATUS, Win32 error, kind.

use std::io::{self, ErrorKind};

use npfs::{Error, Status, win32_code, win32_kind};

/// The kinds are those that clients.md 2.3 lists for Windows.
#[test]
fn statuses_become_the_kinds_of_windows() {
    let kinds = [
        (Status::OBJECT_NAME_NOT_FOUND, 2, ErrorKind::NotFound),
        (Status::ACCESS_DENIED, 5, ErrorKind::PermissionDenied),
        (Status::INVALID_PARAMETER, 87, ErrorKind::InvalidInput),
        (Status::PIPE_BROKEN, 109, ErrorKind::BrokenPipe),
        (Status::PIPE_CLOSING, 232, ErrorKind::BrokenPipe),
        (Status::PIPE_EMPTY, 232, ErrorKind::BrokenPipe),
        (Status::IO_TIMEOUT, 121, ErrorKind::TimedOut),
        (Status::CANCELLED, 995, ErrorKind::TimedOut),
        (Status::PIPE_NOT_AVAILABLE, 231, ErrorKind::Other),
        (Status::PIPE_DISCONNECTED, 233, ErrorKind::Other),
        (Status::BUFFER_OVERFLOW, 234, ErrorKind::Other),
    ];
    for (status, code, kind) in kinds {
        let error = Error::from(status);
        assert_eq!((error.win32(), error.kind()), (code, kind), "{status}");
        let error = io::Error::from(error);
        assert_eq!((win32_code(&error), error.kind()), (Some(code), kind), "{status}");
        assert_eq!(win32_kind(&error), kind, "{status}");
    }
    let name = Error::from(Status::OBJECT_NAME_INVALID).kind();
    assert_eq!(format!("{name:?}"), "InvalidFilename");
}

#[test]
fn raw_errors_are_read_as_win32_errors() {
    let raw = io::Error::from_raw_os_error(5);
    assert_eq!((win32_code(&raw), win32_kind(&raw)), (Some(5), ErrorKind::PermissionDenied));
    let other = io::Error::new(ErrorKind::WouldBlock, "later");
    assert_eq!((win32_code(&other), win32_kind(&other)), (None, ErrorKind::WouldBlock));
}

#[test]
fn an_error_says_all_its_names() {
    let error = Error::from(Status::PIPE_NOT_AVAILABLE);
    assert_eq!(error.to_string(), "STATUS_PIPE_NOT_AVAILABLE (ERROR_PIPE_BUSY, 231)");
    assert_eq!(error.win32_name(), Some("ERROR_PIPE_BUSY"));
    let unknown = Error::from(Status(0xC000_FFFF));
    assert_eq!(unknown.to_string(), "NTSTATUS 0xC000FFFF (ERROR_MR_MID_NOT_FOUND, 317)");
}
