//! `Win32::Storage::FileSystem`, as far as it concerns pipes.

use npfs_abi::{Access, Call, CreateFile, Delivery, Output, PipeName, Status};
use npfs_host::Attached;
use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_PATH_NOT_FOUND,
    GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_ALWAYS, CREATE_NEW, CREATEFILE2_EXTENDED_PARAMETERS, FILE_CREATION_DISPOSITION,
    FILE_FLAGS_AND_ATTRIBUTES, FILE_SHARE_MODE, FILE_TYPE, FILE_TYPE_UNKNOWN, OPEN_ALWAYS,
    OPEN_EXISTING, TRUNCATE_EXISTING,
};
use windows_sys::Win32::System::IO::{LPOVERLAPPED_COMPLETION_ROUTINE, OVERLAPPED};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::call::{fail, handle, new_handle, truth};
use crate::error;
use crate::memory::{Buffer, StatusBlock, bytes, is_bad, is_bad_buffer, narrow, sink, wide};
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
