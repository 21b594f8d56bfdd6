//! For paths that no page has.

use super::super::node::Node;
use super::super::sandbox;
use super::super::shell::Place;

/// Says so, and leads back.
pub(in super::super) fn not_found_page(place: Place) -> Node {
    // The browser asks the site's host for it when the worker is not there to answer.
    place.dead_end(if sandbox::is_its_page(place.auth) {
        "This is a page of the sandbox, which is not running. "
    } else {
        "Nothing is at this address. "
    })
}
