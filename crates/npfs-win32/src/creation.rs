//! The Nt functions that find objects by name: creation and opening.

use ::core::ffi::c_void;
use ::core::ptr::null_mut;

use npfs_abi::{
    Access, Call, NtCreateFile as Open, NtCreateNamedPipeFile as Create, ObjectAttributes, Output,
    PipeName, Reply, SecurityDescriptor, Status, codes,
};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    NTCREATEFILE_CREATE_DISPOSITION, NTCREATEFILE_CREATE_OPTIONS,
};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::Security::SECURITY_QUALITY_OF_SERVICE;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ACCESS_RIGHTS, FILE_FLAGS_AND_ATTRIBUTES, FILE_SHARE_MODE,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use crate::call::{handle, raw};
use crate::memory::{StatusBlock, is_bad, is_bad_buffer, put, text};
use crate::native::nt;
use crate::security::descriptor;
use crate::simulation::here;

/// `OBJ_INHERIT`
const INHERIT: u32 = 2;

/// A counted string.
///
/// # Safety
/// The pointer is to a whole structure, its buffer of the length it says.
pub(crate) unsafe fn string(at: *const UNICODE_STRING) -> Result<PipeName, Status> {
    if is_bad(at) {
        return Err(Status::ACCESS_VIOLATION);
    }
    // SAFETY: the caller's promise.
    unsafe {
        let UNICODE_STRING { Length, Buffer, .. } = at.read_unaligned();
        if Length % 2 != 0 {
            return Err(Status::OBJECT_NAME_INVALID); // NAME-22
        }
        if is_bad_buffer(Buffer, u32::from(Length)) {
            return Err(Status::ACCESS_VIOLATION);
        }
        let units = (0..usize::from(Length / 2)).map(|place| Buffer.add(place).read_unaligned());
        Ok(PipeName::new(&text(units)))
    }
}

/// What an Nt function finds an object by.
struct Found {
    attributes: Option<ObjectAttributes>,
    security: Option<SecurityDescriptor>,
    /// As the flags of `CreateFile` say it.
    sqos: u32,
}

/// `OBJECT_ATTRIBUTES` in memory (NAME-30 to NAME-35).
///
/// # Safety
/// The pointer is null or to a whole structure, and so are those in it.
unsafe fn find(at: *const OBJECT_ATTRIBUTES) -> Result<Found, Status> {
    if at.is_null() {
        return Ok(Found { attributes: None, security: None, sqos: 0 });
    }
    if is_bad(at) {
        return Err(Status::ACCESS_VIOLATION);
    }
    // SAFETY: the caller's promise.
    unsafe {
        let given = at.read_unaligned();
        if given.Length != size_of::<OBJECT_ATTRIBUTES>() as u32 {
            return Err(Status::INVALID_PARAMETER);
        }
        let name = if given.ObjectName.is_null() { None } else { Some(string(given.ObjectName)?) };
        let root = (!given.RootDirectory.is_null()).then(|| handle(given.RootDirectory));
        let inherit = given.Attributes & INHERIT != 0;
        Ok(Found {
            attributes: Some(ObjectAttributes { root, name, inherit }),
            security: descriptor(given.SecurityDescriptor.cast())?,
            sqos: quality(given.SecurityQualityOfService),
        })
    }
}

unsafe fn quality(at: *const SECURITY_QUALITY_OF_SERVICE) -> u32 {
    if is_bad(at) {
        return 0;
    }
    // SAFETY: as in find. A BOOLEAN may be any byte.
    let (level, tracking, effective) = unsafe {
        let level = (&raw const (*at).ImpersonationLevel).read_unaligned();
        let effective = (&raw const (*at).EffectiveOnly).cast::<u8>().read();
        (level, (*at).ContextTrackingMode, effective)
    };
    let level = (level as u32) << 16 & codes::sqos::LEVEL;
    let tracking = if tracking != 0 { codes::sqos::CONTEXT_TRACKING } else { 0 };
    let effective = if effective != 0 { codes::sqos::EFFECTIVE_ONLY } else { 0 };
    codes::sqos::PRESENT | level | tracking | effective
}

/// A creation or an open: handle and status block are written (NAME-36, CREATE-36, OPEN-20).
unsafe fn created(
    reply: Result<Reply, Status>,
    file: *mut HANDLE,
    block: *mut IO_STATUS_BLOCK,
) -> NTSTATUS {
    let reply = reply.unwrap_or_else(Reply::status);
    let new = match reply.output {
        Output::Handle(new) => raw(new),
        _ => null_mut(),
    };
    // SAFETY: the callers have looked at both pointers.
    unsafe {
        put(file, new);
        if !new.is_null() {
            StatusBlock::native(block).finish(reply.status, reply.information);
        }
    }
    nt(reply.status)
}

pub(crate) unsafe fn NtCreateFile(
    file: *mut HANDLE,
    access: FILE_ACCESS_RIGHTS,
    attributes: *const OBJECT_ATTRIBUTES,
    block: *mut IO_STATUS_BLOCK,
    _allocation: *const i64,
    _file_attributes: FILE_FLAGS_AND_ATTRIBUTES,
    share: FILE_SHARE_MODE,
    disposition: NTCREATEFILE_CREATE_DISPOSITION,
    options: NTCREATEFILE_CREATE_OPTIONS,
    _ea: *const c_void,
    _ea_length: u32,
) -> NTSTATUS {
    if is_bad(file) || is_bad(block) {
        return nt(Status::ACCESS_VIOLATION);
    }
    // SAFETY: the caller gives whole structures, and two places to write.
    unsafe {
        let reply = find(attributes).map(|found| {
            here().ask(&Call::NtCreateFile(Open {
                attributes: found.attributes,
                sqos: found.sqos,
                access: Access(access),
                share,
                disposition,
                options,
            }))
        });
        created(reply, file, block)
    }
}

pub(crate) unsafe fn NtOpenFile(
    file: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    block: *mut IO_STATUS_BLOCK,
    share: u32,
    options: u32,
) -> NTSTATUS {
    let open = codes::disposition::OPEN;
    let none = ::core::ptr::null();
    // SAFETY: the caller's promises are those of NtCreateFile.
    unsafe {
        NtCreateFile(file, access, attributes, block, none, 0, share, open, options, none.cast(), 0)
    }
}

pub(crate) unsafe fn NtCreateNamedPipeFile(
    file: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    block: *mut IO_STATUS_BLOCK,
    share: u32,
    disposition: u32,
    options: u32,
    pipe_type: u32,
    read_mode: u32,
    completion_mode: u32,
    max_instances: u32,
    inbound_quota: u32,
    outbound_quota: u32,
    default_timeout: *const i64,
) -> NTSTATUS {
    if is_bad(file) || is_bad(block) {
        return nt(Status::ACCESS_VIOLATION); // NAME-35
    }
    // SAFETY: the caller gives whole structures, and two places to write.
    unsafe {
        let default_timeout = (!is_bad(default_timeout)).then(|| default_timeout.read_unaligned());
        let reply = find(attributes).map(|found| {
            here().ask(&Call::NtCreateNamedPipeFile(Create {
                attributes: found.attributes,
                security: found.security,
                access: Access(access),
                share,
                disposition,
                options,
                pipe_type,
                read_mode,
                completion_mode,
                max_instances,
                inbound_quota,
                outbound_quota,
                default_timeout,
            }))
        });
        created(reply, file, block)
    }
}
