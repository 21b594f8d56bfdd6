//! The answer to a pushed authorization request.

use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::metadata::Metadata;
use leptos_pkce::protocol::pushed_authorization::pushed;
use leptos_pkce::protocol::url::Url;

use super::common::{CLIENT_ID, LONGEST_WORDS, POLICY, answer, key, oracle, said, value};

/// AUT-11, AUT-1: the person is sent to the authorization endpoint, with the name that was given and nothing else.
pub fn check(data: &[u8]) {
    let key = key();
    let document = value(
        r#"{ "issuer": "https://as.example", "authorization_endpoint": "https://as.example/authorize?tenant=1",
        "token_endpoint": "https://as.example/token" }"#,
    );
    let metadata = Metadata::check(&document, &Value::Object(Vec::new()), &key.issuer, POLICY).expect("metadata");
    for status in [200, 201, 400, 500] {
        match pushed(answer(status, "application/json", data), &metadata, &key.client_id) {
            Ok(url) => {
                assert!(status < 300);
                let again = Url::parse(url.as_str()).map(|url| url.without_query().to_owned());
                // A name may be longer than the address can be; then nobody is sent there.
                assert!(
                    again.is_ok_and(|place| place == "https://as.example/authorize") || url.as_str().len() > 16_384
                );
                let browsers = ::url::Url::parse(url.as_str()).expect("a URL");
                let pairs: Vec<_> = browsers.query_pairs().collect();
                let document = oracle(data);
                let Some(name) = said(&document, "request_uri") else { return assert!(document.is_null()) };
                let sent = [("tenant", "1"), ("client_id", CLIENT_ID), ("request_uri", name)];
                assert!(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).eq(sent));
            }
            Err(error) => assert!(error.to_string().len() < LONGEST_WORDS),
        }
    }
}
