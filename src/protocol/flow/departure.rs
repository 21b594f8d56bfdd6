//! From a click to the authorization server: the request is made, kept, and followed.
//!
//! ```text
//!  SignIn ─► Discovering ─► Saving ─► (Pushing) ─► Navigating
//!               │              │          │            │
//!               └── Failed ◄───┴──────────┴── (back) ──┘
//! ```

use std::sync::Arc;

use super::super::authorization_request::{
    AuthorizationRequestError, Departure, Entropy, EntropyFailure, StorageFailure, Wish, authorization_request,
};
use super::super::client::{Client, ClientKey, TokenStorage};
use super::super::error::Error;
use super::super::http::{HttpFailure, HttpRequest, HttpResponse};
use super::super::json::Value;
use super::super::metadata::{IssParameter, Metadata};
use super::super::pending_authorization::{PendingAuthorization, evict};
#[cfg(feature = "par")]
use super::super::pushed_authorization::{PushError, pushed};
use super::super::session::Session;
use super::super::storage::{Record, RecordName};
use super::super::time::{Seconds, UnixTime};
use super::super::url::Url;
use super::super::vocabulary::Issuer;
use super::proofs::{ProofAnswer, ProofKeyState, Proven};
use super::{Activity, Callback, DiscoveryState, Effect, FetchId, Flow, Intent};

pub(super) enum SignIn {
    Idle,
    Discovering { key: ClientKey, wish: Wish, entropy: Entropy, intent: Intent },
    Saving { pending: PendingAuthorization, departure: Departure, intent: Intent },
    Pushing(Pushing),
    Navigating { key: ClientKey, until: UnixTime },
    Failed { key: ClientKey, error: Arc<Error> },
}

/// A request that was kept and is being pushed.
pub(super) struct Pushing {
    key: ClientKey,
    name: RecordName,
    fetch: FetchId,
    intent: Intent,
    proven: Option<Proven>,
    /// No request is pushed in a build without the feature.
    #[cfg(not(feature = "par"))]
    never: std::convert::Infallible,
}

impl Pushing {
    pub(super) fn key(&self) -> &ClientKey {
        &self.key
    }
}

/// How long a button stays busy after navigating: a server may answer with a download, and then the page stays.
const NAVIGATION_PATIENCE: Seconds = Seconds(10);

impl Flow {
    // Authorization request

    pub(crate) fn sign_in(
        &mut self,
        key: ClientKey,
        wish: Wish,
        entropy: Result<Entropy, EntropyFailure>,
        intent: Intent,
        now: UnixTime,
    ) {
        // A second click while one sign-in is on its way changes nothing.
        if self.activity() != Activity::Idle || self.client(&key).is_none() {
            return;
        }
        if self.is_framed {
            self.sign_in = SignIn::Failed { key, error: AuthorizationRequestError::Framed.into() };
            return;
        }
        self.callback = Callback::Idle;
        self.prepared = None;
        self.stay(&key);
        let Ok(entropy) = entropy else {
            self.sign_in = SignIn::Failed { key, error: AuthorizationRequestError::Entropy.into() };
            return;
        };
        self.discover(&key);
        self.sign_in = SignIn::Discovering { key, wish, entropy, intent };
        self.proceed(now);
    }

    /// Makes the request as soon as the metadata is there.
    pub(super) fn proceed(&mut self, now: UnixTime) {
        let SignIn::Discovering { key, .. } = &self.sign_in else { return };
        let key = key.clone();
        let Some(client) = self.client(&key) else { return };
        let mut dpop_jkt = None;
        if client.uses_dpop() {
            match self.proof_key(&key) {
                ProofKeyState::Asked => return,
                ProofKeyState::Ready(thumbprint) => dpop_jkt.clone_from(thumbprint),
                ProofKeyState::Failed => {
                    self.sign_in = SignIn::Failed { key, error: AuthorizationRequestError::NoProofKey.into() };
                    return;
                }
            }
        }
        if matches!(self.discovery(&key), None | Some(DiscoveryState::Fetching { .. })) {
            return;
        }
        let before = std::mem::replace(&mut self.sign_in, SignIn::Idle);
        let SignIn::Discovering { mut wish, entropy, intent, .. } = before else { return };
        wish.dpop_jkt = dpop_jkt;
        let request = match (self.client(&key), self.discovery(&key)) {
            (Some(client), Some(DiscoveryState::Ready(metadata))) => match self.shares_redirect_uri(client, metadata) {
                Some(other) => Err(AuthorizationRequestError::SharedRedirectUri { other: other.clone() }.into()),
                None => authorization_request(client, metadata, &self.site, wish, &entropy, now).map_err(Arc::from),
            },
            (_, Some(DiscoveryState::Failed(error))) => Err(error.clone()),
            _ => return,
        };
        self.sign_in = match request {
            Err(error) => SignIn::Failed { key, error },
            Ok((departure, pending)) => {
                self.effects.push(Effect::List);
                SignIn::Saving { pending, departure, intent }
            }
        };
    }

