//! A button that copies a text and says whether it could.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::browser::clipboard;

/// Copies what `text` gives when it is pressed.
#[component]
pub fn CopyButton(
    /// What the button is called, e.g. "Copy the redirect URI".
    label: &'static str,
    /// The text to copy.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let outcome = RwSignal::new("");
    let copy = move |_| {
        spawn_local(async move {
            let copied = clipboard::copy(&text.get_untracked()).await;
            // The page may have been left meanwhile.
            let _ = outcome.try_set(match copied {
                Ok(()) => "Copied",
                Err(clipboard::NotCopied) => "Not copied: the browser does not allow it here",
            });
        });
    };
    view! {
        <button class="button small" type="button" on:click=copy>{label}</button>
        <span class="outcome" role="status">{outcome}</span>
    }
}
