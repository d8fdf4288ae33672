//! The reader of scenario files.
//!
//! Lines are read one by one, each from left to right, so an error is always at a known place.

mod claim;
mod creation;
mod flow;
mod identity;
mod line;
mod names;
mod native;
mod op;
mod option;
mod reply;

use npfs_abi::{Fault, Op, ProcessId, Profile, RequestId, Status, ThreadId};

use self::line::{ALL_REPETITIONS, Line, Mark};
use self::names::{Meaning, Names};
use crate::error::ParseError;
use crate::scenario::{
    Action, Caused, ChoicePoint, Ending, Evidence, Expected, ExpectedReply, Order, Process,
    Property, RuleClaim, Scenario, Scope, Step, Thread, Word,
};
use crate::text::makes_handles;

pub(crate) use self::creation::{OPEN_MODE_WORDS, PIPE_MODE_WORDS};
pub(crate) use self::identity::{LEVELS, SQOS_WORDS};
pub(crate) use self::native::{
    FILE_CLASS_WORDS, FSCTL_WORDS, OBJECT_CLASS_WORDS, VOLUME_CLASS_WORDS, Words,
};

/// Words that start a line of their own or join claims, so no thread can have them as its name.
const KEYWORDS: &[&str] = &[
    "title",
    "rules",
    "process",
    "thread",
    "end",
    "order",
    "advance",
    "profile",
    "fault",
    "choices",
    "race",
    "broken",
    "always",
    "never",
    "eventually",
    "reachable",
    "outcome",
    "and",
    "or",
];

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// The first place that cannot be read.
    pub fn parse(text: &str) -> Result<Scenario, ParseError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::default();
        let mut budget = ALL_REPETITIONS;
        for (number, text) in (1..).zip(text.split('\n')) {
            let text = text.strip_suffix('\r').unwrap_or(text);
            let mut line = Line::new(text, number, budget);
            reader.line(&mut line, text.starts_with([' ', '\t']), number)?;
            budget = line.budget;
        }
        reader.blocks.closed()?;
        Ok(reader.finish())
    }
}

#[derive(Default)]
struct Reader {
    title: Option<String>,
    rules: Vec<RuleClaim>,
    profile: Option<Profile>,
    faults: Vec<Fault>,
    names: Names,
    steps: Vec<Step>,
    blocks: flow::Blocks,
    ending: Option<Ending>,
    orders: Vec<Order>,
    properties: Vec<Property>,
    choices: Option<Vec<ChoicePoint>>,
}

impl Reader {
    fn finish(mut self) -> Scenario {
        self.default_process();
        Scenario {
            title: self.title.unwrap_or_default(),
            rules: self.rules,
            profile: self.profile.unwrap_or_default(),
            faults: self.faults,
            processes: self.names.processes,
            threads: self.names.threads,
            steps: self.steps,
            ending: self.ending,
            orders: self.orders,
            properties: self.properties,
            choices: self.choices.unwrap_or_default(),
        }
    }

    /// Without any declaration there is one process, `main`.
    fn default_process(&mut self) {
        if self.names.processes.is_empty() {
            self.names.processes.push(Process::new("main", true));
        }
    }

