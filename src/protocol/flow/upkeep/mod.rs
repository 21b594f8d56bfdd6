//! Keeping sessions alive: performs what `renewal` asks for, for each session of this page. `record` has its questions to
//! lock and record, `refreshing` its messages to the server.
//!
//! Where tabs share a session, lock and record are another tab's too; otherwise this page answers for both itself, so that one
//! machine serves all.
//!
//! ```text
//!  due, refused or wished for ─► (lock, record) ─► Token ─► Keys ─► Verdict ─► (record) ─► published
//! ```

mod record;
mod refreshing;

use std::sync::Arc;

use super::super::client::TokenStorage;
use super::super::error::Error;
use super::super::json::Value;
use super::super::keys::keys_request;
use super::super::metadata::discovery_request;
use super::super::renewal::{End, Found, Input, Lock, Output, Renewal};
use super::super::secret::IdToken;
use super::super::session::{Session, SessionError};
use super::super::storage::RecordName;
use super::super::time::{Seconds, UnixTime};
use super::super::token_request::LIMITS;
use super::super::token_response::{TokenError, TokenResponse};
use super::proofs::Proven;
use super::tabs::Inheritance;
use super::{AskId, ClientKey, Effect, FetchId, Flow, SessionEvent, VerifyId, take_in_order, take_one};

/// What is done for one session.
pub(super) struct Upkeep {
    pub(super) key: ClientKey,
    renewal: Renewal,
    ownership: Ownership,
    pub(super) attempt: Attempt,
    /// The question to lock or record that is not answered yet.
    asked: Option<AskId>,
    /// When the lock must be free once more to be this page's.
    claims_at: Option<UnixTime>,
    /// What the last reading found.
    found: Option<Session>,
    /// Why the last attempt gave nothing.
    error: Option<Arc<Error>>,
    /// Whether the browser would not write the record the last time.
    is_unwritable: bool,
}

/// Whether a session that is kept in a tab belongs to this one: browsers copy sessionStorage when they duplicate a tab.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ownership {
    /// Nobody else can have it.
    Sole,
    /// This tab has the lock.
    Owner,
    /// The lock is asked for that its tab holds for as long as it lives; whether a renewal waits for that.
    Asked { is_awaited: bool },
    /// Another tab has it: this one is a copy.
    Foreign,
}

/// A refresh under way.
pub(super) enum Attempt {
    None,
    Probe(FetchId),
    /// The issuer's keys are awaited first, for whoever presents a token must be able to look at the answer.
    KeysFirst,
    Token {
        fetch: FetchId,
        proven: Option<Proven>,
        sent_at: UnixTime,
    },
    Keys(Unchecked),
    Verdict(VerifyId, Unchecked),
    /// The session as it will be.
    Renewed(Box<Session>),
}

/// An answer whose ID token was not verified yet.
pub(super) struct Unchecked {
    pub(super) response: TokenResponse,
    pub(super) id_token: IdToken,
    pub(super) sent_at: UnixTime,
}

/// How long a page waits for the lock of the session in its tab: the page before it lets it go at once.
const OWNER_PATIENCE: Seconds = Seconds(1);

/// A tab that may be a copy waits for no lock, and must find it free twice, so far apart: nobody has it while the other tab is
/// loaded anew.
const CLAIM_AFTER: Seconds = Seconds(2);

/// How long another tab's renewal is waited for: its request, and what it does with the answer.
const LOCK_PATIENCE: Seconds = Seconds(LIMITS.deadline.0 * 2);

impl Flow {
    /// What is done for the session of `key`.
    pub(super) fn upkeep(&self, key: &ClientKey) -> Option<&Upkeep> {
        self.upkeeps.iter().find(|upkeep| upkeep.key == *key)
    }

    fn upkeep_mut(&mut self, key: &ClientKey) -> Option<&mut Upkeep> {
        self.upkeeps.iter_mut().find(|upkeep| upkeep.key == *key)
    }

    pub(super) fn set_attempt(&mut self, key: &ClientKey, attempt: Attempt) {
        if let Some(upkeep) = self.upkeep_mut(key) {
            upkeep.attempt = attempt;
        }
    }

    pub(super) fn take_attempt(&mut self, key: &ClientKey) -> Attempt {
        let upkeep = self.upkeep_mut(key);
        upkeep.map_or(Attempt::None, |upkeep| std::mem::replace(&mut upkeep.attempt, Attempt::None))
    }

