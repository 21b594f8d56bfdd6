//! The authorization response: what comes back to the redirection endpoint.
//!
//! In scope: decoding query and fragment, matching them and the path they came to with the pending request, naming what
//! is wrong.
//! Out of scope: reading and scrubbing the address bar, sending anything.
//!
//! Order of checks: duplicates, lookup by `state`, the redirect URI, `iss`, `error`, `code`. The expected issuer is known
//! only through the pending request that `state` finds; an `error` nobody asked for changes nothing.
//!
//! Source: RFC 6749 §4.1.2 and §4.1.2.1; OpenID Connect Core §3.1.2.6; RFC 9207 §2.4; RFC 9700 §4.4.2.2.

use std::fmt;

use super::form::{self, FormError};
use super::metadata::IssParameter;
use super::pending_authorization::{LIFETIME, PendingAuthorization};
use super::secret::{AuthorizationCode, State};
use super::text::{cut, parts, shorten};
use super::time::{Seconds, UnixTime};
use super::vocabulary::{Issuer, RedirectUri};

/// A decoded response; nothing about it is believed yet.
pub struct AuthorizationResponse {
    /// The path of this site that it came to.
    path: String,
    parameters: Vec<(String, String)>,
    /// A token, or a code in the fragment: something that a code flow does not send there.
    stray: Option<&'static str>,
}

/// A code, and everything that its exchange needs. Not `Clone`: a code is sent once.
#[derive(Debug)]
pub struct AuthorizationGrant {
    pub(super) pending: PendingAuthorization,
    pub(super) code: AuthorizationCode,
}

/// Why an authorization response was not accepted.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackError {
    /// The page is shown inside of another one; the response was left alone.
    Framed,
    /// A token arrived through the address bar, or a code in the fragment: not what a code flow asked for.
    FrontChannel {
        /// The parameter's name.
        name: &'static str,
    },
    /// `iss` named another server than the one asked (RFC 9207 §2.4).
    IssuerMismatch {
        /// The server asked.
        expected: Issuer,
        /// What the response says; untrusted text.
        received: String,
    },
    /// The query or fragment could not be decoded, or a parameter appeared more than once (RFC 6749 §3.1).
    Malformed(FormError),
    /// Neither `code` nor `error` is there.
    MissingCode,
    /// The server says that its responses carry `iss`, and this one does not (RFC 9207 §2.4).
    MissingIssuer {
        /// The server asked.
        expected: Issuer,
    },
    /// The server refused.
    Refused(AuthorizationErrorResponse),
    /// The response came later than it is waited for.
    Stale {
        /// Its age.
        age: Seconds,
        /// The limit.
        limit: Seconds,
    },
    /// No pending request has this `state`, or there was none. Values are withheld on purpose.
    UnknownState {
        /// The `error`, if the response had one.
        error: Option<UnverifiedError>,
    },
    /// It came to another path than that of the redirect URI that was sent (RFC 9700 §4.4.2.2).
    WrongRedirectUri {
        /// The redirect URI that was sent.
        expected: RedirectUri,
        /// The path that it came to; anybody can have made it up.
        received: String,
    },
}

/// An error response, as the server worded it (RFC 6749 §4.1.2.1). Untrusted text, to be shown as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationErrorResponse {
    /// The error code; at most 100 octets are kept.
    pub error: String,
    /// For developers; at most 500 characters are kept.
    pub error_description: Option<String>,
    /// A page about the error; at most 500 characters are kept.
    pub error_uri: Option<String>,
}

impl AuthorizationErrorResponse {
    /// What the error code means.
    pub fn code(&self) -> AuthorizationErrorCode {
        AuthorizationErrorCode::parse(&self.error)
    }
}

/// An `error` that anybody can have written: only its meaning can be had, if it has a registered one.
#[derive(Clone, PartialEq, Eq)]
pub struct UnverifiedError(String);

impl UnverifiedError {
    /// Takes the text.
    pub fn new(text: &str) -> Self {
        Self(shorten(text, LONGEST_CODE))
    }

    /// What it means, if that is registered.
    pub fn registered(&self) -> Option<AuthorizationErrorCode> {
        Some(AuthorizationErrorCode::parse(&self.0)).filter(|code| !matches!(code, AuthorizationErrorCode::Other(_)))
    }
}

/// Shows nothing of the text.
impl fmt::Debug for UnverifiedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnverifiedError")
    }
}

/// The most octets of an error code that are kept.
pub(super) const LONGEST_CODE: usize = 100;

