//! The Nt functions on files.

use ::core::ffi::c_void;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
pub use windows_sys::Wdk::Storage::FileSystem::*;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ACCESS_RIGHTS, FILE_FLAGS_AND_ATTRIBUTES, FILE_SHARE_MODE,
};
use windows_sys::Win32::System::IO::{IO_STATUS_BLOCK, PIO_APC_ROUTINE};

functions! { windows_sys::Wdk::Storage::FileSystem => {
    native {
        /// `NtReadFile`: reads.
        fn NtReadFile(
            filehandle: HANDLE,
            event: HANDLE,
            apcroutine: PIO_APC_ROUTINE,
            apccontext: *const c_void,
            iostatusblock: *mut IO_STATUS_BLOCK,
            buffer: *mut c_void,
            length: u32,
            byteoffset: *const i64,
            key: *const u32,
        ) -> NTSTATUS;
        /// `NtWriteFile`: writes.
        fn NtWriteFile(
            filehandle: HANDLE,
            event: HANDLE,
            apcroutine: PIO_APC_ROUTINE,
            apccontext: *const c_void,
            iostatusblock: *mut IO_STATUS_BLOCK,
            buffer: *const c_void,
            length: u32,
            byteoffset: *const i64,
            key: *const u32,
        ) -> NTSTATUS;
        /// `NtFsControlFile`: sends a control code.
        fn NtFsControlFile(
            filehandle: HANDLE,
            event: HANDLE,
            apcroutine: PIO_APC_ROUTINE,
            apccontext: *const c_void,
            iostatusblock: *mut IO_STATUS_BLOCK,
            fscontrolcode: u32,
            inputbuffer: *const c_void,
            inputbufferlength: u32,
            outputbuffer: *mut c_void,
            outputbufferlength: u32,
        ) -> NTSTATUS;
        /// `NtQueryInformationFile`: asks for an information class.
        fn NtQueryInformationFile(
            filehandle: HANDLE,
            iostatusblock: *mut IO_STATUS_BLOCK,
            fileinformation: *mut c_void,
            length: u32,
            fileinformationclass: FILE_INFORMATION_CLASS,
        ) -> NTSTATUS;
        /// `NtSetInformationFile`: sets an information class.
        fn NtSetInformationFile(
            filehandle: HANDLE,
            iostatusblock: *mut IO_STATUS_BLOCK,
            fileinformation: *const c_void,
            length: u32,
            fileinformationclass: FILE_INFORMATION_CLASS,
        ) -> NTSTATUS;
        /// `NtQueryDirectoryFile`: lists the root.
        fn NtQueryDirectoryFile(
            filehandle: HANDLE,
            event: HANDLE,
            apcroutine: PIO_APC_ROUTINE,
            apccontext: *const c_void,
            iostatusblock: *mut IO_STATUS_BLOCK,
            fileinformation: *mut c_void,
            length: u32,
            fileinformationclass: FILE_INFORMATION_CLASS,
            returnsingleentry: bool,
            filename: *const UNICODE_STRING,
            restartscan: bool,
        ) -> NTSTATUS;
        /// `NtQueryVolumeInformationFile`: asks for a volume information class.
        fn NtQueryVolumeInformationFile(
            filehandle: HANDLE,
            iostatusblock: *mut IO_STATUS_BLOCK,
            fsinformation: *mut c_void,
            length: u32,
            fsinformationclass: FS_INFORMATION_CLASS,
        ) -> NTSTATUS;
        /// `NtCancelIoFileEx`: cancels what has its status block there, or everything.
        fn NtCancelIoFileEx(
            filehandle: HANDLE,
            iorequesttocancel: *const IO_STATUS_BLOCK,
            iostatusblock: *mut IO_STATUS_BLOCK,
        ) -> NTSTATUS;
        /// `NtFlushBuffersFile`: waits until the other end has read everything.
        fn NtFlushBuffersFile(filehandle: HANDLE, iostatusblock: *mut IO_STATUS_BLOCK) -> NTSTATUS;
    }
    creation {
        /// `NtCreateFile`: opens a client end, the root or the device.
        fn NtCreateFile(
            filehandle: *mut HANDLE,
            desiredaccess: FILE_ACCESS_RIGHTS,
            objectattributes: *const OBJECT_ATTRIBUTES,
            iostatusblock: *mut IO_STATUS_BLOCK,
            allocationsize: *const i64,
            fileattributes: FILE_FLAGS_AND_ATTRIBUTES,
            shareaccess: FILE_SHARE_MODE,
            createdisposition: NTCREATEFILE_CREATE_DISPOSITION,
            createoptions: NTCREATEFILE_CREATE_OPTIONS,
            eabuffer: *const c_void,
            ealength: u32,
        ) -> NTSTATUS;
        /// `NtOpenFile`: as `NtCreateFile`, for what exists.
        fn NtOpenFile(
            filehandle: *mut HANDLE,
            desiredaccess: u32,
            objectattributes: *const OBJECT_ATTRIBUTES,
            iostatusblock: *mut IO_STATUS_BLOCK,
            shareaccess: u32,
            openoptions: u32,
        ) -> NTSTATUS;
    }
} }

functions! { {
    creation {
        /// `NtCreateNamedPipeFile`: makes an instance of a pipe and opens its server end.
        /// windows-sys has no declaration of it; this is the one that std and go-winio write.
        fn NtCreateNamedPipeFile(
            filehandle: *mut HANDLE,
            desiredaccess: u32,
            objectattributes: *const OBJECT_ATTRIBUTES,
            iostatusblock: *mut IO_STATUS_BLOCK,
            shareaccess: u32,
            createdisposition: u32,
            createoptions: u32,
            namedpipetype: u32,
            readmode: u32,
            completionmode: u32,
            maximuminstances: u32,
            inboundquota: u32,
            outboundquota: u32,
            defaulttimeout: *const i64,
        ) -> NTSTATUS;
    }
} }
