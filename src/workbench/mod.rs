//! The workbench: the app that people open, and the library's first user.
//!
//! Pages in pipeline order; parts are what more than one page needs. Both are functions from data to elements.

mod added;
mod explanations;
mod later;
mod node;
mod pages;
mod parts;
mod rest;
mod sandbox;
mod shell;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos_pkce::protocol::flow::ReadConfiguration;
use leptos_pkce::ui::{AuthProvider, Clients};

/// Puts the app into the page's element `app`.
pub(crate) fn mount() {
    let Some(element) = document().get_element_by_id("app") else { return };
    let clients = Clients::File("config.json", ReadConfiguration(sandbox::read));
    let app = || view! { <AuthProvider clients=clients>{shell::shell()}</AuthProvider> };
    mount_to(element.unchecked_into(), app).forget();
}
