//! The handle that components hold.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

use leptos::prelude::*;
use leptos::reactive::signal::ArcTrigger;

use crate::browser::clock;
use crate::browser::driver::{Call, Driver};
use crate::browser::navigation;
#[cfg(feature = "step_up")]
use crate::protocol::challenge::StepUp;
use crate::protocol::claims::Claims;
use crate::protocol::client::{Client, ClientKey, ClientSettings};
use crate::protocol::error::Error;
use crate::protocol::flow::{Activity, CallId, Configuration, Flow, SessionEvent};
use crate::protocol::problem::ConfigurationError;
use crate::protocol::protected_resource::ResourceRequest;
use crate::protocol::resource_metadata::{ResourceMetadata, ResourceMetadataError};
use crate::protocol::session::Session;
use crate::protocol::time::Seconds;

/// A handle to the sign-ins of this page; `Copy`, and reactive wherever it is read.
#[derive(Clone, Copy)]
pub struct Auth {
    /// Leaked, as its driver is: a page has one.
    shared: StoredValue<&'static Shared, LocalStorage>,
}

struct Shared {
    driver: Driver,
    selected: RefCell<Option<ClientKey>>,
    status: Cell<Status>,
    /// Notified after every step of the flow.
    changed: ArcTrigger,
    /// Notified only when the status differs, so that what depends on it is not made anew by every step.
    status_changed: ArcTrigger,
    /// Notified every second, once somebody has asked for what changes by the second.
    ticked: OnceCell<ArcTrigger>,
}

