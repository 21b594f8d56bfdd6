//! What more than one page needs.

mod buttons;
mod fault_panel;
mod lifetime;
mod secret_field;
mod section;
mod values;

pub(super) use buttons::{button, copy_button};
pub(super) use fault_panel::{Retry, Seen, again_button, fault_panel};
pub(super) use lifetime::{lifetime_bar, lifetime_text};
pub(super) use secret_field::secret_field;
pub(super) use section::section;
pub(super) use values::{code, values};
