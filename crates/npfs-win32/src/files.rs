//! `Win32::Storage::FileSystem`, as far as it concerns pipes.

use ::core::ffi::c_void;

use npfs_abi::{
    Access, Call, Composite, CreateFile, Data, Delivery, Output, PipeName, Reply, Status, codes,
};
use npfs_host::Attached;
use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_PARAMETER, ERROR_NO_MORE_FILES,
    ERROR_NOACCESS, ERROR_NOT_SUPPORTED, ERROR_PATH_NOT_FOUND, GENERIC_WRITE, HANDLE,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_ALWAYS, CREATE_NEW, CREATEFILE2_EXTENDED_PARAMETERS, FILE_ATTRIBUTE_NORMAL,
    FILE_CREATION_DISPOSITION, FILE_FLAGS_AND_ATTRIBUTES, FILE_INFO_BY_HANDLE_CLASS,
    FILE_SHARE_MODE, FILE_TYPE, FILE_TYPE_UNKNOWN, GETFINALPATHNAMEBYHANDLE_FLAGS,
    INVALID_FILE_ATTRIBUTES, OPEN_ALWAYS, OPEN_EXISTING, TRUNCATE_EXISTING, VOLUME_NAME_NT,
    WIN32_FIND_DATAA, WIN32_FIND_DATAW,
};
use windows_sys::Win32::System::IO::{LPOVERLAPPED_COMPLETION_ROUTINE, OVERLAPPED};
use windows_sys::core::{BOOL, PCSTR, PCWSTR, PSTR, PWSTR};

use crate::call::{fail, handle, is_none, new_handle, number_at, raw, truth};
use crate::error;
use crate::memory::{
    Buffer, StatusBlock, StringOut, bytes, is_bad, is_bad_buffer, narrow, sink, text, wide,
};
use crate::security::inherits;
use crate::simulation::here;

/// `FILE_OPENED`
const OPENED: u32 = 1;

fn open(
    name: Option<String>,
    access: u32,
    inherit: bool,
    disposition: FILE_CREATION_DISPOSITION,
    flags: FILE_FLAGS_AND_ATTRIBUTES,
) -> HANDLE {
    let refused = match (name.is_some(), disposition) {
        (false, _) => Some(ERROR_PATH_NOT_FOUND),
        (true, TRUNCATE_EXISTING) if access & GENERIC_WRITE == 0 => Some(ERROR_INVALID_PARAMETER),
        (true, CREATE_NEW | CREATE_ALWAYS | OPEN_EXISTING | OPEN_ALWAYS | TRUNCATE_EXISTING) => {
            None
        }
        (true, _) => Some(ERROR_INVALID_PARAMETER),
    };
    if let Some(code) = refused {
        fail(code);
        return INVALID_HANDLE_VALUE;
    }
    let name = PipeName::new(&name.unwrap_or_default());
    // OPEN-15: whatever the disposition, a pipe that exists is opened.
    let call = Call::CreateFile(CreateFile { name, access: Access(access), flags, inherit });
    let reply = here().ask(&call);
    let new = new_handle(&reply, INVALID_HANDLE_VALUE);
    if new != INVALID_HANDLE_VALUE {
        let asks = matches!(disposition, CREATE_ALWAYS | OPEN_ALWAYS);
        error::set(if asks && reply.information == OPENED { ERROR_ALREADY_EXISTS } else { 0 });
    }
    new
}

pub(crate) unsafe fn CreateFileW(
    name: PCWSTR,
    access: u32,
    _share: FILE_SHARE_MODE,
    security: *const SECURITY_ATTRIBUTES,
    disposition: FILE_CREATION_DISPOSITION,
    flags: FILE_FLAGS_AND_ATTRIBUTES,
    _template: HANDLE,
) -> HANDLE {
    // SAFETY: the caller gives null or a terminated string, and null or a whole structure.
    let (name, inherit) = unsafe { (wide(name), inherits(security)) };
    open(name, access, inherit, disposition, flags)
}

