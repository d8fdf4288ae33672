//! The default simulation: threads that nobody announced, `install`, `reset`.
//!
//! These share what belongs to the whole process, so they run one after the other.
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::undocumented_unsafe_blocks)]

use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::Pipes::*;
use npfs_win32::Win32::System::Threading::*;
use npfs_win32::os::windows::ffi::OsStrExt;
use npfs_win32::os::windows::io::{
    AsHandle, AsRawHandle, FromRawHandle, HandleOrInvalid, HandleOrNull, IntoRawHandle, OwnedHandle,
};
use npfs_win32::simulation;
use std::ffi::OsStr;
use std::ptr::{null, null_mut, without_provenance_mut};
use std::sync::{Mutex, MutexGuard, PoisonError};

static ONE_BY_ONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    let guard = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    simulation::reset();
    guard
}

fn name() -> Vec<u16> {
    OsStr::new(r"\\.\pipe\everybody").encode_wide().chain([0]).collect()
}

fn create() -> HANDLE {
    let open = PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE;
    unsafe { CreateNamedPipeW(name().as_ptr(), open, 0, 1, 64, 64, 0, null()) }
}

fn open() -> HANDLE {
    let access = GENERIC_READ | GENERIC_WRITE;
    unsafe { CreateFileW(name().as_ptr(), access, 0, null(), OPEN_EXISTING, 0, null_mut()) }
}

#[test]
fn threads_of_std_are_threads_of_one_process() {
    let _alone = alone();
    let pipe = create().addr();
    let server = std::thread::spawn(move || unsafe {
        let pipe = without_provenance_mut(pipe);
        // The client may be faster.
        let connected = ConnectNamedPipe(pipe, null_mut());
        assert!(connected != 0 || GetLastError() == ERROR_PIPE_CONNECTED);
        let (mut buffer, mut count) = ([0; 8], 0);
        assert_ne!(ReadFile(pipe, buffer.as_mut_ptr(), 8, &mut count, null_mut()), 0);
        assert_ne!(WriteFile(pipe, buffer.as_ptr(), count, &mut count, null_mut()), 0);
        GetCurrentProcessId()
    });
    let client = std::thread::spawn(|| unsafe {
        // The server may not have called yet; it is one of those that nobody knows before.
        let file = open();
        let (mut buffer, mut count) = ([0; 8], 0);
        assert_ne!(WriteFile(file, b"echo".as_ptr(), 4, &mut count, null_mut()), 0);
        assert_ne!(ReadFile(file, buffer.as_mut_ptr(), 8, &mut count, null_mut()), 0);
        assert_eq!(&buffer[..4], b"echo");
        GetCurrentProcessId()
    });
    assert_eq!(server.join().expect("server"), client.join().expect("client"));
}

#[test]
fn a_fresh_one_after_reset() {
    let _alone = alone();
    assert_ne!(create(), INVALID_HANDLE_VALUE);
    assert_eq!(create(), INVALID_HANDLE_VALUE);
    assert_eq!(unsafe { GetLastError() }, ERROR_PIPE_BUSY);
    simulation::reset();
    assert_ne!(create(), INVALID_HANDLE_VALUE);
}

#[test]
fn a_sleeper_of_one_that_is_reset_wakes_with_an_error() {
    let _alone = alone();
    let (host, _) = simulation::current();
    let pipe = create().addr();
    let server = std::thread::spawn(move || unsafe {
        let done = ConnectNamedPipe(without_provenance_mut(pipe), null_mut());
        (done, GetLastError())
    });
    // Wall time is not looked at: the page says when the thread sleeps.
    while !host.dump().contains("connect") {
        std::thread::yield_now();
    }
    simulation::reset();
    assert_eq!(server.join().expect("server"), (0, ERROR_OPERATION_ABORTED));
}

#[test]
fn an_installed_process_is_everybodys_who_has_entered_none() {
    let _alone = alone();
    let sim = npfs::Simulation::builder().any_thread().build();
    let (process, other) = (sim.process("process"), sim.process("other"));
    let id = || unsafe { GetCurrentProcessId() };
    let installed = simulation::install(process.host(), process.id());
    let further = simulation::install(other.host(), other.id());
    assert_eq!(std::thread::spawn(id).join().expect("no panic"), other.id().0);
    drop(further);
    assert_eq!(std::thread::spawn(id).join().expect("no panic"), process.id().0);
    assert_eq!(other.enter(id), other.id().0);
    let (host, current) = simulation::current();
    assert_eq!((host.process_name(current).as_ref(), current), ("process", process.id()));
    drop(installed);
    assert_ne!(simulation::current().0.process_name(current).as_ref(), "other");
    assert_eq!(unsafe { GetCurrentProcessId() }, 1);
}

