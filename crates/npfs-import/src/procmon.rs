//! Rows of Process Monitor, saved as CSV.
//!
//! A row stands for a call and its return. It has no handle, no data and no arguments of a
//! creation. An end can be told only by process and path: where two ends of one path are open in
//! one process, nothing says which of them a row is about, and then the whole path is left out.
//!
//! What file-system rows look like was seen. What rows of pipes look like (the event class IPC)
//! is derived from the parser of another project and from nothing else; `docs/imports.md` says
//! which is which.

use std::collections::{BTreeMap, BTreeSet};

use npfs_abi::{
    Access, Call, Data, Delivery, NtCreateFile, NtCreateNamedPipeFile, ObjectAttributes, Op,
    PipeName, Status, codes,
};
use npfs_trace::trace::Gaps;

use crate::Log;
use crate::raw::{RawCall, RawOutput, RawResult, Stamp};

/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;
const DAY: u64 = 24 * 3600 * SECOND;

/// The columns that an import needs; `Event Class` is not looked at.
const NEEDED: [&str; 8] =
    ["Time of Day", "PID", "Operation", "Path", "Result", "Detail", "TID", "Duration"];

/// A row about a pipe.
struct Row {
    line: u32,
    process: u32,
    thread: u32,
    operation: String,
    /// In lower case: names of pipes are the same in any case.
    path: String,
    name: String,
    result: String,
    detail: String,
    begin: u64,
    end: u64,
}

/// The calls of a log.
pub(crate) fn read(text: &str) -> Log {
    let mut log = Log { tick_ns: Some(100), ..Log::default() };
    let rows = rows(text, &mut log);
    let mut unclear = BTreeSet::new();
    loop {
        let mut reader = Reader::new(&rows, &unclear);
        (0..rows.len()).for_each(|place| reader.row(place));
        let found = reader.found;
        if found.is_subset(&unclear) {
            log.calls = reader.calls;
            reader.counts.iter().for_each(|(what, count)| log.skipped.count(what, *count));
            return log;
        }
        unclear.extend(found);
    }
}

fn rows(text: &str, log: &mut Log) -> Vec<Row> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut records = reader.records();
    let Some(Ok(head)) = records.next() else {
        log.skipped.bad_line(1, "no names of columns", "lines that are not of the log");
        return Vec::new();
    };
    let column = |name: &str| head.iter().position(|found| found.trim() == name);
    let missing: Vec<&str> = NEEDED.into_iter().filter(|name| column(name).is_none()).collect();
    let places: Vec<usize> = NEEDED.into_iter().filter_map(column).collect();
    let &[time, pid, operation, path, result, detail, tid, duration] = places.as_slice() else {
        let why = format!("no column {}", missing.join(", "));
        log.skipped.bad_line(1, &why, "lines that are not of the log");
        return Vec::new();
    };
    let (mut rows, mut last, mut days) = (Vec::new(), 0, 0);
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                let line = u32::try_from(line).unwrap_or(u32::MAX);
                let what = "lines that are not of the log";
                log.skipped.bad_line(line, &error.to_string(), what);
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let field = |place: usize| record.get(place).unwrap_or_default();
        let Some(name) = pipe(field(path)) else {
            log.skipped.count("rows of other paths", 1);
            continue;
        };
        let (Some(begin), Ok(process), Ok(thread), Some(lasted)) = (
            time_of_day(field(time)),
            field(pid).parse(),
            field(tid).parse(),
            seconds(field(duration)),
        ) else {
            log.skipped.line(line, "rows without time, process, thread or duration");
            continue;
        };
        // Rows are in order of their start: a time far before the last is of the next day.
        if begin + DAY / 2 < last {
            days += 1;
        }
        last = begin;
        let begin = begin + days * DAY;
        rows.push(Row {
            line,
            process,
            thread,
            operation: field(operation).to_owned(),
            path: name.to_lowercase(),
            name,
            result: field(result).trim().to_owned(),
            detail: field(detail).to_owned(),
            begin,
            end: begin.saturating_add(lasted),
        });
    }
    rows
}

