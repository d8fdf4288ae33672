//! `std::sync::Arc` that remembers what it was.
//!
//! Memory stays until the run is over. So a use after the last reference has gone is seen and told,
//! where with std it would be undefined behaviour; and when the last reference goes while an
//! OVERLAPPED inside belongs to an operation, that is told too.

use std::alloc::Layout;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{offset_of, ManuallyDrop};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::stage::{self, Symptom};
use crate::surface::operations;

/// `std::sync::Arc`, without weak references.
pub struct Arc<T> {
    block: NonNull<Block<T>>,
    owns: PhantomData<T>,
}

#[repr(C)]
struct Block<T> {
    references: AtomicUsize,
    value: ManuallyDrop<T>,
}

// SAFETY: as for the Arc of std: it hands out shared references and drops the value anywhere.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}
impl<T> Unpin for Arc<T> {}

/// The type's own name.
fn name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}

impl<T> Arc<T> {
    /// The first reference.
    pub fn new(value: T) -> Arc<T> {
        let block = Block { references: AtomicUsize::new(1), value: ManuallyDrop::new(value) };
        let block = NonNull::from(Box::leak(Box::new(block)));
        Arc { block, owns: PhantomData }
    }

    /// As in std.
    ///
    /// # Safety
    /// `value` is from [`Arc::into_raw`], or points to the value of an `Arc` that was forgotten.
    /// Here it may be one too many: that is told.
    pub unsafe fn from_raw(value: *const T) -> Arc<T> {
        // SAFETY: the value lies in a block, whose memory stays until the run is over.
        let block = unsafe { value.byte_sub(offset_of!(Block<T>, value)) };
        let block = block.cast_mut().cast::<Block<T>>();
        let block = NonNull::new(block).expect("a value is not at null");
        let arc = Arc { block, owns: PhantomData };
        if arc.is_dead() {
            let arc = ManuallyDrop::new(arc);
            arc.tell("taken back");
        }
        arc
    }

    /// As in std.
    #[allow(dead_code)]
    pub fn into_raw(this: Arc<T>) -> *const T {
        let this = ManuallyDrop::new(this);
        // SAFETY: the memory stays until the run is over; no reference is made.
        unsafe { (&raw const (*this.block.as_ptr()).value).cast() }
    }

    /// As in std.
    pub fn try_unwrap(this: Arc<T>) -> Result<T, Arc<T>> {
        stage::switch();
        if this.references().load(Ordering::SeqCst) != 1 {
            return Err(this);
        }
        let this = ManuallyDrop::new(this);
        this.references().store(0, Ordering::SeqCst);
        let block = this.block.as_ptr();
        // SAFETY: this was the only reference, and the count stays at nought.
        let value = unsafe { ManuallyDrop::take(&mut (*block).value) };
        stage::free_later(block.cast(), Layout::new::<Block<T>>());
        Ok(value)
    }

    /// As in std.
    pub fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool {
        this.block == other.block
    }

    /// As in std.
    pub fn strong_count(this: &Arc<T>) -> usize {
        stage::switch();
        this.references().load(Ordering::SeqCst)
    }

    fn references(&self) -> &AtomicUsize {
        // SAFETY: the memory stays until the run is over, and the count is never dropped.
        unsafe { &(*self.block.as_ptr()).references }
    }

    fn is_dead(&self) -> bool {
        self.references().load(Ordering::SeqCst) == 0
    }

    /// Tells that the value was used when it was no more, and unwinds.
    fn tell(&self, how: &str) -> ! {
        stage::tell(Symptom::UseAfterFree(format!(
            "{} {how} after its last reference",
            name::<T>()
        )));
        stage::give_up()
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Arc<T> {
        stage::switch();
        if self.is_dead() {
            self.tell("cloned");
        }
        self.references().fetch_add(1, Ordering::SeqCst);
        Arc { block: self.block, owns: PhantomData }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        if self.is_dead() {
            self.tell("used");
        }
        // SAFETY: the value is dropped with the last reference, which is not gone.
        unsafe { &(*self.block.as_ptr()).value }
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        stage::switch();
        if self.is_dead() {
            let text = format!("{} dropped after its last reference", name::<T>());
            stage::tell(Symptom::UseAfterFree(text));
            return;
        }
        if self.references().fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        let block = self.block.as_ptr();
        let place = block.addr()..block.addr() + size_of::<Block<T>>();
        if operations::any_in(place) {
            let text = format!("{} freed while an operation has its OVERLAPPED", name::<T>());
            stage::tell(Symptom::UseAfterFree(text));
        }
        // SAFETY: this was the last reference, and the count stays at nought.
        unsafe { ManuallyDrop::drop(&mut (*block).value) };
        stage::free_later(block.cast(), Layout::new::<Block<T>>());
    }
}

impl<T: fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
