//! The scenarios under stateright: the whole state hashed, each visited once.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

use stateright::{Checker, Model, Property};

use crate::measure::Measured;
use crate::pipe::{Caller, Pipe};
use crate::program::{Outcome, Program};

struct Small {
    program: Program,
    seen: Mutex<BTreeSet<Outcome>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct State {
    pipes: Vec<Pipe>,
    threads: Vec<At>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct At {
    at: u8,
    caller: Caller,
    answers: u64,
    /// It waits for its call to end.
    waits: bool,
}

impl Model for Small {
    type State = State;
    type Action = u8;

    fn init_states(&self) -> Vec<State> {
        let threads = self.program.threads.iter().enumerate().map(|(number, thread)| At {
            at: 0,
            caller: thread.caller(number),
            answers: 0,
            waits: false,
        });
        vec![State { pipes: self.program.pipes.clone(), threads: threads.collect() }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<u8>) {
        for (number, (thread, code)) in state.threads.iter().zip(&self.program.threads).enumerate()
        {
            let Some(instr) = code.code.get(usize::from(thread.at)) else { continue };
            if !thread.waits || state.pipes[code.pipe].ends(instr.op, thread.caller) {
                actions.push(number as u8);
            }
        }
        if actions.is_empty() {
            let outcome = state.threads.iter().map(|thread| thread.answers).collect();
            self.seen.lock().expect("nobody panics").insert(outcome);
        }
    }

    fn next_state(&self, state: &State, action: u8) -> Option<State> {
        let mut state = state.clone();
        let code = &self.program.threads[usize::from(action)];
        let thread = &mut state.threads[usize::from(action)];
        let instr = code.code[usize::from(thread.at)];
        match state.pipes[code.pipe].attempt(instr.op, &mut thread.caller) {
            None => thread.waits = true,
            Some(answer) => {
                thread.waits = false;
                thread.answers = thread.answers << 4 | u64::from(answer);
                thread.at = instr.next(answer).unwrap_or(code.code.len()) as u8;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Small>> {
        // Without a property that may still break, it stops early.
        vec![Property::always("runs", |_, _| true)]
    }
}

/// Every state of a program.
pub fn program(program: &Program) -> Measured {
    let small = Small { program: program.clone(), seen: Mutex::default() };
    let begun = Instant::now();
    let checker = small.checker().threads(1).spawn_dfs().join();
    let outcomes = checker.model().seen.lock().expect("nobody panics").len();
    Measured {
        seconds: begun.elapsed().as_secs_f64(),
        states: checker.unique_state_count() as u64,
        steps: checker.state_count() as u64,
        complete: true,
        outcomes,
        ..Measured::default()
    }
}
