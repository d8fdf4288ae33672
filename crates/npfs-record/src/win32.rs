//! The Win32 calls themselves: the only unsafe code.
//!
//! Memory that the system may write later (OVERLAPPED structures and buffers) is leaked on
//! purpose: a request can outlive its thread, its handle and its scenario.

use core::cell::RefCell;
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use std::collections::BTreeMap;
use std::os::windows::io::{AsRawHandle, RawHandle};
use std::thread::JoinHandle;

use npfs_abi::{
    Call, CompletionMode, Composite, Configuration, CreateFile, CreateNamedPipe, Data, Delivery,
    End, HandleState, LocalInfo, Op, Output, Peek, PipeInfo, PipeName, PipeState, PipeType,
    ReadMode, RequestId, Status,
};
use npfs_trace::scenario::Word;
use npfs_trace::trace::Recorded;
use windows_sys::Win32::Foundation as f;
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::{IO as io, Pipes as pipes, Threading as threading};
use windows_sys::core::BOOL;

#[repr(C)]
struct IoStatusBlock {
    status: usize,
    information: usize,
}

/// `FILE_PIPE_LOCAL_INFORMATION` (MS-FSCC 2.4.32): ten 32-bit numbers.
type LocalInformation = [u32; 10];

/// `FilePipeLocalInformation` (MS-FSCC 2.4).
const FILE_PIPE_LOCAL_INFORMATION: i32 = 24;

#[link(name = "ntdll")]
unsafe extern "system" {
    fn RtlGetLastNtStatus() -> i32;
    fn RtlNtStatusToDosError(status: i32) -> u32;
    fn NtQueryInformationFile(
        file: f::HANDLE,
        block: *mut IoStatusBlock,
        information: *mut c_void,
        length: u32,
        class: i32,
    ) -> i32;
    fn RtlGetVersion(version: *mut Version) -> i32;
}

/// `OSVERSIONINFOW`
#[repr(C)]
struct Version {
    size: u32,
    major: u32,
    minor: u32,
    build: u32,
    platform: u32,
    service_pack: [u16; 128],
}

/// The system's version as in `10.0.19045`.
pub(crate) fn version() -> String {
    let size = size_of::<Version>() as u32;
    let mut version =
        Version { size, major: 0, minor: 0, build: 0, platform: 0, service_pack: [0; 128] };
    // SAFETY: the structure is writable and states its own size.
    unsafe { RtlGetVersion(&raw mut version) };
    format!("{}.{}.{}", version.major, version.minor, version.build)
}

/// An OVERLAPPED with the name of its request behind it, where a completion routine finds it.
#[repr(C)]
struct Block {
    overlapped: io::OVERLAPPED,
    id: RequestId,
}

/// One request's memory, which is never freed.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    block: *mut Block,
    buffer: *mut u8,
    length: usize,
    /// Whether the buffer is filled by the system.
    reads: bool,
    /// Whether the call has a byte count.
    counts: bool,
}

// SAFETY: the pointers are to leaked memory; only the system writes to it once the call is made,
// and the recorder reads OVERLAPPED fields volatile and the buffer only after the end.
unsafe impl Send for Request {}

impl Request {
    /// Memory for one operation. `data` is what is written, `length` the room for what is read.
    pub(crate) fn new(id: RequestId, op: &Op<Word, Word>) -> Request {
        let (bytes, reads, counts) = match op {
            Op::Call(Call::ReadFile { length, .. } | Call::TransactNamedPipe { length, .. })
            | Op::Composite(Composite::CallNamedPipe { length, .. }) => {
                (vec![0; *length as usize], true, true)
            }
            Op::Call(Call::PeekNamedPipe { length, .. }) => {
                (vec![0; *length as usize], true, false)
            }
            Op::Call(Call::WriteFile { data, .. }) => (data.to_vec(), false, true),
            _ => (Vec::new(), false, false),
        };
        let length = bytes.len();
        // One byte more, so that a buffer of length 0 has an address too.
        let mut bytes = bytes;
        bytes.push(0);
        let buffer = Box::leak(bytes.into_boxed_slice()).as_mut_ptr();
        let block =
            Box::leak(Box::new(Block { overlapped: io::OVERLAPPED::default(), id })) as *mut Block;
        Request { block, buffer, length, reads, counts }
    }

