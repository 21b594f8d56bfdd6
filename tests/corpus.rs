//! Replays the fuzzer's corpus: each input through the function of its target, natively and without any tool.
//!
//! `make fuzz` finds further inputs; what it found once stays in `fuzz/corpus/`, and here it stays found.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::pending_authorization::PendingAuthorization;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::url::SchemePolicy;

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "there it is a library")]
mod fuzz;

/// The most inputs of one target, and the most octets of all.
const MOST_INPUTS: usize = 60;
const MOST_OCTETS: u64 = 1024 * 1024;

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("the corpus can be listed").path()).collect()
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// OPS-7, TOK-18, WEB-2, RS-10, A39, A41: whatever was found holds, for every parser.
#[test]
fn every_input_of_the_corpus_holds() {
    for fuzz::Target { name, check } in fuzz::TARGETS {
        for path in files_in(&corpus().join(name)) {
            // The name comes before the panic, so that the input can be found.
            println!("{}", path.display());
            check(&fs::read(&path).expect("it can be read"));
        }
    }
}

/// OPS-7: a target without inputs looks in the dark, and inputs without a target are never looked at.
#[test]
fn every_target_has_its_inputs_and_its_binary() {
    let names: BTreeSet<String> = fuzz::TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let named = |folder: &Path| -> BTreeSet<String> {
        let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        files_in(folder).into_iter().filter_map(stem).collect()
    };
    assert_eq!(named(&corpus()), names);
    assert_eq!(named(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets")), names);
}

/// OPS-7: an input that was good once is not any more when the form of a record changes; then the target looks in the dark.
#[test]
fn the_records_that_are_meant_to_be_good_are() {
    let key = fuzz::client().key().clone();
    let read = |name: &str| {
        let octets = fs::read(corpus().join("records").join(name)).expect("it can be read");
        Value::parse(&octets).expect("it is JSON")
    };
    for name in ["session", "session_plain"] {
        let session = Session::decode(&read(name), &key, TokenStorage::Session, SchemePolicy::HttpsOnly);
        assert!(session.is_some(), "{name}");
    }
    assert!(PendingAuthorization::decode(&read("pending"), SchemePolicy::HttpsOnly).is_some());
}

#[test]
fn the_corpus_stays_small() {
    let mut octets = 0;
    for folder in files_in(&corpus()) {
        let files = files_in(&folder);
        assert!((1..=MOST_INPUTS).contains(&files.len()), "{}: {} inputs", folder.display(), files.len());
        octets += files.iter().map(|file| fs::metadata(file).expect("it is there").len()).sum::<u64>();
    }
    assert!(octets <= MOST_OCTETS, "{octets} octets");
}
