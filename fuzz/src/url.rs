//! URLs, against the parser that follows the standard of browsers.

use leptos_pkce::protocol::site::Site;
use leptos_pkce::protocol::url::{SchemePolicy, Url};
use leptos_pkce::protocol::vocabulary::{ClientId, Issuer, RedirectUri, Scope};

use super::common::{POLICY, text};

/// CFG-2 to CFG-4, RS-2, A11, A44: what both accept means the same place, and a browser would rewrite nothing in it.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (client_id, scope) = (ClientId::parse(text), Scope::parse(text));
    assert!(client_id.is_err() || text.bytes().all(|octet| (0x20..0x7f).contains(&octet)));
    assert!(scope.is_err() || !text.split(' ').any(str::is_empty));
    let issuer = Issuer::parse(text, POLICY);
    let redirect_uri = RedirectUri::parse(text, POLICY);
    let Ok(url) = Url::parse(text) else {
        return assert!(issuer.is_err() && redirect_uri.is_err() && Site::parse(text).is_err());
    };
    assert_eq!(url.as_str(), text);
    assert!(text.len() <= 16_384 && text.is_ascii());
    let is_https = url.origin().starts_with("https://");
    assert!(is_https || !url.satisfies(POLICY) && issuer.is_err());
    assert!(is_https || url.is_loopback() || !url.satisfies(SchemePolicy::HttpOnLoopback));
    assert!(issuer.is_err() || !text.contains(['?', '#']));
    assert!(redirect_uri.is_err() || !text.contains('#'));
    if let Ok(site) = Site::parse(text) {
        assert!(site.base_path().ends_with('/') && site.origin() == url.origin());
    }
    match ::url::Url::parse(text) {
        Ok(browsers) => is_same_place(&url, &browsers),
        // The page refuses when the browser disagrees: an IPv6 address, or a name that is no Punycode.
        Err(error) => assert!(url.host().starts_with('[') || url.host().contains("xn--"), "{error}: {text}"),
    }
}

fn is_same_place(url: &Url, browsers: &::url::Url) {
    assert!(browsers.username().is_empty() && browsers.password().is_none());
    assert_eq!(browsers.path(), url.path());
    assert_eq!(browsers.query(), url.query());
    assert_eq!(browsers.fragment(), url.fragment());
    // An IPv6 address may be written in several ways; the browser's is the one that counts.
    if !url.host().starts_with('[') {
        assert_eq!(browsers.host_str(), Some(url.host()));
        assert_eq!(browsers.origin().ascii_serialization(), url.origin());
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let fragment = url.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
        assert_eq!(browsers.as_str(), [url.origin(), url.path(), &query, &fragment].concat());
    }
    let with = url.with_query("a=b");
    assert_eq!(with.without_query(), url.without_query());
    assert_eq!(::url::Url::parse(with.as_str()).ok().as_ref().and_then(::url::Url::query), with.query());
}
