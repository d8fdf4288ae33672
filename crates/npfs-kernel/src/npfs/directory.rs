//! The listing of the root, and who is told of its changes.

use npfs_abi::{Delivery, Handle, PipeName, RequestId, Status};

use crate::kernel::{Answer, Effects, Kernel};

/// The arguments of `NtQueryDirectoryFile`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct DirectoryQuery {
    pub(crate) class: u32,
    pub(crate) length: u32,
    pub(crate) pattern: Option<PipeName>,
    pub(crate) restart: bool,
    pub(crate) single: bool,
}

impl Kernel {
    pub(crate) fn query_directory(
        &mut self,
        _request: RequestId,
        _file: Handle,
        _query: DirectoryQuery,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn notify_change_directory(
        &mut self,
        _request: RequestId,
        _file: Handle,
        _filter: u32,
        _delivery: &Delivery,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }
}
