//! Requests that carry the session's token: calls of APIs and of the user info endpoint.
//!
//! Rules: a request waits for a token that is good, as long as one may come. It is sent once, and once more only where the
//! server has not looked at the rest: it wanted a nonce in the proof (RFC 9449 §8, §9), or refused the token with 401 and the
//! request may be repeated (RFC 9110 §9.2.2).

use super::super::challenge::Denial;
use super::super::claims::Claims;
use super::super::http::{HttpFailure, HttpRequest, HttpResponse};
use super::super::protected_resource::{LIMITS, ResourceError, ResourceRequest, protected_resource_request};
use super::super::renewal::Input;
use super::super::session::Session;
use super::super::time::UnixTime;
use super::proofs::{ProofAnswer, Proven};
use super::{CallId, ClientKey, Effect, FetchId, Flow, take_one};

/// A request whose answer is awaited.
pub(super) struct PendingCall {
    pub(super) purpose: Purpose,
    pub(super) key: ClientKey,
    fetch: FetchId,
    proven: Option<Proven>,
    /// The request, to be sent once more with another token; `None` if it must not be.
    again: Option<HttpRequest>,
    /// Whether it was refused with the token of before.
    is_repeat: bool,
    /// Which token it carries.
    token: Token,
}

/// A request that waits for a token.
pub(super) struct WaitingCall {
    purpose: Purpose,
    key: ClientKey,
    request: HttpRequest,
    until: UnixTime,
    /// The answer that refused its token, and which one that was.
    refused: Option<(HttpResponse, Token)>,
    /// Whether no renewal was begun since: the one that failed before says nothing about this one.
    is_first: bool,
    /// Whose call it is, if its session was lost, and may be back in a moment; `Some(None)` if nobody knows.
    parked: Option<Option<String>>,
}

/// Which of a session's tokens: its identifier, and how often it was renewed.
type Token = (String, u64);

/// Whom the answer is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Api(CallId),
    UserInfo,
}

impl Flow {
    pub(crate) fn call(&mut self, call: CallId, key: ClientKey, request: ResourceRequest, now: UnixTime) {
        let allowed = self.allowed_resources(&key);
        let built = match self.session(&key) {
            None => Err(ResourceError::SignedOut),
            Some(session) => protected_resource_request(session, &allowed, request),
        };
        match built {
            Err(error) => self.effects.push(Effect::Answer { call, outcome: Err(error) }),
            Ok(request) => self.submit(Purpose::Api(call), key, request, now),
        }
    }

    /// The app no longer waits for a call.
    pub(crate) fn cancel_call(&mut self, call: CallId) {
        self.end_calls(&|_, purpose| purpose == Purpose::Api(call), || ResourceError::Network(HttpFailure::Cancelled));
    }

    /// Sends a request with the token of `key`, as soon as that is good.
    pub(super) fn submit(&mut self, purpose: Purpose, key: ClientKey, request: HttpRequest, now: UnixTime) {
        if cfg!(not(feature = "refresh")) {
            let is_spent = self.is_spent(&key, now);
            self.send(purpose, key.clone(), request, false);
            if is_spent {
                self.lost(&key, now);
            }
            return;
        }
        let until = now.plus(LIMITS.deadline);
        self.waiting.push(WaitingCall {
            purpose,
            key: key.clone(),
            request,
            until,
            refused: None,
            is_first: false,
            parked: None,
        });
        let is_due = self.session(&key).is_some_and(|session| self.wants_renewal(session, now));
        if is_due {
            self.renew(&key, Input::Wanted, now);
        }
        self.calls_may_go_on(&key, now);
        self.arm(now);
    }

