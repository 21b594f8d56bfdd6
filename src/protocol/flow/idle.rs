//! Signing out who has left: nobody touched a key or a pointer for the time that is configured, in no tab.

use super::super::json::Members;
use super::super::session::Session;
use super::super::storage::RecordName;
use super::super::tab_message::{News, TabMessage};
use super::super::time::{Seconds, UnixTime};
use super::{ClientKey, Effect, Flow, SessionEvent};

/// How often at most other tabs hear that somebody is there.
const NEWS_EVERY: Seconds = Seconds(1);

impl Flow {
    /// Somebody touched a key or a pointer in this page.
    pub(crate) fn active(&mut self, now: UnixTime) {
        if cfg!(not(feature = "idle_timeout")) || now.since(self.active_at) < NEWS_EVERY && self.active_at <= now {
            return;
        }
        // Whoever comes back too late is signed out. Who is not, because they were in another tab, is seen with the next key.
        if self.sessions.iter().any(|session| self.is_idle_over(session, now)) {
            return self.idle_woke(now);
        }
        self.active_at = now;
        for key in self.keys_of_sessions(&|session| self.idle_end(session).is_some()) {
            let mut record = Members::default();
            record.number("at", Some(now.0));
            self.write(RecordName::active(&key), record.finish());
            self.effects.push(Effect::Post(TabMessage { key, news: News::Active(now) }.encode()));
        }
        self.idle_arm(now);
    }

    /// A session is taken up, of somebody who was there when it began. By a clock that was turned back since, that is now.
    pub(super) fn idle_begins(&mut self, signed_in_at: UnixTime, now: UnixTime) {
        self.active_at = self.active_at.max(signed_in_at.min(now));
        self.idle_woke(now);
    }

    /// Somebody did so in another tab.
    pub(super) fn active_elsewhere(&mut self, at: UnixTime, now: UnixTime) {
        // A time that is still to come was not written by this clock.
        if at <= now && at > self.active_at {
            self.active_at = at;
        }
        self.idle_arm(now);
    }

    /// When a session ends if nobody does anything; `None` if that ends none.
    fn idle_end(&self, session: &Session) -> Option<UnixTime> {
        Some(self.active_at.plus(self.client(&session.key)?.idle_timeout()?))
    }

    fn is_idle_over(&self, session: &Session, now: UnixTime) -> bool {
        self.idle_end(session).is_some_and(|end| end <= now)
    }

    /// How long it is until the person of `key` is signed out, if they do nothing; `None` if they never are.
    pub fn idle_remaining(&self, key: &ClientKey, now: UnixTime) -> Option<Seconds> {
        Some(self.idle_end(self.session(key)?)?.since(now))
    }

    /// Looks whether another tab, of which this one heard nothing, has seen somebody; signs out if none has.
    pub(super) fn idle_woke(&mut self, now: UnixTime) {
        if cfg!(not(feature = "idle_timeout")) {
            return;
        }
        // By a clock that was turned back the time begins anew.
        self.active_at = self.active_at.min(now);
        for key in self.keys_of_sessions(&|session| self.is_idle_over(session, now)) {
            // Answered at once; what is left of the sessions then is `idle_checked`.
            self.effects.push(Effect::Read(RecordName::active(&key)));
        }
        self.idle_arm(now);
    }

    /// What another tab wrote down last was read.
    pub(super) fn idle_checked(&mut self, key: &ClientKey, at: Option<UnixTime>, now: UnixTime) {
        if let Some(at) = at {
            self.active_elsewhere(at, now);
        }
        if self.idle_remaining(key, now) == Some(Seconds(0)) {
            self.sign_out_because(key.clone(), SessionEvent::SignedOutIdle, now);
        }
    }

    fn idle_arm(&mut self, now: UnixTime) {
        if cfg!(not(feature = "idle_timeout")) {
            return;
        }
        let next = self.sessions.iter().filter_map(|session| self.idle_end(session)).min();
        if let Some(next) = next {
            self.wake_at(next, now);
        }
    }
}
