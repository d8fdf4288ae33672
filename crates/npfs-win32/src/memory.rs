//! The caller's memory: status blocks, buffers, strings, out parameters.
//!
//! Here pointers stop. What is written later, by the end of an operation, is written through a
//! [`StatusBlock`] and a [`Buffer`] that the operation carries ([`crate::call`]).

use ::core::ffi::c_void;
use ::core::slice;
use ::core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use npfs_abi::{Data, Output, Reply, Status};
use windows_sys::Win32::System::IO::{IO_STATUS_BLOCK, OVERLAPPED};

/// No Windows process has memory below this address: a pointer there is an error value, a small
/// number, or a field of a null structure. Other bad pointers cannot be told from good ones.
const LOWEST: usize = 0x1_0000;

/// Whether Windows refuses the pointer whoever the process is.
pub(crate) fn is_bad<T>(pointer: *const T) -> bool {
    pointer.addr() < LOWEST
}

/// Whether a buffer of so many bytes is refused (READ-43); nothing is looked at where it is empty.
pub(crate) fn is_bad_buffer<T>(pointer: *const T, length: u32) -> bool {
    length > 0 && is_bad(pointer)
}

/// Writes an out parameter, unless it is null: then it is not wanted.
///
/// # Safety
/// The pointer is null or the caller's to write.
pub(crate) unsafe fn put<T>(pointer: *mut T, value: T) {
    if !pointer.is_null() {
        // SAFETY: the caller's promise; alignment is not asked for.
        unsafe { pointer.write_unaligned(value) };
    }
}

/// The bytes of a buffer that a call reads before it returns.
///
/// # Safety
/// A buffer that is not bad ([`is_bad_buffer`]) has `length` readable bytes.
pub(crate) unsafe fn bytes(pointer: *const c_void, length: u32) -> Data {
    if length == 0 || is_bad(pointer) {
        return Data::EMPTY;
    }
    // SAFETY: the caller's promise.
    Data::from(unsafe { slice::from_raw_parts(pointer.cast::<u8>(), length as usize) })
}

/// Where what is read goes.
#[derive(Clone, Copy)]
pub(crate) struct Buffer {
    at: *mut u8,
    length: u32,
}

// SAFETY: Windows' rule for an operation's buffer is that it stays writable until the operation
// ends and that the program leaves it alone meanwhile, in whichever thread it ends. The pointer is
// followed at the end only.
unsafe impl Send for Buffer {}

impl Buffer {
    pub(crate) fn new(at: *mut c_void, length: u32) -> Buffer {
        Buffer { at: at.cast(), length }
    }

    pub(crate) fn is_bad(&self) -> bool {
        is_bad_buffer(self.at, self.length)
    }

    /// Copies what an operation has read.
    ///
    /// # Safety
    /// The operation ends now, or has ended in the call that the caller is still in.
    pub(crate) unsafe fn fill(&self, output: &Output) {
        let Output::Data(data) = output else { return };
        let length = data.len().min(self.length as usize);
        if length > 0 && !self.at.is_null() {
            // SAFETY: the buffer is the operation's until its end, and has so many bytes.
            unsafe { self.at.copy_from_nonoverlapping(data.as_ptr(), length) };
        }
    }
}

/// An `OVERLAPPED` or `IO_STATUS_BLOCK`: a status and a number, both the size of a pointer.
#[derive(Clone, Copy)]
pub(crate) struct StatusBlock {
    at: *mut IO_STATUS_BLOCK,
    overlapped: bool,
}

// SAFETY: as for Buffer; both halves are written as atomics.
unsafe impl Send for StatusBlock {}

impl StatusBlock {
    pub(crate) fn overlapped(at: *const OVERLAPPED) -> StatusBlock {
        StatusBlock { at: at.cast_mut().cast(), overlapped: true }
    }

    pub(crate) fn native(at: *const IO_STATUS_BLOCK) -> StatusBlock {
        StatusBlock { at: at.cast_mut(), overlapped: false }
    }

    /// The address, by which the system knows the operation.
    pub(crate) fn address(&self) -> u64 {
        self.at.expose_provenance() as u64
    }

    /// The operation has ended so: the number first, so that whoever sees the status sees it too.
    ///
    /// # Safety
    /// As [`Buffer::fill`].
    pub(crate) unsafe fn finish(&self, status: Status, information: u32) {
        // SAFETY: the block is the operation's until its end, and programs align it as its type.
        unsafe {
            let number = AtomicUsize::from_ptr((&raw mut (*self.at).Information).cast());
            number.store(information as usize, Ordering::Relaxed);
            self.set_status(status);
        }
    }

