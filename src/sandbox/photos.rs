//! The photo API: a resource server that knows two scopes.

use super::crypto::Crypto;
use super::http::{Request, Response};
use super::state::{Photo, State};
use super::{Stop, Turn, access, people, switches};
use crate::protocol::json::Value;

/// Answers a request below `api/photos`.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
    path: &str,
) -> Result<Response, Stop> {
    let scope = if request.method == "POST" { "photos:write" } else { "photos:read" };
    let on = |name| state.switches.has(name);
    if on(switches::API_429) {
        return Ok(Response::empty(429).with_header("retry-after", "30"));
    }
    if on(switches::API_401_BARE) {
        return Ok(Response::empty(401));
    }
    if on(switches::API_403_BARE) {
        return Ok(Response::empty(403));
    }
    if on(switches::API_401) {
        return Ok(access::invalid_token(state, turn, request));
    }
    if on(switches::API_403) {
        return Ok(access::insufficient_scope(state, turn, request, scope));
    }
    let sub = access::authorize(state, turn, request, scope).await?.sub;
    let person = people::by_sub(&sub);
    let own = person.map_or(&[][..], |person| person.photos).iter().copied();
    let added = state.photos.iter().filter(|photo| photo.sub == sub).map(|photo| photo.title.as_str());
    let titles: Vec<&str> = own.chain(added).collect();
    let photo = |index: usize, title: &str| {
        Value::object(vec![("id", Some(Value::from(index as u64 + 1))), ("title", Some(Value::string(title)))])
    };
    if request.method == "POST" {
        return Ok(match Value::parse(&request.body).ok().as_ref().and_then(|photo| photo.text("title")) {
            Some(title) => {
                let response = Response::json(201, &photo(titles.len(), title));
                let title = title.to_owned();
                state.photos.push(Photo { sub, title });
                response
            }
            None => Response::oauth_error(400, "invalid_request", "send a JSON object with a title"),
        });
    }
    let Some(id) = path.strip_prefix("api/photos/") else {
        let list = titles.iter().enumerate().map(|(index, title)| photo(index, title)).collect();
        let owner = person.map(|person| Value::string(person.username));
        return Ok(Response::json(200, &Value::object(vec![("owner", owner), ("photos", Some(Value::Array(list)))])));
    };
    let index = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
    Ok(match index.and_then(|index| Some((index, titles.get(index)?))) {
        Some((index, title)) => Response::json(200, &photo(index, title)),
        None => Response::json(404, &Value::object(vec![("error", Some(Value::string("no such photo")))])),
    })
}
