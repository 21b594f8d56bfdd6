//! The examples of the RFCs, and the pairs of the issue.

use std::path::Path;

use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::pkce::CodeChallenge;
use leptos_pkce::protocol::secret::CodeVerifier;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::token_request::TokenRequest;
use leptos_pkce::protocol::token_response::Tolerance;
use serde_json::json;

use crate::answers::{answer, document};
use crate::scenario::{Scenario, TOKEN_ENDPOINT, parameters, value};

/// Shared vectors lie beside the checkout, or where `LEPTOS_PKCE_VECTORS` says; without them the test is skipped. A folder that
/// is named, or that is there, must have the file.
pub(crate) fn shared(file: &str) -> Option<Value> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let named = std::env::var_os("LEPTOS_PKCE_VECTORS").filter(|folder| !folder.is_empty());
    let is_named = named.is_some();
    let folder = named.map_or(beside, Into::into);
    match std::fs::read_to_string(folder.join(file)) {
        Ok(text) => Some(value(&text)),
        Err(error) => {
            assert!(!is_named && !folder.exists(), "{file} of {}: {error}", folder.display());
            eprintln!("skipped: {file} is not there (set LEPTOS_PKCE_VECTORS to the folder of the vectors)");
            None
        }
    }
}

fn octets(vector: &Value, name: &str) -> Vec<u8> {
    let numbers = vector.member(name).and_then(Value::as_array).expect("an array of octets");
    let octet = |number: &Value| u8::try_from(number.as_whole_number().expect("a number")).expect("an octet");
    numbers.iter().map(octet).collect()
}

/// AUT-2, AUT-3: appendices A and B of RFC 7636, as the shared vectors hold them.
#[test]
fn agrees_with_the_shared_vectors_of_rfc_7636() {
    let Some(vectors) = shared("rfc/rfc7636.json") else { return };
    let text = |vector: &Value, name: &str| vector.member(name).and_then(Value::as_str).expect("a text").to_owned();
    let a = vectors.member("appendix_a").expect("appendix A");
    assert_eq!(base64url::encode(&octets(a, "octets")), text(a, "base64url"));

    let b = vectors.member("appendix_b").expect("appendix B");
    let verifier = CodeVerifier::from_octets(&octets(b, "octets").try_into().expect("32 octets"));
    assert_eq!(verifier.expose(), text(b, "code_verifier"));
    assert_eq!(CodeChallenge::s256(&verifier).as_str(), text(b, "code_challenge"));
    assert_eq!(CodeChallenge::s256(&verifier).as_str(), base64url::encode(&octets(b, "sha256")));
}

/// AUT-2: RFC 7636 appendix B, and a second pair.
#[test]
fn makes_the_known_challenges() {
    for (verifier, challenge) in [
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("Th7UHJdLswIYQxwSg29DbK1a_d9o41uNMTRmuH0PM8zyoMAQ", "hKpKupTM391pE10xfQiorMxXarRKAHRhTfH_xkGf7U4"),
    ] {
        assert_eq!(CodeChallenge::s256(&CodeVerifier::new(verifier)).as_str(), challenge);
    }
}

/// The client and server of RFC 6749's examples.
fn rfc_6749() -> Scenario {
    Scenario::public_client()
        .page("https://client.example.com/")
        .configured("client_id", json!("s6BhdRkqt3"))
        .configured("redirect_uri", json!("https://client.example.com/cb"))
        .configured("scope", json!(null))
}

/// RFC 6749 §4.1.1: the request of the example, with PKCE's two parameters.
#[test]
fn makes_the_authorization_request_of_rfc_6749() {
    let (url, _) = rfc_6749().request().expect("a request");
    assert!(url.as_str().starts_with("https://as.example/authorize?response_type=code&client_id=s6BhdRkqt3"));
    assert!(url.as_str().contains("&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb&"));
    let names: Vec<String> = parameters(url.query().unwrap_or_default()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"]
    );
}

/// RFC 6749 §4.1.2, §4.1.3: the response of the example, and the request that follows it.
#[test]
fn sends_the_token_request_of_rfc_6749() {
    let grant = rfc_6749().response("code=SplxlOBeZQQYbYS6WxSbIA&state={state}").complete().expect("a grant");
    let request = TokenRequest::new(grant).http;
    assert_eq!(request.url.as_str(), TOKEN_ENDPOINT);
    let body = request.body.unwrap_or_default();
    assert!(body.starts_with(
        "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"
    ));
}

/// RFC 6749 §4.1.2.1: the refusal of the example.
#[test]
fn reads_the_refusal_of_rfc_6749() {
    let error = rfc_6749().response("error=access_denied&state={state}").complete().expect_err("a refusal");
    assert_eq!(error.to_string(), "the authorization server answered access_denied");
}

/// RFC 6749 §4.1.4 and §5.1: the token response of the example, unknown parameter and all. The type `example` stands
/// there for any type; this client uses bearer tokens only.
#[test]
fn reads_the_token_response_of_rfc_6749() {
    let example = r#"{
       "access_token":"2YotnFZFEjr1zCsicMWpAA",
       "token_type":"example",
       "expires_in":3600,
       "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA",
       "example_parameter":"example_value"
     }"#;
    let tab = Scenario::public_client().tokens(example).run();
    assert_eq!(tab.callback_error().to_string(), "token type example is not Bearer");

    let tab = Scenario::public_client().tokens(&example.replace("\"example\"", "\"Bearer\"")).run();
    let session = tab.session().expect("a session");
    assert_eq!(session.access_token().expose(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(session.lifetime(), Some(Seconds(3600)));
    assert!(session.has_refresh_token());
    assert_eq!(session.tolerated(), []);
}

/// RFC 6749 §5.2: the refusal of the example.
#[test]
fn reads_the_token_refusal_of_rfc_6749() {
    let refusal = answer(400, "application/json;charset=UTF-8", "{\n  \"error\":\"invalid_request\"\n}");
    let tab = Scenario::public_client().token_answer(refusal).run();
    assert_eq!(tab.callback_error().to_string(), "the token endpoint answered invalid_request");
}

/// TOK-8: an answer as early drafts of OAuth 2.0 had it gives a session of one hour, and one remark.
#[test]
fn reads_a_lifetime_that_is_called_expires() {
    let answer = r#"{"access_token":"AYjcyMzY3ZDhiNmJkNTY","refresh_token":"RjY2NjM5NzA2OWJjuE7c","token_type":"Bearer","expires":3600}"#;
    let tab = Scenario::public_client().token_answer(document(answer)).run();
    let session = tab.session().expect("a session");
    assert_eq!(session.access_token().expose(), "AYjcyMzY3ZDhiNmJkNTY");
    assert_eq!(session.lifetime(), Some(Seconds(3600)));
    assert_eq!(session.tolerated(), [Tolerance::ExpiresInsteadOfExpiresIn]);
}
