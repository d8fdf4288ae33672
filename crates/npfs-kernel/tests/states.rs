//! `docs/states.md` is the state table of the kernel, printed (STATE-20 to STATE-32).

use std::fmt::Write;

use npfs_abi::{End, PipeState};
use npfs_kernel::state::{Operation, Rule, rule};

fn page() -> String {
    let mut page = String::from(
        "# What each end may do in each state\n\n\
         Printed from `crates/npfs-kernel/src/npfs/state.rs` by its test; rules STATE-20 to STATE-32.\n\
         *go*: the operation goes on. *drain*: it goes on while unread data is left, else it fails\n\
         with this status. *idle*: it succeeds at once. A client in the state disconnected is one\n\
         that its server cast off; it never sees listening.\n\n\
         | operation | end | disconnected | listening | connected | closing |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for operation in Operation::ALL {
        for end in [End::Server, End::Client] {
            let cells: Vec<String> = PipeState::ALL
                .iter()
                .map(|state| match rule(operation, end, *state) {
                    _ if end == End::Client && *state == PipeState::Listening => "–".to_string(),
                    Rule::Go => "go".to_string(),
                    Rule::Idle => "idle".to_string(),
                    Rule::Drain(status) => format!("drain, {status}"),
                    Rule::Fail(status) => status.to_string(),
                })
                .collect();
            let _ = writeln!(page, "| {operation:?} | {end} | {} |", cells.join(" | "));
        }
    }
    page
}

/// Run with `UPDATE_DOCS=1` to write the page anew.
#[test]
fn the_page_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/states.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).expect("docs/states.md can be written");
    }
    let written = std::fs::read_to_string(path).expect("docs/states.md is there");
    assert_eq!(written, page(), "docs/states.md is stale: UPDATE_DOCS=1 cargo test -p npfs-kernel");
}
