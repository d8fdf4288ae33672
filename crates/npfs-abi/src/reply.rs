//! What a thread is answered, at once or later.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    CompletionMode, Configuration, Data, End, Handle, PipeState, PipeType, ReadMode, RequestId,
    SecurityDescriptor, Status, Token,
};

/// The answer to a call.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// The call is over.
    Done(Reply),
    /// The operation goes on and so does the thread; a [`Completion`] tells its end.
    Pending(RequestId),
    /// The thread sleeps in the call; a [`Completion`] with this request wakes it.
    Blocked(RequestId),
}

impl Outcome {
    /// Gives the requests of routines that ran and of packets that were taken other names.
    pub fn rename_requests(&mut self, mut rename: impl FnMut(&mut RequestId)) {
        match self {
            Outcome::Done(Reply { output: Output::Routines(requests), .. }) => {
                requests.iter_mut().for_each(rename);
            }
            Outcome::Done(Reply { output: Output::Packets(packets), .. }) => {
                for packet in packets {
                    if let PacketSource::Request(request) = &mut packet.source {
                        rename(request);
                    }
                }
            }
            Outcome::Done(_) | Outcome::Pending(_) | Outcome::Blocked(_) => {}
        }
    }
}

/// The end of a request that did not end in its call.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Completion {
    /// Which.
    pub request: RequestId,
    /// Whether the calling thread slept in the call and now goes on.
    pub wakes: bool,
    /// The status block is written only when the packet is taken from its port: with
    /// [`Switch::StatusBlockOnRemoval`](crate::Switch::StatusBlockOnRemoval), and always when
    /// the request's process let go of the file (CANCEL-20).
    pub held: bool,
    /// How it ended.
    pub reply: Reply,
}

/// How a call or request ended [the I/O status block, and what was handed out].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reply<H = Handle> {
    /// The NTSTATUS.
    pub status: Status,
    /// The byte count; for creations 1 (`FILE_OPENED`) or 2 (`FILE_CREATED`).
    pub information: u32,
    /// What was handed out besides.
    pub output: Output<H>,
}

impl<H> Reply<H> {
    /// A status and nothing else.
    pub const fn status(status: Status) -> Reply<H> {
        Reply { status, information: 0, output: Output::None }
    }

    /// Success and nothing else.
    pub const fn ok() -> Reply<H> {
        Reply::status(Status::SUCCESS)
    }

    /// Success with something handed out.
    pub const fn with(output: Output<H>) -> Reply<H> {
        Reply { status: Status::SUCCESS, information: 0, output }
    }
}

/// What a call hands out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Output<H = Handle> {
    /// Nothing.
    None,
    /// A new handle.
    Handle(H),
    /// Two new handles: the read end and the write end of `CreatePipe`.
    Handles(H, H),
    /// The bytes read, or the reply of a transact.
    Data(Data),
    /// `PeekNamedPipe`
    Peek(Peek),
    /// `GetNamedPipeInfo`
    Info(PipeInfo),
    /// `GetNamedPipeHandleState`
    State(Box<HandleState>),
    /// `FilePipeLocalInformation`
    Local(LocalInfo),
    /// `GetFileType`: 3 is `FILE_TYPE_PIPE`.
    FileType(u32),
    /// The routines that an alertable wait ran, in order.
    Routines(Vec<RequestId>),
    /// What was taken from a completion port, in order.
    Packets(Vec<Packet>),
    /// A process, session or other number.
    Number(u64),
    /// A name.
    Text(String),
    /// The names in a directory.
    Names(Vec<String>),
    /// As whom a thread acts.
    Token(Box<Token>),
    /// A security descriptor.
    Descriptor(Box<SecurityDescriptor>),
}

/// A completion packet (`OVERLAPPED_ENTRY`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Packet {
    /// `lpCompletionKey`
    pub key: u64,
    /// `lpOverlapped`
    pub source: PacketSource,
    /// `Internal`
    pub status: Status,
    /// `dwNumberOfBytesTransferred`
    pub information: u32,
}

/// Whose packet it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PacketSource {
    /// A request that ended.
    Request(RequestId),
    /// The `lpOverlapped` of `PostQueuedCompletionStatus`.
    Posted(u64),
}

/// The answer of `PeekNamedPipe` and `FSCTL_PIPE_PEEK`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Peek {
    /// The bytes shown, still in the pipe.
    pub data: Data,
    /// `lpTotalBytesAvail`: all unread bytes.
    pub available: u32,
    /// `lpBytesLeftThisMessage`: the rest of the first message behind `data`; on a byte
    /// pipe 0 minus the bytes shown, as an unsigned number (PEEK-11).
    pub left: u32,
}

/// The answer of `GetNamedPipeInfo`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PipeInfo {
    /// Whose handle was asked.
    pub end: End,
    /// The type of the pipe.
    pub pipe_type: PipeType,
    /// `lpOutBufferSize` in bytes, the same for both ends (INFO-60).
    pub out_buffer: u32,
    /// `lpInBufferSize` in bytes.
    pub in_buffer: u32,
    /// `lpMaxInstances`, 255 when unlimited (INFO-61).
    pub max_instances: u32,
}

/// The answer of `GetNamedPipeHandleState`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandleState {
    /// `PIPE_READMODE_MESSAGE` or not.
    pub read_mode: ReadMode,
    /// `PIPE_NOWAIT` or not.
    pub completion_mode: CompletionMode,
    /// `lpCurInstances`, at most 255 (INFO-30).
    pub instances: u32,
    /// `lpMaxCollectionCount`, if asked for.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub collection_count: Option<u32>,
    /// `lpCollectDataTimeout` in milliseconds, if asked for.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub collect_timeout: Option<u32>,
    /// `lpUserName`, if asked for.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub user: Option<String>,
}

/// `FILE_PIPE_LOCAL_INFORMATION`, field by field (INFO-50 to INFO-58).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LocalInfo {
    /// NamedPipeType
    pub pipe_type: PipeType,
    /// NamedPipeConfiguration
    pub configuration: Configuration,
    /// MaximumInstances; `u32::MAX` is unlimited.
    pub maximum_instances: u32,
    /// CurrentInstances
    pub current_instances: u32,
    /// InboundQuota in bytes
    pub inbound_quota: u32,
    /// ReadDataAvailable in bytes
    pub read_data_available: u32,
    /// OutboundQuota in bytes
    pub outbound_quota: u32,
    /// WriteQuotaAvailable in bytes
    pub write_quota_available: u32,
    /// NamedPipeState
    pub state: PipeState,
    /// NamedPipeEnd
    pub end: End,
}
