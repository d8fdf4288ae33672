//! From the words of files to the numbers of the kernel.

use npfs_abi::{Call, Composite, Delivery, Handle, Op, RequestId};
use npfs_trace::scenario::Word;

/// What words mean at this point of a run.
pub(crate) trait Meanings {
    /// The handle a word names.
    fn handle(&self, word: &Word) -> Handle;
    /// The request a word names.
    fn request(&self, word: &Word) -> RequestId;
}

/// `op` with every word replaced by what it means.
pub(crate) fn op(op: &Op<Word, Word>, words: &dyn Meanings) -> Op {
    match op {
        Op::Call(inner) => Op::Call(call(inner, words)),
        Op::Composite(Composite::CallNamedPipe { name, data, length, timeout }) => {
            Op::Composite(Composite::CallNamedPipe {
                name: name.clone(),
                data: data.clone(),
                length: *length,
                timeout: *timeout,
            })
        }
        Op::Composite(Composite::GetOverlappedResult { file, request, wait }) => {
            Op::Composite(Composite::GetOverlappedResult {
                file: words.handle(file),
                request: words.request(request),
                wait: *wait,
            })
        }
    }
}

fn delivery(delivery: &Delivery<Word>, words: &dyn Meanings) -> Delivery {
    match delivery {
        Delivery::Return => Delivery::Return,
        Delivery::Overlapped { event } => {
            Delivery::Overlapped { event: event.as_ref().map(|word| words.handle(word)) }
        }
        Delivery::Routine => Delivery::Routine,
    }
}

fn call(call: &Call<Word, Word>, words: &dyn Meanings) -> Call {
    let handle = |word: &Word| words.handle(word);
    match call {
        Call::CreateNamedPipe(arguments) => Call::CreateNamedPipe(arguments.clone()),
        Call::CreateFile(arguments) => Call::CreateFile(arguments.clone()),
        Call::CreatePipe { size, inherit } => Call::CreatePipe { size: *size, inherit: *inherit },
        Call::ConnectNamedPipe { pipe, delivery: how } => {
            Call::ConnectNamedPipe { pipe: handle(pipe), delivery: delivery(how, words) }
        }
        Call::DisconnectNamedPipe { pipe } => Call::DisconnectNamedPipe { pipe: handle(pipe) },
        Call::WaitNamedPipe { name, timeout } => {
            Call::WaitNamedPipe { name: name.clone(), timeout: *timeout }
        }
        Call::ReadFile { file, length, delivery: how } => {
            Call::ReadFile { file: handle(file), length: *length, delivery: delivery(how, words) }
        }
        Call::WriteFile { file, data, delivery: how } => Call::WriteFile {
            file: handle(file),
            data: data.clone(),
            delivery: delivery(how, words),
        },
        Call::PeekNamedPipe { pipe, length } => {
            Call::PeekNamedPipe { pipe: handle(pipe), length: *length }
        }
        Call::TransactNamedPipe { pipe, data, length, delivery: how } => Call::TransactNamedPipe {
            pipe: handle(pipe),
            data: data.clone(),
            length: *length,
            delivery: delivery(how, words),
        },
        Call::FlushFileBuffers { file } => Call::FlushFileBuffers { file: handle(file) },
        Call::GetNamedPipeInfo { pipe } => Call::GetNamedPipeInfo { pipe: handle(pipe) },
        Call::GetNamedPipeHandleState { pipe, query } => {
            Call::GetNamedPipeHandleState { pipe: handle(pipe), query: *query }
        }
        Call::SetNamedPipeHandleState { pipe, mode, collection_count, collect_timeout } => {
            Call::SetNamedPipeHandleState {
                pipe: handle(pipe),
                mode: *mode,
                collection_count: *collection_count,
                collect_timeout: *collect_timeout,
            }
        }
        Call::QueryLocalInformation { pipe } => Call::QueryLocalInformation { pipe: handle(pipe) },
        Call::GetFileType { file } => Call::GetFileType { file: handle(file) },
        Call::CloseHandle { handle: word } => Call::CloseHandle { handle: handle(word) },
        Call::DuplicateHandle { handle: word, target, access, inherit } => Call::DuplicateHandle {
            handle: handle(word),
            target: *target,
            access: *access,
            inherit: *inherit,
        },
        Call::SetHandleInformation { handle: word, inherit } => {
            Call::SetHandleInformation { handle: handle(word), inherit: *inherit }
        }
        Call::CreateEvent { manual, signaled } => {
            Call::CreateEvent { manual: *manual, signaled: *signaled }
        }
        Call::SetEvent { event } => Call::SetEvent { event: handle(event) },
        Call::ResetEvent { event } => Call::ResetEvent { event: handle(event) },
        Call::WaitForObjects { handles, all, timeout, alertable } => Call::WaitForObjects {
            handles: handles.iter().map(handle).collect(),
            all: *all,
            timeout: *timeout,
            alertable: *alertable,
        },
        Call::Sleep { timeout, alertable } => {
            Call::Sleep { timeout: *timeout, alertable: *alertable }
        }
        Call::CancelIo { file } => Call::CancelIo { file: handle(file) },
        Call::CancelIoEx { file, request } => Call::CancelIoEx {
            file: handle(file),
            request: request.as_ref().map(|word| words.request(word)),
        },
        Call::CancelSynchronousIo { thread } => Call::CancelSynchronousIo { thread: *thread },
        Call::CreateProcess { process, inherit } => {
            Call::CreateProcess { process: *process, inherit: *inherit }
        }
        Call::ExitThread => Call::ExitThread,
        Call::TerminateProcess { process } => Call::TerminateProcess { process: *process },
    }
}
