//! Reads `src/` and enforces who may import what, who may open a secret, and where protocol decisions are taken.
//!
//! One crate has no crate boundaries, so this file is the boundary. It reads `use` items (nested and over several
//! lines too) and paths in expressions; comments, strings and test modules say nothing.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use leptos_pkce::protocol::authorization_response::AuthorizationErrorCode;
use leptos_pkce::protocol::token_response::TokenErrorCode;

// The rules

/// Crates that make a file impure.
const WEB: [&str; 7] =
    ["getrandom", "gloo_net", "gloo_storage", "js_sys", "wasm_bindgen", "wasm_bindgen_futures", "web_sys"];

/// Parts of `std` that a pure file has no business with: clocks, files, threads, the process, the network.
const IMPURE_STD: [&str; 8] = ["env", "fs", "io", "net", "os", "process", "thread", "time"];

/// Files that may open a secret, each for its reason.
const EXPOSE: [(&str, &str); 18] = [
    ("protocol/secret.rs", "defines it"),
    ("protocol/pkce.rs", "hashes the verifier"),
    ("protocol/dpop.rs", "hashes the access token and puts the signature to a proof"),
    ("protocol/storage.rs", "names the pending record by its state"),
    ("protocol/pending_authorization.rs", "encodes the record for storage"),
    ("protocol/authorization_request.rs", "writes state and nonce into the request"),
    ("protocol/authorization_response.rs", "compares the state"),
    ("protocol/token_request.rs", "writes code and verifier into the body"),
    ("protocol/id_token.rs", "takes the ID token apart, compares the nonce and encodes it for storage"),
    ("protocol/flow/verification.rs", "takes the ID token apart, to learn which key it names"),
    ("protocol/session.rs", "encodes the record for storage"),
    ("protocol/refresh.rs", "writes the refresh token into the body"),
    ("protocol/revocation.rs", "writes the token into the body"),
    ("protocol/end_session.rs", "writes hint and state into the address, and compares the state"),
    ("browser/fetch.rs", "writes the token and the proof into their headers"),
    ("browser/subtle.rs", "hashes the access token"),
    ("browser/driver/proofs.rs", "signs the text of a proof"),
    ("workbench/pages/session.rs", "shows the token on a click"),
];

/// Files that may print, and what.
const PRINT: [(&str, &str); 2] = [("main.rs", "eprintln!"), ("bin/sandbox_worker.rs", "eprintln!")];

const MOST_LINES: usize = 700;

/// What a file imports.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Import {
    /// A path in this package: `protocol::form::encode` as its segments.
    Own(Vec<String>),
    /// A path in another crate.
    Foreign(Vec<String>),
}

