//! The token response: tokens, or why there are none.
//!
//! In scope: reading the answer of the token endpoint, and saying what was tolerated in it.
//! Out of scope: verifying the ID token (`id_token`).
//!
//! Rule: only status 200 with a JSON media type is a success. An OAuth error is read whatever its media type or
//! status, because some servers send it as text/html. Unknown members are ignored, duplicate ones refuse the answer.
//!
//! Source: RFC 6749 §5.1, §5.2; RFC 6750 §4.

use std::fmt;

use super::authorization_response::{LONGEST_CODE, error_codes};
use super::http::{HttpFailure, HttpResponse};
use super::json::{JsonError, Value};
use super::problem::Expected;
use super::secret::{AccessToken, IdToken, RefreshToken};
use super::text::shorten;
use super::time::Seconds;
use super::vocabulary::Scope;

/// A successful token response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenResponse {
    /// The access token; its type is the one that was asked for.
    pub access_token: AccessToken,
    /// The lifetime from the moment of the answer; `None` if the server does not say.
    pub expires_in: Option<Seconds>,
    /// The refresh token, if one came.
    pub refresh_token: Option<RefreshToken>,
    /// The granted scope, if it came.
    pub scope: Option<Scope>,
    /// The ID token, if one came; nothing in it is believed yet.
    pub id_token: Option<IdToken>,
    /// What was tolerated.
    pub tolerated: Vec<Tolerance>,
}

/// How an access token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Whoever has it may use it (RFC 6750).
    Bearer,
    /// Only who has the key may (RFC 9449).
    Dpop,
}

impl TokenType {
    /// What was asked for.
    pub fn asked(dpop: bool) -> Self {
        if cfg!(feature = "dpop") && dpop { Self::Dpop } else { Self::Bearer }
    }

    /// Its name on the wire; case does not matter there (RFC 6749 §5.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// A departure from RFC 6749 §5.1 that is accepted and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// The lifetime came as `expires`, as early drafts spelled it, and `expires_in` was absent.
    ExpiresInsteadOfExpiresIn,
    /// The lifetime came as a string.
    LifetimeAsString,
    /// The lifetime was zero, with which no token could ever be used; it counts as unknown.
    LifetimeZero,
    /// `scope` was there and is no list of scope tokens; it was ignored.
    ScopeIgnored,
    /// `token_type` was absent; Bearer was assumed.
    TokenTypeMissing,
}

/// Why there are no tokens.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// An HTML page came with status 200, as captive portals and misrouted servers answer.
    Html,
    /// A member has the wrong type or form.
    InvalidMember {
        /// Its name.
        name: &'static str,
        /// What RFC 6749 §5.1 asks for.
        expected: Expected,
    },
    /// The body is no JSON document.
    Malformed(JsonError),
    /// There is no `access_token`, or the document is no object.
    MissingAccessToken,
    /// The server wants a nonce in the DPoP proof and gave none that this page may read (RFC 9449 §9).
    NonceHidden,
    /// `openid` was asked for and there is no `id_token`: whoever signed in is not known (OpenID Connect Core §3.1.3.3).
    MissingIdToken,
    /// No whole answer. Whether the server has seen the code is unknown, so it is not sent again (RFC 6749 §4.1.2).
    Network(HttpFailure),
    /// The media type of a 200 answer is not JSON.
    NotJson {
        /// The media type.
        media_type: String,
    },
    /// The server refused.
    Refused(TokenErrorResponse),
    /// A status other than 200, without an OAuth error.
    Status {
        /// The status.
        status: u16,
    },
    /// A token type that this client does not use; the token is not used.
    UnsupportedTokenType {
        /// The type; empty if the server named none where one was needed.
        found: String,
        /// The type that was asked for.
        expected: TokenType,
    },
}

