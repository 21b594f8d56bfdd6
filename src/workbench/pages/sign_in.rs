//! Sign in: one card per configured authorization server.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_pkce::browser::capabilities::{Capability, missing};
use leptos_pkce::protocol::client::{Client, ClientKey};
use leptos_pkce::protocol::end_session::SignOutReturn;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Activity, Configuration, Flow};
use leptos_pkce::protocol::metadata::{IssParameter, Metadata, PkceSupport};
use leptos_pkce::protocol::quirks::{self, Quirk};

use super::super::later;
use super::super::node::{Node, element, fragment};
use super::super::parts::{Retry, Seen, button, code, copy_button, fault_panel, values};
use super::super::sandbox;
use super::super::shell::Place;
use crate::route::Route;

/// What there is to show, coarse enough that a card is not made anew while somebody uses it.
#[derive(PartialEq)]
enum Content {
    Loading,
    Failed(Seen),
    Cards(Vec<ClientKey>),
}

/// Follows the configuration.
pub(in super::super) fn sign_in_page(place: Place) -> Node {
    let auth = place.auth;
    let content = move || {
        auth.read(|flow| match flow.configuration() {
            Configuration::Loading(_) => Content::Loading,
            Configuration::Failed(error) => Content::Failed(Seen(error.clone())),
            Configuration::Ready(clients) => {
                Content::Cards(clients.iter().map(|client| client.key().clone()).collect())
            }
        })
    };
    let show = move |content: &Content| match content {
        Content::Loading => element("p.late").attribute("role", "status").child("Reading config.json…"),
        Content::Failed(Seen(error)) => fault_panel(place, error, None, Some(Arc::new(sandbox::reload))),
        Content::Cards(keys) if keys.is_empty() => sandbox::nowhere(),
        Content::Cards(keys) => {
            let clients = keys.iter().filter_map(|key| auth.peek(|flow| flow.client(key).cloned()));
            element("div.cards").children(clients.map(|client| card(place, &client))).child(from_api(place))
        }
    };
    fragment()
        .child(element("p.lead").child(
            "Run the authorization code flow with PKCE in this browser. Tokens stay here; nothing is sent to anybody \
             but the servers below.",
        ))
        .children(missing().into_iter().map(without))
        .live(move || back_from_sign_out(place))
        .live(move || signed_in(place))
        .live_by(content, show)
}

/// What cannot be had in this browser, and what that means.
fn without(capability: Capability) -> Node {
    let words = match capability {
        Capability::SessionStorage => {
            "This browser lets the page keep nothing (sessionStorage is blocked), so no sign-in can be completed."
        }
        Capability::WebCrypto => {
            "There is no WebCrypto: browsers give it to pages over https, and on loopback. No ID token can be verified."
        }
        Capability::WebLocks => {
            "There are no Web Locks here: a duplicated tab is not noticed, and tabs take turns by what they write."
        }
        Capability::BroadcastChannel => {
            "Tabs cannot talk here: they learn of each other's sign-outs when they are looked at."
        }
    };
    element("p.warning").child(words)
}

/// Tells people who come back from the server's sign-out what that means.
fn back_from_sign_out(place: Place) -> Option<Node> {
    let words = match place.auth.read(Flow::sign_out_return)? {
        SignOutReturn::Confirmed => "You are signed out, here and at the server.",
        SignOutReturn::Unconfirmed => {
            "You are signed out here. Whether you are at the server is not known: its answer does not belong to the request."
        }
    };
    Some(element("p.note").attribute("role", "status").child(words))
}

/// Tells people who are signed in what they can do instead.
fn signed_in(place: Place) -> Option<Node> {
    place.auth.is_signed_in().then(|| {
        element("p.note")
            .child("You are signed in. ")
            .child(place.link(Route::Session, "See the session"))
            .child(" or ")
            .child(place.link(Route::Api, "call an API"))
            .child("; signing in again replaces the session.")
    })
}

fn card(place: Place, client: &Client) -> Node {
    let auth = place.auth;
    let key = client.key().clone();
    place.sandbox.expect_sign_in(&key);
    let is_sandbox = place.sandbox.is(&key);
    let redirect_uri = client.redirect_uri().to_string();
    let copyable = element("div.copyable")
        .child(element("p.label").child(if is_sandbox { "Redirect URI" } else { "Redirect URI to register" }))
        .child(code(&redirect_uri))
        .child(copy_button("Copy the redirect URI", Box::new(move || redirect_uri.clone())));

    let is_there = move || !is_sandbox || place.sandbox.is_running();
    let owner = key.clone();
    let line = move || auth.read(|flow| flow.metadata(&owner).map(|known| known.map(supported).map_err(unsupported)));
    let owner = key.clone();
    let prepared = move || auth.read(|flow| flow.prepared(&owner).map(|url| url.as_str().to_owned()));
    let owner = key.clone();
    let error = move || auth.read(|flow| flow.sign_in_error(&owner).cloned().map(Seen));
    let owner = key.clone();
    let failed = move |error: &Option<Seen>| {
        let retry = owner.clone();
        let retry: Retry = Arc::new(move || sign_in(place, &retry));
        error.as_ref().map(|Seen(error)| fault_panel(place, error, Some(&owner), Some(retry)))
    };
    element("section.card")
        .attribute("aria-label", client.name().to_owned())
        .child(element("h2").child(client.name().to_owned()))
        .child(is_sandbox.then(sandbox::introduction))
        .child(facts(client))
        .child(copyable)
        .children(quirks::known(&client.key().issuer).map(|quirk| known_quirk(place, quirk)))
        .live_by(move || is_there().then(&line), |line| line.as_ref().map(metadata_line))
        .child(actions(place, key))
        .live_by(prepared, move |url| url.clone().map(|url| request(place, url)))
        .live_by(error, failed)
        .live(move || is_sandbox.then(|| place.sandbox.line()))
}

