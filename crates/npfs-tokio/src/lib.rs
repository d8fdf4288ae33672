//! tokio's named pipes over the npfs simulator, type for type, on every platform.
//!
//! A program switches by one line:
//!
//! ```
//! #[cfg(not(windows))]
//! use npfs_tokio::net::windows::named_pipe::{ClientOptions, ServerOptions};
//! #[cfg(windows)]
//! use tokio::net::windows::named_pipe::{ClientOptions, ServerOptions};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # fn main() -> std::io::Result<()> {
//! # if cfg!(windows) || npfs_host::IS_MODEL { return Ok(()) }
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let mut server = ServerOptions::new().first_pipe_instance(true).create(r"\\.\pipe\greetings")?;
//! let greeter = tokio::spawn(async {
//!     let mut client = ClientOptions::new().open(r"\\.\pipe\greetings")?;
//!     client.write_all(b"hello").await?;
//!     client.read_u8().await
//! });
//! server.connect().await?;
//! let mut text = [0; 5];
//! server.read_exact(&mut text).await?;
//! server.write_u8(b'!').await?;
//! assert_eq!((&text, greeter.await??), (b"hello", b'!'));
//! # Ok::<_, std::io::Error>(())
//! # })
//! # }
//! ```
//!
//! [`net::windows::named_pipe`] has every type, method, trait and default of tokio 1.54, with the
//! habits that programs see of mio ([`Adapter`]). It depends on tokio's traits alone, so it is there
//! under `--cfg loom`, and works on every executor: on tokio's own, whose clock the program may
//! pause, and on that of [`task`], whose tasks the simulation knows and [`explore`] runs in every
//! order. `docs/tokio.md` tells the differences from tokio, all of them meant.
#![deny(unsafe_op_in_unsafe_fn)]

mod adapter;
mod end;
mod error;
pub mod explore;
pub mod io;
mod pipe;
mod readiness;
mod sync;
pub mod task;

pub use adapter::Adapter;
pub use npfs_host::{win32_code, win32_kind};

/// `tokio::net`
pub mod net {
    /// `tokio::net::windows`
    pub mod windows {
        pub mod named_pipe;
    }
}
