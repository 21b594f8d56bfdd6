//! The photo API: a resource server that knows two scopes.

use super::http::{Request, Response};
use super::state::{Photo, State};
use super::{Turn, bearer, people, switches};
use crate::protocol::json::Value;

/// Answers a request below `api/photos`.
pub(super) fn answer<C>(state: &mut State, turn: &Turn<'_, C>, request: &Request, path: &str) -> Response {
    let scope = if request.method == "POST" { "photos:write" } else { "photos:read" };
    let on = |name| state.switches.has(name);
    if on(switches::API_429) {
        return Response::empty(429).with_header("retry-after", "30");
    }
    if on(switches::API_401_BARE) {
        return Response::empty(401);
    }
    if on(switches::API_403_BARE) {
        return Response::empty(403);
    }
    let token = match bearer::authorize(state, request, scope, turn.now) {
        _ if on(switches::API_401) => return bearer::invalid_token(),
        _ if on(switches::API_403) => return bearer::insufficient_scope(scope),
        Err(refusal) => return refusal,
        Ok(token) => token,
    };
    let sub = token.sub.clone();
    let person = people::by_sub(&sub);
    let own = person.map_or(&[][..], |person| person.photos).iter().copied();
    let added = state.photos.iter().filter(|photo| photo.sub == sub).map(|photo| photo.title.as_str());
    let titles: Vec<&str> = own.chain(added).collect();
    let photo = |index: usize, title: &str| {
        Value::object(vec![("id", Some(Value::from(index as u64 + 1))), ("title", Some(Value::string(title)))])
    };
    if request.method == "POST" {
        return match Value::parse(&request.body).ok().as_ref().and_then(|photo| photo.text("title")) {
            Some(title) => {
                let response = Response::json(201, &photo(titles.len(), title));
                let title = title.to_owned();
                state.photos.push(Photo { sub, title });
                response
            }
            None => Response::oauth_error(400, "invalid_request", "send a JSON object with a title"),
        };
    }
    let Some(id) = path.strip_prefix("api/photos/") else {
        let list = titles.iter().enumerate().map(|(index, title)| photo(index, title)).collect();
        let owner = person.map(|person| Value::string(person.username));
        return Response::json(200, &Value::object(vec![("owner", owner), ("photos", Some(Value::Array(list)))]));
    };
    let index = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
    match index.and_then(|index| Some((index, titles.get(index)?))) {
        Some((index, title)) => Response::json(200, &photo(index, title)),
        None => Response::json(404, &Value::object(vec![("error", Some(Value::string("no such photo")))])),
    }
}