    /// What the Win32 layer does before it asks the system (EVENT-20).
    ///
    /// # Safety
    /// The block is the caller's to write.
    pub(crate) unsafe fn begin(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.set_status(Status::PENDING) };
    }

    unsafe fn set_status(&self, status: Status) {
        // SAFETY: the caller's promise. `Internal` is a whole word, `Status` 32 bits at its start.
        unsafe {
            if self.overlapped {
                AtomicUsize::from_ptr(self.at.cast()).store(status.0 as usize, Ordering::Release);
            } else {
                AtomicU32::from_ptr(self.at.cast()).store(status.0, Ordering::Release);
            }
        }
    }

    /// How the operation of an `OVERLAPPED` has ended; `None` while it says pending.
    ///
    /// # Safety
    /// The block is readable.
    pub(crate) unsafe fn ended(&self) -> Option<Status> {
        // SAFETY: the caller's promise; an end in another thread is stored as an atomic.
        let status = unsafe { AtomicUsize::from_ptr(self.at.cast()).load(Ordering::Acquire) };
        let status = Status(status as u32);
        (status != Status::PENDING).then_some(status)
    }

    /// The byte count.
    ///
    /// # Safety
    /// The block is readable.
    pub(crate) unsafe fn information(&self) -> u32 {
        // SAFETY: as in ended.
        unsafe {
            AtomicUsize::from_ptr((&raw mut (*self.at).Information).cast()).load(Ordering::Relaxed)
                as u32
        }
    }
}

/// What the end of an operation writes.
pub(crate) fn sink(block: StatusBlock, buffer: Option<Buffer>) -> npfs_host::Sink {
    Box::new(move |reply: &Reply| {
        // The whole of both, not the pointers inside, is what may change threads.
        let (block, buffer) = (block, buffer);
        // SAFETY: the host calls this at the end of the operation, once.
        unsafe {
            if let Some(buffer) = buffer {
                buffer.fill(&reply.output);
            }
            block.finish(reply.status, reply.information);
        }
    })
}

/// A string of 16-bit units up to its null; `None` for a bad pointer. Units that are no UTF-16
/// become U+FFFD.
///
/// # Safety
/// A pointer that is not bad is to a string with a null at its end.
pub(crate) unsafe fn wide(string: *const u16) -> Option<String> {
    if is_bad(string) {
        return None;
    }
    let mut length = 0;
    // SAFETY: the caller's promise; nothing behind the null is read.
    let units = unsafe {
        while string.add(length).read_unaligned() != 0 {
            length += 1;
        }
        (0..length).map(|place| string.add(place).read_unaligned())
    };
    Some(text(units))
}

/// Units as text.
pub(crate) fn text(units: impl Iterator<Item = u16>) -> String {
    let characters = char::decode_utf16(units);
    characters.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// A string of an A function: UTF-8, as with the ANSI code page 65001; `None` for a bad pointer.
///
/// # Safety
/// As [`wide`].
pub(crate) unsafe fn narrow(string: *const u8) -> Option<String> {
    if is_bad(string) {
        return None;
    }
    // SAFETY: the caller's promise.
    let string = unsafe { ::core::ffi::CStr::from_ptr(string.cast()) };
    Some(string.to_string_lossy().into_owned())
}

/// A string for the caller: in 16-bit units or in UTF-8, with a null at its end.
#[derive(Clone, Copy)]
pub(crate) enum StringOut {
    /// Where, and room for how many units.
    Wide(*mut u16, u32),
    /// Where, and room for how many bytes.
    Narrow(*mut u8, u32),
}

impl StringOut {
    /// Whether it is not wanted.
    pub(crate) fn is_null(self) -> bool {
        match self {
            StringOut::Wide(at, _) => at.is_null(),
            StringOut::Narrow(at, _) => at.is_null(),
        }
    }

    /// Writes the whole string and gives its length without the null, or says how long it is with
    /// it and writes nothing.
    ///
    /// # Safety
    /// There is room as said.
    pub(crate) unsafe fn write(self, text: &str) -> Result<u32, u32> {
        match self {
            StringOut::Wide(at, room) => {
                let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
                // SAFETY: the caller's promise.
                unsafe { write(at, room, &units) }
            }
            StringOut::Narrow(at, room) => {
                let bytes: Vec<u8> = text.bytes().chain([0]).collect();
                // SAFETY: the caller's promise.
                unsafe { write(at, room, &bytes) }
            }
        }
    }
}

unsafe fn write<T: Copy>(at: *mut T, room: u32, string: &[T]) -> Result<u32, u32> {
    let length = string.len() as u32;
    if length > room || is_bad(at) {
        return Err(length);
    }
    for (place, unit) in string.iter().enumerate() {
        // SAFETY: within the room that the caller has given.
        unsafe { at.add(place).write_unaligned(*unit) };
    }
    Ok(length - 1)
}
