//! What both ends do for a task: tokio's half of the adapter.
//!
//! Where threads take turns, a poll is one step and takes no turn inside, because the task may hold
//! a lock that the thread whose turn it is waits for (the halves of `tokio::io::split` do). Instead
//! an operation lets others go first by waking its task and waiting once, which a poll may always
//! do. Functions that do not poll take a turn as every call of the simulation does.

use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use npfs_abi::{Data, Handle, ProcessId};
use npfs_host::Host;

use crate::error::Failure;
use crate::io::{Interest, Ready};
use crate::pipe::{Pipe, Progress};
use crate::readiness::Direction;
use crate::sync::Unseen;

/// An end of a pipe, as a task holds it.
#[derive(Debug)]
pub(crate) struct End {
    pipe: Arc<Pipe>,
    /// Operations that have let others go first, by direction.
    yielded: Unseen<[bool; 2]>,
    /// The ideal adapter: the write that the task waits for, and its bytes.
    awaited: Unseen<Option<(u64, Data)>>,
}

impl End {
    pub(crate) fn new(host: &Host, process: ProcessId, handle: Handle, messages: bool) -> End {
        End::of(Pipe::new(host, process, handle, messages))
    }

    fn of(pipe: Arc<Pipe>) -> End {
        End { pipe, yielded: Unseen::default(), awaited: Unseen::default() }
    }

    /// Takes a handle of the calling thread's process.
    pub(crate) fn adopt(host: &Host, process: ProcessId, handle: Handle) -> io::Result<End> {
        host.turn().map_err(Failure::from)?;
        let pipe = host.within_turn(|| Pipe::adopt(host, process, handle))?;
        Ok(End::of(pipe))
    }

    pub(crate) fn handle(&self) -> Handle {
        self.pipe.handle()
    }

