//! The short way against the long way: random calls on two connected ends go both, and answers,
//! completions and kernels stay equal.

use alloc::vec;
use alloc::vec::Vec;

use npfs_abi::{
    Access, Call, Completion, CreateFile, CreateNamedPipe, Data, Delivery, Fault, FaultEffect,
    FaultPoint, Handle, NtCreateNamedPipeFile, Outcome, Profile, RequestId, Status, Switch,
    ThreadId, Time, Token,
    codes::{option, sqos},
};
use proptest::prelude::{Just, Strategy, any, prop};
use proptest::{prop_oneof, proptest, test_runner::Config};

use crate::kernel::{Kernel, ProcessSpec, thread_id};

const SERVER: ThreadId = ThreadId(1);
const CLIENT: ThreadId = ThreadId(2);
/// Of the process of the server.
const THIRD: ThreadId = ThreadId(3);
/// An end of the pipe, in both processes; the others are in that of the server alone.
const END: Handle = Handle(4);
const EVENT: Handle = Handle(8);
const PORT: Handle = Handle(12);
const REFUSED: Handle = Handle(16);
const PIPE: &str = "\\\\.\\pipe\\a";

/// Two ends and what may lie on the way between them.
#[derive(Clone, Debug)]
struct Scene {
    share: u32,
    options: u32,
    pipe_mode: u32,
    quota: u32,
    access: u32,
    client_flags: u32,
    remote: bool,
    port: bool,
    fault: Option<u32>,
    switch: Option<Switch>,
}

/// Two overlapped ends of a byte pipe, and nothing in the way.
const PLAIN: Scene = Scene {
    share: 3,
    options: 0,
    pipe_mode: 0,
    quota: 8,
    access: 3,
    client_flags: CreateFile::OVERLAPPED,
    remote: false,
    port: false,
    fault: None,
    switch: None,
};

fn scene() -> impl Strategy<Value = Scene> {
    let overlapped = CreateFile::OVERLAPPED;
    let client_flags = vec![0, overlapped, overlapped | sqos::PRESENT, CreateFile::WRITE_THROUGH];
    let ends = (
        prop_oneof![3 => Just(3_u32), 1 => 1_u32..3],
        prop::sample::select(vec![
            0,
            option::SYNCHRONOUS_IO_NONALERT,
            option::SYNCHRONOUS_IO_ALERT,
        ]),
        0_u32..8,
        0_u32..12,
        prop_oneof![3 => Just(3_u32), 1 => 1_u32..3],
        prop::sample::select(client_flags),
    );
    let rare = |value: usize| prop_oneof![4 => Just(None), 1 => (0..value).prop_map(Some)];
    let switch = prop_oneof![
        4 => Just(None),
        1 => prop::sample::select(Switch::ALL).prop_map(Some),
        1 => Just(Some(Switch::FlushWaitsForLaterWrites)),
    ];
    (ends, rare(1), rare(1), rare(4), switch).prop_map(|(ends, remote, port, fault, switch)| {
        Scene {
            share: ends.0,
            options: ends.1,
            pipe_mode: ends.2,
            quota: ends.3,
            access: ends.4,
            client_flags: ends.5,
            remote: remote.is_some(),
            port: port.is_some(),
            fault: fault.map(|nth| nth as u32),
            switch,
        }
    })
}

impl Scene {
    fn kernel(&self) -> Kernel {
        let profile = Profile::current();
        let mut kernel = Kernel::with_profile(self.switch.map_or(profile, |it| profile.with(it)));
        let server = kernel.create_process(true);
        let computer = self.remote.then(|| "CLIENT".into());
        let client = kernel.add_process(ProcessSpec { computer, ..ProcessSpec::default() });
        for process in [server, client, server] {
            kernel.create_thread(process);
        }
        // By the native call, so that the handle may have rights against the direction (READ-41).
        let mut create = NtCreateNamedPipeFile::new("\\Device\\NamedPipe\\a");
        create.share = self.share;
        create.options = self.options;
        create.pipe_type = u32::from(self.pipe_mode & CreateNamedPipe::TYPE_MESSAGE != 0);
        (create.inbound_quota, create.outbound_quota) = (self.quota, self.quota);
        let path = if self.remote { "\\\\SERVER\\pipe\\a" } else { PIPE };
        let mut open = CreateFile::new(path);
        open.access = Access(self.access << 30);
        open.flags = self.client_flags;
        let event = Call::CreateEvent { manual: true, signaled: false };
        let mut calls = vec![(SERVER, Call::NtCreateNamedPipeFile(create)), (SERVER, event)];
        calls.push((CLIENT, Call::CreateFile(open)));
        if self.port {
            let port = Call::CreateIoCompletionPort {
                file: Some(END),
                port: None,
                key: 1,
                concurrency: 0,
            };
            calls.push((SERVER, port));
        }
        let modes = self.pipe_mode & (CreateNamedPipe::NOWAIT | CreateNamedPipe::READMODE_MESSAGE);
        for thread in [SERVER, CLIENT] {
            calls.push((
                thread,
                Call::SetNamedPipeHandleState {
                    pipe: END,
                    mode: Some(modes),
                    collection_count: (thread == CLIENT && self.remote).then_some(5),
                    collect_timeout: None,
                },
            ));
        }
        for (thread, call) in calls {
            kernel.step(thread, &call, &mut Vec::new());
        }
        if let Some(nth) = self.fault {
            let effect = match nth % 2 {
                0 => FaultEffect::Fail(Status::UNSUCCESSFUL),
                _ => FaultEffect::Late(Time::from_millis(1)),
            };
            kernel.add_fault(Fault { point: FaultPoint::Read, pipe: None, nth: nth + 1, effect });
        }
        kernel
    }
}

