//! The server end.

use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use npfs_win32::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, RawHandle};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{PipeInfo, both_ends};
use crate::end::End;
use crate::io::{Interest, Ready};
use crate::readiness::Direction;

/// `tokio::net::windows::named_pipe::NamedPipeServer`: one instance of a pipe, made with
/// [`ServerOptions`](super::ServerOptions).
///
/// Whoever serves many clients creates the next instance before it lets go of the one that was
/// connected; else there may be a moment without any, in which clients find no pipe.
#[derive(Debug)]
pub struct NamedPipeServer {
    pub(super) end: End,
}

both_ends!(NamedPipeServer);

impl NamedPipeServer {
    /// Waits for a client (`ConnectNamedPipe`). One that is there already counts, and with the
    /// real adapter also one that came and is gone.
    ///
    /// Cancel safe: the instance goes on listening, and the next connect finds the client.
    ///
    /// # Errors
    /// 1 at a client end; with the ideal adapter 232 when the client is gone.
    pub async fn connect(&self) -> io::Result<()> {
        self.end.connect().await
    }

    /// Casts the client off (`DisconnectNamedPipe`). What it has not read is lost.
    ///
    /// # Errors
    /// 233 when it is disconnected already.
    pub fn disconnect(&self) -> io::Result<()> {
        self.end.disconnect()
    }
}
