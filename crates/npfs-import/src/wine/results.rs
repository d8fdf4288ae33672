//! What came of a call.

use npfs_abi::{Call, Composite, Data, Delivery, Op, Output, Peek, Status};

use super::calls::{End, Made, Request};
use super::line::Bytes;
use super::{ops, stamp};
use crate::raw::{RawOutput, RawPacket, RawResult, Stamp};

/// A moment and a result.
type At = (Stamp, RawResult);

/// What a call returned, and how the operation it left pending ended.
pub(crate) fn results(made: &Made<'_>, op: &Op<u64, u64>) -> (Option<At>, Option<At>) {
    let Some((line, value)) = made.returned else {
        return (None, done(made, op));
    };
    (Some((stamp(line), returned(made, op, value))), done(made, op))
}

/// Functions that say what they did by an NTSTATUS.
fn is_native(function: &str) -> bool {
    function.starts_with("Nt")
}

/// The request that carries the operation.
fn carrier<'m, 'a>(made: &'m Made<'a>, op: &Op<u64, u64>) -> Option<&'m Request<'a>> {
    match op {
        Op::Call(Call::ReadFile { .. }) => made.request("read"),
        Op::Call(Call::WriteFile { .. }) => made.request("write"),
        Op::Call(Call::FlushFileBuffers { .. }) => made.request("flush"),
        Op::Call(
            Call::ConnectNamedPipe { .. }
            | Call::DisconnectNamedPipe { .. }
            | Call::PeekNamedPipe { .. }
            | Call::TransactNamedPipe { .. }
            | Call::NtFsControlFile { .. },
        ) => made.request("ioctl"),
        Op::Composite(Composite::CallNamedPipe { .. }) => {
            made.requests("ioctl").find(|request| ops::is_transceive(request))
        }
        _ => None,
    }
}

fn done(made: &Made<'_>, op: &Op<u64, u64>) -> Option<At> {
    let Op::Call(call) = op else { return None };
    let overlapped = match call.delivery()? {
        Delivery::Overlapped { .. } | Delivery::Routine | Delivery::Nt { .. } => true,
        Delivery::Return => false,
    };
    let pends = match made.returned {
        // An operation that ended in its own call told so by its return, except to routines.
        Some((_, value)) => status(made, op, value) == Some(Status::PENDING),
        None => true,
    };
    let request = carrier(made, op)?;
    let answer = request.answer.as_ref()?;
    if is_routine(op) && !answer.status.is("PENDING") {
        // The end comes to the routine even if the call was its end.
        let result = RawResult::status(answer.status.status());
        let failed = result.recorded.status.is_some_and(Status::is_error);
        return (!failed).then(|| (stamp(answer.line), with_bytes(made, op, result)));
    }
    if !overlapped || !pends {
        return None;
    }
    let end = request.end.as_ref()?;
    Some((stamp(end.line), ended(op, end)))
}

fn is_routine(op: &Op<u64, u64>) -> bool {
    matches!(op, Op::Call(call) if call.delivery() == Some(&Delivery::Routine))
}

/// An operation that was pending has ended.
fn ended(op: &Op<u64, u64>, end: &End) -> RawResult {
    let mut result = RawResult::status(end.status);
    let moved = end.status.is_some_and(|status| !status.is_error());
    if moved && moves_bytes(op) {
        result.recorded.information = end.total;
        if let (true, Some(bytes)) = (reads(op), &end.data) {
            result = result.with_data(&bytes.shown, bytes.total);
        }
    }
    result
}

fn moves_bytes(op: &Op<u64, u64>) -> bool {
    reads(op) || matches!(op, Op::Call(Call::WriteFile { .. }))
}

fn reads(op: &Op<u64, u64>) -> bool {
    matches!(
        op,
        Op::Call(
            Call::ReadFile { .. } | Call::TransactNamedPipe { .. } | Call::NtFsControlFile { .. }
        ) | Op::Composite(Composite::CallNamedPipe { .. })
    )
}

