//! Win32 functions as programs over kernel calls.
//!
//! A program owns the place that one thread has reached inside one [`Op`]: it says which kernel
//! call comes next, and what the function returns in the end. Between two of its calls other
//! threads may run, so that the inner races of a composite stay visible.
//!
//! Status blocks are the caller's memory. Whoever drives a program keeps them and lends them.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use npfs_abi::{
    Access, Call, Composite, CreateFile, CreateNamedPipe, Delivery, Handle, Op, Outcome, Output,
    PipeName, Reply, RequestId, Status, codes::file_class,
};

use crate::npfs::names_in;

/// Room for any name.
const LISTING_LENGTH: u32 = 0x1_1000;

/// A thread's way through one Win32 function.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Program {
    op: Op,
    state: State,
}

/// What a program does next.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Next {
    /// It makes this call. Its outcome, once it does not sleep any more, is the next input.
    Call(Call),
    /// The function returns: [`Outcome::Done`], or [`Outcome::Pending`] when the operation goes
    /// on without the thread. Never [`Outcome::Blocked`].
    Return(Outcome),
}

/// The status blocks of requests, as a program may look at them.
pub trait StatusBlocks {
    /// How a request has ended; `None` while its status block says pending.
    fn reply(&self, request: RequestId) -> Option<Reply>;
    /// The event that the request was given.
    fn event(&self, request: RequestId) -> Option<Handle>;
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum State {
    /// Nothing was called.
    New,
    /// The only call was made.
    Called,
    /// The file object or event is waited for because of this request.
    Waiting(RequestId),
    /// `CallNamedPipe`: the first `CreateFile` was made.
    Opening,
    /// `CallNamedPipe`: `WaitNamedPipe` was called.
    Listening,
    /// `CallNamedPipe`: the second `CreateFile` was made.
    OpeningAgain,
    /// `CallNamedPipe`: the read mode of this handle is being set.
    Setting(Handle),
    /// `CallNamedPipe`: the request goes over this handle.
    Transacting(Handle),
    /// `CallNamedPipe`: the handle is being closed, then this is returned.
    Closing(Reply),
    /// `FindFirstFile`: the root was opened for these names.
    Finding,
    /// `FindFirstFile`: this handle was asked; these names are found.
    Listing(Handle, Vec<String>),
    /// It has returned.
    Over,
}

impl Program {
    /// The program of `op`, before its first call.
    pub fn new(op: Op) -> Program {
        Program { op, state: State::New }
    }

    /// The request whose status block [`Program::next`] will look at, if any: where other threads
    /// run, what it gives then depends on when that is.
    pub fn looks_at(&self) -> Option<RequestId> {
        match (&self.state, &self.op) {
            (State::Waiting(request), _) => Some(*request),
            (_, Op::Composite(Composite::GetOverlappedResult { request, .. }))
            | (_, Op::Composite(Composite::GetOverlappedResultEx { request, .. })) => {
                Some(*request)
            }
            (_, Op::Composite(_) | Op::Call(_)) => None,
        }
    }

    /// What comes next. `previous` is the outcome of the call before, `None` at the start.
    pub fn next(&mut self, previous: Option<Outcome>, blocks: &dyn StatusBlocks) -> Next {
        let state = core::mem::replace(&mut self.state, State::Over);
        match (&self.op, previous) {
            (Op::Call(call), None) => {
                self.state = State::Called;
                Next::Call(call.clone())
            }
            (Op::Call(call), Some(outcome)) => {
                let call = call.clone();
                self.after_call(&call, state, outcome, blocks)
            }
            (&Op::Composite(Composite::GetOverlappedResult { file, request, wait }), None) => {
                self.overlapped_result(file, request, wait, blocks)
            }
            (&Op::Composite(Composite::GetOverlappedResult { request, .. }), Some(outcome)) => {
                match outcome {
                    // There was nothing to wait for.
                    Outcome::Done(reply) if reply.status.is_error() => done(reply),
                    _ => done(waited(request, blocks)),
                }
            }
            (
                &Op::Composite(Composite::GetOverlappedResultEx {
                    file,
                    request,
                    timeout,
                    alertable,
                }),
                previous,
            ) => match previous {
                None => self.overlapped_result_ex(file, request, (timeout, alertable), blocks),
                Some(Outcome::Done(reply)) if reply.status == Status::SUCCESS => {
                    done(waited(request, blocks))
                }
                // WAIT_TIMEOUT or WAIT_IO_COMPLETION (EVENT-27, EVENT-28).
                Some(outcome) => Next::Return(outcome),
            },
            (Op::Composite(Composite::GetFileAttributes { .. }), previous) => {
                self.file_attributes(state, previous)
            }
            (Op::Composite(Composite::FindFiles { .. }), previous) => {
                self.find_files(state, previous)
            }
            (Op::Composite(Composite::CallNamedPipe { .. }), previous) => {
                self.call_named_pipe(state, previous)
            }
        }
    }

