//! Opening, reading and writing, and what is known of a file.

use ::core::ffi::c_void;
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
pub use windows_sys::Win32::Storage::FileSystem::*;
use windows_sys::Win32::System::IO::{LPOVERLAPPED_COMPLETION_ROUTINE, OVERLAPPED};
use windows_sys::core::{BOOL, PCSTR, PCWSTR, PSTR, PWSTR};

functions! { windows_sys::Win32::Storage::FileSystem => {
    files {
        /// `CreateFileW`: opens a client end.
        fn CreateFileW(
            lpfilename: PCWSTR,
            dwdesiredaccess: u32,
            dwsharemode: FILE_SHARE_MODE,
            lpsecurityattributes: *const SECURITY_ATTRIBUTES,
            dwcreationdisposition: FILE_CREATION_DISPOSITION,
            dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
            htemplatefile: HANDLE,
        ) -> HANDLE;
        /// `CreateFileA`: as `CreateFileW`, with a name in UTF-8.
        fn CreateFileA(
            lpfilename: PCSTR,
            dwdesiredaccess: u32,
            dwsharemode: FILE_SHARE_MODE,
            lpsecurityattributes: *const SECURITY_ATTRIBUTES,
            dwcreationdisposition: FILE_CREATION_DISPOSITION,
            dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
            htemplatefile: HANDLE,
        ) -> HANDLE;
        /// `CreateFile2`: as `CreateFileW`, with further parameters in a structure.
        fn CreateFile2(
            lpfilename: PCWSTR,
            dwdesiredaccess: u32,
            dwsharemode: FILE_SHARE_MODE,
            dwcreationdisposition: FILE_CREATION_DISPOSITION,
            pcreateexparams: *const CREATEFILE2_EXTENDED_PARAMETERS,
        ) -> HANDLE;
        /// `ReOpenFile`: opens a client end of the pipe that a server end is of.
        fn ReOpenFile(
            horiginalfile: HANDLE,
            dwdesiredaccess: u32,
            dwsharemode: FILE_SHARE_MODE,
            dwflagsandattributes: FILE_FLAGS_AND_ATTRIBUTES,
        ) -> HANDLE;
        /// `ReadFile`: reads.
        fn ReadFile(
            hfile: HANDLE,
            lpbuffer: *mut u8,
            nnumberofbytestoread: u32,
            lpnumberofbytesread: *mut u32,
            lpoverlapped: *mut OVERLAPPED,
        ) -> BOOL;
        /// `ReadFileEx`: reads, and tells the end by a routine.
        fn ReadFileEx(
            hfile: HANDLE,
            lpbuffer: *mut u8,
            nnumberofbytestoread: u32,
            lpoverlapped: *mut OVERLAPPED,
            lpcompletionroutine: LPOVERLAPPED_COMPLETION_ROUTINE,
        ) -> BOOL;
        /// `WriteFile`: writes.
        fn WriteFile(
            hfile: HANDLE,
            lpbuffer: *const u8,
            nnumberofbytestowrite: u32,
            lpnumberofbyteswritten: *mut u32,
            lpoverlapped: *mut OVERLAPPED,
        ) -> BOOL;
        /// `WriteFileEx`: writes, and tells the end by a routine.
        fn WriteFileEx(
            hfile: HANDLE,
            lpbuffer: *const u8,
            nnumberofbytestowrite: u32,
            lpoverlapped: *mut OVERLAPPED,
            lpcompletionroutine: LPOVERLAPPED_COMPLETION_ROUTINE,
        ) -> BOOL;
        /// `FlushFileBuffers`: waits until the other end has read everything.
        fn FlushFileBuffers(hfile: HANDLE) -> BOOL;
        /// `GetFileType`: `FILE_TYPE_PIPE`, for either end.
        fn GetFileType(hfile: HANDLE) -> FILE_TYPE;
        /// `SetFileCompletionNotificationModes`: leaves out packets or signals from now on.
        fn SetFileCompletionNotificationModes(filehandle: HANDLE, flags: u8) -> BOOL;
    }
    listing {
        /// `FindFirstFileW`: the first pipe whose name fits `\\.\pipe\*` or another pattern there.
        fn FindFirstFileW(lpfilename: PCWSTR, lpfindfiledata: *mut WIN32_FIND_DATAW) -> HANDLE;
        /// `FindFirstFileA`: as `FindFirstFileW`, in UTF-8.
        fn FindFirstFileA(lpfilename: PCSTR, lpfindfiledata: *mut WIN32_FIND_DATAA) -> HANDLE;
        /// `FindNextFileW`: the next such pipe.
        fn FindNextFileW(hfindfile: HANDLE, lpfindfiledata: *mut WIN32_FIND_DATAW) -> BOOL;
        /// `FindNextFileA`: as `FindNextFileW`, in UTF-8.
        fn FindNextFileA(hfindfile: HANDLE, lpfindfiledata: *mut WIN32_FIND_DATAA) -> BOOL;
        /// `FindClose`: ends a search.
        fn FindClose(hfindfile: HANDLE) -> BOOL;
    }
    information {
        /// `GetFileInformationByHandleEx`: asks for an information class.
        fn GetFileInformationByHandleEx(
            hfile: HANDLE,
            fileinformationclass: FILE_INFO_BY_HANDLE_CLASS,
            lpfileinformation: *mut c_void,
            dwbuffersize: u32,
        ) -> BOOL;
        /// `SetFileInformationByHandle`: sets an information class.
        fn SetFileInformationByHandle(
            hfile: HANDLE,
            fileinformationclass: FILE_INFO_BY_HANDLE_CLASS,
            lpfileinformation: *const c_void,
            dwbuffersize: u32,
        ) -> BOOL;
        /// `GetFinalPathNameByHandleW`: the name below `\Device\NamedPipe`, with `VOLUME_NAME_NT`;
        /// a pipe is on no volume, so the other forms are refused with 50.
        fn GetFinalPathNameByHandleW(
            hfile: HANDLE,
            lpszfilepath: PWSTR,
            cchfilepath: u32,
            dwflags: GETFINALPATHNAMEBYHANDLE_FLAGS,
        ) -> u32;
        /// `GetFinalPathNameByHandleA`: as `GetFinalPathNameByHandleW`, in UTF-8.
        fn GetFinalPathNameByHandleA(
            hfile: HANDLE,
            lpszfilepath: PSTR,
            cchfilepath: u32,
            dwflags: GETFINALPATHNAMEBYHANDLE_FLAGS,
        ) -> u32;
        /// `GetFileAttributesW`: opens and closes a client end, as this function does.
        fn GetFileAttributesW(lpfilename: PCWSTR) -> u32;
        /// `GetFileAttributesA`: as `GetFileAttributesW`, with a name in UTF-8.
        fn GetFileAttributesA(lpfilename: PCSTR) -> u32;
    }
} }
