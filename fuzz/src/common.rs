//! What the targets share: one client, one pending request, answers around an input, and a second reader of JSON.

use leptos_pkce::protocol::client::{Client, ClientKey};
use leptos_pkce::protocol::configuration::parse_configuration;
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::pending_authorization::PendingAuthorization;
use leptos_pkce::protocol::site::Site;
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::url::SchemePolicy;

pub const ISSUER: &str = "https://as.example";
pub const CLIENT_ID: &str = "spa";
pub const STATE: &str = "af0ifjsldkj";
pub const NONCE: &str = "n-0S6_WzA2Mj";
pub const SUB: &str = "248289761001";
pub const NOW: UnixTime = UnixTime(1_700_000_000);
pub const POLICY: SchemePolicy = SchemePolicy::HttpsOnly;

/// The most octets of a text that is kept for people.
pub const LONGEST_WORDS: usize = 4096;

pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

pub fn value(text: &str) -> Value {
    Value::parse(text.as_bytes()).expect("a document of the targets themselves")
}

/// The same document as another reader reads it; of a member that is there twice it knows the last.
///
/// `null` if it cannot read it: then it has no opinion. It refuses numbers that no `f64` holds.
pub fn oracle(data: &[u8]) -> serde_json::Value {
    serde_json::from_slice(data).unwrap_or_default()
}

/// A text of the other reader's document.
pub fn said<'a>(document: &'a serde_json::Value, name: &str) -> Option<&'a str> {
    document.get(name).and_then(serde_json::Value::as_str)
}

/// Whether an audience, one or several, is `client_id`.
pub fn is_for(audience: Option<&serde_json::Value>, client_id: &str) -> bool {
    match audience {
        Some(serde_json::Value::Array(several)) => several.iter().any(|one| one == client_id),
        one => one.and_then(serde_json::Value::as_str) == Some(client_id),
    }
}

pub fn answer(status: u16, media_type: &str, body: &[u8]) -> Result<HttpResponse, HttpFailure> {
    let headers = vec![("content-type".to_owned(), media_type.to_owned())];
    Ok(HttpResponse { status, headers, body: body.to_vec() })
}

pub fn document(body: &[u8]) -> Result<HttpResponse, HttpFailure> {
    answer(200, "application/json", body)
}

pub fn site() -> Site {
    Site::parse("https://app.example/").expect("a page")
}

/// A client that asks for an ID token and keeps its tokens in sessionStorage.
pub fn client() -> Client {
    let configuration = r#"{ "authorization_servers": [ { "issuer": "https://as.example", "client_id": "spa",
        "scope": "openid photos:read", "token_storage": "session" } ] }"#;
    let clients = parse_configuration(configuration.as_bytes(), &site()).expect("a configuration");
    clients.into_iter().next().expect("one client")
}

pub fn key() -> ClientKey {
    client().key().clone()
}

/// The record of a request that awaits its answer; the verifier is that of RFC 7636 appendix B.
pub fn pending(is_iss_announced: bool) -> PendingAuthorization {
    let record = format!(
        r#"{{ "version": 2, "issuer": "{ISSUER}", "client_id": "{CLIENT_ID}",
        "redirect_uri": "https://app.example/callback", "token_endpoint": "https://as.example/token",
        "iss_announced": {is_iss_announced}, "state": "{STATE}", "id_token": {},
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "scope": "openid photos:read",
        "token_storage": "memory", "return_path": "/albums/7", "created_at": 1699999940 }}"#,
        asked()
    );
    PendingAuthorization::decode(&value(&record), POLICY).expect("a record")
}

/// What an ID token must answer.
pub fn asked() -> String {
    format!(
        r#"{{ "nonce": "{NONCE}", "jwks_uri": "https://as.example/jwks", "algorithms": ["RS256", "ES256"],
        "max_age": 300, "acr_values": "urn:otp urn:pin", "clock_tolerance": 60 }}"#
    )
}
