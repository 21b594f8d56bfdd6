//! What every error says of itself, and what people are told to check.

use std::collections::BTreeSet;

use leptos_pkce::inspect::advice::{Advice, advise};
use leptos_pkce::inspect::report::report;
use leptos_pkce::protocol::authorization_response::{
    AuthorizationErrorCode, AuthorizationErrorResponse, CallbackError,
};
use leptos_pkce::protocol::error::{Error, Fault};
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::id_token::{CHECKS, CheckId};
use leptos_pkce::protocol::metadata::MetadataError;
use leptos_pkce::protocol::token_response::{TokenError, TokenErrorCode};
use serde_json::json;

use crate::errors_about_trust::failing;
use crate::errors_of_every_kind::every_kind;
use crate::explanations::explanations;
use crate::id_tokens;
use crate::scenario::{ACCESS_TOKEN, API, CODE, ISSUER, Scenario, key, parameter};

fn advice(error: &Error) -> Advice {
    let scenario = Scenario::public_client();
    advise(error, Some(&scenario.client()), &scenario.site(), &explanations())
}

fn refused(code: &str, description: &str, uri: &str) -> Error {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Error::Callback(CallbackError::Refused(AuthorizationErrorResponse {
        error: code.into(),
        error_description: text(description),
        error_uri: text(uri),
    }))
}

/// Every code that `protocol/error.rs` can give, read off its source: the enums cannot be counted from outside.
fn codes_in_source() -> BTreeSet<String> {
    let source = include_str!("../../src/protocol/error.rs");
    let literals = source.split('"').skip(1).step_by(2);
    let literals = literals.filter(|text| text.contains('.') && !text.contains(' ')).map(str::to_owned);
    // Those of ID tokens are the names of the checks; a MAC is no allowed algorithm either, and that says it then.
    let checks = CHECKS.into_iter().filter(|check| *check != CheckId::Mac);
    literals.chain(checks.map(|check| check.code().to_owned())).collect()
}

/// OPS-2: codes are stable: whoever changes one changes this list.
#[test]
fn every_code_is_the_one_it_was() {
    let known: BTreeSet<String> = every_kind().into_iter().map(|kind| kind.code).collect();
    assert_eq!(codes_in_source(), known);
    for kind in every_kind() {
        assert_eq!(kind.error.code(), kind.code, "{:?}", kind.error);
    }
}

#[test]
fn every_error_says_what_is_wrong() {
    for kind in every_kind() {
        assert_eq!(kind.error.to_string(), kind.message);
        let last = kind.message.chars().last();
        assert!(last.is_some_and(|last| last != '.'), "{}", kind.message);
    }
}

/// OPS-2: whose side an error is on.
#[test]
fn every_error_is_on_somebodys_side() {
    for kind in every_kind() {
        assert_eq!(kind.error.fault(), kind.fault, "{}", kind.message);
    }
    let words = [Fault::Caller, Fault::AuthorizationServer, Fault::EndUser, Fault::Network, Fault::Environment]
        .map(Fault::as_str);
    assert_eq!(words, ["caller", "authorization-server", "end-user", "network", "environment"]);
}

/// CB-13: whose side a refusal is on, for every registered code.
#[test]
fn every_refusal_is_on_somebodys_side() {
    for code in AuthorizationErrorCode::REGISTERED {
        let expected = match code.as_str() {
            "access_denied"
            | "account_selection_required"
            | "consent_required"
            | "interaction_required"
            | "login_required" => Fault::EndUser,
            "server_error" | "temporarily_unavailable" => Fault::AuthorizationServer,
            _ => Fault::Caller,
        };
        assert_eq!(refused(code.as_str(), "", "").fault(), expected, "{}", code.as_str());
    }
}

/// OPS-2: every error has a sentence and something to check.
#[test]
fn every_error_comes_with_advice() {
    let refusals = AuthorizationErrorCode::REGISTERED.iter().map(|code| refused(code.as_str(), "", ""));
    for error in every_kind().into_iter().map(|kind| kind.error).chain(refusals) {
        let advice = advice(&error);
        assert!(advice.summary.ends_with('.'), "{}", advice.summary);
        assert!(!advice.checks.is_empty(), "{}", error.code());
        assert!(advice.checks.iter().all(|check| !check.is_empty()), "{}", error.code());
        assert!(advice.values.iter().any(|(name, _)| *name == "Redirect URI sent"), "{}", error.code());
        let text = report(&error, &advice);
        assert!(text.contains(&format!("`{}`", error.code())), "{text}");
        for check in &advice.checks {
            assert!(text.contains(check.as_str()), "{text}");
        }
    }
}