fn sign_in(place: Place, key: &ClientKey) {
    let chosen = key.clone();
    place.sandbox.before(key, move || {
        place.auth.select(chosen);
        place.auth.sign_in_and_return_to(place.path(Route::Session));
    });
}

/// The buttons of a card, and beside them what is being waited for.
fn actions(place: Place, key: ClientKey) -> Node {
    let auth = place.auth;
    let is_busy = move || auth.read(|flow| (flow.activity() != Activity::Idle).then(String::new));
    let (signing_in, prepared, cancelled, owner) = (key.clone(), key.clone(), key.clone(), key);
    let sign_in = move || sign_in(place, &signing_in);
    let prepare = move || {
        let key = prepared.clone();
        place.sandbox.before(&prepared, move || auth.prepare_sign_in(key, place.path(Route::Session)));
    };
    let waiting = move || match auth.read(|flow| flow.activity()) {
        Activity::Discovering(key) if key == owner => Some("Reading the server's metadata… "),
        Activity::Navigating(key) if key == owner => Some("Going to the authorization server…"),
        _ => None,
    };
    let can_cancel = move || auth.read(|flow| flow.activity()) == Activity::Discovering(cancelled.clone());
    let waiting_for = |words: &Option<&'static str>| words.map(|words| element("span.late").child(words));
    let cancel = move || button("button.button late", "Cancel", move || auth.cancel_sign_in());
    element("div.actions")
        .child(button("button.button primary", "Sign in", sign_in).live_attribute("disabled", is_busy))
        .child(button("button.button", "Show the request", prepare).live_attribute("disabled", is_busy))
        .child(element("span").attribute("role", "status").live_by(waiting, waiting_for))
        .live_by(can_cancel, move |can_cancel| can_cancel.then(cancel))
}

fn facts(client: &Client) -> Node {
    let chip = |token: &str| element("span.chip").child(token.to_owned());
    let scope = match client.scope() {
        Some(scope) => fragment().children(scope.tokens().map(chip)),
        None => fragment().child("none is asked for"),
    };
    values([("Issuer", code(&client.key().issuer)), ("Client ID", code(&client.key().client_id)), ("Scope", scope)])
}

/// The request that was made to be shown.
fn request(place: Place, url: String) -> Node {
    place.rest.show_alone(move || later::prepared_request(&url))
}

/// The card that begins with an API; there is more to it when somebody opens it.
fn from_api(place: Place) -> Node {
    let is_open = RwSignal::new(false);
    let form = move |is_open: &bool| is_open.then(|| place.rest.show_alone(move || later::from_api(place)));
    element("details.card")
        .on("toggle", move |_| is_open.set(true))
        .child(element("summary").child("Start from an API"))
        .child(element("p.muted").child(
            "An API can say whose tokens it takes (RFC 9728). It is asked without a token; then only a client ID is \
             missing, which the server's administrator gives you.",
        ))
        .live_by(move || is_open.get(), form)
}

/// What the server's metadata says, as far as it matters here.
fn metadata_line(line: &Option<Result<String, String>>) -> Node {
    let (name, words) = match line {
        None => ("p.muted late", "Reading the server's metadata…"),
        Some(Ok(words)) => ("p.muted", words.as_str()),
        Some(Err(words)) => ("p.warning", words.as_str()),
    };
    element(name).child(words.to_owned())
}

fn supported(metadata: &Metadata) -> String {
    let pkce = match metadata.pkce {
        PkceSupport::Announced => "PKCE with S256 announced",
        PkceSupport::Unsaid => "PKCE not announced; S256 is sent all the same",
    };
    let iss = match metadata.iss_parameter {
        IssParameter::Announced => "answers carry iss (RFC 9207)",
        IssParameter::Unsaid => "answers need not carry iss",
    };
    format!("The server's metadata: {pkce}; {iss}.")
}

fn unsupported(error: &Error) -> String {
    format!("The server's metadata cannot be used yet: {}.", error.code())
}

/// What is known about this server, with where it is known from; the words come when they have arrived.
fn known_quirk(place: Place, quirk: &'static Quirk) -> Node {
    place.explainer.want();
    let words = move || place.explainer.explanations().quirk(quirk.id);
    let note = |words: &'static str| {
        let link = element("a").attribute("href", quirk.source).attribute("rel", "noopener noreferrer");
        element("p.note")
            .attribute("data-quirk", quirk.id)
            .child("Known about this server: ")
            .child(words)
            .child(" ")
            .child(link.attribute("target", "_blank").child("Source"))
    };
    fragment().live(move || note(words().unwrap_or_default()))
}
