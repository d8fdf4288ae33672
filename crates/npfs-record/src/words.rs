//! The words of an operation: which handles and requests it names.

use npfs_abi::{Call, Composite, Delivery, Op};
use npfs_trace::scenario::Word;

/// A word of an operation, to be read or replaced.
pub(crate) enum Named<'a> {
    /// It names a handle.
    Handle(&'a mut Word),
    /// It names a request.
    Request(&'a mut Word),
}

/// Shows every word of `op` to `visit`, in the order of the arguments.
pub(crate) fn visit(op: &mut Op<Word, Word>, visit: &mut dyn FnMut(Named<'_>)) {
    match op {
        Op::Call(call) => visit_call(call, visit),
        Op::Composite(Composite::CallNamedPipe { .. }) => {}
        Op::Composite(Composite::GetOverlappedResult { file, request, .. }) => {
            visit(Named::Handle(file));
            visit(Named::Request(request));
        }
    }
}

fn visit_call(call: &mut Call<Word, Word>, visit: &mut dyn FnMut(Named<'_>)) {
    if let Some(Delivery::Overlapped { event: Some(event) }) = delivery_mut(call) {
        visit(Named::Handle(event));
    }
    match call {
        Call::ConnectNamedPipe { pipe, .. }
        | Call::DisconnectNamedPipe { pipe }
        | Call::PeekNamedPipe { pipe, .. }
        | Call::TransactNamedPipe { pipe, .. }
        | Call::GetNamedPipeInfo { pipe }
        | Call::GetNamedPipeHandleState { pipe, .. }
        | Call::SetNamedPipeHandleState { pipe, .. }
        | Call::QueryLocalInformation { pipe } => visit(Named::Handle(pipe)),
        Call::ReadFile { file, .. }
        | Call::WriteFile { file, .. }
        | Call::FlushFileBuffers { file }
        | Call::GetFileType { file }
        | Call::CancelIo { file } => visit(Named::Handle(file)),
        Call::CancelIoEx { file, request } => {
            visit(Named::Handle(file));
            if let Some(request) = request {
                visit(Named::Request(request));
            }
        }
        Call::CloseHandle { handle }
        | Call::DuplicateHandle { handle, .. }
        | Call::SetHandleInformation { handle, .. } => visit(Named::Handle(handle)),
        Call::SetEvent { event } | Call::ResetEvent { event } => visit(Named::Handle(event)),
        Call::WaitForObjects { handles, .. } => {
            for handle in handles {
                visit(Named::Handle(handle));
            }
        }
        Call::CreateNamedPipe(_)
        | Call::CreateFile(_)
        | Call::CreatePipe { .. }
        | Call::WaitNamedPipe { .. }
        | Call::CreateEvent { .. }
        | Call::Sleep { .. }
        | Call::CancelSynchronousIo { .. }
        | Call::CreateProcess { .. }
        | Call::ExitThread
        | Call::TerminateProcess { .. } => {}
    }
}

fn delivery_mut(call: &mut Call<Word, Word>) -> Option<&mut Delivery<Word>> {
    match call {
        Call::ConnectNamedPipe { delivery, .. }
        | Call::ReadFile { delivery, .. }
        | Call::WriteFile { delivery, .. }
        | Call::TransactNamedPipe { delivery, .. } => Some(delivery),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_read_is_shown() {
        let mut op = Op::Call(Call::ReadFile {
            file: Word::from("s"),
            length: 64,
            delivery: Delivery::Overlapped { event: Some(Word::from("e")) },
        });
        let mut seen = Vec::new();
        visit(&mut op, &mut |word| match word {
            Named::Handle(word) => seen.push(format!("handle {word}")),
            Named::Request(word) => seen.push(format!("request {word}")),
        });
        assert_eq!(seen, ["handle e", "handle s"]);
    }
}
