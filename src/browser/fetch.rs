//! HTTP by fetch, the same for every request: no redirects, no credentials, no cache, no referrer, one deadline over
//! headers and body, and a body that is counted while it streams.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use gloo_net::http::Response;
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials, RequestInit,
    RequestRedirect,
};

use super::clock;
use crate::protocol::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use crate::protocol::secret::DpopProof;
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

/// Sends a request that carries no token and that nobody will want to stop.
///
/// # Errors
/// [`HttpFailure`]; with a token, nothing is sent.
pub async fn ask(request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
    match Cancel::new() {
        Some(cancel) if request.bearer.is_none() => send(request, None, cancel).await,
        _ => Err(HttpFailure::Unreachable),
    }
}

/// Sends a request at once, and then reads the whole answer.
///
/// What is awaited holds nothing of the request any more.
///
/// # Errors
/// [`HttpFailure`]; a browser tells refused connections, CORS and redirects apart for nobody.
pub(crate) fn send(
    request: &HttpRequest,
    proof: Option<&DpopProof>,
    cancel: Cancel,
) -> impl Future<Output = Result<HttpResponse, HttpFailure>> + use<> {
    let limits = request.limits;
    let timed_out = Rc::new(Cell::new(false));
    let timer = clock::after(limits.deadline, {
        let (timed_out, cancel) = (timed_out.clone(), cancel.clone());
        move || {
            timed_out.set(true);
            cancel.cancel();
        }
    });
    let was_offline = is_offline();
    let sent = begin(request, proof, &cancel);
    async move {
        let outcome = match sent {
            Ok(answer) => receive(answer, limits, &cancel).await,
            Err(stop) => Err(stop),
        };
        drop(timer);
        outcome.map_err(|stop| match stop {
            Stop::Failure(failure) => failure,
            Stop::Thrown if timed_out.get() => HttpFailure::Timeout { after: limits.deadline },
            Stop::Thrown if cancel.0.signal().aborted() => HttpFailure::Cancelled,
            // Only then is it known that nothing was sent.
            Stop::Thrown if was_offline => HttpFailure::Unsent,
            Stop::Thrown if is_offline() => HttpFailure::Offline,
            Stop::Thrown => HttpFailure::Unreachable,
        })
    }
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

fn begin(request: &HttpRequest, proof: Option<&DpopProof>, cancel: &Cancel) -> Result<JsFuture, Stop> {
    let browser_request = browser_request(request, proof, cancel)?;
    if !is_the_same(&browser_request.url(), &request.url) {
        return Err(Stop::Failure(HttpFailure::UrlDisagreement));
    }
    let window = web_sys::window().ok_or(Stop::Thrown)?;
    // Not by gloo-net's `send`, which panics where what is thrown is no Error.
    Ok(window.fetch_with_request(&browser_request).into())
}

async fn receive(answer: JsFuture, limits: Limits, cancel: &Cancel) -> Result<HttpResponse, Stop> {
    let response: web_sys::Response = answer.await?.unchecked_into();
    // Names and values; an iterator of theirs would be more code.
    let fields = Array::from(&response.headers()).into_iter().map(|field| {
        let text = |index| Array::from(&field).get(index).as_string().unwrap_or_default();
        (text(0), text(1))
    });
    let headers = fields.collect();
    let response = Response::from(response);
    Ok(HttpResponse { status: response.status(), headers, body: read_body(&response, limits, cancel).await? })
}

/// The same request in the browser's terms. Not by gloo-net's builder, which takes the URL apart and joins it again.
fn browser_request(
    request: &HttpRequest,
    proof: Option<&DpopProof>,
    cancel: &Cancel,
) -> Result<web_sys::Request, JsValue> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in &request.headers {
        headers.set(name, value)?;
    }
    if let Some(token) = &request.bearer {
        let scheme = if proof.is_some() { "DPoP " } else { "Bearer " };
        headers.set("authorization", &(scheme.to_owned() + token.expose()))?;
    }
    if let Some(proof) = proof {
        headers.set("dpop", proof.expose())?;
    }
    let options = RequestInit::new();
    options.set_method(&request.method);
    options.set_headers(&headers);
    options.set_redirect(RequestRedirect::Error);
    options.set_credentials(RequestCredentials::Omit);
    options.set_cache(RequestCache::NoStore);
    options.set_referrer_policy(ReferrerPolicy::NoReferrer);
    options.set_signal(Some(&cancel.0.signal()));
    if request.keepalive {
        // No binding sets it.
        Reflect::set(&options, &"keepalive".into(), &JsValue::TRUE)?;
    }
    if let Some(body) = &request.body {
        options.set_body(&body.into());
    }
    web_sys::Request::new_with_str_and_init(request.url.as_str(), &options)
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
fn is_the_same(theirs: &str, ours: &Url) -> bool {
    let rest = theirs.strip_prefix(ours.origin()).and_then(|rest| rest.strip_prefix(ours.path()));
    let rest = match ours.query() {
        None => rest,
        Some(query) => rest.and_then(|rest| rest.strip_prefix('?')?.strip_prefix(query)),
    };
    // A fragment stays in the browser.
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
}

fn is_offline() -> bool {
    web_sys::window().is_some_and(|window| !window.navigator().on_line())
}