/// What the selected client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The configuration has not arrived, or it is not known yet whether other tabs have a session.
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
        let shared = Shared {
            driver,
            selected: RefCell::new(None),
            status: Cell::new(Status::Loading),
            changed: ArcTrigger::new(),
            status_changed: ArcTrigger::new(),
            ticked: OnceCell::new(),
        };
        let auth = Self { shared: StoredValue::new_local(&*Box::leak(Box::new(shared))) };
        auth.refresh();
        // The driver outlives its provider: answers that come after it is gone are nobody's.
        driver.subscribe(move || {
            if auth.shared.try_get_value().is_some() {
                auth.refresh();
            }
        });
        auth
    }

    /// Looks at the flow; whoever reads is told when it changes.
    pub fn read<T>(self, look: impl FnOnce(&Flow) -> T) -> T {
        self.shared().changed.track();
        self.peek(look)
    }

    /// Looks at the flow once; whoever reads is not told when it changes.
    pub fn peek<T>(self, look: impl FnOnce(&Flow) -> T) -> T {
        self.shared().driver.read(look)
    }

    /// The configured clients.
    pub fn clients(self) -> Vec<Client> {
        self.read(|flow| flow.clients().to_vec())
    }

    /// The client that the functions below are about: the one selected, else one with a session, else the first.
    pub fn selected(self) -> Option<ClientKey> {
        self.shared().changed.track();
        self.peek_selected()
    }

    /// Makes `key` the selected client.
    pub fn select(self, key: ClientKey) {
        self.shared().selected.replace(Some(key));
        self.refresh();
    }

    /// What the selected client is doing.
    pub fn status(self) -> Status {
        let shared = self.shared();
        shared.status_changed.track();
        shared.status.get()
    }

    /// Whether the selected client has a session.
    pub fn is_signed_in(self) -> bool {
        self.status() == Status::SignedIn
    }

    /// The session of the selected client.
    pub fn session(self) -> Option<Session> {
        let key = self.selected()?;
        self.peek(|flow| flow.session(&key).cloned())
    }

    /// What is left of the access token's lifetime, counted down; `None` without a session or without a lifetime.
    pub fn remaining(self) -> Option<Seconds> {
        self.track_seconds();
        let key = self.selected()?;
        self.peek(|flow| flow.session(&key)?.remaining(clock::now()))
    }

    fn track_seconds(self) {
        let ticked = self.shared().ticked.get_or_init(|| {
            let ticked = ArcTrigger::new();
            // Lives as long as the page.
            let every_second = ticked.clone();
            std::mem::forget(clock::every(Seconds(1), move || every_second.notify()));
            ticked
        });
        ticked.track();
    }

    /// Why nobody is signed in: the configuration, the last attempt, the last response, or the end of the last session.
    pub fn error(self) -> Option<Arc<Error>> {
        let key = self.selected();
        self.peek(|flow| {
            if let Configuration::Failed(error) = flow.configuration() {
                return Some(error.clone());
            }
            let before = key.as_ref().and_then(|key| flow.sign_in_error(key).cloned());
            let before = before.or_else(|| flow.callback_failure().map(|failure| failure.error.clone()));
            before.or_else(|| flow.session_end(key.as_ref()?).cloned())
        })
    }

    /// Fetches metadata ahead of a click, so that the click waits for nothing.
    pub fn expect_sign_in(self, key: ClientKey) {
        self.shared().driver.expect_sign_in(key);
    }

    /// Signs in at the selected client and comes back to the page where the person is.
    pub fn sign_in(self) {
        self.sign_in_and_return_to(navigation::current_path());
    }

    /// Signs in at the selected client and comes back to `path`, which begins with `/`.
    pub fn sign_in_and_return_to(self, path: String) {
        if let Some(key) = self.peek_selected() {
            self.shared().driver.sign_in(key, Some(path));
        }
    }

    /// Signs in once more as an API demands it (RFC 9470), and comes back to the page where the person is.
    #[cfg(feature = "step_up")]
    pub fn step_up(self, demand: StepUp) {
        if let Some(key) = self.peek_selected() {
            self.shared().driver.step_up(key, Some(navigation::current_path()), demand);
        }
    }

    /// Who is signed in at the selected client: the claims of the verified ID token.
    pub fn claims(self) -> Option<Claims> {
        self.session()?.claims().cloned()
    }

    /// What the user info endpoint said about the same person, once it was asked.
    pub fn userinfo(self) -> Option<Claims> {
        self.session()?.userinfo().cloned()
    }

    /// Asks the user info endpoint of the selected client; [`Auth::userinfo`] then has the answer.
    pub fn ask_userinfo(self) {
        if let Some(key) = self.peek_selected() {
            self.shared().driver.ask_userinfo(key);
        }
    }

    /// Signs in at the selected client though nobody clicked, and comes back to the page where the person is. Not more than
    /// three times within a minute: then [`Auth::error`] says so.
    pub fn sign_in_by_itself(self) {
        if let Some(key) = self.peek_selected() {
            self.shared().driver.sign_in_by_itself(key, Some(navigation::current_path()));
        }
    }

    /// Makes an authorization request at `key` to be shown as a link; it appears in [`Flow::prepared`].
    pub fn prepare_sign_in(self, key: ClientKey, return_path: String) {
        self.shared().driver.prepare_sign_in(key, Some(return_path));
    }

    /// Adds a client to those of the configuration, for this page, and selects it.
    ///
    /// # Errors
    /// [`ConfigurationError`]; nothing is added then.
    pub fn add_client(self, settings: ClientSettings) -> Result<(), ConfigurationError> {
        let client = self.peek(|flow| Client::new(settings, flow.site()))?;
        let key = client.key().clone();
        self.shared().driver.add_client(client);
        self.select(key);
        Ok(())
    }

    /// Finds out what an API says about itself, above all whose tokens it takes (RFC 9728). No token is sent.
    ///
    /// # Errors
    /// [`ResourceMetadataError`].
    pub async fn find_resource(self, url: &str) -> Result<ResourceMetadata, ResourceMetadataError> {
        let driver = self.shared().driver;
        driver.find_resource(url).await
    }

    /// Stops a sign-in that waits for the network.
    pub fn cancel_sign_in(self) {
        self.shared().driver.cancel_sign_in();
    }

    /// Signs the selected client out: everything of it in this browser is forgotten, in every tab, and the server is asked to
    /// revoke its tokens.
    pub fn sign_out(self) {
        if let Some(key) = self.peek_selected() {
            self.shared().driver.sign_out(key);
        }
    }

    /// Forgets everything of the client `key` in this browser, and tells the server nothing: for one that is there no more.
    pub fn forget(self, key: ClientKey) {
        self.shared().driver.forget(key);
    }

    /// Signs the selected client out, and then leaves for the server's own sign-out (OpenID Connect RP-Initiated Logout), if
    /// it has one.
    pub fn sign_out_at_server(self) {
        if let Some(key) = self.peek_selected() {
            self.shared().driver.sign_out_at_server(key);
        }
    }

    /// Gets new tokens for the selected client now. That is done by itself before the old ones expire.
    pub fn renew(self) {
        if let Some(key) = self.peek_selected() {
            self.shared().driver.renew(key);
        }
    }

    /// Calls `listener` with what happens to sessions, for as long as the page lives.
    pub fn on_event(self, listener: impl Fn(&ClientKey, &SessionEvent) + 'static) {
        self.shared().driver.on_event(listener);
    }

    /// How long it is until the person is signed out because nobody touches a key or a pointer, counted down; `None` if that
    /// is not configured, or nobody is signed in.
    #[cfg(feature = "idle_timeout")]
    pub fn idle_remaining(self) -> Option<Seconds> {
        self.track_seconds();
        let key = self.selected()?;
        self.peek(|flow| flow.idle_remaining(&key, clock::now()))
    }

    /// Calls an API with the selected client's token; `None` if there is no client.
    pub fn request(self, request: ResourceRequest) -> Option<Call> {
        let key = self.peek_selected()?;
        Some(self.shared().driver.call(key, request))
    }

    /// Stops waiting for a call, by [`Call::id`]; its answer is then an error that says so.
    pub fn cancel_call(self, call: CallId) {
        // The provider may be gone, and its calls with it.
        if let Some(shared) = self.shared.try_get_value() {
            shared.driver.cancel_call(call);
        }
    }

    fn shared(self) -> &'static Shared {
        self.shared.get_value()
    }

    fn peek_selected(self) -> Option<ClientKey> {
        let chosen = self.shared().selected.borrow().clone();
        self.peek(|flow| {
            let chosen = chosen.filter(|key| flow.client(key).is_some());
            let with_session = || flow.sessions().last().map(|session| session.key().clone());
            chosen.or_else(with_session).or_else(|| flow.clients().first().map(|client| client.key().clone()))
        })
    }

    /// Tells everybody who reads that something changed.
    fn refresh(self) {
        let status = self.peek_status();
        let shared = self.shared();
        if shared.status.replace(status) != status {
            shared.status_changed.notify();
        }
        shared.changed.notify();
    }

    fn peek_status(self) -> Status {
        let key = self.peek_selected();
        self.peek(|flow| {
            let is_ours = |owner: &ClientKey| key.as_ref().is_none_or(|key| key == owner);
            let failed = key.as_ref().is_some_and(|key| flow.sign_in_error(key).is_some());
            match (flow.configuration(), flow.activity()) {
                _ if key.as_ref().is_some_and(|key| flow.session(key).is_some()) => Status::SignedIn,
                (_, Activity::Receiving) => Status::SigningIn,
                (_, Activity::Discovering(owner) | Activity::Navigating(owner) | Activity::Exchanging(owner))
                    if is_ours(&owner) =>
                {
                    Status::SigningIn
                }
                (Configuration::Failed(_), _) => Status::Failed,
                _ if failed || flow.callback_failure().is_some() => Status::Failed,
                (Configuration::Loading(_), _) => Status::Loading,
                (Configuration::Ready(_), _) if key.as_ref().is_some_and(|key| flow.is_restoring(key)) => {
                    Status::Loading
                }
                (Configuration::Ready(_), _) => Status::SignedOut,
            }
        })
    }
}
