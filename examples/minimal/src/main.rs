//! The smallest app: sign in, callback, one API call, sign out.
//!
//! Register `http://localhost:8080/callback` at your authorization server, put its issuer and your client ID below.

#![cfg(target_arch = "wasm32")] // there is no page to sign in from elsewhere

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::protected_resource::ResourceRequest;
use leptos_pkce::ui::{AuthProvider, use_auth};

const PHOTOS: &str = "http://localhost:9081/photos";

fn main() {
    mount_to_body(|| {
        let settings = ClientSettings {
            issuer: Some("http://localhost:9080".into()),
            client_id: "workbench".into(),
            scope: Some("openid photos:read".into()),
            resources: vec![("Photos".into(), PHOTOS.into())],
            ..ClientSettings::default()
        };
        view! { <AuthProvider clients=settings><App/></AuthProvider> }
    });
}

#[component]
fn App() -> impl IntoView {
    let auth = use_auth();
    let answer = RwSignal::new(String::new());
    let call = move |_| {
        let request = ResourceRequest { method: "GET".into(), url: PHOTOS.into(), headers: Vec::new(), body: None };
        let Some(call) = auth.request(request) else { return };
        spawn_local(async move {
            answer.set(match call.await {
                Ok(response) => String::from_utf8(response.body).unwrap_or_else(|_| "This is no text.".into()),
                Err(error) => Error::from(error).code().into(),
            });
        });
    };
    let sign_out = move |_| {
        answer.set(String::new());
        auth.sign_out();
    };
    let signed_in = move || {
        view! {
            <p>"Signed in as "{move || auth.claims().map(|claims| claims.sub().to_owned()).unwrap_or_default()}</p>
            <button on:click=call>"Send"</button>
            <button on:click=sign_out>"Sign out"</button>
            <pre role="region" aria-label="API response">{move || answer.get()}</pre>
        }
    };
    let signed_out = move || {
        view! {
            <p role="alert">{move || auth.error().map(|error| ["Signing in failed: ", error.code()].concat())}</p>
            <button on:click=move |_| auth.sign_in_and_return_to("/".into())>"Sign in"</button>
        }
    };
    view! {
        <h1>"Photos"</h1>
        {move || if auth.is_signed_in() { signed_in().into_any() } else { signed_out().into_any() }}
    }
}
