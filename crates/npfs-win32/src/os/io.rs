//! `std::os::windows::io`: handles that are owned and borrowed.
//!
//! A handle is a value of the simulated process that the calling thread is inside of
//! ([`crate::simulation`]); an [`OwnedHandle`] must be dropped inside the process that it is of,
//! as on Windows, where a thread cannot leave its process.

use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::{null_mut, without_provenance_mut};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use crate::handles;

/// `HANDLE`: the value of a handle, never followed.
pub type RawHandle = *mut c_void;

/// `INVALID_HANDLE_VALUE`
const INVALID: RawHandle = without_provenance_mut(usize::MAX);

/// What has a handle.
pub trait AsRawHandle {
    /// The handle; it stays with its owner.
    fn as_raw_handle(&self) -> RawHandle;
}

/// What can be made of a handle.
pub trait FromRawHandle {
    /// Takes a handle.
    ///
    /// # Safety
    /// The handle is open, and nobody else closes it.
    unsafe fn from_raw_handle(handle: RawHandle) -> Self;
}

/// What can be taken apart into its handle.
pub trait IntoRawHandle {
    /// Gives the handle, which the caller has to close.
    fn into_raw_handle(self) -> RawHandle;
}

/// What has a handle that can be borrowed.
pub trait AsHandle {
    /// The handle, for as long as its owner lives.
    fn as_handle(&self) -> BorrowedHandle<'_>;
}

/// A handle that is closed when this is dropped.
#[repr(transparent)]
pub struct OwnedHandle(RawHandle);

/// A handle that somebody else owns.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct BorrowedHandle<'a>(RawHandle, PhantomData<&'a OwnedHandle>);

/// What a function gives that has null for failure.
#[derive(Debug)]
#[repr(transparent)]
pub struct HandleOrNull(OwnedHandle);

/// What a function gives that has `INVALID_HANDLE_VALUE` for failure.
#[derive(Debug)]
#[repr(transparent)]
pub struct HandleOrInvalid(OwnedHandle);

/// The handle was null.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NullHandleError(());

/// The handle was `INVALID_HANDLE_VALUE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidHandleError(());

// SAFETY: a handle is a number that every thread of its process may use; it is not followed.
unsafe impl Send for OwnedHandle {}
// SAFETY: as above.
unsafe impl Sync for OwnedHandle {}
// SAFETY: as above.
unsafe impl Send for BorrowedHandle<'_> {}
// SAFETY: as above.
unsafe impl Sync for BorrowedHandle<'_> {}

impl BorrowedHandle<'_> {
    /// Borrows a handle.
    ///
    /// # Safety
    /// The handle stays open for as long as this lives.
    pub const unsafe fn borrow_raw(handle: RawHandle) -> Self {
        Self(handle, PhantomData)
    }

    /// A further handle to the same object.
    ///
    /// # Errors
    /// What `DuplicateHandle` fails with.
    pub fn try_clone_to_owned(&self) -> io::Result<OwnedHandle> {
        if self.0.is_null() {
            return Ok(OwnedHandle(null_mut()));
        }
        let code = match handles::duplicate_here(self.0) {
            Ok(handle) => return Ok(OwnedHandle(handle)),
            Err(code) => code,
        };
        Err(io::Error::from_raw_os_error(code as i32))
    }
}

impl OwnedHandle {
    /// A further handle to the same object.
    ///
    /// # Errors
    /// What `DuplicateHandle` fails with.
    pub fn try_clone(&self) -> io::Result<OwnedHandle> {
        self.as_handle().try_clone_to_owned()
    }
}

impl Drop for OwnedHandle {
    fn drop(&mut self) {
        handles::close_quietly(self.0);
    }
}

impl fmt::Debug for OwnedHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedHandle").field("handle", &self.0).finish()
    }
}

impl fmt::Debug for BorrowedHandle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowedHandle").field("handle", &self.0).finish()
    }
}

impl AsRawHandle for OwnedHandle {
    fn as_raw_handle(&self) -> RawHandle {
        self.0
    }
}

impl AsRawHandle for BorrowedHandle<'_> {
    fn as_raw_handle(&self) -> RawHandle {
        self.0
    }
}

impl AsRawHandle for RawHandle {
    fn as_raw_handle(&self) -> RawHandle {
        *self
    }
}

impl FromRawHandle for OwnedHandle {
    unsafe fn from_raw_handle(handle: RawHandle) -> OwnedHandle {
        OwnedHandle(handle)
    }
}

impl FromRawHandle for RawHandle {
    unsafe fn from_raw_handle(handle: RawHandle) -> RawHandle {
        handle
    }
}

impl IntoRawHandle for OwnedHandle {
    fn into_raw_handle(self) -> RawHandle {
        ManuallyDrop::new(self).0
    }
}

impl IntoRawHandle for RawHandle {
    fn into_raw_handle(self) -> RawHandle {
        self
    }
}

impl AsHandle for OwnedHandle {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        BorrowedHandle(self.0, PhantomData)
    }
}

impl AsHandle for BorrowedHandle<'_> {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        *self
    }
}

macro_rules! through {
    ($($pointer:ty),+) => {$(
        impl<T: AsHandle + ?Sized> AsHandle for $pointer {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                (**self).as_handle()
            }
        }
    )+};
}
through!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl HandleOrNull {
    /// Takes what a function gave.
    ///
    /// # Safety
    /// As [`FromRawHandle::from_raw_handle`], unless the handle is null.
    pub unsafe fn from_raw_handle(handle: RawHandle) -> HandleOrNull {
        HandleOrNull(OwnedHandle(handle))
    }
}

impl HandleOrInvalid {
    /// Takes what a function gave.
    ///
    /// # Safety
    /// As [`FromRawHandle::from_raw_handle`], unless the handle is `INVALID_HANDLE_VALUE`.
    pub unsafe fn from_raw_handle(handle: RawHandle) -> HandleOrInvalid {
        HandleOrInvalid(OwnedHandle(handle))
    }
}

impl TryFrom<HandleOrNull> for OwnedHandle {
    type Error = NullHandleError;
    fn try_from(handle: HandleOrNull) -> Result<OwnedHandle, NullHandleError> {
        let HandleOrNull(handle) = handle;
        if handle.0.is_null() { Err(NullHandleError(())) } else { Ok(handle) }
    }
}

impl TryFrom<HandleOrInvalid> for OwnedHandle {
    type Error = InvalidHandleError;
    fn try_from(handle: HandleOrInvalid) -> Result<OwnedHandle, InvalidHandleError> {
        let HandleOrInvalid(handle) = handle;
        if handle.0 == INVALID { Err(InvalidHandleError(())) } else { Ok(handle) }
    }
}

impl fmt::Display for NullHandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a null handle where one was wanted")
    }
}

impl fmt::Display for InvalidHandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("INVALID_HANDLE_VALUE where a handle was wanted")
    }
}

impl std::error::Error for NullHandleError {}
impl std::error::Error for InvalidHandleError {}
