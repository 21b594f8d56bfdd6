//! What happened, in one sentence, and what to check next, most likely first.
//!
//! The sentences stand in a file (`explanations`), by an error's code. Without it an error speaks for itself. Here is what
//! only the error knows: which of several sentences is its own, and the values in it and below it.
//!
//! Rule: every error code has a sentence and at least one thing to check. Text from a server is quoted, never
//! trusted; no secret is an argument here.

use super::explanations::{Argument, Explanations, fill};
use super::{quirks, trust};
use crate::protocol::authorization_request::AuthorizationRequestError;
use crate::protocol::authorization_response::CallbackError;
use crate::protocol::client::Client;
use crate::protocol::error::Error;
use crate::protocol::form::FormError;
use crate::protocol::http::HttpFailure;
use crate::protocol::id_token::IdTokenError;
use crate::protocol::json::Value;
use crate::protocol::metadata::{AttemptProblem, MetadataError};
use crate::protocol::problem::ConfigurationError;
use crate::protocol::protected_resource::ResourceError;
use crate::protocol::pushed_authorization::PushError;
use crate::protocol::quirks as protocol_quirks;
use crate::protocol::resource_metadata::ResourceMetadataError;
use crate::protocol::site::Site;
use crate::protocol::text::{cut, join};
use crate::protocol::token_response::{TokenError, TokenType};
use crate::protocol::url::Url;
use crate::protocol::userinfo::UserInfoError;

/// What a person should know about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What happened, as a sentence.
    pub summary: String,
    /// What to check, most likely first.
    pub checks: Vec<String>,
    /// The exact values involved.
    pub values: Vec<(&'static str, String)>,
    /// A page about the error that the server named, if it is an https URL. Never followed by itself.
    pub more: Option<String>,
}

/// Explains `error` to somebody who uses `client` (if it is known whose error it is) on `site`.
pub fn advise(error: &Error, client: Option<&Client>, site: &Site, explanations: &Explanations) -> Advice {
    let entry = explanations.entry("errors", error.code(), variant(error));
    let summary = entry.and_then(|entry| entry.text("summary"));
    let summary = match summary {
        Some(text) => fill(text, &arguments(error, explanations)),
        None => own_sentence(error),
    };
    // What is known about this very server comes first.
    let known = client.into_iter().flat_map(|client| protocol_quirks::known(&client.key().issuer));
    let known = known.filter(|quirk| quirks::may_explain(quirk, error));
    let mut checks: Vec<String> = known.filter_map(|quirk| explanations.quirk(quirk.id)).map(str::to_owned).collect();
    let usual = entry.and_then(|entry| entry.member("checks")?.as_array()).unwrap_or_default();
    checks.extend(usual.iter().filter_map(Value::as_str).map(str::to_owned));
    checks.extend(listed(error));
    let mut values = Vec::new();
    if let Some(client) = client {
        values.push(("Issuer", client.key().issuer.to_string()));
        values.push(("Client ID", client.key().client_id.to_string()));
        values.push(("Redirect URI sent", client.redirect_uri().to_string()));
    }
    values.push(("Origin of this page", site.origin().to_owned()));
    // A server's words may be long; a panel need not be.
    values.extend(quoted(error).into_iter().map(|(name, text)| (name, text.chars().take(500).collect())));
    Advice { summary, checks, values, more: more(error) }
}

/// The error's own words as a sentence. A name that they begin with is left as it is spelled.
fn own_sentence(error: &Error) -> String {
    let mut words = error.to_string();
    if cut(&words, b' ').0.bytes().all(|octet| octet.is_ascii_lowercase())
        && let Some(first) = words.get_mut(..1)
    {
        first.make_ascii_uppercase();
    }
    words.push('.');
    words
}

/// Which of several sentences about its code is that of this error; what has no sentence of its own has the code's.
fn variant(error: &Error) -> &str {
    match error {
        Error::Configuration(ConfigurationError::Unreachable(failure)) => kind(failure),
        Error::Configuration(ConfigurationError::Invalid(problems)) if problems.len() == 1 => "one",
        Error::Metadata(MetadataError::Unavailable { attempts })
            if attempts.iter().any(|attempt| matches!(attempt.problem, AttemptProblem::Failure(_))) =>
        {
            "unreadable"
        }
        Error::Callback(CallbackError::Malformed(FormError::Duplicate { .. })) => "duplicate",
        Error::Callback(CallbackError::UnknownState { error: Some(_) }) => "error",
        Error::Token(TokenError::UnsupportedTokenType { expected: TokenType::Dpop, .. }) => "dpop",
        _ => refusal(error).map_or("", |refusal| refusal.code),
    }
}

/// What kind of failure it was, as the codes of other stages have it.
fn kind(failure: &HttpFailure) -> &'static str {
    let (_, kind) = cut(Error::Token(TokenError::Network(failure.clone())).code(), b'.');
    kind.unwrap_or_default()
}

