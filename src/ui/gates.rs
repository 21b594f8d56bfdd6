//! Components that show one thing or another by whether somebody is signed in.

use leptos::prelude::*;

use super::auth::{Status, use_auth};

/// Shows its children while somebody is signed in.
#[component]
pub fn SignedIn(children: ChildrenFn) -> impl IntoView {
    let auth = use_auth();
    let signed_in = Memo::new(move |_| auth.is_signed_in());
    move || signed_in.get().then(|| children())
}

/// Shows its children while nobody is signed in and the configuration is there.
#[component]
pub fn SignedOut(children: ChildrenFn) -> impl IntoView {
    let auth = use_auth();
    let signed_out = Memo::new(move |_| matches!(auth.status(), Status::SignedOut | Status::Failed));
    move || signed_out.get().then(|| children())
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
    let status = Memo::new(move |_| auth.status());
    Effect::new(move || {
        if status.get() == Status::SignedOut {
            auth.sign_in();
        }
    });
    move || match status.get() {
        Status::SignedIn => children().into_any(),
        _ => fallback.run().into_any(),
    }
}
