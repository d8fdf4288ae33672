//! Which operation a call is.

use npfs_abi::{
    Access, Call, Composite, CreateFile, CreateNamedPipe, Data, Delivery, HandleStateQuery,
    NtCreateFile, NtCreateNamedPipeFile, ObjectAttributes, Op, PipeAttribute, PipeName, ProcessId,
    codes,
};
use npfs_trace::trace::Gaps;

use super::calls::{Made, Request};
use super::line::{Argument, Bytes};

/// An operation with the system's own numbers.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) op: Op<u64, u64>,
    pub(crate) overlapped: Option<u64>,
    pub(crate) gaps: Gaps,
}

impl From<Call<u64, u64>> for Operation {
    fn from(call: Call<u64, u64>) -> Operation {
        Operation { op: Op::Call(call), overlapped: None, gaps: Gaps::default() }
    }
}

impl From<Composite<u64, u64>> for Operation {
    fn from(composite: Composite<u64, u64>) -> Operation {
        Operation { op: Op::Composite(composite), overlapped: None, gaps: Gaps::default() }
    }
}

impl Operation {
    fn overlapped(mut self, pointer: u64) -> Operation {
        self.overlapped = Some(pointer).filter(|pointer| *pointer != 0);
        self
    }

    fn unknown(mut self, field: &str) -> Operation {
        self.gaps.unknown.push(field.to_owned());
        self
    }

    fn size(mut self, size: Option<u32>) -> Operation {
        self.gaps.size = size;
        self
    }
}

/// `OBJ_INHERIT` in the attributes of an object.
const INHERIT: u64 = 2;
/// `OPEN_EXISTING`
const OPEN_EXISTING: u32 = 3;

/// The arguments of a call; the log may hold fewer than the function has.
struct Arguments<'a>(&'a [Argument]);

type Found<T> = Result<T, &'static str>;

const FEW: &str = "with too few arguments";
const OTHER: &str = "another file";

impl Arguments<'_> {
    fn at(&self, place: usize) -> Found<&Argument> {
        self.0.get(place).ok_or(FEW)
    }
    fn dword(&self, place: usize) -> Found<u32> {
        Ok(self.at(place)?.dword())
    }
    fn pointer(&self, place: usize) -> Found<u64> {
        Ok(self.at(place)?.value)
    }
    /// Handles have 32 bits that count.
    fn handle(&self, place: usize) -> Found<u64> {
        Ok(u64::from(self.dword(place)?))
    }
    fn given(&self, place: usize) -> Found<bool> {
        Ok(self.at(place)?.value != 0)
    }
    fn flag(&self, place: usize) -> Found<bool> {
        Ok(self.dword(place)? != 0)
    }
    /// A time-out in milliseconds; `None` is for ever.
    fn timeout(&self, place: usize) -> Found<Option<u32>> {
        Ok(Some(self.dword(place)?).filter(|ms| *ms != u32::MAX))
    }
}

