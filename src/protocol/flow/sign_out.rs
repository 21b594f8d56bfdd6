//! Signing out: the person is signed out here at once and in every tab, then the server is told, for as long as that takes three
//! seconds at most.
//!
//! ```text
//!  SignOut ─► forgotten here ─► (Metadata) ─► Revoking ─► … ─► the server's own sign-out, if that is wished for
//! ```

use super::super::authorization_request::{Entropy, EntropyFailure};
use super::super::end_session::{departure_record, end_session_url};
use super::super::http::{HttpFailure, HttpResponse};
use super::super::json::Members;
use super::super::revocation::{PATIENCE, Revocable, Revoked, revocation_request, revoked};
use super::super::secret::{IdToken, State};
use super::super::session::Session;
use super::super::storage::{Record, RecordName};
use super::super::tab_message::{News, TabMessage};
use super::super::time::UnixTime;
use super::{ClientKey, DiscoveryState, Effect, FetchId, Flow, SessionEvent, take_in_order, take_one};

/// A session that is over here, and of which the server is to know.
pub(super) struct Farewell {
    key: ClientKey,
    /// What is still to be revoked, the first one first.
    tokens: Vec<Revocable>,
    stage: Stage,
    until: UnixTime,
    /// The person wants to be signed out at the server too.
    departure: Option<(State, Option<IdToken>)>,
    is_repeated: bool,
    is_failed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The metadata are awaited, or the time for another try.
    Waiting(UnixTime),
    Revoking(FetchId),
}

impl Flow {
    /// Signs out here, and at the server as far as revoking the tokens goes.
    pub(crate) fn sign_out(&mut self, key: ClientKey, now: UnixTime) {
        self.sign_out_because(key, SessionEvent::SignedOut, now);
    }

    pub(super) fn sign_out_because(&mut self, key: ClientKey, event: SessionEvent, now: UnixTime) {
        let session = self.forget(&key, event, now);
        self.remove_shared(&key);
        // Another tab may have a session of which this one has not heard yet, and whose record is gone now.
        if session.is_some() || self.client(&key).is_some_and(|client| client.token_storage.is_shared()) {
            self.tell_signed_out(&key, now);
        }
        if let Some(session) = session {
            self.revoke(&session, None, now);
        }
    }

