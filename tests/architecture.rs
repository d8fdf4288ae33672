//! `docs/architecture.md` names nothing that is not there.

use std::fs;
use std::path::Path;

use crate::root;

/// The words in backticks.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split('`').skip(1).step_by(2)
}

/// The names of all source files under `folder`.
fn modules(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            modules(&path, found);
        } else if let Some(name) = path.file_name() {
            found.push(name.to_string_lossy().into_owned());
        }
    }
}

#[test]
fn the_architecture_page_names_what_is_there() {
    let root = root();
    let page = fs::read_to_string(root.join("docs/architecture.md")).expect("the page");
    let mut files = Vec::new();
    modules(&root.join("crates"), &mut files);

    let missing: Vec<&str> = quoted(&page)
        .filter(|name| {
            if name.contains('/') {
                !root.join(name).exists()
            } else if name.ends_with(".rs") {
                !files.iter().any(|file| file == name)
            } else {
                false
            }
        })
        .collect();
    assert!(missing.is_empty(), "docs/architecture.md names what is not there: {missing:?}");
}

#[test]
fn the_architecture_page_names_every_crate_and_kernel_module() {
    let root = root();
    let page = fs::read_to_string(root.join("docs/architecture.md")).expect("the page");
    let mut modules_of_kernel = Vec::new();
    modules(&root.join("crates/npfs-kernel/src"), &mut modules_of_kernel);
    let crates = fs::read_dir(root.join("crates")).expect("the crates");
    let crates = crates
        .map(|entry| format!("crates/{}", entry.expect("a crate").file_name().to_string_lossy()));

    let missing: Vec<String> = crates
        .chain(modules_of_kernel)
        .filter(|name| !matches!(name.as_str(), "lib.rs" | "mod.rs") && !name.contains("tests"))
        .filter(|name| !quoted(&page).any(|word| word == name))
        .collect();
    assert!(missing.is_empty(), "docs/architecture.md does not name {missing:?}");
}

#[test]
fn kernel_and_vocabulary_are_without_std() {
    for name in ["npfs-abi", "npfs-kernel"] {
        let source = fs::read_to_string(root().join("crates").join(name).join("src/lib.rs"));
        let source = source.expect("the crate");
        assert!(source.contains("#![no_std]"), "{name} says no_std");
        assert!(source.contains("#![forbid(unsafe_code)]"), "{name} forbids unsafe code");
        assert!(!source.contains("extern crate std"), "{name} does not ask for std");
    }
}

#[test]
fn the_pipes_of_tokio_depend_on_its_traits_alone() {
    let manifest = fs::read_to_string(root().join("crates/npfs-tokio/Cargo.toml"));
    let manifest = manifest.expect("the manifest");
    let dependencies = manifest.split("[dependencies]").nth(1).expect("dependencies");
    let dependencies = dependencies.split("\n[").next().expect("their section");
    let lines: Vec<&str> = dependencies.lines().filter(|line| line.starts_with("tokio")).collect();
    assert_eq!(lines, [r#"tokio = { workspace = true, features = ["io-util"] }"#]);
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace");
    let lines: Vec<&str> = workspace.lines().filter(|line| line.starts_with("tokio =")).collect();
    assert_eq!(lines, [r#"tokio = { version = "1.54", default-features = false }"#]);
}

#[test]
fn the_example_of_the_readme_is_real() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let mut blocks = readme.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let (text, transcript) = (blocks.next().expect("a scenario"), blocks.next().expect("its run"));

    let folder = root().join("fixtures/scenarios/seed");
    let files = fs::read_dir(folder).expect("the scenarios");
    let same = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
    assert!(same.into_iter().any(|file| file == text), "the example is one of the files");

    let scenario = npfs_trace::Scenario::parse(text).expect("a scenario");
    let mut runs = npfs_machine::run(&scenario, None).transcript;
    for order in &scenario.orders {
        let run = npfs_machine::run(&scenario, Some(order));
        runs += &format!("\norder {}\n{}", order.name, run.transcript);
    }
    assert_eq!(runs, transcript);
}

#[test]
fn the_page_on_scenarios_names_every_operation() {
    let page = fs::read_to_string(root().join("docs/scenarios.md")).expect("the page");
    let words: Vec<&str> = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    for file in ["op.rs", "native.rs"] {
        let path = root().join("crates/npfs-trace/src/parse").join(file);
        let source = fs::read_to_string(path).expect("a source file");
        // The arms of the match in `fn operation` stand eight blanks deep.
        let arms = source.lines().filter_map(|line| line.strip_prefix("        \""));
        let names = arms.filter_map(|arm| arm.split_once("\" =>")).map(|(name, _)| name);
        let names: Vec<&str> = names.filter(|name| !name.ends_with('=')).collect();
        assert!(names.len() > 20, "{file} has operations");
        for name in names {
            assert!(words.contains(&name), "docs/scenarios.md does not name {name}");
        }
    }
}
