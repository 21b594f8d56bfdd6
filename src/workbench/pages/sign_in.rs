//! Sign in: one card per configured authorization server.

use leptos::prelude::*;
use leptos_pkce::protocol::client::{Client, ClientKey};
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Activity, Configuration};
use leptos_pkce::protocol::metadata::{IssParameter, Metadata, MetadataError, PkceSupport};
use leptos_pkce::ui::{SignedIn, use_auth};

use super::super::parts::{CopyButton, FaultPanel};
use super::super::shell::{PageLink, Place};
use crate::route::Route;

/// What there is to show, coarse enough that a card is not made anew while somebody uses it.
#[derive(Clone, PartialEq)]
enum Content {
    Loading,
    Failed(Error),
    Cards(Vec<ClientKey>),
}

#[component]
pub fn SignInPage() -> impl IntoView {
    let auth = use_auth();
    let content = Memo::new(move |_| {
        auth.read(|flow| match flow.configuration() {
            Configuration::Loading(_) => Content::Loading,
            Configuration::Failed(error) => Content::Failed(error.clone().into()),
            Configuration::Ready(clients) => {
                Content::Cards(clients.iter().map(|client| client.key().clone()).collect())
            }
        })
    });
    view! {
        <p class="lead">"Run the authorization code flow with PKCE in this browser. Tokens stay here; nothing is sent to anybody but the servers below."</p>
        <SignedIn>
            <p class="note">"You are signed in. " <PageLink target=Route::Session>"See the session"</PageLink> " or " <PageLink target=Route::Api>"call an API"</PageLink> "; signing in again replaces the session."</p>
        </SignedIn>
        {move || match content.get() {
            Content::Loading => view! { <p role="status" class="late">"Reading config.json…"</p> }.into_any(),
            Content::Failed(error) => {
                let reload = Callback::new(|()| { let _ = window().location().reload(); });
                view! { <FaultPanel error key=None retry=Some(reload)/> }.into_any()
            }
            Content::Cards(keys) if keys.is_empty() => view! {
                <p class="note">"config.json names no authorization server. Add one under " <code>"authorization_servers"</code> ": its issuer and the client ID you registered there."</p>
            }.into_any(),
            Content::Cards(keys) => view! {
                <div class="cards">{keys.into_iter().map(|key| view! { <ServerCard key/> }).collect_view()}</div>
            }.into_any(),
        }}
    }
}

#[component]
fn ServerCard(
    /// Whose card it is.
    key: ClientKey,
) -> impl IntoView {
    let auth = use_auth();
    let place: Place = expect_context();
    let client = auth.peek(|flow| flow.client(&key).cloned());
    let key = StoredValue::new(key);
    let owner = move || key.get_value();
    auth.expect_sign_in(owner());

    let activity = Memo::new(move |_| auth.read(|flow| flow.activity()));
    let error = Memo::new(move |_| auth.read(|flow| key.with_value(|key| flow.sign_in_error(key).cloned())));
    let prepared = Memo::new(move |_| {
        auth.read(|flow| key.with_value(|key| flow.prepared(key).map(|url| url.as_str().to_owned())))
    });
    let sign_in = move || {
        auth.select(owner());
        auth.sign_in_and_return_to(place.path(Route::Session));
    };
    let prepare = move |_| auth.prepare_sign_in(owner(), place.path(Route::Session));
    let is_busy = move || activity.get() != Activity::Idle;
    let is_discovering = move || activity.get() == Activity::Discovering(owner());
    let is_leaving = move || activity.get() == Activity::Navigating(owner());

    client.map(|client| {
        let redirect_uri = client.redirect_uri().to_string();
        let label = client.name().to_owned();
        view! {
            <section class="card" aria-label=label>
                <h2>{client.name().to_owned()}</h2>
                <Facts client=client.clone()/>
                <div class="copyable">
                    <p class="label">"Redirect URI to register"</p>
                    <code>{redirect_uri.clone()}</code>
                    <CopyButton label="Copy the redirect URI" text=redirect_uri/>
                </div>
                <Supported key=owner()/>
                <div class="actions">
                    <button class="button primary" type="button" disabled=is_busy on:click=move |_| sign_in()>"Sign in"</button>
                    <button class="button" type="button" disabled=is_busy on:click=prepare>"Show the request"</button>
                    <span role="status">
                        {move || is_discovering().then(|| view! { <span class="late">"Reading the server's metadata… "</span> })}
                        {move || is_leaving().then(|| view! { <span class="late">"Going to the authorization server…"</span> })}
                    </span>
                    {move || is_discovering().then(|| view! {
                        <button class="button late" type="button" on:click=move |_| auth.cancel_sign_in()>"Cancel"</button>
                    })}
                </div>
                {move || prepared.get().map(|url| view! { <PreparedRequest url/> })}
                {move || error.get().map(|error| {
                    view! { <FaultPanel error key=Some(owner()) retry=Some(Callback::new(move |()| sign_in()))/> }
                })}
            </section>
        }
    })
}

#[component]
fn Facts(
    /// Whose facts.
    client: Client,
) -> impl IntoView {
    let scope = client
        .scope()
        .map(|scope| scope.tokens().map(|token| view! { <span class="chip">{token.to_owned()}</span> }).collect_view());
    view! {
        <dl class="values">
            <div><dt>"Issuer"</dt><dd><code>{client.key().issuer.to_string()}</code></dd></div>
            <div><dt>"Client ID"</dt><dd><code>{client.key().client_id.to_string()}</code></dd></div>
            <div><dt>"Scope"</dt><dd>{scope.map_or_else(|| "none is asked for".into_any(), |chips| chips.into_any())}</dd></div>
        </dl>
    }
}

/// What the server's metadata says, as far as it matters here.
#[component]
fn Supported(
    /// Whose metadata.
    key: ClientKey,
) -> impl IntoView {
    let auth = use_auth();
    let line = Memo::new(move |_| {
        auth.read(|flow| match flow.metadata(&key) {
            None => None,
            Some(Ok(metadata)) => Some(Ok(supported(metadata))),
            Some(Err(error)) => Some(Err(unsupported(error))),
        })
    });
    move || match line.get() {
        None => view! { <p class="muted late">"Reading the server's metadata…"</p> }.into_any(),
        Some(Ok(words)) => view! { <p class="muted">{words}</p> }.into_any(),
        Some(Err(words)) => view! { <p class="warning">{words}</p> }.into_any(),
    }
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

fn unsupported(error: &MetadataError) -> String {
    format!("The server's metadata cannot be used yet: {error}.")
}

/// An authorization request as a plain link.
#[component]
fn PreparedRequest(
    /// The link.
    url: String,
) -> impl IntoView {
    let (endpoint, query) = url.split_once('?').unwrap_or((&url, ""));
    let parameters = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        view! { <div><dt><code>{name.to_owned()}</code></dt><dd><code>{value.to_owned()}</code></dd></div> }
    });
    view! {
        <section class="prepared" aria-label="Authorization request">
            <h3>"Authorization request"</h3>
            <p class="muted">"A plain link for this tab, good for one sign-in within an hour. Its values are as they stand on the wire."</p>
            <p><code>{endpoint.to_owned()}</code></p>
            <dl class="values wire">{parameters.collect_view()}</dl>
            <div class="actions">
                <a class="button" href=url.clone()>"Follow the link"</a>
                <CopyButton label="Copy the link" text=url.clone()/>
            </div>
        </section>
    }
}
