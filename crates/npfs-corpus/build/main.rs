//! Takes the releases that `releases.txt` names from the registry and leaves each, rewritten to run
//! over the simulation, as a module for this crate.

mod fetch;
mod rewrite;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// One line of `releases.txt`.
#[derive(Debug)]
pub struct Release {
    /// The package.
    pub package: String,
    /// The version.
    pub version: String,
    /// The SHA-256 of its archive.
    pub checksum: String,
}

impl Release {
    /// `mio_1_2_5`
    fn module(&self) -> String {
        format!("{}_{}", self.package, self.version.replace('.', "_"))
    }
}

/// What a package needs of the rewriting.
fn options(release: &Release) -> rewrite::Options {
    let crate_path = format!("crate::clients::{}::{}", release.module(), release.package);
    let is_interprocess = release.package == "interprocess";
    let old = is_interprocess || release.version.starts_with("0.");
    let windows_sys = if old { "windows_sys_integers" } else { "windows_sys" };
    let features: &'static [&'static str] =
        if is_interprocess { &[] } else { &["os-poll", "os-ext"] };
    rewrite::Options { crate_path, std: "std", windows_sys, features }
}

/// Files of a package that are no pipe code and are replaced by one of ours.
const REPLACED: &[(&str, &str, &str)] = &[(
    "interprocess",
    "os/windows/security_descriptor.rs",
    include_str!("replaced/interprocess_security_descriptor.rs"),
)];

/// Files of a package that start threads for streams with unread data. No program has such streams;
/// their locks and threads are those of std.
const UNSCHEDULED: &[(&str, &str)] = &[
    ("interprocess", "os/windows/limbo_pool.rs"),
    ("interprocess", "os/windows/limbo/sync.rs"),
    ("interprocess", "os/windows/linger_pool.rs"),
];

fn main() {
    let home = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where we are"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to write"));
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=releases.txt");
    let text = fs::read_to_string(home.join("releases.txt")).expect("releases.txt can be read");
    let releases = releases(&text);
    let mut modules = String::new();
    for release in &releases {
        let sources = fetch::sources(release, &out);
        let copy = out.join("rewritten").join(release.module());
        let _ = fs::remove_dir_all(&copy);
        copy_rewritten(release, &sources.join("src"), "", &copy);
        write_module(&mut modules, release, &copy, &home);
    }
    let _ = writeln!(modules, "pub const RELEASES: &[(&str, &str, &[crate::stage::Program])] = &[");
    for release in &releases {
        let (package, version) = (&release.package, &release.version);
        let module = release.module();
        let _ = writeln!(modules, "({package:?}, {version:?}, {module}::programs::PROGRAMS),");
    }
    modules.push_str("];\n");
    fs::write(out.join("clients.rs"), modules).expect("OUT_DIR can be written");
}

fn releases(text: &str) -> Vec<Release> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [package, version, checksum] => Release {
                package: package.to_owned(),
                version: version.to_owned(),
                checksum: checksum.to_owned(),
            },
            _ => panic!(
                "releases.txt:{}: wanted package, version, checksum; found {line:?}",
                number + 1
            ),
        })
        .collect()
}

/// The library and the programs that drive it, once for each release.
fn write_module(modules: &mut String, release: &Release, copy: &Path, home: &Path) {
    let (package, module) = (&release.package, release.module());
    let library = copy.join("lib.rs");
    let programs = home.join("src/programs").join(format!("{package}.rs"));
    println!("cargo::rerun-if-changed={}", programs.display());
    let _ = writeln!(
        modules,
        "pub mod {module} {{
            #[allow(warnings, clippy::all)]
            #[path = {library:?}]
            pub mod {package};
            #[path = {programs:?}]
            pub mod programs;
        }}"
    );
}

/// Copies what lies in `below` of the sources.
fn copy_rewritten(release: &Release, sources: &Path, below: &str, copy: &Path) {
    fs::create_dir_all(copy.join(below)).expect("OUT_DIR can be written");
    let from = sources.join(below);
    let entries = fs::read_dir(&from).unwrap_or_else(|why| panic!("{}: {why}", from.display()));
    for entry in entries {
        let entry = entry.expect("a directory can be read to its end");
        let name = entry.file_name().into_string().expect("sources have plain names");
        let place = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.path().is_dir() {
            copy_rewritten(release, sources, &place, copy);
        } else if place.ends_with(".rs") {
            let ours = REPLACED.iter().find(|one| (one.0, one.1) == (&*release.package, &*place));
            let text = match ours {
                Some((_, _, text)) => (*text).to_owned(),
                None => fs::read_to_string(entry.path()).expect("sources can be read"),
            };
            let mut options = options(release);
            if UNSCHEDULED.contains(&(&*release.package, &*place)) {
                options.std = "plain_std";
            }
            let text = rewrite::rewrite(&text, &options)
                .unwrap_or_else(|why| panic!("{}: {why}", entry.path().display()));
            fs::write(copy.join(place), text).expect("OUT_DIR can be written");
        }
    }
}
