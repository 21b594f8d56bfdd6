//! How recently and how well somebody signed in (OpenID Connect Core §3.1.2.1).

use serde_json::Value;

use crate::crypto::decode;
use crate::person::{ISSUER, Person, json, redirected, text, value};

const PASSWORD: &str = "urn:sandbox:acr:password";
const OTP: &str = "urn:sandbox:acr:otp";

/// Signs in and gives the claims of the ID token.
fn claims(person: &mut Person, parameters: &[(&str, &str)]) -> Value {
    let tokens = person.tokens(parameters);
    let part = tokens["id_token"].as_str().and_then(|token| token.split('.').nth(1)).expect("claims");
    serde_json::from_slice(&decode(part)).expect("JSON")
}

#[test]
fn says_which_level_was_reached() {
    let mut person = Person::new();
    let metadata = json(&person.get(&format!("{ISSUER}.well-known/openid-configuration")));
    assert_eq!(metadata["acr_values_supported"], serde_json::json!([PASSWORD, OTP]));
    assert_eq!(claims(&mut person, &[])["acr"], PASSWORD);
    // A level that nobody knows is passed over; the most wanted of the others counts.
    assert_eq!(claims(&mut person, &[("acr_values", "urn:other urn:sandbox:acr:otp")])["acr"], OTP);
    // Whoever took the second step took the first.
    assert_eq!(claims(&mut person, &[])["acr"], OTP);
    assert_eq!(claims(&mut person, &[("acr_values", &format!("{PASSWORD} {OTP}"))])["acr"], PASSWORD);
}

#[test]
fn asks_again_for_a_level_that_was_not_reached() {
    let mut person = Person::new();
    person.sign_in(&[]);
    let silent = person.authorize(&[("acr_values", OTP), ("prompt", "none")]);
    assert_eq!(value(&redirected(&silent), "error").as_deref(), Some("login_required"));
    let page = text(&person.authorize(&[("acr_values", OTP)]));
    assert!(page.contains("/sandbox/login\"") && page.contains("Second step"), "{page}");
    assert!(!text(&person.authorize(&[("prompt", "login")])).contains("Second step"));
    person.now += 100;
    let signed_in = claims(&mut person, &[("acr_values", OTP)]);
    assert_eq!((&signed_in["acr"], &signed_in["auth_time"]), (&OTP.into(), &person.now.into()));
    assert_eq!(person.authorize(&[("acr_values", OTP), ("prompt", "none")]).status, 303);
}
