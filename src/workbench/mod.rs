//! The workbench: the app that people open, and the library's first user.
//!
//! Pages in pipeline order; parts are what more than one page needs.

#![allow(unreachable_pub, reason = "the component macro puts each component into a private module of its own")]

mod pages;
mod parts;
mod shell;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos_pkce::ui::{AuthProvider, Clients};

use shell::Shell;

/// Puts the app into the page's element `app`.
pub(crate) fn mount() {
    let Some(element) = document().get_element_by_id("app") else { return };
    mount_to(element.unchecked_into(), App).forget();
}

#[component]
fn App() -> impl IntoView {
    view! {
        <AuthProvider clients=Clients::file()>
            <Shell/>
        </AuthProvider>
    }
}
