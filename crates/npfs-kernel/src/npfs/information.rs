//! Information classes of files, volumes and objects, in bytes as Windows lays them out.

use alloc::format;
use alloc::vec::Vec;

use npfs_abi::{
    Access, CreateNamedPipe, Data, Delivery, End, Handle, LocalInfo, Output, Reply, RequestId,
    Status,
    codes::{file_class, object_class, option, volume_class},
};

use super::Instance;
use super::directory::Change;
use super::fsctl::{bytes, number_at, utf16};
use crate::file::{File, Place};
use crate::io::{FileOp, Progress};
use crate::kernel::{Answer, Effects, Kernel, done};
use crate::npfs::state::{self, Operation, Rule};
use crate::process::Object;
use crate::request::Request;
use crate::store::Id;

/// `INVALID_HANDLE_VALUE`, which also stands for the calling process (INFO-03).
const PSEUDO_HANDLE: Handle = Handle(u32::MAX);
/// Class numbers end somewhere here (INFO-01).
const LAST_CLASS: u32 = 84;
/// Where the name begins in `FILE_ALL_INFORMATION`.
const ALL_NAME: usize = 100;

/// The fixed size of a class that can be asked for, and the right it takes (INFO-04, INFO-05).
fn query_needs(class: u32) -> Result<(u32, Access), Status> {
    Ok(match class {
        file_class::BASIC => (40, Access::READ_ATTRIBUTES),
        file_class::STANDARD => (24, Access::NONE),
        file_class::INTERNAL | file_class::POSITION => (8, Access::NONE),
        file_class::EA | file_class::ACCESS | file_class::MODE | file_class::ALIGNMENT => {
            (4, Access::NONE)
        }
        file_class::IO_COMPLETION_NOTIFICATION => (4, Access::NONE),
        file_class::NAME => (8, Access::NONE),
        file_class::ALL => (104, Access::READ_ATTRIBUTES),
        file_class::PIPE => (8, Access::READ_ATTRIBUTES),
        file_class::PIPE_LOCAL => (40, Access::READ_ATTRIBUTES),
        file_class::PIPE_REMOTE => (16, Access::READ_ATTRIBUTES),
        // Classes of directories and classes that can only be set.
        1..=3 | 10..=13 | 19 | 20 | file_class::COMPLETION => {
            return Err(Status::INVALID_INFO_CLASS);
        }
        0 => return Err(Status::INVALID_INFO_CLASS),
        class if class > LAST_CLASS => return Err(Status::INVALID_INFO_CLASS),
        _ => (0, Access::NONE),
    })
}

/// The size of a class that can be set, and the right it takes (INFO-06).
fn set_needs(class: u32) -> Result<(u32, Access), Status> {
    Ok(match class {
        file_class::BASIC => (40, Access::WRITE_ATTRIBUTES),
        file_class::PIPE => (8, Access::WRITE_ATTRIBUTES),
        file_class::PIPE_REMOTE => (16, Access::WRITE_ATTRIBUTES),
        file_class::COMPLETION => (16, Access::NONE),
        file_class::IO_COMPLETION_NOTIFICATION => (4, Access::NONE),
        file_class::POSITION => (8, Access::NONE),
        10 | 11 | 13 | 19 | 20 => (0, Access::NONE),
        _ => return Err(Status::INVALID_INFO_CLASS),
    })
}

impl Kernel {
    /// INFO-07: class, length, handle and access, lock, driver.
    pub(crate) fn query_information(
        &mut self,
        request: RequestId,
        file: Handle,
        class: u32,
        length: u32,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let (size, rights) = query_needs(class)?;
        if length < size {
            return Err(Status::INFO_LENGTH_MISMATCH); // INFO-02
        }
        if file == PSEUDO_HANDLE {
            return Err(Status::OBJECT_TYPE_MISMATCH); // INFO-03
        }
        let access = self.entry(request.thread, file)?.access;
        let op = FileOp::Query(class, length, access);
        self.io(request, file, rights, &Delivery::Return, op, fx)
    }

    pub(crate) fn set_information(
        &mut self,
        request: RequestId,
        file: Handle,
        class: u32,
        input: &Data,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let (size, rights) = set_needs(class)?;
        if input.size() < size {
            return Err(Status::INFO_LENGTH_MISMATCH);
        }
        if file == PSEUDO_HANDLE {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        }
        self.io(request, file, rights, &Delivery::Return, FileOp::Set(class, input.clone()), fx)
    }

