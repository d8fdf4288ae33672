//! Every item of tokio's named pipes, used once with its exact type.
//!
//! Each `let` says the type that it wants; functions are taken as values of a written type where
//! that is possible, so that a parameter of another type does not compile either.

use std::ffi::{OsStr, OsString, c_void};
use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
use std::io::{self, IoSlice, IoSliceMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use super::subject::io::{Interest, Ready};
use super::subject::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, PipeEnd, PipeInfo, PipeMode, ServerOptions,
};
use super::subject::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, RawHandle};

/// Values that only a runtime can give.
pub struct Ends {
    server: NamedPipeServer,
    client: NamedPipeClient,
    handle: RawHandle,
}

/// The traits of every type.
pub fn traits() {
    fn end<T>()
    where
        T: AsyncRead + AsyncWrite + AsRawHandle + AsHandle + Debug,
        T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static,
    {
    }
    end::<NamedPipeServer>();
    end::<NamedPipeClient>();
    fn options<T: Debug + Clone + Default + Send + Sync + Unpin + UnwindSafe>() {}
    options::<ServerOptions>();
    options::<ClientOptions>();
    fn value<T: Debug + Clone + Copy + PartialEq + Eq + Hash + Send + Sync + Unpin>() {}
    value::<PipeMode>();
    value::<PipeEnd>();
    fn info<T: Debug + Clone + Send + Sync + Unpin>() {}
    info::<PipeInfo>();
    fn interest<T: Debug + Clone + Copy + PartialEq + Eq + Send + Sync + Unpin>() {}
    interest::<Interest>();
    fn ready<T: Debug + Clone + Copy + PartialEq + Eq + PartialOrd + Ord + Send + Sync>() {}
    ready::<Ready>();
}

/// Modes, ends, interests, readiness.
pub fn constants() {
    // Both enums may grow, so a match needs the last arm.
    let mode = |mode: PipeMode| match mode {
        PipeMode::Byte => 0,
        PipeMode::Message => 1,
        _ => 2,
    };
    let end = |end: PipeEnd| match end {
        PipeEnd::Client => 0,
        PipeEnd::Server => 1,
        _ => 2,
    };
    assert_eq!((mode(PipeMode::Byte), mode(PipeMode::Message)), (0, 1));
    assert_eq!((end(PipeEnd::Client), end(PipeEnd::Server)), (0, 1));

    const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
    const PARTS: [bool; 3] = [BOTH.is_readable(), BOTH.is_writable(), BOTH.is_error()];
    assert_eq!(PARTS, [true, true, false]);
    let mut interest: Interest = Interest::READABLE | Interest::WRITABLE;
    assert_eq!(interest, BOTH);
    interest |= Interest::ERROR;
    let rest: Option<Interest> = interest.remove(BOTH);
    assert_eq!(rest, Some(Interest::ERROR));
    assert_eq!(Interest::READABLE.remove(Interest::READABLE), None);
    assert_eq!(format!("{interest:?}"), "READABLE | WRITABLE | ERROR");

    let mut ready: Ready = Ready::READABLE | Ready::READ_CLOSED;
    ready |= Ready::WRITABLE;
    let parts: [bool; 6] = [
        ready.is_empty(),
        ready.is_readable(),
        ready.is_writable(),
        ready.is_read_closed(),
        ready.is_write_closed(),
        ready.is_error(),
    ];
    assert_eq!(parts, [false, true, true, true, false, false]);
    assert_eq!(ready & Ready::WRITABLE, Ready::WRITABLE);
    assert_eq!(ready - Ready::ALL, Ready::EMPTY);
    assert!(Ready::WRITE_CLOSED.is_writable() && Ready::ERROR.is_error());
    assert!(Ready::EMPTY < Ready::READABLE && Ready::READABLE < Ready::ALL);
    assert_eq!(
        format!("{:?}", Ready::READABLE),
        "Ready { is_readable: true, is_writable: false, is_read_closed: false, \
         is_write_closed: false, is_error: false }"
    );
}