#[test]
fn a_thread_that_a_simulation_was_not_told_of_is_refused() {
    let _alone = alone();
    let sim = npfs::Simulation::new();
    let process = sim.process("process");
    let _installed = simulation::install(process.host(), process.id());
    let refused = std::thread::spawn(|| unsafe { (CloseHandle(null_mut()), GetLastError()) });
    assert_eq!(refused.join().expect("no panic"), (0, ERROR_OPERATION_ABORTED));
}

#[test]
fn virtual_time_passes_for_threads_of_std() {
    let _alone = alone();
    let start = std::time::Instant::now();
    unsafe {
        Sleep(3_600_000);
        let event = CreateEventW(null(), 0, 0, null());
        assert_eq!(WaitForSingleObject(event, 3_600_000), WAIT_TIMEOUT);
    }
    let (host, _) = simulation::current();
    assert_eq!(host.now().as_millis(), 7_200_000);
    assert!(start.elapsed().as_secs() < 3600);
}

#[test]
fn a_deadlock_panics_with_the_report() {
    let _alone = alone();
    let lonely = std::thread::spawn(|| unsafe {
        let event = CreateEventW(null(), 0, 0, null());
        WaitForSingleObject(event, INFINITE)
    });
    let panic = lonely.join().expect_err("a deadlock");
    let report = panic.downcast_ref::<String>().expect("a text");
    assert!(report.contains("deadlock") && report.contains("waits for an event"), "{report}");
    simulation::reset();
}

#[test]
fn handles_that_are_owned_close_and_borrowed_ones_do_not() {
    let _alone = alone();
    let (host, _) = simulation::current();
    let raw = unsafe { CreateEventW(null(), 1, 0, null()) };
    let owned = unsafe { OwnedHandle::from_raw_handle(raw) };
    assert_eq!(owned.as_raw_handle(), raw);
    let twin = owned.as_handle().try_clone_to_owned().expect("a twin");
    let again = owned.try_clone().expect("another");
    assert_eq!(unsafe { CompareObjectHandles(twin.as_raw_handle(), again.into_raw_handle()) }, 1);
    unsafe { SetLastError(7) };
    drop(owned);
    // The drop's call leaves the last error alone.
    assert_eq!(unsafe { GetLastError() }, 7);
    assert_eq!(unsafe { SetEvent(raw) }, 0);
    assert_eq!(unsafe { SetEvent(twin.as_raw_handle()) }, 1);
    drop(twin);
    assert_eq!(host.leaks().len(), 1, "{:?}", host.leaks());
    let lost = unsafe { OwnedHandle::from_raw_handle(without_provenance_mut(4096)) };
    let error = lost.try_clone().expect_err("no such handle");
    assert_eq!(error.raw_os_error(), Some(6));
    let none = unsafe { HandleOrInvalid::from_raw_handle(INVALID_HANDLE_VALUE) };
    assert!(OwnedHandle::try_from(none).is_err());
    let none = unsafe { HandleOrNull::from_raw_handle(null_mut()) };
    assert!(OwnedHandle::try_from(none).is_err());
    let some = unsafe { HandleOrInvalid::from_raw_handle(open_event()) };
    assert!(OwnedHandle::try_from(some).is_ok());
}

fn open_event() -> HANDLE {
    unsafe { CreateEventW(null(), 1, 0, null()) }
}

#[test]
fn a_handle_that_outlives_what_its_thread_remembers_does_not_abort() {
    use std::cell::RefCell;
    let _alone = alone();
    let thread = std::thread::spawn(|| {
        thread_local! {
            static KEPT: RefCell<Option<OwnedHandle>> = const { RefCell::new(None) };
        }
        // Made first, so it is dropped last: after the thread has left its simulations.
        KEPT.with_borrow_mut(|kept| *kept = None);
        let owned = unsafe { OwnedHandle::from_raw_handle(open_event()) };
        KEPT.with_borrow_mut(|kept| *kept = Some(owned));
    });
    assert!(thread.join().is_ok());
}
