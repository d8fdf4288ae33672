//! `include/npfs.h` says what Rust says: layouts, constants and functions are written here and
//! compared. `NPFS_UPDATE=1 cargo test -p npfs-win32-c` rewrites them.

use std::fmt::Write;
use std::mem::offset_of;
use std::path::Path;

use windows_sys::Wdk::Foundation as wdk;
use windows_sys::Wdk::Storage::FileSystem as nt;
use windows_sys::Win32::Foundation as f;
use windows_sys::Win32::Security as security;
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::{
    IO as io, Pipes as pipes, SystemServices as services, Threading as threading,
    WindowsProgramming as programming,
};

macro_rules! layouts {
    ($text:ident: $($module:ident :: $name:ident { $($field:ident),+ })+) => {$(
        let name = stringify!($name);
        let _ = writeln!($text, "NPFS_ASSERT(sizeof({name}) == {});", size_of::<$module::$name>());
        $(
            let (field, place) = (stringify!($field), offset_of!($module::$name, $field));
            let _ = writeln!($text, "NPFS_ASSERT(offsetof({name}, {field}) == {place});");
        )+
    )+};
}

fn layouts() -> String {
    let mut text = String::new();
    layouts! { text:
        security::SECURITY_ATTRIBUTES { lpSecurityDescriptor, bInheritHandle }
        io::OVERLAPPED { Internal, InternalHigh, hEvent }
        io::OVERLAPPED_ENTRY { lpCompletionKey, lpOverlapped, Internal, dwNumberOfBytesTransferred }
        fs::WIN32_FIND_DATAA { nFileSizeLow, cFileName, cAlternateFileName }
        fs::WIN32_FIND_DATAW { nFileSizeLow, cFileName, cAlternateFileName }
        fs::CREATEFILE2_EXTENDED_PARAMETERS { dwFileFlags, lpSecurityAttributes, hTemplateFile }
        f::UNICODE_STRING { MaximumLength, Buffer }
        security::SECURITY_QUALITY_OF_SERVICE { ImpersonationLevel, EffectiveOnly }
        wdk::OBJECT_ATTRIBUTES { RootDirectory, ObjectName, Attributes, SecurityQualityOfService }
        io::IO_STATUS_BLOCK { Information }
    }
    text
}

/// A number as C writes it.
trait InC: Copy {
    fn in_c(self) -> String;
}

impl InC for u32 {
    fn in_c(self) -> String {
        if self < 0x1000 { format!("{self}") } else { format!("0x{self:08X}") }
    }
}

impl InC for i32 {
    fn in_c(self) -> String {
        if !(0..=0x1000).contains(&self) {
            format!("((NTSTATUS)0x{self:08X})")
        } else {
            format!("{self}")
        }
    }
}

macro_rules! constants {
    ($text:ident: $($module:ident: $($name:ident)+;)+) => {$($(
        let _ = writeln!($text, "#define {} {}", stringify!($name), $module::$name.in_c());
    )+)+};
}