/// An error response, as the server worded it (RFC 6749 §5.2). Untrusted text, to be shown as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenErrorResponse {
    /// The error code; at most 100 octets are kept.
    pub error: String,
    /// For developers; at most 500 characters are kept.
    pub error_description: Option<String>,
    /// A page about the error; at most 500 characters are kept.
    pub error_uri: Option<String>,
    /// The status it came with.
    pub status: u16,
}

impl TokenErrorResponse {
    /// What the error code means.
    pub fn code(&self) -> TokenErrorCode {
        TokenErrorCode::parse(&self.error)
    }
}

error_codes! {
    /// Error codes of the token endpoint.
    TokenErrorCode {
        /// The client is unknown, or must authenticate (RFC 6749 §5.2).
        InvalidClient = "invalid_client",
        /// The code is expired, used, for another client or redirect URI, or the verifier is wrong (RFC 6749 §5.2).
        InvalidGrant = "invalid_grant",
        /// A parameter is missing, wrong, or there twice (RFC 6749 §5.2).
        InvalidRequest = "invalid_request",
        /// The scope is unknown, malformed or too wide (RFC 6749 §5.2).
        InvalidScope = "invalid_scope",
        /// The resource is unknown or not allowed (RFC 8707 §2).
        InvalidTarget = "invalid_target",
        /// This client may not use this grant (RFC 6749 §5.2).
        UnauthorizedClient = "unauthorized_client",
        /// The server does not know this grant (RFC 6749 §5.2).
        UnsupportedGrantType = "unsupported_grant_type",
        /// The DPoP proof needs a nonce (RFC 9449 §8).
        UseDpopNonce = "use_dpop_nonce",
    }
}

/// The longest lifetime that is believed: ten years.
const LONGEST_LIFETIME: f64 = 315_360_000.0;

impl TokenResponse {
    /// Reads the answer of the token endpoint.
    ///
    /// # Errors
    /// [`TokenError`]; no part of the answer is used then.
    pub fn read(outcome: Result<HttpResponse, HttpFailure>, expected: TokenType) -> Result<Self, TokenError> {
        let response = outcome.map_err(TokenError::Network)?;
        let document = Value::parse(&response.body);
        if let Ok(document) = &document
            && let Some(refusal) = refusal(document, response.status)
        {
            return Err(TokenError::Refused(refusal));
        }
        if response.status != 200 {
            return Err(TokenError::Status { status: response.status });
        }
        if !response.is_json() {
            return Err(match response.media_type().unwrap_or_default() {
                media_type if media_type == "text/html" => TokenError::Html,
                media_type => TokenError::NotJson { media_type },
            });
        }
        Self::from_document(&document.map_err(TokenError::Malformed)?, expected)
    }

    fn from_document(document: &Value, expected: TokenType) -> Result<Self, TokenError> {
        let mut tolerated = Vec::new();
        let access_token = token(document, "access_token")?.ok_or(TokenError::MissingAccessToken)?;
        check_token_type(document, expected, &mut tolerated)?;
        let expires_in = lifetime(document, &mut tolerated)?;
        let scope = match document.member("scope").map(|value| value.as_str().map(Scope::parse)) {
            None => None,
            Some(Some(Ok(scope))) => Some(scope),
            // Servers send "" or an array; what was granted is then not known from here.
            Some(_) => {
                tolerated.push(Tolerance::ScopeIgnored);
                None
            }
        };
        Ok(Self {
            access_token: AccessToken::new(access_token),
            expires_in,
            refresh_token: token(document, "refresh_token")?.map(RefreshToken::new),
            scope,
            id_token: token(document, "id_token")?.map(IdToken::new),
            tolerated,
        })
    }
}

/// The OAuth error of an answer, if it holds one (RFC 6749 §5.2).
pub(super) fn refusal(document: &Value, status: u16) -> Option<TokenErrorResponse> {
    let text = |name: &str| document.member(name).and_then(Value::as_str);
    let short = |name: &str| text(name).map(|text| shorten(text, 500));
    if status == 200 && document.member("access_token").is_some() {
        return None;
    }
    Some(TokenErrorResponse {
        error: shorten(text("error")?, LONGEST_CODE),
        error_description: short("error_description"),
        error_uri: short("error_uri"),
        status,
    })
}

