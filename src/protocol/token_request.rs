//! The token request: the code and its verifier, once, to the token endpoint of the server that was asked.
//!
//! Rule: a form post without further headers, so that no preflight is needed but where a proof of possession goes along (RFC
//! 9449); no client secret is expressible.
//!
//! Source: RFC 6749 §4.1.3, §3.2.1; RFC 7636 §4.5; RFC 9700 §4.4.2.

use super::authorization_response::AuthorizationGrant;
use super::client::{ClientKey, TokenStorage};
use super::form;
use super::http::{HttpRequest, Limits};
use super::id_token::IdTokenRequest;
use super::pkce::CodeChallenge;
use super::return_path::ReturnPath;
use super::time::Seconds;
use super::url::Url;
use super::vocabulary::Scope;

/// A request, and what its answer will be read with.
#[derive(Debug)]
pub struct TokenRequest {
    /// The message; it holds code and verifier, which exist nowhere else any more.
    pub http: HttpRequest,
    /// What remains here.
    pub exchange: Exchange,
}

/// What is known of a code exchange while its answer is awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Whose session it will be.
    pub key: ClientKey,
    /// The scope that was asked for.
    pub scope: Option<Scope>,
    /// What the ID token must answer, if `openid` was asked for.
    pub id_token: Option<IdTokenRequest>,
    /// Whether the tokens will be bound to a key of this browser.
    pub dpop: bool,
    /// The thumbprint of that key, if it will still be there when the page is loaded anew.
    pub dpop_jkt: Option<String>,
    /// Where the tokens will live.
    pub token_storage: TokenStorage,
    /// Where the person was.
    pub return_path: Option<ReturnPath>,
    /// Where the tokens come from, and are renewed.
    pub(super) token_endpoint: Url,
    /// The resources that the tokens are asked for.
    pub(super) resource: Vec<String>,
    /// What tells the session from all others: the code challenge of its request, which is no secret.
    pub(super) session_id: String,
    /// Whether the session is to be asked for anew when it is lost.
    pub(super) restore: bool,
    /// Whether the ID token is kept for signing out at the server.
    pub(super) id_token_hint: bool,
}

/// Bounds of a token answer: 20 s over headers and body, 256 KiB.
pub(super) const LIMITS: Limits = Limits { deadline: Seconds(20), body: 256 * 1024 };

impl TokenRequest {
    /// The request for `grant`; takes it, because a code is sent at most once (RFC 6749 §4.1.2).
    pub fn new(grant: AuthorizationGrant) -> Self {
        let AuthorizationGrant { pending, code } = grant;
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", pending.redirect_uri.as_str()),
            ("client_id", pending.key.client_id.as_str()),
            ("code_verifier", pending.code_verifier.expose()),
        ];
        // RFC 8707 §2.2: what the token is for, of what the code may be used for.
        parameters.extend(pending.resource.iter().map(|resource| ("resource", resource.as_str())));
        let body = form::encode(&parameters);
        Self {
            http: HttpRequest::post(pending.token_endpoint.clone(), body, LIMITS),
            exchange: Exchange {
                token_endpoint: pending.token_endpoint,
                resource: pending.resource,
                session_id: CodeChallenge::s256(&pending.code_verifier).as_str().to_owned(),
                restore: pending.restore,
                id_token_hint: pending.id_token_hint,
                key: pending.key,
                scope: pending.scope,
                id_token: pending.id_token,
                dpop: pending.dpop,
                dpop_jkt: pending.dpop_jkt,
                token_storage: pending.token_storage,
                return_path: pending.return_path,
            },
        }
    }
}
