//! OAuth 2.0 authorization code flow with PKCE, as values.
//!
//! Nothing here touches a clock, a random number generator, storage, the network or the address bar: all of them
//! arrive as arguments. So the same code runs in the browser and in native tests.
//!
//! In pipeline order: [`configuration`] → [`client`] → [`metadata`] → [`authorization_request`] → [`pending_authorization`] ═ redirect ═►
//! [`authorization_response`] → [`token_request`] → [`token_response`] → [`session`] → [`protected_resource`], [`renewal`];
//! [`flow`] joins them.

pub(crate) mod text;
pub mod secret;
pub mod time;
pub mod base64url;
pub mod form;
pub mod json;
pub mod url;
pub mod http;
pub mod clock;
pub mod site;
pub mod return_path;
pub mod vocabulary;
pub mod quirks;
pub mod problem;
pub mod algorithm;
pub mod challenge;
pub mod dpop;
pub mod pkce;
pub mod metadata;
pub mod resource_metadata;
pub mod client;
pub mod configuration;
pub mod jwk;
pub mod keys;
pub mod jws;
pub mod claims;
pub mod id_token;
pub mod storage;
pub mod tab_message;
pub mod pending_authorization;
pub mod authorization_response;
pub mod token_response;
pub mod pushed_authorization;
pub mod authorization_request;
pub mod token_request;
pub mod session;
pub mod renewal;
pub mod refresh;
pub mod revocation;
pub mod end_session;
pub mod protected_resource;
pub mod userinfo;
pub mod error;
pub mod flow;
