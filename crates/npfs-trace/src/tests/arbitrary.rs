//! Arbitrary scenarios and traces.

use npfs_abi::{
    Access, Call, CompletionMode, Composite, Configuration, CreateFile, CreateNamedPipe, Data,
    Delivery, End, Fault, FaultEffect, FaultPoint, HandleState, HandleStateQuery,
    ImpersonationLevel, LocalInfo, NtCreateFile, NtCreateNamedPipeFile, ObjectAttributes, Op,
    Output, Packet, PacketSource, Peek, PipeAttribute, PipeInfo, PipeName, PipeState, PipeType,
    Privilege, ProcessId, Profile, ReadMode, RequestId, SecurityDescriptor, Sid, Status, Switch,
    ThreadId, Time, Token,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::scenario::{
    Action, Caused, ChoicePoint, Claim, Condition, Ending, Evidence, Expected, ExpectedReply, Flow,
    Order, Property, RuleClaim, Scope, Stand, Step, Word,
};
use crate::trace::{Event, Gaps, Header, Identity, Kind, Model, Recorded, Seen, Source, Start};
use crate::{Scenario, Trace};

fn handle() -> impl Strategy<Value = Word> {
    select(&["s", "e", "end-1"]).prop_map(str::to_owned)
}

fn request() -> impl Strategy<Value = Word> {
    select(&["r", "t.1", "t.4"]).prop_map(str::to_owned)
}

fn number() -> BoxedStrategy<u32> {
    prop_oneof![Just(0), Just(1), Just(255), Just(4096), Just(u32::MAX), any::<u32>()].boxed()
}

fn name() -> BoxedStrategy<PipeName> {
    let text = prop_oneof![
        Just(r"\\.\pipe\a".to_owned()),
        select(&["->", "=", "=x", "# a", ""]).prop_map(str::to_owned),
        Just("a".repeat(40)),
        any::<String>()
    ];
    text.prop_map(|text| PipeName::new(&text)).boxed()
}

fn data() -> BoxedStrategy<Data> {
    let repeated = (any::<u8>(), 0..200_usize).prop_map(|(byte, count)| vec![byte; count]);
    prop_oneof![vec(any::<u8>(), 0..50), repeated].prop_map(Data::from).boxed()
}

fn delivery() -> BoxedStrategy<Delivery<Word>> {
    let overlapped = (option::of(handle()), any::<bool>())
        .prop_map(|(event, quiet)| Delivery::Overlapped { event, quiet });
    let nt = (option::of(handle()), any::<bool>(), any::<bool>())
        .prop_map(|(event, routine, context)| Delivery::Nt { event, routine, context });
    prop_oneof![Just(Delivery::Return), overlapped, nt].boxed()
}

fn reading() -> impl Strategy<Value = Delivery<Word>> {
    prop_oneof![delivery(), Just(Delivery::Routine)]
}

/// Operations that make no handle. Boxed, as the big strategies are: their trees by value are too
/// large for the stack of a test thread.
fn op() -> BoxedStrategy<Op<Word, Word>> {
    let wait = (vec(handle(), 1..4), any::<bool>(), option::of(number()), any::<bool>());
    let set = (handle(), option::of(number()), option::of(number()), option::of(number()));
    let pipes = prop_oneof![
        (handle(), delivery())
            .prop_map(|(pipe, delivery)| Call::ConnectNamedPipe { pipe, delivery }),
        handle().prop_map(|pipe| Call::DisconnectNamedPipe { pipe }),
        (name(), number()).prop_map(|(name, timeout)| Call::WaitNamedPipe { name, timeout }),
        (handle(), number(), reading()).prop_map(|(file, length, delivery)| Call::ReadFile {
            file,
            length,
            delivery
        }),
        (handle(), data(), reading()).prop_map(|(file, data, delivery)| Call::WriteFile {
            file,
            data,
            delivery
        }),
        (handle(), number()).prop_map(|(pipe, length)| Call::PeekNamedPipe { pipe, length }),
        (handle(), data(), number(), delivery()).prop_map(|(pipe, data, length, delivery)| {
            Call::TransactNamedPipe { pipe, data, length, delivery }
        }),
        handle().prop_map(|file| Call::FlushFileBuffers { file }),
        handle().prop_map(|pipe| Call::GetNamedPipeInfo { pipe }),
        (handle(), any::<[bool; 3]>()).prop_map(|(pipe, [count, timeout, user])| {
            let query =
                HandleStateQuery { collection_count: count, collect_timeout: timeout, user };
            Call::GetNamedPipeHandleState { pipe, query }
        }),
        set.prop_map(|(pipe, mode, collection_count, collect_timeout)| {
            Call::SetNamedPipeHandleState { pipe, mode, collection_count, collect_timeout }
        }),
        handle().prop_map(|pipe| Call::QueryLocalInformation { pipe }),
    ];
    let others = prop_oneof![
        handle().prop_map(|file| Call::GetFileType { file }),
        handle().prop_map(|handle| Call::CloseHandle { handle }),
        (handle(), any::<bool>())
            .prop_map(|(handle, inherit)| Call::SetHandleInformation { handle, inherit }),
        handle().prop_map(|event| Call::SetEvent { event }),
        handle().prop_map(|event| Call::ResetEvent { event }),
        wait.prop_map(|(handles, all, timeout, alertable)| {
            Call::WaitForObjects { handles, all, timeout, alertable }
        }),
        (option::of(number()), any::<bool>())
            .prop_map(|(timeout, alertable)| Call::Sleep { timeout, alertable }),
        handle().prop_map(|file| Call::CancelIo { file }),
        (handle(), option::of(request()))
            .prop_map(|(file, request)| Call::CancelIoEx { file, request }),
        option::of(request())
            .prop_map(|request| Call::CancelSynchronousIo { thread: ThreadId(2), request }),
        any::<bool>().prop_map(|inherit| Call::CreateProcess { process: ProcessId(2), inherit }),
        Just(Call::ExitThread),
        option::of(Just(ProcessId(2))).prop_map(|process| Call::TerminateProcess { process }),
    ];
    let composites = prop_oneof![
        (name(), data(), number(), number()).prop_map(|(name, data, length, timeout)| {
            Composite::CallNamedPipe { name, data, length, timeout }
        }),
        (handle(), request(), any::<bool>()).prop_map(|(file, request, wait)| {
            Composite::GetOverlappedResult { file, request, wait }
        }),
        (handle(), request(), option::of(number()), any::<bool>()).prop_map(
            |(file, request, timeout, alertable)| {
                Composite::GetOverlappedResultEx { file, request, timeout, alertable }
            }
        ),
        name().prop_map(|name| Composite::GetFileAttributes { name }),
        name().prop_map(|pattern| Composite::FindFiles { pattern }),
    ];
    prop_oneof![
        3 => pipes.boxed().prop_map(Op::Call),
        3 => others.boxed().prop_map(Op::Call),
        3 => native().prop_map(Op::Call),
        1 => composites.boxed().prop_map(Op::Composite),
    ]
    .boxed()
}

fn code() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0x0011_400C), Just(9), Just(4), Just(1), number()]
}

