//! Components that show one thing or another by whether somebody is signed in.

use leptos::prelude::*;

use super::auth::{Status, use_auth};

/// Shows its children while somebody is signed in.
#[component]
pub fn SignedIn(children: ChildrenFn) -> impl IntoView {
    let auth = use_auth();
    move || auth.is_signed_in().then(|| children())
}

/// Shows its children while nobody is signed in and the configuration is there.
#[component]
pub fn SignedOut(children: ChildrenFn) -> impl IntoView {
    let auth = use_auth();
    move || matches!(auth.status(), Status::SignedOut | Status::SigningIn | Status::Failed).then(|| children())
}

/// Shows its children to people who are signed in, and sends others to sign in, to come back to this very place.
///
/// A sign-in that failed is not repeated by itself; `fallback` should offer another try.
#[component]
pub fn RequireSignIn(
    /// Shown meanwhile.
    #[prop(into)]
    fallback: ViewFn,
    /// For people who are signed in.
    children: ChildrenFn,
) -> impl IntoView {
    let auth = use_auth();
    Effect::new(move || {
        if auth.status() == Status::SignedOut {
            auth.sign_in();
        }
    });
    move || match auth.status() {
        Status::SignedIn => children().into_any(),
        _ => fallback.run().into_any(),
    }
}