/// Why `file` may not import `import`, if so.
fn forbidden(file: &File, import: &Import, levels: &[String]) -> Option<&'static str> {
    let [layer, module] = [0, 1].map(|index| file.module.get(index).map_or("", String::as_str));
    let (foreign, [to_layer, to_module]) = match import {
        Import::Own(path) => (false, [0, 1].map(|index| path.get(index).map_or("", String::as_str))),
        Import::Foreign(path) => (true, [0, 1].map(|index| path.get(index).map_or("", String::as_str))),
    };
    let is_std = foreign && ["std", "core", "alloc"].contains(&to_layer);
    let is_pure_std = is_std && !IMPURE_STD.contains(&to_module);
    match layer {
        "protocol" if foreign => {
            let allowed = is_pure_std
                || (to_layer == "base64" && module == "base64url")
                || (to_layer == "sha2" && ["pkce", "dpop"].contains(&module));
            (!allowed).then_some("the protocol is pure: std, base64 in base64url.rs, sha2 in pkce.rs and dpop.rs")
        }
        "protocol" if to_layer != "protocol" => Some("the protocol stands on nothing else of this crate"),
        "protocol" => {
            let level = |name: &str| levels.iter().position(|known| known == name);
            let allowed = module == to_module || level(to_module) < level(module);
            (!allowed).then_some("a protocol file imports only from those before it in protocol/mod.rs")
        }
        "inspect" if foreign => (!is_pure_std).then_some("inspect is pure: std"),
        "inspect" => (!["protocol", "inspect"].contains(&to_layer)).then_some("inspect explains the protocol alone"),
        "sandbox" if foreign => (!is_pure_std).then_some("the sandbox is pure: std"),
        "sandbox" => {
            (!["protocol", "sandbox"].contains(&to_layer)).then_some("the sandbox is a server that knows the protocol")
        }
        "browser" if foreign => {
            let allowed = is_std || (WEB.contains(&to_layer) && (to_layer != "getrandom" || module == "entropy"));
            (!allowed).then_some("browser files know Web crates only; getrandom in entropy.rs")
        }
        "browser" if file.path == "browser/driver/proofs.rs" => {
            let allowed = match to_layer {
                "protocol" => to_module != "flow",
                "browser" => ["clock", "entropy", "indexed_db", "subtle"].contains(&to_module),
                _ => false,
            };
            (!allowed).then_some("proofs are made of key, clock and random octets; when to make one the flow says")
        }
        "browser" if module == "vault" => {
            let allowed = match to_layer {
                "protocol" => to_module != "flow",
                "browser" => ["entropy", "indexed_db", "subtle", "vault"].contains(&to_module),
                _ => false,
            };
            (!allowed).then_some("a vault is a database and cryptography; what is kept in it the flow says")
        }
        "browser" if module == "driver" => {
            (!["protocol", "browser"].contains(&to_layer)).then_some("the driver joins protocol and adapters")
        }
        "browser" => {
            let allowed = match to_layer {
                "protocol" => to_module != "flow",
                // One deadline over headers and body: a fetch needs a timer. So does whoever waits for a worker, or for
                // a lock.
                "browser" => {
                    let waits = ["fetch", "locks", "service_worker"].contains(&module);
                    to_module == module || (waits && to_module == "clock")
                }
                _ => false,
            };
            (!allowed).then_some(
                "an adapter knows protocol values, not the flow, and no other adapter but those that wait the clock",
            )
        }
        "ui" if foreign => (!is_std && to_layer != "leptos").then_some("ui is Leptos and nothing below it"),
        "ui" => {
            let allowed = match to_layer {
                "protocol" | "ui" => true,
                // The driver is its engine, the clock shows lifetimes, navigation tells the app's own route.
                "browser" => ["driver", "clock", "navigation"].contains(&to_module),
                _ => false,
            };
            (!allowed).then_some("ui knows protocol values and the driver, clock and navigation of the browser")
        }
        "workbench" if foreign => {
            let allowed = is_std || ["leptos", "wasm_bindgen"].contains(&to_layer);
            (!allowed).then_some("the workbench is Leptos and nothing below it")
        }
        "workbench" => {
            let allowed = match to_layer {
                "protocol" | "inspect" | "ui" | "route" | "workbench" => true,
                // What pages offer beside the flow: copying, lifetimes, explanations, links, the sandbox, added servers.
                "browser" => {
                    ["capabilities", "clipboard", "clock", "fetch", "navigation", "rest", "service_worker", "storage"]
                        .contains(&to_module)
                }
                _ => false,
            };
            (!allowed).then_some("the workbench uses what the library makes public to everybody")
        }
        "bin" if foreign => {
            let allowed = is_std || (WEB.contains(&to_layer) && to_layer != "getrandom");
            (!allowed).then_some("the worker is Web crates around the sandbox: no framework")
        }
        "bin" => {
            let allowed = match to_layer {
                "protocol" => to_module != "flow",
                "sandbox" => true,
                "browser" => ["clock", "entropy", "indexed_db", "subtle"].contains(&to_module),
                _ => false,
            };
            (!allowed).then_some("the worker is the sandbox on what a worker has of the browser; no client in it")
        }
        "route" => (!is_pure_std).then_some("routes are pure: std"),
        "" => {
            let allowed = is_std || (!foreign && ["workbench", "route"].contains(&to_layer));
            (!allowed).then_some("the roots only join modules")
        }
        _ => Some("no rule knows this folder: add it to tests/architecture.rs"),
    }
}

