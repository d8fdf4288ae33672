//! What a Win32 program sees of an outcome, and how a recording differs from it.

use npfs_abi::{Call, Composite, Data, Delivery, Op, Outcome, Output, Reply, Status};
use npfs_trace::scenario::Word;
use npfs_trace::trace::Recorded;

/// `ERROR_IO_INCOMPLETE`; no NTSTATUS becomes it.
const IO_INCOMPLETE: u32 = 996;
/// `ERROR_IO_PENDING`
const IO_PENDING: u32 = 997;
/// `ERROR_ALREADY_EXISTS`
const ALREADY_EXISTS: u32 = 183;
/// `FILE_OPENED`: the pipe was there before.
const OPENED: u32 = 1;

/// Whether an operation tells its end by a routine.
pub(crate) fn by_routine(op: &Op<Word, Word>) -> bool {
    matches!(
        op,
        Op::Call(
            Call::ReadFile { delivery: Delivery::Routine, .. }
                | Call::WriteFile { delivery: Delivery::Routine, .. }
        )
    )
}

/// The last error behind the return of an operation, 0 for success.
pub(crate) fn error(op: &Op<Word, Word>, outcome: &Outcome) -> u32 {
    let reply = match outcome {
        Outcome::Done(reply) => reply,
        Outcome::Pending(_) | Outcome::Blocked(_) if by_routine(op) => return 0,
        Outcome::Pending(_) | Outcome::Blocked(_) => return IO_PENDING,
    };
    let status = reply.status;
    match op {
        Op::Composite(
            Composite::GetOverlappedResult { .. } | Composite::GetOverlappedResultEx { .. },
        ) if status == Status::PENDING => IO_INCOMPLETE,
        // Success or warning: the functions say TRUE.
        _ if by_routine(op) && !status.is_error() => 0,
        Op::Call(Call::PeekNamedPipe { .. }) if status == Status::BUFFER_OVERFLOW => 0,
        // The results of waits are values, not errors.
        Op::Call(Call::WaitForObjects { .. } | Call::Sleep { .. }) if !status.is_error() => 0,
        Op::Call(Call::CreateNamedPipe(_))
            if status == Status::SUCCESS && reply.information == OPENED =>
        {
            ALREADY_EXISTS
        }
        _ => status.win32(),
    }
}

/// A result as a report and a row of the table write it.
pub(crate) fn text(status: Option<Status>, error: Option<u32>) -> String {
    match (status, error) {
        (Some(Status::PENDING), _) | (None, Some(IO_PENDING)) => "pending".to_owned(),
        (Some(status), _) => npfs_trace::text::status(status),
        (None, Some(0)) => "ok".to_owned(),
        (None, Some(error)) => format!("error {error}"),
        (None, None) => "some result".to_owned(),
    }
}

/// What the model does of a call that sleeps, in a difference.
pub(crate) const BLOCKED: &str = "blocked";
/// And of one that sleeps because its synchronous file object is in use.
pub(crate) const BLOCKED_FOR_LOCK: &str = "blocked for the lock";

/// The result of the model as [`text`].
pub(crate) fn model_text(op: &Op<Word, Word>, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(reply) => text(Some(reply.status), Some(error(op, outcome))),
        Outcome::Pending(_) if by_routine(op) => "ok".to_owned(),
        Outcome::Pending(_) => "pending".to_owned(),
        Outcome::Blocked(_) => BLOCKED.to_owned(),
    }
}

/// A differing value, of the model and of the recording.
pub(crate) type Pair = (String, String);

/// How a recorded return differs from the model's. Only what was recorded is compared.
pub(crate) fn compare_return(
    op: &Op<Word, Word>,
    outcome: &Outcome,
    recorded: &Recorded,
) -> Vec<Pair> {
    let wanted = error(op, outcome);
    let status = match outcome {
        Outcome::Done(reply) => reply.status,
        Outcome::Pending(_) | Outcome::Blocked(_) => Status::PENDING,
    };
    let status_differs = recorded.status.is_some_and(|found| found != status);
    let error_differs = recorded.error.is_some_and(|found| found != wanted);
    if by_routine(op) && !error_differs {
        // The end comes to the status block, not with the return.
        return Vec::new();
    }
    if status_differs {
        return vec![(model_text(op, outcome), text(recorded.status, recorded.error))];
    }
    if error_differs {
        let shown = match outcome {
            Outcome::Done(reply) if wanted != 0 && reply.status.win32() == wanted => {
                model_text(op, outcome)
            }
            Outcome::Done(_) | Outcome::Pending(_) | Outcome::Blocked(_) => {
                text(None, Some(wanted))
            }
        };
        return vec![(shown, text(None, recorded.error))];
    }
    match outcome {
        Outcome::Done(reply) => compare_fields(reply, recorded),
        Outcome::Pending(_) | Outcome::Blocked(_) => Vec::new(),
    }
}

/// How a recorded end of a request differs from the model's.
pub(crate) fn compare_end(reply: &Reply, recorded: &Recorded) -> Vec<Pair> {
    if recorded.status.is_some_and(|found| found != reply.status) {
        return vec![(text(Some(reply.status), None), text(recorded.status, None))];
    }
    if recorded.error.is_some_and(|found| found != reply.status.win32()) {
        return vec![(text(Some(reply.status), None), text(None, recorded.error))];
    }
    compare_fields(reply, recorded)
}

