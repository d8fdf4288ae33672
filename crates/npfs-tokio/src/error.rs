//! What a failure is as an `io::Error`.
//!
//! Off Windows an `io::Error` cannot carry both a Win32 code and the kind that Windows gives.
//! Programs match the raw code of what happens between two ends, and the kind of everything else.

use std::io;

use npfs_abi::Status;
use npfs_host::{Error, Stopped};

/// Why an operation failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// The kernel says so.
    Status(Status),
    /// There is no simulation any more.
    Stopped(Stopped),
    /// A write took no bytes.
    WriteZero,
    /// Not now.
    WouldBlock,
}

impl Failure {
    pub(crate) fn is(&self, status: Status) -> bool {
        *self == Failure::Status(status)
    }
}

/// `ERROR_PIPE_BUSY`, `ERROR_NO_DATA`, `ERROR_PIPE_NOT_CONNECTED`, `ERROR_MORE_DATA`.
const MATCHED_RAW: [u32; 4] = [231, 232, 233, 234];

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> io::Error {
        match failure {
            Failure::Status(status) => {
                let code = status.win32();
                // On Windows the code has the kind with it.
                if cfg!(windows) || MATCHED_RAW.contains(&code) {
                    io::Error::from_raw_os_error(code as i32)
                } else {
                    Error::from(status).into()
                }
            }
            Failure::Stopped(why) => Error::from(why).into(),
            Failure::WriteZero => io::ErrorKind::WriteZero.into(),
            Failure::WouldBlock => io::ErrorKind::WouldBlock.into(),
        }
    }
}

impl From<Stopped> for Failure {
    fn from(why: Stopped) -> Failure {
        Failure::Stopped(why)
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use npfs_abi::Status;
    use npfs_host::{win32_code, win32_kind};
    use std::io;

    #[test]
    fn codes_are_raw_where_programs_match_them_and_kinds_elsewhere() {
        use io::ErrorKind::{BrokenPipe, NotFound, PermissionDenied};
        for (status, code) in [
            (Status::PIPE_NOT_AVAILABLE, 231),
            (Status::PIPE_CLOSING, 232),
            (Status::PIPE_DISCONNECTED, 233),
            (Status::BUFFER_OVERFLOW, 234),
        ] {
            let error = io::Error::from(Failure::Status(status));
            assert_eq!(error.raw_os_error(), Some(code));
            assert_eq!(win32_code(&error), Some(code as u32));
        }
        let closing = io::Error::from(Failure::Status(Status::PIPE_CLOSING));
        assert_eq!(win32_kind(&closing), BrokenPipe);
        for (status, code, kind) in [
            (Status::OBJECT_NAME_NOT_FOUND, 2, NotFound),
            (Status::ACCESS_DENIED, 5, PermissionDenied),
            (Status::PIPE_BROKEN, 109, BrokenPipe),
        ] {
            let error = io::Error::from(Failure::Status(status));
            assert_eq!((error.kind(), win32_code(&error)), (kind, Some(code)));
        }
    }
}
