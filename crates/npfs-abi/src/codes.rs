//! Windows' numbers for control codes, information classes and options.

/// `FSCTL_PIPE_*` control codes. Bits 14 and 15 are the access that the handle must carry
/// (CONST-40 to CONST-56).
pub mod fsctl {
    /// `FSCTL_PIPE_ASSIGN_EVENT`
    pub const ASSIGN_EVENT: u32 = 0x0011_0000;
    /// `FSCTL_PIPE_DISCONNECT`
    pub const DISCONNECT: u32 = 0x0011_0004;
    /// `FSCTL_PIPE_LISTEN`
    pub const LISTEN: u32 = 0x0011_0008;
    /// `FSCTL_PIPE_PEEK`
    pub const PEEK: u32 = 0x0011_400C;
    /// `FSCTL_PIPE_QUERY_EVENT`
    pub const QUERY_EVENT: u32 = 0x0011_0010;
    /// `FSCTL_PIPE_TRANSCEIVE`
    pub const TRANSCEIVE: u32 = 0x0011_C017;
    /// `FSCTL_PIPE_WAIT`
    pub const WAIT: u32 = 0x0011_0018;
    /// `FSCTL_PIPE_IMPERSONATE`
    pub const IMPERSONATE: u32 = 0x0011_001C;
    /// `FSCTL_PIPE_SET_CLIENT_PROCESS`
    pub const SET_CLIENT_PROCESS: u32 = 0x0011_0020;
    /// `FSCTL_PIPE_QUERY_CLIENT_PROCESS`
    pub const QUERY_CLIENT_PROCESS: u32 = 0x0011_0024;
    /// `FSCTL_PIPE_GET_PIPE_ATTRIBUTE`
    pub const GET_PIPE_ATTRIBUTE: u32 = 0x0011_0028;
    /// `FSCTL_PIPE_SET_PIPE_ATTRIBUTE`
    pub const SET_PIPE_ATTRIBUTE: u32 = 0x0011_002C;
    /// `FSCTL_PIPE_GET_CONNECTION_ATTRIBUTE`
    pub const GET_CONNECTION_ATTRIBUTE: u32 = 0x0011_0030;
    /// `FSCTL_PIPE_SET_CONNECTION_ATTRIBUTE`
    pub const SET_CONNECTION_ATTRIBUTE: u32 = 0x0011_0034;
    /// `FSCTL_PIPE_GET_HANDLE_ATTRIBUTE`
    pub const GET_HANDLE_ATTRIBUTE: u32 = 0x0011_0038;
    /// `FSCTL_PIPE_SET_HANDLE_ATTRIBUTE`
    pub const SET_HANDLE_ATTRIBUTE: u32 = 0x0011_003C;
    /// `FSCTL_PIPE_FLUSH`
    pub const FLUSH: u32 = 0x0011_8040;
    /// `FSCTL_PIPE_DISABLE_IMPERSONATE`
    pub const DISABLE_IMPERSONATE: u32 = 0x0011_0044;
    /// `FSCTL_PIPE_QUERY_CLIENT_PROCESS_V2`
    pub const QUERY_CLIENT_PROCESS_V2: u32 = 0x0011_0054;
    /// `FSCTL_PIPE_INTERNAL_READ`
    pub const INTERNAL_READ: u32 = 0x0011_5FF4;
    /// `FSCTL_PIPE_INTERNAL_WRITE`
    pub const INTERNAL_WRITE: u32 = 0x0011_9FF8;
    /// `FSCTL_PIPE_INTERNAL_TRANSCEIVE`
    pub const INTERNAL_TRANSCEIVE: u32 = 0x0011_DFFF;
    /// `FSCTL_PIPE_INTERNAL_READ_OVFLOW`
    pub const INTERNAL_READ_OVFLOW: u32 = 0x0011_6000;
}

/// `FILE_INFORMATION_CLASS`, for files and for entries of a directory.
pub mod file_class {
    /// `FileDirectoryInformation`
    pub const DIRECTORY: u32 = 1;
    /// `FileFullDirectoryInformation`
    pub const FULL_DIRECTORY: u32 = 2;
    /// `FileBothDirectoryInformation`
    pub const BOTH_DIRECTORY: u32 = 3;
    /// `FileBasicInformation`
    pub const BASIC: u32 = 4;
    /// `FileStandardInformation`
    pub const STANDARD: u32 = 5;
    /// `FileInternalInformation`
    pub const INTERNAL: u32 = 6;
    /// `FileEaInformation`
    pub const EA: u32 = 7;
    /// `FileAccessInformation`
    pub const ACCESS: u32 = 8;
    /// `FileNameInformation`
    pub const NAME: u32 = 9;
    /// `FileNamesInformation`
    pub const NAMES: u32 = 12;
    /// `FilePositionInformation`
    pub const POSITION: u32 = 14;
    /// `FileModeInformation`
    pub const MODE: u32 = 16;
    /// `FileAlignmentInformation`
    pub const ALIGNMENT: u32 = 17;
    /// `FileAllInformation`
    pub const ALL: u32 = 18;
    /// `FilePipeInformation`
    pub const PIPE: u32 = 23;
    /// `FilePipeLocalInformation`
    pub const PIPE_LOCAL: u32 = 24;
    /// `FilePipeRemoteInformation`
    pub const PIPE_REMOTE: u32 = 25;
    /// `FileCompletionInformation`
    pub const COMPLETION: u32 = 30;
    /// `FileIoCompletionNotificationInformation`
    pub const IO_COMPLETION_NOTIFICATION: u32 = 41;
}

