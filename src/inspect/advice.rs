//! What happened, in one sentence, and what to check next, most likely first.
//!
//! The sentences stand in a file (`explanations`), by an error's code. Without it an error speaks for itself. Here is what
//! only the error knows: which of several sentences is its own, and the values in it and below it.
//!
//! Rule: every error code has a sentence and at least one thing to check. Text from a server is quoted, never
//! trusted; no secret is an argument here.

use super::explanations::{Explanations, Texts, fill};
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
use crate::protocol::session::SessionError;
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
    let (mut arguments, mut values) = (Texts::default(), Texts::default());
    if let Some(client) = client {
        values.add("Issuer", client.key().issuer.as_str());
        values.add("Client ID", client.key().client_id.as_str());
        values.add("Redirect URI sent", client.redirect_uri().as_str());
    }
    values.add("Origin of this page", site.origin());
    tell(error, explanations, &mut arguments, &mut values);
    let entry = explanations.entry("errors", error.code(), variant(error));
    let summary = match entry.and_then(|entry| entry.text("summary")) {
        Some(text) => fill(text, &arguments),
        None => own_sentence(error),
    };
    let mut checks = Vec::new();
    // What is known about this very server comes first.
    if let Some(client) = client {
        let known = protocol_quirks::known(&client.key().issuer).filter(|quirk| quirks::may_explain(quirk, error));
        checks.extend(known.filter_map(|quirk| explanations.quirk(quirk.id)).map(str::to_owned));
    }
    let usual = entry.and_then(|entry| entry.member("checks")?.as_array()).unwrap_or_default();
    checks.extend(usual.iter().filter_map(Value::as_str).map(str::to_owned));
    checks.extend(listed(error));
    Advice { summary, checks, values: values.0, more: more(error) }
}

/// The error's own words as a sentence. A name that they begin with is left as it is spelled.
fn own_sentence(error: &Error) -> String {
    if has_foreign_words(error) {
        return ["Something did not go as it should: ", error.code(), "."].concat();
    }
    let mut words = error.to_string();
    if cut(&words, b' ').0.bytes().all(|octet| octet.is_ascii_lowercase())
        && let Some(first) = words.get_mut(..1)
    {
        first.make_ascii_uppercase();
    }
    words.push('.');
    words
}

/// Whether the error's own words hold what a server or an address bar said: that is shown where it is quoted, and nowhere
/// as if this page said it.
fn has_foreign_words(error: &Error) -> bool {
    matches!(
        error,
        Error::Callback(
            CallbackError::IssuerMismatch { .. }
                | CallbackError::Malformed(_)
                | CallbackError::Refused(_)
                | CallbackError::WrongRedirectUri { .. }
        ) | Error::Token(TokenError::NotJson { .. } | TokenError::Refused(_) | TokenError::UnsupportedTokenType { .. })
            | Error::Metadata(_)
            | Error::Push(_)
            | Error::Keys(_)
            | Error::ResourceMetadata(_)
            | Error::UserInfo(_)
    )
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
        Error::Callback(CallbackError::UnknownState { error: Some(error) }) if error.registered().is_some() => "error",
        Error::Token(TokenError::UnsupportedTokenType { expected: TokenType::Dpop, .. }) => "dpop",
        _ => refusal(error).map_or("", |refusal| refusal.code),
    }
}

/// What kind of failure it was, as the codes of other stages have it.
fn kind(failure: &HttpFailure) -> &'static str {
    let (_, kind) = cut(Error::Token(TokenError::Network(failure.clone())).code(), b'.');
    kind.unwrap_or_default()
}

