//! The issuers' keys: fetched ahead where there is time, beside the code where there is none, and once more for an unknown
//! `kid`.
//!
//! Rule: whoever sends tokens can make this page fetch keys at most twice a minute and issuer: once because there are none,
//! once because a token names another, or because none of the stored ones made its signature (JOSE-13). Keys that an earlier
//! page of this tab stored serve for an hour.

use std::sync::Arc;

use super::super::client::ClientKey;
use super::super::error::Error;
use super::super::http::{HttpFailure, HttpResponse};
use super::super::json::{Members, Value};
use super::super::jwk::JwkSet;
use super::super::keys::{KeysError, keys_request, read_keys};
use super::super::metadata::{Attempt, AttemptProblem};
use super::super::storage::{Record, RecordName};
use super::super::time::{Seconds, UnixTime};
use super::super::url::Url;
use super::super::vocabulary::Issuer;
use super::{DiscoveryState, Effect, FetchId, Flow, take_one, time_in};

/// The keys of one issuer.
pub(super) struct KeyEntry {
    issuer: Issuer,
    jwks_uri: Url,
    state: KeyState,
    /// Whether they are those that an earlier page stored: the server may have others by now.
    is_recorded: bool,
    /// When they were last fetched because of an unknown `kid`.
    refetched_at: Option<UnixTime>,
    /// What is stored of them, and when it was fetched.
    stored: Option<(UnixTime, Value)>,
}

pub(super) enum KeyState {
    /// The record of an earlier page is looked for.
    Reading,
    /// They are on their way; how often that failed.
    Fetching(FetchId, u32),
    /// They are asked for again at this time.
    Waiting(UnixTime, u32),
    Ready(JwkSet),
    Failed(Arc<Error>),
}

/// How long keys are kept in sessionStorage.
const LIFETIME: Seconds = Seconds(60 * 60);

/// The least time between two fetches because of an unknown `kid`.
const PATIENCE: Seconds = Seconds(60);

/// How often a fetch that failed is repeated while somebody waits for it.
const MOST_REPEATS: u32 = 2;

impl Flow {
    /// The keys of `issuer`, as far as they are known.
    pub(super) fn keys_of(&self, issuer: &Issuer) -> Option<&KeyState> {
        self.keys.iter().find(|entry| entry.issuer == *issuer).map(|entry| &entry.state)
    }

    /// Looks for the keys at `jwks_uri`: in this page, in the record of an earlier one, at the server.
    pub(super) fn want_keys(&mut self, issuer: &Issuer, jwks_uri: &Url) {
        let known = self.keys.iter().find(|entry| entry.issuer == *issuer && entry.jwks_uri == *jwks_uri);
        if known.is_some_and(|entry| !matches!(entry.state, KeyState::Failed(_))) {
            return;
        }
        take_one(&mut self.keys, |entry| entry.issuer == *issuer);
        self.keys.push(KeyEntry {
            issuer: issuer.clone(),
            jwks_uri: jwks_uri.clone(),
            state: KeyState::Reading,
            is_recorded: false,
            refetched_at: None,
            stored: None,
        });
        self.effects.push(Effect::Read(RecordName::keys(issuer)));
    }

    /// Wants the keys of a server whose metadata are there, if its ID tokens will have to be verified.
    pub(super) fn want_keys_of(&mut self, key: &ClientKey) {
        let asks = self.client(key).is_some_and(|client| client.asks_for_id_token());
        if let Some(DiscoveryState::Ready(metadata)) = self.discovery(key)
            && let Some(jwks_uri) = metadata.jwks_uri.clone().filter(|_| asks)
        {
            self.want_keys(&key.issuer, &jwks_uri);
        }
    }

    /// The record of an earlier page was looked for; whether `name` is that of keys.
    pub(super) fn keys_read(&mut self, name: &RecordName, record: Option<&Record>, now: UnixTime) -> bool {
        let is_it = |entry: &&mut KeyEntry| RecordName::keys(&entry.issuer) == *name;
        let Some(entry) = self.keys.iter_mut().find(is_it) else { return false };
        if !matches!(entry.state, KeyState::Reading) {
            return true;
        }
        if let Some(Record(record)) = record
            && record.text("jwks_uri") == Some(entry.jwks_uri.as_str())
        {
            entry.refetched_at = time_in(record, "refetched_at", now);
            let fetched_at = time_in(record, "fetched_at", now).filter(|at| now.since(*at) <= LIFETIME);
            if let (Some(at), Some(document)) = (fetched_at, record.member("document"))
                && let Some(set) = JwkSet::read(document)
            {
                entry.state = KeyState::Ready(set);
                entry.is_recorded = true;
                entry.stored = Some((at, document.clone()));
                let issuer = entry.issuer.clone();
                self.keys_arrived(&issuer, now);
                return true;
            }
        }
        let issuer = entry.issuer.clone();
        self.fetch_keys(&issuer, 0);
        true
    }

    /// Tells everybody who waits for the keys of `issuer`.
    fn keys_arrived(&mut self, issuer: &Issuer, now: UnixTime) {
        self.keys_changed(issuer, now);
        self.renewal_keys_changed(issuer, now);
        self.userinfo_keys_changed(issuer, now);
    }