fn sid() -> impl Strategy<Value = Sid> {
    select(&["WD", "S-1-5-21-1-2-3-1001", "SY"]).prop_map(|text| text.parse().unwrap())
}

fn token() -> BoxedStrategy<Token> {
    let level = prop_oneof![
        Just(None),
        Just(Some(ImpersonationLevel::Anonymous)),
        Just(Some(ImpersonationLevel::Delegation))
    ];
    let privilege = ("Se[A-Z][a-z]{1,9}", any::<bool>())
        .prop_map(|(name, enabled)| Privilege { name, enabled });
    let name = "[a-zA-Z =#]{1,9}";
    (name, sid(), vec(sid(), 0..3), sid(), vec(privilege, 0..3), level)
        .prop_map(|(name, user, groups, primary_group, privileges, level)| Token {
            name,
            user,
            groups,
            primary_group,
            privileges,
            level,
        })
        .boxed()
}

fn descriptor() -> impl Strategy<Value = SecurityDescriptor> {
    select(&["", "O:BAG:SYD:(D;;GA;;;AN)(A;;0x12019f;;;WD)", "D:NO_ACCESS_CONTROL", "D:"])
        .prop_map(|text| text.parse().unwrap())
}

/// Calls of the Nt functions, of ports, routines and identities that make no handle.
fn native() -> BoxedStrategy<Call<Word, Word>> {
    let pipe_attribute = select(PipeAttribute::ALL).prop_map(|(attribute, _)| attribute);
    let files =
        prop_oneof![
            (handle(), code(), data(), number(), delivery()).prop_map(
                |(file, code, input, length, delivery)| {
                    Call::NtFsControlFile { file, code, input, length, delivery }
                }
            ),
            (handle(), code(), number()).prop_map(|(file, class, length)| {
                Call::NtQueryInformationFile { file, class, length }
            }),
            (handle(), code(), data())
                .prop_map(|(file, class, input)| Call::NtSetInformationFile { file, class, input }),
            (handle(), code(), number()).prop_map(|(file, class, length)| {
                Call::NtQueryVolumeInformationFile { file, class, length }
            }),
            (handle(), code(), number(), option::of(name()), any::<bool>(), any::<bool>())
                .prop_map(|(file, class, length, pattern, restart, single)| {
                    Call::NtQueryDirectoryFile { file, class, length, pattern, restart, single }
                }),
            (handle(), number(), delivery()).prop_map(|(file, filter, delivery)| {
                Call::NtNotifyChangeDirectoryFile { file, filter, delivery }
            }),
            (handle(), code()).prop_map(|(handle, class)| Call::NtQueryObject { handle, class }),
            (handle(), pipe_attribute)
                .prop_map(|(pipe, attribute)| Call::GetNamedPipeAttribute { pipe, attribute }),
        ];
    let others = prop_oneof![
        (handle(), number(), option::of(number()), any::<bool>()).prop_map(
            |(port, count, timeout, alertable)| {
                Call::GetQueuedCompletionStatus { port, count, timeout, alertable }
            }
        ),
        (handle(), number(), any::<u64>(), any::<u64>()).prop_map(
            |(port, bytes, key, overlapped)| {
                Call::PostQueuedCompletionStatus { port, bytes, key, overlapped }
            }
        ),
        (handle(), number())
            .prop_map(|(file, flags)| Call::SetFileCompletionNotificationModes { file, flags }),
        Just(Call::QueueUserAPC { thread: ThreadId(2) }),
        handle().prop_map(|pipe| Call::ImpersonateNamedPipeClient { pipe }),
        Just(Call::RevertToSelf),
        option::of(token()).prop_map(|token| Call::SetThreadToken { token }),
        Just(Call::GetThreadToken),
        (handle(), 0..16_u32, option::of(number())).prop_map(|(handle, information, length)| {
            Call::NtQuerySecurityObject { handle, information, length }
        }),
        (handle(), 0..16_u32, descriptor()).prop_map(|(handle, information, descriptor)| {
            Call::NtSetSecurityObject { handle, information, descriptor }
        }),
    ];
    prop_oneof![files.boxed(), others.boxed()].boxed()
}

