//! `docs/win32.md` names every function of the surface, under its module, and no other.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

#[test]
fn the_page_names_every_function_under_its_module() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/win32.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, signatures) in npfs_win32::FUNCTIONS {
        wanted.entry(module).or_default().extend(signatures.iter().map(|signature| signature.0));
    }
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let mut words = row.split('`').skip(1).step_by(2);
        let module = words.next().expect("a module");
        named.entry(module).or_default().extend(words);
    }
    assert_eq!(named, wanted);
}