/// What only this error knows: what stands for the placeholders of its sentence, and the values to show.
fn tell(error: &Error, explanations: &Explanations, arguments: &mut Texts, values: &mut Texts) {
    // Of most errors that hold another one, its words follow a colon.
    let own_words = error.to_string();
    arguments.add("detail", cut(&own_words, b':').1.unwrap_or_default().trim_ascii());
    match error {
        Error::Configuration(ConfigurationError::Invalid(problems)) => arguments.number("count", problems.len() as u64),
        Error::Configuration(ConfigurationError::Missing { status })
        | Error::Token(TokenError::Status { status })
        | Error::Push(PushError::Status { status }) => arguments.number("status", (*status).into()),
        Error::Metadata(MetadataError::InvalidMember(wrong))
        | Error::ResourceMetadata(ResourceMetadataError::InvalidMember(wrong)) => {
            arguments.add("name", &wrong.name);
            arguments.add("expected", &wrong.expected.to_string());
            if matches!(error, Error::Metadata(_)) {
                values.add("Found", &wrong.found);
            }
        }
        Error::Metadata(MetadataError::IssuerMismatch { expected, found }) => {
            values.add("Issuer expected", expected.as_str());
            values.add("Issuer in the metadata", found);
        }
        Error::Metadata(MetadataError::MissingMember { name })
        | Error::Callback(CallbackError::FrontChannel { name }) => arguments.add("name", name),
        Error::Metadata(MetadataError::PkceUnsupported { methods }) => values.add("Methods it lists", methods),
        Error::AuthorizationRequest(AuthorizationRequestError::ParameterTwice { name })
        | Error::Resource(ResourceError::Header { name }) => arguments.add("name", name),
        Error::AuthorizationRequest(AuthorizationRequestError::RedirectUriOrigin { redirect_uri, .. }) => {
            values.add("Redirect URI", redirect_uri.as_str());
        }
        Error::AuthorizationRequest(AuthorizationRequestError::Loop { last: Some(last) }) => {
            values.add("Last error", last);
        }
        Error::AuthorizationRequest(AuthorizationRequestError::SharedRedirectUri { other }) => {
            values.add("Other server", other.as_str());
        }
        Error::Callback(CallbackError::IssuerMismatch { expected, received }) => {
            values.add("Issuer expected", expected.as_str());
            values.add("Issuer received", received);
        }
        Error::Callback(CallbackError::Malformed(FormError::Duplicate { name })) => values.add("Parameter", name),
        Error::Callback(CallbackError::Stale { limit, .. }) => arguments.number("minutes", limit.0 / 60),
        Error::Callback(CallbackError::UnknownState { error: Some(error) }) => {
            if let Some(code) = error.registered() {
                arguments.add("error", code.as_str());
            }
        }
        Error::Callback(CallbackError::WrongRedirectUri { expected, received }) => {
            values.add("Redirect URI expected", expected.as_str());
            values.add("Path received", received);
        }
        Error::Token(TokenError::InvalidMember { name, expected }) => {
            arguments.add("name", name);
            arguments.add("expected", &expected.to_string());
        }
        Error::Token(TokenError::NotJson { media_type })
        | Error::UserInfo(UserInfoError::NotReadable { media_type }) => values.add("Media type", media_type),
        Error::Token(TokenError::UnsupportedTokenType { found, expected }) => {
            values.add("token_type expected", expected.as_str());
            values.add("token_type", found);
        }
        Error::IdToken(error) => {
            arguments.add("more", &more_checks(error, explanations));
            for (name, text) in trust::failures(error) {
                values.add(name, &text);
            }
        }
        Error::Keys(_) => values.add("Keys", &own_words),
        Error::Resource(ResourceError::NotAllowed { url, allowed }) => {
            values.add("URL", url);
            values.add("The token may go to", &join(allowed, ", "));
        }
        Error::ResourceMetadata(ResourceMetadataError::ResourceMismatch { expected, found }) => {
            arguments.add("expected", expected);
            arguments.add("found", found);
        }
        _ => {}
    }
    let Some(Refusal { status, code, description, uri }) = refusal(error) else { return };
    if let Some(status) = status {
        values.number("Status", status.into());
    }
    values.add("error", code);
    for (name, text) in [("error_description", description), ("error_uri", uri)] {
        if let Some(text) = text {
            values.add(name, text);
        }
    }
}

/// How many checks failed beside the one that the sentence is about, if any did.
fn more_checks(error: &IdTokenError, explanations: &Explanations) -> String {
    let count = error.failed().len().saturating_sub(1);
    let key = match count {
        0 => return String::new(),
        1 => "one",
        _ => "several",
    };
    let mut arguments = Texts::default();
    arguments.number("count", count as u64);
    fill(explanations.entry("more_checks", key, "").and_then(Value::as_str).unwrap_or_default(), &arguments)
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
        Error::Token(TokenError::Refused(refusal))
        | Error::Session(SessionError::Expired(refusal))
        | Error::Push(PushError::Refused(refusal)) => Some(Refusal {
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
