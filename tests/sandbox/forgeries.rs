//! What each switch does to ID tokens, keys and user info: that and nothing else.

use std::collections::BTreeSet;

use leptos_pkce::sandbox::http::Delivery;
use leptos_pkce::sandbox::switches::{ALL, Phase};
use serde_json::{Value, json};

use crate::crypto::{decode, verifies};
use crate::person::{ISSUER, Person, header, json, text};

/// What an ID token says, and whether the keys of the server verify it.
struct Token {
    text: String,
    header: Value,
    claims: Value,
    is_verified: bool,
}

fn token(switches: &[&'static str]) -> Token {
    let mut person = Person::with(switches);
    let text = person.tokens(&[])["id_token"].as_str().expect("an ID token").to_owned();
    let keys = json(&person.get(&format!("{ISSUER}jwks")));
    let parts: Vec<_> = text.split('.').collect();
    let part = |index: usize| serde_json::from_slice(&decode(parts[index])).unwrap_or_default();
    let header: Value = part(0);
    let is_meant = |jwk: &&Value| jwk["alg"] == header["alg"] && header.get("kid").is_none_or(|kid| jwk["kid"] == *kid);
    let is_verified = keys["keys"].as_array().expect("keys").iter().filter(is_meant).any(|jwk| verifies(jwk, &text));
    Token { claims: part(1), header, is_verified, text }
}

/// The names of the members that differ.
fn differences(one: &Value, other: &Value) -> BTreeSet<String> {
    let names =
        |value: &Value| value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    names(one).into_iter().chain(names(other)).filter(|name| one.get(name) != other.get(name)).collect()
}

/// Each switch: what is other in header and claims, and whether the signature is right.
const FORGERIES: [(&str, &str, bool); 43] = [
    ("id-token-iss-wrong", "iss", true),
    ("id-token-iss-missing", "iss", true),
    ("id-token-aud-wrong", "aud", true),
    ("id-token-aud-missing", "aud", true),
    ("id-token-aud-array", "aud", true),
    ("id-token-aud-second", "aud", true),
    ("id-token-azp-wrong", "azp", true),
    ("id-token-sub-missing", "sub", true),
    ("id-token-iat-missing", "iat", true),
    ("id-token-iat-future", "exp iat", true),
    ("id-token-exp-missing", "exp", true),
    ("id-token-expired", "exp iat", true),
    ("id-token-nbf-future", "nbf", true),
    ("id-token-nonce-wrong", "nonce", true),
    ("id-token-nonce-missing", "nonce", true),
    ("id-token-at-hash-wrong", "at_hash", true),
    ("id-token-auth-time-old", "auth_time", true),
    ("id-token-auth-time-missing", "auth_time", true),
    ("id-token-acr-wrong", "acr", true),
    ("id-token-three-faults", "aud iss nonce", true),
    // Readers take the second.
    ("id-token-duplicate-claim", "sub", true),
    ("id-token-huge", "padding", true),
    ("id-token-rs256", "alg kid", true),
    ("id-token-ps256", "alg kid", true),
    // Its hash is SHA-512.
    ("id-token-eddsa", "alg kid at_hash", true),
    ("id-token-alg-unlisted", "alg kid", true),
    ("id-token-alg-none", "alg", false),
    ("id-token-alg-hs256", "alg", false),
    ("id-token-signature-wrong", "", false),
    ("id-token-signature-zero", "", false),
    ("id-token-signature-foreign", "jwk", false),
    ("id-token-header-jku", "jku", false),
    ("id-token-crit", "crit sandbox", true),
    ("id-token-typ-at-jwt", "typ", true),
    ("kid-missing", "kid", true),
    ("kid-missing-several", "kid", true),
    ("kid-unknown", "kid", false),
    ("keys-rotated", "kid", true),
    ("keys-one-bad", "", true),
    ("keys-too-many", "", true),
    ("keys-weak-rsa", "alg kid", false),
    ("keys-lost", "", true),
    ("userinfo-signed", "", true),
];

#[test]
fn each_switch_changes_what_it_says() {
    let honest = token(&[]);
    for (switch, changes, is_verified) in FORGERIES {
        let forged = token(&[switch]);
        let mut found = differences(&honest.header, &forged.header);
        found.extend(differences(&honest.claims, &forged.claims));
        let expected: BTreeSet<_> = changes.split_whitespace().map(str::to_owned).collect();
        assert_eq!(found, expected, "{switch}");
        assert_eq!(forged.is_verified, is_verified, "{switch}");
    }
    let tested = |name: &str| FORGERIES.iter().any(|(known, ..)| *known == name);
    let apart = ["id-token-missing", "id-token-encrypted"];
    for switch in ALL.iter().filter(|switch| switch.phase == Phase::IdToken && !apart.contains(&switch.name)) {
        assert!(tested(switch.name), "{}", switch.name);
    }
}

#[test]
fn changes_are_of_the_kind_that_the_name_says() {
    let now = Person::new().now;
    let claim = |switch: &'static str, name: &str| token(&[switch]).claims[name].clone();
    assert_eq!(claim("id-token-iss-wrong", "iss"), format!("{ISSUER}1"));
    assert_eq!(claim("id-token-aud-array", "aud"), json!(["workbench"]));
    assert_eq!(claim("id-token-aud-second", "aud"), json!(["workbench", "somebody-else"]));
    assert_eq!(claim("id-token-iat-future", "iat"), now + 3600);
    assert_eq!(claim("id-token-expired", "exp"), now - 600);
    assert_eq!(claim("id-token-nonce-wrong", "nonce"), "n-0S6_WzA2Mj1");
    let huge = token(&["id-token-huge"]).text;
    assert!(huge.len() > 64 * 1024);
    let twice = String::from_utf8(decode(token(&["id-token-duplicate-claim"]).text.split('.').nth(1).expect("claims")));
    assert_eq!(twice.expect("UTF-8").matches("\"sub\":").count(), 2);
    let signature = |switch: &'static str| {
        let text = token(&[switch]).text;
        decode(text.rsplit('.').next().expect("a signature"))
    };
    assert!(signature("id-token-alg-none").is_empty());
    assert_eq!(signature("id-token-signature-zero"), [0; 64]);
    assert_eq!(token(&["id-token-encrypted"]).text.split('.').count(), 5);
    assert!(Person::with(&["id-token-missing"]).tokens(&[]).get("id_token").is_none());
    // Several at once are several.
    let several = token(&["id-token-rs256", "id-token-aud-wrong", "kid-missing"]);
    assert_eq!((&several.header, several.is_verified), (&json!({ "alg": "RS256", "typ": "JWT" }), true));
}

