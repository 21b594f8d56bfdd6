//! The registered clients: public ones, with exact redirect URIs (RFC 9700 §2.1), after sign-out as well (OpenID Connect
//! RP-Initiated Logout 1.0 §3.1).

use super::http::{Parameters, Request, Response};

/// One client.
pub struct Client {
    /// Its client identifier.
    pub client_id: &'static str,
    /// For people, on the login and consent pages.
    pub name: &'static str,
    /// Its redirect URIs, compared character by character.
    pub redirect_uris: Vec<String>,
    /// Where people may be sent after they signed out, compared in the same way.
    pub post_logout_redirect_uris: Vec<String>,
}

/// All of them.
pub struct Clients(Vec<Client>);

impl Clients {
    /// The clients of a site: the workbench, and the example app.
    pub(super) fn of_site(base: &str) -> Self {
        // As static hosts spell it.
        let spellings = ["callback", "callback/", "callback.html"];
        let redirect_uris = || spellings.map(|name| format!("{base}{name}")).to_vec();
        let post_logout_redirect_uris = || vec![base.to_owned(), format!("{base}signed-out")];
        let client = |client_id, name| Client {
            client_id,
            name,
            redirect_uris: redirect_uris(),
            post_logout_redirect_uris: post_logout_redirect_uris(),
        };
        Self(vec![client("workbench", "the workbench"), client("minimal", "the minimal example")])
    }

    /// The client that sends a request itself: a public one, which says who it is and has no secret (RFC 6749 §2.3, §5.2).
    pub(super) fn identify(&self, request: &Request, parameters: &Parameters) -> Result<&Client, Response> {
        let has = |name: &str| parameters.value(name).is_some();
        // A client that authenticates by a scheme that is not supported is told so by 401.
        if request.header("authorization").is_some() || has("client_secret") || has("client_assertion") {
            let refusal = Response::oauth_error(401, "invalid_client", "this is a public client, which has no secret");
            return Err(refusal.with_header("www-authenticate", "Basic realm=\"sandbox\""));
        }
        let Some(client_id) = parameters.value("client_id") else {
            return Err(Response::oauth_error(400, "invalid_request", "client_id is missing"));
        };
        let unknown = || Response::oauth_error(401, "invalid_client", "no client is registered by this client_id");
        self.find(client_id).ok_or_else(unknown)
    }

    /// The client of this identifier.
    pub fn find(&self, client_id: &str) -> Option<&Client> {
        self.0.iter().find(|client| client.client_id == client_id)
    }
}

impl Client {
    /// Whether the redirect URI is registered, exactly.
    pub fn has_redirect_uri(&self, redirect_uri: &str) -> bool {
        self.redirect_uris.iter().any(|known| known == redirect_uri)
    }

    /// Whether people may be sent there after they signed out.
    pub fn has_post_logout_redirect_uri(&self, post_logout_redirect_uri: &str) -> bool {
        self.post_logout_redirect_uris.iter().any(|known| known == post_logout_redirect_uri)
    }
}
