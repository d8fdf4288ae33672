//! The printed form of a whole scenario.

use std::collections::BTreeMap;
use std::fmt;

use npfs_abi::{ProcessId, Profile, RequestId};

use crate::native;
use crate::scenario::{Action, Process, Scenario};
use crate::text::{Printer, makes_handles};

impl fmt::Display for Scenario {
    /// The scenario as a file; reading it gives an equal scenario.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printer = Printer::new(self);
        if !self.title.is_empty() {
            writeln!(f, "title: {}", self.title)?;
        }
        if !self.rules.is_empty() {
            let rules: Vec<_> = self
                .rules
                .iter()
                .map(|rule| format!("{} {}", rule.id, rule.evidence.word()))
                .collect();
            writeln!(f, "rules: {}", rules.join(", "))?;
        }
        if self.profile != Profile::current() {
            writeln!(f, "profile: {}", native::profile(self.profile))?;
        }
        for fault in &self.faults {
            writeln!(f, "fault: {}", native::fault(fault))?;
        }
        let default = matches!(&self.processes[..], [one] if *one == Process::new("main", true));
        if !self.choices.is_empty() {
            let words: Vec<_> = self.choices.iter().map(|choice| choice.word()).collect();
            writeln!(f, "choices: {}", words.join(", "))?;
        }
        for process in self.processes.iter().filter(|_| !default) {
            writeln!(f, "{}", native::process(process))?;
        }
        for thread in &self.threads {
            if thread.process == ProcessId(1) {
                writeln!(f, "thread {}", thread.name)?;
            } else {
                writeln!(f, "thread {} in {}", thread.name, printer.process(thread.process))?;
            }
        }
        if let Some(ending) = self.ending {
            writeln!(f, "end: {}", ending.word())?;
        }
        for order in &self.orders {
            write!(f, "order {}:", order.name)?;
            for thread in &order.threads {
                write!(f, " {}", printer.thread(*thread))?;
            }
            writeln!(f, " -> {}", order.ending.word())?;
        }
        if !self.steps.is_empty() {
            writeln!(f)?;
        }
        let mut counts = BTreeMap::new();
        for step in &self.steps {
            if let Action::Op { thread, labels, op } = &step.action {
                let call = counts.entry(*thread).and_modify(|n| *n += 1).or_insert(1);
                for label in labels {
                    if makes_handles(op) > 0 {
                        printer.free(label);
                    } else {
                        printer.name_request(RequestId { thread: *thread, call: *call }, label);
                    }
                }
            }
            f.write_str(&printer.step(step))?;
        }
        if !self.properties.is_empty() {
            writeln!(f)?;
        }
        for property in &self.properties {
            writeln!(f, "{}", printer.property(property))?;
        }
        Ok(())
    }
}