/// The operation that a call is.
///
/// # Errors
/// Why it does not belong into a trace.
pub(crate) fn operation(made: &Made<'_>) -> Found<Operation> {
    let arguments = Arguments(&made.arguments);
    let a = &arguments;
    Ok(match made.function {
        "CreateNamedPipeA" | "CreateNamedPipeW" => create_named_pipe(made, a)?,
        "CreateFileA" | "CreateFileW" => create_file(made, a)?,
        "CreatePipe" => {
            let request = made.request("create_named_pipe");
            let inherit = request.and_then(attributes).map(|bits| bits & INHERIT != 0);
            let call = Call::CreatePipe { size: a.dword(3)?, inherit: inherit.unwrap_or(false) };
            match inherit {
                None if a.given(2)? => Operation::from(call).unknown("inherit"),
                _ => call.into(),
            }
        }
        "ConnectNamedPipe" => {
            let (pipe, delivery) = (a.handle(0)?, delivery(made, "ioctl", a.pointer(1)?));
            Operation::from(Call::ConnectNamedPipe { pipe, delivery }).overlapped(a.pointer(1)?)
        }
        "DisconnectNamedPipe" => Call::DisconnectNamedPipe { pipe: a.handle(0)? }.into(),
        "WaitNamedPipeA" | "WaitNamedPipeW" => {
            Call::WaitNamedPipe { name: path(a.at(0)?)?, timeout: a.dword(1)? }.into()
        }
        "ReadFile" => {
            let (file, length) = (a.handle(0)?, a.dword(2)?);
            let delivery = delivery(made, "read", a.pointer(4)?);
            Operation::from(Call::ReadFile { file, length, delivery }).overlapped(a.pointer(4)?)
        }
        "ReadFileEx" => {
            let (file, length, delivery) = (a.handle(0)?, a.dword(2)?, Delivery::Routine);
            Operation::from(Call::ReadFile { file, length, delivery }).overlapped(a.pointer(3)?)
        }
        "WriteFile" => {
            let (data, size) = written(made, "write", "data", a.dword(2)?);
            let (file, delivery) = (a.handle(0)?, delivery(made, "write", a.pointer(4)?));
            let call = Call::WriteFile { file, data, delivery };
            Operation::from(call).size(size).overlapped(a.pointer(4)?)
        }
        "WriteFileEx" => {
            let (data, size) = written(made, "write", "data", a.dword(2)?);
            let call = Call::WriteFile { file: a.handle(0)?, data, delivery: Delivery::Routine };
            Operation::from(call).size(size).overlapped(a.pointer(3)?)
        }
        "PeekNamedPipe" => {
            let length = if a.given(1)? { a.dword(2)? } else { 0 };
            Call::PeekNamedPipe { pipe: a.handle(0)?, length }.into()
        }
        "TransactNamedPipe" => {
            let (data, size) = written(made, "ioctl", "in_data", a.dword(2)?);
            let (pipe, length) = (a.handle(0)?, a.dword(4)?);
            let delivery = delivery(made, "ioctl", a.pointer(6)?);
            let call = Call::TransactNamedPipe { pipe, data, length, delivery };
            Operation::from(call).size(size).overlapped(a.pointer(6)?)
        }
        "CallNamedPipeA" | "CallNamedPipeW" => {
            let name = path(a.at(0)?)?;
            let transceive = made.requests("ioctl").find(|one| is_transceive(one));
            let (data, size) = input(transceive, "in_data", a.dword(2)?);
            let (length, timeout) = (a.dword(4)?, a.dword(6)?);
            let call = Composite::CallNamedPipe { name, data, length, timeout };
            Operation::from(call).size(size)
        }
        "FlushFileBuffers" => Call::FlushFileBuffers { file: a.handle(0)? }.into(),
        "GetNamedPipeInfo" => Call::GetNamedPipeInfo { pipe: a.handle(0)? }.into(),
        "GetNamedPipeHandleStateA" | "GetNamedPipeHandleStateW" => {
            let query = HandleStateQuery {
                collection_count: a.given(3)?,
                collect_timeout: a.given(4)?,
                user: a.given(5)?,
            };
            Call::GetNamedPipeHandleState { pipe: a.handle(0)?, query }.into()
        }
        "SetNamedPipeHandleState" => set_state(made, a)?,
        "GetNamedPipeClientProcessId" => attribute(a, PipeAttribute::ClientProcessId)?,
        "GetNamedPipeServerProcessId" => attribute(a, PipeAttribute::ServerProcessId)?,
        "GetNamedPipeClientSessionId" => attribute(a, PipeAttribute::ClientSessionId)?,
        "GetNamedPipeServerSessionId" => attribute(a, PipeAttribute::ServerSessionId)?,
        "GetFileType" => Call::GetFileType { file: a.handle(0)? }.into(),
        "CloseHandle" | "NtClose" => Call::CloseHandle { handle: a.handle(0)? }.into(),
        "DuplicateHandle" => duplicate(a)?,
        "SetHandleInformation" => {
            if a.dword(1)? & 1 == 0 {
                return Err("another flag");
            }
            let inherit = a.dword(2)? & 1 != 0;
            Call::SetHandleInformation { handle: a.handle(0)?, inherit }.into()
        }
        "CreateEventA" | "CreateEventW" => {
            if a.given(3)? {
                return Err("an event with a name");
            }
            Call::CreateEvent { manual: a.flag(1)?, signaled: a.flag(2)? }.into()
        }
        "SetEvent" => Call::SetEvent { event: a.handle(0)? }.into(),
        "ResetEvent" => Call::ResetEvent { event: a.handle(0)? }.into(),
        "WaitForSingleObject" | "WaitForSingleObjectEx" => {
            let alertable = made.function.ends_with("Ex") && a.flag(2)?;
            let (handles, timeout) = (vec![a.handle(0)?], a.timeout(1)?);
            Call::WaitForObjects { handles, all: false, timeout, alertable }.into()
        }
        "WaitForMultipleObjects" | "WaitForMultipleObjectsEx" => {
            let alertable = made.function.ends_with("Ex") && a.flag(4)?;
            let handles = waited(made, a.dword(0)?)?;
            let (all, timeout) = (a.flag(2)?, a.timeout(3)?);
            Call::WaitForObjects { handles, all, timeout, alertable }.into()
        }
        "SleepEx" => {
            if !a.flag(1)? {
                return Err("not alertable");
            }
            Call::Sleep { timeout: a.timeout(0)?, alertable: true }.into()
        }
        "CancelIo" => Call::CancelIo { file: a.handle(0)? }.into(),
        "CancelIoEx" => {
            let request = Some(a.pointer(1)?).filter(|pointer| *pointer != 0);
            Call::CancelIoEx { file: a.handle(0)?, request }.into()
        }
        "GetOverlappedResult" => {
            let (file, request, wait) = (a.handle(0)?, a.pointer(1)?, a.flag(3)?);
            Composite::GetOverlappedResult { file, request, wait }.into()
        }
        "GetOverlappedResultEx" => {
            let (file, request) = (a.handle(0)?, a.pointer(1)?);
            let (timeout, alertable) = (a.timeout(3)?, a.flag(4)?);
            Composite::GetOverlappedResultEx { file, request, timeout, alertable }.into()
        }
        "CreateIoCompletionPort" => {
            let file = Some(a.handle(0)?).filter(|file| *file != u64::from(u32::MAX));
            let port = Some(a.handle(1)?).filter(|port| *port != 0);
            let (key, concurrency) = (a.pointer(2)?, a.dword(3)?);
            Call::CreateIoCompletionPort { file, port, key, concurrency }.into()
        }
        "GetQueuedCompletionStatus" => {
            let (port, timeout) = (a.handle(0)?, a.timeout(4)?);
            Call::GetQueuedCompletionStatus { port, count: 1, timeout, alertable: false }.into()
        }
        "GetQueuedCompletionStatusEx" => {
            let (port, count) = (a.handle(0)?, a.dword(2)?);
            let (timeout, alertable) = (a.timeout(4)?, a.flag(5)?);
            Call::GetQueuedCompletionStatus { port, count, timeout, alertable }.into()
        }
        "PostQueuedCompletionStatus" => {
            let (port, bytes) = (a.handle(0)?, a.dword(1)?);
            let (key, overlapped) = (a.pointer(2)?, a.pointer(3)?);
            Call::PostQueuedCompletionStatus { port, bytes, key, overlapped }.into()
        }
        "SetFileCompletionNotificationModes" => {
            let flags = a.dword(1)? & 0xff;
            Call::SetFileCompletionNotificationModes { file: a.handle(0)?, flags }.into()
        }
        // A request that no function of the log made.
        "event_op" => {
            let fields = made.request("event_op").map(|request| &request.fields);
            let event = fields.and_then(|fields| fields.hex("handle")).ok_or(FEW)?;
            match fields.and_then(|fields| fields.get("op")) {
                Some("1") => Call::SetEvent { event }.into(),
                Some("2") => Call::ResetEvent { event }.into(),
                _ => return Err("another operation"),
            }
        }
        "ImpersonateNamedPipeClient" => {
            Call::ImpersonateNamedPipeClient { pipe: a.handle(0)? }.into()
        }
        "RevertToSelf" => Call::RevertToSelf.into(),
        "CreateProcessA" | "CreateProcessW" => create_process(made, a)?,
        "NtCreateNamedPipeFile" => nt_create_named_pipe(made, a)?,
        "NtCreateFile" => nt_open(made, a, [1, 6, 7, 8].map(Some))?,
        "NtOpenFile" => nt_open(made, a, [Some(1), Some(4), None, Some(5)])?,
        "NtReadFile" => {
            let (file, length) = (a.handle(0)?, a.dword(6)?);
            let call = Call::ReadFile { file, length, delivery: nt_delivery(a)? };
            Operation::from(call).overlapped(nt_name(a)?)
        }
        "NtWriteFile" => {
            let (data, size) = written(made, "write", "data", a.dword(6)?);
            let call = Call::WriteFile { file: a.handle(0)?, data, delivery: nt_delivery(a)? };
            Operation::from(call).size(size).overlapped(nt_name(a)?)
        }
        "NtFsControlFile" => {
            let (input, size) = written(made, "ioctl", "in_data", a.dword(7)?);
            let (file, code, length) = (a.handle(0)?, a.dword(5)?, a.dword(9)?);
            let delivery = nt_delivery(a)?;
            let call = Call::NtFsControlFile { file, code, input, length, delivery };
            Operation::from(call).size(size).overlapped(nt_name(a)?)
        }
        "NtFlushBuffersFile" => Call::FlushFileBuffers { file: a.handle(0)? }.into(),
        "NtQueryInformationFile" => {
            let (file, length, class) = (a.handle(0)?, a.dword(3)?, a.dword(4)?);
            Call::NtQueryInformationFile { file, class, length }.into()
        }
        "NtQueryVolumeInformationFile" => {
            let (file, length, class) = (a.handle(0)?, a.dword(3)?, a.dword(4)?);
            Call::NtQueryVolumeInformationFile { file, class, length }.into()
        }
        "NtSetInformationFile" => nt_set_information(made, a)?,
        _ => return Err("not read"),
    })
}

