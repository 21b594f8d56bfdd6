//! The authorization request: every parameter, and what is refused before anybody leaves the page.

use leptos_pkce::protocol::authorization_request::AuthorizationRequestError;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::pkce::CodeChallenge;
use leptos_pkce::protocol::secret::CodeVerifier;
use leptos_pkce::protocol::url::SchemePolicy;
use leptos_pkce::protocol::vocabulary::RedirectUri;
use serde_json::json;

use crate::scenario::{Scenario, parameter, parameters};

/// The pending record of the last sign-in, and its request.
struct Request {
    record: Value,
    query: String,
}

impl Request {
    fn of(scenario: &Scenario) -> Self {
        let (url, pending) = scenario.request().expect("a request");
        Self { record: pending.encode(), query: url.query().unwrap_or_default().to_owned() }
    }

    fn sent(&self, name: &str) -> String {
        parameter(Some(&self.query), name)
    }

    fn kept(&self, name: &str) -> &str {
        let asked = self.record.member("id_token");
        let found = self.record.text(name).or_else(|| asked?.text(name));
        found.unwrap_or_default()
    }
}

/// CFG-6, CFG-12: a code, PKCE, and the scope that is configured; nothing else.
#[test]
fn sends_what_a_code_flow_needs_and_nothing_else() {
    let request = Request::of(&Scenario::public_client());
    let names: Vec<_> = parameters(&request.query).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"]
    );
    assert_eq!(request.sent("response_type"), "code");
    assert_eq!(request.sent("client_id"), "spa");
    assert_eq!(request.sent("redirect_uri"), "https://app.example/callback");
    assert_eq!(request.sent("scope"), "photos:read");

    let request = Request::of(&Scenario::public_client().configured("scope", json!(null)));
    assert_eq!(request.sent("scope"), "");
}

/// AUT-1: whatever stands in a value arrives as it is.
#[test]
fn encodes_every_value() {
    let hostile = "a b&c=d+e%f#g?h/ä€😀\"<>\\";
    let request = Request::of(
        &Scenario::public_client()
            .configured("client_id", json!("client &=+%#?"))
            .configured("scope", json!("a&b c+d %e #f"))
            .configured("redirect_uri", json!("https://app.example/callback?x=1&y=%20+"))
            .configured("extra_parameters", json!({ "login_hint": hostile, "a&b": "=" })),
    );
    assert_eq!(request.sent("client_id"), "client &=+%#?");
    assert_eq!(request.sent("scope"), "a&b c+d %e #f");
    assert_eq!(request.sent("redirect_uri"), "https://app.example/callback?x=1&y=%20+");
    assert_eq!(request.sent("login_hint"), hostile);
    assert_eq!(request.sent("a&b"), "=");
}

/// AUT-1: a query that the endpoint has is kept (RFC 6749 §3.1).
#[test]
fn keeps_the_query_of_the_endpoint() {
    let endpoint = "https://as.example/authorize?tenant=a%20b";
    let request = Request::of(&Scenario::public_client().metadata("authorization_endpoint", json!(endpoint)));
    assert_eq!(request.sent("tenant"), "a b");
    assert_eq!(request.sent("response_type"), "code");
}

/// AUT-1, AUT-9: no parameter is sent twice, and none of the library's is overridden by the endpoint's own query.
#[test]
fn refuses_a_parameter_that_would_be_there_twice() {
    for (query, name) in [
        ("client_id=x", "client_id"),
        ("response_type=token", "response_type"),
        ("a=1&st%61te=x", "state"),
        ("audience=x", "audience"),
        ("a=1&a=2", "a"),
    ] {
        let tab = Scenario::public_client()
            .configured("extra_parameters", json!({ "audience": "photos" }))
            .metadata("authorization_endpoint", json!(format!("https://as.example/authorize?{query}")))
            .run();
        let error = AuthorizationRequestError::ParameterTwice { name: name.to_owned() };
        assert_eq!(*tab.sign_in_error(), Error::AuthorizationRequest(error), "{query}");
        assert!(tab.navigations.is_empty(), "{query}");
    }
}

