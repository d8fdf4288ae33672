//! As whom threads act, what descriptors let them do, and how a server acts as its client.

use alloc::boxed::Box;
use alloc::sync::Arc;

use npfs_abi::{
    Access, Delivery, End, Handle, ImpersonationLevel, Output, PipeAttribute, Privilege, Reply,
    RequestId, SecurityDescriptor, Sid, Status, Switch, ThreadId, Token, codes::sqos,
    security_information,
};

use crate::io::{FileOp, Progress};
use crate::kernel::{Answer, Effects, Kernel, done, ok, process_id, thread_id};
use crate::npfs::{Instance, Pipe};
use crate::process::Object;
use crate::store::Id;

/// The rights of the parts of a descriptor, to read and to write them (SEC-13, SEC-14).
const PARTS: [(u32, Access, Access); 4] = [
    (security_information::OWNER, Access::READ_CONTROL, Access::WRITE_OWNER),
    (security_information::GROUP, Access::READ_CONTROL, Access::WRITE_OWNER),
    (security_information::DACL, Access::READ_CONTROL, Access::WRITE_DAC),
    (security_information::SACL, Access::ACCESS_SYSTEM_SECURITY, Access::ACCESS_SYSTEM_SECURITY),
];

/// What a client lets its server do (`SECURITY_QUALITY_OF_SERVICE`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Quality {
    pub(crate) level: ImpersonationLevel,
    /// The context follows the writes; else it is that of the open (IMP-08, IMP-09).
    pub(crate) dynamic: bool,
    pub(crate) effective_only: bool,
}

impl Quality {
    /// OPEN-17, IMP-05
    const DEFAULT: Quality =
        Quality { level: ImpersonationLevel::Impersonation, dynamic: true, effective_only: true };

    /// From the flags of `CreateFile`; without data rights they do not count (OPEN-16).
    pub(crate) fn of_flags(flags: u32, access: Access) -> Quality {
        let data = access.0 & (Access::READ_DATA.0 | Access::WRITE_DATA.0) != 0;
        if flags & sqos::PRESENT == 0 || !data {
            return Quality::DEFAULT;
        }
        Quality {
            level: match flags & sqos::LEVEL {
                0 => ImpersonationLevel::Anonymous,
                0x1_0000 => ImpersonationLevel::Identification,
                0x2_0000 => ImpersonationLevel::Impersonation,
                _ => ImpersonationLevel::Delegation,
            },
            dynamic: flags & sqos::CONTEXT_TRACKING != 0,
            effective_only: flags & sqos::EFFECTIVE_ONLY != 0,
        }
    }
}

impl Kernel {
    /// As whom a thread acts: as somebody else, or as its process.
    #[inline(always)]
    pub(crate) fn token_of(&self, thread: ThreadId) -> &Arc<Token> {
        let object = &self.threads[thread_id(thread)];
        match &object.token {
            Some(token) => token,
            None => &self.processes[process_id(object.process)].token,
        }
    }

    /// Whether a thread's opens of `\\server\pipe\` come over the network as those of a remote
    /// client, whose token then has the network group.
    #[inline(always)]
    pub(crate) fn client_token(&self, thread: ThreadId, remote: bool) -> Arc<Token> {
        let token = self.token_of(thread);
        if remote { over_network(token) } else { token.clone() }
    }

    pub(crate) fn set_thread_token(&mut self, thread: ThreadId, token: Option<&Token>) -> Answer {
        self.threads.edit(thread_id(thread)).token = token.map(|token| Arc::new(token.clone()));
        ok()
    }

    pub(crate) fn thread_token(&mut self, thread: ThreadId) -> Answer {
        done(Output::Token(Box::new(Token::clone(self.token_of(thread)))))
    }