#[test]
fn advice_does_without_a_client() {
    let site = Scenario::public_client().site();
    for kind in every_kind() {
        let advice = advise(&kind.error, None, &site, &explanations());
        assert_eq!(advice.values[0], ("Origin of this page", "https://app.example".to_owned()));
    }
}

/// OPS-1: what an error shows holds no secret of the sign-in it happened in.
#[test]
fn no_message_and_no_advice_shows_a_secret() {
    let token = json!({ "access_token": ACCESS_TOKEN, "token_type": "mac" }).to_string();
    let client = || Scenario::public_client().openid();
    for scenario in [
        client().response(&format!("code={CODE}&state=unknown")),
        client().response(&format!("code={CODE}&code=x&state={{state}}")),
        client().response(&format!("code={CODE}&state={{state}}&iss=x")),
        client().response(&format!("code={CODE}&state={{state}}&id_token={ACCESS_TOKEN}")),
        client().response(&format!("code={CODE}&state={{state}}")).later(9999),
        client().tokens(&token),
        client().tokens(&format!(r#"{{"access_token":"{ACCESS_TOKEN} ","token_type":"Bearer"}}"#)),
        client().tokens(&format!(r#"{{"access_token":"{ACCESS_TOKEN}""#)),
        client().tokens(&format!(r#"{{"access_token":["{ACCESS_TOKEN}"]}}"#)),
        client().tokens(&format!(r#"{{"refresh_token":"{ACCESS_TOKEN}","token_type":"Bearer"}}"#)),
        client().claims(json!({ "nonce": ACCESS_TOKEN })),
        client().claims(json!({ "exp": 0, "iss": "x", "sub": null })),
        client().token_answer(id_tokens::tokens(ACCESS_TOKEN)),
    ] {
        let tab = scenario.run();
        let error = tab.callback_error();
        let advice = advise(error, Some(&client().client()), &client().site(), &explanations());
        let shown = format!("{error} {error:?} {advice:?} {}", report(error, &advice));
        let pending = client().pending().encode();
        let asked = pending.member("id_token").expect("it asks for an ID token");
        let drawn = ["state", "nonce", "code_verifier"];
        let drawn = drawn.map(|name| pending.text(name).or_else(|| asked.text(name)).expect("it was drawn").to_owned());
        for secret in [CODE, ACCESS_TOKEN].into_iter().chain(drawn.iter().map(String::as_str)) {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

/// CB-14: an error page is a link only if it is https, and never anything a browser would run.
#[test]
fn only_an_https_error_uri_becomes_a_link() {
    let more = |uri: &str| advice(&refused("access_denied", "", uri)).more;
    assert_eq!(more("https://as.example/errors/1?x#y").as_deref(), Some("https://as.example/errors/1?x#y"));
    for uri in [
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "http://as.example/errors",
        "http://localhost/errors",
        "//as.example",
        "/errors",
        "https://user@as.example/",
        "https://as.example/\u{202e}",
    ] {
        assert_eq!(more(uri), None, "{uri}");
    }
    let from_token = every_kind().into_iter().filter(|kind| kind.code == "token.refused");
    assert!(from_token.map(|kind| advice(&kind.error).more).all(|more| more.is_none()));
}

/// CB-14: the server's own words are quoted as they are, beside their names.
#[test]
fn advice_quotes_the_servers_words() {
    let advice = advice(&refused("access_denied", "<img src=x onerror=alert(1)>", "https://as.example/e"));
    for (name, value) in [
        ("error", "access_denied"),
        ("error_description", "<img src=x onerror=alert(1)>"),
        ("error_uri", "https://as.example/e"),
    ] {
        assert!(advice.values.contains(&(name, value.to_owned())), "{:?}", advice.values);
    }
    assert!(!advice.summary.contains('<'));
}

/// A line break or a backtick used to end the code span, so that a server's words became Markdown of their own.
#[test]
fn a_report_keeps_a_servers_words_inside_their_code_span() {
    for words in ["a`b", "a\n\n# b", "a\r\nb", "a\u{2028}b"] {
        let error = refused("access_denied", words, "");
        let text = report(&error, &advice(&error));
        let line = text.lines().find(|line| line.starts_with("- error_description: ")).expect("the words");
        assert!(line.ends_with('`') && line.matches('`').count() == 2, "{line:?}");
        assert!(line.contains('b'), "{line:?}");
    }
    let error = refused("a\n\n# b", "", "");
    let text = report(&error, &advice(&error));
    assert!(!text.lines().any(|line| line.starts_with("# ")), "{text}");
}

/// CB-14: what others send is shortened before it is shown.
#[test]
fn no_message_grows_with_what_a_server_sends() {
    let long = "x".repeat(20_000);
    let errors = [
        Scenario::public_client()
            .response(&format!("{long}=1&{long}=2&state={{state}}"))
            .run()
            .callback_error()
            .clone(),
        Scenario::public_client()
            .response(&format!("code=a&state={{state}}&iss={long}"))
            .run()
            .callback_error()
            .clone(),
        Scenario::public_client().metadata("issuer", json!(long)).run().sign_in_error().clone(),
        Scenario::public_client().metadata("token_endpoint", json!(long)).run().sign_in_error().clone(),
        Scenario::public_client()
            .metadata("code_challenge_methods_supported", json!([long]))
            .run()
            .sign_in_error()
            .clone(),
        Scenario::public_client()
            .response(&format!("error={long}&error_description={long}&error_uri={long}&state={{state}}"))
            .run()
            .callback_error()
            .clone(),
    ];
    for error in errors {
        let advice = advice(&error);
        let longest = advice.values.iter().map(|(_, value)| value.len()).max().unwrap_or_default();
        assert!(error.to_string().len() < 1500, "{}", error.code());
        assert!(advice.summary.len() < 1500 && longest < 1500, "{}", error.code());
    }
}

/// OPS-2: of several failed checks the words are those of the code: a token of an algorithm that is not allowed used to be
/// explained by its signature, which nobody had looked at.
#[test]
fn advice_explains_the_check_that_says_most() {
    let tab = failing(CheckId::Algorithm).run();
    assert_eq!(tab.callback_error().code(), "id_token.alg");
    let advice = advice(tab.callback_error());
    assert!(advice.summary.contains("by an algorithm that is not allowed here. One more check failed."), "{advice:?}");
    assert!(advice.checks[0].contains("id_token_signing_alg_values_supported"));
}

#[test]
fn advice_names_the_usual_cause() {
    let first = |error: Error| advice(&error).checks[0].clone();
    assert!(first(TokenError::Html.into()).contains("token_endpoint"));
    assert!(first(TokenError::Network(HttpFailure::Unreachable).into()).contains("not sent a second time"));
    assert!(first(MetadataError::PkceUnsupported { methods: String::new() }.into()).contains("S256"));
    let denied = advice(&refused("access_denied", "", ""));
    assert!(denied.summary.contains("permission was not given"), "{}", denied.summary);
    let mut tab = Scenario::public_client().run();
    tab.call(1, "https://evil.example/");
    let error = tab.answered.pop().and_then(|(_, outcome)| outcome.err()).expect("a refusal");
    let values = advice(&error.into()).values;
    assert!(values.contains(&("The token may go to", API.to_owned())), "{values:?}");
}

/// CB-16: a response in a tab that did not ask for it says so, and what to do.
#[test]
fn a_response_in_another_tab_says_where_it_belongs() {
    let asking = Scenario::public_client().response("").run();
    let state = parameter(asking.navigation().query(), "state");
    let mut other = Scenario::public_client().open();
    other.redirected(&format!("code={CODE}&state={state}"), "");
    assert_eq!(other.callback_error().code(), "callback.unknown_state");
    let advice = advice(other.callback_error());
    assert!(advice.summary.contains("No sign-in of this tab is waiting"), "{}", advice.summary);
    assert!(advice.checks[0].starts_with("Sign in again from this tab."), "{}", advice.checks[0]);
}

#[test]
fn stages_convert_into_the_sum_of_all_errors() {
    let error: Error = TokenError::Html.into();
    let source: &dyn std::error::Error = &error;
    assert_eq!(source.to_string(), TokenError::Html.to_string());
    assert_eq!(TokenErrorCode::parse("invalid_grant").as_str(), "invalid_grant");
    assert_eq!(key(ISSUER).issuer.to_string(), ISSUER);
}
