//! The fault panel in full: what happened, whose side it is on, what to check, the stable code.

use std::sync::Arc;

use leptos::prelude::untrack;
use leptos_pkce::inspect::advice::{Advice, advise};
use leptos_pkce::inspect::report::report;
use leptos_pkce::protocol::client::ClientKey;
use leptos_pkce::protocol::error::{Error, Fault};

use super::super::node::{Node, element, fragment};
use super::super::parts::{Retry, again_button, code, copy_button, values};
use super::super::shell::Place;

/// Explains `error`: at once in its own words, and more when the explanations are there.
///
/// `key` says whose it was, if that is known.
pub(super) fn fault_panel(place: Place, error: &Arc<Error>, key: Option<&ClientKey>, retry: Option<Retry>) -> Node {
    let explainer = place.explainer;
    explainer.want();
    let (fault, code_of_it) = (error.fault(), error.code());
    let (shown, key) = (error.clone(), key.cloned());
    let advice: Arc<dyn Fn() -> Advice + Send + Sync> = Arc::new(move || {
        let explanations = explainer.explanations();
        place.auth.peek(|flow| {
            let client = key.as_ref().and_then(|key| flow.client(key));
            advise(&shown, client, flow.site(), explanations)
        })
    });
    // Only sentences come later; the values are the error's own.
    let now = untrack(|| advice());
    let more = now.more.map(|uri| {
        let link = element("a").attribute("href", uri.clone());
        let link = link.attribute("rel", "noopener noreferrer").attribute("target", "_blank");
        element("p").child(link.child("What the server says about it: ").child(uri))
    });
    let (summary, checks, reported) = (advice.clone(), advice.clone(), error.clone());
    let summary = move || summary().summary;
    let checks = move || {
        let checks = checks().checks;
        let list = (!checks.is_empty())
            .then(|| element("ol").children(checks.into_iter().map(|check| element("li").child(check))));
        fragment().child(list).child(explainer.notice())
    };
    let text = Box::new(move || untrack(|| report(&reported, &advice())));
    element("section.fault")
        .attribute("data-fault", fault.as_str())
        .attribute("role", "alert")
        // What comes later is read out without all that stood there before.
        .attribute("aria-atomic", "false")
        .child(element("h2").live(summary))
        .child(element("p.muted").child(format!("On the side of: {}", side(fault))))
        .child(element("h3").child("What to check next"))
        .live(checks)
        .child(element("h3").child("The values involved"))
        .child(values(now.values.into_iter().map(|(name, value)| (name, code(value)))))
        .child(more)
        .child(element("p.muted").child("Error code: ").child(code(code_of_it)))
        .child(element("div.actions").child(again_button(retry)).child(copy_button("Copy report", text)))
}

fn side(fault: Fault) -> &'static str {
    match fault {
        Fault::Caller => "this page's configuration",
        Fault::AuthorizationServer => "the authorization server or API",
        Fault::EndUser => "the person",
        Fault::Network => "the network",
        Fault::Environment => "the browser",
    }
}
