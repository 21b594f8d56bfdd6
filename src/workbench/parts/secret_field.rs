//! A secret, masked until it is asked for.

use leptos::prelude::*;

/// How long a secret stays visible, in milliseconds.
const VISIBLE_MS: u64 = 30_000;

/// Shows dots and a button; the value appears on a click and hides again by itself.
#[component]
pub fn SecretField(
    /// What it is, e.g. "access token".
    label: &'static str,
    /// Opens the secret; called only while it is shown.
    open: Callback<(), Option<String>>,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    let toggle = move |_| {
        shown.update(|shown| *shown = !*shown);
        if shown.get_untracked() {
            set_timeout(
                move || {
                    // The field may be gone by then.
                    let _ = shown.try_set(false);
                },
                std::time::Duration::from_millis(VISIBLE_MS),
            );
        }
    };
    let value = move || {
        if shown.get() { open.run(()).unwrap_or_default() } else { "••••••••••••".to_owned() }
    };
    let words = move || if shown.get() { "Hide" } else { "Show" };
    view! {
        <code class="secret" data-shown=move || shown.get().to_string()>{value}</code>
        <button class="button small" type="button" aria-pressed=move || shown.get().to_string() on:click=toggle>
            {words}
            <span class="sr-only">{format!(" the {label}")}</span>
        </button>
    }
}
