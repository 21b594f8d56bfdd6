//! The nouns of the protocol: what each may be, and what is said of what it is not.

use leptos_pkce::protocol::url::{SchemePolicy, UrlError};
use leptos_pkce::protocol::vocabulary::{ClientId, Issuer, NounError, RedirectUri, Scope};

#[test]
fn a_client_identifier_is_visible_ascii() {
    for text in ["spa", "s6BhdRkqt3", "https://app.example/client", "a b!\"~"] {
        assert_eq!(ClientId::parse(text).map(|id| id.as_str().to_owned()).as_deref(), Ok(text));
    }
    for text in ["", "ä", "a\nb", "\u{7f}", "\0"] {
        assert_eq!(ClientId::parse(text), Err(NounError::Characters), "{text:?}");
    }
}

/// RFC 6749 §3.3: tokens, each of printable ASCII without quotation mark and backslash, one space between them.
#[test]
fn a_scope_is_tokens_with_single_spaces_between() {
    let scope = Scope::parse("openid https://api.example/photos.read !#[]~").expect("a scope");
    assert_eq!(scope.tokens().collect::<Vec<_>>(), ["openid", "https://api.example/photos.read", "!#[]~"]);
    assert!(scope.contains("openid") && !scope.contains("OpenID") && !scope.contains("open"));
    for text in ["", " ", " a", "a ", "a  b", "a\tb", "a\"b", "a\\b", "ä", "a\nb"] {
        assert_eq!(Scope::parse(text), Err(NounError::Characters), "{text:?}");
    }
}

/// CFG-2, CFG-4: both are URLs of a server; an issuer has no query either.
#[test]
fn an_issuer_and_a_redirect_uri_are_kept_as_they_are() {
    let issuer = |text: &str| Issuer::parse(text, SchemePolicy::HttpsOnly);
    let redirect_uri = |text: &str| RedirectUri::parse(text, SchemePolicy::HttpsOnly);
    for text in ["https://as.example", "HTTPS://AS.example:443/a/"] {
        assert_eq!(issuer(text).map(|issuer| issuer.to_string()).as_deref(), Ok(text));
        assert_eq!(redirect_uri(text).map(|uri| uri.to_string()).as_deref(), Ok(text));
    }
    assert_eq!(issuer("https://as.example?a"), Err(NounError::QueryOrFragment));
    assert!(redirect_uri("https://app.example?a").is_ok());
    assert_eq!(redirect_uri("https://app.example#a"), Err(NounError::QueryOrFragment));
    assert_eq!(issuer("http://as.example"), Err(NounError::Scheme));
    assert_eq!(redirect_uri("http://localhost"), Err(NounError::Scheme));
    assert!(RedirectUri::parse("http://localhost", SchemePolicy::HttpOnLoopback).is_ok());
    assert_eq!(issuer("as.example"), Err(NounError::Url(UrlError::Scheme)));
}

#[test]
fn says_why_a_noun_is_none() {
    for (error, message) in [
        (NounError::Characters, "it is empty or has a character that is not allowed here"),
        (NounError::QueryOrFragment, "it has a query or fragment that is not allowed here"),
        (NounError::Scheme, "it must be https (http only on a loopback host, for a page on a loopback host)"),
        (NounError::Url(UrlError::UserInformation), "it holds user information before the host"),
    ] {
        assert_eq!(error.to_string(), message);
    }
}
