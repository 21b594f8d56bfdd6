//! What is known about a server that departs from the specifications, in words.

use crate::protocol::error::Error;
use crate::protocol::metadata::MetadataError;
use crate::protocol::quirks::{Deviation, Quirk};
use crate::protocol::token_response::TokenError;

/// What it does, and what to do about it.
pub fn explain(quirk: &Quirk) -> &'static str {
    match quirk.deviation {
        Deviation::IssuerTemplate => {
            "This address serves the people of many tenants. Its metadata names the issuer by a template, and each ID token by the tenant of the person: that is accepted here, for a tenant that the token's tid names."
        }
        Deviation::OtherIssuer => {
            "The issuer of this address is another one, which its metadata names: copy that into config.json as issuer."
        }
        Deviation::SecretDemanded => {
            "Its token endpoint wants a client secret also of clients that cannot keep one. A page has none to send, so a sign-in without a server of one's own ends there."
        }
        Deviation::PageMustBeRegistered => {
            "Its token endpoint answers a page only if the redirect URI is registered for the platform Single-page application; for Web or Mobile it says AADSTS9002326."
        }
        Deviation::NoCors => {
            "Its token endpoint lets no page of another origin read its answer, so a sign-in without a server of one's own ends there."
        }
        Deviation::FormPost => {
            "With name or email in scope it sends its answer as a form post, which a site of static files cannot receive."
        }
        Deviation::TrailingSlash => "Its issuer ends in a slash.",
        Deviation::OriginsRegistered => {
            "It answers this page only if this origin is registered there, apart from the redirect URI (in Keycloak as a web origin of the client, at Okta as a trusted origin with CORS)."
        }
    }
}

/// Whether it may well be the reason for this error.
pub fn may_explain(quirk: &Quirk, error: &Error) -> bool {
    let refused = matches!(error, Error::Token(TokenError::Refused(_) | TokenError::Status { .. }));
    let unreadable = matches!(error, Error::Token(TokenError::Network(_)) | Error::UserInfo(_) | Error::Keys(_));
    let no_metadata = matches!(error, Error::Metadata(MetadataError::Unavailable { .. }));
    let mismatch = matches!(error, Error::Metadata(MetadataError::IssuerMismatch { .. }));
    match quirk.deviation {
        Deviation::IssuerTemplate => false,
        Deviation::OtherIssuer | Deviation::TrailingSlash => mismatch,
        Deviation::SecretDemanded => refused,
        Deviation::PageMustBeRegistered => refused || unreadable,
        Deviation::NoCors => unreadable || no_metadata,
        Deviation::FormPost => matches!(error, Error::Callback(_)),
        Deviation::OriginsRegistered => unreadable || no_metadata,
    }
}