/// The NTSTATUS behind what the function returned, where the log has it.
fn status(made: &Made<'_>, op: &Op<u64, u64>, value: u64) -> Option<Status> {
    if is_native(made.function) {
        return Some(Status(value as u32));
    }
    let inside: &[&str] = match op {
        Op::Call(call) => match call {
            Call::CreateNamedPipe(_) => &["NtCreateNamedPipeFile"],
            Call::CreateFile(_) => &["NtCreateFile"],
            Call::ConnectNamedPipe { .. }
            | Call::DisconnectNamedPipe { .. }
            | Call::PeekNamedPipe { .. }
            | Call::TransactNamedPipe { .. }
            | Call::ImpersonateNamedPipeClient { .. } => &["NtFsControlFile"],
            Call::WaitNamedPipe { .. } => &["NtFsControlFile", "NtOpenFile"],
            Call::ReadFile { .. } => &["NtReadFile"],
            Call::WriteFile { .. } => &["NtWriteFile"],
            Call::FlushFileBuffers { .. } => &["NtFlushBuffersFile"],
            Call::GetNamedPipeInfo { .. } | Call::GetNamedPipeHandleState { .. } => {
                &["NtQueryInformationFile"]
            }
            Call::SetNamedPipeHandleState { .. } => &["NtSetInformationFile"],
            Call::CloseHandle { .. } => &["NtClose"],
            Call::DuplicateHandle { .. } => &["NtDuplicateObject"],
            Call::CancelIo { .. } => &["NtCancelIoFile"],
            Call::CancelIoEx { .. } => &["NtCancelIoFileEx"],
            Call::GetQueuedCompletionStatus { .. } => {
                &["NtRemoveIoCompletion", "NtRemoveIoCompletionEx"]
            }
            Call::PostQueuedCompletionStatus { .. } => &["NtSetIoCompletion"],
            Call::WaitForObjects { .. } if value as u32 != u32::MAX => {
                return Some(Status(value as u32));
            }
            Call::Sleep { .. } if value as u32 == Status::USER_APC.0 => {
                return Some(Status::USER_APC);
            }
            _ => &[],
        },
        Op::Composite(_) => &[],
    };
    let value = inside.iter().find_map(|function| made.value_of(function))?;
    Some(Status(value as u32))
}

fn returned(made: &Made<'_>, op: &Op<u64, u64>, value: u64) -> RawResult {
    let status = status(made, op, value);
    let error = made.inner_error().or(made.last_error);
    if is_native(made.function) {
        let result = RawResult::status(status);
        return if status.is_some_and(Status::is_error) {
            result
        } else {
            with_output(made, op, value, result)
        };
    }
    match op {
        Op::Call(Call::WaitForObjects { .. }) => match status {
            Some(status) => RawResult::status(Some(status)),
            None => RawResult::failed(None, error),
        },
        Op::Call(Call::Sleep { .. }) => RawResult::status(status),
        Op::Call(Call::GetFileType { .. }) => match value as u32 {
            0 => RawResult::default(),
            kind => RawResult {
                output: Some(RawOutput::Plain(Output::FileType(kind))),
                ..RawResult::default()
            },
        },
        Op::Call(Call::GetQueuedCompletionStatus { .. }) => packets(made, value, status, error),
        _ if succeeded(op, value) && is_routine(op) => {
            let mut result = RawResult::default();
            result.recorded.error = Some(0);
            result
        }
        _ if succeeded(op, value) => {
            let mut result = RawResult::status(status);
            // Behind a creation the last error tells whether the pipe was there before.
            if !matches!(op, Op::Call(Call::CreateNamedPipe(_))) {
                result.recorded.error = Some(0);
            }
            with_output(made, op, value, result)
        }
        _ => {
            let result = RawResult::failed(status, error);
            // More data is a failure that gives data.
            let warns = status.is_some_and(Status::is_warning) || error == Some(234);
            if warns { with_output(made, op, value, result) } else { result }
        }
    }
}

fn succeeded(op: &Op<u64, u64>, value: u64) -> bool {
    match op {
        Op::Call(Call::CreateNamedPipe(_) | Call::CreateFile(_)) => value as u32 != u32::MAX,
        _ => value as u32 != 0,
    }
}

