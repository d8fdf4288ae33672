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
    /// What is claimed of every order.
    pub properties: Vec<Property>,
    /// Where exploration chooses besides whose turn it is.
    pub choices: Vec<ChoicePoint>,
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
    /// A thread decides which of its steps comes next.
    Flow {
        /// Which thread.
        thread: ThreadId,
        /// How it decides.
        flow: Flow,
    },
    /// What stands above comes first, in file order; what stands below may come in every order
    /// that the threads allow. Without it, that is true of all steps.
    Race,
}

/// A line that steers one thread through its steps.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Flow {
    /// The steps up to the matching [`Flow::End`] come this many times, 1 to 255.
    Loop(u32),
    /// The steps up to the matching [`Flow::Else`] or [`Flow::End`] come only if this holds.
    If(Condition),
    /// Otherwise these come.
    Else,
    /// The end of a loop or a condition.
    End,
    /// The innermost loop is left.
    Break(Option<Condition>),
    /// The rest of this turn of the innermost loop is left out.
    Again(Option<Condition>),
    /// The thread has nothing more to do.
    Stop(Option<Condition>),
}

/// Whether a result is one of several.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Condition {
    /// `unless`: it must be none of them.
    pub unless: bool,
    /// The result of the last step that gave this word; `None` for the thread's last result.
    pub of: Option<Word>,
    /// The results.
    pub any: Vec<Expected>,
}

/// A claim about all orders of the steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// The claim is known to be wrong: some order must break it.
    pub broken: bool,
    /// Where it has to hold.
    pub scope: Scope,
    /// What has to hold.
    pub claim: Claim,
}

/// Where a claim has to hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// In every state of every order.
    Always,
    /// In no state of any order.
    Never,
    /// In at least one state of every order.
    Eventually,
    /// In at least one state of at least one order.
    Reachable,
    /// At the end of every order.
    Outcome,
}

impl Scope {
    /// Every scope.
    pub const ALL: &'static [Scope] =
        &[Scope::Always, Scope::Never, Scope::Eventually, Scope::Reachable, Scope::Outcome];

    /// The word for it in a scenario file.
    pub const fn word(self) -> &'static str {
        match self {
            Scope::Always => "always",
            Scope::Never => "never",
            Scope::Eventually => "eventually",
            Scope::Reachable => "reachable",
            Scope::Outcome => "outcome",
        }
    }

    /// The scope with this word.
    pub fn from_word(word: &str) -> Option<Scope> {
        Scope::ALL.iter().copied().find(|one| one.word() == word)
    }
}

/// Something that a state has or has not.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Claim {
    /// All of these.
    All(Vec<Claim>),
    /// One of these.
    Any(Vec<Claim>),
    /// Not this.
    Not(Box<Claim>),
    /// The last result that has this word is this one. A pending operation that has ended counts
    /// as its end.
    Result(Word, Expected),
    /// A thread stands here.
    Thread(ThreadId, Stand),
    /// Threads sleep, and nobody will ever wake them.
    Deadlock,
    /// Handles, instances or requests are left at the end.
    Leak,
    /// At the end, bytes were accepted that nobody has read, and no flush has said so.
    LostData,
    /// At the end, an overlapped operation is still pending.
    UnendedRequest,
}

/// How far a thread is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stand {
    /// It has nothing more to do.
    Finished,
    /// It sleeps in a call.
    Blocked,
}

impl Stand {
    /// The word for it in a scenario file.
    pub const fn word(self) -> &'static str {
        match self {
            Stand::Finished => "finished",
            Stand::Blocked => "blocked",
        }
    }
}

/// A choice that Windows leaves open besides whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ChoicePoint {
    /// A deadline may come while threads can still run, not only when nobody can.
    Timers,
    /// Any of those who wait for an object or a lock may be the first in its queue.
    Waiters,
}

impl ChoicePoint {
    /// Every choice point.
    pub const ALL: &'static [ChoicePoint] = &[ChoicePoint::Timers, ChoicePoint::Waiters];

    /// The word for it in a scenario file.
    pub const fn word(self) -> &'static str {
        match self {
            ChoicePoint::Timers => "timers",
            ChoicePoint::Waiters => "waiters",
        }
    }

    /// The choice point with this word.
    pub fn from_word(word: &str) -> Option<ChoicePoint> {
        ChoicePoint::ALL.iter().copied().find(|one| one.word() == word)
    }
}

/// The expected outcome of a step.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Expected {
    /// The call is over.
    Done(ExpectedReply),
    /// The operation goes on and so does the thread.
    Pending,
    /// The thread sleeps in the call.
    Blocked,
}

/// A reply in which only the parts that are written are compared.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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
