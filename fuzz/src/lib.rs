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
pub mod tab_message;
pub mod token_response;
pub mod url;
pub mod userinfo;

pub use common::client;

/// What is held against any octets.
pub struct Target {
    /// The name of its binary, and of its folder in `corpus/`.
    pub name: &'static str,
    /// Panics if something does not hold.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 18] = [
    Target { name: "authorization_response", check: authorization_response::check },
    Target { name: "challenge", check: challenge::check },
    Target { name: "configuration", check: configuration::check },
    Target { name: "date", check: date::check },
    Target { name: "form", check: form::check },
    Target { name: "id_token", check: id_token::check },
    Target { name: "json", check: json::check },
    Target { name: "key_set", check: key_set::check },
    Target { name: "metadata", check: metadata::check },
    Target { name: "nonce", check: nonce::check },
    Target { name: "pushed_authorization", check: pushed_authorization::check },
    Target { name: "records", check: records::check },
    Target { name: "resource_metadata", check: resource_metadata::check },
    Target { name: "return_path", check: return_path::check },
    Target { name: "tab_message", check: tab_message::check },
    Target { name: "token_response", check: token_response::check },
    Target { name: "url", check: url::check },
    Target { name: "userinfo", check: userinfo::check },
];
