//! Lock and record of a session: asked for, answered, written over the version that was read, and what another tab wrote
//! there.

use super::super::super::authorization_request::StorageFailure;
use super::super::super::client::TokenStorage;
use super::super::super::renewal::{Found, Input, Lock, Written};
use super::super::super::session::Session;
use super::super::super::storage::{Record, RecordName};
use super::super::super::time::{Seconds, UnixTime};
use super::super::shared::Search;
use super::super::{AskId, ClientKey, Effect, Flow, SessionEvent, take_one};
use super::{Attempt, CLAIM_AFTER, LOCK_PATIENCE, Ownership, Upkeep};

impl Flow {
    /// Whose question it was; it is answered now.
    fn asker(&mut self, ask: AskId) -> Option<&mut Upkeep> {
        let upkeep = self.upkeeps.iter_mut().find(|upkeep| upkeep.asked == Some(ask))?;
        upkeep.asked = None;
        Some(upkeep)
    }

    pub(super) fn set_asked(&mut self, key: &ClientKey, ask: AskId) {
        if let Some(upkeep) = self.upkeep_mut(key) {
            upkeep.asked = Some(ask);
        }
    }

    /// The lock is held, or not.
    pub(crate) fn locked(&mut self, ask: AskId, lock: Lock, name: String, now: UnixTime) {
        let Some(upkeep) = self.asker(ask) else {
            // Nobody waits for it any more.
            if lock == Lock::Held {
                self.unlock(name);
            }
            return;
        };
        let key = upkeep.key.clone();
        let Ownership::Asked { is_awaited } = upkeep.ownership else {
            // Whoever does not let go of a shared session's lock may be dead.
            let lock = if lock == Lock::Held { lock } else { Lock::Without };
            return self.renew(&key, Input::Locked(lock), now);
        };
        if cfg!(feature = "session_storage") && upkeep.claims_at.is_some() && lock == Lock::Held {
            self.unlock(name);
            return self.arm(now);
        }
        upkeep.claims_at = None;
        upkeep.ownership = if lock == Lock::Foreign { Ownership::Foreign } else { Ownership::Owner };
        if lock == Lock::Foreign {
            self.disown(&key);
        }
        if is_awaited {
            let lock = if lock == Lock::Foreign { lock } else { Lock::Held };
            self.renew(&key, Input::Locked(lock), now);
        }
    }

    /// The lock was free some time ago; if it still is, no other tab will come for it.
    pub(super) fn claim_again(&mut self, now: UnixTime) {
        // Also where the clock was set back meanwhile.
        let is_due = |at: UnixTime| at <= now || at > now.plus(CLAIM_AFTER);
        let is_time = |upkeep: &Upkeep| upkeep.claims_at.is_some_and(is_due) && upkeep.asked.is_none();
        if cfg!(feature = "session_storage")
            && let Some(upkeep) = self.upkeeps.iter_mut().find(|upkeep| is_time(upkeep))
        {
            upkeep.claims_at = None;
            let key = upkeep.key.clone();
            let Some(name) = self.session(&key).map(Session::lock_name) else { return };
            let ask = self.ask_lock(name, Seconds(0));
            self.set_asked(&key, ask);
        }
    }

    /// When that is.
    pub(super) fn next_claim(&self) -> Option<UnixTime> {
        if cfg!(not(feature = "session_storage")) {
            return None;
        }
        self.upkeeps.iter().filter_map(|upkeep| upkeep.claims_at).min()
    }

    /// This tab is a copy: the refresh token is another one's, and goes.
    pub(super) fn disown(&mut self, key: &ClientKey) {
        let Some(session) = self.sessions.iter_mut().find(|session| session.key == *key) else { return };
        session.refresh_token = None;
        let session = session.clone();
        self.keep(&session, None);
        self.disown_automatic();
    }

    /// A shared record was read; `Err` if the browser could not.
    pub(crate) fn shared_read(&mut self, ask: AskId, record: Result<Option<Record>, StorageFailure>, now: UnixTime) {
        if let Some(Search { key, is_news, .. }) = take_one(&mut self.restoring, |search| search.ask == ask) {
            let session = record.ok().flatten().and_then(|record| self.decode_session(&key, &record));
            session.into_iter().for_each(|session| self.restore(session, is_news, now));
            return self.restore_if_lost(&key);
        }
        let Some(upkeep) = self.asker(ask) else { return };
        let key = upkeep.key.clone();
        match record {
            // Whether there is one is not known: it is as it was, as far as that goes.
            Err(_) => {
                let presented = self.session(&key).map_or(0, |session| session.presented);
                self.renew(&key, Input::Found(Found::Same { presented, is_recent: true }), now);
            }
            Ok(record) => self.session_found(&key, record, now),
        }
    }

    /// The record of a session was read once more.
    pub(in super::super) fn session_found(&mut self, key: &ClientKey, record: Option<Record>, now: UnixTime) {
        let stored = record.and_then(|record| self.decode_session(key, &record));
        let found = match (&stored, self.sessions.iter_mut().find(|session| session.key == *key)) {
            (None, _) | (_, None) => Found::Gone,
            (Some(stored), Some(session)) if (&stored.id, stored.generation) == (&session.id, session.generation) => {
                // The marks of other tabs count here too.
                (session.presented, session.presented_at) = (stored.presented, stored.presented_at);
                let at = stored.presented_at.filter(|at| *at <= now && stored.presented > 0);
                let is_recent = at.is_some_and(|at| now.since(at) <= LOCK_PATIENCE);
                Found::Same { presented: stored.presented, is_recent }
            }
            _ => Found::Newer,
        };
        if let Some(upkeep) = self.upkeep_mut(key) {
            upkeep.found = stored;
        }
        self.renew(key, Input::Found(found), now);
    }

