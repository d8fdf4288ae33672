//! The smallest kernel that the scenarios need: one pipe name with one instance, of which every
//! call is one attempt. Loom, shuttle and stateright run this one; npfs runs its own, whole.

/// What a call comes to, in four bits.
pub type Answer = u8;

pub const OK: Answer = 1;
pub const CONNECTED: Answer = 2;
pub const CLOSING: Answer = 3;
pub const BUSY: Answer = 4;
pub const NOT_FOUND: Answer = 5;
pub const BROKEN: Answer = 6;
pub const CANCELLED: Answer = 7;
pub const PENDING: Answer = 8;
/// Byte n is answered as `BYTE + n`.
pub const BYTE: Answer = 9;

/// A call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    Open,
    WaitForPipe,
    Connect,
    Read,
    /// A byte, from 1.
    Write(u8),
    Disconnect,
    Close,
    /// An overlapped read.
    Begin,
    /// The end of the overlapped read.
    End,
    /// Cancels the overlapped read, if there is one.
    Cancel,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum State {
    Listening,
    Connected,
    /// The client has closed.
    Closing,
    Disconnected,
    Gone,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Pending {
    Not,
    Yes,
    Ended(Answer),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Queue {
    bytes: [u8; 6],
    len: u8,
}

impl Queue {
    fn push(&mut self, byte: u8) {
        self.bytes[usize::from(self.len)] = byte;
        self.len += 1;
    }

    fn pull(&mut self) -> Option<u8> {
        let first = self.bytes[0];
        if self.len == 0 {
            return None;
        }
        self.bytes.rotate_left(1);
        self.bytes[5] = 0;
        self.len -= 1;
        Some(first)
    }
}

/// A pipe with one instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pipe {
    state: State,
    quota: u8,
    connection: u8,
    /// Whether a connect waits, or has ended while it waited.
    connect: Pending,
    inbound: Queue,
    outbound: Queue,
    /// Threads that wait for the name, and those whose wait has ended, a bit each.
    waiting: u8,
    released: u8,
    /// The overlapped read.
    read: Pending,
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Caller {
    /// Its number, below 8.
    pub thread: u8,
    pub server: bool,
    /// For a client: which connection its handle belongs to.
    pub connection: u8,
}

impl Pipe {
    /// A pipe that listens, or is connected already.
    pub fn new(quota: u8, connected: bool) -> Pipe {
        Pipe {
            state: if connected { State::Connected } else { State::Listening },
            quota,
            connection: u8::from(connected),
            connect: Pending::Not,
            inbound: Queue::default(),
            outbound: Queue::default(),
            waiting: 0,
            released: 0,
            read: Pending::Not,
        }
    }

    /// Whether an attempt would end now.
    pub fn ends(&self, op: Op, caller: Caller) -> bool {
        let mut copy = *self;
        copy.attempt(op, &mut { caller }).is_some()
    }

    /// Makes a call if it can end now. `None`: the caller has to wait and attempt it again.
    pub fn attempt(&mut self, op: Op, caller: &mut Caller) -> Option<Answer> {
        match op {
            Op::Open => Some(match self.state {
                State::Listening => {
                    self.state = State::Connected;
                    self.connection += 1;
                    caller.connection = self.connection;
                    if self.connect == Pending::Yes {
                        self.connect = Pending::Ended(OK);
                    }
                    OK
                }
                State::Gone => NOT_FOUND,
                State::Connected | State::Closing | State::Disconnected => BUSY,
            }),
            Op::WaitForPipe => {
                let bit = 1 << caller.thread;
                if self.state == State::Listening || self.released & bit != 0 {
                    self.released &= !bit;
                    return Some(OK);
                }
                self.waiting |= bit;
                (self.state == State::Gone).then_some(NOT_FOUND)
            }
            Op::Connect => match (self.connect, self.state) {
                (Pending::Ended(answer), _) => {
                    self.connect = Pending::Not;
                    Some(answer)
                }
                (_, State::Connected) => Some(CONNECTED),
                (_, State::Closing) => Some(CLOSING),
                (_, State::Listening | State::Disconnected | State::Gone) => {
                    if self.state == State::Disconnected {
                        self.state = State::Listening;
                        self.released |= std::mem::take(&mut self.waiting);
                    }
                    self.connect = Pending::Yes;
                    None
                }
            },
            Op::Read => {
                let (queue, open) = match caller.server {
                    true => (&mut self.inbound, self.state == State::Connected),
                    false => (&mut self.outbound, self.state == State::Connected),
                };
                match queue.pull() {
                    Some(byte) => Some(BYTE + byte),
                    None => (!open).then_some(BROKEN),
                }
            }
            Op::Write(byte) => {
                if self.state != State::Connected {
                    return Some(BROKEN);
                }
                if !caller.server && self.read == Pending::Yes {
                    self.read = Pending::Ended(BYTE + byte);
                    return Some(OK);
                }
                let queue = if caller.server { &mut self.outbound } else { &mut self.inbound };
                if queue.len >= self.quota {
                    return None;
                }
                queue.push(byte);
                Some(OK)
            }
            Op::Disconnect => {
                self.state = State::Disconnected;
                (self.inbound, self.outbound) = (Queue::default(), Queue::default());
                Some(OK)
            }
            Op::Close => {
                match caller.server {
                    true => self.state = State::Gone,
                    false if caller.connection == self.connection => {
                        if self.state == State::Connected {
                            self.state = State::Closing;
                        }
                    }
                    false => {}
                }
                Some(OK)
            }
            Op::Begin => Some(match self.inbound.pull() {
                Some(byte) => {
                    self.read = Pending::Ended(BYTE + byte);
                    BYTE + byte
                }
                None => {
                    self.read = Pending::Yes;
                    PENDING
                }
            }),
            Op::End => match self.read {
                Pending::Ended(answer) => Some(answer),
                Pending::Not | Pending::Yes => None,
            },
            Op::Cancel => Some(match self.read {
                Pending::Yes => {
                    self.read = Pending::Ended(CANCELLED);
                    OK
                }
                Pending::Not | Pending::Ended(_) => NOT_FOUND,
            }),
        }
    }
}
