//! The listing of the root, and who is told of its changes.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Bound;

use npfs_abi::{
    Access, Data, Delivery, Handle, Output, PipeName, Reply, RequestId, Status, Switch, Target,
    codes::file_class,
};

use super::Pipe;
use super::fsctl::utf16;
use crate::file::{File, Place};
use crate::io::{FileOp, Progress};
use crate::kernel::{Answer, Effects, Kernel, NAMESPACE};
use crate::request::{Request, Settled};
use crate::store::Id;

/// Stands for the watches among the names; no pipe has it.
const WATCHES: &str = "\0watches";

/// `FILE_NOTIFY_CHANGE_FILE_NAME` and `FILE_NOTIFY_CHANGE_DIR_NAME`.
const CHANGE_NAME: u32 = 3;

/// The arguments of `NtQueryDirectoryFile`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct DirectoryQuery {
    pub(crate) class: u32,
    pub(crate) length: u32,
    pub(crate) pattern: Option<PipeName>,
    pub(crate) restart: bool,
    pub(crate) single: bool,
}

/// How far a listing is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Listing {
    /// Upcased; fixed by the first call (DIR-04).
    pattern: Arc<str>,
    /// The upcased name that was given last.
    last: Option<Arc<str>>,
    /// How many were given.
    given: u32,
}

/// A request that waits for a change of the root.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Watch {
    pub(crate) request: Request,
    /// A change of modes counts too, not only of names (DIR-14).
    modes: bool,
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// A name came or went.
    Name,
    /// `FilePipeInformation` was set.
    Modes,
}

/// Where the name begins in an entry of a class, and the size of its structure.
fn layout(class: u32) -> Option<(usize, u32)> {
    match class {
        file_class::DIRECTORY => Some((64, 72)),
        file_class::FULL_DIRECTORY => Some((68, 72)),
        file_class::BOTH_DIRECTORY => Some((94, 96)),
        file_class::NAMES => Some((12, 16)),
        _ => None,
    }
}

impl Kernel {
    pub(crate) fn query_directory(
        &mut self,
        request: RequestId,
        file: Handle,
        query: DirectoryQuery,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let (_, size) = layout(query.class).ok_or(Status::INVALID_INFO_CLASS)?; // DIR-02
        if query.length < size {
            return Err(Status::INFO_LENGTH_MISMATCH); // DIR-09
        }
        let op = FileOp::Directory(Box::new(query));
        self.io(request, file, Access::LIST_DIRECTORY, &Delivery::Return, op, fx)
    }

    /// Entries from where the listing is (DIR-01 to DIR-08).
    pub(super) fn list(
        &mut self,
        file: Id<File>,
        query: &DirectoryQuery,
    ) -> Result<Progress, Status> {
        if self.files[file].place != Place::Root {
            return Err(Status::INVALID_PARAMETER); // DIR-10
        }
        let first = self.files[file].listing.is_none();
        let mut listing = match &self.files[file].listing {
            Some(listing) => (**listing).clone(),
            None => Listing { pattern: folded_pattern(query), last: None, given: 0 },
        };
        if query.restart {
            (listing.last, listing.given) = (None, 0);
        }
        let (data, cut) = self.entries(&mut listing, query);
        self.files.edit(file).listing = Some(Box::new(listing));
        if data.is_empty() {
            // DIR-05, OQ-19
            let old = !first || self.has(Switch::EmptyListNoMoreFiles);
            return Err(if old { Status::NO_MORE_FILES } else { Status::NO_SUCH_FILE });
        }
        let data = Data::from(data);
        let status = if cut { Status::BUFFER_OVERFLOW } else { Status::SUCCESS };
        let information = data.size();
        Ok(Progress::Done(Reply { status, information, output: Output::Data(data) }))
    }

    /// As many entries as fit; whether the name of the only one was cut (DIR-06).
    fn entries(&self, listing: &mut Listing, query: &DirectoryQuery) -> (Vec<u8>, bool) {
        let room = query.length as usize;
        let mut data: Vec<u8> = Vec::new();
        let mut previous = None;
        let from = listing.last.clone();
        let start = from.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let names = &self.namespace[NAMESPACE].pipes;
        for (name, pipe) in names.range::<str, _>((start, Bound::Unbounded)) {
            if !fits(&listing.pattern, name) {
                continue;
            }
            let begin = data.len().next_multiple_of(8); // DIR-07, OQ-19
            let mut entry = entry(query.class, listing.given, &self.pipes[*pipe]);
            let cut = entry.len() > room.saturating_sub(begin);
            if cut && !data.is_empty() {
                break;
            }
            entry.truncate(room);
            if let Some(previous) = previous {
                let offset = (begin - previous) as u32;
                data[previous..previous + 4].copy_from_slice(&offset.to_le_bytes());
            }
            data.resize(begin, 0);
            data.extend_from_slice(&entry);
            previous = Some(begin);
            listing.last = Some(name.clone());
            listing.given = listing.given.wrapping_add(1);
            if cut || query.single {
                return (data, cut);
            }
        }
        (data, false)
    }

