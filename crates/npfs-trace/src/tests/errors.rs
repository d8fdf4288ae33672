//! Where errors are and what they say.

use super::files::TRACE;
use crate::{Scenario, Trace};

/// Lines that come before the wrong one.
const HEAD: &str = "process main\nthread t\nthread u\nt: s = create_pipe a\n\
                    t: r = read s 1 overlapped\n";

/// A wrong sixth line, the column of the error, and the start of what it says.
const WRONG: &[(&str, u32, &str)] = &[
    ("x: read s 1", 1, "wanted the name of a declared thread, found `x`"),
    ("t read s 1", 3, "wanted `:`, found `read`"),
    ("nonsense", 1, "wanted title:, rules:, profile:"),
    ("t: fly s", 4, "wanted an operation, found `fly`"),
    ("t:", 3, "wanted an operation, found the end of the line"),
    ("t: read c 1", 9, "wanted the word of a handle, found `c`, which no step before"),
    ("t: read r 1", 9, "wanted the word of a handle, found `r`, which names a request"),
    ("t: c = read c 1", 13, "wanted the word of a handle, found `c`"),
    ("t: read s", 10, "wanted a number below 4294967296, found the end of the line"),
    ("t: read s 4294967296", 11, "wanted a number below 4294967296, found `4294967296`"),
    ("t: read s 1x", 11, "wanted a number"),
    (
        "t: read s 1 fast",
        13,
        "wanted one of the options overlapped, event=, quiet, nt, routine, context, found `fast`",
    ),
    ("t: read s 1 overlapped overlapped", 24, "wanted every option at most once"),
    ("t: read s 1 event=x", 19, "wanted the word of a handle"),
    ("t: disconnect s now", 17, "wanted the end of the line, found `now`"),
    ("t: write s \"a", 14, "wanted `\"`, found the end of the line"),
    ("t: write s \"é\\q\"", 14, "wanted one of the escapes"),
    ("t: write s \"a\"*4000000000", 16, "wanted at most 16 MiB of data, found 4000000000"),
    ("t: write s \"a\" + b", 18, "wanted data"),
    ("t: open -> ok", 9, "wanted a path"),
    ("t: open \"\\xff\"", 9, "wanted a path in UTF-8"),
    ("t: a b = open x", 4, "wanted one word before `=`, found `a b`"),
    ("t: a = create_anonymous_pipe", 4, "wanted two words before `=`"),
    ("t: alertable = open x", 4, "wanted another word"),
    ("t: and = open x", 4, "wanted another word"),
    ("t: create_pipe x inbound outbound", 26, "wanted every option at most once"),
    ("t: create_pipe x open_mode=0x3", 28, "wanted only bits that have no word"),
    ("t: spawn child", 10, "wanted the name of a declared process, found `child`"),
    ("t: cancel_io_ex s s", 19, "wanted the word of a request, found `s`, which names a handle"),
    ("t: cancel_io_ex s t.3", 19, "wanted the word of a request, found `t.3`"),
    ("t: set_inherit s yes", 18, "wanted on or off"),
    ("t: flush s -> OK", 15, "wanted a status"),
    ("t: flush s -> PIPE_BROKEN (110)", 28, "wanted 109, the Win32 error of PIPE_BROKEN"),
    ("t: flush s -> wait 64", 20, "wanted the index of a handle"),
    ("t: flush s -> ok nothing", 18, "wanted data, handle"),
    ("t: flush s ->", 14, "wanted a status"),
    ("t: info s -> ok info server byte out=1 max=2", 40, "wanted `in=`, found `max=2`"),
    ("    r done ok", 5, "wanted no indented line below a step without `->`"),
    ("advance 1", 9, "wanted a time such as 100ms"),
    ("advance 99999999999999999999ms", 9, "wanted a time"),
    ("advance 1ms -> pending", 16, "wanted `ok`"),
    ("process main", 9, "wanted a new name for a process, found `main`"),
    ("thread t", 8, "wanted a new name for a thread, found `t`"),
    ("thread title", 8, "wanted a new name for a thread"),
    ("thread or", 8, "wanted a new name for a thread"),
    ("thread v in child", 13, "wanted the name of a declared process"),
    ("process p later", 11, "wanted one of the options spawned, session=, computer="),
    ("rules: READ-21 proven", 16, "wanted tested, reported, documented or chosen"),
    ("end: done", 6, "wanted finished, blocked or deadlock"),
    ("title:", 7, "wanted a sentence"),
    ("order o: t x -> finished", 12, "wanted the name of a declared thread"),
    ("order o: t", 11, "wanted `->`"),
    ("order o: t -> ok", 15, "wanted finished, blocked or deadlock"),
    ("choices: time", 10, "wanted timers or waiters, each once, found `time`"),
    ("choices: timers, timers", 18, "wanted timers or waiters, each once"),
    ("race now", 6, "wanted the end of the line, found `now`"),
    ("t: loop 0", 9, "wanted a number of turns, 1 to 255, found `0`"),
    ("t: loop 3", 4, "wanted an `end` of this loop, found none"),
    ("t: else", 4, "wanted an `if` before `else`"),
    ("t: end", 4, "wanted a `loop` or an `if` before `end`"),
    ("t: break", 4, "wanted a `loop` around it"),
    ("t: stop now", 9, "wanted if, unless or the end of the line, found `now`"),
    ("t: stop if", 11, "wanted a status"),
    ("t: stop if q is ok", 12, "wanted the word of a handle or a request, found `q`"),
    ("t: stop if ok or", 17, "wanted a status"),
    ("never: nonsense", 8, "wanted WORD is RESULT, thread NAME is finished"),
    ("never: lost property", 8, "wanted WORD is RESULT"),
    ("never: q is ok", 8, "wanted the word of a handle or a request, found `q`"),
    ("never: s is fine", 13, "wanted a status"),
    ("never: thread t is gone", 20, "wanted finished or blocked, found `gone`"),
    ("never: (leak or deadlock", 25, "wanted `)`, found the end of the line"),
    ("broken maybe: leak", 8, "wanted always, never, eventually, reachable or outcome"),
];

