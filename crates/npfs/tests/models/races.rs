//! The models. Each names its race and the evidence for its outcomes.

use npfs::abi::Handle;
use npfs::{Builder, Connected, Error, PipeClient, PipeServer};

use crate::engine::Model;

const PATH: &str = r"\\.\pipe\model";

/// A result in a word: what the program saw.
fn told<T>(result: Result<T, Error>, word: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => word(value),
        Err(error) => match error.stopped() {
            Some(npfs::Stopped::Deadlock(_)) => "deadlock".to_owned(),
            Some(_) => "stopped".to_owned(),
            None => error.win32().to_string(),
        },
    }
}

fn connected(result: Result<Connected, Error>) -> String {
    told(result, |how| match how {
        Connected::Now => "now".to_owned(),
        Connected::Before => "before".to_owned(),
    })
}

/// RACE-01: `ConnectNamedPipe` against `CreateFile`.
#[test]
fn connect_and_open() {
    fn body(builder: Builder) -> String {
        let sim = builder.build();
        let (server, client) = (sim.process("server"), sim.process("client"));
        let pipe = PipeServer::create(&server, PATH).expect("an instance");
        let opener = client.clone().spawn("client", move || {
            told(PipeClient::open(&client, PATH).map(keep), |()| "opened".to_owned())
        });
        let connect = connected(pipe.connect());
        keep(pipe);
        format!("connect {connect}, open {}", opener.join().expect("client"))
    }
    Model {
        name: "connect_and_open",
        body,
        outcomes: &["connect before, open opened", "connect now, open opened"],
        preemptions: None,
        missed_by_loom: &[],
    }
    .check();
}

/// The handle stays open to the end of the run: its close is no step of the model.
fn keep(end: impl IntoEnd) {
    let _: Handle = end.into_end().into_handle().into_value();
}

trait IntoEnd {
    fn into_end(self) -> npfs::PipeEnd;
}

impl IntoEnd for PipeServer {
    fn into_end(self) -> npfs::PipeEnd {
        PipeServer::into_end(self)
    }
}

impl IntoEnd for PipeClient {
    fn into_end(self) -> npfs::PipeEnd {
        PipeClient::into_end(self)
    }
}
