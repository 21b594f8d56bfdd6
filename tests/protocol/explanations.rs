//! The file of explanations: nothing in it is missing, unused or half filled, and without it an error speaks for itself.

use std::sync::LazyLock;

use leptos_pkce::inspect::advice::{Advice, advise};
use leptos_pkce::inspect::denial::explain;
use leptos_pkce::inspect::explanations::{Explanations, FILE, NotExplanations};
use leptos_pkce::inspect::report::report;
use leptos_pkce::protocol::authorization_request::AuthorizationRequestError;
use leptos_pkce::protocol::authorization_response::{
    AuthorizationErrorCode, AuthorizationErrorResponse, CallbackError, UnverifiedError,
};
use leptos_pkce::protocol::challenge::{Denial, Reason, Source, StepUp};
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::metadata::{Attempt, AttemptProblem, MetadataError, WrongMember};
use leptos_pkce::protocol::problem::{ConfigurationError, Expected, Problem};
use leptos_pkce::protocol::pushed_authorization::PushError;
use leptos_pkce::protocol::quirks::QUIRKS;
use leptos_pkce::protocol::site::Site;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::token_response::{TokenError, TokenErrorCode, TokenErrorResponse, TokenType};
use leptos_pkce::protocol::userinfo::UserInfoError;
use leptos_pkce::protocol::vocabulary::Scope;
use serde_json::Value;

use crate::errors_of_every_kind::every_kind;
use crate::scenario::Scenario;

/// The file that is shipped.
pub(crate) fn explanations() -> Explanations {
    Explanations::parse(FILE.as_bytes()).expect("the file")
}

fn advice(error: &Error, explanations: &Explanations) -> Advice {
    advise(error, None, &Scenario::public_client().site(), explanations)
}

/// One error for each sentence that there can be: those of every kind, and every code and failure within them.
fn every_error() -> Vec<Error> {
    let refused = |code: &AuthorizationErrorCode| {
        let error = code.as_str().to_owned();
        CallbackError::Refused(AuthorizationErrorResponse { error, error_description: None, error_uri: None }).into()
    };
    let token_refused = |code: &TokenErrorCode| {
        let error = code.as_str().to_owned();
        TokenError::Refused(TokenErrorResponse { error, error_description: None, error_uri: None, status: 400 }).into()
    };
    let failures = [
        HttpFailure::BodyTooLarge { limit: 1 },
        HttpFailure::Cancelled,
        HttpFailure::NoProof,
        HttpFailure::Offline,
        HttpFailure::Timeout { after: Seconds(1) },
        HttpFailure::Unreachable,
        HttpFailure::UrlDisagreement,
    ];
    let problem = Problem { place: "a".into(), expected: Expected::String, found: "a number".into() };
    let every = every_kind().into_iter().map(|kind| kind.error);
    every
        .chain(AuthorizationErrorCode::REGISTERED.iter().map(refused))
        .chain(TokenErrorCode::REGISTERED.iter().map(token_refused))
        .chain(failures.map(|failure| ConfigurationError::Unreachable(failure).into()))
        .chain([ConfigurationError::Invalid(vec![problem]).into()])
        .collect()
}

/// One denial for each sentence that there can be.
fn every_denial() -> Vec<Denial> {
    let step_up = |acr_values: &[&str], max_age| {
        let acr_values = acr_values.iter().map(|value| (*value).to_owned()).collect();
        Reason::StepUp(StepUp { acr_values, max_age, scope: None })
    };
    let reasons = [
        Reason::Bare,
        Reason::Hidden,
        Reason::InsufficientScope { scope: None },
        Reason::InsufficientScope { scope: Scope::parse("photos:write").ok() },
        Reason::InvalidDpopProof,
        Reason::InvalidRequest,
        Reason::InvalidToken,
        Reason::Other { error: "their_own".into() },
        step_up(&[], None),
        step_up(&["gold", "silver"], None),
        step_up(&[], Some(Seconds(60))),
        step_up(&["gold"], Some(Seconds(60))),
        Reason::UseDpopNonce,
    ];
    let denials = reasons.into_iter().flat_map(|reason| {
        [Source::Challenge, Source::Body, Source::Status].map(|source| Denial {
            status: 401,
            reason: reason.clone(),
            source,
            description: None,
            schemes: Vec::new(),
            resource_metadata: None,
        })
    });
    denials.collect()
}

