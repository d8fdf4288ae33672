//! Calls in other words: the same call with handles and requests named differently.

use crate::{Call, Composite, Delivery, NtCreateFile, NtCreateNamedPipeFile, ObjectAttributes, Op};

/// How handles and requests are named on the other side.
pub trait Names<H, R> {
    /// What a handle is called there.
    type Handle;
    /// What a request is called there.
    type Request;
    /// The new name of a handle.
    fn handle(&mut self, handle: &H) -> Self::Handle;
    /// The new name of a request.
    fn request(&mut self, request: &R) -> Self::Request;
}

impl<H, R> Op<H, R> {
    /// This operation with other names.
    pub fn map<N: Names<H, R>>(&self, names: &mut N) -> Op<N::Handle, N::Request> {
        match self {
            Op::Call(call) => Op::Call(call.map(names)),
            Op::Composite(composite) => Op::Composite(composite.map(names)),
        }
    }
}

impl<H, R> Composite<H, R> {
    /// This operation with other names.
    pub fn map<N: Names<H, R>>(&self, names: &mut N) -> Composite<N::Handle, N::Request> {
        match self {
            Composite::CallNamedPipe { name, data, length, timeout } => Composite::CallNamedPipe {
                name: name.clone(),
                data: data.clone(),
                length: *length,
                timeout: *timeout,
            },
            Composite::GetOverlappedResult { file, request, wait } => {
                Composite::GetOverlappedResult {
                    file: names.handle(file),
                    request: names.request(request),
                    wait: *wait,
                }
            }
            Composite::GetOverlappedResultEx { file, request, timeout, alertable } => {
                Composite::GetOverlappedResultEx {
                    file: names.handle(file),
                    request: names.request(request),
                    timeout: *timeout,
                    alertable: *alertable,
                }
            }
            Composite::GetFileAttributes { name } => {
                Composite::GetFileAttributes { name: name.clone() }
            }
            Composite::FindFiles { pattern } => Composite::FindFiles { pattern: pattern.clone() },
        }
    }
}

impl<H> Delivery<H> {
    fn map<R, N: Names<H, R>>(&self, names: &mut N) -> Delivery<N::Handle> {
        match self {
            Delivery::Return => Delivery::Return,
            Delivery::Overlapped { event, quiet } => Delivery::Overlapped {
                event: event.as_ref().map(|event| names.handle(event)),
                quiet: *quiet,
            },
            Delivery::Routine => Delivery::Routine,
            Delivery::Nt { event, routine, context } => Delivery::Nt {
                event: event.as_ref().map(|event| names.handle(event)),
                routine: *routine,
                context: *context,
            },
        }
    }
}

impl<H> ObjectAttributes<H> {
    fn map<R, N: Names<H, R>>(&self, names: &mut N) -> ObjectAttributes<N::Handle> {
        ObjectAttributes {
            root: self.root.as_ref().map(|root| names.handle(root)),
            name: self.name.clone(),
            inherit: self.inherit,
        }
    }
}

