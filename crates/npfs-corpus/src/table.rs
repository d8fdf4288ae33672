//! Which release shows which bug.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;

use crate::bugs::Bug;
use crate::search::{self, Search};
use crate::stage::Program;

/// A release and its programs: package, version, programs.
pub type Release = (&'static str, &'static str, &'static [Program]);

/// The searches of some bugs in some releases.
pub struct Table<'a> {
    bugs: &'a [&'a Bug],
    releases: &'a [Release],
    /// By bug, then by release of its package.
    cells: Vec<Vec<Search>>,
}

/// Searches every release for the bugs of its package.
pub fn search<'a>(bugs: &'a [&'a Bug], releases: &'a [Release]) -> Table<'a> {
    let mut cells = Vec::new();
    let shows_progress = std::io::stderr().is_terminal();
    for bug in bugs {
        let mut row = Vec::new();
        for (_, version, programs) in releases.iter().filter(|release| release.0 == bug.package) {
            if shows_progress {
                eprint!("\r\x1b[K{} in {version}", bug.name);
            }
            row.push(search::search(crate::program(bug, programs), bug.bound, bug.shows));
        }
        cells.push(row);
    }
    if shows_progress {
        eprint!("\r\x1b[K");
    }
    Table { bugs, releases, cells }
}

impl Table<'_> {
    /// The table alone, as it is committed.
    pub fn short(&self) -> String {
        let mut text = String::new();
        let mut package = "";
        for (bug, row) in self.bugs.iter().zip(&self.cells) {
            if bug.package != package {
                let gap = if package.is_empty() { "" } else { "\n" };
                package = bug.package;
                let _ = write!(text, "{gap}{package:20}");
                for (_, version, _) in self.of(package) {
                    let _ = write!(text, " {version:>6}");
                }
                text.push('\n');
            }
            let _ = write!(text, "{:20}", bug.name);
            for cell in row {
                let mark = match &cell.found {
                    Some(found) if found.repeats => "found",
                    // A schedule that does not show it again is no evidence.
                    Some(_) => "once",
                    None if cell.complete => "-",
                    None => "?",
                };
                let _ = write!(text, " {mark:>6}");
            }
            text.push('\n');
        }
        text
    }

    fn of<'b>(&'b self, package: &'b str) -> impl Iterator<Item = &'b Release> {
        self.releases.iter().filter(move |release| release.0 == package)
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())?;
        for (bug, row) in self.bugs.iter().zip(&self.cells) {
            writeln!(f, "\n{}: {} ({})", bug.name, bug.title, bug.threads)?;
            for ((_, version, _), cell) in self.of(bug.package).zip(row) {
                let runs = cell.runs;
                let Some(found) = &cell.found else {
                    let bound = bug.bound.interruptions;
                    let left = if cell.complete { "" } else { ", and not all were run" };
                    write!(f, "  {version}: in no schedule with up to {bound} interruptions")?;
                    writeln!(f, "; {runs} runs{left}")?;
                    if let Some((count, symptom)) = &cell.other {
                        writeln!(f, "    {count} show something else, first {symptom}")?;
                    }
                    continue;
                };
                let (symptom, turns) = (&found.symptom, &found.turns);
                let count = found.interruptions;
                writeln!(f, "  {version}: {symptom}")?;
                writeln!(f, "    run {runs}, interruptions {count}; to see it again:")?;
                writeln!(f, "    --bug {} --release {version} --replay '{turns}'", bug.name)?;
            }
        }
        Ok(())
    }
}

/// The lines of two tables that differ.
pub fn difference(expected: &str, found: &str) -> Option<String> {
    let (mut wanted, mut got) = (expected.lines(), found.lines());
    let mut text = String::new();
    loop {
        match (wanted.next(), got.next()) {
            (None, None) => return (!text.is_empty()).then_some(text),
            (wanted, got) if wanted == got => {}
            (wanted, got) => {
                for (mark, line) in [('-', wanted), ('+', got)] {
                    if let Some(line) = line {
                        let _ = writeln!(text, "{mark} {line}");
                    }
                }
            }
        }
    }
}