    /// Takes a session on, in the place of the one before it.
    pub(super) fn take_on(&mut self, session: Session, is_restored: bool, now: UnixTime) {
        let key = session.key.clone();
        if self.session(&key).is_some_and(|known| known.id != session.id) {
            self.end_what_is_on_its_way(&key);
        }
        self.end_upkeep(&key, now);
        self.end_round_trip(&key);
        take_in_order(&mut self.sessions, |known| known.key == key);
        let signed_in_at = session.signed_in_at;
        let mut ownership = Ownership::Sole;
        let mut asked = None;
        let mut claims_at = None;
        if session.token_storage.is_session() && session.refresh_token.is_some() {
            let inheritance = if is_restored { self.inheritance } else { Inheritance::Own };
            let patience = if inheritance == Inheritance::Own { OWNER_PATIENCE } else { Seconds(0) };
            claims_at = (inheritance == Inheritance::Unknown).then(|| now.plus(CLAIM_AFTER));
            if inheritance == Inheritance::Copied {
                ownership = Ownership::Foreign;
            } else {
                ownership = Ownership::Asked { is_awaited: false };
                asked = Some(self.ask_lock(session.lock_name(), patience));
            }
        }
        // Before those that this page began, which people look at: the last one is the newest.
        let place = if is_restored { 0 } else { self.sessions.len() };
        self.sessions.insert(place, session);
        if ownership == Ownership::Foreign {
            self.disown(&key);
        }
        if cfg!(not(feature = "refresh")) {
            return self.idle_begins(signed_in_at, now);
        }
        self.upkeeps.push(Upkeep {
            key,
            renewal: Renewal::default(),
            ownership,
            attempt: Attempt::None,
            asked,
            claims_at,
            found: None,
            error: None,
            is_unwritable: false,
        });
        // Whoever comes back after a long time is signed out before anything of theirs is shown.
        self.idle_begins(signed_in_at, now);
        self.waiting_calls_may_go_on(true, now);
        self.arm(now);
    }

    /// Nothing more is done for the session of `key`.
    pub(super) fn end_upkeep(&mut self, key: &ClientKey, now: UnixTime) {
        if cfg!(not(feature = "refresh")) {
            return;
        }
        self.renew(key, Input::Ended, now);
        let name = self.session(key).map(Session::lock_name);
        if let Some(upkeep) = take_one(&mut self.upkeeps, |upkeep| upkeep.key == *key) {
            match upkeep.attempt {
                Attempt::Probe(fetch) | Attempt::Token { fetch, .. } => self.effects.push(Effect::CancelFetch(fetch)),
                _ => {}
            }
            // Also of a session that was in this tab's storage, and is in memory since that failed.
            if matches!(upkeep.ownership, Ownership::Owner | Ownership::Asked { .. }) {
                name.into_iter().for_each(|name| self.unlock(name));
            }
        }
    }

    /// The app wants new tokens, whether they are due or not.
    pub(crate) fn renew_now(&mut self, key: &ClientKey, now: UnixTime) {
        self.renew(key, Input::Wanted, now);
    }

    /// Tells the machine of `key`, and does what it asks for.
    pub(super) fn renew(&mut self, key: &ClientKey, input: Input, now: UnixTime) {
        if cfg!(not(feature = "refresh")) {
            return;
        }
        let seed = self.seed;
        let is_renewable = self.session(key).is_some_and(Session::is_renewable);
        // What is being written down cannot be found yet.
        let is_vain = matches!(input, Input::Wanted | Input::Resumed) && !is_renewable
            || input == Input::Hint && self.is_beginning(key);
        let Some(upkeep) = self.upkeep_mut(key).filter(|_| !is_vain) else { return };
        let outputs = upkeep.renewal.advance(input, now, seed);
        // The session may be over before its lock is let go.
        let is_shared = |session: &&Session| session.token_storage.is_shared() && outputs.contains(&Output::Unlock);
        let lock = self.session(key).filter(is_shared).map(Session::lock_name);
        for output in outputs {
            match output {
                Output::Unlock => lock.iter().for_each(|name| self.unlock(name.clone())),
                // What asks for an answer comes last, so the answer may be given at once.
                _ => self.perform(key, output, now),
            }
        }
        self.calls_may_go_on(key, now);
        self.arm(now);
    }

