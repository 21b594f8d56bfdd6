//! One function for each parser: it takes any octets and asserts what must hold of them.
//!
//! In scope: nothing panics, what comes out is bounded, what is accepted is accepted by an independent reader too and keeps
//! its meaning when it is written and read again, and nothing is accepted that a rule forbids.
//! Out of scope: finding inputs. `make fuzz` does that; `tests/corpus.rs` replays what it found, without any tool.
//!
//! Rule: a function here knows the rule and not the code. Where there is another implementation to ask, it is asked.

pub mod authorization_response;
pub mod challenge;
mod common;
pub mod configuration;
pub mod date;
pub mod form;
pub mod id_token;
pub mod json;
pub mod key_set;
pub mod metadata;
pub mod nonce;
pub mod pushed_authorization;
pub mod records;
pub mod resource_metadata;
pub mod return_path;
pub mod token_response;
pub mod url;
pub mod userinfo;

/// Each target by the name of its binary and of its folder in `corpus/`.
pub const TARGETS: [(&str, fn(&[u8])); 17] = [
    ("authorization_response", authorization_response::check),
    ("challenge", challenge::check),
    ("configuration", configuration::check),
    ("date", date::check),
    ("form", form::check),
    ("id_token", id_token::check),
    ("json", json::check),
    ("key_set", key_set::check),
    ("metadata", metadata::check),
    ("nonce", nonce::check),
    ("pushed_authorization", pushed_authorization::check),
    ("records", records::check),
    ("resource_metadata", resource_metadata::check),
    ("return_path", return_path::check),
    ("token_response", token_response::check),
    ("url", url::check),
    ("userinfo", userinfo::check),
];