/// `FS_INFORMATION_CLASS`.
pub mod volume_class {
    /// `FileFsVolumeInformation`
    pub const VOLUME: u32 = 1;
    /// `FileFsSizeInformation`
    pub const SIZE: u32 = 3;
    /// `FileFsDeviceInformation`
    pub const DEVICE: u32 = 4;
    /// `FileFsAttributeInformation`
    pub const ATTRIBUTE: u32 = 5;
    /// `FileFsFullSizeInformation`
    pub const FULL_SIZE: u32 = 7;
}

/// `OBJECT_INFORMATION_CLASS`.
pub mod object_class {
    /// `ObjectBasicInformation`
    pub const BASIC: u32 = 0;
    /// `ObjectNameInformation`
    pub const NAME: u32 = 1;
    /// `ObjectTypeInformation`
    pub const TYPE: u32 = 2;
}

/// Create dispositions of the Nt functions.
pub mod disposition {
    /// `FILE_SUPERSEDE`
    pub const SUPERSEDE: u32 = 0;
    /// `FILE_OPEN`
    pub const OPEN: u32 = 1;
    /// `FILE_CREATE`
    pub const CREATE: u32 = 2;
    /// `FILE_OPEN_IF`
    pub const OPEN_IF: u32 = 3;
    /// `FILE_OVERWRITE`
    pub const OVERWRITE: u32 = 4;
    /// `FILE_OVERWRITE_IF`
    pub const OVERWRITE_IF: u32 = 5;
}

/// Share access of the Nt functions; for creations it says the direction (CONST-60).
pub mod share {
    /// `FILE_SHARE_READ`
    pub const READ: u32 = 1;
    /// `FILE_SHARE_WRITE`
    pub const WRITE: u32 = 2;
    /// `FILE_SHARE_DELETE`
    pub const DELETE: u32 = 4;
}

/// Create options of the Nt functions.
pub mod option {
    /// `FILE_WRITE_THROUGH`
    pub const WRITE_THROUGH: u32 = 0x02;
    /// `FILE_SYNCHRONOUS_IO_ALERT`
    pub const SYNCHRONOUS_IO_ALERT: u32 = 0x10;
    /// `FILE_SYNCHRONOUS_IO_NONALERT`
    pub const SYNCHRONOUS_IO_NONALERT: u32 = 0x20;
}

/// `FILE_SKIP_*` flags of `SetFileCompletionNotificationModes`.
pub mod notification {
    /// `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS`
    pub const SKIP_COMPLETION_PORT_ON_SUCCESS: u32 = 1;
    /// `FILE_SKIP_SET_EVENT_ON_HANDLE`
    pub const SKIP_SET_EVENT_ON_HANDLE: u32 = 2;
}

/// Security quality of service in the flags of `CreateFile`.
pub mod sqos {
    /// `SECURITY_SQOS_PRESENT`
    pub const PRESENT: u32 = 0x0010_0000;
    /// `SECURITY_CONTEXT_TRACKING`: dynamic.
    pub const CONTEXT_TRACKING: u32 = 0x0004_0000;
    /// `SECURITY_EFFECTIVE_ONLY`
    pub const EFFECTIVE_ONLY: u32 = 0x0008_0000;
    /// The bits of the level: 0 anonymous, 1 identification, 2 impersonation, 3 delegation.
    pub const LEVEL: u32 = 0x0003_0000;
}

/// Names of Win32 errors.
pub mod win32 {
    /// The name of a Win32 error that pipes and the calls around them give, such as
    /// `ERROR_PIPE_BUSY` for 231.
    pub fn name(code: u32) -> Option<&'static str> {
        NAMES.binary_search_by_key(&code, |row| row.0).ok().map(|place| NAMES[place].1)
    }

    /// In order of the codes, as the public headers list them.
    const NAMES: &[(u32, &str)] = &[
        (0, "ERROR_SUCCESS"),
        (1, "ERROR_INVALID_FUNCTION"),
        (2, "ERROR_FILE_NOT_FOUND"),
        (3, "ERROR_PATH_NOT_FOUND"),
        (5, "ERROR_ACCESS_DENIED"),
        (6, "ERROR_INVALID_HANDLE"),
        (18, "ERROR_NO_MORE_FILES"),
        (24, "ERROR_BAD_LENGTH"),
        (31, "ERROR_GEN_FAILURE"),
        (50, "ERROR_NOT_SUPPORTED"),
        (53, "ERROR_BAD_NETPATH"),
        (87, "ERROR_INVALID_PARAMETER"),
        (109, "ERROR_BROKEN_PIPE"),
        (121, "ERROR_SEM_TIMEOUT"),
        (122, "ERROR_INSUFFICIENT_BUFFER"),
        (123, "ERROR_INVALID_NAME"),
        (161, "ERROR_BAD_PATHNAME"),
        (183, "ERROR_ALREADY_EXISTS"),
        (192, "WAIT_IO_COMPLETION"),
        (230, "ERROR_BAD_PIPE"),
        (231, "ERROR_PIPE_BUSY"),
        (232, "ERROR_NO_DATA"),
        (233, "ERROR_PIPE_NOT_CONNECTED"),
        (234, "ERROR_MORE_DATA"),
        (258, "WAIT_TIMEOUT"),
        (317, "ERROR_MR_MID_NOT_FOUND"),
        (535, "ERROR_PIPE_CONNECTED"),
        (536, "ERROR_PIPE_LISTENING"),
        (735, "ERROR_ABANDONED_WAIT_0"),
        (995, "ERROR_OPERATION_ABORTED"),
        (996, "ERROR_IO_INCOMPLETE"),
        (997, "ERROR_IO_PENDING"),
        (998, "ERROR_NOACCESS"),
        (1168, "ERROR_NOT_FOUND"),
        (1314, "ERROR_PRIVILEGE_NOT_HELD"),
        (1368, "ERROR_CANNOT_IMPERSONATE"),
    ];
}
