//! NTSTATUS values and the Win32 errors they become.

use core::fmt;

/// An NTSTATUS, the kernel's own result code.
///
/// Several statuses share one Win32 error, so the status says more (CONST-01 to CONST-37):
/// `PIPE_EMPTY` and `PIPE_CLOSING` are both 232, for example.
/// A satisfied wait has the index of the object as its status (`STATUS_WAIT_0` + n).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub u32);

/// One row of the table of statuses: value, name without `STATUS_`, Win32 error.
struct Row(Status, &'static str, u32);

impl Status {
    /// The operation succeeded.
    pub const SUCCESS: Status = Status(0x0000_0000);
    /// A wait or a virtual-time limit ended first; as a wait result `WAIT_TIMEOUT`.
    pub const TIMEOUT: Status = Status(0x0000_0102);
    /// The operation goes on; its end is reported later.
    pub const PENDING: Status = Status(0x0000_0103);
    /// An alertable wait ended because completion routines ran; `WAIT_IO_COMPLETION`.
    pub const USER_APC: Status = Status(0x0000_00C0);
    /// A port was closed while a thread waited for its packets; `ERROR_ABANDONED_WAIT_0`.
    pub const ABANDONED_WAIT_0: Status = Status(0x0000_0080);
    /// `STATUS_OBJECT_NAME_EXISTS`; Win32 error 183.
    pub const OBJECT_NAME_EXISTS: Status = Status(0x4000_0000);
    /// Warning: the buffer was filled and more of the message is left; `ERROR_MORE_DATA`.
    pub const BUFFER_OVERFLOW: Status = Status(0x8000_0005);
    /// `STATUS_NO_MORE_FILES`; Win32 error 18.
    pub const NO_MORE_FILES: Status = Status(0x8000_0006);
    /// Seen in recordings of Wine only; NPFS never gives it.
    pub const HANDLES_CLOSED: Status = Status(0x8000_000A);
    /// `STATUS_UNSUCCESSFUL`; Win32 error 31.
    pub const UNSUCCESSFUL: Status = Status(0xC000_0001);
    /// `STATUS_NOT_IMPLEMENTED`; Win32 error 1.
    pub const NOT_IMPLEMENTED: Status = Status(0xC000_0002);
    /// `STATUS_INVALID_INFO_CLASS`; Win32 error 87.
    pub const INVALID_INFO_CLASS: Status = Status(0xC000_0003);
    /// `STATUS_INFO_LENGTH_MISMATCH`; Win32 error 24.
    pub const INFO_LENGTH_MISMATCH: Status = Status(0xC000_0004);
    /// `STATUS_ACCESS_VIOLATION`; Win32 error 998.
    pub const ACCESS_VIOLATION: Status = Status(0xC000_0005);
    /// `STATUS_INVALID_HANDLE`; Win32 error 6.
    pub const INVALID_HANDLE: Status = Status(0xC000_0008);
    /// `STATUS_INVALID_PARAMETER`; Win32 error 87.
    pub const INVALID_PARAMETER: Status = Status(0xC000_000D);
    /// `STATUS_NO_SUCH_FILE`; Win32 error 2.
    pub const NO_SUCH_FILE: Status = Status(0xC000_000F);
    /// `STATUS_INVALID_DEVICE_REQUEST`; Win32 error 1.
    pub const INVALID_DEVICE_REQUEST: Status = Status(0xC000_0010);
    /// `STATUS_ACCESS_DENIED`; Win32 error 5.
    pub const ACCESS_DENIED: Status = Status(0xC000_0022);
    /// `STATUS_BUFFER_TOO_SMALL`; Win32 error 122.
    pub const BUFFER_TOO_SMALL: Status = Status(0xC000_0023);
    /// `STATUS_OBJECT_TYPE_MISMATCH`; Win32 error 6.
    pub const OBJECT_TYPE_MISMATCH: Status = Status(0xC000_0024);
    /// `STATUS_OBJECT_NAME_INVALID`; Win32 error 123.
    pub const OBJECT_NAME_INVALID: Status = Status(0xC000_0033);
    /// `STATUS_OBJECT_NAME_NOT_FOUND`; Win32 error 2.
    pub const OBJECT_NAME_NOT_FOUND: Status = Status(0xC000_0034);
    /// `STATUS_OBJECT_NAME_COLLISION`; Win32 error 183.
    pub const OBJECT_NAME_COLLISION: Status = Status(0xC000_0035);
    /// `STATUS_OBJECT_PATH_INVALID`; Win32 error 161.
    pub const OBJECT_PATH_INVALID: Status = Status(0xC000_0039);
    /// `STATUS_OBJECT_PATH_NOT_FOUND`; Win32 error 3.
    pub const OBJECT_PATH_NOT_FOUND: Status = Status(0xC000_003A);
    /// `STATUS_OBJECT_PATH_SYNTAX_BAD`; Win32 error 161.
    pub const OBJECT_PATH_SYNTAX_BAD: Status = Status(0xC000_003B);
    /// `STATUS_PRIVILEGE_NOT_HELD`; Win32 error 1314.
    pub const PRIVILEGE_NOT_HELD: Status = Status(0xC000_0061);
    /// `STATUS_INSTANCE_NOT_AVAILABLE`; Win32 error 231.
    pub const INSTANCE_NOT_AVAILABLE: Status = Status(0xC000_00AB);
    /// `STATUS_PIPE_NOT_AVAILABLE`; Win32 error 231.
    pub const PIPE_NOT_AVAILABLE: Status = Status(0xC000_00AC);
    /// `STATUS_INVALID_PIPE_STATE`; Win32 error 230.
    pub const INVALID_PIPE_STATE: Status = Status(0xC000_00AD);
    /// `STATUS_PIPE_BUSY`; Win32 error 231.
    pub const PIPE_BUSY: Status = Status(0xC000_00AE);
    /// `STATUS_ILLEGAL_FUNCTION`; Win32 error 1.
    pub const ILLEGAL_FUNCTION: Status = Status(0xC000_00AF);
    /// `STATUS_BAD_NETWORK_PATH`; Win32 error 53.
    pub const BAD_NETWORK_PATH: Status = Status(0xC000_00BE);
    /// `STATUS_UNSUCCESSFUL`; Win32 error 31.; Win32 error 233.
    pub const PIPE_DISCONNECTED: Status = Status(0xC000_00B0);
    /// `STATUS_PIPE_CLOSING`; Win32 error 232.
    pub const PIPE_CLOSING: Status = Status(0xC000_00B1);
    /// `STATUS_PIPE_CONNECTED`; Win32 error 535.
    pub const PIPE_CONNECTED: Status = Status(0xC000_00B2);
    /// `STATUS_PIPE_LISTENING`; Win32 error 536.
    pub const PIPE_LISTENING: Status = Status(0xC000_00B3);
    /// `STATUS_INVALID_READ_MODE`; Win32 error 230.
    pub const INVALID_READ_MODE: Status = Status(0xC000_00B4);
    /// `STATUS_IO_TIMEOUT`; Win32 error 121.
    pub const IO_TIMEOUT: Status = Status(0xC000_00B5);
    /// `STATUS_NOT_SUPPORTED`; Win32 error 50.
    pub const NOT_SUPPORTED: Status = Status(0xC000_00BB);
    /// `STATUS_PIPE_EMPTY`; Win32 error 232.
    pub const PIPE_EMPTY: Status = Status(0xC000_00D9);
    /// `STATUS_CANNOT_IMPERSONATE`; Win32 error 1368.
    pub const CANNOT_IMPERSONATE: Status = Status(0xC000_010D);
    /// `STATUS_CANCELLED`; Win32 error 995.
    pub const CANCELLED: Status = Status(0xC000_0120);
    /// `STATUS_PIPE_BROKEN`; Win32 error 109.
    pub const PIPE_BROKEN: Status = Status(0xC000_014B);
    /// `STATUS_NOT_FOUND`; Win32 error 1168.
    pub const NOT_FOUND: Status = Status(0xC000_0225);

    /// The result of a wait satisfied by object number `index` of the call.
    pub const fn wait(index: u32) -> Status {
        Status(index)
    }

    /// Success or information (severity 0 or 1).
    pub const fn is_success(self) -> bool {
        self.0 < 0x8000_0000
    }

    /// A warning (severity 2), such as `BUFFER_OVERFLOW`: the operation took place.
    pub const fn is_warning(self) -> bool {
        self.0 >> 30 == 2
    }

    /// An error (severity 3).
    pub const fn is_error(self) -> bool {
        self.0 >> 30 == 3
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.0 == self)
    }

    /// The name without `STATUS_`, where this crate knows it.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.1)
    }

    /// The status with this name (without `STATUS_`).
    pub fn from_name(name: &str) -> Option<Status> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The Win32 error this status becomes (`RtlNtStatusToDosError`); 317
    /// (`ERROR_MR_MID_NOT_FOUND`) for a status this crate does not know.
    pub fn win32(self) -> u32 {
        match self.row() {
            Some(row) => row.2,
            None if self.0 < 64 => 0,
            None => 317,
        }
    }
}

