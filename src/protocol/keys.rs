//! The issuer's keys: asking for them, and what of the answer is kept.
//!
//! Rule: they come from the `jwks_uri` of the issuer's own metadata, and from nowhere else (RFC 8725 §3.8).
//!
//! Source: RFC 7517 §5; RFC 8414 §2 (`jwks_uri`).

use std::fmt;

use super::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use super::json::Value;
use super::jwk::{JwkSet, MOST_KEYS};
use super::metadata::{Attempt, read_document};
use super::time::Seconds;
use super::url::Url;

/// Why there are no keys to verify with.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// The document is no key set, or has too many keys.
    NotKeys,
    /// No document came.
    Unavailable(Attempt),
}

/// Bounds of a key set: 10 s, 1 MiB.
const LIMITS: Limits = Limits { deadline: Seconds(10), body: 1024 * 1024 };

/// Members of a JWK that are read; certificates and the like are not worth storing.
const USED: [&str; 11] = ["kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e", "issuer"];

/// The request for the keys at `jwks_uri`.
pub fn keys_request(jwks_uri: &Url) -> HttpRequest {
    HttpRequest::get(jwks_uri.clone(), "application/json", LIMITS)
}

/// Reads the answer: the key set, and the document that is worth keeping of it.
///
/// # Errors
/// [`KeysError`].
pub fn read_keys(jwks_uri: &Url, outcome: Result<HttpResponse, HttpFailure>) -> Result<(JwkSet, Value), KeysError> {
    let unavailable = |problem| KeysError::Unavailable(Attempt { url: jwks_uri.without_query().to_owned(), problem });
    let document = read_document(outcome).map_err(unavailable)?;
    let set = JwkSet::read(&document).ok_or(KeysError::NotKeys)?;
    let keys = document.member("keys").and_then(Value::as_array).unwrap_or_default();
    let keys = keys.iter().map(|key| {
        let mut members = key.as_object().unwrap_or_default().to_vec();
        members.retain(|(name, _)| USED.contains(&name.as_str()));
        Value::Object(members)
    });
    Ok((set, Value::Object(vec![("keys".to_owned(), Value::Array(keys.collect()))])))
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotKeys => write!(f, "the server's key set is none, or has more than {MOST_KEYS} keys"),
            Self::Unavailable(Attempt { url, problem }) => write!(f, "no keys: {url} gave {problem}"),
        }
    }
}
