//! The sources of a release, from the registry by way of cargo.
//!
//! Releases that semver calls compatible cannot be dependencies of one package. So each is the one
//! dependency of a package of its own, which exists in `OUT_DIR` only. Cargo downloads it like any
//! dependency and checks the archive; that the archive is the one that `releases.txt` means is
//! checked here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::Release;

/// A target that needs none of the libraries' own dependencies, so that none is downloaded.
const TARGET: &str = "wasm32-unknown-unknown";

/// Where the release is unpacked.
pub fn sources(release: &Release, out: &Path) -> PathBuf {
    let Release { package, version, checksum } = release;
    let home = out.join("fetch").join(format!("{package}-{version}"));
    fs::create_dir_all(home.join("src")).expect("OUT_DIR can be written");
    fs::write(home.join("src/lib.rs"), "").expect("OUT_DIR can be written");
    let manifest = home.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n\
         [dependencies]\n{package} = {{ version = \"={version}\", default-features = false }}\n"
    );
    fs::write(&manifest, text).expect("OUT_DIR can be written");
    let metadata = metadata(&manifest);
    check(&home, release, checksum);
    let packages = metadata["packages"].as_array().expect("cargo lists packages");
    let found = packages.iter().find(|one| one["name"] == package.as_str());
    let path = found.and_then(|one| one["manifest_path"].as_str());
    let path = path.unwrap_or_else(|| panic!("cargo did not find {package} {version}"));
    Path::new(path).parent().expect("a manifest lies in a directory").to_owned()
}

fn metadata(manifest: &Path) -> serde_json::Value {
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo says which it is"));
    cargo.args(["metadata", "--format-version", "1", "--filter-platform", TARGET]);
    cargo.arg("--manifest-path").arg(manifest);
    // What the build outside was told is not meant for this.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(name);
    }
    let output = cargo.output().unwrap_or_else(|why| panic!("cargo metadata: {why}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata of {}:\n{complaint}", manifest.display());
    serde_json::from_slice(&output.stdout).expect("cargo metadata gives JSON")
}

/// The lock file that cargo has written names the archive that we mean.
fn check(home: &Path, release: &Release, wanted: &str) {
    let lock = fs::read_to_string(home.join("Cargo.lock")).expect("cargo has written a lock file");
    let name = format!("name = {:?}", release.package);
    let entry = lock.split("[[package]]").find(|entry| entry.lines().any(|line| line == name));
    let line = entry.and_then(|entry| entry.lines().find_map(|l| l.strip_prefix("checksum = ")));
    let found = line.map(|quoted| quoted.trim_matches('"'));
    let Release { package, version, .. } = release;
    assert!(
        found == Some(wanted),
        "{package} {version}: wanted checksum {wanted}, found {found:?}"
    );
}