/// A token of visible ASCII (RFC 6749 appendix A.12, A.17): anything else could not stand in a header.
fn token<'a>(document: &'a Value, name: &'static str) -> Result<Option<&'a str>, TokenError> {
    let Some(value) = document.member(name) else { return Ok(None) };
    let is_token = |text: &&str| !text.is_empty() && text.bytes().all(|octet| (0x21..=0x7e).contains(&octet));
    let expected = Expected::Token;
    value.as_str().filter(is_token).map(Some).ok_or(TokenError::InvalidMember { name, expected })
}

fn check_token_type(document: &Value, expected: TokenType, tolerated: &mut Vec<Tolerance>) -> Result<(), TokenError> {
    let Some(value) = document.member("token_type") else {
        // A token that nobody calls bound is not bound (RFC 9449 §5).
        if expected == TokenType::Dpop {
            return Err(TokenError::UnsupportedTokenType { found: String::new(), expected });
        }
        tolerated.push(Tolerance::TokenTypeMissing);
        return Ok(());
    };
    match value.as_str() {
        Some(token_type) if token_type.eq_ignore_ascii_case(expected.as_str()) => Ok(()),
        Some(other) => Err(TokenError::UnsupportedTokenType { found: shorten(other, 100), expected }),
        None => Err(TokenError::InvalidMember { name: "token_type", expected: Expected::String }),
    }
}

fn lifetime(document: &Value, tolerated: &mut Vec<Tolerance>) -> Result<Option<Seconds>, TokenError> {
    let wrong = TokenError::InvalidMember { name: "expires_in", expected: Expected::Lifetime };
    let seconds = |value: &Value| match value {
        Value::Number(number) => Some((*number, false)),
        Value::String(text) => Some((f64::from(text.parse::<u32>().ok()?), true)),
        _ => None,
    };
    let in_bounds = |(number, _): &(f64, bool)| (0.0..=LONGEST_LIFETIME).contains(number);
    let (number, as_string) = match (document.member("expires_in"), document.member("expires")) {
        (Some(value), _) => seconds(value).filter(in_bounds).ok_or(wrong)?,
        // `expires` is no member of RFC 6749: what is not plainly a lifetime in it is somebody else's.
        (None, Some(value)) => match seconds(value).filter(in_bounds) {
            Some(lifetime) => {
                tolerated.push(Tolerance::ExpiresInsteadOfExpiresIn);
                lifetime
            }
            None => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    if as_string {
        tolerated.push(Tolerance::LifetimeAsString);
    }
    // In bounds, so the conversion only drops a fraction.
    let lifetime = Seconds(number as u64);
    if lifetime == Seconds(0) {
        tolerated.push(Tolerance::LifetimeZero);
        return Ok(None);
    }
    Ok(Some(lifetime))
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Html => f.write_str("the token endpoint answered with an HTML page"),
            Self::InvalidMember { name, expected } => write!(f, "{name} in the token response is not {expected}"),
            Self::Malformed(error) => write!(f, "the token response cannot be read: {error}"),
            Self::MissingAccessToken => f.write_str("the token response has no access_token"),
            Self::NonceHidden => f.write_str("the server wants a DPoP nonce and gave none that this page can read"),
            Self::MissingIdToken => f.write_str("openid was asked for, and the token response has no id_token"),
            Self::Network(failure) => write!(f, "no token response: {failure}"),
            Self::NotJson { media_type } => write!(f, "the token response is {media_type}, not JSON"),
            Self::Refused(refusal) => write!(f, "the token endpoint answered {}", refusal.error),
            Self::Status { status } => write!(f, "the token endpoint answered with status {status}"),
            Self::UnsupportedTokenType { found, expected } => {
                write!(f, "token type {found} is not {}", expected.as_str())
            }
        }
    }
}
