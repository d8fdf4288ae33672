//! What a thread asks for.

use alloc::vec::Vec;

use crate::{
    Access, Data, Handle, PipeName, ProcessId, RequestId, SecurityDescriptor, ThreadId, Token,
    codes,
};

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
        /// The low bit of `hEvent` is set: no completion packet (EVENT-29).
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "core::ops::Not::not"))]
        quiet: bool,
    },
    /// A completion routine, run in an alertable wait of the calling thread:
    /// `ReadFileEx`, `WriteFileEx`.
    Routine,
    /// The arguments of an Nt function, in any mixture.
    Nt {
        /// `Event`
        event: Option<H>,
        /// `ApcRoutine` is given: a routine is queued to the calling thread.
        routine: bool,
        /// `ApcContext` is given: a packet goes to the port (IOCP-01).
        context: bool,
    },
}

impl<H> Delivery<H> {
    /// An OVERLAPPED without an event.
    pub const OVERLAPPED: Delivery<H> = Delivery::Overlapped { event: None, quiet: false };

    /// An OVERLAPPED with an event, or without one.
    pub const fn overlapped(event: Option<H>) -> Delivery<H> {
        Delivery::Overlapped { event, quiet: false }
    }
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
    /// The descriptor of the security attributes.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub security: Option<SecurityDescriptor>,
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
            security: None,
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
    /// `dwFlagsAndAttributes`: `FILE_FLAG_OVERLAPPED`, `FILE_FLAG_WRITE_THROUGH`, and the
    /// security quality of service ([`codes::sqos`](crate::codes::sqos)).
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

/// `OBJECT_ATTRIBUTES`, which an Nt function finds an object by.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ObjectAttributes<H = Handle> {
    /// `RootDirectory`: the device, the root, or a server end.
    pub root: Option<H>,
    /// `ObjectName`: absolute such as `\Device\NamedPipe\x` or `\??\pipe\x`, or relative to the
    /// root; `None` for a null pointer.
    pub name: Option<PipeName>,
    /// `OBJ_INHERIT`
    pub inherit: bool,
}

/// The arguments of `NtCreateNamedPipeFile`, in Windows' own numbers
/// ([`codes`](crate::codes)).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NtCreateNamedPipeFile<H = Handle> {
    /// `ObjectAttributes`; `None` for a null pointer.
    pub attributes: Option<ObjectAttributes<H>>,
    /// `SecurityDescriptor` of the object attributes.
    pub security: Option<SecurityDescriptor>,
    /// `DesiredAccess`
    pub access: Access,
    /// `ShareAccess`: the direction (CONST-60).
    pub share: u32,
    /// `CreateDisposition`
    pub disposition: u32,
    /// `CreateOptions`
    pub options: u32,
    /// `NamedPipeType`: 0 byte, 1 message, plus 2 to refuse remote clients.
    pub pipe_type: u32,
    /// `ReadMode`: 0 byte, 1 message.
    pub read_mode: u32,
    /// `CompletionMode`: 0 queue, 1 complete.
    pub completion_mode: u32,
    /// `MaximumInstances`; `u32::MAX` is unlimited.
    pub max_instances: u32,
    /// `InboundQuota` in bytes.
    pub inbound_quota: u32,
    /// `OutboundQuota` in bytes.
    pub outbound_quota: u32,
    /// `DefaultTimeout` in units of 100 ns, negative for a span; `None` for a null pointer.
    pub default_timeout: Option<i64>,
}

impl<H> NtCreateNamedPipeFile<H> {
    /// A duplex byte pipe for one instance, 4096 bytes each way, asynchronous, `FILE_OPEN_IF`,
    /// with a default time-out of 50 ms.
    pub fn new(name: &str) -> NtCreateNamedPipeFile<H> {
        NtCreateNamedPipeFile {
            attributes: Some(ObjectAttributes {
                root: None,
                name: Some(PipeName::new(name)),
                inherit: false,
            }),
            security: None,
            access: Access::GENERIC_READ.with(Access::GENERIC_WRITE).with(Access::SYNCHRONIZE),
            share: codes::share::READ | codes::share::WRITE,
            disposition: codes::disposition::OPEN_IF,
            options: 0,
            pipe_type: 0,
            read_mode: 0,
            completion_mode: 0,
            max_instances: 1,
            inbound_quota: 4096,
            outbound_quota: 4096,
            default_timeout: Some(-500_000),
        }
    }
}

