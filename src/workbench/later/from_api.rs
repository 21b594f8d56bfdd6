//! From an API's address to the authorization server whose tokens it takes; the client ID is for the person to say.

use std::sync::Arc;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::resource_metadata::{DpopBinding, ResourceMetadata};
use leptos_pkce::protocol::vocabulary::Issuer;

use super::super::added;
use super::super::node::{Node, element, fragment};
use super::super::parts::{code, fault_panel};
use super::super::shell::Place;

/// How the search stands.
enum Stage {
    Idle,
    Waiting,
    Found(String, ResourceMetadata),
    Failed(Arc<Error>),
}

/// What is typed about one server.
#[derive(Clone, Copy)]
struct Typed {
    client_id: RwSignal<String>,
    scope: RwSignal<String>,
    redirect_uri: RwSignal<String>,
}

/// What stands in the card at the end of the sign-in page.
pub(super) fn from_api(place: Place) -> Node {
    let url = RwSignal::new(String::new());
    let stage = RwSignal::new(Stage::Idle);
    let find = move |event: ev::Event| {
        event.prevent_default();
        let address = url.get_untracked().trim().to_owned();
        if stage.with_untracked(|stage| matches!(stage, Stage::Waiting)) {
            return;
        }
        stage.set(Stage::Waiting);
        spawn_local(async move {
            let found = place.auth.find_resource(&address).await;
            // The page may have been left meanwhile.
            let _ = stage.try_set(match found {
                Ok(metadata) => Stage::Found(address, metadata),
                Err(error) => Stage::Failed(error.into()),
            });
        });
    };
    let input = text_field("api-url", "URL of the API", url).attribute("inputmode", "url");
    let form = element("form.actions")
        .on("submit", find)
        .child(labelled("api-url", "URL of the API", input))
        .child(element("button.button").attribute("type", "submit").child("Find its authorization server"));
    let outcome = move || {
        stage.with(|stage| match stage {
            Stage::Idle => fragment(),
            Stage::Waiting => element("p.late").attribute("role", "status").child("Asking the API…"),
            Stage::Failed(error) => fault_panel(place, error, None, None),
            Stage::Found(url, metadata) => found(place, url, metadata),
        })
    };
    fragment().child(form).live(outcome)
}

fn found(place: Place, url: &str, metadata: &ResourceMetadata) -> Node {
    let unusable = metadata.unusable_servers.iter().map(|server| {
        element("p.warning").child("It also names ").child(code(&server.text)).child(format!(": {}.", server.problem))
    });
    let none = metadata
        .authorization_servers
        .is_empty()
        .then(|| element("p.warning").child("The API names no authorization server; look it up in its documentation."));
    let name = metadata.resource_name.clone().unwrap_or_else(|| "API".to_owned());
    let servers = metadata.authorization_servers.iter().enumerate().map(|(index, issuer)| {
        let settings = ClientSettings {
            name: issuer.url().host().to_owned(),
            issuer: Some(issuer.as_str().to_owned()),
            token_storage: Some("session".to_owned()),
            resources: vec![(name.clone(), url.to_owned())],
            resource: vec![url.to_owned()],
            dpop: metadata.dpop == DpopBinding::Required,
            ..ClientSettings::default()
        };
        server(
            place,
            index,
            issuer,
            settings,
            metadata.scopes_supported.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        )
    });
    fragment().child(none).children(servers).children(unusable)
}

fn server(place: Place, index: usize, issuer: &Issuer, settings: ClientSettings, scopes: String) -> Node {
    // Another one where several servers' answers cannot be told apart (RFC 9700 §4.4.2).
    let redirect_uri = place.auth.peek(|flow| flow.site().url_of("callback"));
    let [client_id, scope, redirect_uri] = [String::new(), scopes, redirect_uri].map(RwSignal::new);
    let typed = Typed { client_id, scope, redirect_uri };
    let problem = RwSignal::new(None::<Arc<Error>>);
    let add = move |event: ev::Event| {
        event.prevent_default();
        let text = |typed: RwSignal<String>| typed.get_untracked().trim().to_owned();
        let optional = |typed: RwSignal<String>| Some(text(typed)).filter(|text| !text.is_empty());
        let (scope, redirect_uri) = (optional(typed.scope), optional(typed.redirect_uri));
        let settings = ClientSettings { client_id: text(typed.client_id), scope, redirect_uri, ..settings.clone() };
        if let Err(error) = added::add(place.auth, settings) {
            problem.set(Some(error.into()));
        }
    };
    let number = index.to_string();
    let fields = [
        ("client-id-", "Client ID", typed.client_id),
        ("scope-", "Scope", typed.scope),
        ("redirect-uri-", "Redirect URI", typed.redirect_uri),
    ];
    let fields = fields.map(|(id, label, value)| {
        let id = [id, &number].concat();
        labelled(&id, label, text_field(&id, label, value))
    });
    let refused = move || problem.with(|problem| problem.as_ref().map(|error| fault_panel(place, error, None, None)));
    element("form.prepared")
        .attribute("aria-label", format!("Server {issuer}"))
        .on("submit", add)
        .child(element("p").child("It takes tokens of ").child(code(issuer)))
        .children(fields)
        .child(
            element("div.actions")
                .child(element("button.button primary").attribute("type", "submit").child("Add this server")),
        )
        .live(refused)
}

fn labelled(id: &str, label: &'static str, input: Node) -> Node {
    element("div.field wide").child(element("label").attribute("for", id.to_owned()).child(label)).child(input)
}

fn text_field(id: &str, label: &'static str, value: RwSignal<String>) -> Node {
    element("input")
        .attribute("id", id.to_owned())
        .attribute("type", "text")
        .attribute("name", label)
        .attribute("autocomplete", "off")
        .attribute("spellcheck", "false")
        .live_value(move || value.get())
        .on("input", move |event| value.set(event_target_value(&event)))
}
