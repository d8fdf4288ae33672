//! The surface under loom and shuttle, and with threads that take turns.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p npfs-win32 --test models`, or `--cfg shuttle`.
//! Every execution has a default simulation of its own; where there is no model, every order of
//! calls is a simulation that is entered.
#![allow(clippy::undocumented_unsafe_blocks)]

use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::IO::*;
use npfs_win32::Win32::System::Pipes::*;
use std::collections::BTreeMap;
use std::ptr::{null, null_mut, without_provenance_mut};
#[cfg(any(loom, shuttle))]
use std::sync::Arc;
use std::sync::Mutex;

type Seen = BTreeMap<String, u64>;

fn name() -> Vec<u16> {
    r"\\.\pipe\model".encode_utf16().chain([0]).collect()
}

/// The only instance of its name: a second one, from an execution before, would be in the way.
fn server() -> usize {
    let open = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE;
    let pipe = unsafe { CreateNamedPipeW(name().as_ptr(), open, 0, 1, 64, 64, 0, null()) };
    assert_ne!(pipe, INVALID_HANDLE_VALUE, "error {}", unsafe { GetLastError() });
    pipe.addr()
}

fn client() -> usize {
    let access = GENERIC_READ | GENERIC_WRITE;
    let file =
        unsafe { CreateFileW(name().as_ptr(), access, 0, null(), OPEN_EXISTING, 0, null_mut()) };
    assert_ne!(file, INVALID_HANDLE_VALUE, "error {}", unsafe { GetLastError() });
    file.addr()
}

/// RACE: a read is cancelled while the other end writes. Either the read has the data, or it is
/// cancelled and the data stays in the pipe (CANCEL-17); the block says which before the packet.
fn cancel_or_write(spawn: impl FnOnce(Box<dyn FnOnce() + Send>) -> Join) -> String {
    let (pipe, file) = (server(), client());
    let pipe = without_provenance_mut(pipe);
    unsafe {
        let port = CreateIoCompletionPort(pipe, null_mut(), 7, 0);
        let mut block = Box::new(OVERLAPPED::default());
        let mut buffer = [0u8; 4];
        let at = &raw mut *block;
        assert_eq!(ReadFile(pipe, buffer.as_mut_ptr(), 4, null_mut(), at), 0);
        assert_eq!(GetLastError(), ERROR_IO_PENDING);
        let writer = spawn(Box::new(move || {
            let mut count = 0;
            let file = without_provenance_mut(file);
            assert_eq!(WriteFile(file, b"data".as_ptr(), 4, &mut count, null_mut()), 1);
        }));
        let cancelled = CancelIoEx(pipe, at);
        let error = if cancelled == 0 { GetLastError() } else { 0 };
        let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
        let told = GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, u32::MAX);
        assert_eq!((overlapped, key), (at, 7));
        assert_eq!((block.InternalHigh, block.Internal == 0), (bytes as usize, told != 0));
        let read = String::from_utf8_lossy(&buffer[..bytes as usize]).into_owned();
        writer();
        let mut left = 0;
        PeekNamedPipe(pipe, null_mut(), 0, null_mut(), &mut left, null_mut());
        format!("cancel {error}, read {read:?}, left {left}")
    }
}

type Join = Box<dyn FnOnce()>;

const OUTCOMES: [&str; 2] = ["cancel 0, read \"\", left 4", "cancel 1168, read \"data\", left 0"];

#[track_caller]
fn compare(seen: &Mutex<Seen>) {
    let seen = seen.lock().expect("seen");
    println!("{seen:?}");
    assert_eq!(seen.keys().map(String::as_str).collect::<Vec<_>>(), OUTCOMES);
}

#[cfg(not(any(loom, shuttle)))]
#[test]
fn cancel_against_write_in_every_order() {
    let seen = Mutex::new(Seen::new());
    npfs::host::schedule::every_order(|order| {
        let sim = npfs::Simulation::builder().schedule(order).build();
        let process = sim.process("process");
        let outcome = process.enter(|| {
            cancel_or_write(|work| {
                let thread = process.spawn("writer", work);
                Box::new(move || thread.join().expect("no panic"))
            })
        });
        *seen.lock().expect("seen").entry(outcome).or_default() += 1;
    });
    compare(&seen);
}

/// Threads of the model itself, which the surface was not told of.
#[cfg(any(loom, shuttle))]
fn run(seen: &Mutex<Seen>) {
    #[cfg(loom)]
    use loom::thread;
    #[cfg(all(shuttle, not(loom)))]
    use shuttle::thread;
    let outcome = cancel_or_write(|work| {
        let thread = thread::spawn(work);
        Box::new(move || thread.join().expect("no panic"))
    });
    *seen.lock().expect("seen").entry(outcome).or_default() += 1;
}

#[cfg(loom)]
#[test]
fn cancel_against_write_under_loom() {
    let seen = Arc::new(Mutex::new(Seen::new()));
    let inside = seen.clone();
    loom::model(move || run(&inside));
    compare(&seen);
}

#[cfg(all(shuttle, not(loom)))]
#[test]
fn cancel_against_write_under_shuttle() {
    let seen = Arc::new(Mutex::new(Seen::new()));
    let inside = seen.clone();
    shuttle::check_random(move || run(&inside), 2000);
    compare(&seen);
}

/// The last error is that of the model's thread, not of the system's, which all of them share.
#[cfg(all(shuttle, not(loom)))]
#[test]
fn the_last_error_is_a_model_threads_own() {
    shuttle::check_random(
        || {
            let other = shuttle::thread::spawn(|| unsafe {
                SetLastError(2);
                let event =
                    npfs_win32::Win32::System::Threading::CreateEventW(null(), 0, 0, null());
                assert_eq!(GetLastError(), 0);
                CloseHandle(event);
                CloseHandle(null_mut());
                GetLastError()
            });
            unsafe {
                SetLastError(1);
                npfs_win32::Win32::System::Threading::Sleep(0);
                assert_eq!(GetLastError(), 1);
            }
            assert_eq!(other.join().expect("no panic"), ERROR_INVALID_HANDLE);
        },
        200,
    );
}