/// What decides about the protocol in a file of `browser/`: a status looked at, an OAuth error named.
///
/// A status may be handed on in exactly one form, so that nobody can look at it under another name.
fn protocol_decisions(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let without_handing_on = code.replace("status: response.status()", "");
    for line in without_handing_on.lines().filter(|line| identifiers(line).any(|name| name == "status")) {
        found.push(format!("looks at a status: {}", line.trim()));
    }
    for line in code.lines() {
        // In the names of algorithms numbers are sizes, and so is the length of a key.
        let statuses = line.replace("SHA-256", "").replace("P-256", "").replace("\"length\":256", "");
        let statuses = statuses.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        if statuses.filter_map(|word| word.parse::<u32>().ok()).any(|number| (100..600).contains(&number)) {
            found.push(format!("holds a number that is a status: {}", line.trim()));
        }
        let registered = AuthorizationErrorCode::REGISTERED.iter().map(AuthorizationErrorCode::as_str);
        for error in registered.chain(TokenErrorCode::REGISTERED.iter().map(TokenErrorCode::as_str)) {
            if line.contains(&format!("\"{error}\"")) {
                found.push(format!("names the OAuth error {error}: {}", line.trim()));
            }
        }
        for kind in
            ["AuthorizationErrorCode", "TokenErrorCode", "CallbackError", "TokenError", "MetadataError", "Denial"]
        {
            if identifiers(line).any(|name| name == kind) {
                found.push(format!("knows {kind}: {}", line.trim()));
            }
        }
        if line.contains("response.ok()") {
            found.push(format!("looks at a status: {}", line.trim()));
        }
    }
    found
}

/// Whether a file of the client has the word, in code or in prose; the one that registers the worker may.
fn knows_the_sandbox(file: &File) -> bool {
    let is_client = ["protocol", "browser", "ui"].contains(&file.module.first().map_or("", String::as_str));
    is_client && file.path != "browser/service_worker.rs" && file.text.to_lowercase().contains("sandbox")
}

/// Calls that a library must not make: it would end the page, or speak where nobody asked it to.
fn outbursts(path: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in
        [".unwrap()", "panic!", "todo!", "unimplemented!", "dbg!", "print!", "println!", "eprintln!", "console::"]
    {
        let preceded =
            |at: usize| code[..at].ends_with(|character: char| character.is_alphanumeric() || character == '_');
        let calls = code.match_indices(word).filter(|(at, _)| word.starts_with('.') || !preceded(*at)).count();
        if calls > 0 && !PRINT.contains(&(path, word)) {
            found.push(word.to_owned());
        }
    }
    found
}

// Reading Rust

/// A file of `src/`, without its comments and tests.
struct File {
    /// Relative to `src/`.
    path: String,
    /// `protocol::flow` for `protocol/flow/mod.rs`.
    module: Vec<String>,
    text: String,
    /// Without comments.
    code: String,
    /// Without comments and the contents of strings.
    bare: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        let module = stem.split('/').filter(|name| !["mod", "lib", "main"].contains(name)).map(str::to_owned).collect();
        let code = without_tests(&stripped(text, Strings::Kept));
        let bare = without_tests(&stripped(text, Strings::Emptied));
        Self { path: path.to_owned(), module, text: text.to_owned(), code, bare }
    }

    /// Everything that the file names outside of itself.
    fn imports(&self) -> Vec<Import> {
        let children: Vec<&str> = self
            .bare
            .lines()
            .filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
            .collect();
        let mut imports = Vec::new();
        let (trees, others) = uses(&self.bare);
        for path in trees.into_iter().flat_map(expanded) {
            imports.extend(self.resolved(&path, &children, Position::Use));
        }
        for path in paths(&others) {
            imports.extend(self.resolved(&path, &children, Position::Expression));
        }
        imports
    }

    fn resolved(&self, path: &[String], children: &[&str], position: Position) -> Option<Import> {
        let first = path.first()?.as_str();
        let own = |above: usize, skip: usize| {
            let kept = self.module.len().saturating_sub(above);
            Some(Import::Own(self.module[..kept].iter().chain(&path[skip..]).cloned().collect()))
        };
        match first {
            "crate" | "leptos_pkce" => Some(Import::Own(path[1..].to_vec())),
            "self" if path.len() > 1 => own(0, 1),
            "super" => {
                let above = path.iter().take_while(|segment| *segment == "super").count();
                own(above, above)
            }
            // Leptos hands its Web crates on.
            "leptos" if path.get(1).is_some_and(|inner| WEB.contains(&inner.as_str())) => {
                Some(Import::Foreign(path[1..].to_vec()))
            }
            _ if children.contains(&first) => own(0, 0),
            _ if CRATES.contains(first) => Some(Import::Foreign(path.to_vec())),
            _ if position == Position::Use && path.len() > 1 && first.starts_with(char::is_lowercase) => {
                Some(Import::Foreign(path.to_vec()))
            }
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Use,
    Expression,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strings {
    Kept,
    Emptied,
}

/// The crates that Cargo.toml knows, as Rust spells them, and the standard library.
static CRATES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let manifest = include_str!("../Cargo.toml");
    let dependencies = manifest.split("dependencies]").skip(1).flat_map(|section| {
        section
            .split("\n[")
            .next()
            .unwrap_or(section)
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|pair| pair.0)
    });
    let sections = manifest.lines().filter_map(|line| line.strip_suffix(']')?.split_once("dependencies."));
    let names = dependencies.chain(sections.map(|(_, name)| name)).map(|name| name.trim().replace('-', "_"));
    names.chain(["std", "core", "alloc"].map(str::to_owned)).collect()
});

