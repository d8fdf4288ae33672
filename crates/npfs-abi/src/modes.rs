//! Types, modes, states and access of pipes, in Windows' words.

use core::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $value:literal $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name { $($(#[$vdoc])* $variant = $value),+ }

        impl $name {
            /// Every value, in Windows' numeric order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word for it in scenarios and transcripts.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The value with this word.
            pub fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words! {
    /// The type of a pipe (NamedPipeType), fixed by the first instance of its name.
    PipeType {
        /// A stream of bytes; `FILE_PIPE_BYTE_STREAM_TYPE`, `PIPE_TYPE_BYTE`.
        Byte = 0 "byte",
        /// One message a write; `FILE_PIPE_MESSAGE_TYPE`, `PIPE_TYPE_MESSAGE`.
        Message = 1 "message",
    }
}
words! {
    /// How one end reads (ReadMode).
    ReadMode {
        /// `FILE_PIPE_BYTE_STREAM_MODE`, `PIPE_READMODE_BYTE`.
        Byte = 0 "byte",
        /// `FILE_PIPE_MESSAGE_MODE`, `PIPE_READMODE_MESSAGE`.
        Message = 1 "message",
    }
}
words! {
    /// Whether operations of one end may wait (CompletionMode).
    CompletionMode {
        /// `FILE_PIPE_QUEUE_OPERATION`, `PIPE_WAIT`.
        Queue = 0 "wait",
        /// `FILE_PIPE_COMPLETE_OPERATION`, `PIPE_NOWAIT`.
        Complete = 1 "nowait",
    }
}
words! {
    /// The direction of a pipe (NamedPipeConfiguration), fixed by the first instance of its name.
    Configuration {
        /// Client to server; `FILE_PIPE_INBOUND`, `PIPE_ACCESS_INBOUND`.
        Inbound = 0 "inbound",
        /// Server to client; `FILE_PIPE_OUTBOUND`, `PIPE_ACCESS_OUTBOUND`.
        Outbound = 1 "outbound",
        /// Both; `FILE_PIPE_FULL_DUPLEX`, `PIPE_ACCESS_DUPLEX`.
        Duplex = 2 "duplex",
    }
}
words! {
    /// One of the two ends of an instance (NamedPipeEnd).
    End {
        /// `FILE_PIPE_CLIENT_END`.
        Client = 0 "client",
        /// `FILE_PIPE_SERVER_END`.
        Server = 1 "server",
    }
}
words! {
    /// The state of an instance (NamedPipeState).
    PipeState {
        /// `FILE_PIPE_DISCONNECTED_STATE`.
        Disconnected = 1 "disconnected",
        /// `FILE_PIPE_LISTENING_STATE`.
        Listening = 2 "listening",
        /// `FILE_PIPE_CONNECTED_STATE`.
        Connected = 3 "connected",
        /// `FILE_PIPE_CLOSING_STATE`: the other end is closed.
        Closing = 4 "closing",
    }
}

impl End {
    /// The end on the other side.
    #[must_use]
    pub const fn peer(self) -> End {
        match self {
            End::Client => End::Server,
            End::Server => End::Client,
        }
    }
}

/// An access mask, as asked for in an open or as granted to a handle.
///
/// Generic rights are mapped to the `FILE_GENERIC_*` sets by [`Access::mapped`] (SEC-16).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Access(pub u32);

impl Access {
    /// No rights.
    pub const NONE: Access = Access(0);
    /// `FILE_READ_DATA`
    pub const READ_DATA: Access = Access(0x1);
    /// `FILE_WRITE_DATA`
    pub const WRITE_DATA: Access = Access(0x2);
    /// `FILE_APPEND_DATA`; on pipes the same bit is `FILE_CREATE_PIPE_INSTANCE` (CONST-74).
    pub const APPEND_DATA: Access = Access(0x4);
    /// `FILE_READ_EA`
    pub const READ_EA: Access = Access(0x8);
    /// `FILE_WRITE_EA`
    pub const WRITE_EA: Access = Access(0x10);
    /// `FILE_READ_ATTRIBUTES`
    pub const READ_ATTRIBUTES: Access = Access(0x80);
    /// `FILE_WRITE_ATTRIBUTES`
    pub const WRITE_ATTRIBUTES: Access = Access(0x100);
    /// `FILE_LIST_DIRECTORY`, on the root; the same bit as `FILE_READ_DATA`.
    pub const LIST_DIRECTORY: Access = Access(0x1);
    /// `DELETE`
    pub const DELETE: Access = Access(0x1_0000);
    /// `READ_CONTROL`
    pub const READ_CONTROL: Access = Access(0x2_0000);
    /// `WRITE_DAC`
    pub const WRITE_DAC: Access = Access(0x4_0000);
    /// `WRITE_OWNER`
    pub const WRITE_OWNER: Access = Access(0x8_0000);
    /// `SYNCHRONIZE`
    pub const SYNCHRONIZE: Access = Access(0x10_0000);
    /// `ACCESS_SYSTEM_SECURITY`
    pub const ACCESS_SYSTEM_SECURITY: Access = Access(0x0100_0000);
    /// `MAXIMUM_ALLOWED`
    pub const MAXIMUM_ALLOWED: Access = Access(0x0200_0000);
    /// `GENERIC_ALL`
    pub const GENERIC_ALL: Access = Access(0x1000_0000);
    /// `GENERIC_EXECUTE`
    pub const GENERIC_EXECUTE: Access = Access(0x2000_0000);
    /// `GENERIC_READ`
    pub const GENERIC_READ: Access = Access(0x8000_0000);
    /// `GENERIC_WRITE`
    pub const GENERIC_WRITE: Access = Access(0x4000_0000);
    /// `FILE_GENERIC_READ`
    pub const FILE_GENERIC_READ: Access = Access(0x12_0089);
    /// `FILE_GENERIC_WRITE`
    pub const FILE_GENERIC_WRITE: Access = Access(0x12_0116);
    /// `FILE_GENERIC_EXECUTE`
    pub const FILE_GENERIC_EXECUTE: Access = Access(0x12_00A0);
    /// `FILE_ALL_ACCESS`
    pub const FILE_ALL_ACCESS: Access = Access(0x1F_01FF);
    /// `IO_COMPLETION_ALL_ACCESS`
    pub const PORT_ALL_ACCESS: Access = Access(0x1F_0003);
    /// `EVENT_ALL_ACCESS`
    pub const EVENT_ALL_ACCESS: Access = Access(0x1F_0003);

    /// Whether every right of `rights` is here.
    pub const fn has(self, rights: Access) -> bool {
        self.0 & rights.0 == rights.0
    }

    /// The rights of both.
    #[must_use]
    pub const fn with(self, rights: Access) -> Access {
        Access(self.0 | rights.0)
    }

    /// These rights without those of `rights`.
    #[must_use]
    pub const fn without(self, rights: Access) -> Access {
        Access(self.0 & !rights.0)
    }

    /// Generic rights replaced by the file rights they stand for (SEC-16).
    #[must_use]
    pub const fn mapped(self) -> Access {
        let mut mask = self.0 & 0x0FFF_FFFF;
        if self.0 & 0x8000_0000 != 0 {
            mask |= Access::FILE_GENERIC_READ.0;
        }
        if self.0 & 0x4000_0000 != 0 {
            mask |= Access::FILE_GENERIC_WRITE.0;
        }
        if self.0 & 0x2000_0000 != 0 {
            mask |= Access::FILE_GENERIC_EXECUTE.0;
        }
        if self.0 & 0x1000_0000 != 0 {
            mask |= Access::FILE_ALL_ACCESS.0;
        }
        Access(mask)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