    /// A call without OVERLAPPED on an overlapped handle waits for the file object (CONNECT-06).
    fn after_call(
        &mut self,
        call: &Call,
        state: State,
        outcome: Outcome,
        blocks: &dyn StatusBlocks,
    ) -> Next {
        match (state, outcome) {
            (State::Waiting(request), Outcome::Done(_)) => {
                // Another operation may have signaled the file object: the status block then
                // still says pending, and that is what the function goes by (EVENT-16).
                done(blocks.reply(request).unwrap_or(Reply::status(Status::PENDING)))
            }
            (State::Called, Outcome::Pending(request)) => match waits_on(call) {
                Some(file) => {
                    self.state = State::Waiting(request);
                    wait_for(file)
                }
                None => Next::Return(Outcome::Pending(request)),
            },
            (_, outcome) => Next::Return(outcome),
        }
    }

    /// EVENT-23 to EVENT-25. A request that is still pending gives `PENDING`, for which
    /// `GetOverlappedResult` has an error of its own (996).
    fn overlapped_result(
        &mut self,
        file: Handle,
        request: RequestId,
        wait: bool,
        blocks: &dyn StatusBlocks,
    ) -> Next {
        match blocks.reply(request) {
            // The bytes are in the caller's buffer by now, so they are part of the answer.
            Some(reply) => done(reply),
            None if wait => {
                self.state = State::Waiting(request);
                wait_for(blocks.event(request).unwrap_or(file))
            }
            None => done(Reply::status(Status::PENDING)),
        }
    }

    /// EVENT-26 to EVENT-28. Without time it does not wait, and so runs no routine.
    fn overlapped_result_ex(
        &mut self,
        file: Handle,
        request: RequestId,
        (timeout, alertable): (Option<u32>, bool),
        blocks: &dyn StatusBlocks,
    ) -> Next {
        match blocks.reply(request) {
            Some(reply) => done(reply),
            None if timeout == Some(0) => done(Reply::status(Status::PENDING)),
            None => {
                self.state = State::Waiting(request);
                let object = blocks.event(request).unwrap_or(file);
                Next::Call(Call::WaitForObjects {
                    handles: vec![object],
                    all: false,
                    timeout,
                    alertable,
                })
            }
        }
    }

    /// OPEN-19: a real open and close.
    fn file_attributes(&mut self, state: State, previous: Option<Outcome>) -> Next {
        let Op::Composite(Composite::GetFileAttributes { name }) = &self.op else {
            return done(Reply::status(Status::INVALID_PARAMETER));
        };
        match (state, previous) {
            (State::Closing(result), _) => done(result),
            (_, None) => {
                let mut open = CreateFile::new(name.as_str());
                open.access = Access::READ_ATTRIBUTES;
                self.state = State::Called;
                Next::Call(Call::CreateFile(open))
            }
            (_, Some(Outcome::Done(Reply { output: Output::Handle(handle), .. }))) => {
                self.state = State::Closing(Reply::ok());
                Next::Call(Call::CloseHandle { handle })
            }
            (_, Some(outcome)) => Next::Return(outcome),
        }
    }

    /// DIR-11: `FindFirstFile` and `FindNextFile` to the end.
    fn find_files(&mut self, state: State, previous: Option<Outcome>) -> Next {
        let Op::Composite(Composite::FindFiles { pattern }) = &self.op else {
            return done(Reply::status(Status::INVALID_PARAMETER));
        };
        let path = pattern.as_str();
        let (folder, pattern) = path.split_at(path.rfind('\\').map_or(0, |place| place + 1));
        let reply = match previous {
            None => {
                let mut open = CreateFile::new(folder);
                open.access = Access::LIST_DIRECTORY;
                self.state = State::Finding;
                return Next::Call(Call::CreateFile(open));
            }
            Some(Outcome::Done(reply)) => reply,
            // Its handle is synchronous: none of its calls pends.
            Some(Outcome::Pending(_) | Outcome::Blocked(_)) => Reply::status(Status::PENDING),
        };
        let pattern = if pattern == "*.*" { "*" } else { pattern };
        let ask = |file| {
            Next::Call(Call::NtQueryDirectoryFile {
                file,
                class: file_class::BOTH_DIRECTORY,
                length: LISTING_LENGTH,
                pattern: Some(PipeName::new(pattern)),
                restart: false,
                single: false,
            })
        };
        match (state, reply.output) {
            (State::Finding, Output::Handle(handle)) => {
                let next = ask(handle);
                self.state = State::Listing(handle, Vec::new());
                next
            }
            (State::Listing(handle, mut names), Output::Data(data)) => {
                names.extend(names_in(&data));
                let next = ask(handle);
                self.state = State::Listing(handle, names);
                next
            }
            (State::Listing(handle, names), _) => {
                self.state = State::Closing(match reply.status {
                    Status::NO_MORE_FILES => Reply::with(Output::Names(names)),
                    status => Reply::status(status),
                });
                Next::Call(Call::CloseHandle { handle })
            }
            (State::Closing(result), _) => done(result),
            (_, output) => done(Reply { output, ..reply }),
        }
    }

