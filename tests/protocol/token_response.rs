//! The token response: tokens, or why there are none, and what was tolerated.

use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::json::JsonProblem;
use leptos_pkce::protocol::problem::Expected;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::token_response::{
    TokenError, TokenErrorCode, TokenErrorResponse, TokenResponse, TokenType, Tolerance,
};
use serde_json::json;

use crate::answers::{TOKENS, answer, document, html, lost, refusal, status};
use crate::scenario::Scenario;

/// Reads an answer as that of an exchange that asked for a bearer token.
fn answered(outcome: Result<HttpResponse, HttpFailure>) -> Result<TokenResponse, TokenError> {
    TokenResponse::read(outcome, TokenType::Bearer)
}

fn read(body: &str) -> Result<TokenResponse, TokenError> {
    answered(document(body))
}

/// The good response with one member set, or removed by `null`.
fn with(member: &str, value: serde_json::Value) -> Result<TokenResponse, TokenError> {
    let mut body: serde_json::Value = serde_json::from_str(TOKENS).expect("the good response is JSON");
    body[member] = value;
    read(&body.to_string())
}

#[test]
fn reads_every_member() {
    let response = with("scope", json!("photos:read openid")).expect("tokens");
    assert_eq!(response.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(response.expires_in, Some(Seconds(3600)));
    assert_eq!(response.refresh_token.expect("a refresh token").expose(), "tGzv3JOkF0XG5Qx2TlKWIA");
    assert_eq!(response.scope.map(|scope| scope.as_str().to_owned()).as_deref(), Some("photos:read openid"));
    assert!(response.id_token.is_none());
    assert_eq!(response.tolerated, []);
}

/// TOK-5: only 200 with a JSON media type is a success; an HTML page is a case of its own.
#[test]
fn takes_only_a_200_of_json_for_a_success() {
    assert!(answered(answer(200, "application/json;charset=UTF-8", TOKENS)).is_ok());
    let not_json = |media_type: &str| TokenError::NotJson { media_type: media_type.to_owned() };
    for (outcome, error) in [
        (html(200), TokenError::Html),
        (answer(200, "text/html", TOKENS), TokenError::Html),
        (answer(200, "text/plain", TOKENS), not_json("text/plain")),
        (answer(200, "application/jwt", TOKENS), not_json("application/jwt")),
        (answer(200, "", TOKENS), not_json("")),
        (answer(201, "application/json", TOKENS), TokenError::Status { status: 201 }),
        (answer(204, "application/json", ""), TokenError::Status { status: 204 }),
        (answer(302, "application/json", TOKENS), TokenError::Status { status: 302 }),
        (answer(400, "application/json", TOKENS), TokenError::Status { status: 400 }),
    ] {
        assert_eq!(answered(outcome).err(), Some(error));
    }
}

/// TOK-6: an access token is a string that can stand in a header.
#[test]
fn wants_an_access_token() {
    assert_eq!(with("access_token", json!(null)).err(), Some(TokenError::MissingAccessToken));
    for wrong in [json!(""), json!(5), json!(["x"]), json!("a b"), json!("a\r\nx: y"), json!("ä"), json!("\u{0}")] {
        let expected = Expected::Token;
        let error = TokenError::InvalidMember { name: "access_token", expected };
        assert_eq!(with("access_token", wrong).err(), Some(error));
    }
    assert_eq!(read("[]").err(), Some(TokenError::MissingAccessToken));
}

/// TOK-6, TOK-7: Bearer in any casing; a type that was not asked for is not used; none is taken for Bearer, and
/// remarked on.
#[test]
fn wants_a_bearer_token() {
    for token_type in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(with("token_type", json!(token_type)).map(|response| response.tolerated), Ok(vec![]));
    }
    for token_type in ["mac", "DPoP", "N_A", "", "Bearer "] {
        let error = TokenError::UnsupportedTokenType { found: token_type.to_owned(), expected: TokenType::Bearer };
        assert_eq!(with("token_type", json!(token_type)).err(), Some(error));
    }
    let error = TokenError::InvalidMember { name: "token_type", expected: Expected::String };
    assert_eq!(with("token_type", json!(["Bearer"])).err(), Some(error));
    let tolerated = with("token_type", json!(null)).map(|response| response.tolerated);
    assert_eq!(tolerated, Ok(vec![Tolerance::TokenTypeMissing]));
}

