//! The one write in flight.

use std::sync::Arc;

use npfs_abi::{Call, Data, Delivery, Reply};

use super::{InFlight, Kind, Pipe};
use crate::error::Failure;
use crate::io::Ready;

/// Where writing is.
#[derive(Debug)]
pub(super) enum Writing {
    /// A write would be taken.
    Idle,
    /// The bytes of `data` behind `written` are being written.
    InFlight { flight: InFlight, data: Data, written: u32 },
    /// It failed, and nobody knows yet.
    Failed { name: u64, failure: Failure },
}

impl Writing {
    pub(super) fn in_flight(&mut self) -> Option<&mut InFlight> {
        match self {
            Writing::InFlight { flight, .. } => Some(flight),
            Writing::Idle | Writing::Failed { .. } => None,
        }
    }

    pub(super) fn is_in_flight(&self) -> bool {
        matches!(self, Writing::InFlight { .. })
    }

    /// Forgets what was begun up to `last`; gives what is in flight of it.
    pub(super) fn reset(&mut self, last: u64) -> Option<InFlight> {
        let flight = match self {
            Writing::InFlight { flight, .. } if flight.name <= last => Some(*flight),
            Writing::Failed { name, .. } if *name <= last => None,
            Writing::Idle | Writing::InFlight { .. } | Writing::Failed { .. } => return None,
        };
        *self = Writing::Idle;
        flight
    }

    /// What is in flight has failed; `false` if nothing is.
    pub(super) fn fail(&mut self, failure: Failure) -> bool {
        let Writing::InFlight { flight, .. } = self else { return false };
        *self = Writing::Failed { name: flight.name, failure };
        true
    }
}

/// What has become of a write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// It is in flight.
    Going,
    /// The pipe has taken it.
    Written,
    /// It failed, which is told now.
    Failed(Failure),
}

impl Pipe {
    /// Takes everything that `data` gives, as one write. Its failure is told now if it fails at
    /// once, else with the next write. Gives its name and length.
    pub(crate) fn write(
        self: &Arc<Self>,
        data: impl FnOnce() -> Data,
    ) -> Result<(u64, usize), Failure> {
        let (flight, data) = {
            let mut io = self.io.lock();
            match std::mem::replace(&mut io.writing, Writing::Idle) {
                Writing::Idle => {}
                Writing::Failed { failure, .. } => return Err(failure),
                going @ Writing::InFlight { .. } => {
                    io.writing = going;
                    return Err(Failure::WouldBlock);
                }
            }
            let (flight, data) = (io.begin(), data());
            io.writing = Writing::InFlight { flight, data: data.clone(), written: 0 };
            (flight, data)
        };
        let length = data.len();
        match self.schedule_write(flight.name, data) {
            Ok(()) => Ok((flight.name, length)),
            Err(failure) => {
                let mut io = self.io.lock();
                if io.flight(Kind::Write, flight.name).is_some() {
                    io.writing = Writing::Idle;
                }
                Err(failure)
            }
        }
    }

    /// What has become of the write with this name.
    pub(crate) fn progress(&self, name: u64) -> Progress {
        let mut io = self.io.lock();
        if io.flight(Kind::Write, name).is_some() {
            return Progress::Going;
        }
        match &io.writing {
            Writing::Failed { name: of, failure } if *of == name => {
                let failure = failure.clone();
                io.writing = Writing::Idle;
                Progress::Failed(failure)
            }
            _ => Progress::Written,
        }
    }

    fn schedule_write(self: &Arc<Self>, name: u64, data: Data) -> Result<(), Failure> {
        let delivery = Delivery::OVERLAPPED;
        self.begin(Kind::Write, name, &Call::WriteFile { file: self.handle, data, delivery })
    }

    pub(super) fn write_ended(self: &Arc<Self>, name: u64, reply: Reply) {
        let rest = {
            let mut io = self.io.lock();
            if io.flight(Kind::Write, name).is_none() {
                return;
            }
            let Writing::InFlight { data, written, .. } = &mut io.writing else { return };
            *written += reply.information;
            let rest = data.part(*written..u32::MAX);
            if reply.status.is_error() {
                io.writing = Writing::Failed { name, failure: Failure::Status(reply.status) };
                None
            } else if rest.is_empty() {
                io.writing = Writing::Idle;
                None
            } else if reply.information == 0 {
                // A full pipe in nonblocking mode would take nothing for ever.
                io.writing = Writing::Failed { name, failure: Failure::WriteZero };
                None
            } else {
                Some(rest)
            }
        };
        if let Some(rest) = rest {
            let Err(failure) = self.schedule_write(name, rest) else { return };
            let mut io = self.io.lock();
            if io.flight(Kind::Write, name).is_none() {
                return;
            }
            io.writing = Writing::Failed { name, failure };
        }
        self.readiness.set(Ready::WRITABLE);
    }
}
