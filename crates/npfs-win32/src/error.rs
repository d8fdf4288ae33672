//! The last error: one number a thread, as on Windows, and the same number in `errno`.
//!
//! std reads `errno` for `io::Error::last_os_error`, so that this carries the Win32 code off
//! Windows too. Any call of the C library may write `errno`, ours among them; therefore every
//! function of the surface restores it last ([`surface`]), also one that has succeeded.

use core::cell::Cell;

use npfs_abi::Status;
use npfs_host::Stopped;

#[cfg(loom)]
use loom::thread_local;
#[cfg(all(shuttle, not(loom)))]
use shuttle::thread_local;

#[cfg(any(loom, shuttle))]
thread_local! {
    // Under a model several threads share one of the system.
    static LAST: Cell<u32> = Cell::new(0);
}
#[cfg(not(any(loom, shuttle)))]
thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// `SetLastError`
pub(crate) fn set(code: u32) {
    // A thread that is ending has nobody to tell.
    let _ = LAST.try_with(|last| last.set(code));
}

/// `GetLastError`
pub(crate) fn last() -> u32 {
    LAST.try_with(Cell::get).unwrap_or(0)
}

/// One function of the surface from start to end.
pub(crate) fn surface<T>(work: impl FnOnce() -> T) -> T {
    let result = work();
    errno::set_errno(errno::Errno(last() as i32));
    result
}

/// What a call has that a stopped simulation ended.
pub(crate) fn stopped(why: &Stopped) -> Status {
    if *why == Stopped::UnknownThread {
        // An error number alone would not say what to do.
        eprintln!("npfs: {why}");
    }
    Status::CANCELLED
}
