//! Finding and reading files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use npfs_trace::ParseError;

/// The named files, and every file with one of these extensions in the named folders, sorted.
/// The second list says what could not be looked at.
pub(crate) fn find(paths: &[PathBuf], extensions: &[&str]) -> (Vec<PathBuf>, Vec<String>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            search(path, extensions, &mut files, &mut errors);
            if files.len() == before && errors.is_empty() {
                let kinds = extensions.join(" or *.");
                errors.push(format!("{}: no *.{kinds} files", path.display()));
            }
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    (files, errors)
}

fn search(folder: &Path, extensions: &[&str], files: &mut Vec<PathBuf>, errors: &mut Vec<String>) {
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
            search(&path, extensions, files, errors);
        } else if extensions.iter().any(|one| path.to_string_lossy().ends_with(&format!(".{one}")))
        {
            files.push(path);
        }
    }
}

/// A file as text; one whose name ends in `.gz` is unpacked.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut bytes = fs::read(path).map_err(failed)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).map_err(failed)?;
        bytes = unpacked;
    }
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
