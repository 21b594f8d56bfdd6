//! A secret, masked until it is asked for.

use leptos::prelude::*;
use leptos_pkce::browser::clock;
use leptos_pkce::protocol::time::Seconds;

use super::super::node::{Node, element, fragment};

/// How long a secret stays visible.
const VISIBLE: Seconds = Seconds(30);

/// Shows dots and a button; the value appears on a click and hides again by itself.
///
/// `label` is what it is, e.g. "access token"; `open` opens the secret and is called only while it is shown.
pub(in super::super) fn secret_field(label: &'static str, open: impl Fn() -> Option<String> + Send + 'static) -> Node {
    let shown = RwSignal::new(false);
    let mut timer: Option<clock::Timer> = None;
    let toggle = move |_| {
        shown.update(|shown| *shown = !*shown);
        let hide = move || {
            // The field may be gone by then.
            let _ = shown.try_set(false);
        };
        drop(timer.take());
        if shown.get_untracked() {
            timer = clock::after(VISIBLE, hide);
        }
    };
    let value = move || {
        if shown.get() { open().unwrap_or_default() } else { "••••••••••••".to_owned() }
    };
    let words = move || if shown.get() { "Hide" } else { "Show" };
    let is_shown = move || Some(shown.get().to_string());
    let button = element("button.button small")
        .attribute("type", "button")
        .live_attribute("aria-pressed", is_shown)
        .on("click", toggle)
        .live(words)
        .child(element("span.sr-only").child(format!(" the {label}")));
    fragment().child(element("code.secret").live_attribute("data-shown", is_shown).live(value)).child(button)
}