pub(crate) unsafe fn CreateFileA(
    name: PCSTR,
    access: u32,
    _share: FILE_SHARE_MODE,
    security: *const SECURITY_ATTRIBUTES,
    disposition: FILE_CREATION_DISPOSITION,
    flags: FILE_FLAGS_AND_ATTRIBUTES,
    _template: HANDLE,
) -> HANDLE {
    // SAFETY: as in CreateFileW.
    let (name, inherit) = unsafe { (narrow(name), inherits(security)) };
    open(name, access, inherit, disposition, flags)
}

pub(crate) unsafe fn CreateFile2(
    name: PCWSTR,
    access: u32,
    _share: FILE_SHARE_MODE,
    disposition: FILE_CREATION_DISPOSITION,
    parameters: *const CREATEFILE2_EXTENDED_PARAMETERS,
) -> HANDLE {
    let (mut flags, mut inherit) = (0, false);
    if !is_bad(parameters) {
        // SAFETY: the caller gives null or a whole structure.
        unsafe {
            let given = &*parameters;
            if given.dwSize < size_of::<CREATEFILE2_EXTENDED_PARAMETERS>() as u32 {
                fail(ERROR_INVALID_PARAMETER);
                return INVALID_HANDLE_VALUE;
            }
            flags = given.dwFileAttributes | given.dwFileFlags | given.dwSecurityQosFlags;
            inherit = inherits(given.lpSecurityAttributes);
        }
    }
    // SAFETY: the caller gives null or a terminated string.
    open(unsafe { wide(name) }, access, inherit, disposition, flags)
}

pub(crate) unsafe fn ReOpenFile(
    file: HANDLE,
    access: u32,
    _share: FILE_SHARE_MODE,
    flags: FILE_FLAGS_AND_ATTRIBUTES,
) -> HANDLE {
    let call = Call::ReOpenFile { file: handle(file), access: Access(access), flags };
    new_handle(&here().ask(&call), INVALID_HANDLE_VALUE)
}

pub(crate) unsafe fn ReadFile(
    file: HANDLE,
    buffer: *mut u8,
    length: u32,
    read: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    let place = here();
    let buffer = Buffer::new(buffer.cast(), length);
    if buffer.is_bad() {
        return truth(place.refuse_buffer(file, Access::READ_DATA));
    }
    let call = |delivery| Call::ReadFile { file: handle(file), length, delivery };
    // SAFETY: the caller leaves buffer and OVERLAPPED to the system until the end.
    unsafe { place.transfer(call, Some(buffer), read, overlapped) }
}

pub(crate) unsafe fn WriteFile(
    file: HANDLE,
    buffer: *const u8,
    length: u32,
    written: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    let place = here();
    if is_bad_buffer(buffer, length) {
        return truth(place.refuse_buffer(file, Access::WRITE_DATA));
    }
    // SAFETY: the caller gives so many bytes to read.
    let data = unsafe { bytes(buffer.cast(), length) };
    let call = |delivery| Call::WriteFile { file: handle(file), data, delivery };
    // SAFETY: the caller leaves the OVERLAPPED to the system until the end.
    unsafe { place.transfer(call, None, written, overlapped) }
}

/// `ReadFileEx` and `WriteFileEx`: a routine is queued to this thread at the end (APC-07, APC-08).
unsafe fn with_routine(
    call: Call,
    buffer: Option<Buffer>,
    overlapped: *mut OVERLAPPED,
    routine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    let Some(routine) = routine else { return fail(ERROR_INVALID_PARAMETER) };
    if is_bad(overlapped) {
        return fail(ERROR_NOACCESS);
    }
    let block = StatusBlock::overlapped(overlapped);
    // SAFETY: the caller leaves the OVERLAPPED to the system until the end.
    unsafe { block.begin() };
    let address = block.address();
    let queued = Box::new(move || {
        let block = block;
        // SAFETY: the operation has ended; its routine gets the OVERLAPPED back, once.
        unsafe {
            let status = block.ended().unwrap_or(Status::PENDING);
            let at = ::core::ptr::with_exposed_provenance_mut(address as usize);
            routine(status.win32(), block.information(), at);
        }
    });
    let attached = Attached {
        block: address,
        context: 0,
        sink: Some(sink(block, buffer)),
        routine: Some(queued),
    };
    // PENDING is a success too: the function says only whether the operation began.
    truth(here().begin(&call, attached).status)
}