    fn line(&mut self, line: &mut Line<'_>, indented: bool, number: u32) -> Result<(), ParseError> {
        if line.at_end() {
            return Ok(());
        }
        if indented {
            self.caused(line)?;
            return line.end();
        }
        let mark = line.mark();
        let word = line.word("a declaration or a step")?;
        if line.eat(":") {
            match word {
                "title" => self.title(line)?,
                "rules" => self.rules(line)?,
                "profile" => {
                    if self.profile.is_some() {
                        return Err(line.wanted_at(mark, "`profile:` at most once"));
                    }
                    self.profile = Some(identity::profile(line)?);
                }
                "fault" => self.faults.push(identity::fault(line)?),
                "choices" => {
                    if self.choices.is_some() {
                        return Err(line.wanted_at(mark, "`choices:` at most once"));
                    }
                    self.choices = Some(claim::choices(line)?);
                }
                "end" => {
                    if self.ending.is_some() {
                        return Err(line.wanted_at(mark, "`end:` at most once"));
                    }
                    self.ending = Some(ending(line)?);
                }
                _ => match Scope::from_word(word) {
                    Some(scope) => self.property(line, false, scope)?,
                    None => {
                        line.back_to(mark);
                        self.step(line, number)?;
                    }
                },
            }
        } else {
            match word {
                "process" => self.process(line)?,
                "thread" => self.thread(line)?,
                "order" => self.order(line)?,
                "advance" => self.advance(line, number)?,
                "race" => {
                    let once = self.steps.iter().all(|step| step.action != Action::Race);
                    if !once {
                        return Err(line.wanted_at(mark, "`race` at most once"));
                    }
                    self.blocks.closed()?;
                    let steers = |step: &Step| matches!(step.action, Action::Flow { .. });
                    if self.steps.iter().any(steers) {
                        return Err(line.wanted_at(mark, "`race` above all lines that steer"));
                    }
                    let action = Action::Race;
                    self.steps.push(Step { line: number, action, expected: None, caused: vec![] });
                }
                "broken" => {
                    let mark = line.mark();
                    let scope = line.try_word().and_then(Scope::from_word).ok_or_else(|| {
                        line.wanted_at(mark, "always, never, eventually, reachable or outcome")
                    })?;
                    line.expect(":")?;
                    self.property(line, true, scope)?;
                }
                _ if self.names.find_thread(word).is_some() => return Err(line.wanted("`:`")),
                _ => {
                    let wanted = "title:, rules:, profile:, fault:, choices:, end:, process, thread, order, advance, race, always:, never:, eventually:, reachable:, outcome:, broken or THREAD:";
                    return Err(line.wanted_at(mark, wanted));
                }
            }
        }
        line.end()
    }

    fn title(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        let mark = line.start();
        let title = line.sentence();
        if title.is_empty() {
            return Err(line.wanted("a sentence"));
        }
        if self.title.replace(title.to_owned()).is_some() {
            return Err(line.error_at(mark, "`title:` at most once", "another"));
        }
        Ok(())
    }

    fn rules(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        loop {
            let id = line.rule_id()?.to_owned();
            let mark = line.mark();
            let evidence = line
                .try_word()
                .and_then(Evidence::from_word)
                .ok_or_else(|| line.wanted_at(mark, "tested, reported, documented or chosen"))?;
            self.rules.push(RuleClaim { id, evidence });
            if !line.eat(",") {
                return Ok(());
            }
        }
    }

    /// A new name, for something of which `taken` says whether it exists.
    fn fresh(
        line: &mut Line<'_>,
        what: &str,
        taken: impl Fn(&str) -> bool,
    ) -> Result<Word, ParseError> {
        let mark = line.mark();
        let name = line.word(&format!("the name of {what}"))?;
        if taken(name) {
            let wanted = format!("a new name for {what}");
            return Err(line.error_at(mark, &wanted, &format!("`{name}`, which is taken")));
        }
        Ok(name.to_owned())
    }

    fn process(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        let taken = |name: &str| self.names.find_process(name).is_some();
        let name = Reader::fresh(line, "a process", taken)?;
        self.names.processes.push(identity::process(line, name)?);
        Ok(())
    }

    fn thread(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        self.default_process();
        let taken = |name: &str| KEYWORDS.contains(&name) || self.names.find_thread(name).is_some();
        let name = Reader::fresh(line, "a thread", taken)?;
        let process = if line.at_end() {
            ProcessId(1)
        } else {
            line.expect("in")?;
            self.names.process(line)?
        };
        self.names.threads.push(Thread { name, process });
        self.names.steps.push(0);
        Ok(())
    }

    fn property(
        &mut self,
        line: &mut Line<'_>,
        broken: bool,
        scope: Scope,
    ) -> Result<(), ParseError> {
        let claim = claim::claim(line, &self.names)?;
        self.properties.push(Property { broken, scope, claim });
        Ok(())
    }

    fn order(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        let taken = |name: &str| self.orders.iter().any(|order| order.name == name);
        let name = Reader::fresh(line, "an order", taken)?;
        line.expect(":")?;
        let mut threads = Vec::new();
        while !line.eat("->") {
            if line.at_end() {
                return Err(line.wanted("`->` and how the run ends"));
            }
            threads.push(self.names.thread(line)?);
        }
        self.orders.push(Order { name, threads, ending: ending(line)? });
        Ok(())
    }

    fn advance(&mut self, line: &mut Line<'_>, number: u32) -> Result<(), ParseError> {
        let action = Action::Advance(line.time()?);
        let expected = if line.eat("->") {
            line.expect("ok")?;
            Some(plain_ok())
        } else {
            None
        };
        self.steps.push(Step { line: number, action, expected, caused: Vec::new() });
        Ok(())
    }

