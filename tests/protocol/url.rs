//! The one parser of URLs.

use leptos_pkce::protocol::site::Site;
use leptos_pkce::protocol::url::{SchemePolicy, Url, UrlError};

fn parse(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn keeps_what_was_written_and_finds_its_parts() {
    let url = parse("HTTPS://API.example:8443/photos/%C3%A4?size=2#top");
    assert_eq!(url.as_str(), "HTTPS://API.example:8443/photos/%C3%A4?size=2#top");
    assert_eq!(url.origin(), "https://api.example:8443");
    assert_eq!(url.path(), "/photos/%C3%A4");
    assert_eq!(url.query(), Some("size=2"));
    assert_eq!(url.fragment(), Some("top"));
    assert_eq!(url.without_query(), "HTTPS://API.example:8443/photos/%C3%A4");
    // Browsers leave an apostrophe where it is, but for one in a query.
    assert_eq!(parse("https://a.example/o'brien#o'brien").path(), "/o'brien");
}

/// OPS-1: where a request went is worth a line in a log; `state` and `nonce` are in the query.
#[test]
fn debug_shows_where_and_not_what() {
    let url = parse("https://a.example/authorize?state=canary#canary");
    assert_eq!(format!("{url:?}"), "Url(https://a.example/authorize)");
}

#[test]
fn leaves_a_default_port_out_of_the_origin() {
    assert_eq!(parse("https://a.example:443").origin(), "https://a.example");
    assert_eq!(parse("http://a.example:80/").origin(), "http://a.example");
    assert_eq!(parse("http://a.example:443").origin(), "http://a.example:443");
    assert_eq!(parse("https://a.example").path(), "/");
    assert_eq!(parse("https://a-b.a_b.example").host(), "a-b.a_b.example");
}

#[test]
fn refuses_what_a_browser_would_rewrite_or_read_otherwise() {
    let character = |found, position| UrlError::Character { found, position };
    for (text, error) in [
        ("", UrlError::Scheme),
        ("a.example", UrlError::Scheme),
        ("//a.example", UrlError::Scheme),
        ("/callback", UrlError::Scheme),
        ("javascript:alert(1)", UrlError::Scheme),
        ("javascript://a.example/%0Aalert(1)", UrlError::Scheme),
        ("data:text/html,x", UrlError::Scheme),
        ("blob:https://a.example/1", UrlError::Scheme),
        ("ftp://a.example", UrlError::Scheme),
        ("https:a.example", UrlError::Scheme),
        ("https:/a.example", UrlError::Scheme),
        (" https://a.example", character(' ', 0)),
        ("https://a.example/\t", character('\t', 18)),
        ("https://a.example/a b", character(' ', 19)),
        ("https://a.example\\@b.example", character('\\', 17)),
        ("https:\\\\a.example", character('\\', 6)),
        ("https://ä.example", character('ä', 8)),
        ("https://a.example/ä", character('ä', 18)),
        ("https://a。example", character('。', 9)),
        ("https://a.example/{x}", character('{', 18)),
        ("https://a.example/?q='", character('\'', 21)),
        ("https://a.example/\0", character('\0', 18)),
        ("https://user@a.example", UrlError::UserInformation),
        ("https://user:password@a.example", UrlError::UserInformation),
        ("https://a.example@b.example", UrlError::UserInformation),
        ("https://", UrlError::Host),
        ("https:///a.example", UrlError::Host),
        ("https://a..example", UrlError::Host),
        ("https://.a.example", UrlError::Host),
        ("https://a%2eexample", UrlError::Host),
        ("https://127.1", UrlError::Host),
        ("https://0x7f.0.0.1", UrlError::Host),
        ("https://2130706433", UrlError::Host),
        ("https://0177.0.0.1", UrlError::Host),
        ("https://127.0.0.1.", UrlError::Host),
        ("https://a.0x1", UrlError::Host),
        ("https://[::1", UrlError::Host),
        ("https://[::1]x", UrlError::Port),
        ("https://[v1.x]", UrlError::Host),
        ("https://[abc]", UrlError::Host),
        ("https://[g::1]", UrlError::Host),
        ("https://a.example:", UrlError::Port),
        ("https://a.example:0", UrlError::Port),
        ("https://a.example:0443", UrlError::Port),
        ("https://a.example:65536", UrlError::Port),
        ("https://a.example:44a", UrlError::Port),
        ("https://a.example/..", UrlError::DotSegment),
        ("https://a.example/a/./b", UrlError::DotSegment),
        ("https://a.example/a/%2e%2E/b", UrlError::DotSegment),
        ("https://a.example/a%2f..%2fb", UrlError::DotSegment),
        ("https://a.example/a%5c..%5cb", UrlError::DotSegment),
    ] {
        assert_eq!(Url::parse(text).err(), Some(error), "{text:?}");
    }
    assert_eq!(Url::parse(&format!("https://a.example/{}", "a".repeat(16 * 1024))).err(), Some(UrlError::TooLong));
}

#[test]
fn says_what_is_wrong_with_a_url() {
    for (error, message) in [
        (UrlError::Character { found: 'ä', position: 8 }, "character ä at position 8 is not allowed in a URL"),
        (UrlError::DotSegment, "a path segment is `.` or `..`"),
        (UrlError::Host, "the host is missing or not in its plain form"),
        (UrlError::Port, "the port is not a number from 1 to 65535"),
        (UrlError::Scheme, "it does not begin with https:// or http://"),
        (UrlError::TooLong, "it is longer than 16384 octets"),
        (UrlError::UserInformation, "it holds user information before the host"),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

/// CFG-2, CFG-3: http is for loopback servers, and only if the page is on loopback too.
#[test]
fn allows_http_on_loopback_only() {
    let loopback = SchemePolicy::HttpOnLoopback;
    for text in ["http://localhost:3000", "http://127.0.0.1", "http://127.8.9.1:1", "http://[::1]:80/a"] {
        assert!(parse(text).satisfies(loopback), "{text}");
        assert!(!parse(text).satisfies(SchemePolicy::HttpsOnly), "{text}");
    }
    for text in ["http://a.example", "http://localhost.example", "http://128.0.0.1", "http://[::2]", "http://10.0.0.1"]
    {
        assert!(!parse(text).satisfies(loopback), "{text}");
    }
    assert!(parse("https://a.example").satisfies(SchemePolicy::HttpsOnly));

    let policy = |page: &str| Site::parse(page).expect("a page").scheme_policy();
    assert_eq!(policy("http://localhost:8080/"), loopback);
    assert_eq!(policy("https://app.example/"), SchemePolicy::HttpsOnly);
}

#[test]
fn adds_to_a_query_and_keeps_what_is_there() {
    for (base, url) in [
        ("https://a.example", "https://a.example?x=1"),
        ("https://a.example/authorize?", "https://a.example/authorize?x=1"),
        ("https://a.example/authorize?tenant=t", "https://a.example/authorize?tenant=t&x=1"),
        ("https://a.example/authorize?tenant=t&", "https://a.example/authorize?tenant=t&x=1"),
    ] {
        let added = parse(base).with_query("x=1");
        assert_eq!(added.as_str(), url);
        assert_eq!(parse(url), added);
    }
}

#[test]
fn takes_the_folder_of_a_page_as_the_site() {
    for (page, base, callback) in [
        ("https://app.example", "/", "https://app.example/callback"),
        ("https://app.example/index.html?x#y", "/", "https://app.example/callback"),
        ("https://app.example/sub/path/", "/sub/path/", "https://app.example/sub/path/callback"),
        ("https://app.example/sub/path", "/sub/", "https://app.example/sub/callback"),
    ] {
        let site = Site::parse(page).expect("a page");
        assert_eq!((site.origin(), site.base_path()), ("https://app.example", base), "{page}");
        assert_eq!(site.url_of("callback"), callback, "{page}");
    }
    assert_eq!(Site::parse("file:///home/index.html"), Err(UrlError::Scheme));
}
