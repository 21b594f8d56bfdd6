//! The Service Worker behind the sandbox: registering it, and having it answer this page's requests.
//!
//! Rule: a page whose requests the worker does not see is not started. So nothing that is meant for the sandbox reaches
//! the site's host.
//!
//! The other half, and what the words between the two mean, is `src/bin/sandbox-service-worker.js`.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, MessageEvent, RegistrationOptions, ServiceWorkerContainer, ServiceWorkerRegistration};

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

/// Registers the worker for `scope`, the path of the site's base, and waits until it answers this page's requests.
///
/// # Errors
/// [`NotStarted`].
pub async fn start(scope: &str) -> Result<(), NotStarted> {
    let workers = workers()?;
    let options = RegistrationOptions::new();
    options.set_scope(scope);
    // A new build is noticed at once, whatever the host says about caching.
    let _ = Reflect::set(&options, &"updateViaCache".into(), &"none".into());
    let registered = workers.register_with_options(&format!("{scope}sandbox-service-worker.js"), &options);
    JsFuture::from(registered).await.map_err(|_| NotStarted::Refused)?;
    tell("start").await?;
    if workers.controller().is_none() {
        let changed = Promise::new(&mut |resolve, _| workers.set_oncontrollerchange(Some(&resolve)));
        within(HANDOVER, &changed).await;
    }
    workers.controller().map(drop).ok_or(NotStarted::Uncontrolled)
}

/// Whether the worker is registered for this page.
pub async fn is_registered() -> bool {
    let Ok(workers) = workers() else { return false };
    JsFuture::from(workers.get_registration()).await.is_ok_and(|registration| registration.is_object())
}

/// Removes the worker and everything that it keeps. It sees this page's requests until the page is reloaded, and lets
/// them pass.
///
/// # Errors
/// [`NotStarted`]: it may still be there.
pub async fn forget() -> Result<(), NotStarted> {
    tell("forget").await
}

/// Says a word to the worker and waits until it says that it is done.
async fn tell(word: &str) -> Result<(), NotStarted> {
    let ready = workers()?.ready().map_err(|_| NotStarted::Unsupported)?;
    let registration: ServiceWorkerRegistration =
        within(PATIENCE, &ready).await.and_then(|value| value.dyn_into().ok()).ok_or(NotStarted::Silent)?;
    let worker = registration.active().ok_or(NotStarted::Silent)?;
    let channel = MessageChannel::new().map_err(|_| NotStarted::Silent)?;
    let answered = Promise::new(&mut |resolve, _| channel.port1().set_onmessage(Some(&resolve)));
    let ports = Array::of1(&channel.port2());
    worker.post_message_with_transferable(&word.into(), &ports).map_err(|_| NotStarted::Silent)?;
    let answer = within(PATIENCE, &answered).await.and_then(|event| event.dyn_into::<MessageEvent>().ok());
    if answer.is_some_and(|event| event.data().is_truthy()) { Ok(()) } else { Err(NotStarted::Silent) }
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

/// The member is absent where the context is not secure, and in some private modes.
fn workers() -> Result<ServiceWorkerContainer, NotStarted> {
    let workers = web_sys::window().map(|window| window.navigator().service_worker());
    workers.filter(|workers| workers.is_object()).ok_or(NotStarted::Unsupported)
}