/// Declares the error codes of one endpoint with their wire spelling; others are kept as text.
macro_rules! error_codes {
    ($(#[$attribute:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $wire:literal,)+ }) => {
        $(#[$attribute])*
        #[non_exhaustive]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A code that this library does not know.
            Other(String),
        }

        impl $name {
            /// Every registered code.
            pub const REGISTERED: &[Self] = &[$(Self::$variant,)+];

            /// The code as it is spelled on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)+
                    Self::Other(text) => text,
                }
            }

            /// Reads a code; case matters.
            pub fn parse(text: &str) -> Self {
                let known = Self::REGISTERED.iter().find(|code| code.as_str() == text);
                known.cloned().unwrap_or_else(|| Self::Other(text.to_owned()))
            }
        }
    };
}
pub(super) use error_codes;

error_codes! {
    /// Error codes of the authorization endpoint.
    AuthorizationErrorCode {
        /// The person or the server said no (RFC 6749 §4.1.2.1).
        AccessDenied = "access_denied",
        /// The person must choose an account (OpenID Connect Core §3.1.2.6).
        AccountSelectionRequired = "account_selection_required",
        /// The person must consent (OpenID Connect Core §3.1.2.6).
        ConsentRequired = "consent_required",
        /// The server must show something (OpenID Connect Core §3.1.2.6).
        InteractionRequired = "interaction_required",
        /// A parameter is missing, wrong, or there twice (RFC 6749 §4.1.2.1).
        InvalidRequest = "invalid_request",
        /// The request object is wrong (OpenID Connect Core §3.1.2.6).
        InvalidRequestObject = "invalid_request_object",
        /// The request_uri is wrong (OpenID Connect Core §3.1.2.6).
        InvalidRequestUri = "invalid_request_uri",
        /// The scope is unknown, malformed or not allowed (RFC 6749 §4.1.2.1).
        InvalidScope = "invalid_scope",
        /// The resource is unknown or not allowed (RFC 8707 §2).
        InvalidTarget = "invalid_target",
        /// The person must sign in (OpenID Connect Core §3.1.2.6).
        LoginRequired = "login_required",
        /// The `registration` parameter is not supported (OpenID Connect Core §3.1.2.6).
        RegistrationNotSupported = "registration_not_supported",
        /// The `request` parameter is not supported (OpenID Connect Core §3.1.2.6).
        RequestNotSupported = "request_not_supported",
        /// The `request_uri` parameter is not supported (OpenID Connect Core §3.1.2.6).
        RequestUriNotSupported = "request_uri_not_supported",
        /// The server failed (RFC 6749 §4.1.2.1).
        ServerError = "server_error",
        /// The server is overloaded or being maintained (RFC 6749 §4.1.2.1).
        TemporarilyUnavailable = "temporarily_unavailable",
        /// This client may not ask for a code this way (RFC 6749 §4.1.2.1).
        UnauthorizedClient = "unauthorized_client",
        /// The authentication that was asked for cannot be had (OpenID Connect Core Unmet Authentication Requirements 1.0).
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
        /// The server does not give codes this way (RFC 6749 §4.1.2.1).
        UnsupportedResponseType = "unsupported_response_type",
    }
}

impl AuthorizationResponse {
    /// Decodes the query (without `?`) and the fragment (without `#`) of the redirection, which led to `path`.
    ///
    /// `None` means that neither holds a response: somebody opened the callback's address.
    ///
    /// # Errors
    /// [`CallbackError::Malformed`].
    pub fn parse(path: &str, query: &str, fragment: &str) -> Result<Option<Self>, CallbackError> {
        // Names are looked for before anything is decoded: what is malformed may hold a token all the same.
        let stray = holds(query, &["access_token", "id_token"]);
        let stray = stray.or_else(|| holds(fragment, &["access_token", "id_token", "code"]));
        // The fragment is looked at only if the query holds no response: servers append what they like there.
        for part in [query, fragment] {
            if holds(part, &RESPONSE_PARAMETERS).is_some() || part.len() > form::LONGEST {
                let parameters = form::decode(part).map_err(CallbackError::Malformed)?;
                // And once more by their decoded names, which may have been spelled with escapes.
                let decoded =
                    ["access_token", "id_token"].into_iter().find(|name| form::value(&parameters, name).is_some());
                return Ok(Some(Self { path: path.to_owned(), parameters, stray: stray.or(decoded) }));
            }
        }
        Ok(None)
    }

    /// The `state`, to look the pending request up.
    pub fn state(&self) -> Option<State> {
        self.value("state").map(State::new)
    }

    /// Whether it has neither a code nor an error: an answer that lacks something, or one to a sign-out.
    pub(super) fn is_bare(&self) -> bool {
        self.stray.is_none() && self.value("code").is_none() && self.value("error").is_none()
    }

    /// The error for a response whose `state` finds no pending request.
    pub fn unknown_state(&self) -> CallbackError {
        CallbackError::UnknownState { error: self.value("error").map(UnverifiedError::new) }
    }

    fn value(&self, name: &str) -> Option<&str> {
        form::value(&self.parameters, name)
    }

