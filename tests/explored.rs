//! Folders of scenarios, each explored to completion.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use npfs_explore::{Limits, Model, Report, explore};
use npfs_trace::Scenario;

use crate::root;

/// A scenario that can be explored.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The name of the file without its extension.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) model: Arc<Model>,
}

/// A scenario in every order.
pub(crate) struct Explored {
    pub(crate) program: Program,
    pub(crate) report: Report,
}

impl Program {
    /// What stands behind `title:`, without its full stop.
    pub(crate) fn title(&self) -> &str {
        let title = self.text.lines().find_map(|line| line.strip_prefix("title: "));
        title.unwrap_or_default().trim_end_matches('.')
    }

    /// The lines of the comment.
    pub(crate) fn comment(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix('#'));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line))
    }

    /// Runs as many orders as `limits` allow.
    pub(crate) fn explore(self, limits: &Limits) -> Explored {
        let report = explore(&self.model, limits, &mut |_| {});
        let report = report.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        Explored { program: self, report }
    }
}

/// The scenarios of a folder below `fixtures/scenarios`, in the order of their names.
pub(crate) fn programs(folder: &str) -> Vec<Program> {
    let folder = root().join("fixtures/scenarios").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder of scenarios")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "scenario"))
        .collect();
    paths.sort();
    let programs = paths.into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("a scenario");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let model = Model::new(&scenario).unwrap_or_else(|error| panic!("{name}: {error}"));
        Program { path, name, text, model: Arc::new(model) }
    });
    programs.collect()
}

/// The scenarios of a folder, each in every order.
pub(crate) fn explored(folder: &str) -> Vec<Explored> {
    let all = Limits::default();
    programs(folder).into_iter().map(|program| program.explore(&all)).collect()
}
