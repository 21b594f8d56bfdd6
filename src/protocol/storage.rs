//! Names and wrapping of what is kept in sessionStorage and, for all tabs, in localStorage and IndexedDB.
//!
//! Rule: one name per record, with everything in it that keeps two clients apart. Neither an issuer nor a state can
//! hold a space, so no two records share a name.
//!
//! Source: security.md CFG-14, WEB-2.

use std::fmt;

use super::client::ClientKey;
use super::json::Value;
use super::secret::State;
use super::vocabulary::Issuer;

/// The name of a record. Its `Debug` shows nothing, because the name of a pending request holds its `state`.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordName(String);

/// A record on its way from or to storage; its `Debug` shows nothing of it.
#[derive(Clone, PartialEq)]
pub struct Record(pub Value);

/// What every name begins with; whatever else is in storage is not this library's.
pub const PREFIX: &str = "leptos-pkce ";

const PENDING: &str = "leptos-pkce pending ";

impl RecordName {
    /// The name of an authorization request that awaits its answer.
    pub fn pending(state: &State) -> Self {
        Self([PENDING, state.expose()].concat())
    }

    /// The name of a session.
    pub fn session(key: &ClientKey) -> Self {
        Self::of_client("session", key)
    }

    /// The name of an authorization server's metadata.
    pub fn metadata(issuer: &Issuer) -> Self {
        Self([PREFIX, "metadata ", issuer.as_str()].concat())
    }

    /// The name of an authorization server's keys.
    pub fn keys(issuer: &Issuer) -> Self {
        Self([PREFIX, "keys ", issuer.as_str()].concat())
    }

    /// The name of the note that a session began in this tab, which is asked for anew when it is lost.
    pub(super) fn restore(key: &ClientKey) -> Self {
        Self::of_client("restore", key)
    }

    /// The name of the sign-ins of this tab that nobody clicked for.
    pub(super) fn automatic() -> Self {
        Self([PREFIX, "automatic"].concat())
    }

    /// The name of the note that a page of this tab leaves when it goes: who finds it has this tab's storage, and no copy.
    #[cfg(all(target_arch = "wasm32", feature = "session_storage"))]
    pub(crate) fn left() -> Self {
        Self([PREFIX, "left"].concat())
    }

    /// The name of what is remembered of somebody who left this tab to sign out at the server.
    pub(super) fn sign_out() -> Self {
        Self([PREFIX, "sign-out"].concat())
    }

    /// The name of when somebody last signed out, in any tab.
    pub(super) fn signed_out(key: &ClientKey) -> Self {
        Self::of_client("signed-out", key)
    }

    /// The name of when somebody last touched a key or a pointer, in any tab.
    pub(super) fn active(key: &ClientKey) -> Self {
        Self::of_client("active", key)
    }

    fn of_client(kind: &str, key: &ClientKey) -> Self {
        Self([PREFIX, kind, " ", key.issuer.as_str(), " ", key.client_id.as_str()].concat())
    }

    /// Whether the record is one of all tabs, in localStorage: none of these holds a token.
    pub fn is_of_origin(&self) -> bool {
        let kind = self.0.get(PREFIX.len()..).unwrap_or_default();
        kind.starts_with("signed-out ") || kind.starts_with("active ")
    }

    /// The name of what an app keeps about clients that were added while it ran.
    pub fn added_clients() -> Self {
        Self(format!("{PREFIX}clients"))
    }

    /// A name as it was found in storage, if it is one of this library's.
    pub fn found(name: String) -> Option<Self> {
        name.starts_with(PREFIX).then_some(Self(name))
    }

    /// Whether the record is a pending authorization request.
    pub fn is_pending(&self) -> bool {
        self.0.starts_with(PENDING)
    }

    /// The name for the Storage API.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordName([redacted])")
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Record([redacted])")
    }
}