    /// A step that is no poll.
    fn step<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let host = self.pipe.host();
        if !host.takes_turns() {
            return work();
        }
        host.turn()?;
        host.within_turn(work)
    }

    /// A step of a poll.
    fn polled<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        work: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let host = self.pipe.host();
        if !host.takes_turns() {
            return work(cx);
        }
        let place = direction as usize;
        if !std::mem::replace(&mut self.yielded.lock()[place], true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let result = host.within_turn(|| work(cx));
        self.yielded.lock()[place] = result.is_pending();
        result
    }

    pub(crate) fn info(&self) -> io::Result<npfs_abi::PipeInfo> {
        Ok(self.step(|| self.pipe.info())?)
    }

    pub(crate) fn disconnect(&self) -> io::Result<()> {
        self.step(|| self.pipe.disconnect())?;
        // A write to this client is none to the next one.
        *self.awaited.lock() = None;
        Ok(())
    }

    /// Cancel safe: the connect goes on inside, and the next one finds it.
    pub(crate) async fn connect(&self) -> io::Result<()> {
        // Part of the step that the poll is.
        let attempt =
            || self.pipe.host().within_turn(|| self.pipe.connect()).map_err(io::Error::from);
        let first = poll_fn(|cx| self.polled(cx, Direction::Write, |_| Poll::Ready(attempt())));
        match first.await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.async_io(Interest::WRITABLE, attempt).await
            }
            result => result,
        }
    }

    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.pipe.readiness.wait(interest).await.ready)
    }

    pub(crate) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<()>> {
        self.pipe.readiness.poll(cx, direction).map(|_| Ok(()))
    }

    pub(crate) fn try_io<R>(
        &self,
        interest: Interest,
        work: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let seen = self.pipe.readiness.now(interest);
        if seen.ready.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = work();
        if would_block(&result) {
            self.pipe.readiness.clear(seen);
        }
        result
    }

    pub(crate) async fn async_io<R>(
        &self,
        interest: Interest,
        mut work: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let seen = self.pipe.readiness.wait(interest).await;
            let result = work();
            if !would_block(&result) {
                return result;
            }
            self.pipe.readiness.clear(seen);
        }
    }

    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.try_read_with(buffer.len(), |data| copy(data, buffer))
    }

    pub(crate) fn try_read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let room = buffers.iter().map(|buffer| buffer.len()).sum();
        self.try_read_with(room, |mut data| {
            let mut taken = 0;
            for buffer in buffers {
                let part = copy(data, buffer);
                data = &data[part..];
                taken += part;
            }
            taken
        })
    }

    pub(crate) fn try_read_with(
        &self,
        room: usize,
        take: impl FnOnce(&[u8]) -> usize,
    ) -> io::Result<usize> {
        self.try_io(Interest::READABLE, || Ok(self.step(|| self.pipe.read(room, take))?))
    }

    pub(crate) fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        self.try_write_with(|| data.into())
    }

    pub(crate) fn try_write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_write_with(|| gather(buffers))
    }

    fn try_write_with(&self, data: impl FnOnce() -> Data) -> io::Result<usize> {
        self.try_io(Interest::WRITABLE, || {
            let (_, length) = self.step(|| self.pipe.write(data))?;
            Ok(length)
        })
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.polled(cx, Direction::Read, |cx| {
            self.when_ready(cx, Direction::Read, || {
                let room = buffer.remaining();
                let read = self.pipe.read(room, |data| {
                    let part = &data[..data.len().min(room)];
                    buffer.put_slice(part);
                    part.len()
                });
                Ok(read.map(|_| ())?)
            })
        })
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, || data.into())
    }

    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, || gather(buffers))
    }

    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        data: impl Fn() -> Data,
    ) -> Poll<io::Result<usize>> {
        self.polled(cx, Direction::Write, |cx| {
            if self.pipe.is_ideal() {
                return self.poll_write_to_its_end(cx, data());
            }
            self.when_ready(cx, Direction::Write, || {
                let (_, length) = self.pipe.write(&data)?;
                Ok(length)
            })
        })
    }

    /// The ideal adapter: a write that is done when the pipe has taken it. One whose future was
    /// dropped goes on: the next one of the same bytes takes it up, so that a write can be tried
    /// again, and one of other bytes comes behind it.
    fn poll_write_to_its_end(&self, cx: &mut Context<'_>, data: Data) -> Poll<io::Result<usize>> {
        let awaited = self.awaited.lock().take();
        let name = match awaited {
            Some((name, of)) if of == data => name,
            _ => {
                let begun = self.when_ready(cx, Direction::Write, || {
                    let (name, _) = self.pipe.write(|| data.clone())?;
                    Ok(name)
                });
                ready!(begun)?
            }
        };
        loop {
            match self.pipe.progress(name) {
                Progress::Written => return Poll::Ready(Ok(data.len())),
                Progress::Failed(failure) => return Poll::Ready(Err(failure.into())),
                Progress::Going => {}
            }
            // What was seen before this write says nothing of its end.
            let seen = self.pipe.readiness.now(Interest::WRITABLE);
            self.pipe.readiness.clear(seen);
            if self.pipe.progress(name) == Progress::Going
                && self.pipe.readiness.poll(cx, Direction::Write).is_pending()
            {
                *self.awaited.lock() = Some((name, data));
                return Poll::Pending;
            }
        }
    }

    fn when_ready<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut work: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let seen = ready!(self.pipe.readiness.poll(cx, direction));
            let result = work();
            if !would_block(&result) {
                return Poll::Ready(result);
            }
            self.pipe.readiness.clear(seen);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // A simulation that has stopped lets nothing go.
        let _ = self.step(|| {
            self.pipe.close();
            Ok(())
        });
    }
}

fn would_block<T>(result: &io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

fn copy(data: &[u8], buffer: &mut [u8]) -> usize {
    let part = data.len().min(buffer.len());
    buffer[..part].copy_from_slice(&data[..part]);
    part
}

fn gather(buffers: &[IoSlice<'_>]) -> Data {
    buffers.iter().flat_map(|buffer| buffer.iter().copied()).collect::<Vec<u8>>().into()
}
