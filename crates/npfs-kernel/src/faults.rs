//! Planned misfortune: calls that fail although they need not, ends that are told late.

use alloc::vec::Vec;

use npfs_abi::{
    Call, Fault, FaultEffect, FaultPoint, PipeName, RequestId, Status, Target, ThreadId, Time,
};

use crate::file::Place;
use crate::io::FileOp;
use crate::kernel::{CLOCK, Effects, FAULTS, Kernel};
use crate::request::{Request, Settled};

/// The plan, and how far it has come.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Faults {
    plan: Vec<Planned>,
    /// Which faults struck, in order: places in the plan.
    struck: Vec<u32>,
    /// Requests whose end will be told late, and by how much.
    marked: Vec<(RequestId, Time)>,
    /// Ends that happened and are told at a later time, earliest first.
    late: Vec<(Time, Settled)>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Planned {
    fault: Fault,
    /// How many calls of its kind there were.
    seen: u32,
}

impl Faults {
    /// When the next late end is told.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.late.first().map(|(time, _)| *time)
    }

    /// The requests that have ended and are not told yet.
    pub(crate) fn late_requests(&self) -> impl Iterator<Item = Request> {
        self.late.iter().map(|(_, ended)| ended.request)
    }

    /// Counts a call and says which fault strikes it: the first one of the plan, if several do.
    fn strike(&mut self, point: FaultPoint, target: Option<&Target>) -> Option<FaultEffect> {
        let mut effect = None;
        for (place, planned) in self.plan.iter_mut().enumerate() {
            let meant = planned.fault.point == point
                && planned.fault.pipe.as_ref().is_none_or(|pipe| Some(pipe.target()) == target);
            if !meant {
                continue;
            }
            planned.seen = planned.seen.saturating_add(1);
            if planned.seen == planned.fault.nth && effect.is_none() {
                effect = Some(planned.fault.effect);
                self.struck.push(place as u32);
            }
        }
        effect
    }
}

impl FileOp {
    fn fault_point(&self) -> Option<FaultPoint> {
        match self {
            FileOp::Read(_) => Some(FaultPoint::Read),
            FileOp::Write(_) => Some(FaultPoint::Write),
            FileOp::Peek(_) | FileOp::PeekRaw(_) => Some(FaultPoint::Peek),
            FileOp::Transact(..) => Some(FaultPoint::Transact),
            FileOp::Flush => Some(FaultPoint::Flush),
            FileOp::Listen => Some(FaultPoint::Connect),
            FileOp::Disconnect => Some(FaultPoint::Disconnect),
            FileOp::Info
            | FileOp::State(_)
            | FileOp::Local
            | FileOp::Query(..)
            | FileOp::QueryVolume(..)
            | FileOp::Attribute(_)
            | FileOp::QuerySecurity(..)
            | FileOp::Directory(_) => Some(FaultPoint::Query),
            FileOp::Impersonate => Some(FaultPoint::Impersonate),
            FileOp::SetState { .. } | FileOp::Set(..) | FileOp::SetSecurity(..) => {
                Some(FaultPoint::Set)
            }
            FileOp::Type
            | FileOp::Close
            | FileOp::Control(..)
            | FileOp::ObjectName
            | FileOp::Watch(_) => None,
        }
    }
}

impl Kernel {
    /// Plans a fault. Faults strike in the order of calls, each once.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.edit(FAULTS).plan.push(Planned { fault, seen: 0 });
    }

    /// The faults that have struck so far, in order.
    pub fn struck(&self) -> impl Iterator<Item = &Fault> {
        let faults = &self.faults[FAULTS];
        faults.struck.iter().filter_map(|place| faults.plan.get(*place as usize)).map(|p| &p.fault)
    }

    /// Whether there is any plan. Without one nothing strikes, is marked or is told late.
    pub(crate) fn plans_faults(&self) -> bool {
        !self.faults[FAULTS].plan.is_empty()
    }

    /// Whether a call by name fails by plan.
    pub(crate) fn fails_by_plan(&mut self, call: &Call) -> Result<(), Status> {
        let (point, name) = match call {
            Call::CreateNamedPipe(arguments) => (FaultPoint::CreatePipe, Some(&arguments.name)),
            Call::CreateFile(arguments) => (FaultPoint::Open, Some(&arguments.name)),
            Call::WaitNamedPipe { name, .. } => (FaultPoint::WaitPipe, Some(name)),
            Call::NtCreateNamedPipeFile(_) => (FaultPoint::CreatePipe, None),
            Call::NtCreateFile(_) | Call::ReOpenFile { .. } => (FaultPoint::Open, None),
            _ => return Ok(()),
        };
        match self.faults.edit(FAULTS).strike(point, name.map(PipeName::target)) {
            Some(FaultEffect::Fail(status)) => Err(status),
            Some(FaultEffect::Late(_)) | None => Ok(()),
        }
    }

    /// Whether an operation on a file fails by plan, or is marked to be told late.
    pub(crate) fn strike(&mut self, request: &Request, op: &FileOp) -> Result<(), Status> {
        let Some(point) = op.fault_point() else { return Ok(()) };
        let path = match self.files[request.file].place {
            Place::At(_, instance) => self.pipe_of(instance).path.clone(),
            Place::Detached | Place::Closed | Place::Device | Place::Root => None,
        };
        let faults = self.faults.edit(FAULTS);
        match faults.strike(point, path.as_ref().map(PipeName::target)) {
            Some(FaultEffect::Fail(status)) => Err(status),
            Some(FaultEffect::Late(span)) => {
                faults.marked.push((request.id, span));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A call that was marked is over already: there is no end to tell.
    pub(crate) fn unmark(&mut self, request: RequestId, fx: &Effects<'_>) {
        if fx.faults && !self.faults[FAULTS].marked.is_empty() {
            self.faults.edit(FAULTS).marked.retain(|(marked, _)| *marked != request);
        }
    }

    /// Keeps the end of a marked request back; gives any other end back.
    pub(crate) fn postpone(&mut self, ended: Settled) -> Option<Settled> {
        let id = ended.request.id;
        let marked = &self.faults[FAULTS].marked;
        let Some(place) = marked.iter().position(|(marked, _)| *marked == id) else {
            return Some(ended);
        };
        let now = self.clock[CLOCK].now;
        let faults = self.faults.edit(FAULTS);
        let (_, span) = faults.marked.remove(place);
        let told = now.after(span);
        let at = faults.late.partition_point(|(time, _)| *time <= told);
        faults.late.insert(at, (told, ended));
        None
    }

    /// A thread ends: nothing of its own is told late.
    pub(crate) fn forget_faults_of(&mut self, thread: ThreadId, fx: &mut Effects<'_>) {
        let faults = &self.faults[FAULTS];
        if faults.marked.is_empty() && faults.late.is_empty() {
            return;
        }
        let faults = self.faults.edit(FAULTS);
        faults.marked.retain(|(request, _)| request.thread != thread);
        faults.late.retain(|(_, ended)| {
            let its_own = ended.request.id.thread == thread;
            if its_own {
                fx.settled.push(ended.clone());
            }
            !its_own
        });
    }

    /// Tells the first late end.
    pub(crate) fn tell_late(&mut self, fx: &mut Effects<'_>) {
        if !self.faults[FAULTS].late.is_empty() {
            let (_, ended) = self.faults.edit(FAULTS).late.remove(0);
            self.complete(ended, fx);
        }
    }
}
