//! Transcripts and a state, as a reader sees them.

use crate::{npfs, root};

fn output(arguments: &[&str], scenario: &str) -> String {
    let path = root().join("fixtures/scenarios").join(scenario);
    let ran = npfs(arguments, &path);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    ran.out
}

macro_rules! transcripts {
    ($($name:ident: $scenario:literal,)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(output(&["run"], $scenario));
        }
    )*};
}

transcripts! {
    the_race_of_a_parent_and_its_child:
        "seed/46-a-parent-reads-before-its-child-has-started.scenario",
    the_overlapped_variant_without_a_race:
        "seed/49-an-overlapped-handle-has-no-such-race.scenario",
    completion_routines: "seed/33-completion-routines-run-in-alertable-waits.scenario",
    call_named_pipe: "seed/11-call-named-pipe-needs-no-connect.scenario",
    stalled_writes: "core/stalled-writes-get-room-in-order.scenario",
    planned_faults: "faults/planned-misfortune.scenario",
    packets_of_a_port: "async/packets-of-a-port.scenario",
    an_impersonating_server: "security/impersonation-follows-the-reads.scenario",
    a_time_out: "seed/17-wait-named-pipe-ends-with-a-time-out.scenario",
}

#[test]
fn the_state_with_stalled_writes() {
    let scenario = "core/stalled-writes-get-room-in-order.scenario";
    insta::assert_snapshot!(output(&["dump", "--step", "4"], scenario));
}

#[test]
fn the_state_with_ports_events_and_requests() {
    let scenario = "async/packets-of-a-port.scenario";
    insta::assert_snapshot!(output(&["dump", "--step", "10"], scenario));
}

#[test]
fn the_state_with_processes_locks_and_sleepers() {
    let scenario = "sync/what-waits-for-the-lock.scenario";
    insta::assert_snapshot!(output(&["dump", "--step", "10"], scenario));
}
