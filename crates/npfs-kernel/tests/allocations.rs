//! Reading and writing allocates nothing in a kernel that has done it before: what a step needs
//! of memory, the kernel and the caller's list of completions keep.

use npfs_abi::{
    Call, Completion, CreateFile, CreateNamedPipe, Data, Delivery, Handle, HandleStateQuery,
    Outcome, Reply, ThreadId,
};
use npfs_kernel::Kernel;

const SERVER: ThreadId = ThreadId(1);
const CLIENT: ThreadId = ThreadId(2);
/// An end of the pipe, in both processes.
const END: Handle = Handle(4);
/// An event, in the process of the server.
const EVENT: Handle = Handle(8);

/// A connected pair.
struct Pair {
    kernel: Kernel,
    caused: Vec<Completion>,
}

impl Pair {
    fn new(overlapped: bool) -> Pair {
        let mut kernel = Kernel::new();
        for _ in 0..2 {
            let process = kernel.create_process(true);
            kernel.create_thread(process);
        }
        let mut pair = Pair { kernel, caused: Vec::new() };
        let mut create = CreateNamedPipe::new("\\\\.\\pipe\\a");
        let mut open = CreateFile::new("\\\\.\\pipe\\a");
        if overlapped {
            create.open_mode |= CreateNamedPipe::OVERLAPPED;
            open.flags |= CreateFile::OVERLAPPED;
        }
        pair.done(SERVER, &Call::CreateNamedPipe(create));
        pair.done(SERVER, &Call::CreateEvent { manual: true, signaled: false });
        pair.done(CLIENT, &Call::CreateFile(open));
        pair
    }

    fn done(&mut self, thread: ThreadId, call: &Call) -> Reply {
        match self.kernel.step(thread, call, &mut self.caused) {
            Outcome::Done(reply) if reply.status.is_success() => reply,
            other => panic!("not done: {other:?}"),
        }
    }

    /// How often the calls allocate, once they have been made a few times.
    fn allocations(&mut self, calls: &[(ThreadId, Call)], ended: usize) -> u64 {
        let mut count = 0;
        for _ in 0..10 {
            let info = allocation_counter::measure(|| {
                self.caused.clear();
                for (thread, call) in calls {
                    self.kernel.step(*thread, call, &mut self.caused);
                }
            });
            count = info.count_total;
            assert_eq!(self.caused.len(), ended, "{:?}", self.caused);
            assert!(self.caused.iter().all(|end| end.reply.information == 64), "all was read");
        }
        count
    }
}

fn write(delivery: Delivery) -> (ThreadId, Call) {
    (CLIENT, Call::WriteFile { file: END, data: Data::from(&[b'x'; 64]), delivery })
}

fn read(delivery: Delivery) -> (ThreadId, Call) {
    (SERVER, Call::ReadFile { file: END, length: 64, delivery })
}

#[test]
fn a_write_and_its_read_allocate_nothing() {
    for overlapped in [false, true] {
        let mut pair = Pair::new(overlapped);
        let plain = Delivery::OVERLAPPED;
        assert_eq!(pair.allocations(&[write(plain), read(plain)], 0), 0);
        let event = Delivery::overlapped(Some(EVENT));
        assert_eq!(pair.allocations(&[write(plain), read(event)], 0), 0, "the long way");
    }
}

#[test]
fn a_read_that_waits_for_its_write_allocates_nothing() {
    for overlapped in [false, true] {
        let mut pair = Pair::new(overlapped);
        let plain = Delivery::OVERLAPPED;
        assert_eq!(pair.allocations(&[read(plain), write(plain)], 1), 0);
    }
}

#[test]
fn the_count_sees_an_allocation() {
    let mut pair = Pair::new(true);
    let query = HandleStateQuery::default();
    let call = Call::GetNamedPipeHandleState { pipe: END, query };
    assert_eq!(pair.allocations(&[(SERVER, call)], 0), 1, "its answer is boxed");
}
