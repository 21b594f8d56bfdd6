//! The sandbox, natively: what the RFCs ask of a server, each of its misbehaviours against the client, and client and
//! server together on a network that delays and loses.
#![cfg(not(target_arch = "wasm32"))]

mod crypto;
mod verify;
mod person;
mod world;

mod authorization;
mod tokens;
mod refresh;
mod refresh_switches;
mod revocation;
mod end_session;
mod resources;
mod authentication;
mod forgeries;
mod pushed;
mod dpop;
mod state;
mod misbehaviour;
mod conformance_modules;
mod conformance;
mod lasting_sessions;
mod sign_outs;
mod step_up;
mod schedules;
mod lasting_schedules;