fn attributes() -> impl Strategy<Value = Option<ObjectAttributes<Word>>> {
    let some = (option::of(handle()), option::of(name()), any::<bool>())
        .prop_map(|(root, name, inherit)| ObjectAttributes { root, name, inherit });
    option::of(some)
}

/// Calls of the same kind that make one handle.
fn native_making() -> BoxedStrategy<Call<Word, Word>> {
    let create = (
        attributes(),
        option::of(descriptor()),
        (number(), number(), number(), number(), number(), number()),
        (number(), number(), number(), number()),
        option::of(any::<i64>()),
    )
        .prop_map(|(attributes, security, first, second, default_timeout)| {
            Call::NtCreateNamedPipeFile(NtCreateNamedPipeFile {
                attributes,
                security,
                access: Access(first.0),
                share: first.1,
                disposition: first.2,
                options: first.3,
                pipe_type: first.4,
                read_mode: first.5,
                completion_mode: second.0,
                max_instances: second.1,
                inbound_quota: second.2,
                outbound_quota: second.3,
                default_timeout,
            })
        });
    let open = (attributes(), number(), number(), number(), number(), number()).prop_map(
        |(attributes, sqos, access, share, disposition, options)| {
            let access = Access(access);
            Call::NtCreateFile(NtCreateFile {
                attributes,
                sqos,
                access,
                share,
                disposition,
                options,
            })
        },
    );
    let port = (option::of(handle()), option::of(handle()), any::<u64>(), number()).prop_map(
        |(file, port, key, concurrency)| Call::CreateIoCompletionPort {
            file,
            port,
            key,
            concurrency,
        },
    );
    prop_oneof![
        create.boxed(),
        open.boxed(),
        port.boxed(),
        (handle(), number(), number()).prop_map(|(file, access, flags)| Call::ReOpenFile {
            file,
            access: Access(access),
            flags
        }),
        Just(Call::OpenThread { thread: ThreadId(1) }),
        Just(Call::OpenProcess { process: ProcessId(2) }),
    ]
    .boxed()
}