#[test]
fn errors_of_a_line() {
    for (line, column, message) in WRONG {
        let error = Scenario::parse(&format!("{HEAD}{line}")).expect_err(line);
        let text = error.to_string();
        assert!(text.starts_with(&format!("line 6, column {column}: {message}")), "{line}\n{text}");
    }
}

#[test]
fn errors_across_lines() {
    for (text, line, column) in [
        ("title: a\ntitle: b", 2, 1),
        ("end: blocked\nend: blocked", 2, 1),
        ("\n  thread t", 2, 3),
        ("thread t\nt: exit_thread -> ok\n    x returns ok", 3, 5),
        ("thread t\nt: exit_thread -> ok\n    t wakes ok", 3, 7),
        ("thread t\nt: exit_thread -> ok\n    t.2 done ok", 3, 5),
        ("thread t\norder a: t -> blocked\norder a: t -> blocked", 3, 7),
        ("choices: timers\nchoices: timers", 2, 1),
        ("race\nrace", 2, 1),
        ("thread t\nt: loop 2\nrace\nt: end", 2, 4),
        ("thread t\nt: if ok\nt: else\nt: else\nt: end", 4, 4),
        ("thread t\nt: loop 2\n  t done ok", 3, 3),
    ] {
        let error = Scenario::parse(text).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{text}\n{error}");
    }
}

/// What is replaced by what in a right trace, and what is then said.
const WRONG_TRACE: &[(&str, &str, &str)] = &[
    (r#""npfs","#, r#""other","#, r#"line 1, column 2: wanted "npfs", found "other""#),
    (r#""version":1"#, r#""version":2"#, "line 1, column 17: wanted 1, found 2"),
    (r#"[["server",1]]"#, r#"[["server",2]]"#, "line 1, column 144: wanted a number of one"),
    (r#""system":"#, r#""sistem":"#, "line 1, column 29: wanted one of `trace`"),
    (r#""seq":1,"#, "", "line 2, column 1"),
    (r#""seq":2"#, r#""seq":1"#, "line 3, column 19: wanted a `seq` greater than 1, found 1"),
    (r#""seq":2"#, r#""seq":-2"#, "line 3, column 26: wanted u32, found invalid value"),
    (r#""error":997"#, r#""eror":997"#, "line 3, column 70: wanted one of `event`"),
    (r#""error":997"#, r#""ms":997"#, "line 3, column 70: wanted a field of a `return` event"),
    (r#","ms":50"#, "", "line 7, column 2: wanted the field `ms` of a `advance` event"),
    (r#""length":64"#, r#""lenght":64"#, "line 2, column 90: wanted one of `file`"),
    ("ReadFile", "ReedFile", "line 2, column 66: wanted one of `CreateNamedPipe`"),
    (r#""wait":true"#, r#""wait":1"#, "line 5, column 125: wanted a boolean"),
    ("00000103", "103", "line 3, column "),
    (
        r#""thread":1,"process":1"#,
        r#""thread":2,"process":1"#,
        "line 2, column 25: wanted a thread",
    ),
    (r#""event":"block""#, r#""event":"blok""#, "line 6, column 10: wanted one of `call`"),
    ("\n{\"event\":\"end\",\"seq\":9}", "", "line 9, column 1: wanted an `end` event"),
    ("\"seq\":9}\n", "\"seq\":9}\n\n", "line 10, column 1: wanted no more lines"),
    ("\"seq\":9}\n", "\"se", "line 9, column 19: wanted the rest of the object"),
];

#[test]
fn errors_of_a_trace() {
    let mut differ = Vec::new();
    for (right, wrong, message) in WRONG_TRACE {
        assert!(TRACE.contains(right), "{right}");
        let error = Trace::parse(&TRACE.replacen(right, wrong, 1)).expect_err(wrong);
        let text = error.to_string();
        if !text.starts_with(message) {
            differ.push(format!("{wrong}\n  {text}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    let error = Trace::parse("").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 1: wanted the header of a trace, found the end of the file"
    );
}
