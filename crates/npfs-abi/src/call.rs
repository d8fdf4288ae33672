//! What a thread asks for.

use alloc::vec::Vec;

use crate::{Access, Data, Handle, PipeName, ProcessId, RequestId, ThreadId};

/// How the end of an operation reaches its caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase", deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Delivery<H = Handle> {
    /// No OVERLAPPED: the call returns at its end. On an overlapped handle the Win32 function
    /// then waits for the file object (CONNECT-06).
    Return,
    /// An OVERLAPPED with this `hEvent`; on a synchronous handle the call still blocks (SYNC-20).
    Overlapped {
        /// The event to reset at the start and to set at the end.
        event: Option<H>,
    },
    /// A completion routine, run in an alertable wait of the calling thread:
    /// `ReadFileEx`, `WriteFileEx`.
    Routine,
}

/// The arguments of `CreateNamedPipe`, in Windows' own numbers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateNamedPipe {
    /// `lpName`
    pub name: PipeName,
    /// `dwOpenMode`: direction, `FILE_FLAG_*` and access bits (CONST-72).
    pub open_mode: u32,
    /// `dwPipeMode`: type, read mode, wait mode (CONST-71).
    pub pipe_mode: u32,
    /// `nMaxInstances`, 1 to 255; 255 is unlimited.
    pub max_instances: u32,
    /// `nOutBufferSize`: the quota of the direction server to client, in bytes.
    pub out_buffer: u32,
    /// `nInBufferSize`: the quota of the direction client to server, in bytes.
    pub in_buffer: u32,
    /// `nDefaultTimeOut` in milliseconds; 0 is 50 ms.
    pub default_timeout: u32,
    /// `bInheritHandle` of the security attributes.
    pub inherit: bool,
}

impl CreateNamedPipe {
    /// `PIPE_ACCESS_INBOUND` in `open_mode`.
    pub const ACCESS_INBOUND: u32 = 1;
    /// `PIPE_ACCESS_OUTBOUND` in `open_mode`.
    pub const ACCESS_OUTBOUND: u32 = 2;
    /// `PIPE_ACCESS_DUPLEX` in `open_mode`.
    pub const ACCESS_DUPLEX: u32 = 3;
    /// `FILE_FLAG_FIRST_PIPE_INSTANCE` in `open_mode`.
    pub const FIRST_INSTANCE: u32 = 0x0008_0000;
    /// `FILE_FLAG_OVERLAPPED` in `open_mode`.
    pub const OVERLAPPED: u32 = 0x4000_0000;
    /// `FILE_FLAG_WRITE_THROUGH` in `open_mode`.
    pub const WRITE_THROUGH: u32 = 0x8000_0000;
    /// `PIPE_NOWAIT` in `pipe_mode`.
    pub const NOWAIT: u32 = 1;
    /// `PIPE_READMODE_MESSAGE` in `pipe_mode`.
    pub const READMODE_MESSAGE: u32 = 2;
    /// `PIPE_TYPE_MESSAGE` in `pipe_mode`.
    pub const TYPE_MESSAGE: u32 = 4;
    /// `PIPE_REJECT_REMOTE_CLIENTS` in `pipe_mode`.
    pub const REJECT_REMOTE: u32 = 8;
    /// `PIPE_UNLIMITED_INSTANCES` in `max_instances`.
    pub const UNLIMITED_INSTANCES: u32 = 255;

    /// A duplex byte pipe for one instance, 4096 bytes each way, synchronous.
    pub fn new(name: &str) -> CreateNamedPipe {
        CreateNamedPipe {
            name: PipeName::new(name),
            open_mode: CreateNamedPipe::ACCESS_DUPLEX,
            pipe_mode: 0,
            max_instances: 1,
            out_buffer: 4096,
            in_buffer: 4096,
            default_timeout: 0,
            inherit: false,
        }
    }
}

/// The arguments of `CreateFile` for the client end of a pipe; the disposition is `OPEN_EXISTING`,
/// and the share mode plays no part (OPEN-15).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateFile {
    /// `lpFileName`
    pub name: PipeName,
    /// `dwDesiredAccess`; generic rights allowed.
    pub access: Access,
    /// `dwFlagsAndAttributes`: `FILE_FLAG_OVERLAPPED`, `FILE_FLAG_WRITE_THROUGH`.
    pub flags: u32,
    /// `bInheritHandle` of the security attributes.
    pub inherit: bool,
}

