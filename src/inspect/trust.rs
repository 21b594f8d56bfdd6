//! Why an ID token or its keys were refused, and what to check next.

use crate::protocol::id_token::{Check, CheckId, IdTokenError, Outcome};
use crate::protocol::keys::KeysError;
use crate::protocol::userinfo::UserInfoError;

/// A sentence, and what to check, most likely first.
pub(super) type Sentence = (String, Vec<&'static str>);

const TELL: &str = "Tell the server's administrator, with the list of checks below.";
const CLOCKS: &str = "Check date and time of this device; if they are right, the server's clock is wrong.";

/// The issuer's keys could not be had.
pub(super) fn keys(error: &KeysError) -> Sentence {
    match error {
        KeysError::NotKeys => (
            "What stands at the server's jwks_uri is no key set, so its ID token could not be verified.".into(),
            vec!["Check jwks_uri in the server's metadata.", "Tell the server's administrator (RFC 7517 §5)."],
        ),
        KeysError::Unavailable(_) => (
            "The server's keys could not be fetched, so its ID token could not be verified and nobody is signed in."
                .into(),
            vec![
                "Sign in again; the code is used up.",
                "Check that the server lets this origin read its jwks_uri (CORS): browsers report a refusal like a server that is not there.",
            ],
        ),
    }
}

/// The user info endpoint gave nothing that can be used.
pub(super) fn userinfo(error: &UserInfoError) -> Sentence {
    let (words, check) = match error {
        UserInfoError::Expired => ("its times do not fit the clock", CLOCKS),
        UserInfoError::Foreign => {
            ("its signature is for another client or by another issuer", "Compare issuer and client ID below.")
        }
        UserInfoError::Malformed => {
            ("it cannot be read", "Tell the server's administrator (OpenID Connect Core §5.3.2).")
        }
        UserInfoError::NoEndpoint => (
            "the server's metadata has no userinfo_endpoint",
            "Ask for the claims in the ID token, if the server offers that.",
        ),
        UserInfoError::NoIdToken => ("nobody signed in with openid", "Sign in with openid in scope."),
        UserInfoError::Network(_) => (
            "no answer came that this page can read",
            "Check that the server lets this origin use its userinfo_endpoint (CORS), with the header Authorization.",
        ),
        UserInfoError::NotReadable { .. } => {
            ("it is neither JSON nor a signed JWT", "Check userinfo_endpoint; encrypted answers are not read here.")
        }
        UserInfoError::Signature => (
            "its signature is by no key of the server that could be checked",
            "Check userinfo_signing_alg_values_supported and jwks_uri in the server's metadata.",
        ),
        UserInfoError::Status { .. } => ("the server refused", "Sign in again: the token may have expired."),
        UserInfoError::SubMismatch => (
            "it is about somebody else than the ID token",
            "Sign in again. If it happens again, tell the server's administrator.",
        ),
    };
    (format!("The user info was not used: {words}."), vec![check])
}

/// The ID token failed a check.
pub(super) fn id_token(error: &IdTokenError) -> Sentence {
    let more = match error.failed().len() {
        0 | 1 => String::new(),
        2 => " One more check failed.".to_owned(),
        count => format!(" {} more checks failed.", count - 1),
    };
    let (words, checks) = reason(error.primary());
    (
        format!("The ID token was refused, and the access token that came with it was thrown away: {words}.{more}"),
        checks,
    )
}

fn reason(first: CheckId) -> (&'static str, Vec<&'static str>) {
    match first {
        CheckId::Encryption => (
            "it is not a signed JWT that this client reads",
            vec!["Register the client without encryption of ID tokens.", TELL],
        ),
        CheckId::Issuer => (
            "it names another issuer",
            vec![
                "Compare the two issuers below: the configured one must be spelled as the server does, trailing slash and all.",
                "If they are two different servers, do not sign in there again.",
            ],
        ),
        CheckId::Audience | CheckId::AuthorizedPartyPresent | CheckId::AuthorizedParty => (
            "it is for another client, or not for this one alone",
            vec!["Compare the client ID below with the registered one.", TELL],
        ),
        CheckId::Signature => (
            "its signature is by no key of the server that could be checked",
            vec![
                "Sign in again: a server that changes its keys is out of step for a moment.",
                "Check that jwks_uri in the server's metadata holds the keys that it signs with.",
            ],
        ),
        CheckId::Algorithm | CheckId::Mac => (
            "it is signed by an algorithm that is not allowed here",
            vec![
                "Register the client for an algorithm that the server lists in id_token_signing_alg_values_supported, RS256 or ES256 for example.",
                "HS256 needs a shared secret, and a page has none; none is no signature.",
            ],
        ),
        CheckId::Expiry | CheckId::IssuedAt | CheckId::NotBefore => ("its times do not fit the clock", vec![CLOCKS]),
        CheckId::Nonce => (
            "it does not answer this request",
            vec![
                "Sign in again from this tab.",
                "If you followed a link to get here: somebody may have tried to sign you in as somebody else. Nobody is signed in.",
            ],
        ),
        CheckId::Acr => (
            "the person did not sign in the way that was asked for",
            vec!["Compare acr_values in config.json with what the server offers this client."],
        ),
        CheckId::AuthTime => {
            ("the person signed in too long ago, or the token does not say when", vec!["Sign in again.", CLOCKS])
        }
        CheckId::Subject | CheckId::Type => ("it is no ID token about a person", vec![TELL]),
        CheckId::AtHash => ("it belongs to another access token", vec!["Sign in again.", TELL]),
    }
}

/// Each failed check in a line.
pub(super) fn failures(error: &IdTokenError) -> Vec<(&'static str, String)> {
    let failed = error.checks().into_iter().filter(|check| check.outcome == Outcome::Failed);
    failed.map(|check| (check.section, in_words(&check))).collect()
}

/// What was expected and what was found.
pub fn in_words(check: &Check) -> String {
    match check.outcome {
        Outcome::NotApplicable => format!("Nothing to check: {}.", check.expected),
        Outcome::Passed | Outcome::Failed => format!("Expected {}; found {}.", check.expected, check.found),
    }
}

/// What a check is about, in a few words.
pub fn title(id: CheckId) -> &'static str {
    match id {
        CheckId::Encryption => "Signed, not encrypted",
        CheckId::Issuer => "Issuer (iss)",
        CheckId::Audience => "Audience (aud)",
        CheckId::AuthorizedPartyPresent => "Authorized party there (azp)",
        CheckId::AuthorizedParty => "Authorized party (azp)",
        CheckId::Signature => "Signature",
        CheckId::Algorithm => "Algorithm (alg)",
        CheckId::Mac => "No shared secret",
        CheckId::Expiry => "Not expired (exp)",
        CheckId::IssuedAt => "Issued (iat)",
        CheckId::Nonce => "Answers this request (nonce)",
        CheckId::Acr => "Way of signing in (acr)",
        CheckId::AuthTime => "Time of signing in (auth_time)",
        CheckId::Subject => "Subject (sub)",
        CheckId::NotBefore => "Valid already (nbf)",
        CheckId::Type => "Kind of token (typ)",
        CheckId::AtHash => "Belongs to the access token (at_hash)",
    }
}