/// The arguments of `NtCreateFile` and `NtOpenFile` for the device, the root or a client end.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NtCreateFile<H = Handle> {
    /// `ObjectAttributes`; `None` for a null pointer.
    pub attributes: Option<ObjectAttributes<H>>,
    /// `SecurityQualityOfService` of the object attributes, as the flags of `CreateFile` say it
    /// ([`codes::sqos`](crate::codes::sqos)).
    pub sqos: u32,
    /// `DesiredAccess`; nothing is added to it (CREATE-54).
    pub access: Access,
    /// `ShareAccess`
    pub share: u32,
    /// `CreateDisposition`
    pub disposition: u32,
    /// `CreateOptions`
    pub options: u32,
}

impl<H> NtCreateFile<H> {
    /// An asynchronous open for reading and writing.
    pub fn new(name: &str) -> NtCreateFile<H> {
        NtCreateFile {
            attributes: Some(ObjectAttributes {
                root: None,
                name: Some(PipeName::new(name)),
                inherit: false,
            }),
            sqos: 0,
            access: Access::GENERIC_READ.with(Access::GENERIC_WRITE).with(Access::SYNCHRONIZE),
            share: codes::share::READ | codes::share::WRITE,
            disposition: codes::disposition::OPEN,
            options: 0,
        }
    }
}

/// A fact about the two ends that the kernel keeps for a connection
/// (`GetNamedPipeClientProcessId` and its siblings).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PipeAttribute {
    /// `GetNamedPipeClientProcessId`
    ClientProcessId,
    /// `GetNamedPipeServerProcessId`
    ServerProcessId,
    /// `GetNamedPipeClientSessionId`
    ClientSessionId,
    /// `GetNamedPipeServerSessionId`
    ServerSessionId,
    /// `GetNamedPipeClientComputerName`
    ClientComputerName,
}

