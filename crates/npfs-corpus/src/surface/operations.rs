//! The operations that were begun with an OVERLAPPED and whose packets nobody has taken yet.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many, by the address of the OVERLAPPED.
static BEGUN: Mutex<BTreeMap<usize, u32>> = Mutex::new(BTreeMap::new());

fn begun_ones() -> MutexGuard<'static, BTreeMap<usize, u32>> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A function that begins an operation has given `result`, with the last error `code`.
pub fn begun<T>(overlapped: *mut T, result: i32, code: u32) {
    use npfs_win32::Win32::Foundation::{ERROR_IO_PENDING, ERROR_MORE_DATA};
    // A success and a warning queue a packet, and so does the end of what is pending.
    let will_tell = result != 0 || code == ERROR_IO_PENDING || code == ERROR_MORE_DATA;
    if will_tell && !overlapped.is_null() {
        *begun_ones().entry(overlapped.addr()).or_default() += 1;
    }
}

/// A packet with this pointer was taken. Packets that were posted have pointers too.
pub fn taken<T>(overlapped: *mut T) {
    let mut ones = begun_ones();
    if let Some(count) = ones.get_mut(&overlapped.addr()) {
        *count -= 1;
        if *count == 0 {
            ones.remove(&overlapped.addr());
        }
    }
}

/// Whether an OVERLAPPED of such an operation lies there.
pub fn any_in(place: Range<usize>) -> bool {
    begun_ones().range(place).next().is_some()
}

/// A new run begins.
pub fn forget() {
    begun_ones().clear();
}