    fn perform(&mut self, key: &ClientKey, output: Output, now: UnixTime) {
        match output {
            Output::Lock if cfg!(feature = "refresh") => self.renewal_begins(key),
            Output::Drop => return self.gone(key, now),
            Output::End(end) => return self.expire(key, end, now),
            Output::Tell => return self.tell_tabs(key),
            Output::Adopt => return self.adopt(key, now),
            _ => {}
        }
        let Some(session) = self.session(key) else { return };
        let (storage, name) = (session.token_storage, RecordName::session(key));
        match output {
            Output::Lock if storage.is_shared() => {
                let ask = self.ask_lock(session.lock_name(), LOCK_PATIENCE);
                self.set_asked(key, ask);
            }
            Output::Lock => {
                let lock = match self.upkeep_mut(key).map(|upkeep| &mut upkeep.ownership) {
                    Some(Ownership::Asked { is_awaited }) => {
                        *is_awaited = true;
                        return;
                    }
                    Some(Ownership::Foreign) => Lock::Foreign,
                    _ => Lock::Held,
                };
                self.renew(key, Input::Locked(lock), now);
            }
            Output::Read if storage.is_shared() => {
                let ask = self.read_shared(key);
                self.set_asked(key, ask);
            }
            Output::Read if storage.is_session() => self.effects.push(Effect::Read(name)),
            Output::Read => {
                let presented = session.presented;
                self.renew(key, Input::Found(Found::Same { presented, is_recent: false }), now);
            }
            Output::Probe => {
                let jwks_uri = session.asked.as_ref().map(|asked| keys_request(&asked.jwks_uri));
                match jwks_uri.or_else(|| discovery_request(&key.issuer, 0)) {
                    Some(request) => {
                        let fetch = self.fetch(request);
                        self.set_attempt(key, Attempt::Probe(fetch));
                    }
                    None => self.renew(key, Input::Probed(true), now),
                }
            }
            Output::Mark(presented) => self.mark(key, presented, now),
            Output::Send => match session.asked.clone() {
                Some(asked) if !self.has_keys(&key.issuer, &asked.jwks_uri) => {
                    self.set_attempt(key, Attempt::KeysFirst);
                }
                _ => self.present(key, now),
            },
            Output::Store => self.store(key, now),
            Output::Publish => {
                if let Attempt::Renewed(session) = self.take_attempt(key) {
                    self.replace_session(*session);
                    self.effects.push(Effect::Announce(key.clone(), SessionEvent::Renewed));
                }
            }
            Output::Discard => {
                if let Attempt::Renewed(session) = self.take_attempt(key) {
                    self.revoke(&session, None, now);
                }
            }
            _ => {}
        }
    }

    // The end, and time

    fn expire(&mut self, key: &ClientKey, end: End, now: UnixTime) {
        let Some(upkeep) = self.upkeep_mut(key) else { return };
        let cause = upkeep.error.take();
        let error: Arc<Error> = match (end, cause) {
            (End::Unusable, Some(cause)) => cause,
            (End::AnswerLost, _) => SessionError::AnswerLost.into(),
            (_, cause) => match cause.as_deref() {
                Some(Error::Token(TokenError::Refused(refusal))) => SessionError::Expired(refusal.clone()).into(),
                _ => SessionError::AnswerLost.into(),
            },
        };
        if let Some(session) = self.session(key).filter(|session| session.token_storage.is_shared()) {
            // Over this version alone: somebody may be signing in.
            let (before, began_at) = (Some(session.version()), session.signed_in_at);
            self.write_shared(key, before, String::new(), Value::Null);
            if end != End::AnswerLost {
                // Nothing was lost, so no other tab asks for it anew; but one that began later is another session.
                self.tell_signed_out(key, began_at);
            }
        }
        let waiting = match end {
            End::AnswerLost => self.take_calls_that_can_wait(key, now),
            End::InvalidGrant | End::Unusable => Vec::new(),
        };
        self.forget(key, SessionEvent::Expired(error.clone()), now);
        self.ended.push((key.clone(), error));
        self.waiting.extend(waiting);
        if end == End::AnswerLost {
            self.lost(key, now);
        }
    }

    /// What is kept has no session any more: somebody signed out in another tab, or the session was lost there. When somebody
    /// last signed out says which.
    fn gone(&mut self, key: &ClientKey, now: UnixTime) {
        let Some(began_at) = self.session(key).map(|session| session.signed_in_at) else { return };
        if self.has_claimed(key) {
            self.claimed.push(key.clone());
        }
        let waiting = self.take_calls_that_can_wait(key, now);
        self.forget(key, SessionEvent::SignedOutElsewhere, now);
        self.waiting.extend(waiting);
        self.gone.push((key.clone(), began_at));
        self.effects.push(Effect::Read(RecordName::signed_out(key)));
    }

