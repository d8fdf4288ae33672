//! `tokio::net::windows::named_pipe`: the same types, methods, traits and defaults.
//!
//! Errors: `raw_os_error` is the Win32 code for 231 (`ERROR_PIPE_BUSY`), 232 (`ERROR_NO_DATA`), 233
//! (`ERROR_PIPE_NOT_CONNECTED`) and 234 (`ERROR_MORE_DATA`); every other failure has the
//! [`kind`](std::io::Error::kind) that Windows gives, `NotFound` for 2 and `PermissionDenied` for 5
//! above all. [`win32_code`](crate::win32_code) and [`win32_kind`](crate::win32_kind) tell both of
//! any error on every platform.
//!
//! A pipe belongs to the simulation and process that its thread is inside of when it is created,
//! opened or adopted ([`npfs_win32::simulation`]), and stays there wherever its task goes.

mod client;
mod options;
mod server;

pub use client::NamedPipeClient;
pub use options::{ClientOptions, ServerOptions};
pub use server::NamedPipeServer;

/// What a pipe carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum PipeMode {
    /// Bytes, without borders (`PIPE_TYPE_BYTE`).
    Byte,
    /// Messages: what one write wrote (`PIPE_TYPE_MESSAGE`). A message that is longer than the
    /// buffer comes in parts.
    Message,
}

/// Which end a handle is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum PipeEnd {
    /// That of `CreateFile`.
    Client,
    /// That of `CreateNamedPipe` (`PIPE_SERVER_END`).
    Server,
}

/// What `GetNamedPipeInfo` tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PipeInfo {
    /// What the pipe carries.
    pub mode: PipeMode,
    /// Which end was asked.
    pub end: PipeEnd,
    /// At most so many instances; 255 is any number.
    pub max_instances: u32,
    /// The quota from server to client, in bytes.
    pub out_buffer_size: u32,
    /// The quota from client to server, in bytes.
    pub in_buffer_size: u32,
}

impl From<npfs_abi::PipeInfo> for PipeInfo {
    fn from(info: npfs_abi::PipeInfo) -> PipeInfo {
        PipeInfo {
            mode: match info.pipe_type {
                npfs_abi::PipeType::Byte => PipeMode::Byte,
                npfs_abi::PipeType::Message => PipeMode::Message,
            },
            end: match info.end {
                npfs_abi::End::Client => PipeEnd::Client,
                npfs_abi::End::Server => PipeEnd::Server,
            },
            max_instances: info.max_instances,
            out_buffer_size: info.out_buffer,
            in_buffer_size: info.in_buffer,
        }
    }
}

/// What both ends have, as methods and traits of one of them.
macro_rules! both_ends {
    ($name:ident) => {
        impl $name {
            /// Takes a handle of the calling thread's process.
            ///
            /// # Errors
            /// 6 when there is no such handle, 87 when it was not opened for overlapped operations.
            ///
            /// # Safety
            /// The handle is an end of a pipe, and nobody else closes it.
            pub unsafe fn from_raw_handle(handle: RawHandle) -> io::Result<Self> {
                let (host, process) = npfs_win32::simulation::current();
                let handle = npfs_abi::Handle(u32::try_from(handle.addr()).unwrap_or(0));
                Ok(Self { end: End::adopt(&host, process, handle)? })
            }

            /// `GetNamedPipeInfo`
            ///
            /// # Errors
            /// 233 at a client that was cast off.
            pub fn info(&self) -> io::Result<PipeInfo> {
                Ok(self.end.info()?.into())
            }

            /// Waits until the pipe is ready for any of `interest`. It may be ready for nothing
            /// after all, when another task was faster.
            ///
            /// Cancel safe.
            ///
            /// # Errors
            /// None.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                self.end.ready(interest).await
            }

            /// Waits until there is something to read, or nothing will ever come. Cancel safe.
            ///
            /// # Errors
            /// None.
            pub async fn readable(&self) -> io::Result<()> {
                self.ready(Interest::READABLE).await.map(|_| ())
            }

            /// As [`Self::readable`], for the task that polled last.
            ///
            /// # Errors
            /// None.
            pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.end.poll_ready(cx, Direction::Read)
            }

            /// Reads what is there. `Ok(0)` says that the other end has closed and nothing is left,
            /// or that a message without bytes came.
            ///
            /// # Errors
            /// `WouldBlock` while nothing is there; 233 after a disconnect; `PermissionDenied` when
            /// this end must not read.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.end.try_read(buf)
            }

            /// As [`Self::try_read`], into several buffers in turn.
            ///
            /// # Errors
            /// As [`Self::try_read`].
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.end.try_read_vectored(bufs)
            }

            /// As [`Self::try_read`], behind what the buffer holds.
            ///
            /// # Errors
            /// As [`Self::try_read`].
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                let room = buf.chunk_mut().len();
                self.end.try_read_with(room, |data| {
                    let part = &data[..data.len().min(room)];
                    buf.put_slice(part);
                    part.len()
                })
            }

            /// Waits until a write would be taken. Cancel safe.
            ///
            /// # Errors
            /// None.
            pub async fn writable(&self) -> io::Result<()> {
                self.ready(Interest::WRITABLE).await.map(|_| ())
            }

            /// As [`Self::writable`], for the task that polled last.
            ///
            /// # Errors
            /// None.
            pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.end.poll_ready(cx, Direction::Write)
            }

            /// Writes all of `buf`, as one message on a message pipe. `Ok` says that the write was
            /// begun; whether it fails then, the next one tells.
            ///
            /// # Errors
            /// `WouldBlock` while a write goes on; 232 when the other end has closed; 233 after a
            /// disconnect; `PermissionDenied` when this end must not write.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                self.end.try_write(buf)
            }

            /// As [`Self::try_write`], of several buffers as one write.
            ///
            /// # Errors
            /// As [`Self::try_write`].
            pub fn try_write_vectored(&self, buf: &[IoSlice<'_>]) -> io::Result<usize> {
                self.end.try_write_vectored(buf)
            }

            /// Runs `f` if the pipe is ready for `interest`, which must be a single one; if `f`
            /// gives `WouldBlock`, it is not ready any more.
            ///
            /// # Errors
            /// `WouldBlock`, and those of `f`.
            pub fn try_io<R>(
                &self,
                interest: Interest,
                f: impl FnOnce() -> io::Result<R>,
            ) -> io::Result<R> {
                self.end.try_io(interest, f)
            }

            /// Runs `f` whenever the pipe is ready for `interest`, until it gives something else
            /// than `WouldBlock`.
            ///
            /// # Errors
            /// Those of `f`.
            pub async fn async_io<R>(
                &self,
                interest: Interest,
                f: impl FnMut() -> io::Result<R>,
            ) -> io::Result<R> {
                self.end.async_io(interest, f).await
            }
        }

        impl AsyncRead for $name {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.end.poll_read(cx, buf)
            }
        }

        impl AsyncWrite for $name {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.end.poll_write(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.end.poll_write_vectored(cx, bufs)
            }

            // tokio does not say that it is vectored, though it is.
            fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_flush(cx)
            }
        }

        impl AsRawHandle for $name {
            fn as_raw_handle(&self) -> RawHandle {
                core::ptr::without_provenance_mut(self.end.handle().0 as usize)
            }
        }

        impl AsHandle for $name {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                // SAFETY: the handle is open as long as this end is.
                unsafe { BorrowedHandle::borrow_raw(self.as_raw_handle()) }
            }
        }
    };
}
pub(crate) use both_ends;