    /// Sends or answers what waited for a token of `key`, if it need not wait longer.
    pub(super) fn calls_may_go_on(&mut self, key: &ClientKey, now: UnixTime) {
        if cfg!(not(feature = "refresh")) {
            return;
        }
        // The API has the last word; but what can be asked for anew is.
        if self.waiting.iter().any(|call| call.key == *key && self.is_useless(call, now)) {
            self.lost(key, now);
        }
        let mut index = 0;
        while let Some(call) = self.waiting.get(index) {
            if call.key != *key || !self.is_decided(call, now) {
                index += 1;
                continue;
            }
            let is_anothers = self.is_anothers(call);
            let WaitingCall { purpose, key, request, refused, .. } = self.waiting.remove(index);
            match (self.session(&key), refused) {
                (None, _) => self.answer(purpose, key, Err(ResourceError::SignedOut), now),
                (Some(_), _) if is_anothers => self.answer(purpose, key, Err(ResourceError::SignedOut), now),
                (Some(session), Some((response, token))) if token_of(session) == token => {
                    self.answer(purpose, key, Ok(response), now);
                }
                (Some(session), None) if self.wants_renewal(session, now) && session.is_expired(now) => {
                    self.answer(purpose, key, Err(ResourceError::NotRenewed), now);
                }
                (Some(_), refused) => self.send(purpose, key, request, refused.is_some()),
            }
        }
    }

    /// Whether a call need not wait: for a new token where its own was refused, else for one that has not expired.
    fn is_decided(&self, call: &WaitingCall, now: UnixTime) -> bool {
        // The page is about to leave for another session; an error would be all that is seen of it.
        let may_come_back = || self.is_about_to_leave(&call.key) || self.gone.iter().any(|(key, _)| *key == call.key);
        let Some(session) = self.session(&call.key) else { return call.until <= now || !may_come_back() };
        let may_still_come = self.is_renewing(&call.key);
        if self.is_useless(call, now) && self.is_about_to_leave(&call.key) {
            return call.until <= now;
        }
        if self.is_anothers(call) {
            return true;
        }
        match &call.refused {
            Some((_, token)) => {
                let is_tried = self.is_backing_off(&call.key) && !call.is_first;
                token_of(session) != *token || call.until <= now || !may_still_come || is_tried
            }
            None if !self.wants_renewal(session, now) => true,
            None if call.until <= now || !may_still_come => true,
            // The one it has does for a while, if another cannot be had right now.
            None => self.is_backing_off(&call.key) && !session.is_expired(now),
        }
    }

    /// Whether the token that a call waits with is good for nothing, and there will be no other one.
    fn is_useless(&self, call: &WaitingCall, now: UnixTime) -> bool {
        let is_refused = |(_, token): &(HttpResponse, Token)| {
            self.session(&call.key).is_some_and(|session| token_of(session) == *token)
        };
        self.is_spent(&call.key, now) || call.refused.as_ref().is_some_and(is_refused) && self.is_final(&call.key)
    }

    /// Whether a call waited for a session that is back, and is not known to be the same person's.
    fn is_anothers(&self, call: &WaitingCall) -> bool {
        let Some(before) = &call.parked else { return false };
        let sub = self.session(&call.key).and_then(Session::claims).map(Claims::sub);
        before.is_none() || before.as_deref() != sub
    }

    /// The session of `key` is lost, and may be back in a moment: takes the calls that can wait for that, which are those that
    /// may be sent once more.
    pub(super) fn take_calls_that_can_wait(&mut self, key: &ClientKey, now: UnixTime) -> Vec<WaitingCall> {
        let mut taken = Vec::new();
        if cfg!(not(feature = "restore")) {
            return taken;
        }
        let parked = Some(self.session(key).and_then(Session::claims).map(|claims| claims.sub().to_owned()));
        let is_it = |owner: &ClientKey, purpose: Purpose| owner == key && purpose != Purpose::UserInfo;
        while let Some(call) = take_one(&mut self.waiting, |call| is_it(&call.key, call.purpose)) {
            taken.push(WaitingCall { refused: None, parked: parked.clone(), ..call });
        }
        let until = now.plus(LIMITS.deadline);
        while let Some(call) = take_one(&mut self.calls, |call| is_it(&call.key, call.purpose) && call.again.is_some())
        {
            self.effects.push(Effect::CancelFetch(call.fetch));
            let (purpose, key, parked) = (call.purpose, call.key, parked.clone());
            taken.extend(call.again.map(|request| WaitingCall {
                purpose,
                key,
                request,
                until,
                refused: None,
                is_first: false,
                parked,
            }));
        }
        taken
    }

