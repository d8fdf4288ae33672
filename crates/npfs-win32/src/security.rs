//! Security descriptors in memory, and acting as oneself again.
//!
//! Both forms are read, self-relative and absolute (MS-DTYP 2.4.6). Of a DACL's entries those that
//! allow or deny count; a SACL is not read, as nothing here audits.

use ::core::ffi::c_void;

use npfs_abi::{Access, Ace, AceType, Call, Dacl, SecurityDescriptor, Sid, Status};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::core::BOOL;

use crate::call::truth;
use crate::memory::is_bad;
use crate::simulation::here;

/// `SE_DACL_PRESENT`
const DACL_PRESENT: u16 = 4;
/// `SE_SELF_RELATIVE`
const SELF_RELATIVE: u16 = 0x8000;

pub(crate) unsafe fn RevertToSelf() -> BOOL {
    truth(here().ask(&Call::RevertToSelf).status)
}

/// `bInheritHandle`; not for a null pointer.
///
/// # Safety
/// The pointer is null or to a whole structure.
pub(crate) unsafe fn inherits(attributes: *const SECURITY_ATTRIBUTES) -> bool {
    // SAFETY: the caller's promise.
    !is_bad(attributes) && unsafe { (*attributes).bInheritHandle } != 0
}

/// `bInheritHandle` and the descriptor.
///
/// # Errors
/// What Windows says of a descriptor that is none.
///
/// # Safety
/// The pointer is null or to a whole structure, whose descriptor is null or well formed.
pub unsafe fn attributes(
    attributes: *const SECURITY_ATTRIBUTES,
) -> Result<(bool, Option<SecurityDescriptor>), Status> {
    if is_bad(attributes) {
        return Ok((false, None));
    }
    // SAFETY: the caller's promise.
    unsafe {
        let inherit = inherits(attributes);
        let descriptor = descriptor((*attributes).lpSecurityDescriptor)?;
        Ok((inherit, descriptor))
    }
}

/// A descriptor in memory; `None` for a null pointer.
///
/// # Safety
/// The pointer is null or to a well-formed descriptor.
pub(crate) unsafe fn descriptor(at: *const c_void) -> Result<Option<SecurityDescriptor>, Status> {
    if at.is_null() {
        return Ok(None);
    }
    if is_bad(at) {
        return Err(Status::ACCESS_VIOLATION);
    }
    let at = at.cast::<u8>();
    // SAFETY: the caller's promise: revision, control word, and four parts.
    unsafe {
        if at.read() != 1 {
            return Err(Status::INVALID_PARAMETER);
        }
        let control = at.add(2).cast::<u16>().read_unaligned();
        let part = |place: usize| -> *const u8 {
            if control & SELF_RELATIVE == 0 {
                // After four bytes and padding: pointers.
                let first = size_of::<*const u8>().max(4);
                let field = at.add(first + place * size_of::<*const u8>());
                return field.cast::<*const u8>().read_unaligned();
            }
            match at.add(4 + 4 * place).cast::<u32>().read_unaligned() {
                0 => ::core::ptr::null(),
                offset => at.add(offset as usize),
            }
        };
        let sid_or_none = |at: *const u8| if at.is_null() { Ok(None) } else { sid(at).map(Some) };
        let list = part(3);
        let dacl = if control & DACL_PRESENT == 0 {
            Dacl::Absent
        } else if list.is_null() {
            Dacl::Null
        } else {
            Dacl::Entries(entries(list)?)
        };
        Ok(Some(SecurityDescriptor {
            owner: sid_or_none(part(0))?,
            group: sid_or_none(part(1))?,
            dacl,
        }))
    }
}

/// A SID in memory (MS-DTYP 2.4.2).
unsafe fn sid(at: *const u8) -> Result<Sid, Status> {
    // SAFETY: the caller's promise: revision, count, authority, and so many numbers.
    let text = unsafe {
        let (revision, count) = (at.read(), usize::from(at.add(1).read()));
        if revision != 1 || count > 15 {
            return Err(Status::INVALID_PARAMETER);
        }
        let authority =
            (2..8).fold(0u64, |number, place| number << 8 | u64::from(at.add(place).read()));
        (0..count).fold(format!("S-1-{authority}"), |text, place| {
            let number = at.add(8 + 4 * place).cast::<u32>().read_unaligned();
            format!("{text}-{number}")
        })
    };
    text.parse().map_err(|_| Status::INVALID_PARAMETER)
}

/// The entries of an ACL (MS-DTYP 2.4.5).
unsafe fn entries(at: *const u8) -> Result<Vec<Ace>, Status> {
    let mut list = Vec::new();
    // SAFETY: the caller's promise: a header of 8 bytes, then entries that say their size.
    unsafe {
        let size = usize::from(at.add(2).cast::<u16>().read_unaligned());
        let count = at.add(4).cast::<u16>().read_unaligned();
        let mut place = 8;
        for _ in 0..count {
            if place + 8 > size {
                return Err(Status::INVALID_PARAMETER);
            }
            let entry = at.add(place);
            let length = usize::from(entry.add(2).cast::<u16>().read_unaligned());
            if length < 8 || place + length > size {
                return Err(Status::INVALID_PARAMETER);
            }
            let ace_type = match entry.read() {
                0 => Some(AceType::Allow),
                1 => Some(AceType::Deny),
                _ => None,
            };
            if let Some(ace_type) = ace_type {
                let mask = Access(entry.add(4).cast::<u32>().read_unaligned());
                list.push(Ace { ace_type, mask, sid: sid(entry.add(8))? });
            }
            place += length;
        }
    }
    Ok(list)
}
