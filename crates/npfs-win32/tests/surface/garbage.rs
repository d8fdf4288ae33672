//! Any argument has an answer: a result, or a failure with an error, and never a panic.
//!
//! Handles, lengths and pointers are drawn at random; pointers are null, bad, or of an arena that
//! outlives the simulation. `.ci/asan` watches where the ends of all this write.

use crate::common::*;
use npfs_win32::Wdk::Foundation::*;
use npfs_win32::Wdk::Storage::FileSystem::*;
use npfs_win32::Win32::Foundation::*;
use npfs_win32::Win32::Storage::FileSystem::*;
use npfs_win32::Win32::System::IO::*;
use npfs_win32::Win32::System::Pipes::*;
use npfs_win32::Win32::System::Threading::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut, without_provenance_mut};

/// splitmix64
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
    fn handle(&mut self) -> HANDLE {
        match self.below(12) {
            0 => without_provenance_mut(self.next() as usize),
            1 => self.pick(&[null_mut(), INVALID_HANDLE_VALUE, without_provenance_mut(!1)]),
            _ => without_provenance_mut(self.below(64) as usize),
        }
    }
    fn number(&mut self) -> u32 {
        match self.below(4) {
            0 => self.next() as u32,
            _ => self.below(16) as u32,
        }
    }
}

/// Memory for everything that a round does.
struct Arena {
    bytes: Vec<u8>,
    blocks: Vec<OVERLAPPED>,
    natives: Vec<IO_STATUS_BLOCK>,
    numbers: Vec<u32>,
    words: Vec<usize>,
}

const LENGTH: u32 = 32;

impl Arena {
    fn new() -> Arena {
        Arena {
            bytes: vec![0; 4096],
            blocks: vec![OVERLAPPED::default(); 8],
            natives: vec![IO_STATUS_BLOCK::default(); 8],
            numbers: vec![0; 8],
            words: vec![0; 8],
        }
    }
    fn pointer<T>(draw: &mut Draw, from: &mut [T]) -> *mut T {
        match draw.below(10) {
            0 => null_mut(),
            1 => without_provenance_mut(draw.below(0x1_0000) as usize),
            _ => &raw mut from[draw.below(from.len() as u64) as usize],
        }
    }
    /// Null, or a good place: for pointers that Windows would follow in the program itself.
    fn good<T>(draw: &mut Draw, from: &mut [T]) -> *mut T {
        match draw.below(10) {
            0 => null_mut(),
            _ => &raw mut from[draw.below(from.len() as u64) as usize],
        }
    }
    fn buffer(&mut self, draw: &mut Draw) -> *mut u8 {
        let last = self.bytes.len() - LENGTH as usize;
        Arena::pointer(draw, &mut self.bytes[..last])
    }
}