/// What stands for the placeholders in the sentence about this error.
fn arguments(error: &Error, explanations: &Explanations) -> Vec<Argument> {
    // Of most errors that hold another one, its words follow a colon.
    let own_words = error.to_string();
    let detail = cut(&own_words, b':').1.unwrap_or_default().trim_ascii().to_owned();
    let mut arguments = vec![("detail", detail)];
    let mut add = |name, text: &str| arguments.push((name, text.to_owned()));
    match error {
        Error::Configuration(ConfigurationError::Invalid(problems)) => add("count", &problems.len().to_string()),
        Error::Configuration(ConfigurationError::Missing { status })
        | Error::Token(TokenError::Status { status })
        | Error::Push(PushError::Status { status }) => add("status", &status.to_string()),
        Error::Metadata(MetadataError::InvalidMember(wrong))
        | Error::ResourceMetadata(ResourceMetadataError::InvalidMember(wrong)) => {
            add("name", &wrong.name);
            add("expected", &wrong.expected.to_string());
        }
        Error::Token(TokenError::InvalidMember { name, expected }) => {
            add("name", name);
            add("expected", expected);
        }
        Error::Metadata(MetadataError::MissingMember { name })
        | Error::Callback(CallbackError::FrontChannel { name }) => add("name", name),
        Error::AuthorizationRequest(AuthorizationRequestError::ParameterTwice { name })
        | Error::Resource(ResourceError::Header { name }) => add("name", name),
        Error::Callback(CallbackError::Stale { limit, .. }) => add("minutes", &(limit.0 / 60).to_string()),
        Error::Callback(CallbackError::UnknownState { error: Some(error) }) => add("error", error.as_str()),
        Error::IdToken(error) => add("more", &more_checks(error, explanations)),
        Error::ResourceMetadata(ResourceMetadataError::ResourceMismatch { expected, found }) => {
            add("expected", &expected.to_string());
            add("found", found);
        }
        _ => {}
    }
    arguments
}

/// How many checks failed beside the one that the sentence is about, if any did.
fn more_checks(error: &IdTokenError, explanations: &Explanations) -> String {
    let count = error.failed().len().saturating_sub(1);
    let key = match count {
        0 => return String::new(),
        1 => "one",
        _ => "several",
    };
    let text = explanations.entry("more_checks", key, "").and_then(Value::as_str).unwrap_or_default();
    fill(text, &[("count", count.to_string())])
}

/// Things to check that hold values: every problem of a configuration, every URL that gave no metadata.
fn listed(error: &Error) -> Vec<String> {
    match error {
        Error::Configuration(ConfigurationError::Invalid(problems)) => {
            problems.iter().map(ToString::to_string).collect()
        }
        Error::Metadata(MetadataError::Unavailable { attempts }) => {
            attempts.iter().map(|attempt| format!("{} gave: {}", attempt.url, attempt.problem)).collect()
        }
        _ => Vec::new(),
    }
}

/// The values that only this error knows.
fn quoted(error: &Error) -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    match error {
        Error::Metadata(MetadataError::IssuerMismatch { expected, found }) => {
            values.push(("Issuer expected", expected.to_string()));
            values.push(("Issuer in the metadata", found.clone()));
        }
        Error::Metadata(MetadataError::InvalidMember(wrong)) => values.push(("Found", wrong.found.clone())),
        Error::Metadata(MetadataError::PkceUnsupported { methods }) => {
            values.push(("Methods it lists", methods.clone()));
        }
        Error::AuthorizationRequest(AuthorizationRequestError::RedirectUriOrigin { redirect_uri, .. }) => {
            values.push(("Redirect URI", redirect_uri.to_string()));
        }
        Error::AuthorizationRequest(AuthorizationRequestError::SharedRedirectUri { other }) => {
            values.push(("Other server", other.to_string()));
        }
        Error::Callback(CallbackError::WrongRedirectUri { expected, received }) => {
            values.push(("Redirect URI expected", expected.to_string()));
            values.push(("Path received", received.clone()));
        }
        Error::Callback(CallbackError::IssuerMismatch { expected, received }) => {
            values.push(("Issuer expected", expected.to_string()));
            values.push(("Issuer received", received.clone()));
        }
        Error::Callback(CallbackError::Malformed(FormError::Duplicate { name })) => {
            values.push(("Parameter", name.clone()));
        }
        Error::Token(TokenError::NotJson { media_type })
        | Error::UserInfo(UserInfoError::NotReadable { media_type }) => {
            values.push(("Media type", media_type.clone()));
        }
        Error::Token(TokenError::UnsupportedTokenType { found, expected }) => {
            values.push(("token_type expected", expected.as_str().to_owned()));
            values.push(("token_type", found.clone()));
        }
        Error::IdToken(error) => values.extend(trust::failures(error)),
        Error::Keys(error) => values.push(("Keys", error.to_string())),
        Error::Resource(ResourceError::NotAllowed { url, allowed }) => {
            values.push(("URL", url.clone()));
            values.push(("The token may go to", join(allowed, ", ")));
        }
        _ => {}
    }
    if let Some(Refusal { status, code, description, uri }) = refusal(error) {
        values.extend(status.map(|status| ("Status", status.to_string())));
        values.push(("error", code.to_owned()));
        values.extend(description.clone().map(|text| ("error_description", text)));
        values.extend(uri.clone().map(|text| ("error_uri", text)));
    }
    values
}

/// What a server said when it refused.
struct Refusal<'a> {
    status: Option<u16>,
    code: &'a str,
    description: &'a Option<String>,
    uri: &'a Option<String>,
}

fn refusal(error: &Error) -> Option<Refusal<'_>> {
    match error {
        Error::Callback(CallbackError::Refused(refusal)) => Some(Refusal {
            status: None,
            code: refusal.error.as_str(),
            description: &refusal.error_description,
            uri: &refusal.error_uri,
        }),
        Error::Token(TokenError::Refused(refusal)) | Error::Push(PushError::Refused(refusal)) => Some(Refusal {
            status: Some(refusal.status),
            code: refusal.error.as_str(),
            description: &refusal.error_description,
            uri: &refusal.error_uri,
        }),
        _ => None,
    }
}

/// An `error_uri` that may be shown as a link: https and nothing else.
fn more(error: &Error) -> Option<String> {
    let uri = refusal(error)?.uri.as_deref()?;
    let url = Url::parse(uri).ok()?;
    url.origin().starts_with("https://").then(|| uri.to_owned())
}
