//! BroadcastChannel: short texts between the pages of this origin.
//!
//! Rule: any script of the origin can post, so what arrives is a text of bounded length and no more than a hint.
//!
//! Source: HTML §9.5.

use js_sys::JsString;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

/// An open channel; dropping it closes it.
pub struct Channel {
    channel: BroadcastChannel,
    _heard: Closure<dyn FnMut(MessageEvent)>,
}

/// The longest text that is heard, in UTF-16 units.
const LONGEST: u32 = 4096;

impl Channel {
    /// Opens the channel of this name, and calls `heard` with each text that another one of this name posts.
    ///
    /// `None` where the browser has none for this page.
    pub fn open(name: &str, mut heard: impl FnMut(&str) + 'static) -> Option<Self> {
        // A constructor that is absent throws like one that refuses.
        let channel = BroadcastChannel::new(name).ok()?;
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Ok(text) = event.data().dyn_into::<JsString>()
                && text.length() <= LONGEST
            {
                heard(&String::from(text));
            }
        });
        channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        Some(Self { channel, _heard: listener })
    }

    /// Posts a text to all others; this one does not hear it. Nobody hears a text that is too long.
    pub fn post(&self, text: &str) {
        // A text can always be copied, and the channel is open; what can still throw is a page that is going away.
        let _ = self.channel.post_message(&text.into());
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // From here on it hears nothing, not even what is on its way; so the listener can go.
        self.channel.close();
    }
}