    /// Whether somebody waits for the keys of `issuer`.
    fn are_awaited(&self, issuer: &Issuer) -> bool {
        self.waits_for_keys(issuer) || self.renewal_waits_for_keys(issuer)
    }

    /// Fetches the keys once more for a `kid` that none of them has; whether that is allowed now.
    pub(super) fn refetch_keys(&mut self, issuer: &Issuer, now: UnixTime) -> bool {
        let Some(entry) = self.keys.iter_mut().find(|entry| entry.issuer == *issuer) else { return false };
        if entry.refetched_at.is_some_and(|at| now.since(at) < PATIENCE) {
            return false;
        }
        entry.refetched_at = Some(now);
        self.fetch_keys(issuer, 0);
        true
    }

    /// Fetches stored keys once more, of which none made a signature; whether that is worth it, and allowed now.
    pub(super) fn refetch_recorded_keys(&mut self, issuer: &Issuer, now: UnixTime) -> bool {
        self.keys.iter().any(|entry| entry.issuer == *issuer && entry.is_recorded) && self.refetch_keys(issuer, now)
    }

    fn fetch_keys(&mut self, issuer: &Issuer, failures: u32) {
        let Some(entry) = self.keys.iter().find(|entry| entry.issuer == *issuer) else { return };
        let fetch = self.fetch(keys_request(&entry.jwks_uri));
        if let Some(entry) = self.keys.iter_mut().find(|entry| entry.issuer == *issuer) {
            entry.state = KeyState::Fetching(fetch, failures);
            entry.is_recorded = false;
        }
    }

    /// The answer to a request for keys; gives it back if it is none.
    pub(super) fn keys_fetched(
        &mut self,
        fetch: FetchId,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) -> Option<Result<HttpResponse, HttpFailure>> {
        let is_it = |entry: &&mut KeyEntry| matches!(entry.state, KeyState::Fetching(id, _) if id == fetch);
        let Some(entry) = self.keys.iter_mut().find(is_it) else { return Some(outcome) };
        let KeyState::Fetching(_, failures) = entry.state else { return Some(outcome) };
        let issuer = entry.issuer.clone();
        let read = read_keys(&entry.jwks_uri, outcome).map(|(set, document)| {
            entry.stored = Some((now, document));
            set
        });
        // Where it failed, that it was tried again is news all the same.
        if let Some((fetched_at, document)) = &entry.stored {
            let mut record = Members::default();
            record.text("jwks_uri", Some(entry.jwks_uri.as_str()));
            record.number("fetched_at", Some(fetched_at.0));
            record.number("refetched_at", entry.refetched_at.map(|at| at.0));
            record.value("document", Some(document.clone()));
            self.write(RecordName::keys(&issuer), record.finish());
        }
        let state = match read {
            Ok(set) => KeyState::Ready(set),
            Err(error) if failures < MOST_REPEATS && is_passing(&error) && self.are_awaited(&issuer) => {
                let until = now.plus(Seconds(1 << failures));
                self.wake_at(until, now);
                KeyState::Waiting(until, failures + 1)
            }
            Err(error) => KeyState::Failed(Arc::new(error.into())),
        };
        if let Some(entry) = self.keys.iter_mut().find(|entry| entry.issuer == issuer) {
            entry.state = state;
        }
        self.keys_arrived(&issuer, now);
        None
    }

    /// Drops keys that are on their way, unless somebody still waits for them: nothing is written after a sign-out.
    pub(super) fn cancel_keys(&mut self, issuer: &Issuer) {
        if self.are_awaited(issuer) || self.userinfo_waits_for_keys(issuer) {
            return;
        }
        let is_it = |entry: &KeyEntry| entry.issuer == *issuer && !matches!(entry.state, KeyState::Ready(_));
        if let Some(index) = self.keys.iter().position(is_it)
            && let KeyState::Fetching(fetch, _) = self.keys.swap_remove(index).state
        {
            self.effects.push(Effect::CancelFetch(fetch));
        }
    }

    /// Repeats what waited for its time.
    pub(super) fn keys_woke(&mut self, now: UnixTime) {
        let waiting = self.keys.iter().find_map(|entry| match entry.state {
            KeyState::Waiting(until, failures) => Some((entry.issuer.clone(), until, failures)),
            _ => None,
        });
        match waiting {
            Some((issuer, until, failures)) if until <= now => self.fetch_keys(&issuer, failures),
            Some((_, until, _)) => self.wake_at(until, now),
            None => {}
        }
    }
}

/// Whether the same request may well succeed in a moment.
fn is_passing(error: &KeysError) -> bool {
    let KeysError::Unavailable(Attempt { problem, .. }) = error else { return false };
    match problem {
        AttemptProblem::Failure(failure) => {
            use HttpFailure::{Offline, Timeout, Unreachable, Unsent};
            matches!(failure, Unreachable | Timeout { .. } | Offline | Unsent)
        }
        AttemptProblem::Status(status) => *status == 429 || *status >= 500,
        AttemptProblem::NotJson { .. } => false,
    }
}
