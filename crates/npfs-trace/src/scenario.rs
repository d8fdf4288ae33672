//! Scenarios: what named threads of named processes do, in which order, and what is expected.

use npfs_abi::{Fault, Op, Output, ProcessId, Profile, Status, ThreadId, Time, Token};

/// A word that a scenario uses for a handle or a request, or a name such as `h1` in a trace.
pub type Word = String;

/// A scenario file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scenario {
    /// One sentence: what the scenario shows.
    pub title: String,
    /// The rules it holds, each with the strength of its evidence.
    pub rules: Vec<RuleClaim>,
    /// Which Windows it is about.
    pub profile: Profile,
    /// What goes wrong by plan.
    pub faults: Vec<Fault>,
    /// The processes; number n is `ProcessId(n + 1)`.
    pub processes: Vec<Process>,
    /// The threads; number n is `ThreadId(n + 1)`.
    pub threads: Vec<Thread>,
    /// What happens, in file order, which is the order of the run unless another is chosen.
    pub steps: Vec<Step>,
    /// How the run in file order is expected to end.
    pub ending: Option<Ending>,
    /// Other orders of the same steps.
    pub orders: Vec<Order>,
}

/// A rule id and the strength of its evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleClaim {
    /// Such as `READ-21`.
    pub id: String,
    /// What stands behind it.
    pub evidence: Evidence,
}

/// The strength of evidence, strongest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Evidence {
    /// A test that runs on real Windows asserts it.
    Tested,
    /// Measured on Windows and published.
    Reported,
    /// Microsoft's documentation says so.
    Documented,
    /// Only another implementation says so, or nobody: chosen by npfs.
    Chosen,
}

impl Evidence {
    /// The word for it in a scenario file.
    pub const fn word(self) -> &'static str {
        match self {
            Evidence::Tested => "tested",
            Evidence::Reported => "reported",
            Evidence::Documented => "documented",
            Evidence::Chosen => "chosen",
        }
    }

    /// The strength with this word.
    pub fn from_word(word: &str) -> Option<Evidence> {
        use Evidence::{Chosen, Documented, Reported, Tested};
        [Tested, Reported, Documented, Chosen].into_iter().find(|one| one.word() == word)
    }
}

/// A process of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// Its name.
    pub name: String,
    /// Whether it runs from the start; else a `spawn` step starts it.
    pub started: bool,
    /// As whom it runs.
    pub token: Token,
    /// Its session.
    pub session: u32,
    /// The computer it runs on, if not the one with the pipes.
    pub computer: Option<String>,
}

impl Process {
    /// A process of an ordinary user in session 0, on the computer with the pipes.
    pub fn new(name: &str, started: bool) -> Process {
        let token = Token::default();
        Process { name: name.to_owned(), started, token, session: 0, computer: None }
    }
}

/// A thread of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub process: ProcessId,
}

/// One step. Two steps are equal when they do and expect the same, wherever they stand.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its line in the file, from 1. It plays no part in comparing.
    pub line: u32,
    /// What is done.
    pub action: Action,
    /// What is expected at once; `None` leaves result and caused lines unchecked.
    pub expected: Option<Expected>,
    /// What the step is expected to cause, in order; only meaningful when `expected` is given.
    pub caused: Vec<Caused>,
}

impl PartialEq for Step {
    fn eq(&self, other: &Step) -> bool {
        self.action == other.action
            && self.expected == other.expected
            && self.caused == other.caused
    }
}
impl Eq for Step {}

/// What a step does.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every action is an operation")]
pub enum Action {
    /// A thread makes a call.
    Op {
        /// Which thread.
        thread: ThreadId,
        /// The words before `=`: they name the new handle or handles, and the request.
        labels: Vec<Word>,
        /// The operation.
        op: Op<Word, Word>,
    },
    /// Time passes.
    Advance(Time),
}

/// The expected outcome of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expected {
    /// The call is over.
    Done(ExpectedReply),
    /// The operation goes on and so does the thread.
    Pending,
    /// The thread sleeps in the call.
    Blocked,
}

/// A reply in which only the parts that are written are compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedReply {
    /// The status; always compared.
    pub status: Status,
    /// The byte count.
    pub information: Option<u32>,
    /// What was handed out. A handle's word is not compared. A routine is named by its thread and
    /// by its number among the steps of that thread in this file, from 1.
    pub output: Option<Output<Word>>,
}

/// A line caused by the step above it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caused {
    /// `THREAD returns`: a blocked thread goes on; else `REQUEST done`: a pending operation ended.
    pub wakes: bool,
    /// The thread's name if it wakes, else the request's word, or `thread.n` (the n-th step of
    /// that thread, from 1) for a request without one.
    pub who: Word,
    /// How it ended.
    pub reply: ExpectedReply,
}

/// How a run ends when every step has been started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// Every call has returned. Overlapped requests may still be pending.
    Finished,
    /// Some thread sleeps, but another thread, process or the clock could still wake it.
    Blocked,
    /// Threads sleep and nothing is left that could wake them: they wait for each other.
    Deadlock,
}

impl Ending {
    /// The word for it in a scenario file.
    pub const fn word(self) -> &'static str {
        match self {
            Ending::Finished => "finished",
            Ending::Blocked => "blocked",
            Ending::Deadlock => "deadlock",
        }
    }

    /// The ending with this word.
    pub fn from_word(word: &str) -> Option<Ending> {
        [Ending::Finished, Ending::Blocked, Ending::Deadlock]
            .into_iter()
            .find(|one| one.word() == word)
    }
}

/// Another order of a scenario's steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Its name.
    pub name: String,
    /// Whose next step comes next. Steps that are not named follow in file order.
    pub threads: Vec<ThreadId>,
    /// How it ends.
    pub ending: Ending,
}
