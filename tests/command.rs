//! What the command says about files that are wrong, and how it exits.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::{npfs, root};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn with_file(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file of the test");
    path
}

const TRACE: &str =
    "fixtures/traces/wine-8.0/seed/10-a-client-can-connect-right-after-creation.jsonl";

fn trace() -> String {
    fs::read_to_string(root().join(TRACE)).expect("a recorded trace")
}

#[test]
fn a_changed_byte_count_is_found_in_its_line() {
    let text = trace();
    let place = text.find("\"information\":").expect("a byte count") + "\"information\":".len();
    let line = text[..place].matches('\n').count() + 1;
    let digits = text[place..].chars().take_while(char::is_ascii_digit).count();
    let changed = format!("{}77{}", &text[..place], &text[place + digits..]);
    let folder = folder();
    let path = with_file(&folder, "changed.jsonl", changed);

    let ran = npfs(&["check"], &path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with(&format!("{}:{line}: ", path.display())), "{}", ran.out);
    assert!(ran.out.contains("found information=77"), "{}", ran.out);
    assert!(ran.out.ends_with(", 1 unexplained\n"), "{}", ran.out);
}

#[test]
fn an_unchanged_copy_is_explained() {
    let folder = folder();
    let path = with_file(&folder, "copy.jsonl", trace());
    let ran = npfs(&["check"], &path);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_syntax_error_has_line_and_column() {
    let folder = folder();
    let path = with_file(&folder, "wrong.scenario", "thread t\n\nt: s = crate_pipe x -> ok\n");
    let ran = npfs(&["run"], &path);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.out, "");
    let place = format!("{}:3:8: wanted ", path.display());
    assert!(ran.err.starts_with(&place), "{}", ran.err);
    assert!(ran.err.contains(", found "), "{}", ran.err);
}

#[test]
fn a_broken_expectation_is_a_difference() {
    let folder = folder();
    let text = "thread t\n\nt: s = create_pipe \\\\.\\pipe\\a -> ACCESS_DENIED\n";
    let path = with_file(&folder, "broken.scenario", text);
    let ran = npfs(&["run"], &path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let place = format!("{}:3: wanted ACCESS_DENIED (5), found ok", path.display());
    assert!(ran.out.contains(&place), "{}", ran.out);
}

#[test]
fn a_step_of_a_sleeping_thread_is_a_difference() {
    let folder = folder();
    let text = "thread t\n\nt: s = create_pipe \\\\.\\pipe\\a\nt: connect s\nt: close s\n";
    let path = with_file(&folder, "sleeper.scenario", text);
    let ran = npfs(&["run"], &path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("line 5: wanted t to make a call, found t still waits"),
        "{}",
        ran.out
    );
}

#[test]
fn a_file_that_is_not_there_cannot_be_run() {
    let folder = folder();
    let path = folder.path().join("missing.scenario");
    for command in ["run", "check", "dump"] {
        let ran = npfs(&[command], &path);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{command}");
        assert!(ran.err.starts_with(&path.display().to_string()), "{}", ran.err);
    }
}

#[test]
fn a_cut_trace_is_found_out() {
    let text = trace();
    let folder = folder();
    let path = with_file(&folder, "cut.jsonl", &text[..text.len() - 20]);
    let ran = npfs(&["check"], &path);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.starts_with(&format!("{}:", path.display())), "{}", ran.err);
}

#[test]
fn json_is_json_for_both_commands() {
    for (command, path) in [("run", "fixtures/scenarios/core"), ("check", "fixtures/traces")] {
        let ran = npfs(&[command, "--json"], &root().join(path));
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.starts_with('{') && ran.out.ends_with("}\n"), "{}", ran.out);
    }
}

/// A compressed file, and a file of several traces, and totals by source.
#[test]
fn traces_may_be_packed_and_several_in_a_file() {
    use std::io::Write;
    let planted = "fixtures/impossible/two-clients-on-one-instance.jsonl";
    let planted = fs::read_to_string(root().join(planted)).expect("the planted history");
    let folder = folder();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(format!("{}{planted}{}", trace(), trace()).as_bytes()).expect("packed");
    let path = with_file(&folder, "three.jsonl.gz", packed.finish().expect("packed"));
    let ran = npfs(&["check"], &path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("npfs planted, scenarios at full speed: 1 traces, 9 events: 0 explained")
    );
    assert!(ran.out.contains("wine 8.0, scenarios: 2 traces,"), "{}", ran.out);
    assert!(ran.out.contains("\n3 traces, "), "{}", ran.out);
    assert!(ran.out.ends_with(", 1 unexplained\n"), "{}", ran.out);

    let path = with_file(&folder, "wrong.jsonl.gz", "no gzip");
    assert_eq!(npfs(&["check"], &path).code, 2);
}

