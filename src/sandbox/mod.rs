//! An authorization server and a resource server in miniature, as a function: a request in, a response out.
//!
//! In scope: the code flow for registered public clients, direct or pushed, with login and consent by made-up people, ID
//! tokens by four algorithms, the user info endpoint, bearer tokens and tokens bound to a key, refresh tokens, revocation,
//! sign-out at the server, and an API with scopes, resources and a demand for a second step; and switches that make it
//! misbehave.
//! Out of scope: where requests come from and where the state is kept. Time, random octets and signatures are arguments,
//! so the same server answers in a Service Worker and in native tests.
//!
//! Rule: it is held to what the RFCs ask of a real server. What it does wrong, it does by a [`switches::Switch`].
//!
//! In the order of a sign-in: metadata → pushed request → authorization endpoint → login → consent → token endpoint →
//! keys → user info → API → refresh → revocation → end session.
//!
//! Source: RFC 6749, 6750, 7009, 7517, 7636, 8414, 8707, 9126, 9207, 9449, 9470, 9728; OpenID Connect Core 1.0,
//! Discovery 1.0, RP-Initiated Logout 1.0.

pub mod http;
pub mod crypto;
pub mod switches;
pub mod people;
pub mod clients;
mod pages;
pub mod state;
mod metadata;
mod authentication;
mod resources;
mod grant;
mod keys;
mod jws;
mod dpop;
mod authorization_request;
mod pushed_request;
mod authorization_endpoint;
mod interaction;
mod forgery;
mod id_token;
mod token_response;
mod refresh_grant;
mod token_endpoint;
mod revocation;
mod id_token_hint;
mod end_session;
mod access;
mod userinfo;
mod photos;
mod safe;

use self::clients::Clients;
use self::crypto::{Crypto, CryptoFailure};
use self::http::{Request, Response};
use self::state::State;
use self::switches::Switches;
use crate::protocol::base64url;
use crate::protocol::time::UnixTime;
use crate::protocol::url::{Url, UrlError};

/// Random octets for one request.
pub struct Entropy(pub [u8; 64]);

/// The server: where it is, whom it knows, and what it remembers.
pub struct Sandbox {
    /// Its issuer identifier, ending in `/`; everything it answers lies below.
    issuer: Url,
    clients: Clients,
    /// What it remembers; [`State::encode`] makes a record of it.
    pub state: State,
}

/// What one request is answered with, besides the state.
struct Turn<'a, C> {
    issuer: &'a Url,
    clients: &'a Clients,
    now: UnixTime,
    entropy: Entropy,
    crypto: &'a C,
}

impl Sandbox {
    /// A server below a site's base, e.g. `https://app.example/sub/`: its issuer is `sandbox/` there, and its clients'
    /// redirect URI `callback`.
    ///
    /// # Errors
    /// [`UrlError`] if `base` is no URL.
    pub fn new(base: &str, state: State) -> Result<Self, UrlError> {
        let issuer = Url::parse(&format!("{base}sandbox/"))?;
        Ok(Self { issuer, clients: Clients::of_site(base), state })
    }

    /// Answers one request.
    ///
    /// # Errors
    /// [`CryptoFailure`] if the platform cannot sign; the state is then as it was, but for what a failed request spends.
    pub async fn handle<C: Crypto>(
        &mut self,
        request: &Request,
        now: UnixTime,
        entropy: Entropy,
        crypto: &C,
    ) -> Result<Response, CryptoFailure> {
        self.state.forget_expired(now);
        let Self { issuer, clients, state } = self;
        let turn = Turn { issuer, clients, now, entropy, crypto };
        let path = request.url.path();
        let endpoint = path.strip_prefix(issuer.path());
        if endpoint.is_none() && path != metadata::rfc_8414_path(issuer) {
            // What is neither below the issuer nor one of its well-known documents is none of this server's.
            return match resources::metadata(issuer, &state.switches, path) {
                Some(document) if request.method == "GET" => Ok(document),
                Some(_) => Ok(not_allowed(&["GET"])),
                None => pages::not_found(&turn).await,
            };
        }
        let allowed: &[&str] = match endpoint {
            None | Some(".well-known/openid-configuration" | "jwks/foreign" | "switches/list") => &["GET"],
            Some(path) if path == keys::path(&state.switches) => &["GET"],
            Some("authorize") => &["GET", "POST"],
            Some("login" | "consent" | "sign-out" | "token" | "par") => &["POST"],
            Some("end_session") if !state.switches.has(switches::END_SESSION_MISSING) => &["GET", "POST"],
            Some("revoke") if !state.switches.has(switches::REVOCATION_MISSING) => &["POST"],
            Some("userinfo") => &["GET", "POST"],
            Some("switches") => &["PUT"],
            Some("api/photos") => &["GET", "POST"],
            Some("api/safe") => &["GET"],
            Some(path) if path.starts_with("api/photos/") => &["GET"],
            _ => return pages::not_found(&turn).await,
        };
        if !allowed.contains(&request.method.as_str()) {
            return Ok(not_allowed(allowed));
        }
        let answered = match endpoint {
            None | Some(".well-known/openid-configuration") => return Ok(metadata::document(issuer, &state.switches)),
            Some("jwks/foreign") => return keys::foreign(state, crypto).await,
            Some(path) if path == keys::path(&state.switches) => return keys::answer(state, crypto).await,
            Some("authorize") => return authorization_endpoint::answer(state, &turn, request).await,
            Some("login") => return interaction::login(state, &turn, request).await,
            Some("consent") => return interaction::consent(state, &turn, request).await,
            Some("revoke") => return Ok(revocation::answer(state, &turn, request).unwrap_or_else(|refusal| refusal)),
            Some("end_session") => return end_session::answer(state, &turn, request).await,
            Some("sign-out") => return end_session::sign_out(state, &turn, request).await,
            Some("switches/list") => return Ok(switches::list(&state.switches)),
            Some("switches") => {
                return Ok(Switches::read(request).map_or_else(
                    |refusal| refusal,
                    |switches| {
                        state.switches = switches;
                        switches::list(&state.switches)
                    },
                ));
            }
            // These know proofs of possession.
            Some("par") => pushed_request::answer(state, &turn, request).await,
            Some("token") => token_endpoint::answer(state, &turn, request).await,
            Some("userinfo") => userinfo::answer(state, &turn, request).await,
            Some("api/safe") => safe::answer(state, &turn, request).await,
            Some(path) => photos::answer(state, &turn, request, path).await,
        };
        match answered {
            Ok(response) | Err(Stop::Refused(response)) => dpop::with_nonce(state, &turn, request, response).await,
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }
}

/// Why a request is answered before its end.
enum Stop {
    /// The platform failed.
    Failed(CryptoFailure),
    /// The client is told no.
    Refused(Response),
}

impl From<CryptoFailure> for Stop {
    fn from(failure: CryptoFailure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Response> for Stop {
    fn from(response: Response) -> Self {
        Self::Refused(response)
    }
}

fn not_allowed(allowed: &[&str]) -> Response {
    Response::empty(405).with_header("allow", &allowed.join(", "))
}

impl<C> Turn<'_, C> {
    /// The first half of the random octets, as text: for a code, a one-time form value.
    fn first_random(&self) -> String {
        base64url::encode(&self.entropy.0[..32])
    }

    /// The second half: for an access token.
    fn second_random(&self) -> String {
        base64url::encode(&self.entropy.0[32..])
    }

    /// The URL of an endpoint.
    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.as_str())
    }
}
