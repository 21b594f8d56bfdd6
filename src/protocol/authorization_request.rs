//! The authorization request: the URL that the person is sent to, and the record that awaits the answer.
//!
//! In scope: every parameter, and refusing what can never complete before anybody leaves the page.
//! Out of scope: navigating there. The authorization endpoint is never fetched (RFC 9700 §2.6).
//!
//! Source: RFC 6749 §4.1.1; RFC 7636 §4.3; OpenID Connect Core §3.1.2.1.

use std::fmt;

use super::base64url;
use super::challenge::StepUp;
use super::client::{Authentication, Client, is_protected};
use super::form;
#[cfg(feature = "par")]
use super::http::HttpRequest;
use super::id_token::IdTokenRequest;
use super::metadata::Metadata;
use super::pending_authorization::PendingAuthorization;
use super::pkce::{CODE_CHALLENGE_METHOD, CodeChallenge};
#[cfg(feature = "par")]
use super::pushed_authorization::push_request;
use super::return_path::ReturnPath;
use super::secret::{CodeVerifier, Nonce, State};
use super::site::Site;
use super::text::join;
use super::time::{Seconds, UnixTime};
use super::url::Url;
use super::vocabulary::{Issuer, RedirectUri, Scope};

/// Octets that the caller drew from the platform's random number generator; they serve one request.
pub struct Entropy(pub [u8; 96]);

/// What one sign-in asks for beside the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Where the person is, to come back to.
    pub return_path: Option<ReturnPath>,
    /// What an API demanded: it adds to what is configured, and weakens nothing of it.
    #[cfg(feature = "step_up")]
    pub step_up: Option<StepUp>,
    /// The thumbprint of the key that the code is to be bound to (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
    /// Whether the server may show nothing (OpenID Connect Core §3.1.2.1: `prompt=none`).
    pub is_quiet: bool,
}

impl Entropy {
    /// A fresh `state` for a message that is no authorization request.
    pub(super) fn state(&self) -> State {
        let [_, state, _] = split(self);
        State::new(base64url::encode(state))
    }
}

impl Wish {
    /// What a person wishes at `return_path`; a path that nobody may be sent to is none.
    pub fn new(return_path: Option<&str>) -> Self {
        Self { return_path: return_path.and_then(ReturnPath::parse), ..Self::default() }
    }

    /// The same, as an API demands it.
    #[cfg(feature = "step_up")]
    pub fn demanded(self, step_up: Option<StepUp>) -> Self {
        Self { step_up, ..self }
    }

    fn step_up(&self) -> Option<&StepUp> {
        #[cfg(feature = "step_up")]
        return self.step_up.as_ref();
        #[cfg(not(feature = "step_up"))]
        None
    }
}

/// How a request gets to the server.
pub enum Departure {
    /// In the address that the person is sent to.
    Navigate(Url),
    /// In a request of its own, whose answer names it in the address (RFC 9126 §4).
    #[cfg(feature = "par")]
    Push(HttpRequest),
}

/// The platform gave no random octets. There is no other source (RFC 7636 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntropyFailure;

/// Why nobody was sent to the authorization server.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationRequestError {
    /// No random octets could be had.
    Entropy,
    /// The page is shown inside of another one.
    Framed,
    /// Several sign-ins that nobody clicked for gave no session that lasts.
    Loop {
        /// Why the last one gave none, as the server worded it; at most 100 octets.
        last: Option<String>,
    },
    /// `openid` is asked for, and the metadata lists no algorithm for ID tokens that this client has.
    NoAlgorithm,
    /// Requests are to be pushed, and the metadata has no endpoint for that.
    NoPushEndpoint,
    /// Tokens are to be bound to a key, and the browser makes none.
    NoProofKey,
    /// `openid` is asked for, and the metadata has no `jwks_uri`: nobody could verify the ID token.
    NoKeys,
    /// Something else that is asked for at the endpoint would be a parameter twice.
    ParameterTwice {
        /// Its name.
        name: String,
    },
    /// The redirect URI lies on another origin, so the answer could never come back to this page.
    RedirectUriOrigin {
        /// The redirect URI.
        redirect_uri: RedirectUri,
        /// The origin of the page.
        page_origin: String,
    },
    /// Another server's answers come to the same address, and this one's do not say whose they are (RFC 9700 §4.4.2).
    SharedRedirectUri {
        /// The other server.
        other: Issuer,
    },
    /// The pending request could not be kept: storage is blocked or full, or gave back something else.
    Storage(StorageFailure),
}

