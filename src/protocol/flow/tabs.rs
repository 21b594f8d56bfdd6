//! What this page hears of other tabs, and what it looks up when it comes back to life.

use super::super::storage::RecordName;
use super::super::tab_message::{News, TabMessage};
use super::super::time::UnixTime;
use super::{ClientKey, Effect, Flow};

/// Whose a session is that this page finds in its tab's sessionStorage, which browsers copy when they duplicate a tab.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Inheritance {
    /// This tab's: the page before this one noted that it was left.
    Own,
    /// Another tab's, that of the page which opened this one.
    Copied,
    /// Either: the tab was duplicated, or the browser has ended the page before, to save memory or in a crash.
    Unknown,
}

impl Flow {
    /// Another tab said something. What is not plainly one of the messages is nothing.
    pub(crate) fn heard(&mut self, text: &str, now: UnixTime) {
        let Some(TabMessage { key, news }) = TabMessage::parse(text, self.site.scheme_policy()) else { return };
        match news {
            News::Changed => self.changed_elsewhere(&key, now),
            News::SignedOut(at) => self.signed_out_elsewhere(&key, at, now),
            News::Active(at) => self.active_elsewhere(at, now),
        }
    }

    /// The shared record is another one: also where this page has no session yet.
    fn changed_elsewhere(&mut self, key: &ClientKey, now: UnixTime) {
        let is_shared = self.client(key).is_some_and(|client| client.token_storage.is_shared());
        if is_shared && self.session(key).is_some() {
            self.hinted(key, now);
        } else if is_shared && !self.restoring.iter().any(|search| search.key == *key) {
            self.look_for_shared(key, true);
        }
    }

    /// The page is visible, focused or online again: time has passed, and others may have done something meanwhile.
    pub(crate) fn resumed(&mut self, now: UnixTime) {
        self.woke(now);
        self.upkeep_resumed(now);
        self.round_trips_resumed(now);
    }

    /// The page comes back from the back/forward cache, in which it heard nothing.
    pub(crate) fn restored(&mut self, now: UnixTime) {
        self.sign_in_returned();
        for key in self.keys_of_sessions(&|_| true) {
            self.effects.push(Effect::Read(RecordName::signed_out(&key)));
        }
        if cfg!(not(feature = "shared_storage")) {
            return self.resumed(now);
        }
        let is_without = |key: &&ClientKey| self.session(key).is_none();
        let without: Vec<ClientKey> =
            self.clients().iter().map(|client| &client.key).filter(is_without).cloned().collect();
        for key in without {
            self.changed_elsewhere(&key, now);
        }
        self.resumed(now);
    }

    /// The page is shown inside of another one, which could make people click on what they do not see: nobody signs in here.
    pub(crate) fn framed(&mut self) {
        self.is_framed = true;
    }

    /// What is in this tab's sessionStorage came from its own page before, or from the one that opened it.
    pub(crate) fn inherited(&mut self, was_left: bool, has_opener: bool) {
        self.inheritance = match (was_left, has_opener) {
            (true, _) => Inheritance::Own,
            (false, true) => Inheritance::Copied,
            (false, false) => Inheritance::Unknown,
        };
    }

    /// What differs from page to page.
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "native tests are the same each time"))]
    pub(crate) fn set_seed(&mut self, seed: u32) {
        self.seed = seed;
    }
}
