//! Programs over the public interface of interprocess, as its users write them.

use std::io::Read;

use super::interprocess::os::windows::named_pipe::{pipe_mode, PipeListenerOptions};
use crate::peer::{self, Peer};
use crate::stage::{tell, Program, Stage, Symptom};

pub const PROGRAMS: &[Program] = &[Program { name: "accept-loop", run: accept_loop }];

/// One client comes and goes; another comes, writes and stays.
fn accept_loop(stage: &Stage) {
    let create = || {
        let options = PipeListenerOptions::new().path(std::path::Path::new(peer::NAME));
        options.create_duplex::<pipe_mode::Bytes>().unwrap()
    };
    let listener = stage.in_server(create);
    let done = stage.signal();
    let wait_done = done.clone();
    stage.server("server", move || {
        let mut failures = 0;
        loop {
            match listener.accept() {
                Ok(mut stream) => {
                    if stream.read(&mut [0]).is_ok_and(|read| read == 1) {
                        break;
                    }
                }
                Err(error) => {
                    assert_eq!(error.raw_os_error(), Some(232), "{error}");
                    failures += 1;
                }
            }
            // Nothing but another call of the listener could help, and that is what it gets.
            if failures == 10 {
                tell(Symptom::Wrong("accept has failed ten times with 232".to_owned()));
                break;
            }
        }
        done.set();
    });
    stage.client("client", move || {
        drop(Peer::open());
        let peer = Peer::open();
        peer.write(b"k");
        wait_done.wait();
    });
}
