//! Writes `docs/requirements.md`: every id, and who shows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::attacks::ATTACKS;
use super::missing::MISSING;
use super::sources::{Kind, Witness};
use super::table::REQUIREMENTS;
use super::{GROUPS, Level, shown};

const HEAD: &str = "# Requirements and attacks

Written by `make requirements` from `tests/requirements/` and from the tests themselves, which
name in their doc comments and titles what they show; `make test` fails if this file is not what that command would write.

Levels: *must* is a specification's MUST for this kind of client, *should* its SHOULD, *policy* this project's own.
The kinds: *native* is a Rust test on the host, *conformance* a module of the OpenID Foundation's suite against the sandbox,
*misbehaviour* a switch of the sandbox that `tests/sandbox/misbehaviour.rs` holds against the client, *browser* a Rust test in
Chromium, *end to end* a whole sign-in there, *build* a test of the release build, *document* words that are there.

";

pub(crate) fn document(witnesses: &[Witness]) -> String {
    let mut out = HEAD.to_owned();
    summary(&mut out, witnesses);
    for (prefix, title) in GROUPS {
        let _ = write!(out, "\n## {title}\n");
        for (id, level, words) in REQUIREMENTS.iter().filter(|(id, ..)| group_of(id) == prefix) {
            let level = match level {
                Level::Must => "must",
                Level::Should => "should",
                Level::Policy => "policy",
            };
            let _ = write!(out, "\n### {id} ({level}): {words}\n\n");
            shown_by(&mut out, id, witnesses);
        }
    }
    out.push_str("\n## Attacks\n");
    for (id, _, words) in ATTACKS {
        let _ = write!(out, "\n### {id}: {words}\n\n");
        shown_by(&mut out, id, witnesses);
    }
    out
}

pub(crate) fn group_of(id: &str) -> &str {
    id.split_once('-').map_or("A", |(group, _)| group)
}

/// How many ids of each group are shown, and by what.
fn summary(out: &mut String, witnesses: &[Witness]) {
    let shown = shown(witnesses);
    let names = KINDS.map(|(_, name)| name).join(" | ");
    let _ = writeln!(out, "| Group | Shown | {names} |");
    let _ = writeln!(out, "| --- | --- |{}", " --- |".repeat(KINDS.len()));
    for (prefix, title) in GROUPS.into_iter().chain([("A", "Attacks")]) {
        let ids: Vec<&str> = all_ids().filter(|id| group_of(id) == prefix).collect();
        let names = |id: &str, witness: &&Witness| witness.ids.iter().any(|named| named == id);
        let shown = ids.iter().filter(|id| shown.contains_key(**id)).count();
        let _ = write!(out, "| {title} | {shown} of {} |", ids.len());
        for (kind, _) in KINDS {
            let is_such = |witness: &Witness| witness.kind == kind;
            let count = ids.iter().filter(|id| witnesses.iter().any(|it| is_such(it) && names(id, &it))).count();
            let _ = write!(out, " {count} |");
        }
        out.push('\n');
    }
}

pub(crate) fn all_ids() -> impl Iterator<Item = &'static str> {
    REQUIREMENTS.iter().map(|(id, ..)| *id).chain(ATTACKS.iter().map(|(id, ..)| *id))
}

const KINDS: [(Kind, &str); 7] = [
    (Kind::Native, "native"),
    (Kind::Conformance, "conformance"),
    (Kind::Misbehaviour, "misbehaviour"),
    (Kind::Browser, "browser"),
    (Kind::EndToEnd, "end to end"),
    (Kind::Build, "build"),
    (Kind::Document, "document"),
];

fn shown_by(out: &mut String, id: &str, witnesses: &[Witness]) {
    for (kind, name) in KINDS {
        let mut by_file: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for witness in witnesses.iter().filter(|it| it.kind == kind && it.ids.iter().any(|named| named == id)) {
            let is_code = matches!(kind, Kind::Native | Kind::Conformance | Kind::Browser | Kind::Misbehaviour);
            let shown =
                if is_code { format!("`{}`", witness.name) } else { format!("“{}”", escaped(&witness.name)) };
            by_file.entry(&witness.file).or_default().push(shown);
        }
        for (file, tests) in by_file {
            let _ = writeln!(out, "- {name}, `{file}`: {}", tests.join(", "));
        }
    }
    if let Some((_, reason)) = MISSING.iter().find(|(missing, _)| *missing == id) {
        let _ = writeln!(out, "- {reason}");
    }
}

/// Titles are text: no mark in them means anything here.
fn escaped(title: &str) -> String {
    let mut out = String::new();
    for character in title.chars() {
        match character {
            '\n' => out.push(' '),
            '<' | '>' | '*' | '_' | '[' | ']' | '`' | '|' | '\\' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}
