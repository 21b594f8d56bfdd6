//! The workbench: run the authorization code flow with PKCE in the browser and see every message.

#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "only tests use the routes natively"))]
mod route;
#[cfg(target_arch = "wasm32")]
mod workbench;

#[cfg(target_arch = "wasm32")]
fn main() {
    workbench::mount();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("The workbench runs in a browser: `make serve` builds and serves it.");
}
