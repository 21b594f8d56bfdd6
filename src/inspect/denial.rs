//! Why an API said no, in words, and what would help; and why it does not say whose tokens it takes.

use super::trust::Sentence;
use crate::protocol::challenge::{Denial, Reason, Source, StepUp};
use crate::protocol::resource_metadata::ResourceMetadataError;
use crate::protocol::text::join;

/// What happened, and what to do about it.
pub fn explain(denial: &Denial) -> [String; 2] {
    let [what, help] = match &denial.reason {
        Reason::Bare => [
            "The API wants a token and does not say what was wrong with this one.",
            "Sign in again, or look into the API's log.",
        ],
        Reason::Hidden => [
            "The API says no, and its reason cannot be read here: browsers hide WWW-Authenticate from other origins.",
            "Let the API expose the header (Access-Control-Expose-Headers: WWW-Authenticate). Until then only the status speaks.",
        ],
        Reason::InsufficientScope { scope: Some(scope) } => {
            return [
                format!("The token is good, but not for this: it needs the scope {}.", scope.as_str()),
                "Ask for that scope in config.json, and sign in again.".to_owned(),
            ];
        }
        Reason::InsufficientScope { scope: None } => [
            "The token is good, but not for this: it needs more scope.",
            "Ask for more scope in config.json, and sign in again.",
        ],
        Reason::InvalidDpopProof => [
            "The API does not accept the proof that the token is this browser's.",
            "Check the clock of this device, and that the API's address is what it believes it is: the proof names both.",
        ],
        Reason::InvalidRequest => ["The API cannot read the request.", "Compare it with the API's documentation."],
        Reason::InvalidToken => ["The token is unknown, expired or revoked.", "Sign in again."],
        Reason::StepUp(demand) => return step_up(demand),
        Reason::UseDpopNonce => [
            "The API wants another nonce in the proof, again.",
            "Look into the API's log: it refuses each nonce that it gives.",
        ],
        Reason::Other { error } => {
            return [format!("The API says no: {error}."), "Look the code up in the API's documentation.".to_owned()];
        }
    };
    [what.to_owned(), help.to_owned()]
}

/// Where the reason was read.
pub fn source(denial: &Denial) -> &'static str {
    match denial.source {
        Source::Challenge => "read from WWW-Authenticate (RFC 6750 §3)",
        Source::Body => "read from the body, because WWW-Authenticate cannot be read here",
        Source::Status => "from the status alone",
    }
}

fn step_up(demand: &StepUp) -> [String; 2] {
    let mut wishes = Vec::new();
    if !demand.acr_values.is_empty() {
        wishes.push(format!("in one of these ways: {}", join(&demand.acr_values, ", ")));
    }
    if let Some(max_age) = demand.max_age {
        wishes.push(format!("at most {} s ago", max_age.0));
    }
    let how = if wishes.is_empty() { "in another way".to_owned() } else { join(&wishes, ", and ") };
    [
        format!("The token is good, but for this the person must have signed in {how} (RFC 9470)."),
        "Sign in once more as the API demands it; you will come back to this page.".to_owned(),
    ]
}

/// The API's metadata could not be used.
pub(super) fn resource_metadata(error: &ResourceMetadataError) -> Sentence {
    match error {
        ResourceMetadataError::HeaderUnsupported { .. } => (
            "The API takes tokens in another way than this page sends them.".into(),
            vec!["This page puts a token into the Authorization header and nowhere else (RFC 6750 §2.1)."],
        ),
        ResourceMetadataError::InvalidMember(wrong) => (
            format!("What the API says about itself is wrong: {} should be {}.", wrong.name, wrong.expected),
            vec!["Tell the API's administrator (RFC 9728 §2)."],
        ),
        ResourceMetadataError::ResourceMismatch { expected, found } => (
            format!("The metadata is about another API: asked was {expected}, and it says {found} (RFC 9728 §3.3)."),
            vec!["Write the address exactly as the API calls itself: a slash more or less is another name."],
        ),
        ResourceMetadataError::Unavailable(problem) => (
            format!("The API does not say whose tokens it takes: {problem}."),
            vec![
                "Many APIs have no such metadata (RFC 9728): then look up its authorization server in its documentation.",
                "If it has, it must let this origin read it (CORS).",
            ],
        ),
        ResourceMetadataError::Url(error) => (
            format!("This is no address of an API: {error}."),
            vec!["Write it whole, e.g. https://api.example/photos."],
        ),
    }
}
