//! The checks of an ID token in words: what each is about, and what it found.

use crate::protocol::id_token::{Check, CheckId, IdTokenError, Outcome};

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
