//! The place in the app to come back to.

use leptos_pkce::protocol::return_path::ReturnPath;

use super::common::text;

/// AUT-14, A9: what is accepted is a path of this origin for a browser too, also for one that decodes once too often.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some(path) = ReturnPath::parse(text) else { return };
    assert_eq!(path.as_str(), text);
    assert!(text.len() <= 2048);
    let head = text.split(['?', '#']).next().unwrap_or_default();
    for page in ["https://app.example/", "https://app.example/sub/callback?code=x"] {
        let page = ::url::Url::parse(page).expect("a page");
        let there = page.join(text).expect("a path");
        assert_eq!(there.origin(), page.origin());
        // Browsers escape quotation marks and brackets, and rewrite nothing else.
        assert_eq!(decoded(there.path()), decoded(head));
        let origin = page.join(&decoded(head)).map(|url| url.origin());
        assert_eq!(origin, Ok(page.origin()), "decoded once more");
    }
}

fn decoded(path: &str) -> String {
    let pair = format!("x={}", path.replace('+', "%2B").replace('&', "%26"));
    let (_, decoded) = ::url::form_urlencoded::parse(pair.as_bytes()).next().expect("one pair");
    decoded.into_owned()
}
