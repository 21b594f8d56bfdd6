//! The fault panel, everywhere the same: what happened and its stable code at once, and all that helps as soon as that has
//! come.

use std::sync::Arc;

use leptos_pkce::protocol::client::ClientKey;
use leptos_pkce::protocol::error::Error;

use super::super::later;
use super::super::node::{Node, element};
use super::super::shell::Place;
use super::{button, code};

/// What "Try again" does.
pub(in super::super) type Retry = Arc<dyn Fn() + Send + Sync>;

/// An error that is looked at: the same for as long as it is that very one, whatever it says.
#[derive(Clone)]
pub(in super::super) struct Seen(pub(in super::super) Arc<Error>);

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Explains `error`.
///
/// `key` says whose it was, if that is known; `retry` is what "Try again" does, and without it there is no such button.
pub(in super::super) fn fault_panel(
    place: Place,
    error: &Arc<Error>,
    key: Option<&ClientKey>,
    retry: Option<Retry>,
) -> Node {
    let (error, key) = (error.clone(), key.cloned());
    let (shown, again) = (error.clone(), retry.clone());
    let meanwhile = move |notice: Option<Node>| {
        element("section.fault")
            .attribute("data-fault", shown.fault().as_str())
            .attribute("role", "alert")
            // Its own sentence is kilobytes of words, and may quote what a server said: that is for the whole panel.
            .child(element("h2").child("Something did not go as it should."))
            .child(notice)
            .child(element("p.muted").child("Error code: ").child(code(shown.code())))
            .child(element("div.actions").child(again_button(again.clone())))
    };
    place.rest.show(move || later::fault_panel(place, &error, key.as_ref(), retry.clone()), meanwhile)
}

/// The button, if there is something to try again.
pub(in super::super) fn again_button(retry: Option<Retry>) -> Option<Node> {
    retry.map(|retry| button("button.button primary", "Try again", move || retry()))
}
