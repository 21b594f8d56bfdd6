//! Finds who names which id: the doc comments of Rust tests, the titles of JavaScript tests, the sandbox's misbehaviours.

use std::fs;
use std::path::{Path, PathBuf};

use super::is_id;

/// How something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A Rust test on the host.
    Native,
    /// A module of the conformance suite, against the sandbox.
    Conformance,
    /// A misbehaviour of the sandbox, each of which a test holds against the client.
    Misbehaviour,
    /// A Rust test in a browser.
    Browser,
    /// A whole sign-in in a browser.
    EndToEnd,
    /// A test of the build.
    Build,
    /// Words that a document has.
    Document,
}

/// A test, or a document, and the ids that it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Witness {
    pub(crate) kind: Kind,
    /// From the top of the checkout.
    pub(crate) file: String,
    /// A function, a title, or the words.
    pub(crate) name: String,
    pub(crate) ids: Vec<String>,
}

/// Everything that names an id, but for documents.
pub(crate) fn witnesses() -> Vec<Witness> {
    let mut found = Vec::new();
    for file in files(&["src", "tests"], ".rs") {
        let text = read(&file);
        if file == "src/sandbox/switches.rs" {
            found.extend(misbehaviours(&file, &text));
        }
        found.extend(rust_tests(&file, &text));
    }
    for file in files(&["tests/e2e", "scripts"], ".test.mjs") {
        found.extend(titles(&file, &read(&file)));
    }
    found.sort();
    found
}

/// Each test of a file with the ids of its doc comment: of a line that begins with them and a colon, `/// CB-1, A5: …`, or
/// holds nothing else, `/// CB-1, A5.`. Faults may stand among them, as in `/// REF-6, F9: …`.
pub(crate) fn rust_tests(file: &str, text: &str) -> Vec<Witness> {
    let mut tests = Vec::new();
    let (mut ids, mut kind) = (Vec::new(), None);
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("/// ") {
            let list = doc.split_once(": ").map_or_else(|| doc.strip_suffix('.'), |(list, _)| Some(list));
            let list: Vec<&str> = list.unwrap_or_default().split(", ").collect();
            if list.iter().all(|word| is_id(word) || is_fault(word)) {
                ids.extend(list.into_iter().filter(|word| is_id(word)).map(str::to_owned));
            }
        } else if line == "#[test]" {
            kind = Some(if file.ends_with("sandbox/conformance.rs") { Kind::Conformance } else { Kind::Native });
        } else if line.starts_with("#[wasm_bindgen_test") {
            kind = Some(Kind::Browser);
        } else if let Some(signature) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            let name = signature.split('(').next().unwrap_or(signature).to_owned();
            let ids = std::mem::take(&mut ids);
            tests.extend(kind.take().map(|kind| Witness { kind, file: file.to_owned(), name, ids }));
        } else if !line.starts_with(['#', '/']) {
            (ids, kind) = (Vec::new(), None);
        }
    }
    tests
}

/// Each string of a JavaScript file that names ids: a title, or a line of a table that titles are made of.
pub(crate) fn titles(file: &str, text: &str) -> Vec<Witness> {
    let kind = if file.starts_with("scripts/") { Kind::Build } else { Kind::EndToEnd };
    let mut found = Vec::new();
    for literal in text.lines().filter(|line| !is_comment(line)).flat_map(literals) {
        let ids = ids_in(literal);
        if !ids.is_empty() {
            found.push(Witness { kind, file: file.to_owned(), name: without_ids(literal), ids });
        }
    }
    found
}

/// Each line of the sandbox's table: `NAME: Message, "name", "words", ["CB-6", "A5"];`
fn misbehaviours(file: &str, text: &str) -> Vec<Witness> {
    let row = |line: &str| {
        let (head, list) = line.trim().strip_suffix("];")?.rsplit_once(", [")?;
        let name = literals(head).into_iter().next()?.to_owned();
        let ids = literals(list).into_iter().filter(|word| is_id(word)).map(str::to_owned).collect();
        Some(Witness { kind: Kind::Misbehaviour, file: file.to_owned(), name, ids })
    };
    text.lines().filter_map(row).collect()
}

fn is_comment(line: &str) -> bool {
    ["//", "*", "/*"].iter().any(|start| line.trim_start().starts_with(start))
}

/// What stands between quotation marks in one line.
fn literals(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(['"', '\'', '`']) {
        let (quote, inner) = rest[start..].split_at(1);
        let Some(end) = inner.find(quote) else { break };
        found.push(&inner[..end]);
        rest = &inner[end + 1..];
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '-')
}

fn ids_in(text: &str) -> Vec<String> {
    words(text).filter(|word| is_id(word)).map(str::to_owned).collect()
}

/// Whether a word names a row of the fault matrix.
fn is_fault(word: &str) -> bool {
    word.strip_prefix('F').is_some_and(|number| number.parse::<u8>().is_ok())
}

/// A title without its list of ids: in brackets at the end, or before a colon.
fn without_ids(title: &str) -> String {
    let is_list = |text: &str| text.split(", ").all(|word| is_id(word) || is_fault(word));
    let bare = match title.rsplit_once(" (") {
        Some((bare, list)) if list.strip_suffix(')').is_some_and(is_list) => bare,
        _ => match title.split_once(": ") {
            Some((list, bare)) if is_list(list) => bare,
            _ => title,
        },
    };
    bare.to_owned()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn files(folders: &[&str], suffix: &str) -> Vec<String> {
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the sources can be listed") {
            let path = entry.expect("the sources can be listed").path();
            let name = path.strip_prefix(root()).expect("it is below").to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(suffix) {
                files.push(name);
            }
        }
    }
    files.sort();
    files
}
