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
    let metadata = "resource_metadata=\"https://app.example/.well-known/oauth-protected-resource/sandbox/api/photos\"";
    let both = format!("Bearer realm=\"sandbox\", {metadata}, DPoP algs=\"ES256\", {metadata}");
    assert_eq!(challenge(&person.get(&photos)), (401, both.clone()));
    let basic = person.request("GET", &photos, &[("authorization", "Basic YTpi")], "");
    assert_eq!(challenge(&basic), (401, both));
    let empty = person.request("GET", &photos, &[("authorization", "Bearer ")], "");
    assert_eq!(challenge(&empty), (400, format!("Bearer realm=\"sandbox\", error=\"invalid_request\", {metadata}")));
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

/// RFC 9728 §3: the document names the resource by the URL that it was found from.
#[test]
fn resources_say_who_gives_tokens_for_them() {
    let mut person = Person::new();
    for (path, scopes) in [("photos", &["photos:read", "photos:write"][..]), ("safe", &["photos:read"])] {
        let challenge = person.get(&format!("{ISSUER}api/{path}"));
        let challenge = header(&challenge, "www-authenticate").expect("a challenge");
        let url = challenge.split("resource_metadata=\"").nth(1).and_then(|rest| rest.split('"').next());
        let document = json(&person.get(url.expect("a URL")));
        assert_eq!(document["resource"], format!("{ISSUER}api/{path}"));
        assert_eq!(document["authorization_servers"], serde_json::json!([ISSUER]));
        assert_eq!(document["scopes_supported"], serde_json::json!(scopes));
    }
    let below = person.get(&format!("{ISSUER}api/photos/1"));
    assert!(header(&below, "www-authenticate").is_some_and(|text| text.contains("/sandbox/api/photos\"")));
    let well_known = "https://app.example/.well-known/oauth-protected-resource/sandbox/api/";
    assert_eq!(person.get(&format!("{well_known}nothing")).status, 404);
    assert_eq!(person.request("PUT", &format!("{well_known}safe"), &[], "").status, 405);
    assert_eq!(person.get("https://app.example/elsewhere").status, 404);
}

/// RFC 9470 §3: a level that is too low, and one that was reached too long ago.
#[test]
fn the_safe_wants_a_second_step_and_a_recent_one() {
    let mut person = Person::new();
    let get = |person: &mut Person, parameters: &[(&str, &str)]| {
        let token = person.tokens(parameters)["access_token"].as_str().expect("a token").to_owned();
        person.call("GET", "api/safe", &token, "")
    };
    let refused = get(&mut person, &[]);
    let challenge = header(&refused, "www-authenticate").expect("a challenge");
    assert_eq!(refused.status, 401);
    assert!(
        challenge.starts_with("Bearer realm=\"sandbox\", error=\"insufficient_user_authentication\", "),
        "{challenge}"
    );
    assert!(challenge.contains(", acr_values=\"urn:sandbox:acr:otp\", max_age=300, "), "{challenge}");
    let step_up = [("acr_values", "urn:sandbox:acr:otp"), ("max_age", "300")];
    assert_eq!(json(&get(&mut person, &step_up))["owner"], "alice");
    person.now += 301;
    assert_eq!(get(&mut person, &[]).status, 401);
    assert_eq!(get(&mut person, &step_up).status, 200);
}
