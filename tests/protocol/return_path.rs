//! The place to come back to, and everything that would lead elsewhere.

use leptos_pkce::protocol::return_path::ReturnPath;

/// What is not a path of this origin, or what some browser, proxy or careless decoder reads as none.
const ELSEWHERE: [&str; 78] = [
    "",
    " ",
    "evil.example",
    "photos",
    "./photos",
    "../photos",
    "?next=/photos",
    "#photos",
    "https://evil.example",
    "HTTPS://evil.example",
    "http:evil.example",
    "http:/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "https://app.example@evil.example/",
    "https://app.example.evil.example/",
    "//evil.example",
    "//evil.example/photos",
    "//evil.example:443",
    "//user@evil.example",
    "//app.example@evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "\\evil.example",
    "/photos\\..\\..\\evil",
    "/%2fevil.example",
    "/%2Fevil.example",
    "%2f%2fevil.example",
    "%2fphotos",
    "%2Fevil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%5c%5cevil.example",
    "/%2f%5cevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/photos ",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0D%0ALocation:%20https://evil.example",
    "/%00/evil.example",
    "/photos%7f",
    "/\u{0}/evil.example",
    "/\u{7f}evil.example",
    "/\u{85}/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/photos//evil.example",
    "/./photos",
    "/photos/../../evil",
    "/photos/%2e%2e/evil",
    "/%2e%2e%2fevil",
    "/.",
    "/..",
    "/%2e",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "/javascript:alert(1)\u{a0}",
    "data:text/html,evil",
    "vbscript:msgbox(1)",
    "blob:https://app.example/1",
    "file:///etc/passwd",
    "mailto:someone@evil.example",
    "@evil.example",
    "/／evil.example",
    "/∕evil.example",
    "／／evil.example",
    "/photos/ä",
];

/// AUT-14: nothing but a path of this origin is a place to come back to.
#[test]
fn refuses_whatever_leads_elsewhere() {
    for path in ELSEWHERE {
        assert_eq!(ReturnPath::parse(path), None, "{path:?}");
    }
}

/// AUT-14: an over-long path is none.
#[test]
fn refuses_more_than_2048_octets() {
    assert!(ReturnPath::parse(&format!("/{}", "a".repeat(2047))).is_some());
    assert!(ReturnPath::parse(&format!("/{}", "a".repeat(2048))).is_none());
}

#[test]
fn keeps_a_path_of_this_origin_as_it_is() {
    for path in [
        "/",
        "/session",
        "/sub/path/api",
        "/photos/2024/",
        "/photos?size=2&sort=name",
        "/photos#top",
        "/photos?next=https://app.example//x/../y%0a",
        "/photos#//evil.example",
        "/@somebody/photos",
        "/photos/a:b;c=d,e",
        "/photos/%C3%A4%20b",
        "/photos/...",
        "/.well-known/x",
    ] {
        assert_eq!(ReturnPath::parse(path).as_ref().map(ReturnPath::as_str), Some(path), "{path:?}");
    }
}