    /// The end that a driver's class is about.
    fn end_of(&self, file: Id<File>) -> Result<(End, Id<Instance>), Status> {
        match self.files[file].place {
            Place::At(end, instance) => {
                match state::rule(Operation::Query, end, self.instances[instance].state()) {
                    Rule::Fail(status) | Rule::Drain(status) => Err(status),
                    Rule::Go | Rule::Idle => Ok((end, instance)),
                }
            }
            Place::Detached => Err(Status::PIPE_DISCONNECTED), // DISC-05, INFO-25
            Place::Closed => Err(Status::INVALID_HANDLE),
            Place::Device | Place::Root => Err(Status::INVALID_PARAMETER),
        }
    }

    pub(super) fn query(
        &mut self,
        file: Id<File>,
        class: u32,
        length: u32,
        access: Access,
    ) -> Result<Progress, Status> {
        let object = &self.files[file];
        // These the I/O manager answers from the file object.
        match class {
            file_class::ACCESS => return Ok(bytes(u32_bytes(access.0))), // INFO-79
            file_class::MODE => return Ok(bytes(u32_bytes(mode_of(object)))), // INFO-80
            file_class::ALIGNMENT => return Ok(bytes(u32_bytes(0))),     // INFO-81
            file_class::IO_COMPLETION_NOTIFICATION => {
                return Ok(bytes(u32_bytes(self.skip_flags(file)))); // INFO-83
            }
            file_class::POSITION if object.synchronous => {
                return Ok(bytes(Vec::from([0; 8]))); // INFO-78
            }
            file_class::NAME if object.place == Place::Root => {
                return Ok(cut(named(Vec::new(), "\\"), length)); // NAME-72
            }
            _ => {}
        }
        let (end, instance) = self.end_of(file)?;
        let local = self.local(instance, end);
        Ok(match class {
            file_class::BASIC => bytes(basic()),
            file_class::STANDARD => bytes(standard(&local)),
            file_class::INTERNAL => bytes(internal(end, instance)),
            file_class::EA => bytes(u32_bytes(0)), // INFO-77
            file_class::POSITION => {
                bytes(Vec::from(u64::from(local.read_data_available).to_le_bytes()))
            }
            file_class::NAME => cut(named(Vec::new(), &self.name_of(instance)?), length),
            file_class::ALL => {
                let mut all = basic();
                all.extend(standard(&local));
                all.extend(internal(end, instance));
                all.extend(u32_bytes(0));
                all.extend(u32_bytes(access.0));
                all.extend(u64::from(local.read_data_available).to_le_bytes());
                all.extend(u32_bytes(mode_of(&self.files[file])));
                all.extend(u32_bytes(0));
                if self.files[file].synchronous {
                    all[80..88].fill(0);
                }
                debug_assert_eq!(all.len() + 4, ALL_NAME, "INFO-82: the layout is fixed");
                cut(named(all, &self.name_of(instance)?), length)
            }
            file_class::PIPE => {
                let modes = self.instances[instance].modes(end);
                let mut pipe = u32_bytes(modes.read as u32); // INFO-20
                pipe.extend(u32_bytes(modes.completion as u32));
                bytes(pipe)
            }
            file_class::PIPE_LOCAL => bytes(pipe_local(&local)),
            // INFO-84, INFO-85
            _ => return Err(Status::INVALID_PARAMETER),
        })
    }

    /// The name of the pipe with a backslash in front (INFO-70).
    fn name_of(&self, instance: Id<Instance>) -> Result<alloc::string::String, Status> {
        let pipe = self.pipe_of(instance);
        if pipe.path.is_none() {
            return Err(Status::OBJECT_PATH_INVALID); // NAME-45
        }
        Ok(format!("\\{}", pipe.shown_name()))
    }

