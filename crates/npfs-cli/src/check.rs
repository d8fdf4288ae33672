use crate::Verdict;
use std::path::{Path, PathBuf};
pub(crate) fn check(_: &[PathBuf], _: Option<&Path>, _: bool) -> Verdict { Verdict::Failed }