fn call() -> impl Strategy<Value = Call> {
    let handle =
        || prop_oneof![12 => Just(END), 1 => Just(EVENT), 1 => Just(PORT), 1 => Just(REFUSED)];
    let delivery = prop_oneof![
        2 => Just(Delivery::Return),
        3 => Just(Delivery::OVERLAPPED),
        1 => Just(Delivery::Overlapped { event: None, quiet: true }),
        1 => Just(Delivery::overlapped(Some(EVENT))),
        1 => Just(Delivery::Routine),
        1 => any::<[bool; 2]>().prop_map(|[routine, context]| {
            Delivery::Nt { event: None, routine, context }
        }),
    ];
    let data = || prop::collection::vec(any::<u8>(), 0..7).prop_map(Data::from);
    let token = Token { name: "other".into(), ..Token::default() };
    prop_oneof![
        12 => (handle(), data(), delivery.clone())
            .prop_map(|(file, data, delivery)| Call::WriteFile { file, data, delivery }),
        12 => (handle(), 0_u32..8, delivery.clone())
            .prop_map(|(file, length, delivery)| Call::ReadFile { file, length, delivery }),
        1 => (data(), 0_u32..8, delivery.clone()).prop_map(|(data, length, delivery)| {
            Call::TransactNamedPipe { pipe: END, data, length, delivery }
        }),
        1 => (0_u32..8).prop_map(|length| Call::PeekNamedPipe { pipe: END, length }),
        1 => Just(Call::FlushFileBuffers { file: END }),
        1 => (0_u32..4).prop_map(|mode| Call::SetNamedPipeHandleState {
            pipe: END,
            mode: Some(mode),
            collection_count: None,
            collect_timeout: None,
        }),
        1 => Just(Call::CancelIo { file: END }),
        1 => (0_u32..4).prop_map(|flags| {
            Call::SetFileCompletionNotificationModes { file: END, flags }
        }),
        1 => prop::option::of(Just(token)).prop_map(|token| Call::SetThreadToken { token }),
        1 => Just(Call::ImpersonateNamedPipeClient { pipe: END }),
        1 => any::<bool>().prop_map(|alertable| Call::WaitForObjects {
            handles: vec![END],
            all: false,
            timeout: None,
            alertable,
        }),
        1 => Just(Call::GetQueuedCompletionStatus {
            port: PORT,
            count: 1,
            timeout: None,
            alertable: false,
        }),
        1 => Just(Call::DuplicateHandle {
            handle: END,
            target: None,
            access: Some(Access::READ_DATA),
            inherit: false,
        }),
        1 => prop_oneof![
            Just(Call::CloseHandle { handle: END }),
            Just(Call::DisconnectNamedPipe { pipe: END }),
            Just(Call::ConnectNamedPipe { pipe: END, delivery: Delivery::OVERLAPPED }),
        ],
    ]
}

/// The step that never goes the short way.
fn long_step(
    kernel: &mut Kernel,
    thread: ThreadId,
    call: &Call,
    caused: &mut Vec<Completion>,
) -> Outcome {
    if !kernel.can_run(thread) {
        return kernel.step(thread, call, caused);
    }
    let asking = kernel.threads.edit(thread_id(thread));
    asking.calls += 1;
    let request = RequestId { thread, call: asking.calls };
    kernel.step_with_effects(request, call, caused)
}

/// Goes both ways, and wants them to be one.
fn compare(scene: &Scene, calls: &[(ThreadId, Call)]) {
    let mut either = scene.kernel();
    let mut long = either.clone();
    for (thread, call) in calls {
        let (mut caused, mut long_caused) = (Vec::new(), Vec::new());
        let outcome = either.step(*thread, call, &mut caused);
        assert_eq!(outcome, long_step(&mut long, *thread, call, &mut long_caused), "{call:?}");
        assert_eq!(caused, long_caused, "{call:?}");
        assert_eq!(either, long, "{call:?}");
    }
}

proptest! {
    #![proptest_config(Config::with_cases(2000))]

    #[test]
    fn both_ways_are_one(
        scene in scene(),
        calls in prop::collection::vec(((1_u32..=3).prop_map(ThreadId), call()), 0..30),
    ) {
        compare(&scene, &calls);
    }
}

/// Rare in random calls: a flush waits, and the profile has it wait for a later write too.
#[test]
fn a_write_behind_a_flush_goes_the_long_way_where_that_matters() {
    let write = |text| {
        (SERVER, Call::WriteFile { file: END, data: Data::from(text), delivery: Delivery::Return })
    };
    let scene = Scene { switch: Some(Switch::FlushWaitsForLaterWrites), ..PLAIN };
    compare(&scene, &[write("ab"), (THIRD, Call::FlushFileBuffers { file: END }), write("cd")]);
}

/// Where there is a short way it is taken: else the property above would compare nothing.
#[test]
fn a_write_and_its_read_go_the_short_way() {
    for (options, client_flags) in
        [(option::SYNCHRONOUS_IO_NONALERT, 0), (0, CreateFile::OVERLAPPED)]
    {
        let mut kernel = Scene { options, client_flags, ..PLAIN }.kernel();
        for (writer, reader) in [(CLIENT, SERVER), (SERVER, CLIENT), (CLIENT, THIRD)] {
            let delivery = Delivery::Return;
            let write = Call::WriteFile { file: END, data: Data::from("abc"), delivery };
            let read = Call::ReadFile { file: END, length: 8, delivery };
            assert_eq!(kernel.quick(reader, &read), None, "nothing is there");
            assert_eq!(kernel.quick(writer, &write), Some((3, Data::EMPTY)));
            assert_eq!(kernel.quick(reader, &read), Some((3, Data::from("abc"))));
        }
    }
}