/// One call; what it gave, if failure is 0 and has an error.
unsafe fn call(draw: &mut Draw, arena: &mut Arena, name: &[u16], device: &[u16]) -> Option<i32> {
    let (one, other) = (draw.handle(), draw.handle());
    let (length, flags) = (draw.below(u64::from(LENGTH) + 1) as u32, draw.number());
    let buffer = arena.buffer(draw);
    let count = Arena::good(draw, &mut arena.numbers);
    let block = Arena::good(draw, &mut arena.blocks);
    let native = Arena::good(draw, &mut arena.natives);
    let word = Arena::good(draw, &mut arena.words);
    if !block.is_null() && draw.below(2) == 0 {
        unsafe { (*block).hEvent = draw.handle() };
    }
    let overlapped = FILE_FLAG_OVERLAPPED;
    let path = draw.pick(&[name.as_ptr(), device.as_ptr(), null()]);
    let access = draw.pick(&[0, GENERIC_READ, GENERIC_WRITE, GENERIC_READ | GENERIC_WRITE]);
    unsafe {
        Some(match draw.below(38) {
            0 | 1 => {
                let open = draw.pick(&[1, 2, 3, 3, 3]) | draw.pick(&[0, overlapped, overlapped]);
                let size = draw.pick(&[0, 8, 64]);
                let made = CreateNamedPipeW(path, open, flags & 15, 4, size, size, 0, null());
                i32::from(made != INVALID_HANDLE_VALUE)
            }
            2 | 3 => {
                let how = draw.pick(&[3, 3, 3, 4, flags]);
                let flags = draw.pick(&[0, overlapped, overlapped]);
                let file = CreateFileW(path, access, 0, null(), how, flags, null_mut());
                i32::from(file != INVALID_HANDLE_VALUE)
            }
            4 => CloseHandle(one),
            5 => ConnectNamedPipe(one, block),
            6 => DisconnectNamedPipe(one),
            7 | 8 => ReadFile(one, buffer, length, count, block),
            9 | 10 => WriteFile(one, buffer, length, count, block),
            11 => PeekNamedPipe(one, buffer.cast(), length, count, count, count),
            12 => {
                let reply = arena.buffer(draw).cast();
                TransactNamedPipe(one, buffer.cast(), length, reply, LENGTH, count, block)
            }
            13 => {
                SetNamedPipeHandleState(one, count, null(), Arena::good(draw, &mut arena.numbers))
            }
            14 => GetNamedPipeInfo(one, count, count, null_mut(), null_mut()),
            15 => {
                let none = null_mut();
                GetNamedPipeHandleStateW(one, count, none, none, none, buffer.cast(), length / 2)
            }
            16 => WaitNamedPipeW(path, 1 + flags % 3),
            17 => GetNamedPipeClientProcessId(one, Arena::pointer(draw, &mut arena.numbers)),
            18 => {
                let port = CreateIoCompletionPort(one, other, 1, flags);
                i32::from(!port.is_null())
            }
            19 => {
                let found = &mut null_mut();
                GetQueuedCompletionStatus(one, count, word, found, 0)
            }
            20 => {
                let mut entries = [OVERLAPPED_ENTRY::default(); 4];
                GetQueuedCompletionStatusEx(one, entries.as_mut_ptr(), flags % 5, count, 0, 1)
            }
            21 => PostQueuedCompletionStatus(one, flags, 2, block),
            22 => GetOverlappedResult(one, block, count, 0),
            23 => GetOverlappedResultEx(one, block, count, flags % 3, 1),
            24 => CancelIoEx(one, block),
            25 => CancelIo(one) & CancelSynchronousIo(other),
            26 => {
                let this = GetCurrentProcess();
                let target = word.cast();
                DuplicateHandle(this, one, draw.pick(&[this, other]), target, flags, 0, flags & 3)
            }
            27 => i32::from(!CreateEventW(null(), flags as i32 & 1, 0, null()).is_null()),
            28 => SetEvent(one) & ResetEvent(other),
            29 => {
                let objects = [one, other];
                let count = flags % 3;
                let all = draw.below(2) as i32;
                i32::from(
                    WaitForMultipleObjectsEx(count, objects.as_ptr(), all, 1, 1) != WAIT_FAILED,
                )
            }
            30 => SetFileCompletionNotificationModes(one, flags as u8),
            31 => SetHandleInformation(one, flags, flags) & GetHandleInformation(other, count),
            32 => GetFileInformationByHandleEx(one, flags as i32 % 20, buffer.cast(), length),
            33 => {
                let mut data = WIN32_FIND_DATAW::default();
                FindNextFileW(one, &mut data)
            }
            34 => {
                let context: *const c_void = block.cast();
                NtReadFile(
                    one,
                    other,
                    None,
                    context,
                    native,
                    buffer.cast(),
                    length,
                    null(),
                    null(),
                );
                NtWriteFile(one, other, None, context, native, buffer.cast(), 4, null(), null());
                return None;
            }
            35 => {
                let code =
                    0x0011_0000 | (draw.below(32) as u32) << 2 | draw.pick(&[0, 0x4000, 0xC003]);
                let output = arena.buffer(draw).cast();
                NtFsControlFile(
                    one,
                    other,
                    None,
                    null(),
                    native,
                    code,
                    buffer.cast(),
                    length,
                    output,
                    LENGTH,
                );
                return None;
            }
            36 => {
                NtQueryInformationFile(one, native, buffer.cast(), length, flags as i32 % 90);
                NtSetInformationFile(one, native, buffer.cast(), length, flags as i32 % 90);
                NtQueryVolumeInformationFile(one, native, buffer.cast(), length, flags as i32 % 9);
                NtQueryObject(one, flags as i32 % 4, buffer.cast(), length, count);
                NtCancelIoFileEx(one, native, native);
                return None;
            }
            _ => {
                let class = FileBothDirectoryInformation;
                let (at, none) = (buffer.cast(), null());
                NtQueryDirectoryFile(
                    one,
                    other,
                    None,
                    none,
                    native,
                    at,
                    length,
                    class,
                    true,
                    none.cast(),
                    false,
                );
                return None;
            }
        })
    }
}

#[test]
fn every_call_has_an_answer() {
    let (name, device) = (wide(r"\\.\pipe\garbage"), wide(r"\\.\pipe\"));
    let mut successes = 0;
    for seed in 0..400 {
        let mut draw = Draw(seed);
        let mut arena = Arena::new();
        let sim = npfs::Simulation::builder().deadlocks_fail().build();
        let process = sim.process("process");
        process.enter(|| {
            for turn in 0..150 {
                unsafe { SetLastError(0) };
                let gave = unsafe { call(&mut draw, &mut arena, &name, &device) };
                if gave == Some(0) {
                    assert_ne!(last_error(), 0, "seed {seed}, turn {turn}");
                }
                successes += u32::from(gave.is_some_and(|gave| gave != 0));
                // A lone thread that waits for another one ends the simulation.
                if sim.host().stopped().is_some() {
                    break;
                }
            }
        });
        // What pends goes with the simulation, before the memory.
        drop((process, sim));
    }
    assert!(successes > 4000, "{successes}");
}