/// RFC 2104: the MAC is one, and its secret is the key that everybody knows.
#[test]
fn the_mac_is_made_with_the_public_key() {
    let mut person = Person::with(&["id-token-alg-hs256"]);
    let token = person.tokens(&[])["id_token"].as_str().expect("an ID token").to_owned();
    let jwk = json(&person.get(&format!("{ISSUER}jwks")))["keys"][0].clone();
    let text = |name: &str| jwk[name].as_str().expect("a text");
    let secret = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text("x"), text("y"));
    let (input, mac) = token.rsplit_once('.').expect("a MAC");
    let mut hmac = <hmac::Hmac<sha2::Sha256> as hmac::Mac>::new_from_slice(secret.as_bytes()).expect("any length");
    hmac::Mac::update(&mut hmac, input.as_bytes());
    assert!(hmac::Mac::verify_slice(hmac, &decode(mac)).is_ok());
}

#[test]
fn a_foreign_key_is_where_the_header_says() {
    let embedded = token(&["id-token-signature-foreign"]);
    let mut jwk = embedded.header["jwk"].clone();
    jwk["alg"] = "ES256".into();
    assert!(verifies(&jwk, &embedded.text));
    let linked = token(&["id-token-header-jku"]);
    let set = json(&Person::new().get(linked.header["jku"].as_str().expect("a URL")));
    assert_eq!(set["keys"][0]["kid"], linked.header["kid"]);
    assert!(verifies(&set["keys"][0], &linked.text));
}

