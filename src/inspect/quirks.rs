//! Which errors are explained by what is known about a server that departs from the specifications.

use crate::protocol::authorization_response::CallbackError;
use crate::protocol::error::Error;
use crate::protocol::http::HttpFailure;
use crate::protocol::keys::KeysError;
use crate::protocol::metadata::{Attempt, AttemptProblem, MetadataError};
use crate::protocol::pushed_authorization::PushError;
use crate::protocol::quirks::{Deviation, Quirk};
use crate::protocol::token_response::TokenError;
use crate::protocol::userinfo::UserInfoError;

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