    fn overlapped(&self, event: f::HANDLE) -> *mut io::OVERLAPPED {
        // SAFETY: leaked memory; the call that makes the system write to it has not been made.
        unsafe { (*self.block).overlapped.hEvent = event };
        self.block.cast()
    }

    fn internal(&self) -> (u32, u32) {
        let overlapped: *const io::OVERLAPPED = self.block.cast();
        // SAFETY: leaked memory; volatile, because the system writes it at any time.
        unsafe {
            let status = (&raw const (*overlapped).Internal).read_volatile();
            let information = (&raw const (*overlapped).InternalHigh).read_volatile();
            (status as u32, information as u32)
        }
    }

    fn bytes(&self, count: u32) -> Data {
        let count = (count as usize).min(self.length);
        // SAFETY: leaked memory of at least `length` bytes; the operation is over.
        Data::from(unsafe { core::slice::from_raw_parts(self.buffer, count) })
    }

    /// The status block of an ended request; `None` while it is pending.
    pub(crate) fn ended(&self) -> Option<Recorded> {
        let (status, information) = self.internal();
        let status = Status(status);
        if status == Status::PENDING {
            return None;
        }
        Some(Recorded {
            status: Some(status),
            information: self.counts.then_some(information),
            data: (self.reads && !status.is_error()).then(|| self.bytes(information)),
            ..Recorded::default()
        })
    }
}

/// What the words of an operation stand for.
#[derive(Clone, Default)]
pub(crate) struct Meaning {
    /// Handle values.
    pub(crate) handles: BTreeMap<Word, usize>,
    /// Requests.
    pub(crate) requests: BTreeMap<Word, Request>,
    /// The handles of the scenario's threads.
    pub(crate) threads: Vec<usize>,
    /// The handles of started processes, by number.
    pub(crate) processes: BTreeMap<u32, usize>,
}

impl Meaning {
    fn handle(&self, word: &Word) -> f::HANDLE {
        // A word without a meaning is a handle that was never made: no process has this value.
        self.handles.get(word).copied().unwrap_or(0x7FFF_FFFC) as f::HANDLE
    }
}

/// An answer, with the values of new handles.
pub(crate) struct Answer {
    pub(crate) result: Recorded,
    pub(crate) handles: Vec<usize>,
}

thread_local! {
    /// The completion routines that ran on this thread since it last looked.
    static ROUTINES: RefCell<Vec<RequestId>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "system" fn routine(_error: u32, _count: u32, overlapped: *mut io::OVERLAPPED) {
    // SAFETY: every OVERLAPPED passed with this routine is the head of a leaked `Block`.
    let id = unsafe { (*overlapped.cast::<Block>()).id };
    ROUTINES.with_borrow_mut(|ran| ran.push(id));
}

fn routines() -> Output<Word> {
    Output::Routines(ROUTINES.with_borrow_mut(core::mem::take))
}

/// Clears the last error and the last status, so that what is read later belongs to the call.
fn forget() {
    // SAFETY: both only write to the thread's own block.
    unsafe {
        RtlNtStatusToDosError(0);
        f::SetLastError(0);
    }
}

fn last_error() -> u32 {
    // SAFETY: only reads the thread's own block.
    unsafe { f::GetLastError() }
}

/// How a function failed: its error, and its status if that is where the error came from.
fn failure() -> Recorded {
    // SAFETY: these only read and write the thread's own block; the order keeps them apart.
    let (error, status, same) = unsafe {
        let error = f::GetLastError();
        let status = RtlGetLastNtStatus();
        (error, status, RtlNtStatusToDosError(status))
    };
    if error == f::ERROR_IO_PENDING {
        return Recorded {
            status: Some(Status::PENDING),
            error: Some(error),
            ..Recorded::default()
        };
    }
    let status = (same == error && error != 0).then_some(Status(status as u32));
    Recorded { status, error: Some(error), ..Recorded::default() }
}

fn success() -> Recorded {
    Recorded { error: Some(0), ..Recorded::default() }
}

fn simple(done: BOOL) -> Recorded {
    if done == 0 { failure() } else { success() }
}

fn output(done: BOOL, output: impl FnOnce() -> Output<Word>) -> Recorded {
    if done == 0 { failure() } else { Recorded { output: Some(output()), ..success() } }
}

/// A new handle; also a success can have a last error, `ERROR_ALREADY_EXISTS`.
fn created(handle: f::HANDLE) -> Answer {
    if handle.is_null() || handle == f::INVALID_HANDLE_VALUE {
        return Answer { result: failure(), handles: Vec::new() };
    }
    let exists = last_error() == f::ERROR_ALREADY_EXISTS;
    let error = if exists { f::ERROR_ALREADY_EXISTS } else { 0 };
    let result = Recorded { error: Some(error), ..Recorded::default() };
    Answer { result, handles: vec![handle as usize] }
}

/// The end of a call that moves bytes.
fn transfer(
    done: BOOL,
    count: u32,
    request: &Request,
    delivery: Option<&Delivery<Word>>,
) -> Recorded {
    let mut result = simple(done);
    if matches!(delivery, Some(Delivery::Routine)) {
        // The function says only whether it began; the end comes to the OVERLAPPED.
        return result;
    }
    let error = result.error;
    if error != Some(0) && error != Some(f::ERROR_MORE_DATA) {
        return result;
    }
    let mut count = count;
    if let Some(Delivery::Overlapped { .. }) = delivery {
        let (status, information) = request.internal();
        result.status = Some(Status(status));
        count = information;
    }
    if request.counts {
        result.information = Some(count);
    }
    if request.reads {
        result.data = Some(request.bytes(count));
    }
    result
}

fn wide(name: &PipeName) -> Vec<u16> {
    name.as_str().encode_utf16().chain([0]).collect()
}

fn security(inherit: bool) -> SECURITY_ATTRIBUTES {
    SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: null_mut(),
        bInheritHandle: BOOL::from(inherit),
    }
}

