//! The client end.

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

/// `tokio::net::windows::named_pipe::NamedPipeClient`: opened with
/// [`ClientOptions`](super::ClientOptions).
#[derive(Debug)]
pub struct NamedPipeClient {
    pub(super) end: End,
}

both_ends!(NamedPipeClient);
