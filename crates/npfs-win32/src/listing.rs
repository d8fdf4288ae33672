//! `Win32::Storage::FileSystem`: the listing of `\\.\pipe\` (DIR-11).
//!
//! A search handle is a handle to the root.

use npfs_abi::{Access, Call, CreateFile, Data, Output, PipeName, Reply, Status, codes};
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_NO_MORE_FILES, ERROR_NOACCESS, ERROR_PATH_NOT_FOUND, HANDLE,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{WIN32_FIND_DATAA, WIN32_FIND_DATAW};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::call::{fail, handle, is_none, number_at, raw, truth};
use crate::memory::{is_bad, narrow, text, wide};
use crate::simulation::here;

/// Room for the longest name.
const ENTRY_LENGTH: u32 = 0x1_1000;

/// One entry: how many instances there are (DIR-03), and the name.
struct Entry {
    attributes: u32,
    instances: (u32, u32),
    name: Vec<u16>,
}

/// `FILE_BOTH_DIR_INFORMATION`
fn entry(data: &Data) -> Entry {
    let length = number_at(data, 60) as usize;
    let name = data.get(94..94 + length).unwrap_or(&[]).chunks_exact(2);
    Entry {
        instances: (number_at(data, 40), number_at(data, 44)),
        attributes: number_at(data, 56),
        name: name.map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect(),
    }
}

fn next_entry(file: HANDLE, pattern: Option<&str>) -> Result<Entry, Reply> {
    let reply = here().ask(&Call::NtQueryDirectoryFile {
        file: handle(file),
        class: codes::file_class::BOTH_DIRECTORY,
        length: ENTRY_LENGTH,
        pattern: pattern.map(PipeName::new),
        restart: false,
        single: true,
    });
    match &reply.output {
        Output::Data(data) => Ok(entry(data)),
        _ => Err(reply),
    }
}

fn find_first(path: Option<String>) -> Result<(HANDLE, Entry), u32> {
    let path = path.ok_or(ERROR_PATH_NOT_FOUND)?;
    let (folder, pattern) = path.split_at(path.rfind('\\').map_or(0, |place| place + 1));
    let mut open = CreateFile::new(folder);
    open.access = Access::LIST_DIRECTORY;
    let place = here();
    let reply = place.ask(&Call::CreateFile(open));
    let Output::Handle(root) = reply.output else { return Err(reply.status.win32()) };
    let pattern = if pattern == "*.*" { "*" } else { pattern };
    match next_entry(raw(root), Some(pattern)) {
        Ok(entry) => Ok((raw(root), entry)),
        Err(reply) => {
            place.ask(&Call::CloseHandle { handle: root });
            let code = reply.status.win32();
            // Nothing that fits is no end of a listing.
            Err(if code == ERROR_NO_MORE_FILES { ERROR_FILE_NOT_FOUND } else { code })
        }
    }
}

fn wide_entry(entry: &Entry) -> WIN32_FIND_DATAW {
    let mut data = WIN32_FIND_DATAW {
        dwFileAttributes: entry.attributes,
        nFileSizeLow: entry.instances.0,
        nFileSizeHigh: entry.instances.1,
        ..WIN32_FIND_DATAW::default()
    };
    let room = data.cFileName.len() - 1;
    for (to, from) in data.cFileName[..room].iter_mut().zip(&entry.name) {
        *to = *from;
    }
    data
}

fn narrow_entry(entry: &Entry) -> WIN32_FIND_DATAA {
    let mut data = WIN32_FIND_DATAA {
        dwFileAttributes: entry.attributes,
        nFileSizeLow: entry.instances.0,
        nFileSizeHigh: entry.instances.1,
        ..WIN32_FIND_DATAA::default()
    };
    let room = data.cFileName.len() - 1;
    let name = text(entry.name.iter().copied());
    for (to, from) in data.cFileName[..room].iter_mut().zip(name.bytes()) {
        *to = from as _;
    }
    data
}

unsafe fn first<T>(path: Option<String>, data: *mut T, form: fn(&Entry) -> T) -> HANDLE {
    if is_bad(data) {
        fail(ERROR_NOACCESS);
        return INVALID_HANDLE_VALUE;
    }
    match find_first(path) {
        Ok((search, entry)) => {
            // SAFETY: the caller gives a place for a structure.
            unsafe { data.write_unaligned(form(&entry)) };
            search
        }
        Err(code) => {
            fail(code);
            INVALID_HANDLE_VALUE
        }
    }
}

unsafe fn next<T>(search: HANDLE, data: *mut T, form: fn(&Entry) -> T) -> BOOL {
    if is_bad(data) {
        return fail(ERROR_NOACCESS);
    }
    match next_entry(search, None) {
        Ok(entry) => {
            // SAFETY: the caller gives a place for a structure.
            unsafe { data.write_unaligned(form(&entry)) };
            1
        }
        Err(reply) => truth(reply.status),
    }
}

pub(crate) unsafe fn FindFirstFileW(path: PCWSTR, data: *mut WIN32_FIND_DATAW) -> HANDLE {
    // SAFETY: the caller gives null or a terminated string, and a place for a structure.
    unsafe { first(wide(path), data, wide_entry) }
}

pub(crate) unsafe fn FindFirstFileA(path: PCSTR, data: *mut WIN32_FIND_DATAA) -> HANDLE {
    // SAFETY: as in FindFirstFileW.
    unsafe { first(narrow(path), data, narrow_entry) }
}

pub(crate) unsafe fn FindNextFileW(search: HANDLE, data: *mut WIN32_FIND_DATAW) -> BOOL {
    // SAFETY: the caller gives a place for a structure.
    unsafe { next(search, data, wide_entry) }
}

pub(crate) unsafe fn FindNextFileA(search: HANDLE, data: *mut WIN32_FIND_DATAA) -> BOOL {
    // SAFETY: as in FindNextFileW.
    unsafe { next(search, data, narrow_entry) }
}

pub(crate) unsafe fn FindClose(search: HANDLE) -> BOOL {
    if is_none(search) {
        return truth(Status::INVALID_HANDLE);
    }
    truth(here().ask(&Call::CloseHandle { handle: handle(search) }).status)
}