/// The name below the device, as an Nt function says it.
fn pipe(path: &str) -> Option<String> {
    let starts = ["\\Device\\NamedPipe", "\\\\.\\pipe"];
    let rest = starts.iter().find_map(|start| {
        let head = path.get(..start.len())?;
        head.eq_ignore_ascii_case(start).then(|| &path[start.len()..])
    })?;
    (rest.is_empty() || rest.starts_with('\\')).then(|| format!("\\Device\\NamedPipe{rest}"))
}

/// `1:18:10.7752429 AM` or `13:18:10.7752429`, in ticks since midnight.
fn time_of_day(text: &str) -> Option<u64> {
    let (clock, half) = match text.trim().split_once(' ') {
        Some((clock, half)) => (clock, Some(half)),
        None => (text.trim(), None),
    };
    let mut parts = clock.splitn(3, ':');
    let hour: u64 = parts.next()?.parse().ok()?;
    let minute: u64 = parts.next()?.parse().ok()?;
    let ticks = seconds(parts.next()?)?;
    let hour = match half {
        None => hour,
        Some(half) if half.eq_ignore_ascii_case("AM") => hour % 12,
        Some(half) if half.eq_ignore_ascii_case("PM") => hour % 12 + 12,
        Some(_) => return None,
    };
    let fits = hour < 24 && minute < 60 && ticks < 60 * SECOND;
    fits.then(|| (hour * 60 + minute) * 60 * SECOND + ticks)
}

/// `0.0000210`, with up to seven digits behind the point.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    if part.is_empty() || part.len() > 7 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scale = 10_u64.pow(7 - u32::try_from(part.len()).ok()?);
    let ticks = part.parse::<u64>().ok()? * scale;
    whole.parse::<u64>().ok()?.checked_mul(SECOND)?.checked_add(ticks)
}

struct Reader<'a> {
    rows: &'a [Row],
    /// Paths whose rows nobody can tell apart.
    unclear: &'a BTreeSet<String>,
    found: BTreeSet<String>,
    calls: Vec<RawCall>,
    counts: BTreeMap<String, usize>,
    /// The ends that are open: by process and path, each by the number that stands for it.
    open: BTreeMap<(u32, String), Vec<u64>>,
    made: u64,
}

impl<'a> Reader<'a> {
    fn new(rows: &'a [Row], unclear: &'a BTreeSet<String>) -> Reader<'a> {
        Reader {
            rows,
            unclear,
            found: BTreeSet::new(),
            calls: Vec::new(),
            counts: BTreeMap::new(),
            open: BTreeMap::new(),
            made: 0,
        }
    }

    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    fn row(&mut self, place: usize) {
        let rows = self.rows;
        let row = &rows[place];
        if self.unclear.contains(&row.path) {
            return self.count("rows of paths with two ends in one process");
        }
        let status = status(&row.result);
        let worked = status.is_some_and(|status| !status.is_error() && status != Status::PENDING);
        let key = (row.process, row.path.clone());
        let mut result = RawResult::status(status);
        let (op, gaps) = match row.operation.as_str() {
            "CreatePipe" => create(row),
            "CreateFile" => open(row),
            operation => {
                let file = match self.open.get(&key).map(Vec::as_slice) {
                    Some([file]) => *file,
                    Some([_, _, ..]) => {
                        self.found.insert(row.path.clone());
                        return;
                    }
                    Some([]) | None => {
                        return self.count("rows of ends that were opened before the log");
                    }
                };
                match on_end(operation, file, row) {
                    Ok(found) => found,
                    Err(what) => return self.count(&what),
                }
            }
        };
        match &op {
            Op::Call(Call::NtCreateNamedPipeFile(_) | Call::NtCreateFile(_)) if worked => {
                self.made += 1;
                self.open.entry(key).or_default().push(self.made);
                result.output = Some(RawOutput::Handle(self.made));
            }
            Op::Call(Call::CloseHandle { .. }) if worked => {
                self.open.remove(&key);
            }
            _ => {}
        }
        let stamp = |at: u64| Stamp { at: Some(at), line: row.line };
        // A row is of the request, not of the call: whether the call waited for the end is not
        // known where it could have gone on.
        let (returned, done) = if has_delivery(&op) {
            let open = Stamp { at: None, line: row.line };
            (Some((open, RawResult::default())), Some((stamp(row.end), result)))
        } else {
            (Some((stamp(row.end), result)), None)
        };
        self.calls.push(RawCall {
            process: row.process,
            thread: row.thread,
            function: row.operation.clone(),
            began: stamp(row.begin),
            op,
            overlapped: None,
            gaps,
            returned,
            done,
        });
    }
}

