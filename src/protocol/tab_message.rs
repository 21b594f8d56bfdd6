//! What the tabs of an origin tell each other.
//!
//! Rule: no message carries a token, and what it says of a record is looked up there. That somebody signed out is believed: the
//! record may be gone a moment later only. Whoever can send one can run script on this origin.

use super::client::ClientKey;
use super::json::{Members, Value};
use super::time::UnixTime;
use super::url::SchemePolicy;
use super::vocabulary::{ClientId, Issuer};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabMessage {
    /// Whose session it is about.
    pub key: ClientKey,
    /// What happened to it.
    pub news: News,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The shared record is another one now.
    Changed,
    /// Somebody signed out at this time.
    SignedOut(UnixTime),
    /// Somebody touched a key or a pointer at this time.
    Active(UnixTime),
}

/// The name of the channel.
pub const CHANNEL: &str = "leptos-pkce";

impl TabMessage {
    /// The text that is sent.
    pub fn encode(&self) -> String {
        let (news, at) = match self.news {
            News::Changed => ("changed", None),
            News::SignedOut(at) => ("signed_out", Some(at.0)),
            News::Active(at) => ("active", Some(at.0)),
        };
        let mut message = Members::default();
        message.text("news", Some(news));
        message.text("issuer", Some(self.key.issuer.as_str()));
        message.text("client_id", Some(self.key.client_id.as_str()));
        message.number("at", at);
        message.finish().to_text()
    }

    /// Reads a text that arrived; `None` for anything that [`encode`](Self::encode) does not write.
    pub fn parse(text: &str, policy: SchemePolicy) -> Option<Self> {
        let message = Value::parse(text.as_bytes()).ok()?;
        let at = || message.number("at").map(UnixTime);
        let news = match message.text("news")? {
            "changed" => News::Changed,
            "signed_out" => News::SignedOut(at()?),
            "active" => News::Active(at()?),
            _ => return None,
        };
        let issuer = Issuer::parse(message.text("issuer")?, policy).ok()?;
        let client_id = ClientId::parse(message.text("client_id")?).ok()?;
        Some(Self { key: ClientKey { issuer, client_id }, news })
    }
}
