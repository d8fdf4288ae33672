//! The Nt functions: statuses instead of errors, and every way of telling an end at once.

use ::core::ffi::c_void;
use ::core::ptr::{null_mut, with_exposed_provenance_mut};

use npfs_abi::{
    Access, Call, Data, Delivery, NtCreateFile as Open, NtCreateNamedPipeFile as Create,
    ObjectAttributes, Output, PipeName, Reply, SecurityDescriptor, Status, codes,
};
use npfs_host::{Attached, Routine};
use windows_sys::Wdk::Foundation::{OBJECT_ATTRIBUTES, OBJECT_INFORMATION_CLASS};
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_INFORMATION_CLASS, FS_INFORMATION_CLASS, NTCREATEFILE_CREATE_DISPOSITION,
    NTCREATEFILE_CREATE_OPTIONS,
};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::Security::SECURITY_QUALITY_OF_SERVICE;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ACCESS_RIGHTS, FILE_FLAGS_AND_ATTRIBUTES, FILE_SHARE_MODE,
};
use windows_sys::Win32::System::IO::{IO_STATUS_BLOCK, PIO_APC_ROUTINE};

use crate::call::{handle, raw};
use crate::memory::{Buffer, StatusBlock, bytes, is_bad, is_bad_buffer, put, sink, text};
use crate::ports::cancel;
use crate::security::descriptor;
use crate::simulation::{Place, here};

/// `OBJ_INHERIT`
const INHERIT: u32 = 2;

fn nt(status: Status) -> NTSTATUS {
    status.0 as NTSTATUS
}

