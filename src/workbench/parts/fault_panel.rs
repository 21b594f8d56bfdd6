//! The fault panel, everywhere the same: what happened, whose side it is on, what to check, the stable code.

use leptos_pkce::inspect::advice::advise;
use leptos_pkce::inspect::report::report;
use leptos_pkce::protocol::client::ClientKey;
use leptos_pkce::protocol::error::{Error, Fault};
use leptos_pkce::ui::Auth;

use super::super::node::{Node, element};
use super::{button, code, copy_button, values};

/// Explains `error`.
///
/// `key` says whose it was, if that is known; `retry` is what "Try again" does, and without it there is no such button.
pub(in super::super) fn fault_panel(
    auth: Auth,
    error: &Error,
    key: Option<&ClientKey>,
    retry: Option<Box<dyn Fn()>>,
) -> Node {
    let advice = auth.peek(|flow| advise(error, key.and_then(|key| flow.client(key)), flow.site()));
    let text = report(error, &advice);
    let fault = error.fault();
    let more = advice.more.map(|uri| {
        let link = element("a").attribute("href", uri.clone());
        let link = link.attribute("rel", "noopener noreferrer").attribute("target", "_blank");
        element("p").child(link.child("What the server says about it: ").child(uri))
    });
    let again = retry.map(|retry| button("button.button primary", "Try again", retry));
    element("section.fault")
        .attribute("data-fault", fault.as_str())
        .attribute("role", "alert")
        .child(element("h2").child(advice.summary))
        .child(element("p.muted").child(format!("On the side of: {}", side(fault))))
        .child(element("h3").child("What to check next"))
        .child(element("ol").children(advice.checks.into_iter().map(|check| element("li").child(check))))
        .child(element("h3").child("The values involved"))
        .child(values(advice.values.into_iter().map(|(name, value)| (name, code(value)))))
        .child(more)
        .child(element("p.muted").child("Error code: ").child(code(error.code())))
        .child(element("div.actions").child(again).child(copy_button("Copy report", text)))
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