/// The code without comments and, if so wanted, without what stands in strings; line breaks are kept.
fn stripped(text: &str, strings: Strings) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (token, kept) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + 2), None)
        } else if let Some(length) = string_literal(rest) {
            (length, Some(if strings == Strings::Kept { &rest[..length] } else { "\"\"" }))
        } else {
            let length = char_literal(rest).unwrap_or_else(|| character.len_utf8());
            (length, Some(&rest[..length]))
        };
        match kept {
            Some(kept) => out.push_str(kept),
            None => out.extend(rest[..token].matches('\n')),
        }
        rest = &rest[token..];
    }
    out
}

/// The length of the string literal, raw or not, that begins here.
fn string_literal(text: &str) -> Option<usize> {
    let prefix = text.trim_start_matches(['b', 'r']);
    let raw = text[..text.len() - prefix.len()].contains('r');
    let hashes = prefix.len() - prefix.trim_start_matches('#').len();
    let body = prefix[hashes..].strip_prefix('"')?;
    let start = text.len() - body.len();
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return body.find(&end).map(|at| start + at + end.len());
    }
    if hashes > 0 {
        return None;
    }
    let mut escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            '"' if !escaped => return Some(start + at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// The length of the character literal that begins here; a lifetime is none.
fn char_literal(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let length = if let Some(escape) = inner.strip_prefix('\\') {
        1 + escape[1..].find('\'')? + 1
    } else {
        inner.chars().next()?.len_utf8()
    };
    inner[length..].starts_with('\'').then_some(length + 2)
}

/// Test modules end a file.
fn without_tests(code: &str) -> String {
    code.split("#[cfg(test)]\nmod tests").next().unwrap_or(code).to_owned()
}

fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').filter(|word| !word.is_empty())
}

/// The trees of all `use …;` items, and the code without them.
fn uses(code: &str) -> (Vec<&str>, String) {
    let mut trees = Vec::new();
    let mut others = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("use ") {
        others.push_str(before);
        let is_item = before.is_empty() || before.ends_with(['\n', ' ', '{', ';']);
        rest = match after.split_once(';') {
            Some((tree, after)) if is_item => {
                trees.push(tree);
                after
            }
            _ => after,
        };
    }
    others.push_str(rest);
    (trees, others)
}

/// `a::{b::{c, d as e}, f}` as `a::b::c`, `a::b::d`, `a::f`.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let segments =
        |text: &str| text.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    let Some((prefix, rest)) = tree.split_once('{') else {
        return vec![segments(tree.split(" as ").next().unwrap_or(tree))];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let prefix: Vec<String> = segments(prefix);
    let joined = |path: Vec<String>| prefix.iter().cloned().chain(path).collect();
    branches(inner).into_iter().flat_map(expanded).map(joined).collect()
}

/// Splits at the commas that stand in no further braces.
fn branches(list: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let comma = |character: char| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    };
    list.split(comma).filter(|branch| !branch.trim().is_empty()).collect()
}

/// Paths of two segments and more in code.
fn paths(code: &str) -> Vec<Vec<String>> {
    let is_path = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let words = code.split(|character: char| !is_path(character)).filter(|word| word.contains("::"));
    words
        .map(|word| {
            word.split("::").map(|part| part.trim_matches(':').to_owned()).filter(|part| !part.is_empty()).collect()
        })
        .collect()
}

// Reading src/

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src can be listed") {
            let path = entry.expect("src can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).expect("it lies below src").to_string_lossy().replace('\\', "/");
        File::new(&name, &fs::read_to_string(path).expect("src can be read"))
    };
    found.iter().map(read).collect()
});

