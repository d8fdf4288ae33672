//! `Win32::System::IO`: ends of operations, completion ports, cancellation.

use ::core::ffi::c_void;
use ::core::ptr::{null_mut, with_exposed_provenance_mut};

use npfs_abi::{Call, Output, Packet, PacketSource, Reply, Status};
use npfs_kernel::Referent;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_INVALID_HANDLE, ERROR_IO_INCOMPLETE, ERROR_NOACCESS, HANDLE,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_ENTRY};
use windows_sys::core::BOOL;

use crate::call::{fail, handle, new_handle, timeout, truth};
use crate::error;
use crate::memory::{StatusBlock, is_bad, put};
use crate::simulation::{Place, here};
use crate::threads::thread_of;

pub(crate) unsafe fn CreateIoCompletionPort(
    file: HANDLE,
    port: HANDLE,
    key: usize,
    concurrency: u32,
) -> HANDLE {
    let file = (file != INVALID_HANDLE_VALUE).then(|| handle(file));
    let port = (!port.is_null()).then(|| handle(port));
    let call = Call::CreateIoCompletionPort { file, port, key: key as u64, concurrency };
    new_handle(&here().ask(&call), null_mut())
}

/// The `lpOverlapped` of a packet.
pub(crate) fn overlapped_of(packet: &Packet) -> *mut OVERLAPPED {
    match packet.source {
        PacketSource::Posted(pointer) => with_exposed_provenance_mut(pointer as usize),
        // Every operation of this surface that can send one has attached its own.
        PacketSource::Request(_) => null_mut(),
    }
}

fn dequeue(
    place: &Place,
    port: HANDLE,
    count: u32,
    milliseconds: u32,
    alertable: bool,
) -> Result<Vec<Packet>, Reply> {
    let reply = place.ask(&Call::GetQueuedCompletionStatus {
        port: handle(port),
        count,
        timeout: timeout(milliseconds),
        alertable,
    });
    match reply.output {
        Output::Packets(packets) => Ok(packets),
        output => Err(Reply { output, ..reply }),
    }
}

/// The error of a wait that ended without packets; an ended wait is a success of the kernel.
fn no_packets(reply: &Reply) -> BOOL {
    fail(reply.status.win32())
}

pub(crate) unsafe fn GetQueuedCompletionStatus(
    port: HANDLE,
    bytes: *mut u32,
    key: *mut usize,
    overlapped: *mut *mut OVERLAPPED,
    milliseconds: u32,
) -> BOOL {
    if is_bad(bytes) || is_bad(key) || is_bad(overlapped) {
        return fail(ERROR_NOACCESS);
    }
    match dequeue(&here(), port, 1, milliseconds, false) {
        Ok(packets) => {
            let Some(packet) = packets.first() else { return fail(ERROR_INVALID_HANDLE) };
            // SAFETY: the caller gives three places to write.
            unsafe {
                put(bytes, packet.information);
                put(key, packet.key as usize);
                put(overlapped, overlapped_of(packet));
            }
            truth(packet.status)
        }
        Err(reply) => {
            // SAFETY: as above.
            unsafe { put(overlapped, null_mut()) }; // IOCP-16
            no_packets(&reply)
        }
    }
}

pub(crate) unsafe fn GetQueuedCompletionStatusEx(
    port: HANDLE,
    entries: *mut OVERLAPPED_ENTRY,
    count: u32,
    removed: *mut u32,
    milliseconds: u32,
    alertable: BOOL,
) -> BOOL {
    if is_bad(removed) || (count > 0 && is_bad(entries)) {
        return fail(ERROR_NOACCESS);
    }
    match dequeue(&here(), port, count, milliseconds, alertable != 0) {
        Ok(packets) => {
            for (place, packet) in packets.iter().enumerate() {
                let entry = OVERLAPPED_ENTRY {
                    lpCompletionKey: packet.key as usize,
                    lpOverlapped: overlapped_of(packet),
                    Internal: packet.status.0 as usize,
                    dwNumberOfBytesTransferred: packet.information,
                };
                // SAFETY: the caller gives room for `count` entries, and no more were taken.
                unsafe { entries.add(place).write_unaligned(entry) };
            }
            // SAFETY: the caller gives a writable number.
            unsafe { put(removed, packets.len() as u32) };
            1
        }
        Err(reply) => {
            // SAFETY: as above.
            unsafe { put(removed, 0) };
            no_packets(&reply)
        }
    }
}

pub(crate) unsafe fn PostQueuedCompletionStatus(
    port: HANDLE,
    bytes: u32,
    key: usize,
    overlapped: *const OVERLAPPED,
) -> BOOL {
    let call = Call::PostQueuedCompletionStatus {
        port: handle(port),
        bytes,
        key: key as u64,
        overlapped: overlapped.expose_provenance() as u64,
    };
    truth(here().ask(&call).status)
}

/// How an operation has ended, as its OVERLAPPED says; where threads take turns, a look that finds
/// it pending is a turn.
unsafe fn ended(place: &Place, overlapped: *const OVERLAPPED) -> Option<Status> {
    let block = StatusBlock::overlapped(overlapped);
    // SAFETY: the caller gives a readable OVERLAPPED.
    place.host.look(|| unsafe { block.ended() })
}

