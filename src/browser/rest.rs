//! The rest of a program that was divided: the page's start script loads it.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The rest did not arrive, or is not the one that was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLoaded;

impl From<JsValue> for NotLoaded {
    fn from(_: JsValue) -> Self {
        Self
    }
}

/// Loads the rest; a program that was not divided is whole already.
///
/// # Errors
/// [`NotLoaded`].
pub async fn load() -> Result<(), NotLoaded> {
    let load = Reflect::get(&js_sys::global(), &"loadRest".into())?;
    let Some(load) = load.dyn_ref::<Function>() else { return Ok(()) };
    let loaded: Promise = load.call0(&JsValue::UNDEFINED)?.dyn_into()?;
    JsFuture::from(loaded).await?;
    Ok(())
}