fn has_delivery(op: &Op<u64, u64>) -> bool {
    matches!(op, Op::Call(call) if call.delivery().is_some())
}

type Found = (Op<u64, u64>, Gaps);

fn gaps(unknown: &[&str]) -> Gaps {
    let unknown = unknown.iter().map(|name| (*name).to_owned()).collect();
    Gaps { unknown, ..Gaps::default() }
}

fn create(row: &Row) -> Found {
    let call = Call::NtCreateNamedPipeFile(NtCreateNamedPipeFile::new(&row.name));
    let unknown = [
        "access",
        "share",
        "disposition",
        "options",
        "pipe_type",
        "read_mode",
        "completion_mode",
        "max_instances",
        "inbound_quota",
        "outbound_quota",
        "default_timeout",
        "attributes",
        "security",
    ];
    (Op::Call(call), gaps(&unknown))
}

fn open(row: &Row) -> Found {
    let mut unknown = vec!["attributes"];
    let access = detail(&row.detail, "Desired Access").and_then(|words| access(&words));
    let disposition = match detail(&row.detail, "Disposition").as_deref() {
        Some("Open") => Some(codes::disposition::OPEN),
        Some("OpenIf") => Some(codes::disposition::OPEN_IF),
        Some("Create") => Some(codes::disposition::CREATE),
        Some("Supersede") => Some(codes::disposition::SUPERSEDE),
        Some("Overwrite") => Some(codes::disposition::OVERWRITE),
        Some("OverwriteIf") => Some(codes::disposition::OVERWRITE_IF),
        _ => None,
    };
    let options = detail(&row.detail, "Options").map(|words| options(&words));
    let share = detail(&row.detail, "ShareMode").and_then(|words| share(&words));
    let parts = [
        ("access", access.is_none()),
        ("disposition", disposition.is_none()),
        ("options", options.is_none()),
        ("share", share.is_none()),
    ];
    unknown.extend(parts.iter().filter(|(_, missing)| *missing).map(|(name, _)| *name));
    let name = Some(PipeName::new(&row.name));
    let open = NtCreateFile {
        attributes: Some(ObjectAttributes { root: None, name, inherit: false }),
        sqos: 0,
        access: access.unwrap_or(Access(0xC010_0080)),
        share: share.unwrap_or(codes::share::READ | codes::share::WRITE),
        disposition: disposition.unwrap_or(codes::disposition::OPEN),
        options: options.unwrap_or(0),
    };
    (Op::Call(Call::NtCreateFile(open)), gaps(&unknown))
}

/// The value of a part of the detail: up to the next part, which begins with `, Name:`.
fn detail(text: &str, name: &str) -> Option<String> {
    let start = text.find(&format!("{name}: "))? + name.len() + 2;
    let rest = &text[start..];
    let mut value = String::new();
    for (place, part) in rest.split(", ").enumerate() {
        let begins = part.split_once(": ").is_some_and(|(name, _)| {
            name.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | '/'))
        });
        if place > 0 && begins {
            break;
        }
        if place > 0 {
            value.push_str(", ");
        }
        value.push_str(part);
    }
    Some(value)
}

fn access(words: &str) -> Option<Access> {
    words.split(", ").try_fold(Access(0), |sum, word| {
        let bits = match word.trim() {
            "Generic Read" => 0x8000_0000,
            "Generic Write" => 0x4000_0000,
            "Generic Read/Write" => 0xC000_0000,
            "Generic Execute" => 0x2000_0000,
            "Generic All" => 0x1000_0000,
            "Read Data/List Directory" => 0x1,
            "Write Data/Add File" => 0x2,
            "Append Data/Add Subdirectory/Create Pipe Instance" => 0x4,
            "Read EA" => 0x8,
            "Write EA" => 0x10,
            "Read Attributes" => 0x80,
            "Write Attributes" => 0x100,
            "Delete" => 0x1_0000,
            "Read Control" => 0x2_0000,
            "Write DAC" => 0x4_0000,
            "Write Owner" => 0x8_0000,
            "Synchronize" => 0x10_0000,
            _ => return None,
        };
        Some(Access(sum.0 | bits))
    })
}

