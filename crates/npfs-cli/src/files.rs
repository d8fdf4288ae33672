//! Finding and reading files.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use npfs_trace::ParseError;

/// The named files, and every file with this extension in the named folders, sorted.
/// The second list says what could not be looked at.
pub(crate) fn find(paths: &[PathBuf], extension: &str) -> (Vec<PathBuf>, Vec<String>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            search(path, extension, &mut files, &mut errors);
            if files.len() == before && errors.is_empty() {
                errors.push(format!("{}: no *.{extension} files", path.display()));
            }
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    (files, errors)
}

fn search(folder: &Path, extension: &str, files: &mut Vec<PathBuf>, errors: &mut Vec<String>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return errors.push(format!("{}: {error}", folder.display())),
    };
    for entry in entries {
        let (path, kind) = match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok(found) => found,
            Err(error) => {
                errors.push(format!("{}: {error}", folder.display()));
                continue;
            }
        };
        // A link to a folder is not followed: it may lead back here.
        if kind.is_dir() {
            search(&path, extension, files, errors);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}

/// The bytes themselves, or what they are compressed from.
pub(crate) fn unpacked(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Writes a file, compressed if its name ends in `.gz`. The same bytes give the same file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let packed = || {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes)?;
        packer.finish()
    };
    let packs = path.extension().is_some_and(|extension| extension == "gz");
    let bytes = if packs { packed() } else { Ok(bytes.to_vec()) };
    bytes
        .and_then(|bytes| fs::write(path, bytes))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// A file as text.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let place = format!("{}:{line}:{column}", path.display());
        format!("{place}: wanted text in UTF-8, found a byte that is not")
    })
}

/// `file:line:column: wanted …, found …`
pub(crate) fn place(path: &Path, error: &ParseError) -> String {
    let ParseError { line, column, wanted, found } = error;
    format!("{}:{line}:{column}: wanted {wanted}, found {found}", path.display())
}