fn constants() -> String {
    let mut text = String::new();
    constants! { text:
        f: ERROR_SUCCESS ERROR_INVALID_FUNCTION ERROR_FILE_NOT_FOUND ERROR_PATH_NOT_FOUND
            ERROR_ACCESS_DENIED ERROR_INVALID_HANDLE ERROR_NO_MORE_FILES ERROR_BAD_LENGTH
            ERROR_GEN_FAILURE ERROR_NOT_SUPPORTED ERROR_INVALID_PARAMETER ERROR_BROKEN_PIPE
            ERROR_SEM_TIMEOUT ERROR_INSUFFICIENT_BUFFER ERROR_INVALID_NAME ERROR_BAD_PATHNAME
            ERROR_ALREADY_EXISTS ERROR_BAD_PIPE ERROR_PIPE_BUSY ERROR_NO_DATA
            ERROR_PIPE_NOT_CONNECTED ERROR_MORE_DATA ERROR_PIPE_CONNECTED ERROR_PIPE_LISTENING
            ERROR_ABANDONED_WAIT_0 ERROR_OPERATION_ABORTED ERROR_IO_INCOMPLETE ERROR_IO_PENDING
            ERROR_NOACCESS ERROR_NOT_FOUND ERROR_CANNOT_IMPERSONATE ERROR_NOT_SAME_OBJECT
            WAIT_OBJECT_0 WAIT_TIMEOUT WAIT_IO_COMPLETION WAIT_FAILED
            STATUS_SUCCESS STATUS_TIMEOUT STATUS_PENDING STATUS_BUFFER_OVERFLOW
            STATUS_NO_MORE_FILES STATUS_ACCESS_VIOLATION STATUS_INVALID_HANDLE
            STATUS_INVALID_PARAMETER STATUS_ACCESS_DENIED STATUS_OBJECT_NAME_INVALID
            STATUS_OBJECT_NAME_NOT_FOUND STATUS_INSTANCE_NOT_AVAILABLE STATUS_PIPE_NOT_AVAILABLE
            STATUS_INVALID_PIPE_STATE STATUS_PIPE_BUSY STATUS_ILLEGAL_FUNCTION
            STATUS_PIPE_DISCONNECTED STATUS_PIPE_CLOSING STATUS_PIPE_CONNECTED
            STATUS_PIPE_LISTENING STATUS_INVALID_READ_MODE STATUS_IO_TIMEOUT
            STATUS_NOT_SUPPORTED STATUS_PIPE_EMPTY STATUS_CANCELLED STATUS_PIPE_BROKEN
            STATUS_NOT_FOUND
            GENERIC_READ GENERIC_WRITE GENERIC_EXECUTE GENERIC_ALL
            DUPLICATE_CLOSE_SOURCE DUPLICATE_SAME_ACCESS HANDLE_FLAG_INHERIT
            HANDLE_FLAG_PROTECT_FROM_CLOSE;
        fs: FILE_READ_DATA FILE_WRITE_DATA FILE_APPEND_DATA FILE_CREATE_PIPE_INSTANCE
            FILE_READ_ATTRIBUTES FILE_WRITE_ATTRIBUTES FILE_GENERIC_READ FILE_GENERIC_WRITE
            FILE_ALL_ACCESS DELETE READ_CONTROL WRITE_DAC WRITE_OWNER SYNCHRONIZE
            FILE_SHARE_READ FILE_SHARE_WRITE FILE_SHARE_DELETE
            CREATE_NEW CREATE_ALWAYS OPEN_EXISTING OPEN_ALWAYS TRUNCATE_EXISTING
            FILE_FLAG_OVERLAPPED FILE_FLAG_WRITE_THROUGH FILE_FLAG_FIRST_PIPE_INSTANCE
            PIPE_ACCESS_INBOUND PIPE_ACCESS_OUTBOUND PIPE_ACCESS_DUPLEX
            SECURITY_SQOS_PRESENT SECURITY_ANONYMOUS SECURITY_IDENTIFICATION
            SECURITY_IMPERSONATION SECURITY_DELEGATION SECURITY_CONTEXT_TRACKING
            SECURITY_EFFECTIVE_ONLY FILE_TYPE_UNKNOWN FILE_TYPE_PIPE FILE_ATTRIBUTE_NORMAL
            INVALID_FILE_ATTRIBUTES VOLUME_NAME_DOS VOLUME_NAME_NT
            FileBasicInfo FileStandardInfo FileNameInfo;
        pipes: PIPE_WAIT PIPE_NOWAIT PIPE_READMODE_BYTE PIPE_READMODE_MESSAGE PIPE_TYPE_BYTE
            PIPE_TYPE_MESSAGE PIPE_ACCEPT_REMOTE_CLIENTS PIPE_REJECT_REMOTE_CLIENTS
            PIPE_CLIENT_END PIPE_SERVER_END PIPE_UNLIMITED_INSTANCES NMPWAIT_NOWAIT
            NMPWAIT_USE_DEFAULT_WAIT NMPWAIT_WAIT_FOREVER;
        threading: INFINITE CREATE_EVENT_MANUAL_RESET CREATE_EVENT_INITIAL_SET
            WT_EXECUTEDEFAULT WT_EXECUTEONLYONCE WT_EXECUTELONGFUNCTION THREAD_ALL_ACCESS
            PROCESS_DUP_HANDLE;
        services: MAXIMUM_ALLOWED ACCESS_SYSTEM_SECURITY;
        programming: FILE_SKIP_COMPLETION_PORT_ON_SUCCESS FILE_SKIP_SET_EVENT_ON_HANDLE;
        nt: FILE_OPEN FILE_CREATE FILE_OPEN_IF FILE_SYNCHRONOUS_IO_ALERT
            FILE_SYNCHRONOUS_IO_NONALERT FSCTL_PIPE_DISCONNECT FSCTL_PIPE_LISTEN FSCTL_PIPE_PEEK
            FSCTL_PIPE_TRANSCEIVE FSCTL_PIPE_WAIT FSCTL_PIPE_IMPERSONATE
            FilePipeInformation FilePipeLocalInformation FileCompletionInformation;
    }
    text
}

