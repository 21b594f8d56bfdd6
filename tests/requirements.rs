//! Every requirement and every attack is named by what shows it, or is listed as missing with a reason.
//!
//! `docs/requirements.md` holds the result. After a change of tests `make requirements` writes it anew, which is
//! `REQUIREMENTS=write cargo test --test requirements`.
#![cfg(not(target_arch = "wasm32"))]

#[path = "requirements/attacks.rs"]
mod attacks;
#[path = "requirements/document.rs"]
mod document;
#[path = "requirements/missing.rs"]
mod missing;
#[path = "requirements/sources.rs"]
mod sources;
#[path = "requirements/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use self::attacks::ATTACKS;
use self::document::{all_ids, document, group_of};
use self::missing::MISSING;
use self::sources::{Kind, Witness, read, root, rust_tests, titles, witnesses};
use self::table::REQUIREMENTS;

/// How much a requirement binds.
#[derive(Clone, Copy)]
enum Level {
    /// A specification's MUST for this kind of client.
    Must,
    /// Its SHOULD.
    Should,
    /// This project's own rule.
    Policy,
}

/// What must show that an attack fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Any test.
    Any,
    /// A whole sign-in in a browser.
    EndToEnd,
    /// Nothing yet, or nothing ever: `missing.rs` says why, unless a test shows it.
    None,
}

/// The groups in the order of the document.
const GROUPS: [(&str, &str); 12] = [
    ("CFG", "Configuration, registration, discovery"),
    ("AUT", "Authorization request"),
    ("CB", "Callback"),
    ("TOK", "Token request and response"),
    ("IDT", "ID token"),
    ("JOSE", "Signatures and keys"),
    ("RS", "User info and resource calls"),
    ("REF", "Refresh"),
    ("OUT", "Revocation and sign-out"),
    ("DP", "DPoP"),
    ("WEB", "Browser, storage, headers"),
    ("OPS", "Errors, logs, supply chain"),
];

/// Requirements and attacks that ask for words, and the words that answer.
const SAID: [(&[&str], &str, &str); 14] = [
    (&["CFG-5"], "README.md", "redirect URI exactly"),
    (&["CFG-5"], "README.md", "without\n  wildcards"),
    (&["CFG-5"], "src/manual/hosting.md", "Register the redirect URI exactly"),
    (&["CFG-14"], "README.md", "one origin for this app"),
    (&["WEB-10"], "src/manual/hosting.md", "Its log may keep that query"),
    (&["WEB-10"], "README.md", "its log may keep the query with the code and the state"),
    (&["OPS-6"], "SECURITY.md", "## What is promised"),
    (&["OPS-6"], "SECURITY.md", "## What is not promised"),
    (&["OPS-6", "A33"], "SECURITY.md", "Injected script wins"),
    (&["OPS-8"], "docs/mutants.md", "mutants were noticed; at least 95 % must be"),
    (&["WEB-18", "A34"], "SECURITY.md", "may have changed `fetch` or `JSON`"),
    (&["DP-10"], "SECURITY.md", "A bound token is no safe token."),
    (&["DP-10"], "SECURITY.md", "Script in this page can still sign with it, call the API as the page does"),
    (&["WEB-7"], "README.md", "What a meta element cannot do"),
];

/// Whether a word names a requirement or an attack, known or not.
fn is_id(word: &str) -> bool {
    let is_number =
        |text: &str| !text.is_empty() && text.len() <= 2 && text.bytes().all(|octet| octet.is_ascii_digit());
    match word.split_once('-') {
        Some((group, number)) => GROUPS.iter().any(|(known, _)| *known == group) && is_number(number),
        None => word.strip_prefix('A').is_some_and(is_number),
    }
}

