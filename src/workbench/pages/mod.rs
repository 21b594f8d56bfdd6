//! The pages, in pipeline order.

mod api;
mod callback;
mod not_found;
mod session;
mod sign_in;

pub(super) use api::ApiPage;
pub(super) use callback::CallbackPage;
pub(super) use not_found::NotFoundPage;
pub(super) use session::SessionPage;
pub(super) use sign_in::SignInPage;