    /// A shared record was written: whether it took the place of the version that was named.
    pub(crate) fn shared_written(&mut self, ask: AskId, outcome: Result<bool, StorageFailure>, now: UnixTime) {
        let Some(outcome) = self.begin_written(ask, outcome) else { return };
        let Some(outcome) = self.claim_written(ask, outcome, now) else { return };
        let Some(upkeep) = self.asker(ask) else { return };
        let (key, is_marking) = (upkeep.key.clone(), upkeep.renewal.is_marking());
        let written = match outcome {
            Ok(true) => Written::Done,
            Ok(false) => Written::Conflict,
            Err(_) => Written::Failed,
        };
        if is_marking {
            return self.marked(&key, written, now);
        }
        if written == Written::Failed {
            // The tokens live on in this page, and the spent ones mislead nobody.
            if let Some(Upkeep { attempt: Attempt::Renewed(session), .. }) = self.upkeep_mut(&key) {
                session.token_storage = TokenStorage::Memory;
            }
            self.remove_shared(&key);
        }
        self.renew(&key, Input::Stored(written), now);
    }

    /// Where the record can not be written, twice in a row, it goes, and the session lives on in this page.
    fn marked(&mut self, key: &ClientKey, mut written: Written, now: UnixTime) {
        let Some(upkeep) = self.upkeep_mut(key) else { return };
        let was_unwritable = std::mem::replace(&mut upkeep.is_unwritable, written == Written::Failed);
        if let Attempt::Renewed(mut marked) = self.take_attempt(key) {
            if was_unwritable && written == Written::Failed {
                marked.token_storage = TokenStorage::Memory;
                self.remove_shared(key);
                written = Written::Done;
            }
            if written == Written::Done {
                self.replace_session(*marked);
            }
        }
        self.renew(key, Input::Marked(written), now);
    }

    pub(in super::super) fn decode_session(&self, key: &ClientKey, Record(record): &Record) -> Option<Session> {
        let storage = self.client(key)?.token_storage;
        Session::decode(record, key, storage, self.site.scheme_policy())
    }

    /// Writes a session down where it is kept, over the version `before`; `None` is whatever is there.
    pub(in super::super) fn keep(&mut self, session: &Session, before: Option<String>) -> Option<AskId> {
        if session.token_storage.is_session() {
            self.write(RecordName::session(&session.key), session.encode());
        }
        if !session.token_storage.is_shared() {
            return None;
        }
        Some(self.write_shared(&session.key, before, session.version(), session.encode()))
    }

    /// Rule 2 of `renewal`: it is written down before it happens.
    pub(super) fn mark(&mut self, key: &ClientKey, presented: u32, now: UnixTime) {
        let Some(session) = self.session(key) else { return };
        let mut marked = session.clone();
        (marked.presented, marked.presented_at) = (presented, Some(now));
        match self.keep(&marked, Some(session.version())) {
            Some(ask) => {
                self.set_asked(key, ask);
                self.set_attempt(key, Attempt::Renewed(Box::new(marked)));
            }
            None => {
                self.replace_session(marked);
                self.renew(key, Input::Marked(Written::Done), now);
            }
        }
    }

    /// Rule 4 of `renewal`.
    pub(super) fn store(&mut self, key: &ClientKey, now: UnixTime) {
        let Some(Upkeep { attempt: Attempt::Renewed(renewed), .. }) = self.upkeep(key) else { return };
        let (renewed, before) = ((**renewed).clone(), self.session(key).map(Session::version));
        match self.keep(&renewed, before) {
            Some(ask) => self.set_asked(key, ask),
            None => self.renew(key, Input::Stored(Written::Done), now),
        }
    }

    /// What is on its way is for another session, perhaps another person's.
    pub(super) fn end_what_is_on_its_way(&mut self, key: &ClientKey) {
        self.end_calls_of(key);
        self.set_userinfo(key, None);
    }

    pub(super) fn replace_session(&mut self, session: Session) {
        if let Some(known) = self.sessions.iter_mut().find(|known| known.key == session.key) {
            *known = session;
        }
    }

    /// Another tab has renewed the session, or somebody has signed in there.
    pub(super) fn adopt(&mut self, key: &ClientKey, now: UnixTime) {
        let Some(upkeep) = self.upkeep_mut(key) else { return };
        upkeep.error = None;
        let Some(found) = upkeep.found.take() else { return };
        let is_another = self.session(key).is_none_or(|session| session.id != found.id);
        if is_another {
            // The same person's, perhaps, who had to be asked for anew.
            let waiting = self.take_calls_that_can_wait(key, now);
            self.end_what_is_on_its_way(key);
            self.waiting.extend(waiting);
        }
        self.replace_session(found);
        self.end_round_trip(key);
        let event = if is_another { SessionEvent::SignedInElsewhere } else { SessionEvent::Renewed };
        self.effects.push(Effect::Announce(key.clone(), event));
        self.arm(now);
    }
}
