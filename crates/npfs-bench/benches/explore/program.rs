//! The scenarios, once as programs over the small pipe and once as scenario files of npfs.

use crate::pipe::{Answer, BUSY, Caller, OK, Op, Pipe};

/// A call, and what comes next: the place after an answer, or the end.
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    pub op: Op,
    next: u8,
    /// Where to go when the pipe is busy.
    busy: u8,
    /// Whether any other answer than success ends the thread.
    strict: bool,
}

const END: u8 = u8::MAX;

#[derive(Clone, Debug)]
pub struct Thread {
    pub pipe: usize,
    pub server: bool,
    pub code: Vec<Instr>,
}

/// A scenario.
#[derive(Clone, Debug)]
pub struct Program {
    pub pipes: Vec<Pipe>,
    pub threads: Vec<Thread>,
    /// The same as a scenario file.
    pub text: String,
}

/// What every thread was answered, four bits an answer.
pub type Outcome = Vec<u64>;

impl Instr {
    /// The place of the next instruction after an answer.
    pub fn next(&self, answer: Answer) -> Option<usize> {
        let next = match answer {
            BUSY => self.busy,
            OK => self.next,
            _ if self.strict => END,
            _ => self.next,
        };
        (next != END).then_some(usize::from(next))
    }
}

impl Thread {
    /// Runs the thread with calls made by `call`.
    pub fn drive(&self, number: usize, mut call: impl FnMut(Op, &mut Caller) -> Answer) -> u64 {
        let mut caller = self.caller(number);
        let mut answers = 0;
        let mut at = 0;
        while let Some(instr) = self.code.get(at) {
            let answer = call(instr.op, &mut caller);
            answers = answers << 4 | u64::from(answer);
            at = instr.next(answer).unwrap_or(self.code.len());
        }
        answers
    }

    pub fn caller(&self, number: usize) -> Caller {
        Caller { thread: number as u8, server: self.server, connection: 1 }
    }
}

fn straight(ops: &[Op]) -> Vec<Instr> {
    let instr = |(at, op): (usize, &Op)| Instr {
        op: *op,
        next: at as u8 + 1,
        busy: at as u8 + 1,
        strict: false,
    };
    ops.iter().enumerate().map(instr).collect()
}

/// Opens up to `times` times with a wait after each busy answer, writes and closes.
fn client(times: u8, byte: u8) -> Vec<Instr> {
    let mut code = Vec::new();
    let write = times * 2;
    for turn in 0..times {
        let (next, strict) = (write, true);
        code.push(Instr { op: Op::Open, next, busy: turn * 2 + 1, strict });
        let next = if turn + 1 < times { turn * 2 + 2 } else { END };
        code.push(Instr { op: Op::WaitForPipe, next, busy: END, strict: false });
    }
    let next = write + 1;
    code.push(Instr { op: Op::Write(byte), next, busy: END, strict: false });
    code.push(Instr { op: Op::Close, next: END, busy: END, strict: false });
    code
}

/// The scenarios by name.
pub const NAMES: [&str; 9] = ["s1", "s2", "s2x3", "s2x5", "s3n2", "s3n3", "s3n5", "s4x2", "s5"];

/// The scenario of a name.
pub fn program(name: &str) -> Program {
    match name {
        "s1" => pairs(1),
        "s5" => pairs(2),
        "s2" => clients(2),
        "s2x3" => clients(3),
        "s2x5" => clients(5),
        "s3n2" => writers(2),
        "s3n3" => writers(3),
        "s3n5" => writers(5),
        "s4x2" => cancels(),
        _ => panic!("no scenario {name}"),
    }
}