    /// What a creation is granted. Whoever creates a pipe may do all with it; one more instance
    /// needs `FILE_CREATE_PIPE_INSTANCE` besides (SEC-10, CREATE-35).
    pub(crate) fn check_create(
        &self,
        thread: ThreadId,
        pipe: Option<Id<Pipe>>,
        desired: Access,
    ) -> Result<Access, Status> {
        if desired == Access::NONE {
            return Err(Status::ACCESS_DENIED); // CREATE-37
        }
        let wanted = desired.mapped();
        let token = self.token_of(thread);
        if wanted.has(Access::ACCESS_SYSTEM_SECURITY) && !token.has_privilege(Token::SECURITY) {
            return Err(Status::PRIVILEGE_NOT_HELD); // SEC-14
        }
        let Some(pipe) = pipe else {
            let maximum = wanted.has(Access::MAXIMUM_ALLOWED);
            let all = if maximum { Access::FILE_ALL_ACCESS } else { Access::NONE };
            return Ok(wanted.without(Access::MAXIMUM_ALLOWED).with(all));
        };
        let descriptor = &self.pipes[pipe].security;
        let with_instance = wanted.with(Access::APPEND_DATA);
        let granted = descriptor.check(token, with_instance).ok_or(Status::ACCESS_DENIED)?;
        Ok(if wanted.has(Access::MAXIMUM_ALLOWED) { granted } else { wanted })
    }

