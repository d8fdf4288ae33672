//! Creating and opening by name, as the Nt functions do it.

use npfs_abi::{Access, Handle, NtCreateFile, NtCreateNamedPipeFile, Status, ThreadId};

use crate::kernel::{Answer, Effects, Kernel};

impl Kernel {
    pub(crate) fn nt_create_named_pipe_file(
        &mut self,
        _thread: ThreadId,
        _arguments: &NtCreateNamedPipeFile,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn nt_create_file(
        &mut self,
        _thread: ThreadId,
        _arguments: &NtCreateFile,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn re_open_file(
        &mut self,
        _thread: ThreadId,
        _file: Handle,
        _access: Access,
        _flags: u32,
        _fx: &mut Effects<'_>,
    ) -> Answer {
        Err(Status::NOT_IMPLEMENTED)
    }
}