fn wait_result(result: u32) -> Recorded {
    match result {
        f::WAIT_FAILED => failure(),
        f::WAIT_IO_COMPLETION => {
            Recorded { status: Some(Status::USER_APC), output: Some(routines()), ..success() }
        }
        index => Recorded { status: Some(Status(index)), ..success() },
    }
}

/// Makes the call on the calling thread. `request` is its memory.
pub(crate) fn perform(op: &Op<Word, Word>, request: Request, meaning: &Meaning) -> Answer {
    forget();
    let result = match op {
        Op::Call(Call::CreateNamedPipe(call)) => return create_named_pipe(call),
        Op::Call(Call::CreateFile(call)) => return create_file(call),
        Op::Call(Call::CreatePipe { size, inherit }) => return create_pipe(*size, *inherit),
        Op::Call(Call::CreateEvent { manual, signaled }) => {
            // SAFETY: null pointers are allowed: default security, no name.
            return created(unsafe {
                threading::CreateEventW(null(), BOOL::from(*manual), BOOL::from(*signaled), null())
            });
        }
        Op::Call(Call::DuplicateHandle { handle, target, access, inherit }) => {
            let mut new: f::HANDLE = null_mut();
            let options = if access.is_none() { f::DUPLICATE_SAME_ACCESS } else { 0 };
            // SAFETY: `new` is writable; a wrong handle is answered with an error.
            let done = unsafe {
                let this = threading::GetCurrentProcess();
                let target = target.and_then(|target| meaning.processes.get(&target.0));
                let target = target.map_or(this, |target| *target as f::HANDLE);
                f::DuplicateHandle(
                    this,
                    meaning.handle(handle),
                    target,
                    &raw mut new,
                    access.map_or(0, |access| access.0),
                    BOOL::from(*inherit),
                    options,
                )
            };
            return created(if done == 0 { null_mut() } else { new });
        }
        Op::Call(call) => perform_call(call, request, meaning),
        Op::Composite(Composite::CallNamedPipe { name, data, timeout, .. }) => {
            let (name, mut count) = (wide(name), 0);
            // SAFETY: name is terminated; buffers live for ever or beyond this blocking call.
            let done = unsafe {
                pipes::CallNamedPipeW(
                    name.as_ptr(),
                    data.as_ptr().cast(),
                    data.size(),
                    request.buffer.cast(),
                    request.length as u32,
                    &raw mut count,
                    *timeout,
                )
            };
            transfer(done, count, &request, None)
        }
        // Scenarios with these are refused before they run.
        Op::Composite(
            Composite::GetOverlappedResultEx { .. }
            | Composite::GetFileAttributes { .. }
            | Composite::FindFiles { .. },
        ) => Recorded { error: Some(f::ERROR_NOT_SUPPORTED), ..Recorded::default() },
        Op::Composite(Composite::GetOverlappedResult { file, request, wait }) => {
            overlapped_result(meaning.handle(file), meaning.requests.get(request), *wait)
        }
    };
    Answer { result, handles: Vec::new() }
}

