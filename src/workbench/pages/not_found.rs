//! For paths that no page has.

use leptos::prelude::*;

use super::super::shell::PageLink;
use crate::route::Route;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <p>"Nothing is at this address. " <PageLink target=Route::SignIn>"Go to the sign-in page"</PageLink> "."</p>
    }
}
