//! The Win32 functions around named pipes, over npfs, in the shape of windows-sys.
//!
//! Code that calls windows-sys runs here unchanged, on every platform: by path, with
//! `npfs_win32::Win32` where it has `windows_sys::Win32`, or by name, with the feature
//! `export-symbols`, which gives the linker the functions that windows-sys declares.
//! Signatures, types and constants are those of windows-sys 0.61.
//!
//! What the surface promises, beyond what the functions do:
//!
//! - A buffer and an OVERLAPPED are written when their operation ends, by whichever thread ends it,
//!   before its event, packet or routine can be seen; not after that, and not after a call that
//!   failed at once.
//! - Null, and addresses in the lowest 64 KiB, which no Windows process has, are answered with the
//!   error that Windows gives for a bad pointer.
//! - The last error is kept for each thread, and left in `errno`.
//! - A handle is the kernel's handle value; `lpOverlapped` of a packet is the caller's pointer.
//!
//! It decides nothing: each function is a call of the kernel, or a few. [`simulation`] says whose.
// Names and signatures are Windows'.
#![allow(non_snake_case, clippy::too_many_arguments)]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(clippy::undocumented_unsafe_blocks)]

mod call;
mod creation;
mod error;
mod files;
mod handles;
mod information;
mod listing;
mod memory;
mod native;
pub mod os;
mod pipes;
mod pool;
mod pool_io;
mod ports;
mod security;
pub mod simulation;
mod surface;
mod threads;
mod waits;

/// For surfaces that take a `SECURITY_ATTRIBUTES` as well.
#[doc(hidden)]
pub use security::attributes as security_attributes;
#[doc(hidden)]
pub use surface::FUNCTIONS;
pub use surface::{Wdk, Win32};
pub use windows_sys::core;
