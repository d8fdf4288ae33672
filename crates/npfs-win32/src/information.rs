//! `Win32::Storage::FileSystem`: what is known of a file.

use ::core::ffi::c_void;

use npfs_abi::{Call, Composite, Output, PipeName, Status, codes};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_NOT_SUPPORTED, ERROR_PATH_NOT_FOUND, HANDLE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_NORMAL, FILE_INFO_BY_HANDLE_CLASS, GETFINALPATHNAMEBYHANDLE_FLAGS,
    INVALID_FILE_ATTRIBUTES, VOLUME_NAME_NT,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR, PSTR, PWSTR};

use crate::call::{fail, handle, truth};
use crate::memory::{Buffer, StringOut, bytes, is_bad_buffer, narrow, text, wide};
use crate::simulation::here;

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
