//! The known bugs: which program shows each, and by which symptom.

use crate::search::Bound;
use crate::stage::Symptom;

/// A bug that releases are known for.
pub struct Bug {
    /// One word, for the table and the command line.
    pub name: &'static str,
    /// The package.
    pub package: &'static str,
    /// What goes wrong.
    pub title: &'static str,
    /// Where it was reported.
    pub threads: &'static str,
    /// The program that shows it.
    pub program: &'static str,
    /// Whether this is it.
    pub shows: fn(&Symptom) -> bool,
    /// How far to look for it.
    pub bound: Bound,
}

const USUAL: Bound = Bound { interruptions: 2, runs: 50_000 };

/// Every bug, the oldest first.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "deregister",
        package: "mio",
        title: "an event of a pipe that was deregistered",
        threads: "mio 1760, tokio 6365",
        program: "deregister",
        shows: |symptom| wrong(symptom, "not registered"),
        bound: USUAL,
    },
    Bug {
        name: "long-message-panic",
        package: "mio",
        title: "a message over 4 KiB panics in a debug build",
        threads: "mio 1772, tokio 5307, 6460",
        program: "long-message",
        shows: |symptom| panics(symptom, "left: 4096 right: 0"),
        bound: USUAL,
    },
    Bug {
        name: "long-message-eof",
        package: "mio",
        title: "a message over 4 KiB gives a false end of file, and bytes are lost",
        threads: "mio 1921 and what followed it",
        program: "long-message",
        shows: |symptom| wrong(symptom, "end of file after"),
        bound: USUAL,
    },
    Bug {
        name: "read-unreachable",
        package: "mio",
        title: "a read that fails between its begin and the first look reaches unreachable code",
        threads: "mio 1660, 1819, 1903",
        program: "short-visit",
        shows: |symptom| panics(symptom, "unreachable code"),
        bound: USUAL,
    },
    Bug {
        name: "read-use-after-free",
        package: "mio",
        title: "such a read gives back a reference that it never took",
        threads: "mio 2004, 2014",
        program: "short-visit",
        shows: is_use_after_free,
        bound: USUAL,
    },
    Bug {
        name: "write-unreachable",
        package: "mio",
        title: "a write that fails between its begin and the first look reaches unreachable code",
        threads: "mio 1984, 2004",
        program: "reader-leaves",
        shows: |symptom| panics(symptom, "unreachable code"),
        bound: USUAL,
    },
    Bug {
        name: "connect-race",
        package: "mio",
        title: "a connect that ends before its reference is taken frees the pipe",
        threads: "mio 1954",
        program: "connect-elsewhere",
        shows: is_use_after_free,
        bound: USUAL,
    },
    Bug {
        name: "stale-read",
        package: "mio",
        title: "what ended the last connection is read in the next",
        threads: "mio 1983, 2002",
        program: "next-client",
        shows: |symptom| wrong(symptom, "was read") || wrong(symptom, "in place of data"),
        bound: USUAL,
    },
    Bug {
        name: "stale-data",
        package: "mio",
        title: "what one client wrote and nobody read is read from the next",
        threads: "mio 2002, its third test",
        program: "unread",
        shows: |symptom| wrong(symptom, "begins with the last one's"),
        bound: USUAL,
    },
    Bug {
        name: "stale-connect",
        package: "mio",
        title: "the error of a connect that was ended is that of the next, which succeeds",
        threads: "mio 2002, its fifth test",
        program: "connect-aborted",
        shows: |symptom| wrong(symptom, "of a connect that found its client"),
        bound: USUAL,
    },
    Bug {
        name: "connect-leak",
        package: "mio",
        title: "a connect without an event loop keeps the handle for ever",
        threads: "mio 1838, 2022",
        program: "connect-unregistered",
        shows: is_leak,
        bound: USUAL,
    },
    Bug {
        name: "write-leak",
        package: "mio",
        title: "a write in flight when pipe and event loop are dropped keeps the handle for ever",
        threads: "mio 1944, 2003, both open",
        program: "drop-while-writing",
        shows: is_leak,
        bound: USUAL,
    },
    Bug {
        name: "accept-for-ever",
        package: "interprocess",
        title: "after a client that came and left, accept fails for ever",
        threads: "interprocess 86",
        program: "accept-loop",
        shows: |symptom| wrong(symptom, "accept has failed ten times with 232"),
        bound: USUAL,
    },
];

fn wrong(symptom: &Symptom, part: &str) -> bool {
    matches!(symptom, Symptom::Wrong(what) if what.contains(part))
}

fn panics(symptom: &Symptom, part: &str) -> bool {
    matches!(symptom, Symptom::Panic { message, .. } if message.contains(part))
}

fn is_use_after_free(symptom: &Symptom) -> bool {
    matches!(symptom, Symptom::UseAfterFree(_))
}

fn is_leak(symptom: &Symptom) -> bool {
    matches!(symptom, Symptom::Leak(_))
}