/// Operations that make one handle.
fn making() -> BoxedStrategy<Op<Word, Word>> {
    let numbers = (number(), number(), number(), number(), number(), number());
    let create = (name(), numbers, any::<bool>(), option::of(descriptor())).prop_map(
        |(name, numbers, inherit, security)| {
            let (open_mode, pipe_mode, max_instances, out_buffer, in_buffer, default_timeout) =
                numbers;
            Call::CreateNamedPipe(CreateNamedPipe {
                name,
                open_mode,
                pipe_mode,
                max_instances,
                out_buffer,
                in_buffer,
                default_timeout,
                inherit,
                security,
            })
        },
    );
    let rights = select(&[0, 0x8000_0000, 0x4000_0000, 0xC000_0000_u32]);
    let access = prop_oneof![rights, number()].prop_map(Access);
    let open =
        (name(), access, number(), any::<bool>()).prop_map(|(name, access, flags, inherit)| {
            Call::CreateFile(CreateFile { name, access, flags, inherit })
        });
    let target = option::of(Just(ProcessId(2)));
    let duplicate = (handle(), target, option::of(number()), any::<bool>()).prop_map(
        |(handle, target, access, inherit)| Call::DuplicateHandle {
            handle,
            target,
            access: access.map(Access),
            inherit,
        },
    );
    let event = (any::<bool>(), any::<bool>())
        .prop_map(|(manual, signaled)| Call::CreateEvent { manual, signaled });
    prop_oneof![create, open, duplicate, event, native_making()].prop_map(Op::Call).boxed()
}