fn create_named_pipe(call: &CreateNamedPipe) -> Answer {
    let (name, security) = (wide(&call.name), security(call.inherit));
    // SAFETY: name is terminated, the attributes outlive the call.
    created(unsafe {
        pipes::CreateNamedPipeW(
            name.as_ptr(),
            call.open_mode,
            call.pipe_mode,
            call.max_instances,
            call.out_buffer,
            call.in_buffer,
            call.default_timeout,
            &raw const security,
        )
    })
}

fn create_file(call: &CreateFile) -> Answer {
    let (name, security) = (wide(&call.name), security(call.inherit));
    // SAFETY: name is terminated, the attributes outlive the call.
    created(unsafe {
        fs::CreateFileW(
            name.as_ptr(),
            call.access.0,
            0,
            &raw const security,
            fs::OPEN_EXISTING,
            call.flags,
            null_mut(),
        )
    })
}

fn create_pipe(size: u32, inherit: bool) -> Answer {
    let security = security(inherit);
    let (mut read, mut write): (f::HANDLE, f::HANDLE) = (null_mut(), null_mut());
    // SAFETY: both handles are writable, the attributes outlive the call.
    let done =
        unsafe { pipes::CreatePipe(&raw mut read, &raw mut write, &raw const security, size) };
    if done == 0 {
        return Answer { result: failure(), handles: Vec::new() };
    }
    Answer { result: success(), handles: vec![read as usize, write as usize] }
}