    /// Another server whose answers could be taken for those of this one: they come to the same address, and these do not
    /// say whose they are.
    ///
    /// RFC 9700 §4.4.2: "When an OAuth client can only interact with one authorization server, a mix-up defense is not
    /// required." With several it is `iss` (§4.4.2.1) or "a distinct redirection URI for each issuer" (§4.4.2.2).
    fn shares_redirect_uri(&self, client: &Client, metadata: &Metadata) -> Option<&Issuer> {
        let shares = |other: &&Client| {
            let (url, others) = (client.redirect_uri.url(), other.redirect_uri.url());
            other.key.issuer != client.key.issuer
                && others.origin() == url.origin()
                && client.redirect_uri.has_path(others.path())
        };
        let other = self.clients().iter().find(shares).filter(|_| metadata.iss_parameter == IssParameter::Unsaid)?;
        Some(&other.key.issuer)
    }

    /// Sweeps what is stale or was signed out, makes room for one more, and writes it.
    pub(crate) fn listed(&mut self, records: &[(RecordName, Option<Record>)], now: UnixTime) {
        let policy = self.site.scheme_policy();
        let forgetting = std::mem::take(&mut self.forgetting);
        let mut kept = Vec::new();
        let mut created = Vec::new();
        for (name, record) in records.iter().filter(|(name, _)| name.is_pending()) {
            let pending = record.as_ref().and_then(|Record(record)| PendingAuthorization::decode(record, policy));
            match pending {
                Some(pending) if pending.is_current(now) && !forgetting.contains(pending.key()) => {
                    kept.push(name);
                    created.push(pending.created_at());
                }
                _ => self.effects.push(Effect::Remove(name.clone())),
            }
        }
        if let SignIn::Saving { pending, .. } = &self.sign_in {
            for index in evict(&created, now) {
                self.effects.push(Effect::Remove(kept[index].clone()));
            }
            self.write(RecordName::pending(&pending.state), pending.encode());
        }
    }

    /// Contract 1: only a record that was read back unchanged lets anybody leave the page.
    pub(crate) fn written(&mut self, name: RecordName, outcome: Result<Option<Record>, StorageFailure>, now: UnixTime) {
        let read_back = |written: &Value| match &outcome {
            Ok(Some(Record(record))) if record.to_text() == written.to_text() => Ok(()),
            Ok(_) => Err(StorageFailure::Altered),
            Err(failure) => Err(*failure),
        };
        let is_it =
            |session: &&mut Session| cfg!(feature = "session_storage") && name == RecordName::session(&session.key);
        if let Some(session) = self.sessions.iter_mut().find(is_it) {
            // One that all tabs share is not written down here.
            if session.token_storage.is_session() && read_back(&session.encode()).is_err() {
                // The session lives on in this page, and says so; no older one may come back at the next reload.
                session.token_storage = TokenStorage::Memory;
                self.effects.push(Effect::Remove(name));
            }
            return;
        }
        match std::mem::replace(&mut self.sign_in, SignIn::Idle) {
            SignIn::Saving { pending, departure, intent } if name == RecordName::pending(&pending.state) => {
                match (read_back(&pending.encode()), departure) {
                    (Err(failure), _) => {
                        let error = AuthorizationRequestError::Storage(failure).into();
                        self.sign_in = SignIn::Failed { key: pending.key, error };
                        self.effects.push(Effect::Remove(name));
                    }
                    (Ok(()), Departure::Navigate(url)) => self.leave(pending.key, url, intent, now),
                    #[cfg(feature = "par")]
                    (Ok(()), Departure::Push(request)) => self.push(&pending, name, request, intent),
                }
            }
            other => self.sign_in = other,
        }
    }

