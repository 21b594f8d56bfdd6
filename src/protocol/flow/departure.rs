//! From a click to the authorization server: the request is made, kept, and followed.
//!
//! ```text
//!  SignIn ─► Discovering ─► Saving ─► Navigating
//!               │              │          │
//!               └── Failed ◄───┴─ (back) ─┘
//! ```

use std::sync::Arc;

use super::super::authorization_request::{
    AuthorizationRequestError, Entropy, EntropyFailure, StorageFailure, Wish, authorization_request,
};
use super::super::client::{ClientKey, TokenStorage};
use super::super::error::Error;
use super::super::json::Value;
use super::super::pending_authorization::{PendingAuthorization, evict};
use super::super::storage::{Record, RecordName};
use super::super::time::{Seconds, UnixTime};
use super::super::url::Url;
use super::{Activity, Callback, DiscoveryState, Effect, Flow, Intent};

pub(super) enum SignIn {
    Idle,
    Discovering { key: ClientKey, wish: Wish, entropy: Entropy, intent: Intent },
    Saving { pending: PendingAuthorization, url: Url, intent: Intent },
    Navigating { key: ClientKey, until: UnixTime },
    Failed { key: ClientKey, error: Arc<Error> },
}

/// How long a button stays busy after navigating: a server may answer with a download, and then the page stays.
const NAVIGATION_PATIENCE: Seconds = Seconds(10);

impl Flow {
    // Authorization request

    pub(super) fn sign_in(
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
        self.callback = Callback::Idle;
        self.prepared = None;
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
        let SignIn::Discovering { key, wish, entropy, intent } = &self.sign_in else { return };
        let Some(client) = self.client(key) else { return };
        let request = match self.discovery(key) {
            None | Some(DiscoveryState::Fetching { .. }) => return,
            Some(DiscoveryState::Failed(error)) => Err(error.clone()),
            Some(DiscoveryState::Ready(metadata)) => {
                let request = authorization_request(client, metadata, &self.site, wish.clone(), entropy, now);
                request.map_err(Arc::from)
            }
        };
        self.sign_in = match request {
            Err(error) => SignIn::Failed { key: key.clone(), error },
            Ok((url, pending)) => {
                self.effects.push(Effect::List);
                SignIn::Saving { pending, url, intent: *intent }
            }
        };
    }

    /// Sweeps what is stale or was signed out, makes room for one more, and writes it.
    pub(super) fn listed(&mut self, records: &[(RecordName, Option<Record>)], now: UnixTime) {
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
    pub(super) fn written(&mut self, name: RecordName, outcome: Result<Option<Record>, StorageFailure>, now: UnixTime) {
        let read_back = |written: &Value| match &outcome {
            Ok(Some(Record(record))) if record == written => Ok(()),
            Ok(_) => Err(StorageFailure::Altered),
            Err(failure) => Err(*failure),
        };
        if let Some(session) = self.sessions.iter_mut().find(|session| name == RecordName::session(&session.key)) {
            if read_back(&session.encode()).is_err() {
                // The session lives on in this page, and says so; no older one may come back at the next reload.
                session.token_storage = TokenStorage::Memory;
                self.effects.push(Effect::Remove(name));
            }
            return;
        }
        match std::mem::replace(&mut self.sign_in, SignIn::Idle) {
            SignIn::Saving { pending, url, intent } if name == RecordName::pending(&pending.state) => {
                match (read_back(&pending.encode()), intent) {
                    (Err(failure), _) => {
                        let error = AuthorizationRequestError::Storage(failure).into();
                        self.sign_in = SignIn::Failed { key: pending.key, error };
                        self.effects.push(Effect::Remove(name));
                    }
                    (Ok(()), Intent::Show) => self.prepared = Some((pending.key, url)),
                    (Ok(()), Intent::Navigate) => {
                        // Contract 6: the patience is not zero, so the wake-up is later than now.
                        let until = now.plus(NAVIGATION_PATIENCE);
                        self.sign_in = SignIn::Navigating { key: pending.key, until };
                        self.effects.push(Effect::Navigate(url));
                        self.effects.push(Effect::WakeAt(until));
                    }
                }
            }
            other => self.sign_in = other,
        }
    }

    pub(super) fn cancel_sign_in(&mut self) {
        if self.cancel_exchange() {
            return;
        }
        if let SignIn::Discovering { key, .. } = &self.sign_in {
            let key = key.clone();
            self.sign_in = SignIn::Idle;
            self.cancel_discovery(&key);
        }
    }

    /// The person is back on a page that had left: nothing is on its way any more.
    pub(super) fn restored(&mut self) {
        if matches!(self.sign_in, SignIn::Navigating { .. }) {
            self.sign_in = SignIn::Idle;
        }
    }

    pub(super) fn woke(&mut self, now: UnixTime) {
        self.keys_woke(now);
        match self.sign_in {
            SignIn::Navigating { until, .. } if until <= now => self.restored(),
            // A clock that was turned back meanwhile: ask again.
            SignIn::Navigating { until, .. } => self.effects.push(Effect::WakeAt(until)),
            _ => {}
        }
    }

}
