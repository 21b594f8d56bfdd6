//! The `DPoP-Nonce` header, and after an empty line a body that may ask for one.

use leptos_pkce::protocol::dpop::{ServerNonces, asks_for_nonce};
use leptos_pkce::protocol::http::HttpResponse;
use leptos_pkce::protocol::url::Url;

use super::common::{oracle, said, text};

/// DP-4: what is kept is `1*NQCHAR` of bounded length, for its server alone; anything else changes nothing.
pub fn check(data: &[u8]) {
    let Some(whole) = text(data) else { return };
    let (nonce, body) = whole.split_once("\n\n").unwrap_or((whole, ""));
    let answer = |status, name: &str, value: &str| HttpResponse {
        status,
        headers: vec![(name.to_owned(), value.to_owned())],
        body: body.into(),
    };
    let url = |text| Url::parse(text).expect("a URL");
    let mut nonces = ServerNonces::default();
    nonces.learn(&url("https://as.example/token"), &answer(200, "dpop-nonce", "before"));
    nonces.learn(&url("https://as.example/par"), &answer(401, "dpop-nonce", nonce));
    let is_nonce = (1..=1024).contains(&nonce.len())
        && nonce.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"' && octet != b'\\');
    assert_eq!(nonces.get(&url("https://as.example/")), Some(if is_nonce { nonce } else { "before" }));
    assert_eq!(nonces.get(&url("https://api.example/")), None);
    let document = oracle(body.as_bytes());
    let asked = asks_for_nonce(&answer(400, "www-authenticate", nonce));
    assert!(!asked || said(&document, "error") == Some("use_dpop_nonce"));
    assert!(
        !asks_for_nonce(&answer(200, "www-authenticate", nonce))
            && !asks_for_nonce(&answer(403, "www-authenticate", nonce))
    );
}
