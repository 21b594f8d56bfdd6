//! Places that look like the API and are not.

use leptos_pkce::protocol::protected_resource::{ResourceError, ResourceRequest, protected_resource_request};
use serde_json::json;

use crate::scenario::{API, ISSUER, Scenario, key};

/// Not `https://api.example/photos`, nor below it.
const LOOK_ALIKES: [&str; 62] = [
    // Another host
    "https://api.example.evil.com/photos",
    "https://evil.com/https://api.example/photos",
    "https://evil.com?https://api.example/photos",
    "https://evil.com#https://api.example/photos",
    "https://evil.com/photos",
    "https://xapi.example/photos",
    "https://api.example2/photos",
    "https://api.exampl/photos",
    "https://example/photos",
    "https://sub.api.example/photos",
    "https://api-example/photos",
    "https://api.example./photos",
    "https://api..example/photos",
    "https://api.example%2eevil.com/photos",
    "https://api.example%00.evil.com/photos",
    "https://api.example%2f.evil.com/photos",
    "https://api.example\\.evil.com/photos",
    // User information
    "https://api.example@evil.com/photos",
    "https://api.example:443@evil.com/photos",
    "https://api.example%40evil.com/photos",
    "https://evil.com@api.example/photos",
    "https://user:password@api.example/photos",
    "https://@api.example/photos",
    // Other letters
    "https://аpi.example/photos",
    "https://api。example/photos",
    "https://api․example/photos",
    "https://xn--pi-6kc.example/photos",
    "https://api.exam\u{ad}ple/photos",
    "https://ａｐｉ.example/photos",
    // Scheme
    "http://api.example/photos",
    "//api.example/photos",
    "///api.example/photos",
    "https:api.example/photos",
    "https:/api.example/photos",
    "https:\\\\api.example\\photos",
    "ws://api.example/photos",
    "javascript://api.example/photos",
    "/photos",
    "photos",
    "",
    " https://api.example/photos",
    "https://api.example/photos ",
    "\thttps://api.example/photos",
    "ht\ntps://api.example/photos",
    // Port
    "https://api.example:8443/photos",
    "https://api.example:80/photos",
    "https://api.example:/photos",
    "https://api.example:0443/photos",
    // Path
    "https://api.example",
    "https://api.example/",
    "https://api.example/photo",
    "https://api.example/photoshop",
    "https://api.example/photos2",
    "https://api.example/photos%2fprivate",
    "https://api.example/Photos",
    "https://api.example//photos",
    "https://api.example/./photos",
    "https://api.example/photos/../private",
    "https://api.example/photos/%2e%2e/private",
    "https://api.example/photos/..%2fprivate",
    "https://api.example/photos/%2e%2e%5cprivate",
    "https://api.example/photos\\..\\private",
];

fn build(scenario: &Scenario, url: &str) -> Result<(), ResourceError> {
    let tab = scenario.run();
    let allowed = tab.flow().allowed_resources(&key(ISSUER));
    let request = ResourceRequest { method: "GET".into(), url: url.into(), headers: vec![], body: None };
    protected_resource_request(tab.session().expect("a session"), &allowed, request).map(drop)
}

/// RS-2: the token goes to the API and to nothing that looks like it.
#[test]
fn refuses_whatever_only_looks_like_the_api() {
    let scenario = Scenario::public_client();
    for url in LOOK_ALIKES {
        let refused = build(&scenario, url);
        assert!(
            matches!(refused, Err(ResourceError::NotAllowed { .. } | ResourceError::Url(_))),
            "{url:?}: {refused:?}"
        );
    }
}

/// RS-2: the same place in another spelling is the same place.
#[test]
fn permits_the_api_and_what_lies_below() {
    let scenario = Scenario::public_client();
    for url in [
        API,
        "https://api.example/photos/",
        "https://api.example/photos/1/tags",
        "https://api.example/photos?size=2",
        "https://api.example/photos/?next=https://evil.com/..",
        "https://api.example/photos#x",
        "https://api.example:443/photos",
        "HTTPS://API.EXAMPLE/photos",
        "https://api.example/photos/..a",
        "https://api.example/photos/a%20b",
    ] {
        assert_eq!(build(&scenario, url), Ok(()), "{url}");
    }
}

/// RS-2: an origin as a resource means every path of it; a folder means what is in it.
#[test]
fn a_resource_may_be_an_origin_or_a_folder() {
    let of = |url: &str| Scenario::public_client().configured("resources", json!([{ "url": url }]));
    for origin in ["https://api.example", "https://api.example/"] {
        assert_eq!(build(&of(origin), "https://api.example/anything/below"), Ok(()));
        assert_eq!(build(&of(origin), "https://api.example"), Ok(()));
        assert!(build(&of(origin), "https://api.example.evil.com/").is_err());
    }
    let folder = of("https://api.example/v1/");
    assert_eq!(build(&folder, "https://api.example/v1/photos"), Ok(()));
    assert!(build(&folder, "https://api.example/v1").is_err());
    assert!(build(&folder, "https://api.example/v10/photos").is_err());
}

/// RS-2: a client without resources sends its token nowhere.
#[test]
fn without_resources_nothing_is_permitted() {
    let scenario = Scenario::public_client().configured("resources", json!(null));
    assert!(matches!(build(&scenario, API), Err(ResourceError::NotAllowed { .. })));
}
