//! `npfs-record` runs scenarios with real Win32 calls on real threads and writes down, as traces,
//! what Windows (or Wine) answered. It contains no opinion of what is right.
//!
//! It records only on Windows; elsewhere it builds, so that the workspace does, and says so.
#![deny(unsafe_code)]

#[cfg(windows)]
mod agent;
#[cfg(windows)]
mod free;
#[cfg(windows)]
mod record;
#[cfg(windows)]
#[allow(unsafe_code)]
mod win32;
#[cfg(any(windows, test))]
mod words;

#[cfg(windows)]
fn main() -> std::process::ExitCode {
    record::main()
}

#[cfg(not(windows))]
fn main() -> std::process::ExitCode {
    eprintln!("npfs-record: records only on Windows; fixtures/record.sh runs it under Wine");
    std::process::ExitCode::from(2)
}
