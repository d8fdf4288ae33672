//! The queue against a naive model: bytes one by one, no arithmetic of charges.

use alloc::vec;
use alloc::vec::Vec;

use npfs_abi::{Data, PipeType, Profile, ReadMode, RequestId, Status, ThreadId};

use super::queue::{Queue, Read, Source, Write, Writing};
use crate::request::{Manner, Request, Settled};
use crate::store::Id;

fn request(call: u32) -> Request {
    let id = RequestId { thread: ThreadId(1), call };
    Request {
        id,
        file: Id::fixed(0),
        event: None,
        manner: Manner::Overlapped,
        apc: false,
        packet: false,
    }
}

fn ended(settled: &[Settled]) -> Vec<(u32, Status, u32, Vec<u8>)> {
    settled
        .iter()
        .map(|one| (one.request.id.call, one.status, one.information, one.data.to_vec()))
        .collect()
}

/// What a queue must do, told by its words: QUOTA-05 decides when a write is accepted,
/// looking at all unread bytes in front of its end.
#[derive(Clone)]
struct Model {
    quota: usize,
    message: bool,
    reads: Vec<(u32, usize, ReadMode)>,
    /// Call, unread bytes, whole length, accepted.
    writes: Vec<(u32, Vec<u8>, usize, bool)>,
}

type Ended = Vec<(u32, Status, u32, Vec<u8>)>;

impl Model {
    fn accept(&mut self, out: &mut Ended) {
        let mut in_front = 0;
        for (call, bytes, length, accepted) in &mut self.writes {
            in_front += bytes.len();
            if !*accepted {
                if in_front > self.quota {
                    break;
                }
                *accepted = true;
                out.push((*call, Status::SUCCESS, *length as u32, vec![]));
            }
        }
    }

    fn write(&mut self, call: u32, bytes: &[u8], out: &mut Ended) -> Option<u32> {
        if bytes.is_empty() && !self.message {
            return Some(0);
        }
        let mut rest = bytes.to_vec();
        while !self.reads.is_empty() && (!rest.is_empty() || bytes.is_empty()) {
            let (reader, size, mode) = self.reads.remove(0);
            let got: Vec<u8> = rest.drain(..size.min(rest.len())).collect();
            let status = if !rest.is_empty() && mode == ReadMode::Message {
                Status::BUFFER_OVERFLOW
            } else {
                Status::SUCCESS
            };
            out.push((reader, status, got.len() as u32, got));
            if bytes.is_empty() {
                return Some(0);
            }
        }
        if rest.is_empty() && !bytes.is_empty() {
            return Some(bytes.len() as u32);
        }
        let in_front: usize = self.writes.iter().map(|write| write.1.len()).sum();
        let accepted = rest.is_empty() || in_front + rest.len() <= self.quota;
        self.writes.push((call, rest, bytes.len(), accepted));
        accepted.then_some(bytes.len() as u32)
    }

    fn read(
        &mut self,
        call: u32,
        size: usize,
        mode: ReadMode,
        out: &mut Ended,
    ) -> Option<(Status, Vec<u8>)> {
        if self.writes.is_empty() {
            self.reads.push((call, size, mode));
            return None;
        }
        let mut got = Vec::new();
        let mut status = Status::SUCCESS;
        if size == 0 {
            if mode == ReadMode::Message && !self.writes[0].1.is_empty() {
                status = Status::BUFFER_OVERFLOW;
            }
            return Some((status, got));
        }
        while got.len() < size && !self.writes.is_empty() {
            let (writer, bytes, length, accepted) = &mut self.writes[0];
            let take = (size - got.len()).min(bytes.len());
            got.extend(bytes.drain(..take));
            if bytes.is_empty() {
                if !*accepted {
                    out.push((*writer, Status::SUCCESS, *length as u32, vec![]));
                }
                self.writes.remove(0);
            } else if mode == ReadMode::Message {
                status = Status::BUFFER_OVERFLOW;
            }
            if mode == ReadMode::Message {
                break;
            }
        }
        self.accept(out);
        Some((status, got))
    }

    fn cancel(&mut self, call: u32, out: &mut Ended) {
        self.reads.retain(|read| {
            if read.0 == call {
                out.push((call, Status::CANCELLED, 0, vec![]));
            }
            read.0 != call
        });
        self.writes.retain(|write| {
            let ends = write.0 == call && !write.3;
            if ends {
                out.push((call, Status::CANCELLED, 0, vec![]));
            }
            !ends
        });
        self.accept(out);
    }
}

/// Every sequence of up to five operations on small queues agrees with the model
/// (QUOTA-01 to QUOTA-34, READ-13 to READ-23, WRITE-01 to WRITE-17).
#[test]
fn every_short_sequence_agrees_with_the_model() {
    const DEPTH: u32 = 5;
    for quota in [0_u32, 1, 3] {
        for message in [false, true] {
            let queue = Queue::new(quota);
            let model = Model { quota: quota as usize, message, reads: vec![], writes: vec![] };
            explore(&queue, &model, 1, DEPTH);
        }
    }
}