/// The modules of the protocol, from the bottom up, as `protocol/mod.rs` lists them.
fn levels() -> Vec<String> {
    let list = FILES.iter().find(|file| file.path == "protocol/mod.rs").expect("protocol/mod.rs");
    let name = |line: &str| {
        let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    };
    list.code.lines().filter_map(name).collect()
}

#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

fn import_violations(file: &File, levels: &[String]) -> Vec<String> {
    let violation = |import: &Import| {
        let reason = forbidden(file, import, levels)?;
        let (Import::Own(path) | Import::Foreign(path)) = import;
        Some(format!("src/{} imports {}: {reason}", file.path, path.join("::")))
    };
    file.imports().iter().filter_map(violation).collect()
}

// The tests

#[test]
fn every_file_imports_only_what_its_layer_may() {
    let levels = levels();
    assert!(FILES.len() > 40, "src was read");
    assert_none(&FILES.iter().flat_map(|file| import_violations(file, &levels)).collect::<Vec<_>>());
}

#[test]
fn every_protocol_file_has_its_level() {
    let levels: BTreeSet<String> = levels().into_iter().collect();
    let modules: BTreeSet<String> = FILES
        .iter()
        .filter(|file| file.module.len() > 1 && file.module[0] == "protocol")
        .map(|file| file.module[1].clone())
        .collect();
    assert_eq!(levels, modules);
}

/// TOK-5, TOK-13: what a status or an error means is decided in the protocol, never beside a Web API.
#[test]
fn no_adapter_decides_about_the_protocol() {
    let adapters = FILES.iter().filter(|file| file.module.first().is_some_and(|layer| layer == "browser"));
    let decisions = adapters.flat_map(|file| {
        protocol_decisions(&file.code).into_iter().map(move |decision| format!("src/{} {decision}", file.path))
    });
    assert_none(&decisions.collect::<Vec<_>>());
}

/// To the client the sandbox is a server like any other: it must not know it when it sees it.
#[test]
fn the_client_does_not_know_the_sandbox() {
    assert_none(&FILES.iter().filter(|file| knows_the_sandbox(file)).map(|file| file.path.clone()).collect::<Vec<_>>());
}

/// OPS-1: whoever opens a secret is on the list, and the list holds nobody else.
#[test]
fn only_listed_files_open_a_secret() {
    let exposing: BTreeSet<String> =
        FILES.iter().filter(|file| file.bare.contains("expose(")).map(|file| file.path.clone()).collect();
    let listed: BTreeSet<String> = EXPOSE.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(exposing, listed);
}

/// OPS-1, TOK-18: nothing panics on purpose, and nothing is printed.
#[test]
fn nothing_panics_or_prints() {
    let found = FILES.iter().flat_map(|file| {
        outbursts(&file.path, &file.bare).into_iter().map(move |word| format!("src/{} has {word}", file.path))
    });
    assert_none(&found.collect::<Vec<_>>());
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = FILES.iter().filter(|file| !file.text.starts_with("//! ")).map(|file| file.path.clone());
    assert_none(&silent.collect::<Vec<_>>());
}

#[test]
fn no_file_is_too_long_to_read() {
    let long = FILES.iter().filter(|file| file.text.lines().count() > MOST_LINES);
    let long = long.map(|file| format!("src/{} has {} lines", file.path, file.text.lines().count()));
    assert_none(&long.collect::<Vec<_>>());
}

// The tests of the tests

/// How many imports of `code` in the file at `path` are forbidden.
fn count(path: &str, code: &str) -> usize {
    let levels = ["secret", "form", "url", "base64url", "pkce", "dpop", "json", "client", "flow"].map(str::to_owned);
    import_violations(&File::new(path, code), &levels).len()
}