fn output() -> BoxedStrategy<Output<Word>> {
    let counts = || (number(), number(), number(), number(), number(), number());
    let local = (
        select(PipeType::ALL),
        select(Configuration::ALL),
        counts(),
        select(PipeState::ALL),
        select(End::ALL),
    );
    prop_oneof![
        handle().prop_map(Output::Handle),
        (handle(), handle()).prop_map(|(read, write)| Output::Handles(read, write)),
        data().prop_map(Output::Data),
        (data(), number(), number()).prop_map(|(data, available, left)| Output::Peek(Peek {
            data,
            available,
            left
        })),
        (select(End::ALL), select(PipeType::ALL), number(), number(), number()).prop_map(
            |(end, pipe_type, out_buffer, in_buffer, max_instances)| {
                Output::Info(PipeInfo { end, pipe_type, out_buffer, in_buffer, max_instances })
            }
        ),
        (
            select(ReadMode::ALL),
            select(CompletionMode::ALL),
            number(),
            option::of(number()),
            option::of(number()),
            option::of(any::<String>())
        )
            .prop_map(
                |(
                    read_mode,
                    completion_mode,
                    instances,
                    collection_count,
                    collect_timeout,
                    user,
                )| {
                    Output::State(Box::new(HandleState {
                        read_mode,
                        completion_mode,
                        instances,
                        collection_count,
                        collect_timeout,
                        user,
                    }))
                }
            ),
        local.prop_map(|(pipe_type, configuration, numbers, state, end)| {
            Output::Local(LocalInfo {
                pipe_type,
                configuration,
                maximum_instances: numbers.0,
                current_instances: numbers.1,
                inbound_quota: numbers.2,
                read_data_available: numbers.3,
                outbound_quota: numbers.4,
                write_quota_available: numbers.5,
                state,
                end,
            })
        }),
        number().prop_map(Output::FileType),
        vec((1..5_u32).prop_map(|call| RequestId { thread: ThreadId(1), call }), 0..3)
            .prop_map(Output::Routines),
        more_output(),
    ]
    .boxed()
}

fn more_output() -> BoxedStrategy<Output<Word>> {
    let source = prop_oneof![
        any::<u64>().prop_map(PacketSource::Posted),
        (1..5_u32).prop_map(|call| PacketSource::Request(RequestId { thread: ThreadId(1), call })),
    ];
    let packet = (any::<u64>(), source, status(), number())
        .prop_map(|(key, source, status, information)| Packet { key, source, status, information });
    prop_oneof![
        vec(packet, 0..3).prop_map(Output::Packets),
        any::<u64>().prop_map(Output::Number),
        any::<String>().prop_map(Output::Text),
        vec(any::<String>(), 0..3).prop_map(Output::Names),
        token().prop_map(Box::new).prop_map(Output::Token),
        descriptor().prop_map(Box::new).prop_map(Output::Descriptor),
    ]
    .boxed()
}

fn status() -> BoxedStrategy<Status> {
    let known = [Status::SUCCESS, Status::TIMEOUT, Status::PENDING, Status::PIPE_BROKEN];
    prop_oneof![select(known.to_vec()), (0..70_u32).prop_map(Status), any::<u32>().prop_map(Status)]
        .boxed()
}

fn reply() -> impl Strategy<Value = ExpectedReply> {
    (status(), option::of(number()), option::of(output()))
        .prop_map(|(status, information, output)| ExpectedReply { status, information, output })
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![reply().prop_map(Expected::Done), Just(Expected::Pending), Just(Expected::Blocked)]
}

fn caused() -> impl Strategy<Value = Caused> {
    let who = prop_oneof![Just((true, "u".to_owned())), request().prop_map(|word| (false, word))];
    (who, reply()).prop_map(|((wakes, who), reply)| Caused { wakes, who, reply })
}

fn step() -> impl Strategy<Value = Step> {
    let thread = (1..4_u32).prop_map(ThreadId);
    let label = |words: &'static [&'static str]| {
        option::of(select(words)).prop_map(|word| word.map(str::to_owned).into_iter().collect())
    };
    let plain = (label(&["r", "x"]), op());
    let making = (label(&["s", "new", "x"]), making());
    let pair = (number(), any::<bool>()).prop_map(|(size, inherit)| {
        let labels = vec!["e".to_owned(), "end-1".to_owned()];
        (labels, Op::Call(Call::CreatePipe { size, inherit }))
    });
    let op = (thread, prop_oneof![6 => plain, 2 => making, 1 => pair])
        .prop_map(|(thread, (labels, op))| Action::Op { thread, labels, op });
    let advance = any::<u64>().prop_map(|span| Action::Advance(Time(span)));
    let action = prop_oneof![9 => op, 1 => advance, 2 => steering()];
    (action, option::of(expected()), vec(caused(), 0..3)).prop_map(
        |(action, mut expected, mut caused)| {
            if expected.is_none() || matches!(action, Action::Flow { .. }) {
                expected = None;
                caused.clear();
            } else if matches!(action, Action::Advance(_)) {
                let ok = ExpectedReply { status: Status::SUCCESS, information: None, output: None };
                expected = Some(Expected::Done(ok));
            }
            Step { line: 0, action, expected, caused }
        },
    )
}

