//! `Win32::System::Pipes`: what is particular to pipes.

use ::core::ffi::c_void;
use ::core::ptr::null_mut;

use npfs_abi::{
    Access, Call, CompletionMode, Composite, CreateNamedPipe, End, HandleStateQuery, Output,
    PipeAttribute, PipeName, PipeType, ReadMode, Status,
};
use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_INSUFFICIENT_BUFFER, ERROR_MORE_DATA, ERROR_NOACCESS,
    ERROR_PATH_NOT_FOUND, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Pipes::{
    NAMED_PIPE_MODE, PIPE_NOWAIT, PIPE_READMODE_MESSAGE, PIPE_SERVER_END, PIPE_TYPE_MESSAGE,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR, PSTR, PWSTR};

use crate::call::{fail, handle, new_handle, raw, truth};
use crate::error;
use crate::memory::{Buffer, StringOut, bytes, is_bad, is_bad_buffer, narrow, put, wide};
use crate::security::{attributes, inherits};
use crate::simulation::here;

/// `FILE_CREATED`: the first instance of its name.
const CREATED: u32 = 2;

#[derive(Clone, Copy)]
pub(crate) struct Modes {
    open_mode: u32,
    pipe_mode: u32,
    max_instances: u32,
    out_buffer: u32,
    in_buffer: u32,
    default_timeout: u32,
}

unsafe fn create(
    name: Option<String>,
    modes: Modes,
    security: *const SECURITY_ATTRIBUTES,
) -> HANDLE {
    let Some(name) = name else {
        fail(ERROR_PATH_NOT_FOUND); // NAME-02
        return INVALID_HANDLE_VALUE;
    };
    // SAFETY: the caller gives null or a whole structure.
    let (inherit, security) = match unsafe { attributes(security) } {
        Ok(attributes) => attributes,
        Err(status) => {
            truth(status);
            return INVALID_HANDLE_VALUE;
        }
    };
    let reply = here().ask(&Call::CreateNamedPipe(CreateNamedPipe {
        name: PipeName::new(&name),
        open_mode: modes.open_mode,
        pipe_mode: modes.pipe_mode,
        max_instances: modes.max_instances,
        out_buffer: modes.out_buffer,
        in_buffer: modes.in_buffer,
        default_timeout: modes.default_timeout,
        inherit,
        security,
    }));
    let new = new_handle(&reply, INVALID_HANDLE_VALUE);
    if new != INVALID_HANDLE_VALUE {
        // CREATE-08
        error::set(if reply.information == CREATED { 0 } else { ERROR_ALREADY_EXISTS });
    }
    new
}

pub(crate) unsafe fn CreateNamedPipeW(
    name: PCWSTR,
    open_mode: u32,
    pipe_mode: NAMED_PIPE_MODE,
    max_instances: u32,
    out_buffer: u32,
    in_buffer: u32,
    default_timeout: u32,
    security: *const SECURITY_ATTRIBUTES,
) -> HANDLE {
    let modes =
        Modes { open_mode, pipe_mode, max_instances, out_buffer, in_buffer, default_timeout };
    // SAFETY: the caller gives null or a terminated string, and null or a whole structure.
    unsafe { create(wide(name), modes, security) }
}

pub(crate) unsafe fn CreateNamedPipeA(
    name: PCSTR,
    open_mode: u32,
    pipe_mode: NAMED_PIPE_MODE,
    max_instances: u32,
    out_buffer: u32,
    in_buffer: u32,
    default_timeout: u32,
    security: *const SECURITY_ATTRIBUTES,
) -> HANDLE {
    let modes =
        Modes { open_mode, pipe_mode, max_instances, out_buffer, in_buffer, default_timeout };
    // SAFETY: as in CreateNamedPipeW.
    unsafe { create(narrow(name), modes, security) }
}

pub(crate) unsafe fn ConnectNamedPipe(pipe: HANDLE, overlapped: *mut OVERLAPPED) -> BOOL {
    let call = |delivery| Call::ConnectNamedPipe { pipe: handle(pipe), delivery };
    // SAFETY: the caller gives null or an OVERLAPPED that lives until the end.
    unsafe { here().transfer(call, None, null_mut(), overlapped) }
}