impl PipeAttribute {
    /// Every attribute and its word in scenarios.
    pub const ALL: &'static [(PipeAttribute, &'static str)] = &[
        (PipeAttribute::ClientProcessId, "client_process_id"),
        (PipeAttribute::ServerProcessId, "server_process_id"),
        (PipeAttribute::ClientSessionId, "client_session_id"),
        (PipeAttribute::ServerSessionId, "server_session_id"),
        (PipeAttribute::ClientComputerName, "client_computer_name"),
    ];
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
    /// `lpUserName` is given.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "core::ops::Not::not"))]
    pub user: bool,
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
    /// `GetNamedPipeHandleState`.
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
    /// `CancelSynchronousIo`, `NtCancelSynchronousIoFile`: the blocking request of a thread.
    CancelSynchronousIo {
        /// The thread that is blocked.
        thread: ThreadId,
        /// Only if it is this one (CANCEL-22).
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        request: Option<R>,
    },
    /// `NtCreateNamedPipeFile`. Gives a handle to the server end of a new instance.
    NtCreateNamedPipeFile(NtCreateNamedPipeFile<H>),
    /// `NtCreateFile`, `NtOpenFile`. Gives a handle to a client end, the device or the root.
    NtCreateFile(NtCreateFile<H>),
    /// `ReOpenFile`. Gives a handle to a client end of the same pipe (NAME-49).
    ReOpenFile {
        /// A server end.
        file: H,
        /// `dwDesiredAccess`
        access: Access,
        /// `dwFlags`, as in [`CreateFile::flags`].
        flags: u32,
    },
    /// `NtFsControlFile`, in bytes as Windows lays them out.
    NtFsControlFile {
        /// Any handle to a file object.
        file: H,
        /// `FsControlCode` ([`codes::fsctl`](crate::codes::fsctl))
        code: u32,
        /// `InputBuffer`
        input: Data,
        /// `OutputBufferLength`
        length: u32,
        /// How the end is told.
        delivery: Delivery<H>,
    },
    /// `NtQueryInformationFile`; gives the bytes of the structure.
    NtQueryInformationFile {
        /// Any handle to a file object.
        file: H,
        /// `FileInformationClass` ([`codes::file_class`](crate::codes::file_class))
        class: u32,
        /// `Length`
        length: u32,
    },
    /// `NtSetInformationFile`.
    NtSetInformationFile {
        /// Any handle to a file object.
        file: H,
        /// `FileInformationClass`
        class: u32,
        /// `FileInformation`
        input: Data,
    },
    /// `NtQueryVolumeInformationFile`; gives the bytes of the structure.
    NtQueryVolumeInformationFile {
        /// Any handle to a file object.
        file: H,
        /// `FsInformationClass` ([`codes::volume_class`](crate::codes::volume_class))
        class: u32,
        /// `Length`
        length: u32,
    },
    /// `NtQueryDirectoryFile` on the root; gives the bytes of the entries.
    NtQueryDirectoryFile {
        /// A handle to the root.
        file: H,
        /// `FileInformationClass`
        class: u32,
        /// `Length`
        length: u32,
        /// `FileName`: `*` and `?` stand for anything; only the first call's counts (DIR-04).
        pattern: Option<PipeName>,
        /// `RestartScan`
        restart: bool,
        /// `ReturnSingleEntry`
        single: bool,
    },
    /// `NtNotifyChangeDirectoryFile` on the root.
    NtNotifyChangeDirectoryFile {
        /// A handle to the root.
        file: H,
        /// `CompletionFilter`
        filter: u32,
        /// How the end is told.
        delivery: Delivery<H>,
    },
    /// `NtQueryObject`; gives the bytes of the structure, a name as UTF-16.
    NtQueryObject {
        /// Any handle.
        handle: H,
        /// `ObjectInformationClass` ([`codes::object_class`](crate::codes::object_class))
        class: u32,
    },
    /// `GetNamedPipeClientProcessId` and its siblings.
    GetNamedPipeAttribute {
        /// Either end.
        pipe: H,
        /// Which.
        attribute: PipeAttribute,
    },
    /// `CreateIoCompletionPort`. Gives a new port, or `port` again.
    CreateIoCompletionPort {
        /// `FileHandle`; `None` for `INVALID_HANDLE_VALUE`.
        file: Option<H>,
        /// `ExistingCompletionPort`
        port: Option<H>,
        /// `CompletionKey`
        key: u64,
        /// `NumberOfConcurrentThreads`; 0 is the number of processors.
        concurrency: u32,
    },
    /// `GetQueuedCompletionStatus`, `GetQueuedCompletionStatusEx`.
    GetQueuedCompletionStatus {
        /// A port.
        port: H,
        /// `ulCount`: the most packets to take.
        count: u32,
        /// In milliseconds; `None` is for ever.
        timeout: Option<u32>,
        /// `fAlertable`
        alertable: bool,
    },
    /// `PostQueuedCompletionStatus`.
    PostQueuedCompletionStatus {
        /// A port.
        port: H,
        /// `dwNumberOfBytesTransferred`
        bytes: u32,
        /// `dwCompletionKey`
        key: u64,
        /// `lpOverlapped`, the caller's own value.
        overlapped: u64,
    },
    /// `SetFileCompletionNotificationModes`.
    SetFileCompletionNotificationModes {
        /// A file.
        file: H,
        /// `FILE_SKIP_*` ([`codes::notification`](crate::codes::notification))
        flags: u32,
    },
    /// `QueueUserAPC`: the routine is named by this call.
    QueueUserAPC {
        /// To whom.
        thread: ThreadId,
    },
    /// `OpenThread`: a handle to wait for the end of a thread.
    OpenThread {
        /// Which.
        thread: ThreadId,
    },
    /// `OpenProcess`: a handle to wait for the end of a process.
    OpenProcess {
        /// Which.
        process: ProcessId,
    },
    /// `ImpersonateNamedPipeClient`.
    ImpersonateNamedPipeClient {
        /// A server end.
        pipe: H,
    },
    /// `RevertToSelf`.
    RevertToSelf,
    /// `SetThreadToken` of the calling thread: it acts as somebody else.
    SetThreadToken {
        /// As whom; `None` for the process' own token.
        token: Option<Token>,
    },
    /// `OpenThreadToken` and `GetTokenInformation`: as whom the calling thread acts.
    GetThreadToken,
    /// `NtQuerySecurityObject`, `GetKernelObjectSecurity`.
    NtQuerySecurityObject {
        /// Either end.
        handle: H,
        /// Which parts ([`security_information`](crate::security_information)).
        information: u32,
        /// `Length`; `None` for enough.
        length: Option<u32>,
    },
    /// `NtSetSecurityObject`, `SetKernelObjectSecurity`.
    NtSetSecurityObject {
        /// Either end.
        handle: H,
        /// Which parts.
        information: u32,
        /// What they become.
        descriptor: SecurityDescriptor,
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
    /// `GetOverlappedResultEx`.
    GetOverlappedResultEx {
        /// The handle the operation was begun on.
        file: H,
        /// Which operation.
        request: R,
        /// In milliseconds; `None` is for ever.
        timeout: Option<u32>,
        /// `bAlertable`
        alertable: bool,
    },
    /// `GetFileAttributes` and other probes of a path: a real open and close (OPEN-19).
    GetFileAttributes {
        /// The path.
        name: PipeName,
    },
    /// `FindFirstFile` to the end: the names in `\\.\pipe\` that fit a pattern (DIR-11).
    FindFiles {
        /// `\\.\pipe\*`, or another pattern in the root.
        pattern: PipeName,
    },
}