    pub(crate) fn notify_change_directory(
        &mut self,
        request: RequestId,
        file: Handle,
        filter: u32,
        delivery: &Delivery,
        fx: &mut Effects<'_>,
    ) -> Answer {
        let delivery = match *delivery {
            Delivery::Return => Delivery::Nt { event: None, routine: false, context: false },
            other => other,
        };
        self.io(request, file, Access::LIST_DIRECTORY, &delivery, FileOp::Watch(filter), fx)
    }

    pub(super) fn watch(&mut self, request: Request, filter: u32) -> Result<Progress, Status> {
        if self.files[request.file].place != Place::Root || filter == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let modes = filter & !CHANGE_NAME != 0;
        self.namespace.edit_part(WATCHES).watches.push(Watch { request, modes });
        Ok(Progress::Pends)
    }

    /// Ends the requests that wait for such a change, oldest first (DIR-14).
    pub(super) fn tell_watchers(&mut self, change: Change, fx: &mut Effects<'_>) {
        self.end_watches(&mut |watch| watch.modes || change == Change::Name, Status::SUCCESS, fx);
    }

    pub(super) fn cancel_watches(
        &mut self,
        which: &mut dyn FnMut(&Request) -> bool,
        fx: &mut Effects<'_>,
    ) {
        self.end_watches(&mut |watch| which(&watch.request), Status::CANCELLED, fx);
    }

    fn end_watches(
        &mut self,
        which: &mut dyn FnMut(&Watch) -> bool,
        status: Status,
        fx: &mut Effects<'_>,
    ) {
        if self.namespace.part(WATCHES).watches.is_empty() {
            return;
        }
        self.namespace.edit_part(WATCHES).watches.retain(|watch| {
            let ends = which(watch);
            if ends {
                fx.settled.push(Settled::empty(watch.request, status));
            }
            !ends
        });
    }
}

/// No pattern is every name.
fn folded_pattern(query: &DirectoryQuery) -> Arc<str> {
    let pattern = query.pattern.as_ref().map_or("", PipeName::as_str);
    match PipeName::new(&format!("\\\\.\\pipe\\{pattern}")).target() {
        Target::Pipe(folded) => folded.clone(),
        _ => "*".into(),
    }
}

/// `*` stands for any text, `?` for any character.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut place) = (0, 0);
    // Where to go on if the text behind the last `*` turns out not to fit.
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at + 1, place));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[place] => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((behind, taken)) => {
                    star = Some((behind, taken + 1));
                    at = behind;
                    place = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// One entry: times 0, instances as lengths (DIR-03).
fn entry(class: u32, index: u32, pipe: &Pipe) -> Vec<u8> {
    const NORMAL: u32 = 0x80; // FILE_ATTRIBUTE_NORMAL
    let name = utf16(pipe.shown_name());
    let mut entry = Vec::new();
    entry.extend_from_slice(&0_u32.to_le_bytes());
    entry.extend_from_slice(&index.to_le_bytes());
    if class != file_class::NAMES {
        entry.resize(40, 0);
        entry.extend_from_slice(&u64::from(pipe.servers).to_le_bytes());
        entry.extend_from_slice(&u64::from(pipe.max_instances).to_le_bytes());
        entry.extend_from_slice(&NORMAL.to_le_bytes());
    }
    entry.extend_from_slice(&(name.len() as u32).to_le_bytes());
    let (begin, _) = layout(class).unwrap_or((entry.len(), 0));
    entry.resize(begin, 0);
    entry.extend_from_slice(&name);
    entry
}

/// The names in what [`file_class::BOTH_DIRECTORY`] gave.
pub(crate) fn names_in(data: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = data;
    let number = |rest: &[u8], place: usize| {
        rest.get(place..place + 4)
            .and_then(|field| field.try_into().ok())
            .map(|field| u32::from_le_bytes(field) as usize)
    };
    while let (Some(next), Some(length)) = (number(rest, 0), number(rest, 60)) {
        let name = rest.get(94..).unwrap_or(&[]);
        let units = name[..length.min(name.len())]
            .chunks_exact(2)
            .map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        names.push(
            char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
        );
        if next == 0 {
            break;
        }
        rest = rest.get(next..).unwrap_or(&[]);
    }
    names
}
