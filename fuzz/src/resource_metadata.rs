//! What an API says about itself.

use leptos_pkce::protocol::metadata::read_document;
use leptos_pkce::protocol::resource_metadata::{DpopBinding, ResourceMetadata, request, request_at};
use leptos_pkce::protocol::url::Url;

use super::common::{LONGEST_WORDS, POLICY, document, oracle, text};

const RESOURCE: &str = "https://api.example/photos";

/// RS-1, RS-10, A43: a document counts for the resource it names, and its servers are https; a location is a place to look.
pub fn check(data: &[u8]) {
    if let Some(location) = text(data)
        && let Ok(request) = request_at(location, POLICY)
    {
        assert!(request.bearer.is_none() && request.url.as_str() == location);
        if let Some(request) = self::request(&request.url) {
            assert!(request.url.path().starts_with("/.well-known/oauth-protected-resource"));
        }
    }
    let Ok(document) = read_document(document(data)) else { return };
    let resource = Url::parse(RESOURCE).expect("a URL");
    match ResourceMetadata::check(&document, &resource, POLICY) {
        Ok(metadata) => {
            let there = oracle(data);
            assert!(there.is_null() || there["resource"] == RESOURCE);
            assert!(metadata.authorization_servers.iter().all(|issuer| issuer.url().origin().starts_with("https://")));
            assert!(metadata.resource_name.is_none_or(|name| name.len() <= 100));
            assert!(metadata.unusable_servers.iter().all(|server| server.text.len() <= 300));
            let demands = there["dpop_bound_access_tokens_required"] == true;
            assert!(there.is_null() || (metadata.dpop == DpopBinding::Required) == demands);
        }
        Err(error) => assert!(error.to_string().len() < LONGEST_WORDS),
    }
}