/// Everything that the file has a part in, as it is shown.
fn everything(explanations: &Explanations) -> Vec<Vec<String>> {
    static ERRORS: LazyLock<Vec<Error>> = LazyLock::new(every_error);
    let errors = ERRORS.iter().map(|error| {
        let Advice { summary, checks, .. } = advice(error, explanations);
        [summary].into_iter().chain(checks).collect()
    });
    let denials = every_denial().into_iter();
    let denials = denials.map(|denial| explain(&denial, explanations).map(Vec::from).unwrap_or_default());
    let quirks = QUIRKS.iter().map(|quirk| explanations.quirk(quirk.id).map(str::to_owned).into_iter().collect());
    errors.chain(denials).chain(quirks).collect()
}

/// OPS-2: every error has a sentence in the file, and something to check there or in a list of its own.
#[test]
fn every_error_is_in_the_file() {
    let marked = FILE.replace(r#""summary": ""#, r#""summary": "From the file: "#);
    let marked = Explanations::parse(marked.as_bytes()).expect("the file");
    for error in every_error() {
        let advice = advice(&error, &marked);
        assert!(advice.summary.starts_with("From the file: "), "{error}");
        assert!(!advice.checks.is_empty(), "{error}");
    }
}

/// A sentence that nobody is shown any more would stay in the file for ever.
#[test]
fn every_entry_of_the_file_is_shown_to_somebody() {
    let file: Value = serde_json::from_str(FILE).expect("JSON");
    let all = everything(&explanations());
    for (group, entries) in file.as_object().expect("groups") {
        for (key, entry) in entries.as_object().expect("entries") {
            let mut members = entry.as_object().into_iter().flat_map(|members| members.keys());
            let known = ["summary", "checks", "what", "help"];
            assert!(members.all(|member| known.contains(&member.as_str())), "{key}");
            let mut without = file.clone();
            without[group].as_object_mut().expect("entries").remove(key);
            let without = Explanations::parse(without.to_string().as_bytes()).expect("still the file");
            assert!(everything(&without) != all, "{group}: {key} is shown to nobody");
        }
    }
}

#[test]
fn no_placeholder_is_left_and_no_sentence_is_without_its_end() {
    for sentences in everything(&explanations()) {
        assert!(!sentences.is_empty());
        for sentence in &sentences {
            assert!(!sentence.contains(['{', '}']), "{sentence}");
            assert!(!sentence.contains("  ") && sentence.trim() == sentence, "{sentence}");
        }
        assert!(sentences[0].ends_with('.'), "{}", sentences[0]);
    }
}

/// CB-14: what a server sends is text, also where it looks like a placeholder.
#[test]
fn a_servers_words_are_no_placeholders() {
    let twice = AuthorizationRequestError::ParameterTwice { name: "{count} {name} {".to_owned() };
    let advice = advice(&twice.into(), &explanations());
    assert!(advice.summary.starts_with("The parameter {count} {name} { would be sent twice"), "{}", advice.summary);
    // Nobody's words are shown where nobody vouches for them.
    let unknown = |error: Option<&str>| CallbackError::UnknownState { error: error.map(UnverifiedError::new) };
    let shown = |error: Option<&str>| self::advice(&unknown(error).into(), &explanations()).summary;
    assert_eq!(shown(Some("{count} your account is locked")), shown(None));
    assert!(shown(Some("access_denied")).starts_with("An answer says “access_denied”, but"));
    // Nor do they choose the sentence: a code with a slash is a code of the server's own.
    let error = "access_denied/x".to_owned();
    let refused = AuthorizationErrorResponse { error, error_description: None, error_uri: None };
    let advice = self::advice(&CallbackError::Refused(refused).into(), &explanations());
    assert!(advice.summary.ends_with("(a code of its own)."), "{}", advice.summary);
}

/// CB-14: without the file too, a server's words are quoted below and are no sentence of this page.
#[test]
fn a_servers_words_are_no_sentence_without_the_file() {
    let words = "Your account is locked, call 0900";
    let text = || words.to_owned();
    let refused = || AuthorizationErrorResponse { error: text(), error_description: None, error_uri: None };
    let token_refused = || TokenErrorResponse { error: text(), error_description: None, error_uri: None, status: 400 };
    let wrong = WrongMember { name: "jwks_uri".into(), expected: Expected::Url, found: text() };
    let errors: [Error; 8] = [
        CallbackError::Refused(refused()).into(),
        TokenError::Refused(token_refused()).into(),
        PushError::Refused(token_refused()).into(),
        TokenError::UnsupportedTokenType { found: text(), expected: TokenType::Bearer }.into(),
        TokenError::NotJson { media_type: text() }.into(),
        MetadataError::InvalidMember(wrong).into(),
        MetadataError::PkceUnsupported { methods: text() }.into(),
        UserInfoError::NotReadable { media_type: text() }.into(),
    ];
    for error in errors {
        let advice = advice(&error, &Explanations::NONE);
        assert!(!advice.summary.contains(words), "{}", advice.summary);
        assert!(advice.summary.contains(error.code()), "{}", advice.summary);
    }
}

/// TOK-18: whatever a host sends in the place of the file, nothing panics.
#[test]
fn what_is_not_the_file_is_an_error() {
    for text in ["", "{", "[]", "{}", "null", "<!doctype html><title>App</title>", r#"{"errors":null}"#, "\u{feff}{}"] {
        assert_eq!(Explanations::parse(text.as_bytes()).err(), Some(NotExplanations), "{text}");
    }
    let answer = |status, text: &str| HttpResponse { status, headers: Vec::new(), body: text.as_bytes().to_vec() };
    assert!(Explanations::read(Ok(answer(200, FILE))).is_ok());
    assert!(Explanations::read(Ok(answer(404, FILE))).is_err());
    assert!(Explanations::read(Ok(answer(200, "Not found"))).is_err());
    assert!(Explanations::read(Err(HttpFailure::Offline)).is_err());
    assert_eq!(NotExplanations.to_string(), "the explanations did not arrive");
}

#[test]
fn the_file_lies_beside_the_page() {
    let site = Site::parse("https://app.example/sub/path/index.html").expect("a site");
    let request = Explanations::request(&site).expect("a request");
    assert_eq!(request.url.as_str(), "https://app.example/sub/path/explanations.json");
    assert_eq!(request.method, "GET");
    assert!(request.bearer.is_none() && request.body.is_none());
}

/// A file of the right outline with the wrong things in it explains nothing, and that is all.
#[test]
fn a_file_with_other_things_in_it_explains_less() {
    for text in [
        r#"{"errors":[]}"#,
        r#"{"errors":{"token.html":"x"},"quirks":"x"}"#,
        r#"{"errors":{"token.html":{"summary":1,"checks":{"x":1}}}}"#,
        r#"{"errors":{"token.html":{"checks":[1,null]}}}"#,
    ] {
        let other = Explanations::parse(text.as_bytes()).expect("the outline");
        assert_eq!(everything(&other), everything(&Explanations::NONE), "{text}");
    }
}

/// What is shown until the file has come, and without it.
#[test]
fn without_the_file_an_error_speaks_for_itself() {
    let nothing = Explanations::NONE;
    let summary = |error: Error| advice(&error, &nothing).summary;
    assert_eq!(summary(TokenError::Html.into()), "The token endpoint answered with an HTML page.");
    let offline = TokenError::Network(HttpFailure::Offline);
    assert_eq!(summary(offline.into()), "No token response: the browser is offline.");
    // A name at the beginning stays as it is spelled.
    let unreachable = ConfigurationError::Unreachable(HttpFailure::Offline);
    assert_eq!(summary(unreachable.into()), "config.json could not be fetched: the browser is offline.");
    let wrong = TokenError::InvalidMember { name: "expires_in", expected: Expected::String };
    assert_eq!(summary(wrong.into()), "expires_in in the token response is not a string.");

    let error: Error = TokenError::Html.into();
    let html = advice(&error, &nothing);
    assert_eq!(html.checks, [""; 0]);
    assert!(!report(&error, &html).contains("To check"));
    // What holds values is no sentence of the file.
    let attempt = Attempt { url: "https://as.example/x".into(), problem: AttemptProblem::Status(404) };
    let unavailable = advice(&MetadataError::Unavailable { attempts: vec![attempt] }.into(), &nothing);
    assert_eq!(unavailable.checks, ["https://as.example/x gave: status 404"]);
    assert!(every_denial().iter().all(|denial| explain(denial, &nothing).is_none()));
}
