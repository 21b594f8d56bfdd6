//! The pages, in pipeline order.

mod callback;
mod not_found;
mod session;
mod sign_in;

pub(super) use callback::callback_page;
pub(super) use not_found::not_found_page;
pub(super) use session::{coming, session_page};
pub(super) use sign_in::sign_in_page;
