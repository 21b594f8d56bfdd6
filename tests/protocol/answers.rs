//! What servers answer.

use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};

/// The successful response of RFC 6749 §5.1 without its example parameter.
pub(crate) const TOKENS: &str = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA"}"#;

pub(crate) fn answer(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Result<HttpResponse, HttpFailure> {
    let headers = match media_type {
        "" => Vec::new(),
        media_type => vec![("content-type".to_owned(), media_type.to_owned())],
    };
    Ok(HttpResponse { status, headers, body: body.into() })
}

pub(crate) fn document(body: impl Into<Vec<u8>>) -> Result<HttpResponse, HttpFailure> {
    answer(200, "application/json", body)
}

pub(crate) fn html(status: u16) -> Result<HttpResponse, HttpFailure> {
    answer(status, "text/html; charset=utf-8", "<!doctype html><title>Hello</title>")
}

/// An OAuth error as RFC 6749 §5.2 words it.
pub(crate) fn refusal(error: &str) -> Result<HttpResponse, HttpFailure> {
    answer(400, "application/json", format!(r#"{{"error":"{error}"}}"#))
}

/// A status and nothing else.
pub(crate) fn status(status: u16) -> Result<HttpResponse, HttpFailure> {
    answer(status, "", "")
}

/// An answer that nobody can read: CORS, a redirect, a broken connection.
pub(crate) fn lost() -> Result<HttpResponse, HttpFailure> {
    Err(HttpFailure::Unreachable)
}
