//! One call of the calling thread, and its answer as Win32 functions give it.

use npfs_abi::{
    Access, Call, Composite, Data, Delivery, Handle, Outcome, Output, Reply, Status, codes,
};
use npfs_host::Attached;
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Threading::INFINITE;
use windows_sys::core::BOOL;

use crate::error;
use crate::memory::{Buffer, StatusBlock, put, sink};
use crate::simulation::Place;

impl Place {
    /// One call to its end. A call that a stopped simulation ended was cancelled.
    pub(crate) fn ask(&self, call: &Call) -> Reply {
        self.ended(self.host.call(self.process, call))
    }

    /// A function that is several calls, to its end.
    pub(crate) fn composite(&self, composite: Composite) -> Reply {
        self.ended(self.host.composite(self.process, composite))
    }

    fn ended(&self, outcome: Result<Outcome, npfs_host::Stopped>) -> Reply {
        match outcome {
            Ok(Outcome::Done(reply)) => self.run_routines(reply),
            Ok(Outcome::Pending(_) | Outcome::Blocked(_)) => Reply::status(Status::PENDING),
            Err(why) => Reply::status(error::stopped(&why)),
        }
    }

    /// One call with memory and a routine of the caller's; `PENDING` if it goes on.
    pub(crate) fn begin(&self, call: &Call, attached: Attached) -> Reply {
        self.ended(self.host.call_attached(self.process, call, attached))
    }

    /// Routines that the kernel has taken from the thread's queue run now, inside the call that
    /// has let them.
    fn run_routines(&self, reply: Reply) -> Reply {
        if let Output::Routines(queued) = &reply.output {
            for routine in self.host.take_routines(queued) {
                routine();
            }
        }
        reply
    }

    /// A call with an OVERLAPPED, or one that waits for its end without: `BOOL`, last error, and
    /// the byte count, where it is wanted.
    ///
    /// # Safety
    /// `overlapped` is null or as Windows wants it: writable, and with the buffer left to the
    /// system until the operation ends. `count` is null or writable.
    pub(crate) unsafe fn transfer(
        &self,
        call: impl FnOnce(Delivery) -> Call,
        buffer: Option<Buffer>,
        count: *mut u32,
        overlapped: *mut OVERLAPPED,
    ) -> BOOL {
        if overlapped.is_null() {
            let reply = self.ask(&call(Delivery::Return));
            // SAFETY: the operation has ended in this call, and the caller's promise.
            unsafe {
                if let Some(buffer) = buffer {
                    buffer.fill(&reply.output);
                }
                // EVENT-22
                put(count, if reply.status.is_error() { 0 } else { reply.information });
            }
            return truth(reply.status);
        }
        let block = StatusBlock::overlapped(overlapped);
        // SAFETY: the caller's promise.
        let event = unsafe {
            put(count, 0); // EVENT-21
            block.begin();
            (&raw const (*overlapped).hEvent).read()
        };
        let delivery = overlapped_delivery(event);
        let address = block.address();
        let attached = Attached {
            block: address,
            context: address,
            sink: Some(sink(block, buffer)),
            routine: None,
        };
        let reply = self.begin(&call(delivery), attached);
        if reply.status == Status::PENDING {
            return pending();
        }
        if reply.status == Status::SUCCESS {
            // SAFETY: the caller's promise.
            unsafe { put(count, reply.information) };
        }
        truth(reply.status)
    }

    /// What a call with a bad buffer fails with: handle and rights come first (SYNC-02).
    pub(crate) fn refuse_buffer(&self, file: HANDLE, rights: Access) -> Status {
        let class = codes::object_class::BASIC;
        let reply = self.ask(&Call::NtQueryObject { handle: handle(file), class });
        let granted = match &reply.output {
            // OBJECT_BASIC_INFORMATION: attributes, then the granted rights.
            Output::Data(data) => number_at(data, 4),
            _ => return reply.status,
        };
        if Access(granted).has(rights) { Status::ACCESS_VIOLATION } else { Status::ACCESS_DENIED }
    }
}

/// The delivery that `hEvent` asks for; its low bit is no part of the handle (EVENT-29).
fn overlapped_delivery(event: HANDLE) -> Delivery {
    let quiet = event.addr() & 1 != 0;
    let event = event.map_addr(|address| address & !1);
    Delivery::Overlapped { event: (!event.is_null()).then(|| handle(event)), quiet }
}

/// `FALSE` and 997.
pub(crate) fn pending() -> BOOL {
    error::set(Status::PENDING.win32());
    0
}

/// Four bytes at an offset, 0 where there are none.
pub(crate) fn number_at(data: &Data, offset: usize) -> u32 {
    let bytes = data.get(offset..offset + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}

/// The kernel's name of a handle. Values that no process can have find nothing there.
pub(crate) fn handle(handle: HANDLE) -> Handle {
    Handle(u32::try_from(handle.addr()).unwrap_or(0))
}

/// The handle with the kernel's value.
pub(crate) fn raw(handle: Handle) -> HANDLE {
    ::core::ptr::without_provenance_mut(handle.0 as usize)
}

/// Null and `INVALID_HANDLE_VALUE` mean no handle.
pub(crate) fn is_none(handle: HANDLE) -> bool {
    handle.is_null() || handle == INVALID_HANDLE_VALUE
}

/// `INFINITE` is no limit.
pub(crate) fn timeout(milliseconds: u32) -> Option<u32> {
    (milliseconds != INFINITE).then_some(milliseconds)
}

/// `BOOL` and last error of a function that has ended so. Warnings are failures (IOCP-15).
pub(crate) fn truth(status: Status) -> BOOL {
    if status.is_success() {
        return 1;
    }
    fail(status.win32())
}

/// `FALSE` and this last error.
pub(crate) fn fail(code: u32) -> BOOL {
    error::set(code);
    0
}

/// A new handle, or `failure` and the last error.
pub(crate) fn new_handle(reply: &Reply, failure: HANDLE) -> HANDLE {
    match reply.output {
        Output::Handle(new) => raw(new),
        _ => {
            truth(reply.status);
            failure
        }
    }
}
