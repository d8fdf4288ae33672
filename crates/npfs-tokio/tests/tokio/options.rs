//! How ends are made and what for: directions, instances, rights, handles. As in `usage.rs`, in the
//! default simulation.

use std::ffi::c_void;
use std::io;

use npfs_tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, PipeEnd, PipeMode, ServerOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BUSY: Option<i32> = Some(231);

/// Each direction alone: a server may connect although it must not read or not write.
#[tokio::test]
async fn access_in_each_direction() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-access";
    for (inbound, outbound) in [(true, true), (true, false), (false, true)] {
        let server =
            ServerOptions::new().access_inbound(inbound).access_outbound(outbound).create(NAME)?;
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let server = tokio::spawn(async move {
            let mut connect = Box::pin(server.connect());
            let first =
                std::future::poll_fn(|cx| std::task::Poll::Ready(connect.as_mut().poll(cx)));
            assert!(first.await.is_pending());
            ready.send(()).expect("the test waits");
            connect.await
        });
        is_ready.await.expect("the server connects");
        if inbound != outbound {
            let refused = ClientOptions::new().read(!outbound).write(!inbound).open(NAME);
            assert_eq!(refused.expect_err("refused").kind(), io::ErrorKind::PermissionDenied);
        }
        let client = ClientOptions::new().read(outbound).write(inbound).open(NAME)?;
        server.await??;
        drop(client);
    }
    let neither = ServerOptions::new().access_inbound(false).access_outbound(false).create(NAME);
    assert_eq!(neither.expect_err("no direction").kind(), io::ErrorKind::InvalidInput);
    Ok(())
}

/// Reading and writing against the direction.
#[tokio::test]
async fn a_missing_direction_is_denied() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-direction";
    let mut server = ServerOptions::new().access_outbound(false).create(NAME)?;
    let mut client = ClientOptions::new().read(false).open(NAME)?;
    server.connect().await?;
    let denied = Err(io::ErrorKind::PermissionDenied);
    assert_eq!(server.write(b"x").await.map_err(|error| error.kind()), denied);
    assert_eq!(client.read(&mut [0; 1]).await.map_err(|error| error.kind()), denied);
    client.write_all(b"x").await?;
    assert_eq!(server.read(&mut [0; 4]).await?, 1);
    Ok(())
}

#[tokio::test]
async fn info_of_both_ends() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-info";
    let server = ServerOptions::new()
        .pipe_mode(PipeMode::Message)
        .max_instances(5)
        .in_buffer_size(100)
        .out_buffer_size(200)
        .create(NAME)?;
    let client = ClientOptions::new().open(NAME)?;
    let (of_server, of_client) = (server.info()?, client.info()?);
    assert_eq!((of_server.end, of_client.end), (PipeEnd::Server, PipeEnd::Client));
    assert_eq!((of_server.mode, of_client.mode), (PipeMode::Message, PipeMode::Message));
    assert_eq!((of_server.max_instances, of_client.max_instances), (5, 5));
    assert_eq!((of_server.in_buffer_size, of_server.out_buffer_size), (100, 200));
    let defaults = ServerOptions::new().create(r"\\.\pipe\usage-info-defaults")?.info()?;
    assert_eq!(defaults.mode, PipeMode::Byte);
    assert_eq!(defaults.max_instances, 255);
    assert_eq!((defaults.in_buffer_size, defaults.out_buffer_size), (65_536, 65_536));
    Ok(())
}

/// `first_pipe_instance`, as a lock: denied while any instance lives, also one that is not first.
#[tokio::test]
async fn the_first_instance() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-first";
    let first = ServerOptions::new().first_pipe_instance(true).create(NAME)?;
    let second = ServerOptions::new().create(NAME)?;
    let denied = io::ErrorKind::PermissionDenied;
    for _ in 0..2 {
        let again = ServerOptions::new().first_pipe_instance(true).create(NAME);
        assert_eq!(again.expect_err("there is one").kind(), denied);
    }
    drop(first);
    let again = ServerOptions::new().first_pipe_instance(true).create(NAME);
    assert_eq!(again.expect_err("there is one still").kind(), denied);
    drop(second);
    ServerOptions::new().first_pipe_instance(true).create(NAME)?;
    Ok(())
}