/// Servers with a client each that have nothing to do with each other.
fn pairs(count: usize) -> Program {
    let mut threads = Vec::new();
    let mut text = String::new();
    for pair in 0..count {
        text += &format!("process server{pair}\nprocess client{pair}\n");
    }
    for pair in 0..count {
        text += &format!("thread s{pair} in server{pair}\nthread c{pair} in client{pair}\n");
    }
    for pair in 0..count {
        text += &format!("s{pair}: p{pair} = create_pipe \\\\.\\pipe\\x{pair}\n");
    }
    text += "race\n";
    for pair in 0..count {
        let server = [Op::Connect, Op::Read, Op::Write(2), Op::Close];
        let client = [Op::Open, Op::Write(1), Op::Read, Op::Close];
        threads.push(Thread { pipe: pair, server: true, code: straight(&server) });
        threads.push(Thread { pipe: pair, server: false, code: straight(&client) });
        for line in ["connect p#", "read p# 8", "write p# \"2\"", "close p#"] {
            text += &format!("s{pair}: {}\n", line.replace('#', &pair.to_string()));
        }
        let open = "h# = open \\\\.\\pipe\\x#";
        for line in [open, "write h# \"1\"", "read h# 8", "close h#"] {
            text += &format!("c{pair}: {}\n", line.replace('#', &pair.to_string()));
        }
    }
    Program { pipes: vec![Pipe::new(6, false); count], threads, text }
}

/// A server with one instance that serves clients in turn.
fn clients(count: u8) -> Program {
    // With more than three, who finds it busy gives up after the wait: else there are too many states.
    let times = if count > 3 { 1 } else { count };
    let mut server = Vec::new();
    for _ in 0..count {
        server.extend([Op::Connect, Op::Read, Op::Disconnect]);
    }
    server.push(Op::Close);
    let mut threads = vec![Thread { pipe: 0, server: true, code: straight(&server) }];
    let mut text = "process server\n".to_owned();
    (1..=count).for_each(|number| text += &format!("process p{number}\n"));
    text += "thread s in server\n";
    (1..=count).for_each(|number| text += &format!("thread c{number} in p{number}\n"));
    text += &format!(
        "s: p = create_pipe \\\\.\\pipe\\x\nrace\ns: loop {count}\ns: connect p\ns: read p 1\n\
         s: disconnect p\ns: end\ns: close p\n"
    );
    for number in 1..=count {
        threads.push(Thread { pipe: 0, server: false, code: client(times, number) });
        text += &format!(
            "c#: loop {times}\nc#: h# = open \\\\.\\pipe\\x\nc#: break unless PIPE_NOT_AVAILABLE\n\
             c#: wait_pipe \\\\.\\pipe\\x forever\nc#: end\nc#: stop unless h# is ok\n\
             c#: write h# \"#\"\nc#: close h#\n"
        )
        .replace('#', &number.to_string());
    }
    Program { pipes: vec![Pipe::new(6, false)], threads, text }
}

/// Two writers share a client end, one reads, the quota is two bytes.
fn writers(count: u8) -> Program {
    let bytes = usize::from(count);
    let reader = straight(&vec![Op::Read; 2 * bytes]);
    let mut threads = vec![Thread { pipe: 0, server: true, code: reader }];
    let mut text = format!(
        "process server\nprocess client\nthread r in server\nthread a1 in client\n\
         thread a2 in client\nr: p = create_pipe \\\\.\\pipe\\x in=2 out=2\n\
         a1: h = open \\\\.\\pipe\\x\nrace\nr: loop {}\nr: read p 1\nr: end\n",
        2 * bytes
    );
    for number in 1..=2 {
        let code = straight(&vec![Op::Write(number); bytes]);
        threads.push(Thread { pipe: 0, server: false, code });
        text += &format!("a{number}: write h \"{number}\"\n").repeat(bytes);
    }
    Program { pipes: vec![Pipe::new(2, true)], threads, text }
}

/// An overlapped read, the write that completes it and its cancel, twice.
fn cancels() -> Program {
    let thread = |server, ops: &[Op]| Thread { pipe: 0, server, code: straight(ops) };
    let threads = vec![
        thread(true, &[Op::Begin, Op::End, Op::Begin, Op::End]),
        thread(true, &[Op::Cancel, Op::Cancel]),
        thread(false, &[Op::Write(1), Op::Write(2)]),
    ];
    let text = "process server\nprocess client\nthread r in server\nthread x in server\n\
                thread w in client\nr: p = create_pipe \\\\.\\pipe\\x overlapped\n\
                w: h = open \\\\.\\pipe\\x\nrace\n\
                r: r1 = read p 1 overlapped\nr: result p r1 wait\n\
                r: r2 = read p 1 overlapped\nr: result p r2 wait\n\
                x: cancel_io_ex p\nx: cancel_io_ex p\n\
                w: write h \"1\"\nw: write h \"2\"\n";
    Program { pipes: vec![Pipe::new(6, true)], threads, text: text.to_owned() }
}