/// A Win32 path into the pipe file system of this computer.
fn path(argument: &Argument) -> Found<PipeName> {
    let text = argument.text.as_ref().ok_or("a name that is not in the log")?;
    pipe_path(text).ok_or(OTHER)
}

fn pipe_path(text: &str) -> Option<PipeName> {
    use npfs_abi::Target::{Device, Elsewhere, Pipe, Remote, Root};
    let name = PipeName::new(text);
    match name.target() {
        Pipe(_) | Root | Device => Some(name),
        Remote { .. } | Elsewhere => None,
    }
}

fn attributes(request: &Request<'_>) -> Option<u64> {
    match request.fields.inner("objattr") {
        Some(inner) => inner.hex("attributes"),
        None => request.fields.hex("attributes"),
    }
}

fn has_descriptor(request: &Request<'_>) -> bool {
    let descriptor = request.fields.inner("objattr").and_then(|inner| inner.get("sd"));
    descriptor.is_some_and(|text| text != "{}")
}

fn create_named_pipe(made: &Made<'_>, a: &Arguments<'_>) -> Found<Operation> {
    let request = made.request("create_named_pipe");
    let bits = request.and_then(attributes);
    let call = Call::CreateNamedPipe(CreateNamedPipe {
        name: path(a.at(0)?)?,
        open_mode: a.dword(1)?,
        pipe_mode: a.dword(2)?,
        max_instances: a.dword(3)?,
        out_buffer: a.dword(4)?,
        in_buffer: a.dword(5)?,
        default_timeout: a.dword(6)?,
        inherit: bits.is_some_and(|bits| bits & INHERIT != 0),
        security: None,
    });
    let mut operation = Operation::from(call);
    if bits.is_none() && a.given(7)? {
        operation = operation.unknown("inherit");
    }
    if request.is_some_and(has_descriptor) || request.is_none() && a.given(7)? {
        operation = operation.unknown("security");
    }
    Ok(operation)
}

