//! One direction of a connection: data that waits for readers, or readers that wait for data.
//!
//! Promises: order is kept; bytes in = bytes out + queued + discarded; message borders are
//! kept; the quota is counted here and nowhere else. The algorithm is QUOTA-30 to QUOTA-36.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use npfs_abi::{Data, PipeType, Profile, ReadMode, Status, Switch, Token};

use crate::request::{Manner, Request, Settled};

/// One direction of a connection.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Queue {
    quota: u32,
    /// What entries and readers are charged with, never more than `quota`.
    used: u32,
    /// Pending reads, oldest first. Never together with entries.
    readers: VecDeque<Reader>,
    /// Data and flush marks, oldest first. The first one is data.
    entries: VecDeque<Entry>,
    /// As whom the data was written that was read last (IMP-04).
    context: Option<Arc<Token>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Reader {
    request: Request,
    length: u32,
    mode: ReadMode,
    charge: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Entry {
    Write {
        /// What is still unread of it.
        rest: Data,
        /// How long the write was.
        length: u32,
        /// How much of `rest` the quota holds.
        charge: u32,
        /// As whom it was written; only towards the server.
        context: Option<Arc<Token>>,
        /// The write that is not accepted yet: stalled until `charge` reaches `rest`.
        writer: Option<Request>,
    },
    /// Settled when everything in front of it is gone (FLUSH-05).
    Flush(Request),
}

/// How a write goes about space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Writing {
    /// It waits until its bytes are accepted.
    Wait,
    /// It never waits: `PIPE_NOWAIT` on the writing end.
    NoWait,
    /// The request part of a transact: never waits and is not charged (QUOTA-14).
    Transact,
}

/// Where a write comes from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) writing: Writing,
    pub(crate) request: Request,
    /// As whom it is written, if anybody will ask.
    pub(crate) context: Option<Arc<Token>>,
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Write {
    /// Accepted, with this byte count.
    Done(u32),
    /// It stands in the queue and waits for space.
    Stalled,
}

/// What became of a read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Read {
    /// Data, or the notice that more is left.
    Done(Status, Data),
    /// Nothing is there.
    Empty,
}

impl Queue {
    pub(crate) fn new(quota: u32) -> Queue {
        Queue { quota, used: 0, readers: VecDeque::new(), entries: VecDeque::new(), context: None }
    }

    fn free(&self) -> u32 {
        self.quota - self.used
    }

    /// `WriteQuotaAvailable` of the writing end: pending reads count too (QUOTA-10).
    pub(crate) fn available_quota(&self) -> u32 {
        self.free()
    }

    pub(crate) fn quota(&self) -> u32 {
        self.quota
    }

    /// All unread bytes, stalled writes included (QUOTA-09).
    pub(crate) fn unread(&self) -> u32 {
        let unread: u64 = self.data().map(|rest| u64::from(rest.size())).sum();
        u32::try_from(unread).unwrap_or(u32::MAX)
    }