/// Without enough steps nobody knows, and that is not the same as a difference.
#[test]
fn a_search_that_gives_up_has_a_code_of_its_own() {
    let folder = folder();
    let planted = "fixtures/impossible/two-clients-on-one-instance.jsonl";
    let planted = fs::read_to_string(root().join(planted)).expect("the planted history");
    let path = with_file(&folder, "planted.jsonl", planted);
    let ran = npfs(&["check", "--steps", "2"], &path);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("unknown: not every order was tried (2 steps)"), "{}", ran.out);
    assert!(ran.out.ends_with("0 unexplained, 1 unknown\n"), "{}", ran.out);
}

#[test]
fn a_trace_is_compared_with_another_and_with_a_run() {
    let folder = folder();
    let scenario = root()
        .join("fixtures/scenarios/seed/10-a-client-can-connect-right-after-creation.scenario");
    let scenario = scenario.to_str().expect("a path in UTF-8");
    let ran = npfs(&["diff", scenario], &root().join(TRACE));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with(" calls, 0 differ\n"), "{}", ran.out);

    let text = trace();
    let place = text.find("\"information\":").expect("a byte count") + "\"information\":".len();
    let digits = text[place..].chars().take_while(char::is_ascii_digit).count();
    let changed = format!("{}77{}", &text[..place], &text[place + digits..]);
    let path = with_file(&folder, "changed.jsonl", changed);
    let ran = npfs(&["diff", root().join(TRACE).to_str().expect("a path")], &path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.lines().any(|line| line.starts_with('!') && line.contains("77")),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with(" calls, 1 differ\n"), "{}", ran.out);
    let ran = npfs(&["diff", "--json", "missing.jsonl"], &path);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
}

const DEADLOCK: &str = r"process server
process client
thread s in server
thread c in client
s: p = create_pipe \\.\pipe\x in=2 out=2
c: h = open \\.\pipe\x
race
s: write p @reply@
s: read p 8
c: write h @reply@
c: read h 8
never: deadlock
";

#[test]
fn an_order_that_breaks_a_property_is_found_and_can_be_replayed() {
    let folder = folder();
    let text = DEADLOCK.replace('@', "\"");
    let path = with_file(&folder, "deadlock.scenario", &text);
    let ran = npfs(&["explore"], &path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("broken  never: deadlock: 0 preemptions, 2 steps: c s"),
        "{}",
        ran.out
    );
    let ran = npfs(&["explore", "--replay", "c s"], &path);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("cycle: s -> c -> s"), "{}", ran.out);
    let ran = npfs(&["explore", "--replay", "c x"], &path);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.starts_with("--replay:3: wanted one of s, c, clock, advance"), "{}", ran.err);
    let said = text.replace("never:", "broken never:");
    let path = with_file(&folder, "said.scenario", said);
    let ran = npfs(&["explore", "--jobs", "2"], &path);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn parts_of_a_search_are_put_together() {
    let folder = folder();
    let path = with_file(&folder, "deadlock.scenario", DEADLOCK.replace('@', "\""));
    let whole = npfs(&["explore"], &path);
    let part = |name: &str, which: &str| {
        let ran = npfs(&["explore", "--partition", which], &path);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        with_file(&folder, name, ran.out)
    };
    let (one, two) = (part("1.json", "1/2"), part("2.json", "2/2"));
    let merged = npfs(&["merge", one.to_str().expect("a path in UTF-8")], &two);
    assert_eq!((merged.code, merged.out), (whole.code, whole.out));
    let missing = npfs(&["merge"], &two);
    assert!(missing.out.contains("bounded by missing parts (1 of 2)"), "{}", missing.out);
    let ran = npfs(&["merge"], &path);
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with(&path.display().to_string()), "{}", ran.err);
    let ran = npfs(&["explore", "--partition", "3/2"], &path);
    assert_eq!(ran.code, 2);
}

#[test]
fn what_is_left_of_a_program_is_a_scenario_with_its_order() {
    let bug = "fixtures/scenarios/bugs/a-cancelled-probe-has-eaten-the-first-byte.scenario";
    let ran = npfs(&["explore", "--shrink"], &root().join(bug));
    assert_eq!(ran.code, 1, "{}", ran.err);
    let comment = ran.out.lines().find_map(|line| line.strip_prefix("# 6 calls of 9. "));
    let order = comment.expect("a comment that says how many calls are left");

    let folder = folder();
    let path = with_file(&folder, "left.scenario", &ran.out);
    let again = npfs(&["explore", "--replay", order], &path);
    assert_eq!(again.code, 1, "{}{}", again.out, again.err);
    assert!(again.out.ends_with("broken  broken outcome: b is ok 4 \"next\"\n"), "{}", again.out);

    let mended = bug.replace(".scenario", "-mended.scenario");
    let ran = npfs(&["explore", "--shrink"], &root().join(mended));
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.err.ends_with(": no property is broken\n"), "{}", ran.err);
}
