//! What a state has: claims, looked at.

use npfs_abi::ThreadId;
use npfs_machine::holds;
use npfs_trace::scenario::{Scope, Stand};

use crate::machine::Machine;
use crate::model::{Model, Test};

/// Which claims of the model's properties hold in this state, a bit each. `last` says that
/// nothing can happen any more.
pub(crate) fn claims(machine: &Machine, last: bool) -> u64 {
    let mut bits = 0;
    for (number, property) in machine.model.properties.iter().enumerate() {
        if holds_here(&property.claim, machine, last) {
            bits |= 1 << number;
        }
    }
    bits
}

/// Which properties an order breaks that ends in this state, a bit each.
pub(crate) fn broken(machine: &Machine, last: bool) -> u64 {
    let bits = claims(machine, last);
    let properties = machine.model.properties.iter().enumerate();
    properties.fold(0, |broken, (number, property)| {
        let broken_here = is_broken_here(property.scope, bits & 1 << number != 0, last);
        broken | u64::from(broken_here) << number
    })
}

/// Whether an order that ends here breaks a property whose claim holds here, or does not.
pub(crate) fn is_broken_here(scope: Scope, holds: bool, last: bool) -> bool {
    match scope {
        Scope::Always => !holds,
        Scope::Never => holds,
        Scope::Outcome => last && !holds,
        Scope::Eventually | Scope::Reachable => false,
    }
}

/// Whether no property looks at states before the end.
pub(crate) fn about_ends_only(model: &Model) -> bool {
    model.properties.iter().all(|property| match property.scope {
        Scope::Outcome => true,
        Scope::Never | Scope::Reachable => at_ends_only(&property.claim),
        Scope::Always | Scope::Eventually => false,
    })
}

/// Whether a claim can hold at an end only.
fn at_ends_only(test: &Test) -> bool {
    match test {
        Test::All(tests) => tests.iter().any(at_ends_only),
        Test::Any(tests) => tests.iter().all(at_ends_only),
        Test::Not(_) | Test::Result(..) | Test::Thread(..) => false,
        Test::Deadlock | Test::Leak | Test::LostData | Test::UnendedRequest => true,
    }
}

fn holds_here(test: &Test, machine: &Machine, last: bool) -> bool {
    match test {
        Test::All(tests) => tests.iter().all(|test| holds_here(test, machine, last)),
        Test::Any(tests) => tests.iter().any(|test| holds_here(test, machine, last)),
        Test::Not(test) => !holds_here(test, machine, last),
        Test::Result(slot, expected) => {
            machine.outcome_of(*slot).is_some_and(|outcome| holds(expected, &outcome))
        }
        Test::Thread(ThreadId(number), stand) => {
            let place = (*number as usize).wrapping_sub(1);
            place < machine.thread_count()
                && match stand {
                    Stand::Finished => machine.has_finished(place),
                    Stand::Blocked => machine.sleeps(place),
                }
        }
        Test::Deadlock => last && (0..machine.thread_count()).any(|place| machine.sleeps(place)),
        Test::Leak => last && !machine.kernel.leaks().is_empty(),
        Test::LostData => last && machine.has_lost_data(),
        Test::UnendedRequest => last && machine.has_open_request(),
    }
}