/// Every setter of the options: each takes `&mut self` and gives it back.
pub fn options() {
    let mut server: ServerOptions = ServerOptions::new();
    let set: &mut ServerOptions = server
        .pipe_mode(PipeMode::Message)
        .access_inbound(true)
        .access_outbound(true)
        .first_pipe_instance(true)
        .write_dac(false)
        .write_owner(false)
        .access_system_security(false)
        .reject_remote_clients(true)
        .max_instances(7_usize)
        .out_buffer_size(1_u32)
        .in_buffer_size(2_u32);
    let _: ServerOptions = set.clone();
    let _: fn(&mut ServerOptions, usize) -> &mut ServerOptions = ServerOptions::max_instances;

    let mut client: ClientOptions = ClientOptions::new();
    let set: &mut ClientOptions =
        client.read(true).write(true).security_qos_flags(0_u32).pipe_mode(PipeMode::Message);
    let _: ClientOptions = set.clone();

    // Names are whatever is an `OsStr`.
    let _: fn(&ServerOptions, &str) -> io::Result<NamedPipeServer> = |o, name| o.create(name);
    let _: fn(&ServerOptions, &OsStr) -> io::Result<NamedPipeServer> = |o, name| o.create(name);
    let _: fn(&ServerOptions, String) -> io::Result<NamedPipeServer> = |o, name| o.create(name);
    let _: fn(&ClientOptions, OsString) -> io::Result<NamedPipeClient> = |o, name| o.open(name);
    let _: unsafe fn(&ServerOptions, &'static str, *mut c_void) -> io::Result<NamedPipeServer> =
        ServerOptions::create_with_security_attributes_raw;
    let _: unsafe fn(&ClientOptions, &'static str, *mut c_void) -> io::Result<NamedPipeClient> =
        ClientOptions::open_with_security_attributes_raw;
}

fn sent<T>(future: impl Future<Output = io::Result<T>> + Send) {
    drop(future);
}

/// What both ends have, of one of them.
macro_rules! end {
    ($type:ty, $end:expr, $handle:expr) => {{
        let end: &$type = &$end;
        let _: fn(&$type) -> io::Result<PipeInfo> = <$type>::info;
        let _: unsafe fn(RawHandle) -> io::Result<$type> = <$type>::from_raw_handle;
        let _: fn(&$type, &mut Context<'_>) -> Poll<io::Result<()>> = <$type>::poll_read_ready;
        let _: fn(&$type, &mut Context<'_>) -> Poll<io::Result<()>> = <$type>::poll_write_ready;
        let _: fn(&$type, &mut [u8]) -> io::Result<usize> = <$type>::try_read;
        let _: fn(&$type, &mut [IoSliceMut<'_>]) -> io::Result<usize> = <$type>::try_read_vectored;
        let _: fn(&$type, &mut Vec<u8>) -> io::Result<usize> = <$type>::try_read_buf::<Vec<u8>>;
        let _: fn(&$type, &[u8]) -> io::Result<usize> = <$type>::try_write;
        let _: fn(&$type, &[IoSlice<'_>]) -> io::Result<usize> = <$type>::try_write_vectored;
        let _: io::Result<u8> = end.try_io(Interest::READABLE, || Ok(1_u8));
        sent::<Ready>(end.ready(Interest::READABLE));
        sent::<()>(end.readable());
        sent::<()>(end.writable());
        sent::<u8>(end.async_io(Interest::WRITABLE, || Ok(1_u8)));
        let _: RawHandle = end.as_raw_handle();
        let _: BorrowedHandle<'_> = end.as_handle();
        if let Ok(PipeInfo { mode, end, max_instances, out_buffer_size, in_buffer_size, .. }) =
            end.info()
        {
            let _: (PipeMode, PipeEnd) = (mode, end);
            let _: [u32; 3] = [max_instances, out_buffer_size, in_buffer_size];
        }
        // SAFETY: never run.
        let _: io::Result<$type> = unsafe { <$type>::from_raw_handle($handle) };
    }};
}

/// Every method of the two ends. Compiled only.
pub fn ends(ends: Ends) {
    let Ends { server, client, handle } = ends;
    end!(NamedPipeServer, server, handle);
    end!(NamedPipeClient, client, handle);
    sent::<()>(server.connect());
    let _: fn(&NamedPipeServer) -> io::Result<()> = NamedPipeServer::disconnect;
    // The halves of `split` may go to other threads.
    let (read, write) = tokio::io::split(client);
    fn half<T: Send + Sync + Unpin + 'static>(_: T) {}
    half(read);
    half(write);
    let _: bool = server.is_write_vectored();
}
