//! Bytes on their way: what each thread has put into each direction of each pipe, and taken out.

use npfs_abi::{Call, End, Handle, Reply, ThreadId};
use npfs_kernel::Kernel;

/// A direction of a pipe: the pipe's place, and whether data goes to the server. Pipes that have
/// the same place one after the other count as one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Flow {
    pipe: u32,
    to_server: bool,
}

/// What a call moves when it succeeds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Moves {
    #[default]
    Nothing,
    In(Flow),
    Out(Flow),
    /// A transact writes this many bytes and reads the rest against the flow.
    Both(Flow, u32),
    /// A flush waits until this flow is empty.
    Flush(Flow),
}

impl Moves {
    /// What a call that is about to be made would move.
    pub(crate) fn of(kernel: &Kernel, thread: ThreadId, call: &Call) -> Moves {
        let flow = |handle: Handle, reads: bool| {
            let (pipe, end) = kernel.pipe_end(thread, handle)?;
            Some(Flow { pipe, to_server: (end == End::Server) == reads })
        };
        let moves = match call {
            Call::ReadFile { file, .. } => flow(*file, true).map(Moves::Out),
            Call::WriteFile { file, .. } => flow(*file, false).map(Moves::In),
            Call::TransactNamedPipe { pipe, data, .. } => {
                flow(*pipe, false).map(|flow| Moves::Both(flow, data.size()))
            }
            Call::FlushFileBuffers { file } => flow(*file, false).map(Moves::Flush),
            _ => None,
        };
        moves.unwrap_or_default()
    }
}

/// What one thread has moved.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Ledger(Vec<Entry>);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Entry {
    flow: Flow,
    /// Bytes that its writes have put in, and that its reads have taken out.
    written: u64,
    taken: u64,
    /// Bytes that were lost, and a failing flush has told it.
    told: u64,
}

impl Ledger {
    /// A call has ended with `reply`. `outstanding` are the bytes on the way in its flow.
    pub(crate) fn note(&mut self, moves: Moves, reply: &Reply, outstanding: u64) {
        let bytes = u64::from(reply.information);
        let failed = reply.status.is_error();
        match moves {
            Moves::Nothing => {}
            Moves::In(flow) => self.entry(flow).written += bytes,
            Moves::Out(flow) => self.entry(flow).taken += bytes,
            Moves::Both(..) | Moves::Flush(_) if failed == matches!(moves, Moves::Both(..)) => {}
            Moves::Both(flow, written) => {
                self.entry(flow).written += u64::from(written);
                let back = Flow { to_server: !flow.to_server, ..flow };
                self.entry(back).taken += bytes;
            }
            // Whoever wrote has been told that it was in vain.
            Moves::Flush(flow) => self.entry(flow).told += outstanding,
        }
    }

    fn entry(&mut self, flow: Flow) -> &mut Entry {
        let at = match self.0.binary_search_by_key(&flow, |entry| entry.flow) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, Entry { flow, written: 0, taken: 0, told: 0 });
                at
            }
        };
        &mut self.0[at]
    }
}

/// Bytes that were written into a flow, were not read, and of which nobody was told that they
/// are lost.
pub(crate) fn outstanding<'a>(ledgers: impl Iterator<Item = &'a Ledger>, flow: Flow) -> u64 {
    let entries = ledgers.flat_map(|ledger| &ledger.0).filter(|entry| entry.flow == flow);
    let (written, gone) = entries.fold((0, 0), |(written, gone), entry| {
        (written + entry.written, gone + entry.taken + entry.told)
    });
    u64::saturating_sub(written, gone)
}

/// Whether bytes are outstanding anywhere.
pub(crate) fn any<'a>(ledgers: impl Iterator<Item = &'a Ledger> + Clone) -> bool {
    let mut flows = ledgers.clone().flat_map(|ledger| ledger.0.iter().map(|entry| entry.flow));
    flows.any(|flow| outstanding(ledgers.clone(), flow) > 0)
}
