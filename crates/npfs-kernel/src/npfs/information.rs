//! Information classes of files, volumes and objects.

use npfs_abi::{Data, Handle, RequestId, Status};

use crate::kernel::{Answer, Effects, Kernel};

impl Kernel {
    pub(crate) fn query_information(
        &mut self,
        _request: RequestId,
        _file: Handle,
        _class: u32,
        _length: u32,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn set_information(
        &mut self,
        _request: RequestId,
        _file: Handle,
        _class: u32,
        _input: &Data,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn query_volume_information(
        &mut self,
        _request: RequestId,
        _file: Handle,
        _class: u32,
        _length: u32,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn query_object(
        &mut self,
        _request: RequestId,
        _handle: Handle,
        _class: u32,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }
}
