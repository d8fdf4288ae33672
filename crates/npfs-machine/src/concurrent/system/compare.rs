//! What the model gives beside what was recorded, and what the table of deviations knows of it.

use npfs_abi::{Data, Op, Outcome, Output, Reply, RequestId, ThreadId};
use npfs_trace::scenario::Word;
use npfs_trace::trace::Recorded;

use super::{Block, Choice, End, News, Running, System, Trouble};
use crate::concurrent::history::{CallId, Entry, Filler, NEVER, seen_data};
use crate::deviation::Told;
use crate::view;

impl System<'_, '_> {
    /// An overlapped operation has ended.
    pub(super) fn ended(&mut self, call: CallId, reply: &Reply) {
        self.tell(|| News::Ended(call, reply.clone()));
        let entry = self.entry(call);
        let Some(done) = entry.done else { return };
        self.explained += 1;
        self.now = self.now.max(done.after);
        let outcome = Outcome::Done(reply.clone());
        let Outcome::Done(shown) = self.shown(&outcome, done.result) else { return };
        for (model, found) in view::compare_end(&shown, done.result) {
            self.differs(call, done.line, model, found);
        }
        if done.result.failed && !reply.status.is_error() {
            let model = view::text(Some(reply.status), None);
            self.differs(call, done.line, model, "a failure".to_owned());
        }
    }

    pub(super) fn compare_return(
        &self,
        entry: &Entry<'_>,
        outcome: &Outcome,
        recorded: &Recorded,
    ) -> Vec<view::Pair> {
        let outcome = self.shown(outcome, recorded);
        let fails = match &outcome {
            Outcome::Done(_) => view::error(entry.source, &outcome) != 0,
            Outcome::Pending(_) | Outcome::Blocked(_) => false,
        };
        let wanted = if recorded.failed && !fails {
            "a failure"
        } else if entry.assumed && fails && recorded.error.is_none() && recorded.status.is_none() {
            "a success that others need"
        } else {
            return view::compare_return(entry.source, &outcome, recorded);
        };
        vec![(view::model_text(entry.source, &outcome), wanted.to_owned())]
    }

    /// The outcome as the recording could have shown it: cut, and unknown bytes as they were seen.
    fn shown(&self, outcome: &Outcome, recorded: &Recorded) -> Outcome {
        let mut outcome = outcome.clone();
        let Outcome::Done(reply) = &mut outcome else { return outcome };
        let Some(seen) = seen_data(recorded) else { return outcome };
        let data = match &mut reply.output {
            Output::Data(data) => data,
            Output::Peek(peek) => &mut peek.data,
            _ => return outcome,
        };
        if recorded.cut {
            *data = data.part(0..seen.size());
        }
        let unknown = |byte: u8| match self.history.filler {
            None => false,
            Some(Filler::Byte(filler)) => byte == filler,
            Some(Filler::Any) => true,
        };
        if self.history.filler.is_some() && data.len() == seen.len() {
            let pairs = data.iter().zip(seen.iter());
            let bytes: Vec<u8> =
                pairs.map(|(byte, seen)| if unknown(*byte) { *seen } else { *byte }).collect();
            *data = Data::from(bytes);
        }
        outcome
    }

    pub(super) fn differs(&mut self, call: CallId, line: u32, model: String, recorded: String) {
        let op = word_of(self.entry(call).source);
        let told = Told { scenario: self.scenario, op: &op, model: &model, recorded: &recorded };
        match self.deviations.find(&told) {
            Some(row) => {
                self.known.push((line, row));
                self.parted |= self.deviations.rows[row].ends;
                self.tell(|| News::Known(row, recorded));
            }
            None => self.troubles.push(Trouble { call, line, model, recorded }),
        }
    }

    /// Routines and packets have the names that the trace gives to their calls.
    pub(super) fn renamed(&self, mut outcome: Outcome) -> Outcome {
        let rename = |request: &mut RequestId| {
            if let Some(entry) = self.history.calls.get(self.call_of(*request) as usize) {
                request.call = entry.number;
            }
        };
        outcome.rename_requests(rename);
        outcome
    }

    /// Calls that the model lets wait, if the table knows that the recorded system does not. They
    /// come last, so that they are tried where nothing else goes on.
    pub(super) fn forgiven(&self, limit: u64, list: &mut Vec<(u64, Choice)>) {
        if self.deviations.rows.is_empty() || limit == NEVER {
            return;
        }
        for thread in 0..self.runners.len() {
            if let Running::Asleep | Running::Inside(_) = self.runners[thread].running {
                let call = self.current(thread);
                if self.entry(call).asleep_at <= limit && self.forgivable(call).is_some() {
                    list.push((NEVER, Choice::Forgive(call)));
                }
            }
        }
        if let Some(call) = self.ends.get(self.over).copied() {
            let open = matches!(self.blocks[call as usize].end, End::Open | End::Held(_));
            let due = self.entry(call).done.is_some_and(|done| done.by == limit);
            if open && due && !self.is_inside(call) && self.forgivable(call).is_some() {
                list.push((NEVER, Choice::Forgive(call)));
            }
        }
    }

    /// The row of the table that knows why this call is over in the recording, with the line and
    /// what was recorded.
    fn forgivable(&self, call: CallId) -> Option<(usize, u32, String)> {
        let entry = self.entry(call);
        let told = match (self.is_inside(call), entry.result, entry.done) {
            (true, Some((line, result)), _) => {
                let text = view::text(result.status, result.error);
                let lock = self.kernel.waits_for_lock(ThreadId(entry.thread as u32 + 1));
                let blocked = if lock { view::BLOCKED_FOR_LOCK } else { view::BLOCKED };
                vec![(blocked, line, text.clone()), ("nothing", line, format!("returns {text}"))]
            }
            (false, _, Some(done)) => {
                let text = view::text(done.result.status, done.result.error);
                vec![("nothing", done.line, format!("done {text}"))]
            }
            _ => Vec::new(),
        };
        let op = word_of(entry.source);
        let mut found = told.into_iter().filter_map(|(model, line, recorded)| {
            let told = Told { scenario: self.scenario, op: &op, model, recorded: &recorded };
            let row = self.deviations.find(&told)?;
            // A thread that sleeps cannot go on as if it did not.
            let can = self.deviations.rows[row].ends || !self.is_inside(call);
            can.then_some((row, line, recorded))
        });
        found.next()
    }

    pub(super) fn forgive(&mut self, call: CallId) {
        let Some((row, line, recorded)) = self.forgivable(call) else { return };
        self.known.push((line, row));
        self.explained += 1;
        self.parted |= self.deviations.rows[row].ends;
        if !self.is_inside(call) {
            let block = self.blocks[call as usize].clone();
            self.set_block(call, Block { end: End::Failed, ..block });
        }
        self.tell(|| News::Known(row, recorded));
    }
}

/// The word of an operation in scenarios.
pub(crate) fn word_of(op: &Op<Word, Word>) -> String {
    let text = npfs_trace::text::Printer::default().op(op);
    text.split(' ').next().unwrap_or_default().to_owned()
}
