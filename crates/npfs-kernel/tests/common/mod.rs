//! One thread, one kernel, and short ways to call it.
#![allow(dead_code, reason = "each test file uses its part")]

use npfs_abi::{
    Call, Completion, Data, Delivery, Handle, Outcome, Output, Profile, Reply, RequestId, ThreadId,
    Time,
};
use npfs_kernel::Kernel;

pub struct World {
    pub kernel: Kernel,
    pub caused: Vec<Completion>,
}

impl World {
    pub fn new() -> World {
        World::with(Profile::current())
    }

    /// Two processes, a thread in each.
    pub fn with(profile: Profile) -> World {
        let mut kernel = Kernel::with_profile(profile);
        for _ in 0..2 {
            let process = kernel.create_process(true);
            kernel.create_thread(process);
        }
        World { kernel, caused: Vec::new() }
    }

    pub fn step(&mut self, thread: u32, call: Call) -> Outcome {
        let outcome = self.kernel.step(ThreadId(thread), &call, &mut self.caused);
        self.kernel.check();
        outcome
    }

    /// The answer of a call that is over at once.
    pub fn call(&mut self, call: Call) -> Reply {
        match self.step(1, call) {
            Outcome::Done(reply) => reply,
            other => panic!("not over: {other:?}"),
        }
    }

    pub fn ok(&mut self, call: Call) -> Reply {
        let shown = format!("{call:?}");
        let reply = self.call(call);
        assert!(reply.status.is_success(), "{shown}: {reply:?}");
        reply
    }

    pub fn handle(&mut self, call: Call) -> Handle {
        match self.ok(call).output {
            Output::Handle(handle) => handle,
            other => panic!("no handle: {other:?}"),
        }
    }

    pub fn pends(&mut self, call: Call) -> RequestId {
        match self.step(1, call) {
            Outcome::Pending(request) => request,
            other => panic!("not pending: {other:?}"),
        }
    }

    /// How a request that was pending ended.
    pub fn ended(&self, request: RequestId) -> Option<&Reply> {
        self.caused.iter().find(|end| end.request == request).map(|end| &end.reply)
    }

    pub fn query(&mut self, file: Handle, class: u32, length: u32) -> Reply {
        self.call(Call::NtQueryInformationFile { file, class, length })
    }

    /// A control code; the end of one that pends for the form's sake is waited for.
    pub fn fsctl(&mut self, file: Handle, code: u32, input: impl Into<Data>, length: u32) -> Reply {
        let (input, delivery) = (input.into(), Delivery::Return);
        match self.step(1, Call::NtFsControlFile { file, code, input, length, delivery }) {
            Outcome::Done(reply) => reply,
            Outcome::Pending(request) => match self.ended(request) {
                Some(reply) => reply.clone(),
                None => panic!("{request} is still pending"),
            },
            other => panic!("{other:?}"),
        }
    }

    pub fn advance(&mut self, ms: u64) {
        let to = self.kernel.time().after(Time::from_millis(ms));
        self.kernel.advance(to, &mut self.caused);
        self.kernel.check();
    }
}

pub fn utf16(text: &str) -> Data {
    Data::from(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

/// `FILE_PIPE_WAIT_FOR_BUFFER`
pub fn fsctl_wait(timeout: Option<i64>, name: &str) -> Data {
    let name = utf16(name);
    let mut input = timeout.unwrap_or(0).to_le_bytes().to_vec();
    input.extend(name.size().to_le_bytes());
    input.extend([u8::from(timeout.is_some()), 0]);
    input.extend_from_slice(&name);
    Data::from(input)
}
