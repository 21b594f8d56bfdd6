//! For paths that no page has.

use super::super::node::Node;
use super::super::shell::Place;

/// Says so, and leads back.
pub(in super::super) fn not_found_page(place: Place) -> Node {
    place.dead_end("Nothing is at this address. ")
}
