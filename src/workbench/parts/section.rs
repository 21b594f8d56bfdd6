//! A card with a heading, which is also its name.

use super::super::node::{Node, element};

/// A section without anything in it but its heading.
pub(in super::super) fn section(heading: &'static str) -> Node {
    element("section.card").attribute("aria-label", heading).child(element("h2").child(heading))
}