    pub(super) fn set(
        &mut self,
        request: Request,
        class: u32,
        input: &Data,
        fx: &mut Effects<'_>,
    ) -> Result<Progress, Status> {
        let file = request.file;
        match class {
            file_class::COMPLETION => {
                let (Some(port), Some(key)) = (number_at::<8>(input, 0), number_at::<8>(input, 8))
                else {
                    return Err(Status::INFO_LENGTH_MISMATCH);
                };
                let handle = Handle(u32::try_from(port).map_err(|_| Status::INVALID_HANDLE)?);
                let Object::Port(port) = self.entry(request.id.thread, handle)?.object else {
                    return Err(Status::OBJECT_TYPE_MISMATCH);
                };
                self.bind_port(file, port, key, fx)?;
            }
            file_class::IO_COMPLETION_NOTIFICATION => {
                let flags = number_at::<4>(input, 0).ok_or(Status::INFO_LENGTH_MISMATCH)?;
                self.set_skip_flags(file, flags as u32, fx)?;
            }
            file_class::POSITION if self.files[file].synchronous => {} // INFO-93
            file_class::BASIC => {
                self.end_of(file)?; // INFO-75
            }
            file_class::PIPE => {
                let (Some(read @ 0..=1), Some(completion @ 0..=1)) =
                    (number_at::<4>(input, 0), number_at::<4>(input, 4))
                else {
                    return Err(Status::INVALID_PARAMETER); // INFO-23
                };
                let (end, instance) = self.end_of(file)?;
                let mut mode = 0;
                if read == 1 {
                    mode |= CreateNamedPipe::READMODE_MESSAGE;
                }
                if completion == 1 {
                    mode |= CreateNamedPipe::NOWAIT;
                }
                self.set_state(instance, end, Some(mode), (None, None))?;
                self.tell_watchers(Change::Modes, fx);
            }
            // INFO-32, INFO-85
            _ => return Err(self.end_of(file).err().unwrap_or(Status::INVALID_PARAMETER)),
        }
        Ok(Progress::Done(Reply::ok()))
    }

    pub(crate) fn query_volume_information(
        &mut self,
        request: RequestId,
        file: Handle,
        class: u32,
        length: u32,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let size = match class {
            volume_class::VOLUME | volume_class::SIZE => 24,
            volume_class::DEVICE => 8,
            volume_class::ATTRIBUTE => 16,
            volume_class::FULL_SIZE => 32,
            _ => 0,
        };
        if length < size {
            return Err(Status::INFO_LENGTH_MISMATCH);
        }
        let op = FileOp::QueryVolume(class, length);
        self.io(request, file, Access::NONE, &Delivery::Return, op, fx)
    }

    pub(crate) fn query_object(
        &mut self,
        request: RequestId,
        handle: Handle,
        class: u32,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let entry = self.entry(request.thread, handle)?;
        let data = match (class, entry.object) {
            // SYNC-10: the name of a file takes its lock.
            (object_class::NAME, Object::File(_)) => {
                return self.io(
                    request,
                    handle,
                    Access::NONE,
                    &Delivery::Return,
                    FileOp::ObjectName,
                    fx,
                );
            }
            (object_class::NAME, _) => Vec::new(),
            (object_class::TYPE, object) => utf16(match object {
                Object::File(_) => "File", // NAME-77
                Object::Event(_) => "Event",
                Object::Port(_) => "IoCompletion",
                Object::Thread(_) => "Thread",
                Object::Process(_) => "Process",
            }),
            (object_class::BASIC, object) => {
                let handles = match object {
                    Object::File(file) => self.files[file].handles,
                    Object::Event(_) | Object::Port(_) | Object::Thread(_) | Object::Process(_) => {
                        1
                    }
                };
                let mut basic = u32_bytes(if entry.inherit { 2 } else { 0 });
                for field in [entry.access.0, handles, handles] {
                    basic.extend(u32_bytes(field));
                }
                basic.resize(56, 0);
                basic
            }
            _ => return Err(Status::INVALID_INFO_CLASS),
        };
        let data = Data::from(data);
        let information = data.size();
        match done(Output::Data(data))? {
            npfs_abi::Outcome::Done(reply) => {
                Ok(npfs_abi::Outcome::Done(Reply { information, ..reply }))
            }
            other => Ok(other),
        }
    }

    /// NAME-77, NAME-45, HANDLE-10
    pub(super) fn object_name(&self, file: Id<File>) -> Result<Progress, Status> {
        let name = match self.files[file].place {
            Place::Device => "\\Device\\NamedPipe".into(),
            Place::Root => "\\Device\\NamedPipe\\".into(),
            Place::At(..) | Place::Detached | Place::Closed => {
                let (_, instance) = self.end_of(file)?;
                format!("\\Device\\NamedPipe{}", self.name_of(instance)?)
            }
        };
        Ok(bytes(utf16(&name)))
    }
}