pub(crate) unsafe fn DisconnectNamedPipe(pipe: HANDLE) -> BOOL {
    truth(here().ask(&Call::DisconnectNamedPipe { pipe: handle(pipe) }).status)
}

fn wait_named_pipe(name: Option<String>, timeout: u32) -> BOOL {
    let Some(name) = name else { return fail(ERROR_PATH_NOT_FOUND) };
    let name = PipeName::new(&name);
    truth(here().ask(&Call::WaitNamedPipe { name, timeout }).status)
}

pub(crate) unsafe fn WaitNamedPipeW(name: PCWSTR, timeout: u32) -> BOOL {
    // SAFETY: the caller gives null or a terminated string.
    wait_named_pipe(unsafe { wide(name) }, timeout)
}

pub(crate) unsafe fn WaitNamedPipeA(name: PCSTR, timeout: u32) -> BOOL {
    // SAFETY: as in WaitNamedPipeW.
    wait_named_pipe(unsafe { narrow(name) }, timeout)
}

pub(crate) unsafe fn PeekNamedPipe(
    pipe: HANDLE,
    buffer: *mut c_void,
    length: u32,
    read: *mut u32,
    available: *mut u32,
    left: *mut u32,
) -> BOOL {
    let reply = here().ask(&Call::PeekNamedPipe { pipe: handle(pipe), length });
    // PEEK-05, PEEK-16: a failure touches nothing, and more data is no failure.
    if let Output::Peek(peek) = reply.output {
        if is_bad_buffer(buffer, peek.data.size()) {
            return fail(ERROR_NOACCESS);
        }
        // SAFETY: the caller gives so much room, and null or writable numbers.
        unsafe {
            put(read, peek.data.size());
            put(available, peek.available);
            put(left, peek.left);
            Buffer::new(buffer, length).fill(&Output::Data(peek.data));
        }
        return 1;
    }
    truth(reply.status)
}

pub(crate) unsafe fn TransactNamedPipe(
    pipe: HANDLE,
    input: *const c_void,
    input_length: u32,
    output: *mut c_void,
    output_length: u32,
    read: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    let place = here();
    let buffer = Buffer::new(output, output_length);
    if is_bad_buffer(input, input_length) || buffer.is_bad() {
        return truth(place.refuse_buffer(pipe, Access::READ_DATA.with(Access::WRITE_DATA)));
    }
    // SAFETY: the caller gives so many bytes to read.
    let data = unsafe { bytes(input, input_length) };
    let call = |delivery| Call::TransactNamedPipe {
        pipe: handle(pipe),
        data,
        length: output_length,
        delivery,
    };
    // SAFETY: the caller leaves buffer and OVERLAPPED to the system until the end.
    unsafe { place.transfer(call, Some(buffer), read, overlapped) }
}

unsafe fn call_named_pipe(
    name: Option<String>,
    request: (*const c_void, u32),
    reply: (*mut c_void, u32),
    read: *mut u32,
    timeout: u32,
) -> BOOL {
    let Some(name) = name else { return fail(ERROR_PATH_NOT_FOUND) };
    let (input, length) = request;
    let buffer = Buffer::new(reply.0, reply.1);
    if is_bad_buffer(input, length) || buffer.is_bad() {
        return fail(ERROR_NOACCESS);
    }
    // SAFETY: the caller gives so many bytes to read.
    let data = unsafe { bytes(input, length) };
    let name = PipeName::new(&name);
    let answer =
        here().composite(Composite::CallNamedPipe { name, data, length: reply.1, timeout });
    // SAFETY: the caller gives so much room, and null or a writable number; the call is over.
    unsafe {
        buffer.fill(&answer.output);
        put(read, if answer.status.is_error() { 0 } else { answer.information });
    }
    truth(answer.status)
}

pub(crate) unsafe fn CallNamedPipeW(
    name: PCWSTR,
    input: *const c_void,
    input_length: u32,
    output: *mut c_void,
    output_length: u32,
    read: *mut u32,
    timeout: u32,
) -> BOOL {
    // SAFETY: the caller gives null or a terminated string, and buffers of these lengths.
    unsafe {
        call_named_pipe(wide(name), (input, input_length), (output, output_length), read, timeout)
    }
}

