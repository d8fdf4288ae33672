//! Planned misfortune: calls that fail, completions that come late.

use crate::{PipeName, Status, Time};

/// Which calls a fault looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum FaultPoint {
    /// Creations of instances.
    CreatePipe,
    /// Opens of client ends.
    Open,
    /// `ConnectNamedPipe`
    Connect,
    /// `DisconnectNamedPipe`
    Disconnect,
    /// `WaitNamedPipe`
    WaitPipe,
    /// Reads
    Read,
    /// Writes
    Write,
    /// `PeekNamedPipe`
    Peek,
    /// `TransactNamedPipe`
    Transact,
    /// `FlushFileBuffers`
    Flush,
    /// Every query: `GetNamedPipeInfo`, `GetNamedPipeHandleState`, information classes.
    Query,
    /// Every set: `SetNamedPipeHandleState`, information classes.
    Set,
    /// `ImpersonateNamedPipeClient`
    Impersonate,
}

impl FaultPoint {
    /// Every point and its word in scenarios.
    pub const ALL: &'static [(FaultPoint, &'static str)] = &[
        (FaultPoint::CreatePipe, "create_pipe"),
        (FaultPoint::Open, "open"),
        (FaultPoint::Connect, "connect"),
        (FaultPoint::Disconnect, "disconnect"),
        (FaultPoint::WaitPipe, "wait_pipe"),
        (FaultPoint::Read, "read"),
        (FaultPoint::Write, "write"),
        (FaultPoint::Peek, "peek"),
        (FaultPoint::Transact, "transact"),
        (FaultPoint::Flush, "flush"),
        (FaultPoint::Query, "query"),
        (FaultPoint::Set, "set"),
        (FaultPoint::Impersonate, "impersonate"),
    ];
}

/// What happens to the call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum FaultEffect {
    /// It fails at once with this status and does nothing.
    Fail(Status),
    /// If it pends, its end is told this much later than it happens.
    Late(Time),
}

/// One planned misfortune: deterministic, once.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fault {
    /// Calls of which kind.
    pub point: FaultPoint,
    /// Calls on which pipe; `None` for any.
    pub pipe: Option<PipeName>,
    /// The how-manieth of these calls it strikes, from 1.
    pub nth: u32,
    /// How.
    pub effect: FaultEffect,
}
