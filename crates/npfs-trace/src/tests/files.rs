//! Whole files.

use std::path::{Path, PathBuf};

use crate::diff::{Mark, diff};
use crate::{Scenario, Trace};

/// A trace with every kind of event.
pub(super) const TRACE: &str = r#"{"trace":"npfs","version":1,"system":"wine","system_version":"8.0","recorder":"npfs-record 0.1.0","scenario":"core/first","processes":["main"],"threads":[["server",1]]}
{"event":"call","seq":1,"thread":1,"process":1,"id":"t1.1","op":{"ReadFile":{"file":"h1","length":64,"delivery":{"overlapped":{"event":null}}}}}
{"event":"return","seq":2,"thread":1,"id":"t1.1","status":"00000103","error":997}
{"event":"done","seq":3,"thread":1,"id":"t1.1","status":"00000000","information":5,"data":{"txt":"hello"}}
{"event":"call","seq":4,"thread":1,"process":1,"id":"t1.2","op":{"GetOverlappedResult":{"file":"h1","request":"t1.1","wait":true}}}
{"event":"block","seq":5,"thread":1,"id":"t1.2"}
{"event":"advance","seq":6,"ms":50}
{"event":"return","seq":7,"thread":1,"id":"t1.2","output":{"peek":{"data":{"hex":"00ff"},"available":2,"left":0}}}
{"event":"end","seq":9}
"#;

/// A scenario with much of the grammar, as it prints.
pub(super) const SCENARIO: &str = r#"title: A client can connect right after creation.
rules: CREATE-26 tested, SEED-10 documented
process main
process child spawned
thread server
thread client
thread other in child
end: blocked
order turned: client server server -> deadlock

server: s = create_pipe \\.\pipe\a message read=message overlapped instances=unlimited -> ok
client: c = open \\.\pipe\a -> ok
server: connect s overlapped -> PIPE_CONNECTED (535)
server: e = create_event manual signaled
server: r = read s 64 overlapped event=e -> pending
client: write c "hello\0\"" -> ok 5
    r done ok 5 "hello"
server: q = read_ex s 4 -> pending
server: sleep forever alertable -> blocked
client: write c "a"*5000 overlapped -> pending
    q done BUFFER_OVERFLOW (234) 4 "aaaa"
    server returns USER_APC (192) routines q
server: peek s 4 -> ok peek "aaaa" available=4996 left=4992
server: wait_any e s timeout=5ms alertable -> wait 1
client: spawn child inherit -> ok
other: write_end read_end = create_anonymous_pipe size=1 -> ok handles write_end read_end
advance 100ms
    client.4 done ok 5000
advance 0.5000ms -> ok
"#;

/// A scenario with everything that exploration adds, as it prints.
pub(super) const PROGRAM: &str = r#"choices: timers, waiters
thread server
thread client

server: s = create_pipe \\.\pipe\a
race
server: connect s
client: loop 3
client: c = open \\.\pipe\a
client: break if ok
client: stop unless PIPE_NOT_AVAILABLE (231) or OBJECT_NAME_NOT_FOUND (2)
client: wait_pipe \\.\pipe\a forever
client: again
client: end
client: if c is ok
client: r = read c 5 overlapped
client: else
client: stop
client: end

always: not (c is ok and thread server is blocked)
never: deadlock or lost data
eventually: (c is ok or c is PIPE_BROKEN (109)) and thread client is finished
reachable: r is ok 5 "hello"
broken outcome: not leak or not not unended request
outcome: (r is ok packets key=1 of=r PIPE_BROKEN (109) 0 and r is ok routines r client.2) or r is ok names "a"
"#;

