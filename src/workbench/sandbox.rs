//! The sandbox as the pages see it: a server like any other, but for where it is. A Service Worker of this site is it,
//! so it must be started before anything is asked of it, and there are places where it cannot be.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::browser::navigation;
use leptos_pkce::browser::service_worker::{self, NotStarted, Order};
use leptos_pkce::protocol::client::{Client, ClientKey};
use leptos_pkce::protocol::configuration::{parse_configuration, read_configuration};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::problem::ConfigurationError;
use leptos_pkce::protocol::site::Site;
use leptos_pkce::ui::Auth;

use super::added;
use super::node::{Node, element};
use super::parts::button;

/// Where it is, below the site's base.
const ISSUER: &str = "sandbox/";

/// What is known of it in this page; `Copy`.
#[derive(Clone, Copy)]
pub(super) struct Sandbox {
    auth: Auth,
    status: RwSignal<Status>,
}

/// What the worker is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Nobody has chosen it yet.
    Absent,
    /// It is on its way.
    Starting,
    /// It answers this page.
    Running,
    /// It cannot answer this page.
    Failed(NotStarted),
}

/// What config.json would have to say.
const CONFIGURATION: &str = r#"{ "authorization_servers": [{
  "name": "Sandbox",
  "issuer": "sandbox/",
  "client_id": "workbench",
  "scope": "openid profile photos:read offline_access",
  "token_storage": "session",
  "resources": [{ "name": "Photos", "url": "sandbox/api/photos" }]
}] }"#;

/// Reads config.json, where a list without servers means the sandbox, and adds what was added in this tab.
pub(super) fn read(outcome: Result<HttpResponse, HttpFailure>, site: &Site) -> Result<Vec<Client>, ConfigurationError> {
    let mut clients = read_configuration(outcome, site)?;
    if clients.is_empty() {
        // What is wrong with this one can only be the site's own address; without a server, the page says so.
        clients = parse_configuration(CONFIGURATION.as_bytes(), site).unwrap_or_default();
    }
    let is_new = |client: &Client| !clients.iter().any(|known| known.key() == client.key());
    let added: Vec<_> = added::clients(site).into_iter().filter(is_new).collect();
    clients.extend(added);
    Ok(clients)
}

impl Sandbox {
    /// Takes up a worker that was started earlier.
    pub(super) fn new(auth: Auth) -> Self {
        let sandbox = Self { auth, status: RwSignal::new(Status::Absent) };
        sandbox.order(Order::Resume, None);
        sandbox
    }

    /// Whether `key` is a client of the sandbox.
    pub(super) fn is(self, key: &ClientKey) -> bool {
        key.issuer.as_str() == self.auth.peek(|flow| flow.site().url_of(ISSUER))
    }

    /// Whether it answers this page.
    pub(super) fn is_running(self) -> bool {
        self.status.get() == Status::Running
    }

    /// Does `then` once the server behind `key` is there to answer; for all but the sandbox that is now.
    pub(super) fn before(self, key: &ClientKey, then: impl FnOnce() + 'static) {
        if !self.is(key) {
            return then();
        }
        // Also where it runs: somebody may have removed it in another tab.
        if !self.is_running_now() {
            self.status.set(Status::Starting);
        }
        self.order(Order::Start, Some(Box::new(then)));
    }

    /// Has metadata fetched ahead of a click, where that can be.
    pub(super) fn expect_sign_in(self, key: &ClientKey) {
        if !self.is(key) || self.is_running_now() {
            self.auth.expect_sign_in(key.clone());
        }
    }

    /// The clients of the sandbox.
    fn clients(self) -> Vec<ClientKey> {
        let keys: Vec<_> = self.auth.peek(|flow| flow.clients().iter().map(|client| client.key().clone()).collect());
        keys.into_iter().filter(|key| self.is(key)).collect()
    }

    fn is_running_now(self) -> bool {
        self.status.get_untracked() == Status::Running
    }

