//! What all tabs of the origin have in common: locks, and records that no one tab owns.
//!
//! Rule: a build that keeps no such sessions asks for none of it, and carries nothing that could answer.

use super::super::authorization_request::StorageFailure;
use super::super::client::TokenStorage;
use super::super::json::Value;
use super::super::session::Session;
#[cfg(feature = "shared_storage")]
use super::super::storage::Record;
use super::super::storage::RecordName;
use super::super::time::{Seconds, UnixTime};
use super::{AskId, ClientKey, Effect, Flow, SessionEvent, take_one};

/// A session is looked for, where this page has none.
pub(super) struct Search {
    pub(super) key: ClientKey,
    pub(super) ask: AskId,
    /// Whether another tab said that there is one.
    pub(super) is_news: bool,
}

impl Flow {
    fn next_ask(&mut self) -> AskId {
        self.last_id += 1;
        AskId(self.last_id)
    }

    /// Asks for a lock.
    pub(super) fn ask_lock(&mut self, name: String, patience: Seconds) -> AskId {
        let ask = self.next_ask();
        #[cfg(any(feature = "session_storage", feature = "shared_storage"))]
        self.effects.push(Effect::Lock { ask, name, patience });
        #[cfg(not(any(feature = "session_storage", feature = "shared_storage")))]
        let _ = (name, patience);
        ask
    }

    /// Lets it go, or the wish for it.
    pub(super) fn unlock(&mut self, name: String) {
        #[cfg(any(feature = "session_storage", feature = "shared_storage"))]
        self.effects.push(Effect::Unlock(name));
        #[cfg(not(any(feature = "session_storage", feature = "shared_storage")))]
        let _ = name;
    }

    /// Reads the session that all tabs share.
    pub(super) fn read_shared(&mut self, key: &ClientKey) -> AskId {
        let ask = self.next_ask();
        #[cfg(feature = "shared_storage")]
        self.effects.push(Effect::ReadShared { ask, name: RecordName::session(key) });
        #[cfg(not(feature = "shared_storage"))]
        let _ = key;
        ask
    }

    /// Looks whether there is one, where this page has none.
    pub(super) fn look_for_shared(&mut self, key: &ClientKey, is_news: bool) {
        let ask = self.read_shared(key);
        self.restoring.push(Search { key: key.clone(), ask, is_news });
    }

    /// Looks for a session of this tab.
    pub(super) fn look_for_kept(&mut self, key: &ClientKey) {
        let ask = self.next_ask();
        self.restoring.push(Search { key: key.clone(), ask, is_news: false });
        self.effects.push(Effect::Read(RecordName::session(key)));
    }

    /// What was looked for was found: it is taken up, unless somebody signed out since it began.
    pub(super) fn restore(&mut self, session: Session, is_news: bool, now: UnixTime) {
        let key = session.key.clone();
        if self.session(&key).is_some() {
            return;
        }
        self.take_on(session, true, now);
        if is_news {
            take_one(&mut self.ended, |(owner, _)| *owner == key);
            self.effects.push(Effect::Announce(key.clone(), SessionEvent::SignedInElsewhere));
        }
        if let Some(at) = self.signed_out_at(&key) {
            self.signed_out_before(&key, at, now);
        }
    }

    /// Writes it over the version `before`; over whatever is there if that is `None`.
    pub(super) fn write_shared(
        &mut self,
        key: &ClientKey,
        before: Option<String>,
        version: String,
        record: Value,
    ) -> AskId {
        let ask = self.next_ask();
        #[cfg(feature = "shared_storage")]
        self.effects.push(Effect::WriteShared {
            ask,
            name: RecordName::session(key),
            before,
            version,
            record: Record(record),
        });
        #[cfg(not(feature = "shared_storage"))]
        let _ = (key, before, version, record);
        ask
    }

    /// A session that began in this page was written down, or not: only now do other tabs find it. Gives the answer back if
    /// it is to another question.
    pub(super) fn begin_written(
        &mut self,
        ask: AskId,
        outcome: Result<bool, StorageFailure>,
    ) -> Option<Result<bool, StorageFailure>> {
        let Some((key, _)) = take_one(&mut self.beginning, |(_, asked)| *asked == ask) else { return Some(outcome) };
        match self.sessions.iter_mut().find(|session| session.key == key) {
            Some(_) if outcome.is_ok() => self.post_changed(&key),
            Some(session) => {
                // The session lives on in this page, and says so; no older one may come back at the next reload.
                session.token_storage = TokenStorage::Memory;
                self.remove_shared(&key);
            }
            // Signed out meanwhile.
            None => self.remove_shared(&key),
        }
        None
    }

    /// Whether a session that began in this page is not written down yet.
    pub(super) fn is_beginning(&self, key: &ClientKey) -> bool {
        self.beginning.iter().any(|(known, _)| known == key)
    }

    /// Removes it.
    pub(super) fn remove_shared(&mut self, key: &ClientKey) {
        #[cfg(feature = "shared_storage")]
        if self.client(key).is_some_and(|client| client.token_storage.is_shared()) {
            self.effects.push(Effect::RemoveShared(RecordName::session(key)));
        }
        #[cfg(not(feature = "shared_storage"))]
        let _ = key;
    }
}
