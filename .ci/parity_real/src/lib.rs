//! Compiles the file that uses every item of tokio's named pipes against tokio itself.

#[cfg(not(windows))]
compile_error!("tokio has named pipes on Windows only: --target x86_64-pc-windows-gnu");

/// What `api.rs` is compiled against.
mod subject {
    pub use std::os;
    pub use tokio::{io, net};
}

#[path = "../../../crates/npfs-tokio/tests/parity/api.rs"]
pub mod api;
