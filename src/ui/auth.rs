//! The handle that components hold.

use leptos::prelude::*;

use crate::browser::clock;
use crate::browser::driver::{Call, Driver};
use crate::browser::navigation;
use crate::protocol::client::{Client, ClientKey};
use crate::protocol::error::Error;
use crate::protocol::flow::{Activity, CallId, Configuration, Flow};
use crate::protocol::protected_resource::ResourceRequest;
use crate::protocol::session::Session;
use crate::protocol::time::{Seconds, UnixTime};

/// A handle to the sign-ins of this page; `Copy`, and reactive wherever it is read.
#[derive(Clone, Copy)]
pub struct Auth {
    driver: StoredValue<Driver, LocalStorage>,
    /// Notified after every step of the flow.
    changed: RwSignal<()>,
    selected: RwSignal<Option<ClientKey>>,
    now: RwSignal<UnixTime>,
}

/// What the selected client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The configuration has not arrived.
    Loading,
    /// Nobody is signed in.
    SignedOut,
    /// On the way to or from the authorization server.
    SigningIn,
    /// Somebody is signed in.
    SignedIn,
    /// The last sign-in failed, or the configuration is unusable; see [`Auth::error`].
    Failed,
}

/// The handle to the sign-ins of this page.
///
/// # Panics
/// Outside an [`AuthProvider`](super::AuthProvider).
pub fn use_auth() -> Auth {
    expect_context()
}

impl Auth {
    pub(super) fn new(driver: Driver) -> Self {
        let changed = RwSignal::new(());
        let now = RwSignal::new(driver.now());
        driver.subscribe(move || {
            now.set(clock::now());
            changed.set(());
        });
        // Lifetimes are shown in seconds; the timer lives as long as the page.
        let ticking = clock::every(Seconds(1), move || now.set(clock::now()));
        std::mem::forget(ticking);
        Self { driver: StoredValue::new_local(driver), changed, selected: RwSignal::new(None), now }
    }

    /// Looks at the flow; whoever reads is told when it changes.
    pub fn read<T>(self, look: impl FnOnce(&Flow) -> T) -> T {
        self.changed.track();
        self.driver.with_value(|driver| driver.read(look))
    }

    /// The configured clients.
    pub fn clients(self) -> Vec<Client> {
        self.read(|flow| flow.clients().to_vec())
    }

    /// The client that the functions below are about: the one selected, else one with a session, else the first.
    pub fn selected(self) -> Option<ClientKey> {
        let selected = self.selected.get();
        self.read(|flow| {
            let chosen = selected.filter(|key| flow.client(key).is_some());
            let with_session = || flow.sessions().last().map(|session| session.key().clone());
            chosen.or_else(with_session).or_else(|| flow.clients().first().map(|client| client.key().clone()))
        })
    }

    /// Makes `key` the selected client.
    pub fn select(self, key: ClientKey) {
        self.selected.set(Some(key));
    }

    /// What the selected client is doing.
    pub fn status(self) -> Status {
        let Some(key) = self.selected() else {
            return self.read(|flow| match flow.configuration() {
                Configuration::Loading(_) if flow.activity() == Activity::Idle => Status::Loading,
                Configuration::Loading(_) => Status::SigningIn,
                Configuration::Ready(_) => Status::SignedOut,
                Configuration::Failed(_) => Status::Failed,
            });
        };
        self.read(|flow| match flow.activity() {
            Activity::Receiving => Status::SigningIn,
            Activity::Discovering(other) | Activity::Navigating(other) | Activity::Exchanging(other)
                if other == key =>
            {
                Status::SigningIn
            }
            _ if flow.session(&key).is_some() => Status::SignedIn,
            _ if flow.sign_in_error(&key).is_some() || flow.callback_failure().is_some() => Status::Failed,
            _ => Status::SignedOut,
        })
    }

    /// The session of the selected client.
    pub fn session(self) -> Option<Session> {
        let key = self.selected()?;
        self.read(|flow| flow.session(&key).cloned())
    }

    /// Whether the selected client has a session.
    pub fn is_signed_in(self) -> bool {
        self.selected().is_some_and(|key| self.read(|flow| flow.session(&key).is_some()))
    }

    /// What is left of the access token's lifetime, counted down; `None` without a session or without a lifetime.
    pub fn remaining(self) -> Option<Seconds> {
        let now = self.now.get();
        let key = self.selected()?;
        self.read(|flow| flow.session(&key)?.remaining(now))
    }

    /// Why nobody could be signed in: the configuration, the last attempt, or the last response.
    pub fn error(self) -> Option<Error> {
        let key = self.selected();
        self.read(|flow| {
            if let Configuration::Failed(error) = flow.configuration() {
                return Some(error.clone().into());
            }
            let before = key.and_then(|key| flow.sign_in_error(&key).cloned());
            before.or_else(|| flow.callback_failure().map(|failure| failure.error.clone()))
        })
    }

    /// Fetches metadata ahead of a click, so that the click waits for nothing.
    pub fn expect_sign_in(self, key: ClientKey) {
        self.driver.with_value(|driver| driver.expect_sign_in(key));
    }

    /// Signs in at the selected client and comes back to the page where the person is.
    pub fn sign_in(self) {
        self.sign_in_and_return_to(navigation::current_path());
    }

    /// Signs in at the selected client and comes back to `path`, which begins with `/`.
    pub fn sign_in_and_return_to(self, path: String) {
        if let Some(key) = self.selected() {
            self.driver.with_value(|driver| driver.sign_in(key, Some(path)));
        }
    }

    /// Makes an authorization request at `key` to be shown as a link; it appears in [`Flow::prepared`].
    pub fn prepare_sign_in(self, key: ClientKey, return_path: String) {
        self.driver.with_value(|driver| driver.prepare_sign_in(key, Some(return_path)));
    }

    /// Stops a sign-in that waits for the network.
    pub fn cancel_sign_in(self) {
        self.driver.with_value(Driver::cancel_sign_in);
    }

    /// Signs the selected client out: everything of it in this browser is forgotten.
    pub fn sign_out(self) {
        if let Some(key) = self.selected() {
            self.driver.with_value(|driver| driver.sign_out(key));
        }
    }

    /// Calls an API with the selected client's token; `None` if there is no client.
    pub fn call(self, request: ResourceRequest) -> Option<Call> {
        let key = self.selected()?;
        Some(self.driver.with_value(|driver| driver.call(key, request)))
    }

    /// Stops waiting for a call, by [`Call::id`]; its answer is then an error that says so.
    pub fn cancel_call(self, call: CallId) {
        // The provider may be gone, and its calls with it.
        let _ = self.driver.try_with_value(|driver| driver.cancel_call(call));
    }
}