/// TOK-8: a lifetime is known or unknown, never guessed; what is no lifetime refuses the answer.
#[test]
fn reads_a_lifetime_or_none() {
    let lifetime =
        |value: serde_json::Value| with("expires_in", value).map(|response| (response.expires_in, response.tolerated));
    assert_eq!(lifetime(json!(null)), Ok((None, vec![])));
    for zero in [json!(0), json!(0.9), json!(-0.0)] {
        assert_eq!(lifetime(zero), Ok((None, vec![Tolerance::LifetimeZero])));
    }
    assert_eq!(lifetime(json!(1)), Ok((Some(Seconds(1)), vec![])));
    assert_eq!(lifetime(json!("0")), Ok((None, vec![Tolerance::LifetimeAsString, Tolerance::LifetimeZero])));
    assert_eq!(lifetime(json!(3599.9)), Ok((Some(Seconds(3599)), vec![])));
    assert_eq!(lifetime(json!(315_360_000)), Ok((Some(Seconds(315_360_000)), vec![])));
    assert_eq!(lifetime(json!("3600")), Ok((Some(Seconds(3600)), vec![Tolerance::LifetimeAsString])));
    for wrong in [
        json!(-1),
        json!(-0.5),
        json!(315_360_001),
        json!(1e300),
        json!(""),
        json!("-1"),
        json!("1e9"),
        json!("inf"),
        json!("NaN"),
        json!(" 3600"),
        json!("3600.5"),
        json!("9".repeat(400)),
        json!(true),
        json!([3600]),
        json!({}),
    ] {
        let Err(TokenError::InvalidMember { name: "expires_in", .. }) = lifetime(wrong.clone()) else {
            panic!("{wrong}");
        };
    }
    for number in ["1e400", "-1e400", "0e400"] {
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":{number}}}"#);
        let lifetime = read(&body).map(|response| response.expires_in);
        assert!(matches!(lifetime, Err(TokenError::InvalidMember { .. }) | Ok(None)), "{number}");
    }
}

