//! Callback: short-lived; says which step it is at, or what went wrong.

use std::mem::discriminant;
use std::sync::Arc;

use leptos::prelude::untrack;
use leptos_pkce::ui::CallbackView;

use super::super::node::{Node, element, fragment};
use super::super::parts::{Retry, Seen, button, fault_panel};
use super::super::shell::Place;
use crate::route::Route;

/// Follows what becomes of the authorization response.
pub(in super::super) fn callback_page(place: Place) -> Node {
    // A failure is explained once more when the configuration arrives: only then is it known what was sent.
    let configured = move || place.auth.read(|flow| flow.clients().len());
    let look = move || {
        let view = place.auth.callback();
        let error = match &view {
            CallbackView::Failed { error, .. } => Some(Seen(error.clone())),
            _ => None,
        };
        (discriminant(&view), error, configured())
    };
    fragment().live_by(look, move |_| show(place, &untrack(|| place.auth.callback())))
}

fn show(place: Place, view: &CallbackView) -> Node {
    let auth = place.auth;
    let step = |words| element("p.late").attribute("role", "status").child(words);
    let onwards = |node: Node| {
        let link = element("p").child(place.link(Route::SignIn, "Go to the sign-in page"));
        node.live(move || untouched(place)).child(link)
    };
    match view {
        CallbackView::Receiving => step("Looking up the sign-in that this answers…"),
        CallbackView::Exchanging => fragment()
            .child(step("Sending the code and the code verifier to the token endpoint…"))
            .child(element("p.late").child(button("button.button", "Cancel", move || auth.cancel_sign_in()))),
        CallbackView::Failed { error, key } => {
            let retry = key.is_some().then(|| Arc::new(move || auth.retry_sign_in()) as Retry);
            onwards(fragment().child(fault_panel(place, error, key.as_ref(), retry)))
        }
        CallbackView::Empty => onwards(fragment().child(element("p").child(
            "This is the address that authorization servers send people back to. There is no answer here to \
             complete: it was opened directly, or its answer was used already.",
        ))),
    }
}

/// Tells people who are signed in that they still are.
fn untouched(place: Place) -> Option<Node> {
    let words = element("p").child("You are still signed in as before: ");
    place.auth.is_signed_in().then(|| words.child(place.link(Route::Session, "see the session")).child("."))
}
