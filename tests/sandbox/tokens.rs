//! The token endpoint, and the ID tokens that it gives.

use crate::crypto::{decode, verifies};
use crate::person::{ISSUER, Person, VERIFIER, header, json, value};

fn code(person: &mut Person) -> String {
    value(&person.sign_in(&[]), "code").expect("a code")
}

#[test]
fn gives_tokens_for_a_code() {
    let mut person = Person::new();
    let code = code(&mut person);
    let response = person.exchange(&code, &[]);
    assert_eq!((response.status, header(&response, "cache-control")), (200, Some("no-store")));
    let tokens = json(&response);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(tokens["scope"], "openid profile photos:read");
    assert!(tokens.get("refresh_token").is_none());
    let plain = Person::new().tokens(&[("scope", "photos:read"), ("nonce", "")]);
    assert!(plain.get("id_token").is_none());
}

/// OpenID Connect Core §2, §3.1.3.6: held against an independent implementation of ES256.
#[test]
fn signs_id_tokens_that_verify_with_its_own_key_set() {
    let mut person = Person::new();
    let signed_in_at = person.now;
    let code = code(&mut person);
    person.now += 60;
    let tokens = json(&person.exchange(&code, &[]));
    let keys = json(&person.get(&format!("{ISSUER}jwks")));
    let jwk = &keys["keys"][0];
    assert!(jwk.get("d").is_none(), "the private key stays where it is");
    let id_token = tokens["id_token"].as_str().expect("an ID token");
    assert!(verifies(jwk, id_token));

    let part = |index| id_token.split('.').nth(index).map(decode).expect("a part");
    let header: serde_json::Value = serde_json::from_slice(&part(0)).expect("JSON");
    assert_eq!((&header["alg"], &header["kid"]), (&"ES256".into(), &jwk["kid"]));
    let mut tampered = id_token.to_owned();
    tampered.replace_range(60..61, if &id_token[60..61] == "A" { "B" } else { "A" });
    assert!(!verifies(jwk, &tampered));

    let claims: serde_json::Value = serde_json::from_slice(&part(1)).expect("JSON");
    let access_token = tokens["access_token"].as_str().expect("a token");
    let hash = <sha2::Sha256 as sha2::Digest>::digest(access_token.as_bytes());
    assert_eq!(
        claims,
        serde_json::json!({
            "iss": ISSUER, "sub": "7c1f0a52", "aud": "workbench", "exp": person.now + 300, "iat": person.now,
            "auth_time": signed_in_at, "acr": "urn:sandbox:acr:password", "nonce": "n-0S6_WzA2Mj", "at_hash": crate::crypto::encode(&hash[..16]),
        })
    );
}

#[test]
fn names_errors_as_rfc_6749_does() {
    let cases = [
        (("grant_type", ""), 400, "invalid_request"),
        (("grant_type", "password"), 400, "unsupported_grant_type"),
        (("client_id", ""), 400, "invalid_request"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("client_id", "minimal"), 400, "invalid_grant"),
        (("client_secret", "x"), 401, "invalid_client"),
        (("redirect_uri", ""), 400, "invalid_request"),
        (("redirect_uri", "https://app.example/callback2"), 400, "invalid_grant"),
        (("code_verifier", ""), 400, "invalid_request"),
        (("code_verifier", "Th7UHJdLswIYQxwSg29DbK1a_d9o41uNMTRmuH0PM8zyoMAQ"), 400, "invalid_grant"),
        (("code", ""), 400, "invalid_request"),
        (("code", "unknown"), 400, "invalid_grant"),
    ];
    for (parameter, status, error) in cases {
        let mut person = Person::new();
        let code = code(&mut person);
        let response = person.exchange(&code, &[parameter]);
        assert_eq!((response.status, json(&response)["error"].as_str()), (status, Some(error)), "{parameter:?}");
    }
    let mut person = Person::new();
    let body = "grant_type=authorization_code&grant_type=authorization_code";
    let form = [("content-type", "application/x-www-form-urlencoded; charset=UTF-8")];
    let twice = person.request("POST", &format!("{ISSUER}token"), &form, body);
    assert_eq!((twice.status, &json(&twice)["error"]), (400, &"invalid_request".into()));
    let no_form = person.request("POST", &format!("{ISSUER}token"), &[("content-type", "application/json")], "{}");
    assert_eq!((no_form.status, &json(&no_form)["error"]), (400, &"invalid_request".into()));
    let basic = [form[0], ("authorization", "Basic d29ya2JlbmNoOg==")];
    let secret = person.request("POST", &format!("{ISSUER}token"), &basic, "grant_type=authorization_code");
    assert_eq!((secret.status, header(&secret, "www-authenticate").is_some()), (401, true));
}

/// RFC 6749 §4.1.2: ten minutes, once; used twice it takes its tokens with it.
#[test]
fn a_code_is_good_once_and_for_ten_minutes() {
    let mut person = Person::new();
    let code = code(&mut person);
    let token = json(&person.exchange(&code, &[]))["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(person.call("GET", "api/photos", &token, "").status, 200);
    let again = person.exchange(&code, &[]);
    assert_eq!((again.status, &json(&again)["error"]), (400, &"invalid_grant".into()));
    assert_eq!(person.call("GET", "api/photos", &token, "").status, 401);

    let mut slow = Person::new();
    let code = value(&slow.sign_in(&[]), "code").expect("a code");
    slow.now += 600;
    let in_time = slow.sandbox.state.clone();
    assert_eq!(slow.exchange(&code, &[]).status, 200);
    slow.sandbox.state = in_time;
    slow.now += 1;
    assert_eq!(slow.exchange(&code, &[]).status, 400);
}

/// A wrong verifier spends the code: whoever stole it gets one try, and the thief's try is not the client's.
#[test]
fn a_failed_exchange_spends_the_code() {
    let mut person = Person::new();
    let code = code(&mut person);
    assert_eq!(person.exchange(&code, &[("code_verifier", &VERIFIER.to_lowercase())]).status, 400);
    assert_eq!(person.exchange(&code, &[]).status, 400);
}
