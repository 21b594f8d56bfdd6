//! Sign people in from a browser: the OAuth 2.0 authorization code flow with PKCE for Leptos apps.
//!
//! There is no backend and no client secret: the page is a public client (RFC 6749 §2.1), and PKCE (RFC 7636) binds
//! each code to the page that asked for it. Client-side rendering only.
//!
//! Three layers, each built on the one before:
//!
//! - [`protocol`]: the messages, their checks and the flow, as values. Pure: it compiles and is tested natively.
//! - `browser` (wasm32 only): one file per Web API, and the driver that performs what the flow asks for.
//! - `ui` (wasm32 only): Leptos components without style. Most apps need nothing but this layer.
//!
//! Beside them, [`inspect`] puts the protocol's values into words for people. The workbench, this package's binary, is
//! the first user of all of them. [`sandbox`] is the counterpart: an authorization server as a function, for tests.
//!
//! To sign in from an app, read the manual's page `plain_oauth`, and `sessions` for what comes after; to put one online,
//! `hosting`; to know why things are as they are, `security`. The folder `examples/minimal` holds a whole app.
//!
//! # The pipeline
//!
//! ```text
//! configuration ─► metadata ─► authorization request ─► pending authorization
//!                                                                ║ redirect
//! protected resource ◄─ session ◄─ ID token ◄─ token response ◄─ token request ◄─ authorization response
//! ```
//!
//! Each arrow is a function that takes values and gives a value or an error; time and random octets are arguments. In
//! the browser [`protocol::flow`] calls them in this order. Here they are called by hand, with the values of the RFCs
//! and with canned answers:
//!
//! ```
//! use leptos_pkce::protocol::authorization_request::{Departure, Entropy, Wish, authorization_request};
//! use leptos_pkce::protocol::authorization_response::AuthorizationResponse;
//! use leptos_pkce::protocol::configuration::parse_configuration;
//! use leptos_pkce::protocol::form;
//! use leptos_pkce::protocol::http::HttpResponse;
//! use leptos_pkce::protocol::json::Value;
//! use leptos_pkce::protocol::metadata::{Metadata, discovery_request, read_document};
//! use leptos_pkce::protocol::pending_authorization::PendingAuthorization;
//! use leptos_pkce::protocol::protected_resource::{
//!     AllowedResources, ResourceError, ResourceRequest, protected_resource_request,
//! };
//! use leptos_pkce::protocol::return_path::ReturnPath;
//! use leptos_pkce::protocol::session::Session;
//! use leptos_pkce::protocol::site::Site;
//! use leptos_pkce::protocol::time::{Seconds, UnixTime};
//! use leptos_pkce::protocol::token_request::TokenRequest;
//! use leptos_pkce::protocol::token_response::{TokenResponse, TokenType};
//!
//! let now = UnixTime(1_700_000_000);
//! let json = |body: &str| HttpResponse {
//!     status: 200,
//!     headers: vec![("content-type".into(), "application/json".into())],
//!     body: body.into(),
//! };
//!
//! // The configuration says where to sign in, as which client, and where the access token may go.
//! let site = Site::parse("https://client.example.com/")?;
//! let config = r#"{ "authorization_servers": [ {
//!     "issuer": "https://server.example.com", "client_id": "s6BhdRkqt3", "scope": "photos:read",
//!     "redirect_uri": "https://client.example.com/cb",
//!     "resources": [ { "name": "Photos", "url": "https://api.example.com/photos" } ] } ] }"#;
//! let clients = parse_configuration(config.as_bytes(), &site)?;
//! let client = &clients[0];
//! let issuer = &client.key().issuer;
//!
//! // The server's metadata counts only if its issuer is the configured one (RFC 8414 §3.3).
//! let discovery = discovery_request(issuer, 0).expect("there is a first well-known URL");
//! assert_eq!(discovery.url.as_str(), "https://server.example.com/.well-known/openid-configuration");
//! let answer = json(r#"{ "issuer": "https://server.example.com",
//!     "authorization_endpoint": "https://server.example.com/authorize",
//!     "token_endpoint": "https://server.example.com/token",
//!     "code_challenge_methods_supported": ["S256"] }"#);
//! let document = read_document(Ok(answer)).expect("the answer is a JSON object");
//! let no_overrides = Value::Object(Vec::new());
//! let metadata = Metadata::check(&document, &no_overrides, issuer, site.scheme_policy())?;
//!
//! // 96 random octets: code verifier, state, nonce. The first 32 are those of RFC 7636 appendix B.
//! let mut octets = [7; 96];
//! octets[..32].copy_from_slice(&[
//!     116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
//!     240, 91, 88, 5, 88, 83, 132, 141, 121,
//! ]);
//! let wish = Wish { return_path: ReturnPath::parse("/albums/7"), ..Wish::default() };
//! let (departure, pending) = authorization_request(client, &metadata, &site, wish, &Entropy(octets), now)?;
//! let Departure::Navigate(url) = departure else { panic!("nothing asks for a pushed request") };
//! assert!(url.as_str().starts_with("https://server.example.com/authorize?response_type=code&client_id=s6BhdRkqt3"));
//! let sent = form::decode(url.query().expect("the request is a query")).expect("each parameter is there once");
//! let sent = |name: &str| form::value(&sent, name);
//! assert_eq!(sent("redirect_uri"), Some("https://client.example.com/cb"));
//! assert_eq!(sent("code_challenge_method"), Some("S256"));
//! assert_eq!(sent("code_challenge"), Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
//! assert_eq!(sent("nonce"), None, "openid was not asked for");
//! let state = sent("state").expect("each request has one");
//!
//! // The page is left here. All that it knows of the request stays in this record, in the tab's sessionStorage.
//! let record = pending.encode().to_text();
//!
//! // An hour later it would be stale; a minute later the answer is in time. It is looked up by `state`.
//! let now = now.plus(Seconds(60));
//! let query = format!("code=SplxlOBeZQQYbYS6WxSbIA&state={state}");
//! let response = AuthorizationResponse::parse("/cb", &query, "")?.expect("the query holds a response");
//! let record = Value::parse(record.as_bytes())?;
//! let pending = PendingAuthorization::decode(&record, site.scheme_policy()).expect("it was written by encode");
//! let grant = pending.complete(&response, now)?;
//!
//! // The grant is moved into the one token request that it is good for (RFC 6749 §4.1.3).
//! let TokenRequest { http, exchange } = TokenRequest::new(grant);
//! assert_eq!((http.method.as_str(), http.url.as_str()), ("POST", "https://server.example.com/token"));
//! let body = http.body.expect("a form");
//! assert!(body.starts_with("grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&"));
//! assert!(body.contains("code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
//! assert!(!body.contains("client_secret"));
//!
//! // A session is made only of an answer that passed every check (RFC 6749 §5.1).
//! let answer = json(r#"{ "access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "Bearer", "expires_in": 3600 }"#);
//! // With `openid` in the scope it would also want a verified ID token: `id_token::check_id_token` makes one.
//! let session = Session::new(&exchange, TokenResponse::read(Ok(answer), TokenType::Bearer)?, None, now)?;
//! assert_eq!(session.remaining(now.plus(Seconds(600))), Some(Seconds(3000)));
//! assert_eq!(session.granted_scope().map(|scope| scope.as_str()), Some("photos:read"));
//! assert_eq!(exchange.return_path.as_ref().map(ReturnPath::as_str), Some("/albums/7"));
//! assert!(!format!("{session:?}").contains("2YotnFZFEjr1zCsicMWpAA"));
//!
//! // The token goes to the configured places, and a request that carries it anywhere else cannot be built.
//! let allowed = AllowedResources::new(client, Some(&metadata));
//! let get = |url: &str| ResourceRequest { method: "GET".into(), url: url.into(), headers: Vec::new(), body: None };
//! let request = protected_resource_request(&session, &allowed, get("https://api.example.com/photos/1"))?;
//! assert_eq!(request.bearer.as_ref().map(|token| token.expose()), Some("2YotnFZFEjr1zCsicMWpAA"));
//! let elsewhere = protected_resource_request(&session, &allowed, get("https://api.example.com/photos-of-others"));
//! assert!(matches!(elsewhere, Err(ResourceError::NotAllowed { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// A build without a feature has what is there for it, and does not use it.
#![cfg_attr(
    not(all(feature = "dpop", feature = "par", feature = "step_up", feature = "userinfo")),
    allow(dead_code, unused_imports, clippy::unnecessary_wraps)
)]

#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod inspect;
pub mod sandbox;
// Without the doc-tests: the examples in it need a page.
#[cfg(all(doc, not(doctest)))]
pub mod manual {
    //! The manual: what does not belong to one function.

    #[doc = include_str!("manual/plain_oauth.md")]
    pub mod plain_oauth {}

    #[doc = include_str!("manual/sessions.md")]
    pub mod sessions {}

    #[doc = include_str!("manual/hosting.md")]
    pub mod hosting {}

    #[doc = include_str!("manual/sandbox.md")]
    pub mod sandbox {}

    #[doc = include_str!("manual/security.md")]
    pub mod security {}
}
pub mod protocol;
#[cfg(target_arch = "wasm32")]
pub mod ui;
