//! How long an access token lives, in words and as a bar.

use leptos::prelude::*;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::ui::use_auth;

/// What is left, e.g. `4:12 left`.
pub(in super::super) fn lifetime_text(remaining: Option<Seconds>) -> String {
    match remaining {
        None => "lifetime not said".to_owned(),
        Some(Seconds(0)) => "expired".to_owned(),
        Some(Seconds(left)) if left < 3600 => format!("{}:{:02} left", left / 60, left % 60),
        Some(Seconds(left)) => format!("{} h {:02} min left", left / 3600, left / 60 % 60),
    }
}

/// The bar under it; nothing if the server did not say a lifetime.
#[component]
pub fn LifetimeBar() -> impl IntoView {
    let auth = use_auth();
    let lifetime = move || auth.session().and_then(|session| session.lifetime()).map(|Seconds(whole)| whole);
    move || {
        lifetime().map(|whole| {
            let left = move || auth.remaining().map_or(0, |Seconds(left)| left);
            view! { <progress class="life" aria-label="Access token lifetime left" max=whole.max(1) value=left></progress> }
        })
    }
}