fn create_file(made: &Made<'_>, a: &Arguments<'_>) -> Found<Operation> {
    let name = path(a.at(0)?)?;
    if a.dword(4)? != OPEN_EXISTING {
        return Err("with another disposition");
    }
    let bits = made.request("open_file_object").and_then(attributes);
    let inherit = bits.is_some_and(|bits| bits & INHERIT != 0);
    let (access, flags) = (Access(a.dword(1)?), a.dword(5)?);
    let operation = Operation::from(Call::CreateFile(CreateFile { name, access, flags, inherit }));
    let unknown = bits.is_none() && a.given(3)?;
    Ok(if unknown { operation.unknown("inherit") } else { operation })
}

/// `hEvent` is in the request; its low bit shows by the missing context.
fn delivery(made: &Made<'_>, request: &str, pointer: u64) -> Delivery<u64> {
    if pointer == 0 {
        return Delivery::Return;
    }
    let operation = made.request(request).and_then(|request| request.fields.inner("async"));
    let event = operation.as_ref().and_then(|one| one.hex("event"));
    let context = operation.as_ref().and_then(|one| one.hex("apc_context"));
    Delivery::Overlapped {
        event: event.map(|event| event & !3).filter(|event| *event != 0),
        quiet: context == Some(0),
    }
}