/// Lines that steer a thread and open nothing that has to be closed.
fn steering() -> BoxedStrategy<Action> {
    let of = option::of(prop_oneof![handle(), Just("r".to_owned())]);
    let condition = (any::<bool>(), of, vec(expected(), 1..3))
        .prop_map(|(unless, of, any)| Condition { unless, of, any });
    ((1..4_u32).prop_map(ThreadId), option::of(condition))
        .prop_map(|(thread, condition)| Action::Flow { thread, flow: Flow::Stop(condition) })
        .boxed()
}

fn property() -> BoxedStrategy<Property> {
    let leaf = prop_oneof![
        select(&[Claim::Deadlock, Claim::Leak, Claim::LostData, Claim::UnendedRequest]),
        ((1..4_u32).prop_map(ThreadId), select(&[Stand::Finished, Stand::Blocked]))
            .prop_map(|(thread, stand)| Claim::Thread(thread, stand)),
        (handle(), expected()).prop_map(|(word, expected)| Claim::Result(word, expected)),
    ];
    let claim = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Claim::All),
            vec(inner.clone(), 2..4).prop_map(Claim::Any),
            inner.prop_map(|claim| Claim::Not(Box::new(claim))),
        ]
    });
    (any::<bool>(), select(Scope::ALL), claim)
        .prop_map(|(broken, scope, claim)| Property { broken, scope, claim })
        .boxed()
}

fn ending() -> impl Strategy<Value = Ending> {
    select(&[Ending::Finished, Ending::Blocked, Ending::Deadlock])
}

/// Scenarios whose first steps give the words that the others use.
pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    let evidence =
        select(&[Evidence::Tested, Evidence::Reported, Evidence::Documented, Evidence::Chosen]);
    let rule =
        ("[A-Z]{2,8}-[0-9]{2}", evidence).prop_map(|(id, evidence)| RuleClaim { id, evidence });
    let order = (vec((1..4_u32).prop_map(ThreadId), 0..5), ending());
    let title = "([a-z][a-z \"é]{0,20}[a-z.])?";
    let effect = prop_oneof![
        status().prop_map(FaultEffect::Fail),
        any::<u64>().prop_map(|span| FaultEffect::Late(Time(span)))
    ];
    let fault = (select(FaultPoint::ALL), option::of(name()), number(), effect)
        .prop_map(|((point, _), pipe, nth, effect)| Fault { point, pipe, nth, effect });
    let world = (vec(fault, 0..3), vec(select(Switch::ALL), 0..3), token(), number()).boxed();
    let explored = (vec(property(), 0..3), subsequence(ChoicePoint::ALL, 0..=2)).boxed();
    let parts = (title, vec(rule, 0..3), vec(step(), 0..8), option::of(ending()), vec(order, 0..3));
    (parts.boxed(), world, explored).prop_map(|(parts, world, explored)| {
        let (title, rules, more, ending, orders) = parts;
        let text = "process p\nprocess child spawned\nthread t\nthread u\nthread v in child\n\
                    t: s = create_pipe a\nt: e end-1 = create_anonymous_pipe\n\
                    t: r = read s 1 overlapped\nt: flush s\n";
        let mut scenario = Scenario::parse(text).unwrap();
        (scenario.title, scenario.rules, scenario.ending) = (title, rules, ending);
        scenario.steps.extend(more);
        let (faults, switches, token, session) = world;
        scenario.faults = faults;
        scenario.profile = switches.into_iter().fold(Profile::current(), Profile::with);
        scenario.processes[1].token = token;
        scenario.processes[1].session = session;
        scenario.processes[1].computer = Some("BOX".to_owned());
        let named = (0..).zip(orders).map(|(number, (threads, ending))| Order {
            name: format!("order-{number}"),
            threads,
            ending,
        });
        scenario.orders = named.collect();
        (scenario.properties, scenario.choices) = explored;
        scenario
    })
}

