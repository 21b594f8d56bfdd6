//! Sign people in from a browser: OAuth 2.0 authorization code flow with PKCE for Leptos apps.
#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod inspect;
pub mod protocol;
#[cfg(target_arch = "wasm32")]
pub mod ui;