/// What was passed: the bytes in the log, and the size if those are not all.
fn written(made: &Made<'_>, request: &str, field: &str, size: u32) -> (Data, Option<u32>) {
    input(made.request(request), field, size)
}

fn input(request: Option<&Request<'_>>, field: &str, size: u32) -> (Data, Option<u32>) {
    let bytes = request.and_then(|request| request.fields.bytes(field));
    let Bytes { shown, .. } = bytes.unwrap_or_default().first(size);
    let cut = (shown.len() as u64) < u64::from(size);
    (Data::from(shown), Some(size).filter(|_| cut))
}

pub(super) fn is_transceive(request: &Request<'_>) -> bool {
    matches!(request.fields.get("code"), Some("0011c017" | "FSCTL_PIPE_TRANSCEIVE"))
}

fn set_state(made: &Made<'_>, a: &Arguments<'_>) -> Found<Operation> {
    // The server's own bits: 2 message read mode, 4 do not wait.
    let request = made.request("set_named_pipe_info");
    let bits = request.and_then(|request| request.fields.hex("flags"));
    let mode = bits.map(|bits| mode(bits & 2 != 0, bits & 4 != 0));
    let (count, timeout) = (a.given(2)?, a.given(3)?);
    let operation = Operation::from(Call::SetNamedPipeHandleState {
        pipe: a.handle(0)?,
        mode: if a.given(1)? { Some(mode.unwrap_or(0)) } else { None },
        collection_count: count.then_some(0),
        collect_timeout: timeout.then_some(0),
    });
    let gaps = [
        ("mode", a.given(1)? && mode.is_none()),
        ("collection_count", count),
        ("collect_timeout", timeout),
    ];
    let unknown = gaps.into_iter().filter(|(_, missing)| *missing);
    Ok(unknown.fold(operation, |operation, (field, _)| operation.unknown(field)))
}

fn mode(message: bool, nowait: bool) -> u32 {
    let message = if message { CreateNamedPipe::READMODE_MESSAGE } else { 0 };
    message | if nowait { CreateNamedPipe::NOWAIT } else { 0 }
}

fn attribute(a: &Arguments<'_>, attribute: PipeAttribute) -> Found<Operation> {
    Ok(Call::GetNamedPipeAttribute { pipe: a.handle(0)?, attribute }.into())
}

fn duplicate(a: &Arguments<'_>) -> Found<Operation> {
    let own = |place| Ok(a.dword(place)? == u32::MAX);
    if !own(0)? || !own(2)? {
        return Err("between processes");
    }
    let options = a.dword(6)?;
    if options & 1 != 0 {
        return Err("with DUPLICATE_CLOSE_SOURCE");
    }
    let access = if options & 2 != 0 { None } else { Some(Access(a.dword(4)?)) };
    let (handle, inherit) = (a.handle(1)?, a.flag(5)?);
    Ok(Call::DuplicateHandle { handle, target: None, access, inherit }.into())
}

/// The handles that the server was asked to wait for.
fn waited(made: &Made<'_>, count: u32) -> Found<Vec<u64>> {
    let handles = made.requests("select").find_map(|request| {
        let list = request.fields.inner("data")?.list("handles")?;
        list.iter().map(|one| u64::from_str_radix(one, 16).ok()).collect::<Option<Vec<u64>>>()
    });
    let fits = handles.filter(|handles| handles.len() == count as usize);
    fits.ok_or("handles that are not in the log")
}

fn create_process(made: &Made<'_>, a: &Arguments<'_>) -> Found<Operation> {
    let request = made.request("new_process").ok_or("no new process")?;
    let answer = request.answer.as_ref().filter(|answer| answer.status.ok());
    let process = answer.and_then(|answer| answer.fields.hex("pid")).ok_or("no new process")?;
    let process = ProcessId(u32::try_from(process).map_err(|_| "no new process")?);
    let operation = Operation::from(Call::CreateProcess { process, inherit: a.flag(4)? });
    // A list says which handles are inherited; a trace cannot.
    let list = request.fields.get("handles").is_some_and(|list| list != "{}");
    Ok(if list { operation.unknown("inherit") } else { operation })
}