    /// What an open of a client end is granted; the right to create instances plays no part
    /// (SEC-11, OPEN-12). The device and the root have no descriptor.
    pub(crate) fn check_open(
        &self,
        token: &Token,
        pipe: Option<Id<Pipe>>,
        desired: Access,
    ) -> Result<Access, Status> {
        if desired == Access::NONE {
            return Err(Status::ACCESS_DENIED); // CREATE-37
        }
        let wanted = desired.mapped();
        if wanted.has(Access::ACCESS_SYSTEM_SECURITY) && !token.has_privilege(Token::SECURITY) {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        let maximum = wanted.has(Access::MAXIMUM_ALLOWED);
        let Some(pipe) = pipe else {
            let all = if maximum { Access::FILE_ALL_ACCESS } else { Access::NONE };
            return Ok(wanted.without(Access::MAXIMUM_ALLOWED).with(all));
        };
        let asked = wanted.without(Access::APPEND_DATA);
        let granted = self.pipes[pipe].security.check(token, asked).ok_or(Status::ACCESS_DENIED)?;
        Ok(if maximum { granted } else { wanted })
    }

    /// A duplicate may have more rights than its source if the descriptor says so (HANDLE-02).
    pub(crate) fn may_raise(&self, thread: ThreadId, object: Object, access: Access) -> bool {
        let Object::File(file) = object else { return false };
        let crate::file::Place::At(end, instance) = self.files[file].place else { return false };
        // HANDLE-03: the direction that this end never had stays closed.
        let (inbound, outbound) = self.pipe_of(instance).allows();
        let (reads, writes) = match end {
            End::Server => (inbound, outbound),
            End::Client => (outbound, inbound),
        };
        let crosses = (access.has(Access::READ_DATA) && !reads)
            || (access.has(Access::WRITE_DATA) && !writes);
        let descriptor = &self.pipe_of(instance).security;
        !crosses && descriptor.check(self.token_of(thread), access).is_some()
    }

    pub(crate) fn impersonate(
        &mut self,
        request: RequestId,
        pipe: Handle,
        fx: &mut Effects<'_>,
    ) -> Answer {
        self.io(request, pipe, Access::NONE, &Delivery::Return, FileOp::Impersonate, fx)
    }

    /// `ImpersonateNamedPipeClient` (IMP-01 to IMP-20).
    pub(crate) fn perform_impersonate(
        &mut self,
        instance: Id<Instance>,
        thread: ThreadId,
    ) -> Result<Progress, Status> {
        let token = self.client_context(instance, thread)?;
        self.threads.edit(thread_id(thread)).token = Some(Arc::new(token));
        Ok(Progress::Done(Reply::ok()))
    }

    /// The token that a server gets for its client at this moment.
    fn client_context(&self, instance: Id<Instance>, thread: ThreadId) -> Result<Token, Status> {
        let connection = self.instances[instance].connection().ok_or(Status::CANNOT_IMPERSONATE)?;
        let quality = connection.quality;
        let early = self.has(Switch::ImpersonateBeforeRead);
        let context = if quality.dynamic {
            let read = connection.inbound.context();
            read.or_else(|| connection.opener.as_ref().filter(|_| early)) // IMP-01
        } else {
            connection.opener.as_ref() // IMP-09
        };
        let context = context.ok_or(Status::CANNOT_IMPERSONATE)?;
        if quality.level == ImpersonationLevel::Anonymous {
            return Ok(Token::anonymous());
        }
        let mut token = Token::clone(context);
        if quality.effective_only {
            token.privileges.retain(|privilege: &Privilege| privilege.enabled); // IMP-06
        }
        // IMP-20: acting as another user is a privilege.
        let process = self.process_of(thread);
        let server = &self.processes[process_id(process)].token;
        let full = server.user == token.user || server.has_privilege(Token::IMPERSONATE);
        let level = if full {
            quality.level
        } else {
            quality.level.min(ImpersonationLevel::Identification)
        };
        token.level = Some(level);
        Ok(token)
    }

    /// The user name of `GetNamedPipeHandleState` (INFO-33).
    pub(crate) fn client_name(
        &self,
        instance: Id<Instance>,
        end: End,
        thread: ThreadId,
    ) -> Result<alloc::string::String, Status> {
        if end == End::Client {
            return Err(Status::INVALID_PARAMETER);
        }
        let token = self.client_context(instance, thread)?;
        match token.level {
            Some(ImpersonationLevel::Anonymous) => Err(Status::CANNOT_IMPERSONATE),
            _ => Ok(token.name),
        }
    }

    pub(crate) fn query_security(
        &mut self,
        request: RequestId,
        handle: Handle,
        information: u32,
        length: Option<u32>,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let rights = needed(information, |(_, read, _)| read);
        let op = FileOp::QuerySecurity(information, length);
        self.io(request, handle, rights, &Delivery::Return, op, fx)
    }

    pub(crate) fn set_security(
        &mut self,
        request: RequestId,
        handle: Handle,
        information: u32,
        descriptor: &SecurityDescriptor,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let rights = needed(information, |(_, _, write)| write);
        let op = FileOp::SetSecurity(information, Arc::new(descriptor.clone()));
        self.io(request, handle, rights, &Delivery::Return, op, fx)
    }

    /// SEC-08, SEC-09, SEC-15
    pub(crate) fn perform_query_security(
        &self,
        instance: Id<Instance>,
        information: u32,
        length: Option<u32>,
    ) -> Progress {
        let parts = self.pipe_of(instance).security.parts(information);
        let size = parts.size();
        if length.is_some_and(|length| length < size) {
            return Progress::Done(Reply {
                status: Status::BUFFER_TOO_SMALL,
                information: size,
                output: Output::None,
            });
        }
        Progress::Done(Reply {
            status: Status::SUCCESS,
            information: 0,
            output: Output::Descriptor(Box::new(parts)),
        })
    }

    /// SEC-01, SEC-02: of the pipe, for all its instances and ends.
    pub(crate) fn perform_set_security(
        &mut self,
        instance: Id<Instance>,
        information: u32,
        descriptor: &SecurityDescriptor,
    ) -> Progress {
        let pipe = self.instances[instance].pipe;
        let mut changed = SecurityDescriptor::clone(&self.pipes[pipe].security);
        changed.set_parts(information, descriptor);
        self.pipes.edit(pipe).security = Arc::new(changed);
        Progress::Done(Reply::ok())
    }

    /// PID-01 to PID-13; under the lock, like every control code.
    pub(crate) fn pipe_attribute(
        &mut self,
        request: RequestId,
        pipe: Handle,
        attribute: PipeAttribute,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let op = FileOp::Attribute(attribute);
        self.io(request, pipe, Access::NONE, &Delivery::Return, op, fx)
    }
}

#[cold]
#[inline(never)]
fn over_network(token: &Token) -> Arc<Token> {
    let mut token = token.clone();
    if let Ok(network) = Sid::NETWORK.parse() {
        token.groups.push(network);
    }
    Arc::new(token)
}

/// The rights for all the parts that are asked for.
fn needed(information: u32, of: impl Fn((u32, Access, Access)) -> Access) -> Access {
    PARTS
        .into_iter()
        .filter(|(part, _, _)| information & part != 0)
        .fold(Access::NONE, |rights, part| rights.with(of(part)))
}
