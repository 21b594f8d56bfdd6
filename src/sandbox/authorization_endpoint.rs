//! The authorization endpoint: who asks, and what becomes of it.
//!
//! Order of checks: client and redirect URI first, because nothing may be sent to a redirect URI that is not this
//! client's (RFC 6749 §4.1.2.1); whatever is wrong after that is told to the client, by a redirect.
//!
//! Source: RFC 6749 §3.1, §4.1.1, §4.1.2; RFC 9126 §4; RFC 9207 §2; OpenID Connect Core §3.1.2.

use super::authentication::Authentication;
use super::authorization_request::{AuthorizationRequest, Refusal};
use super::crypto::{Crypto, CryptoFailure};
use super::http::{Parameters, Request, Response};
use super::pushed_request::{self, Found};
use super::state::{CODE_LIFETIME, Code, Consent, Interaction, PersonSession, State};
use super::{Turn, pages, switches};
use crate::protocol::form;
use crate::protocol::time::UnixTime;
use crate::protocol::url::Url;

/// The parameters that say who asks, and where the answer goes.
const ADDRESS: [&str; 4] = ["client_id", "redirect_uri", "request_uri", "state"];

/// Answers a request.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, CryptoFailure> {
    // Who asks and where the answer goes is read alone, so that the client is told of a mistake elsewhere.
    let encoded = request.parameters().unwrap_or_default();
    let is_address = |pair: &&str| ADDRESS.iter().any(|name| pair.split('=').next() == Some(name));
    let address: Vec<&str> = encoded.split('&').filter(is_address).collect();
    let Ok(address) = form::decode(&address.join("&")) else {
        return pages::refused(
            turn,
            "The request cannot be read: client_id, redirect_uri, request_uri or state appears twice.",
        )
        .await;
    };
    let value = |name: &str| form::value(&address, name);
    let Some(client) = value("client_id").and_then(|client_id| turn.clients.find(client_id)) else {
        return pages::refused(turn, "No client is registered by this client_id.").await;
    };
    if let Some(request_uri) = value("request_uri").filter(|request_uri| pushed_request::is_name(request_uri)) {
        return match pushed_request::take(state, turn, client.client_id, request_uri) {
            Found::Request(request) => request.proceed(state, turn, false).await,
            Found::Spent(request) => Ok(Refusal::REQUEST_URI_SPENT.of(state, turn, &request)),
            Found::Nothing => pages::refused(turn, "No request of this client was pushed by this request_uri.").await,
        };
    }
    let Some(redirect_uri) = value("redirect_uri").filter(|redirect_uri| client.has_redirect_uri(redirect_uri)) else {
        return pages::refused(turn, "The redirect_uri is not one that is registered for this client, exactly.").await;
    };
    let unreadable = Refusal { error: "invalid_request", description: "a parameter appears twice or is not UTF-8" };
    let checked = match Parameters::decode(encoded) {
        _ if state.switches.has(switches::PAR_REQUIRED) => Err(Refusal::PUSH_REQUIRED),
        Err(_) => Err(unreadable),
        Ok(parameters) => AuthorizationRequest::check(turn.issuer, &parameters, client.client_id, redirect_uri),
    };
    match checked {
        Ok(request) => request.proceed(state, turn, false).await,
        Err(refusal) => Ok(refusal.redirect(state, turn, redirect_uri, value("state"))),
    }
}

impl AuthorizationRequest {
    /// Shows the page that is needed next, or answers with a code.
    pub(super) async fn proceed<C: Crypto>(
        self,
        state: &mut State,
        turn: &Turn<'_, C>,
        has_logged_in: bool,
    ) -> Result<Response, CryptoFailure> {
        // Whoever has just signed in for this request was asked for all of it.
        let is_enough = |session: &&PersonSession| {
            has_logged_in || session.authentication.satisfies(self.level, self.max_age, turn.now)
        };
        let wants = |word: &str| self.prompt.iter().any(|known| known == word);
        let must_log_in = !has_logged_in && (wants("login") || wants("select_account"));
        let is_hidden = wants("none") && state.switches.has(switches::LOGIN_REQUIRED_ALWAYS);
        let session = state.session.clone().filter(|session| is_enough(&session) && !must_log_in && !is_hidden);
        let is_allowed = |consent: &Consent| self.is_allowed_by(consent);
        let has_consent = |session: &PersonSession| {
            state.consents.iter().any(|consent| consent.sub == session.sub && is_allowed(consent)) && !wants("consent")
        };
        match session {
            Some(session) if has_consent(&session) => Ok(self.respond(state, turn, &session)),
            None if wants("none") => Ok(Refusal::LOGIN_REQUIRED.of(state, turn, &self)),
            Some(_) if wants("none") => Ok(Refusal::CONSENT_REQUIRED.of(state, turn, &self)),
            session => {
                let form_value = turn.first_random();
                let page = match &session {
                    None => pages::login(turn, &self, &form_value).await,
                    Some(session) => pages::consent(turn, &self, &form_value, &session.sub).await,
                }?;
                state.interactions.push(Interaction {
                    form_value,
                    sub: session.map(|session| session.sub),
                    request: self,
                    created_at: turn.now,
                });
                Ok(page)
            }
        }
    }