fn compare_fields(reply: &Reply, recorded: &Recorded) -> Vec<Pair> {
    let mut pairs = Vec::new();
    if let Some(found) = recorded.information {
        differ(&mut pairs, "information", reply.information, found);
    }
    if let Some(found) = &recorded.data {
        let wanted = match &reply.output {
            Output::Data(data) => data.clone(),
            Output::Peek(peek) => peek.data.clone(),
            _ => Data::EMPTY,
        };
        differ(&mut pairs, "data", &wanted, found);
    }
    if let Some(found) = &recorded.output {
        compare_output(&mut pairs, &reply.output, found);
    }
    pairs
}

fn differ<T: PartialEq + ToString>(pairs: &mut Vec<Pair>, name: &str, model: T, recorded: T) {
    if model != recorded {
        let text = |value: T| format!("{name}={}", value.to_string());
        pairs.push((text(model), text(recorded)));
    }
}

fn compare_output(pairs: &mut Vec<Pair>, model: &Output, recorded: &Output<Word>) {
    match (model, recorded) {
        (Output::None, Output::None)
        | (Output::Handle(_), Output::Handle(_))
        | (Output::Handles(..), Output::Handles(..)) => {}
        (Output::None, Output::Data(data)) if data.is_empty() => {}
        (Output::Data(model), Output::Data(recorded)) => differ(pairs, "data", model, recorded),
        (Output::Peek(model), Output::Peek(recorded)) => {
            differ(pairs, "data", &model.data, &recorded.data);
            differ(pairs, "available", model.available, recorded.available);
            differ(pairs, "left", model.left, recorded.left);
        }
        (Output::Info(model), Output::Info(recorded)) => {
            differ(pairs, "end", model.end, recorded.end);
            differ(pairs, "type", model.pipe_type, recorded.pipe_type);
            differ(pairs, "out", model.out_buffer, recorded.out_buffer);
            differ(pairs, "in", model.in_buffer, recorded.in_buffer);
            differ(pairs, "max", model.max_instances, recorded.max_instances);
        }
        (Output::State(model), Output::State(recorded)) => {
            differ(pairs, "read", model.read_mode, recorded.read_mode);
            differ(pairs, "mode", model.completion_mode, recorded.completion_mode);
            differ(pairs, "instances", model.instances, recorded.instances);
        }
        (Output::Local(model), Output::Local(recorded)) => {
            differ(pairs, "type", model.pipe_type, recorded.pipe_type);
            differ(pairs, "configuration", model.configuration, recorded.configuration);
            differ(pairs, "max", model.maximum_instances, recorded.maximum_instances);
            differ(pairs, "instances", model.current_instances, recorded.current_instances);
            differ(pairs, "in", model.inbound_quota, recorded.inbound_quota);
            differ(pairs, "out", model.outbound_quota, recorded.outbound_quota);
            differ(pairs, "readable", model.read_data_available, recorded.read_data_available);
            differ(pairs, "writable", model.write_quota_available, recorded.write_quota_available);
            differ(pairs, "state", model.state, recorded.state);
            differ(pairs, "end", model.end, recorded.end);
        }
        (Output::FileType(model), Output::FileType(recorded)) => {
            differ(pairs, "type", model, recorded);
        }
        (Output::Routines(model), Output::Routines(recorded)) => {
            let text = |list: &[npfs_abi::RequestId]| {
                list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            };
            differ(pairs, "routines", text(model), text(recorded));
        }
        (Output::Number(model), Output::Number(recorded)) => {
            differ(pairs, "number", model, recorded);
        }
        (Output::Text(model), Output::Text(recorded)) => differ(pairs, "text", model, recorded),
        (Output::Descriptor(model), Output::Descriptor(recorded)) => {
            differ(pairs, "descriptor", model, recorded);
        }
        (Output::Packets(model), Output::Packets(recorded)) if model == recorded => {}
        (Output::Names(model), Output::Names(recorded)) if model == recorded => {}
        (Output::Token(model), Output::Token(recorded)) if model == recorded => {}
        (
            Output::None
            | Output::Handle(_)
            | Output::Handles(..)
            | Output::Data(_)
            | Output::Peek(_)
            | Output::Info(_)
            | Output::State(_)
            | Output::Local(_)
            | Output::FileType(_)
            | Output::Routines(_)
            | Output::Packets(_)
            | Output::Number(_)
            | Output::Text(_)
            | Output::Names(_)
            | Output::Token(_)
            | Output::Descriptor(_),
            _,
        ) => differ(pairs, "output", format!("{model:?}"), format!("{recorded:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::error;
    use npfs_abi::{Composite, Op, Outcome, Reply, Status};

    // rules: CONST-35 tested, EVENT-23 tested
    #[test]
    fn a_pending_result_has_an_error_that_no_status_becomes() {
        let (file, request) = ("s".to_owned(), "r".to_owned());
        let op = Op::Composite(Composite::GetOverlappedResult { file, request, wait: false });
        let pending = Outcome::Done(Reply::status(Status::PENDING));
        assert_eq!(error(&op, &pending), 996);
        assert_eq!(Status::PENDING.win32(), 997);
    }
}
