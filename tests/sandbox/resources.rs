//! The photo API and the user info endpoint.

use crate::person::{ISSUER, Person, header, json};

fn token(person: &mut Person, scope: &str) -> String {
    person.tokens(&[("scope", scope)])["access_token"].as_str().expect("a token").to_owned()
}

#[test]
fn shows_the_photos_of_whoever_signed_in() {
    let mut person = Person::new();
    let token = token(&mut person, "photos:read");
    let photos = json(&person.call("GET", "api/photos", &token, ""));
    assert_eq!(photos["owner"], "alice");
    assert_eq!(photos["photos"][0], serde_json::json!({ "id": 1, "title": "Harbour at six" }));
    assert_eq!(json(&person.call("GET", "api/photos/2", &token, ""))["title"], "Two herons");
    for missing in ["api/photos/0", "api/photos/99", "api/photos/x", "api/photos/"] {
        assert_eq!(person.call("GET", missing, &token, "").status, 404, "{missing}");
    }
}

/// RFC 6750 §3, §3.1.
#[test]
fn says_no_as_rfc_6750_does() {
    let mut person = Person::new();
    let photos = format!("{ISSUER}api/photos");
    let challenge = |response: &leptos_pkce::sandbox::http::Response| {
        (response.status, header(response, "www-authenticate").expect("a challenge").to_owned())
    };
    // Without credentials there is no error code.
    assert_eq!(challenge(&person.get(&photos)), (401, "Bearer realm=\"sandbox\"".to_owned()));
    let basic = person.request("GET", &photos, &[("authorization", "Basic YTpi")], "");
    assert_eq!(challenge(&basic), (401, "Bearer realm=\"sandbox\"".to_owned()));
    let empty = person.request("GET", &photos, &[("authorization", "Bearer ")], "");
    assert_eq!(challenge(&empty), (400, "Bearer realm=\"sandbox\", error=\"invalid_request\"".to_owned()));
    assert!(person.get(&photos).body.is_empty());
    let unknown = person.call("GET", "api/photos", "unknown", "");
    assert_eq!(json(&unknown)["error"], "invalid_token");
    let (status, text) = challenge(&unknown);
    assert!(status == 401 && text.contains("error=\"invalid_token\""), "{text}");

    let token = token(&mut person, "openid photos:read");
    let (status, text) = challenge(&person.call("POST", "api/photos", &token, r#"{"title":"x"}"#));
    assert!(status == 403 && text.contains("error=\"insufficient_scope\", scope=\"photos:write\""), "{text}");
    person.now += 300;
    assert_eq!(person.call("GET", "api/photos", &token, "").status, 200);
    person.now += 1;
    assert_eq!(person.call("GET", "api/photos", &token, "").status, 401);
}

#[test]
fn takes_a_photo_from_whoever_may_add_one() {
    let mut person = Person::new();
    let writer = token(&mut person, "photos:write");
    assert_eq!(person.call("GET", "api/photos", &writer, "").status, 403);
    let token = token(&mut person, "photos:read photos:write");
    let added = person.call("POST", "api/photos", &token, r#"{"title":"Ferry"}"#);
    assert_eq!((added.status, &json(&added)["title"]), (201, &"Ferry".into()));
    // It is there afterwards, and after the record was written and read back.
    let record = person.sandbox.state.encode();
    person.sandbox.state = leptos_pkce::sandbox::state::State::decode(&record).expect("its own record");
    let id = json(&added)["id"].to_string();
    assert_eq!(json(&person.call("GET", &format!("api/photos/{id}"), &token, ""))["title"], "Ferry");
    assert_eq!(json(&person.call("GET", "api/photos", &token, ""))["photos"].as_array().map(Vec::len), Some(4));
    assert_eq!(person.call("POST", "api/photos", &token, "nonsense").status, 400);
}

/// OpenID Connect Core §5.4: scope decides which claims there are.
#[test]
fn tells_about_the_person_what_the_scope_allows() {
    let claims = |scope: &str| {
        let mut person = Person::new();
        let token = token(&mut person, scope);
        json(&person.call("GET", "userinfo", &token, ""))
    };
    assert_eq!(claims("openid"), serde_json::json!({ "sub": "7c1f0a52" }));
    assert_eq!(claims("openid profile")["name"], "Alice Example");
    assert_eq!(claims("openid email")["email_verified"], true);
    let mut person = Person::new();
    let token = token(&mut person, "photos:read");
    assert_eq!(person.call("GET", "userinfo", &token, "").status, 403);
}
