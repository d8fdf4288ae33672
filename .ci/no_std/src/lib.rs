//! Links the kernel without std.
//!
//! This library brings the two things that std would bring, a panic handler and an allocator.
//! Should the kernel, the vocabulary or one of their dependencies use std, then there are two
//! panic handlers and this does not compile. It needs no other target than the host's.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};

struct Nothing;

// SAFETY: a null pointer is the answer the trait demands when there is no memory; nothing is ever
// handed out, so nothing is ever given back.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Reaches into the kernel, so that it is linked.
#[unsafe(no_mangle)]
pub extern "C" fn npfs_no_std() -> usize {
    core::mem::size_of::<npfs_kernel::Kernel>()
}