    fn is_allowed_by(&self, consent: &Consent) -> bool {
        let mut tokens = self.scope.split_whitespace();
        consent.client_id == self.client_id && tokens.all(|token| consent.scope.split(' ').any(|known| known == token))
    }

    /// Answers with a code.
    pub(super) fn respond<C>(self, state: &mut State, turn: &Turn<'_, C>, session: &PersonSession) -> Response {
        let code = turn.second_random();
        // A session is good for lower levels too; the client is told of the one it asked for.
        let level = self.level.unwrap_or(session.authentication.level);
        let mut kept = Code {
            code: code.clone(),
            sub: session.sub.clone(),
            authentication: Authentication { level, at: session.authentication.at },
            created_at: turn.now,
            is_used: false,
            request: self,
        };
        let target = (kept.request.redirect_uri.clone(), kept.request.state.clone());
        if state.switches.has(switches::CODE_SWAPPED) {
            // As if the person's own code had been exchanged for one of another request.
            kept.request.code_challenge = turn.first_random();
            kept.request.nonce = kept.request.nonce.map(|_| turn.first_random());
        }
        if state.switches.has(switches::CODE_EXPIRED) {
            kept.created_at = UnixTime(turn.now.0.saturating_sub(CODE_LIFETIME.0 + 1));
        }
        kept.is_used = state.switches.has(switches::CODE_USED);
        state.codes.push(kept);
        redirect(state, turn, &target.0, target.1.as_deref(), &[("code", &code)])
    }
}

impl Refusal {
    /// Nobody is signed in, and no page may be shown.
    const LOGIN_REQUIRED: Self = Self { error: "login_required", description: "nobody is signed in here" };
    /// The person has not allowed this, and no page may be shown.
    const CONSENT_REQUIRED: Self = Self { error: "consent_required", description: "nothing was allowed yet" };
    /// Only pushed requests are answered.
    const PUSH_REQUIRED: Self = Self { error: "invalid_request", description: "the request must be pushed" };
    /// The pushed request was used, or is too old.
    const REQUEST_URI_SPENT: Self =
        Self { error: "invalid_request_uri", description: "request_uri was used before, or has expired" };
    /// The person said no.
    pub(super) const ACCESS_DENIED: Self = Self { error: "access_denied", description: "the person said no" };

    /// Tells the client of `request`.
    pub(super) fn of<C>(&self, state: &State, turn: &Turn<'_, C>, request: &AuthorizationRequest) -> Response {
        self.redirect(state, turn, &request.redirect_uri, request.state.as_deref())
    }

    fn redirect<C>(&self, state: &State, turn: &Turn<'_, C>, redirect_uri: &str, echoed: Option<&str>) -> Response {
        let parameters = [("error", self.error), ("error_description", self.description)];
        redirect(state, turn, redirect_uri, echoed, &parameters)
    }
}

/// Sends the browser back to the client, with `state` as it came and `iss` (RFC 9207 §2).
fn redirect<C>(
    state: &State,
    turn: &Turn<'_, C>,
    redirect_uri: &str,
    echoed: Option<&str>,
    parameters: &[(&str, &str)],
) -> Response {
    let on = |name| state.switches.has(name);
    let changed = echoed.map(|text| format!("{text}x"));
    let foreign = turn.first_random();
    let echoed = match echoed {
        _ if on(switches::STATE_MISSING) => None,
        _ if on(switches::STATE_WRONG) => changed.as_deref(),
        Some(_) if on(switches::STATE_FOREIGN) => Some(foreign.as_str()),
        echoed => echoed,
    };
    let wrong = format!("{}x", turn.issuer.as_str());
    let iss = match turn.issuer.as_str() {
        _ if on(switches::ISS_MISSING) => "",
        _ if on(switches::ISS_WRONG) => &wrong,
        _ if on(switches::ISS_FOREIGN) => "https://another.example/",
        issuer => issuer,
    };
    let mut all = parameters.to_vec();
    all.extend([("state", echoed.unwrap_or_default()), ("iss", iss)]);
    // Registered redirect URIs are URLs, so this one is.
    Url::parse(redirect_uri)
        .map_or_else(|_| Response::empty(400), |url| Response::see_other(url.with_query(&form::encode(&all)).as_str()))
}