/// The calls that make no handle.
fn perform_call(call: &Call<Word, Word>, request: Request, meaning: &Meaning) -> Recorded {
    let handle = |word: &Word| meaning.handle(word);
    let overlapped = |delivery: &Delivery<Word>| match delivery {
        Delivery::Return => null_mut(),
        Delivery::Overlapped { event, quiet } => {
            let event = event.as_ref().map_or(null_mut(), handle);
            // The low bit asks for no completion packet.
            let marked = event as usize | usize::from(*quiet);
            request.overlapped(marked as f::HANDLE)
        }
        // Scenarios with Nt calls are refused before they run.
        Delivery::Routine | Delivery::Nt { .. } => request.overlapped(null_mut()),
    };
    let (buffer, length) = (request.buffer, request.length as u32);
    let mut count = 0;
    match call {
        Call::ConnectNamedPipe { pipe, delivery } => {
            // SAFETY: the OVERLAPPED is leaked.
            let done = unsafe { pipes::ConnectNamedPipe(handle(pipe), overlapped(delivery)) };
            transfer(done, 0, &request, Some(delivery))
        }
        Call::ReadFile { file, delivery: Delivery::Routine, .. } => {
            let overlapped = overlapped(&Delivery::Routine);
            // SAFETY: buffer and OVERLAPPED are leaked; the routine takes our blocks only.
            simple(unsafe {
                fs::ReadFileEx(handle(file), buffer, length, overlapped, Some(routine))
            })
        }
        Call::WriteFile { file, delivery: Delivery::Routine, .. } => {
            let overlapped = overlapped(&Delivery::Routine);
            // SAFETY: as above.
            simple(unsafe {
                fs::WriteFileEx(handle(file), buffer, length, overlapped, Some(routine))
            })
        }
        Call::ReadFile { file, delivery, .. } => {
            let overlapped = overlapped(delivery);
            // SAFETY: buffer and OVERLAPPED are leaked; the count is written before the return.
            let done =
                unsafe { fs::ReadFile(handle(file), buffer, length, &raw mut count, overlapped) };
            transfer(done, count, &request, Some(delivery))
        }
        Call::WriteFile { file, delivery, .. } => {
            let overlapped = overlapped(delivery);
            // SAFETY: as for ReadFile.
            let done =
                unsafe { fs::WriteFile(handle(file), buffer, length, &raw mut count, overlapped) };
            transfer(done, count, &request, Some(delivery))
        }
        Call::TransactNamedPipe { pipe, data, delivery, .. } => {
            let overlapped = overlapped(delivery);
            let sent: &'static [u8] = Box::leak(data.to_vec().into_boxed_slice());
            if !overlapped.is_null() {
                // Wine does not say PENDING here itself, so that the poll would see an end.
                // SAFETY: leaked memory; the call has not been made.
                unsafe { (*overlapped).Internal = Status::PENDING.0 as usize };
            }
            // SAFETY: both buffers and the OVERLAPPED are leaked; the count is written before
            // the return.
            let done = unsafe {
                pipes::TransactNamedPipe(
                    handle(pipe),
                    sent.as_ptr().cast(),
                    sent.len() as u32,
                    buffer.cast(),
                    length,
                    &raw mut count,
                    overlapped,
                )
            };
            transfer(done, count, &request, Some(delivery))
        }
        Call::PeekNamedPipe { pipe, .. } => {
            let (mut available, mut left) = (0, 0);
            let buffer = if length == 0 { null_mut() } else { buffer };
            // SAFETY: the buffer is leaked or null with length 0; the numbers are writable.
            let done = unsafe {
                pipes::PeekNamedPipe(
                    handle(pipe),
                    buffer.cast(),
                    length,
                    &raw mut count,
                    &raw mut available,
                    &raw mut left,
                )
            };
            output(done, || Output::Peek(Peek { data: request.bytes(count), available, left }))
        }
        Call::WaitNamedPipe { name, timeout } => {
            let name = wide(name);
            // SAFETY: the name is terminated.
            simple(unsafe { pipes::WaitNamedPipeW(name.as_ptr(), *timeout) })
        }
        // SAFETY: a wrong handle is answered with an error.
        Call::DisconnectNamedPipe { pipe } => {
            simple(unsafe { pipes::DisconnectNamedPipe(handle(pipe)) })
        }
        // SAFETY: as above.
        Call::FlushFileBuffers { file } => simple(unsafe { fs::FlushFileBuffers(handle(file)) }),
        Call::GetNamedPipeInfo { pipe } => pipe_info(handle(pipe)),
        Call::GetNamedPipeHandleState { pipe, query } => {
            let (mut state, mut instances) = (0, 0);
            let (mut collect, mut timeout) = (0, 0);
            let collect_at = if query.collection_count { &raw mut collect } else { null_mut() };
            let timeout_at = if query.collect_timeout { &raw mut timeout } else { null_mut() };
            // SAFETY: every pointer is writable or null, which means not wanted.
            let done = unsafe {
                pipes::GetNamedPipeHandleStateW(
                    handle(pipe),
                    &raw mut state,
                    &raw mut instances,
                    collect_at,
                    timeout_at,
                    null_mut(),
                    0,
                )
            };
            let message = state & pipes::PIPE_READMODE_MESSAGE != 0;
            let nowait = state & pipes::PIPE_NOWAIT != 0;
            output(done, || {
                Output::State(Box::new(HandleState {
                    read_mode: if message { ReadMode::Message } else { ReadMode::Byte },
                    completion_mode: if nowait {
                        CompletionMode::Complete
                    } else {
                        CompletionMode::Queue
                    },
                    instances,
                    collection_count: None,
                    collect_timeout: None,
                    user: None,
                }))
            })
        }
        Call::SetNamedPipeHandleState { pipe, mode, collection_count, collect_timeout } => {
            let pointer =
                |number: &Option<u32>| number.as_ref().map_or(null(), core::ptr::from_ref);
            // SAFETY: every pointer is to a number of the call, or null, which means no change.
            simple(unsafe {
                pipes::SetNamedPipeHandleState(
                    handle(pipe),
                    pointer(mode),
                    pointer(collection_count),
                    pointer(collect_timeout),
                )
            })
        }
        Call::QueryLocalInformation { pipe } => local_information(handle(pipe)),
        Call::GetFileType { file } => {
            // SAFETY: a wrong handle is answered with an error.
            let kind = unsafe { fs::GetFileType(handle(file)) };
            output(BOOL::from(kind != 0 || last_error() == 0), || Output::FileType(kind))
        }
        // SAFETY: the handle is one the scenario made; the recorder itself keeps none of them.
        Call::CloseHandle { handle: word } => simple(unsafe { f::CloseHandle(handle(word)) }),
        Call::SetHandleInformation { handle: word, inherit } => {
            let flag = f::HANDLE_FLAG_INHERIT;
            // SAFETY: a wrong handle is answered with an error.
            simple(unsafe {
                f::SetHandleInformation(handle(word), flag, if *inherit { flag } else { 0 })
            })
        }
        // SAFETY: a wrong handle is answered with an error.
        Call::SetEvent { event } => simple(unsafe { threading::SetEvent(handle(event)) }),
        // SAFETY: as above.
        Call::ResetEvent { event } => simple(unsafe { threading::ResetEvent(handle(event)) }),
        Call::WaitForObjects { handles, all, timeout, alertable } => {
            let handles: Vec<f::HANDLE> = handles.iter().map(handle).collect();
            // SAFETY: the array lives until the call returns.
            wait_result(unsafe {
                threading::WaitForMultipleObjectsEx(
                    handles.len() as u32,
                    handles.as_ptr(),
                    BOOL::from(*all),
                    timeout.unwrap_or(threading::INFINITE),
                    BOOL::from(*alertable),
                )
            })
        }
        Call::Sleep { timeout, alertable } => {
            let timeout = timeout.unwrap_or(threading::INFINITE);
            // SAFETY: no pointers.
            wait_result(unsafe { threading::SleepEx(timeout, BOOL::from(*alertable)) })
        }
        // SAFETY: a wrong handle is answered with an error.
        Call::CancelIo { file } => simple(unsafe { io::CancelIo(handle(file)) }),
        Call::CancelIoEx { file, request } => {
            let overlapped: *const io::OVERLAPPED = match request {
                None => null(),
                Some(word) => match meaning.requests.get(word) {
                    Some(request) => request.block.cast(),
                    // A request that was never made: an address the system does not know.
                    None => core::ptr::without_provenance(8),
                },
            };
            // SAFETY: the pointer is compared, not followed.
            simple(unsafe { io::CancelIoEx(handle(file), overlapped) })
        }
        Call::CancelSynchronousIo { thread, .. } => {
            let thread = meaning.threads.get((thread.0 as usize).wrapping_sub(1));
            // SAFETY: the thread's handle is open as long as the scenario runs.
            simple(unsafe { io::CancelSynchronousIo(thread.copied().unwrap_or(0) as f::HANDLE) })
        }
        Call::TerminateProcess { process: Some(process) } => {
            let process = meaning.processes.get(&process.0).copied().unwrap_or(0);
            // SAFETY: the handle is of a process that the recorder started, or invalid.
            simple(unsafe { threading::TerminateProcess(process as f::HANDLE, 0) })
        }
        // The others are not made here: creations above, ends of threads by the recorder, and
        // scenarios with processes are refused.
        _ => Recorded { error: Some(f::ERROR_NOT_SUPPORTED), ..Recorded::default() },
    }
}

