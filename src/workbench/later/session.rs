//! Session, the rest of it: how it was verified, and how it is kept alive.

use leptos_pkce::inspect::trust::{in_words, title};
use leptos_pkce::protocol::id_token::{Check, Outcome};
use leptos_pkce::protocol::session::Session;

use super::super::node::{Node, element, fragment};
use super::super::parts::{Seen, button, fault_panel, section};
use super::super::shell::Place;

/// The sections between the access token and the ways out.
pub(super) fn session(place: Place, session: &Session) -> Node {
    let id_token = session.id_token().map(|id_token| verified(&id_token.checks()));
    fragment().child(id_token).child(renewal(place, session))
}

/// Every check that the ID token passed.
fn verified(checks: &[Check]) -> Node {
    let words = if checks.is_empty() {
        "It was verified when somebody signed in. What was found then is not kept when the page is loaded anew."
    } else {
        "Verified here, by this browser:"
    };
    section("ID token").child(element("p").child(words)).child(element("ol.checks").children(checks.iter().map(row)))
}

fn row(check: &Check) -> Node {
    let outcome = match check.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotApplicable => "not needed",
    };
    element("li")
        .attribute("data-outcome", outcome)
        .child(element("strong").child(title(check.id)))
        .child(element("span.verdict").child(format!(" {outcome}. ")))
        .child(element("span.muted").child(check.section))
        .child(element("p.muted").child(in_words(check)))
}

/// How the session is kept alive.
fn renewal(place: Place, session: &Session) -> Node {
    let auth = place.auth;
    let key = session.key().clone();
    let section = section("Refresh token");
    if !session.has_refresh_token() {
        let words = "None came, or it is another tab's, of which this one is a copy. When the access token has expired, \
                     somebody has to sign in again; many servers give one for the scope offline_access.";
        return section.child(element("p").child(words));
    }
    let words = match session.generation() {
        0 => "One came. The access token is renewed with it before it expires, and whenever an API refuses it."
            .to_owned(),
        1 => "The access token was renewed once.".to_owned(),
        times => format!("The access token was renewed {times} times."),
    };
    let owner = key.clone();
    let trouble = move || {
        let key = owner.clone();
        auth.read(move |flow| flow.renewal_error(&key).map(|error| (Seen(error.clone()), flow.is_unrenewable(&key))))
    };
    let owner = key;
    let shown = move |trouble: &Option<(Seen, bool)>| {
        let (Seen(error), is_final) = trouble.as_ref()?;
        let words = if *is_final {
            "It can not be renewed any more; the session lasts for as long as this access token does."
        } else {
            "The last try gave no new token. The session is kept, and it is tried again by itself."
        };
        Some(fragment().child(element("p.warning").child(words)).child(fault_panel(place, error, Some(&owner), None)))
    };
    let renew = button("button.button", "Renew now", move || auth.renew());
    section.child(element("p").child(words)).child(element("div.actions").child(renew)).live_by(trouble, shown)
}
