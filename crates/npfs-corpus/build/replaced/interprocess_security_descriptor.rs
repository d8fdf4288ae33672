//! In place of the module that builds security descriptors, which is no pipe code: there are none.

use std::marker::PhantomData;

use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;

/// A security descriptor, of which there is none.
#[derive(Clone, Debug)]
pub enum SecurityDescriptor {}

/// The same, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct BorrowedSecurityDescriptor<'a>(PhantomData<&'a ()>);

impl SecurityDescriptor {
    pub fn borrow(&self) -> BorrowedSecurityDescriptor<'_> {
        match *self {}
    }
}

/// Security attributes without a descriptor.
pub(super) fn create_security_attributes(
    _: Option<BorrowedSecurityDescriptor<'_>>,
    inheritable: bool,
) -> SECURITY_ATTRIBUTES {
    SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: std::ptr::null_mut(),
        bInheritHandle: i32::from(inheritable),
    }
}
