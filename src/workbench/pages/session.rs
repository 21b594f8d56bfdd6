//! Session: what the sign-in left behind.

use leptos::prelude::*;
use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::token_response::{IdTokenPresence, Tolerance};
use leptos_pkce::ui::{SignedOut, use_auth};

use super::super::parts::{LifetimeBar, SecretField, lifetime_text};
use super::super::shell::PageLink;
use crate::route::Route;

#[component]
pub fn SessionPage() -> impl IntoView {
    let auth = use_auth();
    let session = Memo::new(move |_| auth.session());
    view! {
        <SignedOut>
            <p>"Nobody is signed in. " <PageLink target=Route::SignIn>"Go to the sign-in page"</PageLink> "."</p>
        </SignedOut>
        {move || session.get().map(|session| view! { <Details session/> })}
    }
}

#[component]
fn Details(
    /// The session.
    session: Session,
) -> impl IntoView {
    let auth = use_auth();
    let open = Callback::new(move |()| auth.session().map(|session| session.access_token().expose().to_owned()));
    let refused = session.refused_scope().join(" ");
    let scope = session.granted_scope().map_or_else(|| "the server did not say".to_owned(), ToString::to_string);
    let asked = session.requested_scope().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let refresh = if session.has_refresh_token() {
        "One came. It is held in this page's memory and not used yet."
    } else {
        "None came."
    };
    let storage = match session.token_storage() {
        TokenStorage::Memory => "In this page's memory: a reload means signed out.",
        TokenStorage::Session => {
            "In this tab's sessionStorage: it survives a reload, and any script of this page's origin can read it."
        }
    };
    view! {
        <section class="card" aria-label="Access token">
            <h2>"Access token"</h2>
            <p class="token"><SecretField label="access token" open/></p>
            <dl class="values">
                <div><dt>"Lifetime"</dt><dd>{move || lifetime_text(auth.remaining())} <LifetimeBar/></dd></div>
                <div><dt>"Scope granted"</dt><dd><code>{scope}</code></dd></div>
                <div><dt>"Scope asked for"</dt><dd><code>{asked}</code></dd></div>
                <div><dt>"Where it lives"</dt><dd>{storage}</dd></div>
                <div><dt>"Issuer"</dt><dd><code>{session.key().issuer.to_string()}</code></dd></div>
                <div><dt>"Client ID"</dt><dd><code>{session.key().client_id.to_string()}</code></dd></div>
            </dl>
            {(!refused.is_empty()).then(|| view! { <p class="warning">"Not granted: " <code>{refused}</code></p> })}
            {session.tolerated().iter().map(|tolerance| view! { <p class="warning">{tolerated(*tolerance)}</p> }).collect_view()}
            <p class="actions"><PageLink target=Route::Api>"Call an API with it"</PageLink></p>
        </section>
        <section class="card" aria-label="Refresh token">
            <h2>"Refresh token"</h2>
            <p>{refresh}</p>
        </section>
        {(session.id_token() == IdTokenPresence::Present).then(|| view! {
            <section class="card" aria-label="ID token">
                <h2>"ID token"</h2>
                <p>"One came, and it is not verified: this version cannot do that yet. So it is neither stored nor shown, and nothing here says who signed in."</p>
            </section>
        })}
    }
}

fn tolerated(tolerance: Tolerance) -> &'static str {
    match tolerance {
        Tolerance::ExpiresInsteadOfExpiresIn => {
            "The lifetime came as expires instead of expires_in (RFC 6749 §5.1); it was taken all the same."
        }
        Tolerance::LifetimeAsString => {
            "The lifetime came as a string instead of a number (RFC 6749 §5.1); it was taken all the same."
        }
        Tolerance::ScopeIgnored => {
            "scope in the token response is no list of scope tokens (RFC 6749 §3.3); it was ignored."
        }
        Tolerance::TokenTypeMissing => "token_type was missing (RFC 6749 §5.1); Bearer was assumed.",
    }
}
