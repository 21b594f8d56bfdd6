//! Signing out at the server: where the person is sent, and what it means that they come back.
//!
//! Rule: nothing hangs on the answer. The person is signed out here before they leave, so an address that says anything else,
//! or comes from nowhere, changes nothing (OUT-5, OUT-6).
//!
//! Source: OpenID Connect RP-Initiated Logout 1.0 §2, §3.

use super::client::{Client, ClientKey};
use super::form;
use super::json::{Members, Value};
use super::secret::{IdToken, State};
use super::time::{Seconds, UnixTime};
use super::url::Url;

/// Whether the person came back from the server's sign-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOutReturn {
    /// With the `state` that was sent.
    Confirmed,
    /// Without one, or with another: whether the server has signed them out is not known.
    Unconfirmed,
}

/// How long somebody who left is expected back.
const LIFETIME: Seconds = Seconds(60 * 60);

const VERSION: u64 = 1;

/// The address at `endpoint` that signs the person out there.
///
/// With `hint` the server knows whose session to end without asking; without one it is told which client asks.
pub fn end_session_url(endpoint: &Url, client: &Client, hint: Option<&IdToken>, state: &State) -> Url {
    let mut parameters = vec![match hint {
        Some(hint) => ("id_token_hint", hint.expose()),
        None => ("client_id", client.key.client_id.as_str()),
    }];
    if let Some(uri) = &client.post_logout_redirect_uri {
        parameters.extend([("post_logout_redirect_uri", uri.as_str()), ("state", state.expose())]);
    }
    endpoint.with_query(&form::encode(&parameters))
}

/// What is remembered of somebody who left to sign out.
pub fn departure_record(key: &ClientKey, state: &State, now: UnixTime) -> Value {
    let mut record = Members::default();
    record.number("version", Some(VERSION));
    record.text("issuer", Some(key.issuer.as_str()));
    record.text("client_id", Some(key.client_id.as_str()));
    record.text("state", Some(state.expose()));
    record.number("created_at", Some(now.0));
    record.finish()
}

/// What it means that a page begins with `state` while there is such a record; `None` if the record is stale or garbage.
pub fn came_back(record: &Value, state: Option<&State>, now: UnixTime) -> Option<SignOutReturn> {
    let created_at = UnixTime(record.number("created_at")?);
    if record.number("version")? != VERSION || now.since(created_at) > LIFETIME {
        return None;
    }
    let is_ours = state.is_some_and(|state| record.text("state") == Some(state.expose()));
    Some(if is_ours { SignOutReturn::Confirmed } else { SignOutReturn::Unconfirmed })
}