    /// `THREAD: [WORD [WORD] =] OPERATION [-> EXPECTED]`, or a line that steers the thread.
    fn step(&mut self, line: &mut Line<'_>, number: u32) -> Result<(), ParseError> {
        let thread = self.names.thread(line)?;
        line.expect(":")?;
        let start = line.mark();
        let labels = labels(line)?;
        if labels.is_empty() {
            if let Some(flow) = flow::flow(line, &self.names, &mut self.blocks, thread)? {
                let action = Action::Flow { thread, flow };
                self.steps.push(Step { line: number, action, expected: None, caused: vec![] });
                return Ok(());
            }
        }
        let op = op::operation(line, &self.names)?;
        self.name(line, start, thread, &labels, &op)?;
        let expected =
            if line.eat("->") { Some(reply::expected(line, &self.names)?) } else { None };
        let action = Action::Op { thread, labels, op };
        self.steps.push(Step { line: number, action, expected, caused: Vec::new() });
        Ok(())
    }

    /// Counts the step and gives its labels their meaning.
    fn name<'a>(
        &mut self,
        line: &Line<'a>,
        start: Mark<'a>,
        thread: ThreadId,
        labels: &[Word],
        op: &Op<Word, Word>,
    ) -> Result<(), ParseError> {
        let call = &mut self.names.steps[thread.0 as usize - 1];
        *call += 1;
        let handles = makes_handles(op);
        let meaning = match handles {
            0 => Meaning::Request(RequestId { thread, call: *call }),
            _ => Meaning::Handle,
        };
        let allowed = handles.max(1);
        if !labels.is_empty() && labels.len() != allowed {
            let wanted = if allowed == 2 { "two words before `=`" } else { "one word before `=`" };
            let found = format!("`{}`", labels.join(" "));
            return Err(line.error_at(start, wanted, &found));
        }
        for label in labels {
            self.names.words.insert(label.clone(), meaning);
        }
        Ok(())
    }

    /// `REQUEST done REPLY` or `THREAD returns REPLY`
    fn caused(&mut self, line: &mut Line<'_>) -> Result<(), ParseError> {
        let Some(step) = self.steps.last_mut() else {
            return Err(line.wanted("a declaration or a step, not indented"));
        };
        match (&step.expected, &step.action) {
            (Some(_), _) => {}
            (None, Action::Advance(_)) => step.expected = Some(plain_ok()),
            (None, Action::Op { .. } | Action::Flow { .. } | Action::Race) => {
                return Err(line.wanted("no indented line below a step without `->`"));
            }
        }
        let mark = line.mark();
        line.request()?;
        let verb = line.mark();
        let wakes = match line.try_word() {
            Some("done") => false,
            Some("returns") => true,
            _ => return Err(line.wanted_at(verb, "done or returns")),
        };
        let after = line.mark();
        line.back_to(mark);
        let who = if wakes {
            let thread = self.names.thread(line)?;
            self.names.threads[thread.0 as usize - 1].name.clone()
        } else {
            self.names.request(line)?.0
        };
        line.back_to(after);
        step.caused.push(Caused { wakes, who, reply: reply::reply(line, &self.names)? });
        Ok(())
    }
}

/// What an `advance` gives when it is said.
fn plain_ok() -> Expected {
    Expected::Done(ExpectedReply { status: Status::SUCCESS, information: None, output: None })
}

/// `[WORD [WORD] =]`; a `=` close to a second word belongs to an option.
fn labels(line: &mut Line<'_>) -> Result<Vec<Word>, ParseError> {
    let start = line.mark();
    let mut words = Vec::new();
    for count in 0..3 {
        if count == 1 && line.eat("=") || count == 2 && line.sees_blank() && line.eat("=") {
            return Ok(words);
        }
        let mark = line.mark();
        match line.try_word() {
            // Waits have this option, and these join claims.
            Some(op::ALERTABLE | "and" | "or") => {
                // Only a label is wrong here; as anything else the operation is read again below.
                if line.eat("=") {
                    return Err(line.wanted_at(mark, "another word than alertable, and, or"));
                }
                break;
            }
            Some(word) => words.push(word.to_owned()),
            None => break,
        }
    }
    line.back_to(start);
    Ok(Vec::new())
}

fn ending(line: &mut Line<'_>) -> Result<Ending, ParseError> {
    let mark = line.mark();
    line.try_word()
        .and_then(Ending::from_word)
        .ok_or_else(|| line.wanted_at(mark, "finished, blocked or deadlock"))
}
