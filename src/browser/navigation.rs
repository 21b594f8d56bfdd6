//! Location and history: where the page is, leaving it, and what the address bar held when it began.

use js_sys::{Function, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{PageTransitionEvent, PopStateEvent, Window};

use crate::protocol::authorization_response::may_be_response;
use crate::protocol::url::Url;

/// Path, query and fragment of an authorization response, without `?` and `#`.
pub struct HeldResponse {
    /// The path that it came to.
    pub path: String,
    /// The raw query.
    pub query: String,
    /// The raw fragment.
    pub fragment: String,
}

/// Takes what the page's first script held back when it scrubbed the address bar, once.
///
/// Without that script the address bar is read and scrubbed here, which is later than it should be.
pub fn take_held_response() -> Option<HeldResponse> {
    let window = web_sys::window()?;
    let location = window.location();
    // As it was when the page began: an older script of the page's own does not tell, and has not changed it.
    let path = location.pathname().ok()?;
    if let Ok(take) = Reflect::get(&window, &"takeAuthorizationResponse".into())
        && let Some(take) = take.dyn_ref::<Function>()
    {
        let held = take.call0(&JsValue::UNDEFINED).ok().filter(JsValue::is_object)?;
        let text = |name: &str| Reflect::get(&held, &name.into()).ok().and_then(|value| value.as_string());
        let [query, fragment] = [bare(&text("search")?), bare(&text("hash")?)];
        return Some(HeldResponse { path: text("pathname").unwrap_or(path), query, fragment });
    }
    let [query, fragment] = [bare(&location.search().ok()?), bare(&location.hash().ok()?)];
    let held = HeldResponse { path, query, fragment };
    if !may_be_response(&held.query) && !may_be_response(&held.fragment) {
        return None;
    }
    write_history(&held.path, History::Replace);
    Some(held)
}

/// The base URL of the app: the folder of the page's start script if it says so, else `/`.
pub fn base_url() -> Option<String> {
    let window = web_sys::window()?;
    let origin = window.location().origin().ok()?;
    let root = window.document()?.document_element()?;
    let base = root.get_attribute("data-base").unwrap_or_else(|| "/".to_owned());
    Some([origin, base].concat())
}

/// Path, query and fragment of the page.
pub fn current_path() -> String {
    let Some(window) = web_sys::window() else { return String::new() };
    let location = window.location();
    let part = |text: Result<String, JsValue>| text.unwrap_or_default();
    [part(location.pathname()), part(location.search()), part(location.hash())].concat()
}

/// Leaves the page.
pub fn leave(url: &Url) {
    if let Some(window) = web_sys::window() {
        // The scheme was checked when the URL was parsed; what can fail here is a browser that refuses to navigate.
        let _ = window.location().assign(url.as_str());
    }
}

/// Goes to a path of the app by a new history entry.
pub fn push_route(path: &str) {
    write_history(path, History::Push);
    announce();
}

/// Puts a path of the app in the place of the current history entry.
pub fn replace_route(path: &str) {
    write_history(path, History::Replace);
    announce();
}

/// Calls `callback` whenever the page's path changed: Back, Forward, and the two functions above.
pub fn on_route_change(callback: impl FnMut() + 'static) {
    listen("popstate", Closure::<dyn FnMut()>::new(callback).into_js_value());
}

/// Calls `callback` when the page comes back from the back/forward cache.
pub fn on_restored(mut callback: impl FnMut() + 'static) {
    let listener = Closure::<dyn FnMut(PageTransitionEvent)>::new(move |event: PageTransitionEvent| {
        if event.persisted() {
            callback();
        }
    });
    listen("pageshow", listener.into_js_value());
}

/// Whether a window opened this one that is there still.
pub fn has_opener() -> bool {
    Reflect::get(&js_sys::global(), &"opener".into()).is_ok_and(|opener| opener.is_object())
}

/// Calls `callback` when the page is left, be it for the back/forward cache.
pub fn on_left(callback: impl FnMut() + 'static) {
    listen("pagehide", Closure::<dyn FnMut()>::new(callback).into_js_value());
}

enum History {
    Push,
    Replace,
}

fn write_history(path: &str, how: History) {
    let Some(history) = web_sys::window().and_then(|window| window.history().ok()) else { return };
    let written = match how {
        History::Push => history.push_state_with_url(&JsValue::NULL, "", Some(path)),
        History::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(path)),
    };
    // Browsers limit how often a page may do this; the page works on without the entry.
    let _ = written;
}

/// Routers listen to `popstate`, which browsers send for Back and Forward only.
fn announce() {
    if let (Some(window), Ok(event)) = (web_sys::window(), PopStateEvent::new("popstate")) {
        let _ = window.dispatch_event(&event);
    }
}

/// Listens for as long as the page lives.
fn listen(event: &str, listener: JsValue) {
    let window: Option<Window> = web_sys::window();
    if let Some(window) = window {
        let _ = window.add_event_listener_with_callback(event, listener.unchecked_ref());
    }
}

fn bare(text: &str) -> String {
    text.strip_prefix(['?', '#']).unwrap_or(text).to_owned()
}