fn pipe_info(pipe: f::HANDLE) -> Recorded {
    let (mut flags, mut out_buffer, mut in_buffer, mut max_instances) = (0, 0, 0, 0);
    // SAFETY: all four are writable.
    let done = unsafe {
        pipes::GetNamedPipeInfo(
            pipe,
            &raw mut flags,
            &raw mut out_buffer,
            &raw mut in_buffer,
            &raw mut max_instances,
        )
    };
    let server = flags & pipes::PIPE_SERVER_END != 0;
    let message = flags & pipes::PIPE_TYPE_MESSAGE != 0;
    output(done, || {
        Output::Info(PipeInfo {
            end: if server { End::Server } else { End::Client },
            pipe_type: if message { PipeType::Message } else { PipeType::Byte },
            out_buffer,
            in_buffer,
            max_instances,
        })
    })
}

fn local_information(pipe: f::HANDLE) -> Recorded {
    let mut block = IoStatusBlock { status: 0, information: 0 };
    let mut fields: LocalInformation = [0; 10];
    // SAFETY: block and fields are writable, the length is theirs, and a handle of a pipe never
    // leaves this query pending.
    let status = unsafe {
        NtQueryInformationFile(
            pipe,
            &raw mut block,
            (&raw mut fields).cast(),
            size_of::<LocalInformation>() as u32,
            FILE_PIPE_LOCAL_INFORMATION,
        )
    };
    // SAFETY: no pointers.
    let error = unsafe { RtlNtStatusToDosError(status) };
    let mut result =
        Recorded { status: Some(Status(status as u32)), error: Some(error), ..Recorded::default() };
    let [kind, configuration, maximum, current, inbound, readable, outbound, writable, state, end] =
        fields;
    let configuration = Configuration::ALL.iter().find(|value| **value as u32 == configuration);
    let state = PipeState::ALL.iter().find(|value| **value as u32 == state);
    if let (0, Some(&configuration), Some(&state)) = (status, configuration, state) {
        result.output = Some(Output::Local(LocalInfo {
            pipe_type: if kind == 0 { PipeType::Byte } else { PipeType::Message },
            configuration,
            maximum_instances: maximum,
            current_instances: current,
            inbound_quota: inbound,
            read_data_available: readable,
            outbound_quota: outbound,
            write_quota_available: writable,
            state,
            end: if end == 0 { End::Client } else { End::Server },
        }));
    }
    result
}

