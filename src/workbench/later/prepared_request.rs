//! The authorization request before it is sent, parameter by parameter.

use super::super::node::{Node, element};
use super::super::parts::{code, copy_button, values};

/// An authorization request as a plain link.
pub(super) fn prepared_request(url: &str) -> Node {
    let (endpoint, query) = url.split_once('?').unwrap_or((url, ""));
    let parameters = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (code(name), code(value))
    });
    // RFC 9126 §2.2: what the name stands for is with the server already, and is not kept there for long.
    let is_pushed = query.split('&').any(|pair| pair.starts_with("request_uri="));
    let words = if is_pushed {
        "A plain link for this tab, good for one sign-in. The server has the request already, and keeps it for a minute or so."
    } else {
        "A plain link for this tab, good for one sign-in within an hour. Its values are as they stand on the wire."
    };
    let copied = url.to_owned();
    let link = element("a.button").attribute("href", url.to_owned()).child("Follow the link");
    element("section.prepared")
        .attribute("aria-label", "Authorization request")
        .child(element("h3").child("Authorization request"))
        .child(element("p.muted").child(words))
        .child(element("p").child(code(endpoint)))
        .child(values(parameters))
        .child(element("div.actions").child(link).child(copy_button("Copy the link", Box::new(move || copied.clone()))))
}
