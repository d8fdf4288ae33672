//! As whom threads act, and what descriptors let them do.

use npfs_abi::{Handle, PipeAttribute, RequestId, SecurityDescriptor, Status, ThreadId, Token};

use crate::kernel::{Answer, Effects, Kernel};

impl Kernel {
    pub(crate) fn impersonate(
        &mut self,
        _request: RequestId,
        _pipe: Handle,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn set_thread_token(&mut self, _thread: ThreadId, _token: Option<&Token>) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn thread_token(&mut self, _thread: ThreadId) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn query_security(
        &mut self,
        _request: RequestId,
        _handle: Handle,
        _information: u32,
        _length: Option<u32>,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn set_security(
        &mut self,
        _request: RequestId,
        _handle: Handle,
        _information: u32,
        _descriptor: &SecurityDescriptor,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn pipe_attribute(
        &mut self,
        _request: RequestId,
        _pipe: Handle,
        _attribute: PipeAttribute,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }
}
