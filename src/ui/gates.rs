//! Components that show one thing or another by whether somebody is signed in.

use leptos::prelude::*;

use super::auth::{Status, use_auth};

/// Shows its children while somebody is signed in.
#[component]
pub fn SignedIn(children: ChildrenFn) -> impl IntoView {
    gate(|status| status == Status::SignedIn, children)
}

/// Shows its children while nobody is signed in and the configuration is there.
#[component]
pub fn SignedOut(children: ChildrenFn) -> impl IntoView {
    gate(|status| matches!(status, Status::SignedOut | Status::SigningIn | Status::Failed), children)
}

/// Shows its children to people who are signed in, and sends others to sign in, to come back to this very place.
///
/// Not more than three times within a minute: [`Auth::error`](super::Auth::error) then says why. A sign-in that failed is not
/// repeated by itself, and neither is one started after a sign-out, which a server that
/// remembers the person would undo at once; `fallback` should offer the way.
#[component]
pub fn RequireSignIn(
    /// Shown meanwhile.
    #[prop(into)]
    fallback: ViewFn,
    /// For people who are signed in.
    children: ChildrenFn,
) -> impl IntoView {
    let auth = use_auth();
    Effect::new(move |before: Option<Status>| {
        let status = auth.status();
        if status == Status::SignedOut && before != Some(Status::SignedIn) {
            auth.sign_in_by_itself();
        }
        status
    });
    move || match auth.status() {
        Status::SignedIn => children().into_any(),
        _ => fallback.run().into_any(),
    }
}

fn gate(is_open: fn(Status) -> bool, children: ChildrenFn) -> impl IntoView {
    let auth = use_auth();
    move || if is_open(auth.status()) { children() } else { ().into_any() }
}
