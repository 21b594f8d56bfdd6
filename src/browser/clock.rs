//! The clock and timers: the only file that reads the time.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;

use crate::protocol::time::{Seconds, UnixTime};

/// The browser's wall clock, in whole seconds.
#[expect(clippy::disallowed_methods, reason = "this is the one file that reads the clock")]
pub fn now() -> UnixTime {
    // Never negative and far below 2^53 for any date a browser knows.
    UnixTime((js_sys::Date::now() / 1000.0) as u64)
}

/// Milliseconds since the page began, for measuring how long something took.
pub fn elapsed_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}

/// A timer; dropping it stops it.
pub struct Timer {
    id: i32,
    _callback: Closure<dyn FnMut()>,
}

/// The longest delay that browsers count: 2^31 − 1 ms. A longer one would fire at once.
const LONGEST_MS: u64 = 2_147_483_647;

/// Calls `callback` once, after `span`.
pub fn after(span: Seconds, callback: impl FnOnce() + 'static) -> Option<Timer> {
    Timer::start(Closure::once(callback), span, false)
}

/// Calls `callback` again and again, `span` apart.
pub fn every(span: Seconds, callback: impl FnMut() + 'static) -> Option<Timer> {
    Timer::start(Closure::new(callback), span, true)
}

impl Timer {
    fn start(callback: Closure<dyn FnMut()>, span: Seconds, repeat: bool) -> Option<Self> {
        let window = web_sys::window()?;
        let function = callback.as_ref().unchecked_ref();
        let delay = i32::try_from(span.0.saturating_mul(1000).min(LONGEST_MS)).unwrap_or(i32::MAX);
        let id = if repeat {
            window.set_interval_with_callback_and_timeout_and_arguments_0(function, delay)
        } else {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(function, delay)
        };
        Some(Self { id: id.ok()?, _callback: callback })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            // Intervals and timeouts share one list of ids.
            window.clear_timeout_with_handle(self.id);
        }
    }
}
