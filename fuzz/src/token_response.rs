//! The token response, as any status and media type.

use leptos_pkce::protocol::token_response::{TokenError, TokenResponse, TokenType};

use super::common::{LONGEST_WORDS, answer, oracle, said};

/// TOK-5 to TOK-9, TOK-11 to TOK-13, TOK-18, A48: what is used is in the answer, plainly, and of the type asked for.
pub fn check(data: &[u8]) {
    for expected in [TokenType::Bearer, TokenType::Dpop] {
        for (status, media_type) in [
            (200, "application/json"),
            (200, "text/html"),
            (201, "application/json"),
            (400, "application/json"),
            (401, "text/html"),
            (500, ""),
        ] {
            match TokenResponse::read(answer(status, media_type, data), expected) {
                Ok(tokens) => {
                    assert_eq!((status, media_type), (200, "application/json"), "TOK-5");
                    accepted(data, &tokens, expected);
                }
                Err(error) => refused(&error),
            }
        }
    }
}

fn accepted(data: &[u8], tokens: &TokenResponse, expected: TokenType) {
    let document = oracle(data);
    if document.is_null() {
        return;
    }
    let is_token = |token: &str| !token.is_empty() && token.bytes().all(|octet| octet.is_ascii_graphic());
    assert_eq!(said(&document, "access_token"), Some(tokens.access_token.expose()));
    assert_eq!(said(&document, "refresh_token"), tokens.refresh_token.as_ref().map(|token| token.expose()));
    assert_eq!(said(&document, "id_token"), tokens.id_token.as_ref().map(|token| token.expose()));
    for name in ["access_token", "refresh_token", "id_token"] {
        assert!(said(&document, name).is_none_or(is_token), "{name} could not stand in a header");
    }
    match said(&document, "token_type") {
        Some(token_type) => assert!(token_type.eq_ignore_ascii_case(expected.as_str()), "TOK-6, TOK-7"),
        None => assert_eq!(expected, TokenType::Bearer, "a token that nobody calls bound is not bound"),
    }
    assert!(tokens.expires_in.is_none_or(|lifetime| lifetime.0 <= 315_360_000), "TOK-8");
    if let Some(number) = document.get("expires_in").and_then(serde_json::Value::as_u64) {
        assert_eq!(tokens.expires_in.map(|lifetime| lifetime.0), Some(number), "TOK-8");
    }
    assert!(tokens.scope.as_ref().is_none_or(|scope| said(&document, "scope") == Some(scope.as_str())), "TOK-9");
    // What a server says in the scope, which is no secret, is shown: also if it repeats the token there.
    let shown = format!("{:?}", TokenResponse { scope: None, ..tokens.clone() });
    assert!(!said(&document, "access_token").is_some_and(|token| token.len() > 20 && shown.contains(token)), "OPS-1");
}

fn refused(error: &TokenError) {
    if let TokenError::Refused(refusal) = error {
        assert!(refusal.error.len() <= 100);
        assert!([&refusal.error_description, &refusal.error_uri].into_iter().flatten().all(|words| words.len() <= 500));
    }
    assert!(error.to_string().len() < LONGEST_WORDS);
}
