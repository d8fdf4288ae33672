//! What std has in `std::os::windows`, on every platform.

#[doc(inline)]
pub use self as windows;

pub mod ffi;
pub mod io;