impl<H, R> Call<H, R> {
    /// This call with other names.
    pub fn map<N: Names<H, R>>(&self, names: &mut N) -> Call<N::Handle, N::Request> {
        match self {
            Call::CreateNamedPipe(arguments) => Call::CreateNamedPipe(arguments.clone()),
            Call::CreateFile(arguments) => Call::CreateFile(arguments.clone()),
            Call::CreatePipe { size, inherit } => {
                Call::CreatePipe { size: *size, inherit: *inherit }
            }
            Call::ConnectNamedPipe { pipe, delivery } => {
                Call::ConnectNamedPipe { pipe: names.handle(pipe), delivery: delivery.map(names) }
            }
            Call::DisconnectNamedPipe { pipe } => {
                Call::DisconnectNamedPipe { pipe: names.handle(pipe) }
            }
            Call::WaitNamedPipe { name, timeout } => {
                Call::WaitNamedPipe { name: name.clone(), timeout: *timeout }
            }
            Call::ReadFile { file, length, delivery } => Call::ReadFile {
                file: names.handle(file),
                length: *length,
                delivery: delivery.map(names),
            },
            Call::WriteFile { file, data, delivery } => Call::WriteFile {
                file: names.handle(file),
                data: data.clone(),
                delivery: delivery.map(names),
            },
            Call::PeekNamedPipe { pipe, length } => {
                Call::PeekNamedPipe { pipe: names.handle(pipe), length: *length }
            }
            Call::TransactNamedPipe { pipe, data, length, delivery } => Call::TransactNamedPipe {
                pipe: names.handle(pipe),
                data: data.clone(),
                length: *length,
                delivery: delivery.map(names),
            },
            Call::FlushFileBuffers { file } => Call::FlushFileBuffers { file: names.handle(file) },
            Call::GetNamedPipeInfo { pipe } => Call::GetNamedPipeInfo { pipe: names.handle(pipe) },
            Call::GetNamedPipeHandleState { pipe, query } => {
                Call::GetNamedPipeHandleState { pipe: names.handle(pipe), query: *query }
            }
            Call::SetNamedPipeHandleState { pipe, mode, collection_count, collect_timeout } => {
                Call::SetNamedPipeHandleState {
                    pipe: names.handle(pipe),
                    mode: *mode,
                    collection_count: *collection_count,
                    collect_timeout: *collect_timeout,
                }
            }
            Call::QueryLocalInformation { pipe } => {
                Call::QueryLocalInformation { pipe: names.handle(pipe) }
            }
            Call::GetFileType { file } => Call::GetFileType { file: names.handle(file) },
            Call::CloseHandle { handle } => Call::CloseHandle { handle: names.handle(handle) },
            Call::DuplicateHandle { handle, target, access, inherit } => Call::DuplicateHandle {
                handle: names.handle(handle),
                target: *target,
                access: *access,
                inherit: *inherit,
            },
            Call::SetHandleInformation { handle, inherit } => {
                Call::SetHandleInformation { handle: names.handle(handle), inherit: *inherit }
            }
            Call::CreateEvent { manual, signaled } => {
                Call::CreateEvent { manual: *manual, signaled: *signaled }
            }
            Call::SetEvent { event } => Call::SetEvent { event: names.handle(event) },
            Call::ResetEvent { event } => Call::ResetEvent { event: names.handle(event) },
            Call::WaitForObjects { handles, all, timeout, alertable } => Call::WaitForObjects {
                handles: handles.iter().map(|handle| names.handle(handle)).collect(),
                all: *all,
                timeout: *timeout,
                alertable: *alertable,
            },
            Call::Sleep { timeout, alertable } => {
                Call::Sleep { timeout: *timeout, alertable: *alertable }
            }
            Call::CancelIo { file } => Call::CancelIo { file: names.handle(file) },
            Call::CancelIoEx { file, request } => Call::CancelIoEx {
                file: names.handle(file),
                request: request.as_ref().map(|request| names.request(request)),
            },
            Call::CancelSynchronousIo { thread, request } => Call::CancelSynchronousIo {
                thread: *thread,
                request: request.as_ref().map(|request| names.request(request)),
            },
            Call::CreateProcess { process, inherit } => {
                Call::CreateProcess { process: *process, inherit: *inherit }
            }
            Call::ExitThread => Call::ExitThread,
            Call::TerminateProcess { process } => Call::TerminateProcess { process: *process },
            Call::NtCreateNamedPipeFile(create) => {
                Call::NtCreateNamedPipeFile(NtCreateNamedPipeFile {
                    attributes: create.attributes.as_ref().map(|one| one.map(names)),
                    security: create.security.clone(),
                    access: create.access,
                    share: create.share,
                    disposition: create.disposition,
                    options: create.options,
                    pipe_type: create.pipe_type,
                    read_mode: create.read_mode,
                    completion_mode: create.completion_mode,
                    max_instances: create.max_instances,
                    inbound_quota: create.inbound_quota,
                    outbound_quota: create.outbound_quota,
                    default_timeout: create.default_timeout,
                })
            }
            Call::NtCreateFile(open) => Call::NtCreateFile(NtCreateFile {
                attributes: open.attributes.as_ref().map(|one| one.map(names)),
                sqos: open.sqos,
                access: open.access,
                share: open.share,
                disposition: open.disposition,
                options: open.options,
            }),
            Call::ReOpenFile { file, access, flags } => {
                Call::ReOpenFile { file: names.handle(file), access: *access, flags: *flags }
            }
            Call::NtFsControlFile { file, code, input, length, delivery } => {
                Call::NtFsControlFile {
                    file: names.handle(file),
                    code: *code,
                    input: input.clone(),
                    length: *length,
                    delivery: delivery.map(names),
                }
            }
            Call::NtQueryInformationFile { file, class, length } => Call::NtQueryInformationFile {
                file: names.handle(file),
                class: *class,
                length: *length,
            },
            Call::NtSetInformationFile { file, class, input } => Call::NtSetInformationFile {
                file: names.handle(file),
                class: *class,
                input: input.clone(),
            },
            Call::NtQueryVolumeInformationFile { file, class, length } => {
                Call::NtQueryVolumeInformationFile {
                    file: names.handle(file),
                    class: *class,
                    length: *length,
                }
            }
            Call::NtQueryDirectoryFile { file, class, length, pattern, restart, single } => {
                Call::NtQueryDirectoryFile {
                    file: names.handle(file),
                    class: *class,
                    length: *length,
                    pattern: pattern.clone(),
                    restart: *restart,
                    single: *single,
                }
            }
            Call::NtNotifyChangeDirectoryFile { file, filter, delivery } => {
                Call::NtNotifyChangeDirectoryFile {
                    file: names.handle(file),
                    filter: *filter,
                    delivery: delivery.map(names),
                }
            }
            Call::NtQueryObject { handle, class } => {
                Call::NtQueryObject { handle: names.handle(handle), class: *class }
            }
            Call::GetNamedPipeAttribute { pipe, attribute } => {
                Call::GetNamedPipeAttribute { pipe: names.handle(pipe), attribute: *attribute }
            }
            Call::CreateIoCompletionPort { file, port, key, concurrency } => {
                Call::CreateIoCompletionPort {
                    file: file.as_ref().map(|file| names.handle(file)),
                    port: port.as_ref().map(|port| names.handle(port)),
                    key: *key,
                    concurrency: *concurrency,
                }
            }
            Call::GetQueuedCompletionStatus { port, count, timeout, alertable } => {
                Call::GetQueuedCompletionStatus {
                    port: names.handle(port),
                    count: *count,
                    timeout: *timeout,
                    alertable: *alertable,
                }
            }
            Call::PostQueuedCompletionStatus { port, bytes, key, overlapped } => {
                Call::PostQueuedCompletionStatus {
                    port: names.handle(port),
                    bytes: *bytes,
                    key: *key,
                    overlapped: *overlapped,
                }
            }
            Call::SetFileCompletionNotificationModes { file, flags } => {
                Call::SetFileCompletionNotificationModes { file: names.handle(file), flags: *flags }
            }
            Call::QueueUserAPC { thread } => Call::QueueUserAPC { thread: *thread },
            Call::OpenThread { thread } => Call::OpenThread { thread: *thread },
            Call::OpenProcess { process } => Call::OpenProcess { process: *process },
            Call::ImpersonateNamedPipeClient { pipe } => {
                Call::ImpersonateNamedPipeClient { pipe: names.handle(pipe) }
            }
            Call::RevertToSelf => Call::RevertToSelf,
            Call::SetThreadToken { token } => Call::SetThreadToken { token: token.clone() },
            Call::GetThreadToken => Call::GetThreadToken,
            Call::NtQuerySecurityObject { handle, information, length } => {
                Call::NtQuerySecurityObject {
                    handle: names.handle(handle),
                    information: *information,
                    length: *length,
                }
            }
            Call::NtSetSecurityObject { handle, information, descriptor } => {
                Call::NtSetSecurityObject {
                    handle: names.handle(handle),
                    information: *information,
                    descriptor: descriptor.clone(),
                }
            }
        }
    }

    /// How the end of the operation reaches its caller; `None` for calls that have no choice.
    pub fn delivery(&self) -> Option<&Delivery<H>> {
        match self {
            Call::ConnectNamedPipe { delivery, .. }
            | Call::ReadFile { delivery, .. }
            | Call::WriteFile { delivery, .. }
            | Call::TransactNamedPipe { delivery, .. }
            | Call::NtFsControlFile { delivery, .. }
            | Call::NtNotifyChangeDirectoryFile { delivery, .. } => Some(delivery),
            _ => None,
        }
    }
}