pub(crate) unsafe fn ReadFileEx(
    file: HANDLE,
    buffer: *mut u8,
    length: u32,
    overlapped: *mut OVERLAPPED,
    routine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    let buffer = Buffer::new(buffer.cast(), length);
    if buffer.is_bad() {
        return truth(here().refuse_buffer(file, Access::READ_DATA));
    }
    let call = Call::ReadFile { file: handle(file), length, delivery: Delivery::Routine };
    // SAFETY: the caller leaves buffer and OVERLAPPED to the system until the end.
    unsafe { with_routine(call, Some(buffer), overlapped, routine) }
}

pub(crate) unsafe fn WriteFileEx(
    file: HANDLE,
    buffer: *const u8,
    length: u32,
    overlapped: *mut OVERLAPPED,
    routine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    if is_bad_buffer(buffer, length) {
        return truth(here().refuse_buffer(file, Access::WRITE_DATA));
    }
    // SAFETY: the caller gives so many bytes to read.
    let data = unsafe { bytes(buffer.cast(), length) };
    let call = Call::WriteFile { file: handle(file), data, delivery: Delivery::Routine };
    // SAFETY: the caller leaves the OVERLAPPED to the system until the end.
    unsafe { with_routine(call, None, overlapped, routine) }
}

pub(crate) unsafe fn FlushFileBuffers(file: HANDLE) -> BOOL {
    truth(here().ask(&Call::FlushFileBuffers { file: handle(file) }).status)
}

pub(crate) unsafe fn GetFileType(file: HANDLE) -> FILE_TYPE {
    let reply = here().ask(&Call::GetFileType { file: handle(file) });
    let Output::FileType(kind) = reply.output else {
        truth(reply.status);
        return FILE_TYPE_UNKNOWN;
    };
    kind
}

pub(crate) unsafe fn SetFileCompletionNotificationModes(file: HANDLE, flags: u8) -> BOOL {
    let call =
        Call::SetFileCompletionNotificationModes { file: handle(file), flags: u32::from(flags) };
    truth(here().ask(&call).status)
}

/// The class that the system has for one of these functions.
fn class_of(class: FILE_INFO_BY_HANDLE_CLASS) -> Option<u32> {
    Some(match class {
        0 => codes::file_class::BASIC,
        1 => codes::file_class::STANDARD,
        2 => codes::file_class::NAME,
        3 => 10,  // FileRenameInformation
        4 => 13,  // FileDispositionInformation
        5 => 19,  // FileAllocationInformation
        6 => 20,  // FileEndOfFileInformation
        7 => 22,  // FileStreamInformation
        8 => 28,  // FileCompressionInformation
        9 => 35,  // FileAttributeTagInformation
        12 => 43, // FileIoPriorityHintInformation
        13 => 55, // FileRemoteProtocolInformation
        17 => codes::file_class::ALIGNMENT,
        18 => 59, // FileIdInformation
        _ => return None,
    })
}

pub(crate) unsafe fn GetFileInformationByHandleEx(
    file: HANDLE,
    class: FILE_INFO_BY_HANDLE_CLASS,
    information: *mut c_void,
    length: u32,
) -> BOOL {
    let Some(class) = class_of(class) else { return fail(ERROR_INVALID_PARAMETER) };
    let buffer = Buffer::new(information, length);
    if buffer.is_bad() {
        return fail(ERROR_NOACCESS);
    }
    let reply = here().ask(&Call::NtQueryInformationFile { file: handle(file), class, length });
    // SAFETY: the caller gives so much room; the call is over.
    unsafe { buffer.fill(&reply.output) };
    truth(reply.status)
}

pub(crate) unsafe fn SetFileInformationByHandle(
    file: HANDLE,
    class: FILE_INFO_BY_HANDLE_CLASS,
    information: *const c_void,
    length: u32,
) -> BOOL {
    let Some(class) = class_of(class) else { return fail(ERROR_INVALID_PARAMETER) };
    if is_bad_buffer(information, length) {
        return fail(ERROR_NOACCESS);
    }
    // SAFETY: the caller gives so many bytes to read.
    let input = unsafe { bytes(information, length) };
    truth(here().ask(&Call::NtSetInformationFile { file: handle(file), class, input }).status)
}

