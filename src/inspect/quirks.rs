//! What is known about a server that departs from the specifications, in words.

use crate::protocol::authorization_response::CallbackError;
use crate::protocol::error::Error;
use crate::protocol::http::HttpFailure;
use crate::protocol::keys::KeysError;
use crate::protocol::metadata::{Attempt, AttemptProblem, MetadataError};
use crate::protocol::pushed_authorization::PushError;
use crate::protocol::quirks::{Deviation, Quirk};
use crate::protocol::token_response::TokenError;
use crate::protocol::userinfo::UserInfoError;

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
        Deviation::OwnSignOut => {
            "It has no sign-out as OpenID Connect describes it, or not for every client: whoever signs out here may stay signed in there."
        }
    }
}

/// Whether it may well be the reason for this error.
pub fn may_explain(quirk: &Quirk, error: &Error) -> bool {
    let refused = matches!(error, Error::Token(TokenError::Refused(_) | TokenError::Status { .. }));
    // A browser does not tell a server that answers nobody from one that answers everybody but this page.
    let unreadable = match error {
        Error::Push(PushError::Network(failure))
        | Error::Token(TokenError::Network(failure))
        | Error::UserInfo(UserInfoError::Network(failure)) => *failure == HttpFailure::Unreachable,
        Error::Keys(KeysError::Unavailable(attempt)) => is_unreadable(attempt),
        Error::Metadata(MetadataError::Unavailable { attempts }) => attempts.iter().any(is_unreadable),
        _ => false,
    };
    match quirk.deviation {
        Deviation::IssuerTemplate | Deviation::OwnSignOut => false,
        Deviation::OtherIssuer | Deviation::TrailingSlash => {
            matches!(error, Error::Metadata(MetadataError::IssuerMismatch { .. }))
        }
        Deviation::SecretDemanded => refused,
        Deviation::PageMustBeRegistered => {
            refused || matches!(error, Error::Token(TokenError::Network(HttpFailure::Unreachable)))
        }
        Deviation::NoCors | Deviation::OriginsRegistered => unreadable,
        Deviation::FormPost => {
            matches!(error, Error::Callback(CallbackError::MissingCode | CallbackError::Refused(_)))
        }
    }
}

fn is_unreadable(attempt: &Attempt) -> bool {
    attempt.problem == AttemptProblem::Failure(HttpFailure::Unreachable)
}