    /// CALL-01: open, else wait and open; set message mode; transact; close.
    fn call_named_pipe(&mut self, state: State, previous: Option<Outcome>) -> Next {
        let Op::Composite(Composite::CallNamedPipe { name, data, length, timeout }) = &self.op
        else {
            return done(Reply::status(Status::INVALID_PARAMETER));
        };
        let open = || Next::Call(Call::CreateFile(CreateFile::new(name.as_str())));
        let reply = match previous {
            None => {
                self.state = State::Opening;
                return open();
            }
            Some(Outcome::Done(reply)) => reply,
            // Its handle is synchronous: none of its calls pends.
            Some(Outcome::Pending(_) | Outcome::Blocked(_)) => Reply::status(Status::PENDING),
        };
        match (state, &reply.output) {
            (State::Opening | State::OpeningAgain, &Output::Handle(pipe))
                if reply.status.is_success() =>
            {
                self.state = State::Setting(pipe);
                Next::Call(Call::SetNamedPipeHandleState {
                    pipe,
                    mode: Some(CreateNamedPipe::READMODE_MESSAGE),
                    collection_count: None,
                    collect_timeout: None,
                })
            }
            (State::Opening, _) => {
                self.state = State::Listening;
                Next::Call(Call::WaitNamedPipe { name: name.clone(), timeout: *timeout })
            }
            (State::Listening, _) if reply.status.is_success() => {
                self.state = State::OpeningAgain;
                open()
            }
            (State::Setting(pipe), _) if reply.status.is_success() => {
                self.state = State::Transacting(pipe);
                Next::Call(Call::TransactNamedPipe {
                    pipe,
                    data: data.clone(),
                    length: *length,
                    delivery: Delivery::Return,
                })
            }
            (State::Setting(handle) | State::Transacting(handle), _) => {
                self.state = State::Closing(reply);
                Next::Call(Call::CloseHandle { handle })
            }
            (State::Closing(result), _) => done(result),
            (_, _) => done(reply),
        }
    }
}

/// A call without OVERLAPPED whose thread waits when the operation pends.
pub fn waits(call: &Call) -> bool {
    match call.delivery() {
        Some(delivery) => *delivery == Delivery::Return,
        None => matches!(
            call,
            Call::DisconnectNamedPipe { .. }
                | Call::FlushFileBuffers { .. }
                | Call::PeekNamedPipe { .. }
        ),
    }
}

fn done(reply: Reply) -> Next {
    Next::Return(Outcome::Done(reply))
}

/// What `GetOverlappedResult` says when its wait is over. It goes by the status block, in which
/// "pending" is a success (EVENT-25: unreliable if something else signaled the object).
fn waited(request: RequestId, blocks: &dyn StatusBlocks) -> Reply {
    blocks.reply(request).unwrap_or(Reply::ok())
}

fn wait_for(object: Handle) -> Next {
    Next::Call(Call::WaitForObjects {
        handles: vec![object],
        all: false,
        timeout: None,
        alertable: false,
    })
}

/// The file that a call without OVERLAPPED waits for when its operation pends.
fn waits_on(call: &Call) -> Option<Handle> {
    match call {
        Call::ConnectNamedPipe { pipe: file, delivery: Delivery::Return }
        | Call::ReadFile { file, delivery: Delivery::Return, .. }
        | Call::WriteFile { file, delivery: Delivery::Return, .. }
        | Call::TransactNamedPipe { pipe: file, delivery: Delivery::Return, .. }
        | Call::DisconnectNamedPipe { pipe: file }
        | Call::FlushFileBuffers { file }
        | Call::PeekNamedPipe { pipe: file, .. } => Some(*file),
        _ => None,
    }
}