#[test]
fn the_checker_knows_what_each_layer_may_import() {
    for (path, code) in [
        ("protocol/url.rs", "use std::fmt;\nuse super::form::{self, FormError};"),
        ("protocol/pkce.rs", "use sha2::{Digest as _, Sha256};\nuse super::secret::CodeVerifier;"),
        ("protocol/dpop.rs", "use sha2::{Digest as _, Sha256};\nuse super::secret::AccessToken;"),
        ("protocol/base64url.rs", "use base64::Engine as _;"),
        ("protocol/flow/messages.rs", "use super::super::client::Client;\nuse super::Flow;"),
        ("protocol/flow/mod.rs", "mod messages;\npub use messages::{CallId, Event};"),
        ("inspect/advice.rs", "use crate::protocol::flow::Activity;"),
        ("browser/fetch.rs", "use super::clock;\nuse crate::protocol::http::HttpRequest;\nuse gloo_net::http::Method;"),
        ("browser/driver.rs", "use super::{entropy, storage};\nuse crate::protocol::flow::Flow;"),
        ("browser/driver/proofs.rs", "use super::super::{clock, entropy};\nuse crate::protocol::dpop::ProofOrder;"),
        ("browser/driver/mod.rs", "mod proofs;\nuse self::proofs::ProofKeys;\nuse super::fetch::{self, Cancel};"),
        ("browser/locks.rs", "use super::clock;\nuse crate::protocol::time::Seconds;"),
        ("browser/vault.rs", "use super::{entropy, indexed_db};\nuse super::subtle::{self, Sealed};"),
        ("browser/entropy.rs", "fn draw() { getrandom::fill(&mut octets); }"),
        ("ui/auth.rs", "use leptos::prelude::*;\nuse crate::browser::{clock, driver::Driver};"),
        (
            "workbench/pages/api.rs",
            "use crate::route::Route;\nuse super::super::parts::X;\nuse leptos_pkce::ui::use_auth;",
        ),
        ("workbench/sandbox.rs", "use leptos_pkce::browser::service_worker::Order;"),
        ("bin/sandbox_worker.rs", "use leptos_pkce::browser::{clock, indexed_db::Database};\nuse js_sys::Promise;"),
        ("bin/sandbox_worker.rs", "use leptos_pkce::sandbox::Sandbox;\nuse leptos_pkce::protocol::url::Url;"),
        ("browser/service_worker.rs", "use super::clock;"),
        ("main.rs", "mod workbench;\nfn main() { workbench::mount(); }"),
    ] {
        assert_eq!(count(path, code), 0, "{path}: {code}");
    }
}

#[test]
fn the_checker_catches_a_forbidden_import() {
    for (path, code) in [
        ("protocol/url.rs", "use web_sys::Url;"),
        ("protocol/url.rs", "use std::time::SystemTime;"),
        ("protocol/url.rs", "fn f() { std::env::var(\"HOME\"); }"),
        ("protocol/url.rs", "use serde_json::Value;"),
        ("protocol/url.rs", "use base64::Engine;"),
        ("protocol/url.rs", "use sha2::Sha256;"),
        ("protocol/url.rs", "use super::client::Client;"),
        ("protocol/url.rs", "use super::{\n    form,\n    flow::{Flow},\n};"),
        ("protocol/url.rs", "fn f() { super::client::read(); }"),
        ("protocol/url.rs", "fn f() -> crate::browser::Timer {}"),
        ("protocol/url.rs", "use crate::inspect::advice::advise;"),
        ("protocol/flow/mod.rs", "use crate::ui::Auth;"),
        ("inspect/advice.rs", "use crate::browser::clock;"),
        ("inspect/advice.rs", "use leptos::prelude::*;"),
        ("browser/fetch.rs", "use super::storage;"),
        ("browser/storage.rs", "use super::clock;"),
        ("browser/storage.rs", "use crate::protocol::flow::Effect;"),
        ("browser/storage.rs", "use leptos::prelude::*;"),
        ("browser/storage.rs", "fn f() { getrandom::fill(&mut octets); }"),
        ("browser/locks.rs", "use super::storage;"),
        ("browser/channel.rs", "use super::clock;"),
        ("browser/wake.rs", "use super::clock;"),
        ("browser/vault.rs", "use super::clock;"),
        ("browser/vault.rs", "use crate::protocol::flow::Effect;"),
        ("browser/vault.rs", "use super::driver::Driver;"),
        ("browser/driver.rs", "use leptos::prelude::*;"),
        ("browser/driver.rs", "use crate::inspect::advice::advise;"),
        ("browser/driver/proofs.rs", "use super::super::fetch::send;"),
        ("browser/driver/proofs.rs", "use crate::protocol::flow::Effect;"),
        ("browser/driver/proofs.rs", "use super::Driver;"),
        ("ui/auth.rs", "use web_sys::window;"),
        ("ui/auth.rs", "use leptos::web_sys::window;"),
        ("ui/auth.rs", "use crate::browser::storage;"),
        ("ui/auth.rs", "use crate::workbench::Shell;"),
        ("workbench/shell.rs", "use gloo_net::http::Request;"),
        ("workbench/shell.rs", "use leptos_pkce::browser::indexed_db;"),
        ("workbench/shell.rs", "fn f() { leptos_pkce::browser::driver::Driver::site(); }"),
        ("workbench/sandbox.rs", "use leptos_pkce::sandbox::switches::ALL;"),
        ("bin/sandbox_worker.rs", "use leptos::prelude::*;"),
        ("bin/sandbox_worker.rs", "use leptos_pkce::browser::storage;"),
        ("bin/sandbox_worker.rs", "use leptos_pkce::protocol::flow::Flow;"),
        ("sandbox/http.rs", "use crate::browser::clock;"),
        ("sandbox/http.rs", "use web_sys::Response;"),
        ("route.rs", "use leptos_pkce::protocol::url::Url;"),
        ("new_folder/file.rs", "use std::fmt;"),
    ] {
        assert_eq!(count(path, code), 1, "{path}: {code}");
    }
}

