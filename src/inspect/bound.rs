//! What went wrong with pushed requests and with tokens that are bound to a key, and what to check next.

use super::trust::Sentence;
use crate::protocol::pushed_authorization::PushError;

/// The request could not be pushed.
pub(super) fn push(error: &PushError) -> Sentence {
    match error {
        PushError::MissingRequestUri => (
            "The server took the pushed request and did not say what to call it.".into(),
            vec!["Tell the server's administrator (RFC 9126 §2.2)."],
        ),
        PushError::Network(failure) => (
            format!("The request could not be pushed to the server: {failure}."),
            vec![
                "Check that the server is running and that it lets this origin use its pushed_authorization_request_endpoint (CORS).",
                "Without pushed_authorization_requests in config.json the request goes into the address, if the server allows that.",
            ],
        ),
        PushError::NonceHidden => nonce_hidden("server"),
        PushError::Refused(_) => (
            "The server refused the pushed request, so nobody was sent there.".into(),
            vec![
                "Read the server's words below; they are about a parameter, as they would be on its own page.",
                "Compare client ID and redirect URI below with the registered ones.",
            ],
        ),
        PushError::Status { status } => (
            format!("The pushed request was answered with status {status}, without saying why."),
            vec!["Check pushed_authorization_request_endpoint.", "Look into the server's log."],
        ),
    }
}

pub(super) fn no_push_endpoint() -> Sentence {
    (
        "Requests are to be pushed, and the server's metadata has no endpoint for that.".into(),
        vec![
            "Remove pushed_authorization_requests from config.json, if this server does not have them.",
            "Or give pushed_authorization_request_endpoint under metadata.",
        ],
    )
}

pub(super) fn no_proof_key() -> Sentence {
    (
        "The browser makes no key to bind the tokens to, and dpop is configured.".into(),
        vec!["Open the page by https or on a loopback host: WebCrypto is there and nowhere else."],
    )
}

/// The server wants a nonce that the page cannot read.
pub(super) fn nonce_hidden(who: &str) -> Sentence {
    (
        format!("The {who} wants a nonce in the DPoP proof and gave none that this page can read."),
        vec![
            "Let the server expose the header DPoP-Nonce (Access-Control-Expose-Headers): browsers hide it from other origins.",
            "If it is exposed, the server refuses each nonce that it gives: look into its log.",
        ],
    )
}

pub(super) fn not_bound() -> Sentence {
    (
        "The token is not bound to this browser's key, though a proof was sent, so it was thrown away (RFC 9449 §5)."
            .into(),
        vec![
            "Switch DPoP on for this client at the server.",
            "Or remove dpop from config.json, if bearer tokens are good enough.",
        ],
    )
}