/// A type of Rust in C.
fn in_c(rust: &str) -> String {
    // Windows' headers take any buffer.
    let rust = match rust.trim() {
        "*mut u8" => "*mut c_void",
        "*const u8" => "*const c_void",
        other => other,
    };
    if let Some(inner) = rust.strip_prefix("*mut ") {
        return format!("{} *", in_c(inner)).replace("* *", "**");
    }
    if let Some(inner) = rust.strip_prefix("*const ") {
        return format!("const {} *", in_c(inner));
    }
    let known = match rust {
        "c_void" => "void",
        "bool" => "BOOLEAN",
        "u8" => "UCHAR",
        "u16" => "WORD",
        "u32" => "DWORD",
        "usize" => "ULONG_PTR",
        "i64" => "LONGLONG",
        "PCSTR" => "LPCSTR",
        "PSTR" => "LPSTR",
        "PCWSTR" => "LPCWSTR",
        "PWSTR" => "LPWSTR",
        // 32-bit numbers that windows-sys names after their use.
        "CREATE_EVENT"
        | "DUPLICATE_HANDLE_OPTIONS"
        | "FILE_ACCESS_RIGHTS"
        | "FILE_CREATION_DISPOSITION"
        | "FILE_FLAGS_AND_ATTRIBUTES"
        | "FILE_SHARE_MODE"
        | "FILE_TYPE"
        | "GETFINALPATHNAMEBYHANDLE_FLAGS"
        | "HANDLE_FLAGS"
        | "NAMED_PIPE_MODE"
        | "NTCREATEFILE_CREATE_DISPOSITION"
        | "NTCREATEFILE_CREATE_OPTIONS"
        | "PROCESS_ACCESS_RIGHTS"
        | "SYNCHRONIZATION_ACCESS_RIGHTS"
        | "THREAD_ACCESS_RIGHTS"
        | "WAIT_EVENT"
        | "WIN32_ERROR"
        | "WORKER_THREAD_FLAGS" => "DWORD",
        other => other,
    };
    assert!(known.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{rust}");
    known.to_owned()
}

fn functions() -> String {
    let mut text = String::new();
    for (module, signatures) in npfs_win32::FUNCTIONS {
        let _ = writeln!(text, "\n/* {module} */");
        for (name, parameters, result) in *signatures {
            let result = if result.is_empty() { "void".to_owned() } else { in_c(result) };
            let list: Vec<String> = parameters
                .iter()
                .map(|(name, kind)| format!("{} {name}", in_c(kind)).replace("* ", "*"))
                .collect();
            let list = if list.is_empty() { "void".to_owned() } else { list.join(", ") };
            let head = format!("{result} WINAPI {name}(").replace("* WINAPI", "*WINAPI");
            let line = format!("{head}{list});");
            if line.len() <= 100 {
                let _ = writeln!(text, "{line}");
            } else {
                let _ = writeln!(text, "{head}\n    {});", list.replace(", ", ",\n    "));
            }
        }
    }
    text += "\n#ifdef UNICODE\n";
    text += &forms("W");
    text += "#else\n";
    text += &forms("A");
    text += "#endif\n";
    text
}

/// The names without a letter, for functions that have both forms.
fn forms(letter: &str) -> String {
    let names: Vec<&str> = npfs_win32::FUNCTIONS
        .iter()
        .flat_map(|(_, signatures)| signatures.iter().map(|signature| signature.0))
        .collect();
    let mut text = String::new();
    for name in &names {
        let Some(stem) = name.strip_suffix('W') else { continue };
        if names.contains(&&*format!("{stem}A")) {
            let _ = writeln!(text, "#define {stem} {stem}{letter}");
        }
    }
    let _ = writeln!(text, "#define WIN32_FIND_DATA WIN32_FIND_DATA{letter}");
    text
}

#[test]
fn the_header_says_what_rust_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/npfs.h");
    let found = std::fs::read_to_string(&path).expect("the header");
    let mut wanted = found.clone();
    for (part, text) in
        [("layouts", layouts()), ("constants", constants()), ("functions", functions())]
    {
        let (begin, end) = (format!("/* begin {part} */\n"), format!("/* end {part} */\n"));
        let from = wanted.find(&begin).expect("the mark before") + begin.len();
        let to = wanted.find(&end).expect("the mark behind");
        wanted.replace_range(from..to, &text);
    }
    if std::env::var_os("NPFS_UPDATE").is_some() {
        std::fs::write(&path, &wanted).expect("the header can be written");
    } else {
        assert!(found == wanted, "npfs.h differs; NPFS_UPDATE=1 cargo test -p npfs-win32-c");
    }
    let count = npfs_win32::FUNCTIONS.iter().map(|(_, signatures)| signatures.len()).sum::<usize>();
    assert_eq!(wanted.matches(" WINAPI ").count() + wanted.matches("*WINAPI ").count(), count);
}