    /// Goes on with all that wait; or only with those whose session was lost, if it is not to come any more.
    pub(super) fn waiting_calls_may_go_on(&mut self, has_session: bool, now: UnixTime) {
        if cfg!(feature = "refresh") {
            let is_it = |call: &&WaitingCall| has_session || self.session(&call.key).is_none();
            let keys: Vec<ClientKey> = self.waiting.iter().filter(is_it).map(|call| call.key.clone()).collect();
            for key in keys {
                self.calls_may_go_on(&key, now);
            }
        }
    }

    /// A renewal begins: it is for all that wait.
    pub(super) fn renewal_begins(&mut self, key: &ClientKey) {
        for call in self.waiting.iter_mut().filter(|call| call.key == *key) {
            call.is_first = false;
        }
    }

    /// When the first of those that wait gives up.
    pub(super) fn next_call_deadline(&self) -> Option<UnixTime> {
        self.waiting.iter().map(|call| call.until).min()
    }

    /// Sends a request that carries the token of `key`.
    fn send(&mut self, purpose: Purpose, key: ClientKey, mut request: HttpRequest, is_repeat: bool) {
        let Some(session) = self.session(&key) else { return };
        request.bearer = Some(session.access_token.clone());
        let (is_bound, token) = (session.is_bound(), token_of(session));
        let thumbprint = session.dpop_jkt.clone();
        let may_repeat = !is_repeat && session.is_renewable() && is_repeatable(&request);
        let again = may_repeat.then(|| request.again());
        let (fetch, proven) = self.fetch_bound(is_bound, &key, request, thumbprint);
        self.calls.push(PendingCall { purpose, key, fetch, proven, again, is_repeat, token });
    }

    /// The answer to a call; gives it back if it is none.
    pub(super) fn call_answered(
        &mut self,
        fetch: FetchId,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) -> Option<Result<HttpResponse, HttpFailure>> {
        let Some(index) = self.calls.iter().position(|call| call.fetch == fetch) else { return Some(outcome) };
        let PendingCall { purpose, key, proven, again, is_repeat, token, .. } = self.calls.swap_remove(index);
        let outcome = match self.proof_answered(&key, proven, &outcome) {
            ProofAnswer::Again(fetch, proven) => {
                let proven = Some(proven);
                self.calls.push(PendingCall { purpose, key, fetch, proven, again, is_repeat, token });
                return None;
            }
            ProofAnswer::NonceHidden => Err(ResourceError::NonceHidden),
            ProofAnswer::Final => outcome.map_err(ResourceError::Network),
        };
        match (outcome, again) {
            (Ok(response), again) if self.is_token_refused(&key, &response, again.is_some()) => {
                if let Some(request) = again.filter(|_| cfg!(feature = "refresh")) {
                    let (until, refused) = (now.plus(LIMITS.deadline), Some((response, token.clone())));
                    let is_first = !self.is_renewing(&key) || self.is_backing_off(&key);
                    let key = key.clone();
                    self.waiting.push(WaitingCall { purpose, key, request, until, refused, is_first, parked: None });
                } else {
                    self.answer(purpose, key.clone(), Ok(response), now);
                }
                // Unless that was one of before, and there is another by now; or one that came for this very call.
                if !is_repeat && self.session(&key).is_some_and(|session| token_of(session) == token) {
                    self.renew(&key, Input::Wanted, now);
                }
                self.calls_may_go_on(&key, now);
            }
            (outcome, _) => {
                // Nothing here can renew it; the server may.
                let is_lost = outcome.as_ref().is_ok_and(is_no_to_token) && self.is_final(&key);
                self.answer(purpose, key.clone(), outcome, now);
                if is_lost {
                    self.lost(&key, now);
                }
            }
        }
        None
    }

    /// Whether the answer is a no to the token itself, and there may be another: not to the scope (403), and not to how the
    /// person signed in (RFC 9470).
    fn is_token_refused(&self, key: &ClientKey, response: &HttpResponse, may_repeat: bool) -> bool {
        is_no_to_token(response) && self.session(key).is_some() && (may_repeat || !self.is_final(key))
    }

