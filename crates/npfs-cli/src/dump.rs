//! `npfs dump`

use std::path::Path;

use npfs_trace::Scenario;

use crate::files;
use crate::{Streams, Verdict};

/// Prints the state after `step` steps.
pub(crate) fn dump(path: &Path, step: Option<usize>, streams: &mut Streams<'_>) -> Verdict {
    let scenario = files::read(path)
        .and_then(|text| Scenario::parse(&text).map_err(|error| files::place(path, &error)));
    match scenario {
        Ok(scenario) => {
            let count = scenario.steps.len();
            let machine = npfs_machine::machine_after(&scenario, step.unwrap_or(count));
            streams.print(&machine.dump());
            Verdict::Holds
        }
        Err(error) => {
            streams.say(&error);
            Verdict::Failed
        }
    }
}
