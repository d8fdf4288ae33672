//! A caller's `SECURITY_ATTRIBUTES`.

use std::ffi::c_void;

use npfs_abi::{SecurityDescriptor, Status};

use crate::error::Failure;

/// What the structure says.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) inherit: bool,
    pub(crate) descriptor: Option<SecurityDescriptor>,
}

/// `SECURITY_ATTRIBUTES`
#[repr(C)]
struct Raw {
    length: u32,
    descriptor: *mut c_void,
    inherit: i32,
}

/// Reads the structure; null is the default.
///
/// # Safety
/// `attributes` is null or points to a `SECURITY_ATTRIBUTES`.
pub(crate) unsafe fn read(attributes: *mut c_void) -> Result<Attributes, Failure> {
    if attributes.is_null() {
        return Ok(Attributes::default());
    }
    // SAFETY: the caller promises it; alignment is not asked for.
    let raw = unsafe { attributes.cast::<Raw>().read_unaligned() };
    if !raw.descriptor.is_null() {
        return Err(Failure::Status(Status::NOT_SUPPORTED));
    }
    Ok(Attributes { inherit: raw.inherit != 0, descriptor: None })
}
