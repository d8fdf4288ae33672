//! Any text is a scenario or a clear error; a scenario prints as one that reads the same, and runs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use npfs_machine::run;
use npfs_trace::Scenario;

fuzz_target!(|text: &str| {
    let Ok(scenario) = Scenario::parse(text) else { return };
    let printed = scenario.to_string();
    assert_eq!(Scenario::parse(&printed).as_ref(), Ok(&scenario), "{printed}");
    let first = run(&scenario, None);
    for order in &scenario.orders {
        run(&scenario, Some(order));
    }
    assert_eq!(run(&scenario, None), first, "a run repeats");
});