    fn error(&self) -> Option<AuthorizationErrorResponse> {
        let text = |name: &str| self.value(name).map(|text| shorten(text, 500));
        Some(AuthorizationErrorResponse {
            error: shorten(self.value("error")?, LONGEST_CODE),
            error_description: text("error_description"),
            error_uri: text("error_uri"),
        })
    }
}

/// Whether a query (without `?`) or a fragment (without `#`) names what a response has.
///
/// With its `=`: a fragment `#code` is an anchor of the app's own.
pub fn may_be_response(part: &str) -> bool {
    parts(part, b'&').any(|pair| {
        let (name, value) = cut(pair, b'=');
        value.is_some() && RESPONSE_PARAMETERS.contains(&name)
    })
}

/// The first of the `names` that `part` has.
fn holds(part: &str, names: &[&'static str]) -> Option<&'static str> {
    parts(part, b'&').find_map(|pair| names.iter().copied().find(|wanted| *wanted == cut(pair, b'=').0))
}

/// Parameters that make a query or fragment an authorization response.
const RESPONSE_PARAMETERS: [&str; 5] = ["code", "state", "error", "access_token", "id_token"];

impl PendingAuthorization {
    /// Matches a response to this pending authorization, which its `state` has found.
    ///
    /// `now` is seconds since the Unix epoch; the request may be at most an hour old.
    ///
    /// Takes `self`: one request answers one response, also when the response is refused.
    ///
    /// # Errors
    /// [`CallbackError`], in the order of the module's documentation.
    ///
    /// Source: RFC 6749 §4.1.2; RFC 9207 §2.4.
    pub fn complete(
        self,
        response: &AuthorizationResponse,
        now: UnixTime,
    ) -> Result<AuthorizationGrant, CallbackError> {
        if response.value("state") != Some(self.state.expose()) {
            return Err(response.unknown_state());
        }
        if !self.is_current(now) {
            return Err(CallbackError::Stale { age: now.since(self.created_at), limit: LIFETIME });
        }
        // RFC 9700 §4.4.2.2: "Clients MUST check that the authorization response was received from the correct issuer by
        // comparing the distinct redirection URI for the issuer to the URI where the authorization response was received
        // on. If there is a mismatch, the client MUST abort the flow."
        // <https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2.2>
        if !self.redirect_uri.has_path(&response.path) {
            let received = shorten(&response.path, 500);
            return Err(CallbackError::WrongRedirectUri { expected: self.redirect_uri, received });
        }
        // RFC 9207 §2.4: "If the value does not match the expected issuer identifier, clients MUST reject the
        // authorization response and MUST NOT proceed with the authorization grant. For error responses, clients
        // MUST NOT assume that the error originates from the intended authorization server."
        // <https://www.rfc-editor.org/rfc/rfc9207#section-2.4>
        match response.value("iss") {
            Some(received) if received != self.key.issuer.as_str() => {
                let received = shorten(received, 500);
                return Err(CallbackError::IssuerMismatch { expected: self.key.issuer, received });
            }
            None if self.iss_parameter == IssParameter::Announced => {
                return Err(CallbackError::MissingIssuer { expected: self.key.issuer });
            }
            _ => {}
        }
        if let Some(refusal) = response.error() {
            return Err(CallbackError::Refused(refusal));
        }
        if let Some(name) = response.stray {
            return Err(CallbackError::FrontChannel { name });
        }
        let code = response.value("code").ok_or(CallbackError::MissingCode)?;
        Ok(AuthorizationGrant { code: AuthorizationCode::new(code), pending: self })
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Framed => f.write_str("this page is shown inside of another one, where nobody signs in"),
            Self::FrontChannel { name } => write!(f, "{name} arrived where a code flow does not send it"),
            Self::IssuerMismatch { expected, received } => {
                write!(f, "issuer mismatch: expected {expected}, received {received}")
            }
            Self::Malformed(FormError::Duplicate { name }) => write!(f, "parameter {name} appeared twice"),
            Self::Malformed(FormError::NotUtf8) => f.write_str("a parameter is not UTF-8"),
            Self::Malformed(FormError::TooLong { limit }) => write!(f, "the response is longer than {limit} octets"),
            Self::Malformed(FormError::TooMany { limit }) => {
                write!(f, "the response has more than {limit} parameters")
            }
            Self::MissingCode => f.write_str("the response has neither code nor error"),
            Self::MissingIssuer { expected } => {
                write!(f, "the response has no iss, though {expected} announces it")
            }
            Self::Refused(refusal) => write!(f, "the authorization server answered {}", refusal.error),
            Self::Stale { age, limit } => {
                write!(f, "the response came {} s after the request, later than {} s", age.0, limit.0)
            }
            Self::UnknownState { .. } => f.write_str("no sign-in of this tab is waiting for this response"),
            Self::WrongRedirectUri { expected, received } => {
                write!(f, "the response came to {received}, not to the redirect URI {expected}")
            }
        }
    }
}
