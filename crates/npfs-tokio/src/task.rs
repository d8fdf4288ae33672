//! Tasks on threads of the simulation: a small executor for exploration, loom and virtual time.
//!
//! Each task is a thread of the simulation, which runs its future with [`block_on`] and sleeps in
//! the simulation while the future waits. So everything that the simulation does with threads it
//! does with tasks: it lets virtual time pass when all of them wait, names the deadlock when none
//! can go on, gives them turns ([`npfs_host::schedule`], [`crate::explore`]), and runs them as
//! threads of loom.
//!
//! Two tasks may run at once, as on tokio's runtime with several workers: between any two calls of
//! one, others come. The pipes work on any other executor as well.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use npfs_abi::Time;
use npfs_host::{Error, Host};

use crate::sync::{self, Unseen};

/// The [`Sleep`]s that the calling thread waits for.
#[derive(Default)]
struct Timers {
    named: u64,
    waiting: Vec<Timer>,
}

struct Timer {
    name: u64,
    due: Time,
    waker: Waker,
}

sync::thread_local! {
    /// One list for each [`block_on`] that the thread is in.
    static TIMERS: RefCell<Vec<Timers>> = RefCell::default();
}

/// Whether the calling thread is in a [`block_on`].
fn is_inside() -> bool {
    TIMERS.with(|timers| !timers.borrow().is_empty())
}

fn timers<T>(work: impl FnOnce(&mut Timers) -> T) -> Option<T> {
    TIMERS.with(|timers| timers.borrow_mut().last_mut().map(work))
}

/// Takes the list away, also when the future panics.
struct Inside;

impl Inside {
    fn new() -> Inside {
        TIMERS.with(|timers| timers.borrow_mut().push(Timers::default()));
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        TIMERS.with(|timers| timers.borrow_mut().pop());
    }
}

/// Runs a future to its end in the calling thread, which has to be known to the simulation it is
/// inside of ([`npfs_win32::simulation`]). While the future waits, the thread sleeps there.
///
/// # Panics
/// When the simulation stops: with the report of the deadlock, if it is one.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let (host, _) = npfs_win32::simulation::current();
    let parker = host.parker().unwrap_or_else(|why| panic!("{}", Error::from(why)));
    let waker = parker.waker();
    let _inside = Inside::new();
    let mut future = pin!(future);
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
        let next = timers(|timers| timers.waiting.iter().map(|timer| timer.due).min()).flatten();
        let woken = parker.park(next).and_then(|()| {
            if next.is_some() {
                wake_due(&host);
            }
            // What a poll does is one step, so it is one turn.
            host.turn()
        });
        if let Err(why) = woken {
            panic!("{}", Error::from(why));
        }
    }
}

fn wake_due(host: &Host) {
    let now = host.now();
    let due = timers(|timers| {
        let (due, rest) = std::mem::take(&mut timers.waiting)
            .into_iter()
            .partition::<Vec<Timer>, _>(|timer| timer.due <= now);
        timers.waiting = rest;
        due
    });
    due.into_iter().flatten().for_each(|timer| timer.waker.wake());
}

/// What a task leaves for whoever waits for it.
struct Left<T> {
    result: Option<Result<T, JoinError>>,
    waker: Option<Waker>,
}

/// A task to wait for. Dropped, it lets the task go on alone.
pub struct JoinHandle<T> {
    left: Arc<Unseen<Left<T>>>,
    thread: Option<npfs_host::JoinHandle<()>>,
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("thread", &self.thread).finish_non_exhaustive()
    }
}

/// A task that panicked.
pub struct JoinError(Box<dyn Any + Send>);

impl JoinError {
    /// What it panicked with.
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        self.0
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the task panicked: {}", crate::explore::message(&*self.0))
    }
}

impl std::error::Error for JoinError {}

/// Starts a task in the calling thread's process, as a thread of its simulation with the name
/// `task`.
///
/// # Panics
/// When the system cannot start a thread.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_named("task", future)
}

/// As [`spawn`], with a name for schedules and reports; a number is put behind it if it is taken.
///
/// # Panics
/// When the system cannot start a thread.
pub fn spawn_named<F>(name: &str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (host, process) = npfs_win32::simulation::current();
    let left = Arc::new(Unseen::new(Left { result: None, waker: None }));
    let leaves = Leaves(left.clone());
    let thread = host.spawn(process, name, move || {
        let work = std::panic::AssertUnwindSafe(|| block_on(future));
        leaves.leave(std::panic::catch_unwind(work).map_err(JoinError));
    });
    JoinHandle { left, thread: Some(thread) }
}

struct Leaves<T>(Arc<Unseen<Left<T>>>);

impl<T> Leaves<T> {
    fn leave(self, result: Result<T, JoinError>) {
        let waker = {
            let mut left = self.0.lock();
            left.result = Some(result);
            left.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let result = {
            let mut left = self.left.lock();
            let Some(result) = left.result.take() else {
                left.waker = Some(cx.waker().clone());
                return Poll::Pending;
            };
            result
        };
        // Its thread has nothing more to do; afterwards it is gone.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        Poll::Ready(result)
    }
}

/// A wait for the virtual time of the simulation.
#[derive(Debug)]
pub struct Sleep {
    span: Duration,
    /// Its name, and when it is over, once it was polled.
    begun: Option<(u64, Time)>,
}

/// Waits until `span` has passed in the simulation, at least; only inside [`block_on`]. (On a tokio
/// runtime it is `tokio::time::sleep`.)
pub fn sleep(span: Duration) -> Sleep {
    Sleep { span, begun: None }
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        assert!(
            is_inside(),
            "npfs_tokio::task::sleep is for futures of npfs_tokio::task::block_on"
        );
        let (host, _) = npfs_win32::simulation::current();
        let now = host.now();
        let (name, due) = match self.begun {
            Some(begun) => begun,
            None => {
                let ticks = self.span.as_nanos().div_ceil(100).min(u128::from(u64::MAX)) as u64;
                let name = timers(|timers| {
                    timers.named += 1;
                    timers.named
                });
                *self.begun.insert((name.unwrap_or_default(), now.after(Time(ticks))))
            }
        };
        timers(|timers| timers.waiting.retain(|timer| timer.name != name));
        if now >= due {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        timers(|timers| timers.waiting.push(Timer { name, due, waker }));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((name, _)) = self.begun {
            timers(|timers| timers.waiting.retain(|timer| timer.name != name));
        }
    }
}

/// Lets others go first.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
