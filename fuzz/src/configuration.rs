//! `config.json`.

use leptos_pkce::protocol::configuration::{parse_configuration, read_configuration};
use leptos_pkce::protocol::problem::ConfigurationError;
use leptos_pkce::protocol::site::Site;

use super::common::{document, oracle};

/// CFG-1 to CFG-4, CFG-6, CFG-11, AUT-9, A45: what is accepted holds no secret, no unsafe place and no parameter of the library's own.
pub fn check(data: &[u8]) {
    for (page, is_loopback) in [("https://app.example/sub/", false), ("http://localhost:8080/", true)] {
        let site = Site::parse(page).expect("a page");
        let read = read_configuration(document(data), &site);
        let Ok(clients) = parse_configuration(data, &site).inspect_err(explained) else { continue };
        assert!(read.is_ok_and(|read| read.len() == clients.len()));
        for client in &clients {
            let places = [client.key().issuer.as_str(), client.redirect_uri().as_str()];
            let resources = client.resources().iter().map(|resource| resource.url.as_str());
            for place in places.into_iter().chain(resources) {
                let url = ::url::Url::parse(place);
                // An IPv6 address that is not in its shortest form is the adapter's to refuse, when it is used.
                let is_https =
                    url.is_ok_and(|url| url.scheme() == "https") || place.contains('[') || place.contains("xn--");
                assert!(is_https || is_loopback, "CFG-2, CFG-3: {place}");
            }
            assert!(!client.redirect_uri().as_str().contains('#'), "CFG-4");
        }
        holds_nothing_forbidden(&oracle(data));
    }
}

fn explained(error: &ConfigurationError) {
    if let ConfigurationError::Invalid(problems) = error {
        assert!(!problems.is_empty());
        for problem in problems {
            assert!(problem.found.len() <= 200 && problem.expected.to_string().len() < 20_000);
            let is_about_secret =
                ["].client_secret", ".metadata.client_secret"].iter().any(|end| problem.place.ends_with(end));
            assert!(!is_about_secret || problem.found.contains("not shown"), "CFG-1");
        }
    }
    assert!(!error.to_string().is_empty());
}

fn holds_nothing_forbidden(document: &serde_json::Value) {
    for server in document["authorization_servers"].as_array().into_iter().flatten() {
        assert!(server.get("client_secret").is_none() && server["metadata"].get("client_secret").is_none(), "CFG-1");
        for name in ["redirect_uri", "response_type", "state", "nonce", "code_challenge", "client_id", "client_secret"]
        {
            assert!(server["extra_parameters"].get(name).is_none(), "AUT-9: {name}");
        }
    }
}
