//! What this browser lacks, or keeps from this page, of what sessions rest on.
//!
//! Rule: everything is asked for anew each time, and nothing that is absent or throws gets further than here.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// Something that a page may have to do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// sessionStorage: without it no sign-in can be completed.
    SessionStorage,
    /// WebCrypto, which browsers give to secure contexts alone: without it no ID token can be verified.
    WebCrypto,
    /// Web Locks: without them tabs take turns by what they write down.
    WebLocks,
    /// BroadcastChannel: without it tabs learn of each other when they are looked at.
    BroadcastChannel,
}

/// What is missing, the worst first.
pub fn missing() -> Vec<Capability> {
    let global: JsValue = js_sys::global().into();
    let has = |owner: &str, name: &str| {
        let owner = if owner.is_empty() { Some(global.clone()) } else { Reflect::get(&global, &owner.into()).ok() };
        // A getter may throw, and a value of another owner be none.
        owner.and_then(|owner| Reflect::get(&owner, &name.into()).ok()).is_some_and(|value| value.is_truthy())
    };
    let all = [
        (Capability::SessionStorage, "", "sessionStorage"),
        (Capability::WebCrypto, "crypto", "subtle"),
        (Capability::WebLocks, "navigator", "locks"),
        (Capability::BroadcastChannel, "", "BroadcastChannel"),
    ];
    all.into_iter().filter(|(_, owner, name)| !has(owner, name)).map(|(capability, _, _)| capability).collect()
}
