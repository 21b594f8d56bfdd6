//! The authorization server's metadata, and a configuration's overrides of them.

use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::metadata::{Metadata, read_document, used_members, wrong_members};
use leptos_pkce::protocol::url::Url;

use super::common::{ISSUER, LONGEST_WORDS, POLICY, document, key, oracle, value};

/// CFG-3, CFG-7, CFG-9 to CFG-11, A4, A6: what is used is the issuer's own, and every place in it is https.
pub fn check(data: &[u8]) {
    let Ok(document) = read_document(document(data)) else { return };
    let whole = value(
        r#"{ "issuer": "https://as.example", "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/token" }"#,
    );
    let issuer = key().issuer;
    for wrong in wrong_members(&document, POLICY) {
        assert!(wrong.name.len() + wrong.expected.to_string().len() + wrong.found.len() < LONGEST_WORDS);
    }
    let nothing = Value::Object(Vec::new());
    for (document, overrides) in [(&document, &nothing), (&whole, &document)] {
        match Metadata::check(document, overrides, &issuer, POLICY) {
            Ok(metadata) => {
                places_are_https(&metadata);
                let kept = Value::parse(used_members(document.clone()).to_text().as_bytes()).expect("JSON");
                assert!(
                    Metadata::check(&kept, overrides, &issuer, POLICY) == Ok(metadata),
                    "what is kept says the same"
                );
            }
            Err(error) => assert!(error.to_string().len() < LONGEST_WORDS),
        }
    }
    let there = oracle(data);
    if Metadata::check(&document, &nothing, &issuer, POLICY).is_ok() && !there.is_null() {
        assert_eq!(there["issuer"], ISSUER, "CFG-7");
        let methods = &there["code_challenge_methods_supported"];
        assert!(methods.as_array().is_none_or(|all| all.iter().any(|method| method == "S256")), "CFG-10");
    }
}

fn places_are_https(metadata: &Metadata) {
    let optional = [
        &metadata.userinfo_endpoint,
        &metadata.end_session_endpoint,
        &metadata.revocation_endpoint,
        &metadata.jwks_uri,
        &metadata.pushed_authorization_request_endpoint,
    ];
    let needed = [&metadata.authorization_endpoint, &metadata.token_endpoint];
    for place in optional.into_iter().flatten().chain(needed) {
        let place: &Url = place;
        let browsers = ::url::Url::parse(place.as_str());
        assert!(place.as_str().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")), "CFG-3");
        // A name that is no Punycode and an IPv6 address are the adapter's to refuse, when they are used.
        let is_left = place.host().contains("xn--") || place.host().starts_with('[');
        assert!(place.fragment().is_none() && (is_left || browsers.is_ok_and(|url| url.scheme() == "https")), "CFG-3");
    }
}