    /// Has the worker do something, then does `then` if it now answers and nobody has cancelled that.
    fn order(self, order: Order, then: Option<Box<dyn FnOnce()>>) {
        let base = self.auth.peek(|flow| flow.site().url_of(""));
        let performing: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
            let outcome = service_worker::perform(order, &base).await;
            if (order, outcome) == (Order::Resume, Ok(false)) {
                // There was nothing to take up; meanwhile somebody may have pressed the button.
                return;
            }
            let is_wanted = self.status.get_untracked() != Status::Absent;
            self.status.set(match outcome {
                Err(reason) => Status::Failed(reason),
                Ok(true) => Status::Running,
                Ok(false) => Status::Absent,
            });
            for key in self.clients() {
                if order == Order::Forget && outcome.is_ok() {
                    // A session there is worth nothing any more.
                    self.auth.forget(key);
                } else {
                    self.expect_sign_in(&key);
                }
            }
            match then {
                _ if order == Order::Forget && outcome.is_ok() => reload(),
                Some(then) if is_wanted && outcome == Ok(true) => then(),
                _ => {}
            }
        });
        spawn_local(performing);
    }

    /// What a card says of it: that it will be started, or how to be rid of it.
    pub(super) fn line(self) -> Node {
        match self.status.get() {
            Status::Absent => element("p.muted")
                .child("It is started when you sign in: a Service Worker, which stays until you forget it."),
            Status::Starting => element("p.late")
                .child(element("span").attribute("role", "status").child("Starting the sandbox… "))
                .child(button("button.button small", "Cancel", move || self.status.set(Status::Absent))),
            Status::Running => element("p.muted")
                .child(button("button.button small", "Forget the sandbox", move || self.order(Order::Forget, None)))
                .child(" removes its Service Worker, its key, and what it knows."),
            Status::Failed(reason) => notice(reason),
        }
    }

    /// What pages say that need it, where it is the selected server and cannot answer.
    pub(super) fn trouble(self) -> Option<Node> {
        let Status::Failed(reason) = self.status.get() else { return None };
        self.auth.selected().filter(|key| self.is(key)).map(|_| notice(reason))
    }
}

/// Whether the address bar names something below it.
pub(super) fn is_its_page(auth: Auth) -> bool {
    let path = navigation::current_path();
    auth.peek(|flow| path.strip_prefix(flow.site().base_path()).is_some_and(|below| below.starts_with(ISSUER)))
}

/// What it is.
pub(super) fn introduction() -> Node {
    element("p").child(
        "A practice server inside this browser, with made-up people and a photo API. Nothing leaves this machine.",
    )
}

/// What the sign-in page says where there is neither a configured server nor a place for the sandbox.
pub(super) fn nowhere() -> Node {
    notice(NotStarted::Unsupported).child(element("p").child("Or name a server in config.json."))
}

fn notice(reason: NotStarted) -> Node {
    let words = match reason {
        NotStarted::Unsupported => {
            "The sandbox cannot run here: this browser has no Service Workers for this page. They need https or \
             http://localhost, and some browsers have none in private windows."
        }
        NotStarted::Refused => {
            "The sandbox cannot run here: the browser refused its Service Worker. Allow this site to keep data, or see \
             that sandbox-service-worker.js was uploaded with the site; then reload the page."
        }
        NotStarted::Silent => {
            "The sandbox does not answer: its files did not arrive, or the browser has ended it. Check the connection; \
             then reload the page."
        }
        NotStarted::Uncontrolled => {
            "The sandbox cannot see this page’s requests: it was reloaded past the browser’s cache (Shift + Reload). \
             Reload it the ordinary way."
        }
    };
    let again = element("p").child(button("button.button small", "Reload the page", reload));
    let note = element("div.fault").attribute("data-fault", "network").attribute("role", "alert");
    note.child(element("p").child(words)).child(again)
}

/// Loads the page anew.
pub(super) fn reload() {
    // What can fail here is a browser that refuses to navigate.
    let _ = window().location().reload();
}
