//! Code whose outcomes are known.

use std::cell::Cell;
use std::rc::Rc;

use npfs_abi::{
    Call, CreateFile, CreateNamedPipe, Data, Delivery, Handle, Outcome, Output, ThreadId,
};
use npfs_kernel::Kernel;
use npfs_trace::scenario::Scope;

use super::{Code, Thread};
use crate::report::Report;
use crate::{Limits, Standing};

const PATH: &str = "\\\\.\\pipe\\x";

async fn write(thread: Thread, count: usize, byte: u8) {
    for _ in 0..count {
        let data = Data::from(vec![byte]);
        let delivery = Delivery::Return;
        thread.call(Call::WriteFile { file: Handle(4), data, delivery }).await;
    }
}

async fn read(thread: Thread, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let delivery = Delivery::Return;
        match thread.call(Call::ReadFile { file: Handle(4), length: 1, delivery }).await {
            Outcome::Done(reply) => match reply.output {
                Output::Data(data) => bytes.extend(data.iter().copied()),
                _ => break,
            },
            Outcome::Pending(_) | Outcome::Blocked(_) => break,
        }
    }
    bytes
}

/// A connected pair with a reader and two writers, and the kernel they are in.
fn pair() -> (Kernel, [ThreadId; 3]) {
    let mut kernel = Kernel::new();
    let (server, client) = (kernel.create_process(true), kernel.create_process(true));
    let reader = kernel.create_thread(server);
    let (a, b) = (kernel.create_thread(client), kernel.create_thread(client));
    let mut create = CreateNamedPipe::new(PATH);
    (create.in_buffer, create.out_buffer) = (2, 2);
    let mut caused = Vec::new();
    kernel.step(reader, &Call::CreateNamedPipe(create), &mut caused);
    kernel.step(a, &Call::CreateFile(CreateFile::new(PATH)), &mut caused);
    (kernel, [reader, a, b])
}

/// The two writers of `s3n2` and `s3n3` as code.
fn writers(count: usize) -> Code {
    let (kernel, [reader, a, b]) = pair();
    let mut code = Code::new(kernel);
    code.spawn(reader, move |thread| async move {
        read(thread, 2 * count).await;
    });
    code.spawn(a, move |thread| write(thread, count, b'a'));
    code.spawn(b, move |thread| write(thread, count, b'b'));
    code
}

fn explore(code: &Code, limits: &Limits) -> Report {
    code.explore(limits, &mut |_| {}).expect("it does the same when answered the same")
}

#[test]
fn code_has_the_outcomes_orders_and_states_of_the_same_scenario() {
    for (count, outcomes, orders, states) in [(2, 6, 250, 82), (3, 20, 7864, 346)] {
        let code = writers(count);
        let report = explore(&code, &Limits::default());
        assert_eq!(report.outcomes.len(), outcomes);
        assert_eq!((report.interleavings, report.states), (Some(orders), states));
        assert_eq!(report.completeness(), "complete");
        assert_eq!(explore(&code, &Limits::default()), report, "the same on every run");
        let few = Limits { states: 20, ..Limits::default() };
        assert_eq!(explore(&code, &few).completeness(), "bounded by 20 states");
        let lines = |report: Report| -> Vec<_> {
            report.outcomes.into_iter().map(|outcome| outcome.lines).collect()
        };
        let reduced = Limits { reduce: true, ..Limits::default() };
        let traces = code.traces(&Limits::default()).expect("it does the same");
        assert_eq!((traces.outcomes, traces.blocked), (lines(report.clone()), 0));
        assert_eq!(lines(explore(&code, &reduced)), lines(report));
    }
}

#[test]
fn a_panic_is_found_in_the_order_with_the_fewest_preemptions() {
    let (kernel, [reader, a, b]) = pair();
    let mut code = Code::new(kernel);
    code.spawn(reader, |thread| async move {
        let bytes = read(thread, 4).await;
        assert!(bytes != b"abab", "the bytes alternate");
    });
    code.spawn(a, |thread| write(thread, 2, b'a'));
    code.spawn(b, |thread| write(thread, 2, b'b'));
    let report = explore(&code, &Limits::default());
    let verdict = &report.verdicts[0];
    assert_eq!(
        (verdict.property.as_str(), verdict.state),
        ("never: a thread panics", Standing::Broken)
    );
    let witness = verdict.witness.as_ref().expect("an order");
    // a, b and a again in turn: whoever is left has more to do each time.
    assert_eq!(witness.preemptions, 2);
    assert!(witness.transcript.contains("t1 panics: the bytes alternate"), "{witness:?}");
    let line = witness.notes.last().expect("how to repeat it");
    assert_eq!(line, &format!("again: code.replay({:?})", witness.schedule));
    let shown = code.replay(&witness.schedule).expect("a schedule");
    assert_eq!(shown.text, witness.transcript);
    assert_eq!(shown.broken, ["never: a thread panics"]);
    assert!(code.replay("t9").is_err());
    assert!(code.replay("t2*9").expect("a schedule").stopped.is_some());
}

#[test]
fn properties_of_code_hold_or_are_broken() {
    let mut code = writers(2);
    code.must(Scope::Never, "deadlock", |view| view.is_deadlock());
    code.must(Scope::Reachable, "the second writer is done first", |view| {
        view.has_finished(2) && view.outcomes(1).is_empty()
    });
    code.must(Scope::Always, "the first writer does not sleep", |view| !view.sleeps(1));
    code.must(Scope::Outcome, "nothing is left", |view| view.kernel().leaks().is_empty());
    code.must(Scope::Eventually, "the reader sleeps", |view| view.sleeps(0));
    let states: Vec<Standing> =
        explore(&code, &Limits::default()).verdicts.iter().map(|one| one.state).collect();
    use Standing::{Broken, Holds};
    // The pipe is left connected, and the writers can be ahead of the reader.
    assert_eq!(states, [Holds, Holds, Holds, Broken, Broken, Broken]);
}

#[test]
fn code_that_depends_on_more_than_its_answers_is_found_out() {
    let (kernel, [reader, a, _]) = pair();
    let mut code = Code::new(kernel);
    code.spawn(reader, |thread| async move {
        read(thread, 2).await;
    });
    let turn = Rc::new(Cell::new(0));
    code.spawn(a, move |thread| {
        turn.set(turn.get() + 1);
        write(thread, 2, turn.get())
    });
    let error = code.explore(&Limits::default(), &mut |_| {}).expect_err("it is found out");
    assert!(error.why.starts_with("wanted t2 to do the same"), "{error}");
}