#[test]
fn the_checker_finds_the_sandbox_in_the_client() {
    for path in ["protocol/client.rs", "ui/auth.rs", "browser/fetch.rs"] {
        assert!(knows_the_sandbox(&File::new(path, "// As the Sandbox does it.")), "{path}");
    }
    for path in ["browser/service_worker.rs", "workbench/sandbox.rs", "sandbox/mod.rs"] {
        assert!(!knows_the_sandbox(&File::new(path, "//! The sandbox.")), "{path}");
    }
}

#[test]
fn the_checker_reads_code_and_nothing_else() {
    for code in [
        "// use web_sys::Url;",
        "/// See [`crate::browser::clock`].\nfn f() {}",
        "/* use leptos::prelude::*; */",
        "const TEXT: &str = \"use web_sys::Url;\";",
        "const TEXT: &str = r#\"crate::browser::clock \"quoted\" \"#;",
        "const TEXT: &[char] = &['\"', '\\'', '/', '/'];\nfn f<'a>(_: &'a str) {}",
        "#[cfg(test)]\nmod tests {\n    use web_sys::Url;\n}",
    ] {
        assert_eq!(count("protocol/url.rs", code), 0, "{code}");
    }
    assert_eq!(count("protocol/url.rs", "const TEXT: &str = \"\\\"\";\nuse web_sys::Url; // \""), 1);
    assert_eq!(
        expanded("a::{b::{c, d as e}, f, self}"),
        [vec!["a", "b", "c"], vec!["a", "b", "d"], vec!["a", "f"], vec!["a", "self"]]
    );
    assert!(CRATES.is_superset(&["web_sys", "gloo_net", "leptos", "sha2", "std"].map(str::to_owned).into()));
}

#[test]
fn the_checker_catches_a_decision_in_an_adapter() {
    for code in [
        "if response.status() == 400 { retry() }",
        "if 400 == code {}",
        "let status = response.status();",
        "match response.status() { 200..=299 => ok(), _ => failed() }",
        "if (400..500).contains(&code) {}",
        "if response.ok() {}",
        "if error == \"invalid_grant\" {}",
        "matches!(error.as_str(), \"access_denied\")",
        "use crate::protocol::token_response::TokenError;",
    ] {
        assert!(!protocol_decisions(code).is_empty(), "{code}");
    }
    for code in [
        "Ok(HttpResponse { status: response.status(), headers, body })",
        "let span = span.0.saturating_mul(1000);",
        "const LONGEST_MS: u64 = 2_147_483_647;",
        "let hash = digest(\"SHA-256\", octets); let curve = \"P-256\";",
        "let algorithm = json(r#\"{\"name\":\"AES-GCM\",\"length\":256}\"#)?;",
    ] {
        assert_eq!(protocol_decisions(code), [""; 0], "{code}");
    }
}

#[test]
fn the_checker_catches_an_outburst() {
    for code in [
        "let x = y.unwrap();",
        "panic!(\"no\")",
        "todo!()",
        "println!(\"{token:?}\")",
        "eprintln!(\"x\")",
        "dbg!(token)",
        "web_sys::console::log_1(&token)",
    ] {
        assert_eq!(outbursts("ui/auth.rs", &stripped(code, Strings::Emptied)).len(), 1, "{code}");
    }
    assert_eq!(outbursts("ui/auth.rs", "let x = y.unwrap_or_default(); set_panic!();"), [""; 0]);
    assert_eq!(outbursts("main.rs", "eprintln!(\"help\")"), [""; 0]);
}