pub(crate) unsafe fn CallNamedPipeA(
    name: PCSTR,
    input: *const c_void,
    input_length: u32,
    output: *mut c_void,
    output_length: u32,
    read: *mut u32,
    timeout: u32,
) -> BOOL {
    // SAFETY: as in CallNamedPipeW.
    unsafe {
        call_named_pipe(narrow(name), (input, input_length), (output, output_length), read, timeout)
    }
}

pub(crate) unsafe fn SetNamedPipeHandleState(
    pipe: HANDLE,
    mode: *const NAMED_PIPE_MODE,
    collection_count: *const u32,
    collect_timeout: *const u32,
) -> BOOL {
    let given = |pointer: *const u32| {
        // SAFETY: the caller gives null or a readable number.
        (!pointer.is_null()).then(|| unsafe { pointer.read_unaligned() })
    };
    let call = Call::SetNamedPipeHandleState {
        pipe: handle(pipe),
        mode: given(mode),
        collection_count: given(collection_count),
        collect_timeout: given(collect_timeout),
    };
    truth(here().ask(&call).status)
}

unsafe fn handle_state(
    pipe: HANDLE,
    mode: *mut NAMED_PIPE_MODE,
    instances: *mut u32,
    collection_count: *mut u32,
    collect_timeout: *mut u32,
    user: StringOut,
) -> BOOL {
    let query = HandleStateQuery {
        collection_count: !collection_count.is_null(),
        collect_timeout: !collect_timeout.is_null(),
        user: !user.is_null(),
    };
    let reply = here().ask(&Call::GetNamedPipeHandleState { pipe: handle(pipe), query });
    let Output::State(state) = reply.output else { return truth(reply.status) };
    let message = state.read_mode == ReadMode::Message;
    let nowait = state.completion_mode == CompletionMode::Complete;
    let flags =
        if message { PIPE_READMODE_MESSAGE } else { 0 } | if nowait { PIPE_NOWAIT } else { 0 };
    // SAFETY: the caller gives null or writable numbers, and room as it says.
    unsafe {
        if let Some(name) = &state.user {
            if user.write(name).is_err() {
                return fail(ERROR_INSUFFICIENT_BUFFER);
            }
        }
        put(mode, flags);
        put(instances, state.instances);
        put(collection_count, state.collection_count.unwrap_or(0));
        put(collect_timeout, state.collect_timeout.unwrap_or(0));
    }
    1
}

pub(crate) unsafe fn GetNamedPipeHandleStateW(
    pipe: HANDLE,
    mode: *mut NAMED_PIPE_MODE,
    instances: *mut u32,
    collection_count: *mut u32,
    collect_timeout: *mut u32,
    user: PWSTR,
    user_length: u32,
) -> BOOL {
    let user = StringOut::Wide(user, user_length);
    // SAFETY: the caller gives null or writable numbers, and room as it says.
    unsafe { handle_state(pipe, mode, instances, collection_count, collect_timeout, user) }
}

pub(crate) unsafe fn GetNamedPipeHandleStateA(
    pipe: HANDLE,
    mode: *mut NAMED_PIPE_MODE,
    instances: *mut u32,
    collection_count: *mut u32,
    collect_timeout: *mut u32,
    user: PSTR,
    user_length: u32,
) -> BOOL {
    let user = StringOut::Narrow(user, user_length);
    // SAFETY: as in GetNamedPipeHandleStateW.
    unsafe { handle_state(pipe, mode, instances, collection_count, collect_timeout, user) }
}

pub(crate) unsafe fn GetNamedPipeInfo(
    pipe: HANDLE,
    flags: *mut NAMED_PIPE_MODE,
    out_buffer: *mut u32,
    in_buffer: *mut u32,
    max_instances: *mut u32,
) -> BOOL {
    let reply = here().ask(&Call::GetNamedPipeInfo { pipe: handle(pipe) });
    let Output::Info(info) = reply.output else { return truth(reply.status) };
    let server = if info.end == End::Server { PIPE_SERVER_END } else { 0 };
    let message = if info.pipe_type == PipeType::Message { PIPE_TYPE_MESSAGE } else { 0 };
    // SAFETY: the caller gives null or writable numbers.
    unsafe {
        put(flags, server | message);
        put(out_buffer, info.out_buffer);
        put(in_buffer, info.in_buffer);
        put(max_instances, info.max_instances);
    }
    1
}