unsafe fn result(overlapped: *const OVERLAPPED, bytes: *mut u32, status: Status) -> BOOL {
    // SAFETY: the caller gives a readable OVERLAPPED and a writable number.
    unsafe { put(bytes, StatusBlock::overlapped(overlapped).information()) }; // EVENT-24
    truth(status)
}

/// What the end of an operation is waited for by (EVENT-25).
unsafe fn object_of(file: HANDLE, overlapped: *const OVERLAPPED) -> HANDLE {
    // SAFETY: the caller gives a readable OVERLAPPED.
    let event = unsafe { (&raw const (*overlapped).hEvent).read() };
    let event = event.map_addr(|address| address & !1);
    if event.is_null() { file } else { event }
}

pub(crate) unsafe fn GetOverlappedResult(
    file: HANDLE,
    overlapped: *const OVERLAPPED,
    bytes: *mut u32,
    wait: BOOL,
) -> BOOL {
    if is_bad(overlapped) || is_bad(bytes) {
        return fail(ERROR_NOACCESS);
    }
    let place = here();
    // SAFETY: the caller gives a readable OVERLAPPED and a writable number.
    unsafe {
        if let Some(status) = ended(&place, overlapped) {
            return result(overlapped, bytes, status);
        }
        if wait == 0 {
            return fail(ERROR_IO_INCOMPLETE);
        }
        let waited = place.ask(&Call::WaitForObjects {
            handles: vec![handle(object_of(file, overlapped))],
            all: false,
            timeout: None,
            alertable: false,
        });
        if waited.status.is_error() {
            return truth(waited.status);
        }
        // Another operation may have signaled the object; the function goes by it all the same.
        let status = ended(&place, overlapped).unwrap_or(Status::SUCCESS);
        result(overlapped, bytes, status)
    }
}

pub(crate) unsafe fn GetOverlappedResultEx(
    file: HANDLE,
    overlapped: *const OVERLAPPED,
    bytes: *mut u32,
    milliseconds: u32,
    alertable: BOOL,
) -> BOOL {
    if is_bad(overlapped) || is_bad(bytes) {
        return fail(ERROR_NOACCESS);
    }
    let place = here();
    // SAFETY: the caller gives a readable OVERLAPPED and a writable number.
    unsafe {
        if let Some(status) = ended(&place, overlapped) {
            return result(overlapped, bytes, status);
        }
        if milliseconds == 0 {
            return fail(ERROR_IO_INCOMPLETE); // EVENT-26
        }
        let waited = place.ask(&Call::WaitForObjects {
            handles: vec![handle(object_of(file, overlapped))],
            all: false,
            timeout: timeout(milliseconds),
            alertable: alertable != 0,
        });
        if waited.status != Status::SUCCESS {
            return fail(waited.status.win32()); // EVENT-27, EVENT-28
        }
        let status = ended(&place, overlapped).unwrap_or(Status::SUCCESS);
        result(overlapped, bytes, status)
    }
}

pub(crate) unsafe fn CancelIo(file: HANDLE) -> BOOL {
    truth(here().ask(&Call::CancelIo { file: handle(file) }).status)
}

/// Cancels what has its status block there, or everything of the process.
pub(crate) fn cancel(place: &Place, file: HANDLE, block: Option<StatusBlock>) -> Status {
    let Some(block) = block else {
        return place.ask(&Call::CancelIoEx { file: handle(file), request: None }).status;
    };
    match place.host.cancel_io_ex(place.process, handle(file), block.address()) {
        Ok(reply) => reply.status,
        Err(why) => error::stopped(&why),
    }
}

pub(crate) unsafe fn CancelIoEx(file: HANDLE, overlapped: *const OVERLAPPED) -> BOOL {
    let block = (!overlapped.is_null()).then(|| StatusBlock::overlapped(overlapped));
    truth(cancel(&here(), file, block))
}

pub(crate) unsafe fn CancelSynchronousIo(thread: HANDLE) -> BOOL {
    let place = here();
    match thread_of(&place, thread) {
        Some(thread) => {
            truth(place.ask(&Call::CancelSynchronousIo { thread, request: None }).status)
        }
        None => fail(ERROR_INVALID_HANDLE), // CANCEL-24
    }
}

/// No code of this function reaches the pipe file system: its codes are file system controls
/// (`NtFsControlFile`), and this sends device controls, which it refuses (FSCTL-11).
pub(crate) unsafe fn DeviceIoControl(
    device: HANDLE,
    _code: u32,
    _input: *const c_void,
    _input_length: u32,
    _output: *mut c_void,
    _output_length: u32,
    returned: *mut u32,
    _overlapped: *mut OVERLAPPED,
) -> BOOL {
    let place = here();
    // SAFETY: the caller gives null or a writable number.
    unsafe { put(returned, 0) };
    match place.host.referent(place.process, handle(device)) {
        Some(Referent::File) => fail(ERROR_INVALID_FUNCTION),
        _ => fail(ERROR_INVALID_HANDLE),
    }
}