/// A call that worked gave something.
fn with_output(made: &Made<'_>, op: &Op<u64, u64>, value: u64, result: RawResult) -> RawResult {
    let handle = |name: &str, number: usize| {
        let answer = made.requests(name).nth(number)?.answer.as_ref()?;
        answer.fields.hex("handle")
    };
    let output = match op {
        Op::Call(Call::CreateNamedPipe(_) | Call::CreateFile(_)) => {
            Some(RawOutput::Handle(value & u64::from(u32::MAX)))
        }
        Op::Call(Call::CreateEvent { .. } | Call::CreateIoCompletionPort { .. }) => {
            Some(RawOutput::Handle(value & u64::from(u32::MAX)))
        }
        Op::Call(Call::NtCreateNamedPipeFile(_)) => {
            handle("create_named_pipe", 0).map(RawOutput::Handle)
        }
        Op::Call(Call::NtCreateFile(_)) => handle("open_file_object", 0).map(RawOutput::Handle),
        Op::Call(Call::DuplicateHandle { .. }) => handle("dup_handle", 0).map(RawOutput::Handle),
        Op::Call(Call::CreatePipe { .. }) => {
            match (handle("create_named_pipe", 0), handle("open_file_object", 0)) {
                (Some(read), Some(write)) => Some(RawOutput::Handles(read, write)),
                _ => None,
            }
        }
        Op::Call(Call::PeekNamedPipe { length, .. }) => peek(made, *length),
        _ => return with_bytes(made, op, result),
    };
    RawResult { output, ..result }
}

/// The bytes that a call moved.
fn with_bytes(made: &Made<'_>, op: &Op<u64, u64>, mut result: RawResult) -> RawResult {
    let Some(request) = carrier(made, op) else { return result };
    let Some(answer) = &request.answer else { return result };
    if answer.status.is("PENDING") {
        // The call waited for the end; an operation that goes on has none yet.
        let waited = result.recorded.status != Some(Status::PENDING);
        if let (true, Some(end)) = (waited, &request.end) {
            let RawResult { recorded, .. } = ended(op, end);
            result.recorded.information = recorded.information;
            result.recorded.data = recorded.data;
            result.recorded.cut = recorded.cut;
        }
        return result;
    }
    match op {
        Op::Call(Call::WriteFile { .. }) => {
            let size = answer.fields.get("size").and_then(|size| size.parse().ok());
            result.recorded.information = size;
            result
        }
        _ if reads(op) => {
            let bytes = answer.fields.bytes("data").or_else(|| answer.fields.bytes("out_data"));
            match bytes {
                Some(Bytes { shown, total }) => result.with_data(&shown, total),
                None => result,
            }
        }
        _ => result,
    }
}

/// `FILE_PIPE_PEEK_BUFFER`: state, bytes available, messages, length of the first; then data.
fn peek(made: &Made<'_>, length: u32) -> Option<RawOutput> {
    const HEAD: usize = 16;
    let bytes = made.request("ioctl")?.answer.as_ref()?.fields.bytes("out_data")?;
    if bytes.is_cut() {
        return None;
    }
    let number = |at: usize| {
        let four = bytes.shown.get(at..at + 4)?;
        Some(u32::from_le_bytes(four.try_into().ok()?))
    };
    let data = Data::from(bytes.shown.get(HEAD..)?);
    let data = data.part(0..length);
    let left = number(12)?.wrapping_sub(data.size());
    let peek = Peek { available: number(4)?, left, data };
    Some(RawOutput::Plain(Output::Peek(peek)))
}

/// Packets that were taken from a port. A packet of an operation that failed makes
/// `GetQueuedCompletionStatus` fail, which is no failure of taking it.
fn packets(made: &Made<'_>, value: u64, status: Option<Status>, error: Option<u32>) -> RawResult {
    let taken = made.requests("remove_completion").filter_map(|request| {
        let answer = request.answer.as_ref().filter(|answer| answer.status.ok())?;
        Some(RawPacket {
            key: answer.fields.hex("ckey")?,
            overlapped: answer.fields.hex("cvalue")?,
            status: answer.fields.hex("status").map(|status| Status(status as u32))?,
            information: u32::try_from(answer.fields.hex("information")?).ok()?,
        })
    });
    let taken: Vec<RawPacket> = taken.collect();
    if taken.is_empty() {
        return if value as u32 != 0 {
            RawResult::status(status)
        } else {
            RawResult::failed(status, error)
        };
    }
    RawResult { output: Some(RawOutput::Packets(taken)), ..RawResult::status(status) }
}