/// AUT-2: the challenge is S256 of the verifier that is kept, and says so.
#[test]
fn sends_the_s256_challenge_of_the_verifier_that_is_kept() {
    let request = Request::of(&Scenario::public_client());
    let verifier = CodeVerifier::new(request.kept("code_verifier"));
    assert_eq!(request.sent("code_challenge"), CodeChallenge::s256(&verifier).as_str());
    assert_eq!(request.sent("code_challenge_method"), "S256");
    assert!(!request.query.contains(request.kept("code_verifier")));
}

/// AUT-3, AUT-5, AUT-6: verifier, state and nonce are 32 octets each, of their own, in 43 unreserved characters.
#[test]
fn draws_verifier_state_and_nonce_from_octets_of_their_own() {
    let request = Request::of(&Scenario::public_client().openid());
    let drawn = ["code_verifier", "state", "nonce"].map(|name| request.kept(name));
    for text in drawn {
        assert_eq!(text.len(), 43);
        assert!(text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)), "{text}");
    }
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2]);
    assert_eq!(request.sent("state"), drawn[1]);
    assert_eq!(request.sent("nonce"), drawn[2]);
}

/// AUT-4: an attempt shares nothing with the one before, even if that was abandoned.
#[test]
fn draws_everything_anew_for_every_attempt() {
    let mut tab = Scenario::public_client().openid().open();
    tab.sign_in();
    tab.reload();
    tab.sign_in();
    let [first, second] = &tab.navigations[..] else { panic!("two attempts") };
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(parameter(first.query(), name), parameter(second.query(), name), "{name}");
    }
    assert_eq!(tab.storage.names("pending").len(), 2);
}

/// AUT-5: the app's data stay in the record; `state` holds none of them.
#[test]
fn puts_no_data_of_the_app_into_the_url() {
    let request = Request::of(&Scenario::public_client().from("/album/holiday?page=2"));
    assert_eq!(request.kept("return_path"), "/album/holiday?page=2");
    assert!(!request.query.contains("holiday"));
    assert_eq!(request.sent("state").len(), 43);
}

/// AUT-6: a nonce goes with `openid`, and only with it.
#[test]
fn sends_a_nonce_when_openid_is_asked() {
    assert_eq!(Request::of(&Scenario::public_client()).sent("nonce"), "");
    let similar = Scenario::public_client().configured("scope", json!("openid2 notopenid OPENID"));
    assert_eq!(Request::of(&similar).sent("nonce"), "");
    assert_ne!(Request::of(&Scenario::public_client().openid()).sent("nonce"), "");
}

/// AUT-7: without random octets nothing happens at all.
#[test]
fn stops_where_no_random_octets_are_to_be_had() {
    let tab = Scenario::public_client().without_entropy().run();
    assert_eq!(*tab.sign_in_error(), Error::AuthorizationRequest(AuthorizationRequestError::Entropy));
    assert!(tab.navigations.is_empty());
    assert!(tab.storage.records.is_empty());
}

/// A response can only come back to the origin that awaits it.
#[test]
fn refuses_a_redirect_uri_of_another_origin() {
    let policy = SchemePolicy::HttpOnLoopback;
    for (page, redirect_uri) in [
        ("https://app.example/", "https://www.app.example/callback"),
        ("https://app.example/", "https://app.example:8443/callback"),
        ("http://localhost:8080/", "http://127.0.0.1:8080/callback"),
        ("http://localhost:8080/", "https://localhost:8080/callback"),
    ] {
        let tab = Scenario::public_client().page(page).configured("redirect_uri", json!(redirect_uri)).run();
        let error = AuthorizationRequestError::RedirectUriOrigin {
            redirect_uri: RedirectUri::parse(redirect_uri, policy).expect("a redirect URI"),
            page_origin: page.trim_end_matches('/').to_owned(),
        };
        assert_eq!(*tab.sign_in_error(), Error::AuthorizationRequest(error));
        assert!(tab.navigations.is_empty());
    }
}

/// CFG-4: what is written in the configuration is sent, though it could be spelled otherwise.
#[test]
fn sends_the_redirect_uri_to_the_letter() {
    let spelled = "HTTPS://App.Example:443/callback?a=b%20c";
    let request = Request::of(&Scenario::public_client().configured("redirect_uri", json!(spelled)));
    assert_eq!(request.sent("redirect_uri"), spelled);
    assert_eq!(request.kept("redirect_uri"), spelled);
}