    /// Signs out here and tells the server nothing: it is gone, or was never one.
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "for the driver"))]
    pub(crate) fn sign_out_silently(&mut self, key: &ClientKey, now: UnixTime) {
        self.forget(key, SessionEvent::SignedOut, now);
        self.remove_shared(key);
    }

    /// Signs out here, and leaves for the server's own sign-out; where it has none, that is all.
    pub(crate) fn sign_out_at_server(
        &mut self,
        key: ClientKey,
        entropy: Result<Entropy, EntropyFailure>,
        now: UnixTime,
    ) {
        let (Ok(entropy), Some(_)) = (entropy, self.session(&key)) else { return self.sign_out(key, now) };
        let Some(session) = self.forget(&key, SessionEvent::SignedOut, now) else { return };
        self.remove_shared(&key);
        self.tell_signed_out(&key, now);
        self.revoke(&session, Some(entropy.state()), now);
    }

    /// Whoever signs in again no longer wants to leave for the server's sign-out.
    pub(super) fn stay(&mut self, key: &ClientKey) {
        for farewell in self.farewells.iter_mut().filter(|farewell| farewell.key == *key) {
            farewell.departure = None;
        }
    }

    /// Another tab of this browser has signed out: so has this one.
    pub(super) fn signed_out_elsewhere(&mut self, key: &ClientKey, at: UnixTime, now: UnixTime) {
        // A session that is on its way here was signed out before it began.
        if let Some(exchanging) = self.stop_exchange(Some(key), at) {
            self.go_back(exchanging.exchange.return_path.as_ref());
        }
        // Nor is it asked for any more that another tab asked for in vain.
        if self.session(key).is_none() {
            self.end_round_trip(key);
            self.waiting_calls_may_go_on(false, now);
        }
        if self.session(key).is_none_or(|session| at < session.signed_in_at) {
            return;
        }
        // Believed, although it could be looked up: the record of a shared session may not be gone yet.
        let Some(session) = self.forget(key, SessionEvent::SignedOutElsewhere, now) else { return };
        if !session.token_storage.is_shared() {
            self.revoke(&session, None, now);
        }
    }

    /// Whether the session of `key` is over here, and the server is still being told.
    pub(super) fn is_leaving(&self, key: &ClientKey) -> bool {
        self.session(key).is_none() && self.farewells.iter().any(|farewell| farewell.key == *key)
    }

    pub(super) fn tell_signed_out(&mut self, key: &ClientKey, at: UnixTime) {
        // For pages that cannot hear: those that browsers keep for Back and Forward.
        let mut record = Members::default();
        record.number("at", Some(at.0));
        self.write(RecordName::signed_out(key), record.finish());
        let message = TabMessage { key: key.clone(), news: News::SignedOut(at) };
        self.effects.push(Effect::Post(message.encode()));
    }

    /// Tells other tabs to look at the shared record.
    pub(super) fn tell_tabs(&mut self, key: &ClientKey) {
        if self.client(key).is_some_and(|client| client.token_storage.is_shared()) {
            self.post_changed(key);
        }
    }

    pub(super) fn post_changed(&mut self, key: &ClientKey) {
        self.effects.push(Effect::Post(TabMessage { key: key.clone(), news: News::Changed }.encode()));
    }

    /// Forgets everything of `key` in this browser; gives the session that is over.
    pub(super) fn forget(&mut self, key: &ClientKey, event: SessionEvent, now: UnixTime) -> Option<Session> {
        self.end_calls_of(key);
        self.stop_exchange(Some(key), UnixTime(u64::MAX));
        // Nothing of this client may be written after it was forgotten.
        self.cancel_discovery(key);
        self.drop_sign_in(key);
        self.end_upkeep(key, now);
        self.end_round_trip(key);
        self.prepared.take_if(|(owner, _)| owner == key);
        let session = take_in_order(&mut self.sessions, |session| session.key == *key);
        if session.is_some() {
            self.effects.push(Effect::Announce(key.clone(), event));
        }
        take_one(&mut self.ended, |(owner, _)| owner == key);
        take_one(&mut self.restoring, |search| search.key == *key);
        self.set_userinfo(key, None);
        self.cancel_keys(&key.issuer);
        // Also where this build has no such records: another one may have left it.
        self.effects.push(Effect::Remove(RecordName::session(key)));
        self.effects.push(Effect::Remove(RecordName::restore(key)));
        self.effects.push(Effect::Remove(RecordName::metadata(&key.issuer)));
        self.effects.push(Effect::Remove(RecordName::keys(&key.issuer)));
        self.forget_proof_key(key);
        self.effects.push(Effect::List);
        self.forgetting.push(key.clone());
        session
    }

    // The server

    /// Has the server end what `session` holds; with `departure` the person leaves for its own sign-out afterwards.
    pub(super) fn revoke(&mut self, session: &Session, departure: Option<State>, now: UnixTime) {
        let mut tokens = Vec::new();
        tokens.extend(session.refresh_token.clone().map(Revocable::Refresh));
        tokens.push(Revocable::Access(session.access_token.clone()));
        let key = session.key.clone();
        let until = now.plus(PATIENCE);
        let departure = departure.map(|state| (state, session.id_token_hint.clone()));
        self.discover(&key);
        let stage = Stage::Waiting(now);
        self.farewells.push(Farewell { key, tokens, stage, until, departure, is_repeated: false, is_failed: false });
        self.farewells_go_on(now);
    }

    /// Goes on with what waited for metadata or for its time.
    pub(super) fn farewells_go_on(&mut self, now: UnixTime) {
        for mut farewell in std::mem::take(&mut self.farewells) {
            if self.farewell(&mut farewell, now) {
                self.farewells.push(farewell);
            }
        }
    }

    /// The next step; whether there will be another one.
    fn farewell(&mut self, farewell: &mut Farewell, now: UnixTime) -> bool {
        let is_late = farewell.until <= now;
        let metadata = match self.discovery(&farewell.key) {
            Some(DiscoveryState::Ready(metadata)) => Some(metadata.clone()),
            Some(DiscoveryState::Fetching { .. }) if !is_late => {
                self.wake_at(farewell.until, now);
                return true;
            }
            _ => None,
        };
        match farewell.stage {
            Stage::Revoking(_) if !is_late => {
                self.wake_at(farewell.until, now);
                return true;
            }
            // The request goes on by itself; nobody waits for it.
            Stage::Revoking(_) => farewell.is_failed = true,
            Stage::Waiting(at) if now < at => {
                self.wake_at(at, now);
                return true;
            }
            Stage::Waiting(_) => {
                let endpoint = metadata.as_ref().and_then(|metadata| metadata.revocation_endpoint.as_ref());
                if let (Some(endpoint), Some(token), false) = (endpoint, farewell.tokens.first(), is_late) {
                    let request = revocation_request(endpoint, &farewell.key.client_id, token);
                    farewell.stage = Stage::Revoking(self.fetch(request));
                    self.wake_at(farewell.until, now);
                    return true;
                }
                // Where that is, is not known, or the time is over: the tokens live on.
                farewell.is_failed |= !farewell.tokens.is_empty() && (metadata.is_none() || endpoint.is_some());
            }
        }
        if farewell.is_failed {
            self.effects.push(Effect::Announce(farewell.key.clone(), SessionEvent::NotRevoked));
        }
        if cfg!(not(feature = "end_session")) {
            return false;
        }
        let Some((state, hint)) = farewell.departure.take() else { return false };
        let endpoint = metadata.as_ref().and_then(|metadata| metadata.end_session_endpoint.as_ref());
        let client = self.client(&farewell.key);
        let url = endpoint.zip(client).map(|(url, client)| end_session_url(url, client, hint.as_ref(), &state));
        match url {
            Some(url) => {
                let record = Record(departure_record(&farewell.key, &state, now));
                self.effects.push(Effect::Write { name: RecordName::sign_out(), record });
                self.effects.push(Effect::Navigate(url));
            }
            // No error: the person is signed out here, and hears that this is all.
            None => self.effects.push(Effect::Announce(farewell.key.clone(), SessionEvent::NotSignedOutAtServer)),
        }
        false
    }

    /// The answer to a revocation; gives it back if it is none.
    pub(super) fn revocation_answered(
        &mut self,
        fetch: FetchId,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) -> Option<Result<HttpResponse, HttpFailure>> {
        let is_it = |farewell: &&mut Farewell| farewell.stage == Stage::Revoking(fetch);
        let Some(farewell) = self.farewells.iter_mut().find(is_it) else { return Some(outcome) };
        farewell.stage = Stage::Waiting(now);
        match revoked(&outcome, now) {
            Revoked::Later(delay) if !farewell.is_repeated && now.plus(delay) < farewell.until => {
                farewell.is_repeated = true;
                farewell.stage = Stage::Waiting(now.plus(delay));
            }
            revoked => {
                farewell.is_failed |= revoked != Revoked::Done;
                farewell.tokens.remove(0);
            }
        }
        self.farewells_go_on(now);
        None
    }
}
