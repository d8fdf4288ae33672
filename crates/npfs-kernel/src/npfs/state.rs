//! The table of instance states: what each end may do in each state (STATE-20 to STATE-32).
//!
//! Every cell is written; there is no catch-all. `docs/states.md` is this table, printed.

use npfs_abi::{End, PipeState, Status};

/// What an end can be asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// `PeekNamedPipe` (STATE-20)
    Peek,
    /// `TransactNamedPipe` (STATE-21)
    Transact,
    /// `FlushFileBuffers` (STATE-22)
    Flush,
    /// `ReadFile`, `ReadFileEx` (STATE-23, STATE-24)
    Read,
    /// `WriteFile`, `WriteFileEx` (STATE-25)
    Write,
    /// `ConnectNamedPipe` (STATE-26)
    Listen,
    /// `DisconnectNamedPipe` (STATE-27)
    Disconnect,
    /// Information queries and mode changes (STATE-28)
    Query,
    /// Queries and changes of the security descriptor (STATE-29)
    Security,
    /// `ImpersonateNamedPipeClient` (STATE-31)
    Impersonate,
}

impl Operation {
    /// Every operation, in the order of the table.
    pub const ALL: [Operation; 10] = [
        Operation::Peek,
        Operation::Transact,
        Operation::Flush,
        Operation::Read,
        Operation::Write,
        Operation::Listen,
        Operation::Disconnect,
        Operation::Query,
        Operation::Security,
        Operation::Impersonate,
    ];
}

/// What the state says to an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Go on.
    Go,
    /// Go on while unread data is left, else fail with this status.
    Drain(Status),
    /// Succeed at once and do nothing.
    Idle,
    /// Fail.
    Fail(Status),
}

/// The rule for `operation` by `end` of an instance in `state`. A client in the state
/// disconnected is one that its server cast off; it never sees listening.
pub const fn rule(operation: Operation, end: End, state: PipeState) -> Rule {
    use End::{Client, Server};
    use Operation as Op;
    use PipeState::{Closing, Connected, Disconnected, Listening};
    use Rule::{Drain, Fail, Go, Idle};
    use Status as S;

    match (operation, end, state) {
        (Op::Peek, Server, Disconnected) => Fail(S::INVALID_PIPE_STATE),
        (Op::Peek, Server, Listening) => Fail(S::INVALID_PIPE_STATE),
        (Op::Peek, Client, Disconnected | Listening) => Fail(S::PIPE_DISCONNECTED),
        (Op::Peek, Server | Client, Connected) => Go,
        (Op::Peek, Server | Client, Closing) => Drain(S::PIPE_BROKEN),

        (Op::Transact, Server, Disconnected) => Fail(S::INVALID_PIPE_STATE),
        (Op::Transact, Server, Listening) => Fail(S::INVALID_PIPE_STATE),
        (Op::Transact, Client, Disconnected | Listening) => Fail(S::PIPE_DISCONNECTED),
        (Op::Transact, Server | Client, Connected) => Go,
        (Op::Transact, Server | Client, Closing) => Fail(S::INVALID_PIPE_STATE),

        (Op::Flush, Server, Disconnected) => Idle,
        (Op::Flush, Server, Listening) => Idle,
        (Op::Flush, Client, Disconnected | Listening) => Fail(S::PIPE_DISCONNECTED),
        (Op::Flush, Server | Client, Connected) => Go,
        (Op::Flush, Server | Client, Closing) => Idle,

        (Op::Read, Server, Disconnected) => Fail(S::PIPE_DISCONNECTED),
        (Op::Read, Server, Listening) => Fail(S::PIPE_LISTENING),
        (Op::Read, Client, Disconnected | Listening) => Fail(S::PIPE_DISCONNECTED),
        (Op::Read, Server | Client, Connected) => Go,
        (Op::Read, Server | Client, Closing) => Drain(S::PIPE_BROKEN),

        (Op::Write, Server, Disconnected) => Fail(S::PIPE_DISCONNECTED),
        (Op::Write, Server, Listening) => Fail(S::PIPE_LISTENING),
        (Op::Write, Client, Disconnected | Listening) => Fail(S::PIPE_DISCONNECTED),
        (Op::Write, Server | Client, Connected) => Go,
        (Op::Write, Server | Client, Closing) => Fail(S::PIPE_CLOSING),

        (Op::Listen, Server, Disconnected) => Go,
        (Op::Listen, Server, Listening) => Go,
        (Op::Listen, Server, Connected) => Fail(S::PIPE_CONNECTED),
        (Op::Listen, Server, Closing) => Fail(S::PIPE_CLOSING),
        (Op::Listen, Client, Disconnected | Listening | Connected | Closing) => {
            Fail(S::ILLEGAL_FUNCTION)
        }

        (Op::Disconnect, Server, Disconnected) => Fail(S::PIPE_DISCONNECTED),
        // OQ-01: as ReactOS; Wine refuses with PIPE_LISTENING.
        (Op::Disconnect, Server, Listening) => Go,
        (Op::Disconnect, Server, Connected) => Go,
        (Op::Disconnect, Server, Closing) => Go,
        (Op::Disconnect, Client, Disconnected | Listening) => Fail(S::PIPE_DISCONNECTED),
        (Op::Disconnect, Client, Connected | Closing) => Fail(S::ILLEGAL_FUNCTION),

        (Op::Query, Server, Disconnected | Listening | Connected | Closing) => Go,
        (Op::Query, Client, Disconnected | Listening) => Fail(S::PIPE_DISCONNECTED),
        (Op::Query, Client, Connected | Closing) => Go,

        (Op::Security, Server, Disconnected | Listening | Connected | Closing) => Go,
        (Op::Security, Client, Disconnected | Listening) => Fail(S::PIPE_DISCONNECTED),
        (Op::Security, Client, Connected | Closing) => Go,

        (Op::Impersonate, Server, Disconnected | Listening) => Fail(S::CANNOT_IMPERSONATE),
        (Op::Impersonate, Server, Connected | Closing) => Go,
        (Op::Impersonate, Client, Disconnected | Listening | Connected | Closing) => {
            Fail(S::ILLEGAL_FUNCTION)
        }
    }
}