/// `ObjectAttributes` are pointed to, but the server is told what is in them.
fn object(request: &Request<'_>) -> Found<ObjectAttributes<u64>> {
    let inner = request.fields.inner("objattr");
    let fields = inner.as_ref().unwrap_or(&request.fields);
    let root = fields.hex("rootdir").filter(|root| *root != 0);
    let name = fields.text("name").or_else(|| fields.text("filename"));
    let name = name.ok_or("a name that is not in the log")?;
    let lower = name.to_ascii_lowercase();
    let pipe = ["\\??\\pipe", "\\device\\namedpipe", "\\dosdevices\\pipe"].iter().any(|start| {
        lower
            .strip_prefix(start)
            .is_some_and(|rest| matches!(rest.chars().next(), None | Some('\\')))
    });
    if root.is_none() && !pipe {
        return Err(OTHER);
    }
    let inherit = fields.hex("attributes").is_some_and(|bits| bits & INHERIT != 0);
    Ok(ObjectAttributes { root, name: Some(PipeName::new(&name)), inherit })
}

fn nt_create_named_pipe(made: &Made<'_>, a: &Arguments<'_>) -> Found<Operation> {
    let request = made.request("create_named_pipe").ok_or("nothing asked of the server")?;
    let timeout = request.fields.get("timeout").and_then(interval);
    let call = Call::NtCreateNamedPipeFile(NtCreateNamedPipeFile {
        attributes: Some(object(request)?),
        security: None,
        access: Access(a.dword(1)?),
        share: a.dword(4)?,
        disposition: a.dword(5)?,
        options: a.dword(6)?,
        pipe_type: a.dword(7)?,
        read_mode: a.dword(8)?,
        completion_mode: a.dword(9)?,
        max_instances: a.dword(10)?,
        inbound_quota: a.dword(11)?,
        outbound_quota: a.dword(12)?,
        default_timeout: timeout,
    });
    let mut operation = Operation::from(call);
    if timeout.is_none() {
        operation = operation.unknown("default_timeout");
    }
    if has_descriptor(request) {
        operation = operation.unknown("security");
    }
    Ok(operation)
}

/// `+0.0500000` seconds from now, in units of 100 ns and negative.
fn interval(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let (seconds, ticks) = text.strip_prefix('+')?.split_once('.')?;
    if ticks.len() != 7 {
        return None;
    }
    let ticks =
        seconds.parse::<i64>().ok()?.checked_mul(10_000_000)?.checked_add(ticks.parse().ok()?)?;
    ticks.checked_neg()
}

/// `NtCreateFile` and `NtOpenFile`: the places of access, share, disposition and options.
fn nt_open(made: &Made<'_>, a: &Arguments<'_>, places: [Option<usize>; 4]) -> Found<Operation> {
    let request = made.request("open_file_object").ok_or(OTHER)?;
    let attributes = Some(object(request)?);
    let at = |place: Option<usize>, other| place.map_or(Ok(other), |place| a.dword(place));
    Ok(Call::NtCreateFile(NtCreateFile {
        attributes,
        sqos: 0,
        access: Access(at(places[0], 0)?),
        share: at(places[1], 0)?,
        disposition: at(places[2], codes::disposition::OPEN)?,
        options: at(places[3], 0)?,
    })
    .into())
}

/// The first five arguments of the Nt functions that do I/O.
fn nt_delivery(a: &Arguments<'_>) -> Found<Delivery<u64>> {
    let event = Some(a.handle(1)?).filter(|event| *event != 0);
    Ok(Delivery::Nt { event, routine: a.given(2)?, context: a.given(3)? })
}

/// Such an operation is known by its context, else by its status block.
fn nt_name(a: &Arguments<'_>) -> Found<u64> {
    Ok(if a.given(3)? { a.pointer(3)? } else { a.pointer(4)? })
}

/// What is set is pointed to; the server is told of modes.
fn nt_set_information(made: &Made<'_>, a: &Arguments<'_>) -> Found<Operation> {
    let (file, class) = (a.handle(0)?, a.dword(4)?);
    if class != codes::file_class::PIPE {
        return Err("a class whose values are not in the log");
    }
    let request = made.request("set_named_pipe_info").ok_or("nothing asked of the server")?;
    let bits = request.fields.hex("flags").ok_or("nothing asked of the server")?;
    let mut input = Vec::new();
    input.extend(u32::from(bits & 2 != 0).to_le_bytes());
    input.extend(u32::from(bits & 4 != 0).to_le_bytes());
    Ok(Call::NtSetInformationFile { file, class, input: input.into() }.into())
}
