//! What std has in `std::os::windows`, on every platform.

#[doc(inline)]
pub use crate::os as windows;

pub mod ffi;
pub mod io;
