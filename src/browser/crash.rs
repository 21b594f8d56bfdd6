//! The last resort: a panic in WebAssembly ends the app, so the page says so and offers a reload.
//!
//! Source: security.md OPS-4. The message of a panic is not shown and not logged: it may hold anything.

use std::panic::PanicHookInfo;

/// From now on a panic unhides the page's element `crash` and hides `app`.
pub fn show_crash_screen_on_panic() {
    std::panic::set_hook(Box::new(report));
}

fn report(panic: &PanicHookInfo<'_>) {
    if let Some(place) = panic.location() {
        web_sys::console::error_1(&format!("panic at {}:{}", place.file(), place.line()).into());
    }
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    // Nothing in here may panic again, so every failure is let go.
    if let Some(app) = document.get_element_by_id("app") {
        app.remove();
    }
    if let Some(crash) = document.get_element_by_id("crash") {
        let _ = crash.remove_attribute("hidden");
    }
}