#[test]
fn keys_are_published_lost_and_changed() {
    let keys = |switch: &'static str| json(&Person::with(&[switch]).get(&format!("{ISSUER}jwks")))["keys"].clone();
    let count = |switch: &'static str| keys(switch).as_array().map(Vec::len);
    assert_eq!(count("iss-wrong"), Some(1));
    assert_eq!(count("kid-missing"), Some(1));
    assert_eq!(count("kid-missing-several"), Some(2));
    assert_eq!(count("keys-too-many"), Some(101));
    assert_eq!(count("keys-one-bad"), Some(5));
    assert_eq!(keys("keys-weak-rsa")[1]["n"].as_str().map(|n| decode(n).len()), Some(128));
    let answer = |switch: &'static str| Person::with(&[switch]).get(&format!("{ISSUER}jwks"));
    assert_eq!(answer("keys-500").status, 500);
    assert!(text(&answer("keys-html")).contains("<!doctype"));
    assert_eq!(answer("keys-lost").delivery, Delivery::Lost);
    // They are in one place at a time, and it is the one that the metadata names.
    let mut elsewhere = Person::with(&["jwks-uri-elsewhere"]);
    assert_eq!(elsewhere.get(&format!("{ISSUER}jwks")).status, 404);
    let named = json(&elsewhere.get(&format!("{ISSUER}.well-known/openid-configuration")))["jwks_uri"].clone();
    assert_eq!(named, format!("{ISSUER}jwks/elsewhere"));
    assert_eq!(json(&elsewhere.get(named.as_str().expect("a URL")))["keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(Person::new().get(&format!("{ISSUER}jwks/elsewhere")).status, 404);
    let metadata = |switch: &'static str| {
        let document = json(&Person::with(&[switch]).get(&format!("{ISSUER}.well-known/openid-configuration")));
        document["id_token_signing_alg_values_supported"].clone()
    };
    assert_eq!(metadata("id-token-rs256"), json!(["ES256", "RS256", "PS256", "EdDSA"]));
    assert_eq!(metadata("id-token-alg-unlisted"), json!(["ES256"]));
}

/// The set that was fetched before has the old key alone, the one that is fetched after has the new one alone.
#[test]
fn a_key_changes_just_before_it_signs_each_time() {
    let mut person = Person::with(&["keys-rotated"]);
    for _ in 0..3 {
        let before = json(&person.get(&format!("{ISSUER}jwks")));
        let token = person.tokens(&[])["id_token"].as_str().expect("an ID token").to_owned();
        let after = json(&person.get(&format!("{ISSUER}jwks")));
        assert!(!verifies(&before["keys"][0], &token) && verifies(&after["keys"][0], &token));
    }
}

/// OpenID Connect Core §5.3.2, §5.6.2.
#[test]
fn user_info_is_wrong_signed_or_elsewhere() {
    let answer = |switch: &'static str| {
        let mut person = Person::with(&[switch]);
        let token = person.tokens(&[])["access_token"].as_str().expect("a token").to_owned();
        (person.call("GET", "userinfo", &token, ""), json(&person.get(&format!("{ISSUER}jwks")))["keys"][0].clone())
    };
    assert_eq!(json(&answer("userinfo-sub-wrong").0)["sub"], "7c1f0a521");
    let elsewhere = json(&answer("userinfo-claim-sources").0);
    assert_eq!(elsewhere["_claim_sources"]["source"]["endpoint"], format!("{ISSUER}claims"));
    assert_eq!(elsewhere["_claim_names"]["shoe_size"], "source");
    for (switch, is_verified) in [("userinfo-signed", true), ("userinfo-signed-wrong", false)] {
        let (response, jwk) = answer(switch);
        assert_eq!(header(&response, "content-type"), Some("application/jwt"));
        let jwt = text(&response);
        assert_eq!(verifies(&jwk, &jwt), is_verified);
        let claims: Value = serde_json::from_slice(&decode(jwt.split('.').nth(1).expect("claims"))).expect("JSON");
        assert_eq!((&claims["iss"], &claims["aud"]), (&ISSUER.into(), &"workbench".into()));
        assert_eq!(claims["name"], "Alice Example");
    }
}
