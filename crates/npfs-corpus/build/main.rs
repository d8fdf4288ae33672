//! Takes the releases that `releases.txt` names from the registry and leaves each, rewritten to run
//! over the simulation, as a module for this crate.

mod fetch;
mod rewrite;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// One line of `releases.txt`.
pub struct Release {
    pub package: String,
    pub version: String,
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
    let old = release.version.starts_with("0.");
    let windows_sys = if old { "windows_sys_48" } else { "windows_sys" };
    let features: &'static [&'static str] = match release.package.as_str() {
        "mio" => &["os-poll", "os-ext"],
        _ => &[],
    };
    rewrite::Options { crate_path, windows_sys, features }
}

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
        copy_rewritten(&sources.join("src"), &copy, &options(release));
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

fn copy_rewritten(from: &Path, to: &Path, options: &rewrite::Options) {
    fs::create_dir_all(to).expect("OUT_DIR can be written");
    let entries = fs::read_dir(from).unwrap_or_else(|why| panic!("{}: {why}", from.display()));
    for entry in entries {
        let path = entry.expect("a directory can be read to its end").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy_rewritten(&path, &target, options);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("sources can be read");
            let text = rewrite::rewrite(&text, options)
                .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            fs::write(&target, text).expect("OUT_DIR can be written");
        }
    }
}
