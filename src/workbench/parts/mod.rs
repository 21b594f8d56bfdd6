//! What more than one page needs.

mod copy_button;
mod fault_panel;
mod lifetime;
mod secret_field;

pub(super) use copy_button::CopyButton;
pub(super) use fault_panel::FaultPanel;
pub(super) use lifetime::{LifetimeBar, lifetime_text};
pub(super) use secret_field::SecretField;
