//! `docs/conformance.md`: every rule, whether it holds, and which tests say so.
//!
//! Claims are the `rules:` headers of scenarios that hold, and lines `// rules: ID evidence, …`
//! above the `#[test]` of a Rust test.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use npfs_machine::run;
use npfs_trace::Scenario;
use npfs_trace::scenario::Evidence;

use crate::root;

/// A row of `fixtures/rules.tsv`.
struct Rule {
    id: String,
    evidence: Evidence,
    title: String,
}

/// Who says that a rule holds, and how strong its evidence is.
struct Claim {
    evidence: Evidence,
    /// As the page shows it.
    by: String,
    /// For messages.
    place: String,
}

type Claims = BTreeMap<String, Vec<Claim>>;

/// The requirements of the seed page; they come last and are counted apart.
const SEED: &str = "SEED-";
/// The most rules that may be absent, in percent.
const MOST_ABSENT: usize = 3;

#[test]
fn every_rule_holds_or_says_why_not() {
    let rules = rules();
    let absent = absent();
    let claims = claims();
    let mut faults = Vec::new();
    // Races are a list of their own; `races.rs` looks after it.
    for (id, claims) in claims.iter().filter(|(id, _)| !id.starts_with("RACE-")) {
        let Some(rule) = rules.iter().find(|rule| rule.id == *id) else {
            faults.push(format!("{}: {id} is no rule", claims[0].place));
            continue;
        };
        if absent.contains_key(id) {
            faults.push(format!("{id} is absent and claimed by {}", claims[0].place));
        }
        for claim in claims.iter().filter(|claim| claim.evidence < rule.evidence) {
            faults.push(format!(
                "{}: {id} is {}, not {}",
                claim.place,
                rule.evidence.word(),
                claim.evidence.word()
            ));
        }
    }
    for rule in &rules {
        if !claims.contains_key(&rule.id) && !absent.contains_key(&rule.id) {
            faults.push(format!("{} is claimed by no test and not absent", rule.id));
        }
    }
    for id in absent.keys() {
        if !rules.iter().any(|rule| rule.id == *id) {
            faults.push(format!("absent.tsv: {id} is no rule"));
        }
        if id.starts_with(SEED) {
            faults.push(format!("absent.tsv: {id} must hold"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let sheets = rules.iter().filter(|rule| !rule.id.starts_with(SEED)).count();
    assert_eq!(sheets, 785, "the sheets have so many rules");
    assert!(absent.len() * 100 <= sheets * MOST_ABSENT, "{} rules are absent", absent.len());

    let page = page(&rules, &claims, &absent);
    let path = root().join("docs/conformance.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/conformance.md can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/conformance.md is stale: UPDATE_DOCS=1 cargo test -p npfs-tests"
    );
}

/// The lines of a table, without comments, cut at tabs.
fn table(file: &str) -> Vec<Vec<String>> {
    let path = root().join("fixtures").join(file);
    let text = std::fs::read_to_string(&path).expect("the table can be read");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn rules() -> Vec<Rule> {
    let row = |row: Vec<String>| {
        let [id, evidence, title] = row.try_into().expect("three columns");
        let evidence = Evidence::from_word(&evidence).expect("a strength of evidence");
        Rule { id, evidence, title }
    };
    let rules: Vec<Rule> = table("rules.tsv").into_iter().map(row).collect();
    for (place, rule) in rules.iter().enumerate() {
        assert!(rules[..place].iter().all(|other| other.id != rule.id), "{} stands twice", rule.id);
    }
    rules
}

fn absent() -> BTreeMap<String, String> {
    let row = |row: Vec<String>| {
        let [id, reason] = row.try_into().expect("two columns");
        (id, reason)
    };
    let rows = table("absent.tsv");
    let count = rows.len();
    let absent: BTreeMap<_, _> = rows.into_iter().map(row).collect();
    assert_eq!(absent.len(), count, "a rule stands twice in absent.tsv");
    absent
}

fn claims() -> Claims {
    let mut claims = Claims::new();
    for file in files(&root().join("fixtures/scenarios"), "scenario") {
        let text = std::fs::read_to_string(&file).expect("a scenario can be read");
        let scenario = Scenario::parse(&text).expect("a scenario");
        let orders = scenario.orders.iter().map(Some).chain([None]);
        let holds = orders.map(|order| run(&scenario, order)).all(|run| run.mismatches.is_empty());
        if !holds {
            continue; // Another test says what is wrong.
        }
        let path = file.strip_prefix(root()).expect("below the workspace").display().to_string();
        let name = file.file_stem().expect("a name").to_string_lossy();
        for claim in &scenario.rules {
            claims.entry(claim.id.clone()).or_default().push(Claim {
                evidence: claim.evidence,
                by: format!("[{name}](../{path})"),
                place: path.clone(),
            });
        }
    }
    for folder in ["crates", "tests"] {
        for file in files(&root().join(folder), "rs") {
            let text = std::fs::read_to_string(&file).expect("a source file can be read");
            let path = file.strip_prefix(root()).expect("below the workspace").display();
            for (id, claim) in rust_claims(&text, &path.to_string()).unwrap() {
                claims.entry(id).or_default().push(claim);
            }
        }
    }
    claims
}

/// The claims in a source file: `// rules: …` lines above a test.
fn rust_claims(text: &str, path: &str) -> Result<Vec<(String, Claim)>, String> {
    let mut found = Vec::new();
    let mut open: Vec<(String, Evidence, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        let place = format!("{path}:{number}");
        if let Some(list) = line.strip_prefix("// rules: ") {
            for one in list.split(", ") {
                let (id, word) = one.split_once(' ').ok_or(format!("{place}: `{one}`"))?;
                let evidence = Evidence::from_word(word).ok_or(format!("{place}: `{one}`"))?;
                open.push((id.to_owned(), evidence, place.clone()));
            }
        } else if let Some(rest) = line.strip_prefix("fn ") {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            for (id, evidence, place) in open.drain(..) {
                let by = format!("`{name}` in [{path}](../{path})");
                found.push((id, Claim { evidence, by, place }));
            }
        } else if !(line.starts_with("//") || line.starts_with("#[")) {
            if let Some((_, _, place)) = open.first() {
                return Err(format!("{place}: these rules stand above no test"));
            }
        }
    }
    Ok(found)
}

/// The files below a folder with this extension, in order; what is built is left out.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder can be read")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") {
            all.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            all.push(path);
        }
    }
    all
}

/// How a rule stands.
fn standing(rule: &Rule, claims: &Claims, absent: &BTreeMap<String, String>) -> &'static str {
    match claims.get(&rule.id) {
        _ if absent.contains_key(&rule.id) => "absent",
        Some(claims) if claims.iter().any(|claim| claim.evidence != Evidence::Chosen) => "holds",
        _ => "chosen",
    }
}

fn page(rules: &[Rule], claims: &Claims, absent: &BTreeMap<String, String>) -> String {
    let count = |seed: bool, word: &str| {
        let mine = rules.iter().filter(|rule| rule.id.starts_with(SEED) == seed);
        mine.filter(|rule| standing(rule, claims, absent) == word).count()
    };
    let mut page = format!(
        "# Conformance\n\n\
         785 rules: {} hold, {} chosen, {} absent\n\
         78 requirements of the seed page: {} hold\n\n\
         *holds*: a test claims it on evidence from Windows or its documentation. *chosen*: only\n\
         another implementation says so, or nobody; npfs has chosen. *absent*: not modelled, with\n\
         the reason. Written by `UPDATE_DOCS=1 cargo test -p npfs-tests conformance`.\n",
        count(false, "holds"),
        count(false, "chosen"),
        count(false, "absent"),
        count(true, "holds"),
    );
    let mut section = "";
    for rule in rules {
        let prefix = rule.id.split('-').next().unwrap_or_default();
        if prefix != section {
            section = prefix;
            let _ = write!(
                page,
                "\n## {prefix}\n\n| rule | what it says | standing | evidence | tests |\n\
                 | --- | --- | --- | --- | --- |\n"
            );
        }
        let said_by = claims.get(&rule.id).map_or(&[][..], Vec::as_slice);
        let evidence = said_by.iter().map(|claim| claim.evidence).min().unwrap_or(rule.evidence);
        let tests = match absent.get(&rule.id) {
            Some(reason) => reason.clone(),
            None => {
                let mut names: Vec<&str> = said_by.iter().map(|claim| claim.by.as_str()).collect();
                names.dedup();
                let more = names.len().saturating_sub(3);
                names.truncate(3);
                let more = if more > 0 { format!(", +{more}") } else { String::new() };
                names.join(", ") + &more
            }
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {tests} |",
            rule.id,
            rule.title,
            standing(rule, claims, absent),
            evidence.word()
        );
    }
    page
}

#[test]
fn claims_of_rust_tests_are_read() {
    let text = "/// Doc.\n// rules: READ-01 tested, READ-02 chosen\n#[test]\nfn a_name() {\n}\n";
    let claims = rust_claims(text, "x.rs").unwrap();
    let ids: Vec<&str> = claims.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["READ-01", "READ-02"]);
    assert_eq!(claims[0].1.by, "`a_name` in [x.rs](../x.rs)");
    for bad in [
        "// rules: READ-01\nfn x() {}",
        "// rules: READ-01 seen\n",
        "// rules: READ-01 tested\nlet x",
    ] {
        assert!(rust_claims(bad, "x.rs").is_err(), "{bad}");
    }
}