/// A counted string.
///
/// # Safety
/// The pointer is to a whole structure, its buffer of the length it says.
unsafe fn string(at: *const UNICODE_STRING) -> Result<PipeName, Status> {
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

/// How the end of an operation is told.
#[derive(Clone, Copy)]
struct Telling {
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *const c_void,
    block: *mut IO_STATUS_BLOCK,
}

impl Telling {
    fn delivery(&self) -> Delivery {
        Delivery::Nt {
            event: (!self.event.is_null()).then(|| handle(self.event)),
            routine: self.routine.is_some(),
            context: !self.context.is_null(),
        }
    }

    fn routine(&self) -> Option<Routine> {
        let routine = self.routine?;
        let context = self.context.expose_provenance();
        let block = self.block.expose_provenance();
        Some(Box::new(move || {
            let context = with_exposed_provenance_mut(context);
            // SAFETY: the operation has ended; its routine gets both pointers back, once.
            unsafe { routine(context, with_exposed_provenance_mut(block), 0) }
        }))
    }

    /// The operation, up to its end or until it pends.
    ///
    /// # Safety
    /// Status block and buffer are the system's until the operation ends.
    unsafe fn begin(
        &self,
        place: &Place,
        call: impl FnOnce(Delivery) -> Call,
        buffer: Option<Buffer>,
    ) -> NTSTATUS {
        let block = StatusBlock::native(self.block);
        let attached = Attached {
            block: block.address(),
            // A packet carries the context; without one there is none.
            context: self.context.expose_provenance() as u64,
            sink: Some(sink(block, buffer)),
            routine: self.routine(),
        };
        nt(place.begin(&call(self.delivery()), attached).status)
    }
}

pub(crate) unsafe fn NtReadFile(
    file: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *const c_void,
    block: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    _offset: *const i64,
    _key: *const u32,
) -> NTSTATUS {
    let (place, buffer) = (here(), Buffer::new(buffer, length));
    if is_bad(block) || buffer.is_bad() {
        return nt(place.refuse_buffer(file, Access::READ_DATA));
    }
    let call = |delivery| Call::ReadFile { file: handle(file), length, delivery };
    // SAFETY: the caller leaves status block and buffer to the system until the end.
    unsafe { Telling { event, routine, context, block }.begin(&place, call, Some(buffer)) }
}

pub(crate) unsafe fn NtWriteFile(
    file: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *const c_void,
    block: *mut IO_STATUS_BLOCK,
    buffer: *const c_void,
    length: u32,
    _offset: *const i64,
    _key: *const u32,
) -> NTSTATUS {
    let place = here();
    if is_bad(block) || is_bad_buffer(buffer, length) {
        return nt(place.refuse_buffer(file, Access::WRITE_DATA));
    }
    // SAFETY: the caller gives so many bytes to read.
    let data = unsafe { bytes(buffer, length) };
    let call = |delivery| Call::WriteFile { file: handle(file), data, delivery };
    // SAFETY: the caller leaves the status block to the system until the end.
    unsafe { Telling { event, routine, context, block }.begin(&place, call, None) }
}

pub(crate) unsafe fn NtFsControlFile(
    file: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    context: *const c_void,
    block: *mut IO_STATUS_BLOCK,
    code: u32,
    input: *const c_void,
    input_length: u32,
    output: *mut c_void,
    output_length: u32,
) -> NTSTATUS {
    let (place, buffer) = (here(), Buffer::new(output, output_length));
    if is_bad(block) || is_bad_buffer(input, input_length) || buffer.is_bad() {
        return nt(place.refuse_buffer(file, Access::NONE));
    }
    // SAFETY: the caller gives so many bytes to read.
    let input = unsafe { bytes(input, input_length) };
    let (file, length) = (handle(file), output_length);
    let call = |delivery| Call::NtFsControlFile { file, code, input, length, delivery };
    // SAFETY: the caller leaves status block and buffer to the system until the end.
    unsafe { Telling { event, routine, context, block }.begin(&place, call, Some(buffer)) }
}

/// A call that is over when it returns: its status block is written unless it failed.
unsafe fn at_once(call: &Call, block: *mut IO_STATUS_BLOCK, buffer: Option<Buffer>) -> NTSTATUS {
    if is_bad(block) || buffer.is_some_and(|buffer| buffer.is_bad()) {
        return nt(Status::ACCESS_VIOLATION);
    }
    let reply = here().ask(call);
    if !reply.status.is_error() {
        // SAFETY: the caller gives a writable block and so much room; the call is over.
        unsafe {
            if let Some(buffer) = buffer {
                buffer.fill(&reply.output);
            }
            StatusBlock::native(block).finish(reply.status, reply.information);
        }
    }
    nt(reply.status)
}

pub(crate) unsafe fn NtQueryInformationFile(
    file: HANDLE,
    block: *mut IO_STATUS_BLOCK,
    information: *mut c_void,
    length: u32,
    class: FILE_INFORMATION_CLASS,
) -> NTSTATUS {
    let call = Call::NtQueryInformationFile { file: handle(file), class: class as u32, length };
    // SAFETY: the caller gives a writable block and so much room.
    unsafe { at_once(&call, block, Some(Buffer::new(information, length))) }
}

pub(crate) unsafe fn NtSetInformationFile(
    file: HANDLE,
    block: *mut IO_STATUS_BLOCK,
    information: *const c_void,
    length: u32,
    class: FILE_INFORMATION_CLASS,
) -> NTSTATUS {
    if is_bad_buffer(information, length) {
        return nt(Status::ACCESS_VIOLATION);
    }
    // SAFETY: the caller gives so many bytes to read.
    let input = unsafe { bytes(information, length) };
    let call = Call::NtSetInformationFile { file: handle(file), class: class as u32, input };
    // SAFETY: the caller gives a writable block.
    unsafe { at_once(&call, block, None) }
}

pub(crate) unsafe fn NtQueryVolumeInformationFile(
    file: HANDLE,
    block: *mut IO_STATUS_BLOCK,
    information: *mut c_void,
    length: u32,
    class: FS_INFORMATION_CLASS,
) -> NTSTATUS {
    let (file, class) = (handle(file), class as u32);
    let call = Call::NtQueryVolumeInformationFile { file, class, length };
    // SAFETY: the caller gives a writable block and so much room.
    unsafe { at_once(&call, block, Some(Buffer::new(information, length))) }
}

/// A listing is over when the call returns; an event is set, and a routine is refused.
pub(crate) unsafe fn NtQueryDirectoryFile(
    file: HANDLE,
    event: HANDLE,
    routine: PIO_APC_ROUTINE,
    _context: *const c_void,
    block: *mut IO_STATUS_BLOCK,
    information: *mut c_void,
    length: u32,
    class: FILE_INFORMATION_CLASS,
    single: bool,
    name: *const UNICODE_STRING,
    restart: bool,
) -> NTSTATUS {
    if routine.is_some() {
        return nt(Status::NOT_SUPPORTED);
    }
    let pattern = if name.is_null() {
        None
    } else {
        // SAFETY: the caller gives a whole string.
        match unsafe { string(name) } {
            Ok(pattern) => Some(pattern),
            Err(status) => return nt(status),
        }
    };
    let place = here();
    if !event.is_null() {
        let reset = place.ask(&Call::ResetEvent { event: handle(event) });
        if reset.status.is_error() {
            return nt(reset.status);
        }
    }
    let class = class as u32;
    let file = handle(file);
    let call = Call::NtQueryDirectoryFile { file, class, length, pattern, restart, single };
    // SAFETY: the caller gives a writable block and so much room.
    let status = unsafe { at_once(&call, block, Some(Buffer::new(information, length))) };
    if !event.is_null() && !Status(status as u32).is_error() {
        place.ask(&Call::SetEvent { event: handle(event) });
    }
    status
}

pub(crate) unsafe fn NtFlushBuffersFile(file: HANDLE, block: *mut IO_STATUS_BLOCK) -> NTSTATUS {
    // SAFETY: the caller gives a writable block.
    unsafe { at_once(&Call::FlushFileBuffers { file: handle(file) }, block, None) }
}

pub(crate) unsafe fn NtCancelIoFileEx(
    file: HANDLE,
    request: *const IO_STATUS_BLOCK,
    block: *mut IO_STATUS_BLOCK,
) -> NTSTATUS {
    if is_bad(block) {
        return nt(Status::ACCESS_VIOLATION);
    }
    let which = (!request.is_null()).then(|| StatusBlock::native(request));
    let status = cancel(&here(), file, which);
    // SAFETY: the caller gives a writable block.
    unsafe { StatusBlock::native(block).finish(status, 0) };
    nt(status)
}

pub(crate) unsafe fn NtClose(object: HANDLE) -> NTSTATUS {
    nt(here().ask(&Call::CloseHandle { handle: handle(object) }).status)
}

/// The size of `OBJECT_TYPE_INFORMATION` without the name behind it, of which the name is filled.
const TYPE_LENGTH: usize = 104;

pub(crate) unsafe fn NtQueryObject(
    object: HANDLE,
    class: OBJECT_INFORMATION_CLASS,
    information: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    let buffer = Buffer::new(information, length);
    if buffer.is_bad() {
        return nt(Status::ACCESS_VIOLATION);
    }
    let reply = here().ask(&Call::NtQueryObject { handle: handle(object), class: class as u32 });
    let data = match reply.output {
        Output::Data(data) => data,
        _ if reply.status.is_error() => return nt(reply.status),
        _ => Data::EMPTY,
    };
    let fixed = match class as u32 {
        codes::object_class::NAME => size_of::<UNICODE_STRING>(),
        codes::object_class::TYPE => TYPE_LENGTH,
        _ => 0,
    };
    // A name stands behind its UNICODE_STRING, with a null.
    let terminator = if fixed > 0 && !data.is_empty() { 2 } else { 0 };
    let needed = fixed + data.len() + terminator;
    // SAFETY: the caller gives null or a writable number, and room as it says.
    unsafe {
        put(returned, needed as u32);
        if needed > length as usize {
            return nt(Status::INFO_LENGTH_MISMATCH);
        }
        if fixed == 0 {
            buffer.fill(&Output::Data(data));
            return nt(Status::SUCCESS);
        }
        let start = information.cast::<u8>();
        let characters = if data.is_empty() { null_mut() } else { start.add(fixed) };
        start.write_bytes(0, needed);
        start.cast::<UNICODE_STRING>().write_unaligned(UNICODE_STRING {
            Length: data.len() as u16,
            MaximumLength: (data.len() + terminator) as u16,
            Buffer: characters.cast(),
        });
        if !data.is_empty() {
            characters.copy_from_nonoverlapping(data.as_ptr(), data.len());
        }
    }
    nt(Status::SUCCESS)
}
