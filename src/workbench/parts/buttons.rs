//! Buttons: one that does something, and one that copies a text and says whether it could.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::browser::clipboard;

use super::super::node::{Node, element, fragment};

/// A button with `words` on it that calls `press`; `name` is e.g. `button.button primary`.
pub(in super::super) fn button(name: &'static str, words: &'static str, mut press: impl FnMut() + 'static) -> Node {
    element(name).attribute("type", "button").on("click", move |_| press()).child(words)
}

/// Copies what `text` says when it is pressed; `label` is e.g. "Copy the redirect URI".
pub(in super::super) fn copy_button(label: &'static str, text: Box<dyn Fn() -> String>) -> Node {
    let outcome = RwSignal::new("");
    let copy = move || {
        let text = text();
        spawn_local(async move {
            let copied = clipboard::copy(&text).await;
            // The page may have been left meanwhile.
            let _ = outcome.try_set(match copied {
                Ok(()) => "Copied",
                Err(clipboard::NotCopied) => "Not copied: the browser does not allow it here",
            });
        });
    };
    fragment()
        .child(button("button.button small", label, copy))
        .child(element("span.outcome").attribute("role", "status").live(move || outcome.get()))
}
