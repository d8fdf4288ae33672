//! Control codes, in bytes as Windows lays them out.

use npfs_abi::{Data, Delivery, Handle, RequestId, Status};

use crate::kernel::{Answer, Effects, Kernel};

impl Kernel {
    #[expect(clippy::too_many_arguments, reason = "the arguments of NtFsControlFile")]
    pub(crate) fn fs_control(
        &mut self,
        _request: RequestId,
        _file: Handle,
        _code: u32,
        _input: &Data,
        _length: u32,
        _delivery: &Delivery,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }
}