/// The scenario files of the repository, in order of their paths.
pub(super) fn fixtures() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/scenarios");
    let mut folders = vec![root];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the fixtures can be listed") {
            let path = entry.expect("the fixtures can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "scenario") {
                let text = std::fs::read_to_string(&path).expect("a scenario is a text");
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_scenario_reads_and_prints() {
    let scenario = Scenario::parse(SCENARIO).unwrap();
    assert_eq!(scenario.to_string(), SCENARIO);
    assert_eq!(scenario.steps[0].line, 11);
}

#[test]
fn a_program_reads_and_prints() {
    let scenario = Scenario::parse(PROGRAM).unwrap();
    assert_eq!(scenario.to_string(), PROGRAM);
    assert!(scenario.is_program());
}

#[test]
fn defaults_may_be_written_and_comments_stand_anywhere() {
    let plain = "thread t\nt: s = create_pipe a\nt: open a\nt: create_event\n";
    let full = "\u{feff}# start\r\nprocess main # one\r\nthread t in main\r\n\r\n\
        t: s=create_pipe \"a\" duplex byte read=byte instances=1 out=4096 in=0x1000 timeout=0 # x\r\n\
        t: open \"a\" read+write\r\n  # between\r\nt: create_event auto";
    assert_eq!(Scenario::parse(plain), Scenario::parse(full));
}

#[test]
fn every_scenario_of_the_repository_reads_and_prints() {
    let mut wrong = Vec::new();
    for (path, text) in fixtures() {
        match Scenario::parse(&text) {
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
            Ok(scenario) => {
                assert_eq!(Scenario::parse(&scenario.to_string()).as_ref(), Ok(&scenario));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_trace_reads_and_writes() {
    let trace = Trace::parse(TRACE).unwrap();
    assert_eq!(trace.write(), TRACE);
    assert_eq!(trace.events[0].0, 2);
}

#[test]
fn a_file_may_hold_several_traces() {
    let both = format!("{TRACE}{TRACE}");
    let traces = Trace::parse_all(&both).unwrap();
    assert_eq!(traces.len(), 2);
    assert_eq!(traces[0], Trace::parse(TRACE).unwrap());
    assert_eq!((traces[1].events[0].0, traces[1].write().as_str()), (11, TRACE));
    assert_eq!(Trace::parse(&both).unwrap_err().line, 10);
    assert_eq!(Trace::parse_all(&both[..both.len() - 4]).unwrap_err().line, 18);
    assert_eq!(Trace::parse_all("").unwrap_err().line, 1);
}

#[test]
fn time_does_not_pass_by_line_where_calls_overlap() {
    let concurrent = TRACE.replacen("\"version\":1", "\"version\":1,\"kind\":\"concurrent\"", 1);
    let error = Trace::parse(&concurrent).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 7, column 2: wanted an event of a concurrent trace, found `advance`"
    );
    let stepped = TRACE.replacen("\"seq\":1,", "\"seq\":1,\"at\":5,", 1);
    let error = Trace::parse(&stepped).unwrap_err().to_string();
    assert_eq!(error, "line 2, column 25: wanted a field of a `call` event, found `at`");
}

/// Every line that `docs/traces.md` shows is one.
#[test]
fn the_lines_of_the_page_are_lines_of_traces() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/traces.md");
    let page = std::fs::read_to_string(path).unwrap();
    let shown = page.lines().filter(|line| line.starts_with("    "));
    let lines: Vec<&str> = shown.map(str::trim).filter(|line| line.starts_with('{')).collect();
    let (header, events) = lines.split_first().unwrap();
    assert!(events.len() > 12);
    let header = header.replace("[\"main of child\",2]", "[\"main of child\",2],[\"t4\",2]");
    let header = header.replace("\"child\"]", "\"child\",\"other\"]");
    for event in events {
        let text = format!("{header}\n{event}\n{{\"event\":\"end\",\"seq\":999}}\n");
        let trace = Trace::parse(&text).unwrap_or_else(|error| panic!("{event}: {error}"));
        assert_eq!(trace.write(), text);
    }
}

/// The same trace with other names, in another order, and with an end that came at once.
const OTHER: &str = r#"{"trace":"npfs","version":1,"kind":"concurrent","system":"windows","system_version":"10","recorder":"x","scenario":"","processes":["main"],"threads":[["other",1],["server",1]]}
{"event":"call","seq":1,"at":1,"thread":2,"process":1,"id":"t2.1","op":{"ReadFile":{"file":"h9","length":64,"delivery":{"overlapped":{"event":null}}}}}
{"event":"return","seq":2,"at":2,"thread":2,"id":"t2.1","error":0,"information":5,"data":{"txt":"hello"}}
{"event":"end","seq":3}
"#;

const ONE: &str = r#"{"trace":"npfs","version":1,"system":"wine","system_version":"8.0","recorder":"x","scenario":"","processes":["main"],"threads":[["server",1]]}
{"event":"call","seq":1,"thread":1,"process":1,"id":"t1.1","op":{"ReadFile":{"file":"h1","length":64,"delivery":{"overlapped":{"event":null}}}}}
{"event":"return","seq":2,"thread":1,"id":"t1.1","error":997}
{"event":"done","seq":3,"thread":1,"id":"t1.1","status":"00000000","information":5,"data":{"txt":"hello"}}
{"event":"end","seq":4}
"#;

#[test]
fn traces_are_compared_by_meaning() {
    let (one, other) = (Trace::parse(ONE).unwrap(), Trace::parse(OTHER).unwrap());
    assert!(diff(&one, &other).is_empty());
    // Another result.
    let changed = Trace::parse(&OTHER.replace("hello", "help!")).unwrap();
    let found = diff(&one, &changed);
    assert_eq!(found.count(), 1);
    let row = &found.threads[0].rows[0];
    assert_eq!(row.mark, Mark::Result);
    let side = row.b.as_ref().unwrap();
    assert_eq!((side.line, side.result.as_str()), (2, "ok 5 \"help!\""));
    // It never ended.
    let open = ONE.lines().filter(|line| !line.contains("done")).collect::<Vec<_>>().join("\n");
    let found = diff(&Trace::parse(&open).unwrap(), &other);
    assert_eq!(found.threads[0].rows[0].a.as_ref().unwrap().result, "pending");
    assert_eq!(found.count(), 1);
    // Another call.
    let longer = Trace::parse(&OTHER.replace("\"length\":64", "\"length\":65")).unwrap();
    let marks: Vec<Mark> = diff(&one, &longer).threads[0].rows.iter().map(|row| row.mark).collect();
    assert_eq!(marks, [Mark::OnlyA, Mark::OnlyB]);
}

#[test]
fn repetition_is_bounded_for_the_whole_file() {
    let mut text = String::from("thread t\nt: s = create_pipe a\n");
    text += &"t: write s \"a\"*16000000\n".repeat(5);
    let error = Scenario::parse(&text).unwrap_err();
    assert_eq!((error.line, error.column), (7, 16));
}

/// `docs/trace.schema.json` is what the types say. `UPDATE_SCHEMA=1` writes it anew.
#[cfg(feature = "schema")]
#[test]
fn the_schema_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/trace.schema.json");
    let schema = crate::trace::schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &schema).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(committed == schema, "stale: run this test again with UPDATE_SCHEMA=1");
}
