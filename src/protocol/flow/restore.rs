//! Sign-ins that nobody clicked for: a session that was lost is asked for anew by a round trip that shows nothing, and an app may
//! send people to sign in by itself.
//!
//! Rule: not more than three within a minute. Whatever makes the next one start is then wrong, and the person is told the last
//! reason instead of being sent around.
//!
//! Source: OpenID Connect Core §3.1.2.1 (`prompt=none`), §3.1.2.6; security.md CB-17.

use std::sync::Arc;

use super::super::authorization_request::{AuthorizationRequestError, Entropy, EntropyFailure, Wish};
use super::super::authorization_response::CallbackError;
use super::super::error::Error;
use super::super::json::{Members, Value};
use super::super::session::Session;
use super::super::storage::RecordName;
use super::super::text::shorten;
use super::super::time::{Seconds, UnixTime};
use super::departure::SignIn;
use super::{Activity, Callback, Client, ClientKey, Effect, Flow, Intent, SessionEvent, take_one, time_in};

/// The sign-ins of this tab that nobody clicked for.
#[derive(Default)]
pub(super) struct Automatic {
    /// When they began, within the last minute.
    times: Vec<UnixTime>,
    /// Why the last one gave no session.
    last: Option<String>,
}

/// How many there may be in [`PERIOD`].
const MOST: usize = 3;

const PERIOD: Seconds = Seconds(60);

impl Flow {
    /// Signs in although nobody clicked: because the app wants a session, or, with a quiet `wish`, to have one back.
    pub(crate) fn sign_in_by_itself(
        &mut self,
        key: ClientKey,
        wish: Wish,
        entropy: Result<Entropy, EntropyFailure>,
        now: UnixTime,
    ) {
        if self.activity() != Activity::Idle || self.client(&key).is_none() {
            return;
        }
        self.automatic.times.retain(|time| *time <= now && now.since(*time) < PERIOD);
        if self.automatic.times.len() >= MOST {
            let error = AuthorizationRequestError::Loop { last: self.automatic.last.clone() }.into();
            self.sign_in = SignIn::Failed { key, error };
            return;
        }
        self.automatic.times.push(now);
        self.remember_automatic();
        self.sign_in(key, wish, entropy, Intent::Navigate, now);
    }

    fn remember_automatic(&mut self) {
        let mut record = Members::default();
        let times = self.automatic.times.iter().map(|time| Value::from(time.0)).collect();
        record.value("times", Some(Value::Array(times)));
        record.text("last", self.automatic.last.as_deref());
        self.write(RecordName::automatic(), record.finish());
    }

    /// The record of an earlier page of this tab.
    pub(super) fn automatic_read(&mut self, record: &Value) {
        let times = record.member("times").and_then(Value::as_array).unwrap_or_default();
        let times = times.iter().filter_map(Value::as_whole_number).take(MOST);
        self.automatic.times.extend(times.map(UnixTime));
        if self.automatic.last.is_none() {
            self.automatic.last = record.text("last").map(|last| shorten(last, 100));
        } else if !self.automatic.times.is_empty() {
            // The page began with an answer, and that is the last one.
            self.remember_automatic();
        }
    }

    /// This tab is a copy: the sign-ins that are noted here were another one's.
    pub(super) fn disown_automatic(&mut self) {
        if cfg!(feature = "restore") && !self.automatic.times.is_empty() {
            self.automatic.times.clear();
            self.remember_automatic();
        }
    }

    /// Notes why a sign-in gave no session, if nobody clicked for it. Whether it was a quiet one, after which the person is
    /// simply signed out, where they were.
    pub(super) fn quiet_sign_in_refused(&mut self, key: &ClientKey, error: &CallbackError, is_quiet: bool) -> bool {
        let CallbackError::Refused(refusal) = error else { return false };
        if cfg!(not(feature = "restore")) {
            return false;
        }
        // Whether anybody had clicked, the record knows, which may be read later.
        self.automatic.last = Some(refusal.error.clone());
        if !self.automatic.times.is_empty() {
            self.remember_automatic();
        }
        if is_quiet {
            self.callback = Callback::Idle;
            self.effects.push(Effect::Remove(RecordName::restore(key)));
            // What this tab still has of a session is of no use, and would lead to the next round trip.
            self.effects.push(Effect::Remove(RecordName::session(key)));
        }
        is_quiet
    }

    /// A session begins in this page; where it is asked for anew when it is lost, that is noted.
    pub(super) fn begin(&mut self, session: Session, restore: bool, now: UnixTime) {
        let key = session.key.clone();
        if cfg!(feature = "restore") && restore {
            let mut record = Members::default();
            record.number("at", Some(now.0));
            self.write(RecordName::restore(&key), record.finish());
        }
        self.effects.push(Effect::Announce(key.clone(), SessionEvent::SignedIn));
        take_one(&mut self.ended, |(owner, _)| *owner == key);
        self.take_on(session, false, now);
        self.active(now);
    }

    /// What is kept was looked for, and gave no session: perhaps there was one before this page was loaded anew.
    pub(super) fn restore_if_lost(&mut self, key: &ClientKey) {
        let is_expected = matches!(self.callback, Callback::Idle) && self.session(key).is_none();
        if is_expected && self.client(key).is_some_and(Client::restores) {
            self.effects.push(Effect::Read(RecordName::restore(key)));
        }
    }

    /// There was one, unless somebody signed out since.
    pub(super) fn restore_read(&mut self, key: &ClientKey, record: &Value, now: UnixTime) {
        let Some(began_at) = time_in(record, "at", now) else { return };
        let is_signed_out = self.signed_out_at(key).is_some_and(|at| began_at <= at);
        if self.session(key).is_none() && matches!(self.callback, Callback::Idle) && !is_signed_out {
            self.lost(key, now);
        }
    }

    pub(super) fn signed_out_at(&self, key: &ClientKey) -> Option<UnixTime> {
        self.signed_out.iter().find(|(known, _)| known == key).map(|(_, at)| *at)
    }

    /// When somebody signed out in any tab. Whoever has a session from before in this page, is signed out too: the page may
    /// have been away while it was said.
    pub(super) fn signed_out_read(&mut self, key: &ClientKey, record: Option<&Value>, now: UnixTime) {
        if let Some(at) = record.and_then(|record| time_in(record, "at", now)) {
            take_one(&mut self.signed_out, |(known, _)| known == key);
            self.signed_out.push((key.clone(), at));
            self.signed_out_before(key, at, now);
        }
        let is_ours = cfg!(feature = "restore") && take_one(&mut self.claimed, |known| known == key).is_some();
        if cfg!(feature = "refresh")
            && let Some((_, began_at)) = take_one(&mut self.gone, |(known, _)| known == key)
            && self.signed_out_at(key).is_none_or(|at| at < began_at)
        {
            if is_ours {
                self.lost(key, now);
            } else {
                self.lost_elsewhere(key, now);
            }
        }
        // Of a session that is over for good nobody waits any more.
        self.waiting_calls_may_go_on(false, now);
    }

    /// Somebody signed out at `at`, and the record of it was found. Whoever signed in within that second did so afterwards.
    pub(super) fn signed_out_before(&mut self, key: &ClientKey, at: UnixTime, now: UnixTime) {
        self.signed_out_elsewhere(key, UnixTime(at.0.saturating_sub(1)), now);
    }

    /// Why the session of `key` ended, if it was not signed out; until somebody signs in again.
    pub fn session_end(&self, key: &ClientKey) -> Option<&Arc<Error>> {
        self.ended.iter().find(|(owner, _)| owner == key).map(|(_, error)| error)
    }
}