fn overlapped_result(file: f::HANDLE, request: Option<&Request>, wait: bool) -> Recorded {
    let Some(request) = request else {
        return Recorded { error: Some(f::ERROR_INVALID_PARAMETER), ..Recorded::default() };
    };
    let mut count = 0;
    // SAFETY: the OVERLAPPED is leaked, the count is written before the return.
    let done = unsafe {
        io::GetOverlappedResult(file, request.block.cast(), &raw mut count, BOOL::from(wait))
    };
    transfer(done, count, request, None)
}

/// The handle of a thread, as a number that can go to other threads.
pub(crate) fn thread_handle(thread: &JoinHandle<()>) -> usize {
    let handle: RawHandle = thread.as_raw_handle();
    handle as usize
}

/// Ends what can be ended of a scenario's requests on `handles` and in `threads`.
pub(crate) fn cancel(handles: &[usize], threads: &[usize]) {
    for &handle in handles {
        // SAFETY: a handle that is not a file's is answered with an error.
        unsafe { io::CancelIoEx(handle as f::HANDLE, null()) };
    }
    for &thread in threads {
        // SAFETY: the thread's handle is open until the scenario's threads are let go.
        unsafe { io::CancelSynchronousIo(thread as f::HANDLE) };
    }
}

/// Closes what a scenario left open.
pub(crate) fn close(handles: &[usize]) {
    for &handle in handles {
        // SAFETY: the scenario made it and has not closed it; nobody uses it any more.
        unsafe { f::CloseHandle(handle as f::HANDLE) };
    }
}

/// Starts this program once more, with `arguments`, and gives the handle of the process.
pub(crate) fn start(arguments: &str, inherit: bool) -> Result<usize, Recorded> {
    let program = std::env::current_exe().unwrap_or_default();
    let line = format!("\"{}\" {arguments}", program.display());
    let mut line: Vec<u16> = line.encode_utf16().chain([0]).collect();
    let startup = threading::STARTUPINFOW {
        cb: size_of::<threading::STARTUPINFOW>() as u32,
        ..Default::default()
    };
    let mut made = threading::PROCESS_INFORMATION::default();
    forget();
    // SAFETY: the line is writable and terminated, the structures outlive the call, and null
    // stands for defaults.
    let done = unsafe {
        threading::CreateProcessW(
            null(),
            line.as_mut_ptr(),
            null(),
            null(),
            BOOL::from(inherit),
            0,
            null(),
            null(),
            &raw const startup,
            &raw mut made,
        )
    };
    if done == 0 {
        return Err(failure());
    }
    // SAFETY: the handle of the first thread was just made and is not needed.
    unsafe { f::CloseHandle(made.hThread) };
    Ok(made.hProcess as usize)
}

/// Ends this process at once, whatever its threads are doing.
pub(crate) fn leave(code: u32) -> ! {
    // SAFETY: no pointers; nothing of this process is needed any more.
    unsafe { threading::TerminateProcess(threading::GetCurrentProcess(), code) };
    std::process::abort()
}

/// Ends a started process, if it still runs, and lets go of it.
pub(crate) fn end(process: usize) {
    // SAFETY: the handle was made by `start` and is used no more after this.
    unsafe {
        threading::TerminateProcess(process as f::HANDLE, 0);
        threading::WaitForSingleObject(process as f::HANDLE, 1000);
        f::CloseHandle(process as f::HANDLE);
    }
}
