//! The user info endpoint.
//!
//! Source: OpenID Connect Core §5.3, §5.4.

use super::http::{Request, Response};
use super::state::State;
use super::{Turn, bearer, people};
use crate::protocol::json::Value;

/// Answers a request.
pub(super) fn answer<C>(state: &State, turn: &Turn<'_, C>, request: &Request) -> Response {
    let token = match bearer::authorize(state, request, "openid", turn.now) {
        Ok(token) => token,
        Err(refusal) => return refusal,
    };
    let has = |scope: &str| token.scope.split(' ').any(|granted| granted == scope);
    let person = people::by_sub(&token.sub);
    let claim = |scope: &str, text: Option<&str>| text.filter(|_| has(scope)).map(Value::string);
    Response::json(
        200,
        &Value::object(vec![
            ("sub", Some(Value::string(&token.sub))),
            ("name", claim("profile", person.map(|person| person.name))),
            ("email", claim("email", person.map(|person| person.email))),
            ("email_verified", person.filter(|_| has("email")).map(|_| Value::Bool(true))),
        ]),
    )
}
