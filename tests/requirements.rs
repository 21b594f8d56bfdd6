//! Every requirement that the native tests answer for is named by a test, in its doc comment.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What can be proved without a browser; the rest is proved in one.
const NATIVE: [&str; 111] = [
    "CFG-1", "CFG-2", "CFG-3", "CFG-4", "CFG-5", "CFG-6", "CFG-7", "CFG-8", "CFG-9", "CFG-10", "CFG-11", "CFG-12",
    "CFG-13", "CFG-14", "CFG-15", "AUT-1", "AUT-2", "AUT-3", "AUT-4", "AUT-5", "AUT-6", "AUT-7", "AUT-8", "AUT-9",
    "AUT-10", "AUT-11", "AUT-12", "AUT-13", "AUT-14", "AUT-15", "CB-1", "CB-2", "CB-3", "CB-4", "CB-5", "CB-6", "CB-7",
    "CB-8", "CB-9", "CB-13", "CB-14", "CB-15", "CB-16", "TOK-1", "TOK-2", "TOK-5", "TOK-6", "TOK-7", "TOK-8", "TOK-9",
    "TOK-10", "TOK-11", "TOK-12", "TOK-13", "TOK-14", "TOK-15", "TOK-16", "TOK-17", "TOK-18", "IDT-1", "IDT-2",
    "IDT-3", "IDT-4", "IDT-5", "IDT-6", "IDT-7", "IDT-8", "IDT-9", "IDT-10", "IDT-11", "JOSE-1", "JOSE-2", "JOSE-3",
    "JOSE-4", "JOSE-5", "JOSE-6", "JOSE-7", "JOSE-8", "JOSE-9", "JOSE-10", "JOSE-11", "JOSE-12", "JOSE-13", "JOSE-14",
    "JOSE-15", "JOSE-16", "RS-1", "RS-2", "RS-4", "RS-5", "RS-6", "RS-8", "RS-9", "RS-10", "OUT-3", "OUT-6", "WEB-1",
    "WEB-2", "WEB-10", "OPS-1", "OPS-2", "OPS-3", "OPS-6", "DP-1", "DP-2", "DP-3", "DP-4", "DP-6", "DP-7", "DP-8",
    "DP-9",
];

/// The tests that name each requirement.
fn named_by_tests() -> BTreeMap<String, Vec<String>> {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in rust_files() {
        let text = fs::read_to_string(&path).expect("it can be read");
        for (ids, test) in tests_of(&text) {
            for id in ids {
                named.entry(id).or_default().push(test.clone());
            }
        }
    }
    named
}

/// Each test of a file, with the requirements that its doc comment begins with: `/// CB-1, CB-2: …`.
fn tests_of(text: &str) -> Vec<(Vec<String>, String)> {
    let mut tests = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("/// ") {
            let list = doc.split_once(": ").map_or("", |(list, _)| list);
            let list: Vec<&str> = list.split(", ").collect();
            if list.iter().all(|word| is_id(word)) {
                ids = list.into_iter().map(str::to_owned).collect();
            }
        } else if line == "#[test]" {
            is_test = true;
        } else if let Some(signature) = line.strip_prefix("fn ") {
            let name = signature.split('(').next().unwrap_or(signature).to_owned();
            let found = (std::mem::take(&mut ids), name);
            if std::mem::take(&mut is_test) {
                tests.push(found);
            }
        } else if !line.starts_with('#') {
            ids.clear();
        }
    }
    tests
}

/// A requirement, or the number of an attack: `JOSE-1`, `A13`.
fn is_id(word: &str) -> bool {
    let known = ["CFG", "AUT", "CB", "TOK", "IDT", "JOSE", "RS", "OUT", "DP", "WEB", "OPS"];
    let is_number = |text: &str| text.parse::<u8>().is_ok();
    let is_attack = word.strip_prefix('A').is_some_and(is_number);
    is_attack || word.split_once('-').is_some_and(|(group, number)| known.contains(&group) && is_number(number))
}

fn rust_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("tests")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the sources can be listed") {
            let path = entry.expect("the sources can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// CFG-5, WEB-10, OPS-6: some requirements ask for words, and these are where the words are.
#[test]
fn the_documents_say_what_must_be_said() {
    let said = [
        ("README.md", "redirect URI exactly"),
        ("README.md", "without\n  wildcards"),
        ("src/manual/hosting.md", "Register the redirect URI exactly"),
        ("src/manual/hosting.md", "Its log may keep that query"),
        ("README.md", "its log may keep the query with the code and the state"),
        ("SECURITY.md", "## What is promised"),
        ("SECURITY.md", "## What is not promised"),
        ("SECURITY.md", "Injected script wins"),
    ];
    for (file, words) in said {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("it can be read");
        assert!(text.contains(words), "{file} no longer says: {words}");
    }
}

#[test]
fn every_native_requirement_is_named_by_a_test() {
    let named = named_by_tests();
    let missing: Vec<_> = NATIVE.iter().filter(|id| !named.contains_key(**id)).collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}

#[test]
fn reads_requirements_off_the_doc_comments_of_tests_only() {
    let text = "/// CB-1, CB-2: a forged response.\n#[test]\nfn forged() {}\n\n/// CB-3: no test.\nfn helper() {}\n\n\
                /// Words: not an id.\n#[test]\nfn plain() {}\n\n/// JOSE-1, A13: none.\n#[test]\nfn none() {}\n";
    let ids = |ids: [&str; 2]| ids.map(str::to_owned).to_vec();
    let expected = [(ids(["CB-1", "CB-2"]), "forged"), (vec![], "plain"), (ids(["JOSE-1", "A13"]), "none")];
    assert_eq!(tests_of(text), expected.map(|(ids, test)| (ids, test.to_owned())));
}
