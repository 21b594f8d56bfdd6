//! A small, unstyled layer of Leptos components over the driver. Client-side rendering only.
//!
//! [`AuthProvider`] starts the flow, [`use_auth`] is the handle to it, [`SignedIn`], [`SignedOut`] and
//! [`RequireSignIn`] show one thing or the other, [`Callback`] belongs on the redirect URI's route.

#![allow(unreachable_pub, reason = "the component macro puts each component into a private module of its own")]

mod auth;
mod callback;
mod gates;
mod provider;

pub use auth::{Auth, Status, use_auth};
pub use callback::{Callback, CallbackView, ViewFor};
pub use gates::{RequireSignIn, SignedIn, SignedOut};
pub use provider::{AuthProvider, Clients};
