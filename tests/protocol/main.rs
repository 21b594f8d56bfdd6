//! The protocol, natively: every transition and every error as a scenario, the vectors of the RFCs, and properties.
//!
//! One module per message, in pipeline order. A requirement's id stands in the doc comment of the test that fails
//! without it; `tests/requirements.rs` sees to that.
#![cfg(not(target_arch = "wasm32"))]

mod scenario;
mod answers;
mod browser;
mod id_tokens;
mod errors_of_every_kind;
mod errors_about_trust;

mod vectors;
mod json;
mod url;
mod quirks;
mod vocabulary;
mod return_path;
mod configuration;
mod metadata;
mod authorization_request;
mod pending_authorization;
mod authorization_response;
mod token_request;
mod token_response;
mod jwk;
mod jws;
mod keys;
mod id_token;
mod session;
mod refresh;
mod refresh_faults;
mod refresh_id_token;
mod renewal;
mod api_calls;
mod tabs;
mod sign_out;
mod restore;
mod idle;
mod protected_resource;
mod challenge;
mod resource_metadata;
mod dpop;
mod resources_corpus;
mod dpop_flow;
mod step_up;
mod userinfo;
mod pushed_authorization;
mod resource;
mod sign_in_settings;
mod two_issuers;
mod explanations;
mod flow;
mod contracts;
mod errors;
mod secrets;
mod properties;
mod properties_of_tokens;
mod properties_of_sessions;
mod interleavings;
