//! What a sign-in does not need: it comes when somebody wants it.
//!
//! Rule: the release build puts what is below this module into a file of its own (scripts/dist.d/split.mjs), so nothing here
//! may run before `Rest` says that it is there. These functions are the doors; nothing else here is called from outside.

mod api;
mod fault_panel;
mod from_api;
mod prepared_request;
mod session;

use std::sync::Arc;

use leptos_pkce::protocol::client::ClientKey;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::session::Session;

use super::node::Node;
use super::parts::Retry;
use super::shell::Place;

/// The page that calls APIs.
#[inline(never)]
pub(super) fn api_page(place: Place) -> Node {
    api::api_page(place)
}

/// What the card is for that begins with an API.
#[inline(never)]
pub(super) fn from_api(place: Place) -> Node {
    from_api::from_api(place)
}

/// The fault panel in full.
#[inline(never)]
pub(super) fn fault_panel(place: Place, error: &Arc<Error>, key: Option<&ClientKey>, retry: Option<Retry>) -> Node {
    fault_panel::fault_panel(place, error, key, retry)
}

/// An authorization request as a plain link.
#[inline(never)]
pub(super) fn prepared_request(url: &str) -> Node {
    prepared_request::prepared_request(url)
}

/// How a session was verified, and how it is kept alive.
#[inline(never)]
pub(super) fn session(place: Place, session: &Session) -> Node {
    session::session(place, session)
}
