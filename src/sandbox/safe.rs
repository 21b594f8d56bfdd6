//! The safe: a resource that wants people to have signed in well, and not long ago.
//!
//! Source: RFC 9470 §3, §6.

use super::authentication::Level;
use super::crypto::Crypto;
use super::http::{Request, Response};
use super::state::State;
use super::{Stop, Turn, access, people};
use crate::protocol::json::Value;
use crate::protocol::time::Seconds;

const LEVEL: Level = Level::Otp;
const MAX_AGE: Seconds = Seconds(5 * 60);

/// Answers a request for what is in it.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, Stop> {
    let grant = access::authorize(state, turn, request, "photos:read").await?;
    if !grant.authentication.satisfies(Some(LEVEL), Some(MAX_AGE), turn.now) {
        return Ok(access::insufficient_authentication(state, turn, request, LEVEL.as_str(), MAX_AGE));
    }
    let owner = people::by_sub(&grant.sub).map(|person| Value::string(person.username));
    let content = Value::string("Three rings and a map of the harbour");
    Ok(Response::json(200, &Value::object(vec![("owner", owner), ("content", Some(content))])))
}