/// Why the browser keeps nothing.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFailure {
    /// What was read back is not what was written.
    Altered,
    /// Storage is blocked for this page.
    Blocked,
    /// Storage is full.
    Full,
}

/// Makes the request.
///
/// `entropy` becomes code verifier, state and nonce, 32 octets each. The nonce is sent when `openid` is asked.
///
/// # Errors
/// [`AuthorizationRequestError`], but for what only storage and the random number generator can say.
pub fn authorization_request(
    client: &Client,
    metadata: &Metadata,
    site: &Site,
    wish: Wish,
    entropy: &Entropy,
    now: UnixTime,
) -> Result<(Departure, PendingAuthorization), AuthorizationRequestError> {
    if client.redirect_uri.url().origin() != site.origin() {
        return Err(AuthorizationRequestError::RedirectUriOrigin {
            redirect_uri: client.redirect_uri.clone(),
            page_origin: site.origin().to_owned(),
        });
    }
    let is_sent = |(name, value): &&(String, String)| {
        // Whoever is not asked cannot sign in again, and a quiet request has a prompt of its own.
        name != "prompt" || !wish.is_quiet && (wish.step_up().is_none() || value != "none")
    };
    let extra_parameters = client.extra_parameters().iter().filter(is_sent);
    let mut extra_parameters: Vec<_> = extra_parameters.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if wish.is_quiet {
        extra_parameters.push(("prompt", "none"));
    }
    let [code_verifier, state, nonce] = split(entropy);
    let (authentication, scope) = match wish.step_up() {
        None => (client.authentication.clone(), client.scope.clone()),
        Some(demand) => {
            (demanded(&client.authentication, demand), widened(client.scope.as_ref(), demand.scope.as_ref()))
        }
    };
    // An API may demand `openid` too.
    let asks_for_id_token = scope.as_ref().is_some_and(Scope::asks_for_id_token);
    if asks_for_id_token && metadata.id_token_algorithms.is_empty() {
        return Err(AuthorizationRequestError::NoAlgorithm);
    }
    let pending = PendingAuthorization {
        key: client.key.clone(),
        redirect_uri: client.redirect_uri.clone(),
        token_endpoint: metadata.token_endpoint.clone(),
        iss_parameter: metadata.iss_parameter,
        code_verifier: CodeVerifier::from_octets(code_verifier),
        state: State::new(base64url::encode(state)),
        id_token: if asks_for_id_token {
            Some(IdTokenRequest {
                nonce: Nonce::new(base64url::encode(nonce)),
                jwks_uri: metadata.jwks_uri.clone().ok_or(AuthorizationRequestError::NoKeys)?,
                algorithms: metadata.id_token_algorithms.clone(),
                authentication: authentication.clone(),
                clock_tolerance: client.clock_tolerance,
            })
        } else {
            None
        },
        scope,
        resource: client.resource().to_vec(),
        dpop: client.uses_dpop(),
        dpop_jkt: wish.dpop_jkt,
        token_storage: client.token_storage,
        return_path: wish.return_path,
        is_quiet: wish.is_quiet,
        restore: client.restore,
        id_token_hint: client.id_token_hint,
        created_at: now,
    };
    let departure = departure(client, metadata, &pending, &authentication, &extra_parameters)?;
    Ok((departure, pending))
}

