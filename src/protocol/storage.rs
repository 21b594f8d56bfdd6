//! Names and wrapping of what is kept in sessionStorage.
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
        Self([PREFIX, "session ", key.issuer.as_str(), " ", key.client_id.as_str()].concat())
    }

    /// The name of an authorization server's metadata.
    pub fn metadata(issuer: &Issuer) -> Self {
        Self([PREFIX, "metadata ", issuer.as_str()].concat())
    }

    /// The name of an authorization server's keys.
    pub fn keys(issuer: &Issuer) -> Self {
        Self([PREFIX, "keys ", issuer.as_str()].concat())
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
