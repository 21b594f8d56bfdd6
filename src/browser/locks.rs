//! Web Locks: of all the pages of this origin, one at a time.
//!
//! Rule: nothing is held but by a [`Held`]. Where the browser grants a lock to somebody who waits no longer, it is
//! given back at once.
//!
//! Source: Web Locks API.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::clock;
use crate::protocol::time::Seconds;

/// A lock that this page holds; dropping it releases it. The browser releases it when the page ends.
#[must_use = "dropping it releases the lock"]
pub struct Held(Function);

/// Why the lock is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHeld {
    /// Somebody else kept it all the time.
    TimedOut,
    /// The browser has none for this page.
    Unavailable,
}

impl From<JsValue> for NotHeld {
    fn from(_: JsValue) -> Self {
        Self::Unavailable
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A function that resolves a promise never throws.
        let _ = self.0.call0(&JsValue::UNDEFINED);
    }
}

/// Waits for the lock of this name, at most `patience`, which may be none; of a page in the background timers may be late.
///
/// # Errors
/// [`NotHeld`].
pub async fn request(name: &str, patience: Seconds) -> Result<Held, NotHeld> {
    // The member is absent where the context is not secure; where storage is blocked, asking it fails.
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into())?;
    let locks = Reflect::get(&navigator, &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let controller = AbortController::new()?;
    let options = Object::new();
    let waits = patience > Seconds(0);
    if waits {
        Reflect::set(&options, &"signal".into(), &controller.signal())?;
    } else {
        // No timer: it would be over before the browser has answered.
        Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE)?;
    }

    // From here on: whoever drops `held`, because time is up or the future itself is dropped, gives the lock back,
    // whether or not it is granted by then.
    let mut held = None;
    let released = Promise::new(&mut |release, _| held = Some(Held(release)));
    let mut waiting = None;
    let granted = Promise::new(&mut |grant, give_up| {
        let (released, controller) = (released.clone(), controller.clone());
        let timed_out = give_up.clone();
        let callback = Closure::once(move |lock: JsValue| -> JsValue {
            let answer = if lock.is_null() { give_up } else { grant };
            let _ = answer.call0(&JsValue::UNDEFINED);
            released.into()
        });
        // The promise goes first, and with nothing: an error of the browser's is never that.
        let time_is_up = move || {
            let _ = timed_out.call0(&JsValue::UNDEFINED);
            controller.abort();
        };
        let timer = waits.then(|| clock::after(patience, time_is_up));
        waiting = Some((callback, timer));
    });
    let (Some(held), Some((callback, _timer))) = (held, waiting) else { return Err(NotHeld::Unavailable) };
    let requested = request.call3(&locks, &name.into(), &options, callback.as_ref())?;
    // What the request itself promises ends with the lock, or with the reason why there is none.
    let first = JsFuture::from(Promise::race(&Array::of2(&granted, &requested))).await;
    match first {
        Ok(_) => Ok(held),
        Err(error) if error.is_undefined() => Err(NotHeld::TimedOut),
        Err(_) => Err(NotHeld::Unavailable),
    }
}
