//! What a call can fail with, as NTSTATUS, Win32 error and `io::Error` in one.

use std::error;
use std::fmt;
use std::io;

use npfs_abi::Status;
use npfs_abi::codes::win32;

use crate::stop::Stopped;

/// Why a call failed.
///
/// Holds the NTSTATUS that NPFS gave; [`Error::win32`], [`Error::win32_name`] and [`Error::kind`]
/// say what a Windows program sees of it. Converts into an [`io::Error`] of the kind that Windows
/// gives, from which [`win32_code`] and [`win32_kind`] read the code again on every platform.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    status: Status,
    stopped: Option<Stopped>,
}

impl Error {
    /// The NTSTATUS. A call that a stopped simulation ended has `STATUS_CANCELLED`.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The Win32 error (`GetLastError`).
    pub fn win32(&self) -> u32 {
        self.status.win32()
    }

    /// The name of the Win32 error, such as `ERROR_PIPE_BUSY`.
    pub fn win32_name(&self) -> Option<&'static str> {
        win32::name(self.win32())
    }

    /// The kind that `io::Error::from_raw_os_error` gives on Windows for the Win32 error.
    pub fn kind(&self) -> io::ErrorKind {
        if self.stopped.is_some() { io::ErrorKind::Other } else { kind_of(self.win32()) }
    }

    /// Why the simulation stopped, if that ended the call.
    pub fn stopped(&self) -> Option<&Stopped> {
        self.stopped.as_ref()
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Error {
        Error { status, stopped: None }
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Error {
        Error { status: Status::CANCELLED, stopped: Some(stopped) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(stopped) = &self.stopped {
            return stopped.fmt(f);
        }
        match self.status.name() {
            Some(name) => write!(f, "STATUS_{name}")?,
            None => write!(f, "NTSTATUS 0x{:08X}", self.status.0)?,
        }
        match self.win32_name() {
            Some(name) => write!(f, " ({name}, {})", self.win32()),
            None => write!(f, " (Win32 error {})", self.win32()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

/// The Win32 error behind an [`io::Error`], on every platform: from an [`Error`] inside it, else
/// its raw code. `None` when it has neither.
pub fn win32_code(error: &io::Error) -> Option<u32> {
    match inner(error) {
        Some(error) => Some(error.win32()),
        None => error.raw_os_error().map(|code| code as u32),
    }
}

/// The kind that Windows gives for an [`io::Error`], on every platform. Off Windows std reads raw
/// codes as Unix ones; this reads them as Win32 errors.
pub fn win32_kind(error: &io::Error) -> io::ErrorKind {
    match (inner(error), error.raw_os_error()) {
        (Some(error), _) => error.kind(),
        (None, Some(code)) => kind_of(code as u32),
        (None, None) => error.kind(),
    }
}

fn inner(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// What std's table for Windows says of the errors that pipes give. Codes that it does not list
/// have a kind of their own there, without a stable name; here they are `Other`.
fn kind_of(code: u32) -> io::ErrorKind {
    match code {
        2 | 3 => io::ErrorKind::NotFound,
        5 => io::ErrorKind::PermissionDenied,
        80 | 183 => io::ErrorKind::AlreadyExists,
        87 => io::ErrorKind::InvalidInput,
        109 | 232 => io::ErrorKind::BrokenPipe,
        120 => io::ErrorKind::Unsupported,
        121 | 258 | 995 => io::ErrorKind::TimedOut,
        123 | 206 => invalid_filename(),
        170 => io::ErrorKind::ResourceBusy,
        _ => io::ErrorKind::Other,
    }
}

/// `ErrorKind::InvalidFilename`, which has this name only since Rust 1.87.
fn invalid_filename() -> io::ErrorKind {
    // ERROR_INVALID_NAME, or ENAMETOOLONG of Linux and of the BSDs.
    let code = if cfg!(windows) {
        123
    } else if cfg!(target_os = "linux") {
        36
    } else {
        63
    };
    io::Error::from_raw_os_error(code).kind()
}