/// The name of a pipe end below the root of all objects; only in that form a pipe has one, as it
/// is on no volume.
unsafe fn final_path(file: HANDLE, flags: GETFINALPATHNAMEBYHANDLE_FLAGS, path: StringOut) -> u32 {
    if flags & 7 != VOLUME_NAME_NT {
        fail(ERROR_NOT_SUPPORTED);
        return 0;
    }
    let class = codes::object_class::NAME;
    let reply = here().ask(&Call::NtQueryObject { handle: handle(file), class });
    let Output::Data(name) = &reply.output else {
        truth(reply.status);
        return 0;
    };
    let units = name.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    // SAFETY: the caller gives room as it says.
    match unsafe { path.write(&text(units)) } {
        Ok(length) | Err(length) => length,
    }
}

pub(crate) unsafe fn GetFinalPathNameByHandleW(
    file: HANDLE,
    path: PWSTR,
    length: u32,
    flags: GETFINALPATHNAMEBYHANDLE_FLAGS,
) -> u32 {
    // SAFETY: the caller gives room for `length` units.
    unsafe { final_path(file, flags, StringOut::Wide(path, length)) }
}

pub(crate) unsafe fn GetFinalPathNameByHandleA(
    file: HANDLE,
    path: PSTR,
    length: u32,
    flags: GETFINALPATHNAMEBYHANDLE_FLAGS,
) -> u32 {
    // SAFETY: the caller gives room for `length` bytes.
    unsafe { final_path(file, flags, StringOut::Narrow(path, length)) }
}

fn attributes_of(name: Option<String>) -> u32 {
    let Some(name) = name else {
        fail(ERROR_PATH_NOT_FOUND);
        return INVALID_FILE_ATTRIBUTES;
    };
    let name = PipeName::new(&name);
    match here().composite(Composite::GetFileAttributes { name }).status {
        Status::SUCCESS => FILE_ATTRIBUTE_NORMAL, // INFO-74
        status => {
            truth(status);
            INVALID_FILE_ATTRIBUTES
        }
    }
}

pub(crate) unsafe fn GetFileAttributesW(name: PCWSTR) -> u32 {
    // SAFETY: the caller gives null or a terminated string.
    attributes_of(unsafe { wide(name) })
}

pub(crate) unsafe fn GetFileAttributesA(name: PCSTR) -> u32 {
    // SAFETY: as in GetFileAttributesW.
    attributes_of(unsafe { narrow(name) })
}

// The listing of `\\.\pipe\` (DIR-11). A search handle is a handle to the root.

/// Room for the longest name.
const ENTRY_LENGTH: u32 = 0x1_1000;

/// One entry: how many instances there are (DIR-03), and the name.
struct Entry {
    attributes: u32,
    instances: (u32, u32),
    name: Vec<u16>,
}

/// `FILE_BOTH_DIR_INFORMATION`
fn entry(data: &Data) -> Entry {
    let length = number_at(data, 60) as usize;
    let name = data.get(94..94 + length).unwrap_or(&[]).chunks_exact(2);
    Entry {
        instances: (number_at(data, 40), number_at(data, 44)),
        attributes: number_at(data, 56),
        name: name.map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect(),
    }
}

fn next_entry(file: HANDLE, pattern: Option<&str>) -> Result<Entry, Reply> {
    let reply = here().ask(&Call::NtQueryDirectoryFile {
        file: handle(file),
        class: codes::file_class::BOTH_DIRECTORY,
        length: ENTRY_LENGTH,
        pattern: pattern.map(PipeName::new),
        restart: false,
        single: true,
    });
    match &reply.output {
        Output::Data(data) => Ok(entry(data)),
        _ => Err(reply),
    }
}

