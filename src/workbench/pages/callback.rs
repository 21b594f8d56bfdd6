//! Callback: short-lived; says which step it is at, or what went wrong.

use leptos::prelude::*;
use leptos_pkce::ui::{Auth, Callback as Redirection, CallbackView, use_auth};

use super::super::parts::FaultPanel;
use super::super::shell::PageLink;
use crate::route::Route;

#[component]
pub fn CallbackPage() -> impl IntoView {
    let auth = use_auth();
    view! { <Redirection view=move |view| show(auth, view)/> }
}

fn show(auth: Auth, view: CallbackView) -> AnyView {
    match view {
        CallbackView::Receiving => view! { <p role="status" class="late">"Looking up the sign-in that this answers…"</p> }.into_any(),
        CallbackView::Exchanging => view! {
            <p role="status" class="late">"Sending the code and the code verifier to the token endpoint…"</p>
            <p class="late"><button class="button" on:click=move |_| auth.cancel_sign_in()>"Cancel"</button></p>
        }
        .into_any(),
        CallbackView::Failed { error, key } => {
            let retry = key.is_some().then(|| Callback::new(move |()| auth.retry_sign_in()));
            view! {
                <FaultPanel error key retry/>
                <Untouched/>
                <p><PageLink target=Route::SignIn>"Go to the sign-in page"</PageLink></p>
            }
            .into_any()
        }
        CallbackView::Empty => view! {
            <p>"This is the address that authorization servers send people back to. There is no answer here to complete: it was opened directly, or its answer was used already."</p>
            <Untouched/>
            <p><PageLink target=Route::SignIn>"Go to the sign-in page"</PageLink></p>
        }
        .into_any(),
    }
}

/// Tells people who are signed in that they still are.
#[component]
fn Untouched() -> impl IntoView {
    let auth = use_auth();
    move || {
        auth.is_signed_in().then(|| {
            view! { <p>"You are still signed in as before: " <PageLink target=Route::Session>"see the session"</PageLink> "."</p> }
        })
    }
}