    /// Whether the access token of `key` is its last one: nothing here can renew it.
    pub(super) fn is_final(&self, key: &ClientKey) -> bool {
        self.session(key).is_some_and(|session| !session.is_renewable() || self.is_unrenewable(key))
    }

    /// Whether that has expired, too.
    pub(super) fn is_spent(&self, key: &ClientKey, now: UnixTime) -> bool {
        self.is_final(key) && self.session(key).is_some_and(|session| session.is_expired(now))
    }

    /// Whether the session's tokens are due, and may be renewed.
    pub(super) fn wants_renewal(&self, session: &Session, now: UnixTime) -> bool {
        let skew = self.client(&session.key).map_or(Seconds(0), |client| client.clock_tolerance);
        session.is_renewable() && session.is_due(now, skew)
    }

    /// Renews what is due, and asks to be woken for what will be.
    pub(super) fn upkeep_woke(&mut self, now: UnixTime) {
        if cfg!(not(feature = "refresh")) {
            return;
        }
        // What failed is tried again at its time, whether it was due or only wished for.
        let is_over = |upkeep: &Upkeep| upkeep.renewal.waits_until().is_some_and(|until| until <= now);
        let is_failed = |session: &Session| self.upkeep(&session.key).is_some_and(is_over);
        for key in self.keys_of_sessions(&|session| self.wants_renewal(session, now) || is_failed(session)) {
            self.renew(&key, Input::Wanted, now);
        }
        self.claim_again(now);
        self.waiting_calls_may_go_on(true, now);
        self.arm(now);
    }

    /// The page is visible or online again: others may have changed what is kept, and what failed may work now.
    pub(super) fn upkeep_resumed(&mut self, now: UnixTime) {
        if cfg!(not(feature = "refresh")) {
            return;
        }
        // First what failed, while nothing is being read: who tries again reads the record anyway.
        for key in self.keys_of_sessions(&|_| true) {
            self.renew(&key, Input::Resumed, now);
        }
        for key in self.keys_of_sessions(&|session| session.token_storage != TokenStorage::Memory) {
            self.renew(&key, Input::Hint, now);
        }
    }

    /// Another tab says that it changed what is kept.
    pub(super) fn hinted(&mut self, key: &ClientKey, now: UnixTime) {
        self.renew(key, Input::Hint, now);
    }

    /// Contract 6: asks to be woken for the next thing that is due, strictly later than now.
    pub(super) fn arm(&mut self, now: UnixTime) {
        let mut next: Option<UnixTime> = None;
        for session in self.sessions.iter().filter(|session| session.is_renewable()) {
            let Some(Upkeep { renewal, .. }) = self.upkeep(&session.key) else { continue };
            let skew = self.client(&session.key).map_or(Seconds(0), |client| client.clock_tolerance);
            let due = renewal.waits_until().or_else(|| session.due_at(skew).filter(|_| !renewal.is_under_way()));
            next = [next, due.filter(|_| !renewal.is_exhausted())].into_iter().flatten().min();
        }
        next = [next, self.next_claim(), self.next_call_deadline()].into_iter().flatten().min();
        if let Some(next) = next {
            self.wake_at(next, now);
        }
    }

    /// Whether new tokens for `key` are being got, or will be tried for again.
    pub(super) fn is_renewing(&self, key: &ClientKey) -> bool {
        self.upkeep(key).is_some_and(|upkeep| upkeep.renewal.is_under_way())
    }

    /// Whether a renewal of `key` failed and waits for its time.
    pub(super) fn is_backing_off(&self, key: &ClientKey) -> bool {
        self.upkeep(key).is_some_and(|upkeep| upkeep.renewal.waits_until().is_some())
    }

    /// Why the last renewal of `key` gave nothing.
    pub fn renewal_error(&self, key: &ClientKey) -> Option<&Arc<Error>> {
        self.upkeep(key)?.error.as_ref()
    }

    /// Whether the tokens of `key` can not be renewed any more, though nobody has ended the session.
    pub fn is_unrenewable(&self, key: &ClientKey) -> bool {
        self.upkeep(key).is_some_and(|upkeep| upkeep.renewal.is_exhausted())
    }
}