impl fmt::Display for Status {
    /// `ok`, or name and Win32 error as in `PIPE_CONNECTED (535)`, or eight hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.row()) {
            (Status::SUCCESS, _) => f.write_str("ok"),
            (_, Some(row)) => write!(f, "{} ({})", row.1, row.2),
            (_, None) => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names from the public status list (MS-ERREF); errors as the tests behind CONST-01 to CONST-37
/// saw them, else as documented.
const TABLE: &[Row] = &[
    Row(Status::SUCCESS, "SUCCESS", 0),
    Row(Status::ABANDONED_WAIT_0, "ABANDONED_WAIT_0", 735),
    Row(Status::UNSUCCESSFUL, "UNSUCCESSFUL", 31),
    Row(Status::TIMEOUT, "TIMEOUT", 258),
    Row(Status::PENDING, "PENDING", 997),
    Row(Status::USER_APC, "USER_APC", 192),
    Row(Status::OBJECT_NAME_EXISTS, "OBJECT_NAME_EXISTS", 183),
    Row(Status::BUFFER_OVERFLOW, "BUFFER_OVERFLOW", 234),
    Row(Status::NO_MORE_FILES, "NO_MORE_FILES", 18),
    Row(Status::HANDLES_CLOSED, "HANDLES_CLOSED", 0),
    Row(Status::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", 1),
    Row(Status::INVALID_INFO_CLASS, "INVALID_INFO_CLASS", 87),
    Row(Status::INFO_LENGTH_MISMATCH, "INFO_LENGTH_MISMATCH", 24),
    Row(Status::ACCESS_VIOLATION, "ACCESS_VIOLATION", 998),
    Row(Status::INVALID_HANDLE, "INVALID_HANDLE", 6),
    Row(Status::INVALID_PARAMETER, "INVALID_PARAMETER", 87),
    Row(Status::NO_SUCH_FILE, "NO_SUCH_FILE", 2),
    Row(Status::INVALID_DEVICE_REQUEST, "INVALID_DEVICE_REQUEST", 1),
    Row(Status::ACCESS_DENIED, "ACCESS_DENIED", 5),
    Row(Status::BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL", 122),
    Row(Status::OBJECT_TYPE_MISMATCH, "OBJECT_TYPE_MISMATCH", 6),
    Row(Status::OBJECT_NAME_INVALID, "OBJECT_NAME_INVALID", 123),
    Row(Status::OBJECT_NAME_NOT_FOUND, "OBJECT_NAME_NOT_FOUND", 2),
    Row(Status::OBJECT_NAME_COLLISION, "OBJECT_NAME_COLLISION", 183),
    Row(Status::OBJECT_PATH_INVALID, "OBJECT_PATH_INVALID", 161),
    Row(Status::OBJECT_PATH_NOT_FOUND, "OBJECT_PATH_NOT_FOUND", 3),
    Row(Status::OBJECT_PATH_SYNTAX_BAD, "OBJECT_PATH_SYNTAX_BAD", 161),
    Row(Status::PRIVILEGE_NOT_HELD, "PRIVILEGE_NOT_HELD", 1314),
    Row(Status::INSTANCE_NOT_AVAILABLE, "INSTANCE_NOT_AVAILABLE", 231),
    Row(Status::PIPE_NOT_AVAILABLE, "PIPE_NOT_AVAILABLE", 231),
    Row(Status::INVALID_PIPE_STATE, "INVALID_PIPE_STATE", 230),
    Row(Status::PIPE_BUSY, "PIPE_BUSY", 231),
    Row(Status::ILLEGAL_FUNCTION, "ILLEGAL_FUNCTION", 1),
    Row(Status::PIPE_DISCONNECTED, "PIPE_DISCONNECTED", 233),
    Row(Status::PIPE_CLOSING, "PIPE_CLOSING", 232),
    Row(Status::PIPE_CONNECTED, "PIPE_CONNECTED", 535),
    Row(Status::PIPE_LISTENING, "PIPE_LISTENING", 536),
    Row(Status::INVALID_READ_MODE, "INVALID_READ_MODE", 230),
    Row(Status::IO_TIMEOUT, "IO_TIMEOUT", 121),
    Row(Status::NOT_SUPPORTED, "NOT_SUPPORTED", 50),
    Row(Status::BAD_NETWORK_PATH, "BAD_NETWORK_PATH", 53),
    Row(Status::PIPE_EMPTY, "PIPE_EMPTY", 232),
    Row(Status::CANNOT_IMPERSONATE, "CANNOT_IMPERSONATE", 1368),
    Row(Status::CANCELLED, "CANCELLED", 995),
    Row(Status::PIPE_BROKEN, "PIPE_BROKEN", 109),
    Row(Status::NOT_FOUND, "NOT_FOUND", 1168),
];

#[cfg(feature = "serde")]
mod with_serde {
    use super::Status;
    use alloc::format;
    use alloc::string::String;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    /// Eight hexadecimal digits, upper case, as in `"C00000B2"`.
    impl Serialize for Status {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&format!("{:08X}", self.0))
        }
    }

    impl<'de> Deserialize<'de> for Status {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
            let text = String::deserialize(deserializer)?;
            let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            match u32::from_str_radix(&text, 16) {
                Ok(value) if digits => Ok(Status(value)),
                _ => Err(D::Error::custom("wanted an NTSTATUS as eight hexadecimal digits")),
            }
        }
    }

    #[cfg(feature = "schema")]
    impl schemars::JsonSchema for Status {
        fn schema_name() -> alloc::borrow::Cow<'static, str> {
            "Status".into()
        }
        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({
                "type": "string",
                "pattern": "^[0-9A-Fa-f]{8}$",
                "description": "NTSTATUS, eight hexadecimal digits"
            })
        }
    }
}