    fn leave(&mut self, key: ClientKey, url: Url, intent: Intent, now: UnixTime) {
        match intent {
            Intent::Show => self.prepared = Some((key, url)),
            Intent::Navigate => {
                let until = now.plus(NAVIGATION_PATIENCE);
                self.sign_in = SignIn::Navigating { key, until };
                self.effects.push(Effect::Navigate(url));
                self.wake_at(until, now);
            }
        }
    }

    #[cfg(feature = "par")]
    fn push(&mut self, pending: &PendingAuthorization, name: RecordName, request: HttpRequest, intent: Intent) {
        let key = pending.key.clone();
        let (fetch, proven) = self.fetch_bound(pending.dpop, &key, request, pending.dpop_jkt.clone());
        self.sign_in = SignIn::Pushing(Pushing { key, name, fetch, intent, proven });
    }

    /// The answer to a pushed request; gives it back if it is none.
    #[cfg(feature = "par")]
    pub(super) fn pushed(
        &mut self,
        fetch: FetchId,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) -> Option<Result<HttpResponse, HttpFailure>> {
        let Pushing { key, name, intent, proven, .. } = match std::mem::replace(&mut self.sign_in, SignIn::Idle) {
            SignIn::Pushing(pushing) if pushing.fetch == fetch => pushing,
            other => {
                self.sign_in = other;
                return Some(outcome);
            }
        };
        self.learn_clock(&key.issuer, outcome.as_ref().ok(), now);
        let answer = self.proof_answered(&key, proven, &outcome);
        let url = match (answer, self.discovery(&key)) {
            (ProofAnswer::Again(fetch, proven), _) => {
                self.sign_in = SignIn::Pushing(Pushing { key, name, fetch, intent, proven: Some(proven) });
                return None;
            }
            (ProofAnswer::NonceHidden, _) => Err(PushError::NonceHidden.into()),
            (ProofAnswer::Final, Some(DiscoveryState::Ready(metadata))) => {
                pushed(outcome, metadata, &key.client_id).map_err(Arc::from)
            }
            // Signed out meanwhile.
            _ => return None,
        };
        match url {
            Ok(url) => self.leave(key, url, intent, now),
            Err(error) => {
                self.effects.push(Effect::Remove(name));
                self.sign_in = SignIn::Failed { key, error };
            }
        }
        None
    }

    /// Forgets a sign-in of `key` that has not left the page.
    pub(super) fn drop_sign_in(&mut self, key: &ClientKey) {
        let is_ours = match &self.sign_in {
            SignIn::Discovering { key: owner, .. } | SignIn::Failed { key: owner, .. } => owner == key,
            SignIn::Saving { pending, .. } => pending.key == *key,
            SignIn::Pushing(pushing) => pushing.key == *key,
            SignIn::Idle | SignIn::Navigating { .. } => false,
        };
        if is_ours && let SignIn::Pushing(pushing) = std::mem::replace(&mut self.sign_in, SignIn::Idle) {
            self.effects.push(Effect::CancelFetch(pushing.fetch));
        }
    }

    pub(crate) fn cancel_sign_in(&mut self) {
        if self.cancel_exchange() {
            return;
        }
        if let SignIn::Discovering { key, .. } = &self.sign_in {
            let key = key.clone();
            self.sign_in = SignIn::Idle;
            if !self.userinfo_waits_for_metadata(&key) {
                self.cancel_discovery(&key);
            }
        } else if let SignIn::Pushing(Pushing { key, name, .. }) = &self.sign_in {
            let key = key.clone();
            self.effects.push(Effect::Remove(name.clone()));
            self.drop_sign_in(&key);
        }
    }

    /// Nothing is on its way any more.
    pub(super) fn sign_in_returned(&mut self) {
        if matches!(self.sign_in, SignIn::Navigating { .. }) {
            self.sign_in = SignIn::Idle;
        }
    }

    pub(super) fn sign_in_woke(&mut self, now: UnixTime) {
        match self.sign_in {
            SignIn::Navigating { until, .. } if until <= now => self.sign_in_returned(),
            // A clock that was turned back meanwhile: ask again.
            SignIn::Navigating { until, .. } => self.wake_at(until, now),
            _ => {}
        }
    }
}
