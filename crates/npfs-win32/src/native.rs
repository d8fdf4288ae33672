//! The Nt functions: statuses instead of errors, and every way of telling an end at once.

use ::core::ffi::c_void;
use ::core::ptr::{null_mut, with_exposed_provenance_mut};

use npfs_abi::{Access, Call, Data, Delivery, Output, Status, codes};
use npfs_host::{Attached, Routine};
use windows_sys::Wdk::Foundation::OBJECT_INFORMATION_CLASS;
use windows_sys::Wdk::Storage::FileSystem::{FILE_INFORMATION_CLASS, FS_INFORMATION_CLASS};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::System::IO::{IO_STATUS_BLOCK, PIO_APC_ROUTINE};

use crate::call::handle;
use crate::creation::string;
use crate::memory::{Buffer, StatusBlock, bytes, is_bad, is_bad_buffer, put, sink};
use crate::ports::cancel;
use crate::simulation::{Place, here};

pub(crate) fn nt(status: Status) -> NTSTATUS {
    status.0 as NTSTATUS
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