fn u32_bytes(value: u32) -> Vec<u8> {
    Vec::from(value.to_le_bytes())
}

/// INFO-80
fn mode_of(file: &File) -> u32 {
    let waits = match (file.synchronous, file.alertable) {
        (true, true) => option::SYNCHRONOUS_IO_ALERT,
        (true, false) => option::SYNCHRONOUS_IO_NONALERT,
        (false, _) => 0,
    };
    waits | if file.write_through { option::WRITE_THROUGH } else { 0 }
}

/// INFO-74: no times, an ordinary file.
fn basic() -> Vec<u8> {
    let mut basic = Vec::from([0; 40]);
    basic[32] = 0x80;
    basic
}

/// INFO-73
fn standard(local: &LocalInfo) -> Vec<u8> {
    let quotas = u64::from(local.inbound_quota) + u64::from(local.outbound_quota);
    let mut standard = Vec::from(quotas.to_le_bytes());
    standard.extend(u64::from(local.read_data_available).to_le_bytes());
    standard.extend(u32_bytes(1));
    standard.extend([1, 0, 0, 0]); // Pending deletion, no directory.
    standard
}

/// INFO-76: some number, never 0, of each end its own.
fn internal(end: End, instance: Id<Instance>) -> Vec<u8> {
    let number = u64::from(instance.place()) * 2 + 2 + end as u64;
    Vec::from(number.to_le_bytes())
}

/// INFO-50 to INFO-58
fn pipe_local(local: &LocalInfo) -> Vec<u8> {
    [
        local.pipe_type as u32,
        local.configuration as u32,
        local.maximum_instances,
        local.current_instances,
        local.inbound_quota,
        local.read_data_available,
        local.outbound_quota,
        local.write_quota_available,
        local.state as u32,
        local.end as u32,
    ]
    .into_iter()
    .flat_map(u32::to_le_bytes)
    .collect()
}

/// A name behind its length in bytes.
fn named(mut before: Vec<u8>, name: &str) -> Vec<u8> {
    let name = utf16(name);
    before.extend(u32_bytes(name.len() as u32));
    before.extend(name);
    before
}

/// The warning if not everything fits (INFO-71).
fn cut(mut data: Vec<u8>, length: u32) -> Progress {
    let more = data.len() > length as usize;
    data.truncate(length as usize);
    let mut progress = bytes(data);
    if let Progress::Done(reply) = &mut progress {
        if more {
            reply.status = Status::BUFFER_OVERFLOW;
        }
    }
    progress
}

/// INFO-86 to INFO-91
pub(super) fn query_volume(class: u32, length: u32) -> Result<Progress, Status> {
    const NAMED_PIPE: u32 = 0x11; // FILE_DEVICE_NAMED_PIPE
    const APP_CONTAINERS: u32 = 0x2_0000; // FILE_DEVICE_ALLOW_APPCONTAINER_TRAVERSAL
    const CASE_PRESERVED: u32 = 2; // FILE_CASE_PRESERVED_NAMES
    let data = match class {
        volume_class::VOLUME => {
            let label = utf16("NamedPipe");
            let mut volume = Vec::from([0; 12]);
            volume.extend(u32_bytes(label.len() as u32));
            volume.extend([0, 0]);
            volume.extend(label);
            volume
        }
        volume_class::SIZE => {
            let mut size = Vec::from([0; 16]);
            size.extend(u32_bytes(1));
            size.extend(u32_bytes(1));
            size
        }
        volume_class::DEVICE => {
            let mut device = u32_bytes(NAMED_PIPE);
            device.extend(u32_bytes(APP_CONTAINERS));
            device
        }
        volume_class::ATTRIBUTE => {
            let mut attribute = u32_bytes(CASE_PRESERVED);
            attribute.extend(u32_bytes(u32::MAX));
            named(attribute, "NPFS")
        }
        volume_class::FULL_SIZE => Vec::from([0; 32]),
        _ => return Err(Status::NOT_SUPPORTED),
    };
    Ok(cut(data, length))
}