    fn answer(
        &mut self,
        purpose: Purpose,
        key: ClientKey,
        outcome: Result<HttpResponse, ResourceError>,
        now: UnixTime,
    ) {
        match purpose {
            Purpose::Api(call) => self.effects.push(Effect::Answer { call, outcome }),
            Purpose::UserInfo if cfg!(not(feature = "userinfo")) => {}
            Purpose::UserInfo => self.userinfo_answered(key, outcome, now),
        }
    }

    /// Ends the calls of a session that is no more.
    pub(super) fn end_calls_of(&mut self, key: &ClientKey) {
        self.end_calls(&|owner, _| owner == key, || ResourceError::SignedOut);
    }

    /// Ends calls that nobody waits for any more; each gets an `error` as its answer.
    fn end_calls(&mut self, is_ended: &dyn Fn(&ClientKey, Purpose) -> bool, error: fn() -> ResourceError) {
        let mut ended = Vec::new();
        self.calls.retain(|call| {
            let is_kept = !is_ended(&call.key, call.purpose);
            if !is_kept {
                ended.push((call.purpose, Some(call.fetch)));
            }
            is_kept
        });
        if cfg!(feature = "refresh") {
            self.waiting.retain(|call| {
                let is_kept = !is_ended(&call.key, call.purpose);
                if !is_kept {
                    ended.push((call.purpose, None));
                }
                is_kept
            });
        }
        for (purpose, fetch) in ended {
            self.effects.extend(fetch.map(Effect::CancelFetch));
            if let Purpose::Api(call) = purpose {
                self.effects.push(Effect::Answer { call, outcome: Err(error()) });
            }
        }
    }
}

fn is_no_to_token(response: &HttpResponse) -> bool {
    response.status == 401
        && (cfg!(not(feature = "step_up")) || Denial::of(response).is_none_or(|denial| denial.calls_for_new_token()))
}

fn token_of(session: &Session) -> Token {
    (session.id.clone(), session.generation)
}

/// Whether the method is one of which two requests do no more than one (RFC 9110 §9.2.2).
fn is_repeatable(request: &HttpRequest) -> bool {
    ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].iter().any(|method| request.method.eq_ignore_ascii_case(method))
}

// What `cargo test --lib --no-default-features` is there for.
#[cfg(not(feature = "refresh"))]
#[cfg(test)]
mod tests_without_refresh {
    use super::super::super::client::{Client, ClientSettings, TokenStorage};
    use super::super::super::form;
    use super::super::super::json::Value;
    use super::super::super::metadata::Metadata;
    use super::super::super::site::Site;
    use super::super::super::time::Seconds;
    use super::super::super::token_request::Exchange;
    use super::super::super::token_response::{TokenResponse, TokenType};
    use super::super::{ConfigurationSource, DiscoveryState, Event};
    use super::*;

    const API: &str = "https://api.example/photos";
    const SIGNED_IN: UnixTime = UnixTime(1_700_000_000);

    fn response(status: u16, body: &str) -> Result<HttpResponse, HttpFailure> {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Ok(HttpResponse { status, headers, body: body.into() })
    }

    /// Somebody is signed in for an hour, at a server that gave a refresh token and revokes what it gave.
    fn signed_in() -> (Flow, ClientKey) {
        let site = Site::parse("https://app.example/").expect("a site");
        let settings = ClientSettings {
            issuer: Some("https://as.example".into()),
            client_id: "spa".into(),
            resources: vec![("Photos".into(), API.into())],
            ..ClientSettings::default()
        };
        let client = Client::new(settings, &site).expect("a client");
        let key = client.key().clone();
        let document = Value::parse(
            br#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize",
            "token_endpoint":"https://as.example/token","revocation_endpoint":"https://as.example/revoke"}"#,
        );
        let (document, none) = (document.expect("a document"), Value::Object(Vec::new()));
        let metadata = Metadata::check(&document, &none, &key.issuer, site.scheme_policy()).expect("metadata");
        let exchange = Exchange {
            key: key.clone(),
            scope: None,
            id_token: None,
            dpop: false,
            dpop_jkt: None,
            token_storage: TokenStorage::Memory,
            return_path: None,
            token_endpoint: metadata.token_endpoint.clone(),
            resource: Vec::new(),
            session_id: "challenge".into(),
            restore: false,
            id_token_hint: false,
        };
        let tokens = r#"{"access_token":"access","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh"}"#;
        let tokens = TokenResponse::read(response(200, tokens), TokenType::Bearer).expect("tokens");
        let session = Session::new(&exchange, tokens, None, SIGNED_IN).expect("a session");
        assert!(session.has_refresh_token());

