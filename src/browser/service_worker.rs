//! The Service Worker behind the sandbox: registering it, and having it answer this page's requests.
//!
//! Rule: a page whose requests the worker does not see is not started. So nothing that is meant for the sandbox reaches
//! the site's host.
//!
//! The other half, and what the words between the two mean, is `src/bin/sandbox-service-worker.js`.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, MessageEvent, RegistrationOptions, ServiceWorkerRegistration};

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

/// Does what is ordered, for the site whose base has the path `scope`; says whether the worker now answers this page.
///
/// # Errors
/// [`NotStarted`]; after [`Order::Forget`] it may still be there.
pub async fn perform(order: Order, scope: &str) -> Result<bool, NotStarted> {
    // The member is absent where the context is not secure, and in some private modes.
    let workers = web_sys::window().map(|window| window.navigator().service_worker());
    let is_resumed = order == Order::Resume;
    let Some(workers) = workers.filter(|workers| workers.is_object()) else {
        return if is_resumed { Ok(false) } else { Err(NotStarted::Unsupported) };
    };
    let registering = match order {
        Order::Start => {
            let options = RegistrationOptions::new();
            options.set_scope(scope);
            // A new build is noticed at once, whatever the host says about caching.
            let _ = Reflect::set(&options, &"updateViaCache".into(), &"none".into());
            workers.register_with_options(&format!("{scope}sandbox-service-worker.js"), &options)
        }
        Order::Resume | Order::Forget => workers.get_registration(),
    };
    if JsFuture::from(registering).await.map_err(|_| NotStarted::Refused)?.is_undefined() {
        return Ok(false);
    }
    let word = if order == Order::Forget { "forget" } else { "start" };
    let ready = workers.ready().map_err(|_| NotStarted::Silent)?;
    let registration = within(PATIENCE, &ready).await.map(ServiceWorkerRegistration::from);
    let worker = registration.and_then(|registration| registration.active()).ok_or(NotStarted::Silent)?;
    let channel = MessageChannel::new().map_err(|_| NotStarted::Silent)?;
    let answered = Promise::new(&mut |resolve, _| channel.port1().set_onmessage(Some(&resolve)));
    let ports = Array::of1(&channel.port2());
    worker.post_message_with_transferable(&word.into(), &ports).map_err(|_| NotStarted::Silent)?;
    let answer = within(PATIENCE, &answered).await.map(MessageEvent::from);
    if !answer.is_some_and(|event| event.data().is_truthy()) {
        return Err(NotStarted::Silent);
    }
    if order == Order::Forget {
        return Ok(false);
    }
    if workers.controller().is_none() {
        let changed = Promise::new(&mut |resolve, _| workers.set_oncontrollerchange(Some(&resolve)));
        within(HANDOVER, &changed).await;
    }
    workers.controller().map(|_| true).ok_or(NotStarted::Uncontrolled)
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
