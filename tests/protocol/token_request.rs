//! The token request: what is sent, where, and how often.

use leptos_pkce::protocol::http::{HttpRequest, Limits};
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::pkce::CodeChallenge;
use leptos_pkce::protocol::secret::CodeVerifier;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::token_request::TokenRequest;
use serde_json::json;

use crate::answers::lost;
use crate::scenario::{CODE, Scenario, TOKEN_ENDPOINT, parameter, parameters};

fn request(scenario: &Scenario) -> HttpRequest {
    TokenRequest::new(scenario.complete().expect("a grant")).http
}

/// TOK-1, TOK-2, CFG-6: a form post with these five, each once; nothing in the URL.
#[test]
fn posts_the_five_parameters_of_a_code_exchange() {
    let scenario = Scenario::public_client().openid();
    let verifier = scenario.pending().encode();
    let verifier = verifier.member("code_verifier").and_then(Value::as_str).unwrap_or_default();
    let request = request(&scenario);
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", TOKEN_ENDPOINT));
    assert_eq!(
        request.headers,
        [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let body = parameters(request.body.as_deref().unwrap_or_default());
    let body: Vec<_> = body.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        body,
        [
            ("grant_type", "authorization_code"),
            ("code", CODE),
            ("redirect_uri", "https://app.example/callback"),
            ("client_id", "spa"),
            ("code_verifier", verifier),
        ]
    );
}

/// CFG-1: neither a secret nor an assertion, neither in the body nor in a header.
#[test]
fn carries_no_client_credentials() {
    let request = request(&Scenario::public_client().configured("extra_parameters", json!({ "audience": "x" })));
    assert!(request.bearer.is_none());
    assert!(!request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")));
    let body = request.body.unwrap_or_default();
    for word in ["client_secret", "client_assertion", "password", "audience"] {
        assert!(!body.contains(word), "{word}");
    }
}

/// CFG-4, TOK-2: the redirect URI is the one that was sent before, to the letter.
#[test]
fn repeats_the_redirect_uri_to_the_letter() {
    let spelled = "HTTPS://App.Example:443/callback?a=b%20c";
    let request = request(&Scenario::public_client().configured("redirect_uri", json!(spelled)));
    assert_eq!(parameter(request.body.as_deref(), "redirect_uri"), spelled);
}

/// AUT-2, TOK-2: the verifier that is sent belongs to the challenge that was sent.
#[test]
fn sends_the_verifier_of_the_challenge() {
    let tab = Scenario::public_client().run();
    let verifier = CodeVerifier::new(parameter(tab.token_request().body.as_deref(), "code_verifier"));
    assert_eq!(parameter(tab.navigation().query(), "code_challenge"), CodeChallenge::s256(&verifier).as_str());
}

/// TOK-1: what a code holds is encoded, so that it cannot become another parameter.
#[test]
fn encodes_the_code() {
    let request = request(&Scenario::public_client().response("code=a%26client_id%3Devil%2B%20&state={state}"));
    let body = request.body.as_deref();
    assert_eq!(parameter(body, "code"), "a&client_id=evil+ ");
    assert_eq!(parameter(body, "client_id"), "spa");
}

/// TOK-15, TOK-16: twenty seconds over headers and body, 256 KiB.
#[test]
fn bounds_the_answer() {
    assert_eq!(request(&Scenario::public_client()).limits, Limits { deadline: Seconds(20), body: 256 * 1024 });
}

/// TOK-14: an answer that got lost is not asked for again, not even after a reload.
#[test]
fn is_not_repeated_when_the_answer_is_lost() {
    let mut tab = Scenario::public_client().token_answer(lost()).run();
    assert_eq!(tab.callback_error().code(), "token.unreachable");
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    tab.reload();
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
}