pub(super) fn trace() -> impl Strategy<Value = Trace> {
    let result =
        (option::of(status()), option::of(number()), option::of(data()), option::of(output()))
            .prop_map(|(status, information, data, output)| Recorded {
                status,
                error: information,
                failed: information == Some(1),
                information,
                cut: data.is_some() && information == Some(255),
                data,
                output,
            });
    let event = (0..5, prop_oneof![op(), making()], result, option::of(any::<u64>())).prop_map(
        |(kind, op, result, at)| {
            let (seq, thread, process, id) = (0, 1, 1, "t1.1".to_owned());
            let seen = Seen { at, line: result.information };
            let ms = at.unwrap_or(7);
            match kind {
                0 => {
                    let unknown = vec![id.clone(); result.information.is_some().into()];
                    let gaps = Gaps { size: result.error, unknown, assumed: at.is_some() };
                    Event::Call { seq, seen, thread, process, id, op, gaps }
                }
                1 => Event::Return { seq, seen, thread, id, result },
                2 => Event::Done { seq, seen, after: at, thread, id, result },
                3 => Event::Block { seq, seen, thread, id },
                _ => Event::Advance { seq, ms, ticks: (ms % 7) as u32 },
            }
        },
    );
    (any::<String>(), any::<bool>(), vec(event, 0..8)).prop_map(|(text, stepped, mut events)| {
        if stepped {
            events.iter_mut().for_each(without_stamps);
        } else {
            events.retain(|event| !matches!(event, Event::Advance { .. }));
        }
        events.push(Event::End { seq: 0 });
        let header = Header {
            trace: "npfs".to_owned(),
            version: 1,
            kind: if stepped { Kind::Stepped } else { Kind::Concurrent },
            source: if stepped { Source::Random } else { Source::Import },
            program: (!stepped).then(|| text.clone()),
            system: text.clone(),
            system_version: text.clone(),
            recorder: text.clone(),
            scenario: text.clone(),
            tick_ns: (!stepped).then_some(100),
            start: if stepped { Start::Empty } else { Start::Unknown },
            skipped: [(text.clone(), 3)].into_iter().filter(|_| !stepped).collect(),
            processes: vec![text.clone()],
            threads: vec![(text.clone(), 1)],
            model: model(&text),
        };
        let numbered = (1..).zip(events).map(|(number, mut event)| {
            match &mut event {
                Event::Call { seq, .. }
                | Event::Return { seq, .. }
                | Event::Block { seq, .. }
                | Event::Done { seq, .. }
                | Event::Advance { seq, .. }
                | Event::End { seq } => *seq = number,
            }
            (number + 1, event)
        });
        Trace { header, events: numbered.collect() }
    })
}

/// What only a concurrent trace has.
fn without_stamps(event: &mut Event) {
    match event {
        Event::Call { seen, gaps, .. } => {
            (*seen, *gaps) = (Seen::default(), Gaps::default());
        }
        Event::Return { seen, .. } | Event::Block { seen, .. } => *seen = Seen::default(),
        Event::Done { seen, after, .. } => (*seen, *after) = (Seen::default(), None),
        Event::Advance { .. } | Event::End { .. } => {}
    }
}

/// How a simulation was set up, or nothing.
fn model(text: &str) -> Option<Model> {
    if text.len() % 2 == 0 {
        return None;
    }
    let fault = Fault {
        point: FaultPoint::Read,
        pipe: Some(PipeName::new(text)),
        nth: 2,
        effect: FaultEffect::Late(Time::from_millis(5)),
    };
    let identity =
        Identity { process: 1, token: Token::anonymous(), session: 7, computer: Some(text.into()) };
    Some(Model {
        kernel_calls: true,
        profile: Profile::documented(),
        faults: vec![fault],
        identities: vec![identity],
    })
}
