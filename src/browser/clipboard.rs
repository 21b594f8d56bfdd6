//! The clipboard.

use wasm_bindgen_futures::JsFuture;

/// Copies a text.
///
/// # Errors
/// [`NotCopied`] if the page may not write to the clipboard.
pub async fn copy(text: &str) -> Result<(), NotCopied> {
    let window = web_sys::window().ok_or(NotCopied)?;
    // `navigator.clipboard` does not exist on plain http, though its type says otherwise.
    if !window.is_secure_context() {
        return Err(NotCopied);
    }
    JsFuture::from(window.navigator().clipboard().write_text(text)).await.map(drop).map_err(|_| NotCopied)
}

/// The browser did not let the page write to the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCopied;
