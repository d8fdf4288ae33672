//! What the host has for facades: drivers, parkers, several calls in one turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use npfs::abi::{Call, Delivery, Outcome, Time};
use npfs::host::Attached;
use npfs::{PipeClient, PipeServer, Schedule, Simulation, Stopped};

const PATH: &str = r"\\.\pipe\facade";

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// An operation of a driver outlives the thread that called; its sink comes before its waker, and a
/// stop wakes as well.
#[test]
fn an_operation_of_a_driver() {
    let sim = Simulation::new();
    let process = sim.process("app");
    let pipe = PipeServer::options().overlapped(true).create(&process, PATH).expect("an instance");
    let client = PipeClient::open(&process, PATH).expect("a client");
    let driver = process.host().driver(process.id());
    let (ended, woken) = (Arc::new(AtomicU32::new(0)), Arc::new(Count::default()));
    let read = |length| {
        let (driver, ended, woken) = (driver.clone(), ended.clone(), woken.clone());
        let call =
            Call::ReadFile { file: pipe.handle().value(), length, delivery: Delivery::OVERLAPPED };
        let reader = process.spawn("reader", move || {
            let (seen, sees) = (woken.clone(), ended.clone());
            let sink = move |reply: &npfs::abi::Reply| {
                assert_eq!(seen.0.load(Ordering::SeqCst), sees.load(Ordering::SeqCst));
                sees.fetch_add(reply.information, Ordering::SeqCst);
            };
            let attached = Attached { sink: Some(Box::new(sink)), ..Attached::default() };
            driver.begin(&call, attached, Waker::from(woken)).expect("begun")
        });
        reader.join().expect("no panic")
    };
    assert!(matches!(read(1), Outcome::Pending(_)));
    client.send(b"x").expect("sent");
    assert_eq!((ended.load(Ordering::SeqCst), woken.0.load(Ordering::SeqCst)), (1, 1));
    // One that ends in its call wakes nobody: the caller knows.
    client.send(b"y").expect("sent");
    assert!(matches!(read(1), Outcome::Done(_)));
    assert_eq!((ended.load(Ordering::SeqCst), woken.0.load(Ordering::SeqCst)), (2, 1));
    ended.store(1, Ordering::SeqCst);
    assert!(matches!(read(1), Outcome::Pending(_)));
    assert!(!driver.is_stopped());
    drop(sim);
    assert!(driver.is_stopped());
    assert_eq!((ended.load(Ordering::SeqCst), woken.0.load(Ordering::SeqCst)), (1, 2));
}

#[test]
fn a_parker_sleeps_until_it_is_woken_or_time_has_passed() {
    let sim = Simulation::new();
    let process = sim.process("app");
    let host = process.host();
    let parker = host.parker().expect("known");
    // Woken before it parks, once however often.
    parker.waker().wake();
    parker.waker().wake();
    parker.park(None).expect("woken");
    // An hour, which is due at once when nobody else runs; then it is over already.
    let hour = Time(3_600 * 10_000_000);
    parker.park(Some(hour)).expect("time");
    parker.park(Some(hour)).expect("over");
    assert_eq!(sim.now(), Duration::from_secs(3_600));
    assert!(host.next_deadline().is_none());
    // Woken by another thread, before the time is over.
    let (waker, other) = (parker.waker(), process.clone());
    let thread = process.spawn("other", move || {
        other.sleep(Duration::from_secs(1)).expect("slept");
        waker.wake();
    });
    parker.park(Some(Time(2 * hour.0))).expect("woken");
    thread.join().expect("no panic");
    assert_eq!(sim.now(), Duration::from_secs(3_601));
    sim.assert_clean();
}

#[test]
fn a_parker_that_nobody_wakes_is_a_deadlock() {
    let sim = Simulation::builder().deadlocks_fail().build();
    let process = sim.process("app");
    let parker = process.host().parker().expect("known");
    let Err(Stopped::Deadlock(deadlock)) = parker.park(None) else { panic!("a deadlock") };
    assert_eq!(deadlock.waits, ["main waits for one of its tasks to be woken"]);
    assert!(matches!(parker.park(None), Err(Stopped::Deadlock(_))));
}

/// Where threads take turns, calls within one are not interleaved.
#[test]
fn several_calls_in_one_turn() {
    let order = |together: bool| {
        let sim = Simulation::builder().schedule(Schedule::RoundRobin).recording().build();
        let process = sim.process("app");
        let threads = ["one", "two"].map(|name| {
            let process = process.clone();
            process.clone().spawn(name, move || {
                let host = process.host();
                let two_calls = || (0..2).for_each(|_| drop(npfs::Event::auto(&process)));
                if together {
                    host.turn().expect("a turn");
                    host.within_turn(two_calls);
                } else {
                    two_calls();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        sim.turns().to_string()
    };
    assert_eq!(order(true), "one two");
    assert_eq!(order(false), "one two one two one two one two");
}
