//! The thread pool: ends of operations, told by a function of the caller's.

use ::core::ffi::c_void;
use std::sync::{Arc, Mutex};

use npfs_abi::{Call, Handle, Output, Packet, Status};
use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, HANDLE};
use windows_sys::Win32::System::IO::LPOVERLAPPED_COMPLETION_ROUTINE;
use windows_sys::Win32::System::Threading::{
    PTP_IO, PTP_WIN32_IO_CALLBACK, TP_CALLBACK_ENVIRON_V3,
};
use windows_sys::core::BOOL;

use crate::call::{fail, handle, truth};
use crate::pool::{Context, lock};
use crate::ports::overlapped_of;
use crate::simulation::{Place, here, pool};

/// A port with a thread that tells its packets.
pub(crate) struct Io {
    place: Place,
    port: Handle,
    /// Signaled when nothing that was announced is untold any more.
    idle: Handle,
    state: Mutex<Telling>,
}

#[derive(Default)]
struct Telling {
    /// Announced and not told yet.
    pending: u32,
    /// Announced, and not to be told any more.
    skipped: u32,
    calling: bool,
    closed: bool,
    port_closed: bool,
}

impl Telling {
    fn is_idle(&self) -> bool {
        self.pending == 0 && !self.calling
    }
}

impl Io {
    /// A port that `file` sends its packets to.
    fn bound(file: HANDLE) -> Result<Io, Status> {
        let place = here();
        let call =
            |file, port, key| Call::CreateIoCompletionPort { file, port, key, concurrency: 0 };
        let reply = place.ask(&call(Some(handle(file)), None, 0));
        let Output::Handle(port) = reply.output else { return Err(reply.status) };
        match place.new_event(true, true) {
            Ok(idle) => Ok(Io { place, port, idle, state: Mutex::default() }),
            Err(status) => {
                place.close(port);
                Err(status)
            }
        }
    }

    /// The next packet; `None` when the port is closed or the simulation has stopped.
    fn next(&self) -> Option<Packet> {
        let reply = self.place.ask(&Call::GetQueuedCompletionStatus {
            port: self.port,
            count: 1,
            timeout: None,
            alertable: false,
        });
        match reply.output {
            Output::Packets(mut packets) => packets.pop(),
            _ => None,
        }
    }

    /// The thread's life.
    fn run(&self, call: impl Fn(&Packet)) {
        while let Some(packet) = self.next() {
            let told = {
                let mut state = lock(&self.state);
                let told = state.skipped == 0;
                if told {
                    state.pending = state.pending.saturating_sub(1);
                    state.calling = true;
                } else {
                    state.skipped -= 1;
                }
                told
            };
            if told {
                call(&packet);
                lock(&self.state).calling = false;
            }
            self.settle();
        }
        self.place.close(self.idle);
    }

    /// Whoever waits for the last telling goes on; a closed port ends with it.
    fn settle(&self) {
        let (idle, ends) = {
            let mut state = lock(&self.state);
            let ends = state.closed && state.is_idle() && state.skipped == 0;
            (state.is_idle(), ends && !std::mem::replace(&mut state.port_closed, true))
        };
        if idle {
            self.place.ask(&Call::SetEvent { event: self.idle });
        }
        if ends {
            self.place.close(self.port);
        }
    }
}

fn io(number: PTP_IO) -> Option<Arc<Io>> {
    pool().ios.get(&(number as usize)).cloned()
}

pub(crate) unsafe fn BindIoCompletionCallback(
    file: HANDLE,
    function: LPOVERLAPPED_COMPLETION_ROUTINE,
    flags: u32,
) -> BOOL {
    let Some(function) = function.filter(|_| flags == 0) else {
        return fail(ERROR_INVALID_PARAMETER);
    };
    match Io::bound(file) {
        Ok(io) => {
            let place = io.place.clone();
            place.host.spawn(place.process, "pool io", move || {
                io.run(|packet| {
                    let (code, bytes) = (packet.status.win32(), packet.information);
                    // SAFETY: the caller gives a function that may be called so from another
                    // thread; the OVERLAPPED's operation has ended.
                    unsafe { function(code, bytes, overlapped_of(packet)) };
                });
            });
            1
        }
        Err(status) => truth(status),
    }
}

pub(crate) unsafe fn CreateThreadpoolIo(
    file: HANDLE,
    callback: PTP_WIN32_IO_CALLBACK,
    context: *mut c_void,
    _environment: *const TP_CALLBACK_ENVIRON_V3,
) -> PTP_IO {
    let Some(callback) = callback else { return fail(ERROR_INVALID_PARAMETER) as PTP_IO };
    let io = match Io::bound(file) {
        Ok(io) => Arc::new(io),
        Err(status) => return truth(status) as PTP_IO,
    };
    let number = {
        let mut pool = pool();
        let number = pool.deal();
        pool.ios.insert(number, io.clone());
        number as PTP_IO
    };
    let (context, place) = (Context::of(context), io.place.clone());
    place.host.spawn(place.process, "pool io", move || {
        io.run(|packet| {
            let overlapped = overlapped_of(packet).cast();
            let (code, bytes) = (packet.status.win32(), packet.information as usize);
            // SAFETY: as in BindIoCompletionCallback.
            unsafe { callback(number, context.pointer(), overlapped, code, bytes, number) };
        });
    });
    number
}

pub(crate) unsafe fn StartThreadpoolIo(number: PTP_IO) {
    let Some(io) = io(number) else { return };
    lock(&io.state).pending += 1;
}

pub(crate) unsafe fn CancelThreadpoolIo(number: PTP_IO) {
    let Some(io) = io(number) else { return };
    {
        let mut state = lock(&io.state);
        state.pending = state.pending.saturating_sub(1);
    }
    io.settle();
}

pub(crate) unsafe fn WaitForThreadpoolIoCallbacks(number: PTP_IO, cancel_pending: BOOL) {
    let Some(io) = io(number) else { return };
    if cancel_pending != 0 {
        {
            let mut state = lock(&io.state);
            state.skipped += std::mem::take(&mut state.pending);
        }
        io.settle();
    }
    let is_idle = || lock(&io.state).is_idle();
    while !is_idle() {
        // What is told between this and the wait signals it again.
        io.place.ask(&Call::ResetEvent { event: io.idle });
        if is_idle() {
            break;
        }
        let waited = io.place.ask(&Call::WaitForObjects {
            handles: vec![io.idle],
            all: false,
            timeout: None,
            alertable: false,
        });
        if waited.status.is_error() {
            break;
        }
    }
}

pub(crate) unsafe fn CloseThreadpoolIo(number: PTP_IO) {
    let Some(io) = pool().ios.remove(&(number as usize)) else { return };
    lock(&io.state).closed = true;
    io.settle();
}