fn departure(
    client: &Client,
    metadata: &Metadata,
    pending: &PendingAuthorization,
    authentication: &Authentication,
    extra_parameters: &[(&str, &str)],
) -> Result<Departure, AuthorizationRequestError> {
    let max_age = authentication.max_age.map(|Seconds(max_age)| max_age.to_string()).unwrap_or_default();
    let code_challenge = CodeChallenge::s256(&pending.code_verifier);
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", client.key.client_id.as_str()),
        ("redirect_uri", pending.redirect_uri.as_str()),
        ("scope", pending.scope.as_ref().map_or("", |scope| scope.as_str())),
        ("state", pending.state.expose()),
        ("code_challenge", code_challenge.as_str()),
        ("code_challenge_method", CODE_CHALLENGE_METHOD),
        ("nonce", pending.id_token.as_ref().map_or("", |asked| asked.nonce.expose())),
        ("max_age", &max_age),
        ("acr_values", authentication.acr_values.as_deref().unwrap_or_default()),
        ("dpop_jkt", pending.dpop_jkt.as_deref().unwrap_or_default()),
    ];
    // RFC 8707 §2: the one parameter that may be there more than once.
    parameters.extend(pending.resource.iter().map(|resource| ("resource", resource.as_str())));
    parameters.extend(extra_parameters);

    // RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once." The endpoint's own query
    // counts too. <https://www.rfc-editor.org/rfc/rfc6749#section-3.1>
    let twice = |name: String| AuthorizationRequestError::ParameterTwice { name };
    let own = match form::decode(metadata.authorization_endpoint.query().unwrap_or_default()) {
        Ok(own) => own,
        Err(form::FormError::Duplicate { name }) => return Err(twice(name)),
        // Whatever else its query is, it is the server's own business.
        Err(_) => Vec::new(),
    };
    let is_extra = |name: &str| extra_parameters.iter().any(|(extra, _)| *extra == name);
    let clash = own.into_iter().map(|(name, _)| name).find(|name| is_protected(name) || is_extra(name));
    if let Some(name) = clash {
        return Err(twice(name));
    }
    let encoded = form::encode(&parameters);
    #[cfg(feature = "par")]
    if client.pushes_requests(metadata) {
        let endpoint = metadata.pushed_authorization_request_endpoint.clone();
        let endpoint = endpoint.ok_or(AuthorizationRequestError::NoPushEndpoint)?;
        return Ok(Departure::Push(push_request(endpoint, encoded)));
    }
    Ok(Departure::Navigate(metadata.authorization_endpoint.with_query(&encoded)))
}

/// How the person must sign in, as an API demands it (RFC 9470 §4), and no longer ago than is configured.
fn demanded(configured: &Authentication, demand: &StepUp) -> Authentication {
    let acr_values = Some(join(&demand.acr_values, " ")).filter(|values| !values.is_empty());
    Authentication {
        max_age: configured.max_age.into_iter().chain(demand.max_age).min(),
        acr_values: acr_values.or_else(|| configured.acr_values.clone()),
    }
}

/// The configured scope and what an API demands beside it; how long a grant lasts is not for an API to say.
fn widened(configured: Option<&Scope>, demanded: Option<&Scope>) -> Option<Scope> {
    let Some(demanded) = demanded else { return configured.cloned() };
    let is_known = |token: &str| token == "offline_access" || configured.is_some_and(|scope| scope.contains(token));
    let mut text = configured.map(Scope::as_str).unwrap_or_default().to_owned();
    for token in demanded.tokens().filter(|token| !is_known(token)) {
        let separator = if text.is_empty() { "" } else { " " };
        text = text + separator + token;
    }
    Scope::parse(&text).ok()
}

fn split(Entropy(octets): &Entropy) -> [&[u8; 32]; 3] {
    let (code_verifier, rest) = octets.split_first_chunk().expect("96 octets hold 32");
    let (state, rest) = rest.split_first_chunk().expect("64 octets hold 32");
    let (nonce, _) = rest.split_first_chunk().expect("32 octets hold 32");
    [code_verifier, state, nonce]
}

impl fmt::Display for AuthorizationRequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entropy => f.write_str("the browser gave no random numbers"),
            Self::Framed => f.write_str("this page is shown inside of another one, where nobody signs in"),
            Self::Loop { .. } => f.write_str("three sign-ins within a minute gave no session that lasts"),
            Self::NoAlgorithm => f.write_str("the server signs ID tokens by no algorithm that this client verifies"),
            Self::NoKeys => f.write_str("the metadata has no jwks_uri, so no ID token could be verified"),
            Self::NoProofKey => f.write_str("the browser makes no key to bind the tokens to"),
            Self::NoPushEndpoint => f.write_str("the metadata has no pushed_authorization_request_endpoint"),
            Self::ParameterTwice { name } => write!(f, "parameter {name} would be sent twice"),
            Self::RedirectUriOrigin { redirect_uri, page_origin } => {
                write!(f, "redirect URI {redirect_uri} is not on this page's origin, {page_origin}")
            }
            Self::SharedRedirectUri { other } => {
                write!(f, "the redirect URI is that of {other} too, and the server does not announce iss")
            }
            Self::Storage(failure) => write!(f, "the pending request could not be kept: {failure}"),
        }
    }
}

impl fmt::Display for StorageFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Altered => "sessionStorage gave back something else",
            Self::Blocked => "sessionStorage is blocked for this page",
            Self::Full => "sessionStorage is full",
        })
    }
}
