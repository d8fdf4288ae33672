use crate::{Scenario, Trace};

#[test]
fn the_example_reads_and_prints() {
    let text = r#"title: A client can connect right after creation.
rules: CREATE-26 tested, SEED-10 documented
thread server
thread client

server: s = create_pipe \\.\pipe\a message overlapped -> ok
client: c = open \\.\pipe\a -> ok
server: connect s overlapped -> PIPE_CONNECTED (535)
server: r = read s 64 overlapped -> pending
client: write c "hello" -> ok 5
    r done ok 5 "hello"
"#;
    let scenario = Scenario::parse(text).unwrap();
    assert_eq!(scenario.to_string(), text);
}

#[test]
fn a_trace_reads_and_writes() {
    let text = r#"{"trace":"npfs","version":1,"system":"wine","system_version":"8.0","recorder":"npfs-record 0.1.0","scenario":"connect/first","processes":["main"],"threads":[["server",1]]}
{"event":"call","seq":1,"thread":1,"process":1,"id":"t1.1","op":{"ReadFile":{"file":"h1","length":64,"delivery":{"overlapped":{"event":null}}}}}
{"event":"return","seq":2,"thread":1,"id":"t1.1","status":"00000103","error":997}
{"event":"done","seq":3,"thread":1,"id":"t1.1","status":"00000000","information":5,"data":{"txt":"hello"}}
{"event":"end","seq":4}
"#;
    let trace = Trace::parse(text).unwrap();
    assert_eq!(trace.write(), text);
}
