//! HTTP by fetch, the same for every request: no redirects, no credentials, no cache, no referrer, one deadline over
//! headers and body, and a body that is counted while it streams.

use std::cell::Cell;
use std::rc::Rc;

use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials, RequestRedirect,
};

use super::clock;
use crate::protocol::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use crate::protocol::url::Url;

/// Stops one fetch.
#[derive(Clone)]
pub(crate) struct Cancel(AbortController);

impl Cancel {
    /// A handle for a fetch that is about to begin.
    pub(crate) fn new() -> Option<Self> {
        AbortController::new().ok().map(Self)
    }

    /// Ends the fetch, whatever it is waiting for.
    pub(crate) fn cancel(&self) {
        self.0.abort();
    }
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// [`HttpFailure`]; a browser tells refused connections, CORS and redirects apart for nobody.
pub(crate) async fn send(request: HttpRequest, cancel: &Cancel) -> Result<HttpResponse, HttpFailure> {
    let limits = request.limits;
    let timed_out = Rc::new(Cell::new(false));
    let timer = clock::after(limits.deadline, {
        let (timed_out, cancel) = (timed_out.clone(), cancel.clone());
        move || {
            timed_out.set(true);
            cancel.cancel();
        }
    });
    let outcome = exchange(request, cancel).await;
    drop(timer);
    outcome.map_err(|stop| match stop {
        Stop::Failure(failure) => failure,
        Stop::Thrown if timed_out.get() => HttpFailure::Timeout { after: limits.deadline },
        Stop::Thrown if cancel.0.signal().aborted() => HttpFailure::Cancelled,
        Stop::Thrown if is_offline() => HttpFailure::Offline,
        Stop::Thrown => HttpFailure::Unreachable,
    })
}

/// Why reading ended: for a reason of ours, or because the browser threw.
enum Stop {
    Failure(HttpFailure),
    Thrown,
}

impl From<JsValue> for Stop {
    fn from(_: JsValue) -> Self {
        Self::Thrown
    }
}

async fn exchange(request: HttpRequest, cancel: &Cancel) -> Result<HttpResponse, Stop> {
    if !browser_agrees(&request.url) {
        return Err(Stop::Failure(HttpFailure::UrlDisagreement));
    }
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| Stop::Thrown)?;
    let mut builder = RequestBuilder::new(request.url.as_str())
        .method(method)
        .redirect(RequestRedirect::Error)
        .credentials(RequestCredentials::Omit)
        .cache(RequestCache::NoStore)
        .referrer_policy(ReferrerPolicy::NoReferrer)
        .abort_signal(Some(&cancel.0.signal()));
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    if let Some(token) = &request.bearer {
        builder = builder.header("authorization", &format!("Bearer {}", token.expose()));
    }
    let built = match request.body {
        Some(body) => builder.body(body),
        None => builder.build(),
    };
    let response = built.map_err(|_| Stop::Thrown)?.send().await.map_err(|_| Stop::Thrown)?;
    let body = read_body(&response, request.limits, cancel).await?;
    Ok(HttpResponse { status: response.status(), headers: response.headers().entries().collect(), body })
}

async fn read_body(response: &Response, limits: Limits, cancel: &Cancel) -> Result<Vec<u8>, Stop> {
    let Some(stream) = response.body() else { return Ok(Vec::new()) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut body = Vec::new();
    loop {
        let chunk = JsFuture::from(reader.read()).await?;
        if Reflect::get(&chunk, &"done".into())?.is_truthy() {
            return Ok(body);
        }
        let octets: Uint8Array = Reflect::get(&chunk, &"value".into())?.unchecked_into();
        if body.len() + octets.length() as usize > limits.body {
            // Ends the connection, so that the server stops sending too.
            cancel.cancel();
            return Err(Stop::Failure(HttpFailure::BodyTooLarge { limit: limits.body }));
        }
        body.extend(octets.to_vec());
    }
}

/// What was parsed is what is sent: the browser's own parser must find the same origin, path and query.
fn browser_agrees(url: &Url) -> bool {
    let Ok(theirs) = web_sys::Url::new(url.as_str()) else { return false };
    let search = theirs.search();
    let query = search.strip_prefix('?').unwrap_or(&search);
    theirs.origin() == url.origin() && theirs.pathname() == url.path() && query == url.query().unwrap_or_default()
}

fn is_offline() -> bool {
    web_sys::window().is_some_and(|window| !window.navigator().on_line())
}