fn explore(queue: &Queue, model: &Model, call: u32, depth: u32) {
    if depth == 0 {
        return;
    }
    let pipe_type = if model.message { PipeType::Message } else { PipeType::Byte };
    for size in [0_usize, 1, 2, 4] {
        let bytes: Vec<u8> = (0..size).map(|n| (call * 16) as u8 + n as u8).collect();
        let (mut queue, mut model) = (queue.clone(), model.clone());
        let (mut settled, mut out) = (vec![], vec![]);
        let data = Data::from(bytes.as_slice());
        let did = match queue.write(
            pipe_type,
            data,
            Source { writing: Writing::Wait, request: request(call), context: None },
            Profile::current(),
            &mut settled,
        ) {
            Write::Done(count) => Some(count),
            Write::Stalled => None,
        };
        assert_eq!(did, model.write(call, &bytes, &mut out));
        assert_eq!(ended(&settled), out);
        queue.check();
        explore(&queue, &model, call + 1, depth - 1);
    }
    for size in [0_u32, 1, 3] {
        for mode in [ReadMode::Byte, ReadMode::Message] {
            if mode == ReadMode::Message && !model.message {
                continue;
            }
            let (mut queue, mut model) = (queue.clone(), model.clone());
            let (mut settled, mut out) = (vec![], vec![]);
            let got = match queue.read(size, mode, Profile::current(), &mut settled) {
                Read::Done(status, data) => Some((status, data.to_vec())),
                Read::Empty => {
                    queue.pend_read(request(call), size, mode);
                    None
                }
            };
            assert_eq!(got, model.read(call, size as usize, mode, &mut out));
            assert_eq!(ended(&settled), out);
            queue.check();
            explore(&queue, &model, call + 1, depth - 1);
        }
    }
    for earlier in 1..call {
        let (mut queue, mut model) = (queue.clone(), model.clone());
        let (mut settled, mut out) = (vec![], vec![]);
        queue.cancel(
            &mut |one| one.id.call == earlier,
            Status::CANCELLED,
            Profile::current(),
            &mut settled,
        );
        model.cancel(earlier, &mut out);
        assert_eq!(ended(&settled), out);
        queue.check();
        if !out.is_empty() {
            explore(&queue, &model, call, depth - 1);
        }
    }
}

fn nowait(queue: &mut Queue, pipe_type: PipeType, length: usize) -> (Write, usize) {
    let mut settled = vec![];
    let data = Data::from(vec![b'x'; length]);
    let did = queue.write(
        pipe_type,
        data,
        Source { writing: Writing::NoWait, request: request(9), context: None },
        Profile::current(),
        &mut settled,
    );
    (did, settled.len())
}

/// WRITE-30 to WRITE-36 [tested]: the counts of a writer that must not wait, quota 512.
#[test]
fn a_nowait_write_takes_all_or_what_readers_take() {
    for pipe_type in [PipeType::Byte, PipeType::Message] {
        assert_eq!(nowait(&mut Queue::new(512), pipe_type, 513), (Write::Done(0), 0));
        assert_eq!(nowait(&mut Queue::new(512), pipe_type, 512), (Write::Done(512), 0));
        let mut queue = Queue::new(512);
        queue.pend_read(request(1), 32768, ReadMode::Byte);
        assert_eq!(nowait(&mut queue, pipe_type, 513), (Write::Done(513), 1));
        let mut queue = Queue::new(512);
        queue.pend_read(request(1), 1, ReadMode::Byte);
        assert_eq!(nowait(&mut queue, pipe_type, 513), (Write::Done(513), 1));
        let mut queue = Queue::new(512);
        queue.pend_read(request(1), 1, ReadMode::Byte);
        let expected = match pipe_type {
            PipeType::Byte => (Write::Done(1), 1),
            PipeType::Message => (Write::Done(0), 0),
        };
        assert_eq!(nowait(&mut queue, pipe_type, 514), expected);
    }
}

/// QUOTA-10 [tested]: pending reads are charged, up to the quota.
#[test]
fn pending_reads_are_charged() {
    let mut queue = Queue::new(8192);
    queue.pend_read(request(1), 8191, ReadMode::Byte);
    assert_eq!(queue.available_quota(), 1);
    queue.pend_read(request(2), 100, ReadMode::Byte);
    assert_eq!(queue.available_quota(), 0);
}

/// FLUSH-05 [chosen, OQ-03]: a flush waits for what stands in front of it, not for later data.
#[test]
fn a_flush_is_a_mark_in_the_queue() {
    let mut queue = Queue::new(64);
    let mut settled = vec![];
    queue.write(
        PipeType::Byte,
        Data::from("ab"),
        Source { writing: Writing::Wait, request: request(1), context: None },
        Profile::current(),
        &mut settled,
    );
    queue.pend_flush(request(2));
    queue.write(
        PipeType::Byte,
        Data::from("cd"),
        Source { writing: Writing::Wait, request: request(3), context: None },
        Profile::current(),
        &mut settled,
    );
    assert!(settled.is_empty());
    assert_eq!(
        queue.read(2, ReadMode::Byte, Profile::current(), &mut settled),
        Read::Done(Status::SUCCESS, Data::from("ab"))
    );
    assert_eq!(ended(&settled), [(2, Status::SUCCESS, 0, vec![])]);
}
