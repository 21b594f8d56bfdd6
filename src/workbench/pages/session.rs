//! Session: what the sign-in left behind.

use std::sync::Arc;

use leptos_pkce::protocol::claims::Claims;
use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::flow::UserInfoActivity;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::token_response::{TokenType, Tolerance};
use leptos_pkce::ui::{Auth, Status};

use super::super::later;
use super::super::node::{Node, element, fragment};
use super::super::parts::{
    Retry, Seen, button, code, fault_panel, lifetime_bar, lifetime_text, secret_field, section, values,
};
use super::super::shell::Place;
use crate::route::Route;

/// Follows the session of the selected client.
pub(in super::super) fn session_page(place: Place) -> Node {
    let auth = place.auth;
    place.rest.want_soon();
    fragment().live_by(
        move || (auth.session(), auth.status()),
        move |(session, status)| match session {
            Some(session) => Some(details(place, session)),
            None if *status == Status::Loading => Some(coming()),
            None => Some(nobody(place)),
        },
    )
}

/// A session is looked for, or another tab is getting it back.
pub(in super::super) fn coming() -> Node {
    element("p.late").attribute("role", "status").child("Looking for the session…")
}

/// Nobody is signed in: why, if nobody signed out.
fn nobody(place: Place) -> Node {
    let auth = place.auth;
    let ended = auth.selected().and_then(|key| auth.peek(|flow| Some((flow.session_end(&key)?.clone(), key))));
    match ended {
        None => place.dead_end("Nobody is signed in. "),
        Some((error, key)) => {
            let again: Retry = Arc::new(move || auth.sign_in_and_return_to(place.path(Route::Session)));
            fault_panel(place, &error, Some(&key), Some(again))
        }
    }
}

fn details(place: Place, session: &Session) -> Node {
    let auth = place.auth;
    let call = element("p.actions").child(place.link(Route::Api, "Call an API with it"));
    let person = session.id_token().map(|id_token| person(place, session, id_token.claims()));
    let kept = session.clone();
    let more = place.rest.show_alone(move || later::session(place, &kept));
    fragment().child(person).child(access_token(auth, session).child(call)).child(more).child(leaving(auth))
}

/// The two ways out.
fn leaving(auth: Auth) -> Node {
    let here = button("button.button", "Sign out here", move || auth.sign_out());
    let there = button("button.button", "Sign out at the server too", move || auth.sign_out_at_server());
    let idle = move || auth.idle_remaining().map(|left| format!("Nobody there: signed out in {} s.", left.0));
    section("Sign out")
        .child(element("p.muted").child(
            "Here: everything of this session is forgotten in all tabs of this browser, and the server is asked to revoke \
             its tokens. At the server too: you leave this page for the server's own sign-out, if it has one.",
        ))
        .child(element("div.actions").child(here).child(there))
        .child(element("p.muted").live(idle))
}

/// Who is signed in: what the ID token says, and what the user info endpoint adds.
fn person(place: Place, session: &Session, claims: &Claims) -> Node {
    let auth = place.auth;
    let key = session.key().clone();
    let owner = key.clone();
    let activity = move || match auth.read(|flow| flow.userinfo(&key)) {
        UserInfoActivity::Idle => None,
        UserInfoActivity::Asking => Some(Ok(())),
        UserInfoActivity::Failed(error) => Some(Err(Seen(error))),
    };
    let state = move |activity: &Option<Result<(), Seen>>| match activity.as_ref()? {
        Ok(()) => Some(element("p.late").attribute("role", "status").child("Asking the server…")),
        Err(Seen(error)) => Some(fault_panel(place, error, Some(&owner), None)),
    };
    let more = session.userinfo().map(|claims| {
        let words = "What the user info endpoint says about the same person:";
        fragment().child(element("h3").child("User info")).child(element("p.muted").child(words)).child(shown(claims))
    });
    let words = if more.is_some() { "Ask for user info again" } else { "Ask for user info" };
    let ask = button("button.button", words, move || auth.ask_userinfo());
    section("Who is signed in")
        .child(shown(claims))
        .child(more)
        .child(element("div.actions").child(ask))
        .live_by(activity, state)
}

fn shown(claims: &Claims) -> Node {
    values(claims.document().as_object().unwrap_or_default().iter().map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_text(), str::to_owned);
        (name.clone(), code(text))
    }))
}

fn access_token(auth: Auth, session: &Session) -> Node {
    let open = move || auth.session().map(|session| session.access_token().expose().to_owned());
    let lifetime = fragment().live(move || lifetime_text(auth.remaining())).child(lifetime_bar(auth));
    let scope = session.granted_scope().map_or_else(|| "the server did not say".to_owned(), ToString::to_string);
    let asked = session.requested_scope().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let storage = match session.token_storage() {
        TokenStorage::Memory => "In this page's memory: a reload means signed out.",
        TokenStorage::Session => {
            "In this tab's sessionStorage: it survives a reload, and any script of this page's origin can read it."
        }
        TokenStorage::Shared => {
            "In this browser, for all tabs of this origin: sealed with a key that no script can read out, though any \
             script of this page's origin can have it opened."
        }
    };
    let kind = match session.token_type() {
        TokenType::Bearer => "Bearer: whoever has it may use it.",
        TokenType::Dpop => "DPoP: it is of use only together with a key that does not leave this browser (RFC 9449).",
    };
    let warning = || element("p.warning");
    let differing = [
        ("Not granted: ", session.refused_scope().join(" ")),
        ("Granted without being asked: ", session.unrequested_scope().join(" ")),
    ];
    let differing = differing.into_iter().filter(|(_, tokens)| !tokens.is_empty());
    section("Access token")
        .child(element("p.token").child(secret_field("access token", open)))
        .child(values([
            ("Lifetime", lifetime),
            ("Scope granted", code(scope)),
            ("Scope asked for", code(asked)),
            ("Kind", fragment().child(kind)),
            ("Where it lives", fragment().child(storage)),
            ("Issuer", code(&session.key().issuer)),
            ("Client ID", code(&session.key().client_id)),
        ]))
        .children(differing.map(|(words, tokens)| warning().child(words).child(code(tokens))))
        .children(session.tolerated().iter().map(|tolerance| warning().child(tolerated(*tolerance))))
}

fn tolerated(tolerance: Tolerance) -> &'static str {
    match tolerance {
        Tolerance::ExpiresInsteadOfExpiresIn => {
            "The lifetime came as expires instead of expires_in (RFC 6749 §5.1); it was taken all the same."
        }
        Tolerance::LifetimeAsString => {
            "The lifetime came as a string instead of a number (RFC 6749 §5.1); it was taken all the same."
        }
        Tolerance::LifetimeZero => "The lifetime was 0 seconds (RFC 6749 §5.1); it counts as unknown.",
        Tolerance::ScopeIgnored => {
            "scope in the token response is no list of scope tokens (RFC 6749 §3.3); it was ignored."
        }
        Tolerance::TokenTypeMissing => "token_type was missing (RFC 6749 §5.1); Bearer was assumed.",
    }
}