/// `max_instances` is what the first instance said.
#[tokio::test]
async fn more_instances_than_allowed() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-max-instances";
    let mut options = ServerOptions::new();
    options.max_instances(2);
    let one = options.create(NAME)?;
    let _two = options.create(NAME)?;
    assert_eq!(options.create(NAME).expect_err("two exist").raw_os_error(), BUSY);
    options.max_instances(100);
    assert_eq!(options.create(NAME).expect_err("two exist").raw_os_error(), BUSY);
    drop(one);
    options.create(NAME)?;
    Ok(())
}

#[test]
#[should_panic(expected = "254")]
fn more_than_254_instances_cannot_be_asked_for() {
    ServerOptions::new().max_instances(255);
}

#[tokio::test]
async fn nobody_serves_the_name() {
    let error = ClientOptions::new().open(r"\\.\pipe\usage-nobody").expect_err("no such pipe");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(npfs_tokio::win32_code(&error), Some(2));
}

/// A handle of an end, and an end of a handle.
#[tokio::test]
async fn handles() -> io::Result<()> {
    use npfs_win32::os::windows::io::{AsHandle, AsRawHandle, IntoRawHandle};
    const NAME: &str = r"\\.\pipe\usage-handles";
    let server = ServerOptions::new().create(NAME)?;
    let client = ClientOptions::new().open(NAME)?;
    server.connect().await?;
    let borrowed = client.as_handle();
    assert_eq!(borrowed.as_raw_handle(), client.as_raw_handle());
    let other = borrowed.try_clone_to_owned()?;
    drop(client);
    // SAFETY: the handle was just given away.
    let mut client = unsafe { NamedPipeClient::from_raw_handle(other.into_raw_handle()) }?;
    client.write_all(b"still here").await?;
    let mut server = server;
    assert_eq!(server.read(&mut [0; 64]).await?, 10);
    // SAFETY: there is no such handle, which is found out.
    let nothing = unsafe { NamedPipeServer::from_raw_handle(std::ptr::null_mut()) };
    assert_eq!(npfs_tokio::win32_code(&nothing.expect_err("no handle")), Some(6));
    Ok(())
}

/// A `SECURITY_ATTRIBUTES` whose access list lets nobody in, and one that only inherits.
#[tokio::test]
async fn security_attributes() -> io::Result<()> {
    const NAME: &str = r"\\.\pipe\usage-security";
    #[repr(C)]
    struct SecurityAttributes {
        length: u32,
        descriptor: *const c_void,
        inherit: i32,
    }
    // A self-relative descriptor: no owner, no group, at 20 an access list without entries.
    let mut descriptor = [0_u8; 28];
    descriptor[0] = 1;
    descriptor[2..4].copy_from_slice(&0x8004_u16.to_le_bytes());
    descriptor[16..20].copy_from_slice(&20_u32.to_le_bytes());
    descriptor[20..28].copy_from_slice(&[2, 0, 8, 0, 0, 0, 0, 0]);
    let create = |options: &ServerOptions, descriptor: *const c_void| {
        let length = size_of::<SecurityAttributes>() as u32;
        let mut attributes = SecurityAttributes { length, descriptor, inherit: 1 };
        let attributes = (&raw mut attributes).cast();
        // SAFETY: the structure and its descriptor are as Windows wants them.
        unsafe { options.create_with_security_attributes_raw(NAME, attributes) }
    };
    let closed = create(&ServerOptions::new(), descriptor.as_ptr().cast())?;
    let denied = ClientOptions::new().open(NAME).expect_err("nobody may");
    assert_eq!(denied.kind(), io::ErrorKind::PermissionDenied);
    drop(closed);
    let _open = create(&ServerOptions::new(), std::ptr::null())?;
    let mut inherits = SecurityAttributes {
        length: size_of::<SecurityAttributes>() as u32,
        descriptor: std::ptr::null(),
        inherit: 1,
    };
    // SAFETY: as above.
    unsafe {
        ClientOptions::new()
            .open_with_security_attributes_raw(NAME, (&raw mut inherits).cast())
            .map(drop)
    }
}
