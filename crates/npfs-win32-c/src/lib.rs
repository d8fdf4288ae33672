//! `libnpfs_c`: the functions of npfs-win32 under their real names, for the linker of C programs.
//!
//! `include/npfs.h` declares them, and `include/windows.h` includes it, so that a program that
//! includes `<windows.h>` builds as it is.
#![forbid(unsafe_code)]

extern crate npfs_win32;