impl CreateFile {
    /// `FILE_FLAG_OVERLAPPED` in `flags`.
    pub const OVERLAPPED: u32 = 0x4000_0000;
    /// `FILE_FLAG_WRITE_THROUGH` in `flags`.
    pub const WRITE_THROUGH: u32 = 0x8000_0000;

    /// A synchronous open for reading and writing.
    pub fn new(name: &str) -> CreateFile {
        CreateFile {
            name: PipeName::new(name),
            access: Access::GENERIC_READ.with(Access::GENERIC_WRITE),
            flags: 0,
            inherit: false,
        }
    }
}

/// Which of the further out parameters of `GetNamedPipeHandleState` are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandleStateQuery {
    /// `lpMaxCollectionCount` is given.
    pub collection_count: bool,
    /// `lpCollectDataTimeout` is given.
    pub collect_timeout: bool,
}

/// One call into the kernel.
///
/// `H` is how a handle is named and `R` how a request is: [`Handle`] and [`RequestId`] in the
/// kernel, words in a scenario, names in order of appearance in a trace.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Call<H = Handle, R = RequestId> {
    /// `CreateNamedPipe`. Gives a handle to the server end of a new instance.
    CreateNamedPipe(CreateNamedPipe),
    /// `CreateFile`. Gives a handle to a client end.
    CreateFile(CreateFile),
    /// `CreatePipe`. Gives the read and the write handle of an anonymous pipe.
    CreatePipe {
        /// `nSize` in bytes; 0 is 4096 (ANON-02).
        size: u32,
        /// Whether children inherit both handles.
        inherit: bool,
    },
    /// `ConnectNamedPipe`.
    ConnectNamedPipe {
        /// A server end.
        pipe: H,
        /// How the end is told.
        delivery: Delivery<H>,
    },
    /// `DisconnectNamedPipe`.
    DisconnectNamedPipe {
        /// A server end.
        pipe: H,
    },
    /// `WaitNamedPipe`.
    WaitNamedPipe {
        /// The path of the pipe.
        name: PipeName,
        /// In milliseconds; 0 is the default of the pipe, `u32::MAX` is for ever (CONST-73).
        timeout: u32,
    },
    /// `ReadFile`, or `ReadFileEx` with [`Delivery::Routine`].
    ReadFile {
        /// Either end.
        file: H,
        /// The size of the buffer in bytes.
        length: u32,
        /// How the end is told.
        delivery: Delivery<H>,
    },
    /// `WriteFile`, or `WriteFileEx` with [`Delivery::Routine`].
    WriteFile {
        /// Either end.
        file: H,
        /// What to write.
        data: Data,
        /// How the end is told.
        delivery: Delivery<H>,
    },
    /// `PeekNamedPipe`.
    PeekNamedPipe {
        /// Either end.
        pipe: H,
        /// The size of the buffer in bytes.
        length: u32,
    },
    /// `TransactNamedPipe`.
    TransactNamedPipe {
        /// Either end of a message pipe.
        pipe: H,
        /// The request.
        data: Data,
        /// The size of the buffer for the reply in bytes.
        length: u32,
        /// How the end is told; never [`Delivery::Routine`].
        delivery: Delivery<H>,
    },
    /// `FlushFileBuffers`.
    FlushFileBuffers {
        /// Either end.
        file: H,
    },
    /// `GetNamedPipeInfo`.
    GetNamedPipeInfo {
        /// Either end.
        pipe: H,
    },
    /// `GetNamedPipeHandleState` without the user name.
    GetNamedPipeHandleState {
        /// Either end.
        pipe: H,
        /// Which values are asked for besides modes and instance count.
        query: HandleStateQuery,
    },
    /// `SetNamedPipeHandleState`.
    SetNamedPipeHandleState {
        /// Either end.
        pipe: H,
        /// `*lpMode`: `PIPE_READMODE_MESSAGE` 2 and `PIPE_NOWAIT` 1; `None` for a null pointer.
        mode: Option<u32>,
        /// `*lpMaxCollectionCount` in bytes.
        collection_count: Option<u32>,
        /// `*lpCollectDataTimeout` in milliseconds.
        collect_timeout: Option<u32>,
    },
    /// `NtQueryInformationFile(FilePipeLocalInformation)`.
    QueryLocalInformation {
        /// Either end.
        pipe: H,
    },
    /// `GetFileType`.
    GetFileType {
        /// Any handle to a file object.
        file: H,
    },
    /// `CloseHandle`.
    CloseHandle {
        /// Any handle.
        handle: H,
    },
    /// `DuplicateHandle` from the calling process, with `DUPLICATE_SAME_ACCESS` if `access` is `None`.
    DuplicateHandle {
        /// A handle of the calling process.
        handle: H,
        /// Where the new handle goes; `None` for the calling process.
        target: Option<ProcessId>,
        /// `dwDesiredAccess`; not more than the handle has.
        access: Option<Access>,
        /// `bInheritHandle`
        inherit: bool,
    },
    /// `SetHandleInformation(HANDLE_FLAG_INHERIT)`.
    SetHandleInformation {
        /// Any handle.
        handle: H,
        /// The new value of the flag.
        inherit: bool,
    },
    /// `CreateEvent` without a name.
    CreateEvent {
        /// `bManualReset`
        manual: bool,
        /// `bInitialState`
        signaled: bool,
    },
    /// `SetEvent`.
    SetEvent {
        /// An event.
        event: H,
    },
    /// `ResetEvent`.
    ResetEvent {
        /// An event.
        event: H,
    },
    /// `WaitForSingleObjectEx`, `WaitForMultipleObjectsEx`.
    WaitForObjects {
        /// Events and files; 1 to 64.
        handles: Vec<H>,
        /// Wait for all of them at once instead of any.
        all: bool,
        /// In milliseconds; `None` is for ever.
        timeout: Option<u32>,
        /// Whether completion routines may run.
        alertable: bool,
    },
    /// `SleepEx`.
    Sleep {
        /// In milliseconds; `None` is for ever.
        timeout: Option<u32>,
        /// Whether completion routines may run.
        alertable: bool,
    },
    /// `CancelIo`: the calling thread's requests on this file object.
    CancelIo {
        /// Any handle of the file object.
        file: H,
    },
    /// `CancelIoEx`: one request on this file object, or all of them.
    CancelIoEx {
        /// Any handle of the file object.
        file: H,
        /// Which; `None` for all requests of the calling process.
        request: Option<R>,
    },
    /// `CancelSynchronousIo`: the blocking request of a thread.
    CancelSynchronousIo {
        /// The thread that is blocked.
        thread: ThreadId,
    },
    /// `CreateProcess`: starts a process that the scenario has declared.
    CreateProcess {
        /// Which.
        process: ProcessId,
        /// `bInheritHandles`: inheritable handles appear in it with the same values.
        inherit: bool,
    },
    /// `ExitThread` of the calling thread: its requests are cancelled.
    ExitThread,
    /// `ExitProcess` of the calling process, or `TerminateProcess` of another: requests are
    /// cancelled, then every handle is closed.
    TerminateProcess {
        /// Which; `None` for the calling one.
        process: Option<ProcessId>,
    },
}

/// One Win32 operation as a program sees it: a single kernel call, or a composite
/// that is a program over several, between which other threads may run.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Op<H = Handle, R = RequestId> {
    /// One call.
    Call(Call<H, R>),
    /// Several calls in sequence.
    Composite(Composite<H, R>),
}

/// A Win32 function that makes several kernel calls.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Composite<H = Handle, R = RequestId> {
    /// `CallNamedPipe`: open, else wait and open, set message mode, transact, close (CALL-01).
    CallNamedPipe {
        /// The path of the pipe.
        name: PipeName,
        /// The request.
        data: Data,
        /// The size of the buffer for the reply in bytes.
        length: u32,
        /// In milliseconds, as in [`Call::WaitNamedPipe`].
        timeout: u32,
    },
    /// `GetOverlappedResult` of an operation begun with an OVERLAPPED.
    GetOverlappedResult {
        /// The handle the operation was begun on.
        file: H,
        /// Which operation.
        request: R,
        /// `bWait`
        wait: bool,
    },
}