/// Only three options matter to a pipe.
fn options(words: &str) -> u32 {
    words.split(", ").fold(0, |sum, word| {
        sum | match word.trim() {
            "Write Through" => codes::option::WRITE_THROUGH,
            "Synchronous IO Alert" => codes::option::SYNCHRONOUS_IO_ALERT,
            "Synchronous IO Non-Alert" => codes::option::SYNCHRONOUS_IO_NONALERT,
            _ => 0,
        }
    })
}

fn share(words: &str) -> Option<u32> {
    words.split(", ").try_fold(0, |sum, word| {
        let bits = match word.trim() {
            "None" => 0,
            "Read" => codes::share::READ,
            "Write" => codes::share::WRITE,
            "Delete" => codes::share::DELETE,
            _ => return None,
        };
        Some(sum | bits)
    })
}

/// A number with separators of thousands.
fn number(text: &str, name: &str) -> Option<u32> {
    let rest = &text[text.find(&format!("{name}: "))? + name.len() + 2..];
    let digits: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(|c| *c != ',')
        .collect();
    digits.parse().ok()
}

/// What is done on an end that is open.
fn on_end(operation: &str, file: u64, row: &Row) -> Result<Found, String> {
    let delivery = Delivery::Nt { event: None, routine: false, context: false };
    let length = |name: &str| {
        number(&row.detail, name).ok_or_else(|| format!("{operation} without a {name}"))
    };
    let control = |code: u32, input: Data, length: u32| {
        Op::Call(Call::NtFsControlFile { file, code, input, length, delivery })
    };
    Ok(match operation {
        "ReadFile" => {
            let length = length("Length")?;
            (Op::Call(Call::ReadFile { file, length, delivery }), Gaps::default())
        }
        "WriteFile" => {
            let size = Some(length("Length")?);
            let call = Call::WriteFile { file, data: Data::EMPTY, delivery };
            (Op::Call(call), Gaps { size, ..Gaps::default() })
        }
        "FlushBuffersFile" => (Op::Call(Call::FlushFileBuffers { file }), Gaps::default()),
        "CloseFile" | "IRP_MJ_CLEANUP" => {
            (Op::Call(Call::CloseHandle { handle: file }), Gaps::default())
        }
        "SetPipeInformation" => {
            let (class, input) = (codes::file_class::PIPE, Data::from(&[0; 8]));
            let call = Call::NtSetInformationFile { file, class, input };
            (Op::Call(call), gaps(&["input"]))
        }
        "FileSystemControl" => {
            let code = detail(&row.detail, "Control").unwrap_or_default();
            match code.as_str() {
                "FSCTL_PIPE_LISTEN" => {
                    (control(codes::fsctl::LISTEN, Data::EMPTY, 0), Gaps::default())
                }
                "FSCTL_PIPE_DISCONNECT" => {
                    (control(codes::fsctl::DISCONNECT, Data::EMPTY, 0), Gaps::default())
                }
                "FSCTL_PIPE_IMPERSONATE" => {
                    (control(codes::fsctl::IMPERSONATE, Data::EMPTY, 0), Gaps::default())
                }
                "FSCTL_PIPE_PEEK" => {
                    (control(codes::fsctl::PEEK, Data::EMPTY, 16), gaps(&["length"]))
                }
                "FSCTL_PIPE_TRANSCEIVE" => {
                    let size = Some(length("WriteLength")?);
                    let read = length("ReadLength")?;
                    let op = control(codes::fsctl::TRANSCEIVE, Data::EMPTY, read);
                    (op, Gaps { size, ..Gaps::default() })
                }
                other => return Err(format!("FileSystemControl {other}")),
            }
        }
        other => return Err(format!("rows of {other}")),
    })
}

/// The words of a result; no words are a request that is pending.
fn status(words: &str) -> Option<Status> {
    match words {
        "" => Some(Status::PENDING),
        "NAME NOT FOUND" => Some(Status::OBJECT_NAME_NOT_FOUND),
        "NAME COLLISION" => Some(Status::OBJECT_NAME_COLLISION),
        "NAME INVALID" => Some(Status::OBJECT_NAME_INVALID),
        "PATH NOT FOUND" => Some(Status::OBJECT_PATH_NOT_FOUND),
        words => Status::from_name(&words.replace(' ', "_")),
    }
}
