//! The Service Worker behind the sandbox: registering it, and having it answer this page's requests.
//!
//! Rule: the sandbox counts as started when its worker sees this page's requests, not before. So a sign-in that begins
//! here reaches the worker and not the site's host.
//!
//! The other half, and what the words between the two mean, is `src/bin/sandbox-service-worker.js`.

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageEvent, RegistrationOptions, ServiceWorkerRegistration};

use super::clock;
use crate::protocol::time::Seconds;

/// Why the worker does not answer this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotStarted {
    /// The browser has no Service Workers for this page.
    Unsupported,
    /// The browser refused to register it, or its script did not arrive.
    Refused,
    /// It did not say in time that it is ready, or said that it is not.
    Silent,
    /// It runs, and the browser keeps this page's requests from it, as after a forced reload.
    Uncontrolled,
}

/// How long the worker has for loading its program, and how long the browser for handing the page over to it.
const PATIENCE: Seconds = Seconds(20);
const HANDOVER: Seconds = Seconds(3);

/// What is to be done with the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Have it answer this page, if it is registered.
    Resume,
    /// Register it, and have it answer this page.
    Start,
    /// Remove it and everything that it keeps. It sees this page's requests until the page is reloaded, and lets them pass.
    Forget,
}

/// Does what is ordered, for the site with this base URL; says whether the worker now answers this page.
///
/// # Errors
/// [`NotStarted`]; after [`Order::Forget`] it may still be there.
pub async fn perform(order: Order, base: &str) -> Result<bool, NotStarted> {
    // The member is absent where the context is not secure, and in some private modes.
    let workers = web_sys::window().map(|window| window.navigator().service_worker());
    let Some(workers) = workers.filter(|workers| workers.is_object()) else {
        return if order == Order::Resume { Ok(false) } else { Err(NotStarted::Unsupported) };
    };
    let script = format!("{base}sandbox-service-worker.js");
    let registering = if order == Order::Start {
        let options = RegistrationOptions::new();
        options.set_scope(base);
        workers.register_with_options(&script, &options)
    } else {
        workers.get_registration()
    };
    let registered = JsFuture::from(registering).await.map_err(|_| NotStarted::Refused)?;
    let registration = ServiceWorkerRegistration::from(registered);
    if registration.is_undefined() {
        return Ok(false);
    }
    // The first may still be on its way; and another app of the origin may have a worker that this site is below of.
    let workers_of_it = [registration.active(), registration.waiting(), registration.installing()];
    let Some(worker) = workers_of_it.into_iter().flatten().find(|worker| worker.script_url() == script) else {
        return if order == Order::Start { Err(NotStarted::Silent) } else { Ok(false) };
    };
    let answered = Promise::new(&mut |resolve, _| {
        // Adding a listener cannot fail; it hears the next word of the worker, and no other.
        let _ = workers.add_event_listener_with_callback("message", &resolve);
    });
    let word = if order == Order::Forget { "forget" } else { "start" };
    worker.post_message(&word.into()).map_err(|_| NotStarted::Silent)?;
    let answer = within(PATIENCE, &answered).await.map(MessageEvent::from);
    if !answer.is_some_and(|event| event.data().is_truthy()) {
        return Err(NotStarted::Silent);
    }
    if order == Order::Forget {
        return Ok(false);
    }
    // Not any worker: one that was forgotten controls its pages until they are reloaded.
    let is_ours = || workers.controller().is_some() && workers.controller() == registration.active();
    if !is_ours() {
        let changed = Promise::new(&mut |resolve, _| workers.set_oncontrollerchange(Some(&resolve)));
        within(HANDOVER, &changed).await;
    }
    if is_ours() { Ok(true) } else { Err(NotStarted::Uncontrolled) }
}

/// What the promise gives, if it does within `span`.
async fn within(span: Seconds, promise: &Promise) -> Option<JsValue> {
    let mut timer = None;
    let late = Promise::new(&mut |resolve, _| {
        timer = clock::after(span, move || drop(resolve.call0(&JsValue::UNDEFINED)));
    });
    let first = JsFuture::from(Promise::race(&Array::of2(promise, &late))).await;
    drop(timer);
    first.ok().filter(|value| !value.is_undefined())
}