        let mut flow = Flow::new(site);
        flow.advance(SIGNED_IN, Event::Started(ConfigurationSource::Clients(Ok(vec![client]))));
        flow.discoveries.push((key.clone(), DiscoveryState::Ready(metadata)));
        flow.take_on(session, false, SIGNED_IN);
        flow.take_effects();
        (flow, key)
    }

    /// What is sent: each fetch with its address and its body.
    fn sent(effects: Vec<Effect>) -> Vec<(FetchId, String, Option<String>)> {
        let sent = effects.into_iter().filter_map(|effect| match effect {
            Effect::Fetch { fetch, request, .. } => Some((fetch, request.url.as_str().to_owned(), request.body)),
            _ => None,
        });
        sent.collect()
    }

    fn call(flow: &mut Flow, key: &ClientKey, now: UnixTime) -> FetchId {
        let request = ResourceRequest { method: "GET".into(), url: API.into(), headers: Vec::new(), body: None };
        let effects = flow.advance(now, Event::Call { call: CallId(1), key: key.clone(), request });
        let [(fetch, url, _)] = &sent(effects)[..] else { panic!("the call, and nothing else, is sent at once") };
        assert_eq!(url, API);
        *fetch
    }

    #[test]
    fn a_build_without_refresh_renews_nothing() {
        let (mut flow, key) = signed_in();
        for age in [3_500, 3_599, 3_600, 7_200] {
            let now = SIGNED_IN.plus(Seconds(age));
            for event in [Event::Woke, Event::Resumed, Event::Renew(key.clone())] {
                assert!(flow.advance(now, event).is_empty(), "after {age} s");
            }
            assert_eq!(flow.session(&key).map(Session::generation), Some(0));
        }
    }

    #[test]
    fn a_build_without_refresh_hands_a_401_on_and_asks_once() {
        for age in [0, 3_590, 7_200] {
            let (mut flow, key) = signed_in();
            let now = SIGNED_IN.plus(Seconds(age));
            let fetch = call(&mut flow, &key, now);
            let effects = flow.advance(now, Event::Fetched { fetch, outcome: response(401, "") });
            let [Effect::Answer { call: CallId(1), outcome: Ok(answer) }] = &effects[..] else {
                panic!("after {age} s the answer, and nothing else: {effects:?}");
            };
            assert_eq!(answer.status, 401);
            assert!(flow.session(&key).is_some(), "the API has no say in who is signed in");
        }
    }

    /// OUT-1: what came is revoked, although nothing was made of it.
    #[test]
    fn a_build_without_refresh_revokes_the_refresh_token_first() {
        let (mut flow, key) = signed_in();
        let mut effects = flow.advance(SIGNED_IN, Event::SignOut(key.clone()));
        assert!(flow.session(&key).is_none());
        for token in ["refresh", "access"] {
            let [(fetch, url, Some(body))] = &sent(effects)[..] else { panic!("one revocation at a time") };
            assert_eq!(url, "https://as.example/revoke");
            let parameters = form::decode(body).expect("a form");
            assert_eq!(form::value(&parameters, "token"), Some(token));
            assert_eq!(form::value(&parameters, "token_type_hint"), Some(&*format!("{token}_token")));
            effects = flow.advance(SIGNED_IN, Event::Fetched { fetch: *fetch, outcome: response(200, "") });
        }
        assert!(sent(effects).is_empty());
    }
}
