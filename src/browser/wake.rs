//! When somebody comes back to the page, when somebody does something on it, and whether it is a page of its own.
//!
//! Rule: nothing of an event is read but its name. Listeners stay for as long as the page lives.
//!
//! Source: HTML §6.2.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::{AddEventListenerOptions, Event, Window};

/// Calls `callback` when the page may have slept: it became visible, its window has the focus, it is shown, from the
/// back/forward cache or not, or the network is back.
///
/// One return is often several of these.
pub fn on_wake(mut callback: impl FnMut() + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        // The one event of them that tells both: coming and going.
        if event.type_() != "visibilitychange" || !is_hidden() {
            callback();
        }
    });
    // Not while capturing: then each field that gets the focus would count as the window.
    let options = AddEventListenerOptions::new();
    listen(&["visibilitychange", "focus", "pageshow", "online"], &options, &listener.into_js_value());
}

/// Calls `callback` whenever somebody touches the page or types.
pub fn on_activity(callback: impl FnMut() + 'static) {
    let options = AddEventListenerOptions::new();
    // Before anything of the page's own that stops the event; and scrolling does not wait for it.
    options.set_capture(true);
    options.set_passive(true);
    let listener = Closure::<dyn FnMut()>::new(callback).into_js_value();
    listen(&["pointerdown", "keydown", "touchstart"], &options, &listener);
}

/// Whether this page is inside of another one.
pub fn is_framed() -> bool {
    web_sys::window().is_some_and(|window| is_frame(&window))
}

/// Whether a window is a frame in another one, of whichever origin; one that was taken out of its page still counts.
pub fn is_frame(window: &Window) -> bool {
    // Windows of other origins can be compared, though not looked into.
    window.top().ok().flatten().as_ref() != Some(window)
}

fn is_hidden() -> bool {
    web_sys::window().and_then(|window| window.document()).is_some_and(|document| document.hidden())
}

fn listen(events: &[&str], options: &AddEventListenerOptions, listener: &JsValue) {
    let Some(window) = web_sys::window() else { return };
    for event in events {
        // Adding a listener to the page's own window cannot fail.
        let _ = window.add_event_listener_with_callback_and_add_event_listener_options(
            event,
            listener.unchecked_ref(),
            options,
        );
    }
}