unsafe fn number(pipe: HANDLE, attribute: PipeAttribute, number: *mut u32) -> BOOL {
    if is_bad(number) {
        return fail(ERROR_INSUFFICIENT_BUFFER); // PID-02
    }
    let reply = here().ask(&Call::GetNamedPipeAttribute { pipe: handle(pipe), attribute });
    let Output::Number(value) = reply.output else { return truth(reply.status) };
    // SAFETY: the caller gives a writable number.
    unsafe { put(number, value as u32) };
    1
}

pub(crate) unsafe fn GetNamedPipeClientProcessId(pipe: HANDLE, id: *mut u32) -> BOOL {
    // SAFETY: the caller gives a writable number.
    unsafe { number(pipe, PipeAttribute::ClientProcessId, id) }
}

pub(crate) unsafe fn GetNamedPipeServerProcessId(pipe: HANDLE, id: *mut u32) -> BOOL {
    // SAFETY: the caller gives a writable number.
    unsafe { number(pipe, PipeAttribute::ServerProcessId, id) }
}

pub(crate) unsafe fn GetNamedPipeClientSessionId(pipe: HANDLE, id: *mut u32) -> BOOL {
    // SAFETY: the caller gives a writable number.
    unsafe { number(pipe, PipeAttribute::ClientSessionId, id) }
}

pub(crate) unsafe fn GetNamedPipeServerSessionId(pipe: HANDLE, id: *mut u32) -> BOOL {
    // SAFETY: the caller gives a writable number.
    unsafe { number(pipe, PipeAttribute::ServerSessionId, id) }
}

unsafe fn computer_name(pipe: HANDLE, name: StringOut) -> BOOL {
    let attribute = PipeAttribute::ClientComputerName;
    let reply = here().ask(&Call::GetNamedPipeAttribute { pipe: handle(pipe), attribute });
    let Output::Text(text) = reply.output else { return truth(reply.status) };
    // SAFETY: the caller gives room as it says.
    match unsafe { name.write(&text) } {
        Ok(_) => 1,
        Err(_) => fail(ERROR_MORE_DATA),
    }
}

pub(crate) unsafe fn GetNamedPipeClientComputerNameW(
    pipe: HANDLE,
    name: PWSTR,
    length: u32,
) -> BOOL {
    // SAFETY: the caller gives room for `length` bytes.
    unsafe { computer_name(pipe, StringOut::Wide(name, length / 2)) }
}

pub(crate) unsafe fn GetNamedPipeClientComputerNameA(
    pipe: HANDLE,
    name: PSTR,
    length: u32,
) -> BOOL {
    // SAFETY: the caller gives room for `length` bytes.
    unsafe { computer_name(pipe, StringOut::Narrow(name, length)) }
}

pub(crate) unsafe fn ImpersonateNamedPipeClient(pipe: HANDLE) -> BOOL {
    truth(here().ask(&Call::ImpersonateNamedPipeClient { pipe: handle(pipe) }).status)
}

pub(crate) unsafe fn CreatePipe(
    read: *mut HANDLE,
    write: *mut HANDLE,
    security: *const SECURITY_ATTRIBUTES,
    size: u32,
) -> BOOL {
    if is_bad(read) || is_bad(write) {
        return fail(ERROR_NOACCESS);
    }
    // SAFETY: the caller gives null or a whole structure.
    let inherit = unsafe { inherits(security) };
    let reply = here().ask(&Call::CreatePipe { size, inherit });
    let Output::Handles(reader, writer) = reply.output else { return truth(reply.status) };
    // SAFETY: the caller gives two places for handles.
    unsafe {
        put(read, raw(reader));
        put(write, raw(writer));
    }
    debug_assert_eq!(reply.status, Status::SUCCESS);
    1
}