/// Everything that names an id, documents among it.
fn all() -> Vec<Witness> {
    let mut all = witnesses();
    all.extend(SAID.map(|(ids, file, words)| Witness {
        kind: Kind::Document,
        file: file.to_owned(),
        name: words.to_owned(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    }));
    all
}

/// The kinds of witnesses of each id. That the client survives a misbehaviour shows that an attack fails; a requirement wants
/// a test of its own.
fn shown(all: &[Witness]) -> BTreeMap<&str, BTreeSet<Kind>> {
    let mut shown: BTreeMap<&str, BTreeSet<Kind>> = BTreeMap::new();
    for witness in all {
        for id in witness.ids.iter().filter(|id| witness.kind != Kind::Misbehaviour || group_of(id) == "A") {
            shown.entry(id).or_default().insert(witness.kind);
        }
    }
    shown
}

#[test]
fn the_documents_say_what_must_be_said() {
    for (ids, file, words) in SAID {
        assert!(read(file).contains(words), "{file} no longer says for {ids:?}: {words}");
    }
}

#[test]
fn every_id_is_in_its_place() {
    assert_eq!(
        GROUPS.map(|(prefix, _)| REQUIREMENTS.iter().filter(|(id, ..)| group_of(id) == prefix).count()),
        [15, 17, 19, 18, 11, 16, 13, 13, 11, 10, 18, 8]
    );
    let ids: BTreeSet<&str> = all_ids().collect();
    assert_eq!(ids.len(), REQUIREMENTS.len() + ATTACKS.len());
    assert!(ids.iter().all(|id| is_id(id)));
    let all = all();
    let unknown: Vec<_> = all.iter().filter(|it| it.ids.iter().any(|id| !ids.contains(id.as_str()))).collect();
    assert!(unknown.is_empty(), "these name an id that there is not: {unknown:#?}");
}

#[test]
fn what_is_not_listed_as_missing_is_shown() {
    let all = all();
    let shown = shown(&all);
    let missing: BTreeMap<&str, &str> = MISSING.iter().copied().collect();
    assert_eq!(missing.len(), MISSING.len(), "an id is missing once");
    let silent: Vec<&str> = all_ids().filter(|id| !shown.contains_key(id) && !missing.contains_key(id)).collect();
    assert!(silent.is_empty(), "nothing names {silent:?}, and tests/requirements/missing.rs has no reason");
    let late: Vec<&&str> = missing.keys().filter(|id| shown.contains_key(**id)).collect();
    assert!(late.is_empty(), "{late:?} are shown: take them off tests/requirements/missing.rs");
}

#[test]
fn attacks_are_shown_where_they_happen() {
    let all = all();
    let shown = shown(&all);
    let is_shown = |id: &str, kind| shown.get(id).is_some_and(|kinds| kinds.contains(&kind));
    let only_in_parts: Vec<&str> = ATTACKS
        .iter()
        .filter(|(id, proof, _)| *proof == Proof::EndToEnd && !is_shown(id, Kind::EndToEnd))
        .map(|(id, ..)| *id)
        .collect();
    assert!(only_in_parts.is_empty(), "no end-to-end test names {only_in_parts:?}");
}

#[test]
fn the_document_is_up_to_date() {
    let path = root().join("docs/requirements.md");
    let text = document(&all());
    if std::env::var("REQUIREMENTS").is_ok_and(|what| what == "write") {
        fs::write(&path, &text).expect("it can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/requirements.md is old: make requirements writes it");
}

#[test]
fn reads_ids_off_the_doc_comments_of_tests_only() {
    let text = "/// CB-1, A2: a forged response.\n///\n/// CB-2.\n#[test]\nfn forged() {}\n\n/// CB-3: no test.\nfn helper() {}\n\n\
                /// Words: not an id.\n#[test]\nfn plain() {}\n\n/// CB-4: there.\n#[wasm_bindgen_test]\nasync fn browser() {}\n";
    let found = rust_tests("x.rs", text);
    let found: Vec<_> = found.iter().map(|test| (test.kind, test.name.as_str(), test.ids.join(" "))).collect();
    assert_eq!(
        found,
        [
            (Kind::Native, "forged", "CB-1 A2 CB-2".to_owned()),
            (Kind::Native, "plain", String::new()),
            (Kind::Browser, "browser", "CB-4".to_owned()),
        ]
    );
}

#[test]
fn reads_ids_off_titles_and_not_off_comments() {
    let text = "// CB-1: no title\nscenario(\"stops it (CB-2, A5)\", play);\n  it(`TOK-3, F8: by ${status}`);\n  x = 'nothing';\n";
    let found = titles("tests/e2e/x.test.mjs", text);
    let found: Vec<_> = found.iter().map(|test| (test.name.as_str(), test.ids.join(" "))).collect();
    assert_eq!(found, [("stops it", "CB-2 A5".to_owned()), ("by ${status}", "TOK-3".to_owned())]);
}