fn find_first(path: Option<String>) -> Result<(HANDLE, Entry), u32> {
    let path = path.ok_or(ERROR_PATH_NOT_FOUND)?;
    let (folder, pattern) = path.split_at(path.rfind('\\').map_or(0, |place| place + 1));
    let mut open = CreateFile::new(folder);
    open.access = Access::LIST_DIRECTORY;
    let place = here();
    let reply = place.ask(&Call::CreateFile(open));
    let Output::Handle(root) = reply.output else { return Err(reply.status.win32()) };
    let pattern = if pattern == "*.*" { "*" } else { pattern };
    match next_entry(raw(root), Some(pattern)) {
        Ok(entry) => Ok((raw(root), entry)),
        Err(reply) => {
            place.ask(&Call::CloseHandle { handle: root });
            let code = reply.status.win32();
            // Nothing that fits is no end of a listing.
            Err(if code == ERROR_NO_MORE_FILES { ERROR_FILE_NOT_FOUND } else { code })
        }
    }
}

fn wide_entry(entry: &Entry) -> WIN32_FIND_DATAW {
    let mut data = WIN32_FIND_DATAW {
        dwFileAttributes: entry.attributes,
        nFileSizeLow: entry.instances.0,
        nFileSizeHigh: entry.instances.1,
        ..WIN32_FIND_DATAW::default()
    };
    let room = data.cFileName.len() - 1;
    for (to, from) in data.cFileName[..room].iter_mut().zip(&entry.name) {
        *to = *from;
    }
    data
}

fn narrow_entry(entry: &Entry) -> WIN32_FIND_DATAA {
    let mut data = WIN32_FIND_DATAA {
        dwFileAttributes: entry.attributes,
        nFileSizeLow: entry.instances.0,
        nFileSizeHigh: entry.instances.1,
        ..WIN32_FIND_DATAA::default()
    };
    let room = data.cFileName.len() - 1;
    let name = text(entry.name.iter().copied());
    for (to, from) in data.cFileName[..room].iter_mut().zip(name.bytes()) {
        *to = from as _;
    }
    data
}

unsafe fn first<T>(path: Option<String>, data: *mut T, form: fn(&Entry) -> T) -> HANDLE {
    if is_bad(data) {
        fail(ERROR_NOACCESS);
        return INVALID_HANDLE_VALUE;
    }
    match find_first(path) {
        Ok((search, entry)) => {
            // SAFETY: the caller gives a place for a structure.
            unsafe { data.write_unaligned(form(&entry)) };
            search
        }
        Err(code) => {
            fail(code);
            INVALID_HANDLE_VALUE
        }
    }
}

unsafe fn next<T>(search: HANDLE, data: *mut T, form: fn(&Entry) -> T) -> BOOL {
    if is_bad(data) {
        return fail(ERROR_NOACCESS);
    }
    match next_entry(search, None) {
        Ok(entry) => {
            // SAFETY: the caller gives a place for a structure.
            unsafe { data.write_unaligned(form(&entry)) };
            1
        }
        Err(reply) => truth(reply.status),
    }
}

pub(crate) unsafe fn FindFirstFileW(path: PCWSTR, data: *mut WIN32_FIND_DATAW) -> HANDLE {
    // SAFETY: the caller gives null or a terminated string, and a place for a structure.
    unsafe { first(wide(path), data, wide_entry) }
}

pub(crate) unsafe fn FindFirstFileA(path: PCSTR, data: *mut WIN32_FIND_DATAA) -> HANDLE {
    // SAFETY: as in FindFirstFileW.
    unsafe { first(narrow(path), data, narrow_entry) }
}

pub(crate) unsafe fn FindNextFileW(search: HANDLE, data: *mut WIN32_FIND_DATAW) -> BOOL {
    // SAFETY: the caller gives a place for a structure.
    unsafe { next(search, data, wide_entry) }
}

pub(crate) unsafe fn FindNextFileA(search: HANDLE, data: *mut WIN32_FIND_DATAA) -> BOOL {
    // SAFETY: as in FindNextFileW.
    unsafe { next(search, data, narrow_entry) }
}

pub(crate) unsafe fn FindClose(search: HANDLE) -> BOOL {
    if is_none(search) {
        return truth(Status::INVALID_HANDLE);
    }
    truth(here().ask(&Call::CloseHandle { handle: handle(search) }).status)
}
