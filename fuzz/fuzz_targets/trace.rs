//! Any text is a trace or a clear error; a trace is written as one that reads the same, and can
//! be checked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use npfs_machine::{Deviations, check};
use npfs_trace::Trace;

fuzz_target!(|text: &str| {
    let Ok(trace) = Trace::parse(text) else { return };
    let written = trace.write();
    assert_eq!(Trace::parse(&written).map(|again| again.header), Ok(trace.header.clone()));
    let _ = check(&trace, &Deviations::default());
});
