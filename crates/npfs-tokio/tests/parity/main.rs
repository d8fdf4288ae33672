//! The shim's half of the parity check: `api.rs` uses the whole API, and compiles against this
//! crate here and against tokio, for Windows, in `.ci/parity`. If either changes a name, a type, a
//! trait or a default, one of the two builds fails.
#![cfg(not(any(loom, shuttle)))]

/// What `api.rs` is compiled against.
mod subject {
    pub use npfs_tokio::{io, net};
    pub use npfs_win32::os;
}

mod api;

/// Every call of the file is compiled, and those that need no runtime run.
#[test]
fn the_whole_api_compiles_and_its_constants_agree() {
    api::constants();
    api::options();
    let _ = (api::traits as fn(), api::ends as fn(api::Ends));
}