    fn data(&self) -> impl Iterator<Item = &Data> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Write { rest, .. } => Some(rest),
            Entry::Flush(_) => None,
        })
    }

    /// Whether nothing is unread, empty messages included.
    pub(crate) fn no_data(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many writes are unread, empty messages included (PEEK-19).
    pub(crate) fn messages(&self) -> u32 {
        u32::try_from(self.data().count()).unwrap_or(u32::MAX)
    }

    pub(crate) fn no_readers(&self) -> bool {
        self.readers.is_empty()
    }

    /// The rest of the first message.
    pub(crate) fn first(&self) -> u32 {
        self.data().next().map_or(0, Data::size)
    }

    /// A write of `data` by `request`.
    pub(crate) fn write(
        &mut self,
        pipe_type: PipeType,
        data: Data,
        source: Source,
        profile: Profile,
        settled: &mut Vec<Settled>,
    ) -> Write {
        let Source { writing, request, context } = source;
        let length = data.size();
        if length == 0 && pipe_type == PipeType::Byte {
            if profile.has(Switch::ZeroWriteWakesSyncRead) {
                self.end_first_sync_read(settled);
            }
            return Write::Done(0); // WRITE-07
        }
        if writing == Writing::NoWait && length > 0 {
            // WRITE-36: whether it fits is decided before anything moves.
            let (wanted, free) = if self.readers.is_empty() {
                (0, self.free())
            } else {
                (self.readers.iter().map(|reader| u64::from(reader.length)).sum(), self.quota)
            };
            if u64::from(length).saturating_sub(wanted) > u64::from(free) {
                return match pipe_type {
                    PipeType::Message => Write::Done(0),
                    PipeType::Byte => {
                        let room = if profile.has(Switch::NowaitWritesPart) { free } else { 0 };
                        let taken = (wanted as u32).saturating_add(room).min(length);
                        let rest = self.absorb(data.part(0..taken), context.as_ref(), settled);
                        self.append(&rest, taken, context);
                        Write::Done(taken)
                    }
                };
            }
        }
        if self.has_room(length) && writing != Writing::Transact {
            self.append(&data, length, context);
            if profile.has(Switch::FlushWaitsForLaterWrites) {
                self.flushes_last();
            }
            return Write::Done(length);
        }
        let empty_message = length == 0;
        if empty_message {
            if let Some(reader) = self.readers.pop_front() {
                self.used -= reader.charge;
                settled.push(Settled::empty(reader.request, Status::SUCCESS)); // READ-22
                self.context = context;
                return Write::Done(0);
            }
        }
        let rest = self.absorb(data, context.as_ref(), settled);
        if rest.size() == 0 && !empty_message {
            return Write::Done(length);
        }
        let charge = match writing {
            Writing::Transact => 0,
            Writing::Wait | Writing::NoWait => rest.size().min(self.free()),
        };
        self.used += charge;
        let stalled = writing == Writing::Wait && charge < rest.size();
        let writer = stalled.then_some(request);
        self.entries.push_back(Entry::Write { rest, length, charge, context, writer });
        if profile.has(Switch::FlushWaitsForLaterWrites) {
            self.flushes_last();
        }
        if stalled { Write::Stalled } else { Write::Done(length) }
    }

    /// Whether a write of `length` bytes, more than none, is accepted whole and given to no
    /// read.
    pub(crate) fn has_room(&self, length: u32) -> bool {
        self.readers.is_empty() && length > 0 && length <= self.free()
    }

    /// Queues what there is room for; nothing if nothing is left.
    #[inline(always)]
    pub(crate) fn append(&mut self, rest: &Data, length: u32, context: Option<Arc<Token>>) {
        let charge = rest.size();
        if charge > 0 {
            self.used += charge;
            let rest = rest.clone();
            self.entries.push_back(Entry::Write { rest, length, charge, context, writer: None });
        }
    }

    /// Flush marks move behind all data.
    fn flushes_last(&mut self) {
        let (marks, data): (Vec<Entry>, Vec<Entry>) =
            self.entries.drain(..).partition(|entry| matches!(entry, Entry::Flush(_)));
        self.entries.extend(data.into_iter().chain(marks));
    }

    fn end_first_sync_read(&mut self, settled: &mut Vec<Settled>) {
        if self.readers.front().is_some_and(|reader| reader.request.manner == Manner::Locked) {
            if let Some(reader) = self.readers.pop_front() {
                self.used -= reader.charge;
                settled.push(Settled::empty(reader.request, Status::SUCCESS));
            }
        }
    }

    /// Gives data to pending reads, oldest first; what no read takes comes back (QUOTA-30).
    fn absorb(
        &mut self,
        data: Data,
        context: Option<&Arc<Token>>,
        settled: &mut Vec<Settled>,
    ) -> Data {
        if !self.readers.is_empty() && !data.is_empty() {
            self.context = context.cloned(); // IMP-15
        }
        let mut rest = data;
        while rest.size() > 0 {
            let Some(reader) = self.readers.pop_front() else { break };
            self.used -= reader.charge;
            let taken = reader.length.min(rest.size());
            let more = taken < rest.size() && reader.mode == ReadMode::Message;
            let left = rest.part(taken..u32::MAX);
            let data = if left.is_empty() { rest } else { rest.part(0..taken) };
            settled.push(Settled {
                request: reader.request,
                status: if more { Status::BUFFER_OVERFLOW } else { Status::SUCCESS },
                information: taken,
                data,
            });
            rest = left;
        }
        rest
    }

    /// Whether a read of `length` bytes takes all that is there, as it was written, and nobody
    /// waits for that.
    pub(crate) fn is_whole_in(&self, length: u32) -> bool {
        let Some(Entry::Write { rest, writer: None, .. }) = self.entries.front() else {
            return false;
        };
        self.entries.len() == 1 && rest.size() > 0 && rest.size() <= length
    }

    /// Takes the first entry whole, a write that was accepted.
    #[inline(always)]
    pub(crate) fn take_first(&mut self) -> Data {
        let Some(Entry::Write { rest, charge, context, .. }) = self.entries.front_mut() else {
            unreachable!("the first entry is data")
        };
        self.used -= *charge;
        if context.is_some() {
            self.context = context.take(); // IMP-08
        }
        let data = core::mem::take(rest);
        self.entries.pop_front();
        data
    }

    /// A read of up to `length` bytes (QUOTA-32).
    pub(crate) fn read(
        &mut self,
        length: u32,
        mode: ReadMode,
        profile: Profile,
        settled: &mut Vec<Settled>,
    ) -> Read {
        if self.entries.is_empty() {
            return Read::Empty;
        }
        if self.is_whole_in(length) {
            return Read::Done(Status::SUCCESS, self.take_first());
        }
        if length == 0 {
            // READ-23; an empty message at the head is kept (OQ-05).
            if self.first() == 0 && profile.has(Switch::ZeroReadTakesEmptyMessage) {
                self.entries.pop_front();
                self.settle_flushes(settled);
                return Read::Done(Status::SUCCESS, Data::EMPTY);
            }
            let more = mode == ReadMode::Message
                && self.first() > 0
                && !profile.has(Switch::ZeroReadSucceeds);
            let status = if more { Status::BUFFER_OVERFLOW } else { Status::SUCCESS };
            return Read::Done(status, Data::EMPTY);
        }
        let wanted = length;
        let mut room = length;
        let mut got = Data::EMPTY;
        let mut joined: Vec<u8> = Vec::new();
        let mut more = false;
        let mut current = None;
        while room > 0 {
            let Some(Entry::Write { rest, length, charge, context, writer }) =
                self.entries.front_mut()
            else {
                break;
            };
            if rest.is_empty() && room < wanted && profile.has(Switch::TrailingEmptyMessageStays) {
                break;
            }
            let taken = room.min(rest.size());
            let whole = taken == rest.size();
            let piece = if whole { core::mem::take(rest) } else { rest.part(0..taken) };
            if !whole {
                *rest = rest.part(taken..u32::MAX);
            }
            let released = taken.min(*charge);
            *charge -= released;
            self.used -= released;
            room -= taken;
            let exhausted = rest.size() == 0;
            if exhausted {
                current = context.take().or(current); // IMP-08
            } else if context.is_some() {
                current.clone_from(context);
            }
            more = !exhausted;
            if exhausted {
                if let Some(request) = writer.take() {
                    settled.push(Settled {
                        request,
                        status: Status::SUCCESS,
                        information: *length,
                        data: Data::EMPTY,
                    });
                }
                self.entries.pop_front();
                self.settle_flushes(settled);
            }
            if got.is_empty() && joined.is_empty() {
                got = piece;
            } else {
                if joined.is_empty() {
                    joined.extend_from_slice(&got);
                }
                joined.extend_from_slice(&piece);
            }
            if mode == ReadMode::Message {
                break;
            }
        }
        if current.is_some() {
            self.context = current;
        }
        self.accept_stalled(settled);
        let data = if joined.is_empty() { got } else { Data::from(joined) };
        let overflow = mode == ReadMode::Message && more;
        Read::Done(if overflow { Status::BUFFER_OVERFLOW } else { Status::SUCCESS }, data)
    }

    /// Hands freed quota to stalled writes in order (QUOTA-33).
    fn accept_stalled(&mut self, settled: &mut Vec<Settled>) {
        for entry in &mut self.entries {
            let Entry::Write { rest, length, charge, writer, .. } = entry else { continue };
            if writer.is_none() {
                continue;
            }
            let given = (rest.size() - *charge).min(self.quota - self.used);
            *charge += given;
            self.used += given;
            if *charge < rest.size() {
                break; // WRITE-10: nobody overtakes.
            }
            if let Some(request) = writer.take() {
                settled.push(Settled {
                    request,
                    status: Status::SUCCESS,
                    information: *length,
                    data: Data::EMPTY,
                });
            }
        }
    }

    /// Flush marks that have come to the front are done.
    fn settle_flushes(&mut self, settled: &mut Vec<Settled>) {
        while let Some(Entry::Flush(request)) = self.entries.front() {
            settled.push(Settled::empty(*request, Status::SUCCESS));
            self.entries.pop_front();
        }
    }

    /// A read found nothing and waits (QUOTA-34).
    pub(crate) fn pend_read(&mut self, request: Request, length: u32, mode: ReadMode) {
        let charge = length.min(self.free());
        self.used += charge;
        self.readers.push_back(Reader { request, length, mode, charge });
    }

    /// A flush found data and waits behind it.
    pub(crate) fn pend_flush(&mut self, request: Request) {
        self.entries.push_back(Entry::Flush(request));
    }

    /// As whom the data was written that was read last.
    pub(crate) fn context(&self) -> Option<&Arc<Token>> {
        self.context.as_ref()
    }

    pub(crate) fn drop_context(&mut self) {
        self.context = None;
    }

    /// A peek showed the first entry, which makes its writer the current one (PEEK-22).
    pub(crate) fn show_context(&mut self) {
        if let Some(Entry::Write { context: Some(context), .. }) = self.entries.front() {
            self.context = Some(context.clone());
        }
    }

    /// What a peek shows: of the first message, or across all data (PEEK-07).
    pub(crate) fn peek(&self, pipe_type: PipeType, length: u32) -> Data {
        let Some(first) = self.data().next() else { return Data::EMPTY };
        if pipe_type == PipeType::Message || length <= first.size() {
            return first.part(0..length);
        }
        let mut shown: Vec<u8> = Vec::new();
        for rest in self.data() {
            let room = (length as usize) - shown.len();
            shown.extend_from_slice(&rest[..rest.len().min(room)]);
        }
        Data::from(shown)
    }

    /// Ends every request that `which` names; the data of a write goes with it (WRITE-16, -17).
    pub(crate) fn cancel(
        &mut self,
        which: &mut dyn FnMut(&Request) -> bool,
        status: Status,
        profile: Profile,
        settled: &mut Vec<Settled>,
    ) {
        let used = &mut self.used;
        self.readers.retain(|reader| {
            let ends = which(&reader.request);
            if ends {
                *used -= reader.charge;
                settled.push(Settled::empty(reader.request, status));
            }
            !ends
        });
        self.entries.retain(|entry| match entry {
            Entry::Write { writer: Some(request), rest, length, charge, .. } if which(request) => {
                *used -= *charge;
                let read = length - rest.size();
                let information = // OQ-07
                    if profile.has(Switch::CancelledWriteCounts) { read } else { 0 };
                let data = Data::EMPTY;
                settled.push(Settled { request: *request, status, information, data });
                false
            }
            Entry::Flush(request) if which(request) => {
                settled.push(Settled::empty(*request, status));
                false
            }
            Entry::Write { .. } | Entry::Flush(_) => true,
        });
        self.settle_flushes(settled);
        self.accept_stalled(settled);
    }

    /// Ends pending reads only: their data will not come.
    pub(crate) fn end_readers(&mut self, status: Status, settled: &mut Vec<Settled>) {
        for reader in self.readers.drain(..) {
            self.used -= reader.charge;
            settled.push(Settled::empty(reader.request, status));
        }
    }

    /// Throws everything away; every request in it ends with `status`.
    pub(crate) fn discard(&mut self, status: Status, settled: &mut Vec<Settled>) {
        self.end_readers(status, settled);
        for entry in self.entries.drain(..) {
            match entry {
                Entry::Write { writer: Some(request), .. } | Entry::Flush(request) => {
                    settled.push(Settled::empty(request, status));
                }
                Entry::Write { writer: None, .. } => {}
            }
        }
        self.used = 0;
    }

    /// Every request in the queue with what it does.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (&Request, &'static str)> {
        let readers = self.readers.iter().map(|reader| (&reader.request, "read"));
        readers.chain(self.entries.iter().filter_map(|entry| match entry {
            Entry::Write { writer: Some(request), .. } => Some((request, "write")),
            Entry::Flush(request) => Some((request, "flush")),
            Entry::Write { writer: None, .. } => None,
        }))
    }

    /// One line for the state dump.
    pub(crate) fn describe(&self) -> alloc::string::String {
        use core::fmt::Write;
        let mut line = alloc::format!("{}/{} charged", self.used, self.quota);
        for reader in &self.readers {
            let _ = write!(line, "; read of {} by {} waits", reader.length, reader.request.id);
        }
        for entry in &self.entries {
            let _ = match entry {
                Entry::Write { rest, writer: None, .. } => write!(line, "; {rest}"),
                Entry::Write { rest, charge, writer: Some(request), .. } => {
                    write!(line, "; {rest} stalled, {charge} accepted, by {}", request.id)
                }
                Entry::Flush(request) => write!(line, "; flush by {}", request.id),
            };
        }
        line
    }

    /// The promises of this module.
    pub(crate) fn check(&self) {
        assert!(
            self.readers.is_empty() || self.entries.is_empty(),
            "readers wait although data is there"
        );
        let mut charged = 0_u64;
        for reader in &self.readers {
            assert!(reader.charge <= reader.length);
            charged += u64::from(reader.charge);
        }
        for entry in &self.entries {
            if let Entry::Write { rest, charge, writer, .. } = entry {
                assert!(*charge <= rest.size());
                assert!(
                    writer.is_none() || *charge < rest.size(),
                    "an accepted write is still stalled"
                );
                charged += u64::from(*charge);
            }
        }
        assert!(
            !matches!(self.entries.front(), Some(Entry::Flush(_))),
            "a flush waits for nothing"
        );
        assert_eq!(charged, u64::from(self.used), "the quota is counted right");
        assert!(self.used <= self.quota);
    }
}