/// TOK-8: `expires` counts where `expires_in` is missing, if it is plainly a lifetime.
#[test]
fn reads_expires_where_expires_in_is_missing() {
    let read = |members: &str| {
        let response = read(&format!(r#"{{"access_token":"a","token_type":"Bearer",{members}}}"#)).expect("tokens");
        (response.expires_in, response.tolerated)
    };
    use Tolerance::{ExpiresInsteadOfExpiresIn, LifetimeAsString};
    assert_eq!(read(r#""expires":3600"#), (Some(Seconds(3600)), vec![ExpiresInsteadOfExpiresIn]));
    assert_eq!(read(r#""expires":"3600""#), (Some(Seconds(3600)), vec![ExpiresInsteadOfExpiresIn, LifetimeAsString]));
    assert_eq!(read(r#""expires":1,"expires_in":3600"#), (Some(Seconds(3600)), vec![]));
    assert_eq!(read(r#""expires":1,"expires_in":null"#), (Some(Seconds(1)), vec![ExpiresInsteadOfExpiresIn]));
    // A moment, as some servers put it there, is no lifetime.
    assert_eq!(read(r#""expires":1700003600"#), (None, vec![]));
    assert_eq!(read(r#""expires":"Thu, 01 Dec 1994 16:00:00 GMT""#), (None, vec![]));
}

/// TOK-9: a scope that is none is not believed, and remarked on.
#[test]
fn ignores_a_scope_that_is_none() {
    for scope in [json!(""), json!(["photos:read"]), json!("a  b"), json!(5), json!("ä")] {
        let response = with("scope", scope).expect("tokens");
        assert_eq!((response.scope, response.tolerated), (None, vec![Tolerance::ScopeIgnored]));
    }
}

/// TOK-11: a refresh token may be there or not; one that is none refuses the answer.
#[test]
fn does_without_a_refresh_token() {
    assert_eq!(with("refresh_token", json!(null)).map(|response| response.refresh_token), Ok(None));
    let error = with("refresh_token", json!("a b")).err();
    assert!(matches!(error, Some(TokenError::InvalidMember { name: "refresh_token", .. })));
}

/// TOK-10: whoever asked for `openid` gets an ID token or no session.
#[test]
fn a_missing_id_token_is_an_error_where_one_was_asked_for() {
    let tab = Scenario::public_client().openid().tokens(TOKENS).run();
    assert_eq!(*tab.callback_error(), Error::Token(TokenError::MissingIdToken));
    assert!(tab.flow().sessions().is_empty());
    let wrong = with("id_token", json!(5)).err();
    assert!(matches!(wrong, Some(TokenError::InvalidMember { name: "id_token", .. })));
}

/// One that nobody asked for is neither verified nor kept.
#[test]
fn an_id_token_that_was_not_asked_for_is_dropped() {
    let tab = Scenario::public_client()
        .configured("token_storage", json!("session"))
        .tokens(r#"{"access_token":"a","token_type":"Bearer","id_token":"eyJ.canary.sig"}"#)
        .run();
    assert!(tab.session().is_some_and(|session| session.id_token().is_none() && session.claims().is_none()));
    assert!(!tab.storage.records.values().any(|record| record.contains("canary")));
}

/// TOK-12: unknown members are ignored, one that is there twice refuses the answer.
#[test]
fn ignores_unknown_members_and_refuses_duplicates() {
    assert!(with("patient", json!({ "id": [1, null] })).is_ok());
    for duplicate in [
        r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
        r#"{"access_token":"a","token_type":"mac","token_type":"Bearer"}"#,
        r#"{"access_token":"a","token_type":"Bearer","x":{"y":1,"y":1}}"#,
    ] {
        let Err(TokenError::Malformed(error)) = read(duplicate) else { panic!("{duplicate}") };
        assert_eq!(error.problem, JsonProblem::Duplicate);
    }
}

/// TOK-13: an OAuth error is read whatever its status and media type.
#[test]
fn reads_an_oauth_error_whatever_surrounds_it() {
    let known: Vec<&str> = TokenErrorCode::REGISTERED.iter().map(TokenErrorCode::as_str).collect();
    assert_eq!(
        known,
        [
            "invalid_client",
            "invalid_grant",
            "invalid_request",
            "invalid_scope",
            "invalid_target",
            "unauthorized_client",
            "unsupported_grant_type",
            "use_dpop_nonce",
        ]
    );
    for code in known {
        let Err(TokenError::Refused(refused)) = answered(refusal(code)) else { panic!("{code}") };
        assert_eq!((refused.code(), refused.status), (TokenErrorCode::parse(code), 400));
    }
    let body = r#"{"error":"invalid_grant","error_description":"used","error_uri":"https://as.example/e"}"#;
    for (status, media_type) in
        [(401, "application/json"), (400, "text/html"), (500, ""), (200, "application/json"), (200, "text/plain")]
    {
        let refused = TokenErrorResponse {
            error: "invalid_grant".into(),
            error_description: Some("used".into()),
            error_uri: Some("https://as.example/e".into()),
            status,
        };
        assert_eq!(answered(answer(status, media_type, body)).err(), Some(TokenError::Refused(refused)));
    }
    let other = TokenErrorCode::Other("slow_down".into());
    let Err(TokenError::Refused(refused)) = answered(refusal("slow_down")) else { panic!("a refusal") };
    assert_eq!(refused.code(), other);
}

/// RFC 6749 §5.1, §5.2: a success says 200 and brings a token; beside these two an `error` means nothing.
#[test]
fn the_status_decides_between_a_token_and_an_error() {
    let both = r#"{"access_token":"a","token_type":"Bearer","error":"invalid_grant"}"#;
    assert!(read(both).is_ok());
    let Err(TokenError::Refused(refused)) = answered(answer(400, "application/json", both)) else {
        panic!("a refusal")
    };
    assert_eq!(refused.code(), TokenErrorCode::InvalidGrant);
}

/// TOK-13: an error without OAuth's words keeps its status and nothing else.
#[test]
fn keeps_the_status_of_any_other_error() {
    for outcome in [
        html(503),
        status(503),
        answer(503, "application/json", r#"{"error":5}"#),
        answer(503, "application/json", "[]"),
    ] {
        assert_eq!(answered(outcome).err(), Some(TokenError::Status { status: 503 }));
    }
}

/// CB-14, TOK-13: of a server's words no more is kept than a page shows.
#[test]
fn keeps_a_servers_words_within_bounds() {
    let long = "x".repeat(10_000);
    let body = format!(r#"{{"error":"{long}","error_description":"{long}","error_uri":"{long}"}}"#);
    let Err(TokenError::Refused(refused)) = answered(answer(400, "", body)) else { panic!("a refusal") };
    assert_eq!(refused.error.len(), 100);
    assert_eq!(refused.error_description.map(|text| text.len()), Some(500));
    assert_eq!(refused.error_uri.map(|text| text.len()), Some(500));
    let Err(TokenError::UnsupportedTokenType { found, .. }) = with("token_type", json!(long)) else { panic!("a type") };
    assert_eq!(found.len(), 100);
}

#[test]
fn keeps_why_no_answer_came() {
    assert_eq!(answered(lost()).err(), Some(TokenError::Network(HttpFailure::Unreachable)));
}

/// TOK-18: what is no document is an error with its place, never an accident.
#[test]
fn refuses_what_is_no_document() {
    let deep = format!("{{\"access_token\":{}", "[".repeat(10_000));
    for (body, problem) in [
        (&b"\xef\xbb\xbf{}"[..], JsonProblem::Syntax),
        (b"{\"access_token\":\"\xff\"}", JsonProblem::Syntax),
        (b"{\"access_token\":\"a\0\"}", JsonProblem::Syntax),
        (b"{\"access_token\":\"\\ud800\"}", JsonProblem::Syntax),
        (b"\0", JsonProblem::Syntax),
        (b"", JsonProblem::Truncated),
        (b"{\"access_token\":\"a", JsonProblem::Truncated),
        (b"{} {}", JsonProblem::Syntax),
        (b"access_token=a&token_type=bearer", JsonProblem::Syntax),
        (deep.as_bytes(), JsonProblem::TooDeep),
    ] {
        let Err(TokenError::Malformed(error)) = answered(document(body)) else { panic!("{body:?}") };
        assert_eq!(error.problem, problem, "{:?}", body.get(..20).unwrap_or(body));
    }
}
