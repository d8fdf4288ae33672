//! What is refused because it is not there.

use npfs_abi::{Call, Status, ThreadId};

mod common;

use common::World;

// rules: CANCEL-24 tested
#[test]
fn a_thread_that_is_not_there_is_a_bad_handle() {
    let mut world = World::new();
    let cancel = Call::CancelSynchronousIo { thread: ThreadId(99), request: None };
    assert_eq!(world.call(cancel).status, Status::INVALID_HANDLE);
}
