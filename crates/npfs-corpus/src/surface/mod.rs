//! What the rewritten libraries see in place of the standard library and of windows-sys.
//!
//! [`std`] is the standard library with handles of the simulation, and with locks, atomics and
//! shared pointers whose every use is a point at which another thread may go on. [`windows_sys`] is
//! the Win32 surface, watched: an operation that was begun is known until its packet is taken.

pub mod operations;
pub mod plain_std;
mod shared;
pub mod std;
mod sync;
pub mod windows_sys;
pub mod windows_sys_integers;
